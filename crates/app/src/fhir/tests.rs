//! What a system can do at the hatch, and what it cannot learn there.

use alongside_domain::contact::{ContactNote, Outcome, Way};
use alongside_domain::notice::{Answer, How, Telling};
use alongside_domain::person::ObjectionReason;
use alongside_domain::referral::EndReason;
use alongside_domain::{command::Command, id::ReferralId, person::Scope, supporter::StaffId};
use alongside_store::page_reads::Slice;
use alongside_store::testing::both_engines;
use alongside_store::{audit, people};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Hatch, Reply, Request};
use crate::desk::OwnDetails;
use crate::testing::{FixedWorld, a_record_asks_and_withdraws, own_answers, service, service_request};
use crate::{App, World};

const BASE: &str = "https://here.example/fhir/r4";

fn hatch(app: &App, client: &str) -> Hatch {
    app.hatch(client, "system/*.cruds", BASE).unwrap()
}

fn create(hatch: &Hatch, resource: &Value) -> Reply {
    hatch.answer(Request::Create { kind: "ServiceRequest".into(), body: resource.to_string(), if_none_exist: None })
}

fn read(hatch: &Hatch, kind: &str, id: &str) -> Reply {
    hatch.answer(Request::Read { kind: kind.into(), id: id.into() })
}

fn search(hatch: &Hatch, kind: &str, pairs: &[(&str, &str)]) -> Reply {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    hatch.answer(Request::Search { kind: kind.into(), pairs })
}

fn update(hatch: &Hatch, resource: &Value, version: u32) -> Reply {
    let text = |key: &str| resource[key].as_str().unwrap().to_owned();
    let if_match = Some(format!("W/\"{version}\""));
    hatch.answer(Request::Update { kind: text("resourceType"), id: text("id"), body: resource.to_string(), if_match })
}

fn id(reply: &Reply) -> String {
    reply.body["id"].as_str().unwrap_or_else(|| panic!("{}", reply.body)).to_owned()
}

fn ids(list: &Value) -> Vec<String> {
    let entries = list["entry"].as_array().into_iter().flatten();
    entries.map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect()
}

/// Asks for somebody.
fn asked(app: &App, number: &str) -> String {
    let reply = create(&hatch(app, "record"), &service_request(number, &format!("m-{number}"), "Okafor", "1980-05-02"));
    assert_eq!(reply.status, 201, "{}", reply.body);
    id(&reply)
}

fn referral(app: &App, number: &str) -> ReferralId {
    let person =
        crate::intake::person_by_number(&app.store, &alongside_domain::person::SiteId("north".into()), &format!("m-{number}")).unwrap();
    app.record(person).unwrap().referrals[0].id
}

fn person_of(app: &App, number: &str) -> alongside_domain::id::PersonId {
    crate::intake::person_by_number(&app.store, &alongside_domain::person::SiteId("north".into()), &format!("m-{number}")).unwrap()
}

fn release(app: &App, number: &str) {
    let telling = Telling {
        on: app.today(),
        how: How::InPerson,
        knows_diagnosis: true,
        told_of_support: true,
        consents_to_outside: false,
        answer: Answer::NoObjection,
    };
    let command = Command::RecordNotice { referral: referral(app, number), telling };
    app.command(person_of(app, number), command, app.actor("nurse-ada").unwrap()).unwrap();
}

fn converse(app: &App, number: &str) {
    converse_in(app, referral(app, number));
}

fn converse_in(app: &App, referral: ReferralId) {
    let note = ContactNote {
        supporter: StaffId("anna".into()),
        on: app.today(),
        way: Way::Telephone,
        outcome: Outcome::Conversation,
        minutes: 30,
        note: "nobody else reads this".into(),
    };
    app.record_contact(referral, note).unwrap();
}

fn pass(world: &FixedWorld, minutes: i64) {
    world.set(world.now() + SignedDuration::from_mins(minutes));
}

