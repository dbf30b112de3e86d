//! What a message means for a record.

use jiff::civil::Date;

use super::placing::{self, Asked, New, ask, exclude, raise};
use super::{cancel_letters, end_live, set_status};
use crate::calendar::is_gap_of_months;
use crate::decision::{Context, Decision, What};
use crate::fact::{Evidence, Fact, Novelty, Subject};
use crate::person::{Death, Diagnosis};
use crate::question;
use crate::record::Record;
use crate::referral::{EndReason, HoldReason, Move, Status, next};
use crate::trigger::{Exclusion, Kind, Outcome, Rule};

/// Applies what a message says to the record of its subject, which may be new.
#[must_use]
pub fn apply(record: Record, subject: &Subject, facts: &[Fact], is_new: bool, ctx: &mut Context<'_>) -> Decision {
    let mut decision = Decision::unchanged(record);
    if is_new {
        decision.note(ctx, What::PersonAdded, None, None);
    }
    state_details(&mut decision, ctx, subject, is_new);
    for fact in facts {
        apply_one(&mut decision, ctx, fact);
    }
    decision
}

fn apply_one(decision: &mut Decision, ctx: &mut Context<'_>, fact: &Fact) {
    match fact {
        Fact::HivConfirmed { evidence, novelty, on, number } => confirmed(decision, ctx, *evidence, *novelty, *on, number.as_deref()),
        Fact::ResultWithdrawn { number } => withdrawn(decision, ctx, number),
        Fact::ClinicAttended { on, visit } => attended(decision, ctx, *on, visit.as_deref()),
        Fact::LastAttended { on } => remember_attendance(decision, *on),
        Fact::AttendanceCancelled { visit } => attendance_cancelled(decision, ctx, visit),
        Fact::AppointmentMissed { .. } => decision.note(ctx, What::AttendanceMissed, None, None),
        Fact::HivCareReported { on } => {
            if decision.record.person.diagnosis == Diagnosis::Unproven {
                raise_undetermined(decision, ctx, *on, Rule::ConfirmedResult, None);
            }
        }
        Fact::ReferralOrdered { on, number } => {
            raise(decision, ctx, New { kind: Kind::ClinicRequest, on: *on, rule: Rule::Ordered, evidence: number.clone(), unsure: None });
        }
        Fact::ReferralOrderCancelled { number } => order_cancelled(decision, ctx, number),
        Fact::PersonDied { on } => died(decision, ctx, *on),
        Fact::DemographicsStated => {}
    }
}

fn state_details(decision: &mut Decision, ctx: &mut Context<'_>, subject: &Subject, is_new: bool) {
    let person = &mut decision.record.person;
    let mut changed = person.update(&subject.demographics);
    changed |= person.add_identifiers(&subject.identifiers);
    if let Some(said) = subject.nhs_number {
        // A number that is not verified never replaces one that is.
        let keeps = person.nhs_number.is_some_and(|held| held.verified && !said.verified);
        if !keeps && person.nhs_number != Some(said) {
            person.nhs_number = Some(said);
            changed = true;
        }
    }
    if changed && !is_new {
        decision.note(ctx, What::DetailsChanged, None, None);
    }
}

fn confirmed(decision: &mut Decision, ctx: &mut Context<'_>, evidence: Evidence, novelty: Novelty, on: Date, number: Option<&str>) {
    if number.is_some() && decision.record.person.withdrawn_result.as_deref() == number {
        return;
    }
    let rule = match evidence {
        Evidence::Result => Rule::ConfirmedResult,
        Evidence::Coded => Rule::CodedDiagnosis,
        Evidence::Listed => Rule::ListedAsNew,
        Evidence::Order => Rule::Ordered,
    };
    let number = number.map(str::to_owned);
    match (decision.record.person.diagnosis, novelty) {
        (Diagnosis::Unproven, Novelty::New) => {
            decision.record.person.diagnosis = Diagnosis::New { on };
            note_first_day(decision, on);
            decision.note(ctx, What::DiagnosisNoted, None, Some("new"));
            raise(decision, ctx, New { kind: Kind::NewDiagnosis, on, rule, evidence: number, unsure: None });
        }
        (Diagnosis::Unproven, Novelty::Known) => {
            decision.record.person.diagnosis = Diagnosis::Known;
            decision.note(ctx, What::DiagnosisNoted, None, Some("known"));
        }
        (Diagnosis::Unproven, Novelty::Unknown) => raise_undetermined(decision, ctx, on, rule, number),
        // A list that says "new" of somebody known before contradicts what we hold: a person decides.
        // But once only: the list comes every week, and the clinic's answer stands.
        (Diagnosis::Known, Novelty::New) if evidence == Evidence::Listed && !was_answered(decision) => {
            raise_undetermined(decision, ctx, on, rule, number);
        }
        (Diagnosis::Known | Diagnosis::New { .. } | Diagnosis::Asked, Novelty::New | Novelty::Known | Novelty::Unknown) => {}
    }
}

