//! Concerns: something about a person that a clinician must know, raised at any time, and acknowledged by name.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::calendar::add_working_days;
use crate::coded;
use crate::decision::Refusal;
use crate::field::{Problem, needed, words};
use crate::id::{ConcernId, Ids, PersonId};
use crate::supporter::StaffId;

coded! {
    /// By when somebody must have read it.
    pub enum Urgency {
        Today = "today", "today";
        Soon = "soon", "by the end of the next working day";
    }
}

/// The most characters of a concern, and of what is said when it is acknowledged.
pub const CHARACTERS_MAX: usize = 2_000;
/// Minutes within which one that is for today is acknowledged.
pub const TODAY_MINUTES: i64 = 60;

/// What is given to raise a concern, not yet checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConcernForm {
    /// What is the matter.
    pub words: String,
    /// By when somebody must have read it; must be chosen.
    pub urgency: Option<Urgency>,
    /// The clinician who is to read it; must be chosen.
    pub to: Option<StaffId>,
}

/// That a clinician has read a concern and taken it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// Who.
    pub by: StaffId,
    /// When.
    pub at: Timestamp,
    /// What they do about it; may be empty.
    pub words: String,
}

/// Where a concern stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nobody has taken it on.
    Open,
    /// Somebody has.
    Acknowledged(Acknowledged),
}

/// By when a concern must be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// At an instant.
    At(Timestamp),
    /// By the end of a day.
    EndOf(Date),
}

/// A concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// Our identifier.
    pub id: ConcernId,
    /// About whom.
    pub person: PersonId,
    /// Who raised it.
    pub raised_by: StaffId,
    /// When.
    pub raised_at: Timestamp,
    /// What is the matter.
    pub words: String,
    /// By when somebody must have read it.
    pub urgency: Urgency,
    /// The clinician who is to read it.
    pub to: StaffId,
    /// Where it stands.
    pub state: State,
}

impl Concern {
    /// Raises a concern with one of the clinicians who may know of the person.
    ///
    /// # Errors
    /// Every field with what is wrong.
    pub fn raise(
        form: &ConcernForm,
        person: PersonId,
        by: &StaffId,
        at: Timestamp,
        clinicians: &[StaffId],
        ids: &mut dyn Ids,
    ) -> Result<Self, Vec<Problem>> {
        let words = needed("words", &form.words, CHARACTERS_MAX, "Enter what you are concerned about");
        let urgency = form.urgency.ok_or_else(|| Problem::new("urgency", "Choose how soon it must be read"));
        let chosen = form.to.as_ref().filter(|to| clinicians.contains(to)).cloned();
        let to = chosen.ok_or_else(|| Problem::new("to", "Choose a clinician of this clinic"));
        match (words, urgency, to) {
            (Ok(words), Ok(urgency), Ok(to)) => {
                let id = ConcernId::new(ids);
                Ok(Self { id, person, raised_by: by.clone(), raised_at: at, words, urgency, to, state: State::Open })
            }
            (words, urgency, to) => Err([words.err(), urgency.err(), to.err()].into_iter().flatten().collect()),
        }
    }

    /// Takes it on: the clinician to whom it was raised, or another who may know of the person.
    ///
    /// # Errors
    /// [`Cannot::Refused`]: not a clinician of the clinic, or taken on before. [`Cannot::Invalid`]: the words are too long.
    pub fn acknowledge(&mut self, by: &StaffId, at: Timestamp, said: &str, clinicians: &[StaffId]) -> Result<(), Cannot> {
        if by != &self.to && !clinicians.contains(by) {
            return Err(Cannot::Refused(Refusal::NotAClinician));
        }
        if self.state != State::Open {
            return Err(Cannot::Refused(Refusal::AlreadyAcknowledged));
        }
        let words = words("words", said, CHARACTERS_MAX).map_err(Cannot::Invalid)?;
        self.state = State::Acknowledged(Acknowledged { by: by.clone(), at, words });
        Ok(())
    }

