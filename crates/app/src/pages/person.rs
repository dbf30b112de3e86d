//! One person's page: where things stand, what comes next, and how it came to be.

use std::collections::BTreeMap;

use alongside_domain::access::Action;
use alongside_domain::contact::ContactNote;
use alongside_domain::decision::{Cause, Event, What};
use alongside_domain::id::{MessageId, PersonId};
use alongside_domain::instrument::{Direction, Scale};
use alongside_domain::question::Question;
use alongside_domain::record::Record;
use alongside_domain::referral::{Audience, Referral, Status};
use alongside_domain::supporter::StaffId;
use alongside_store::reading::Assessed;
use alongside_store::{Tx, journal, messages, reading};
use jiff::civil::Date;

use super::Link;
use super::care::SafeContactBox;
use super::charts::{Band, Chart, Dot, Shape};
use super::figures::told;
use super::sent_back::SentLine;
use super::words::{self, Urgency};
use crate::desk::Desk;
use crate::{App, Failure, london_date};

/// How many entries of a timeline a page shows, the newest.
const ENTRIES_MAX: usize = 40;
/// How many contacts a page shows, the newest.
const CONTACTS_MAX: usize = 20;

/// A person's page, or where the person is to be found.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonPage {
    /// Set when this record was merged into another: the address of that one. All else is then of that one.
    pub moved_to: Option<String>,
    /// The person's name.
    pub name: String,
    /// `aged 34`.
    pub age: String,
    /// Key of the site.
    pub site: String,
    /// Title of the site.
    pub site_title: String,
    /// Whether only the clinic may see this person.
    pub clinic_only: bool,
    /// Said before all else: a death, an objection.
    pub notices: Vec<String>,
    /// The referral that counts, if there is one.
    pub current: Option<Ref>,
    /// Earlier referrals, newest first.
    pub earlier: Vec<Ref>,
    /// How they may be contacted.
    pub safe: SafeContactBox,
    /// What is known of the person: term and value.
    pub facts: Vec<Fact>,
    /// What its reader can do to this person now: pages of their own.
    pub actions: Vec<Link>,
    /// Questions that wait for an answer: what, and who answers.
    pub open_questions: Vec<(String, String)>,
    /// Questions with their answers.
    pub answered: Vec<Answered>,
    /// Contacts, newest first.
    pub contacts: Vec<Contact>,
    /// How many older contacts are not shown.
    pub older_contacts: usize,
    /// Scores over time, by instrument.
    pub wellbeing: Vec<Wellbeing>,
    /// What the hospital's record was told, newest first.
    pub sent: Vec<SentLine>,
    /// What happened, newest first.
    pub timeline: Vec<Entry>,
    /// How many older entries are not shown.
    pub older: usize,
}

/// A term and what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The term.
    pub term: &'static str,
    /// The value.
    pub value: String,
}

/// A referral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    /// The page that says why.
    pub why: String,
    /// `Newly diagnosed`.
    pub reason: String,
    /// When it was raised.
    pub raised: String,
    /// The stage in one or two words.
    pub stage: String,
    /// Where it stands, in a sentence.
    pub standing: String,
    /// What comes next, and who does it.
    pub next: String,
    /// When that is due, where it is.
    pub due: Option<String>,
    /// How urgent that is.
    pub urgency: Urgency,
    /// The supporter's first name.
    pub supporter: Option<String>,
}

/// A question that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The question.
    pub question: &'static str,
    /// The answer.
    pub answer: String,
    /// Who and when.
    pub by: String,
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The day.
    pub on: String,
    /// The way.
    pub way: String,
    /// What came of it.
    pub outcome: String,
    /// `25 minutes`.
    pub length: String,
    /// The supporter's first name.
    pub supporter: String,
    /// A few words.
    pub note: String,
}

/// What one instrument says over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Wellbeing {
    /// The instrument.
    pub instrument: String,
    /// The day, where it was asked once only: then there is no trend yet, and nothing to draw.
    pub once: Option<String>,
    /// One for each scale, in the order of the instrument's file.
    pub trends: Vec<Trend>,
}

/// One scale over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// Which way is well.
    pub direction: &'static str,
    /// The chart with its figures.
    pub chart: Chart,
}

/// What happened at one moment by one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub when: String,
    /// What happened, the most telling first.
    pub what: Vec<String>,
    /// By whom.
    pub by: String,
    /// Why: term and value.
    pub why: Vec<(&'static str, String)>,
}

