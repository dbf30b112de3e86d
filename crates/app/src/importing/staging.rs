//! What rows would do, decided by the rules of the service and not yet kept.
//!
//! A row speaks of the past, so each is decided as of its own day: the context's day and instant are the row's, and the
//! record is the one that stood then ([`as_it_stood`]). The rules themselves are those of today's forms.

use std::collections::{BTreeMap, BTreeSet};

use alongside_domain::command::Command;
use alongside_domain::contact::ContactNote;
use alongside_domain::decision::{Actor, Cause, Context, Decision, Effect, Event, Refusal, What};
use alongside_domain::fact::{Evidence, Fact, Novelty, Subject};
use alongside_domain::id::{Ids, ImportId, PersonId, ReferralId};
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::notice::{Answer, Telling};
use alongside_domain::person::{Death, Diagnosis, Identifier, Objection, Person, Said, Scope, SiteId, stricter};
use alongside_domain::record::Record;
use alongside_domain::referral::{EndReason, Referral, Stage, Status};
use alongside_domain::rules::{commands, facts};
use alongside_domain::supporter::{Role, StaffId, Supporter};
use alongside_store::imports::{self, Item, Progress, Standing};
use alongside_store::{StoreError, Tx, journal, people, reading};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::rows::{AssessmentRow, ContactRow, PersonRow, ReferralRow, Rows, Told, identifier};
use super::table::Problems;
use crate::{App, Failure, london_date, london_instant};

/// The hours at which a row's day is noted in the journal, so that what happened on one day keeps its order.
mod hour {
    pub(super) const REFERRED: i8 = 9;
    pub(super) const TOLD: i8 = 10;
    pub(super) const ALLOCATED: i8 = 11;
    pub(super) const CONTACT: i8 = 12;
    pub(super) const ASSESSMENT: i8 = 13;
    pub(super) const ENDED: i8 = 18;
}

/// The longest name of a clinician who is not configured, in characters.
const NAME_CHARACTERS_MAX: usize = 80;

/// Why a row cannot be taken.
enum Stop {
    /// Something is wrong with it, in this column.
    Bad(&'static str, String),
    /// The store failed.
    Failed(Failure),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

fn bad<T>(column: &'static str, what: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Bad(column, what.into()))
}

/// A refusal, at the column that it speaks of.
fn refused(column: &'static str) -> impl Fn(Refusal) -> Stop {
    move |refusal| Stop::Bad(column, refusal.words().to_owned())
}

/// Whether a row adds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Added,
    KnownAlready,
}

/// What a file does, ready to be kept.
pub(super) struct Staged {
    /// Records as they were and what was decided, one for each person.
    pub(super) decisions: Vec<(Option<Record>, Decision)>,
    /// What is added and changed, in order.
    pub(super) items: Vec<Item>,
    /// What is added, by kind.
    pub(super) adds: Vec<(&'static str, u64)>,
    /// Rows that add nothing.
    pub(super) unchanged: u64,
    /// Rows that add something.
    pub(super) changed: u64,
}

/// A person with what was decided so far.
struct Draft {
    before: Option<Record>,
    decision: Decision,
    /// Contacts that are here and that no row has met yet.
    contacts: Option<Vec<ContactNote>>,
    /// Assessments that are here: instrument and day.
    assessments: Option<BTreeSet<(String, Date)>>,
}

/// The work of one import.
pub(super) struct Staging<'a, 't, 'c> {
    app: &'a App,
    tx: &'t mut Tx<'c>,
    site: SiteId,
    import: ImportId,
    ids: Box<dyn Ids + Send>,
    now: Timestamp,
    today: Date,
    people: BTreeMap<PersonId, Draft>,
    /// People whom each supporter would get.
    allocated: BTreeMap<StaffId, u32>,
    changed: u64,
    unchanged: u64,
    noted: u64,
}

/// The journal of a referral, as far as it tells how it stood.
#[derive(Default)]
struct Course {
    supporter: Option<StaffId>,
    support_began: bool,
    last_stage_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

/// What was set aside to see a record as it stood, and is put back afterwards.
#[derive(Default)]
struct Aside {
    referrals: Vec<Referral>,
    died: Option<Death>,
    objection: Option<Objection>,
    ended: Option<(ReferralId, Status)>,
}

impl Aside {
    fn put_back(self, record: &mut Record) {
        record.referrals.extend(self.referrals);
        record.person.died = self.died.or(record.person.died);
        record.person.objection = stricter(self.objection, record.person.objection);
        if let Some((id, status)) = self.ended
            && let Some(referral) = record.referral_mut(id)
        {
            referral.status = status;
        }
    }
}

impl<'a, 't, 'c> Staging<'a, 't, 'c> {
    pub(super) fn new(app: &'a App, tx: &'t mut Tx<'c>, site: SiteId, mut ids: Box<dyn Ids + Send>, now: Timestamp) -> Self {
        let import = ImportId::new(&mut *ids);
        Self {
            app,
            tx,
            site,
            import,
            ids,
            now,
            today: london_date(now),
            people: BTreeMap::new(),
            allocated: BTreeMap::new(),
            changed: 0,
            unchanged: 0,
            noted: 0,
        }
    }

