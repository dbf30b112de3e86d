//! The demo's own pages: one click signs in as whoever one likes to be, the clock can be moved on, and all can begin again.
//! Below every page stands what just happened, beside a tour of what there is to do.

mod cast;
mod tours;

use std::sync::Arc;

use alongside_app::Failure;
use alongside_app::demo::Panel;
use alongside_app::pages::{Order, words};
use alongside_domain::session::Method;
use alongside_domain::supporter::StaffId;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};

use super::done::Done;
use super::forms::{Fields, Open, Posted};
use super::parts::RoleCard;
use super::seat::{self, Seat};
use super::templates::Frame;
use super::{Web, fill, lead_to, page, routes};
use crate::stage::{self, Stage};

use cast::Group;
use tours::Tour;

/// The longest way back that a form may name.
const BACK_MAX: usize = 300;

/// The start page.
#[derive(Template)]
#[template(path = "roles.html")]
pub(crate) struct RolesPage {
    frame: Frame,
    groups: Vec<Group>,
    /// The person themselves.
    own: Vec<RoleCard>,
    /// How often the demo has begun again; none where it cannot.
    times: Option<u32>,
}

/// At the top of every page: who one is, and the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) job: String,
    /// What the clock shows.
    pub(crate) clock: String,
    /// Its day, as a field of a form takes it.
    pub(crate) day: String,
    /// Where a form leads back to.
    pub(crate) back: String,
    /// Whether the clock can be moved.
    pub(crate) moves: bool,
    /// How often the demo has begun again; none where it cannot.
    pub(crate) times: Option<u32>,
}

/// Below every page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Below {
    pub(crate) happened: Panel,
    pub(crate) tour: Tour,
    /// Whether something was just done, so that what happened is shown at once.
    pub(crate) is_new: bool,
}

/// What reads what stands below a page.
pub(crate) type ReadBelow = Arc<dyn Fn() -> Option<Below> + Send + Sync>;

/// What the demo puts around a page.
pub(crate) fn around(web: &Web, seat: &Seat) -> Option<(Bar, ReadBelow)> {
    if !web.options.demo {
        return None;
    }
    let (app, viewer, stage) = (seat.desk.app(), seat.desk.viewer(), web.options.stage.clone());
    let now = app.world.now();
    let bar = Bar {
        name: app.setup.name_of(&viewer.staff.0),
        job: cast::job(&viewer.staff.0, viewer.role).to_lowercase(),
        clock: format!("{} {}", alongside_app::london_date(now).strftime("%A"), words::moment(now)),
        day: alongside_app::london_date(now).to_string(),
        back: seat.path.clone(),
        moves: stage.is_some(),
        times: times(stage.as_deref()),
    };
    let seat = seat.clone();
    let read = move || match read_below(&seat, stage.as_deref()) {
        Ok(below) => Some(below),
        Err(failure) => {
            tracing::warn!(%failure, "what just happened could not be read");
            None
        }
    };
    Some((bar, Arc::new(read)))
}

fn read_below(seat: &Seat, stage: Option<&Stage>) -> Result<Below, Failure> {
    Ok(Below { happened: seat.desk.app().demo_panel()?, tour: tours::tour(seat, stage)?, is_new: seat.done.is_some() })
}

fn times(stage: Option<&Stage>) -> Option<u32> {
    stage.filter(|stage| stage.can_begin_again()).map(Stage::times)
}

/// The cards: everybody who works in the invented service.
pub(crate) async fn roles(State(web): State<Web>, uri: Uri, headers: HeaderMap) -> Response {
    let done = Done::of(&uri, &headers);
    let (frame, stage) = (Frame::new(&web.options), web.options.stage.clone());
    web.answer_anybody(move |app| {
        let frame = Frame { flash: done.map(|done| done.words().to_owned()), ..frame };
        page(StatusCode::OK, fill(&RolesPage { frame, groups: cast::groups(app), own: vec![cast::own()], times: times(stage.as_deref()) }))
    })
    .await
}

/// What an invented person gets: a link on their telephone, and a code that was told.
#[derive(Template)]
#[template(path = "demo_yours.html")]
struct YoursPage {
    frame: Frame,
    address: String,
    code: String,
}

