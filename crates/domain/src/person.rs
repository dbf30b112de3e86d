//! The person supported, as far as the service needs to know them: enough to find and to reach them, no more.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::coded;
use crate::id::PersonId;
use crate::nhs_number::NhsNumber;

/// A service location with its own clinic and feeds, for instance `chelwest`. A key of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId(pub String);

impl std::fmt::Display for SiteId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// An identifier that somebody else gave. Two are the same when system and value are the same, never by value alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier {
    /// Whose numbering it is, for instance `RQM:MRN`: a key of the feed's profile.
    pub system: String,
    /// The number as the sender writes it, trimmed.
    pub value: String,
}

/// An NHS number and how far it is to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NhsNumberHeld {
    /// The number.
    pub number: NhsNumber,
    /// Whether the sender says that it is present and verified (status 01): only such a number proves identity.
    pub verified: bool,
}

/// What a sender says about a person. An absent field says nothing; [`Said::Deleted`] removes what was known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demographics {
    /// Given name.
    pub given: Said<String>,
    /// Family name.
    pub family: Said<String>,
    /// Date of birth.
    pub birth_date: Said<Date>,
    /// Telephone number as the sender writes it.
    pub telephone: Said<String>,
}

/// One field of an update (HL7 v2: empty, the explicit null `""`, or a value).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Said<T> {
    /// No information: what is known stays.
    #[default]
    Nothing,
    /// Explicit null: what is known is removed.
    Deleted,
    /// A value.
    Value(T),
}

impl<T> Said<T> {
    /// Applies the update to what is known; tells whether anything changed.
    pub fn apply(&self, known: &mut Option<T>) -> bool
    where
        T: Clone + PartialEq,
    {
        let new = match self {
            Self::Nothing => return false,
            Self::Deleted => None,
            Self::Value(value) => Some(value.clone()),
        };
        let changed = *known != new;
        *known = new;
        changed
    }

    /// A value, or nothing said.
    pub fn from_option(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Self::Value)
    }
}

/// What is known of the person's diagnosis at this site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diagnosis {
    /// No evidence of HIV has been shown to us.
    Unproven,
    /// Newly diagnosed here, on this day.
    New {
        /// The day of the diagnosis.
        on: Date,
    },
    /// Diagnosed before, elsewhere or here: in care, not newly diagnosed.
    Known,
    /// Confirmed, but the messages cannot tell whether it is new: a question is with the clinic.
    Asked,
}

coded! {
    /// How far an objection reaches.
    pub enum Scope {
        /// Only leaving the clinic's own team is objected to; support from inside it is not.
        OutsideOnly = "outside", "support from outside the clinic's team";
        All = "all", "all peer support";
    }
}

coded! {
    /// Why somebody does not want peer support, as far as they wish to say.
    pub enum ObjectionReason {
        NotStated = "not-stated", "no reason given";
        NotInterested = "not-interested", "does not want it";
        HasSupport = "has-support", "has support already";
        Privacy = "privacy", "worried about privacy";
        Other = "other", "another reason";
    }
}

/// A standing objection. It outlives referrals: later triggers, re-imports and merges honour it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objection {
    /// How far it reaches.
    pub scope: Scope,
    /// Why, as far as said.
    pub reason: ObjectionReason,
    /// Since when.
    pub at: Timestamp,
}

/// A person at one site. Two sites' records of one human being are two persons: joining them would tell each trust
/// about the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Our identifier.
    pub id: PersonId,
    /// The site whose clinic the person attends.
    pub site: SiteId,
    /// Local identifiers, sorted and unique.
    pub identifiers: Vec<Identifier>,
    /// The NHS number, where there is one. Optional everywhere: sexual-health services need none.
    pub nhs_number: Option<NhsNumberHeld>,
    /// Given name.
    pub given: Option<String>,
    /// Family name.
    pub family: Option<String>,
    /// Date of birth.
    pub birth_date: Option<Date>,
    /// Telephone number.
    pub telephone: Option<String>,
    /// Set when the person has died; the date may be unknown.
    pub died: Option<Death>,
    /// What is known of the diagnosis.
    pub diagnosis: Diagnosis,
    /// The last attendance at the HIV clinic that we know of.
    pub last_attended: Option<Date>,
    /// The visit number of that attendance, so that its cancellation can be recognised.
    pub last_visit: Option<String>,
    /// The attendance before it, to fall back on when the last one is cancelled.
    pub previous_attended: Option<Date>,
    /// A visit that was cancelled before it was announced (messages overtake one another).
    pub cancelled_visit: Option<String>,
    /// A result that was withdrawn before, or after, it was reported: it triggers nothing when it comes (again).
    pub withdrawn_result: Option<String>,
    /// A standing objection.
    pub objection: Option<Objection>,
    /// Set when this record was merged into another: it answers for nothing any more.
    pub merged_into: Option<PersonId>,
}

