//! Every template with samples, and every address over a real socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use alongside_app::pages::WorklistKind;
use alongside_app::testing::FixedWorld;
use alongside_app::{App, Invalid, accounts};
use alongside_domain::id::PersonId;
use alongside_domain::session::Method;
use alongside_domain::supporter::StaffId;
use alongside_store::testing::TestDatabase;
use alongside_store::{Engine, Store};

use super::chart::Drawing;
use super::measures::DOCUMENT;
use super::templates::{
    Choice, FiguresPage, FiguresStartPage, Frame, MeasuresPage, PersonPage, ProblemPage, QuarantinedPage, SearchPage, WhyPage,
    WorklistPage, drawn,
};
use super::{Options, fill, router, samples};

/// The largest page.
const PAGE_BYTES_MAX: usize = 100_000;

pub(super) fn frame() -> Frame {
    Frame::new(&Options { demo: true, ..Options::default() }).under(&[("/", "Start"), ("/#site-west", samples::NAME)])
}

/// Every template with samples: a name to find it by, and the page.
fn rendered() -> Vec<(String, String)> {
    let mut pages =
        vec![("figures, start".to_owned(), fill(&FiguresStartPage { frame: frame(), page: samples::figures_start() }).unwrap())];
    for masked in [true, false] {
        let page = samples::figures(masked);
        let drawings = page.charts.iter().map(Drawing::of).collect();
        pages.push((format!("figures, masked {masked}"), fill(&FiguresPage { frame: frame(), page: &page, drawings }).unwrap()));
    }
    for kind in WorklistKind::ALL {
        for full in [true, false] {
            let page = samples::worklist(*kind, full);
            pages.push((format!("{kind}, {full}"), fill(&WorklistPage { frame: frame(), page }).unwrap()));
        }
    }
    for full in [true, false] {
        let page = QuarantinedPage { frame: frame(), page: samples::quarantined(full), total: "60 messages".into() };
        pages.push((format!("set aside, {full}"), fill(&page).unwrap()));
    }
    let person = samples::person();
    pages.push(("person".into(), fill(&PersonPage { frame: frame(), page: &person, wellbeing: drawn(&person) }).unwrap()));
    pages.push(("why".into(), fill(&WhyPage { frame: frame(), page: samples::why() }).unwrap()));
    let search = |problem, found| SearchPage {
        frame: frame(),
        sites: vec![Choice { key: "west".into(), title: "Chelsea and Westminster".into() }],
        chosen: "west".into(),
        text: samples::NAME.into(),
        problem,
        found,
        summary: "2 people found".into(),
        closed: true,
    };
    pages.push(("search".into(), fill(&search(None, Some(samples::found()))).unwrap()));
    pages.push(("search, wrong".into(), fill(&search(Some(Invalid::new("q", "Enter a name")), None)).unwrap()));
    pages.extend(super::clinic::samples());
    pages.push(("measures".into(), fill(&MeasuresPage { frame: frame(), document: &DOCUMENT }).unwrap()));
    let problem = ProblemPage { frame: frame(), title: "Sorry", lines: vec!["A line.".into()], reference: Some("0000ABCD".into()) };
    pages.push(("problem".into(), fill(&problem).unwrap()));
    pages.extend(super::care::samples(&frame()));
    pages.extend(super::caseload::samples(&frame()));
    pages.extend(super::personal::samples(&frame()));
    pages.extend(super::own_details::samples(&frame()));
    pages.extend(super::demo::samples());
    pages.extend(super::coordination::samples());
    pages.extend(super::govern::samples(&frame()));
    pages.extend(super::engineer::samples(&frame()));
    pages
}

/// What stands between two texts, each time that it does.
fn between<'a>(page: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(before).skip(1).map(move |rest| rest.split(after).next().unwrap_or_default())
}

fn title(page: &str) -> &str {
    between(page, "<title>", "</title>").next().unwrap()
}

