//! A world and a small service for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use alongside_domain::card::Hook;
use alongside_domain::command::Command;
use alongside_domain::contact::{ContactNote, Outcome as ContactOutcome, Way};
use alongside_domain::id::{Ids, PersonId};
use alongside_domain::notice::{Answer as Told, How, Telling};
use alongside_domain::person::Identifier;
use alongside_domain::sending::Answer;
use alongside_domain::session::{Ended, Method};
use alongside_domain::supporter::StaffId;
use alongside_store::Store;
use alongside_store::audit::AuditKey;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::accounts::{Credentials, SESSIONS_KEPT_DAYS};
use crate::cards::CardRequest;
use crate::fhir::Request;
use crate::importing::Sheet;
use crate::setup::Extra;
use crate::{App, Failure, Keys, Setup, World};

/// Two sites: `north`, where a partner's supporters work inside the clinic's team, and `south`.
pub const SETUP: &str = r#"
[[site]]
key = "north"
title = "North Hospital"
organisations = [{ code = "RAP" }]
[[site.partner]]
key = "within"
title = "A charity within"
basis = "inside"
[[site.partner]]
key = "without"
title = "A charity without"
basis = "outside"

[[site]]
key = "south"
title = "South Hospital"
organisations = [{ code = "RQM" }]
[[site.partner]]
key = "within"
title = "A charity within"
basis = "inside"

[[feed]]
key = "north-list"
site = "north"
profile = "clinic-list"

[[feed]]
key = "north"
site = "north"
profile = "careflow"

[[fhir_client]]
key = "record"
title = "The record"
site = "north"
local_identifier = "https://north.example/id/mrn"
jwks_file = "record.jwks.json"
scopes = ["system/*.cruds"]

[[fhir_client]]
key = "other-record"
title = "Another record"
site = "north"
local_identifier = "https://north.example/id/mrn"
jwks_file = "other.jwks.json"
scopes = ["system/*.cruds"]

[[staff]]
key = "nurse-ada"
name = "Ada, nurse"
role = "clinician"
sites = ["north"]

[[staff]]
key = "nurse-bea"
name = "Bea, nurse"
role = "clinician"
sites = ["north"]

[[staff]]
key = "dr-sen"
name = "Dr Sen"
role = "clinician"
sites = ["south"]

[[staff]]
key = "lead-joy"
name = "Joy, safeguarding"
role = "safeguarding-lead"
sites = ["north", "south"]

[[staff]]
key = "coordinator-max"
name = "Max, coordinator"
role = "coordinator"
sites = ["north", "south"]

[[supporter]]
key = "anna"
first_name = "Anna"
partner = "within"
sites = ["north", "south"]
from = 2022-01-01
training_until = 2030-12-31
dbs_until = 2030-12-31
capacity = 20

[[supporter]]
key = "ben"
first_name = "Ben"
partner = "within"
sites = ["north"]
from = 2023-01-01
until = 2023-12-31
dbs_until = 2030-12-31
capacity = 1

[[supporter]]
key = "cleo"
first_name = "Cleo"
partner = "without"
sites = ["north"]
from = 2022-01-01
training_until = 2030-12-31
dbs_until = 2030-12-31
capacity = 20
"#;

const PEOPLE: &str = "local_number,nhs_number,nhs_number_verified,family,given,birth_date,telephone\n\
    100,999 000 0018,yes,Okafor,Miriam,1980-05-02,07700 900001\n\
    200,,,=cmd,Ωmega,02/03/1975,\n\
    300,,,Young,Sam,2010-01-01,\n";

const REFERRALS: &str = "local_number,kind,referred_on,told_on,told_by,told_how,answer,deferred_until,supporter,ended_on,end_reason\n\
    100,clinic-request,2023-02-01,2023-02-02,Sister Mary Jones,in-person,no-objection,,ben,2023-06-30,completed\n\
    100,self-referral,2024-01-10,2024-01-10,nurse-ada,telephone,no-objection,,anna,,\n\
    200,known-elsewhere,2024-03-01,,,,,,,,\n\
    300,clinic-request,2024-03-04,,,,,,,,\n";