    /// The number of this import.
    pub(super) const fn import(&self) -> ImportId {
        self.import
    }

    /// Decides every row; those that cannot be taken become problems.
    pub(super) fn take(&mut self, rows: &Rows, problems: &mut Problems) -> Result<(), Failure> {
        match rows {
            Rows::People(rows) => self.people(rows, problems),
            Rows::Referrals(rows) => {
                // By day, since each is decided on what stood then.
                let mut rows: Vec<_> = rows.iter().collect();
                rows.sort_by_key(|row| (row.referred_on, row.line));
                rows.into_iter().try_for_each(|row| {
                    let taken = self.of_person(&row.number, |staging, draft| staging.referral(draft, row));
                    self.tell(row.line, taken, problems)
                })
            }
            Rows::Contacts(rows) => {
                let mut rows: Vec<_> = rows.iter().collect();
                rows.sort_by_key(|row| (row.note.on, row.line));
                rows.into_iter().try_for_each(|row| {
                    let taken = self.of_person(&row.number, |staging, draft| staging.contact(draft, row));
                    self.tell(row.line, taken, problems)
                })
            }
            Rows::Assessments(rows) => {
                let mut rows: Vec<_> = rows.iter().collect();
                rows.sort_by_key(|row| (row.on, row.line));
                rows.into_iter().try_for_each(|row| {
                    let taken = self.of_person(&row.number, |staging, draft| staging.assessment(draft, row));
                    self.tell(row.line, taken, problems)
                })
            }
        }
    }

    fn tell(&mut self, line: u64, taken: Result<Taken, Stop>, problems: &mut Problems) -> Result<(), Failure> {
        match taken {
            Ok(Taken::Added) => self.changed += 1,
            Ok(Taken::KnownAlready) => self.unchanged += 1,
            Err(Stop::Bad(column, what)) => problems.cell(line, column, what),
            Err(Stop::Failed(failure)) => return Err(failure),
        }
        Ok(())
    }

    /// Runs a row on the draft of its person, which stays as it was when the row stops.
    fn of_person(&mut self, number: &str, row: impl FnOnce(&mut Self, &mut Draft) -> Result<Taken, Stop>) -> Result<Taken, Stop> {
        let found = people::find(self.tx, &self.site, &[identifier(&self.site, number)], None)?;
        let id = match found.as_slice() {
            [one] => *one,
            [] => return bad("local_number", "is nobody's who is known here: bring the people first"),
            _ => return bad("local_number", "is that of several people"),
        };
        let mut draft = self.draft(id)?;
        let taken = row(self, &mut draft);
        self.people.insert(id, draft);
        taken
    }

