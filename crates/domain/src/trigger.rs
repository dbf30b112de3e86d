//! Triggers: what happened for which the service owes somebody an answer. Every trigger ends accounted for.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::coded;
use crate::id::{MessageId, PersonId, QuestionId, ReferralId, TriggerId};

coded! {
    /// What happened.
    pub enum Kind {
        NewDiagnosis = "new-diagnosis", "newly diagnosed";
        Reengagement = "re-engagement", "coming back into care";
        ClinicRequest = "clinic-request", "asked for by the clinic";
        SelfReferral = "self-referral", "asked for by the person";
        KnownElsewhere = "known-elsewhere", "diagnosed before, new to this clinic";
        Undetermined = "undetermined", "diagnosed; not yet known whether newly";
    }
}

coded! {
    /// Why a trigger leads to no referral.
    pub enum Exclusion {
        Died = "died", "the person has died";
        ResultWithdrawn = "result-withdrawn", "the result was withdrawn";
        KnownNoOffer = "known-no-offer", "known before; the clinic decided against an offer";
        NotToBeOffered = "not-to-be-offered", "the safeguarding lead decided against an offer";
        AttendanceCancelled = "attendance-cancelled", "the attendance was cancelled";
        AttendsAsUsual = "attends-as-usual", "attending as usual";
        OrderCancelled = "order-cancelled", "the clinic withdrew its request";
    }
}

/// Where a trigger stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It raised or joined this referral.
    Referral(ReferralId),
    /// It waits for the answer to this question.
    Question(QuestionId),
    /// The person had opted out of everything before it came.
    OptedOut,
    /// It leads nowhere, for this reason.
    Excluded(Exclusion),
}

coded! {
    /// The rule by which a fact became a trigger: the word that `alongside why` prints.
    pub enum Rule {
        ConfirmedResult = "confirmed-result", "a confirmed laboratory result, and no earlier evidence of HIV care here";
        CodedDiagnosis = "coded-diagnosis", "a diagnosis code on a visit";
        ListedAsNew = "listed-as-new", "a row of the clinic's list of the newly diagnosed";
        AttendedAfterGap = "attended-after-gap", "an HIV-clinic attendance after a long gap";
        Ordered = "ordered", "an order or referral by the clinic";
        Form = "form", "a form filled in at the clinic";
        AskedThemselves = "asked-themselves", "the person asked";
    }
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// Our identifier.
    pub id: TriggerId,
    /// About whom.
    pub person: PersonId,
    /// On whose record it arose, which a merge never changes.
    pub origin: PersonId,
    /// What happened.
    pub kind: Kind,
    /// The day on which it happened: of the diagnosis, the attendance, the order.
    pub on: Date,
    /// When we learned of it.
    pub at: Timestamp,
    /// By which rule.
    pub rule: Rule,
    /// The sender's number of the result, visit or order that shows it, so that its withdrawal is recognised.
    pub evidence: Option<String>,
    /// The message that brought it; `None` when a form or an import did.
    pub message: Option<MessageId>,
    /// Where it stands.
    pub outcome: Outcome,
}
