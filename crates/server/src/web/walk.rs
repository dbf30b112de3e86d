//! Every address in every role, for people of every kind: what is open is what the policy says, and `docs/access.md` says it.
//!
//! A route that is new must say how its parts are filled in, a part that is unknown here ends the walk; so no address is
//! left out, and no cell of the matrix is one that nobody decided.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use alongside_app::desk::OwnDetails;
use alongside_app::setup::Extra;
use alongside_app::simulate::DEMO_CONFIGURATION;
use alongside_app::testing::{FixedWorld, keys};
use alongside_app::{App, Setup, accounts};
use alongside_domain::access::{Action, Reach, reach, table};
use alongside_domain::command::Command;
use alongside_domain::concern::{ConcernForm, Urgency};
use alongside_domain::id::{MessageId, PersonId, QuestionId, ReplyId};
use alongside_domain::notice::{Answer, How, Telling};
use alongside_domain::person::SiteId;
use alongside_domain::progress::Progress;
use alongside_domain::question::{self, Question};
use alongside_domain::reply::{Reply, ReplyKind};
use alongside_domain::sending::{Parked, State};
use alongside_domain::session::Method as SignInMethod;
use alongside_domain::supporter::StaffId;
use alongside_store::testing::TestDatabase;
use alongside_store::{Engine, Store, StoreError, care, people, requests, sending, standing};
use axum::http::Method;
use jiff::civil::date;

use super::routes::{self, Needs};
use super::tests::{send, serve};
use super::{Options, router, seat};

/// A third site, where nobody of the others works, and a partner's own supporter.
const MORE: &str = r#"
[[site]]
key = "elsewhere"
title = "Elsewhere"
organisations = [{ code = "RQM" }]
[[site.partner]]
key = "positively-uk"
title = "Positively UK"
basis = "inside"

[[feed]]
key = "elsewhere"
site = "elsewhere"
profile = "cerner-millennium"
listen = "127.0.0.1:0"

[[staff]]
key = "nurse-elsewhere"
name = "Nobody Here"
role = "clinician"
sites = ["elsewhere"]

[[staff]]
key = "engineer-elsewhere"
name = "Nobody Else"
role = "integration-engineer"
sites = ["elsewhere"]

[[staff]]
key = "coordinator-elsewhere"
name = "Nobody There"
role = "coordinator"
sites = ["elsewhere"]

[[supporter]]
key = "supporter-elsewhere"
first_name = "Nobody"
partner = "positively-uk"
sites = ["elsewhere"]
from = "2022-01-01"
training_until = "2026-01-01"
dbs_until = "2026-01-01"
capacity = 10

[[supporter]]
key = "sofia"
first_name = "Sofia"
partner = "sophia-forum"
sites = ["chelwest"]
from = "2022-01-01"
training_until = "2026-01-01"
dbs_until = "2026-01-01"
capacity = 10
"#;

/// Who walks: a heading of the matrix, and a key of the configuration. The empty key has no session.
const WALKERS: [(&str, &str); 11] = [
    ("clinician", "nurse-aoife"),
    ("clinician who looks after shielded people", "consultant-hughes"),
    ("safeguarding lead", "safeguarding-ruth"),
    ("supporter", "ines"),
    ("supporter whose contract has ended", "marcus"),
    ("coordinator", "coordinator-leila"),
    ("partner's coordinator", "coordinator-nadia"),
    ("manager", "manager-frances"),
    ("information governance", "governance-martin"),
    ("integration engineer", "engineer-wei"),
    ("nobody signed in", ""),
];

/// Of what kind a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Of Inês's caseload.
    OfInes,
    /// Of another supporter of the clinic's team.
    OfDele,
    /// Of a partner's supporter outside the team.
    OfSofia,
    /// Released, and without a supporter.
    Unallocated,
    /// Before release.
    BeforeRelease,
    /// A colleague's record, released.
    Shielded,
    /// Of a site where nobody of the walkers works.
    Elsewhere,
}

const KINDS: [Kind; 7] =
    [Kind::OfInes, Kind::OfDele, Kind::OfSofia, Kind::Unallocated, Kind::BeforeRelease, Kind::Shielded, Kind::Elsewhere];

