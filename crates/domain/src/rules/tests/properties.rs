//! What holds whatever happens. Steps are words of `story.rs`, so a failing story can be read, and told again.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::merging::{merged, pair, taken_back};
use super::story::Story;
use crate::decision::Effect;
use crate::ledger::{Standing, standing};
use crate::record::Record;
use crate::referral::{Audience, Referral, Stage, Status};
use crate::trigger::{Exclusion, Kind, Outcome};

const TRIGGERING: &[&str] = &[
    "confirmed result new r1",
    "confirmed result new r2",
    "confirmed result unknown r1",
    "confirmed coded new v1",
    "confirmed listed new l1",
    "known",
    "ordered o1",
    "ordered o2",
];
const FACTS: &[&str] = &[
    "withdrawn r1",
    "attended 2020-01-01 v1",
    "attended 2022-02-01 v2",
    "attended today v3",
    "last-attended 2021-01-01",
    "visit-cancelled v1",
    "visit-cancelled v2",
    "visit-cancelled v3",
    "missed",
    "order-cancelled o1",
    "born 2008-01-01",
    "born 1990-01-01",
    "birth-date-unknown",
];
const RARE: &[&str] = &["died", "withdrawn r2", "care-reported", "later 500"];
const NOTICES: &[&str] = &["notice", "notice consents", "notice not-now 2025-01-01", "notice objects all", "notice objects outside"];
const NO_NOTICES: &[&str] = &[
    "notice unaware",
    "notice untold",
    "notice by supporter",
    "notice by person",
    "notice by operator",
    "notice told 2030-01-01",
    "defer 2025-01-02",
];
const ANSWERS: &[&str] = &[
    "answer new-or-known new",
    "answer new-or-known known-offer",
    "answer new-or-known known-no-offer",
    "answer safeguarding offer",
    "answer safeguarding do-not-offer",
    "answer result-withdrawn still-confirmed",
    "answer result-withdrawn not-confirmed",
    "answer gap-unknown coming-back",
    "answer gap-unknown as-usual",
];
const WORK: &[&str] = &[
    "refer clinic",
    "ask-again",
    "ask-again by nurse",
    "allocate ann",
    "allocate ben",
    "allocate olga",
    "contact ann no-answer",
    "contact ann conversation",
    "contact olga conversation",
    "assess",
    "letter",
    "end moved",
    "end chose-to-stop by person",
    "defer 2025-01-01",
    "later 20",
];
const OBJECTIONS: &[&str] = &["object all", "object outside"];
const CHANGES_OF_MIND: &[&str] = &["take-back", "refer self"];

/// Stories of some steps from the lists, each list as likely as its weight.
fn steps(lists: Vec<(u32, &'static [&'static str])>) -> impl Strategy<Value = Vec<&'static str>> {
    let any = proptest::strategy::Union::new_weighted(lists.into_iter().map(|(weight, list)| (weight, select(list))).collect());
    prop::collection::vec(any, 0..30)
}

fn anything() -> impl Strategy<Value = Vec<&'static str>> {
    steps(vec![
        (4, TRIGGERING),
        (4, FACTS),
        (1, RARE),
        (4, NOTICES),
        (1, NO_NOTICES),
        (3, ANSWERS),
        (8, WORK),
        (1, OBJECTIONS),
        (1, CHANGES_OF_MIND),
    ])
}

fn tell(story: &mut Story, steps: &[&str]) {
    for step in steps {
        // A refusal changes nothing, which is part of what is tested.
        let _ = story.step(step);
    }
}

pub(super) fn standings(record: &Record) -> Vec<Standing> {
    let of = |trigger: &crate::trigger::Trigger| match trigger.outcome {
        Outcome::Referral(id) => standing(trigger, record.referral(id), None),
        Outcome::Question(id) => standing(trigger, None, record.question(id)),
        Outcome::OptedOut | Outcome::Excluded(_) => standing(trigger, None, None),
    };
    record.triggers.iter().map(of).collect()
}

