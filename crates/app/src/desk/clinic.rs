//! What the clinic does: notice, objection, "not now", referral, and the answers to questions.
//!
//! Each is one command of the rules, done to a person who was admitted to, in one transaction, once however often the form
//! is sent. Where it is done by people outside the clinic as well, the same way is theirs.

use alongside_domain::access::Action;
use alongside_domain::command::Command;
use alongside_domain::decision::{Cause, Refusal};
use alongside_domain::fact::{Fact, Subject};
use alongside_domain::id::{PersonId, QuestionId, ReferralId};
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::notice::{Answer, How, Telling};
use alongside_domain::person::{Demographics, NhsNumberHeld, ObjectionReason, Person, Said, Scope, SiteId};
use alongside_domain::question;
use alongside_domain::record::Record;
use alongside_domain::referral::EndReason;
use alongside_domain::rules::{commands, facts, merging};
use alongside_domain::trigger;
use alongside_store::{Tx, people, standing};
use jiff::civil::Date;

use super::beside::beside;
use super::{Admitted, Desk, OwnDetails, Seen};
use crate::importing::identifier;
use crate::intake::{keep_merging, load};
use crate::{App, Failure, Invalid};

/// The longest text of a field that names or numbers somebody.
const FIELD_CHARACTERS_MAX: usize = 100;

/// Somebody who is not known yet, as a form gives them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NewPerson {
    /// The hospital's number.
    pub number: String,
    /// The NHS number as it was typed; empty where there is none.
    pub nhs_number: String,
    /// Given name.
    pub given: String,
    /// Family name.
    pub family: String,
    /// Date of birth, where it is known.
    pub birth_date: Option<Date>,
    /// Telephone number as it was typed; empty where there is none.
    pub telephone: String,
}

impl Desk {
    /// A clinician records that a person knows the diagnosis, was told about peer support, and what they answered.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for somebody who is not theirs; the rule that refuses it.
    pub fn record_notice(
        &self,
        person: PersonId,
        on: Date,
        how: How,
        answer: Answer,
        consents_to_outside: bool,
        once: &str,
    ) -> Result<(), Failure> {
        let telling = Telling { on, how, knows_diagnosis: true, told_of_support: true, consents_to_outside, answer };
        self.about(Action::RecordNotice, person, once, move |record| {
            Ok(Command::RecordNotice { referral: live(record)?, telling: telling.clone() })
        })
    }

    /// Records an objection. It is never refused.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for somebody who is not theirs.
    pub fn object(&self, person: PersonId, scope: Scope, reason: ObjectionReason, once: &str) -> Result<(), Failure> {
        self.about(Action::RecordObjection, person, once, move |_| Ok(Command::Object { scope, reason }))
    }

    /// Records that the person took an objection back.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for somebody who is not theirs; the rule that refuses it.
    pub fn take_back(&self, person: PersonId, once: &str) -> Result<(), Failure> {
        self.about(Action::RecordObjection, person, once, |_| Ok(Command::TakeBackObjection))
    }

    /// Records "not now", until a day.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for somebody who is not theirs; [`Failure::Invalid`] at `until`; the rule that refuses it.
    pub fn defer(&self, person: PersonId, until: Date, once: &str) -> Result<(), Failure> {
        self.about(Action::Defer, person, once, move |record| Ok(Command::Defer { referral: live(record)?, until }))
    }

    /// Refers somebody who has a page.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for somebody who is not theirs; [`Failure::Invalid`] for a kind that no form may state; the rule
    /// that refuses it.
    pub fn refer(&self, person: PersonId, kind: trigger::Kind, once: &str) -> Result<(), Failure> {
        let command = request(kind, self.app().today())?;
        self.about(Action::Refer, person, once, move |_| Ok(command.clone()))
    }

