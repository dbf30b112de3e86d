//! The supporter's pages: today, my people, a contact note, an assessment.

use alongside_app::desk::{AssessmentPage, ContactForm, DraftForm, FormOf, QuestionAsked};
use alongside_app::pages::words::Urgency;
use alongside_app::pages::{MyPeople, Order, Today};
use alongside_app::{Desk, Failure, Invalid};
use alongside_domain::access::Action;
use alongside_domain::contact::{Outcome, Way};
use alongside_domain::id::ReferralId;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::done::Done;
use super::forms::{Day, Fields, Posted};
use super::parts::{Pick, Problems};
use super::routes::Needs::May;
use super::routes::{Route, read, send};
use super::seat::Seat;
use super::templates::Frame;
use super::{Web, care, fill};

/// The addresses of these pages.
pub(crate) fn routes() -> Vec<Route> {
    use Action::{RecordAssessment, RecordContact};
    vec![
        read("/today", May(RecordContact), today),
        read("/my-people", May(RecordContact), my_people),
        read("/referrals/{referral}/contact", May(RecordContact), contact_form),
        send("/referrals/{referral}/contact", May(RecordContact), contact),
        read("/referrals/{referral}/assessment", May(RecordAssessment), assessment_form),
        send("/referrals/{referral}/assessment", May(RecordAssessment), assessment),
    ]
}

#[derive(Template)]
#[template(path = "today.html")]
struct TodayPage {
    frame: Frame,
    page: Today,
}

#[derive(Template)]
#[template(path = "my_people.html")]
struct MyPeoplePage {
    frame: Frame,
    page: MyPeople,
}

#[derive(Template)]
#[template(path = "contact.html")]
struct ContactPage {
    frame: Frame,
    problems: Problems,
    of: FormOf,
    referral: String,
    outcomes: Vec<Pick>,
    ways: Vec<Pick>,
    minutes: String,
    note: String,
    on: Day,
    next: Day,
}

#[derive(Template)]
#[template(path = "assessment.html")]
struct AssessPage {
    frame: Frame,
    problems: Problems,
    page: AssessmentPage,
    referral: String,
    on: Day,
    questions: Vec<Asked>,
}

/// A question with what was answered.
pub(super) struct Asked {
    pub(super) link_id: String,
    pub(super) text: String,
    pub(super) hint: String,
    pub(super) look: String,
    pub(super) picks: Vec<Pick>,
}

impl Asked {
    pub(super) fn all(questions: &[QuestionAsked], fields: &Fields) -> Vec<Self> {
        let one = |asked: &QuestionAsked| {
            let chosen = fields.text(&asked.link_id);
            Self {
                link_id: asked.link_id.clone(),
                text: asked.text.clone(),
                hint: asked.hint.clone(),
                look: if asked.in_a_row { "inline".to_owned() } else { String::new() },
                picks: asked.choices.iter().map(|(value, words)| Pick::new(&value.to_string(), words, chosen)).collect(),
            }
        };
        questions.iter().map(one).collect()
    }
}

async fn today(State(web): State<Web>, seat: Seat) -> Response {
    web.show(seat, Desk::today_page, |page, frame| fill(&TodayPage { frame, page })).await
}

/// `?order=quiet`.
#[derive(Debug, Default, Deserialize)]
struct Ordered {
    order: Option<String>,
}

async fn my_people(State(web): State<Web>, seat: Seat, Query(asked): Query<Ordered>) -> Response {
    let order = asked.order.as_deref().and_then(Order::from_code).unwrap_or(Order::Name);
    web.show(seat, move |desk| desk.my_people_page(order), |page, frame| fill(&MyPeoplePage { frame, page })).await
}

/// What was entered into a form before, where it was not sent.
fn drafted(desk: &Desk, of: &FormOf, form: DraftForm) -> Result<Fields, Failure> {
    let person = of.person.parse().map_err(|_| Failure::NotFound)?;
    Ok(care::drafted(desk, person, form)?.unwrap_or_default())
}

fn id(referral: &str) -> Result<ReferralId, Failure> {
    referral.parse().map_err(|_| Failure::NotFound)
}

fn picks<T: Copy>(all: &[T], chosen: &str, code: impl Fn(T) -> &'static str, words: impl Fn(T) -> &'static str) -> Vec<Pick> {
    all.iter().map(|one| Pick::new(code(*one), &alongside_app::pages::words::sentence(words(*one)), chosen)).collect()
}

