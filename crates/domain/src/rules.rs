//! The rules of the service: what follows from facts and from commands.
//!
//! | module | answers |
//! | --- | --- |
//! | [`facts`] | what a message means for a record |
//! | [`placing`] | where a trigger leads: a referral, a question, or nowhere with a reason |
//! | [`commands`] | whether something that somebody asks for may be done |
//! | [`answers`] | what follows from the answer to a question |
//! | [`merging`] | two records that are one person, and back |

pub mod answers;
pub mod commands;
pub mod facts;
pub mod merging;
pub mod placing;

use crate::decision::{Context, Decision, Effect, What};
use crate::id::ReferralId;
use crate::question;
use crate::referral::{EndReason, HoldReason, Move, Referral, Status, next};
use crate::trigger::Outcome;

/// Sets the status of a referral that is known to be in the record, with the dates that go with it, and notes it.
fn set_status(decision: &mut Decision, ctx: &mut Context<'_>, id: ReferralId, status: Status, what: What, detail: Option<&str>) {
    let today = ctx.today;
    let due = crate::calendar::add_working_days(today, ctx.policy.promise_working_days);
    let Some(referral) = decision.record.referral_mut(id) else { return };
    let was = std::mem::replace(&mut referral.status, status);
    let stage = referral.status.stage();
    match &referral.status {
        // The first release counts for somebody who has engaged; a stop in between does not release anew.
        Status::Open if referral.released_on.is_none() || !(matches!(was, Status::Held { .. }) || referral.is_engaged()) => {
            referral.released_on = Some(today);
            referral.due_on = Some(due);
        }
        Status::Deferred { .. } if !referral.is_engaged() => {
            referral.released_on = None;
            referral.due_on = None;
        }
        Status::Ended { .. } => referral.ended_on = Some(today),
        Status::Open
        | Status::Deferred { .. }
        | Status::AwaitingNotice
        | Status::OptedOut
        | Status::Allocated { .. }
        | Status::Contacting { .. }
        | Status::Engaged { .. }
        | Status::Assessed { .. }
        | Status::Supported { .. }
        | Status::Held { .. } => {}
    }
    decision.note(ctx, what, Some((id, Some(stage))), detail);
}

/// Cancels whatever is queued for the person.
fn cancel_letters(decision: &mut Decision, ctx: &mut Context<'_>) {
    let person = decision.record.person.id;
    if !decision.effects.contains(&Effect::CancelQueued(person)) {
        decision.effects.retain(|effect| !matches!(effect, Effect::Queue(out) if out.person == person));
        decision.effects.push(Effect::CancelQueued(person));
        decision.note(ctx, What::LettersCancelled, None, None);
    }
}

/// Ends every referral that is still live.
fn end_live(decision: &mut Decision, ctx: &mut Context<'_>, reason: EndReason) {
    for id in live_ids(decision) {
        set_status(decision, ctx, id, Status::Ended { reason }, What::Ended, Some(reason.code()));
    }
}

/// Moves every live referral to "opted out".
fn opt_out_live(decision: &mut Decision, ctx: &mut Context<'_>, detail: &str) {
    for id in live_ids(decision) {
        let Some(referral) = decision.record.referral(id) else { continue };
        if let Ok(status) = next(&referral.status, &Move::Object, referral.notice.is_some())
            && status != referral.status
        {
            set_status(decision, ctx, id, status, What::OptedOut, Some(detail));
        }
    }
}

/// Nothing objects (any more): referrals come back, and triggers that the objection had silenced get theirs.
fn reopen(decision: &mut Decision, ctx: &mut Context<'_>) {
    for id in live_ids(decision) {
        let Some(referral) = decision.record.referral(id) else { continue };
        let Ok(status) = next(&referral.status, &Move::TakeBack, referral.notice.is_some()) else { continue };
        if status == referral.status {
            continue;
        }
        let withdrawn = placing::open_question(decision, question::Kind::ResultWithdrawn, Some(id)).is_some();
        if withdrawn {
            // The objection outweighed a stop, it did not lift it.
            let why = HoldReason::ResultWithdrawn;
            set_status(decision, ctx, id, Status::Held { why, resume: Box::new(status) }, What::Held, Some(why.code()));
        } else {
            let what = if status == Status::Open { What::Released } else { What::AskedAgain };
            set_status(decision, ctx, id, status, what, None);
        }
    }
    let silenced: Vec<_> = decision.record.triggers.iter().filter(|t| t.outcome == Outcome::OptedOut).map(|t| t.id).collect();
    for id in silenced {
        placing::place_again(decision, ctx, id);
    }
}

fn live_ids(decision: &Decision) -> Vec<ReferralId> {
    decision.record.referrals.iter().filter(|referral: &&Referral| referral.status.is_live()).map(|referral| referral.id).collect()
}

#[cfg(test)]
mod tests;
