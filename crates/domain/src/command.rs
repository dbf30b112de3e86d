//! Commands: what somebody asks for, by a form, the command line or an import.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::contact::{AssessmentForm, ContactNote};
use crate::id::{QuestionId, ReferralId};
use crate::notice::Telling;
use crate::person::{ObjectionReason, Scope};
use crate::question::Answer;
use crate::referral::EndReason;
use crate::supporter::Supporter;
use crate::trigger;

/// A command about one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Ask for peer support for this person, by a form: at the clinic, or by the person.
    Refer {
        /// [`trigger::Kind::ClinicRequest`] or [`trigger::Kind::SelfReferral`].
        kind: trigger::Kind,
        /// The day of asking.
        on: Date,
    },
    /// A clinician records that the person knows and has been told.
    RecordNotice {
        /// The referral.
        referral: ReferralId,
        /// What is stated.
        telling: Telling,
    },
    /// The person objects. Works at any time and in every state.
    Object {
        /// How far.
        scope: Scope,
        /// Why, as far as said.
        reason: ObjectionReason,
    },
    /// The person says not now.
    Defer {
        /// The referral.
        referral: ReferralId,
        /// When to ask again.
        until: Date,
    },
    /// The person takes the objection back.
    TakeBackObjection,
    /// The day of a deferral has come.
    AskAgain {
        /// The referral.
        referral: ReferralId,
    },
    /// Give the referral to a supporter, or to another one.
    Allocate {
        /// The referral.
        referral: ReferralId,
        /// To whom.
        supporter: Supporter,
        /// How many people the supporter has now.
        caseload: u32,
    },
    /// A supporter records a contact.
    RecordContact {
        /// The referral.
        referral: ReferralId,
        /// The supporter as configured, for contract and site.
        supporter: Supporter,
        /// What is recorded.
        note: ContactNote,
    },
    /// A supporter records an assessment.
    RecordAssessment {
        /// The referral.
        referral: ReferralId,
        /// What was filled in.
        form: AssessmentForm,
    },
    /// Queue a letter to the person.
    QueueLetter {
        /// The referral.
        referral: ReferralId,
        /// Not before this instant.
        not_before: Timestamp,
    },
    /// End the referral.
    End {
        /// The referral.
        referral: ReferralId,
        /// Why.
        reason: EndReason,
        /// The day.
        on: Date,
    },
    /// Answer a question.
    Answer {
        /// The question.
        question: QuestionId,
        /// The answer.
        answer: Answer,
    },
}