impl Desk {
    /// A person's page: of their parts, those that the owner of the desk may see.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for nobody, and for somebody who is not theirs; the store's.
    pub fn person_page(&self, id: PersonId) -> Result<PersonPage, Failure> {
        let (desk, today) = (self.clone(), self.app().today());
        self.disclose(Action::SeePerson, None, move |tx, seen| {
            let admitted = desk.admit(tx, seen, Action::SeePerson, id)?;
            let survivor = admitted.record.person.id;
            let events = journal::of_person(tx, survivor)?;
            let mut contacts = reading::contacts(tx, survivor)?;
            if desk.may_do(Action::SeeNotes).is_err() {
                contacts.iter_mut().for_each(|contact| contact.note.clear());
            }
            let sees_wellbeing = desk.may_do(Action::SeeWellbeing).is_ok();
            let assessments = if sees_wellbeing { reading::assessments(tx, survivor)? } else { Vec::new() };
            let app = desk.app();
            let safe = desk.safe_contact_of(tx, &admitted.record.person)?;
            let mut page = app.person(&admitted.record, safe, &contacts, &assessments, today);
            (page.timeline, page.older) = app.timeline(tx, &admitted.record, &events)?;
            page.sent = app.sent_lines(tx, survivor)?;
            page.actions = desk.care_links(&admitted);
            page.actions.extend(desk.tasks(&admitted));
            page.moved_to = (survivor != id).then(|| format!("/people/{survivor}"));
            Ok(page)
        })
    }
}

impl App {
    fn person(&self, record: &Record, safe: SafeContactBox, contacts: &[ContactNote], assessments: &[Assessed], today: Date) -> PersonPage {
        let person = &record.person;
        let current = record.live_referral().or_else(|| record.referrals.last());
        let earlier = record.referrals.iter().rev().filter(|referral| Some(referral.id) != current.map(|current| current.id));
        let site = self.setup.sites.get(&person.site.0);
        PersonPage {
            moved_to: None,
            name: words::name(person.given.as_deref(), person.family.as_deref()),
            age: words::age(person.birth_date, today),
            site: person.site.0.clone(),
            site_title: site.map_or_else(|| person.site.0.clone(), |site| site.title.clone()),
            clinic_only: record.referrals.iter().all(|referral| referral.audience() == Audience::ClinicOnly),
            notices: notices(record),
            current: current.map(|referral| self.referral(referral, today)),
            earlier: earlier.map(|referral| self.referral(referral, today)).collect(),
            safe,
            facts: facts(record),
            actions: Vec::new(),
            open_questions: record.questions.iter().filter_map(open_question).collect(),
            answered: record.questions.iter().filter_map(|question| self.answered(question)).collect(),
            contacts: contacts.iter().rev().take(CONTACTS_MAX).map(|note| self.contact(note)).collect(),
            older_contacts: contacts.len().saturating_sub(CONTACTS_MAX),
            wellbeing: self.wellbeing(assessments),
            sent: Vec::new(),
            timeline: Vec::new(),
            older: 0,
        }
    }

    fn referral(&self, referral: &Referral, today: Date) -> Ref {
        let (standing, next, on) = self.standing(referral);
        let due = on.map(|on| words::due(on, today));
        Ref {
            why: format!("/referrals/{}/why", referral.id),
            reason: words::sentence(referral.reason.words()),
            raised: words::moment(referral.raised_at),
            stage: words::sentence(referral.status.stage().words()),
            standing,
            next,
            urgency: due.as_ref().map_or(Urgency::Calm, |(_, urgency)| *urgency),
            due: due.map(|(words, _)| words),
            supporter: referral.status.supporter().map(|id| self.setup.name_of(&id.0)),
        }
    }