    fn draft(&mut self, id: PersonId) -> Result<Draft, Stop> {
        if let Some(draft) = self.people.remove(&id) {
            return Ok(draft);
        }
        let record = crate::intake::load(self.tx, id)?;
        Ok(Draft { before: Some(record.clone()), decision: Decision::unchanged(record), contacts: None, assessments: None })
    }

    fn context(&mut self, at: Timestamp, actor: Actor) -> Context<'_> {
        let at = at.min(self.now);
        let policy = &self.app.setup.policy;
        Context { at, today: london_date(at), actor, cause: Cause::Import(self.import), policy, ids: &mut *self.ids }
    }

    fn decide(&mut self, decision: &mut Decision, command: &Command, at: Timestamp, actor: Actor) -> Result<(), Refusal> {
        let mut ctx = self.context(at, actor);
        let decided = commands::decide(decision.record.clone(), command, &mut ctx)?;
        absorb(decision, decided);
        Ok(())
    }

    fn people(&mut self, rows: &[PersonRow], problems: &mut Problems) -> Result<(), Failure> {
        let (mut numbers, mut verified) = (BTreeSet::new(), BTreeSet::new());
        for row in rows {
            let twice = !row.subject.identifiers.iter().all(|identifier| numbers.insert(identifier.clone()));
            let number = row.subject.nhs_number.filter(|held| held.verified).map(|held| held.number.digits());
            let taken = if twice {
                bad("local_number", "stands twice in this file")
            } else if number.is_some_and(|number| !verified.insert(number)) {
                bad("nhs_number", "stands twice in this file")
            } else {
                self.person(row)
            };
            self.tell(row.line, taken, problems)?;
        }
        Ok(())
    }

    /// Somebody new is added as known before, never as newly diagnosed: a spreadsheet is no signal. Somebody who is here
    /// stays as the hospital has them.
    fn person(&mut self, row: &PersonRow) -> Result<Taken, Stop> {
        let subject = &row.subject;
        let found = people::find(self.tx, &self.site, &subject.identifiers, None)?;
        if found.len() > 1 {
            return bad("local_number", "is that of several people");
        }
        let Some(id) = found.first().copied() else { return self.stranger(subject) };
        let mut draft = self.draft(id)?;
        let taken = self.known(&mut draft, subject);
        self.people.insert(id, draft);
        taken
    }

    fn stranger(&mut self, subject: &Subject) -> Result<Taken, Stop> {
        let verified: Option<NhsNumber> = subject.nhs_number.filter(|held| held.verified).map(|held| held.number);
        if verified.is_some() && !people::find(self.tx, &self.site, &[] as &[Identifier], verified)?.is_empty() {
            return bad("nhs_number", "is that of somebody who is here under another local number");
        }
        let id = PersonId::new(&mut *self.ids);
        let person = Person::new(id, self.site.clone(), subject.identifiers.clone());
        let decision = self.note_known(Record::new(person), subject, true);
        self.people.insert(id, Draft { before: None, decision, contacts: None, assessments: None });
        Ok(Taken::Added)
    }

    fn known(&mut self, draft: &mut Draft, subject: &Subject) -> Result<Taken, Stop> {
        let person = &draft.decision.record.person;
        if let (Some(held), Some(said)) = (person.nhs_number, subject.nhs_number)
            && held.verified
            && said.verified
            && held.number != said.number
        {
            return bad("nhs_number", "is another than the verified one that is here under this local number");
        }
        if let (Some(held), Said::Value(said)) = (person.birth_date, subject.demographics.birth_date)
            && held != said
        {
            return bad("birth_date", "is another than the one that is here under this local number");
        }
        if person.diagnosis != Diagnosis::Unproven || person.merged_into.is_some() {
            return Ok(Taken::KnownAlready);
        }
        let decided = self.note_known(draft.decision.record.clone(), &Subject::default(), false);
        absorb(&mut draft.decision, decided);
        self.noted += 1;
        Ok(Taken::Added)
    }

