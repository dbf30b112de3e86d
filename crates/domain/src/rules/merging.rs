//! Two records that are one person, and back.
//!
//! Triggers, referrals and questions move to the survivor but keep their `origin`; identifiers stay where they are and
//! are followed through [`crate::person::Person::merged_into`]. So taking a merge back is exact.

use super::placing::{self, Asked, ask};
use super::{cancel_letters, opt_out_live, set_status};
use crate::decision::{Context, Decision, Refusal, What};
use crate::id::{MergeId, PersonId, ReferralId, TriggerId};
use crate::person::{Death, Diagnosis, Objection, Person, stricter};
use crate::question;
use crate::record::Record;
use crate::referral::{EndReason, Referral, Stage, Status};
use crate::trigger::{Exclusion, Kind, Outcome, Trigger};
use jiff::civil::Date;

/// A merge, with what must be known to take it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// Our identifier.
    pub id: MergeId,
    /// Whose record goes on.
    pub survivor: PersonId,
    /// Whose record was joined to it.
    pub retired: PersonId,
    /// The survivor's own facts before.
    pub before: Before,
    /// Referrals of both whose status the merge changed: id, status before, status after.
    pub referrals: Vec<(ReferralId, Status, Status)>,
    /// Triggers of both before: kind and outcome.
    pub triggers: Vec<(TriggerId, Kind, Outcome)>,
}

/// The survivor's facts that a merge may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// The objection.
    pub objection: Option<Objection>,
    /// The objection that the merge left.
    pub objection_after: Option<Objection>,
    /// The diagnosis.
    pub diagnosis: Diagnosis,
    /// The death.
    pub died: Option<Death>,
    /// The last attendance.
    pub last_attended: Option<Date>,
}

/// What came of asking to merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merging {
    /// Merged: the survivor's decision, the retired record's, and how to take it back.
    Merged(Box<(Decision, Decision, Merge)>),
    /// A person must decide: the survivor's decision only raises the question.
    Asked(Box<Decision>),
    /// Nothing to do: merged before, or a person said that they are two.
    Nothing,
}

/// Merges two records, unless they hold different verified NHS numbers and nobody has confirmed it.
///
/// # Errors
/// [`Refusal`] when it is one record, or the sites differ, or one was merged away already.
pub fn merge(survivor: Record, retired: Record, confirmed: bool, ctx: &mut Context<'_>) -> Result<Merging, Refusal> {
    if retired.person.merged_into == Some(survivor.person.id) || survivor.person.id == retired.person.id {
        return Ok(Merging::Nothing);
    }
    if survivor.person.site != retired.person.site {
        return Err(Refusal::DifferentSites);
    }
    if survivor.person.merged_into.is_some() || retired.person.merged_into.is_some() {
        return Err(Refusal::MergedAway);
    }
    if !confirmed && different_verified_numbers(&survivor.person, &retired.person) {
        let asked = ask_whether_same(survivor, retired.person.id, ctx);
        return Ok(asked.map_or(Merging::Nothing, |decision| Merging::Asked(Box::new(decision))));
    }
    Ok(Merging::Merged(Box::new(join(survivor, retired, ctx))))
}

fn different_verified_numbers(one: &Person, other: &Person) -> bool {
    match (one.nhs_number, other.nhs_number) {
        (Some(a), Some(b)) => a.verified && b.verified && a.number != b.number,
        _ => false,
    }
}

/// Asks whether two records are one person: `None` where it was asked before.
#[must_use]
pub fn ask_whether_same(survivor: Record, other: PersonId, ctx: &mut Context<'_>) -> Option<Decision> {
    if survivor.questions.iter().any(|asked| asked.kind == question::Kind::SamePerson && asked.other == Some(other)) {
        return None;
    }
    let mut decision = Decision::unchanged(survivor);
    ask(&mut decision, ctx, question::Kind::SamePerson, Asked { other: Some(other), referral: None });
    Some(decision)
}

