//! How long each page takes and how large it is, at 100,000 people, for every role, on both engines.
//!
//! ```text
//! cargo bench -p alongside --bench pages
//! cargo bench -p alongside --bench pages -- SQLite clinic     # one engine, pages whose row has this text
//! cargo bench -p alongside --bench pages -- SQLite cards      # cards beside the record
//! ```
//!
//! The program itself answers on loopback, one request after another, packed as a browser asks for it.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "pages/cards.rs"]
mod cards;
#[path = "pages/running.rs"]
mod running;
#[path = "pages/service.rs"]
mod service;

use std::time::{Duration, Instant};

use alongside_app::accounts::form_token;
use alongside_domain::session::Method;
use alongside_domain::supporter::StaffId;
use alongside_store::{Engine, testing};
use jiff::Timestamp;
use running::{Connection, Filled, Server, on_disk};
use service::{SITES, nurse, supporter};

const WARM_UP: usize = 5;
const REQUESTS: usize = 50;

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    on_disk();
    let mut wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let mut engines = testing::engines();
    if let Some(engine) = wanted.first().and_then(|name| engines.iter().copied().find(|engine| engine.to_string() == *name)) {
        engines = vec![engine];
        wanted.remove(0);
    }
    println!("| engine | who | page | median ms | p99 ms | kB | kB packed |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for engine in engines {
        measure_all(engine, &wanted);
    }
}

fn measure_all(engine: Engine, wanted: &[String]) {
    let database = Filled::on(engine);
    let server = Server::start(&database.folder.path().join("bench.toml"));
    for ask in asks(database.made) {
        let row = format!("{} {}", ask.who, ask.path);
        if !wanted.is_empty() && !wanted.iter().any(|text| row.contains(text.as_str())) {
            continue;
        }
        let token = database.app.open_session(&StaffId(ask.who.clone()), Method::Passkey).expect("a session");
        let mut connection = Connection::open(server.port);
        let plain = connection.send(&ask.request(token.reveal(), "identity"), &row).len();
        let request = ask.request(token.reveal(), "gzip");
        let mut times = Vec::new();
        let mut packed = 0;
        for _ in 0..WARM_UP + REQUESTS {
            let begun = Instant::now();
            packed = connection.send(&request, &row).len();
            times.push(begun.elapsed());
        }
        let mut times = times.split_off(WARM_UP);
        times.sort_unstable();
        let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
        let (median, last) = (milliseconds(times[REQUESTS / 2]), milliseconds(times[REQUESTS * 99 / 100]));
        let (plain, packed) = (plain as f64 / 1_000.0, packed as f64 / 1_000.0);
        println!("| {engine} | {} | {} | {median:.1} | {last:.1} | {plain:.0} | {packed:.1} |", ask.role, ask.words);
    }
    if wanted.is_empty() || wanted.iter().any(|text| text == "cards") {
        cards::measure(engine, &database, &server);
    }
}

/// A page, and who asks for it.
struct Ask {
    role: &'static str,
    who: String,
    words: &'static str,
    path: String,
    form: Option<String>,
}

fn asks(made: Timestamp) -> Vec<Ask> {
    let known = service::known(made);
    let site = SITES[0].0;
    let (person, referral, number) = (known.supported, known.referral, known.number);
    // Whose week governance looks at does not ask for the pages here: her week would hold all of these requests.
    let (nurse, colleague, peer) = (nurse(site, 0), nurse(site, 1), supporter(site, 0));
    let get = |role, who: &str, words, path: String| Ask { role, who: who.to_owned(), words, path, form: None };
    let search = |role, who: &str, words, text: &str| Ask {
        role,
        who: who.to_owned(),
        words,
        path: "/search".into(),
        form: Some(format!("site={site}&q={text}")),
    };
    let list = |kind: &str, page: u32| format!("/sites/{site}/worklists/{kind}?page={page}");
    let (lead, manager, governance, engineer) = ("coordinator", "manager", "information-governance", "integration-engineer");
    vec![
        get("anybody", &nurse, "`/health`: the floor", "/health".into()),
        get("supporter", &peer, "today", "/today".into()),
        get("supporter", &peer, "my people", "/my-people".into()),
        get("supporter", &peer, "a person", format!("/people/{person}")),
        get("supporter", &peer, "contact form", format!("/referrals/{referral}/contact")),
        search("supporter", &peer, "search, a name", "okafor"),
        get("clinician", &nurse, "clinic", "/clinic".into()),
        get("clinician", &nurse, "a person", format!("/people/{person}")),
        get("clinician", &nurse, "why a referral", format!("/referrals/{referral}/why")),
        search("clinician", &nurse, "search, two letters", "an"),
        search("clinician", &nurse, "search, a name", "okafor"),
        search("clinician", &nurse, "search, a number", &number),
        search("clinician", &nurse, "search, nobody", "xyzzy"),
        get("clinician", &nurse, "awaiting notice, first page", list("awaiting-notice", 1)),
        get("clinician", &nurse, "awaiting notice, last page", list("awaiting-notice", 9_999)),
        get("clinician", &nurse, "questions", "/questions".into()),
        get("clinician", &nurse, "concerns", format!("/sites/{site}/concerns")),
        get("coordinator", lead, "coordination", "/coordination".into()),
        get("coordinator", lead, "coordination of a partner", format!("/coordination?partner={site}-first")),
        get("coordinator", lead, "passports", "/coordination/passports".into()),
        get("coordinator", lead, "reallocation of 40", format!("/coordination/reallocate?from={peer}")),
        get("coordinator", lead, "needs a supporter, first page", list("open", 1)),
        get("coordinator", lead, "needs a supporter, last page", list("open", 9_999)),
        get("coordinator", lead, "conversation due, last page", list("due", 9_999)),
        get("coordinator", lead, "assessment due, last page", list("assessments", 9_999)),
        search("coordinator", lead, "search, a name", "okafor"),
        get("manager", manager, "figures", "/figures".into()),
        get("manager", manager, "figures of a site", format!("/sites/{site}/figures")),
        get("governance", governance, "start", "/access".into()),
        get("governance", governance, "who saw a person", format!("/access/people/{person}")),
        get("governance", governance, "what a clinician saw", format!("/access/staff/{colleague}")),
        get("governance", governance, "what a clinician saw, third page", format!("/access/staff/{colleague}?page=3")),
        get("governance", governance, "what was refused", "/access/refused".into()),
        get("governance", governance, "exports", "/access/exports".into()),
        get("governance", governance, "who may see what", "/access/entitled".into()),
        get("governance", governance, "break-glass", "/access/glass".into()),
        get("engineer", engineer, "feeds", "/feeds".into()),
        get("engineer", engineer, "quarantine, first page", "/quarantined".into()),
        get("engineer", engineer, "quarantine, last page", "/quarantined?page=9999".into()),
    ]
}

impl Ask {
    fn request(&self, token: &str, encoding: &str) -> Vec<u8> {
        let (method, body) = match &self.form {
            Some(form) => ("POST", format!("{form}&token={}", form_token(token))),
            None => ("GET", String::new()),
        };
        format!(
            "{method} {} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: {encoding}\r\nCookie: __Host-alongside={token}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.path,
            body.len()
        )
        .into_bytes()
    }
}
