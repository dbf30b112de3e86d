//! A small language in which tests and properties tell what happens to one person, and a compact rendering of what
//! came of it.
//!
//! Facts: `confirmed EVIDENCE NOVELTY NUMBER`, `known`, `withdrawn NUMBER`, `attended DATE VISIT`, `last-attended DATE`,
//! `visit-cancelled VISIT`, `missed`, `care-reported`, `ordered NUMBER`, `order-cancelled NUMBER`, `died`, `born DATE`,
//! `birth-date-unknown`. Commands: see [`Story::command`]; a trailing `by WHO` changes who acts. `later DAYS` moves the
//! clock. A command that needs a referral takes the live one, or else the latest.

use std::fmt::Write as _;

use expect_test::Expect;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::command::Command;
use crate::contact::{Assessment, AssessmentForm, Contact, ContactNote, Outcome as ContactOutcome, Way};
use crate::decision::{Actor, Cause, Context, Decision, Effect, Event, Refusal};
use crate::fact::{Evidence, Fact, Novelty, Subject};
use crate::id::{CountingIds, MessageId, PersonId, ReferralId};
use crate::notice::{Answer as NoticeAnswer, How, Telling};
use crate::person::{Demographics, ObjectionReason, Person, Said, Scope, SiteId};
use crate::policy::Policy;
use crate::question::{self, Answer};
use crate::record::Record;
use crate::referral::{EndReason, Status};
use crate::rules::{commands, facts};
use crate::supporter::{Basis, Role, StaffId, Supporter};
use crate::trigger::{Kind, Outcome};

/// The day on which stories begin.
pub(super) const FIRST_DAY: Date = date(2024, 10, 1);

/// What has happened to one person.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) record: Record,
    pub(super) ids: CountingIds,
    pub(super) today: Date,
    steps: i64,
    policy: Policy,
    pub(super) journal: Vec<Event>,
    pub(super) effects: Vec<Effect>,
    pub(super) contacts: Vec<Contact>,
    pub(super) assessments: Vec<Assessment>,
    /// Events of the last step.
    last: usize,
    refused: Vec<(String, Refusal)>,
}

impl Story {
    /// An adult of whom nothing has happened yet.
    pub(super) fn new() -> Self {
        Self::of(PersonId(1), CountingIds(100))
    }

    /// The same for a second person, whose ids must differ.
    pub(super) fn of(person: PersonId, ids: CountingIds) -> Self {
        let mut person = Person::new(person, SiteId("here".into()), vec![]);
        person.birth_date = Some(date(1990, 1, 1));
        Self {
            record: Record::new(person),
            ids,
            today: FIRST_DAY,
            steps: 0,
            policy: Policy::default(),
            journal: vec![],
            effects: vec![],
            contacts: vec![],
            assessments: vec![],
            last: 0,
            refused: vec![],
        }
    }

    pub(super) fn told(script: &str) -> Self {
        let mut story = Self::new();
        story.tell(script);
        story
    }

    /// Tells further steps.
    pub(super) fn tell(&mut self, script: &str) -> &mut Self {
        for step in script.split([';', '\n']).map(str::trim).filter(|step| !step.is_empty()) {
            if let Err(refusal) = self.step(step) {
                self.refused.push((step.to_owned(), refusal));
            }
        }
        self
    }

    /// One step, which may be refused.
    pub(super) fn step(&mut self, step: &str) -> Result<(), Refusal> {
        self.steps += 1;
        self.last = self.journal.len();
        let words: Vec<&str> = step.split_whitespace().collect();
        if let ["later", days] = words[..] {
            self.today = self.today.checked_add(Span::new().days(days.parse::<i64>().unwrap())).unwrap();
            return Ok(());
        }
        if let Some((demographics, fact)) = fact(&words, self.today) {
            self.hear(demographics, &[fact]);
            return Ok(());
        }
        let (words, by) = match words.iter().position(|word| *word == "by") {
            Some(at) => (&words[..at], Some(actor(words[at + 1]))),
            None => (&words[..], None),
        };
        let (usual, command) = self.command(words);
        let actor = by.unwrap_or(usual);
        let decision = self.with(actor, Cause::Form, |record, ctx| commands::decide(record, &command, ctx))?;
        self.keep(decision);
        Ok(())
    }