/// Makes the private link of somebody whom Inês supports, as she would.
pub(crate) async fn yours(State(web): State<Web>, Open(_): Open) -> Response {
    let frame = Frame::new(&web.options);
    web.answer_anybody(move |app| {
        let ines = app.desk(cast::SUPPORTER)?;
        let people = ines.my_people_page(Order::Quiet)?.lines;
        let person = people.iter().rev().find_map(|one| one.href.rsplit('/').next()).ok_or(Failure::NotFound)?;
        let made = ines.make_link(person.parse().map_err(|_| Failure::NotFound)?)?;
        page(StatusCode::OK, fill(&YoursPage { frame, address: made.path(), code: made.code }))
    })
    .await
}

/// Signs in, in the demo alone. Whoever was somebody else is not any more.
pub(crate) async fn sign_in(State(web): State<Web>, headers: HeaderMap, Open(fields): Open) -> Response {
    web.answer_anybody(move |app| {
        let token = app.open_session(&StaffId(fields.text("who").to_owned()), Method::Demo)?;
        seat::end_sessions(app, &headers, None)?;
        Ok(seat::with_cookies(Redirect::to("/").into_response(), [seat::set_cookie(&token, &headers)]))
    })
    .await
}

/// Signs out: the session is over for whoever has its cookie, and the browser forgets what it kept.
pub(crate) async fn sign_out(State(web): State<Web>, seat: Seat, headers: HeaderMap, Posted(_): Posted) -> Response {
    web.answer(seat, move |desk| {
        seat::end_sessions(desk.app(), &headers, None)?;
        let mut answer = seat::with_cookies(Redirect::to(seat::SIGN_IN).into_response(), [seat::clear_cookie(&headers)]);
        answer.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\", \"storage\""));
        Ok(answer)
    })
    .await
}

/// Moves the clock on, and leads back to the page on which it was asked for.
pub(crate) async fn clock(State(web): State<Web>, seat: Seat, Posted(fields): Posted) -> Response {
    let stage = web.options.stage.clone();
    web.answer(seat, move |desk| {
        let stage = stage.ok_or(Failure::NotFound)?;
        stage.move_to(wanted(&fields, desk.app().world.now())?)?;
        Ok(lead_to(way_back(&fields), Done::ClockMoved))
    })
    .await
}

/// Begins again, for everybody who looks at this demo.
pub(crate) async fn reset(State(web): State<Web>, Open(fields): Open) -> Response {
    let stage = web.options.stage.clone();
    web.answer_anybody(move |_| {
        let times = fields.number("times", "must be the number that the page gave").map_err(|problem| Failure::Invalid(vec![problem]))?;
        stage.ok_or(Failure::NotFound)?.begin_again(times)?;
        Ok(lead_to(seat::SIGN_IN, Done::DemoReset))
    })
    .await
}

/// The time that a form asks for.
fn wanted(fields: &Fields, now: Timestamp) -> Result<Timestamp, Failure> {
    let at = match fields.text("to") {
        "hour" => Some(now + SignedDuration::from_hours(1)),
        "morning" => stage::morning_after(now),
        "week" => stage::days_later(now, 7),
        _ => fields.date("day", "Choose a day").ok().and_then(stage::morning_of),
    };
    at.ok_or_else(|| Failure::invalid("day", "Choose a day"))
}

/// The page to return to: one of ours that is read, or the first.
fn way_back(fields: &Fields) -> &str {
    let back = fields.text("back");
    let is_plain = back.len() <= BACK_MAX && back.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain && routes::needs_of(back).is_some() { back } else { "/" }
}

