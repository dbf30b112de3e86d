//! Information governance's pages: who saw what, who may see what, what was refused and taken away, break-glass.

use alongside_app::desk::Ending;
use alongside_app::pages::{
    AccessAsked, AccessFound, AccessHome, AccessKind, Entitled, EntitledOne, Exports, GlassCard, GlassPage, PersonAccess, REFUSALS_DAYS,
    Refusals, StaffAccess, Whose, words,
};
use alongside_app::{Desk, Failure, Invalid};
use alongside_domain::access::Action;
use alongside_domain::glass::Finding;
use alongside_domain::id::{GlassId, PersonId};
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::civil::Date;
use serde::Deserialize;

use super::done::Done;
use super::forms::{Day, Fields, Posted};
use super::parts::{Pick, Problems};
use super::routes::{Needs, Route, read, send};
use super::seat::Seat;
use super::templates::Frame;
use super::{Web, fill, page};

/// Where information governance works.
pub(crate) fn routes() -> Vec<Route> {
    use Action::{EndSessions, ReviewGlass, SeeAccess, SeeEntitled};
    use Needs::May;
    vec![
        read("/access", May(SeeAccess), home),
        send("/access", May(SeeAccess), find),
        read("/access/people/{person}", May(SeeAccess), person),
        read("/access/staff/{staff}", May(SeeAccess), staff),
        read("/access/refused", May(SeeAccess), refused),
        read("/access/exports", May(SeeAccess), exports),
        read("/access/entitled", May(SeeEntitled), entitled),
        read("/access/entitled/{staff}", May(SeeEntitled), entitled_one),
        send("/access/entitled/{staff}", May(EndSessions), end_access),
        read("/access/glass", May(ReviewGlass), glass),
        read("/access/glass/{glass}", May(ReviewGlass), glass_one),
        send("/access/glass/{glass}", May(ReviewGlass), review),
    ]
}

#[derive(Template)]
#[template(path = "govern_home.html")]
struct Home {
    frame: Frame,
    problems: Problems,
    page: AccessHome,
    form: Form,
    found: Option<Vec<AccessFound>>,
    summary: String,
}

/// What was entered, to be shown again.
#[derive(Default)]
struct Form {
    number: String,
    family: String,
    born: Day,
}

#[derive(Template)]
#[template(path = "govern_person.html")]
struct OnePerson {
    frame: Frame,
    problems: Problems,
    what: String,
    by: String,
    from: String,
    to: String,
    page: PersonAccess,
}

#[derive(Template)]
#[template(path = "govern_staff.html")]
struct OneOfStaff {
    frame: Frame,
    problems: Problems,
    site: String,
    from: String,
    to: String,
    page: StaffAccess,
}

#[derive(Template)]
#[template(path = "govern_refused.html")]
struct Refused {
    frame: Frame,
    days: i64,
    page: Refusals,
}

#[derive(Template)]
#[template(path = "govern_exports.html")]
struct Taken {
    frame: Frame,
    page: Exports,
}

#[derive(Template)]
#[template(path = "govern_entitled.html")]
struct Everybody {
    frame: Frame,
    page: Entitled,
}

#[derive(Template)]
#[template(path = "govern_one.html")]
struct Somebody {
    frame: Frame,
    problems: Problems,
    page: EntitledOne,
}

#[derive(Template)]
#[template(path = "govern_glass.html")]
struct Glass {
    frame: Frame,
    page: GlassPage,
}

#[derive(Template)]
#[template(path = "govern_review.html")]
struct OneGlass {
    frame: Frame,
    problems: Problems,
    findings: Vec<Pick>,
    note: String,
    card: GlassCard,
}

/// What stands after the question mark.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    what: Option<String>,
    from: Option<String>,
    to: Option<String>,
    by: Option<String>,
    site: Option<String>,
    of: Option<String>,
    page: Option<String>,
}

type Asking = Result<Query<Asked>, QueryRejection>;

