//! The page of the person supported: a private link that gives nothing away, and no account.
//!
//! Nothing here says what it is about: not the address, not the title, not a heading. Whoever has the link may answer; what
//! is held about the person opens by a code that was told to them by word of mouth.

use alongside_app::desk::FormOf;
use alongside_app::pages::words;
use alongside_app::personal::{Held, LINK_PATH, LinkLine, LinkState, NOT_NOW_WEEKS, Saying, WHAT_IT_IS};
use alongside_app::{Failure, Invalid, london_date};
use alongside_domain::access::Action;
use alongside_domain::id::PersonId;
use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::caseload::Asked;
use super::done::Done;
use super::forms::{Fields, Open, Posted};
use super::parts::{Pick, Problems};
use super::routes::Needs::{Link, May, Nothing};
use super::routes::{Route, read, send};
use super::seat::{self, Seat};
use super::templates::Frame;
use super::{Web, fill, page};

/// The addresses of these pages. That of a link is [`LINK_PATH`] and its token.
pub(crate) fn routes() -> Vec<Route> {
    use Action::MakeLink;
    vec![
        read("/people/{person}/link", May(MakeLink), link_form),
        send("/people/{person}/link", May(MakeLink), make_link),
        send("/people/{person}/link/end", May(MakeLink), end_link),
        read("/yours/{token}", Link, start),
        read("/yours/{token}/say/{what}", Link, say_form),
        send("/yours/{token}/say/{what}", Link, say),
        read("/yours/{token}/questions/{instrument}", Link, questions_form),
        send("/yours/{token}/questions/{instrument}", Link, questions),
        read("/yours/{token}/about", Link, about),
        send("/yours/{token}/about", Link, code),
        read("/leave", Nothing, leave),
    ]
}

/// The cookie of a proof: that the code was right.
const PROOF: &str = "__Host-yours";

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage {
    frame: Frame,
    of: FormOf,
    line: Option<LinkLine>,
    made: Option<Made>,
}

/// A link that was made just now: shown once.
struct Made {
    address: String,
    code: String,
    until: String,
}

#[derive(Template)]
#[template(path = "yours.html")]
struct StartPage {
    frame: Frame,
    here: String,
    what_it_is: [&'static str; 3],
    state: LinkState,
}

#[derive(Template)]
#[template(path = "yours_say.html")]
struct SayPage {
    frame: Frame,
    problems: Problems,
    here: String,
    what: What,
    weeks: Vec<Pick>,
    words: String,
}

#[derive(Template)]
#[template(path = "yours_questions.html")]
struct QuestionsPage {
    frame: Frame,
    problems: Problems,
    here: String,
    instrument: String,
    introduction: String,
    notice: String,
    questions: Vec<Asked>,
}

#[derive(Template)]
#[template(path = "yours_code.html")]
struct CodePage {
    frame: Frame,
    problems: Problems,
    here: String,
}

#[derive(Template)]
#[template(path = "yours_about.html")]
struct AboutPage {
    frame: Frame,
    here: String,
    held: Held,
}

alongside_domain::coded! {
    /// What can be said. The code is the last part of its address.
    pub enum What {
        YesPlease = "yes", "Yes please";
        NotNow = "later", "Not now";
        NoThanks = "no", "No thanks";
        ContactChange = "contact", "Change how I am contacted";
        SomeoneElse = "someone-else", "Ask for someone else";
    }
}

impl What {
    /// What happens then.
    const fn explanation(self) -> &'static str {
        match self {
            Self::YesPlease => "Somebody gets in touch with you, in the way that you agreed.",
            Self::NotNow => "Nobody gets in touch until then.",
            Self::NoThanks => "Nobody gets in touch. You can change your mind at any time, here or at your next visit.",
            Self::ContactChange => "Tell us how and when it is safe. Somebody checks with you before anything is changed.",
            Self::SomeoneElse => "You do not have to say why. Nobody is offended.",
        }
    }
}

fn here(token: &str) -> String {
    format!("{LINK_PATH}{token}")
}