const CONTACTS: &str = "local_number;supporter;on;way;outcome;minutes;note\n\
    100;ben;2023-02-20;telephone;conversation;30;\"Spoke; at length\"\n\
    100;ben;2023-02-10;telephone;no-answer;2;\n\
    100;ben;2023-02-10;telephone;no-answer;2;\n\
    100;anna;12/01/2024;face-to-face;conversation;45;\n";

const ASSESSMENTS: &str = "local_number,assessed_on,supporter,instrument,nervous,worrying,interest,down,happiness\n\
    100,2023-03-01,ben,phq4,1,2,,0,\n\
    100,2024-01-20,anna,phq4,0,0,1,0,\n";

/// Four sheets for [`SETUP`]'s site `north`: an ended referral and one that goes on, one of somebody who was not told, one
/// of somebody under 18, with contacts and assessments.
pub const SHEETS: [(Sheet, &str); 4] =
    [(Sheet::People, PEOPLE), (Sheet::Referrals, REFERRALS), (Sheet::Contacts, CONTACTS), (Sheet::Assessments, ASSESSMENTS)];

/// Brings [`SHEETS`] into a [`service`] and takes them back, the last first.
///
/// # Errors
/// Those of either.
pub fn bring_and_take_back(app: &App) -> Result<(), Failure> {
    let mut brought = Vec::new();
    for (sheet, text) in SHEETS {
        brought.push(app.import("north", sheet, text.as_bytes())?.id);
    }
    brought.into_iter().rev().try_for_each(|id| app.undo_import(id).map(drop))
}

/// Everything that happens to somebody's account, from invitation to suspension, and back to where it began.
///
/// # Panics
/// When something of it is not as it should be.
pub fn keys_come_and_go(app: &App, staff: &StaffId) {
    let credentials = Credentials { password: "hash".into(), totp: "BASE32".into(), totp_step: 1 };
    well(app.invite(staff, "operator").and_then(|link| app.accept_invitation(link.reveal(), credentials)).map(drop));
    well(app.keep_password(staff, "another hash".into()));
    assert!(app.account(staff).is_ok_and(|account| account.is_some_and(|account| account.password.as_deref() == Some("another hash"))));
    assert_eq!(app.take_step(staff, 2), Ok(true));
    well(app.add_passkey(staff, "key", "first"));
    assert!(app.add_passkey(staff, "key", "again").is_err());
    well(app.use_passkey("key", "second"));
    let passkey = app.passkey("key").unwrap_or_else(|failure| panic!("{failure}"));
    assert!(passkey.is_some_and(|passkey| passkey.body == "second" && passkey.used_at.is_some()));
    assert!(app.passkeys_of(staff).is_ok_and(|passkeys| passkeys.len() == 1));
    well(app.remove_passkey(staff, "key"));
    assert_eq!(app.remove_passkey(staff, "key"), Err(Failure::NotFound));
    well(app.link_identity("https://issuer.example", "subject", staff));
    assert_eq!(app.identity("https://issuer.example", "subject"), Ok(Some(staff.clone())));
    assert!(app.identities_of(staff).is_ok_and(|identities| identities.len() == 1));
    well(app.unlink_identity("https://issuer.example", "subject"));
    assert_eq!(app.identity("https://issuer.example", "subject"), Ok(None));
    sessions_come_and_go(app, staff);
}

fn sessions_come_and_go(app: &App, staff: &StaffId) {
    let token = app.open_session(staff, Method::Demo).unwrap_or_else(|failure| panic!("{failure}"));
    let session = app.session(token.reveal()).unwrap_or_else(|failure| panic!("{failure}"));
    let session = session.unwrap_or_else(|| panic!("no session"));
    let later = session.seen_at + SignedDuration::from_mins(2);
    let (digest, known) = (session.digest.clone(), app.sessions_of(staff));
    assert_eq!(known, Ok(vec![session]));
    well(app.store.write(move |tx| Ok(alongside_store::accounts::touch(tx, &digest, later)?)));
    well(app.suspend(staff));
    assert_eq!(app.session(token.reveal()), Ok(None));
    well(app.reinstate(staff));
    let token = app.open_session(staff, Method::Demo).unwrap_or_else(|failure| panic!("{failure}"));
    let digest = app.session(token.reveal()).ok().flatten().map(|session| session.digest).unwrap_or_default();
    well(app.end_session(&digest, Ended::SignedOut));
    assert_eq!(app.sessions_of(staff), Ok(vec![]));
    let long_after = app.world.now() + SignedDuration::from_hours(24 * SESSIONS_KEPT_DAYS);
    well(app.store.write(move |tx| Ok(alongside_store::accounts::forget(tx, long_after).map(drop)?)));
}