    /// Where a referral stands, what comes next, and the day by which.
    fn standing(&self, referral: &Referral) -> (String, String, Option<Date>) {
        let with = |supporter: &StaffId| self.setup.name_of(&supporter.0);
        let released = referral.released_on.map_or_else(String::new, |on| format!(" Released on {}.", words::day(on)));
        let tries = match referral.attempts {
            0 => "Not tried yet.".to_owned(),
            1 => "Tried once.".to_owned(),
            more => format!("Tried {more} times."),
        };
        match &referral.status {
            Status::AwaitingNotice => (
                "Waits until a clinician has recorded that the person knows the diagnosis and has been told about peer support.".into(),
                "A clinician records the notice, and asks whether there is an objection.".into(),
                None,
            ),
            Status::Deferred { until } => {
                (format!("“Not now”, until {}.", words::day(*until)), "A clinician asks again on that day.".into(), None)
            }
            Status::OptedOut => {
                ("The person does not want peer support.".into(), "Nothing. The person can take this back at any time.".into(), None)
            }
            Status::Open => {
                (format!("Told about peer support, no objection.{released}"), "The coordinator finds a supporter.".into(), referral.due_on)
            }
            Status::Allocated { supporter } => {
                (format!("With {}.{released} {tries}", with(supporter)), "A first conversation.".into(), referral.due_on)
            }
            Status::Contacting { supporter } => (
                format!("{} is trying to reach the person.{released} {tries}", with(supporter)),
                "A first conversation.".into(),
                referral.due_on,
            ),
            Status::Engaged { supporter } => (
                format!("First conversation with {}{}.", with(supporter), on_day(referral.engaged_on)),
                "A first wellbeing assessment.".into(),
                referral.next_assessment_on,
            ),
            Status::Assessed { supporter } | Status::Supported { supporter } => (
                format!("{} supports this person{}.", with(supporter), since(referral.engaged_on)),
                "The next wellbeing assessment.".into(),
                referral.next_assessment_on,
            ),
            Status::Held { why, resume } => (
                format!("Stopped: {}. It stood at “{}”.", why.words(), resume.stage().words()),
                "A clinician answers the question; until then nothing happens.".into(),
                None,
            ),
            Status::Ended { reason } => (format!("Ended{}: {}.", on_day(referral.ended_on), reason.words()), "Nothing.".into(), None),
        }
    }

    fn answered(&self, question: &Question) -> Option<Answered> {
        let answered = question.answered.as_ref()?;
        let answer = answered.answer.map_or_else(|| "no answer needed any more".to_owned(), |answer| answer.words().to_owned());
        let at = words::moment(answered.at);
        let by = answered.by.as_ref().map_or_else(|| at.clone(), |by| format!("{}, {at}", self.setup.name_of(&by.0)));
        Some(Answered { question: question.kind.words(), answer: words::sentence(&answer), by })
    }

    fn contact(&self, note: &ContactNote) -> Contact {
        Contact {
            on: words::day(note.on),
            way: words::sentence(note.way.words()),
            outcome: words::sentence(note.outcome.words()),
            length: if note.minutes == 0 { "none".to_owned() } else { words::counted(u64::from(note.minutes), "minute", "minutes") },
            supporter: self.setup.name_of(&note.supporter.0),
            note: note.note.clone(),
        }
    }

    /// What each instrument says, in the order in which they were first used.
    fn wellbeing(&self, assessments: &[Assessed]) -> Vec<Wellbeing> {
        let mut used: Vec<&str> = Vec::new();
        for assessment in assessments {
            if !used.contains(&assessment.instrument.as_str()) {
                used.push(&assessment.instrument);
            }
        }
        let known = used.into_iter().filter_map(|id| self.setup.instruments.get(id));
        known
            .map(|instrument| {
                let of_it: Vec<&Assessed> = assessments.iter().filter(|assessment| assessment.instrument == instrument.id()).collect();
                let scales = &instrument.definition().scales;
                Wellbeing {
                    instrument: instrument.definition().title.clone(),
                    once: if let [only] = of_it.as_slice() { Some(words::day(only.on)) } else { None },
                    trends: scales.iter().map(|scale| trend(instrument.id(), scale, &of_it)).collect(),
                }
            })
            .collect()
    }

    /// What happened, newest first; events of one moment and one cause are one entry.
    fn timeline(&self, tx: &mut Tx<'_>, record: &Record, events: &[Event]) -> Result<(Vec<Entry>, usize), Failure> {
        let groups: Vec<&[Event]> =
            events.chunk_by(|one, next| one.at == next.at && one.cause == next.cause && one.actor == next.actor).collect();
        let older = groups.len().saturating_sub(ENTRIES_MAX);
        let mut known = BTreeMap::new();
        let mut entries = Vec::new();
        for group in groups.iter().rev().take(ENTRIES_MAX) {
            let Some(first) = group.first() else { continue };
            if let Cause::Message(id) = first.cause
                && !known.contains_key(&id)
            {
                known.insert(id, messages::read(tx, id)?);
            }
            entries.push(self.entry(record, group, first, &known));
        }
        Ok((entries, older))
    }

