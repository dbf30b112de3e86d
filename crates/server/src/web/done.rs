//! What was just done, said at the top of the next page: a code in its address, never anything about anybody.

use alongside_domain::coded;
use axum::http::{HeaderMap, Uri};

coded! {
    /// What was done.
    pub enum Done {
        Saved = "saved", "Saved.";
        NoticeRecorded = "notice-recorded", "Notice recorded.";
        ObjectionRecorded = "objection-recorded", "Objection recorded. It takes effect at once.";
        Deferred = "deferred", "Recorded: not now.";
        Referred = "referred", "Referred.";
        QuestionAnswered = "question-answered", "Answer recorded.";
        ListTaken = "list-taken", "The list was taken.";
        Allocated = "allocated", "Given to the supporter.";
        Reallocated = "reallocated", "Given to other supporters.";
        ContactRecorded = "contact-recorded", "Contact recorded.";
        AssessmentRecorded = "assessment-recorded", "Assessment recorded.";
        SafeContactKept = "safe-contact-kept", "Recorded how to make contact.";
        ConcernRaised = "concern-raised", "The concern has reached the clinic.";
        ConcernAcknowledged = "concern-acknowledged", "Acknowledged.";
        Told = "told", "Thank you. We have your answer.";
        LinkEnded = "link-ended", "The private link works no more.";
        Ended = "ended", "Support has ended.";
        Renewed = "renewed", "Renewal recorded.";
        GlassBroken = "glass-broken", "Opened for a limited time. Information governance has been told.";
        GlassReviewed = "glass-reviewed", "Review recorded.";
        Replayed = "replayed", "The message was read and is not set aside any more.";
        StillSetAside = "still-set-aside", "The message was read again and is still set aside. Its problems are those of today’s profile.";
        FeedReplayed = "feed-replayed", "The feed’s messages were read again. Those that are still not understood stay in the list.";
        SentAgain = "sent-again", "It is sent again.";
        LeftOut = "left-out", "Left out for good. What comes after it goes on.";
        TextOpened = "text-opened", "The text is open for an hour. Information governance has been told.";
        OthersSessionsEnded = "others-sessions-ended", "Their sessions have ended.";
        Suspended = "suspended", "Suspended: their sessions have ended, and nobody signs in as them.";
        Reinstated = "reinstated", "The suspension is lifted. They may sign in again.";
        DetailsGiven = "details-given", "Thank you. What you entered is not kept, only a mark that says nothing by itself.";
        ClockMoved = "clock-moved", "The demo’s clock was moved on.";
        DemoReset = "demo-reset", "The demo begins again.";
        SessionsEnded = "sessions-ended", "The other sessions have ended.";
        SessionEnded = "session-ended", "The session has ended.";
        PasswordChanged = "password-changed", "Your password was changed. Your other sessions have ended.";
        PasskeyAdded = "passkey-added", "The passkey was added.";
        PasskeyRemoved = "passkey-removed", "The passkey was removed.";
    }
}

impl Done {
    /// What an address says was done, where one of our own pages led there: another site's link, or one in a message, must
    /// not say it. Browsers that do not tell from where they come are believed.
    pub(crate) fn of(address: &Uri, headers: &HeaderMap) -> Option<Self> {
        if headers.get("sec-fetch-site").is_some_and(|from| from != "same-origin") {
            return None;
        }
        address.query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("done="))).and_then(Self::from_code)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn what_another_page_says_was_done_is_not_said() {
        let address = Uri::from_static("/people/1?done=saved");
        let of = |from: Option<&'static str>| {
            let headers = from.map(|from| ("sec-fetch-site".parse().unwrap(), HeaderValue::from_static(from)));
            Done::of(&address, &headers.into_iter().collect())
        };
        assert_eq!([of(None), of(Some("same-origin"))], [Some(Done::Saved); 2]);
        assert_eq!([of(Some("none")), of(Some("cross-site")), of(Some("same-site"))], [None; 3]);
    }
}