struct Service {
    app: App,
    address: SocketAddr,
    _runtime: tokio::runtime::Runtime,
    people: BTreeMap<Kind, PersonId>,
    /// A concern about each of them, and an answer that each of them gave.
    concerns: BTreeMap<Kind, String>,
    replies: BTreeMap<Kind, String>,
    /// An open question about each of them.
    questions: BTreeMap<Kind, String>,
    /// A message that was set aside, by site, and a use of break-glass.
    messages: BTreeMap<&'static str, String>,
    /// What was stopped on its way back to a record, by site.
    sendings: BTreeMap<&'static str, i64>,
    glasses: BTreeMap<&'static str, String>,
    /// The tokens of their private links.
    links: BTreeMap<Kind, String>,
    _database: TestDatabase,
}

fn message(number: usize, family: &str) -> String {
    format!(
        "MSH|^~\\&|CERNER|RQM|TIE|RQM|20250102091400||ORU^R01|9{number:04}|P|2.3\rPID|1||88{number:05}^^^RQM MRN^MRN||{family}^MIRIAM||19900502|F\r\
         OBR|1||L1|HIVCF^HIV confirmatory|||20250102080000\rOBX|1|ST|HIVCF^HIV confirmatory||HIV-1 CONFIRMED||||||F\r"
    )
}

impl Service {
    fn open() -> Self {
        let database = TestDatabase::new(Engine::Sqlite);
        let setup = Setup::read(&format!("{DEMO_CONFIGURATION}\n{MORE}"), &Extra::default()).unwrap();
        let world = FixedWorld::at("2025-01-06T08:30:00Z".parse().unwrap());
        let app = App::new(Store::open(database.url()).unwrap(), Arc::new(setup), world, keys());
        let own = OwnDetails { nhs_number: None, given: "Miriam".into(), family: "Shielded".into(), born: Some(date(1990, 5, 2)) };
        app.desk("nurse-samuel").unwrap().give_details(&own).unwrap();
        let (mut people, mut links) = (BTreeMap::new(), BTreeMap::new());
        let (mut concerns, mut replies, mut questions) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (number, kind) in KINDS.into_iter().enumerate() {
            let feed = if kind == Kind::Elsewhere { "elsewhere" } else { "chelwest" };
            let family = format!("{kind:?}").to_uppercase();
            let _ = app.receive(&app.setup.feeds[feed], message(number, &family).as_bytes());
            app.flush().unwrap();
            let nurse = if kind == Kind::Elsewhere { "nurse-elsewhere" } else { "consultant-hughes" };
            let found = app.desk(nurse).unwrap().search(feed, &family).unwrap();
            let person: PersonId = found[0].href.strip_prefix("/people/").unwrap().parse().unwrap();
            if kind != Kind::BeforeRelease {
                release(&app, nurse, person, kind);
            }
            people.insert(kind, person);
            concerns.insert(kind, concern(&app, nurse, feed, person));
            replies.insert(kind, reply(&app, person));
            questions.insert(kind, question(&app, person));
            links.insert(kind, app.desk(nurse).unwrap().make_link(person).unwrap().token.reveal().to_owned());
        }
        let (mut messages, mut glasses) = (BTreeMap::new(), BTreeMap::new());
        for (site, engineer) in [("chelwest", "engineer-wei"), ("elsewhere", "engineer-elsewhere")] {
            let message = set_aside(&app, site, engineer);
            app.desk(engineer).unwrap().open_text(message, "The laboratory has changed its codes", site).unwrap();
            let glass = app.store.read(|tx| standing::glass_at(tx, &SiteId(site.into()), 1)).unwrap().remove(0);
            messages.insert(site, message.to_string());
            glasses.insert(site, glass.id.to_string());
        }
        let sendings =
            [("chelwest", Kind::OfInes), ("elsewhere", Kind::Elsewhere)].map(|(site, kind)| (site, stop(&app, site, people[&kind])));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let address = serve(&runtime, router(app.clone(), Options::default()));
        Self {
            app,
            address,
            people,
            concerns,
            replies,
            questions,
            messages,
            sendings: sendings.into(),
            glasses,
            links,
            _runtime: runtime,
            _database: database,
        }
    }