    /// Ends a person's referral.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for somebody who is not theirs; [`Failure::Invalid`] for a reason that nobody chooses, and at
    /// `on`; the rule that refuses it.
    pub fn end_referral(&self, person: PersonId, reason: EndReason, on: Date, once: &str) -> Result<(), Failure> {
        if !reason.is_chosen() {
            return Err(Failure::invalid("reason", "Choose why it ended"));
        }
        self.about(Action::EndReferral, person, once, move |record| Ok(Command::End { referral: live(record)?, reason, on }))
    }

    /// Does something to a person, once.
    fn about(
        &self,
        action: Action,
        person: PersonId,
        once: &str,
        command: impl Fn(&Record) -> Result<Command, Failure> + Send + 'static,
    ) -> Result<(), Failure> {
        let (desk, once) = (self.clone(), once.to_owned());
        self.disclose(action, None, move |tx, seen| {
            let admitted = desk.admit(tx, seen, action, person)?;
            if !desk.once(tx, &once, &(action, person))? {
                return Ok(());
            }
            desk.decide(tx, &admitted, &command(&admitted.record)?).map_err(at_its_field)
        })
    }

    /// Whether the owner of the desk may open a person's page, after what they did to them. Nothing is shown by asking.
    ///
    /// # Errors
    /// The store's.
    pub fn may_open(&self, person: PersonId) -> Result<bool, Failure> {
        self.app().store.read(|tx| {
            let survivor = people::survivor(tx, person)?;
            let Some(record) = people::load(tx, survivor)? else { return Ok(false) };
            let shielded = standing::is_shielded(tx, survivor)?;
            Ok(self.is_theirs(Action::SeePerson, &record, shielded))
        })
    }

    /// Refers somebody of whom the form alone tells. Whoever has this hospital number at this site already is not made anew:
    /// the form is refused with where to find them. Where their record is closed to the owner of this desk, what they see is
    /// what they see of somebody new: a record that opens to them, or one that is shielded from its first moment.
    ///
    /// # Errors
    /// [`Failure::Invalid`] at each field that is wrong; [`Failure::NotFound`] for another site; the rule that refuses it.
    pub fn refer_new(&self, site: &str, new: &NewPerson, kind: trigger::Kind, once: &str) -> Result<(), Failure> {
        self.may_do(Action::Refer)?;
        let site = self.site(Action::Refer, site).map_err(|_| Failure::invalid("site", "Choose a site"))?.key.clone();
        let subject = subject(&site, new, self.app().today())?;
        let command = request(kind, self.app().today())?;
        let (desk, once, at) = (self.clone(), once.to_owned(), site.clone());
        self.disclose(Action::Refer, Some(&at), move |tx, seen| {
            if !desk.once(tx, &once, &subject)? {
                return Ok(());
            }
            match desk.already_here(tx, seen, &site, &subject)? {
                Some(closed) if desk.app().would_be_shielded(tx, &said(&subject))? => desk.refer_closed(tx, closed, &command),
                Some(closed) => desk.refer_beside(tx, seen, &closed, &subject, &command),
                None => desk.refer_stranger(tx, seen, &site, &subject, &command).map(drop),
            }
        })
    }

    /// Somebody with these numbers whose record is closed to the owner of the desk.
    fn already_here(&self, tx: &mut Tx<'_>, seen: &mut Seen, site: &SiteId, subject: &Subject) -> Result<Option<Record>, Failure> {
        let number = subject.nhs_number.map(|held| held.number);
        let mut found = people::find(tx, site, &subject.identifiers, None)?;
        let place = if found.is_empty() { "nhs-number" } else { "number" };
        if found.is_empty() {
            found = people::find(tx, site, &[], number)?;
        }
        found.first().map(|first| self.closed_or_told(tx, seen, *first, place)).transpose()
    }

    /// The record that was found by a number, where it is closed to the owner of the desk.
    fn closed_or_told(&self, tx: &mut Tx<'_>, seen: &mut Seen, found: PersonId, place: &str) -> Result<Record, Failure> {
        let record = load(tx, found)?;
        let shielded = standing::is_shielded(tx, found)?;
        seen.person(found);
        if self.is_theirs(Action::Refer, &record, shielded) {
            // Whose number it is was told by this: it is written down as what it is.
            seen.turned_away = true;
            return Err(Failure::invalid(place, "Somebody with this number is here already: look for them by this number"));
        }
        Ok(record)
    }