/// Whether somebody at the clinic has said whether this diagnosis is new.
fn was_answered(decision: &Decision) -> bool {
    let mut asked = decision.record.questions.iter().filter(|asked| asked.kind == question::Kind::NewOrKnown);
    asked.any(|asked| asked.answered.as_ref().is_some_and(|answered| answered.answer.is_some()))
}

fn raise_undetermined(decision: &mut Decision, ctx: &mut Context<'_>, on: Date, rule: Rule, evidence: Option<String>) {
    decision.record.person.diagnosis = Diagnosis::Asked;
    decision.note(ctx, What::DiagnosisNoted, None, Some("cannot-tell"));
    raise(decision, ctx, New { kind: Kind::Undetermined, on, rule, evidence, unsure: None });
}

/// A diagnosis is itself a day in care: the next attendance is measured from it.
fn note_first_day(decision: &mut Decision, on: Date) {
    let person = &mut decision.record.person;
    if person.last_attended.is_none() {
        person.last_attended = Some(on);
    }
}

fn attended(decision: &mut Decision, ctx: &mut Context<'_>, on: Date, visit: Option<&str>) {
    let person = &mut decision.record.person;
    if visit.is_some() && (person.cancelled_visit.as_deref() == visit || person.last_visit.as_deref() == visit) {
        return;
    }
    let before = person.last_attended;
    if before.is_some_and(|last| on <= last) {
        return;
    }
    person.previous_attended = before;
    person.last_attended = Some(on);
    person.last_visit = visit.map(str::to_owned);
    let in_care = matches!(person.diagnosis, Diagnosis::Known | Diagnosis::New { .. });
    decision.note(ctx, What::AttendanceNoted, None, None);
    if !in_care {
        return;
    }
    let evidence = visit.map(str::to_owned);
    // A diagnosis is itself a day in care.
    let in_care_before = match decision.record.person.diagnosis {
        Diagnosis::New { on } => before.max(Some(on)),
        Diagnosis::Known | Diagnosis::Asked | Diagnosis::Unproven => before,
    };
    // Without an earlier day in care nobody can tell from messages whether this is a return.
    let unsure = if in_care_before.is_none() { Some(question::Kind::GapUnknown) } else { None };
    if in_care_before.is_none_or(|last| is_gap_of_months(last, on, ctx.policy.gap_months)) {
        raise(decision, ctx, New { kind: Kind::Reengagement, on, rule: Rule::AttendedAfterGap, evidence, unsure });
    }
}

fn remember_attendance(decision: &mut Decision, on: Date) {
    let person = &mut decision.record.person;
    if person.last_attended.is_none_or(|last| last < on) {
        person.last_attended = Some(on);
        person.last_visit = None;
    }
}

fn attendance_cancelled(decision: &mut Decision, ctx: &mut Context<'_>, visit: &str) {
    let person = &mut decision.record.person;
    person.cancelled_visit = Some(visit.to_owned());
    if person.last_visit.as_deref() != Some(visit) {
        return;
    }
    person.last_attended = person.previous_attended;
    person.last_visit = None;
    decision.note(ctx, What::AttendanceCancelled, None, None);
    undo_triggers(decision, ctx, visit, &[Kind::Reengagement], Exclusion::AttendanceCancelled, EndReason::EnteredInError);
}

fn order_cancelled(decision: &mut Decision, ctx: &mut Context<'_>, number: &str) {
    undo_triggers(decision, ctx, number, &[Kind::ClinicRequest], Exclusion::OrderCancelled, EndReason::RequestWithdrawn);
}

