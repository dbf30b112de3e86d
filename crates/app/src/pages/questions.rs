//! Questions that messages could not answer, and the page on which each is answered.

use alongside_domain::access::Action;
use alongside_domain::id::QuestionId;
use alongside_domain::person::SiteId;
use alongside_domain::question::{Kind, Question};
use alongside_domain::record::Record;
use alongside_domain::trigger::{Outcome, Trigger};
use alongside_store::page_reads::{self, Asked, Slice};
use alongside_store::{Tx, messages, people, standing};

use super::words;
use super::{Fact, Head, person};
use crate::desk::{Desk, Seen};
use crate::{App, Failure, london_date};

/// How many questions the list shows, the oldest first. There are never many, and each that is answered makes room.
const LISTED_MAX: u32 = 100;

/// A question as a line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionLine {
    /// Where it is answered.
    pub href: String,
    /// The question.
    pub question: &'static str,
    /// The person's name.
    pub name: String,
    /// `aged 34`.
    pub age: String,
    /// `12 days`.
    pub waiting: String,
    /// Who answers: `a clinician`; empty where the reader does.
    pub asks: String,
}

/// The list of questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionsPage {
    /// Those that are shown.
    pub lines: Vec<QuestionLine>,
    /// `3 questions`.
    pub total: String,
}

/// What led to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What was said: `diagnosed; not yet known whether newly, on 2 January 2025`.
    pub what: String,
    /// By which rule.
    pub rule: String,
    /// From where: a message with its type, sender and time; or a form.
    pub from: String,
}

/// A term of two records, side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The term.
    pub term: &'static str,
    /// Of the record in which the question arose.
    pub one: String,
    /// Of the other.
    pub other: String,
    /// Whether the two are the same.
    pub same: bool,
}

/// A question with all that helps to answer it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionPage {
    /// Where the answer is sent.
    pub href: String,
    /// The question.
    pub question: &'static str,
    /// About whom.
    pub head: Head,
    /// The other person, where it asks about two records.
    pub other: Option<Head>,
    /// What is known of the person.
    pub facts: Vec<Fact>,
    /// What led to it.
    pub told: Vec<Told>,
    /// Both records, where it asks about two.
    pub compared: Vec<Compared>,
    /// What follows from the answer: a sentence.
    pub follows: &'static str,
    /// Since when it waits.
    pub since: String,
    /// The answers that can be given: code and words. Empty where the reader is not whom it asks, or it is answered.
    pub answers: Vec<(&'static str, String)>,
    /// Why the reader cannot answer it, where they cannot.
    pub closed: Option<String>,
}