/// The ledger balances, one referral at most is live, one new diagnosis at most counts, rows are of their record, and
/// the journal tells the same as the state.
fn assert_whole(story: &Story) {
    let record = &story.record;
    assert!(!standings(record).contains(&Standing::Unaccounted), "unaccounted for");
    assert!(record.referrals.iter().filter(|referral| referral.status.is_live()).count() <= 1, "two live referrals");
    let counts = |trigger: &&crate::trigger::Trigger| {
        trigger.kind == Kind::NewDiagnosis && trigger.outcome != Outcome::Excluded(Exclusion::ResultWithdrawn)
    };
    assert!(record.triggers.iter().filter(counts).count() <= 1, "newly diagnosed twice");
    for referral in &record.referrals {
        let mut stages = story.journal.iter().filter(|event| event.referral == Some(referral.id)).filter_map(|event| event.stage);
        assert_eq!(stages.next_back(), Some(referral.status.stage()), "the journal says otherwise");
        assert_eq!(referral.ended_on.is_some(), !referral.status.is_live(), "ended without a day, or the reverse");
        assert_eq!(referral.person, record.person.id);
    }
    assert!(record.triggers.iter().all(|trigger| trigger.person == record.person.id));
    assert!(record.questions.iter().all(|asked| asked.person == record.person.id));
    if record.person.died.is_some() {
        assert_eq!(record.live_referral(), None, "death stops everything");
    }
    assert_gate(story);
    assert_fence(record);
}

/// The gate: without notice only the clinic sees a referral, and nothing is done about it.
fn assert_gate(story: &Story) {
    for referral in &story.record.referrals {
        let released = matches!(
            base(&referral.status),
            Stage::Open | Stage::Allocated | Stage::Contacting | Stage::Engaged | Stage::Assessed | Stage::Supported
        );
        if referral.notice.is_none() {
            assert_eq!(referral.audience(), Audience::ClinicOnly);
            assert!(!released, "released without notice");
            assert_eq!((referral.released_on, referral.engaged_on, referral.attempts), (None, None, 0));
        } else if released && !matches!(referral.status, Status::Held { .. }) {
            assert_eq!(referral.audience(), Audience::Service, "nobody would work on it");
        }
    }
    let noticed = |id| story.record.referral(id).is_some_and(|referral| referral.notice.is_some());
    assert!(story.effects.iter().all(|effect| match effect {
        Effect::Queue(letter) => story.record.referral(letter.referral).is_none() || noticed(letter.referral),
        Effect::CancelQueued(_) => true,
    }));
}

/// The stage, seen through a hold.
fn base(status: &Status) -> Stage {
    match status {
        Status::Held { resume, .. } => base(resume),
        other => other.stage(),
    }
}

/// Opted out means opted out, and nobody is opted out who does not object.
fn assert_fence(record: &Record) {
    for referral in record.referrals.iter().filter(|referral: &&Referral| referral.status.is_live()) {
        assert_eq!(base(&referral.status) == Stage::OptedOut, record.person.has_opted_out(), "the objection and the referral disagree");
    }
    if !record.person.has_opted_out() {
        assert!(
            record.triggers.iter().all(|trigger| trigger.outcome != Outcome::OptedOut || record.person.died.is_some()),
            "silenced for no reason"
        );
    }
}