    /// Refers somebody under a number of a closed record, of whom that record does not tell.
    fn refer_beside(&self, tx: &mut Tx<'_>, seen: &mut Seen, closed: &Record, subject: &Subject, command: &Command) -> Result<(), Failure> {
        let (app, site) = (self.app(), &closed.person.site);
        let mut subject = subject.clone();
        if !people::find(tx, site, &subject.identifiers, None)?.is_empty() {
            subject.identifiers = beside(&subject.identifiers);
            if let Some(before) = people::find(tx, site, &subject.identifiers, None)?.first() {
                let before = self.closed_or_told(tx, seen, *before, "number")?;
                return self.refer_closed(tx, before, command);
            }
        }
        let other = self.refer_stranger(tx, seen, site, &subject, command)?;
        let mut ids = app.world.ids();
        let mut ctx = app.context(&mut *ids, self.viewer().actor(), Cause::Form);
        app.ask_beside(tx, closed, other, &mut ctx)
    }

    fn refer_closed(&self, tx: &mut Tx<'_>, record: Record, command: &Command) -> Result<(), Failure> {
        let app = self.app();
        let mut ids = app.world.ids();
        let mut ctx = app.context(&mut *ids, self.viewer().actor(), Cause::Form);
        match commands::decide(record.clone(), command, &mut ctx) {
            Ok(decision) => app.keep(tx, Some(&record), &decision),
            // That it was refused would tell of the record.
            Err(_) => Ok(()),
        }
    }

    fn refer_stranger(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut Seen,
        site: &SiteId,
        subject: &Subject,
        command: &Command,
    ) -> Result<PersonId, Failure> {
        let app = self.app();
        let mut ids = app.world.ids();
        let mut ctx = app.context(&mut *ids, self.viewer().actor(), Cause::Form);
        let person = Person::new(PersonId::new(ctx.ids), site.clone(), subject.identifiers.clone());
        seen.person(person.id);
        let added = facts::apply(Record::new(person), subject, &[Fact::DemographicsStated], true, &mut ctx);
        let referred = commands::decide(added.record.clone(), command, &mut ctx)?;
        app.keep(tx, None, &added)?;
        app.keep(tx, Some(&added.record), &referred)?;
        Ok(referred.record.person.id)
    }

    /// Answers a question. Two records that are said to be one person are merged in the same transaction.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for one about somebody who is not theirs, and where two records are asked about, if either is
    /// not; the rule that refuses it.
    pub fn answer_question(&self, question: QuestionId, answer: question::Answer) -> Result<(), Failure> {
        let desk = self.clone();
        self.disclose(Action::AnswerQuestion, None, move |tx, seen| {
            let (admitted, other) = desk.admit_to_question(tx, seen, question)?;
            let app = desk.app();
            let mut ids = app.world.ids();
            let mut ctx = app.context(&mut *ids, desk.viewer().actor(), Cause::Form);
            let decision = commands::decide(admitted.record.clone(), &Command::Answer { question, answer }, &mut ctx)?;
            app.keep(tx, Some(&admitted.record), &decision)?;
            match other {
                Some(other) if answer == question::Answer::Same => merge(app, tx, &decision.record, &other.record, &mut ctx),
                _ => Ok(()),
            }
        })
    }

    /// The record of a question, and the other one where it asks about two.
    pub(crate) fn admit_to_question(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut Seen,
        question: QuestionId,
    ) -> Result<(Admitted, Option<Admitted>), Failure> {
        let action = Action::AnswerQuestion;
        let person = people::of_question(tx, question)?.ok_or(Failure::NotFound)?;
        let admitted = self.admit(tx, seen, action, person)?;
        let other = admitted.record.question(question).ok_or(Failure::NotFound)?.other;
        let other = other.map(|other| self.admit(tx, seen, action, other)).transpose()?;
        Ok((admitted, other))
    }
}

