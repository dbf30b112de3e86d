//! Contacts between a supporter and a person, and completed assessments.

use jiff::civil::Date;

use crate::coded;
use crate::id::{AssessmentId, ContactId, PersonId, ReferralId};
use crate::instrument::Score;
use crate::supporter::StaffId;

coded! {
    /// The way of a contact (NHS Data Dictionary, CONSULTATION MECHANISM, in our words).
    pub enum Way {
        FaceToFace = "face-to-face", "face to face";
        Telephone = "telephone", "telephone";
        Video = "video", "video";
        Message = "message", "message";
        Letter = "letter", "letter";
    }
}

coded! {
    /// What came of a contact.
    pub enum Outcome {
        /// A real conversation: the only outcome that engages and that counts as support.
        Conversation = "conversation", "had a conversation";
        NoAnswer = "no-answer", "no answer";
        LeftMessage = "left-message", "left a message";
        DidNotAttend = "did-not-attend", "did not attend";
        Cancelled = "cancelled", "cancelled";
    }
}

/// The longest contact that is believed, in minutes: a day's work.
pub const MINUTES_MAX: u16 = 600;
/// The longest note, in characters: notes are short.
pub const NOTE_CHARACTERS_MAX: usize = 2_000;

/// What a supporter records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactNote {
    /// The supporter who made it; must be the person's own unless they stand in.
    pub supporter: StaffId,
    /// The day.
    pub on: Date,
    /// The way.
    pub way: Way,
    /// What came of it.
    pub outcome: Outcome,
    /// Length in minutes, 0 to [`MINUTES_MAX`].
    pub minutes: u16,
    /// A few words; may be empty.
    pub note: String,
}

/// A contact that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Our identifier.
    pub id: ContactId,
    /// With whom.
    pub person: PersonId,
    /// In which referral.
    pub referral: ReferralId,
    /// What was recorded.
    pub note: ContactNote,
}

/// An assessment as filled in; the scores are computed, never taken from the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessmentForm {
    /// The supporter who asked, or who handed over the form.
    pub supporter: StaffId,
    /// The day.
    pub on: Date,
    /// Instrument id.
    pub instrument: String,
    /// Instrument version.
    pub version: String,
    /// Link id and answer, in the instrument's order.
    pub answers: Vec<(String, i64)>,
    /// The instrument's scores for these answers.
    pub scores: Vec<Score>,
    /// Days after which the instrument wants to be repeated.
    pub repeat_after_days: Option<u16>,
}

/// An assessment that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// Our identifier.
    pub id: AssessmentId,
    /// Of whom.
    pub person: PersonId,
    /// In which referral.
    pub referral: ReferralId,
    /// What was filled in.
    pub form: AssessmentForm,
}
