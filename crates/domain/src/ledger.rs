//! The nobody-missed ledger: every trigger, and how it stands.

use crate::coded;
use crate::question::Question;
use crate::referral::{EndReason, Referral, Status};
use crate::trigger::{Outcome, Trigger};

coded! {
    /// How a trigger stands.
    pub enum Standing {
        Question = "question", "a question is with the clinic";
        AwaitingNotice = "awaiting-notice", "awaiting notice";
        Deferred = "deferred", "deferred to a date";
        OptedOut = "opted-out", "opted out";
        Waiting = "waiting", "released, needs a supporter";
        Contacting = "contacting", "being contacted";
        Engaged = "engaged", "engaged";
        Held = "held", "stopped, waits for a person";
        Moved = "moved", "moved or transferred before contact";
        EndedBefore = "ended-before", "ended before contact, with a reason";
        Excluded = "excluded", "excluded with a reason";
        Unaccounted = "unaccounted", "UNACCOUNTED FOR";
    }
}

/// How a trigger stands, from itself, the referral it led to and the question it waits for.
///
/// Total: whatever does not add up is [`Standing::Unaccounted`], which must never be seen.
#[must_use]
pub fn standing(trigger: &Trigger, referral: Option<&Referral>, question: Option<&Question>) -> Standing {
    match (trigger.outcome, referral, question) {
        (Outcome::OptedOut, _, _) => Standing::OptedOut,
        (Outcome::Excluded(_), _, _) => Standing::Excluded,
        (Outcome::Question(id), _, Some(asked)) if asked.id == id && asked.answered.is_none() => Standing::Question,
        (Outcome::Referral(id), Some(referral), _) if referral.id == id => of_referral(referral),
        (Outcome::Question(_) | Outcome::Referral(_), _, _) => Standing::Unaccounted,
    }
}

fn of_referral(referral: &Referral) -> Standing {
    match &referral.status {
        Status::OptedOut => Standing::OptedOut,
        Status::Held { .. } => Standing::Held,
        Status::Deferred { .. } => Standing::Deferred,
        _ if referral.is_engaged() => Standing::Engaged,
        Status::AwaitingNotice => Standing::AwaitingNotice,
        Status::Open => Standing::Waiting,
        Status::Allocated { .. } | Status::Contacting { .. } => Standing::Contacting,
        Status::Engaged { .. } | Status::Assessed { .. } | Status::Supported { .. } => Standing::Engaged,
        Status::Ended { reason: EndReason::Moved | EndReason::Transferred } => Standing::Moved,
        Status::Ended { .. } => Standing::EndedBefore,
    }
}

/// The count of triggers by kind of standing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// How many triggers there were.
    pub triggers: u64,
    /// How they stand, in the order of [`Standing::ALL`].
    pub standings: Vec<(Standing, u64)>,
    /// Messages set aside that may carry a trigger: they are not lost, and not counted as triggers yet.
    pub set_aside: u64,
}

impl Ledger {
    /// Adds up standings.
    pub fn of(standings: impl IntoIterator<Item = Standing>, set_aside: u64) -> Self {
        let mut counts: Vec<(Standing, u64)> = Standing::ALL.iter().map(|standing| (*standing, 0)).collect();
        for standing in standings {
            for (known, count) in &mut counts {
                *count += u64::from(*known == standing);
            }
        }
        Self { triggers: counts.iter().map(|(_, count)| count).sum(), standings: counts, set_aside }
    }

    /// How many triggers stand like this.
    #[must_use]
    pub fn count(&self, standing: Standing) -> u64 {
        self.standings.iter().find(|(known, _)| *known == standing).map_or(0, |(_, count)| *count)
    }

    /// Whether every trigger is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.count(Standing::Unaccounted) == 0
    }
}
