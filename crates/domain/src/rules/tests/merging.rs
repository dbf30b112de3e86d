//! Two records that are one person, and back.

use expect_test::expect;

use super::story::{Story, render};
use crate::decision::{Actor, Cause, Decision, Effect, Refusal};
use crate::id::{CountingIds, PersonId};
use crate::nhs_number::NhsNumber;
use crate::person::{NhsNumberHeld, Scope, SiteId};
use crate::question::{self, Answer};
use crate::rules::merging::{self, Merge, Merging};

/// Two people of whom each story is told, the first of whom survives a merge.
pub(super) fn pair(survivor: &str, retired: &str) -> (Story, Story) {
    let mut first = Story::of(PersonId(1), CountingIds(100));
    let mut second = Story::of(PersonId(2), CountingIds(10_000));
    first.tell(survivor);
    second.tell(retired);
    first.today = first.today.max(second.today);
    (first, second)
}

pub(super) fn asked(first: &mut Story, second: &Story, confirmed: bool) -> Result<Merging, Refusal> {
    let other = second.record.clone();
    first.with(Actor::Feed("feed".into()), Cause::Form, |record, ctx| merging::merge(record, other, confirmed, ctx))
}

pub(super) fn merged(first: &mut Story, second: &mut Story) -> Merge {
    match asked(first, second, true) {
        Ok(Merging::Merged(all)) => {
            let (decision, left, merge) = *all;
            first.journal.append(&mut second.journal);
            first.keep(decision);
            second.keep(left);
            merge
        }
        other => panic!("not merged: {other:?}"),
    }
}

pub(super) fn taken_back(first: &mut Story, second: &mut Story, merge: &Merge) {
    let retired = second.record.person.clone();
    let (decision, back): (Decision, Decision) =
        first.with(Actor::Operator, Cause::Form, |record, ctx| merging::unmerge(merge, record, retired, ctx));
    first.keep(decision);
    second.keep(back);
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "tables read better without a borrow in each row")]
fn check(survivor: &str, retired: &str, expected: expect_test::Expect) {
    let (mut first, mut second) = pair(survivor, retired);
    merged(&mut first, &mut second);
    expected.assert_eq(&render(&first.record));
    assert_eq!(second.record.person.merged_into, Some(PersonId(1)));
    assert_eq!(render(&second.record), "");
}

fn number(last: u8) -> Option<NhsNumberHeld> {
    NhsNumber::from_nine([9, 9, 9, 0, 0, 0, 0, 0, last]).map(|number| NhsNumberHeld { number, verified: true })
}

