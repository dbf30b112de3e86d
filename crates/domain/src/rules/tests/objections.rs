//! Opting out, dying, and the letters that must not go.

use expect_test::expect;

use super::story::{Story, check};
use crate::decision::Refusal;
use crate::ledger::Standing;
use crate::referral::{EndReason, Stage, Status};

/// A way to every stage.
const WAYS: &[(Stage, &str)] = &[
    (Stage::AwaitingNotice, "confirmed result new r1"),
    (Stage::Deferred, "confirmed result new r1; notice not-now 2024-11-01"),
    (Stage::OptedOut, "confirmed result new r1; object all"),
    (Stage::Open, "confirmed result new r1; notice"),
    (Stage::Allocated, "confirmed result new r1; notice; allocate ann"),
    (Stage::Contacting, "confirmed result new r1; notice; allocate ann; contact ann no-answer"),
    (Stage::Engaged, "confirmed result new r1; notice; allocate ann; contact ann conversation"),
    (Stage::Assessed, "confirmed result new r1; notice; allocate ann; contact ann conversation; assess"),
    (Stage::Supported, "confirmed result new r1; notice; allocate ann; contact ann conversation; assess; contact ann conversation"),
    (Stage::Held, "confirmed result new r1; notice; allocate ann; withdrawn r1"),
    (Stage::Ended, "confirmed result new r1; notice; end moved"),
];

fn stage(story: &Story) -> Stage {
    story.record.referrals.last().unwrap().status.stage()
}

fn standings(story: &Story) -> Vec<Standing> {
    super::properties::standings(&story.record)
}

#[test]
fn the_ways_reach_every_stage() {
    assert!(WAYS.iter().map(|(stage, _)| *stage).eq(Stage::ALL.iter().copied()));
    for (wanted, way) in WAYS {
        assert_eq!(stage(&Story::told(way)), *wanted, "{way}");
    }
}

#[test]
fn an_objection_takes_effect_at_once_in_every_stage() {
    for (from, way) in WAYS {
        let mut story = Story::told(way);
        assert_eq!(story.step("object all"), Ok(()), "{from}");
        let wanted = if *from == Stage::Ended { Stage::Ended } else { Stage::OptedOut };
        assert_eq!(stage(&story), wanted, "{from}");
        for refused in ["notice", "allocate ben", "contact ann conversation", "letter", "refer clinic", "defer 2024-11-01"] {
            assert!(story.step(refused).is_err(), "{from}: {refused}");
        }
        story.tell("ordered o9; known; attended today v9; later 500; attended today v10");
        assert_eq!(stage(&story), wanted, "{from}");
        assert_eq!(story.record.referrals.len(), 1, "{from}");
        assert!(standings(&story)[1..].iter().all(|standing| *standing == Standing::OptedOut), "{from}");
    }
}