impl ContactPage {
    fn new(frame: Frame, of: FormOf, referral: String, fields: &Fields, problems: Vec<Invalid>) -> Self {
        let on = Day::sent(fields, "on");
        Self {
            outcomes: picks(Outcome::ALL, fields.text("outcome"), Outcome::code, Outcome::words),
            ways: picks(Way::ALL, fields.text("way"), Way::code, Way::words),
            minutes: fields.text("minutes").to_owned(),
            note: fields.text("note").to_owned(),
            on: if on.is_empty() { Day::of(of.today) } else { on },
            next: Day::sent(fields, "next"),
            problems: Problems::new(problems),
            frame,
            of,
            referral,
        }
    }
}

async fn contact_form(State(web): State<Web>, seat: Seat, Path(referral): Path<String>) -> Response {
    let asked = referral.clone();
    web.show(
        seat,
        move |desk| {
            let of = desk.contact_form(id(&asked)?)?;
            let entered = drafted(desk, &of, DraftForm::Contact)?;
            Ok((of, entered))
        },
        move |(of, entered), frame| fill(&ContactPage::new(frame, of, referral, &entered, Vec::new())),
    )
    .await
}

async fn contact(State(web): State<Web>, seat: Seat, Path(referral): Path<String>, Posted(fields): Posted) -> Response {
    let (address, entered) = (referral.clone(), fields.clone());
    web.carry_out(
        seat,
        move |desk| {
            let person = desk.record_contact(id(&address)?, &contact_of(&fields)?, fields.text("once"))?;
            Ok((person, Done::ContactRecorded))
        },
        move |desk, problems, frame| {
            let of = desk.contact_form(id(&referral)?)?;
            fill(&ContactPage::new(frame, of, referral, &entered, problems))
        },
    )
    .await
}

fn contact_of(fields: &Fields) -> Result<ContactForm, Failure> {
    let outcome = fields.coded("outcome", Outcome::from_code, "Choose what came of it");
    let way = fields.coded("way", Way::from_code, "Choose how you were in contact");
    let minutes = if fields.filled("minutes").is_none() { Ok(0) } else { fields.number("minutes", "Enter whole minutes, for example 25") };
    let on = fields.date("on", "Enter the day, for example 27 3 2025");
    let next = if Day::sent(fields, "next").is_empty() {
        Ok(None)
    } else {
        fields.date("next", "Enter the day you agreed on, or leave it empty").map(Some)
    };
    match (outcome, way, minutes, on, next) {
        (Ok(outcome), Ok(way), Ok(minutes), Ok(on), Ok(next)) => {
            Ok(ContactForm { on, way, outcome, minutes, note: fields.text("note").to_owned(), next: next.map(|on| (on, way)) })
        }
        (outcome, way, minutes, on, next) => {
            let problems = [outcome.err(), way.err(), minutes.err(), on.err(), next.err()];
            Err(Failure::Invalid(problems.into_iter().flatten().collect()))
        }
    }
}

/// `?instrument=ons4`.
#[derive(Debug, Default, Deserialize)]
struct Instrument {
    instrument: Option<String>,
}

impl AssessPage {
    fn new(frame: Frame, page: AssessmentPage, referral: String, fields: &Fields, problems: Vec<Invalid>) -> Self {
        let on = Day::sent(fields, "on");
        Self {
            questions: Asked::all(&page.questions, fields),
            on: if on.is_empty() { Day::of(page.of.today) } else { on },
            problems: Problems::new(problems),
            frame,
            page,
            referral,
        }
    }
}

async fn assessment_form(State(web): State<Web>, seat: Seat, Path(referral): Path<String>, Query(asked): Query<Instrument>) -> Response {
    let address = referral.clone();
    web.show(
        seat,
        move |desk| {
            let mut page = desk.assessment_page(id(&address)?, asked.instrument.as_deref())?;
            let entered = drafted(desk, &page.of, DraftForm::Assessment)?;
            // What was begun with one instrument is gone on with, unless another is asked for.
            if asked.instrument.is_none() && entered.filled("instrument").is_some_and(|begun| begun != page.instrument) {
                page = desk.assessment_page(id(&address)?, entered.filled("instrument"))?;
            }
            Ok((page, entered))
        },
        move |(page, entered), frame| fill(&AssessPage::new(frame, page, referral, &entered, Vec::new())),
    )
    .await
}