#[test]
fn different_verified_numbers_are_put_before_a_person() {
    let (mut first, mut second) = pair("known", "known");
    (first.record.person.nhs_number, second.record.person.nhs_number) = (number(1), number(2));
    let Ok(Merging::Asked(decision)) = asked(&mut first, &second, false) else { panic!("not asked") };
    first.keep(*decision);
    expect![[r#"
        question 1: same-person: open
        last: diagnosis-noted, question-raised
    "#]]
    .assert_eq(&first.render());
    assert_eq!(first.record.questions[0].other, Some(PersonId(2)));
    assert_eq!(asked(&mut first, &second, false), Ok(Merging::Nothing));
    assert_eq!(first.step("answer same-person same by supporter"), Err(Refusal::NotAClinician));
    assert_eq!(first.step("answer same-person same"), Ok(()));
    merged(&mut first, &mut second);
    assert_eq!(second.record.person.merged_into, Some(PersonId(1)));
}

#[test]
fn two_people_are_asked_about_once() {
    let (mut first, mut second) = pair("known", "known");
    (first.record.person.nhs_number, second.record.person.nhs_number) = (number(1), number(2));
    let Ok(Merging::Asked(decision)) = asked(&mut first, &second, false) else { panic!("not asked") };
    first.keep(*decision);
    first.tell("answer same-person different");
    assert_eq!(asked(&mut first, &second, false), Ok(Merging::Nothing));
}

#[test]
fn whether_two_are_one_is_asked_whatever_else_happens() {
    for event in ["object all", "died", "confirmed result new r1; withdrawn r1; answer result-withdrawn not-confirmed"] {
        let (mut first, mut second) = pair("", "known");
        (first.record.person.nhs_number, second.record.person.nhs_number) = (number(1), number(2));
        let Ok(Merging::Asked(decision)) = asked(&mut first, &second, false) else { panic!("not asked") };
        first.keep(*decision);
        first.tell(event);
        let open = first.record.questions.iter().any(|asked| asked.kind == question::Kind::SamePerson && asked.answered.is_none());
        assert!(open, "{event}");
    }
}

#[test]
fn a_number_that_is_the_same_or_not_verified_or_absent_is_no_obstacle() {
    let unverified = number(2).map(|held| NhsNumberHeld { verified: false, ..held });
    for (one, other) in [(number(1), number(1)), (number(1), unverified), (number(1), None), (None, None)] {
        let (mut first, mut second) = pair("known", "known");
        (first.record.person.nhs_number, second.record.person.nhs_number) = (one, other);
        assert!(matches!(asked(&mut first, &second, false), Ok(Merging::Merged(_))), "{one:?} {other:?}");
    }
}

#[test]
fn records_of_two_sites_or_merged_away_or_the_same_one_are_not_merged() {
    let (mut first, mut second) = pair("known", "known");
    second.record.person.site = SiteId("elsewhere".into());
    assert_eq!(asked(&mut first, &second, true), Err(Refusal::DifferentSites));
    second.record.person.site = SiteId("here".into());
    let same = first.clone();
    assert_eq!(asked(&mut first, &same, true), Ok(Merging::Nothing));
    merged(&mut first, &mut second);
    assert_eq!(asked(&mut first, &second, true), Ok(Merging::Nothing));
    let mut third = Story::of(PersonId(3), CountingIds(20_000));
    assert_eq!(asked(&mut third, &second, true), Err(Refusal::MergedAway));
    assert_eq!(second.step("refer self"), Err(Refusal::MergedAway));
}

#[test]
fn the_stricter_objection_wins() {
    check(
        "confirmed result new r1; notice; allocate ann",
        "object all",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: opted-out, released 2024-10-01 due 2024-10-08
    "#]],
    );
    check(
        "object all",
        "confirmed result new r1; notice; allocate ann; contact ann conversation",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: opted-out, released 2024-10-01 due 2024-10-08
    "#]],
    );
    let (mut first, mut second) = pair("object outside", "object all");
    merged(&mut first, &mut second);
    assert_eq!(first.record.person.objection.map(|objection| objection.scope), Some(Scope::All));
}

#[test]
fn of_two_live_referrals_the_furthest_goes_on() {
    check(
        "ordered o1",
        "ordered o2; notice; allocate ann",
        expect![[r#"
        clinic-request → referral 2
        clinic-request → referral 2
        referral 1: ended: joined
        referral 2: allocated ann, released 2024-10-01 due 2024-10-08
    "#]],
    );
    check(
        "ordered o1; notice; allocate ann; contact ann conversation",
        "ordered o2",
        expect![[r#"
        clinic-request → referral 1
        clinic-request → referral 1
        referral 1: engaged ann, released 2024-10-01 due 2024-10-08
        referral 2: ended: joined
    "#]],
    );
    check(
        "confirmed result new r1; notice; withdrawn r1",
        "ordered o2; notice; allocate ann",
        expect![[r#"
        new-diagnosis → referral 1
        clinic-request → referral 1
        referral 1: held (open), released 2024-10-01 due 2024-10-08
        referral 2: ended: joined, released 2024-10-01 due 2024-10-08
        question 1: result-withdrawn: open
    "#]],
    );
    check(
        "ordered o1; notice; end completed",
        "ordered o2",
        expect![[r#"
        clinic-request → referral 1
        clinic-request → referral 2
        referral 1: ended: completed, released 2024-10-01 due 2024-10-08
        referral 2: awaiting-notice
    "#]],
    );
}

#[test]
fn one_human_being_is_newly_diagnosed_once() {
    check(
        "known",
        "confirmed result new r1",
        expect![[r#"
        known-elsewhere → referral 1
        referral 1: awaiting-notice
    "#]],
    );
    check(
        "confirmed result new r1",
        "known",
        expect![[r#"
        known-elsewhere → referral 1
        referral 1: awaiting-notice
    "#]],
    );
    check(
        "later 5; confirmed result new r1",
        "confirmed result new r2",
        expect![[r#"
        new-diagnosis → referral 2
        known-elsewhere → referral 2
        referral 1: ended: joined
        referral 2: awaiting-notice
    "#]],
    );
    check(
        "confirmed result new r1; withdrawn r1; answer result-withdrawn not-confirmed",
        "later 5; confirmed result new r2",
        expect![[r#"
        new-diagnosis → excluded: result-withdrawn
        new-diagnosis → referral 2
        referral 1: ended: entered-in-error
        referral 2: awaiting-notice
        question 1: result-withdrawn: not-confirmed
    "#]],
    );
}

#[test]
fn a_question_answered_after_a_merge_does_not_count_a_diagnosis_twice() {
    let (mut first, mut second) = pair("confirmed result unknown r1", "later 3; confirmed result new r2");
    merged(&mut first, &mut second);
    first.tell("answer new-or-known new");
    expect![[r#"
        new-diagnosis → referral 1
        known-elsewhere → referral 1
        referral 1: awaiting-notice
        question 1: new-or-known: new
    "#]]
    .assert_eq(&render(&first.record));
}

#[test]
fn the_death_of_either_stops_both() {
    check(
        "confirmed result new r1; notice",
        "known; died",
        expect![[r#"
        known-elsewhere → referral 1
        referral 1: ended: died, released 2024-10-01 due 2024-10-08
    "#]],
    );
    check(
        "known; died",
        "confirmed result new r1; notice",
        expect![[r#"
        known-elsewhere → referral 1
        referral 1: ended: died, released 2024-10-01 due 2024-10-08
    "#]],
    );
}

#[test]
fn letters_of_either_are_cancelled_by_what_the_merge_stops() {
    let with_letter = "ordered o1; notice; allocate ann; letter";
    for (survivor, retired, of) in [
        ("object all", with_letter, PersonId(2)),
        (with_letter, "object all", PersonId(1)),
        ("known; died", with_letter, PersonId(2)),
        ("ordered o2; notice; allocate ann; contact ann conversation", with_letter, PersonId(2)),
        (with_letter, "ordered o2; notice; allocate ann; contact ann conversation", PersonId(1)),
    ] {
        let (mut first, mut second) = pair(survivor, retired);
        merged(&mut first, &mut second);
        let cancelled = first.effects.iter().chain(&second.effects).any(|effect| *effect == Effect::CancelQueued(of));
        assert!(cancelled, "{survivor} | {retired}");
    }
}

/// What a merge and its taking back must leave as it was, story by story.
#[test]
fn a_merge_taken_back_gives_exactly_both_records() {
    for (survivor, retired) in [
        ("confirmed result new r1; notice; allocate ann", "confirmed result new r2; object all"),
        ("known; died", "ordered o1; notice"),
        ("known; last-attended 2023-01-01; attended 2023-02-01 v1", "known; attended 2024-09-01 v2"),
        ("confirmed result unknown r1", "known"),
    ] {
        let (mut first, mut second) = pair(survivor, retired);
        let before = (first.record.clone(), second.record.clone());
        let merge = merged(&mut first, &mut second);
        taken_back(&mut first, &mut second, &merge);
        assert_eq!((&first.record, &second.record), (&before.0, &before.1), "{survivor} | {retired}");
    }
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "tables read better without a borrow in each row")]
fn check_back(survivor: &str, retired: &str, since: &str, expected: expect_test::Expect) {
    let (mut first, mut second) = pair(survivor, retired);
    let merge = merged(&mut first, &mut second);
    first.tell(since);
    taken_back(&mut first, &mut second, &merge);
    let objection = |story: &Story| story.record.person.objection.map_or("none", |objection| objection.scope.code());
    expected.assert_eq(&format!(
        "objection {}\n{}other: objection {}\n{}",
        objection(&first),
        render(&first.record),
        objection(&second),
        render(&second.record)
    ));
}

#[test]
fn an_objection_made_or_taken_back_since_the_merge_stands() {
    check_back(
        "ordered o1; notice",
        "ordered o2",
        "object all",
        expect![[r#"
        objection all
        clinic-request → referral 1
        referral 1: opted-out, released 2024-10-01 due 2024-10-08
        other: objection all
        clinic-request → referral 1
        referral 1: opted-out
    "#]],
    );
    check_back(
        "ordered o1; notice; object all",
        "ordered o2",
        "take-back",
        expect![[r#"
        objection none
        clinic-request → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        other: objection none
        clinic-request → referral 1
        referral 1: awaiting-notice
    "#]],
    );
    check_back(
        "ordered o1; notice",
        "ordered o2; object all",
        "take-back",
        expect![[r#"
        objection none
        clinic-request → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        other: objection all
        clinic-request → referral 1
        referral 1: opted-out
    "#]],
    );
    check_back(
        "ordered o1",
        "object all",
        "ordered o3",
        expect![[r#"
        objection none
        clinic-request → referral 1
        clinic-request → referral 1
        referral 1: awaiting-notice
        other: objection all
    "#]],
    );
}

#[test]
fn what_was_decided_since_a_merge_is_not_undone() {
    check_back(
        "confirmed result unknown r1",
        "ordered o2",
        "answer new-or-known new",
        expect![[r#"
        objection none
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        question 1: new-or-known: new
        other: objection none
        clinic-request → referral 1
        referral 1: awaiting-notice
    "#]],
    );
    check_back(
        "ordered o1",
        "confirmed result new r2",
        "died",
        expect![[r#"
        objection none
        clinic-request → referral 1
        referral 1: ended: died
        other: objection none
        new-diagnosis → referral 1
        referral 1: awaiting-notice
    "#]],
    );
    check_back(
        "ordered o1",
        "confirmed result new r2; notice",
        "withdrawn r2",
        expect![[r#"
        objection none
        clinic-request → referral 1
        referral 1: awaiting-notice
        other: objection none
        new-diagnosis → referral 1
        referral 1: held (open), released 2024-10-01 due 2024-10-08
        question 1: result-withdrawn: open
    "#]],
    );
    check_back(
        "ordered o1",
        "confirmed result new r2; notice",
        "withdrawn r2; answer result-withdrawn not-confirmed",
        expect![[r#"
        objection none
        clinic-request → referral 1
        referral 1: awaiting-notice
        other: objection none
        new-diagnosis → excluded: result-withdrawn
        referral 1: ended: entered-in-error, released 2024-10-01 due 2024-10-08
        question 1: result-withdrawn: not-confirmed
    "#]],
    );
}

#[test]
fn a_diagnosis_that_did_not_stand_can_be_made_again_after_a_merge_is_taken_back() {
    let (mut first, mut second) = pair("known", "confirmed result new r2");
    let merge = merged(&mut first, &mut second);
    first.tell("withdrawn r2; answer result-withdrawn not-confirmed");
    taken_back(&mut first, &mut second, &merge);
    first.tell("confirmed result new r3");
    second.tell("confirmed result new r3");
    expect![[r#"
        other:
        new-diagnosis → excluded: result-withdrawn
        new-diagnosis → referral 2
        referral 1: ended: entered-in-error
        referral 2: awaiting-notice
        question 1: result-withdrawn: not-confirmed
    "#]]
    .assert_eq(&format!("{}other:\n{}", render(&first.record), render(&second.record)));
}

#[test]
fn what_came_since_a_merge_stays_with_the_survivor_and_leads_somewhere_of_its_own() {
    check_back(
        "known",
        "ordered o2; notice; allocate ann",
        "ordered o3",
        expect![[r#"
        objection none
        clinic-request → referral 1
        referral 1: awaiting-notice
        other: objection none
        clinic-request → referral 1
        referral 1: allocated ann, released 2024-10-01 due 2024-10-08
    "#]],
    );
    check_back(
        "known",
        "confirmed result new r2; born 2008-01-01",
        "born 2008-01-01; ordered o3",
        expect![[r#"
        objection none
        clinic-request → question 1
        question 1: safeguarding: open
        other: objection none
        new-diagnosis → referral 1
        referral 1: awaiting-notice
    "#]],
    );
    check_back(
        "ordered o1",
        "ordered o2; notice",
        "end moved; ordered o3",
        expect![[r#"
        objection none
        clinic-request → referral 1
        clinic-request → referral 1
        referral 1: awaiting-notice
        referral 2: ended: joined
        other: objection none
        clinic-request → referral 1
        referral 1: ended: moved, released 2024-10-01 due 2024-10-08
    "#]],
    );
}

#[test]
fn an_answer_of_same_is_one_of_those_that_the_question_takes() {
    assert_eq!(question::Kind::SamePerson.answers(), &[Answer::Same, Answer::Different]);
}