    /// A path with its parts filled in; nothing when it is about a person and there is none of the kind.
    fn fill(&self, path: &str, kind: Kind) -> String {
        let record = self.app.record(self.people[&kind]).unwrap();
        let site = if kind == Kind::Elsewhere { "elsewhere" } else { "chelwest" };
        let mut filled = path.to_owned();
        if path.starts_with("/static/") {
            return super::assets::ADDRESSES.own_css.clone();
        }
        while let Some((before, rest)) = filled.clone().split_once('{') {
            let (part, after) = rest.split_once('}').unwrap();
            let value = match part {
                "person" => record.person.id.to_string(),
                "referral" => record.referrals[0].id.to_string(),
                "concern" => self.concerns[&kind].clone(),
                "reply" => self.replies[&kind].clone(),
                "token" => self.links[&kind].clone(),
                // Says nothing by itself: words must be added.
                "what" => "contact".to_owned(),
                "instrument" => "ons4".to_owned(),
                "provider" => "none".to_owned(),
                "staff" => if kind == Kind::Elsewhere { "nurse-elsewhere" } else { "nurse-samuel" }.to_owned(),
                "supporter" => if kind == Kind::Elsewhere { "supporter-elsewhere" } else { "grace" }.to_owned(),
                "feed" => site.to_owned(),
                "question" => self.questions[&kind].clone(),
                "message" => self.messages[site].clone(),
                "glass" => self.glasses[site].clone(),
                "site" => site.to_owned(),
                "sending" => self.sendings[site].to_string(),
                "kind" => "due".to_owned(),
                "name" => "nhsuk-icon-cross.svg".to_owned(),
                "type" => "Task".to_owned(),
                "id" => record.triggers.first().map_or_else(String::new, |held| held.id.to_string().replace("trg_", "")),
                "service" => "patient-view".to_owned(),
                // Of nobody who is open: back to the form.
                "number" => "none".to_owned(),
                "version" => "1".to_owned(),
                unknown => panic!("say here how {{{unknown}}} of {path} is filled in"),
            };
            filled = format!("{before}{value}{after}");
        }
        filled
    }