/// The frame of a page that gives nothing away, with what was just done.
fn frame(web: &Web, query: Option<&str>) -> Frame {
    let done = query.and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("done="))).and_then(Done::from_code);
    Frame { flash: done.map(|done| done.words().to_owned()), ..Frame::new(&web.options) }
}

async fn start(State(web): State<Web>, Path(token): Path<String>, RawQuery(query): RawQuery) -> Response {
    let frame = frame(&web, query.as_deref());
    web.answer_link(move |app| {
        let state = app.open_link(&token)?;
        page(StatusCode::OK, fill(&StartPage { frame, here: here(&token), what_it_is: WHAT_IT_IS, state }))
    })
    .await
}

impl SayPage {
    fn new(frame: Frame, token: &str, what: What, fields: &Fields, problems: Vec<Invalid>) -> Self {
        let weeks = |weeks: &u16| {
            let words = match weeks {
                4 => "About a month".to_owned(),
                13 => "About three months".to_owned(),
                26 => "About half a year".to_owned(),
                other => format!("{other} weeks"),
            };
            Pick::new(&weeks.to_string(), &words, fields.text("weeks"))
        };
        Self {
            weeks: NOT_NOW_WEEKS.iter().map(weeks).collect(),
            words: fields.text("words").to_owned(),
            problems: Problems::new(problems),
            here: here(token),
            frame,
            what,
        }
    }
}

async fn say_form(State(web): State<Web>, Path((token, what)): Path<(String, String)>) -> Response {
    let frame = frame(&web, None);
    web.answer_link(move |app| {
        app.open_link(&token)?;
        let what = What::from_code(&what).ok_or(Failure::NotFound)?;
        page(StatusCode::OK, fill(&SayPage::new(frame, &token, what, &Fields::default(), Vec::new())))
    })
    .await
}

async fn say(State(web): State<Web>, Path((token, what)): Path<(String, String)>, Open(fields): Open) -> Response {
    let frame = frame(&web, None);
    web.answer_link(move |app| {
        app.open_link(&token)?;
        let what = What::from_code(&what).ok_or(Failure::NotFound)?;
        match saying(what, &fields).and_then(|saying| app.say(&token, &saying)) {
            Ok(()) => Ok(super::lead_to(&here(&token), Done::Told)),
            Err(Failure::Invalid(problems)) => {
                page(StatusCode::UNPROCESSABLE_ENTITY, fill(&SayPage::new(frame, &token, what, &fields, problems)))
            }
            Err(failure) => Err(failure),
        }
    })
    .await
}

fn saying(what: What, fields: &Fields) -> Result<Saying, Failure> {
    let words = || fields.text("words").to_owned();
    Ok(match what {
        What::YesPlease => Saying::YesPlease,
        What::NoThanks => Saying::NoThanks,
        What::ContactChange => Saying::ContactChange(words()),
        What::SomeoneElse => Saying::SomeoneElse(words()),
        What::NotNow => {
            let weeks = fields.number("weeks", "Choose for how long").map_err(|wrong| Failure::Invalid(vec![wrong]))?;
            Saying::NotNow { weeks }
        }
    })
}

impl QuestionsPage {
    fn new(
        app: &alongside_app::App,
        frame: Frame,
        token: &str,
        instrument: &str,
        fields: &Fields,
        problems: Vec<Invalid>,
    ) -> Result<Self, Failure> {
        let open = app.open_link(token)?.questionnaires.iter().any(|(id, _)| id == instrument);
        let known = app.setup.instruments.get(instrument).filter(|_| open).ok_or(Failure::NotFound)?;
        Ok(Self {
            questions: Asked::all(&alongside_app::desk::questions(known), fields),
            problems: Problems::new(problems),
            here: here(token),
            instrument: instrument.to_owned(),
            introduction: known.definition().introduction.clone().unwrap_or_default(),
            notice: known.definition().licence.notice.clone(),
            frame,
        })
    }
}

