//! Whether something that somebody asks for may be done, and what follows.

use jiff::Span;
use jiff::civil::Date;

use super::placing::{New, raise};
use super::{cancel_letters, opt_out_live, set_status};
use crate::allocation;
use crate::command::Command;
use crate::contact::{Assessment, AssessmentForm, Contact, ContactNote, MINUTES_MAX, NOTE_CHARACTERS_MAX, Outcome as ContactOutcome};
use crate::decision::{Actor, Cause, Context, Decision, Effect, Outgoing, Refusal, What};
use crate::id::{AssessmentId, ContactId, OutgoingId, ReferralId};
use crate::notice::{Answer, Notice, Telling};
use crate::person::{Diagnosis, Objection, ObjectionReason, Scope};
use crate::record::Record;
use crate::referral::{EndReason, Move, Referral, Status, next};
use crate::supporter::{Role, Supporter};
use crate::trigger::{Kind, Outcome, Rule};

/// Decides a command.
///
/// # Errors
/// [`Refusal`]: the rule that forbids it; nothing has changed then.
pub fn decide(record: Record, command: &Command, ctx: &mut Context<'_>) -> Result<Decision, Refusal> {
    if record.person.merged_into.is_some() {
        return Err(Refusal::MergedAway);
    }
    let mut decision = Decision::unchanged(record);
    let d = &mut decision;
    match command {
        Command::Refer { kind, on } => refer(d, ctx, *kind, *on)?,
        Command::RecordNotice { referral, telling } => record_notice(d, ctx, *referral, telling)?,
        Command::Object { scope, reason } => object(d, ctx, *scope, *reason),
        Command::Defer { referral, until } => defer(d, ctx, *referral, *until)?,
        Command::TakeBackObjection => take_back(d, ctx)?,
        Command::AskAgain { referral } => ask_again(d, ctx, *referral)?,
        Command::Allocate { referral, supporter, caseload } => allocate(d, ctx, *referral, supporter, *caseload)?,
        Command::RecordContact { referral, supporter, note } => record_contact(d, ctx, *referral, supporter, note)?,
        Command::RecordAssessment { referral, form } => record_assessment(d, ctx, *referral, form)?,
        Command::QueueLetter { referral, not_before } => queue_letter(d, ctx, *referral, *not_before)?,
        Command::End { referral, reason, on } => end(d, ctx, *referral, *reason, *on)?,
        Command::Answer { question, answer } => return super::answers::answer(decision.record, *question, *answer, ctx),
    }
    Ok(decision)
}

fn find(decision: &Decision, id: ReferralId) -> Result<&Referral, Refusal> {
    decision.record.referral(id).ok_or(Refusal::NotFound)
}

/// Nobody who has died is asked, allocated or contacted.
fn living(decision: &Decision) -> Result<(), Refusal> {
    if decision.record.person.died.is_some() { Err(Refusal::Died) } else { Ok(()) }
}

fn moved(decision: &Decision, id: ReferralId, asked: &Move) -> Result<Status, Refusal> {
    let referral = find(decision, id)?;
    next(&referral.status, asked, referral.notice.is_some())
}

fn not_in_future(ctx: &Context<'_>, on: Date) -> Result<(), Refusal> {
    if on > ctx.today { Err(Refusal::DateInTheFuture) } else { Ok(()) }
}

fn permitted(ctx: &Context<'_>, roles: &[Role]) -> Result<(), Refusal> {
    match &ctx.actor {
        Actor::Staff { role, .. } if roles.contains(role) => Ok(()),
        Actor::Operator => Ok(()),
        Actor::Staff { .. } | Actor::Person | Actor::Feed(_) | Actor::Clock => Err(Refusal::NotPermitted),
    }
}

/// What a person may do for themselves, besides those who work for them.
fn permitted_or_themselves(ctx: &Context<'_>, roles: &[Role]) -> Result<(), Refusal> {
    if ctx.actor == Actor::Person { Ok(()) } else { permitted(ctx, roles) }
}