fn join(survivor: Record, retired: Record, ctx: &mut Context<'_>) -> (Decision, Decision, Merge) {
    let statuses_before: Vec<(ReferralId, Status)> =
        both(&survivor.referrals, &retired.referrals).map(|r: &Referral| (r.id, r.status.clone())).collect();
    let triggers = both(&survivor.triggers, &retired.triggers).map(|t: &Trigger| (t.id, t.kind, t.outcome)).collect();
    let mut before = Before {
        objection: survivor.person.objection,
        objection_after: None,
        diagnosis: survivor.person.diagnosis,
        died: survivor.person.died,
        last_attended: survivor.person.last_attended,
    };
    let (survivor_id, retired_id) = (survivor.person.id, retired.person.id);
    let mut left = Decision::unchanged(Record::new(retired.person.clone()));
    let of_retired: Vec<ReferralId> = retired.referrals.iter().map(|referral| referral.id).collect();
    let mut decision = Decision::unchanged(survivor);
    move_rows(&mut decision.record, retired, survivor_id);
    decision.note(ctx, What::Merged, None, None);
    left.record.person.merged_into = Some(survivor_id);
    left.note(ctx, What::Merged, None, None);
    combine(&mut decision.record.person, &left.record.person);
    before.objection_after = decision.record.person.objection;
    let diagnosis = decision.record.person.diagnosis;
    one_new_diagnosis(&mut decision, diagnosis);
    if decision.record.person.died.is_some() {
        super::end_live(&mut decision, ctx, EndReason::Died);
    }
    let joined = keep_one_live(&mut decision, ctx);
    if decision.record.person.has_opted_out() {
        opt_out_live(&mut decision, ctx, "merged");
    }
    // Letters are queued under the record on which they arose.
    let all_stop = decision.record.person.died.is_some() || decision.record.person.has_opted_out();
    if all_stop || joined.iter().any(|id| !of_retired.contains(id)) {
        cancel_letters(&mut decision, ctx);
    }
    if all_stop || joined.iter().any(|id| of_retired.contains(id)) {
        cancel_letters(&mut left, ctx);
    }
    let referrals = statuses_before
        .into_iter()
        .filter_map(|(id, was)| decision.record.referral(id).filter(|now| now.status != was).map(|now| (id, was, now.status.clone())))
        .collect();
    let merge = Merge { id: MergeId::new(ctx.ids), survivor: survivor_id, retired: retired_id, before, referrals, triggers };
    (decision, left, merge)
}

fn both<'a, T>(one: &'a [T], other: &'a [T]) -> impl Iterator<Item = &'a T> {
    one.iter().chain(other)
}

fn move_rows(into: &mut Record, from: Record, survivor: PersonId) {
    into.triggers.extend(from.triggers.into_iter().map(|trigger| Trigger { person: survivor, ..trigger }));
    into.referrals.extend(from.referrals.into_iter().map(|referral| Referral { person: survivor, ..referral }));
    into.questions.extend(from.questions.into_iter().map(|question| crate::question::Question { person: survivor, ..question }));
    into.triggers.sort_by_key(|trigger| (trigger.at, trigger.id));
    into.referrals.sort_by_key(|referral| (referral.raised_at, referral.id));
    into.questions.sort_by_key(|question| (question.raised_at, question.id));
}

/// The stricter objection, the death of either, the better-founded diagnosis, the later attendance.
fn combine(person: &mut Person, other: &Person) {
    person.objection = stricter(person.objection, other.objection);
    person.last_attended = person.last_attended.max(other.last_attended);
    person.died = person.died.or(other.died);
    person.diagnosis = of_both(person.diagnosis, other.diagnosis);
}

fn of_both(one: Diagnosis, other: Diagnosis) -> Diagnosis {
    match (one, other) {
        // Known in care under the other number: not newly diagnosed after all, offered all the same.
        (Diagnosis::Known, _) | (_, Diagnosis::Known) => Diagnosis::Known,
        (Diagnosis::New { on: a }, Diagnosis::New { on: b }) => Diagnosis::New { on: a.min(b) },
        (Diagnosis::New { on }, _) | (_, Diagnosis::New { on }) => Diagnosis::New { on },
        (Diagnosis::Asked, _) | (_, Diagnosis::Asked) => Diagnosis::Asked,
        (Diagnosis::Unproven, Diagnosis::Unproven) => Diagnosis::Unproven,
    }
}