    fn note_known(&mut self, record: Record, subject: &Subject, is_new: bool) -> Decision {
        let confirmed = Fact::HivConfirmed { evidence: Evidence::Listed, novelty: Novelty::Known, on: self.today, number: None };
        let mut ctx = self.context(self.now, Actor::Operator);
        facts::apply(record, subject, &[confirmed], is_new, &mut ctx)
    }

    fn referral(&mut self, draft: &mut Draft, row: &ReferralRow) -> Result<Taken, Stop> {
        let record = &draft.decision.record;
        if let Some(known) = record.referrals.iter().find(|known| raised_on(known) == row.referred_on && known.reason == row.kind) {
            return match row.ended {
                Some((on, _)) if known.ended_on != Some(on) => bad("ended_on", "is another than that of the same referral here"),
                _ => Ok(Taken::KnownAlready),
            };
        }
        // One that led to a question left a trigger and no referral.
        let bare = row.told.is_none() && row.supporter.is_none() && row.ended.is_none();
        if bare && record.triggers.iter().any(|known| known.kind == row.kind && known.on == row.referred_on && known.message.is_none()) {
            return Ok(Taken::KnownAlready);
        }
        fits(record, row)?;
        let (record, aside) = before_its_end(record, row.ended.map(|(on, _)| on));
        let mut decision = Decision::unchanged(record);
        let refer = Command::Refer { kind: row.kind, on: row.referred_on };
        self.decide(&mut decision, &refer, at(row.referred_on, hour::REFERRED), Actor::Operator).map_err(refused("referred_on"))?;
        match added_referral(&draft.decision.record, &decision.record) {
            Some(id) => self.course(&mut decision, id, row)?,
            None if !bare => {
                return bad(
                    "referred_on",
                    "the person was under 18 then, or nobody can tell: a question for the clinic, so nothing that followed can be taken",
                );
            }
            None => {}
        }
        aside.put_back(&mut decision.record);
        absorb(&mut draft.decision, decision);
        if let (Some(supporter), None) = (&row.supporter, row.ended) {
            *self.allocated.entry(StaffId(supporter.clone())).or_default() += 1;
        }
        Ok(Taken::Added)
    }

    /// What followed on a referral: told, allocated, ended.
    fn course(&mut self, decision: &mut Decision, referral: ReferralId, row: &ReferralRow) -> Result<(), Stop> {
        let released = row.told.as_ref().map_or(row.referred_on, |told| told.on.max(row.referred_on));
        if let Some(told) = &row.told {
            self.told(decision, referral, told, released)?;
        }
        if let Some(supporter) = &row.supporter {
            let supporter = self.supporter(supporter)?;
            // What ended weighs on nobody now; what goes on is counted with what the supporter has.
            let caseload = match row.ended {
                Some(_) => 0,
                None => people::caseload(self.tx, &supporter.id)?.saturating_add(self.allocated.get(&supporter.id).copied().unwrap_or(0)),
            };
            let allocate = Command::Allocate { referral, supporter, caseload };
            self.decide(decision, &allocate, at(released, hour::ALLOCATED), Actor::Operator).map_err(refused("supporter"))?;
        }
        if let Some((on, reason)) = row.ended {
            self.end(decision, referral, on, reason)?;
        }
        Ok(())
    }

    fn told(&mut self, decision: &mut Decision, referral: ReferralId, told: &Told, day: Date) -> Result<(), Stop> {
        let actor = self.who_told(&told.by)?;
        let telling = Telling {
            on: told.on,
            how: told.how,
            knows_diagnosis: true,
            told_of_support: true,
            consents_to_outside: told.consents_to_outside,
            answer: told.answer,
        };
        let notice = Command::RecordNotice { referral, telling };
        self.decide(decision, &notice, at(day, hour::TOLD), actor).map_err(|refusal| {
            let column = match refusal {
                Refusal::NotAClinician => "told_by",
                Refusal::DeferralTooLong => "deferred_until",
                _ => "told_on",
            };
            refused(column)(refusal)
        })
    }

