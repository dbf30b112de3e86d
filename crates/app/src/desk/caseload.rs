//! What a supporter records: contacts, what was agreed for the next one, and assessments.

use alongside_domain::access::Action;
use alongside_domain::command::Command;
use alongside_domain::contact::{ContactNote, Outcome, Way};
use alongside_domain::decision::Refusal;
use alongside_domain::id::{PersonId, ReferralId};
use alongside_domain::instrument::{Answers, Instrument};
use alongside_domain::supporter::Supporter;
use alongside_store::{care, plans};
use jiff::ToSpan;
use jiff::civil::Date;

use super::{Admitted, Desk, DraftForm};
use crate::pages::words;
use crate::{Failure, Invalid};

/// The furthest day that can be agreed on, in days from today.
const AGREED_DAYS_MAX: i32 = 366;

/// What a supporter fills in after a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactForm {
    /// The day.
    pub on: Date,
    /// The way.
    pub way: Way,
    /// What came of it.
    pub outcome: Outcome,
    /// Length in minutes; 0 where nobody was reached.
    pub minutes: u16,
    /// A few words; may be empty.
    pub note: String,
    /// The day agreed for the next contact, and its way.
    pub next: Option<(Date, Way)>,
}

/// Of whom a supporter's form is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormOf {
    /// The person's identifier.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// Today.
    pub today: Date,
    /// Key of this form, by which it is carried out once.
    pub once: String,
}

impl FormOf {
    /// The person's page.
    #[must_use]
    pub fn href(&self) -> String {
        format!("/people/{}", self.person)
    }
}

/// An assessment to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessmentPage {
    /// Of whom.
    pub of: FormOf,
    /// The instruments to choose from: id, title, and whether it is the chosen one.
    pub instruments: Vec<(String, String, bool)>,
    /// Id of the chosen one.
    pub instrument: String,
    /// Its title.
    pub title: String,
    /// The words before the first question.
    pub introduction: String,
    /// Under what terms the wording is shown.
    pub notice: String,
    /// The questions.
    pub questions: Vec<QuestionAsked>,
}

/// A question of an assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionAsked {
    /// Its name in the form.
    pub link_id: String,
    /// The wording.
    pub text: String,
    /// What the ends of a range mean; empty for words.
    pub hint: String,
    /// What may be answered: value and words.
    pub choices: Vec<(i64, String)>,
    /// Whether the answers stand in a row: numbers of a range.
    pub in_a_row: bool,
}

impl Desk {
    /// The form of a contact.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for somebody who is not theirs; the store's.
    pub fn contact_form(&self, referral: ReferralId) -> Result<FormOf, Failure> {
        self.form_of(Action::RecordContact, referral)
    }

    fn form_of(&self, action: Action, referral: ReferralId) -> Result<FormOf, Failure> {
        let desk = self.clone();
        self.disclose(action, None, move |tx, seen| {
            seen.detail("form");
            Ok(desk.form(&desk.admit_to(tx, seen, action, referral)?))
        })
    }

    /// A form about a person.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for somebody who is not theirs; the store's.
    pub fn form_about(&self, action: Action, person: PersonId) -> Result<FormOf, Failure> {
        let desk = self.clone();
        self.disclose(action, None, move |tx, seen| {
            seen.detail("form");
            Ok(desk.form(&desk.admit(tx, seen, action, person)?))
        })
    }

    fn form(&self, admitted: &Admitted) -> FormOf {
        let person = &admitted.record.person;
        FormOf {
            person: person.id.to_string(),
            name: words::name(person.given.as_deref(), person.family.as_deref()),
            today: self.app().today(),
            once: self.new_once(),
        }
    }

    /// Records a contact, and what was agreed for the next.
    ///
    /// # Errors
    /// [`Failure::Invalid`] at the field; [`Failure::NotFound`] for somebody who is not theirs; the rule that refuses it; the
    /// store's.
    pub fn record_contact(&self, referral: ReferralId, form: &ContactForm, once: &str) -> Result<String, Failure> {
        self.check_agreed(form)?;
        let (desk, form, once) = (self.clone(), form.clone(), once.to_owned());
        let supporter = self.own_supporter()?.clone();
        let note = ContactNote {
            supporter: supporter.id.clone(),
            on: form.on,
            way: form.way,
            outcome: form.outcome,
            minutes: form.minutes,
            note: form.note.trim().to_owned(),
        };
        let recorded = self.disclose(Action::RecordContact, None, move |tx, seen| {
            let admitted = desk.admit_to(tx, seen, Action::RecordContact, referral)?;
            let person = format!("/people/{}", admitted.record.person.id);
            if !desk.once(tx, &once, &(referral, &form))? {
                return Ok(person);
            }
            let supporter = desk.app().renewed(tx, &supporter)?;
            desk.decide(tx, &admitted, &Command::RecordContact { referral, supporter, note: note.clone() })?;
            care::drop_draft(tx, desk.staff(), admitted.record.person.id, DraftForm::Contact.code())?;
            plans::kept(tx, referral, form.on)?;
            if let Some((on, way)) = form.next {
                plans::plan(tx, referral, on, way)?;
            }
            Ok(person)
        });
        recorded.map_err(at_its_field)
    }

