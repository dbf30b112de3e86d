//! Every template with samples, and every address over a real socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use alongside_app::pages::WorklistKind;
use alongside_app::testing::FixedWorld;
use alongside_app::{App, Invalid};
use alongside_domain::id::PersonId;
use alongside_store::testing::TestDatabase;
use alongside_store::{Engine, Store};

use super::chart::Drawing;
use super::measures::DOCUMENT;
use super::templates::{
    Choice, FiguresPage, Frame, MeasuresPage, PersonPage, ProblemPage, QuarantinedPage, SearchPage, StartPage, WhyPage, WorklistPage, drawn,
};
use super::{Options, fill, router, samples};

/// The largest page.
const PAGE_BYTES_MAX: usize = 100_000;

fn frame() -> Frame {
    Frame::new(Options { demo: true }).at("/").within("west", samples::NAME)
}

/// Every template with samples: a name to find it by, and the page.
fn rendered() -> Vec<(String, String)> {
    let mut pages = vec![("start".to_owned(), fill(&StartPage { frame: frame(), page: samples::start() }).unwrap())];
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
    };
    pages.push(("search".into(), fill(&search(None, Some(samples::found()))).unwrap()));
    pages.push(("search, wrong".into(), fill(&search(Some(Invalid::new("q", "Enter a name")), None)).unwrap()));
    pages.push(("measures".into(), fill(&MeasuresPage { frame: frame(), document: &DOCUMENT }).unwrap()));
    let problem = ProblemPage { frame: frame(), title: "Sorry", lines: vec!["A line.".into()], reference: Some("0000ABCD".into()) };
    pages.push(("problem".into(), fill(&problem).unwrap()));
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

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Site {
    fn open() -> Self {
        let database = TestDatabase::new(Engine::Sqlite);
        let world = FixedWorld::at("2025-01-06T08:30:00Z".parse().unwrap());
        let app = alongside_app::testing::app(Store::open(database.url()).unwrap(), world);
        let _ = app.receive(&app.setup.feeds["chelwest"], CONFIRMED.as_bytes());
        app.flush().unwrap();
        let found = app.search("chelwest", "ashdown").unwrap();
        let person = found[0].href.strip_prefix("/people/").unwrap().parse().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let pages = router(app.clone(), Options { demo: true });
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, pages).await });
        Self { address, person, app, _runtime: runtime, _database: database }
    }

    fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    fn get(&self, address: &str) -> Answer {
        self.send(&format!("GET {address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }

    fn post(&self, address: &str, form: &str) -> Answer {
        let length = form.len();
        self.send(&format!(
            "POST {address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
        ))
    }
}

#[test]
fn every_address_answers_and_every_link_of_every_page_leads_somewhere() {
    let site = Site::open();
    let mut open = vec!["/".to_owned()];
    let mut seen = std::collections::BTreeSet::new();
    while let Some(address) = open.pop() {
        if !seen.insert(address.clone()) {
            continue;
        }
        let answer = site.get(&address);
        assert_eq!(answer.status, 200, "{address}: {}", answer.body);
        let links = between(&answer.body, "href=\"", "\"").map(|link| link.replace("&#38;", "&"));
        open.extend(links.filter(|link| link.starts_with('/')).map(|link| link.split('#').next().unwrap_or_default().to_owned()));
    }
    let referral = site.app.record(site.person).unwrap().referrals[0].id;
    for wanted in [format!("/people/{}", site.person), format!("/referrals/{referral}/why"), "/sites/northmid/worklists/due".into()] {
        assert!(seen.contains(&wanted), "no link leads to {wanted}");
    }
}

#[test]
fn every_answer_tells_the_browser_what_it_may_do_with_it() {
    let site = Site::open();
    let person = format!("/people/{}", site.person);
    for address in ["/", &person, "/nowhere", "/health", "/sites/chelwest/figures.csv"] {
        let head = site.get(address).head;
        for header in [
            "cache-control: no-store",
            "content-security-policy: default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
        ] {
            assert!(head.contains(header), "{address} lacks {header}: {head}");
        }
    }
    let styles = super::assets::ADDRESSES.own_css.as_str();
    assert!(site.get(styles).head.contains("cache-control: public, max-age=31536000, immutable"));
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
        ("/sites/nowhere/figures.json", 404),
        ("/sites/chelwest/worklists/nothing", 404),
        ("/sites/chelwest/figures?quarter=2024-Q5", 422),
        ("/quarantined?page=x", 422),
        ("/static/0000000000000000/alongside.css", 404),
    ] {
        assert_eq!(site.get(address).status, status, "{address}");
    }
    let answer = site.get("/people/anything");
    assert!(answer.body.contains("Page not found") && answer.body.contains("<h1"));
    assert_eq!(site.post("/", "").status, 405);
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
    let found = site.post("/search", "site=chelwest&q=ASHDOWN");
    assert_eq!(found.status, 200);
    assert!(found.body.contains("1 person found") && found.body.contains(&format!("/people/{}", site.person)));
    assert!(between(&found.body, "href=\"", "\"").all(|address| !address.to_lowercase().contains("ashdown")));
    assert!(site.post("/search", "site=northmid&q=ASHDOWN").body.contains("Nobody found"));
    for wrong in ["site=chelwest&q=a", "site=nowhere&q=ashdown", ""] {
        let answer = site.post("/search", wrong);
        assert_eq!((answer.status, answer.body.contains("There is a problem")), (422, true), "{wrong}");
    }
    assert_eq!(site.post("/search", &format!("site=chelwest&q={}", "a".repeat(5000))).status, 422);
}

#[test]
fn the_quarters_figures_come_as_a_page_and_as_files() {
    let site = Site::open();
    let page = site.get("/sites/chelwest/figures?quarter=2025-Q1&show=all").body;
    assert!(page.contains("January to March 2025") && page.contains("The quarter is not over") && page.contains("must not be published"));
    let json = site.get("/sites/chelwest/figures.json?quarter=2025-Q1");
    assert!(json.head.contains("content-type: application/json") && json.body.contains("\"people-supported\""));
    let csv = site.get("/sites/chelwest/figures.csv?quarter=2025-Q1");
    assert!(csv.head.contains("attachment; filename=\"chelwest-2025-q1.csv\"") && csv.body.starts_with("site,quarter,measure"));
}

#[test]
fn somebody_awaiting_notice_is_shown_to_the_clinic_only() {
    let site = Site::open();
    let list = site.get("/sites/chelwest/worklists/awaiting-notice").body;
    assert!(list.contains("Clinic only") && list.contains("MIRIAM ASHDOWN"));
    for others in ["open", "due", "assessments", "deferred"] {
        assert!(!site.get(&format!("/sites/chelwest/worklists/{others}")).body.contains("ASHDOWN"));
    }
    let page = site.get(&format!("/people/{}", site.person)).body;
    assert!(page.contains("Clinic only") && page.contains("Why was this person referred?"));
}