fn on_both(test: impl Fn(App, &FixedWorld)) {
    both_engines(|store| {
        let (app, world) = service(store);
        test(app, &world);
    });
}

fn status(reply: &Reply) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&reply.body["status"]), text(&reply.body["businessStatus"]["coding"][0]["code"]))
}

#[test]
fn whoever_asked_follows_the_loop_until_it_closes_and_reads_every_version_again() {
    on_both(|app, world| {
        let record = hatch(&app, "record");
        let id = asked(&app, "1");
        let told = || status(&read(&record, "Task", &id));
        let pair = |task: &str, business: &str| (task.to_owned(), business.to_owned());
        assert_eq!(told(), pair("requested", "received"));
        pass(world, 10);
        release(&app, "1");
        assert_eq!(told(), pair("requested", "waiting"));
        pass(world, 10);
        app.allocate(referral(&app, "1"), "anna", app.actor("coordinator-max").unwrap()).unwrap();
        assert_eq!(told(), pair("accepted", "accepted"));
        pass(world, 10);
        converse(&app, "1");
        assert_eq!(told(), pair("in-progress", "event-completed"));
        // What changes nothing of what is told makes no version.
        pass(world, 10);
        converse(&app, "1");
        assert_eq!(read(&record, "Task", &id).version, Some(4));
        pass(world, 10);
        let end = Command::End { referral: referral(&app, "1"), reason: EndReason::Completed, on: app.today() };
        app.command(person_of(&app, "1"), end, app.actor("anna").unwrap()).unwrap();
        assert_eq!(told(), pair("completed", "completed"));
        assert_eq!(read(&record, "ServiceRequest", &id).body["status"], "completed");

        let history = record.answer(Request::History { kind: "Task".into(), id: id.clone() });
        assert_eq!(history.body["total"], 5);
        let statuses: Vec<_> = (1..=5)
            .map(|version: u32| {
                status(&record.answer(Request::Vread { kind: "Task".into(), id: id.clone(), version: version.to_string() })).1
            })
            .collect();
        assert_eq!(statuses, ["received", "waiting", "accepted", "event-completed", "completed"]);
        assert!(!history.body.to_string().contains("nobody else"));
    });
}

#[test]
fn what_is_sent_twice_is_asked_once() {
    on_both(|app, _| {
        let record = hatch(&app, "record");
        let resource = service_request("1", "m-1", "Okafor", "1980-05-02");
        let first = create(&record, &resource);
        let again = create(&record, &resource);
        assert_eq!((again.status, again.location), (409, Some(format!("ServiceRequest/{}", id(&first)))));
        let conditionally = |search: &str| {
            let if_none_exist = Some(search.to_owned());
            record.answer(Request::Create { kind: "ServiceRequest".into(), body: resource.to_string(), if_none_exist })
        };
        let known = conditionally("identifier=https://north.example/id/order%7C1");
        assert_eq!((known.status, id(&known)), (200, id(&first)));
        assert_eq!(conditionally("identifier=https://north.example/id/order|2").status, 400);
        assert_eq!(conditionally("status=active").status, 400);
        // The same number of another system is another request, which joins the referral.
        let other = create(&hatch(&app, "other-record"), &resource);
        assert_eq!(other.status, 201);
        assert_eq!(app.record(person_of(&app, "1")).unwrap().referrals.len(), 1);
    });
}

