//! What people ask for, and the rules that forbid it.

use expect_test::expect;
use jiff::civil::date;

use super::story::{Story, check};
use crate::referral::Audience;

#[test]
fn notice_needs_both_statements_a_clinician_and_a_day_that_has_come() {
    check(
        "confirmed result new r1; notice unaware",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        refused: notice unaware: diagnosis-not-known
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice untold",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        refused: notice untold: not-told
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice unaware objects all",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        refused: notice unaware objects all: diagnosis-not-known
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice by supporter; notice by coordinator; notice by manager; notice by safeguarding; notice by person; notice by operator; notice by feed; notice by clock",
        expect![[r#"
            new-diagnosis → referral 1
            referral 1: awaiting-notice
            refused: notice by supporter: not-a-clinician
            refused: notice by coordinator: not-a-clinician
            refused: notice by manager: not-a-clinician
            refused: notice by safeguarding: not-a-clinician
            refused: notice by person: not-a-clinician
            refused: notice by operator: not-a-clinician
            refused: notice by feed: not-a-clinician
            refused: notice by clock: not-a-clinician
            last: nothing
        "#]],
    );
    check(
        "confirmed result new r1; notice told 2024-10-02",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        refused: notice told 2024-10-02: date-in-the-future
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice told 2024-09-30",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        last: notice-recorded, released
    "#]],
    );
    check(
        "confirmed result new r1; notice; notice",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        refused: notice: not-in-this-state
        last: nothing
    "#]],
    );
    check(
        "notice",
        expect![[r#"
        refused: notice: not-found
        last: nothing
    "#]],
    );
}

#[test]
fn notice_says_who_when_and_how() {
    let story = Story::told("confirmed result new r1; later 3; notice told 2024-10-02");
    let notice = story.record.referrals[0].notice.as_ref().unwrap();
    assert_eq!((notice.by.0.as_str(), notice.on), ("nurse", date(2024, 10, 2)));
}

#[test]
fn only_the_clinic_sees_a_referral_before_its_release() {
    let mut story = Story::told("confirmed result new r1");
    let audience = |story: &Story| story.record.referrals[0].audience();
    assert_eq!(audience(&story), Audience::ClinicOnly);
    story.tell("notice not-now 2024-11-01");
    assert_eq!(audience(&story), Audience::ClinicOnly);
    story.tell("later 31; ask-again");
    assert_eq!(audience(&story), Audience::ClinicOnly);
    story.tell("notice");
    assert_eq!(audience(&story), Audience::Service);
}

#[test]
fn not_now_is_deferred_and_asked_again() {
    check(
        "confirmed result new r1; notice not-now 2024-11-01",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: deferred until 2024-11-01
        last: notice-recorded, deferred
    "#]],
    );
    check(
        "confirmed result new r1; notice not-now 2024-11-01; ask-again",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: deferred until 2024-11-01
        refused: ask-again: not-in-this-state
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice not-now 2024-11-01; ask-again by nurse",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: asked-again
    "#]],
    );
    check(
        "confirmed result new r1; notice not-now 2024-11-01; later 31; ask-again",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: asked-again
    "#]],
    );
    check(
        "confirmed result new r1; notice not-now 2024-11-01; later 31; ask-again; notice",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-11-01 due 2024-11-08
        last: notice-recorded, released
    "#]],
    );
    check(
        "confirmed result new r1; notice not-now 2024-11-01; notice",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        last: notice-recorded, released
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; defer 2024-12-01 by person",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: deferred until 2024-12-01
        last: deferred, letters-cancelled
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; contact ann conversation; defer 2024-12-01",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: engaged ann, released 2024-10-01 due 2024-10-08
        refused: defer 2024-12-01: not-in-this-state
        last: nothing
    "#]],
    );
}

#[test]
fn a_deferral_has_a_date_that_is_not_out_of_sight_and_follows_notice() {
    check(
        "confirmed result new r1; notice not-now 2024-10-01; notice not-now 2025-10-03",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        refused: notice not-now 2024-10-01: deferral-too-long
        refused: notice not-now 2025-10-03: deferral-too-long
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice not-now 2025-10-02",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: deferred until 2025-10-02
        last: notice-recorded, deferred
    "#]],
    );
    check(
        "confirmed result new r1; defer 2024-11-01",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        refused: defer 2024-11-01: not-in-this-state
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice; defer 2024-10-01; defer 2024-11-01 by manager",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        refused: defer 2024-10-01: deferral-too-long
        refused: defer 2024-11-01 by manager: not-permitted
        last: nothing
    "#]],
    );
}

#[test]
fn the_promise_is_five_working_days_after_release() {
    check(
        "confirmed result new r1; later 86; notice",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-12-26 due 2025-01-03
        last: notice-recorded, released
    "#]],
    );
}

#[test]
fn going_outside_needs_recorded_consent() {
    check(
        "confirmed result new r1; notice; allocate olga",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        refused: allocate olga: consent-needed
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice consents; allocate olga",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated olga, released 2024-10-01 due 2024-10-08
        last: allocated
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; contact olga conversation",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated ann, released 2024-10-01 due 2024-10-08
        refused: contact olga conversation: consent-needed
        last: nothing
    "#]],
    );
}

#[test]
fn allocation_asks_for_release_site_contract_training_and_room() {
    check(
        "confirmed result new r1; allocate ann",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        refused: allocate ann: not-in-this-state
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate eve; allocate tess; allocate carl; allocate ann 3; allocate ann 2",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated ann, released 2024-10-01 due 2024-10-08
        refused: allocate eve: contract-over
        refused: allocate tess: not-cleared
        refused: allocate carl: not-at-this-site
        refused: allocate ann 3: caseload-full
        last: allocated
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; allocate ann",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated ann, released 2024-10-01 due 2024-10-08
        refused: allocate ann: same-supporter
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann by person; allocate ann by manager; allocate ann by clock",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        refused: allocate ann by person: not-permitted
        refused: allocate ann by manager: not-permitted
        refused: allocate ann by clock: not-permitted
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice not-now 2024-11-01; allocate ann",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: deferred until 2024-11-01
        refused: allocate ann: not-in-this-state
        last: nothing
    "#]],
    );
    check(
        "allocate ann",
        expect![[r#"
        refused: allocate ann: not-found
        last: nothing
    "#]],
    );
}

#[test]
fn another_supporter_takes_over_where_the_first_one_stopped() {
    check(
        "confirmed result new r1; notice; allocate ann; allocate ben",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated ben, released 2024-10-01 due 2024-10-08
        last: reallocated
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; contact ann conversation; assess; allocate ben",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: assessed ben, released 2024-10-01 due 2024-10-08
        last: reallocated
    "#]],
    );
}

#[test]
fn a_contact_is_tried_then_engages_and_after_an_assessment_supports() {
    check(
        "confirmed result new r1; notice; allocate ann; contact ann no-answer",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: contacting ann, released 2024-10-01 due 2024-10-08
        last: contact-recorded
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; contact ann left-message; contact ann conversation",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: engaged ann, released 2024-10-01 due 2024-10-08
        last: contact-recorded, engaged
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; contact ann conversation; assess; contact ann no-answer",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: assessed ann, released 2024-10-01 due 2024-10-08
        last: contact-recorded
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; contact ann conversation; assess; contact ann conversation",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: supported ann, released 2024-10-01 due 2024-10-08
        last: contact-recorded, support-began
    "#]],
    );
}

#[test]
fn attempts_are_counted_until_the_first_conversation() {
    let mut story = Story::told("confirmed result new r1; notice; allocate ann; contact ann no-answer; contact ann did-not-attend");
    assert_eq!(story.record.referrals[0].attempts, 2);
    story.tell("later 1; contact ann conversation; later 1; contact ann conversation; contact ann no-answer");
    let referral = &story.record.referrals[0];
    assert_eq!((referral.attempts, referral.engaged_on), (2, Some(date(2024, 10, 2))));
    assert_eq!(story.contacts.len(), 5);
}

#[test]
fn a_contact_is_dated_between_release_and_today_and_is_of_believable_size() {
    let open = "confirmed result new r1; later 3; notice; allocate ann; later 2";
    check(
        &format!("{open}; contact ann conversation 2024-10-03"),
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated ann, released 2024-10-04 due 2024-10-11
        refused: contact ann conversation 2024-10-03: date-too-early
        last: nothing
    "#]],
    );
    check(
        &format!("{open}; contact ann conversation 2024-10-04"),
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: engaged ann, released 2024-10-04 due 2024-10-11
        last: contact-recorded, engaged
    "#]],
    );
    check(
        &format!("{open}; contact ann conversation 2024-10-07"),
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated ann, released 2024-10-04 due 2024-10-11
        refused: contact ann conversation 2024-10-07: date-in-the-future
        last: nothing
    "#]],
    );
    check(
        &format!("{open}; contact ann conversation 601min; contact ann conversation 600min"),
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: engaged ann, released 2024-10-04 due 2024-10-11
        refused: contact ann conversation 601min: too-many-minutes
        last: contact-recorded, engaged
    "#]],
    );
    check(
        &format!("{open}; contact ann conversation 2001chars; contact ann conversation 2000chars"),
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: engaged ann, released 2024-10-04 due 2024-10-11
        refused: contact ann conversation 2001chars: note-too-long
        last: contact-recorded, engaged
    "#]],
    );
    check(
        "confirmed result new r1; contact ann conversation",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        refused: contact ann conversation: not-in-this-state
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice; contact ann conversation",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        refused: contact ann conversation: not-in-this-state
        last: nothing
    "#]],
    );
}

#[test]
fn a_contact_is_recorded_by_a_supporter_of_the_site_who_may_stand_in() {
    let allocated = "confirmed result new r1; notice; allocate ann";
    check(
        &format!("{allocated}; contact ben conversation"),
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: engaged ann, released 2024-10-01 due 2024-10-08
        last: contact-recorded, engaged
    "#]],
    );
    check(
        &format!("{allocated}; contact carl conversation; contact eve conversation; contact ann conversation signed-as-ben"),
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated ann, released 2024-10-01 due 2024-10-08
        refused: contact carl conversation: not-their-supporter
        refused: contact eve conversation: contract-over
        refused: contact ann conversation signed-as-ben: not-their-supporter
        last: nothing
    "#]],
    );
    check(
        &format!("{allocated}; contact ann conversation by nurse; contact ann conversation by person"),
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated ann, released 2024-10-01 due 2024-10-08
        refused: contact ann conversation by nurse: not-permitted
        refused: contact ann conversation by person: not-permitted
        last: nothing
    "#]],
    );
}

#[test]
fn an_assessment_needs_a_conversation() {
    check(
        "confirmed result new r1; notice; allocate ann; assess",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: allocated ann, released 2024-10-01 due 2024-10-08
        refused: assess: conversation-first
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; contact ann no-answer; assess",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: contacting ann, released 2024-10-01 due 2024-10-08
        refused: assess: conversation-first
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice; allocate ann; contact ann conversation; assess 2024-09-30; assess 2024-10-02; assess",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: assessed ann, released 2024-10-01 due 2024-10-08
        refused: assess 2024-09-30: date-too-early
        refused: assess 2024-10-02: date-in-the-future
        last: assessment-recorded
    "#]],
    );
    check(
        "confirmed result new r1; notice; assess",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        refused: assess: not-in-this-state
        last: nothing
    "#]],
    );
}

#[test]
fn the_next_assessment_is_due_when_its_instrument_or_the_policy_says() {
    let engaged = "confirmed result new r1; notice; allocate ann; contact ann conversation";
    let due = |script: &str| Story::told(&format!("{engaged}; {script}")).record.referrals[0].next_assessment_on;
    assert_eq!(due("assess"), Some(date(2024, 12, 31)));
    assert_eq!(due("assess repeat=30"), Some(date(2024, 10, 31)));
    assert_eq!(due("later 10; assess; assess 2024-10-05"), Some(date(2025, 1, 10)));
    let story = Story::told(&format!("{engaged}; assess; later 91; assess"));
    assert_eq!(story.record.referrals[0].assessed_on, Some(date(2024, 10, 1)));
    assert_eq!(story.record.referrals[0].next_assessment_on, Some(date(2025, 4, 1)));
    assert_eq!(story.assessments.len(), 2);
}

#[test]
fn an_ending_has_a_reason_and_a_day_and_is_final() {
    check(
        "confirmed result new r1; notice; end moved",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: ended: moved, released 2024-10-01 due 2024-10-08
        last: ended, letters-cancelled
    "#]],
    );
    check(
        "confirmed result new r1; end moved by supporter; end moved 2024-10-02; end moved",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: ended: moved
        refused: end moved by supporter: not-permitted
        refused: end moved 2024-10-02: date-in-the-future
        last: ended, letters-cancelled
    "#]],
    );
    check(
        "confirmed result new r1; notice; end chose-to-stop by person; end moved; notice; allocate ann",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: ended: chose-to-stop, released 2024-10-01 due 2024-10-08
        refused: end moved: not-in-this-state
        refused: notice: not-in-this-state
        refused: allocate ann: not-in-this-state
        last: nothing
    "#]],
    );
    check(
        "confirmed result new r1; notice; end moved by clock",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: open, released 2024-10-01 due 2024-10-08
        refused: end moved by clock: not-permitted
        last: nothing
    "#]],
    );
}

#[test]
fn people_ask_for_themselves_and_clinicians_for_others() {
    check(
        "refer self",
        expect![[r#"
        self-referral → referral 1
        referral 1: awaiting-notice
        last: trigger-noted, referral-raised
    "#]],
    );
    check(
        "refer clinic",
        expect![[r#"
        clinic-request → referral 1
        referral 1: awaiting-notice
        last: trigger-noted, referral-raised
    "#]],
    );
    check(
        "refer clinic by supporter; refer clinic by person; refer clinic 2024-10-02; refer new-diagnosis by nurse",
        expect![[r#"
        refused: refer clinic by supporter: not-a-clinician
        refused: refer clinic by person: not-a-clinician
        refused: refer clinic 2024-10-02: date-in-the-future
        refused: refer new-diagnosis by nurse: not-permitted
        last: nothing
    "#]],
    );
    check(
        "refer new-diagnosis; confirmed result new r1",
        expect![[r#"
        new-diagnosis → referral 1
        referral 1: awaiting-notice
        last: nothing
    "#]],
    );
}
