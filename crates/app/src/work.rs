//! What people ask for: forms, commands, the clock.

use alongside_domain::access::Scope;
use alongside_domain::command::Command;
use alongside_domain::contact::{AssessmentForm, ContactNote};
use alongside_domain::decision::{Actor, Cause, Refusal};
use alongside_domain::id::{MergeId, PersonId, QuestionId, ReferralId};
use alongside_domain::person::SiteId;
use alongside_domain::question::{Answer, Kind};
use alongside_domain::referral::Stage;
use alongside_domain::rules::{commands, merging};
use alongside_domain::supporter::{StaffId, Supporter};
use alongside_store::{Tx, accounts, cards, care, merges, messages, page_reads, people, reading, standing};
use jiff::SignedDuration;
use jiff::civil::Date;

use crate::accounts::SESSIONS_KEPT_DAYS;
use crate::cards::CARDS_KEPT_DAYS;
use crate::intake::{keep_merging, load};
use crate::{App, Failure, Invalid, london_date};

/// The longest list that is printed at once.
pub const LIST_MAX: u32 = 1_000;
/// Days for which a form that was not finished is kept.
pub const DRAFTS_KEPT_DAYS: i64 = 7;

impl App {
    /// Carries out a command about a person.
    ///
    /// # Errors
    /// The rule that refuses it, or the store's.
    pub fn command(&self, person: PersonId, command: Command, actor: Actor) -> Result<(), Failure> {
        self.command_because(person, command, actor, Cause::Form)
    }

    pub(crate) fn command_because(&self, person: PersonId, command: Command, actor: Actor, cause: Cause) -> Result<(), Failure> {
        let app = self.clone();
        self.store.write(move |tx| {
            let mut ids = app.world.ids();
            let mut ctx = app.context(&mut *ids, actor.clone(), cause);
            let survivor = people::survivor(tx, person)?;
            let record = load(tx, survivor)?;
            let decision = commands::decide(record.clone(), &command, &mut ctx)?;
            app.keep(tx, Some(&record), &decision)?;
            Ok::<_, Failure>(())
        })
    }

    /// Gives a referral to a supporter. The caseload is counted in the transaction that fills it.
    ///
    /// # Errors
    /// The rule that refuses it, or the store's.
    pub fn allocate(&self, referral: ReferralId, supporter: &str, actor: Actor) -> Result<(), Failure> {
        let (app, supporter) = (self.clone(), self.supporter(supporter)?.clone());
        self.store.write(move |tx| {
            let mut ids = app.world.ids();
            let mut ctx = app.context(&mut *ids, actor.clone(), Cause::Form);
            let record = record_of(tx, referral)?;
            let supporter = app.renewed(tx, &supporter)?;
            let caseload = people::caseload(tx, &supporter.id)?;
            let command = Command::Allocate { referral, supporter, caseload };
            let decision = commands::decide(record.clone(), &command, &mut ctx)?;
            app.keep(tx, Some(&record), &decision)?;
            Ok::<_, Failure>(())
        })
    }

    /// A supporter records a contact.
    ///
    /// # Errors
    /// The rule that refuses it, or the store's.
    pub fn record_contact(&self, referral: ReferralId, note: ContactNote) -> Result<(), Failure> {
        let supporter = self.supporter(&note.supporter.0)?;
        let supporter = self.store.read(|tx| self.renewed(tx, supporter))?;
        let actor = self.actor(&note.supporter.0)?;
        let person = self.person_of(referral)?;
        self.command(person, Command::RecordContact { referral, supporter, note }, actor)
    }

    /// A supporter records an assessment; the scores are computed here.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with each answer that cannot be taken; the rule that refuses it; the store's.
    pub fn record_assessment(
        &self,
        referral: ReferralId,
        supporter: &str,
        on: Date,
        instrument: &str,
        answers: Vec<(String, i64)>,
    ) -> Result<(), Failure> {
        let form = self.assessment_form(supporter, on, instrument, answers)?;
        let person = self.person_of(referral)?;
        self.command(person, Command::RecordAssessment { referral, form }, self.actor(supporter)?)
    }