    /// A message with several facts.
    pub(super) fn hear(&mut self, demographics: Demographics, said: &[Fact]) {
        let subject = Subject { demographics, ..Subject::default() };
        let message = Cause::Message(MessageId(u128::try_from(self.steps).unwrap()));
        let actor = Actor::Feed("feed".into());
        let decision = self.with(actor, message, |record, ctx| facts::apply(record, &subject, said, false, ctx));
        self.keep(decision);
    }

    pub(super) fn with<T>(&mut self, actor: Actor, cause: Cause, rule: impl FnOnce(Record, &mut Context<'_>) -> T) -> T {
        let noon = self.today.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp();
        let at = noon + Span::new().seconds(self.steps);
        let record = self.record.clone();
        rule(record, &mut Context { at, today: self.today, actor, cause, policy: &self.policy, ids: &mut self.ids })
    }

    pub(super) fn keep(&mut self, decision: Decision) {
        self.record = decision.record;
        self.journal.extend(decision.events);
        self.effects.extend(decision.effects);
        self.contacts.extend(decision.contacts);
        self.assessments.extend(decision.assessments);
    }

    /// The referral that a command without one is about.
    fn referral(&self) -> ReferralId {
        let latest = self.record.live_referral().or(self.record.referrals.last());
        latest.map_or(ReferralId(0), |referral| referral.id)
    }

    /// The command, and who usually gives it.
    fn command(&self, words: &[&str]) -> (Actor, Command) {
        let referral = self.referral();
        let on = |words: &[&str]| words.iter().find_map(|word| word.parse().ok()).unwrap_or(self.today);
        match words {
            ["notice", how @ ..] => (actor("nurse"), Command::RecordNotice { referral, telling: telling(how, self.today) }),
            ["refer", "clinic", rest @ ..] => (actor("nurse"), Command::Refer { kind: Kind::ClinicRequest, on: on(rest) }),
            ["refer", "self", rest @ ..] => (Actor::Person, Command::Refer { kind: Kind::SelfReferral, on: on(rest) }),
            ["refer", kind, rest @ ..] => (Actor::Operator, Command::Refer { kind: Kind::from_code(kind).unwrap(), on: on(rest) }),
            ["object", scope] => {
                (Actor::Person, Command::Object { scope: Scope::from_code(scope).unwrap(), reason: ObjectionReason::Privacy })
            }
            ["take-back"] => (Actor::Person, Command::TakeBackObjection),
            ["defer", until] => (actor("nurse"), Command::Defer { referral, until: until.parse().unwrap() }),
            ["ask-again"] => (Actor::Clock, Command::AskAgain { referral }),
            ["allocate", who, rest @ ..] => {
                let caseload = rest.first().map_or(0, |count| count.parse().unwrap());
                (actor("coordinator"), Command::Allocate { referral, supporter: supporter(who), caseload })
            }
            ["contact", who, outcome, rest @ ..] => (actor("supporter"), contact(referral, who, outcome, on(rest), rest)),
            ["assess", rest @ ..] => (actor("supporter"), Command::RecordAssessment { referral, form: form(on(rest), rest) }),
            ["letter"] => (actor("supporter"), Command::QueueLetter { referral, not_before: Timestamp::UNIX_EPOCH }),
            ["end", reason, rest @ ..] => {
                (actor("nurse"), Command::End { referral, reason: EndReason::from_code(reason).unwrap(), on: on(rest) })
            }
            ["answer", kind, answer] => self.answer(question::Kind::from_code(kind).unwrap(), Answer::from_code(answer).unwrap()),
            _ => panic!("no such step: {words:?}"),
        }
    }

    fn answer(&self, kind: question::Kind, answer: Answer) -> (Actor, Command) {
        let asked = || self.record.questions.iter().filter(|asked| asked.kind == kind);
        let question =
            asked().find(|asked| asked.answered.is_none()).or(asked().next_back()).map_or(crate::id::QuestionId(0), |asked| asked.id);
        (Actor::Staff { id: StaffId("somebody".into()), role: kind.asks() }, Command::Answer { question, answer })
    }

    /// Triggers, referrals, questions, what was refused, and what the last step wrote into the journal.
    pub(super) fn render(&self) -> String {
        let mut text = render(&self.record);
        for (step, refusal) in &self.refused {
            writeln!(text, "refused: {step}: {refusal}").unwrap();
        }
        if self.steps > 0 {
            let events: Vec<&str> = self.journal[self.last..].iter().map(|event| event.what.code()).collect();
            writeln!(text, "last: {}", if events.is_empty() { "nothing".into() } else { events.join(", ") }).unwrap();
        }
        text
    }

    /// Whether a letter is still queued, as the outbox would hold it.
    pub(super) fn letters_queued(&self) -> usize {
        self.effects.iter().fold(0, |queued, effect| match effect {
            Effect::Queue(_) => queued + 1,
            Effect::CancelQueued(_) => 0,
        })
    }
}

pub(super) fn render(record: &Record) -> String {
    let mut text = String::new();
    let referral = |id| record.referrals.iter().position(|referral| referral.id == id).map_or(0, |at| at + 1);
    let question = |id| record.questions.iter().position(|asked| asked.id == id).map_or(0, |at| at + 1);
    for trigger in &record.triggers {
        let outcome = match trigger.outcome {
            Outcome::Referral(id) => format!("referral {}", referral(id)),
            Outcome::Question(id) => format!("question {}", question(id)),
            Outcome::OptedOut => "opted out".to_owned(),
            Outcome::Excluded(reason) => format!("excluded: {reason}"),
        };
        writeln!(text, "{} → {outcome}", trigger.kind).unwrap();
    }
    for (at, held) in record.referrals.iter().enumerate() {
        write!(text, "referral {}: {}", at + 1, status(&held.status)).unwrap();
        if let (Some(released), Some(due)) = (held.released_on, held.due_on) {
            write!(text, ", released {released} due {due}").unwrap();
        }
        writeln!(text).unwrap();
    }
    for (at, asked) in record.questions.iter().enumerate() {
        let answer = match &asked.answered {
            None => "open",
            Some(answered) => answered.answer.map_or("moot", Answer::code),
        };
        writeln!(text, "question {}: {}: {answer}", at + 1, asked.kind).unwrap();
    }
    text
}

fn status(status: &Status) -> String {
    let stage = status.stage();
    match status {
        Status::Deferred { until } => format!("{stage} until {until}"),
        Status::Held { resume, .. } => format!("{stage} ({})", self::status(resume)),
        Status::Ended { reason } => format!("{stage}: {reason}"),
        other => other.supporter().map_or(stage.to_string(), |who| format!("{stage} {who}")),
    }
}

/// Tells a story and compares what came of it.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "tables read better without a borrow in each row")]
pub(super) fn check(script: &str, expected: Expect) {
    expected.assert_eq(&Story::told(script).render());
}

fn fact(words: &[&str], today: Date) -> Option<(Demographics, Fact)> {
    let number = |number: &str| Some(number.to_owned());
    let mut demographics = Demographics::default();
    let fact = match words {
        ["confirmed", evidence, novelty, rest @ ..] => Fact::HivConfirmed {
            evidence: Evidence::from_code(evidence).unwrap(),
            novelty: Novelty::from_code(novelty).unwrap(),
            on: today,
            number: rest.first().and_then(|word| number(word)),
        },
        ["known"] => Fact::HivConfirmed { evidence: Evidence::Listed, novelty: Novelty::Known, on: today, number: None },
        ["withdrawn", result] => Fact::ResultWithdrawn { number: (*result).to_owned() },
        ["attended", "today", visit] => Fact::ClinicAttended { on: today, visit: number(visit) },
        ["attended", on, visit] => Fact::ClinicAttended { on: on.parse().unwrap(), visit: number(visit) },
        ["last-attended", on] => Fact::LastAttended { on: on.parse().unwrap() },
        ["visit-cancelled", visit] => Fact::AttendanceCancelled { visit: (*visit).to_owned() },
        ["missed"] => Fact::AppointmentMissed { on: today },
        ["care-reported"] => Fact::HivCareReported { on: today },
        ["ordered", order] => Fact::ReferralOrdered { on: today, number: number(order) },
        ["order-cancelled", order] => Fact::ReferralOrderCancelled { number: (*order).to_owned() },
        ["died"] => Fact::PersonDied { on: Some(today) },
        ["born", on] => {
            demographics.birth_date = Said::Value(on.parse().unwrap());
            Fact::DemographicsStated
        }
        ["birth-date-unknown"] => {
            demographics.birth_date = Said::Deleted;
            Fact::DemographicsStated
        }
        _ => return None,
    };
    Some((demographics, fact))
}

fn actor(who: &str) -> Actor {
    let role = match who {
        "nurse" => Role::Clinician,
        "safeguarding" => Role::SafeguardingLead,
        "supporter" => Role::Supporter,
        "coordinator" => Role::Coordinator,
        "manager" => Role::Manager,
        "person" => return Actor::Person,
        "clock" => return Actor::Clock,
        "operator" => return Actor::Operator,
        "feed" => return Actor::Feed("feed".into()),
        _ => panic!("nobody is called {who}"),
    };
    Actor::Staff { id: StaffId(who.to_owned()), role }
}

/// `unaware`, `untold`, `consents`, `objects SCOPE`, `not-now DATE`, `told DATE`; without any of them all is well.
fn telling(how: &[&str], today: Date) -> Telling {
    let after = |word: &str| how.iter().position(|known| *known == word).map(|at| how[at + 1]);
    let answer = match (after("objects"), after("not-now")) {
        (Some(scope), _) => NoticeAnswer::Objects { scope: Scope::from_code(scope).unwrap(), reason: ObjectionReason::NotStated },
        (None, Some(until)) => NoticeAnswer::NotNow { until: until.parse().unwrap() },
        (None, None) => NoticeAnswer::NoObjection,
    };
    Telling {
        on: after("told").map_or(today, |on| on.parse().unwrap()),
        how: How::InPerson,
        knows_diagnosis: !how.contains(&"unaware"),
        told_of_support: !how.contains(&"untold"),
        consents_to_outside: how.contains(&"consents"),
        answer,
    }
}

/// Ann and Ben work inside, Olga outside, Carl elsewhere only; Eve's contract ended yesterday, and Tess's training.
pub(super) fn supporter(who: &str) -> Supporter {
    let here = |basis| vec![(SiteId("here".into()), basis)];
    let (sites, until) = match who {
        "ann" | "ben" | "tess" => (here(Basis::Inside), None),
        "olga" => (here(Basis::Outside), None),
        "carl" => (vec![(SiteId("elsewhere".into()), Basis::Inside)], None),
        "eve" => (here(Basis::Inside), FIRST_DAY.yesterday().ok()),
        _ => panic!("no supporter is called {who}"),
    };
    Supporter {
        id: StaffId(who.into()),
        first_name: who.into(),
        partner: "partner".into(),
        sites,
        from: date(2020, 1, 1),
        until,
        training_until: if who == "tess" { FIRST_DAY.yesterday().ok() } else { Some(Date::MAX) },
        dbs_until: Some(Date::MAX),
        capacity: 3,
    }
}

fn contact(referral: ReferralId, who: &str, outcome: &str, on: Date, rest: &[&str]) -> Command {
    let minutes = rest.iter().find_map(|word| word.strip_suffix("min")).map_or(30, |minutes| minutes.parse().unwrap());
    let characters = rest.iter().find_map(|word| word.strip_suffix("chars")).map_or(0, |count| count.parse().unwrap());
    let as_somebody_else = rest.contains(&"signed-as-ben");
    let note = ContactNote {
        supporter: StaffId(if as_somebody_else { "ben" } else { who }.into()),
        on,
        way: Way::Telephone,
        outcome: ContactOutcome::from_code(outcome).unwrap(),
        minutes,
        note: "é".repeat(characters),
    };
    Command::RecordContact { referral, supporter: supporter(who), note }
}

fn form(on: Date, rest: &[&str]) -> AssessmentForm {
    AssessmentForm {
        supporter: StaffId("ann".into()),
        on,
        instrument: "ons4".into(),
        version: "1".into(),
        answers: vec![],
        scores: vec![],
        repeat_after_days: rest.iter().find_map(|word| word.strip_prefix("repeat=")).map(|days| days.parse().unwrap()),
    }
}