fn queued(story: &Story) -> usize {
    story.effects.iter().filter(|effect| matches!(effect, Effect::Queue(_))).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn without_notice_nothing_is_released_and_nothing_leaves(
        steps in steps(vec![(4, TRIGGERING), (3, FACTS), (1, RARE), (3, NO_NOTICES), (3, ANSWERS), (6, WORK), (1, OBJECTIONS), (2, CHANGES_OF_MIND)])
    ) {
        let mut story = Story::new();
        for step in steps {
            let _ = story.step(step);
            for referral in &story.record.referrals {
                prop_assert_eq!(referral.audience(), Audience::ClinicOnly);
                prop_assert!(matches!(base(&referral.status), Stage::AwaitingNotice | Stage::OptedOut | Stage::Ended), "{:?}", referral.status);
            }
            prop_assert_eq!(queued(&story), 0);
            prop_assert!(story.contacts.is_empty() && story.assessments.is_empty());
        }
    }

    #[test]
    fn nothing_but_the_agreed_rule_triggers(
        steps in steps(vec![(6, FACTS), (1, &["died", "withdrawn r2", "later 500"]), (2, NOTICES), (3, ANSWERS), (2, &["ask-again", "allocate ann", "letter", "take-back"]), (1, OBJECTIONS)])
    ) {
        let mut story = Story::new();
        tell(&mut story, &steps);
        prop_assert_eq!(&story.record.triggers, &vec![]);
        prop_assert_eq!(&story.record.referrals, &vec![]);
        prop_assert_eq!(&story.record.questions, &vec![]);
    }

    #[test]
    fn every_trigger_is_accounted_for_after_every_step(steps in anything()) {
        let mut story = Story::new();
        for step in steps {
            let before = (story.record.clone(), story.journal.len());
            if story.step(step).is_err() {
                prop_assert_eq!((&story.record, story.journal.len()), (&before.0, before.1));
            }
            prop_assert!(story.record.triggers.len() >= before.0.triggers.len(), "a trigger was lost");
            assert_whole(&story);
        }
    }

    #[test]
    fn every_order_of_the_same_messages_is_accounted_for(
        messages in subsequence([TRIGGERING, FACTS, RARE].concat(), 1..12).prop_shuffle(), work in anything()
    ) {
        let mut story = Story::new();
        for (message, step) in messages.iter().zip(work.iter().chain(std::iter::repeat(&"missed"))) {
            tell(&mut story, &[message, step]);
            assert_whole(&story);
        }
    }

    #[test]
    fn nothing_passes_the_fence_of_an_objection(
        before in anything(),
        after in steps(vec![(4, TRIGGERING), (4, FACTS), (1, RARE), (2, NOTICES), (3, ANSWERS), (8, WORK), (1, OBJECTIONS)])
    ) {
        let mut story = Story::new();
        tell(&mut story, &before);
        story.tell("object all");
        let (letters, contacts) = (queued(&story), story.contacts.len());
        prop_assert_eq!(story.letters_queued(), 0);
        for step in after {
            let _ = story.step(step);
            let live = story.record.live_referral().map(|referral| base(&referral.status));
            prop_assert!(matches!(live, None | Some(Stage::OptedOut)), "{:?}", live);
            prop_assert_eq!((queued(&story), story.contacts.len()), (letters, contacts));
        }
        prop_assert!(story.record.person.has_opted_out());
    }

    /// One withdrawn result, one cancelled visit and no cancelled order: only the latest number of each is
    /// remembered, and of orders none, which is enough because the intake knows duplicates before the rules do.
    /// Nor is a question about a withdrawn result answered in between: a second withdrawal is asked about again.
    #[test]
    fn the_same_messages_again_change_nothing(
        messages in subsequence([TRIGGERING, &FACTS[..6], &["missed", "born 2008-01-01", "care-reported", "died"]].concat(), 0..14).prop_shuffle(),
        answers in prop::collection::vec(select([&ANSWERS[..5], &ANSWERS[7..], &["object all", "notice"]].concat()), 0..14)
    ) {
        let mut story = Story::new();
        for (at, message) in messages.iter().enumerate() {
            tell(&mut story, &[message]);
            tell(&mut story, answers.get(at..=at).unwrap_or_default());
        }
        let first = story.record.clone();
        tell(&mut story, &messages);
        let again = &story.record;
        prop_assert_eq!(&again.triggers, &first.triggers);
        prop_assert_eq!(&again.referrals, &first.referrals);
        prop_assert_eq!(&again.questions, &first.questions);
        prop_assert_eq!(&again.person, &first.person);
    }

    #[test]
    fn a_merge_taken_back_gives_back_both_records_whatever_they_were(one in anything(), other in anything()) {
        let (mut first, mut second) = pair("", "");
        tell(&mut first, &one);
        tell(&mut second, &other);
        let before = (first.record.clone(), second.record.clone());
        let merge = merged(&mut first, &mut second);
        assert_whole(&first);
        prop_assert_eq!(first.record.person.has_opted_out(), before.0.person.has_opted_out() || before.1.person.has_opted_out());
        taken_back(&mut first, &mut second, &merge);
        prop_assert_eq!(&first.record, &before.0);
        prop_assert_eq!(&second.record, &before.1);
    }

    #[test]
    fn whatever_happens_between_a_merge_and_its_taking_back_both_are_whole(one in anything(), other in anything(), since in anything()) {
        let (mut first, mut second) = pair("", "");
        tell(&mut first, &one);
        tell(&mut second, &other);
        let triggers = first.record.triggers.len() + second.record.triggers.len();
        let merge = merged(&mut first, &mut second);
        for step in since {
            let _ = first.step(step);
            assert_whole(&first);
        }
        taken_back(&mut first, &mut second, &merge);
        second.journal = first.journal.iter().chain(&second.journal).cloned().collect();
        assert_whole(&first);
        assert_whole(&second);
        prop_assert!(first.record.triggers.len() + second.record.triggers.len() >= triggers, "a trigger was lost");
    }
}
