//! Cards beside the record (CDS Hooks 2.0): what a hospital's record shows a clinician who opens a person there, when something is
//! due. Whoever asks has proved that it is the record; who would read the card, and about whom, is proved here.
//!
//! Nothing is due for almost everybody whom a hospital opens, and nobody of them is known here: that is answered by one reading.
//! What is shown was disclosed, and stands in the audit.

use alongside_domain::access::Action;
use alongside_domain::card::{Card, Hook, PutAway, Seen as Looked, due};
use alongside_domain::concern::State;
use alongside_domain::decision::Actor;
use alongside_domain::id::PersonId;
use alongside_domain::person::Identifier;
use alongside_domain::sending::Ordered;
use alongside_domain::supporter::{Role, StaffId};
use alongside_store::{Tx, accounts, audit, cards, care, people, standing};
use serde_json::{Value, json};

use crate::desk::{Desk, NewPerson, numbers};
use crate::setup::FhirClient;
use crate::{App, Failure};

/// Where cards are asked for, below the origin.
pub const CARDS_PATH: &str = "/cds-services";
/// Days for which it is kept that a card was put away: longer than any stays away.
pub const CARDS_KEPT_DAYS: i64 = 400;
/// The most lines of one feedback.
const FEEDBACK_MAX: usize = 100;

/// What a record asks with.
#[derive(Debug, Clone)]
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
    /// The cards for a question of a hospital's record: none, or one.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for a system that is not configured; the store's. None of them is told to a clinician.
    pub fn cards(&self, client: &str, asked: &CardRequest) -> Result<Vec<Value>, Failure> {
        let client = self.setup.fhir_clients.get(client).ok_or(Failure::NotFound)?;
        let Some(open) = NewPerson::of_patient(&asked.patient, &client.local_identifier) else { return Ok(Vec::new()) };
        let found = self.store.read(|tx| {
            for number in numbers(&client.system.site, &open.number) {
                if let Some(found) = self.found(tx, client, asked, &open, number)? {
                    return Ok(Some(found));
                }
            }
            Ok::<_, Failure>(None)
        })?;
        let Some((desk, shown)) = found else { return Ok(Vec::new()) };
        let (person, detail) = (shown.person, format!("card-{}", shown.card));
        desk.disclose(Action::SeePerson, None, move |_, seen| {
            seen.person(person);
            seen.detail(detail.as_str());
            Ok(())
        })?;
        Ok(vec![self.card_of(client, asked, &shown)])
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
        }
        let (client, now) = (client.to_owned(), self.world.now());
        Ok(self
            .store
            .write(move |tx| kept.iter().try_for_each(|(card, outcome, reason)| cards::add(tx, card, &client, outcome, *reason, now)))?)
    }

    /// The card that is due, and the desk of whoever reads it; nothing for whoever is not known, not entitled, or has put it
    /// away. What is dearest to find out is asked last.
    fn found(
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
            let number = self.card_number(&client.system.key, person, card);
            if cards::is_away(tx, &number)? {
                continue;
            }
            let desk = self.desk_of(self.viewer(tx, &staff.0)?);
            let theirs = desk.is_theirs(Action::SeePerson, &record, standing::is_shielded(tx, person)?);
            return Ok(theirs.then_some((desk, Shown { card, person, number })));
        }
        Ok(None)
    }

    /// Who would read the card: whoever the record's name of them was linked to, by an operator or when they opened this
    /// program from it.
    fn reader(&self, tx: &mut Tx<'_>, client: &FhirClient, user: &str) -> Result<Option<(StaffId, Role)>, Failure> {
        let launches = self.setup.identity_providers.values().filter_map(|provider| provider.launch.as_ref());
        let of_site = launches.filter(|launch| launch.site == client.system.site).map(|launch| launch.iss.as_str());
        for issuer in of_site.chain([client.system.key.as_str()]) {
            let Some(staff) = accounts::identity(tx, issuer, user)? else { continue };
            let is_open = accounts::load(tx, &staff)?.is_none_or(|account| account.suspended_at.is_none());
            return Ok(match self.setup.staff_actor(&staff.0) {
                Some(Actor::Staff { id, role }) if is_open => Some((id, role)),
                _ => None,
            });
        }
        Ok(None)
    }

    /// The number of a card: the same for the same person and matter as long as putting it away is to last, and nobody else can
    /// tell whose it is.
    fn card_number(&self, client: &str, person: PersonId, card: Card) -> String {
        let what = format!("{client} {person} {card} {}", card.season(self.today()));
        uuid_of(&audit::keyed_digest(&self.keys.audit, "card", what.as_bytes()))
    }

    /// The card as it is written (CDS Hooks 2.0, "Card Attributes").
    fn card_of(&self, client: &FhirClient, asked: &CardRequest, shown: &Shown) -> Value {
        let name = self.service_name();
        let origin = self.setup.origin();
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
        let launches = self.setup.identity_providers.values().filter_map(|provider| provider.launch.as_ref());
        let origin = self.setup.origin();
        if launches.into_iter().any(|launch| launch.site == client.system.site) {
            json!({ "label": format!("Open {name}"), "type": "smart", "url": format!("{origin}/launch") })
        } else {
            json!({ "label": format!("Open {name}"), "type": "absolute", "url": format!("{origin}/people/{person}") })
        }
    }
}

/// A UUID of the first digits of a digest (RFC 9562, version 8).
fn uuid_of(digest: &str) -> String {
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
    format!("{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
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
    use alongside_domain::notice::{Answer, How};
    use alongside_domain::person::SiteId;
    use alongside_domain::referral::EndReason;
    use alongside_domain::trigger::Kind;
    use alongside_store::testing::both_engines;
    use jiff::{SignedDuration, ToSpan};

    use super::*;
    use crate::World;
    use crate::desk::Whom;
    use crate::testing::{FixedWorld, service};

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
        app.cards("record", asked).unwrap().iter().map(|card| card["summary"].as_str().unwrap().to_owned()).collect()
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
            assert!(app.cards("other-record", &sen).unwrap().is_empty(), "another clinic's");
            assert_eq!(app.cards("nobody", &view), Err(Failure::NotFound));
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
        let shown = app.cards("record", &view).unwrap();
        let [card] = shown.as_slice() else { panic!("{shown:?}") };
        assert_eq!(card["summary"], Card::Offer.words());
        let order = &card["suggestions"][0]["actions"][0]["resource"];
        assert_eq!((&order["subject"]["reference"], &order["code"]["coding"][0]["code"]), (&json!("Patient/p1"), &json!("711281004")));
        assert_eq!(card["links"][0]["type"], "absolute");
        assert!(card["links"][0]["url"].as_str().unwrap().ends_with(&format!("/people/{person}")));
        assert!(is_uuid(card["uuid"].as_str().unwrap()));

        let said = json!({ "feedback": [{ "card": card["uuid"], "outcome": "overridden",
            "overrideReason": { "reason": { "code": "not-wanted" }, "userComment": "Okafor said no" } }] });
        app.take_feedback("record", &said).unwrap();
        app.take_feedback("record", &said).unwrap();
        assert!(summaries(app, &view).is_empty(), "it was put away for the year");
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