#[test]
fn a_system_learns_of_nobody_of_whom_it_did_not_tell() {
    on_both(|app, _| {
        let (record, other) = (hatch(&app, "record"), hatch(&app, "other-record"));
        let first = asked(&app, "1");
        let patient = read(&record, "ServiceRequest", &first).body["subject"]["reference"].as_str().unwrap().to_owned();
        let patient = patient.strip_prefix("Patient/").unwrap();
        let nobody = "0000000000000000000000000000ffff";
        for kind in ["ServiceRequest", "Task", "Patient"] {
            let id = if kind == "Patient" { patient } else { &first };
            assert_eq!(read(&record, kind, id).status, 200);
            // Another's is as what never was.
            assert_eq!(read(&other, kind, id), read(&other, kind, nobody), "{kind}");
        }
        let empty = |pairs: &[(&str, &str)], kind: &str| ids(&search(&other, kind, pairs).body).is_empty();
        assert!(empty(&[], "Task") && empty(&[("patient", patient)], "Task") && empty(&[("_id", &first)], "ServiceRequest"));
        assert!(empty(&[("identifier", "https://north.example/id/mrn|m-1")], "Patient") && empty(&[("_id", patient)], "Patient"));
        assert_eq!(ids(&search(&record, "Patient", &[("identifier", "https://north.example/id/mrn|m-1")]).body), [patient]);
        // To ask about somebody by reference, one must have told of them.
        let mut by_reference = service_request("9", "", "", "");
        by_reference["subject"]["reference"] = json!(format!("Patient/{patient}"));
        by_reference.as_object_mut().unwrap().remove("contained");
        assert_eq!(create(&other, &by_reference).status, 422);
        assert_eq!(create(&record, &by_reference).status, 201);
        // Who was turned away is written down.
        let person = person_of(&app, "1");
        let lines = app.store.read(|tx| audit::of_person(tx, person, Slice { skip: 0, most: 100 })).unwrap();
        assert!(lines.iter().any(|line| line.outcome == audit::Outcome::Refused));
    });
}

#[test]
fn a_number_that_is_somebody_elses_brings_a_record_of_its_own_and_looks_like_any_other() {
    on_both(|app, _| {
        let own =
            OwnDetails { nhs_number: None, given: "Miriam".into(), family: "Okafor".into(), born: Some("1980-05-02".parse().unwrap()) };
        app.desk("dr-sen").unwrap().give_details(&own).unwrap();
        let (record, other) = (hatch(&app, "record"), hatch(&app, "other-record"));
        asked(&app, "1");
        let known = app.record(person_of(&app, "1")).unwrap();
        let of_grace = |number: &str, mrn: &str| {
            let mut resource = service_request(number, mrn, "Adeyemi", "1971-01-01");
            resource["contained"][0]["name"][0]["given"][0] = json!("Grace");
            create(&other, &resource)
        };
        let (stranger, fresh) = (of_grace("2", "m-1"), of_grace("3", "m-3"));
        let shape = |reply: &Reply| (reply.status, reply.version, reply.body["status"].clone());
        assert_eq!(shape(&stranger), shape(&fresh));
        let after = app.record(known.person.id).unwrap();
        assert_eq!((after.person.family.as_deref(), after.triggers.len()), (Some("Okafor"), 1));
        assert_eq!(after.questions.len(), known.questions.len() + 1, "the clinic is asked whether the two are one");
        // Whose record it is that is closed, whoever asked for them follows it all the same.
        assert!(app.store.read(|tx| alongside_store::standing::is_shielded(tx, known.person.id)).unwrap());
        assert_eq!(ids(&search(&record, "Task", &[]).body).len(), 1);
    });
}