    /// Whether an address is open to somebody: it answers, or says what is wrong with the empty form.
    fn is_open(&self, who: &str, method: &Method, path: &str) -> bool {
        let (mut cookie, mut form) = (String::new(), String::new());
        if !who.is_empty() {
            let token = self.app.open_session(&StaffId(who.into()), SignInMethod::Demo).unwrap();
            cookie = format!("Cookie: {}={}\r\n", seat::COOKIE, token.reveal());
            form = format!("token={}", accounts::form_token(token.reveal()));
        }
        let (kind, length) = ("Content-Type: application/x-www-form-urlencoded", form.len());
        let sent = if *method == Method::POST { format!("{kind}\r\nContent-Length: {length}\r\n\r\n{form}") } else { "\r\n".to_owned() };
        let answer = send(self.address, &format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{cookie}{sent}"));
        assert!(answer.status < 500, "{who} {method} {path}: {}", answer.status);
        let to_sign_in = who.is_empty() && answer.head.contains(&format!("location: {}\r\n", seat::SIGN_IN));
        !matches!(answer.status, 401 | 403 | 404) && !to_sign_in
    }
}

fn concern(app: &App, nurse: &str, site: &str, person: PersonId) -> String {
    let form = ConcernForm { words: "Quiet".into(), urgency: Some(Urgency::Soon), to: Some(StaffId(nurse.into())) };
    let desk = app.desk(nurse).unwrap();
    desk.raise_concern(person, &form, &person.to_string()).unwrap();
    let open = desk.concerns_page(site).unwrap().open;
    open.into_iter().find(|line| line.href.ends_with(&person.to_string())).unwrap().id
}

fn question(app: &App, person: PersonId) -> String {
    let before = app.record(person).unwrap();
    let id = QuestionId::new(&mut *app.world.ids());
    let mut after = before.clone();
    after.questions.push(Question {
        id,
        person,
        origin: person,
        kind: question::Kind::NewOrKnown,
        raised_at: app.world.now(),
        other: None,
        referral: None,
        answered: None,
    });
    app.store.write(move |tx| people::keep(tx, Some(&before), &after)).unwrap();
    id.to_string()
}

/// Has a site send something that cannot be read, and tells which message was set aside.
fn set_aside(app: &App, site: &str, engineer: &str) -> MessageId {
    let _ = app.receive(&app.setup.feeds[site], b"no message");
    app.flush().unwrap();
    let page = app.desk(engineer).unwrap().quarantined_page(1).unwrap();
    page.messages.first().unwrap_or_else(|| panic!("nothing was set aside at {site}")).id.parse().unwrap()
}

/// Has something about a person stopped on its way back to a site's record.
fn stop(app: &App, site: &'static str, person: PersonId) -> i64 {
    let (record, at) = (app.record(person).unwrap(), app.world.now());
    let (id, client) = (record.triggers[0].id, site.to_owned());
    let request =
        requests::Request { id, client, site: SiteId(site.into()), system: "order".into(), value: "1".into(), body: "{}".into(), person };
    let progress = Progress::of(&record.triggers[0], &record);
    let stopped = app.store.write(move |tx| {
        requests::add(tx, &request)?;
        let position = requests::tell(tx, id, 1, progress, at)?;
        sending::queue(tx, position, id, site, at)?;
        let due = sending::load(tx, position)?.unwrap();
        sending::keep(tx, &sending::Sending { state: State::Parked, parked: Some(Parked::Refused), ..due })?;
        Ok::<_, StoreError>(position)
    });
    stopped.unwrap()
}

fn reply(app: &App, person: PersonId) -> String {
    let id = ReplyId::new(&mut *app.world.ids());
    let reply = Reply { id, person, kind: ReplyKind::YesPlease, words: String::new(), at: app.world.now(), handled: None };
    app.store.write(move |tx| care::add_reply(tx, &reply)).unwrap();
    id.to_string()
}

fn release(app: &App, nurse: &str, person: PersonId, kind: Kind) {
    let referral = app.record(person).unwrap().referrals[0].id;
    let telling = Telling {
        on: date(2025, 1, 6),
        how: How::ALL[0],
        knows_diagnosis: true,
        told_of_support: true,
        consents_to_outside: true,
        answer: Answer::NoObjection,
    };
    app.desk(nurse).unwrap().act(Action::RecordNotice, person, Command::RecordNotice { referral, telling }).unwrap();
    let to = match kind {
        Kind::OfInes => ("coordinator-leila", "ines"),
        Kind::OfDele => ("coordinator-leila", "dele"),
        Kind::OfSofia => ("coordinator-leila", "sofia"),
        Kind::Elsewhere => ("coordinator-elsewhere", "supporter-elsewhere"),
        Kind::Unallocated | Kind::BeforeRelease | Kind::Shielded => return,
    };
    app.desk(to.0).unwrap().allocate(referral, to.1).unwrap();
}

/// For whom an action about a person is open, by the table of the policy.
fn expected(app: &App, who: &str, action: Action) -> BTreeSet<Kind> {
    use Kind::{BeforeRelease, OfDele, OfInes, OfSofia, Shielded, Unallocated};
    let desk = app.desk(who).unwrap();
    let viewer = desk.viewer();
    if !viewer.cleared {
        return BTreeSet::new();
    }
    let of = |kinds: &[Kind]| kinds.iter().copied().collect::<BTreeSet<_>>();
    let mut open = match reach(viewer.role, action) {
        Reach::Nobody | Reach::Service | Reach::Sites | Reach::ShieldedOnly => of(&[]),
        Reach::Clinic => of(&[OfInes, OfDele, OfSofia, Unallocated, BeforeRelease]),
        // A partner's coordinator: their own supporters' people.
        Reach::Released if viewer.partner.is_some() => of(&[OfSofia]),
        Reach::Released => of(&[OfInes, OfDele, OfSofia, Unallocated]),
        Reach::Caseload => of(&[OfInes]),
    };
    if viewer.sees_shielded && matches!(reach(viewer.role, action), Reach::Clinic | Reach::ShieldedOnly) {
        open.insert(Shielded);
    }
    open
}

fn words(open: &BTreeSet<Kind>) -> String {
    use Kind::{BeforeRelease, OfDele, OfInes, OfSofia, Shielded, Unallocated};
    let has = |kinds: &[Kind]| kinds.iter().all(|kind| open.contains(kind));
    let base = if has(&[OfInes, OfDele, OfSofia, Unallocated, BeforeRelease]) {
        "own sites"
    } else if has(&[OfInes, OfDele, OfSofia, Unallocated]) {
        "own sites, after release"
    } else if has(&[OfSofia]) {
        "own partner's"
    } else if has(&[OfInes]) {
        "own caseload"
    } else {
        ""
    };
    match (base, open.contains(&Shielded)) {
        ("", false) => "–".to_owned(),
        ("", true) => "shielded people".to_owned(),
        (base, false) => base.to_owned(),
        (base, true) => format!("{base}, and shielded people"),
    }
}

#[test]
fn every_address_is_open_to_whom_the_policy_says_and_the_matrix_says_so() {
    let mut rows: Vec<(String, &'static str, Vec<String>)> = Vec::new();
    for (column, (heading, who)) in WALKERS.iter().enumerate() {
        // A service of their own, since some addresses change what the next walker finds.
        let service = Service::open();
        for (row, route) in routes::all().iter().enumerate() {
            let about = |part: &str| route.path.contains(part);
            let open_of = |kind| service.is_open(who, &route.method, &service.fill(route.path, kind));
            let cell = if ["{person}", "{referral}", "{concern}", "{reply}", "{question}"].into_iter().any(about) {
                let open: BTreeSet<Kind> = KINDS.into_iter().filter(|kind| open_of(*kind)).collect();
                assert!(!open.contains(&Kind::Elsewhere), "{heading} reaches another site by {} {}", route.method, route.path);
                if let Needs::May(action) = route.needs {
                    let policy = if who.is_empty() { BTreeSet::new() } else { expected(&service.app, who, action) };
                    assert_eq!(open, policy, "{heading}: {} {} by {action}", route.method, route.path);
                }
                words(&open)
            } else if ["{site}", "{staff}", "{supporter}", "{feed}", "{message}", "{glass}", "{sending}"].into_iter().any(about) {
                let (own, other) = (open_of(Kind::OfInes), open_of(Kind::Elsewhere));
                assert!(!other, "{heading} reaches another site by {} {}", route.method, route.path);
                if own { "own sites".to_owned() } else { "–".to_owned() }
            } else if matches!(route.needs, Needs::Nothing | Needs::Link) {
                // Whether a link or a provider exists is another question; that it is asked without an error is seen here.
                open_of(Kind::OfInes);
                "yes".to_owned()
            } else if route.needs == Needs::Signed {
                // Nobody of them has the key; that it is asked without an error is seen here.
                open_of(Kind::OfInes);
                "–".to_owned()
            } else {
                let open = open_of(Kind::OfInes);
                if let (Needs::May(action), false) = (route.needs, who.is_empty()) {
                    let desk = service.app.desk(who).unwrap();
                    assert!(desk.may_do(action).is_ok() || !open, "{heading}: {} {} by {action}", route.method, route.path);
                }
                if open { "yes".to_owned() } else { "–".to_owned() }
            };
            if column == 0 {
                rows.push((format!("{} `{}`", route.method, route.path), route.needs.words(), Vec::new()));
            }
            rows[row].2.push(cell);
        }
    }
    let held = std::fs::read_to_string(DOCUMENT).unwrap_or_default();
    let now = document(&rows);
    if held != now {
        std::fs::write(DOCUMENT, &now).unwrap();
        panic!("docs/access.md was not what is true; it has been written anew: look at it, and commit it");
    }
}

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/access.md");

fn document(rows: &[(String, &'static str, Vec<String>)]) -> String {
    let mut text = String::from(
        "# Who may see what\n\nMade by a test (`web/walk.rs`) that asks for every address in every role, for people of every kind, and fails when \
         the answer is not what the policy (`domain/access.rs`) says. Do not edit it: run `cargo test -p alongside walk`.\n\n\
         What is not open is answered as what never existed: another site's, another's caseload, what was not released, a \
         colleague's record, and everybody's own. Access follows the contract: whoever's contract, training or check has \
         ended on this day keeps only what is about nobody.\n\n## The policy\n\nHow far each action reaches, for each role.\n\n",
    );
    text.push_str(&table());
    text.push_str("\n## The addresses\n\nWhat each address needs, and to whom it is open. Forms are sent empty: one that must name something answers as what never existed.\n\n| address | needs |");
    for (heading, _) in WALKERS {
        let _ = write!(text, " {heading} |");
    }
    text.push_str(&format!("\n|{}\n", " --- |".repeat(WALKERS.len() + 2)));
    for (address, needs, cells) in rows {
        let _ = writeln!(text, "| {address} | {needs} | {} |", cells.join(" | "));
    }
    text
}
