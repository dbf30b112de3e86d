//! What the person supported answers by their private link, and the link itself.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::coded;
use crate::field::{Problem, needed, words};
use crate::id::{PersonId, ReplyId};
use crate::supporter::StaffId;

coded! {
    /// What the person says.
    pub enum ReplyKind {
        YesPlease = "yes-please", "yes please";
        NotNow = "not-now", "not now";
        NoThanks = "no-thanks", "no thanks";
        ContactChange = "contact-change", "change how I am contacted";
        SomeoneElse = "someone-else", "I would like somebody else";
        Assessment = "assessment", "filled in the wellbeing questions";
        /// As [`ReplyKind::Assessment`], with an answer that a person must look at.
        AssessmentAtOnce = "assessment-at-once", "filled in the wellbeing questions; an answer needs looking at today";
    }
}

impl ReplyKind {
    /// Whether words must come with it.
    #[must_use]
    pub const fn needs_words(self) -> bool {
        match self {
            Self::ContactChange => true,
            Self::YesPlease | Self::NotNow | Self::NoThanks | Self::SomeoneElse | Self::Assessment | Self::AssessmentAtOnce => false,
        }
    }
}

impl ReplyKind {
    /// Whether it is the supporter's to see to. Who asks for somebody else may speak of them: the clinic and the
    /// coordinator see to that.
    #[must_use]
    pub const fn is_for_supporter(self) -> bool {
        !matches!(self, Self::SomeoneElse)
    }
}

/// The most characters of a reply.
pub const CHARACTERS_MAX: usize = 500;

/// An answer of the person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Our identifier.
    pub id: ReplyId,
    /// Whose.
    pub person: PersonId,
    /// What they say.
    pub kind: ReplyKind,
    /// In their words; may be empty.
    pub words: String,
    /// When.
    pub at: Timestamp,
    /// Who has seen to it, and when.
    pub handled: Option<(StaffId, Timestamp)>,
}

/// Checks the words of a reply.
///
/// # Errors
/// Missing or too long.
pub fn reply_words(kind: ReplyKind, given: &str) -> Result<String, Problem> {
    if kind.needs_words() {
        return needed("words", given, CHARACTERS_MAX, "Tell us what to change");
    }
    words("words", given, CHARACTERS_MAX)
}

/// Days for which a private link opens.
pub const LINK_DAYS: i64 = 30;
/// Wrong codes after which a link is dead. Of a million codes, as many guesses are lost.
pub const LINK_TRIES: u32 = 5;
/// Minutes for which what is held stays open after the code.
pub const PROOF_MINUTES: i64 = 15;

/// A person's private link. Its token and its code are known by their digests only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalLink {
    /// SHA-256 of the token.
    pub digest: String,
    /// Whose.
    pub person: PersonId,
    /// Keyed digest of the code.
    pub code: String,
    /// How often a wrong code may still be entered.
    pub tries_left: u32,
    /// Who made it.
    pub made_by: StaffId,
    /// When.
    pub made_at: Timestamp,
    /// Until when it opens.
    pub opens_until: Timestamp,
    /// When it was ended before that.
    pub revoked_at: Option<Timestamp>,
    /// SHA-256 of the token of who has entered the code, and until when that holds.
    pub proof: Option<(String, Timestamp)>,
}

impl PersonalLink {
    /// A new link.
    #[must_use]
    pub fn new(digest: String, code: String, person: PersonId, made_by: StaffId, made_at: Timestamp) -> Self {
        let opens_until = made_at.saturating_add(SignedDuration::from_hours(24 * LINK_DAYS)).unwrap_or(Timestamp::MAX);
        Self { digest, person, code, tries_left: LINK_TRIES, made_by, made_at, opens_until, revoked_at: None, proof: None }
    }

    /// Whether it opens at an instant.
    #[must_use]
    pub fn opens(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.tries_left > 0 && now < self.opens_until
    }

    /// Whether a token of this digest proves at an instant that the code was entered.
    #[must_use]
    pub fn is_proved(&self, digest: &str, now: Timestamp) -> bool {
        self.opens(now) && self.proof.as_ref().is_some_and(|(known, until)| known == digest && now < *until)
    }
}

/// The day until which "not now" lasts when so many weeks are asked for.
#[must_use]
pub fn not_now_until(today: Date, weeks: u16) -> Date {
    today.saturating_add(jiff::Span::new().weeks(i64::from(weeks)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_for_its_days_until_it_is_ended_or_guessed_at() {
        let at = |hours: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
        let link = PersonalLink::new("d".into(), "c".into(), PersonId(1), StaffId("ines".into()), at(0));
        assert!(link.opens(at(24 * LINK_DAYS - 1)) && !link.opens(at(24 * LINK_DAYS)));
        assert!(!PersonalLink { revoked_at: Some(at(1)), ..link.clone() }.opens(at(2)));
        assert!(!PersonalLink { tries_left: 0, ..link.clone() }.opens(at(2)));
        let proved = PersonalLink { proof: Some(("p".into(), at(2))), ..link };
        assert!(proved.is_proved("p", at(1)) && !proved.is_proved("p", at(2)) && !proved.is_proved("q", at(1)));
    }

    #[test]
    fn a_change_of_contact_needs_words_and_no_thanks_does_not() {
        assert!(reply_words(ReplyKind::ContactChange, " ").is_err());
        assert_eq!(reply_words(ReplyKind::NoThanks, ""), Ok(String::new()));
        assert!(reply_words(ReplyKind::SomeoneElse, &"a".repeat(501)).is_err());
    }
}