#[test]
fn whoever_asked_may_withdraw_until_somebody_has_begun_and_set_nothing_else() {
    on_both(|app, _| {
        let record = hatch(&app, "record");
        let mut task = {
            let id = asked(&app, "1");
            read(&record, "Task", &id).body
        };
        for (status, told) in [("accepted", 422), ("completed", 422), ("entered-in-error", 422)] {
            task["status"] = json!(status);
            let refused = update(&record, &task, 1);
            assert_eq!((refused.status, &refused.body["issue"][0]["code"]), (told, &json!("business-rule")), "{status}");
            assert_eq!(refused.body["issue"][0]["expression"][0], "Task.status");
        }
        task["status"] = json!("cancelled");
        assert_eq!(update(&record, &task, 7).status, 412);
        let owned = {
            let mut owned = task.clone();
            owned["owner"] = json!({ "reference": "Organization/other" });
            owned
        };
        assert_eq!(update(&record, &owned, 1).body["issue"][0]["expression"][0], "Task.owner");
        let withdrawn = update(&record, &task, 1);
        assert_eq!((withdrawn.status, withdrawn.version), (200, Some(2)), "{}", withdrawn.body);
        assert_eq!(read(&record, "ServiceRequest", &id(&withdrawn)).body["status"], "revoked");
        assert_eq!(update(&record, &task, 1).status, 412);

        let mut request = {
            let id = asked(&app, "2");
            read(&record, "ServiceRequest", &id).body
        };
        release(&app, "2");
        app.allocate(referral(&app, "2"), "anna", app.actor("coordinator-max").unwrap()).unwrap();
        converse(&app, "2");
        request["status"] = json!("revoked");
        let refused = update(&record, &request, 4);
        assert_eq!(refused.status, 422, "{}", refused.body);
        assert!(refused.body["issue"][0]["diagnostics"].as_str().unwrap().contains("speak with the team"));
        assert_eq!(read(&record, "ServiceRequest", request["id"].as_str().unwrap()).body["status"], "active");
    });
}

#[test]
fn an_objection_is_told_in_neutral_words_and_a_later_request_is_answered_at_once() {
    on_both(|app, _| {
        let record = hatch(&app, "record");
        let first = asked(&app, "1");
        let object = Command::Object { scope: Scope::All, reason: ObjectionReason::Privacy };
        app.command(person_of(&app, "1"), object, app.actor("nurse-ada").unwrap()).unwrap();
        let told = read(&record, "Task", &first);
        assert_eq!(status(&told), ("rejected".to_owned(), "declined".to_owned()));
        assert_eq!(told.body["statusReason"]["text"], "not wanted at present");
        let second = create(&record, &service_request("2", "m-1", "Okafor", "1980-05-02"));
        assert_eq!(status(&read(&record, "Task", &id(&second))).0, "rejected");
    });
}

#[test]
fn pages_of_a_list_are_of_one_state() {
    on_both(|app, world| {
        let record = hatch(&app, "record");
        let all: Vec<String> = (1..=5).map(|number| asked(&app, &number.to_string())).collect();
        let first = search(&record, "Task", &[("status", "requested"), ("_count", "2")]).body;
        // Meanwhile one of the second page is withdrawn, and one is new.
        pass(world, 1);
        let mut task = read(&record, "Task", &all[2]).body;
        task["status"] = json!("cancelled");
        assert_eq!(update(&record, &task, 1).status, 200);
        asked(&app, "6");
        let mut found = ids(&first);
        let mut page = first;
        while let Some(next) = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next") {
            let (_, query) = next["url"].as_str().unwrap().split_once('?').unwrap();
            let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            page = record.answer(Request::Search { kind: "Task".into(), pairs }).body;
            found.extend(ids(&page));
        }
        assert_eq!(found, all);
        assert_eq!(ids(&search(&record, "Task", &[("status", "requested")]).body).len(), 5);
        let since = format!("gt{}", Timestamp::from_microsecond(world.now().as_microsecond() - 1).unwrap());
        let changed = ids(&search(&record, "Task", &[("_lastUpdated", &since)]).body);
        assert_eq!(changed.len(), 2, "{changed:?}");
        let along = search(&record, "Task", &[("_id", &all[0]), ("_include", "Task:focus"), ("_include", "Task:patient")]).body;
        let kinds: Vec<&Value> = along["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]["resourceType"]).collect();
        assert_eq!(kinds, ["Task", "ServiceRequest", "Patient"]);
    });
}

