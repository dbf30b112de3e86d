//! How long a clinician waits for a card: questions of a hospital's record (CDS Hooks, `patient-view`) at 500 a second, by the
//! clock and not one after another; beside `/health` at the same rate in the same run. Each question brings a token of its own,
//! signed with ES384, and a Patient of 2 kB.

use std::time::{Duration, Instant};

use alongside_domain::supporter::StaffId;
use alongside_store::Engine;
use jsonwebtoken::{Algorithm, Header};
use serde_json::json;

use crate::running::{self, Connection, Filled, Server};
use crate::service::{self, RECORD_ISSUER, RECORD_NUMBERS, SITES, nurse};

/// Questions a second.
const RATE: u32 = 500;
const SECONDS: u32 = 10;
/// Connections that the record holds open.
const CONNECTIONS: u32 = 16;
const USER: &str = "Practitioner/1";

/// Measures, and prints a table of its own.
pub(crate) fn measure(engine: Engine, filled: &Filled, server: &Server) {
    println!("\n| engine | question | per second | median ms | p99 ms | p99.9 ms |");
    println!("| --- | --- | --- | --- | --- | --- |");
    filled.app.connect("record", USER, &StaffId(nurse(SITES[0].0, 0))).expect("the record's user is known");
    let people = service::opened(filled.made, 10_000);
    let (due, quiet): (Vec<_>, Vec<_>) = people.into_iter().partition(|(_, _, is_due)| *is_due);
    let unknown = |number: usize| (format!("9{number:06}"), quiet[0].1);
    let of = |list: &[(String, jiff::civil::Date, bool)], number: usize| {
        let (local, born, _) = &list[number % list.len()];
        (local.clone(), *born)
    };
    row(engine, "`/health`: the floor", server, |_| b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_vec());
    row(engine, "about nobody who is known", server, |number| question(filled, number, unknown(number)));
    row(engine, "about somebody of whom nothing is due", server, |number| question(filled, number, of(&quiet, number)));
    row(engine, "about somebody of whom something is due: shown, and audited", server, |number| question(filled, number, of(&due, number)));
    row(engine, "as a hospital asks: 1 of 100 known, 1 of 1,000 due", server, |number| {
        let whom = match number % 1_000 {
            0 => of(&due, number),
            rest if rest % 100 == 0 => of(&quiet, number),
            _ => unknown(number),
        };
        question(filled, number, whom)
    });
}

fn question(filled: &Filled, number: usize, (local, born): (String, jiff::civil::Date)) -> Vec<u8> {
    let path = "/cds-services/patient-view";
    let now = running::now().as_second();
    let claims = json!({
        "iss": RECORD_ISSUER,
        "aud": format!("{}{path}", filled.app.setup.origin()),
        "exp": now + 250,
        "jti": format!("{number}-{:?}", Instant::now()),
    });
    let header = Header { kid: Some("record".into()), ..Header::new(Algorithm::ES384) };
    let token = jsonwebtoken::encode(&header, &claims, &filled.record).expect("a token");
    let contacts = vec![json!({ "relationship": [{ "text": "next of kin" }], "name": { "text": "x".repeat(60) } }); 20];
    let body = json!({
        "hook": "patient-view",
        "hookInstance": "6a2ba7a3-8a54-4d26-8f34-6e3f9d1f0c11",
        "fhirServer": "https://chelwest.example/r4",
        "context": { "userId": USER, "patientId": "p1" },
        "prefetch": { "patient": {
            "resourceType": "Patient",
            "id": "p1",
            "identifier": [{ "system": RECORD_NUMBERS, "value": local }],
            "name": [{ "use": "official", "family": "Okafor", "given": ["Miriam"] }],
            "birthDate": born.to_string(),
            "contact": contacts,
        } },
    })
    .to_string();
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sends at the rate, whether or not there are answers yet; the time counts from when each was to be sent.
fn row(engine: Engine, words: &str, server: &Server, mut request: impl FnMut(usize) -> Vec<u8>) {
    let all: Vec<Vec<u8>> = (0..(RATE * SECONDS) as usize).map(&mut request).collect();
    let begun = Instant::now() + Duration::from_millis(100);
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let lanes = (0..CONNECTIONS).map(|lane| {
            let mine = all.iter().enumerate().skip(lane as usize).step_by(CONNECTIONS as usize);
            scope.spawn(move || {
                let mut connection = Connection::open(server.port);
                mine.map(|(number, request)| {
                    let due = begun + Duration::from_secs_f64(number as f64 / f64::from(RATE));
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    connection.send(request, words);
                    due.elapsed()
                })
                .collect::<Vec<_>>()
            })
        });
        lanes.collect::<Vec<_>>().into_iter().flat_map(|lane| lane.join().expect("a connection")).collect()
    });
    let rate = times.len() as f64 / begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |part: usize| times[times.len() * part / 1_000].as_secs_f64() * 1_000.0;
    println!("| {engine} | {words} | {rate:.0} | {:.1} | {:.1} | {:.1} |", at(500), at(990), at(999));
}