fn refer(decision: &mut Decision, ctx: &mut Context<'_>, kind: Kind, on: Date) -> Result<(), Refusal> {
    living(decision)?;
    not_in_future(ctx, on)?;
    let rule = match kind {
        Kind::ClinicRequest if ctx.actor.is(Role::Clinician) || ctx.actor == Actor::Operator => Rule::Form,
        Kind::ClinicRequest => return Err(Refusal::NotAClinician),
        Kind::SelfReferral => {
            // Somebody who asks takes an earlier objection back by asking; that nothing goes outside is no contradiction.
            if decision.record.person.has_opted_out() {
                take_back(decision, ctx)?;
            }
            Rule::AskedThemselves
        }
        Kind::NewDiagnosis | Kind::Reengagement | Kind::KnownElsewhere | Kind::Undetermined if ctx.actor == Actor::Operator => Rule::Form,
        Kind::NewDiagnosis | Kind::Reengagement | Kind::KnownElsewhere | Kind::Undetermined => return Err(Refusal::NotPermitted),
    };
    if decision.record.person.has_opted_out() {
        return Err(Refusal::OptedOut);
    }
    if decision.record.person.diagnosis == Diagnosis::Unproven {
        decision.record.person.diagnosis = match kind {
            Kind::NewDiagnosis => Diagnosis::New { on },
            Kind::KnownElsewhere | Kind::Reengagement => Diagnosis::Known,
            Kind::Undetermined => Diagnosis::Asked,
            Kind::ClinicRequest | Kind::SelfReferral => Diagnosis::Unproven,
        };
    }
    raise(decision, ctx, New { kind, on, rule, evidence: None, unsure: None });
    Ok(())
}

/// The gate: nothing is released before a named clinician has stated both things.
fn record_notice(decision: &mut Decision, ctx: &mut Context<'_>, id: ReferralId, telling: &Telling) -> Result<(), Refusal> {
    living(decision)?;
    let Actor::Staff { id: by, role: Role::Clinician } = &ctx.actor else { return Err(Refusal::NotAClinician) };
    if !telling.knows_diagnosis {
        return Err(Refusal::DiagnosisNotKnownToPerson);
    }
    if !telling.told_of_support {
        return Err(Refusal::NotToldOfSupport);
    }
    not_in_future(ctx, telling.on)?;
    let notice = Notice { by: by.clone(), on: telling.on, how: telling.how };
    let asked = match telling.answer {
        Answer::NoObjection => Move::NoObjection,
        Answer::NotNow { until } => {
            deferral_date(ctx, until)?;
            Move::NotNow { until }
        }
        Answer::Objects { scope: Scope::OutsideOnly, .. } => Move::NoObjection,
        Answer::Objects { scope: Scope::All, .. } => Move::Object,
    };
    let status = match moved(decision, id, &asked)? {
        same if find(decision, id)?.status == same => return Err(Refusal::NotInThisState),
        status => status,
    };
    if !matches!(find(decision, id)?.status, Status::AwaitingNotice | Status::Deferred { .. }) {
        return Err(Refusal::NotInThisState);
    }
    decision.note(ctx, What::NoticeRecorded, Some((id, None)), Some(telling.how.code()));
    if let Some(referral) = decision.record.referral_mut(id) {
        referral.notice = Some(notice);
        // Consent to leave the team beside an objection is no consent.
        referral.consents_to_outside = telling.consents_to_outside && !matches!(telling.answer, Answer::Objects { .. });
    }
    match telling.answer {
        Answer::NoObjection => set_status(decision, ctx, id, status, What::Released, None),
        Answer::NotNow { until } => set_status(decision, ctx, id, status, What::Deferred, Some(&until.to_string())),
        Answer::Objects { scope, reason } => {
            object(decision, ctx, scope, reason);
            if scope == Scope::OutsideOnly {
                set_status(decision, ctx, id, status, What::Released, None);
            }
        }
    }
    Ok(())
}

fn deferral_date(ctx: &Context<'_>, until: Date) -> Result<(), Refusal> {
    let longest = Span::new().days(i64::from(ctx.policy.longest_deferral_days));
    let latest = ctx.today.checked_add(longest).unwrap_or(Date::MAX);
    if until <= ctx.today || until > latest { Err(Refusal::DeferralTooLong) } else { Ok(()) }
}

/// An objection is never refused: at any time, in every state, also for somebody who has died.
fn object(decision: &mut Decision, ctx: &mut Context<'_>, scope: Scope, reason: ObjectionReason) {
    let new = Objection { scope, reason, at: ctx.at };
    decision.record.person.objection = crate::person::stricter(decision.record.person.objection, Some(new));
    cancel_letters(decision, ctx);
    if scope == Scope::All {
        opt_out_live(decision, ctx, reason.code());
        let waiting: Vec<_> = decision.record.triggers.iter().filter(|t| matches!(t.outcome, Outcome::Question(_))).map(|t| t.id).collect();
        for trigger in &mut decision.record.triggers {
            if waiting.contains(&trigger.id) {
                trigger.outcome = Outcome::OptedOut;
            }
        }
        super::placing::close_questions_of_offer(decision, ctx);
    }
    if decision.events.iter().all(|event| event.what != What::OptedOut) {
        decision.note(ctx, What::OptedOut, None, Some(scope.code()));
    }
}