/// One human being is newly diagnosed once: later triggers of that kind become what they are.
pub(super) fn one_new_diagnosis(decision: &mut Decision, diagnosis: Diagnosis) {
    let mut counted = diagnosis == Diagnosis::Known;
    decision.record.triggers.sort_by_key(|trigger| (trigger.on, trigger.at, trigger.id));
    for trigger in &mut decision.record.triggers {
        // A diagnosis that did not stand is not the one.
        let stands = trigger.outcome != Outcome::Excluded(Exclusion::ResultWithdrawn);
        if trigger.kind == Kind::NewDiagnosis && stands {
            if counted {
                trigger.kind = Kind::KnownElsewhere;
            }
            counted = true;
        }
    }
    decision.record.triggers.sort_by_key(|trigger| (trigger.at, trigger.id));
}

/// Of several live referrals the furthest goes on; the triggers of the others join it. Gives those others.
fn keep_one_live(decision: &mut Decision, ctx: &mut Context<'_>) -> Vec<ReferralId> {
    let mut live: Vec<(Stage, ReferralId)> =
        decision.record.referrals.iter().filter(|r| r.status.is_live()).map(|r| (r.status.stage(), r.id)).collect();
    live.sort_by_key(|(stage, id)| (std::cmp::Reverse(progress(*stage)), *id));
    let Some((&(_, kept), rest)) = live.split_first() else { return Vec::new() };
    for &(_, id) in rest {
        let reason = EndReason::Joined;
        set_status(decision, ctx, id, Status::Ended { reason }, What::Ended, Some(reason.code()));
        for trigger in &mut decision.record.triggers {
            if trigger.outcome == Outcome::Referral(id) {
                trigger.outcome = Outcome::Referral(kept);
            }
        }
    }
    rest.iter().map(|(_, id)| *id).collect()
}

/// How far a stage has come; a stop or an objection weighs most, so that a merge never overrules one.
const fn progress(stage: Stage) -> u8 {
    match stage {
        Stage::Ended => 0,
        Stage::AwaitingNotice => 1,
        Stage::Deferred => 2,
        Stage::Open => 3,
        Stage::Allocated => 4,
        Stage::Contacting => 5,
        Stage::Engaged => 6,
        Stage::Assessed => 7,
        Stage::Supported => 8,
        Stage::OptedOut => 9,
        Stage::Held => 10,
    }
}

/// Takes a merge back: each row returns to the record on which it arose, and what the merge changed is as before,
/// unless somebody changed it since. What was decided since for both at once, each is left with the stricter of.
///
/// The rows of a third record that had been merged into the retired one before stay with the survivor: merges are
/// taken back singly.
#[must_use]
pub fn unmerge(merge: &Merge, survivor: Record, retired: Person, ctx: &mut Context<'_>) -> (Decision, Decision) {
    let mut back = Decision::unchanged(Record::new(retired));
    let mut decision = Decision::unchanged(survivor);
    let objection_now = decision.record.person.objection;
    restore_triggers(&mut decision, merge);
    restore_referrals(&mut decision, ctx, merge);
    restore(&mut decision.record.person, &mut back.record.person, merge);
    if objection_now != merge.before.objection_after {
        back.record.person.objection = stricter(back.record.person.objection, objection_now);
    }
    let questions_of_both = decision.record.questions.clone();
    split_rows(&mut decision.record, &mut back.record, merge.retired);
    back.record.person.merged_into = None;
    mend(&mut decision, ctx, &questions_of_both);
    mend(&mut back, ctx, &questions_of_both);
    (decision, back)
}

/// Only what the merge itself does to a trigger: a second new diagnosis, and joining another referral.
fn restore_triggers(decision: &mut Decision, merge: &Merge) {
    for trigger in &mut decision.record.triggers {
        let Some((_, kind, outcome)) = merge.triggers.iter().find(|(id, _, _)| *id == trigger.id) else { continue };
        if (*kind, trigger.kind) == (Kind::NewDiagnosis, Kind::KnownElsewhere) {
            trigger.kind = *kind;
        }
        if matches!((outcome, trigger.outcome), (Outcome::Referral(_), Outcome::Referral(_))) {
            trigger.outcome = *outcome;
        }
    }
}