    /// Who told the person: a key of the configuration, or the full name of somebody who has left. What looks like a key
    /// and is none is a slip of the pen, not a name.
    fn who_told(&self, by: &str) -> Result<Actor, Stop> {
        if let Some(staff) = self.app.setup.staff.get(by) {
            if !staff.sites.contains(&self.site) {
                return bad("told_by", "works at another site");
            }
            return Ok(Actor::Staff { id: staff.id.clone(), role: staff.role });
        }
        if let Some(actor) = self.app.setup.staff_actor(by) {
            return Ok(actor);
        }
        let words = by.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).count();
        if words < 2 || by.chars().count() > NAME_CHARACTERS_MAX {
            return bad("told_by", "is neither the key of a configured clinician nor a full name");
        }
        Ok(Actor::Staff { id: StaffId(by.to_owned()), role: Role::Clinician })
    }

    fn supporter(&self, key: &str) -> Result<Supporter, Stop> {
        match self.app.setup.supporters.get(key) {
            Some(supporter) => Ok(supporter.clone()),
            None => bad("supporter", "no supporter of this key is configured: add those who have left with their last day"),
        }
    }

    /// Ends a referral on its day. A letter that waits for the person today is no business of a referral that ended then.
    fn end(&mut self, decision: &mut Decision, referral: ReferralId, on: Date, reason: EndReason) -> Result<(), Stop> {
        let at = at(on, hour::ENDED);
        if reason == EndReason::Died {
            let mut ctx = self.context(at, Actor::Operator);
            let died = facts::apply(decision.record.clone(), &Subject::default(), &[Fact::PersonDied { on: Some(on) }], false, &mut ctx);
            absorb(decision, died);
        } else {
            self.decide(decision, &Command::End { referral, reason, on }, at, Actor::Operator).map_err(refused("ended_on"))?;
        }
        decision.effects.retain(|effect| !matches!(effect, Effect::CancelQueued(_)));
        decision.events.retain(|event| event.what != What::LettersCancelled);
        Ok(())
    }

    fn contact(&mut self, draft: &mut Draft, row: &ContactRow) -> Result<Taken, Stop> {
        let note = &row.note;
        if draft.contacts.is_none() {
            draft.contacts = Some(reading::contacts(self.tx, draft.decision.record.person.id)?);
        }
        let here = draft.contacts.get_or_insert_default();
        if let Some(position) = here.iter().position(|known| known == note) {
            // Two calls may be alike: each row meets one.
            here.swap_remove(position);
            return Ok(Taken::KnownAlready);
        }
        let referral = covering(&draft.decision.record, note.on, "on")?;
        let supporter = self.supporter(&note.supporter.0)?;
        let command = Command::RecordContact { referral, supporter, note: note.clone() };
        self.on_its_day(draft, referral, &command, (note.on, hour::CONTACT), |refusal| match refusal {
            Refusal::NoteTooLong => "note",
            Refusal::TooManyMinutes => "minutes",
            Refusal::DateTooEarly | Refusal::DateInTheFuture | Refusal::NotInThisState | Refusal::OptedOut | Refusal::Died => "on",
            _ => "supporter",
        })
    }