    /// By when it must be acknowledged. `raised_on` is the day in London on which it was raised.
    #[must_use]
    pub fn due(&self, raised_on: Date) -> Due {
        match self.urgency {
            Urgency::Today => Due::At(self.raised_at.saturating_add(SignedDuration::from_mins(TODAY_MINUTES)).unwrap_or(Timestamp::MAX)),
            Urgency::Soon => Due::EndOf(add_working_days(raised_on, 1)),
        }
    }

    /// Whether it is open and should no longer be. `today` is the day of `now` in London.
    #[must_use]
    pub fn is_overdue(&self, raised_on: Date, now: Timestamp, today: Date) -> bool {
        self.state == State::Open
            && match self.due(raised_on) {
                Due::At(at) => at < now,
                Due::EndOf(day) => day < today,
            }
    }
}

/// Why a concern was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cannot {
    /// A rule forbids it.
    Refused(Refusal),
    /// What was said cannot be kept.
    Invalid(Problem),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CountingIds;
    use jiff::civil::date;

    const RAISED: &str = "2025-01-03T16:30:00Z";

    fn staff(key: &str) -> StaffId {
        StaffId(key.into())
    }

    fn raise(words: &str, urgency: Option<Urgency>, to: &str) -> Result<Concern, Vec<Problem>> {
        let form = ConcernForm { words: words.into(), urgency, to: Some(staff(to)) };
        let clinicians = [staff("nurse"), staff("doctor")];
        Concern::raise(&form, PersonId(1), &staff("ines"), RAISED.parse().unwrap(), &clinicians, &mut CountingIds(0))
    }

    #[test]
    fn a_concern_has_words_an_urgency_and_a_clinician_of_the_clinic() {
        let raised = raise(" words ", Some(Urgency::Today), "nurse").unwrap();
        assert_eq!((raised.words.as_str(), &raised.state), ("words", &State::Open));
        let fields = |outcome: Result<Concern, Vec<Problem>>| -> Vec<&str> {
            outcome.unwrap_err().into_iter().map(|problem| problem.field).collect()
        };
        assert_eq!(fields(raise("", None, "coordinator")), ["words", "urgency", "to"]);
        assert_eq!(fields(raise(&"a".repeat(2001), Some(Urgency::Soon), "nurse")), ["words"]);
    }

    #[test]
    fn a_clinician_takes_it_on_once() {
        let mut concern = raise("words", Some(Urgency::Today), "nurse").unwrap();
        let (at, clinicians) = (RAISED.parse().unwrap(), [staff("doctor")]);
        let refused = |concern: &mut Concern, who: &str| concern.acknowledge(&staff(who), at, "", &clinicians);
        assert_eq!(refused(&mut concern, "ines"), Err(Cannot::Refused(Refusal::NotAClinician)));
        assert!(matches!(concern.acknowledge(&staff("nurse"), at, &"a".repeat(2001), &clinicians), Err(Cannot::Invalid(_))));
        assert_eq!(concern.acknowledge(&staff("doctor"), at, " called ", &clinicians), Ok(()));
        assert!(matches!(&concern.state, State::Acknowledged(by) if by.words == "called" && by.by == staff("doctor")));
        assert_eq!(refused(&mut concern, "nurse"), Err(Cannot::Refused(Refusal::AlreadyAcknowledged)));
    }

    #[test]
    fn today_is_an_hour_and_soon_the_end_of_the_next_working_day() {
        let friday = date(2025, 1, 3);
        let overdue = |urgency, now: &str| {
            let now: Timestamp = now.parse().unwrap();
            let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
            raise("words", Some(urgency), "nurse").unwrap().is_overdue(friday, now, today)
        };
        assert!(!overdue(Urgency::Today, "2025-01-03T17:30:00Z"));
        assert!(overdue(Urgency::Today, "2025-01-03T17:30:01Z"));
        assert!(!overdue(Urgency::Soon, "2025-01-06T23:59:00Z"), "Monday");
        assert!(overdue(Urgency::Soon, "2025-01-07T00:00:00Z"));
        let mut known = raise("words", Some(Urgency::Today), "nurse").unwrap();
        known.acknowledge(&staff("nurse"), RAISED.parse().unwrap(), "", &[]).unwrap();
        assert!(!known.is_overdue(friday, "2025-02-01T00:00:00Z".parse().unwrap(), date(2025, 2, 1)));
    }
}
