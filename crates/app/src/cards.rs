//! Cards beside the record (CDS Hooks 2.0): what a hospital's record shows a clinician who opens a person there, when something is
//! due. Whoever asks has proved that it is the record; who would read the card, and about whom, is proved here.
//!
//! Nothing is due for almost everybody whom a hospital opens, and nobody of them is known here: that is answered by one reading.
//! What is shown was disclosed, and stands in the audit.

use alongside_domain::access::Action;
use alongside_domain::card::{ASK_AGAIN_DAYS, Card, Hook, PutAway, Seen as Looked, due};
use alongside_domain::concern::State;
use alongside_domain::decision::Actor;
use alongside_domain::id::PersonId;
use alongside_domain::person::Identifier;
use alongside_domain::sending::Ordered;
use alongside_domain::supporter::{Role, StaffId};
use alongside_store::{Tx, accounts, audit, cards, care, people, standing};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::desk::{Desk, NewPerson, numbers};
use crate::setup::FhirClient;
use crate::{App, Failure};

/// Where cards are asked for, below the origin.
pub const CARDS_PATH: &str = "/cds-services";
/// The most days for which a card stays away.
const AWAY_DAYS_MAX: i64 = ASK_AGAIN_DAYS as i64;
/// Days for which it is kept that a card was put away: longer than any stays away.
pub const CARDS_KEPT_DAYS: i64 = AWAY_DAYS_MAX + 35;
/// The most lines of one feedback.
const FEEDBACK_MAX: usize = 100;

/// What a record asks with.
#[derive(Debug, Clone, PartialEq)]
pub struct CardRequest {
    /// The moment.
    pub hook: Hook,
    /// The record's own name of whoever would read the card, such as `Practitioner/123`.
    pub user: String,
    /// The record's own id of the person.
    pub patient_id: String,
    /// The Patient, as it came with the question.
    pub patient: Value,
    /// The orders that are about to be signed.
    pub draft_orders: Value,
}

/// A card, with what is needed to write it down.
struct Shown {
    card: Card,
    person: PersonId,
    number: String,
}

/// Which services there are (CDS Hooks 2.0, "Discovery").
#[must_use]
pub fn discovery(name: &str) -> Value {
    let service = |hook: &Hook| {
        json!({
            "hook": hook.code(),
            "id": hook.code(),
            "title": name,
            "description": "Says to whoever looks after a person that something is due for them.",
            "usageRequirements": "The hospital’s own number must be among the identifiers of the Patient.",
            "prefetch": { "patient": "Patient/{{context.patientId}}" },
        })
    };
    json!({ "services": Hook::ALL.iter().map(service).collect::<Vec<_>>() })
}

impl App {
    /// The cards for a question of a hospital's record: none, or one. `is_awaited` says whether whoever asked still waits: a card
    /// that comes too late is not shown, and so does not stand in the audit.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for a system that is not configured; the store's. None of them is told to a clinician.
    pub fn cards(&self, client: &str, asked: CardRequest, is_awaited: impl Fn() -> bool + Send + 'static) -> Result<Vec<Value>, Failure> {
        let client = self.setup.fhir_clients.get(client).ok_or(Failure::NotFound)?;
        let Some((desk, _)) = self.store.read(|tx| self.found(tx, client, &asked))? else { return Ok(Vec::new()) };
        // Found again where it is written down: what was done since, or by somebody else, counts.
        let (app, key) = (self.clone(), client.system.key.clone());
        let shown = desk.disclose(Action::SeePerson, None, move |tx, seen| {
            let client = app.setup.fhir_clients.get(&key).ok_or(Failure::NotFound)?;
            let (_, shown) = app.found(tx, client, &asked)?.filter(|_| is_awaited()).ok_or(Failure::NotFound)?;
            seen.person(shown.person);
            seen.detail(format!("card-{}", shown.card));
            Ok(app.card_of(client, &asked, &shown))
        });
        match shown {
            Ok(card) => Ok(vec![card]),
            Err(Failure::NotFound) => Ok(Vec::new()),
            Err(failure) => Err(failure),
        }
    }