    fn assessment(&mut self, draft: &mut Draft, row: &AssessmentRow) -> Result<Taken, Stop> {
        if draft.assessments.is_none() {
            let here = reading::assessments(self.tx, draft.decision.record.person.id)?;
            draft.assessments = Some(here.into_iter().map(|known| (known.instrument, known.on)).collect());
        }
        let key = (row.instrument.clone(), row.on);
        if draft.decision.assessments.iter().any(|added| added.form.instrument == key.0 && added.form.on == key.1) {
            return bad("assessed_on", "the same instrument stands twice for this person and day");
        }
        if draft.assessments.as_ref().is_some_and(|here| here.contains(&key)) {
            return Ok(Taken::KnownAlready);
        }
        let referral = covering(&draft.decision.record, row.on, "assessed_on")?;
        let supporter = self.supporter(&row.supporter)?;
        if supporter.basis_at(&self.site).is_none() {
            return Err(refused("supporter")(Refusal::NotAtThisSite));
        }
        let form = self.app.assessment_form(&row.supporter, row.on, &row.instrument, row.answers.clone())?;
        let command = Command::RecordAssessment { referral, form };
        self.on_its_day(draft, referral, &command, (row.on, hour::ASSESSMENT), |_| "assessed_on")
    }

    /// Decides something about a referral as it stood on that day, and puts back what came later.
    fn on_its_day(
        &mut self,
        draft: &mut Draft,
        referral: ReferralId,
        command: &Command,
        (day, hour): (Date, i8),
        column: impl Fn(Refusal) -> &'static str,
    ) -> Result<Taken, Stop> {
        let course = self.course_of(referral, &draft.decision.events)?;
        let (record, aside) = as_it_stood(&draft.decision.record, referral, day, &course);
        // The journal's last line must tell the referral's stage: before its end, or after what moved it last.
        let at = match (&aside.ended, course.ended_at) {
            (Some(_), Some(ended)) => at(day, hour).min(ended.checked_sub(1.microsecond()).unwrap_or(ended)),
            _ => course.last_stage_at.map_or(at(day, hour), |last| last.max(at(day, hour))),
        };
        let mut decision = Decision::unchanged(record);
        let mut ctx = self.context(at, Actor::Operator);
        ctx.today = day;
        let decided = commands::decide(decision.record.clone(), command, &mut ctx).map_err(|refusal| refused(column(refusal))(refusal))?;
        absorb(&mut decision, decided);
        aside.put_back(&mut decision.record);
        absorb(&mut draft.decision, decision);
        Ok(Taken::Added)
    }

    fn course_of(&mut self, referral: ReferralId, staged: &[Event]) -> Result<Course, Stop> {
        let kept = journal::of_referral(self.tx, referral)?;
        let mut course = Course::default();
        for event in kept.iter().chain(staged.iter().filter(|event| event.referral == Some(referral))) {
            match event.what {
                What::Allocated | What::Reallocated => course.supporter = event.detail.clone().map(StaffId),
                What::SupportBegan => course.support_began = true,
                _ => {}
            }
            if event.stage.is_some() {
                course.last_stage_at = course.last_stage_at.max(Some(event.at));
            }
            if event.what == What::Ended && event.stage == Some(Stage::Ended) {
                course.ended_at = course.ended_at.max(Some(event.at));
            }
        }
        Ok(course)
    }

    /// What the whole file does.
    pub(super) fn finish(self) -> Result<Staged, Failure> {
        let Self { tx, people, changed, unchanged, noted, .. } = self;
        let mut staged = Staged { decisions: Vec::new(), items: Vec::new(), adds: Vec::new(), unchanged, changed };
        for draft in people.into_values().filter(|draft| !draft.decision.events.is_empty()) {
            list(tx, &draft, &mut staged.items)?;
            staged.decisions.push((draft.before, draft.decision));
        }
        let count = |kind: &str| staged.items.iter().filter(|item| item.kind() == kind).count() as u64;
        let kinds = [
            ("people", "person"),
            ("referrals", "referral"),
            ("questions for the clinic", "question"),
            ("contacts", "contact"),
            ("assessments", "assessment"),
        ];
        let mut adds: Vec<_> = kinds.into_iter().map(|(words, kind)| (words, count(kind))).collect();
        adds.push(("diagnoses noted as known before", noted));
        staged.adds = adds.into_iter().filter(|(_, number)| *number > 0).collect();
        Ok(staged)
    }
}

