//! Where a trigger leads: to a referral, to a question, or nowhere with a reason. Never to nothing.

use jiff::civil::Date;

use crate::decision::{Actor, Cause, Context, Decision, What};
use crate::id::{PersonId, QuestionId, ReferralId, TriggerId};
use crate::question::{self, Question};
use crate::referral::{Referral, Status};
use crate::trigger::{Exclusion, Kind, Outcome, Rule, Trigger};

/// What is known of a new trigger.
pub(super) struct New {
    pub(super) kind: Kind,
    pub(super) on: Date,
    pub(super) rule: Rule,
    pub(super) evidence: Option<String>,
    /// The question that must be answered before this is more than a suspicion.
    pub(super) unsure: Option<question::Kind>,
}

/// Adds a trigger and places it. One that the same evidence raised before is the same trigger and adds nothing.
pub(super) fn raise(decision: &mut Decision, ctx: &mut Context<'_>, new: New) {
    if already_raised(decision, &new) {
        return;
    }
    let id = TriggerId::new(ctx.ids);
    let person = decision.record.person.id;
    let message = match ctx.cause {
        Cause::Message(message) => Some(message),
        Cause::Form | Cause::Request | Cause::Import(_) | Cause::Clock => None,
    };
    decision.note(ctx, What::TriggerNoted, None, Some(new.kind.code()));
    let New { kind, on, rule, evidence, unsure } = new;
    // The outcome is replaced at once by `place`; until then the strictest one stands.
    let outcome = Outcome::OptedOut;
    decision.record.triggers.push(Trigger { id, person, origin: person, kind, on, at: ctx.at, rule, evidence, message, outcome });
    settle(decision, ctx, id, Age::Matters, unsure);
}

fn already_raised(decision: &Decision, new: &New) -> bool {
    // The clinic's answer changes the kind of a diagnosis, not what showed it.
    let same_kind = |known: Kind| known == new.kind || (shows_a_diagnosis(known) && shows_a_diagnosis(new.kind));
    new.evidence.is_some() && decision.record.triggers.iter().any(|known| same_kind(known.kind) && known.evidence == new.evidence)
}

/// Whether the age of the person is still to be looked at, or was decided by the safeguarding lead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    Matters,
    Decided,
}

/// Places a trigger of which nothing is unsure (any more).
pub(super) fn place(decision: &mut Decision, ctx: &mut Context<'_>, id: TriggerId, age: Age) {
    settle(decision, ctx, id, age, None);
}

/// Places a trigger that an objection had silenced. What was unsure of it then is unsure still.
pub(super) fn place_again(decision: &mut Decision, ctx: &mut Context<'_>, id: TriggerId) {
    let Some(trigger) = decision.record.triggers.iter().find(|trigger| trigger.id == id) else { return };
    let person = &decision.record.person;
    // Where the attendance before it is no longer known, it is asked for rather than guessed.
    let gap_is_known = person.last_attended == Some(trigger.on)
        && (person.previous_attended.is_some() || matches!(person.diagnosis, crate::person::Diagnosis::New { .. }));
    let unsure = (trigger.rule == Rule::AttendedAfterGap && !gap_is_known).then_some(question::Kind::GapUnknown);
    settle(decision, ctx, id, Age::Matters, unsure);
}

/// Places a trigger whose referral or question is another's after all.
pub(super) fn place_elsewhere(decision: &mut Decision, ctx: &mut Context<'_>, id: TriggerId, unsure: Option<question::Kind>) {
    settle(decision, ctx, id, Age::Matters, unsure);
}