fn merge(
    app: &App,
    tx: &mut Tx<'_>,
    survivor: &Record,
    retired: &Record,
    ctx: &mut alongside_domain::decision::Context<'_>,
) -> Result<(), Failure> {
    let merging = merging::merge(survivor.clone(), retired.clone(), true, ctx)?;
    keep_merging(app, tx, survivor, retired, merging, ctx.at)
}

/// The referral that counts.
fn live(record: &Record) -> Result<ReferralId, Failure> {
    let live = record.live_referral().ok_or(Failure::Refused(Refusal::NotInThisState))?;
    Ok(live.id)
}

/// By what somebody would be recognised of whom a form tells.
fn said(subject: &Subject) -> OwnDetails {
    let text = |said: &Said<String>| if let Said::Value(text) = said { text.clone() } else { String::new() };
    OwnDetails {
        nhs_number: subject.nhs_number.map(|held| held.number),
        given: text(&subject.demographics.given),
        family: text(&subject.demographics.family),
        born: if let Said::Value(born) = subject.demographics.birth_date { Some(born) } else { None },
    }
}

/// What a form may ask for: by the clinic, or by the person.
fn request(kind: trigger::Kind, today: Date) -> Result<Command, Failure> {
    match kind {
        trigger::Kind::ClinicRequest | trigger::Kind::SelfReferral => Ok(Command::Refer { kind, on: today }),
        trigger::Kind::NewDiagnosis | trigger::Kind::Reengagement | trigger::Kind::KnownElsewhere | trigger::Kind::Undetermined => {
            Err(Failure::invalid("kind", "Choose who asks"))
        }
    }
}

/// A refusal that is about one field of a form stands at that field.
fn at_its_field(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(Refusal::DeferralTooLong) => Failure::invalid("until", Refusal::DeferralTooLong.words()),
        Failure::Refused(refusal @ (Refusal::DateInTheFuture | Refusal::DateTooEarly)) => Failure::invalid("on", refusal.words()),
        other => other,
    }
}

/// What a form says of somebody, or everything that is wrong with it.
fn subject(site: &SiteId, new: &NewPerson, today: Date) -> Result<Subject, Failure> {
    let mut problems = Vec::new();
    let number = new.number.trim();
    if number.is_empty() {
        problems.push(Invalid::new("number", "Enter the hospital number"));
    }
    let (given, family) = (new.given.trim(), new.family.trim());
    if given.is_empty() && family.is_empty() {
        problems.push(Invalid::new("family", "Enter a name"));
    }
    for (place, text) in [("number", number), ("given", given), ("family", family), ("telephone", new.telephone.trim())] {
        if text.chars().count() > FIELD_CHARACTERS_MAX || text.chars().any(char::is_control) {
            problems.push(Invalid::new(place, format!("Enter at most {FIELD_CHARACTERS_MAX} characters")));
        }
    }
    if new.birth_date.is_some_and(|born| born > today) {
        problems.push(Invalid::new("born", "The date of birth is in the future"));
    }
    let mut nhs_number = None;
    if !new.nhs_number.trim().is_empty() {
        match new.nhs_number.parse::<NhsNumber>() {
            // A number that was typed proves nothing: only a traced one does.
            Ok(number) => nhs_number = Some(NhsNumberHeld { number, verified: false }),
            Err(wrong) => problems.push(Invalid::new("nhs-number", words_of(wrong))),
        }
    }
    if !problems.is_empty() {
        return Err(Failure::Invalid(problems));
    }
    let said = |text: &str| Said::from_option(Some(text.trim().to_owned()).filter(|text| !text.is_empty()));
    let demographics = Demographics {
        given: said(given),
        family: said(family),
        birth_date: Said::from_option(new.birth_date),
        telephone: said(&new.telephone),
    };
    Ok(Subject { identifiers: vec![identifier(site, number)], nhs_number, demographics })
}

fn words_of(wrong: alongside_domain::nhs_number::NotAnNhsNumber) -> String {
    crate::pages::words::sentence(&wrong.to_string())
}