#[test]
fn an_objection_taken_back_before_notice_awaits_notice_and_after_it_is_open() {
    check(
        "confirmed result new r1; object all; later 30; take-back",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: objection-taken-back, asked-again
    "#]],
    );
    check(
        "confirmed result new r1; notice objects all; later 30; take-back",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-31 due 2024-11-07
        last: objection-taken-back, released
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; object all; later 30; take-back",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-31 due 2024-11-07
        last: objection-taken-back, released
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; contact ann conversation; object all; later 30; take-back",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        last: objection-taken-back, released
    "#]],
    );
    check(
        "confirmed result new r1; object all; later 30; refer self",
        expect![[r#"
        new-diagnosis → referral 1
        self-referral → referral 1
        referral 1: awaiting-notice
        last: objection-taken-back, asked-again, trigger-noted, referral-joined
    "#]],
    );
    check(
        "take-back",
        expect![[r#"
        refused: take-back: nothing-to-take-back
        last: nothing
    "#]],
    );
}

#[test]
fn what_an_objection_silenced_comes_back_with_its_doubts() {
    check(
        "known; object all; ordered o1; take-back",
        expect![[r#"
        clinic-request → referral 1
        referral 1: awaiting-notice
        last: objection-taken-back, referral-raised
    "#]],
    );
    check(
        "object all; confirmed result unknown r1; take-back",
        expect![[r#"
        undetermined → question 1
        question 1: new-or-known: open
        last: objection-taken-back, question-raised
    "#]],
    );
    check(
        "confirmed result unknown r1; object all; take-back",
        expect![[r#"
        undetermined → question 2
        question 1: new-or-known: moot
        question 2: new-or-known: open
        last: objection-taken-back, question-raised
    "#]],
    );
    check(
        "known; attended today v1; object all; take-back",
        expect![[r#"
        re-engagement → question 2
        question 1: gap-unknown: moot
        question 2: gap-unknown: open
        last: objection-taken-back, question-raised
    "#]],
    );
    check(
        "known; last-attended 2020-01-01; object all; attended today v1; take-back",
        expect![[r#"
        re-engagement → referral 1
        referral 1: awaiting-notice
        last: objection-taken-back, referral-raised
    "#]],
    );
    check(
        "born 2008-01-01; confirmed result new r1; object all; take-back",
        expect![[r#"
        new-diagnosis → question 2
        question 1: safeguarding: moot
        question 2: safeguarding: open
        last: objection-taken-back, question-raised
    "#]],
    );
}

#[test]
fn an_objection_hides_a_withdrawn_result_but_does_not_lift_it() {
    check(
        "confirmed result new r1; notice; withdrawn r1; object all",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: opted-out, released 2024-10-01 due 2024-10-08
        question 1: result-withdrawn: open
        last: letters-cancelled, opted-out
    "#]],
    );
    check(
        "confirmed result new r1; notice; withdrawn r1; object all; take-back",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: held (open), released 2024-10-01 due 2024-10-08
        question 1: result-withdrawn: open
        last: objection-taken-back, held
    "#]],
    );
    check(
        "confirmed result new r1; notice; object all; withdrawn r1; take-back; answer result-withdrawn still-confirmed",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        question 1: result-withdrawn: still-confirmed
        last: question-answered, resumed
    "#]],
    );
    check(
        "confirmed result new r1; notice objects all; withdrawn r1; later 3; take-back; later 4; answer result-withdrawn still-confirmed",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-08 due 2024-10-15
        question 1: result-withdrawn: still-confirmed
        last: question-answered, resumed
    "#]],
    );
    check(
        "confirmed result unknown r1; withdrawn r1; object all; take-back",
        expect![[r#"
        undetermined → question 2
        question 1: new-or-known: moot
        question 2: result-withdrawn: open
        last: objection-taken-back
    "#]],
    );
    check(
        "object all; confirmed result new r1; withdrawn r1; take-back",
        expect![[r#"
        new-diagnosis → question 1
        question 1: result-withdrawn: open
        last: objection-taken-back
    "#]],
    );
    check(
        "confirmed result new r1; notice; withdrawn r1; object all; answer result-withdrawn still-confirmed",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: opted-out, released 2024-10-01 due 2024-10-08
        question 1: result-withdrawn: still-confirmed
        last: question-answered
    "#]],
    );
}

#[test]
fn objecting_to_what_is_outside_leaves_what_is_inside() {
    check(
        "confirmed result new r1; notice objects outside consents; allocate olga; allocate ann",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated ann, released 2024-10-01 due 2024-10-08
        refused: allocate olga: outside-refused
        last: allocated
    "#]],
    );
    check(
        "confirmed result new r1; notice consents; object outside; allocate olga; allocate ann",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated ann, released 2024-10-01 due 2024-10-08
        refused: allocate olga: outside-refused
        last: allocated
    "#]],
    );
    check(
        "confirmed result new r1; notice; object outside; allocate ann; contact olga conversation; contact ann conversation",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: engaged ann, released 2024-10-01 due 2024-10-08
        refused: contact olga conversation: outside-refused
        last: contact-recorded, engaged
    "#]],
    );
    check(
        "object outside; ordered o1",
        expect![[r#"
        clinic-request → referral 1
        referral 1: awaiting-notice
        last: trigger-noted, referral-raised
    "#]],
    );
}

#[test]
fn asking_for_oneself_does_not_let_information_outside() {
    let mut story = Story::told("object outside; refer self");
    assert_eq!(story.record.person.objection.map(|objection| objection.scope), Some(crate::person::Scope::OutsideOnly));
    story.tell("object all; refer self");
    assert_eq!(story.record.person.objection, None);
}

#[test]
fn a_narrower_objection_does_not_loosen_a_wider_one() {
    let story = Story::told("object all; object outside");
    assert!(story.record.person.has_opted_out());
}

#[test]
fn death_stops_every_stage() {
    for (from, way) in WAYS {
        let mut story = Story::told(way);
        story.tell("died");
        let wanted = if *from == Stage::Ended { EndReason::Moved } else { EndReason::Died };
        assert_eq!(story.record.referrals.last().unwrap().status, Status::Ended { reason: wanted }, "{from}");
        assert!(story.record.questions.iter().all(|asked| asked.answered.is_some()), "{from}");
        for refused in [
            "notice",
            "refer clinic",
            "refer self",
            "allocate ben",
            "contact ann conversation",
            "assess",
            "letter",
            "defer 2024-11-01",
            "ask-again",
            "take-back",
        ] {
            assert_eq!(story.step(refused), Err(Refusal::Died), "{from}: {refused}");
        }
        story.tell("ordered o9; withdrawn r1");
        assert_eq!(story.record.live_referral(), None, "{from}");
        assert!(story.record.questions.iter().all(|asked| asked.answered.is_some()), "{from}");
        assert!(matches!(standings(&story).last(), Some(Standing::Excluded | Standing::OptedOut)), "{from}");
    }
}

#[test]
fn after_death_everything_is_excluded_and_questions_are_moot() {
    check(
        "confirmed result unknown r1; died",
        expect![[r#"
        undetermined → excluded: died
        question 1: new-or-known: moot
        last: died, letters-cancelled, trigger-excluded
    "#]],
    );
    check(
        "known; died; attended today v1; ordered o1; died",
        expect![[r#"
        re-engagement → excluded: died
        clinic-request → excluded: died
        last: nothing
    "#]],
    );
    check(
        "known; died; object all",
        expect![[r#"
        last: letters-cancelled, opted-out
    "#]],
    );
}

#[test]
fn a_queued_letter_is_cancelled_by_objection_death_hold_deferral_and_ending() {
    for stop in ["object all", "object outside", "died", "withdrawn r1", "defer 2024-11-01", "end chose-to-stop"] {
        let mut story = Story::told("confirmed result new r1; notice; allocate ann; letter; letter");
        assert_eq!(story.letters_queued(), 2);
        assert_eq!(story.step(stop), Ok(()), "{stop}");
        assert_eq!(story.letters_queued(), 0, "{stop}");
    }
    let mut story = Story::told("ordered o1; notice; allocate ann; letter; order-cancelled o1");
    assert_eq!((story.letters_queued(), stage(&story)), (0, Stage::Ended));
    story = Story::told("known; last-attended 2020-01-01; attended today v1; notice; allocate ann; letter; visit-cancelled v1");
    assert_eq!((story.letters_queued(), stage(&story)), (0, Stage::Ended));
}

#[test]
fn a_letter_needs_a_supporter_and_nobody_queues_it_for_themselves() {
    check(
        "confirmed result new r1; letter; notice; letter; allocate ann; letter by person; letter by nurse; letter",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated ann, released 2024-10-01 due 2024-10-08
        refused: letter: not-in-this-state
        refused: letter: not-in-this-state
        refused: letter by person: not-permitted
        refused: letter by nurse: not-permitted
        last: letter-queued
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; withdrawn r1; letter",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: held (allocated ann), released 2024-10-01 due 2024-10-08
        question 1: result-withdrawn: open
        refused: letter: not-in-this-state
        last: nothing
    "#]],
    );
}
