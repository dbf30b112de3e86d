//! Notice: that a person knows their diagnosis and has been told about peer support. The gate of the whole service.

use jiff::civil::Date;

use crate::coded;
use crate::person::{ObjectionReason, Scope};
use crate::supporter::StaffId;

coded! {
    /// How somebody was told.
    pub enum How {
        InPerson = "in-person", "in person";
        Telephone = "telephone", "by telephone";
        Video = "video", "by video";
    }
}

/// What the person answered when told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// No objection: the offer stands.
    NoObjection,
    /// Not now; to be asked again on a day.
    NotNow {
        /// When to ask again.
        until: Date,
    },
    /// An objection.
    Objects {
        /// How far it reaches.
        scope: Scope,
        /// Why, as far as said.
        reason: ObjectionReason,
    },
}

/// What a clinician states when recording notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// The day on which the person was told.
    pub on: Date,
    /// How.
    pub how: How,
    /// That the person knows the diagnosis. Without it nothing may be released.
    pub knows_diagnosis: bool,
    /// That the person has been told about peer support.
    pub told_of_support: bool,
    /// Explicit consent that information goes to a partner outside the clinic's team.
    pub consents_to_outside: bool,
    /// The answer at that moment.
    pub answer: Answer,
}

/// A notice that was accepted. It has no public constructor fields that could be false: both statements were made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The clinician who recorded it.
    pub by: StaffId,
    /// The day of telling.
    pub on: Date,
    /// How.
    pub how: How,
}
