//! What a clinician is told beside the record when they open a person there (CDS Hooks): one thing at most, in words that tell
//! whoever looks over their shoulder nothing. Nothing is due most of the time, and then nothing is said.

use jiff::civil::Date;

use crate::access::{Action, Reach, reach};
use crate::coded;
use crate::record::Record;
use crate::referral::Status;
use crate::supporter::Role;
use crate::trigger::{Exclusion, Outcome};

/// Days after which support can be asked for again beside the record: not in the year in which it ended or was not wanted.
pub const ASK_AGAIN_DAYS: i32 = 365;

coded! {
    /// The moment in which a record asks (CDS Hooks 2.0, library of hooks).
    pub enum Hook {
        PatientView = "patient-view", "a person is opened";
        EncounterStart = "encounter-start", "a visit begins";
        AppointmentBook = "appointment-book", "an appointment is made";
        OrderSign = "order-sign", "orders are signed";
    }
}

coded! {
    /// What a card says: all that stands on it.
    pub enum Card {
        Concern = "concern", "Somebody has written to you: an answer is due";
        Notice = "notice", "A conversation is due";
        Question = "question", "A question waits for your answer";
        Offer = "offer", "A referral can be made again";
        Asked = "asked", "This has been asked for already";
    }
}

coded! {
    /// Why somebody put a card away.
    pub enum PutAway {
        NotNow = "not-now", "Not now";
        NotWanted = "not-wanted", "The person does not want it";
        NotMine = "not-mine", "Not for me";
    }
}

impl Card {
    /// The hooks at which it can be shown, most pressing card first: a card that comes later gives way.
    #[must_use]
    pub const fn hooks(self) -> &'static [Hook] {
        match self {
            Self::Concern | Self::Question | Self::Offer => &[Hook::PatientView, Hook::EncounterStart],
            // Whoever makes an appointment can leave time for it.
            Self::Notice => &[Hook::PatientView, Hook::EncounterStart, Hook::AppointmentBook],
            Self::Asked => &[Hook::OrderSign],
        }
    }

    /// What whoever is told must be allowed to do.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Self::Concern => Action::SeeConcerns,
            Self::Notice => Action::RecordNotice,
            Self::Question => Action::AnswerQuestion,
            Self::Offer | Self::Asked => Action::Refer,
        }
    }

    /// Until when it is the same card: the same text is. One about something due is another the next day, and so comes back when
    /// it was put away; an offer stays the same, and away for [`ASK_AGAIN_DAYS`].
    #[must_use]
    pub fn season(self, today: Date) -> String {
        match self {
            Self::Concern | Self::Notice | Self::Question | Self::Asked => today.to_string(),
            Self::Offer => String::new(),
        }
    }

    /// Whether it is due.
    fn is_due(self, seen: &Seen<'_>) -> bool {
        let record = seen.record;
        match self {
            Self::Concern => seen.concern_open,
            Self::Notice => record.live_referral().is_some_and(|referral| match referral.status {
                Status::AwaitingNotice => true,
                Status::Deferred { until } => until <= seen.today,
                _ => false,
            }),
            Self::Question => record.questions.iter().any(|asked| asked.answered.is_none() && asked.kind.asks() == seen.role),
            Self::Offer => may_be_offered(record, seen.today),
            Self::Asked => seen.orders_support && record.live_referral().is_some(),
        }
    }
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The person's record.
    pub record: &'a Record,
    /// The role of whoever would be told.
    pub role: Role,
    /// Whether a concern about the person waits to be taken on.
    pub concern_open: bool,
    /// Whether the orders that are signed ask for support.
    pub orders_support: bool,
    /// Today.
    pub today: Date,
}

/// The cards that are due at a hook for somebody of this role, most pressing first. Whether this person is theirs is the
/// policy's to say.
pub fn due(hook: Hook, seen: Seen<'_>) -> impl Iterator<Item = Card> {
    let may = move |card: &&Card| !matches!(reach(seen.role, card.action()), Reach::Nobody);
    let is_alive = seen.record.person.died.is_none();
    let cards = Card::ALL.iter().filter(move |_| is_alive).filter(move |card| card.hooks().contains(&hook)).filter(may);
    cards.filter(move |card| card.is_due(&seen)).copied()
}

/// Whether it is a year since support ended, was not wanted or was not offered: then it can be asked for again, by hand.
fn may_be_offered(record: &Record, today: Date) -> bool {
    let is_excluded = |why: Exclusion| matches!(why, Exclusion::ResultWithdrawn | Exclusion::NotToBeOffered | Exclusion::Died);
    let counts = |trigger: &&crate::trigger::Trigger| !matches!(trigger.outcome, Outcome::Excluded(why) if is_excluded(why));
    let last = record.triggers.iter().filter(counts).map(|trigger| trigger.on);
    let ended = record.referrals.iter().filter_map(|referral| referral.ended_on);
    let long_ago = |day: Date| (today - day).get_days() >= ASK_AGAIN_DAYS;
    let no_question = record.questions.iter().all(|asked| asked.answered.is_some());
    let quiet = record.live_referral().is_none() && !record.person.has_opted_out() && no_question;
    quiet && record.triggers.iter().any(|trigger| counts(&trigger)) && last.chain(ended).all(long_ago)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_card_tells_whoever_looks_over_a_shoulder_what_it_is_about() {
        for words in Card::ALL.iter().map(|card| card.words()).chain(PutAway::ALL.iter().map(|why| why.words())) {
            for telling in ["hiv", "peer", "diagnos", "result", "support", "status"] {
                assert!(!words.to_lowercase().contains(telling), "{words}");
            }
            // CDS Hooks 2.0, "Card Attributes".
            assert!(words.chars().count() < 140);
        }
    }

    #[test]
    fn every_hook_has_a_card_and_those_for_whom_none_is_meant_get_none() {
        for hook in Hook::ALL {
            assert!(Card::ALL.iter().any(|card| card.hooks().contains(hook)), "{hook}");
        }
        let record = Record::new(crate::person::Person::new(
            crate::id::PersonId::new(&mut crate::id::CountingIds(0)),
            crate::person::SiteId("north".into()),
            Vec::new(),
        ));
        let seen = |role| Seen { record: &record, role, concern_open: true, orders_support: true, today: jiff::civil::date(2024, 5, 1) };
        assert_eq!(due(Hook::PatientView, seen(Role::Clinician)).collect::<Vec<_>>(), [Card::Concern]);
        assert_eq!(due(Hook::AppointmentBook, seen(Role::Clinician)).count(), 0);
        for role in [Role::Supporter, Role::Manager, Role::IntegrationEngineer] {
            assert_eq!(due(Hook::PatientView, seen(role)).count(), 0, "{role}");
        }
    }
}