fn defer(decision: &mut Decision, ctx: &mut Context<'_>, id: ReferralId, until: Date) -> Result<(), Refusal> {
    living(decision)?;
    permitted_or_themselves(ctx, &[Role::Clinician, Role::Supporter, Role::Coordinator])?;
    deferral_date(ctx, until)?;
    let status = moved(decision, id, &Move::NotNow { until })?;
    // "Not now" is an answer to having been told: before notice it would hide the person from the clinic's list.
    if find(decision, id)?.notice.is_none() {
        return Err(Refusal::NotInThisState);
    }
    set_status(decision, ctx, id, status, What::Deferred, Some(&until.to_string()));
    cancel_letters(decision, ctx);
    Ok(())
}

/// The person changes their mind: referrals come back, and triggers that the objection had silenced get theirs.
fn take_back(decision: &mut Decision, ctx: &mut Context<'_>) -> Result<(), Refusal> {
    living(decision)?;
    if decision.record.person.objection.take().is_none() {
        return Err(Refusal::NothingToTakeBack);
    }
    decision.note(ctx, What::ObjectionTakenBack, None, None);
    super::reopen(decision, ctx);
    Ok(())
}

fn ask_again(decision: &mut Decision, ctx: &mut Context<'_>, id: ReferralId) -> Result<(), Refusal> {
    living(decision)?;
    let Status::Deferred { until } = find(decision, id)?.status else { return Err(Refusal::NotInThisState) };
    if ctx.actor == Actor::Clock && until > ctx.today {
        return Err(Refusal::NotInThisState);
    }
    let status = moved(decision, id, &Move::AskAgain)?;
    set_status(decision, ctx, id, status, What::AskedAgain, None);
    Ok(())
}

fn allocate(decision: &mut Decision, ctx: &mut Context<'_>, id: ReferralId, supporter: &Supporter, caseload: u32) -> Result<(), Refusal> {
    living(decision)?;
    // A clinician gives away the shielded alone: that they are is the policy's to know.
    permitted(ctx, &[Role::Coordinator, Role::Supporter, Role::Clinician])?;
    let referral = find(decision, id)?;
    // An import tells what was done; whether its supporter is cleared is asked when they look, and at the next allocation.
    let is_told = matches!(ctx.cause, Cause::Import(_));
    allocation::may_take(&decision.record.person, referral, supporter, caseload, ctx.today, is_told)?;
    let again = referral.status.supporter().is_some();
    let status = moved(decision, id, &Move::Allocate { supporter: supporter.id.clone() })?;
    let what = if again { What::Reallocated } else { What::Allocated };
    set_status(decision, ctx, id, status, what, Some(&supporter.id.0));
    Ok(())
}

fn record_contact(
    decision: &mut Decision,
    ctx: &mut Context<'_>,
    id: ReferralId,
    supporter: &Supporter,
    note: &ContactNote,
) -> Result<(), Refusal> {
    living(decision)?;
    permitted(ctx, &[Role::Supporter])?;
    let referral = find(decision, id)?;
    let basis = supporter.basis_at(&referral.site).filter(|_| supporter.id == note.supporter).ok_or(Refusal::NotTheirSupporter)?;
    if !supporter.works_on(note.on) {
        return Err(Refusal::ContractOver);
    }
    not_in_future(ctx, note.on)?;
    if referral.released_on.is_none_or(|released| note.on < released) {
        return Err(if referral.released_on.is_none() { Refusal::NotInThisState } else { Refusal::DateTooEarly });
    }
    if note.minutes > MINUTES_MAX {
        return Err(Refusal::TooManyMinutes);
    }
    if note.note.chars().count() > NOTE_CHARACTERS_MAX {
        return Err(Refusal::NoteTooLong);
    }
    let conversation = note.outcome == ContactOutcome::Conversation;
    allocation::may_know(&decision.record.person, referral, basis)?;
    let status = moved(decision, id, if conversation { &Move::Converse } else { &Move::Attempt })?;
    keep_contact(decision, ctx, id, note);
    let (engages, supports) = (matches!(status, Status::Engaged { .. }), matches!(status, Status::Supported { .. }));
    let changed = find(decision, id)?.status != status;
    // The first attempt moves the referral by the same line of the journal that records it.
    if !changed || engages || supports {
        decision.note(ctx, What::ContactRecorded, Some((id, None)), Some(note.outcome.code()));
    }
    if let Some(referral) = decision.record.referral_mut(id) {
        if conversation && referral.engaged_on.is_none() {
            referral.engaged_on = Some(note.on);
        } else if !referral.is_engaged() {
            referral.attempts += 1;
        }
    }
    if changed {
        let what = match (engages, supports) {
            (true, _) => What::Engaged,
            (_, true) => What::SupportBegan,
            (false, false) => What::ContactRecorded,
        };
        set_status(decision, ctx, id, status, what, Some(note.outcome.code()));
    }
    Ok(())
}