/// Adds what was decided later to what was decided before.
fn absorb(decision: &mut Decision, later: Decision) {
    let Decision { record, events, effects, contacts, assessments } = later;
    decision.record = record;
    decision.events.extend(events);
    decision.effects.extend(effects);
    decision.contacts.extend(contacts);
    decision.assessments.extend(assessments);
}

/// An hour of a day in London.
fn at(day: Date, hour: i8) -> Timestamp {
    london_instant(day.at(hour, 0, 0, 0)).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn raised_on(referral: &Referral) -> Date {
    london_date(referral.raised_at)
}

/// The referral that is in a record and was not before.
fn added_referral(before: &Record, now: &Record) -> Option<ReferralId> {
    now.referrals.iter().find(|referral| before.referral(referral.id).is_none()).map(|referral| referral.id)
}

/// Whether a row fits beside what is here. An objection that stands is never lifted by a spreadsheet, and nothing that
/// is here is moved by one: what contradicts is put before a person.
fn fits(record: &Record, row: &ReferralRow) -> Result<(), Stop> {
    let ended = row.ended.map(|(on, _)| on);
    let stood = record.person.objection.filter(|objection| ended.is_none_or(|ended| !is_later(objection, ended)));
    if stood.is_some_and(|objection| objection.scope == Scope::All) {
        return Err(refused("local_number")(Refusal::OptedOut));
    }
    let overlaps = |known: &&Referral| {
        ended.is_none_or(|ended| raised_on(known) < ended) && known.ended_on.is_none_or(|known_end| row.referred_on < known_end)
    };
    if record.referrals.iter().any(|known| overlaps(&known)) {
        return bad("referred_on", "the person has another referral at that time");
    }
    let objects = row.told.as_ref().is_some_and(|told| matches!(told.answer, Answer::Objects { .. }));
    let died = row.ended.is_some_and(|(_, reason)| reason == EndReason::Died);
    if !objects && !died {
        return Ok(());
    }
    let column = if objects { "answer" } else { "end_reason" };
    if record.referrals.iter().any(|known| raised_on(known) >= row.referred_on) {
        return bad(column, "the person has a later referral here: record it on their page, if it stands");
    }
    if record.questions.iter().any(|question| question.answered.is_none()) {
        return bad(column, "the clinic has an open question about this person: it must be answered first");
    }
    Ok(())
}

fn is_later(objection: &Objection, day: Date) -> bool {
    london_date(objection.at) > day
}

/// A record as it stood before a day on which something ended: without the live referral that came later (no two overlap),
/// and without a death and an objection that came later.
fn before_its_end(record: &Record, ended: Option<Date>) -> (Record, Aside) {
    let (mut record, mut aside) = (record.clone(), Aside::default());
    let Some(ended) = ended else { return (record, aside) };
    let (live, over): (Vec<_>, Vec<_>) = record.referrals.into_iter().partition(|referral| referral.status.is_live());
    aside.referrals = live;
    record.referrals = over;
    aside.died = record.person.died.take_if(|death| death.on.is_some_and(|on| on >= ended));
    aside.objection = record.person.objection.take_if(|objection| is_later(objection, ended));
    (record, aside)
}

/// A record as it stood on a day of a referral: not ended yet, and without a death and an objection that came later.
fn as_it_stood(record: &Record, referral: ReferralId, day: Date, course: &Course) -> (Record, Aside) {
    let (mut record, mut aside) = (record.clone(), Aside::default());
    let Some(held) = record.referral_mut(referral) else { return (record, aside) };
    if held.status.is_live() {
        return (record, aside);
    }
    let status = status_before_the_end(held, course);
    aside.ended = Some((referral, std::mem::replace(&mut held.status, status)));
    aside.died = record.person.died.take_if(|death| death.on.is_some_and(|on| on >= day));
    aside.objection = record.person.objection.take_if(|objection| is_later(objection, day));
    (record, aside)
}

/// Where a referral stood before it ended, by its own dates and its journal.
fn status_before_the_end(referral: &Referral, course: &Course) -> Status {
    match &course.supporter {
        None if referral.notice.is_some() => Status::Open,
        None => Status::AwaitingNotice,
        Some(supporter) => {
            let supporter = supporter.clone();
            match (referral.engaged_on, referral.assessed_on) {
                (_, Some(_)) if course.support_began => Status::Supported { supporter },
                (_, Some(_)) => Status::Assessed { supporter },
                (Some(_), None) => Status::Engaged { supporter },
                (None, None) if referral.attempts > 0 => Status::Contacting { supporter },
                (None, None) => Status::Allocated { supporter },
            }
        }
    }
}

/// The referral in whose time a day lies: the latest, where two meet on it.
fn covering(record: &Record, day: Date, column: &'static str) -> Result<ReferralId, Stop> {
    let covers =
        |referral: &&Referral| referral.released_on.is_some_and(|from| from <= day) && referral.ended_on.is_none_or(|to| day <= to);
    match record.referrals.iter().filter(covers).max_by_key(|referral| referral.released_on) {
        Some(referral) => Ok(referral.id),
        None => bad(column, "no released referral of this person covers this day"),
    }
}

/// Lists what one person's decision adds and changes.
fn list(tx: &mut Tx<'_>, draft: &Draft, items: &mut Vec<Item>) -> Result<(), StoreError> {
    let (before, now) = (draft.before.as_ref(), &draft.decision.record);
    if before.is_none() {
        items.push(Item::Person(now.person.id));
    }
    for question in now.questions.iter().filter(|question| before.is_none_or(|before| before.question(question.id).is_none())) {
        let waits = now.triggers.iter().filter(|trigger| trigger.outcome == alongside_domain::trigger::Outcome::Question(question.id));
        items.push(Item::Question(question.id, i64::try_from(waits.count()).unwrap_or(i64::MAX)));
    }
    let is_new = |referral: &&Referral| before.is_none_or(|before| before.referral(referral.id).is_none());
    items.extend(now.referrals.iter().filter(is_new).map(|referral| Item::Referral(referral.id)));
    let known = |id| before.is_some_and(|before| before.triggers.iter().any(|trigger| trigger.id == id));
    items.extend(now.triggers.iter().filter(|trigger| !known(trigger.id)).map(|trigger| Item::Trigger(trigger.id)));
    items.extend(draft.decision.contacts.iter().map(|contact| Item::Contact(contact.id)));
    items.extend(draft.decision.assessments.iter().map(|assessment| Item::Assessment(assessment.id)));
    for referral in &now.referrals {
        items.extend(progress(tx, before, referral, &draft.decision)?);
    }
    if let Some(before) = before
        && Standing::of(&before.person, 0) != Standing::of(&now.person, 0)
    {
        let (was, became) = (Standing::of(&before.person, before.triggers.len()), Standing::of(&now.person, now.triggers.len()));
        items.push(Item::Standing { person: now.person.id, before: was, after: became });
    }
    Ok(())
}

/// How far a referral came, if it moved or got something.
fn progress(tx: &mut Tx<'_>, before: Option<&Record>, referral: &Referral, decision: &Decision) -> Result<Option<Item>, StoreError> {
    let was = before.and_then(|before| before.referral(referral.id));
    let (contacts, assessments) = if was.is_some() { imports::uses(tx, referral.id)? } else { (0, 0) };
    let new_contacts = decision.contacts.iter().filter(|contact| contact.referral == referral.id).count();
    let new_assessments = decision.assessments.iter().filter(|assessment| assessment.referral == referral.id).count();
    let more = |here: i64, new: usize| here.saturating_add(i64::try_from(new).unwrap_or(i64::MAX));
    let before = was.map(|was| Progress::of(was, contacts, assessments));
    let after = Progress::of(referral, more(contacts, new_contacts), more(assessments, new_assessments));
    Ok((before.as_ref() != Some(&after)).then_some(Item::Progress { referral: referral.id, before, after }))
}