/// Decides where a trigger leads, in the order of strictness.
fn settle(decision: &mut Decision, ctx: &mut Context<'_>, id: TriggerId, age: Age, unsure: Option<question::Kind>) {
    let Some(index) = decision.record.triggers.iter().position(|trigger| trigger.id == id) else { return };
    let kind = decision.record.triggers[index].kind;
    let unsure = if kind == Kind::Undetermined { Some(question::Kind::NewOrKnown) } else { unsure };
    let outcome = outcome_of(decision, ctx, kind, age, unsure);
    decision.record.triggers[index].outcome = outcome;
    if let Outcome::Excluded(reason) = outcome {
        decision.note(ctx, What::TriggerExcluded, None, Some(reason.code()));
    }
}

fn outcome_of(decision: &mut Decision, ctx: &mut Context<'_>, kind: Kind, age: Age, unsure: Option<question::Kind>) -> Outcome {
    if decision.record.person.died.is_some() {
        return Outcome::Excluded(Exclusion::Died);
    }
    if decision.record.person.has_opted_out() {
        return Outcome::OptedOut;
    }
    let withdrawn = open_question(decision, question::Kind::ResultWithdrawn, None);
    if let Some(withdrawn) = withdrawn.filter(|_| rests_on_a_diagnosis(kind) && decision.record.live_referral().is_none()) {
        return Outcome::Question(withdrawn);
    }
    if let Some(question) = unsure {
        return Outcome::Question(ask(decision, ctx, question, Asked::default()));
    }
    if age == Age::Matters && !is_adult(decision, ctx) {
        return match safeguarding_answer(decision) {
            Some(question::Answer::Offer) => Outcome::Referral(refer(decision, ctx, kind)),
            Some(_) => Outcome::Excluded(Exclusion::NotToBeOffered),
            None => Outcome::Question(ask(decision, ctx, question::Kind::Safeguarding, Asked::default())),
        };
    }
    Outcome::Referral(refer(decision, ctx, kind))
}

/// Whether such a trigger falls when the diagnosis does. A request stands by itself.
pub(super) const fn rests_on_a_diagnosis(kind: Kind) -> bool {
    match kind {
        Kind::NewDiagnosis | Kind::Undetermined | Kind::KnownElsewhere | Kind::Reengagement => true,
        Kind::ClinicRequest | Kind::SelfReferral => false,
    }
}

/// Whether the evidence of such a trigger is that of a diagnosis: visits and orders are numbered apart.
pub(super) const fn shows_a_diagnosis(kind: Kind) -> bool {
    match kind {
        Kind::NewDiagnosis | Kind::Undetermined | Kind::KnownElsewhere => true,
        Kind::Reengagement | Kind::ClinicRequest | Kind::SelfReferral => false,
    }
}

fn is_adult(decision: &Decision, ctx: &Context<'_>) -> bool {
    decision.record.person.age_on(ctx.today).is_some_and(|age| age >= ctx.policy.adult_age)
}

fn safeguarding_answer(decision: &Decision) -> Option<question::Answer> {
    let answers = decision.record.questions.iter().rev().filter(|asked| asked.kind == question::Kind::Safeguarding);
    answers.filter_map(|asked| asked.answered.as_ref()).find_map(|answered| answered.answer)
}

/// Joins the live referral, or raises one that awaits notice.
fn refer(decision: &mut Decision, ctx: &mut Context<'_>, kind: Kind) -> ReferralId {
    if let Some(live) = decision.record.live_referral() {
        let id = live.id;
        decision.note(ctx, What::ReferralJoined, Some((id, None)), Some(kind.code()));
        return id;
    }
    let id = ReferralId::new(ctx.ids);
    let person = decision.record.person.id;
    let status = Status::AwaitingNotice;
    let stage = status.stage();
    decision.record.referrals.push(Referral {
        id,
        person,
        origin: person,
        site: decision.record.person.site.clone(),
        reason: kind,
        raised_at: ctx.at,
        status,
        notice: None,
        consents_to_outside: false,
        released_on: None,
        due_on: None,
        attempts: 0,
        engaged_on: None,
        assessed_on: None,
        next_assessment_on: None,
        ended_on: None,
    });
    decision.note(ctx, What::ReferralRaised, Some((id, Some(stage))), Some(kind.code()));
    id
}