    fn check_agreed(&self, form: &ContactForm) -> Result<(), Failure> {
        let today = self.app().today();
        let wrong = form.next.is_some_and(|(on, _)| on < today || on > today.saturating_add(AGREED_DAYS_MAX.days()));
        if wrong { Err(Failure::invalid("next", "Enter a day from today on, within a year")) } else { Ok(()) }
    }

    /// The form of an assessment, with the instrument that was asked for or the first.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for somebody who is not theirs and for no such instrument; the store's.
    pub fn assessment_page(&self, referral: ReferralId, instrument: Option<&str>) -> Result<AssessmentPage, Failure> {
        let known = &self.app().setup.instruments;
        let chosen = match instrument {
            Some(id) => known.get(id),
            None => known.values().next(),
        };
        let chosen = chosen.ok_or(Failure::NotFound)?;
        let definition = chosen.definition();
        let of = self.form_of(Action::RecordAssessment, referral)?;
        Ok(AssessmentPage {
            of,
            instruments: known.values().map(|one| (one.id().to_owned(), one.definition().title.clone(), one.id() == chosen.id())).collect(),
            instrument: definition.id.clone(),
            title: definition.title.clone(),
            introduction: definition.introduction.clone().unwrap_or_default(),
            notice: definition.licence.notice.clone(),
            questions: questions(chosen),
        })
    }

    /// Records an assessment; the scores are computed here. Tells where to go: to the person, or where an answer is one that
    /// must be brought to somebody's attention, to a concern.
    ///
    /// # Errors
    /// [`Failure::Invalid`] at each question that cannot be taken; [`Failure::NotFound`] for somebody who is not theirs; the
    /// rule that refuses it; the store's.
    pub fn record_assessment(
        &self,
        referral: ReferralId,
        instrument: &str,
        on: Date,
        answers: Vec<(String, i64)>,
        once: &str,
    ) -> Result<Assessed, Failure> {
        let form = self.app().assessment_form(&self.staff().0, on, instrument, answers)?;
        let known = self.app().setup.instruments.get(instrument).ok_or(Failure::NotFound)?;
        let missing = known.missing(&form.answers);
        if !missing.is_empty() && missing.len() == known.definition().items.len() {
            return Err(Failure::invalid(missing.first().copied().unwrap_or_default(), "Answer at least one question"));
        }
        let at_risk = known.risks(&form.answers).is_ok_and(|risks| !risks.is_empty());
        let (desk, once) = (self.clone(), once.to_owned());
        let recorded = self.disclose(Action::RecordAssessment, None, move |tx, seen| {
            let admitted = desk.admit_to(tx, seen, Action::RecordAssessment, referral)?;
            let person = admitted.record.person.id;
            if desk.once(tx, &once, &(referral, &form))? {
                desk.decide(tx, &admitted, &Command::RecordAssessment { referral, form: form.clone() })?;
                care::drop_draft(tx, desk.staff(), person, DraftForm::Assessment.code())?;
            }
            Ok(Assessed { person: format!("/people/{person}"), at_risk })
        });
        recorded.map_err(at_its_field)
    }

    /// The supporter who sits at the desk.
    fn own_supporter(&self) -> Result<&Supporter, Failure> {
        self.app().setup.supporters.get(&self.staff().0).ok_or(Failure::Forbidden)
    }

    /// A new key of a form, by which it is carried out once.
    #[must_use]
    pub fn new_once(&self) -> String {
        format!("{:032x}", self.app().world.ids().next())
    }
}

/// What came of an assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessed {
    /// The person's page.
    pub person: String,
    /// Whether an answer is one that must be brought to somebody's attention at once.
    pub at_risk: bool,
}

/// A refusal that is about one field, told at it.
fn at_its_field(failure: Failure) -> Failure {
    let place = match &failure {
        Failure::Refused(Refusal::DateInTheFuture | Refusal::DateTooEarly | Refusal::ContractOver) => "on",
        Failure::Refused(Refusal::TooManyMinutes) => "minutes",
        Failure::Refused(Refusal::NoteTooLong) => "note",
        _ => return failure,
    };
    let Failure::Refused(refusal) = failure else { return failure };
    Failure::Invalid(vec![Invalid::new(place, refusal.words())])
}

/// The questions of an instrument, ready to be asked.
#[must_use]
pub fn questions(instrument: &Instrument) -> Vec<QuestionAsked> {
    let asked = instrument.definition().items.iter().map(|item| {
        let (hint, choices, in_a_row) = match &item.answers {
            Answers::Choices(choices) => (String::new(), choices.iter().map(|one| (one.value, one.label.clone())).collect(), false),
            Answers::Range { min, max, min_label, max_label } => {
                let hint = format!("{min} is “{min_label}”, {max} is “{max_label}”");
                (hint, (*min..=*max).map(|value| (value, value.to_string())).collect(), true)
            }
        };
        QuestionAsked { link_id: item.link_id.clone(), text: item.text.clone(), hint, choices, in_a_row }
    });
    asked.collect()
}