#[test]
fn every_page_is_small_has_one_heading_and_a_neutral_title() {
    for (name, page) in rendered() {
        assert!(page.len() < PAGE_BYTES_MAX, "{name}: {} bytes", page.len());
        assert_eq!(page.matches("<h1").count(), 1, "{name}");
        let title = title(&page);
        assert!(title.ends_with(" – Alongside") && !title.contains("HIV") && !title.contains("Dempsey"), "{name}: {title}");
        assert!(page.contains("<html lang=\"en-GB\">") && page.contains("Demonstration: all people are invented"), "{name}");
    }
}

#[test]
fn no_page_has_a_script_or_a_style_within_or_asks_another_host() {
    for (name, page) in rendered() {
        assert_eq!(page.matches("<script").count(), 1, "{name}");
        let page = page.replace("<script type=\"module\" src=\"/static/", "");
        for refused in ["<script", " style=", "<style", " onclick", "src=\"http", "href=\"http", "href=\"//"] {
            assert!(!page.contains(refused), "{name}: {refused}");
        }
    }
}

#[test]
fn what_people_are_called_is_escaped() {
    for (name, page) in rendered() {
        assert!(!page.contains("<b>O'Dempsey"), "{name}");
        assert!(!page.contains("alert(1)</script>"), "{name}");
    }
    let list = fill(&WorklistPage { frame: frame(), page: samples::worklist(WorklistKind::Due, true) }).unwrap();
    assert!(list.contains("Zoë &#60;b&#62;O&#39;Dempsey"), "escaped, and not twice");
}

#[test]
fn ids_are_unique_and_every_label_and_reference_finds_its_own() {
    for (name, page) in rendered() {
        let mut ids: Vec<&str> = between(&page, " id=\"", "\"").collect();
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "{name}: {ids:?}");
        for attribute in [" aria-labelledby=\"", " aria-describedby=\"", " for=\""] {
            for wanted in between(&page, attribute, "\"").flat_map(str::split_whitespace) {
                assert!(ids.contains(&wanted), "{name}: {attribute}{wanted}");
            }
        }
    }
}

#[test]
fn no_address_of_a_page_says_what_it_is_about() {
    for (name, page) in rendered() {
        for address in between(&page, "href=\"", "\"") {
            assert!(!address.to_uppercase().contains("HIV"), "{name}: {address}");
        }
    }
}

#[test]
fn the_clinics_lists_say_that_they_are_the_clinics() {
    for kind in WorklistKind::ALL {
        let page = fill(&WorklistPage { frame: frame(), page: samples::worklist(*kind, true) }).unwrap();
        assert_eq!(page.contains("Clinic only"), kind.is_clinics(), "{kind}");
    }
}

/// Some of those who work in the demo.
const NURSE: &str = "nurse-aoife";
const COORDINATOR: &str = "coordinator-leila";
const MANAGER: &str = "manager-frances";

/// A confirmed result as Cerner Millennium sends it.
const CONFIRMED: &str = "MSH|^~\\&|CERNER|RQM|TIE|RQM|20250102091400||ORU^R01|90001|P|2.3\r\
    PID|1||7700001^^^RQM MRN^MRN||ASHDOWN^MIRIAM||19900502|F\r\
    OBR|1||L1|HIVCF^HIV confirmatory|||20250102080000\r\
    OBX|1|ST|HIVCF^HIV confirmatory||HIV-1 CONFIRMED||||||F\r";

/// The pages on a socket of their own, over the demo's sites with one person.
struct Site {
    address: SocketAddr,
    person: PersonId,
    app: App,
    _runtime: tokio::runtime::Runtime,
    _database: TestDatabase,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

/// Asks over a socket of its own.
pub(super) fn send(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

/// Serves pages on a socket of their own.
pub(super) fn serve(runtime: &tokio::runtime::Runtime, pages: axum::Router) -> SocketAddr {
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, pages).await });
    address
}

impl Site {
    fn open() -> Self {
        let database = TestDatabase::new(Engine::Sqlite);
        let world = FixedWorld::at("2025-01-06T08:30:00Z".parse().unwrap());
        let app = alongside_app::testing::app(Store::open(database.url()).unwrap(), world);
        let _ = app.receive(&app.setup.feeds["chelwest"], CONFIRMED.as_bytes());
        app.flush().unwrap();
        let found = app.desk(NURSE).unwrap().search("chelwest", "ashdown").unwrap();
        let person = found[0].href.strip_prefix("/people/").unwrap().parse().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let pages = router(app.clone(), Options { demo: true, ..Options::default() });
        let address = serve(&runtime, pages);
        Self { address, person, app, _runtime: runtime, _database: database }
    }

