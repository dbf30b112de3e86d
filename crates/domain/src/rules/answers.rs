//! What follows from the answer to a question.

use super::merging::one_new_diagnosis;
use super::placing::{Age, close_questions, exclude, place, rests_on_a_diagnosis, shows_a_diagnosis, waiting_for};
use super::{cancel_letters, set_status};
use crate::decision::{Actor, Context, Decision, Refusal, What};
use crate::id::QuestionId;
use crate::person::Diagnosis;
use crate::question::{Answer, Answered, Question};
use crate::record::Record;
use crate::referral::{EndReason, Move, Status, next};
use crate::supporter::Role;
use crate::trigger::{Exclusion, Kind, Outcome};

/// Answers a question. For [`crate::question::Kind::SamePerson`] the merge itself is asked of
/// [`super::merging::merge`] afterwards.
///
/// # Errors
/// [`Refusal`] when the question is not here, is answered, is not for this role, or takes no such answer.
pub fn answer(record: Record, id: QuestionId, given: Answer, ctx: &mut Context<'_>) -> Result<Decision, Refusal> {
    let question = record.question(id).cloned().ok_or(Refusal::NotFound)?;
    check(&question, given, &ctx.actor)?;
    let mut decision = Decision::unchanged(record);
    for asked in &mut decision.record.questions {
        if asked.id == id {
            asked.answered = Some(Answered { answer: Some(given), by: ctx.actor.staff().cloned(), at: ctx.at });
        }
    }
    decision.note(ctx, What::QuestionAnswered, question.referral.map(|referral| (referral, None)), Some(given.code()));
    follow(&mut decision, ctx, &question, given);
    Ok(decision)
}

fn check(question: &Question, given: Answer, actor: &Actor) -> Result<(), Refusal> {
    if question.answered.is_some() {
        return Err(Refusal::AlreadyAnswered);
    }
    if !question.kind.answers().contains(&given) {
        return Err(Refusal::WrongAnswer);
    }
    let wanted = question.kind.asks();
    if actor.is(wanted) {
        return Ok(());
    }
    Err(if wanted == Role::SafeguardingLead { Refusal::NotTheSafeguardingLead } else { Refusal::NotAClinician })
}

fn follow(decision: &mut Decision, ctx: &mut Context<'_>, question: &Question, given: Answer) {
    match given {
        Answer::New => diagnosed(decision, ctx, question, Kind::NewDiagnosis),
        Answer::KnownOffer => diagnosed(decision, ctx, question, Kind::KnownElsewhere),
        Answer::KnownNoOffer => {
            decision.record.person.diagnosis = Diagnosis::Known;
            exclude_waiting(decision, ctx, question, Exclusion::KnownNoOffer);
            one_new_diagnosis(decision, Diagnosis::Known);
        }
        Answer::Offer | Answer::ComingBack => place_waiting(decision, ctx, question, given),
        Answer::DoNotOffer => exclude_waiting(decision, ctx, question, Exclusion::NotToBeOffered),
        Answer::AsUsual => exclude_waiting(decision, ctx, question, Exclusion::AttendsAsUsual),
        Answer::StillConfirmed => still_confirmed(decision, ctx, question),
        Answer::NotConfirmed => not_confirmed(decision, ctx, question),
        Answer::Same | Answer::Different => {}
    }
}

fn diagnosed(decision: &mut Decision, ctx: &mut Context<'_>, question: &Question, kind: Kind) {
    let waiting = waiting_for(decision, question.id);
    let first = decision.record.triggers.iter().filter(|trigger| waiting.contains(&trigger.id)).map(|trigger| trigger.on).min();
    decision.record.person.diagnosis = match (kind, first) {
        (Kind::NewDiagnosis, Some(on)) => Diagnosis::New { on },
        _ => Diagnosis::Known,
    };
    for trigger in &mut decision.record.triggers {
        if waiting.contains(&trigger.id) {
            trigger.kind = kind;
        }
    }
    let diagnosis = decision.record.person.diagnosis;
    one_new_diagnosis(decision, diagnosis);
    for id in waiting {
        place(decision, ctx, id, Age::Matters);
    }
}

fn place_waiting(decision: &mut Decision, ctx: &mut Context<'_>, question: &Question, given: Answer) {
    let age = if given == Answer::Offer { Age::Decided } else { Age::Matters };
    for id in waiting_for(decision, question.id) {
        place(decision, ctx, id, age);
    }
}

fn exclude_waiting(decision: &mut Decision, ctx: &mut Context<'_>, question: &Question, reason: Exclusion) {
    for id in waiting_for(decision, question.id) {
        exclude(decision, ctx, id, reason);
    }
}

fn still_confirmed(decision: &mut Decision, ctx: &mut Context<'_>, question: &Question) {
    if let Some(id) = question.referral
        && let Some(referral) = decision.record.referral(id)
        && let Ok(status) = next(&referral.status, &Move::Resume, referral.notice.is_some())
    {
        set_status(decision, ctx, id, status, What::Resumed, None);
    }
    place_waiting(decision, ctx, question, Answer::StillConfirmed);
}

/// The diagnosis does not stand: every trigger that rested on it is set aside, and the referral ends unless another
/// trigger carries it.
fn not_confirmed(decision: &mut Decision, ctx: &mut Context<'_>, question: &Question) {
    decision.record.person.diagnosis = Diagnosis::Unproven;
    let rested: Vec<_> = decision
        .record
        .triggers
        .iter()
        .filter(|trigger| rests_on_a_diagnosis(trigger.kind))
        // A diagnosis that was set aside for another reason is one no longer; an attendance stays what it was.
        .filter(|trigger| shows_a_diagnosis(trigger.kind) || !matches!(trigger.outcome, Outcome::Excluded(_)))
        .filter(|trigger| trigger.outcome != Outcome::Excluded(Exclusion::ResultWithdrawn))
        .map(|trigger| trigger.id)
        .collect();
    for id in rested {
        exclude(decision, ctx, id, Exclusion::ResultWithdrawn);
    }
    close_questions(decision, ctx, Some(question.id));
    cancel_letters(decision, ctx);
    // Peer support is for people who live with HIV: a request that came with the result falls with it.
    super::end_live(decision, ctx, EndReason::EnteredInError);
    for trigger in &mut decision.record.triggers {
        if matches!(trigger.outcome, Outcome::Question(_)) {
            trigger.outcome = Outcome::Excluded(Exclusion::ResultWithdrawn);
        }
    }
    debug_assert!(decision.record.referrals.iter().all(|referral| matches!(referral.status, Status::Ended { .. })));
}