impl Asked {
    fn of(asking: Asking) -> Result<Self, Failure> {
        asking.map(|Query(asked)| asked).map_err(|_| Failure::invalid("address", "what stands after the question mark cannot be read"))
    }

    fn page(&self) -> Result<u32, Failure> {
        filled(self.page.as_ref())
            .map_or(Ok(1), |text| text.parse().map_err(|_| Failure::invalid("page", "a page is a whole number from 1")))
    }

    fn read(self) -> Result<AccessAsked, Failure> {
        let day = |name: &str, text: &Option<String>| {
            let read = |text: &str| text.parse::<Date>().map_err(|_| Failure::invalid(name, "a day is written like 2025-01-06"));
            filled(text.as_ref()).map(read).transpose()
        };
        let kind = filled(self.what.as_ref()).map(|code| AccessKind::from_code(code).ok_or(Failure::NotFound)).transpose()?;
        let (from, to, page) = (day("from", &self.from)?, day("to", &self.to)?, self.page()?);
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(AccessAsked { kind, from, to, by: text(self.by), site: text(self.site), page })
    }
}

fn filled(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

fn shown(day: Option<Date>) -> String {
    day.map_or_else(String::new, |day| day.to_string())
}

fn below(frame: Frame) -> Frame {
    frame.under(&[("/access", "Who saw what")])
}

fn below_entitled(frame: Frame) -> Frame {
    frame.under(&[("/access/entitled", "Who may see what")])
}

fn below_glass(frame: Frame) -> Frame {
    frame.under(&[("/access/glass", "Break-glass")])
}

async fn home(State(web): State<Web>, seat: Seat) -> Response {
    let dress = |page, frame| {
        fill(&Home { frame, problems: Problems::default(), page, form: Form::default(), found: None, summary: String::new() })
    };
    web.show(seat, Desk::access_home, dress).await
}

/// Whose record a form means: the number where one stands, otherwise name and day of birth.
fn whose(fields: &Fields) -> Result<Whose, Vec<Invalid>> {
    if let Some(number) = fields.filled("number") {
        return Ok(Whose::Number(number.to_owned()));
    }
    let named = fields.filled("family");
    let born_given = ["born-day", "born-month", "born-year"].iter().any(|part| fields.filled(part).is_some());
    if named.is_none() && !born_given {
        return Err(vec![Invalid::new("number", "Enter a number, or a family name and date of birth")]);
    }
    let born = fields.date("born", "Enter the date of birth");
    match (named, born) {
        (Some(family), Ok(born)) => Ok(Whose::Name { family: family.to_owned(), born }),
        (named, born) => {
            let family = named.is_none().then(|| Invalid::new("family", "Enter the family name"));
            Err(family.into_iter().chain(born.err()).collect())
        }
    }
}

/// Finds whose record is meant: by POST, so that nothing of it stands in an address. One person leads to the answer at once.
async fn find(State(web): State<Web>, seat: Seat, Posted(fields): Posted) -> Response {
    let frame = Frame::of(&web, &seat);
    web.answer(seat, move |desk| {
        let form = |name: &str| fields.text(name).to_owned();
        let form = Form { number: form("number"), family: form("family"), born: Day::sent(&fields, "born") };
        let (found, problems, status) = match whose(&fields) {
            Ok(whose) => (Some(desk.access_find(&whose)?), Vec::new(), StatusCode::OK),
            Err(problems) => (None, problems, StatusCode::UNPROCESSABLE_ENTITY),
        };
        if let Some([one]) = found.as_deref() {
            return Ok(Redirect::to(&one.href).into_response());
        }
        let count = found.as_ref().map_or(0, Vec::len) as u64;
        let summary = if count == 0 { "Nobody found".to_owned() } else { words::counted(count, "record found", "records found") };
        page(status, fill(&Home { frame, problems: Problems::new(problems), page: desk.access_home()?, form, found, summary }))
    })
    .await
}

async fn person(State(web): State<Web>, seat: Seat, Path(person): Path<String>, asking: Asking) -> Response {
    web.show(
        seat,
        move |desk| {
            let id: PersonId = person.parse().map_err(|_| Failure::NotFound)?;
            desk.person_access(id, &AccessAsked { site: None, ..Asked::of(asking)?.read()? })
        },
        |page, frame| fill(&dress_person(page, below(frame))),
    )
    .await
}

fn dress_person(page: PersonAccess, frame: Frame) -> OnePerson {
    OnePerson {
        frame,
        problems: Problems::default(),
        what: page.asked.kind.map_or_else(String::new, |kind| kind.code().to_owned()),
        by: page.asked.by.clone().unwrap_or_default(),
        from: shown(page.asked.from),
        to: shown(page.asked.to),
        page,
    }
}

async fn staff(State(web): State<Web>, seat: Seat, Path(staff): Path<String>, asking: Asking) -> Response {
    web.show(
        seat,
        move |desk| desk.staff_access(&staff, &AccessAsked { by: None, kind: None, ..Asked::of(asking)?.read()? }),
        |page, frame| fill(&dress_staff(page, below(frame))),
    )
    .await
}

fn dress_staff(page: StaffAccess, frame: Frame) -> OneOfStaff {
    OneOfStaff {
        frame,
        problems: Problems::default(),
        site: page.asked.site.clone().unwrap_or_default(),
        from: shown(page.asked.from),
        to: shown(page.asked.to),
        page,
    }
}

async fn refused(State(web): State<Web>, seat: Seat, asking: Asking) -> Response {
    let ask = move |desk: &Desk| desk.refusals_page(Asked::of(asking)?.page()?);
    web.show(seat, ask, |page, frame| fill(&Refused { frame: below(frame), days: REFUSALS_DAYS, page })).await
}

async fn exports(State(web): State<Web>, seat: Seat, asking: Asking) -> Response {
    let ask = move |desk: &Desk| {
        let asked = Asked::of(asking)?;
        desk.exports_page(asked.of.as_deref() == Some("messages"), asked.page()?)
    };
    web.show(seat, ask, |page, frame| fill(&Taken { frame, page })).await
}

async fn entitled(State(web): State<Web>, seat: Seat) -> Response {
    web.show(seat, Desk::entitled_page, |page, frame| fill(&Everybody { frame, page })).await
}

async fn entitled_one(State(web): State<Web>, seat: Seat, Path(staff): Path<String>) -> Response {
    let dress = |page, frame| fill(&Somebody { frame: below_entitled(frame), problems: Problems::default(), page });
    web.show(seat, move |desk| desk.entitled_one(&staff), dress).await
}

async fn end_access(State(web): State<Web>, seat: Seat, Path(staff): Path<String>, Posted(fields): Posted) -> Response {
    let again_for = staff.clone();
    let work = move |desk: &Desk| {
        let ending = fields.coded("do", Ending::from_code, "Choose what is to be done");
        let ending = ending.map_err(|problem| Failure::Invalid(vec![problem]))?;
        desk.end_access(&staff, ending)?;
        let done = match ending {
            Ending::Sessions => Done::OthersSessionsEnded,
            Ending::Suspended => Done::Suspended,
            Ending::Reinstated => Done::Reinstated,
        };
        Ok((format!("/access/entitled/{staff}"), done))
    };
    let again = move |desk: &Desk, problems, frame| {
        let page = desk.entitled_one(&again_for)?;
        fill(&Somebody { frame: below_entitled(frame), problems: Problems::new(problems), page })
    };
    web.carry_out(seat, work, again).await
}

async fn glass(State(web): State<Web>, seat: Seat) -> Response {
    web.show(seat, Desk::glass_page, |page, frame| fill(&Glass { frame, page })).await
}

fn glass_id(text: &str) -> Result<GlassId, Failure> {
    text.parse().map_err(|_| Failure::NotFound)
}

fn findings(chosen: &str) -> Vec<Pick> {
    Finding::ALL.iter().map(|finding| Pick::new(finding.code(), &words::sentence(finding.words()), chosen)).collect()
}

async fn glass_one(State(web): State<Web>, seat: Seat, Path(glass): Path<String>) -> Response {
    let dress = |card, frame| {
        fill(&OneGlass { frame: below_glass(frame), problems: Problems::default(), findings: findings(""), note: String::new(), card })
    };
    web.show(seat, move |desk| desk.glass_one(glass_id(&glass)?), dress).await
}

async fn review(State(web): State<Web>, seat: Seat, Path(glass): Path<String>, Posted(fields): Posted) -> Response {
    let (again_for, chosen, note) = (glass.clone(), fields.text("finding").to_owned(), fields.text("note").to_owned());
    let work = move |desk: &Desk| {
        desk.review_glass(glass_id(&glass)?, Finding::from_code(fields.text("finding")), fields.text("note"))?;
        Ok(("/access/glass".to_owned(), Done::GlassReviewed))
    };
    let again = move |desk: &Desk, problems, frame| {
        let card = desk.glass_one(glass_id(&again_for)?)?;
        let problems = Problems::new(problems);
        fill(&OneGlass { frame: below_glass(frame), problems, findings: findings(&chosen), note, card })
    };
    web.carry_out(seat, work, again).await
}

/// Every template of this room with samples.
#[cfg(test)]
pub(crate) fn samples(frame: &Frame) -> Vec<(String, String)> {
    use super::samples::{NAME, paging};
    use alongside_app::pages::{AccessLine, DealtLine, EntitledLine, Link, MatrixRow, Reviewed, SessionLine, StaffLink};
    let frame = || frame.clone();
    let link = |words: &str| Link { href: "/access/staff/nurse".into(), words: words.into(), current: true };
    let line = || AccessLine {
        when: "6 January 2025, 8:30am".into(),
        what: "Open a person’s page".into(),
        kind: "Seen",
        tone: "quiet",
        who: NAME.into(),
        who_href: "/access/staff/nurse".into(),
        purpose: "Care of this person".into(),
        glass: true,
    };
    let asked = AccessAsked { kind: Some(AccessKind::Seen), page: 1, ..AccessAsked::default() };
    let home = |problems, found: Option<Vec<AccessFound>>| Home {
        frame: frame(),
        problems: Problems::new(problems),
        page: AccessHome {
            glass: "1 use of break-glass waits".into(),
            staff: vec![StaffLink { href: "/access/staff/nurse".into(), name: NAME.into(), role: "clinician" }],
        },
        form: Form { number: NAME.into(), ..Form::default() },
        found,
        summary: "2 records found".into(),
    };
    let found = AccessFound { href: "/access/people/per_1".into(), name: NAME.into(), more: "born 2 May 1990".into() };
    let person = |lines: Vec<AccessLine>| PersonAccess {
        path: "/access/people/per_1".into(),
        name: NAME.into(),
        more: "born 2 May 1990".into(),
        kinds: vec![link("All")],
        asked: asked.clone(),
        by: Some(NAME.into()),
        total: "2 lines".into(),
        lines,
        paging: paging(),
    };
    let staff = |people: Vec<DealtLine>| StaffAccess {
        path: "/access/staff/nurse".into(),
        name: NAME.into(),
        role: "clinician",
        entitled: "/access/entitled/nurse".into(),
        sites: vec![link("West"), link("North")],
        asked: asked.clone(),
        total: "1 person".into(),
        people,
        lately: vec![line()],
        paging: paging(),
    };
    let dealt = DealtLine {
        href: "/access/people/per_1?by=nurse".into(),
        name: NAME.into(),
        born: "2 May 1990".into(),
        times: "Seen once".into(),
        latest: "6 January 2025, 8:30am".into(),
    };
    let entitled = || EntitledLine {
        href: "/access/entitled/nurse".into(),
        name: NAME.into(),
        role: "clinician",
        sites: "West, North".into(),
        partner: NAME.into(),
        items: Vec::new(),
        is_open: false,
        until: "Closed: DBS check ended".into(),
        shielded: true,
        account: "Active",
        methods: "password and code".into(),
        sessions: "1 session".into(),
    };
    let one = |suspended, is_self| {
        let sessions = vec![SessionLine { method: "Passkey".into(), since: "today".into(), seen: "today".into() }];
        let page =
            EntitledOne { line: entitled(), key: "nurse".into(), access: "/access/staff/nurse".into(), sessions, suspended, is_self };
        fill(&Somebody { frame: frame(), problems: Problems::new(vec![Invalid::new("do", "Choose")]), page })
    };
    let card = |review| GlassCard {
        href: "/access/glass/gls_1".into(),
        who: NAME.into(),
        who_href: "/access/staff/nurse".into(),
        site: "West".into(),
        at: "6 January 2025, 8:30am".into(),
        until: "6 January 2025, 9:30am".into(),
        is_open: true,
        reason: "Emergency".into(),
        words: NAME.into(),
        about: NAME.into(),
        about_href: String::new(),
        looked: vec![("6 January 2025, 8:31am".into(), "Open a person’s page".into())],
        review,
    };
    let reviewed = || Reviewed { finding: "Justified".into(), by: NAME.into(), note: NAME.into() };
    let review = |card, problems| OneGlass { frame: frame(), problems, findings: findings("justified"), note: NAME.into(), card };
    let refusals = |lines: Vec<(AccessLine, Vec<Link>)>| Refused {
        frame: frame(),
        days: REFUSALS_DAYS,
        page: Refusals { by: vec![(link(NAME), "2 times".into(), "today".into())], lines, total: "2 attempts".into(), paging: paging() },
    };
    let exports =
        |lines| Taken { frame: frame(), page: Exports { tabs: vec![link("Files")], lines, total: "1 time".into(), paging: paging() } };
    let matrix = MatrixRow { what: "Open".into(), purpose: "work", reaches: vec!["yes", "–"] };
    let all = Entitled {
        lines: (0..25).map(|_| entitled()).collect(),
        total: "25 people".into(),
        roles: vec!["Clinician".into(), "Manager".into()],
        matrix: vec![matrix],
    };
    let glass = |waiting, reviewed| fill(&Glass { frame: frame(), page: GlassPage { waiting, reviewed } });
    [
        ("who saw what", fill(&home(Vec::new(), None))),
        ("who saw what, wrong", fill(&home(vec![Invalid::new("number", "Enter"), Invalid::new("born", "Enter")], None))),
        ("who saw what, found", fill(&home(Vec::new(), Some(vec![found.clone(), found])))),
        ("who saw what, nobody", fill(&home(Vec::new(), Some(Vec::new())))),
        ("of a person", fill(&dress_person(person(vec![line(), line()]), frame()))),
        ("of a person, nobody", fill(&dress_person(person(Vec::new()), frame()))),
        ("of staff", fill(&dress_staff(staff(vec![dealt]), frame()))),
        ("of staff, nobody", fill(&dress_staff(staff(Vec::new()), frame()))),
        ("refused", fill(&refusals(vec![(line(), vec![link(NAME)])]))),
        ("refused, nothing", fill(&refusals(Vec::new()))),
        ("taken away", fill(&exports(vec![(line(), NAME.into())]))),
        ("taken away, nothing", fill(&exports(Vec::new()))),
        ("entitled", fill(&Everybody { frame: frame(), page: all })),
        ("entitled, one", one(false, false)),
        ("entitled, suspended", one(true, false)),
        ("entitled, self", one(false, true)),
        ("glass", glass(vec![card(None)], vec![card(Some(reviewed()))])),
        ("glass, none", glass(Vec::new(), Vec::new())),
        ("review", fill(&review(card(None), Problems::new(vec![Invalid::new("finding", "Choose")])))),
        ("reviewed", fill(&review(card(Some(reviewed())), Problems::default()))),
    ]
    .into_iter()
    .map(|(name, page)| (name.to_owned(), page.unwrap_or_default()))
    .collect()
}