async fn assessment(State(web): State<Web>, seat: Seat, Path(referral): Path<String>, Posted(fields): Posted) -> Response {
    let (address, entered) = (referral.clone(), fields.clone());
    web.carry_out(
        seat,
        move |desk| {
            let (referral, instrument) = (id(&address)?, fields.text("instrument"));
            let on = fields.date("on", "Enter the day, for example 27 3 2025").map_err(|wrong| Failure::Invalid(vec![wrong]))?;
            let asked = desk.assessment_page(referral, Some(instrument))?.questions;
            let given = asked.iter().filter_map(|one| fields.filled(&one.link_id).map(|value| (one.link_id.clone(), value)));
            let wrong = |link_id: &str| Failure::invalid(link_id, "Choose one of the answers");
            let answers = given.map(|(link_id, value)| value.parse().map(|value| (link_id.clone(), value)).map_err(|_| wrong(&link_id)));
            let answers = answers.collect::<Result<Vec<_>, _>>()?;
            let recorded = desk.record_assessment(referral, instrument, on, answers, fields.text("once"))?;
            Ok((recorded.person, Done::AssessmentRecorded))
        },
        move |desk, problems, frame| {
            let page = desk.assessment_page(id(&referral)?, entered.filled("instrument"))?;
            fill(&AssessPage::new(frame, page, referral, &entered, problems))
        },
    )
    .await
}

#[cfg(test)]
pub(crate) fn samples(frame: &Frame) -> Vec<(String, String)> {
    use alongside_app::pages::{Link, MyPerson, NeedCard};

    use super::samples::NAME;

    let link = || Link { href: "/my-people".into(), words: "By name".into(), current: true };
    let card = |urgency| NeedCard {
        href: "/people/per_00000000000000000000000000000001".into(),
        name: NAME.into(),
        need: "The promised first conversation is late",
        when: "was due 3 January 2025, 1 working day ago".into(),
        urgency,
        more: vec!["Wellbeing assessment is due: due today".into()],
        replies: vec![("/replies/rep_1/handled".into(), "Yes please".into(), NAME.into())],
        actions: vec![link(), link()],
    };
    let line = |urgency| MyPerson {
        href: "/people/per_00000000000000000000000000000001".into(),
        name: NAME.into(),
        age: "aged 34".into(),
        stage: "Supported".into(),
        last: "2 January 2025".into(),
        next: "Assessment due 14 January 2025".into(),
        urgency,
        record: Some("/referrals/ref_1/contact".into()),
    };
    let urgencies = [Urgency::Late, Urgency::Soon, Urgency::Calm];
    let today = |cards: Vec<NeedCard>| {
        let page =
            Today { day: "Monday 6 January 2025".into(), summary: "3 people need you.".into(), cards, others: "2 other people".into() };
        fill(&TodayPage { frame: frame.clone(), page }).unwrap()
    };
    let people = |lines: Vec<MyPerson>| {
        fill(&MyPeoplePage { frame: frame.clone(), page: MyPeople { total: "3 people".into(), orders: vec![link()], lines } }).unwrap()
    };
    let of = || FormOf { person: "per_1".into(), name: NAME.into(), today: jiff::civil::date(2025, 1, 6), once: "1".into() };
    let wrong = |place: &str| vec![Invalid::new(place, "Choose one")];
    let asked = |link_id: &str, in_a_row| QuestionAsked {
        link_id: link_id.into(),
        text: "How happy did you feel?".into(),
        hint: "0 is “not at all”".into(),
        choices: vec![(0, "0".into()), (1, "1".into())],
        in_a_row,
    };
    let assessment = || AssessmentPage {
        of: of(),
        instruments: vec![("ons4".into(), "ONS4".into(), true), ("other".into(), "Other".into(), false)],
        instrument: "ons4".into(),
        title: "Personal well-being".into(),
        introduction: "Some questions.".into(),
        notice: "Open Government Licence".into(),
        questions: vec![asked("satisfaction", true), asked("worthwhile", false)],
    };
    let contact = |problems| ContactPage::new(frame.clone(), of(), "ref_1".into(), &Fields::default(), problems);
    let assess = |problems| AssessPage::new(frame.clone(), assessment(), "ref_1".into(), &Fields::default(), problems);
    vec![
        ("today".into(), today(urgencies.map(card).into())),
        ("today, quiet".into(), today(Vec::new())),
        ("my people".into(), people(urgencies.map(line).into())),
        ("my people, none".into(), people(Vec::new())),
        ("contact".into(), fill(&contact(Vec::new())).unwrap()),
        ("contact, wrong".into(), fill(&contact(wrong("outcome"))).unwrap()),
        ("assessment".into(), fill(&assess(Vec::new())).unwrap()),
        ("assessment, wrong".into(), fill(&assess(wrong("satisfaction"))).unwrap()),
    ]
}
