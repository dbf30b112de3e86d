//! Sending back to a hospital's record: whether it is still the same person, and what follows from an answer. Nothing here
//! decides what is said; that is [`crate::progress`].

use jiff::SignedDuration;
use jiff::civil::Date;

use crate::coded;
use crate::nhs_number::NhsNumber;
use crate::person::{Identifier, Person};

/// How often something that was not taken for the moment (AR, CR) is sent before a person must look.
pub const TRIES_MAX: u32 = 8;
/// The longest pause between two tries, in minutes.
const PAUSE_MINUTES_MAX: i64 = 30;

coded! {
    /// Where a message to a record stands.
    pub enum State {
        Waiting = "waiting", "waiting to be sent";
        Sent = "sent", "accepted";
        Parked = "parked", "stopped, waits for a person";
        LeftOut = "left-out", "left out by a person";
    }
}

coded! {
    /// Why a message to a record waits for a person.
    pub enum Parked {
        Refused = "refused", "the record refused it";
        NotTaken = "not-taken", "the record did not take it, however often it was sent";
        OtherPerson = "other-person", "number, date of birth or NHS number are not those of the order any more";
    }
}

/// Who an order was about, as the record said then: what is compared before anything is written back to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// The record's own number.
    pub identifier: Identifier,
    /// The date of birth, where it was said.
    pub birth_date: Option<Date>,
    /// The NHS number, where it was said.
    pub nhs_number: Option<NhsNumber>,
}

impl Ordered {
    /// Whether what is known of a person now speaks for their being whom the order was about. What either side does not know
    /// speaks for nothing; the record's own number must be theirs.
    #[must_use]
    pub fn is(&self, person: &Person) -> bool {
        self.has_number_of(person) && self.agrees_with(person)
    }

    /// Whether date of birth and NHS number do not contradict what is known of a person: all that is asked of whoever was found
    /// by the number, which a merge may have left on a record that was joined to theirs.
    #[must_use]
    pub fn agrees_with(&self, person: &Person) -> bool {
        let born = self.birth_date.zip(person.birth_date).is_none_or(|(then, now)| then == now);
        let numbered = self.nhs_number.zip(person.nhs_number).is_none_or(|(then, now)| then == now.number);
        born && numbered
    }

    /// Whether the record's own number is this person's: all that is asked once somebody has looked at the rest.
    #[must_use]
    pub fn has_number_of(&self, person: &Person) -> bool {
        person.identifiers.contains(&self.identifier)
    }
}

coded! {
    /// What came of sending a message.
    pub enum Answer {
        Accepted = "accepted", "accepted";
        Refused = "refused", "refused";
        NotNow = "not-now", "not taken for the moment";
        None = "none", "not answered";
    }
}

/// What follows from an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is there.
    Done,
    /// The same message again, after this.
    Again(SignedDuration),
    /// A person must look.
    Park(Parked),
}

/// What follows from an answer to a message that has been sent so often, this time included. A record that does not answer is
/// away: it is waited for, however long that lasts.
#[must_use]
pub fn after(answer: Answer, tries: u32) -> Next {
    match answer {
        Answer::Accepted => Next::Done,
        Answer::Refused => Next::Park(Parked::Refused),
        Answer::NotNow if tries >= TRIES_MAX => Next::Park(Parked::NotTaken),
        Answer::NotNow | Answer::None => Next::Again(pause(tries)),
    }
}

/// Seconds at first, doubled each time, at most half an hour.
fn pause(tries: u32) -> SignedDuration {
    let seconds = 2_i64.saturating_pow(tries.min(20)).min(PAUSE_MINUTES_MAX * 60);
    SignedDuration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PersonId;
    use crate::person::{NhsNumberHeld, SiteId};
    use jiff::civil::date;

    #[test]
    fn nothing_is_written_to_somebody_elses_record() {
        let identifier = Identifier { system: "here:MRN".into(), value: "1".into() };
        let number: NhsNumber = "9990000018".parse().unwrap();
        let ordered = Ordered { identifier: identifier.clone(), birth_date: Some(date(1980, 5, 2)), nhs_number: Some(number) };
        let mut person = Person::new(PersonId(1), SiteId("here".into()), vec![identifier]);
        assert!(ordered.is(&person), "what is not known speaks for nothing");
        person.birth_date = Some(date(1980, 5, 2));
        person.nhs_number = Some(NhsNumberHeld { number, verified: false });
        assert!(ordered.is(&person));
        let other = Person { birth_date: Some(date(1980, 5, 3)), ..person.clone() };
        assert!(!ordered.is(&other));
        let other = Person { nhs_number: Some(NhsNumberHeld { number: "9990000026".parse().unwrap(), verified: false }), ..person.clone() };
        assert!(!ordered.is(&other));
        let other = Person { identifiers: vec![Identifier { system: "here:MRN".into(), value: "2".into() }], ..person };
        assert!(!ordered.is(&other));
    }

    #[test]
    fn whoever_is_away_is_waited_for_and_whoever_refuses_is_put_before_a_person() {
        assert_eq!(after(Answer::Accepted, 1), Next::Done);
        assert_eq!(after(Answer::Refused, 1), Next::Park(Parked::Refused));
        assert_eq!(after(Answer::NotNow, TRIES_MAX), Next::Park(Parked::NotTaken));
        assert_eq!(after(Answer::None, 1), Next::Again(SignedDuration::from_secs(2)));
        for tries in 1..10_000 {
            let Next::Again(pause) = after(Answer::None, tries) else { panic!("it is waited for") };
            assert!(pause <= SignedDuration::from_mins(PAUSE_MINUTES_MAX));
        }
    }
}