/// A world that stands still until it is set, and whose ids count up.
#[derive(Debug)]
pub struct FixedWorld {
    microseconds: AtomicI64,
    last: Arc<AtomicU64>,
    secrets: AtomicU64,
}

impl FixedWorld {
    /// A world at an instant.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self { microseconds: AtomicI64::new(at.as_microsecond()), last: Arc::default(), secrets: AtomicU64::new(0) }
    }

    /// A world at an instant, to be shared.
    #[must_use]
    pub fn at(at: Timestamp) -> Arc<Self> {
        Arc::new(Self::new(at))
    }

    /// Sets the time.
    pub fn set(&self, at: Timestamp) {
        self.microseconds.store(at.as_microsecond(), Ordering::SeqCst);
    }
}

impl World for FixedWorld {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.microseconds.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn ids(&self) -> Box<dyn Ids + Send> {
        Box::new(Shared(Arc::clone(&self.last)))
    }

    fn secret(&self) -> [u8; 32] {
        Sha256::digest(self.secrets.fetch_add(1, Ordering::SeqCst).to_be_bytes()).into()
    }
}

/// Ids of one world: every source counts on where the others are.
struct Shared(Arc<AtomicU64>);

impl Ids for Shared {
    fn next(&mut self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::SeqCst)) + 1
    }
}

/// The keys of every test, which protect nothing.
#[must_use]
pub fn keys() -> Keys {
    Keys { audit: AuditKey::new([42; 32]) }
}

/// A FHIR request for support by [`SETUP`]'s system `record`: its number, and the person whom it contains.
#[must_use]
pub fn service_request(number: &str, mrn: &str, family: &str, born: &str) -> Value {
    json!({
        "resourceType": "ServiceRequest",
        "contained": [{
            "resourceType": "Patient",
            "id": "person",
            "identifier": [{ "system": "https://north.example/id/mrn", "value": mrn }],
            "name": [{ "family": family, "given": ["Miriam"] }],
            "birthDate": born,
        }],
        "identifier": [{ "system": "https://north.example/id/order", "value": number }],
        "status": "active",
        "intent": "order",
        "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "711281004" }] },
        "subject": { "reference": "#person" },
        "authoredOn": "2024-04-02T09:00:00+01:00",
        "requester": { "identifier": { "system": "https://north.example/id/staff", "value": "42" }, "display": "Ada, nurse" },
    })
}