fn transaction(with: Value) -> String {
    let mut request = service_request("1", "", "", "");
    let mut patient = service_request("", "m-1", "Okafor", "1980-05-02")["contained"][0].clone();
    patient.as_object_mut().unwrap().remove("id");
    request.as_object_mut().unwrap().remove("contained");
    request["subject"]["reference"] = json!("urn:uuid:0e7f6b5e-6c0a-4a55-9d0f-0f2f5a5f0001");
    let task = json!({
        "resourceType": "Task", "status": "requested", "intent": "order",
        "focus": { "reference": "urn:uuid:0e7f6b5e-6c0a-4a55-9d0f-0f2f5a5f0002" },
    });
    let post = |kind: &str| json!({ "method": "POST", "url": kind });
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        { "fullUrl": "urn:uuid:0e7f6b5e-6c0a-4a55-9d0f-0f2f5a5f0001", "resource": patient, "request": post("Patient") },
        { "fullUrl": "urn:uuid:0e7f6b5e-6c0a-4a55-9d0f-0f2f5a5f0002", "resource": request,
          "request": { "method": "POST", "url": "ServiceRequest", "ifNoneExist": "identifier=https://north.example/id/order|1" } },
        { "fullUrl": "urn:uuid:0e7f6b5e-6c0a-4a55-9d0f-0f2f5a5f0003", "resource": task, "request": post("Task") },
        with,
    ] })
    .to_string()
}

#[test]
fn a_transaction_is_all_or_nothing_and_a_batch_each_for_itself() {
    on_both(|app, _| {
        let record = hatch(&app, "record");
        let wrong = transaction(json!({ "request": { "method": "GET", "url": "Task?_has:x=y" } }));
        let refused = record.answer(Request::Bundle { body: wrong });
        assert_eq!(refused.status, 400);
        assert_eq!(refused.body["issue"][0]["expression"][0], "Bundle.entry[3].http._has:x");
        assert!(ids(&search(&record, "Task", &[]).body).is_empty(), "nothing was kept");

        let mut noted: Value = serde_json::from_str(&transaction(json!({ "request": { "method": "GET", "url": "Task" } }))).unwrap();
        noted["entry"][2]["resource"]["note"] = json!([{ "text": "Okafor is worried" }]);
        let refused = record.answer(Request::Bundle { body: noted.to_string() });
        assert_eq!(refused.body["issue"][0]["expression"][0], "Bundle.entry[2].Task.note");

        let right = transaction(json!({ "request": { "method": "GET", "url": "Task?status=requested" } }));
        let done = record.answer(Request::Bundle { body: right.clone() }).body;
        let statuses = |bundle: &Value| -> Vec<String> {
            bundle["entry"].as_array().unwrap().iter().map(|entry| entry["response"]["status"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(statuses(&done), ["201", "201", "201", "200"]);
        assert_eq!(done["entry"][3]["resource"]["entry"][0]["resource"]["id"], done["entry"][1]["resource"]["id"]);
        // The answer was lost, and it is sent again.
        let again = record.answer(Request::Bundle { body: right }).body;
        assert_eq!(again["entry"][1]["resource"]["id"], done["entry"][1]["resource"]["id"]);
        assert_eq!(ids(&search(&record, "Task", &[]).body).len(), 1);

        let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": [
            { "request": { "method": "GET", "url": "Task/none" } },
            { "request": { "method": "DELETE", "url": "Task/none" } },
            { "request": { "method": "GET", "url": "Task" } },
        ] });
        let answers = record.answer(Request::Bundle { body: batch.to_string() }).body;
        assert_eq!(statuses(&answers), ["404", "400", "200"]);
        assert_eq!(answers["entry"][0]["response"]["outcome"]["issue"][0]["code"], "not-found");
    });
}