    pub(crate) fn assessment_form(
        &self,
        supporter: &str,
        on: Date,
        instrument: &str,
        answers: Vec<(String, i64)>,
    ) -> Result<AssessmentForm, Failure> {
        let unknown = || Failure::Invalid(vec![Invalid::new("instrument", "there is no instrument of this name")]);
        let known = self.setup.instruments.get(instrument).ok_or_else(unknown)?;
        let scores = known.score(&answers).map_err(|problems| {
            Failure::Invalid(problems.into_iter().map(|problem| Invalid::new(problem.link_id, problem.what.to_string())).collect())
        })?;
        Ok(AssessmentForm {
            supporter: StaffId(supporter.to_owned()),
            on,
            instrument: known.id().to_owned(),
            version: known.version().to_owned(),
            answers,
            scores,
            repeat_after_days: known.definition().repeat_after_days,
        })
    }

    /// Answers a question; when two records are said to be one person, they are merged in the same unit of work.
    ///
    /// # Errors
    /// The rule that refuses it, or the store's.
    pub fn answer_question(&self, question: QuestionId, answer: Answer, actor: Actor) -> Result<(), Failure> {
        let app = self.clone();
        self.store.write(move |tx| {
            let mut ids = app.world.ids();
            let mut ctx = app.context(&mut *ids, actor.clone(), Cause::Form);
            let person = people::of_question(tx, question)?.ok_or(Failure::NotFound)?;
            let record = load(tx, person)?;
            let decision = commands::decide(record.clone(), &Command::Answer { question, answer }, &mut ctx)?;
            app.keep(tx, Some(&record), &decision)?;
            if answer == Answer::Same
                && let Some(other) = record.question(question).and_then(|asked| asked.other)
            {
                let other = people::survivor(tx, other)?;
                let (survivor, retired) = (decision.record, load(tx, other)?);
                let merging = merging::merge(survivor.clone(), retired.clone(), true, &mut ctx)?;
                keep_merging(&app, tx, &survivor, &retired, merging, ctx.at)?;
            }
            Ok::<_, Failure>(())
        })
    }

    /// The open question of a kind about a person.
    ///
    /// # Errors
    /// [`Failure::NotFound`], or the store's.
    pub fn open_question(&self, person: PersonId, kind: Kind) -> Result<QuestionId, Failure> {
        let record = self.record(person)?;
        let open = record.questions.iter().find(|asked| asked.kind == kind && asked.answered.is_none());
        open.map(|asked| asked.id).ok_or(Failure::NotFound)
    }