/// That somebody has died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// The day, where the sender gives one.
    pub on: Option<Date>,
}

impl Person {
    /// A person of whom only identifiers are known.
    #[must_use]
    pub fn new(id: PersonId, site: SiteId, mut identifiers: Vec<Identifier>) -> Self {
        identifiers.sort();
        identifiers.dedup();
        Self {
            id,
            site,
            identifiers,
            nhs_number: None,
            given: None,
            family: None,
            birth_date: None,
            telephone: None,
            died: None,
            diagnosis: Diagnosis::Unproven,
            last_attended: None,
            last_visit: None,
            previous_attended: None,
            cancelled_visit: None,
            withdrawn_result: None,
            objection: None,
            merged_into: None,
        }
    }

    /// Age in completed years on a day; `None` when the date of birth is unknown or later than the day.
    #[must_use]
    pub fn age_on(&self, day: Date) -> Option<i16> {
        let born = self.birth_date.filter(|born| *born <= day)?;
        let had_birthday = (day.month(), day.day()) >= (born.month(), born.day());
        Some(day.year() - born.year() - i16::from(!had_birthday))
    }

    /// Takes over what a sender says; tells whether anything changed.
    pub fn update(&mut self, said: &Demographics) -> bool {
        let given = said.given.apply(&mut self.given);
        let family = said.family.apply(&mut self.family);
        let birth = said.birth_date.apply(&mut self.birth_date);
        let telephone = said.telephone.apply(&mut self.telephone);
        given || family || birth || telephone
    }

    /// Adds identifiers that were not known; tells whether any was new.
    pub fn add_identifiers(&mut self, new: &[Identifier]) -> bool {
        let before = self.identifiers.len();
        self.identifiers.extend_from_slice(new);
        self.identifiers.sort();
        self.identifiers.dedup();
        self.identifiers.len() != before
    }

    /// Whether an objection forbids everything.
    #[must_use]
    pub fn has_opted_out(&self) -> bool {
        self.objection.is_some_and(|objection| objection.scope == Scope::All)
    }
}

/// The stricter of two objections: the wider scope, and of equal ones the older.
#[must_use]
pub fn stricter(one: Option<Objection>, other: Option<Objection>) -> Option<Objection> {
    match (one, other) {
        (Some(a), Some(b)) if a.scope == b.scope => Some(if a.at <= b.at { a } else { b }),
        (Some(a), Some(b)) => Some(if a.scope > b.scope { a } else { b }),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn age_counts_completed_years() {
        let mut person = Person::new(PersonId(1), SiteId("s".into()), vec![]);
        assert_eq!(person.age_on(date(2024, 5, 1)), None);
        person.birth_date = Some(date(2006, 5, 2));
        assert_eq!(person.age_on(date(2024, 5, 1)), Some(17));
        assert_eq!(person.age_on(date(2024, 5, 2)), Some(18));
        person.birth_date = Some(date(2030, 1, 1));
        assert_eq!(person.age_on(date(2024, 5, 2)), None);
    }

    #[test]
    fn an_explicit_null_removes_and_silence_keeps() {
        let mut known = Some(1);
        assert!(!Said::Nothing.apply(&mut known));
        assert_eq!(known, Some(1));
        assert!(Said::Deleted.apply(&mut known));
        assert_eq!(known, None);
    }

    #[test]
    fn the_wider_objection_is_the_stricter() {
        let at = Timestamp::UNIX_EPOCH;
        let all = Objection { scope: Scope::All, reason: ObjectionReason::NotStated, at };
        let outside = Objection { scope: Scope::OutsideOnly, ..all };
        assert_eq!(stricter(Some(outside), Some(all)), Some(all));
        assert_eq!(stricter(Some(all), Some(outside)), Some(all));
        assert_eq!(stricter(None, Some(outside)), Some(outside));
        assert_eq!(stricter(None, None), None);
    }
}