#[test]
fn what_cannot_be_kept_is_not_taken_and_has_its_place() {
    on_both(|app, _| {
        let record = hatch(&app, "record");
        let places = |change: &dyn Fn(&mut Value)| -> Vec<String> {
            let mut resource = service_request("1", "m-1", "Okafor", "1980-05-02");
            change(&mut resource);
            let reply = create(&record, &resource);
            assert!(matches!(reply.status, 400 | 422), "{}", reply.body);
            assert!(!reply.body.to_string().contains("Okafor"));
            let issues = reply.body["issue"].as_array().unwrap().iter();
            issues.map(|issue| issue["expression"][0].as_str().unwrap_or_default().to_owned()).collect()
        };
        assert_eq!(places(&|it| it["note"] = json!([{ "text": "Okafor is worried" }])), ["ServiceRequest.note"]);
        assert_eq!(places(&|it| it["performer"] = json!([{ "reference": "Organization/other" }])), ["ServiceRequest.performer"]);
        assert_eq!(places(&|it| it["status"] = json!("draft")), ["ServiceRequest.status"]);
        assert_eq!(places(&|it| it["code"]["coding"][0]["code"] = json!("1")), ["ServiceRequest.code"]);
        assert_eq!(places(&|it| it["authoredOn"] = json!("2024-04-03")), ["ServiceRequest.authoredOn"]);
        assert_eq!(places(&|it| it["authoredOn"] = json!("Okafor")), ["ServiceRequest.authoredOn"]);
        assert_eq!(places(&|it| it["identifier"] = json!([{ "value": "1" }])), ["ServiceRequest.identifier"]);
        assert_eq!(places(&|it| it["contained"][0]["birthDate"] = json!("2030-01-01")), ["ServiceRequest.contained[0].birthDate"]);
        assert_eq!(places(&|it| it["contained"][0]["identifier"] = json!([])).len(), 1);
        assert_eq!(places(&|it| it["contained"][0]["photo"] = json!([{ "title": "Okafor" }])), ["ServiceRequest.contained[0].photo"]);
        assert_eq!(places(&|it| it["subject"] = json!({ "identifier": { "value": "m-1" } })), ["ServiceRequest.contained[0]"]);
        assert!(app.store.read(|tx| people::find(tx, &alongside_domain::person::SiteId("north".into()), &[], None)).unwrap().is_empty());
        assert!(ids(&search(&record, "Task", &[]).body).is_empty());
    });
}

#[test]
fn scopes_bound_what_a_token_can_do() {
    on_both(|app, _| {
        let some = app.hatch("record", "system/Task.rs system/Observation.rs", BASE).unwrap();
        assert_eq!(search(&some, "Task", &[]).status, 200);
        assert_eq!(search(&some, "ServiceRequest", &[]).status, 403);
        let refused = create(&some, &service_request("1", "m-1", "Okafor", "1980-05-02"));
        assert_eq!((refused.status, &refused.body["issue"][0]["code"]), (403, &json!("forbidden")));
        asked(&app, "1");
        assert_eq!(search(&some, "Task", &[("_include", "Task:patient")]).status, 403);
        assert_eq!(search(&some, "Observation", &[]).status, 404);
        assert_eq!(
            hatch(&app, "record").answer(Request::Create { kind: "Task".into(), body: "{}".into(), if_none_exist: None }).status,
            405
        );
        assert!(app.hatch("nobody", "system/*.cruds", BASE).is_err());
    });
}

#[test]
fn a_merge_moves_a_request_to_the_record_that_answers() {
    on_both(|app, world| {
        let record = hatch(&app, "record");
        let (first, second) = (asked(&app, "1"), asked(&app, "2"));
        pass(world, 5);
        let merge = "MSH|^~\\&|CF|RAP|TIE|RAP|20240402093500||ADT^A40|1|P|2.4\rEVN|A40|20240402093500\r\
                     PID|1||m-1^^^RAP^MR||OKAFOR^MIRIAM||19800502|2\rMRG|m-2^^^RAP^MR\r";
        let answered = app.receive(&app.setup.feeds["north"], merge.as_bytes());
        assert_eq!(answered.fate, crate::intake::Fate::Applied);
        let subject = |id: &str| read(&record, "ServiceRequest", id).body["subject"]["reference"].clone();
        assert_eq!(subject(&first), subject(&second));
        let retired = person_of(&app, "1");
        assert_eq!(format!("Patient/{}", super::told::id_of(&retired)), subject(&first));
        a_record_asks_and_withdraws(&app);
    });
}

