//! Questions that messages cannot answer. They go to a person at the clinic and are never answered by a guess.

use jiff::Timestamp;

use crate::coded;
use crate::id::{PersonId, QuestionId, ReferralId};
use crate::supporter::{Role, StaffId};

coded! {
    /// The kind of a question.
    pub enum Kind {
        NewOrKnown = "new-or-known", "Newly diagnosed, or known before?";
        Safeguarding = "safeguarding", "Under 18, or age unknown: may peer support be offered?";
        SamePerson = "same-person", "Are these two records the same person?";
        ResultWithdrawn = "result-withdrawn", "A result was corrected or withdrawn: is the diagnosis still confirmed?";
        GapUnknown = "gap-unknown", "Coming back into care, or attending as usual?";
    }
}

impl Kind {
    /// Who may answer.
    #[must_use]
    pub const fn asks(self) -> Role {
        match self {
            Self::Safeguarding => Role::SafeguardingLead,
            Self::NewOrKnown | Self::SamePerson | Self::ResultWithdrawn | Self::GapUnknown => Role::Clinician,
        }
    }

    /// The answers that can be given, in the order in which a page offers them.
    #[must_use]
    pub const fn answers(self) -> &'static [Answer] {
        match self {
            Self::NewOrKnown => &[Answer::New, Answer::KnownOffer, Answer::KnownNoOffer],
            Self::Safeguarding => &[Answer::Offer, Answer::DoNotOffer],
            Self::SamePerson => &[Answer::Same, Answer::Different],
            Self::ResultWithdrawn => &[Answer::StillConfirmed, Answer::NotConfirmed],
            Self::GapUnknown => &[Answer::ComingBack, Answer::AsUsual],
        }
    }
}

coded! {
    /// An answer.
    pub enum Answer {
        New = "new", "newly diagnosed";
        KnownOffer = "known-offer", "known before; offer peer support all the same";
        KnownNoOffer = "known-no-offer", "known before; no offer now";
        Offer = "offer", "may be offered";
        DoNotOffer = "do-not-offer", "not to be offered";
        Same = "same", "the same person";
        Different = "different", "two different people";
        StillConfirmed = "still-confirmed", "the diagnosis stands";
        NotConfirmed = "not-confirmed", "the diagnosis does not stand";
        ComingBack = "coming-back", "coming back into care";
        AsUsual = "as-usual", "attending as usual";
    }
}

/// A question, open or answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Our identifier.
    pub id: QuestionId,
    /// About whom.
    pub person: PersonId,
    /// Where it arose, which a merge never changes.
    pub origin: PersonId,
    /// Its kind.
    pub kind: Kind,
    /// Since when it waits.
    pub raised_at: Timestamp,
    /// The other record, for [`Kind::SamePerson`].
    pub other: Option<PersonId>,
    /// The referral that is held, for [`Kind::ResultWithdrawn`].
    pub referral: Option<ReferralId>,
    /// The answer, once given.
    pub answered: Option<Answered>,
}

/// Who answered what, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The answer; `None` when events made the question moot.
    pub answer: Option<Answer>,
    /// By whom; `None` when nobody answered it.
    pub by: Option<StaffId>,
    /// When.
    pub at: Timestamp,
}
