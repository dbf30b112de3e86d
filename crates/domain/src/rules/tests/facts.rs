//! What messages mean, and what follows from the answers to questions.

use expect_test::expect;

use super::story::{Story, check};

#[test]
fn somebody_without_earlier_evidence_is_newly_diagnosed() {
    check(
        "confirmed result new r1",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: diagnosis-noted, trigger-noted, referral-raised
    "#]],
    );
    check(
        "confirmed coded new v1",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: diagnosis-noted, trigger-noted, referral-raised
    "#]],
    );
    check(
        "confirmed listed new",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: diagnosis-noted, trigger-noted, referral-raised
    "#]],
    );
    check(
        "ordered o1; confirmed result new r1",
        expect![[r#"
        clinic-request → referral 1
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: diagnosis-noted, trigger-noted, referral-joined
    "#]],
    );
}

#[test]
fn somebody_already_diagnosed_is_not_newly_diagnosed() {
    check(
        "known",
        expect![[r#"
        last: diagnosis-noted
    "#]],
    );
    check(
        "known; confirmed result new r1",
        expect![[r#"
        last: nothing
    "#]],
    );
    check(
        "known; confirmed coded unknown v1",
        expect![[r#"
        last: nothing
    "#]],
    );
}

#[test]
fn where_messages_cannot_tell_the_clinic_is_asked() {
    check(
        "confirmed result unknown r1",
        expect![[r#"
        undetermined → question 1
        question 1: new-or-known: open
        last: diagnosis-noted, trigger-noted, question-raised
    "#]],
    );
    check(
        "confirmed result unknown r1; confirmed listed new l1",
        expect![[r#"
        undetermined → question 1
        question 1: new-or-known: open
        last: nothing
    "#]],
    );
    check(
        "ordered o1; care-reported",
        expect![[r#"
        clinic-request → referral 1
        undetermined → question 1
        referral 1: awaiting-notice
        question 1: new-or-known: open
        last: diagnosis-noted, trigger-noted, question-raised
    "#]],
    );
    check(
        "confirmed result unknown r1; answer new-or-known new",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        question 1: new-or-known: new
        last: question-answered, referral-raised
    "#]],
    );
    check(
        "confirmed result unknown r1; answer new-or-known known-offer",
        expect![[r#"
        known-elsewhere → referral 1
        referral 1: awaiting-notice
        question 1: new-or-known: known-offer
        last: question-answered, referral-raised
    "#]],
    );
    check(
        "confirmed result unknown r1; answer new-or-known known-no-offer",
        expect![[r#"
        undetermined → excluded: known-no-offer
        question 1: new-or-known: known-no-offer
        last: question-answered, trigger-excluded
    "#]],
    );
}

#[test]
fn a_list_that_calls_a_known_person_new_asks_the_clinic() {
    check(
        "known; confirmed listed new l1",
        expect![[r#"
        undetermined → question 1
        question 1: new-or-known: open
        last: diagnosis-noted, trigger-noted, question-raised
    "#]],
    );
    check(
        "known; confirmed listed new l1; answer new-or-known new",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        question 1: new-or-known: new
        last: question-answered, referral-raised
    "#]],
    );
    check(
        "known; confirmed listed new l1; answer new-or-known known-offer; later 7; confirmed listed new l1; confirmed listed new",
        expect![[r#"
        known-elsewhere → referral 1
        referral 1: awaiting-notice
        question 1: new-or-known: known-offer
        last: nothing
    "#]],
    );
    check(
        "known; confirmed listed new l1; answer new-or-known known-no-offer; later 7; confirmed listed new l1",
        expect![[r#"
        undetermined → excluded: known-no-offer
        question 1: new-or-known: known-no-offer
        last: nothing
    "#]],
    );
    check(
        "confirmed result unknown r1; answer new-or-known known-offer; confirmed result unknown r1",
        expect![[r#"
        known-elsewhere → referral 1
        referral 1: awaiting-notice
        question 1: new-or-known: known-offer
        last: nothing
    "#]],
    );
}

#[test]
fn the_day_of_a_new_diagnosis_is_the_day_of_its_evidence() {
    let mut story = Story::told("confirmed result unknown r1; later 9; answer new-or-known new");
    assert_eq!(story.record.person.diagnosis, crate::person::Diagnosis::New { on: super::story::FIRST_DAY });
    story.tell("later 30; confirmed listed new l1");
    assert_eq!(story.record.triggers.len(), 1);
}

#[test]
fn a_question_takes_its_own_answers_once_from_those_whom_it_asks() {
    check(
        "confirmed result unknown r1; answer new-or-known offer",
        expect![[r#"
        undetermined → question 1
        question 1: new-or-known: open
        refused: answer new-or-known offer: wrong-answer
        last: nothing
    "#]],
    );
    check(
        "confirmed result unknown r1; answer new-or-known new by coordinator",
        expect![[r#"
        undetermined → question 1
        question 1: new-or-known: open
        refused: answer new-or-known new by coordinator: not-a-clinician
        last: nothing
    "#]],
    );
    check(
        "confirmed result unknown r1; answer new-or-known new by safeguarding",
        expect![[r#"
        undetermined → question 1
        question 1: new-or-known: open
        refused: answer new-or-known new by safeguarding: not-a-clinician
        last: nothing
    "#]],
    );
    check(
        "confirmed result unknown r1; answer new-or-known new; answer new-or-known known-offer",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        question 1: new-or-known: new
        refused: answer new-or-known known-offer: already-answered
        last: nothing
    "#]],
    );
    check(
        "answer new-or-known new",
        expect![[r#"
        refused: answer new-or-known new: not-found
        last: nothing
    "#]],
    );
    check(
        "born 2008-01-01; ordered o1; answer safeguarding offer by nurse",
        expect![[r#"
        clinic-request → question 1
        question 1: safeguarding: open
        refused: answer safeguarding offer by nurse: not-the-safeguarding-lead
        last: nothing
    "#]],
    );
}

#[test]
fn a_return_after_fifteen_months_is_a_re_engagement_and_a_day_less_is_not() {
    check(
        "known; last-attended 2023-06-30; attended 2024-09-30 v1",
        expect![[r#"
        re-engagement → referral 1
        referral 1: awaiting-notice
        last: attendance-noted, trigger-noted, referral-raised
    "#]],
    );
    check(
        "known; last-attended 2023-06-30; attended 2024-09-29 v1",
        expect![[r#"
        last: attendance-noted
    "#]],
    );
    check(
        "known; last-attended 2022-01-01; attended 2023-01-01 v1; attended 2024-04-01 v2",
        expect![[r#"
        re-engagement → referral 1
        referral 1: awaiting-notice
        last: attendance-noted, trigger-noted, referral-raised
    "#]],
    );
}

#[test]
fn an_unknown_last_attendance_asks_the_clinic() {
    check(
        "known; attended today v1",
        expect![[r#"
        re-engagement → question 1
        question 1: gap-unknown: open
        last: attendance-noted, trigger-noted, question-raised
    "#]],
    );
    check(
        "known; attended today v1; answer gap-unknown coming-back",
        expect![[r#"
        re-engagement → referral 1
        referral 1: awaiting-notice
        question 1: gap-unknown: coming-back
        last: question-answered, referral-raised
    "#]],
    );
    check(
        "known; attended today v1; answer gap-unknown as-usual",
        expect![[r#"
        re-engagement → excluded: attends-as-usual
        question 1: gap-unknown: as-usual
        last: question-answered, trigger-excluded
    "#]],
    );
}

#[test]
fn an_attendance_of_somebody_not_known_to_be_in_care_triggers_nothing() {
    check(
        "attended today v1",
        expect![[r#"
        last: attendance-noted
    "#]],
    );
    check(
        "last-attended 2020-01-01; attended today v1",
        expect![[r#"
        last: attendance-noted
    "#]],
    );
    check(
        "known; missed",
        expect![[r#"
        last: attendance-missed
    "#]],
    );
}

#[test]
fn a_diagnosis_is_a_day_in_care_from_which_the_gap_is_measured() {
    check(
        "last-attended 2020-01-01; confirmed result new r1; later 7; attended today v1",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: attendance-noted
    "#]],
    );
    check(
        "attended today v1; confirmed result new r1; visit-cancelled v1; later 7; attended today v2",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: attendance-noted
    "#]],
    );
    check(
        "confirmed result new r1; later 500; attended today v1",
        expect![[r#"
        new-diagnosis → referral 1
        re-engagement → referral 1
        referral 1: awaiting-notice
        last: attendance-noted, trigger-noted, referral-joined
    "#]],
    );
}

#[test]
fn what_the_clinic_asks_for_joins_the_live_referral() {
    check(
        "ordered o1",
        expect![[r#"
        clinic-request → referral 1
        referral 1: awaiting-notice
        last: trigger-noted, referral-raised
    "#]],
    );
    check(
        "confirmed result new r1; ordered o1",
        expect![[r#"
        new-diagnosis → referral 1
        clinic-request → referral 1
        referral 1: awaiting-notice
        last: trigger-noted, referral-joined
    "#]],
    );
    check(
        "confirmed result new r1; notice; refer clinic",
        expect![[r#"
        new-diagnosis → referral 1
        clinic-request → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        last: trigger-noted, referral-joined
    "#]],
    );
    check(
        "ordered o1; notice; end completed; ordered o2",
        expect![[r#"
        clinic-request → referral 1
        clinic-request → referral 2
        referral 1: ended: completed, released 2024-10-01 due 2024-10-08
        referral 2: awaiting-notice
        last: trigger-noted, referral-raised
    "#]],
    );
}

#[test]
fn repeated_evidence_adds_nothing() {
    check(
        "confirmed result new r1; confirmed result new r1; confirmed coded new v1; confirmed listed new l1",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: nothing
    "#]],
    );
    check(
        "ordered o1; ordered o1",
        expect![[r#"
        clinic-request → referral 1
        referral 1: awaiting-notice
        last: nothing
    "#]],
    );
    check(
        "known; last-attended 2020-01-01; attended today v1; attended today v1",
        expect![[r#"
        re-engagement → referral 1
        referral 1: awaiting-notice
        last: nothing
    "#]],
    );
}

#[test]
fn an_order_that_is_cancelled_ends_what_it_alone_began_unless_somebody_has_tried() {
    check(
        "ordered o1; order-cancelled o1",
        expect![[r#"
        clinic-request → excluded: order-cancelled
        referral 1: ended: request-withdrawn
        last: trigger-excluded, ended, letters-cancelled
    "#]],
    );
    check(
        "ordered o1; notice; allocate ann; letter; order-cancelled o1",
        expect![[r#"
        clinic-request → excluded: order-cancelled
        referral 1: ended: request-withdrawn, released 2024-10-01 due 2024-10-08
        last: trigger-excluded, ended, letters-cancelled
    "#]],
    );
    check(
        "ordered o1; notice; allocate ann; contact ann no-answer; order-cancelled o1",
        expect![[r#"
        clinic-request → referral 1
        referral 1: contacting ann, released 2024-10-01 due 2024-10-08
        last: nothing
    "#]],
    );
    check(
        "ordered o1; notice; allocate ann; contact ann conversation; order-cancelled o1",
        expect![[r#"
        clinic-request → referral 1
        referral 1: engaged ann, released 2024-10-01 due 2024-10-08
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; ordered o1; order-cancelled o1",
        expect![[r#"
        new-diagnosis → referral 1
        clinic-request → excluded: order-cancelled
        referral 1: awaiting-notice
        last: trigger-excluded
    "#]],
    );
    check(
        "born 2008-01-01; ordered o1; order-cancelled o1",
        expect![[r#"
        clinic-request → excluded: order-cancelled
        question 1: safeguarding: moot
        last: trigger-excluded
    "#]],
    );
    check(
        "ordered o1; order-cancelled o2",
        expect![[r#"
        clinic-request → referral 1
        referral 1: awaiting-notice
        last: nothing
    "#]],
    );
}

#[test]
fn a_cancelled_attendance_takes_back_what_it_began() {
    check(
        "known; last-attended 2020-01-01; attended today v1; visit-cancelled v1",
        expect![[r#"
        re-engagement → excluded: attendance-cancelled
        referral 1: ended: entered-in-error
        last: attendance-cancelled, trigger-excluded, ended, letters-cancelled
    "#]],
    );
    check(
        "known; attended today v1; visit-cancelled v1",
        expect![[r#"
        re-engagement → excluded: attendance-cancelled
        question 1: gap-unknown: moot
        last: attendance-cancelled, trigger-excluded
    "#]],
    );
    check(
        "known; last-attended 2020-01-01; attended today v1; visit-cancelled v1; later 1; attended today v2",
        expect![[r#"
        re-engagement → excluded: attendance-cancelled
        re-engagement → referral 2
        referral 1: ended: entered-in-error
        referral 2: awaiting-notice
        last: attendance-noted, trigger-noted, referral-raised
    "#]],
    );
}

#[test]
fn a_cancellation_that_overtakes_its_attendance_still_counts() {
    check(
        "known; last-attended 2020-01-01; visit-cancelled v1; attended today v1",
        expect![[r#"
        last: nothing
    "#]],
    );
    check(
        "known; last-attended 2020-01-01; visit-cancelled v1; attended today v2",
        expect![[r#"
        re-engagement → referral 1
        referral 1: awaiting-notice
        last: attendance-noted, trigger-noted, referral-raised
    "#]],
    );
}

#[test]
fn a_withdrawn_result_stops_what_it_started_and_asks() {
    check(
        "confirmed result new r1; withdrawn r1",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: held (awaiting-notice)
        question 1: result-withdrawn: open
        last: result-withdrawn, held, letters-cancelled, question-raised
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; withdrawn r1",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: held (allocated ann), released 2024-10-01 due 2024-10-08
        question 1: result-withdrawn: open
        last: result-withdrawn, held, letters-cancelled, question-raised
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; contact ann conversation; withdrawn r1",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: held (engaged ann), released 2024-10-01 due 2024-10-08
        question 1: result-withdrawn: open
        last: result-withdrawn, held, letters-cancelled, question-raised
    "#]],
    );
    check(
        "confirmed result new r1; notice; end completed; withdrawn r1",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: ended: completed, released 2024-10-01 due 2024-10-08
        question 1: result-withdrawn: open
        last: result-withdrawn, question-raised
    "#]],
    );
    check(
        "confirmed result unknown r1; withdrawn r1",
        expect![[r#"
        undetermined → question 2
        question 1: new-or-known: moot
        question 2: result-withdrawn: open
        last: result-withdrawn, question-raised
    "#]],
    );
    check(
        "confirmed result new r1; withdrawn r2",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: result-withdrawn
    "#]],
    );
    check(
        "ordered r1; withdrawn r1",
        expect![[r#"
        clinic-request → referral 1
        referral 1: awaiting-notice
        last: result-withdrawn
    "#]],
    );
}

#[test]
fn a_diagnosis_that_is_not_offered_is_asked_about_too() {
    check(
        "born 2008-01-01; confirmed result new r1; answer safeguarding do-not-offer; withdrawn r1",
        expect![[r#"
        new-diagnosis → excluded: not-to-be-offered
        question 1: safeguarding: do-not-offer
        question 2: result-withdrawn: open
        last: result-withdrawn, question-raised
    "#]],
    );
    check(
        "born 2008-01-01; confirmed result new r1; answer safeguarding do-not-offer; withdrawn r1; answer result-withdrawn not-confirmed",
        expect![[r#"
        new-diagnosis → excluded: result-withdrawn
        question 1: safeguarding: do-not-offer
        question 2: result-withdrawn: not-confirmed
        last: question-answered, trigger-excluded, letters-cancelled
    "#]],
    );
    check(
        "object all; confirmed result new r1; withdrawn r1; answer result-withdrawn not-confirmed",
        expect![[r#"
        new-diagnosis → excluded: result-withdrawn
        question 1: result-withdrawn: not-confirmed
        last: question-answered, trigger-excluded, letters-cancelled
    "#]],
    );
}

#[test]
fn a_result_withdrawn_before_it_arrives_triggers_nothing() {
    check(
        "ordered o1; withdrawn r1; confirmed result new r1",
        expect![[r#"
        clinic-request → referral 1
        referral 1: awaiting-notice
        last: nothing
    "#]],
    );
    check(
        "ordered o1; withdrawn r1; confirmed result new r2",
        expect![[r#"
        clinic-request → referral 1
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: diagnosis-noted, trigger-noted, referral-joined
    "#]],
    );
}

#[test]
fn a_diagnosis_that_stands_resumes_where_it_stopped() {
    check(
        "confirmed result new r1; withdrawn r1; answer result-withdrawn still-confirmed",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        question 1: result-withdrawn: still-confirmed
        last: question-answered, resumed
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; withdrawn r1; later 9; answer result-withdrawn still-confirmed",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated ann, released 2024-10-01 due 2024-10-08
        question 1: result-withdrawn: still-confirmed
        last: question-answered, resumed
    "#]],
    );
    check(
        "confirmed result unknown r1; withdrawn r1; answer result-withdrawn still-confirmed",
        expect![[r#"
        undetermined → question 3
        question 1: new-or-known: moot
        question 2: result-withdrawn: still-confirmed
        question 3: new-or-known: open
        last: question-answered, question-raised
    "#]],
    );
}

#[test]
fn a_diagnosis_that_does_not_stand_ends_everything() {
    check(
        "confirmed result new r1; withdrawn r1; answer result-withdrawn not-confirmed",
        expect![[r#"
        new-diagnosis → excluded: result-withdrawn
        referral 1: ended: entered-in-error
        question 1: result-withdrawn: not-confirmed
        last: question-answered, trigger-excluded, letters-cancelled, ended
    "#]],
    );
    check(
        "confirmed result new r1; ordered o1; notice; allocate ann; withdrawn r1; answer result-withdrawn not-confirmed",
        expect![[r#"
        new-diagnosis → excluded: result-withdrawn
        clinic-request → referral 1
        referral 1: ended: entered-in-error, released 2024-10-01 due 2024-10-08
        question 1: result-withdrawn: not-confirmed
        last: question-answered, trigger-excluded, letters-cancelled, ended
    "#]],
    );
    check(
        "confirmed result unknown r1; withdrawn r1; answer result-withdrawn not-confirmed",
        expect![[r#"
        undetermined → excluded: result-withdrawn
        question 1: new-or-known: moot
        question 2: result-withdrawn: not-confirmed
        last: question-answered, trigger-excluded, letters-cancelled
    "#]],
    );
    check(
        "confirmed result new r1; withdrawn r1; answer result-withdrawn not-confirmed; confirmed result new r2",
        expect![[r#"
        new-diagnosis → excluded: result-withdrawn
        new-diagnosis → referral 2
        referral 1: ended: entered-in-error
        referral 2: awaiting-notice
        question 1: result-withdrawn: not-confirmed
        last: diagnosis-noted, trigger-noted, referral-raised
    "#]],
    );
}

#[test]
fn nothing_is_automatic_under_eighteen_or_where_the_age_is_unknown() {
    check(
        "born 2006-10-02; confirmed result new r1",
        expect![[r#"
        new-diagnosis → question 1
        question 1: safeguarding: open
        last: diagnosis-noted, trigger-noted, question-raised
    "#]],
    );
    check(
        "born 2006-10-01; confirmed result new r1",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: diagnosis-noted, trigger-noted, referral-raised
    "#]],
    );
    check(
        "birth-date-unknown; confirmed result new r1",
        expect![[r#"
        new-diagnosis → question 1
        question 1: safeguarding: open
        last: diagnosis-noted, trigger-noted, question-raised
    "#]],
    );
    check(
        "born 2008-01-01; ordered o1; refer clinic; refer self",
        expect![[r#"
        clinic-request → question 1
        clinic-request → question 1
        self-referral → question 1
        question 1: safeguarding: open
        last: trigger-noted
    "#]],
    );
    check(
        "born 2008-01-01; confirmed result new r1; answer safeguarding offer",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        question 1: safeguarding: offer
        last: question-answered, referral-raised
    "#]],
    );
    check(
        "born 2008-01-01; confirmed result new r1; answer safeguarding do-not-offer",
        expect![[r#"
        new-diagnosis → excluded: not-to-be-offered
        question 1: safeguarding: do-not-offer
        last: question-answered, trigger-excluded
    "#]],
    );
}

#[test]
fn the_safeguarding_leads_answer_holds_for_what_comes_after() {
    check(
        "born 2008-01-01; confirmed result new r1; answer safeguarding do-not-offer; ordered o1",
        expect![[r#"
        new-diagnosis → excluded: not-to-be-offered
        clinic-request → excluded: not-to-be-offered
        question 1: safeguarding: do-not-offer
        last: trigger-noted, trigger-excluded
    "#]],
    );
    check(
        "born 2008-01-01; confirmed result new r1; answer safeguarding offer; notice; end completed; ordered o1",
        expect![[r#"
        new-diagnosis → referral 1
        clinic-request → referral 2
        referral 1: ended: completed, released 2024-10-01 due 2024-10-08
        referral 2: awaiting-notice
        question 1: safeguarding: offer
        last: trigger-noted, referral-raised
    "#]],
    );
    check(
        "born 2008-01-01; confirmed result unknown r1; answer new-or-known new",
        expect![[r#"
        new-diagnosis → question 2
        question 1: new-or-known: new
        question 2: safeguarding: open
        last: question-answered, question-raised
    "#]],
    );
}

#[test]
fn details_change_without_consequences() {
    check(
        "born 1991-02-03",
        expect![[r#"
        last: details-changed
    "#]],
    );
    check(
        "born 1990-01-01",
        expect![[r#"
        last: nothing
    "#]],
    );
}
