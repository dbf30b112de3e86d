//! What can be done to a person: a page of its own for each, offered to those who may, and while the rules allow it.

use alongside_domain::access::{self, Action, Subject};
use alongside_domain::command::Command;
use alongside_domain::decision::Cause;
use alongside_domain::id::PersonId;
use alongside_domain::notice::{Answer, How, Telling};
use alongside_domain::person::{ObjectionReason, Scope};
use alongside_domain::record::Record;
use alongside_domain::referral::EndReason;
use alongside_domain::rules::commands;
use alongside_domain::supporter::{Basis, Role};
use alongside_domain::trigger;
use jiff::ToSpan;
use jiff::civil::Date;

use super::clinic::PEER_SUPPORT_IN_A_SENTENCE;
use super::{Fact, Link, person, words};
use crate::desk::{Admitted, Desk};
use crate::{App, Failure};

/// After how many months somebody who says "not now" is asked again, where they name no other day.
const ASK_AGAIN_MONTHS: i32 = 3;

alongside_domain::coded! {
    /// What can be done to a person. The code is the last part of its page's address, below the person's.
    pub enum Task {
        Notice = "notice", "Record notice";
        Refer = "refer", "Refer to peer support";
        Defer = "defer", "Record “not now”";
        Objection = "objection", "Record an objection";
        TakeBack = "objection-taken-back", "Take the objection back";
        End = "end", "End the referral";
    }
}

impl Task {
    /// What its reader must be allowed to do.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Self::Notice => Action::RecordNotice,
            Self::Refer => Action::Refer,
            Self::Defer => Action::Defer,
            Self::Objection | Self::TakeBack => Action::RecordObjection,
            Self::End => Action::EndReferral,
        }
    }

    /// Where it is done.
    #[must_use]
    pub fn address(self, person: PersonId) -> String {
        format!("/people/{person}/{self}")
    }

    /// The plainest command of this task: what the rules say to it, they say to the task. Nothing where there is nothing to
    /// do it to.
    fn trial(self, record: &Record, today: Date) -> Option<Command> {
        let live = record.live_referral().map(|referral| referral.id);
        let reason = ObjectionReason::NotStated;
        match self {
            Self::Notice => live.map(|referral| {
                let (how, answer) = (How::InPerson, Answer::NoObjection);
                let telling = Telling { on: today, how, knows_diagnosis: true, told_of_support: true, consents_to_outside: false, answer };
                Command::RecordNotice { referral, telling }
            }),
            // A second request would join the referral and change nothing.
            Self::Refer if live.is_some() => None,
            Self::Refer => Some(Command::Refer { kind: kinds(record)[0], on: today }),
            Self::Defer => live.map(|referral| Command::Defer { referral, until: today.saturating_add(1.day()) }),
            Self::Objection if record.person.has_opted_out() || record.person.died.is_some() => None,
            Self::Objection => Some(Command::Object { scope: Scope::All, reason }),
            Self::TakeBack => Some(Command::TakeBackObjection),
            Self::End => live.map(|referral| Command::End { referral, reason: EndReason::ChoseToStop, on: today }),
        }
    }
}

/// Who may be said to have asked: the clinic, unless the person objects; only they themselves can come back from that.
fn kinds(record: &Record) -> &'static [trigger::Kind] {
    use trigger::Kind::{ClinicRequest, SelfReferral};
    if record.person.has_opted_out() { &[SelfReferral] } else { &[ClinicRequest, SelfReferral] }
}

/// Whom a page is about, in its heading: enough not to confuse two people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The person's page.
    pub href: String,
    /// The name.
    pub name: String,
    /// `aged 34`.
    pub age: String,
    /// Title of the site.
    pub site_title: String,
}