/// Samples for the tests of all templates: the cards, and a page with everything around it.
#[cfg(test)]
pub(crate) fn samples() -> Vec<(String, String)> {
    use alongside_app::demo::{AuditLine, Locked, PanelLetter};

    use super::parts::Task;
    use super::samples::NAME;

    let text = || NAME.to_owned();
    let card = || RoleCard { key: "ines".into(), name: text(), role: "Peer supporter".into(), does: text() };
    let task = |done: bool| Task {
        href: if done { String::new() } else { "/search".into() },
        words: text(),
        hint: text(),
        status: "Incomplete".into(),
        done,
    };
    let line = |refused| AuditLine {
        number: 7,
        when: "today at 8:30am".into(),
        who: text(),
        did: text(),
        purpose: "care".into(),
        people: "1 person".into(),
        refused,
    };
    let full = Below {
        happened: Panel {
            lines: vec![line(true), line(false)],
            letter: Some(PanelLetter { state: "left today".into(), words: text() }),
            locked: Some(Locked { sender: "A letter".into(), words: text(), time: "9:30am".into() }),
        },
        tour: Tour { tasks: vec![task(true), task(false)], done: 1 },
        is_new: true,
    };
    let frame = |below: Below, times| Frame {
        bar: Some(Bar {
            name: text(),
            job: "nurse".into(),
            clock: "Monday 6 January 2025, 8:30am".into(),
            day: "2025-01-06".into(),
            back: "/search".into(),
            moves: times == Some(1),
            times,
        }),
        below: Some(Arc::new(move || Some(below.clone()))),
        ..Frame::new(&super::Options { demo: true, ..super::Options::default() })
    };
    let pages = [(full, Some(1)), (Below::default(), None)].map(|(below, times)| {
        let groups = vec![Group { title: "In the clinic", first: vec![card()], more: vec![card(), card()] }];
        let own = vec![cast::own()];
        fill(&RolesPage { frame: frame(below, times), groups, own, times }).unwrap_or_else(|error| panic!("{error}"))
    });
    pages.into_iter().zip(["cards, full", "cards, empty"]).map(|(page, name)| (name.to_owned(), page)).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};

    use alongside_app::setup::{Extra, Setup};
    use alongside_app::simulate::DEMO_CONFIGURATION;
    use alongside_app::{App, World, accounts};
    use alongside_store::Store;
    use jiff::civil::date;
    use tempfile::TempDir;

    use super::*;
    use crate::clock::SetClock;
    use crate::current::Current;

    /// The demo's pages on a socket, with a stage of their own.
    struct Demo {
        address: SocketAddr,
        current: Current,
        clock: Arc<SetClock>,
        _runtime: tokio::runtime::Runtime,
        _folder: TempDir,
    }

    const MOVED: &str = "done=clock-moved";

    fn demo() -> Demo {
        open(true)
    }

    fn open(is_demo: bool) -> Demo {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock::default());
        clock.set(stage::morning_of(date(2025, 1, 6)).unwrap());
        let url = crate::cli::database(&format!("sqlite:{}", stage::first_database(folder.path()).display())).unwrap();
        let setup = Setup::read(DEMO_CONFIGURATION, &Extra::default()).unwrap();
        let app = App::new(Store::open(&url).unwrap(), Arc::new(setup), Arc::<SetClock>::clone(&clock), alongside_app::testing::keys());
        let current = Current::from(app);
        let stage = Stage::new(current.clone(), Arc::clone(&clock), Some(folder.path())).unwrap();
        let options = super::super::Options { demo: is_demo, stage: is_demo.then(|| Arc::new(stage)), ..Default::default() };
        let pages = super::super::router(current.clone(), options);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, pages).await });
        Demo { address, current, clock, _runtime: runtime, _folder: folder }
    }

    impl Demo {
        fn send(&self, line: &str, token: &str, form: &str) -> String {
            let cookie = if token.is_empty() { String::new() } else { format!("Cookie: {}={token}\r\n", seat::COOKIE) };
            let mut stream = TcpStream::connect(self.address).unwrap();
            let length = form.len();
            write!(stream, "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{cookie}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        }

        fn sign_in(&self, who: &str) -> String {
            let answer = self.send("POST /demo/sign-in", "", &format!("who={who}"));
            let cookie = answer.split(&format!("set-cookie: {}=", seat::COOKIE)).nth(1).unwrap_or_else(|| panic!("{answer}"));
            cookie.split(';').next().unwrap().to_owned()
        }

        fn move_clock(&self, token: &str, form: &str) -> String {
            self.send("POST /demo/clock", token, &format!("token={}&{form}", accounts::form_token(token)))
        }
    }

    fn status(answer: &str) -> &str {
        answer.split(' ').nth(1).unwrap_or_default()
    }

    #[test]
    fn one_click_signs_in_and_another_makes_somebody_else_of_one() {
        let demo = demo();
        let cards = demo.send("GET /sign-in", "", "");
        assert!(cards.contains("Aoife Brennan") && cards.contains("More people") && cards.contains("Begin the demo again"));
        let nurse = demo.sign_in("nurse-aoife");
        let page = demo.send("GET /search", &nurse, "");
        for words in
            ["You are <strong>Aoife Brennan</strong>, clinic nurse", "Monday 6 January 2025, 8:30am", "Your tour", "What just happened"]
        {
            assert!(page.contains(words), "{words}");
        }
        let answer = demo.send("POST /demo/sign-in", &nurse, "who=ines");
        assert_eq!(status(&answer), "303");
        assert_eq!(status(&demo.send("GET /search", &nurse, "")), "303", "who one was is signed out");
    }

    #[test]
    fn the_clock_is_moved_by_a_form_and_leads_back_to_its_page() {
        let demo = demo();
        let leila = demo.sign_in("coordinator-leila");
        for (form, words) in [
            ("to=hour", "9:30am"),
            ("to=morning", "Tuesday 7 January 2025, 8:30am"),
            ("to=week", "Tuesday 14 January 2025, 8:30am"),
            ("to=day&day=2025-03-04", "Tuesday 4 March 2025, 8:30am"),
        ] {
            let answer = demo.move_clock(&leila, &format!("{form}&back=/measures"));
            assert!(status(&answer) == "303" && answer.contains(&format!("location: /measures?{MOVED}")), "{form}: {answer}");
            let page = demo.send(&format!("GET /measures?{MOVED}"), &leila, "");
            assert!(page.contains(words) && page.contains("The demo’s clock was moved on."), "{form}");
        }
        let page = demo.send("GET /search", &leila, "");
        assert!(page.contains("1 of 4 done"), "the clock is past 3 March");
        for back in ["//elsewhere.example", "/nowhere", "https://elsewhere.example/", "/people/a%0d%0ab", "/demo/clock"] {
            let answer = demo.move_clock(&leila, &format!("to=hour&back={back}"));
            assert!(answer.contains(&format!("location: /?{MOVED}")), "{back}: {answer}");
        }
        assert_eq!(status(&demo.move_clock(&leila, "to=day&day=2025-01-01&back=/")), "422", "it only moves on");
        assert_eq!(status(&demo.send("POST /demo/clock", &leila, "to=hour&back=/")), "403", "no form of this session");
        assert_eq!(status(&demo.send("POST /demo/clock", "", "to=hour&back=/")), "401");
    }

    #[test]
    fn a_step_of_a_tour_ticks_itself_off_and_tells_what_happened() {
        let demo = demo();
        let manager = demo.sign_in("manager-frances");
        assert!(demo.send("GET /account", &manager, "").contains("0 of 3 done"));
        let page = demo.send("GET /measures", &manager, "");
        assert!(page.contains("1 of 3 done") && page.contains("nothing yet"));
        let nurse = demo.sign_in("nurse-aoife");
        demo.current.get().desk("nurse-aoife").unwrap().search("chelwest", "nobody").unwrap();
        let page = demo.send("GET /measures", &nurse, "");
        assert!(page.contains("<strong>Aoife Brennan, clinician</strong>: look for a person by name or number."), "{page}");
    }

    #[test]
    fn it_begins_again_at_once_and_only_for_the_number_that_was_shown() {
        let demo = demo();
        let nurse = demo.sign_in("nurse-aoife");
        demo.move_clock(&nurse, "to=week&back=/");
        assert_eq!(status(&demo.send("POST /demo/reset", "", "")), "422");
        let answer = demo.send("POST /demo/reset", "", "times=0");
        assert!(answer.contains("location: /sign-in?done=demo-reset"), "{answer}");
        assert_eq!(demo.clock.now(), stage::morning_of(date(2025, 1, 6)).unwrap());
        assert_eq!(status(&demo.send("GET /search", &nurse, "")), "303", "nobody is signed in");
        let page = demo.send("GET /sign-in?done=demo-reset", "", "");
        assert!(page.contains("The demo begins again.") && page.contains("name=\"times\" value=\"1\""));
        let nurse = demo.sign_in("nurse-aoife");
        demo.send("POST /demo/reset", "", "times=0");
        assert_eq!(status(&demo.send("GET /search", &nurse, "")), "200", "asked twice, it began again once");
    }

    #[test]
    fn outside_the_demo_there_are_no_such_addresses() {
        let service = open(false);
        let nurse = service.current.get().open_session(&StaffId("nurse-aoife".into()), Method::Passkey).unwrap();
        for address in ["/demo/sign-in", "/demo/clock", "/demo/reset"] {
            let form = format!("token={}&who=ines&to=hour&times=0", accounts::form_token(nurse.reveal()));
            assert_eq!(status(&service.send(&format!("POST {address}"), nurse.reveal(), &form)), "404", "{address}");
        }
        let page = service.send("GET /search", nurse.reveal(), "");
        assert!(status(&page) == "200" && !page.contains("Your tour") && !page.contains("demo-clock"));
    }
}
