//! The nobody-missed ledger: every trigger, and how it stands.

use crate::coded;
use crate::question::Question;
use crate::referral::{EndReason, Referral, Stage, Status};
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

/// All that the standing of a trigger asks of the referral that it led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Led {
    /// Where the referral stands.
    pub stage: Stage,
    /// Why it ended, where it did.
    pub ended: Option<EndReason>,
    /// Whether a first conversation was had.
    pub engaged: bool,
}

impl From<&Referral> for Led {
    fn from(referral: &Referral) -> Self {
        let ended = if let Status::Ended { reason } = referral.status { Some(reason) } else { None };
        Self { stage: referral.status.stage(), ended, engaged: referral.is_engaged() }
    }
}

/// How a trigger stands, from itself, the referral it led to and the question it waits for.
///
/// Total: whatever does not add up is [`Standing::Unaccounted`], which must never be seen.
#[must_use]
pub fn standing(trigger: &Trigger, referral: Option<&Referral>, question: Option<&Question>) -> Standing {
    let (outcome, led) = (trigger.outcome, referral.filter(|referral| trigger.outcome == Outcome::Referral(referral.id)));
    let asked = question.is_some_and(|asked| outcome == Outcome::Question(asked.id) && asked.answered.is_none());
    standing_of(outcome, led.map(Led::from), asked)
}

/// As [`standing`], from what is asked of that referral, and whether that question is open.
#[must_use]
pub fn standing_of(outcome: Outcome, led: Option<Led>, question_is_open: bool) -> Standing {
    match (outcome, led) {
        (Outcome::OptedOut, _) => Standing::OptedOut,
        (Outcome::Excluded(_), _) => Standing::Excluded,
        (Outcome::Question(_), _) if question_is_open => Standing::Question,
        (Outcome::Referral(_), Some(led)) => of_referral(led),
        (Outcome::Question(_) | Outcome::Referral(_), _) => Standing::Unaccounted,
    }
}

fn of_referral(led: Led) -> Standing {
    match led.stage {
        Stage::OptedOut => Standing::OptedOut,
        Stage::Held => Standing::Held,
        Stage::Deferred => Standing::Deferred,
        _ if led.engaged => Standing::Engaged,
        Stage::AwaitingNotice => Standing::AwaitingNotice,
        Stage::Open => Standing::Waiting,
        Stage::Allocated | Stage::Contacting => Standing::Contacting,
        Stage::Engaged | Stage::Assessed | Stage::Supported => Standing::Engaged,
        Stage::Ended if matches!(led.ended, Some(EndReason::Moved | EndReason::Transferred)) => Standing::Moved,
        Stage::Ended => Standing::EndedBefore,
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