/// Sets aside the triggers that an event raised, and ends the referral that only they raised, unless somebody has
/// begun to try: from then on a person decides.
fn undo_triggers(decision: &mut Decision, ctx: &mut Context<'_>, evidence: &str, kinds: &[Kind], reason: Exclusion, end: EndReason) {
    let undone: Vec<_> = decision
        .record
        .triggers
        .iter()
        .filter(|trigger| kinds.contains(&trigger.kind) && trigger.evidence.as_deref() == Some(evidence))
        .map(|trigger| (trigger.id, trigger.outcome))
        .collect();
    for (id, outcome) in undone {
        match outcome {
            Outcome::Referral(referral) => {
                let others = decision.record.triggers.iter().any(|other| other.id != id && other.outcome == Outcome::Referral(referral));
                let untouched = decision
                    .record
                    .referral(referral)
                    .is_some_and(|held| held.status.is_live() && held.attempts == 0 && !held.is_engaged());
                if untouched && !others {
                    exclude(decision, ctx, id, reason);
                    set_status(decision, ctx, referral, Status::Ended { reason: end }, What::Ended, Some(end.code()));
                    cancel_letters(decision, ctx);
                } else if others {
                    exclude(decision, ctx, id, reason);
                }
            }
            Outcome::Question(question) => {
                exclude(decision, ctx, id, reason);
                placing::close_if_moot(decision, ctx, question);
            }
            Outcome::OptedOut => exclude(decision, ctx, id, reason),
            Outcome::Excluded(_) => {}
        }
    }
}

fn withdrawn(decision: &mut Decision, ctx: &mut Context<'_>, number: &str) {
    decision.record.person.withdrawn_result = Some(number.to_owned());
    decision.note(ctx, What::ResultWithdrawn, None, None);
    if decision.record.person.died.is_some() {
        return;
    }
    let touched: Vec<_> = decision
        .record
        .triggers
        .iter()
        .filter(|trigger| placing::shows_a_diagnosis(trigger.kind))
        .filter(|trigger| trigger.evidence.as_deref() == Some(number))
        .map(|trigger| (trigger.id, trigger.outcome))
        .collect();
    for (id, outcome) in touched {
        match outcome {
            Outcome::Referral(referral) => hold(decision, ctx, referral),
            Outcome::Question(was) => {
                let question = ask(decision, ctx, question::Kind::ResultWithdrawn, Asked::default());
                if let Some(trigger) = decision.record.triggers.iter_mut().find(|trigger| trigger.id == id) {
                    trigger.outcome = Outcome::Question(question);
                }
                placing::close_if_moot(decision, ctx, was);
            }
            // Nothing to stop, but a diagnosis that counts.
            Outcome::OptedOut | Outcome::Excluded(Exclusion::NotToBeOffered) => {
                ask(decision, ctx, question::Kind::ResultWithdrawn, Asked::default());
            }
            Outcome::Excluded(_) => {}
        }
    }
}

fn hold(decision: &mut Decision, ctx: &mut Context<'_>, id: crate::id::ReferralId) {
    let why = HoldReason::ResultWithdrawn;
    let Some(referral) = decision.record.referral(id) else { return };
    if let Ok(status @ Status::Held { .. }) = next(&referral.status, &Move::Hold { why }, referral.notice.is_some())
        && status != referral.status
    {
        set_status(decision, ctx, id, status, What::Held, Some(why.code()));
        cancel_letters(decision, ctx);
    }
    ask(decision, ctx, question::Kind::ResultWithdrawn, Asked { other: None, referral: Some(id) });
}

fn died(decision: &mut Decision, ctx: &mut Context<'_>, on: Option<Date>) {
    let known = decision.record.person.died;
    decision.record.person.died = Some(Death { on: on.or(known.and_then(|death| death.on)) });
    if known.is_some() {
        return;
    }
    decision.note(ctx, What::Died, None, None);
    cancel_letters(decision, ctx);
    end_live(decision, ctx, EndReason::Died);
    let waiting: Vec<_> =
        decision.record.triggers.iter().filter(|trigger| matches!(trigger.outcome, Outcome::Question(_))).map(|t| t.id).collect();
    for id in waiting {
        exclude(decision, ctx, id, Exclusion::Died);
    }
    placing::close_questions(decision, ctx, None);
}