    /// Takes what was done with cards. A card that was put away stays away for its season.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with the place of what is wrong; the store's.
    pub fn take_feedback(&self, client: &str, feedback: &Value) -> Result<(), Failure> {
        let lines = feedback["feedback"].as_array().filter(|lines| !lines.is_empty() && lines.len() <= FEEDBACK_MAX);
        let lines = lines.ok_or_else(|| Failure::invalid("feedback", "must be 1 to 100 lines"))?;
        let mut kept = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let place = |name: &str| format!("feedback[{index}].{name}");
            let card = line["card"].as_str().filter(|text| is_uuid(text));
            let card = card.ok_or_else(|| Failure::invalid(place("card"), "must be a UUID"))?;
            let outcome = line["outcome"].as_str().filter(|outcome| matches!(*outcome, "accepted" | "overridden"));
            let outcome = outcome.ok_or_else(|| Failure::invalid(place("outcome"), "must be accepted or overridden"))?;
            // Of the reasons the codes are kept that are ours: what somebody wrote beside them may name somebody.
            let reason = line["overrideReason"]["reason"]["code"].as_str().and_then(PutAway::from_code).map(PutAway::code);
            kept.push((card.to_owned(), outcome.to_owned(), reason));
            // What the person does not want, nobody is to suggest to them.
            if reason == Some(PutAway::NotWanted.code()) {
                kept.push((matter_of(card).to_owned(), outcome.to_owned(), reason));
            }
        }
        let (client, now) = (client.to_owned(), self.world.now());
        Ok(self
            .store
            .write(move |tx| kept.iter().try_for_each(|(card, outcome, reason)| cards::add(tx, card, &client, outcome, *reason, now)))?)
    }

    /// The card that is due, and the desk of whoever reads it.
    fn found(&self, tx: &mut Tx<'_>, client: &FhirClient, asked: &CardRequest) -> Result<Option<(Desk, Shown)>, Failure> {
        let Some(open) = NewPerson::of_patient(&asked.patient, &client.local_identifier) else { return Ok(None) };
        for number in numbers(&client.system.site, &open.number) {
            if let Some(found) = self.found_by(tx, client, asked, &open, number)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The same for one number; nothing for whoever is not known, not entitled, or has put it away. What is dearest to find out
    /// is asked last.
    fn found_by(
        &self,
        tx: &mut Tx<'_>,
        client: &FhirClient,
        asked: &CardRequest,
        open: &NewPerson,
        number: Identifier,
    ) -> Result<Option<(Desk, Shown)>, Failure> {
        let Some(person) = people::find(tx, &client.system.site, std::slice::from_ref(&number), None)?.first().copied() else {
            return Ok(None);
        };
        let Some((staff, role)) = self.reader(tx, client, &asked.user)? else { return Ok(None) };
        let Some(record) = people::load(tx, person)? else { return Ok(None) };
        let opened = Ordered { identifier: number, birth_date: open.birth_date, nhs_number: open.nhs_number.parse().ok() };
        if !opened.agrees_with(&record.person) {
            return Ok(None);
        }
        let concerns = care::concerns_of(tx, person)?;
        let seen = Looked {
            record: &record,
            role,
            concern_open: concerns.iter().any(|concern| concern.to == staff && concern.state == State::Open),
            orders_support: orders_support(&asked.draft_orders, client),
            today: self.today(),
        };
        for card in due(asked.hook, seen) {
            let number = self.card_number(&client.system.key, person, card, &staff);
            let since = self.world.now() - SignedDuration::from_hours(24 * AWAY_DAYS_MAX);
            if cards::is_away(tx, &number, matter_of(&number), since)? {
                continue;
            }
            let desk = self.desk_of(self.viewer(tx, &staff.0)?);
            let theirs = desk.is_theirs(Action::SeePerson, &record, standing::is_shielded(tx, person)?);
            return Ok(theirs.then_some((desk, Shown { card, person, number })));
        }
        Ok(None)
    }

    /// Who would read the card: whoever the record's name of them was linked to, by an operator or when they opened this
    /// program from it. Another record of the site may have given the same name to somebody else.
    fn reader(&self, tx: &mut Tx<'_>, client: &FhirClient, user: &str) -> Result<Option<(StaffId, Role)>, Failure> {
        for issuer in [client.system.key.as_str()].into_iter().chain(client.smart_iss.as_deref()) {
            let Some(staff) = accounts::identity(tx, issuer, user)? else { continue };
            let is_open = accounts::load(tx, &staff)?.is_none_or(|account| account.suspended_at.is_none());
            return Ok(match self.setup.staff_actor(&staff.0) {
                Some(Actor::Staff { id, role }) if is_open => Some((id, role)),
                _ => None,
            });
        }
        Ok(None)
    }

    /// The number of a card: the same for the same person, matter and reader as long as putting it away is to last, and nobody
    /// else can tell whose it is. It begins with what is the same for every reader.
    fn card_number(&self, client: &str, person: PersonId, card: Card, reader: &StaffId) -> String {
        let matter = format!("{client} {person} {card} {}", card.season(self.today()));
        let digest = |name: &str, what: &str| audit::keyed_digest(&self.keys.audit, name, what.as_bytes());
        uuid_of(&digest("card", &matter), &digest("card-reader", &format!("{matter} {reader}")))
    }

    /// The card as it is written (CDS Hooks 2.0, "Card Attributes").
    fn card_of(&self, client: &FhirClient, asked: &CardRequest, shown: &Shown) -> Value {
        let (name, origin) = (self.service_name(), self.setup.origin());
        let reasons =
            PutAway::ALL.iter().map(|why| json!({ "code": why.code(), "system": format!("{origin}{CARDS_PATH}"), "display": why.words() }));
        let mut card = json!({
            "uuid": shown.number,
            "summary": shown.card.words(),
            "indicator": if shown.card == Card::Asked { "warning" } else { "info" },
            "source": { "label": name, "url": origin },
            "overrideReasons": reasons.collect::<Vec<_>>(),
            "links": [self.link(client, &name, shown.person)],
        });
        if shown.card == Card::Offer {
            card["suggestions"] = json!([suggestion(client, &asked.patient_id, &shown.number)]);
            card["selectionBehavior"] = json!("any");
        }
        card
    }

    /// Where the card leads: into the record's own launch, or to the page.
    fn link(&self, client: &FhirClient, name: &str, person: PersonId) -> Value {
        let origin = self.setup.origin();
        if client.smart_iss.is_some() {
            json!({ "label": format!("Open {name}"), "type": "smart", "url": format!("{origin}/launch") })
        } else {
            json!({ "label": format!("Open {name}"), "type": "absolute", "url": format!("{origin}/people/{person}") })
        }
    }
}

/// A UUID of the first digits of two digests (RFC 9562, version 8).
fn uuid_of(matter: &str, reader: &str) -> String {
    let part = |digest: &'_ str, from: usize, to: usize| digest.get(from..to).unwrap_or_default().to_owned();
    let first = format!("{}-{}-8{}", part(matter, 0, 8), part(matter, 8, 12), part(matter, 12, 15));
    format!("{first}-8{}-{}", part(reader, 0, 3), part(reader, 3, 15))
}

/// What is the same for every reader, of the number of a card.
fn matter_of(number: &str) -> &str {
    number.get(..18).unwrap_or_default()
}

fn is_uuid(text: &str) -> bool {
    let sound = |(at, byte): (usize, u8)| if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() };
    text.len() == 36 && text.bytes().enumerate().all(sound)
}