/// What a person answered to the loneliness questions, as a portal sends it.
fn answers(app: &App, request: &str, number: &str) -> Value {
    own_answers(BASE, request, &super::id_of(&person_of(app, "1")), number, app.today())
}

fn bring(hatch: &Hatch, resource: &Value) -> Reply {
    hatch.answer(Request::Create { kind: "QuestionnaireResponse".into(), body: resource.to_string(), if_none_exist: None })
}

#[test]
fn a_persons_own_answers_become_an_assessment_and_a_score_that_differs_is_refused() {
    on_both(|app, _| {
        let record = hatch(&app, "record");
        let request = asked(&app, "1");
        let brought = answers(&app, &request, "1");
        assert_eq!(bring(&record, &brought).body["issue"][0]["code"], "business-rule", "before anybody has spoken with them");
        release(&app, "1");
        app.allocate(referral(&app, "1"), "anna", app.actor("coordinator-max").unwrap()).unwrap();
        converse(&app, "1");

        let place = |change: &dyn Fn(&mut Value)| {
            let mut wrong = brought.clone();
            change(&mut wrong);
            let reply = bring(&record, &wrong);
            assert_eq!(reply.status, 422, "{}", reply.body);
            reply.body["issue"][0]["expression"][0].as_str().unwrap_or_default().replace("QuestionnaireResponse.", "")
        };
        assert_eq!(place(&|it| it["item"][3]["answer"][0]["valueDecimal"] = json!(7)), "item[3].answer[0]");
        assert_eq!(place(&|it| it["item"][3]["answer"][0] = json!({ "valueString": "8" })), "item[3].answer[0]");
        assert_eq!(place(&|it| it["item"][2] = json!({ "linkId": "isolated" })), "item[3].answer[0]", "nothing is imputed");
        assert_eq!(place(&|it| it["item"][0]["answer"][0]["valueCoding"]["code"] = json!("4")), "item[0].answer[0]");
        assert_eq!(place(&|it| it["item"][0]["answer"][0]["valueCoding"]["system"] = json!("urn:x")), "item[0].answer[0]");
        assert_eq!(place(&|it| it["item"][0]["linkId"] = json!("worry")), "item[0].answer[0]");
        let beside = [("item", json!([{ "linkId": "why" }])), ("extension", json!([{ "url": "urn:x", "valueString": "why" }]))];
        for (name, value) in beside {
            assert_eq!(place(&|it| it["item"][0]["answer"][0][name] = value.clone()), "item[0].answer[0]", "{name}");
        }
        assert_eq!(place(&|it| it["item"][1]["linkId"] = json!("companionship")), "item(companionship)");
        assert_eq!(place(&|it| it["item"] = json!([{ "linkId": "lonely" }])), "item");
        assert_eq!(place(&|it| it["questionnaire"] = json!(format!("{BASE}/Questionnaire/ucla3|2"))), "questionnaire");
        assert_eq!(place(&|it| it["status"] = json!("in-progress")), "status");
        assert_eq!(place(&|it| it["source"] = json!({ "reference": "Practitioner/1" })), "source");
        assert_eq!(place(&|it| it["author"] = json!({ "reference": "Practitioner/1" })), "author");
        assert_eq!(place(&|it| it["identifier"] = json!({ "value": "1" })), "identifier");

        let done = bring(&record, &brought);
        assert_eq!((done.status, done.location.as_deref()), (201, Some(format!("QuestionnaireResponse/{}", id(&done)).as_str())));
        assert_eq!(bring(&record, &brought).status, 409);
        let again = Request::Create {
            kind: "QuestionnaireResponse".into(),
            body: brought.to_string(),
            if_none_exist: Some("identifier=https://north.example/id/portal|1".into()),
        };
        assert_eq!((record.answer(again).status, read(&record, "QuestionnaireResponse", &id(&done)).status), (200, 200));
        let person = super::id_of(&person_of(&app, "1"));
        for pairs in [vec![("patient", person.as_str())], vec![("subject", person.as_str()), ("based-on", request.as_str())]] {
            assert_eq!(ids(&search(&record, "QuestionnaireResponse", &pairs).body), [id(&done)], "{pairs:?}");
        }
        assert!(ids(&search(&record, "QuestionnaireResponse", &[("patient", &person), ("questionnaire", "x")]).body).is_empty());
        assert_eq!(search(&record, "QuestionnaireResponse", &[]).status, 400);

        let kept = app.store.read(|tx| alongside_store::reading::assessments(tx, person_of(&app, "1"))).unwrap();
        let [kept] = kept.as_slice() else { panic!("{kept:?}") };
        assert_eq!(kept.scores.iter().map(|score| score.1).collect::<Vec<_>>(), [Some(8), None]);
        let replies = app.store.read(|tx| alongside_store::care::replies_of(tx, person_of(&app, "1"))).unwrap();
        assert_eq!(replies.len(), 1, "the supporter is told");

        let other = hatch(&app, "other-record");
        assert_eq!(read(&other, "QuestionnaireResponse", &id(&done)).status, 404);
        assert!(ids(&search(&other, "QuestionnaireResponse", &[("patient", &person)]).body).is_empty());
        assert_eq!(bring(&other, &brought).status, 404, "a request of another system");
    });
}