impl Desk {
    /// The list of questions at the sites of the owner of the desk.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn questions_page(&self) -> Result<QuestionsPage, Failure> {
        let desk = self.clone();
        self.disclose(Action::SeeQuestions, None, move |tx, seen| {
            let (lines, total) = desk.question_lines(tx, seen, LISTED_MAX)?;
            Ok(QuestionsPage { lines, total: words::counted(total, "question", "questions") })
        })
    }

    /// The oldest questions at the sites of the owner of the desk, and how many there are. First those that they answer.
    pub(super) fn question_lines(&self, tx: &mut Tx<'_>, seen: &mut Seen, most: u32) -> Result<(Vec<QuestionLine>, u64), Failure> {
        let sites: Vec<SiteId> = self.sites(Action::SeeQuestions).map(|site| site.key.clone()).collect();
        let (mut asked, mut total) = (Vec::new(), 0);
        for site in &sites {
            let scope = self.scope(Action::SeeQuestions, site)?;
            total += page_reads::count_questions(tx, &scope)?;
            for one in page_reads::questions(tx, &scope, Slice { most: LISTED_MAX, skip: 0 })? {
                // One about two records is the business of somebody who may see both; to anybody else it is not there.
                if self.sees_both(tx, &one)? { asked.push(one) } else { total -= 1 }
            }
        }
        asked.sort_by_key(|one| (one.kind.asks() != self.viewer().role, one.raised_at));
        asked.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        asked.iter().for_each(|one| seen.person(one.person));
        Ok((asked.iter().map(|one| self.question_line(one)).collect(), total))
    }

    fn sees_both(&self, tx: &mut Tx<'_>, asked: &Asked) -> Result<bool, Failure> {
        if asked.kind != Kind::SamePerson {
            return Ok(true);
        }
        let Some(record) = people::load(tx, asked.person)? else { return Ok(false) };
        let Some(other) = record.question(asked.question).and_then(|question| question.other) else { return Ok(true) };
        let other = people::survivor(tx, other)?;
        let Some(other) = people::load(tx, other)? else { return Ok(false) };
        let shielded = standing::is_shielded(tx, other.person.id)?;
        Ok(self.is_theirs(Action::AnswerQuestion, &other, shielded))
    }

    fn question_line(&self, asked: &Asked) -> QuestionLine {
        let (today, asks) = (self.app().today(), asked.kind.asks());
        QuestionLine {
            href: format!("/questions/{}", asked.question),
            question: asked.kind.words(),
            name: words::named(&asked.named),
            age: words::age(asked.named.birth_date, today),
            waiting: words::waiting(london_date(asked.raised_at), today),
            asks: if asks == self.viewer().role { String::new() } else { format!("a {}", asks.words()) },
        }
    }

    /// A question with all that helps to answer it.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for none, and for one about anybody who is not theirs; the store's.
    pub fn question_page(&self, id: QuestionId) -> Result<QuestionPage, Failure> {
        let desk = self.clone();
        self.disclose(Action::AnswerQuestion, None, move |tx, seen| {
            let (admitted, other) = desk.admit_to_question(tx, seen, id)?;
            let record = &admitted.record;
            let question = record.question(id).ok_or(Failure::NotFound)?;
            let app = desk.app();
            let mut told = Vec::new();
            for trigger in record.triggers.iter().filter(|trigger| trigger.outcome == Outcome::Question(id)) {
                told.push(app.told(tx, trigger)?);
            }
            let closed = desk.closed_to(question);
            let answers = if closed.is_some() { &[] } else { question.kind.answers() };
            Ok(QuestionPage {
                href: format!("/questions/{id}"),
                question: question.kind.words(),
                head: app.head(record),
                other: other.as_ref().map(|other| app.head(&other.record)),
                facts: person::facts(record),
                told,
                compared: other.as_ref().map_or_else(Vec::new, |other| compare(record, &other.record)),
                follows: follows(question.kind),
                since: words::moment(question.raised_at),
                answers: answers.iter().map(|answer| (answer.code(), words::sentence(answer.words()))).collect(),
                closed,
            })
        })
    }

    fn closed_to(&self, question: &Question) -> Option<String> {
        if question.answered.is_some() {
            return Some("This question has been answered.".to_owned());
        }
        let asks = question.kind.asks();
        (asks != self.viewer().role).then(|| format!("A {} answers this question.", asks.words()))
    }
}

impl App {
    fn told(&self, tx: &mut Tx<'_>, trigger: &Trigger) -> Result<Told, Failure> {
        let message = trigger.message.map(|id| messages::read(tx, id)).transpose()?.flatten();
        let from = message.map_or_else(
            || format!("A form or a list, {}", words::moment(trigger.at)),
            |message| format!("{} from {}, {}", message.kind, self.feed_words(&message.feed), words::moment(message.received_at)),
        );
        Ok(Told {
            what: format!("{}, on {}", words::sentence(trigger.kind.words()), words::day(trigger.on)),
            rule: words::sentence(trigger.rule.words()),
            from,
        })
    }
}

/// What tells two records apart, or shows that they are one person's.
fn compare(one: &Record, other: &Record) -> Vec<Compared> {
    let name = |record: &Record| words::name(record.person.given.as_deref(), record.person.family.as_deref());
    let stage = |record: &Record| {
        record.referrals.last().map_or_else(|| "No referral".to_owned(), |last| words::sentence(last.status.stage().words()))
    };
    let compared = |term, one: String, other: String| Compared { term, same: one == other, one, other };
    let mut lines = vec![compared("Name", name(one), name(other))];
    let (facts, others) = (person::facts(one), person::facts(other));
    for fact in &facts {
        let found = others.iter().find(|known| known.term == fact.term);
        lines.push(compared(fact.term, fact.value.clone(), found.map_or_else(|| "Not known".to_owned(), |known| known.value.clone())));
    }
    for fact in others.iter().filter(|known| facts.iter().all(|fact| fact.term != known.term)) {
        lines.push(compared(fact.term, "Not known".to_owned(), fact.value.clone()));
    }
    lines.push(compared("Referral", stage(one), stage(other)));
    lines
}

/// What follows from an answer.
const fn follows(kind: Kind) -> &'static str {
    match kind {
        Kind::NewOrKnown => "With an offer, they join those who are to be told. Nobody outside the clinic learns of it before.",
        Kind::Safeguarding => "Only if it may be offered do they join those who are to be told.",
        Kind::SamePerson => "If they are the same person, the two records become one. This can be taken back.",
        Kind::ResultWithdrawn => "If the diagnosis does not stand, everything that rested on it ends and nothing is sent.",
        Kind::GapUnknown => "Somebody coming back into care joins those who are to be told.",
    }
}