    fn send(&self, request: &str) -> Answer {
        send(self.address, request)
    }

    fn get(&self, who: &str, address: &str) -> Answer {
        let cookie = self.cookie(who).0;
        self.send(&format!("GET {address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{cookie}\r\n"))
    }

    /// Sends a form as a page of this session would.
    fn post(&self, who: &str, address: &str, form: &str) -> Answer {
        let (cookie, token) = self.cookie(who);
        let form = format!("token={token}&{form}");
        let length = form.len();
        self.send(&format!(
            "POST {address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{cookie}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        ))
    }

    /// The line of a new session's cookie, and what its forms carry. Nobody has neither.
    fn cookie(&self, who: &str) -> (String, String) {
        if who.is_empty() {
            return Default::default();
        }
        let token = self.app.open_session(&StaffId(who.into()), Method::Demo).unwrap();
        (format!("Cookie: {}={}\r\n", super::seat::COOKIE, token.reveal()), accounts::form_token(token.reveal()))
    }
}

/// Everybody who works in the demo.
fn everybody(app: &App) -> Vec<String> {
    app.setup.staff.keys().chain(app.setup.supporters.keys()).cloned().collect()
}

#[test]
fn every_link_of_every_page_is_open_to_whoever_is_shown_it() {
    let site = Site::open();
    let mut by_everybody = std::collections::BTreeSet::new();
    let cleared = |who: &String| site.app.desk(who).unwrap().viewer().cleared;
    for who in everybody(&site.app).into_iter().filter(cleared) {
        let mut open = vec!["/".to_owned()];
        let mut seen = std::collections::BTreeSet::new();
        while let Some(address) = open.pop() {
            if !seen.insert(address.clone()) {
                continue;
            }
            let answer = site.get(&who, &address);
            if answer.status == 303 {
                open.extend(between(&answer.head, "location: ", "\r\n").map(str::to_owned));
                continue;
            }
            assert_eq!(answer.status, 200, "{who} {address}: {}", answer.body);
            let links = between(&answer.body, "href=\"", "\"").map(|link| link.replace("&#38;", "&"));
            open.extend(links.filter(|link| link.starts_with('/')).map(|link| link.split('#').next().unwrap_or_default().to_owned()));
        }
        by_everybody.extend(seen);
    }
    let referral = site.app.record(site.person).unwrap().referrals[0].id;
    for wanted in [format!("/people/{}", site.person), format!("/referrals/{referral}/why"), "/sites/northmid/worklists/due".into()] {
        assert!(by_everybody.contains(&wanted), "no link leads to {wanted}");
    }
}

#[test]
fn every_answer_tells_the_browser_what_it_may_do_with_it() {
    let site = Site::open();
    let person = format!("/people/{}", site.person);
    for address in ["/", &person, "/nowhere", "/health", "/sites/chelwest/figures.csv"] {
        let head = site.get(NURSE, address).head;
        for header in [
            "cache-control: no-store",
            "content-security-policy: default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: same-origin",
        ] {
            assert!(head.contains(header), "{address} lacks {header}: {head}");
        }
    }
    let styles = super::assets::ADDRESSES.own_css.as_str();
    assert!(site.get(NURSE, styles).head.contains("cache-control: public, max-age=31536000, immutable"));
}

#[test]
fn whoever_is_turned_away_at_the_door_is_written_down() {
    let site = Site::open();
    assert_eq!(site.get(NURSE, "/feeds").status, 403);
    let slice = alongside_store::page_reads::Slice { most: 5, skip: 0 };
    let of_nurse = |tx: &mut alongside_store::Tx<'_>| alongside_store::audit::of_staff(tx, &StaffId(NURSE.into()), slice);
    let lines = site.app.store.read(of_nurse).unwrap();
    let refused = lines.iter().filter(|line| line.outcome == alongside_store::audit::Outcome::Refused);
    assert_eq!(refused.map(|line| line.action.as_str()).collect::<Vec<_>>(), ["see-feeds"]);
}

#[test]
fn whatever_goes_wrong_under_a_private_link_names_nothing() {
    let site = Site::open();
    let guessed = site.get(NURSE, "/yours/guessed");
    assert_eq!(guessed.status, 404);
    assert!(guessed.body.contains("This page is closed"));
    for address in ["/yours/guessed/", "/yours/%ff", "/yours/guessed/nothing", "/yours/guessed/say/anything"] {
        let answer = site.get(NURSE, address);
        assert_eq!((answer.status, answer.body), (404, guessed.body.clone()), "{address}");
    }
}

#[test]
fn what_cannot_be_answered_has_the_status_and_the_page_of_its_failure() {
    let site = Site::open();
    for (address, status) in [
        ("/nowhere", 404),
        ("/people/per_ffffffffffffffffffffffffffffffff", 404),
        ("/people/anything", 404),
        ("/referrals/ref_ffffffffffffffffffffffffffffffff/why", 404),
        ("/sites/nowhere/figures", 404),
        ("/sites/chelwest/figures.json", 403),
        ("/sites/chelwest/worklists/nothing", 404),
        ("/sites/chelwest/figures?quarter=2024-Q5", 422),
        ("/sites/chelwest/worklists/due?page=x", 422),
        ("/static/0000000000000000/alongside.css", 404),
    ] {
        assert_eq!(site.get(NURSE, address).status, status, "{address}");
    }
    let answer = site.get(NURSE, "/people/anything");
    assert!(answer.body.contains("Page not found") && answer.body.contains("<h1"));
    assert_eq!(site.post(NURSE, "/", "").status, 405);
}

#[test]
fn a_name_that_leads_here_but_is_not_this_machines_is_refused() {
    let site = Site::open();
    let answer = site.send("GET / HTTP/1.1\r\nHost: rebound.invalid\r\nConnection: close\r\n\r\n");
    assert_eq!(answer.status, 421);
    assert!(!answer.body.contains("Chelsea"));
}

#[test]
fn a_search_is_sent_as_a_form_and_its_text_stands_in_no_address() {
    let site = Site::open();
    let found = site.post(NURSE, "/search", "site=chelwest&q=ASHDOWN");
    assert_eq!(found.status, 200);
    assert!(found.body.contains("1 person found") && found.body.contains(&format!("/people/{}", site.person)));
    assert!(between(&found.body, "href=\"", "\"").all(|address| !address.to_lowercase().contains("ashdown")));
    assert!(site.post(COORDINATOR, "/search", "site=chelwest&q=ASHDOWN").body.contains("Nobody found"), "not before release");
    for elsewhere in ["northmid", "nowhere"] {
        assert_eq!(site.post(NURSE, "/search", &format!("site={elsewhere}&q=ASHDOWN")).status, 422, "{elsewhere}");
    }
    let answer = site.post(NURSE, "/search", "site=chelwest&q=a");
    assert_eq!((answer.status, answer.body.contains("There is a problem")), (422, true));
    assert_eq!(site.post(NURSE, "/search", &format!("site=chelwest&q={}", "a".repeat(5000))).status, 422);
}

#[test]
fn the_quarters_figures_come_as_a_page_and_as_files() {
    let site = Site::open();
    let page = site.get(COORDINATOR, "/sites/chelwest/figures?quarter=2025-Q1&show=all").body;
    assert!(page.contains("January to March 2025") && page.contains("The quarter is not over") && page.contains("must not be published"));
    let json = site.get(MANAGER, "/sites/chelwest/figures.json?quarter=2025-Q1");
    assert!(json.head.contains("content-type: application/json") && json.body.contains("\"people-supported\""));
    let csv = site.get(MANAGER, "/sites/chelwest/figures.csv?quarter=2025-Q1");
    assert!(csv.head.contains("attachment; filename=\"chelwest-2025-q1.csv\"") && csv.body.starts_with("site,quarter,measure"));
}

#[test]
fn somebody_awaiting_notice_is_shown_to_the_clinic_only() {
    let site = Site::open();
    let list = site.get(NURSE, "/sites/chelwest/worklists/awaiting-notice").body;
    assert!(list.contains("Clinic only") && list.contains("MIRIAM ASHDOWN"));
    for others in ["open", "due", "assessments", "deferred"] {
        assert!(!site.get(NURSE, &format!("/sites/chelwest/worklists/{others}")).body.contains("ASHDOWN"));
    }
    let page = site.get(NURSE, &format!("/people/{}", site.person)).body;
    assert!(page.contains("Clinic only") && page.contains("Why was this person referred?"));
}

#[test]
fn a_provider_may_send_without_an_origin_and_what_it_sends_must_prove_itself() {
    let site = Site::open();
    let send = |more: &str, form: &str| {
        let length = form.len();
        site.send(&format!(
            "POST /sign-in/ended HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        ))
    };
    for form in ["", "logout_token=", "logout_token=a.b.c", "logout_token=eyJhbGciOiJub25lIn0.e30."] {
        let answer = send("", form);
        assert_eq!((answer.status, answer.body.as_str()), (400, "{\"error\":\"invalid_request\"}"), "{form}");
        assert!(answer.head.contains("cache-control: no-store"));
    }
    assert_eq!(send("Origin: https://elsewhere.example\r\n", "logout_token=a.b.c").status, 403);
}

#[test]
fn a_sign_in_that_does_not_hold_gets_one_page_that_repeats_nothing() {
    let site = Site::open();
    let page = |address: &str| site.get("", address);
    for address in
        ["/sign-in/return", "/sign-in/return?state=guessed&code=tried", "/sign-in/return?state=a&state=b", "/sign-in/return?error=%3Cb%3E"]
    {
        let answer = page(address);
        assert_eq!(answer.status, 403, "{address}");
        assert!(answer.body.contains("You were not signed in") && !answer.body.contains("guessed") && !answer.body.contains("&#60;b"));
        assert!(!answer.head.contains("set-cookie"), "no session, and nothing to forget: {}", answer.head);
    }
    assert_eq!(page("/sign-in/with/nobody").status, 404);
}

#[test]
fn no_other_site_can_have_somebody_take_up_an_invitation() {
    let site = Site::open();
    let follow = |from: &str| {
        let head = "GET /sign-in/with/trust?invitation=a HTTP/1.1\r\nHost: localhost\r\nConnection: close";
        site.send(&format!("{head}\r\nSec-Fetch-Site: {from}\r\n\r\n")).status
    };
    assert_eq!((follow("cross-site"), follow("same-site")), (403, 403));
    assert_eq!((follow("same-origin"), follow("none")), (404, 404), "there is no provider in the demo, and that is all");
}

/// A form of the clinic, once with what is wrong and once as it should be.
#[test]
fn notice_is_recorded_in_three_clicks() {
    let site = Site::open();
    let today = site.get(NURSE, "/clinic").body;
    let notice = format!("/people/{}/notice", site.person);
    assert!(today.contains(&format!("href=\"{notice}\"")));
    let form = site.get(NURSE, &notice).body;
    let field = |name: &str| between(&form, &format!("name=\"{name}\" value=\""), "\"").next().unwrap_or_default().to_owned();
    let filled = format!(
        "once={}&on-day={}&on-month={}&on-year={}&how=in-person&reason=not-stated",
        field("once"),
        field("on-day"),
        field("on-month"),
        field("on-year")
    );
    let unanswered = site.post(NURSE, &notice, &filled);
    assert_eq!(unanswered.status, 422);
    assert!(unanswered.body.contains("href=\"#answer\"") && unanswered.body.contains("<title>Error: "));
    let answered = site.post(NURSE, &notice, &format!("{filled}&answer=no-objection"));
    assert_eq!(answered.status, 303, "{}", answered.body);
    assert!(answered.head.contains("location: /clinic?done=notice-recorded"), "{}", answered.head);
    let today = site.get(NURSE, "/clinic?done=notice-recorded").body;
    assert!(today.contains("Notice recorded.") && today.contains("Nobody is waiting to be told.") && today.contains("Needs a supporter"));
    assert_eq!(site.post(MANAGER, &notice, &filled).status, 403);
}

#[test]
fn whoever_is_not_found_is_referred_with_nothing_typed_twice() {
    let site = Site::open();
    let found = site.post(NURSE, "/clinic/refer", "site=chelwest&q=Ada+Lovelace").body;
    assert!(found.contains("Nobody found") && found.contains("value=\"Lovelace\"") && found.contains("value=\"Ada\""));
    let form = "site=chelwest&given=Ada&family=Lovelace&born-day=10&born-month=12&born-year=1985&kind=clinic-request";
    let wrong = site.post(NURSE, "/clinic/refer/new", form);
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("href=\"#number\"") && wrong.body.contains("value=\"Lovelace\""));
    let referred = site.post(NURSE, "/clinic/refer/new", &format!("{form}&number=77"));
    assert!(referred.status == 303 && referred.head.contains("location: /clinic?done=referred"), "{}", referred.body);
    assert!(site.get(NURSE, "/clinic").body.contains("Ada Lovelace"));
}

/// Sends a file as the form of the list does.
fn upload(site: &Site, cookie: &str, token: &str, file: &str) -> Answer {
    let part = |name: &str, value: &str| format!("--part\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let file = format!("--part\r\nContent-Disposition: form-data; name=\"list\"; filename=\"a.csv\"\r\n\r\n{file}\r\n--part--\r\n");
    let body = [part("token", token), part("site", "chelwest"), file].concat();
    let length = body.len();
    site.send(&format!(
        "POST /clinic/list HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{cookie}\
         Content-Type: multipart/form-data; boundary=part\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}

#[test]
fn a_list_waits_for_the_session_that_brought_it() {
    let site = Site::open();
    let ((cookie, token), (other, others)) = (site.cookie(NURSE), site.cookie(NURSE));
    let list = "Hospital number,Surname,Forename,Date of birth,New diagnosis,Diagnosis date\n88,New,Ada,01/01/1970,Y,02/01/2025\n";
    assert_eq!(upload(&site, &cookie, &others, list).status, 403, "another session's form");
    let large = format!("{list}{}", "#".repeat(6 * 1024 * 1024));
    assert_eq!(upload(&site, &cookie, &token, &large).status, 422);
    assert_eq!(upload(&site, &cookie, &token, "").status, 422);
    let seen = upload(&site, &cookie, &token, list);
    assert!(seen.status == 200 && seen.body.contains("Take the list"), "{}", seen.body);
    assert!(!site.get(NURSE, "/clinic").body.contains("Ada New"), "nothing was kept");
    let held = between(&seen.body, "name=\"held\" value=\"", "\"").next().unwrap();
    let take = |cookie: &str, token: &str| {
        let form = format!("token={token}&held={held}");
        site.send(&format!(
            "POST /clinic/list/take HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{cookie}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ))
    };
    assert_eq!(take(&other, &others).status, 422, "another session");
    assert_eq!(take(&cookie, &token).status, 303);
    assert!(site.get(NURSE, "/clinic").body.contains("Ada New"));
    assert_eq!(take(&cookie, &token).status, 422, "once");
}

#[test]
fn a_closed_record_needs_its_number_a_reason_and_a_tick() {
    let site = Site::open();
    let form = "site=chelwest&number=123&reason=Collapsed+in+clinic+and+is+not+awake";
    for (form, place) in
        [(form.to_owned(), "told"), (format!("{form}&told=yes"), "number"), ("site=chelwest&number=1&told=yes".into(), "reason")]
    {
        let answer = site.post(NURSE, "/break-glass", &form);
        assert_eq!((answer.status, answer.body.contains(&format!("href=\"#{place}\""))), (422, true), "{place}");
    }
    assert_eq!(site.get("engineer-wei", "/break-glass").status, 403);
    assert_eq!(site.get(MANAGER, "/break-glass").status, 403);
}

/// A coordinator of the demo.

#[test]
fn a_coordinators_pages_are_a_coordinators() {
    let site = Site::open();
    let referral = site.app.record(site.person).unwrap().referrals[0].id;
    for (who, address, status) in [
        (COORDINATOR, "/coordination", 200),
        (COORDINATOR, "/coordination?site=northmid&partner=naz-project&done=allocated", 200),
        (COORDINATOR, "/coordination?site=nowhere", 404),
        (COORDINATOR, "/coordination/reallocate?from=grace", 200),
        (COORDINATOR, "/coordination/reallocate?from=nobody", 404),
        (COORDINATOR, "/coordination/passports", 200),
        (COORDINATOR, "/coordination/passports/grace/renew", 200),
        (COORDINATOR, "/coordination/passports/nobody/renew", 404),
        (COORDINATOR, &format!("/referrals/{referral}/allocate"), 404),
        (NURSE, &format!("/referrals/{referral}/allocate"), 404),
        (NURSE, "/coordination", 403),
        (MANAGER, "/coordination", 403),
        (MANAGER, "/coordination/passports", 403),
        (MANAGER, "/figures", 200),
        ("governance-martin", "/coordination/passports", 200),
        ("governance-martin", "/coordination/passports/grace/renew", 403),
    ] {
        assert_eq!(site.get(who, address).status, status, "{who} {address}");
    }
    assert!(!site.get(MANAGER, "/figures").body.contains("/people/"));
}

#[test]
fn a_renewal_is_recorded_and_a_form_with_mistakes_comes_back_with_what_was_entered() {
    let site = Site::open();
    let wrong = site.post(COORDINATOR, "/coordination/passports/grace/renew", "until-day=31&until-month=2&until-year=2025");
    assert_eq!(wrong.status, 422);
    for part in ["href=\"#item\"", "href=\"#until\"", "value=\"31\""] {
        assert!(wrong.body.contains(part), "{part}");
    }
    let right = site.post(COORDINATOR, "/coordination/passports/grace/renew", "item=training&until-day=3&until-month=3&until-year=2026");
    assert_eq!(right.status, 303);
    assert!(right.head.contains("location: /coordination/passports?done=renewed"), "{}", right.head);
    assert!(site.get(COORDINATOR, "/coordination/passports").body.contains("3 March 2026"));
    let nobody = site.post(COORDINATOR, "/coordination/reallocate", "from=grace&once=1");
    assert_eq!(nobody.status, 422);
    assert!(nobody.body.contains("Choose somebody for at least one person"));
}

const GOVERNANCE: &str = "governance-martin";
const ENGINEER: &str = "engineer-wei";

#[test]
fn governance_finds_who_saw_a_person_with_one_form_and_nothing_of_it_in_an_address() {
    let site = Site::open();
    site.get(NURSE, &format!("/people/{}", site.person));
    let found = site.post(GOVERNANCE, "/access", "number=7700001");
    let answer = format!("/access/people/{}", site.person);
    assert_eq!((found.status, between(&found.head, "location: ", "\r\n").next()), (303, Some(answer.as_str())));
    let named = site.post(GOVERNANCE, "/access", "family=Ashdown&born-day=2&born-month=5&born-year=1990");
    assert_eq!(named.status, 303);
    let page = site.get(GOVERNANCE, &answer).body;
    assert!(page.contains("Aoife Brennan") && page.contains("Open a person"));
    assert!(!page.contains("href=\"/people/"), "governance does not open the record itself");
    assert!(site.post(GOVERNANCE, "/access", "number=1").body.contains("Nobody found"));
    for wrong in ["", "family=Ashdown", "born-day=2"] {
        let answer = site.post(GOVERNANCE, "/access", wrong);
        assert_eq!((answer.status, answer.body.contains("There is a problem")), (422, true), "{wrong}");
    }
    for (address, status) in [
        ("/access/people/per_ffffffffffffffffffffffffffffffff", 404),
        ("/access/people/anything", 404),
        ("/access/staff/nobody", 404),
        ("/access/entitled/nobody", 404),
        ("/access/glass/gls_ffffffffffffffffffffffffffffffff", 404),
        ("/access/refused?page=x", 422),
        ("/access/staff/nurse-aoife?from=yesterday", 422),
        ("/feeds", 403),
    ] {
        assert_eq!(site.get(GOVERNANCE, address).status, status, "{address}");
    }
    assert_eq!(site.get(NURSE, "/access").status, 403);
}

#[test]
fn governance_suspends_somebody_at_once() {
    let site = Site::open();
    let address = format!("/access/entitled/{NURSE}");
    assert_eq!(site.post(GOVERNANCE, &address, "do=suspended").status, 303);
    assert!(site.app.open_session(&StaffId(NURSE.into()), Method::Demo).is_err());
    assert!(site.get(GOVERNANCE, &address).body.contains("Lift the suspension"));
    assert_eq!(site.post(GOVERNANCE, &address, "do=reinstated").status, 303);
    assert_eq!(site.post(GOVERNANCE, &address, "do=nothing").status, 422);
    assert_eq!(site.post(NURSE, "/access/entitled/ines", "do=suspended").status, 403);
}

#[test]
fn an_engineer_opens_a_text_with_a_reason_and_governance_is_told() {
    let site = Site::open();
    let unknown = CONFIRMED.replace("HIVCF^", "HIVCF2^").replace("90001", "90002");
    let _ = site.app.receive(&site.app.setup.feeds["chelwest"], unknown.as_bytes());
    site.app.flush().unwrap();
    let list = site.get(ENGINEER, "/quarantined").body;
    let address = format!("/quarantined/{}", between(&list, "href=\"/quarantined/", "\"").next().unwrap());
    let message = site.get(ENGINEER, &address).body;
    assert!(message.contains("Replay") && !message.contains("ASHDOWN"));
    let raw = format!("{address}/raw");
    let closed = site.get(ENGINEER, &raw);
    assert!(closed.status == 200 && !closed.body.contains("ASHDOWN"));
    let short = site.post(ENGINEER, &raw, "reason=because");
    assert!(short.status == 422 && short.body.contains("There is a problem"));
    assert_eq!(site.post(ENGINEER, &raw, "reason=The+laboratory+changed+its+codes").status, 303);
    let open = site.get(ENGINEER, &raw);
    assert!(open.body.contains("ASHDOWN") && open.head.contains("no-store"));
    let home = site.get(GOVERNANCE, "/access").body;
    assert!(home.contains("1 use of break-glass waits") && home.contains("1 to review"));
    let glass = site.get(GOVERNANCE, "/access/glass").body;
    let review = format!("/access/glass/{}", between(&glass, "href=\"/access/glass/", "\"").next().unwrap());
    assert_eq!(site.post(GOVERNANCE, &review, "finding=justified&note=").status, 422);
    assert_eq!(site.post(GOVERNANCE, &review, "finding=justified&note=Confirmed").status, 303);
    assert!(!site.get(GOVERNANCE, "/access").body.contains("waits"));
    assert!(site.post(ENGINEER, &format!("{address}/replay"), "").head.contains("done=still-set-aside"));
    assert!(site.post(ENGINEER, "/feeds/chelwest/replay", "").head.contains("done=feed-replayed"));
    for address in ["/feeds/nowhere/replay", "/quarantined/msg_ffffffffffffffffffffffffffffffff/replay"] {
        assert_eq!(site.post(ENGINEER, address, "").status, 404);
    }
    assert_eq!(site.get(ENGINEER, "/quarantined/msg_ffffffffffffffffffffffffffffffff/raw").status, 404);
    for who in [GOVERNANCE, NURSE, MANAGER] {
        assert_eq!(site.get(who, &raw).status, 403, "{who}");
    }
}

#[test]
fn whoever_guesses_at_private_links_is_slowed_down() {
    let database = TestDatabase::new(Engine::Sqlite);
    let world = FixedWorld::at("2025-01-06T08:30:00Z".parse().unwrap());
    let app = alongside_app::testing::app(Store::open(database.url()).unwrap(), world);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = serve(&runtime, router(app, Options::default()));
    let ask = |from: &str| {
        send(address, &format!("GET /yours/guessed HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Forwarded-For: {from}\r\n\r\n"))
    };
    let first = ask("192.0.2.1");
    assert_eq!(first.status, 404);
    let refused = (0..200).map(|_| ask("192.0.2.1")).find(|answer| answer.status == 429).unwrap();
    assert!(refused.head.contains("retry-after: ") && refused.body.contains("<title>Your page</title>"));
    assert_eq!(ask("192.0.2.2").status, 404, "others are not slowed down");
}