fn restore_referrals(decision: &mut Decision, ctx: &mut Context<'_>, merge: &Merge) {
    for (id, was, after) in &merge.referrals {
        // A referral whose every trigger was set aside since has nothing left to come back for.
        let carried = decision.record.triggers.iter().any(|trigger| trigger.outcome == Outcome::Referral(*id));
        let Some(referral) = decision.record.referral_mut(*id).filter(|referral| carried && referral.status == *after) else { continue };
        referral.status = was.clone();
        if referral.status.is_live() {
            referral.ended_on = None;
        }
        let stage = was.stage();
        decision.note(ctx, What::Unmerged, Some((*id, Some(stage))), None);
    }
}

/// What was changed since the merge stands; the rest is as before it.
fn restore(person: &mut Person, retired: &mut Person, merge: &Merge) {
    let before = &merge.before;
    let joined = of_both(before.diagnosis, retired.diagnosis);
    if person.objection == before.objection_after {
        person.objection = before.objection;
    }
    if person.diagnosis == joined {
        person.diagnosis = before.diagnosis;
    } else if person.diagnosis == Diagnosis::Unproven {
        // The diagnosis did not stand. Whichever was not known before can be newly diagnosed again.
        person.diagnosis = unless_known(before.diagnosis);
        retired.diagnosis = unless_known(retired.diagnosis);
    }
    if person.died == before.died.or(retired.died) {
        person.died = before.died;
    }
    if person.last_attended == before.last_attended.max(retired.last_attended) {
        person.last_attended = before.last_attended;
    }
}

const fn unless_known(diagnosis: Diagnosis) -> Diagnosis {
    match diagnosis {
        Diagnosis::Known => Diagnosis::Known,
        Diagnosis::New { .. } | Diagnosis::Asked | Diagnosis::Unproven => Diagnosis::Unproven,
    }
}

fn split_rows(from: &mut Record, to: &mut Record, retired: PersonId) {
    let (mine, theirs) = std::mem::take(&mut from.triggers).into_iter().partition(|trigger| trigger.origin != retired);
    (from.triggers, to.triggers) = (mine, theirs);
    let (mine, theirs) = std::mem::take(&mut from.referrals).into_iter().partition(|referral| referral.origin != retired);
    (from.referrals, to.referrals) = (mine, theirs);
    // A question about a referral goes where the referral goes, wherever it was raised.
    let about_theirs = |asked: &question::Question| match asked.referral {
        Some(referral) => to.referrals.iter().any(|theirs| theirs.id == referral),
        None => asked.origin == retired,
    };
    let (theirs, mine) = std::mem::take(&mut from.questions).into_iter().partition(about_theirs);
    (from.questions, to.questions) = (mine, theirs);
    to.triggers.iter_mut().for_each(|trigger| trigger.person = retired);
    to.referrals.iter_mut().for_each(|referral| referral.person = retired);
    to.questions.iter_mut().for_each(|asked| asked.person = retired);
}

/// Makes one of the two whole again after what happened while they were one: nothing waits for the other's rows,
/// nothing is silenced by an objection that is the other's, nothing goes on against one's own.
fn mend(decision: &mut Decision, ctx: &mut Context<'_>, questions_of_both: &[question::Question]) {
    // A letter may have been meant for the other.
    cancel_letters(decision, ctx);
    if decision.record.person.died.is_some() {
        super::end_live(decision, ctx, EndReason::Died);
    }
    if decision.record.person.has_opted_out() {
        opt_out_live(decision, ctx, "unmerged");
    } else {
        super::reopen(decision, ctx);
    }
    let dangling: Vec<(TriggerId, Option<question::Kind>)> = decision
        .record
        .triggers
        .iter()
        .filter_map(|trigger| match trigger.outcome {
            Outcome::Referral(id) => decision.record.referral(id).is_none().then_some((trigger.id, None)),
            Outcome::Question(id) if decision.record.question(id).is_some() => None,
            Outcome::Question(id) => Some((trigger.id, questions_of_both.iter().find(|asked| asked.id == id).map(|asked| asked.kind))),
            Outcome::OptedOut | Outcome::Excluded(_) => None,
        })
        .collect();
    for (id, kind) in dangling {
        placing::place_elsewhere(decision, ctx, id, kind);
    }
    keep_one_live(decision, ctx);
    // One that the merge had demoted may stand beside one that was answered since; nothing else is reconsidered.
    one_new_diagnosis(decision, Diagnosis::Unproven);
    decision.note(ctx, What::Unmerged, None, None);
}