    fn entry(&self, record: &Record, group: &[Event], first: &Event, known: &BTreeMap<MessageId, Option<messages::Line>>) -> Entry {
        let mut telling: Vec<&Event> = group.iter().collect();
        telling.sort_by_key(|event| std::cmp::Reverse(weight(event)));
        let mut what: Vec<String> = telling.iter().map(|event| self.event_words(event)).collect();
        what.dedup();
        Entry { when: words::moment(first.at), what, by: self.actor_sentence(first), why: self.because(record, first, known) }
    }

    fn because(&self, record: &Record, event: &Event, known: &BTreeMap<MessageId, Option<messages::Line>>) -> Vec<(&'static str, String)> {
        let mut why = Vec::new();
        match event.cause {
            Cause::Message(id) => {
                if let Some(Some(message)) = known.get(&id) {
                    why.push(("Message", format!("{} from {}", message.kind, self.feed_words(&message.feed))));
                    why.push(("Received", words::moment(message.received_at)));
                    why.push(("Sender’s number", message.control_id.clone()));
                } else {
                    why.push(("Message", id.to_string()));
                }
                let rules = record.triggers.iter().filter(|trigger| trigger.message == Some(id));
                why.extend(rules.map(|trigger| ("Rule", words::sentence(trigger.rule.words()))));
            }
            Cause::Form => why.push(("Cause", "A form filled in".to_owned())),
            Cause::Request => why.push(("Cause", "A request of the hospital’s system".to_owned())),
            Cause::Import(id) => why.push(("Cause", format!("A row of an imported spreadsheet ({id})"))),
            Cause::Clock => why.push(("Cause", "The clock: a day had come".to_owned())),
        }
        why
    }
}

/// What moves a referral tells more than what notes a fact.
fn weight(event: &Event) -> u8 {
    match event.what {
        What::Died | What::OptedOut | What::Held | What::Ended => 3,
        What::PersonAdded | What::DetailsChanged | What::AttendanceNoted | What::TriggerNoted => 0,
        _ if event.stage.is_some() => 2,
        _ => 1,
    }
}

fn on_day(day: Option<Date>) -> String {
    day.map_or_else(String::new, |day| format!(" on {}", words::day(day)))
}

fn since(day: Option<Date>) -> String {
    day.map_or_else(String::new, |day| format!(" since {}", words::day(day)))
}

pub(super) fn notices(record: &Record) -> Vec<String> {
    let mut notices = Vec::new();
    if let Some(death) = record.person.died {
        notices.push(format!("This person has died{}. Everything has stopped; nothing will be sent.", on_day(death.on)));
    }
    if let Some(objection) = record.person.objection {
        let since = words::day(london_date(objection.at));
        notices.push(format!("Objects to {} since {since}: {}.", objection.scope.words(), objection.reason.words()));
    }
    notices
}

/// Enough to know whom one speaks of, and how to reach them.
pub(super) fn facts(record: &Record) -> Vec<Fact> {
    let person = &record.person;
    let unknown = || "Not known".to_owned();
    let number = person.nhs_number.map(|held| {
        let digits = held.number.digits();
        let shown = match (digits.get(..3), digits.get(3..6), digits.get(6..)) {
            (Some(first), Some(second), Some(third)) => format!("{first} {second} {third}"),
            _ => digits.clone(),
        };
        format!("{shown} ({})", if held.verified { "verified" } else { "not verified" })
    });
    let local: Vec<&str> = person.identifiers.iter().map(|identifier| identifier.value.as_str()).collect();
    let mut facts = vec![
        Fact { term: "Date of birth", value: person.birth_date.map_or_else(unknown, words::day) },
        Fact { term: "Telephone", value: person.telephone.clone().unwrap_or_else(unknown) },
        Fact { term: "NHS number", value: number.unwrap_or_else(unknown) },
        Fact { term: "Hospital number", value: if local.is_empty() { unknown() } else { local.join(", ") } },
    ];
    if let Some(attended) = person.last_attended {
        facts.push(Fact { term: "Last attended the clinic", value: words::day(attended) });
    }
    facts
}