/// A system's whole use of the hatch, as [`SETUP`] has it, over the store and in the world of a service: asking, following,
/// withdrawing.
///
/// # Panics
/// When something of it is not as it should be.
pub fn a_record_asks_and_withdraws(service: &App) {
    let setup = Setup::read(SETUP, &Extra::default()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let app = App::new(service.store.clone(), Arc::new(setup), Arc::clone(&service.world), service.keys.clone());
    let hatch = app.hatch("record", "system/*.cruds", "https://here.example/fhir/r4").unwrap_or_else(|failure| panic!("{failure}"));
    let answer = |request: Request, status: u16| {
        let reply = hatch.answer(request);
        assert_eq!(reply.status, status, "{}", reply.body);
        reply
    };
    let body = service_request("every-statement", "every-statement", "Statement", "1980-01-01").to_string();
    let made = answer(Request::Create { kind: "ServiceRequest".into(), body, if_none_exist: None }, 201).body;
    let id = made["id"].as_str().unwrap_or_default().to_owned();
    let patient = made["subject"]["reference"].as_str().unwrap_or_default().to_owned();
    let person = patient.trim_start_matches("Patient/").to_owned();
    answer(Request::Read { kind: "Patient".into(), id: person }, 200);
    let pairs = vec![("patient".to_owned(), patient)];
    let list = answer(Request::Search { kind: "Task".into(), pairs }, 200).body;
    let mut task = list["entry"][0]["resource"].clone();
    task["status"] = "cancelled".into();
    let update = Request::Update { kind: "Task".into(), id: id.clone(), body: task.to_string(), if_match: Some("W/\"1\"".into()) };
    assert_eq!(answer(update, 200).version, Some(2));
    assert_eq!(answer(Request::History { kind: "ServiceRequest".into(), id }, 200).body["total"], 2);
}

/// What a person answered to the loneliness questions, as a hospital's portal sends it.
#[must_use]
pub fn own_answers(base: &str, request: &str, person: &str, number: &str, on: jiff::civil::Date) -> Value {
    let system = format!("{base}/Questionnaire/ucla3/answers");
    let item = |link: &str, code: &str| json!({ "linkId": link, "answer": [{ "valueCoding": { "system": system, "code": code } }] });
    json!({
        "resourceType": "QuestionnaireResponse",
        "identifier": { "system": "https://north.example/id/portal", "value": number },
        "basedOn": [{ "reference": format!("ServiceRequest/{request}") }],
        "questionnaire": format!("{base}/Questionnaire/ucla3|1"),
        "status": "completed",
        "subject": { "reference": format!("Patient/{person}") },
        "source": { "reference": format!("Patient/{person}") },
        "authored": on.to_string(),
        "item": [
            item("companionship", "3"),
            item("left-out", "2"),
            { "linkId": "isolated", "text": "How often?", "answer": [{ "valueCoding": { "code": "3" } }] },
            { "linkId": "score.loneliness", "answer": [{ "valueDecimal": 8.0 }] },
            { "linkId": "lonely" },
        ],
    })
}

/// What must be well in a test.
fn well<T>(done: Result<T, Failure>) -> T {
    done.unwrap_or_else(|failure| panic!("{failure}"))
}

/// A record asks for somebody, has a card about them while they wait to be told, and brings their own answers.
///
/// # Panics
/// When something of it is not as it should be.
pub fn a_record_has_cards_and_brings_answers(service: &App) {
    const BASE: &str = "https://here.example/fhir/r4";
    let setup = Setup::read(SETUP, &Extra::default()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let app = App::new(service.store.clone(), Arc::new(setup), Arc::clone(&service.world), service.keys.clone());
    let hatch = well(app.hatch("record", "system/*.cruds", BASE));
    let answer = |request: Request, status: u16| {
        let reply = hatch.answer(request);
        assert_eq!(reply.status, status, "{}", reply.body);
        reply.body
    };
    let create = |kind: &str, body: &Value| Request::Create { kind: kind.into(), body: body.to_string(), if_none_exist: None };
    let order = service_request("every-answer", "every-answer", "Statement", "1980-01-01");
    let made = answer(create("ServiceRequest", &order), 201);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (request, patient) = (text(&made["id"]), text(&made["subject"]["reference"]));
    let person = patient.trim_start_matches("Patient/");

    well(app.connect("record", "Practitioner/statement", &StaffId("nurse-ada".into())));
    let asked = CardRequest {
        hook: Hook::PatientView,
        user: "Practitioner/statement".into(),
        patient_id: "p1".into(),
        patient: order["contained"][0].clone(),
        draft_orders: Value::Null,
    };
    let shown = well(app.cards("record", asked.clone(), || true));
    assert_eq!(shown.len(), 1, "{shown:?}");
    let feedback = json!({ "feedback": [{ "card": shown[0]["uuid"], "outcome": "overridden" }] });
    well(app.take_feedback("record", &feedback));
    assert!(well(app.cards("record", asked, || true)).is_empty());

    let id: PersonId = format!("per_{person}").parse().unwrap_or_else(|_| panic!("{person}"));
    let referral = well(app.record(id)).referrals[0].id;
    let (on, how, answered) = (app.today(), How::InPerson, Told::NoObjection);
    let telling = Telling { on, how, knows_diagnosis: true, told_of_support: true, consents_to_outside: false, answer: answered };
    well(app.command(id, Command::RecordNotice { referral, telling }, well(app.actor("nurse-ada"))));
    well(app.allocate(referral, "anna", well(app.actor("coordinator-max"))));
    let note = ContactNote {
        supporter: StaffId("anna".into()),
        on,
        way: Way::Telephone,
        outcome: ContactOutcome::Conversation,
        minutes: 30,
        note: String::new(),
    };
    well(app.record_contact(referral, note));
    let brought = own_answers(BASE, &request, person, "every-answer", on);
    let kept = answer(create("QuestionnaireResponse", &brought), 201);
    answer(create("QuestionnaireResponse", &brought), 409);
    answer(Request::Read { kind: "QuestionnaireResponse".into(), id: text(&kept["id"]) }, 200);
    let pairs = vec![("patient".to_owned(), patient.clone())];
    assert_eq!(answer(Request::Search { kind: "QuestionnaireResponse".into(), pairs }, 200)["entry"].as_array().map(Vec::len), Some(1));
}

/// A record orders, and is told how that goes on: accepted, refused, sent again.
///
/// # Panics
/// When something of it is not as it should be.
pub fn a_record_is_told(service: &App) {
    let engineer = "[[staff]]\nkey = \"engineer-told\"\nname = \"E\"\nrole = \"integration-engineer\"\nsites = [\"north\"]\n";
    let sends = SETUP.replace("profile = \"careflow\"", "profile = \"careflow\"\nsend = \"127.0.0.1:1\"");
    let setup = Setup::read(&format!("{sends}{engineer}"), &Extra::default()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let app = App::new(service.store.clone(), Arc::new(setup), Arc::clone(&service.world), service.keys.clone());
    let feed = app.setup.feeds["north"].clone();
    let order = "MSH|^~\\&|CAREFLOW|RAP|TIE|RAP|20240402090000||REF^I12|told|P|2.4\rRF1||||||told||||WELLSUP\r\
                 PID|1||told^^^RAP^MR||TOLD^MIRIAM||19800502|2\r";
    assert_eq!(app.receive(&feed, order.as_bytes()).fate, crate::intake::Fate::Applied);
    let well = |failure: Failure| -> ! { panic!("{failure}") };
    let next = || app.next_to_send(&feed).unwrap_or_else(|failure| well(failure)).unwrap_or_else(|| panic!("nothing is due"));
    app.note_sent(next().position, Answer::Refused, Some("1")).unwrap_or_else(|failure| well(failure));
    let desk = app.desk("engineer-told").unwrap_or_else(|failure| well(failure));
    let stopped = desk.sent_back_page().unwrap_or_else(|failure| well(failure)).lines.remove(0);
    assert!(desk.feeds_page().is_ok_and(|page| page.feeds.iter().any(|feed| feed.any_stopped)));
    desk.settle_sending(stopped.id, true).unwrap_or_else(|failure| well(failure));
    app.note_sent(next().position, Answer::Accepted, Some("2")).unwrap_or_else(|failure| well(failure));
    let people = app.store.read(|tx| {
        let told = Identifier { system: "north:MRN".into(), value: "told".into() };
        Ok::<_, Failure>(alongside_store::people::find(tx, &feed.site, &[told], None)?)
    });
    let person = people.unwrap_or_else(|failure| well(failure))[0];
    let page = app.desk("nurse-ada").and_then(|desk| desk.person_page(person)).unwrap_or_else(|failure| well(failure));
    assert!(page.sent[0].standing.ends_with("accepted, number 2."), "{}", page.sent[0].standing);
}

/// A service of [`SETUP`] on a store, at Tuesday 2 April 2024, 09:30 in London.
///
/// # Panics
/// When [`SETUP`] is not a configuration.
#[must_use]
pub fn service(store: Store) -> (App, Arc<FixedWorld>) {
    service_with(store, "")
}

/// The same with more in its configuration.
///
/// # Panics
/// When that is not valid.
#[must_use]
pub fn service_with(store: Store, more: &str) -> (App, Arc<FixedWorld>) {
    service_of(store, &format!("{SETUP}{more}"))
}

/// The same of another configuration.
///
/// # Panics
/// When that is not valid.
#[must_use]
pub fn service_of(store: Store, setup: &str) -> (App, Arc<FixedWorld>) {
    let setup = Setup::read(setup, &Extra::default()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let world = Arc::new(FixedWorld::new(Timestamp::constant(1_712_046_600, 0)));
    (App::new(store, Arc::new(setup), Arc::clone(&world) as Arc<dyn World>, keys()), world)
}

/// The application over a store, with the demo's sites, feeds and staff.
///
/// # Panics
/// When the demo's configuration is not valid.
#[must_use]
pub fn app(store: Store, world: Arc<FixedWorld>) -> App {
    let setup = Setup::read(crate::simulate::DEMO_CONFIGURATION, &Extra::default()).unwrap_or_else(|problems| panic!("{problems:?}"));
    App::new(store, Arc::new(setup), world, keys())
}