/// Whether one of the orders that are about to be signed asks for support.
fn orders_support(orders: &Value, client: &FhirClient) -> bool {
    let resources = orders["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"]);
    resources
        .filter(|resource| resource["resourceType"] == "ServiceRequest")
        .any(|request| crate::fhir::has_code(&request["code"], &client.codes))
}

/// The order that the record makes when somebody chooses the suggestion; it comes here as every order of the record.
fn suggestion(client: &FhirClient, patient: &str, number: &str) -> Value {
    let codes = client.codes.iter().map(|(system, code)| json!({ "system": system, "code": code }));
    json!({
        "label": "Refer",
        "uuid": number,
        "actions": [{
            "type": "create",
            "description": "Make the referral",
            "resource": {
                "resourceType": "ServiceRequest",
                "status": "draft",
                "intent": "order",
                "code": { "coding": codes.take(1).collect::<Vec<_>>() },
                "subject": { "reference": format!("Patient/{patient}") },
            },
        }],
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use alongside_domain::notice::{Answer, How};
    use alongside_domain::person::SiteId;
    use alongside_domain::referral::EndReason;
    use alongside_domain::trigger::Kind;
    use alongside_store::testing::both_engines;
    use jiff::ToSpan;

    use super::*;
    use crate::World;
    use crate::desk::Whom;
    use crate::setup::{Extra, Setup};
    use crate::testing::{FixedWorld, SETUP, service};

    const USER: &str = "Practitioner/ada";

    fn asked(hook: Hook, number: &str) -> CardRequest {
        let patient = json!({
            "resourceType": "Patient",
            "id": "p1",
            "identifier": [{ "system": "https://north.example/id/mrn", "value": number }],
            "birthDate": "1980-05-02",
        });
        CardRequest { hook, user: USER.into(), patient_id: "p1".into(), patient, draft_orders: Value::Null }
    }

    fn orders(code: &str) -> Value {
        let code = json!({ "coding": [{ "system": "http://snomed.info/sct", "code": code }] });
        json!({ "entry": [{ "resource": { "resourceType": "ServiceRequest", "code": code } }] })
    }

    /// Somebody who was referred a moment ago, and a nurse whom the record knows.
    fn referred(app: &App) -> PersonId {
        let ada = app.desk("nurse-ada").unwrap();
        app.connect("record", USER, &StaffId("nurse-ada".into())).unwrap();
        let born = "1980-05-02".parse().ok();
        let new = NewPerson { number: "123".into(), family: "Okafor".into(), birth_date: born, ..NewPerson::default() };
        ada.refer_new("north", &new, Kind::ClinicRequest, "").unwrap();
        let Whom::Here(person) = ada.whom(&SiteId("north".into()), &new).unwrap() else { panic!("she is here") };
        person
    }

    fn summaries(app: &App, asked: &CardRequest) -> Vec<String> {
        app.cards("record", asked.clone(), || true).unwrap().iter().map(|card| card["summary"].as_str().unwrap().to_owned()).collect()
    }

    fn lines(app: &App) -> usize {
        let page = alongside_store::page_reads::Slice { most: 50, skip: 0 };
        let all = app.store.read(|tx| audit::of_staff(tx, &StaffId("nurse-ada".into()), page)).unwrap();
        all.iter().filter(|line| line.detail.as_deref().is_some_and(|detail| detail.starts_with("card-"))).count()
    }

    #[test]
    fn what_is_due_is_told_to_whoever_may_know_and_nothing_to_anybody_else() {
        both_engines(|store| {
            let (app, _) = service(store);
            let view = asked(Hook::PatientView, "123");
            assert!(summaries(&app, &view).is_empty(), "nobody is known");
            let person = referred(&app);
            for hook in [Hook::PatientView, Hook::EncounterStart, Hook::AppointmentBook] {
                assert_eq!(summaries(&app, &asked(hook, "123")), [Card::Notice.words()], "{hook}");
            }
            assert_eq!(lines(&app), 3, "what is shown stands in the audit");
            let mut others = vec![asked(Hook::PatientView, "124"), view.clone(), view.clone(), view.clone()];
            others[1].user = "Practitioner/eve".into();
            others[2].patient["birthDate"] = json!("1980-05-03");
            others[3].patient["identifier"][0]["system"] = json!("https://elsewhere.example/mrn");
            for other in &others {
                assert!(summaries(&app, other).is_empty(), "{other:?}");
            }
            app.connect("other-record", "Practitioner/sen", &StaffId("dr-sen".into())).unwrap();
            let sen = CardRequest { user: "Practitioner/sen".into(), ..view.clone() };
            assert!(app.cards("other-record", sen, || true).unwrap().is_empty(), "another clinic's");
            assert_eq!(app.cards("nobody", view.clone(), || true), Err(Failure::NotFound));
            assert!(app.cards("record", view.clone(), || false).unwrap().is_empty(), "nobody waits for it any more");
            app.suspend(&StaffId("nurse-ada".into())).unwrap();
            assert!(summaries(&app, &view).is_empty());
            app.reinstate(&StaffId("nurse-ada".into())).unwrap();
            let at = app.world.now();
            app.store.write(move |tx| standing::shield(tx, person, at)).unwrap();
            assert!(summaries(&app, &view).is_empty(), "a colleague's record is closed");
            assert_eq!(lines(&app), 3);
        });
    }

    #[test]
    fn whose_a_name_is_that_a_record_gives_is_told_by_that_record_alone() {
        const RECORD: &str = "https://record.example/r4";
        let provider = format!(
            "[[identity_provider]]\nkey = \"smart\"\ntitle = \"S\"\nissuer = \"https://login.example\"\nclient_id = \"a\"\n\
             client_secret_file = \"s\"\n[identity_provider.launch]\niss = \"{RECORD}\"\nsite = \"north\"\n\
             local_identifier = \"https://north.example/id/mrn\"\n"
        );
        both_engines(|store| {
            let (app, _) = service(store);
            referred(&app);
            app.connect(RECORD, "Practitioner/bea", &StaffId("nurse-bea".into())).unwrap();
            let bea = CardRequest { user: "Practitioner/bea".into(), ..asked(Hook::PatientView, "123") };
            let with = |own: &str| {
                let text = SETUP.replace("key = \"record\"\n", &format!("key = \"record\"\n{own}"));
                let setup = Setup::read(&format!("{text}\n{provider}"), &Extra::default()).unwrap();
                App::new(app.store.clone(), Arc::new(setup), Arc::clone(&app.world), app.keys.clone())
            };
            assert_eq!(summaries(&with(""), &bea).len(), 0, "a name of another record of the site");
            let told = with(&format!("smart_iss = \"{RECORD}\"\n"));
            let cards = told.cards("record", bea.clone(), || true).unwrap();
            assert_eq!((cards.len(), &cards[0]["links"][0]["type"]), (1, &json!("smart")));
            told.connect("record", "Practitioner/bea", &StaffId("dr-sen".into())).unwrap();
            assert_eq!(summaries(&told, &bea).len(), 0, "its own link comes first");
        });
    }

    #[test]
    fn a_card_goes_when_it_is_done_and_whoever_orders_again_is_told() {
        both_engines(|store| {
            let (app, world) = service(store);
            let person = referred(&app);
            let ada = app.desk("nurse-ada").unwrap();
            ada.record_notice(person, app.today(), How::InPerson, Answer::NoObjection, false, "").unwrap();
            assert!(summaries(&app, &asked(Hook::PatientView, "123")).is_empty());
            let sign = |code| CardRequest { draft_orders: orders(code), ..asked(Hook::OrderSign, "123") };
            assert_eq!(summaries(&app, &sign("711281004")), [Card::Asked.words()]);
            assert!(summaries(&app, &sign("1")).is_empty());
            ada.end_referral(person, EndReason::ChoseToStop, app.today(), "").unwrap();
            a_year_later(&app, &world, person);
        });
    }

    fn a_year_later(app: &App, world: &FixedWorld, person: PersonId) {
        let view = asked(Hook::PatientView, "123");
        assert!(summaries(app, &view).is_empty(), "not in the same year");
        world.set((world.now().to_zoned(jiff::tz::TimeZone::UTC) + 366.days()).timestamp());
        let shown = app.cards("record", view.clone(), || true).unwrap();
        let [card] = shown.as_slice() else { panic!("{shown:?}") };
        assert_eq!(card["summary"], Card::Offer.words());
        let order = &card["suggestions"][0]["actions"][0]["resource"];
        assert_eq!((&order["subject"]["reference"], &order["code"]["coding"][0]["code"]), (&json!("Patient/p1"), &json!("711281004")));
        assert_eq!(card["links"][0]["type"], "absolute");
        assert!(card["links"][0]["url"].as_str().unwrap().ends_with(&format!("/people/{person}")));
        assert!(is_uuid(card["uuid"].as_str().unwrap()));

        app.connect("record", "Practitioner/bea", &StaffId("nurse-bea".into())).unwrap();
        let beas = CardRequest { user: "Practitioner/bea".into(), ..view.clone() };
        let said = |code: &str| {
            json!({ "feedback": [{ "card": card["uuid"], "outcome": "overridden",
            "overrideReason": { "reason": { "code": code }, "userComment": "Okafor said no" } }] })
        };
        app.take_feedback("record", &said("not-mine")).unwrap();
        assert_eq!((summaries(app, &view).len(), summaries(app, &beas).len()), (0, 1), "put away by one, not for another");
        app.take_feedback("record", &said("not-wanted")).unwrap();
        app.take_feedback("record", &said("not-wanted")).unwrap();
        assert_eq!((summaries(app, &view).len(), summaries(app, &beas).len()), (0, 0), "the person does not want it");
        world.set(world.now() + SignedDuration::from_hours(24 * (AWAY_DAYS_MAX - 1)));
        assert_eq!((summaries(app, &view).len(), summaries(app, &beas).len()), (0, 0), "for a whole year");
        for wrong in [
            json!({}),
            json!({ "feedback": [] }),
            json!({ "feedback": [{ "card": "1", "outcome": "accepted" }] }),
            json!({ "feedback": [{ "card": card["uuid"], "outcome": "ignored" }] }),
        ] {
            assert!(matches!(app.take_feedback("record", &wrong), Err(Failure::Invalid(_))), "{wrong}");
        }
        world.set(world.now() + SignedDuration::from_hours(24 * (CARDS_KEPT_DAYS + 1)));
        app.tick().unwrap();
        assert_eq!(summaries(app, &view), [Card::Offer.words()]);
    }
}