/// The page on which a task is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPage {
    /// Which task.
    pub task: Task,
    /// About whom.
    pub head: Head,
    /// What is known of them.
    pub facts: Vec<Fact>,
    /// Said before all else: an objection that stands.
    pub notices: Vec<String>,
    /// What can be said to the person, for the clinic alone.
    pub sentence: Option<&'static str>,
    /// Today.
    pub today: Date,
    /// When somebody who says "not now" is asked again, where they name no other day.
    pub again: Date,
    /// The last day until which somebody can be deferred: `6 January 2026`.
    pub latest: String,
    /// The partners that work outside the clinic's team: information goes to them by explicit consent alone.
    pub outside: Vec<String>,
    /// Who may be said to have asked for peer support: code and words.
    pub kinds: Vec<(&'static str, String)>,
    /// Why a referral may be said to have ended: code and words.
    pub ends: Vec<(&'static str, String)>,
}

impl Desk {
    /// What the owner of the desk can do to a person now.
    pub(super) fn tasks(&self, admitted: &Admitted) -> Vec<Link> {
        let (record, person) = (&admitted.record, admitted.record.person.id);
        let possible = Task::ALL.iter().filter(|task| self.can(**task, record, admitted.shielded).is_ok());
        let mut links: Vec<Link> = possible.map(|task| Link::new(task.address(person), task.words())).collect();
        let open = record.questions.iter().filter(|asked| asked.answered.is_none() && asked.kind.asks() == self.viewer().role);
        if self.is_theirs(Action::AnswerQuestion, record, admitted.shielded) {
            links.extend(open.map(|asked| Link::new(format!("/questions/{}", asked.id), format!("Answer: {}", asked.kind.words()))));
        }
        links
    }

    /// Whether the owner of the desk may do this to the person of a record that they were admitted to.
    pub(crate) fn is_theirs(&self, action: Action, record: &Record, shielded: bool) -> bool {
        access::may(self.viewer(), action, &Subject::of(record, shielded)).is_ok()
    }

    /// Whether a task can be done now: by its owner, and by the rules.
    fn can(&self, task: Task, record: &Record, shielded: bool) -> Result<(), Failure> {
        if !self.is_theirs(task.action(), record, shielded) {
            return Err(Failure::NotFound);
        }
        let app = self.app();
        let trial = task.trial(record, app.today()).ok_or(alongside_domain::decision::Refusal::NotInThisState)?;
        let mut ids = app.world.ids();
        let mut ctx = app.context(&mut *ids, self.viewer().actor(), Cause::Form);
        commands::decide(record.clone(), &trial, &mut ctx)?;
        Ok(())
    }

    /// The page of a task.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for nobody, and for somebody who is not theirs; [`Failure::Refused`] when there is nothing to do
    /// it to; the store's.
    pub fn task_page(&self, task: Task, id: PersonId) -> Result<TaskPage, Failure> {
        let desk = self.clone();
        self.disclose(task.action(), None, move |tx, seen| {
            let admitted = desk.admit(tx, seen, task.action(), id)?;
            desk.can(task, &admitted.record, admitted.shielded)?;
            Ok(desk.task(task, &admitted.record))
        })
    }

    fn task(&self, task: Task, record: &Record) -> TaskPage {
        let (app, today) = (self.app(), self.app().today());
        let site = app.setup.sites.get(&record.person.site.0);
        let outside = site.into_iter().flat_map(|site| &site.partners).filter(|(_, _, basis)| *basis == Basis::Outside);
        let is_clinician = self.viewer().role == Role::Clinician;
        let ends = EndReason::ALL.iter().filter(|reason| reason.is_chosen() && (is_clinician || **reason != EndReason::RequestWithdrawn));
        let coded = |code: &'static str, words: &str| (code, words::sentence(words));
        TaskPage {
            task,
            head: app.head(record),
            facts: person::facts(record),
            notices: person::notices(record),
            sentence: is_clinician.then_some(PEER_SUPPORT_IN_A_SENTENCE),
            today,
            again: today.saturating_add(ASK_AGAIN_MONTHS.months()),
            latest: words::day(today.saturating_add(i32::from(app.setup.policy.longest_deferral_days).days())),
            outside: outside.map(|(_, title, _)| title.clone()).collect(),
            kinds: kinds(record).iter().map(|kind| coded(kind.code(), kind.words())).collect(),
            ends: ends.map(|reason| coded(reason.code(), reason.words())).collect(),
        }
    }
}

impl App {
    /// Whom a page is about.
    pub(super) fn head(&self, record: &Record) -> Head {
        let person = &record.person;
        Head {
            href: format!("/people/{}", person.id),
            name: words::name(person.given.as_deref(), person.family.as_deref()),
            age: words::age(person.birth_date, self.today()),
            site_title: self.setup.site_title(&person.site),
        }
    }
}