fn open_question(question: &Question) -> Option<(String, String)> {
    let who = format!("A {} answers. Open since {}.", question.kind.asks().words(), words::moment(question.raised_at));
    question.answered.is_none().then(|| (question.kind.words().to_owned(), who))
}

fn trend(instrument: &str, scale: &Scale, assessments: &[&Assessed]) -> Trend {
    let direction = match scale.higher_is {
        Direction::Better => "Higher is better.",
        Direction::Worse => "Lower is better.",
    };
    let dots: Vec<Dot> = assessments.iter().filter_map(|assessment| trend_dot(scale, assessment)).collect();
    let chart = Chart {
        id: format!("{instrument}-{}", scale.id),
        title: scale.title.clone(),
        description: told(&dots),
        along: "Day",
        measured: format!("Score, from {} to {}", scale.min, scale.max),
        shape: Shape::Line,
        scale: (float(scale.min), float(scale.max)),
        bands: scale.bands.iter().map(|band| Band { from: float(band.from), to: float(band.to), label: band.label.clone() }).collect(),
        dots,
    };
    Trend { direction, chart }
}

fn trend_dot(scale: &Scale, assessment: &Assessed) -> Option<Dot> {
    let (_, value, band) = assessment.scores.iter().find(|(id, _, _)| *id == scale.id)?;
    let short = value.map_or_else(|| "–".to_owned(), |value| value.to_string());
    let words = match (value, band) {
        (Some(value), Some(band)) => format!("{value}, {band}"),
        (Some(value), None) => value.to_string(),
        (None, _) => "not all answered".to_owned(),
    };
    Some(Dot {
        at: (assessment.on - Date::ZERO).get_days(),
        label: assessment.on.strftime("%-d %b").to_string(),
        full: self::words::day(assessment.on),
        value: value.map(float),
        interval: None,
        short,
        words,
    })
}

/// Scores are far below 2^53, up to which this is exact.
#[expect(clippy::cast_precision_loss, reason = "there is no lossless conversion, and scores are exact in it")]
const fn float(value: i64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::testing;

    #[test]
    fn a_person_who_awaits_notice_is_for_the_clinic_only_and_says_what_comes_next() {
        let (app, person, _database) = testing::with_somebody_awaiting_notice();
        let page = app.desk("nurse-aoife").unwrap().person_page(person).unwrap();
        let current = page.current.as_ref().unwrap();
        assert!(page.clinic_only);
        assert_eq!(current.stage, "Awaiting notice");
        assert!(current.due.is_none() && current.next.starts_with("A clinician records the notice"));
        assert_eq!(page.moved_to, None);
        let rules: Vec<_> = page.timeline.iter().flat_map(|entry| &entry.why).filter(|(term, _)| *term == "Rule").collect();
        assert!(!rules.is_empty(), "{:?}", page.timeline);
    }

    #[test]
    fn nobody_of_an_unknown_id_is_found() {
        let (app, _, _database) = testing::with_somebody_awaiting_notice();
        assert_eq!(app.desk("nurse-aoife").unwrap().person_page(PersonId(u128::MAX)).map(|page| page.name), Err(Failure::NotFound));
    }

    #[test]
    fn a_score_over_time_is_a_chart_with_its_bands_and_its_words() {
        let (app, _database) = testing::app();
        let assessed = |day: Date, value: i64| Assessed {
            id: alongside_domain::id::AssessmentId(1),
            on: day,
            instrument: "ons4".into(),
            version: "1".into(),
            scores: vec![("happiness".into(), Some(value), Some("medium".into()))],
        };
        let days = [jiff::civil::date(2024, 10, 1), jiff::civil::date(2025, 1, 2)];
        let wellbeing = app.wellbeing(&[assessed(days[0], 5), assessed(days[1], 6)]);
        assert_eq!(wellbeing[0].once, None);
        assert_eq!(app.wellbeing(&[assessed(days[0], 5)])[0].once.as_deref(), Some("1 October 2024"));
        let happiness = wellbeing[0].trends.iter().find(|trend| trend.chart.id == "ons4-happiness").unwrap();
        assert_eq!(happiness.direction, "Higher is better.");
        assert_eq!(happiness.chart.description, "1 October 2024: 5; 2 January 2025: 6.");
        assert_eq!(happiness.chart.dots[1].words, "6, medium");
        assert_eq!(happiness.chart.bands.len(), 4);
    }
}