#[test]
fn a_request_that_led_nowhere_tells_nothing_of_support_that_was_asked_for_later() {
    on_both(|app, _| {
        let (record, first) = (hatch(&app, "record"), asked(&app, "1"));
        let person = person_of(&app, "1");
        let ada = app.desk("nurse-ada").unwrap();
        ada.end_referral(person, EndReason::RequestWithdrawn, app.today(), "").unwrap();
        let refused = bring(&record, &answers(&app, &first, "1"));
        ada.refer(person, alongside_domain::trigger::Kind::ClinicRequest, "again").unwrap();
        ada.record_notice(person, app.today(), How::InPerson, Answer::NoObjection, false, "").unwrap();
        let live = app.record(person).unwrap().live_referral().unwrap().id;
        app.allocate(live, "anna", app.actor("coordinator-max").unwrap()).unwrap();
        converse_in(&app, live);

        let after = bring(&record, &answers(&app, &first, "1"));
        assert_eq!((after.status, &after.body), (refused.status, &refused.body));
        assert_eq!(after.body["issue"][0]["code"], "business-rule");
        let page = Slice { most: 5, skip: 0 };
        let lines = app.store.read(|tx| audit::of_person(tx, person, page)).unwrap();
        assert!(lines.iter().any(|line| line.outcome == audit::Outcome::Refused), "it was written down");
    });
}

#[test]
fn questionnaires_have_the_weights_and_scores_of_their_instruments() {
    on_both(|app, _| {
        let record = hatch(&app, "record");
        let all = search(&record, "Questionnaire", &[]).body;
        assert_eq!(ids(&all).len(), app.setup.instruments.len());
        let ucla = read(&record, "Questionnaire", "ucla3").body;
        assert_eq!(ids(&search(&record, "Questionnaire", &[("url", ucla["url"].as_str().unwrap())]).body), ["ucla3"]);
        assert!(ids(&search(&record, "Questionnaire", &[("version", "9")]).body).is_empty());
        let items = ucla["item"].as_array().unwrap();
        assert_eq!(items[1]["answerOption"][2]["extension"][0]["valueDecimal"], 3);
        let score = items.iter().find(|item| item["linkId"] == "score.loneliness").unwrap();
        let expression = score["extension"][0]["valueExpression"]["expression"].as_str().unwrap();
        assert_eq!(expression.matches("weight()").count(), 3);
    });
}