/// What a question is about besides its person.
#[derive(Default, Clone, Copy)]
pub(super) struct Asked {
    pub(super) other: Option<PersonId>,
    pub(super) referral: Option<ReferralId>,
}

/// Raises a question, or finds the same one still open.
pub(super) fn ask(decision: &mut Decision, ctx: &mut Context<'_>, kind: question::Kind, about: Asked) -> QuestionId {
    let open = decision
        .record
        .questions
        .iter()
        .find(|asked| asked.kind == kind && asked.answered.is_none() && asked.other == about.other && asked.referral == about.referral);
    if let Some(open) = open {
        return open.id;
    }
    let id = QuestionId::new(ctx.ids);
    let person = decision.record.person.id;
    let Asked { other, referral } = about;
    decision.record.questions.push(Question { id, person, origin: person, kind, raised_at: ctx.at, other, referral, answered: None });
    decision.note(ctx, What::QuestionRaised, referral.map(|referral| (referral, None)), Some(kind.code()));
    id
}

/// The open question of a kind about a referral, or about none.
pub(super) fn open_question(decision: &Decision, kind: question::Kind, referral: Option<ReferralId>) -> Option<QuestionId> {
    let open = decision.record.questions.iter().find(|asked| asked.kind == kind && asked.answered.is_none() && asked.referral == referral);
    open.map(|asked| asked.id)
}

/// Sets a trigger aside with a reason.
pub(super) fn exclude(decision: &mut Decision, ctx: &mut Context<'_>, id: TriggerId, reason: Exclusion) {
    if let Some(trigger) = decision.record.triggers.iter_mut().find(|trigger| trigger.id == id) {
        trigger.outcome = Outcome::Excluded(reason);
        decision.note(ctx, What::TriggerExcluded, None, Some(reason.code()));
    }
}

/// The triggers that wait for a question.
pub(super) fn waiting_for(decision: &Decision, question: QuestionId) -> Vec<TriggerId> {
    let waiting = decision.record.triggers.iter().filter(|trigger| trigger.outcome == Outcome::Question(question));
    waiting.map(|trigger| trigger.id).collect()
}

/// Closes a question for which no trigger waits any more: its answer would change nothing, or the wrong thing.
pub(super) fn close_if_moot(decision: &mut Decision, ctx: &mut Context<'_>, id: QuestionId) {
    if waiting_for(decision, id).is_empty() {
        close_where(decision, ctx, |asked| asked.id == id);
    }
}

/// Closes the open questions of a person that events made moot. Whether two records are one person is never moot:
/// the other record waits for it too.
pub(super) fn close_questions(decision: &mut Decision, ctx: &mut Context<'_>, except: Option<QuestionId>) {
    close_where(decision, ctx, |asked| asked.kind != question::Kind::SamePerson && Some(asked.id) != except);
}

/// Closes the questions that an objection makes moot: not whether a withdrawn diagnosis stands, which is asked
/// whatever the person wants, and without which nothing may come back when they change their mind.
pub(super) fn close_questions_of_offer(decision: &mut Decision, ctx: &mut Context<'_>) {
    close_where(decision, ctx, |asked| !matches!(asked.kind, question::Kind::SamePerson | question::Kind::ResultWithdrawn));
}

fn close_where(decision: &mut Decision, ctx: &Context<'_>, moot: impl Fn(&Question) -> bool) {
    let by: Option<crate::supporter::StaffId> = match &ctx.actor {
        Actor::Staff { id, .. } => Some(id.clone()),
        Actor::Feed(_) | Actor::Person | Actor::Clock | Actor::Operator => None,
    };
    let at = ctx.at;
    for asked in &mut decision.record.questions {
        if asked.answered.is_none() && moot(asked) {
            asked.answered = Some(question::Answered { answer: None, by: by.clone(), at });
        }
    }
}