    /// The merges that stand, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn merges(&self) -> Result<Vec<MergeId>, Failure> {
        Ok(self.store.read(merges::standing)?)
    }

    /// Takes a merge back.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when it was taken back before; the store's.
    pub fn undo_merge(&self, merge: MergeId, actor: Actor) -> Result<(), Failure> {
        let app = self.clone();
        self.store.write(move |tx| {
            let mut ids = app.world.ids();
            let mut ctx = app.context(&mut *ids, actor.clone(), Cause::Form);
            let held = merges::load(tx, merge)?.ok_or(Failure::NotFound)?;
            let (survivor, retired) = (load(tx, held.survivor)?, load(tx, held.retired)?);
            let (decision, back) = merging::unmerge(&held, survivor.clone(), retired.person.clone(), &mut ctx);
            // The retired record's rows go home first: the survivor may have one live referral, and theirs can be it.
            app.keep(tx, Some(&retired), &back)?;
            app.keep(tx, Some(&survivor), &decision)?;
            care::part(tx, held.survivor, held.retired, app.world.now())?;
            merges::undo(tx, merge)?;
            Ok::<_, Failure>(())
        })
    }

    /// What time brings: the day is noted, deferrals whose day has come are asked again, and texts of old messages, old sessions, unfinished
    /// forms and private links that ended are forgotten.
    ///
    /// # Errors
    /// The store's.
    pub fn tick(&self) -> Result<(), Failure> {
        let today = london_date(self.world.now());
        self.store.write(move |tx| standing::see_day(tx, today))?;
        for (person, referral) in self.store.read(|tx| people::deferrals_due(tx, today))? {
            match self.command_because(person, Command::AskAgain { referral }, Actor::Clock, Cause::Clock) {
                // Somebody else moved it meanwhile, or the person died: nothing to ask.
                Ok(()) | Err(Failure::Refused(Refusal::NotInThisState | Refusal::Died)) => {}
                Err(failure) => return Err(failure),
            }
        }
        let now = self.world.now();
        self.store.write(move |tx| messages::expire(tx, now))?;
        let long_ago = now - SignedDuration::from_hours(24 * SESSIONS_KEPT_DAYS);
        self.store.write(move |tx| accounts::forget(tx, long_ago))?;
        let of_drafts = now - SignedDuration::from_hours(24 * DRAFTS_KEPT_DAYS);
        self.store.write(move |tx| {
            standing::forget_once(tx, of_drafts)?;
            care::forget_drafts(tx, of_drafts)?;
            cards::forget(tx, now - SignedDuration::from_hours(24 * CARDS_KEPT_DAYS))?;
            care::forget_links(tx, long_ago)
        })?;
        Ok(())
    }

    /// Everything of a person, merges followed.
    ///
    /// # Errors
    /// [`Failure::NotFound`], or the store's.
    pub fn record(&self, person: PersonId) -> Result<alongside_domain::record::Record, Failure> {
        self.store.read(|tx| {
            let id = people::survivor(tx, person)?;
            load(tx, id)
        })
    }

    /// The referrals of a site at a stage, the longest waiting first, at most [`LIST_MAX`].
    ///
    /// # Errors
    /// The store's.
    pub fn referrals_at(&self, site: &str, stage: Stage) -> Result<Vec<reading::Line>, Failure> {
        Ok(self.store.read(|tx| reading::at_stage(tx, &SiteId(site.to_owned()), stage, LIST_MAX, 0))?)
    }

    /// The open questions of a site, oldest first, at most [`LIST_MAX`].
    ///
    /// # Errors
    /// The store's.
    pub fn open_questions(&self, site: &str) -> Result<Vec<page_reads::Asked>, Failure> {
        let slice = page_reads::Slice { most: LIST_MAX, skip: 0 };
        Ok(self.store.read(|tx| page_reads::questions(tx, &Scope::of_operator(SiteId(site.to_owned())), slice))?)
    }

    /// The person of a referral.
    ///
    /// # Errors
    /// [`Failure::NotFound`], or the store's.
    pub fn person_of(&self, referral: ReferralId) -> Result<PersonId, Failure> {
        self.store.read(|tx| people::of_referral(tx, referral))?.ok_or(Failure::NotFound)
    }

    /// A member of staff or a supporter, to act.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when nobody of this key is configured.
    pub fn actor(&self, key: &str) -> Result<Actor, Failure> {
        let unknown = || Failure::Invalid(vec![Invalid::new("by", "nobody of this key is configured")]);
        self.setup.staff_actor(key).ok_or_else(unknown)
    }

    fn supporter(&self, key: &str) -> Result<&Supporter, Failure> {
        let unknown = || Failure::Invalid(vec![Invalid::new("supporter", "no supporter of this key is configured")]);
        self.setup.supporters.get(key).ok_or_else(unknown)
    }
}

fn record_of(tx: &mut Tx<'_>, referral: ReferralId) -> Result<alongside_domain::record::Record, Failure> {
    let person = people::of_referral(tx, referral)?.ok_or(Failure::NotFound)?;
    load(tx, person)
}