async fn questions_form(State(web): State<Web>, Path((token, instrument)): Path<(String, String)>) -> Response {
    let frame = frame(&web, None);
    web.answer_link(move |app| {
        let filled = QuestionsPage::new(app, frame, &token, &instrument, &Fields::default(), Vec::new())?;
        page(StatusCode::OK, fill(&filled))
    })
    .await
}

async fn questions(State(web): State<Web>, Path((token, instrument)): Path<(String, String)>, Open(fields): Open) -> Response {
    let frame = frame(&web, None);
    web.answer_link(move |app| {
        let asked = QuestionsPage::new(app, frame.clone(), &token, &instrument, &fields, Vec::new())?.questions;
        let given = asked.iter().filter_map(|one| fields.text(&one.link_id).parse().ok().map(|value| (one.link_id.clone(), value)));
        match app.fill_in(&token, &instrument, &given.collect::<Vec<_>>()) {
            Ok(()) => Ok(super::lead_to(&here(&token), Done::Told)),
            Err(Failure::Invalid(problems)) => {
                let first = asked.first().map_or("", |one| &one.link_id);
                let at = |problem: Invalid| if problem.place == "answers" { Invalid::new(first, problem.what) } else { problem };
                let problems = problems.into_iter().map(at).collect();
                page(StatusCode::UNPROCESSABLE_ENTITY, fill(&QuestionsPage::new(app, frame, &token, &instrument, &fields, problems)?))
            }
            Err(failure) => Err(failure),
        }
    })
    .await
}

async fn about(State(web): State<Web>, Path(token): Path<String>, headers: HeaderMap) -> Response {
    let (frame, proof) = (frame(&web, None), seat::cookie(&headers, PROOF).unwrap_or_default());
    web.answer_link(move |app| {
        app.open_link(&token)?;
        let here = here(&token);
        match app.held_about_me(&token, &proof) {
            Ok(held) => page(StatusCode::OK, fill(&AboutPage { frame, here, held })),
            Err(Failure::Forbidden) => page(StatusCode::OK, fill(&CodePage { frame, problems: Problems::default(), here })),
            Err(failure) => Err(failure),
        }
    })
    .await
}

async fn code(State(web): State<Web>, Path(token): Path<String>, Open(fields): Open) -> Response {
    let frame = frame(&web, None);
    web.answer_link(move |app| {
        let here = here(&token);
        match app.prove(&token, fields.text("code")) {
            Ok(proof) => {
                let cookie = format!("{PROOF}={}; Path=/; Secure; HttpOnly; SameSite=Strict", proof.reveal());
                Ok(seat::with_cookies(Redirect::to(&format!("{here}/about")).into_response(), [cookie]))
            }
            Err(Failure::Invalid(problems)) => {
                page(StatusCode::UNPROCESSABLE_ENTITY, fill(&CodePage { frame, problems: Problems::new(problems), here }))
            }
            Err(failure) => Err(failure),
        }
    })
    .await
}

/// Where the quick exit leads: to a page on which there is nothing, and from which nothing leads back.
async fn leave() -> Response {
    const EMPTY: &str =
        "<!DOCTYPE html>\n<html lang=\"en-GB\"><head><meta charset=\"utf-8\"><title>New tab</title></head><body></body></html>\n";
    let mut answer = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], EMPTY).into_response();
    answer.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    let gone = format!("{PROOF}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    answer.headers_mut().extend(HeaderValue::from_str(&gone).ok().map(|gone| (header::SET_COOKIE, gone)));
    answer
}

fn id(person: &str) -> Result<PersonId, Failure> {
    person.parse().map_err(|_| Failure::NotFound)
}

async fn link_form(State(web): State<Web>, seat: Seat, Path(person): Path<String>) -> Response {
    web.show(
        seat,
        move |desk| Ok((desk.form_about(Action::MakeLink, id(&person)?)?, desk.link(id(&person)?)?)),
        |(of, line), frame| fill(&LinkPage { frame, of, line, made: None }),
    )
    .await
}