fn keep_contact(decision: &mut Decision, ctx: &mut Context<'_>, referral: ReferralId, note: &ContactNote) {
    let contact = Contact { id: ContactId::new(ctx.ids), person: decision.record.person.id, referral, note: note.clone() };
    decision.contacts.push(contact);
}

fn record_assessment(decision: &mut Decision, ctx: &mut Context<'_>, id: ReferralId, form: &AssessmentForm) -> Result<(), Refusal> {
    living(decision)?;
    permitted_or_themselves(ctx, &[Role::Supporter])?;
    not_in_future(ctx, form.on)?;
    let referral = find(decision, id)?;
    let status = moved(decision, id, &Move::Assess)?;
    if referral.engaged_on.is_none_or(|engaged| form.on < engaged) {
        return Err(Refusal::DateTooEarly);
    }
    let changed = referral.status != status;
    let days = form.repeat_after_days.unwrap_or(ctx.policy.repeat_assessment_days);
    let due = form.on.checked_add(Span::new().days(i64::from(days))).unwrap_or(Date::MAX);
    if let Some(referral) = decision.record.referral_mut(id) {
        referral.assessed_on.get_or_insert(form.on);
        if referral.next_assessment_on.is_none_or(|next| next < due) {
            referral.next_assessment_on = Some(due);
        }
    }
    let assessment = Assessment { id: AssessmentId::new(ctx.ids), person: decision.record.person.id, referral: id, form: form.clone() };
    decision.assessments.push(assessment);
    if changed {
        set_status(decision, ctx, id, status, What::AssessmentRecorded, Some(&form.instrument));
    } else {
        decision.note(ctx, What::AssessmentRecorded, Some((id, None)), Some(&form.instrument));
    }
    Ok(())
}

/// A letter needs a released referral of somebody who lives, has not objected, and is not on hold.
fn queue_letter(decision: &mut Decision, ctx: &mut Context<'_>, id: ReferralId, not_before: jiff::Timestamp) -> Result<(), Refusal> {
    living(decision)?;
    permitted(ctx, &[Role::Supporter, Role::Coordinator])?;
    let referral = find(decision, id)?;
    if decision.record.person.has_opted_out() {
        return Err(Refusal::OptedOut);
    }
    if referral.status.supporter().is_none() {
        return Err(Refusal::NotInThisState);
    }
    let outgoing = Outgoing { id: OutgoingId::new(ctx.ids), person: decision.record.person.id, referral: id, not_before };
    decision.effects.push(Effect::Queue(outgoing));
    decision.note(ctx, What::LetterQueued, Some((id, None)), None);
    Ok(())
}

fn end(decision: &mut Decision, ctx: &mut Context<'_>, id: ReferralId, reason: EndReason, on: Date) -> Result<(), Refusal> {
    not_in_future(ctx, on)?;
    let clinic_only = find(decision, id)?.audience() == crate::referral::Audience::ClinicOnly;
    permitted_or_themselves(ctx, if clinic_only { &[Role::Clinician] } else { &[Role::Clinician, Role::Supporter, Role::Coordinator] })?;
    let status = moved(decision, id, &Move::End { reason })?;
    set_status(decision, ctx, id, status, What::Ended, Some(reason.code()));
    if let Some(referral) = decision.record.referral_mut(id) {
        referral.ended_on = Some(on);
    }
    cancel_letters(decision, ctx);
    Ok(())
}