/// Makes a link and shows it, once: nothing could show it again.
async fn make_link(State(web): State<Web>, seat: Seat, Path(person): Path<String>, Posted(_): Posted) -> Response {
    web.show(
        seat,
        move |desk| {
            let made = desk.make_link(id(&person)?)?;
            let address = format!("{}{}", desk.app().setup.origin(), made.path());
            let until = words::day(london_date(made.opens_until));
            Ok((desk.form_about(Action::MakeLink, id(&person)?)?, Made { address, code: made.code, until }))
        },
        |(of, made), frame| fill(&LinkPage { frame, of, line: None, made: Some(made) }),
    )
    .await
}

async fn end_link(State(web): State<Web>, seat: Seat, Path(person): Path<String>, Posted(_): Posted) -> Response {
    web.answer(seat, move |desk| {
        desk.end_link(id(&person)?)?;
        Ok(super::lead_to(&format!("/people/{person}"), Done::LinkEnded))
    })
    .await
}

#[cfg(test)]
pub(crate) fn samples(frame: &Frame) -> Vec<(String, String)> {
    let of = || FormOf {
        person: "per_00000000000000000000000000000001".into(),
        name: super::samples::NAME.into(),
        today: jiff::civil::date(2025, 1, 6),
        once: String::new(),
    };
    let line = |until: Option<&str>| LinkLine { made: "Inês, 6 January 2025, 8:30am".into(), opens_until: until.map(str::to_owned) };
    let made = Made { address: "https://here.invalid/yours/0".into(), code: "123456".into(), until: "5 February 2025".into() };
    let page = |line, made| fill(&LinkPage { frame: frame.clone(), of: of(), line, made }).unwrap();
    vec![
        ("link, none".into(), page(None, None)),
        ("link, open".into(), page(Some(line(Some("5 February 2025"))), None)),
        ("link, closed".into(), page(Some(line(None)), None)),
        ("link, made".into(), page(None, Some(made))),
    ]
}

#[cfg(test)]
mod tests {
    use alongside_app::personal::Look;

    use super::super::Options;
    use super::super::templates::ClosedPage;
    use super::*;

    /// Every page that a private link can show.
    fn pages() -> Vec<String> {
        let frame = || Frame { flash: Some(Done::Told.words().to_owned()), ..Frame::new(&Options::default()) };
        let wrong = || vec![Invalid::new("words", "Enter a few words")];
        let say = |what, problems| fill(&SayPage::new(frame(), "t", what, &Fields::default(), problems)).unwrap();
        let state = LinkState { questionnaires: vec![("q".into(), "Personal well-being".into())] };
        let mut pages = vec![fill(&StartPage { frame: frame(), here: here("t"), what_it_is: WHAT_IT_IS, state }).unwrap()];
        pages.extend(What::ALL.iter().map(|what| say(*what, Vec::new())));
        pages.push(say(What::ContactChange, wrong()));
        for problems in [Problems::default(), Problems::new(vec![Invalid::new("code", "This is not the code")])] {
            pages.push(fill(&CodePage { frame: frame(), problems, here: here("t") }).unwrap());
        }
        let look = Look { on: "6 January 2025".into(), who: "Clinician".into(), what_for: "for your care".into(), was_shown: false };
        let held = Held { facts: vec![("Name", "Sam".into())], standing: "x".into(), sharing: "y".into(), looks: vec![look] };
        pages.push(fill(&AboutPage { frame: frame(), here: here("t"), held }).unwrap());
        pages.push(fill(&ClosedPage { frame: frame(), title: "This page is closed", words: "Ask for a new one." }).unwrap());
        pages
    }

    #[test]
    fn no_private_page_says_what_it_is_about() {
        for page in pages() {
            assert!(page.contains("<title>Your page</title>") && page.contains("href=\"/leave\""));
            assert_eq!(page.matches("<h1").count(), 1);
            let said = page.replace("/alongside.css", "").replace("/alongside.js", "").to_lowercase();
            for telling in ["alongside", "hiv", "peer", "clinic ", "hospital", "nhs.uk", "referral", "diagnos"] {
                assert!(!said.contains(telling), "{telling} in {said}");
            }
        }
    }
}
