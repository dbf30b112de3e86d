use std::sync::Arc;

use alongside_domain::access::Scope;
use alongside_domain::calendar::Period;
use alongside_domain::command::Command;
use alongside_domain::contact::{ContactNote, Outcome, Way};
use alongside_domain::decision::{Actor, What};
use alongside_domain::id::PersonId;
use alongside_domain::person::{Diagnosis, SiteId};
use alongside_domain::record::Record;
use alongside_domain::referral::{Audience, Referral, Stage};
use alongside_domain::supporter::StaffId;
use alongside_domain::trigger::Kind;
use alongside_store::testing::{TestDatabase, both_engines};
use alongside_store::{Engine, Store, journal, page_reads, reading};
use jiff::civil::date;

use super::{Imported, Sheet};
use crate::intake::person_by_number;
use crate::setup::Extra;
use crate::simulate::spreadsheet;
use crate::testing::{FixedWorld, SHEETS, bring_and_take_back, service};
use crate::{App, Failure, Setup, World};

const ALL: [(Sheet, &str); 4] = SHEETS;
const PEOPLE: &str = SHEETS[0].1;
const CONTACTS: &str = SHEETS[2].1;

const NUMBERS: [&str; 3] = ["100", "200", "300"];

fn fresh() -> (App, Arc<FixedWorld>, TestDatabase) {
    let database = TestDatabase::new(Engine::Sqlite);
    let (app, world) = service(Store::open(database.url()).unwrap());
    (app, world, database)
}

fn bring(app: &App, sheet: Sheet, text: &str) -> Imported {
    app.import("north", sheet, text.as_bytes()).unwrap_or_else(|failure| panic!("{sheet}: {failure}"))
}

fn bring_all(app: &App, sheets: &[(Sheet, &str)]) -> Vec<Imported> {
    sheets.iter().map(|(sheet, text)| bring(app, *sheet, text)).collect()
}

fn problems(app: &App, sheet: Sheet, text: &str) -> Vec<String> {
    let plan = app.preview_import("north", sheet, text.as_bytes()).unwrap();
    let told =
        |problems: &[crate::Invalid]| problems.iter().map(|problem| format!("{}: {}", problem.place, problem.what)).collect::<Vec<_>>();
    match app.import("north", sheet, text.as_bytes()) {
        Err(Failure::Invalid(problems)) => assert_eq!(told(&problems), told(&plan.problems)),
        other => panic!("{other:?}"),
    }
    told(&plan.problems)
}

fn id(app: &App, number: &str) -> Option<PersonId> {
    person_by_number(&app.store, &SiteId("north".into()), number).ok()
}

fn record(app: &App, number: &str) -> Record {
    app.record(id(app, number).unwrap()).unwrap()
}

fn referral(app: &App, number: &str) -> Referral {
    record(app, number).referrals.last().unwrap().clone()
}

/// Everything that is kept but the journal and the list of imports.
fn picture(app: &App) -> Vec<String> {
    let north = SiteId("north".into());
    let ever = Period { from: date(1900, 1, 1), to: date(2100, 1, 1) };
    let mut lines = Vec::new();
    let found: Vec<_> = NUMBERS.iter().filter_map(|number| id(app, number)).collect();
    lines.extend(found.iter().map(|id| format!("{:?}", app.record(*id).unwrap())));
    app.store
        .read(|tx| {
            for id in found {
                lines.push(format!("{:?} {:?}", reading::contacts(tx, id)?, reading::assessments(tx, id)?));
            }
            lines.push(format!("{:?}", reading::all_stages(tx)?));
            lines.push(format!("{:?}", reading::triggers(tx, &north, ever)?));
            lines.push(format!("{:?}", reading::released(tx, &north, ever)?));
            Ok::<_, Failure>(())
        })
        .unwrap();
    lines
        .push(format!("{:?}", app.store.read(|tx| page_reads::search(tx, &Scope::of_operator(SiteId("north".into())), "00", 50)).unwrap()));
    lines
}

fn assert_well(app: &App) {
    let findings = app.examine().unwrap();
    assert!(findings.is_well(), "{findings:?}");
}

#[test]
fn a_preview_tells_what_would_be_added_and_changes_nothing() {
    let (app, _, _database) = fresh();
    let empty = picture(&app);
    for (sheet, text) in ALL {
        let before = picture(&app);
        let plan = app.preview_import("north", sheet, text.as_bytes()).unwrap();
        assert_eq!(picture(&app), before);
        assert_eq!(bring(&app, sheet, text).plan, plan);
    }
    assert_ne!(picture(&app), empty);
}

#[test]
fn the_four_sheets_are_kept_as_the_rules_have_it() {
    let (app, _, _database) = fresh();
    let brought = bring_all(&app, &ALL);
    let adds: Vec<_> = brought.iter().flat_map(|imported| imported.plan.adds.clone()).collect();
    let expected = [("people", 3), ("referrals", 3), ("questions for the clinic", 1), ("contacts", 4), ("assessments", 2)];
    assert_eq!(adds, expected);

    let person = record(&app, "100");
    assert_eq!(person.person.diagnosis, Diagnosis::Known);
    let (old, new) = (&person.referrals[0], &person.referrals[1]);
    assert_eq!((old.status.stage(), old.ended_on, old.attempts), (Stage::Ended, Some(date(2023, 6, 30)), 2));
    assert_eq!((old.engaged_on, old.assessed_on), (Some(date(2023, 2, 20)), Some(date(2023, 3, 1))));
    assert_eq!((old.released_on, old.due_on), (Some(date(2023, 2, 2)), Some(date(2023, 2, 9))));
    assert_eq!(old.notice.as_ref().map(|notice| notice.by.0.as_str()), Some("Sister Mary Jones"));
    assert_eq!((new.status.stage(), new.engaged_on), (Stage::Assessed, Some(date(2024, 1, 12))));

    // A cell that looks like a formula is a name like any other.
    assert_eq!(record(&app, "200").person.family.as_deref(), Some("=cmd"));
    let scores = app.store.read(|tx| reading::assessments(tx, person.person.id)).unwrap();
    assert_eq!(scores.len(), 2);
    // Nothing is imputed: an empty cell is no answer.
    assert!(scores[0].scores.iter().any(|(_, value, _)| value.is_none()), "{scores:?}");
    assert_well(&app);
}

#[test]
fn who_was_not_told_awaits_notice_and_is_seen_by_the_clinic_alone() {
    let (app, _, _database) = fresh();
    bring_all(&app, &ALL[..2]);
    let waiting = referral(&app, "200");
    assert_eq!((waiting.status.stage(), waiting.audience(), waiting.released_on), (Stage::AwaitingNotice, Audience::ClinicOnly, None));
    let contact = "local_number,supporter,on,way,outcome,minutes\n200,anna,2024-03-05,telephone,conversation,10\n";
    assert_eq!(problems(&app, Sheet::Contacts, contact), ["line 2, column \"on\": no released referral of this person covers this day"]);
}

#[test]
fn an_import_is_taken_back_without_a_trace_but_the_journals() {
    both_engines(|store| {
        let (app, _) = service(store);
        let mut pictures = vec![picture(&app)];
        let mut brought = Vec::new();
        for (sheet, text) in ALL {
            brought.push(bring(&app, sheet, text));
            pictures.push(picture(&app));
            assert_well(&app);
        }
        let person = id(&app, "100").unwrap();
        for (imported, before) in brought.iter().zip(&pictures).rev() {
            let undone = app.undo_import(imported.id).unwrap_or_else(|failure| panic!("{failure}"));
            assert!(!undone.removed.is_empty());
            assert_eq!(picture(&app), *before);
            assert_well(&app);
        }
        let lines = app.store.read(|tx| journal::of_person(tx, person)).unwrap();
        assert!(lines.iter().any(|event| event.what == What::ReferralRaised));
        assert!(lines.iter().any(|event| event.what == What::ImportUndone));
        assert!(matches!(app.undo_import(brought[0].id), Err(Failure::Invalid(_))));
        // What was taken back may come again, and end where it ended.
        bring_and_take_back(&app).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(picture(&app), pictures[0]);
        bring_all(&app, &ALL);
        assert_well(&app);
    });
}

#[test]
fn an_import_on_which_something_rests_is_not_taken_back() {
    both_engines(|store| {
        let (app, world) = service(store);
        let brought = bring_all(&app, &ALL[..3]);
        let rests = |id| match app.undo_import(id) {
            Err(Failure::Invalid(problems)) => problems.into_iter().map(|problem| problem.place).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        // Each earlier sheet carries the later ones.
        assert_eq!(rests(brought[0].id), ["people of whom something was said since", "referrals"]);
        assert_eq!(rests(brought[1].id), ["contacts"]);

        world.set("2024-04-03T10:00:00Z".parse().unwrap());
        let note = ContactNote {
            supporter: StaffId("anna".into()),
            on: date(2024, 4, 3),
            way: Way::Telephone,
            outcome: Outcome::Conversation,
            minutes: 20,
            note: String::new(),
        };
        app.record_contact(referral(&app, "100").id, note).unwrap();
        let before = picture(&app);
        assert_eq!(rests(brought[2].id), ["contacts"]);
        assert_eq!(picture(&app), before);
        assert_well(&app);
    });
}

#[test]
fn an_answered_question_and_a_referral_moved_by_hand_keep_their_import() {
    let (app, world, _database) = fresh();
    let brought = bring_all(&app, &ALL[..2]);
    world.set("2024-04-03T10:00:00Z".parse().unwrap());
    let question = record(&app, "300").questions[0].id;
    app.answer_question(question, alongside_domain::question::Answer::Offer, app.actor("lead-joy").unwrap()).unwrap();
    let waiting = referral(&app, "200");
    let end = Command::End { referral: waiting.id, reason: alongside_domain::referral::EndReason::Moved, on: date(2024, 4, 3) };
    app.command(waiting.person, end, app.actor("nurse-ada").unwrap()).unwrap();
    let Err(Failure::Invalid(found)) = app.undo_import(brought[1].id) else { panic!("taken back") };
    let kinds: Vec<_> = found.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(kinds, ["answered questions", "referrals that changed since"]);
}

#[test]
fn the_same_file_is_taken_once() {
    let (app, _, _database) = fresh();
    let first = bring(&app, Sheet::People, PEOPLE);
    let again = problems(&app, Sheet::People, PEOPLE);
    assert_eq!(again, [format!("file: was brought before, as {}: take that back first", first.id)]);
    // Saved anew, its rows are here already.
    let longer = format!("{PEOPLE}400,,,New,Ann,1990-01-01,\n");
    let plan = bring(&app, Sheet::People, &longer).plan;
    assert_eq!((plan.adds, plan.unchanged), (vec![("people", 1)], 3));
}

#[test]
fn rows_that_are_here_already_add_nothing() {
    let (app, _, _database) = fresh();
    bring_all(&app, &ALL);
    let before = picture(&app);
    for (sheet, text) in ALL {
        let plan = bring(&app, sheet, &format!("{text}\n")).plan;
        assert_eq!((plan.adds, plan.unchanged), (vec![], plan.rows), "{sheet}");
    }
    assert_eq!(picture(&app), before);
    let twins = format!("{CONTACTS}100;ben;2023-02-10;telephone;no-answer;2;\n");
    let plan = bring(&app, Sheet::Contacts, &twins).plan;
    assert_eq!((plan.adds, plan.unchanged), (vec![("contacts", 1)], 4));
    assert_well(&app);
}

#[test]
fn bad_cells_are_told_by_line_column_and_reason() {
    let (app, _, _database) = fresh();
    let people = "local_number,nhs_number,nhs_number_verified,family,given,birth_date\n\
        ,9990000017,perhaps,,,31/02/1980\n\
        1,,,A,B,2024-04-03\n\
        1,,,A,B,\n\
        2,,,A,B,\n\
        2,,,A,B,\n";
    assert_eq!(
        problems(&app, Sheet::People, people),
        [
            "line 2, column \"local_number\": is empty",
            "line 2, column \"nhs_number_verified\": is neither yes nor no",
            "line 2, column \"nhs_number\": is not a valid NHS number",
            "line 2, column \"family\": is empty, and so is the given name",
            "line 2, column \"birth_date\": is not a date as 2024-03-28 or 28/03/2024",
            "line 3, column \"birth_date\": is in the future",
            "line 6, column \"local_number\": stands twice in this file",
        ]
    );
    bring(&app, Sheet::People, PEOPLE);
    let referrals = "local_number,kind,referred_on,told_on,told_by,told_how,answer,deferred_until,supporter,ended_on,end_reason\n\
        999,clinic-request,2024-01-01,,,,,,,,\n\
        100,undetermined,2024-01-01,,,,,,,,\n\
        100,clinic-request,2024-01-01,,nurse-ada,,,,,,\n\
        100,clinic-request,2024-01-01,2024-01-01,nurse-adda,in-person,no-objection,,,,\n\
        100,clinic-request,2024-01-01,2024-01-01,dr-sen,in-person,no-objection,,,,\n\
        100,clinic-request,2024-01-01,2024-01-01,coordinator-max,in-person,no-objection,,,,\n\
        100,clinic-request,2024-01-01,2024-01-01,anna,in-person,no-objection,,,,\n\
        100,clinic-request,2024-01-01,2024-01-01,nurse-ada,in-person,,,,,\n\
        100,clinic-request,2024-01-01,2024-01-01,nurse-ada,in-person,not-now,,,,\n\
        100,clinic-request,2024-01-01,2024-01-01,nurse-ada,in-person,not-now,2029-01-01,,,\n\
        100,clinic-request,2024-01-01,,,,,,anna,,\n\
        100,clinic-request,2024-01-01,2024-01-01,nurse-ada,in-person,no-objection,,zoe,,\n\
        100,clinic-request,2024-01-01,2024-01-01,nurse-ada,in-person,no-objection,,ben,,\n\
        100,clinic-request,2024-01-01,2024-01-01,nurse-ada,in-person,no-objection,,cleo,,\n\
        100,clinic-request,2024-01-01,2024-01-02,nurse-ada,in-person,no-objection,,,2024-01-01,completed\n\
        100,clinic-request,2024-01-01,2024-01-02,nurse-ada,in-person,no-objection,,,2024-01-09,\n\
        300,clinic-request,2024-01-01,2024-01-02,nurse-ada,in-person,no-objection,,,,\n";
    let found = problems(&app, Sheet::Referrals, referrals);
    let places: Vec<_> = found.iter().map(|problem| problem.split(": ").next().unwrap().replace("column ", "").replace('"', "")).collect();
    let expected = [
        "line 2, local_number",
        "line 3, kind",
        "line 4, told_by",
        "line 5, told_by",
        "line 6, told_by",
        "line 7, told_by",
        "line 8, told_by",
        "line 9, answer",
        "line 10, deferred_until",
        "line 11, deferred_until",
        "line 12, supporter",
        "line 13, supporter",
        "line 14, supporter",
        "line 15, supporter",
        "line 16, ended_on",
        "line 17, end_reason",
        "line 18, referred_on",
    ];
    assert_eq!(places, expected, "{found:#?}");
    assert!(found[12].contains("contract") && found[13].contains("consent"), "{found:#?}");
    assert_eq!(record(&app, "100").referrals, []);
}

#[test]
fn a_referral_that_goes_on_needs_room_with_its_supporter() {
    let (app, world, _database) = fresh();
    world.set("2023-06-01T10:00:00Z".parse().unwrap());
    bring(&app, Sheet::People, PEOPLE);
    let row = |number: &str, end: &str| format!("{number},clinic-request,2023-02-01,2023-02-01,nurse-ada,in-person,ben,{end}\n");
    let heading = "local_number,kind,referred_on,told_on,told_by,told_how,supporter,ended_on,end_reason\n";
    let full = format!("{heading}{}{}", row("100", ","), row("200", ","));
    assert_eq!(problems(&app, Sheet::Referrals, &full), ["line 3, column \"supporter\": The supporter's caseload is full."]);
    // What has ended takes no room.
    bring(&app, Sheet::Referrals, &format!("{heading}{}{}", row("100", ","), row("200", "2023-03-01,completed")));
    assert_well(&app);
}

#[test]
fn history_is_added_beside_what_goes_on_and_does_not_touch_it() {
    let (app, world, _database) = fresh();
    bring(&app, Sheet::People, PEOPLE);
    let person = id(&app, "100").unwrap();
    app.command(person, Command::Refer { kind: Kind::ClinicRequest, on: date(2024, 4, 2) }, app.actor("nurse-ada").unwrap()).unwrap();
    let live = referral(&app, "100");
    world.set("2024-04-05T10:00:00Z".parse().unwrap());
    let old = "local_number,kind,referred_on,told_on,told_by,told_how,supporter,ended_on,end_reason\n\
        100,clinic-request,2023-02-01,2023-02-01,nurse-ada,in-person,ben,2023-06-30,completed\n";
    bring(&app, Sheet::Referrals, old);
    assert_eq!(record(&app, "100").referral(live.id), Some(&live));
    let overlapping = old.replace("2023-02-01", "2023-05-01").replace("2023-06-30", "2023-07-30");
    assert_eq!(
        problems(&app, Sheet::Referrals, &overlapping),
        ["line 2, column \"referred_on\": the person has another referral at that time"]
    );
    let going_on = "local_number,kind,referred_on,told_on,told_by,told_how\n100,self-referral,2024-04-01,,,\n";
    assert_eq!(
        problems(&app, Sheet::Referrals, going_on),
        ["line 2, column \"referred_on\": the person has another referral at that time"]
    );
    assert_well(&app);
}

#[test]
fn an_objection_in_a_spreadsheet_stands_and_none_is_lifted_by_one() {
    let (app, _, _database) = fresh();
    bring(&app, Sheet::People, PEOPLE);
    let before = picture(&app);
    let objects = "local_number,kind,referred_on,told_on,told_by,told_how,answer,objection_reason\n\
        100,clinic-request,2023-02-01,2023-02-01,nurse-ada,in-person,objects,privacy\n";
    let brought = bring(&app, Sheet::Referrals, objects);
    assert!(record(&app, "100").person.has_opted_out());
    assert_eq!(referral(&app, "100").status.stage(), Stage::OptedOut);
    let asks = "local_number,kind,referred_on,told_on,told_by,told_how\n100,self-referral,2024-01-01,,,\n";
    assert_eq!(problems(&app, Sheet::Referrals, asks), ["line 2, column \"local_number\": The person has opted out."]);
    assert_well(&app);
    // What was over before the objection is history, and changes nothing of it.
    let standing = record(&app, "100").person.objection;
    let earlier = "local_number,kind,referred_on,told_on,told_by,told_how,supporter,ended_on,end_reason\n\
        100,self-referral,2022-02-01,2022-02-01,nurse-ada,in-person,anna,2022-06-30,completed\n";
    let history = bring(&app, Sheet::Referrals, earlier);
    assert_eq!(record(&app, "100").person.objection, standing);
    assert_eq!(referral(&app, "100").status.stage(), Stage::OptedOut);
    assert_well(&app);
    app.undo_import(history.id).unwrap();
    app.undo_import(brought.id).unwrap();
    assert_eq!(picture(&app), before);
    assert_well(&app);
}

#[test]
fn who_died_is_not_brought_into_support() {
    let (app, _, _database) = fresh();
    bring(&app, Sheet::People, PEOPLE);
    let before = picture(&app);
    let died = "local_number,kind,referred_on,told_on,told_by,told_how,supporter,ended_on,end_reason\n\
        100,clinic-request,2023-02-01,2023-02-01,nurse-ada,in-person,ben,2023-06-30,died\n";
    let brought = bring(&app, Sheet::Referrals, died);
    assert_eq!(record(&app, "100").person.died.and_then(|death| death.on), Some(date(2023, 6, 30)));
    let later = "local_number,kind,referred_on,told_on,told_by,told_how\n100,clinic-request,2024-01-01,,,\n";
    assert_eq!(problems(&app, Sheet::Referrals, later), ["line 2, column \"referred_on\": The person has died."]);
    // What was before the death can still be told.
    let contact = "local_number,supporter,on,way,outcome,minutes\n100,ben,2023-03-01,telephone,conversation,10\n";
    let contacts = bring(&app, Sheet::Contacts, contact);
    assert_eq!(referral(&app, "100").engaged_on, Some(date(2023, 3, 1)));
    assert!(record(&app, "100").person.died.is_some());
    assert_well(&app);
    for id in [contacts.id, brought.id] {
        app.undo_import(id).unwrap();
        assert_well(&app);
    }
    assert_eq!(picture(&app), before);
}

#[test]
fn somebody_who_is_here_stays_as_the_hospital_has_them() {
    let (app, _, _database) = fresh();
    let list = "Hospital number,NHS number,NHS number traced,Surname,Forename,Date of birth,New diagnosis,Diagnosis date\n";
    let feed = app.setup.feeds["north-list"].clone();
    let taken = app.take_list(&feed, format!("{list}100,9990000018,Y,Okafor,Mimi,1980-05-02,Y,2024-03-01\n").as_bytes());
    assert!(taken.is_ok(), "{taken:?}");
    let before = record(&app, "100");
    let plan = bring(&app, Sheet::People, PEOPLE).plan;
    assert_eq!((plan.adds, plan.unchanged), (vec![("people", 2)], 1));
    assert_eq!(record(&app, "100"), before);
    let contradicting = "local_number,family,given,birth_date\n100,Okafor,Mimi,1981-05-02\n";
    assert_eq!(
        problems(&app, Sheet::People, contradicting),
        ["line 2, column \"birth_date\": is another than the one that is here under this local number"]
    );
    let elsewhere = "local_number,nhs_number,nhs_number_verified,family,given,birth_date\n101,9990000018,yes,Okafor,Mimi,1980-05-02\n";
    assert_eq!(
        problems(&app, Sheet::People, elsewhere),
        ["line 2, column \"nhs_number\": is that of somebody who is here under another local number"]
    );
}

#[test]
fn contacts_and_assessments_keep_to_the_rules_of_their_day() {
    let (app, _, _database) = fresh();
    bring_all(&app, &ALL[..2]);
    let contacts = "local_number,supporter,on,way,outcome,minutes,note\n\
        100,ben,2023-02-01,telephone,conversation,10,\n\
        100,ben,2023-07-01,telephone,conversation,10,\n\
        100,anna,2024-01-12,carrier pigeon,conversation,10,\n\
        100,anna,2024-01-12,telephone,conversation,601,\n\
        100,anna,2024-01-12,telephone,conversation,-1,\n\
        100,ben,2024-01-12,telephone,conversation,10,\n\
        100,zoe,2024-01-12,telephone,conversation,10,\n";
    let found = problems(&app, Sheet::Contacts, contacts);
    let expected = [
        "line 2, column \"on\"",
        "line 3, column \"on\"",
        "line 4, column \"way\"",
        "line 5, column \"minutes\"",
        "line 6, column \"minutes\"",
        "line 7, column \"supporter\"",
        "line 8, column \"supporter\"",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    assert!(found.iter().zip(expected).all(|(found, place)| found.starts_with(place)), "{found:#?}");
    let assessments = "local_number,assessed_on,supporter,instrument,nervous,worrying,happiness\n\
        100,2024-01-12,anna,phq4,1,2,\n\
        100,2024-01-12,anna,phq9,1,2,\n\
        100,2024-01-12,anna,phq4,7,2,\n\
        100,2024-01-12,anna,phq4,,,\n\
        100,2024-01-12,anna,phq4,1,1,5\n";
    let found = problems(&app, Sheet::Assessments, assessments);
    let expected = [
        "line 2, column \"assessed_on\": An assessment needs a first conversation.",
        "line 3, column \"instrument\": there is no instrument of this name",
        "line 4, column \"nervous\": is not one of the answers",
        "line 5, column \"instrument\": has no answer in this row",
        "line 6, column \"happiness\": is not a question of this instrument",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_hostile_file_is_refused_and_nothing_is_kept() {
    let (app, _, _database) = fresh();
    let before = picture(&app);
    let long = format!("local_number,family,given,birth_date\n1,{},B,\n", "a".repeat(1 << 20));
    let wide = format!("local_number,family,given,birth_date{}\n", ",x".repeat(100_000));
    let nul = "local_number,family,given,birth_date\n1,A\0,B,\n".to_owned();
    let open = "local_number,family,given,birth_date\n1,\"A,B,\n2,A,B,\n".to_owned();
    for (text, place) in [
        (long, "line 2, column 2"),
        (wide, "line 1"),
        (nul, "line 2, column \"family\""),
        (open, "line 2, column 2"),
        (String::new(), "file"),
    ] {
        for sheet in [Sheet::People, Sheet::Referrals, Sheet::Contacts, Sheet::Assessments] {
            let found = problems(&app, sheet, &text);
            assert!(!found.is_empty());
            if sheet == Sheet::People {
                assert!(found[0].starts_with(place), "{found:?}");
            }
        }
    }
    assert_eq!(picture(&app), before);
    assert!(matches!(app.import("nowhere", Sheet::People, PEOPLE.as_bytes()), Err(Failure::Invalid(_))));
}

#[test]
fn the_storys_spreadsheet_comes_in_and_its_three_bad_rows_are_told() {
    let database = TestDatabase::new(Engine::Sqlite);
    let setup = Setup::read(include_str!("../simulate/demo.toml"), &Extra::default()).unwrap();
    let world = Arc::new(FixedWorld::new("2024-04-02T08:30:00Z".parse().unwrap()));
    let app = App::new(Store::open(database.url()).unwrap(), Arc::new(setup), world as Arc<dyn World>, crate::testing::keys());
    let sheet = spreadsheet(2025);
    let import = |kind, text: &str| app.import(sheet.site, kind, text.as_bytes());
    import(Sheet::People, &sheet.people).unwrap();
    let Err(Failure::Invalid(bad)) = import(Sheet::Referrals, &sheet.referrals_with_bad_rows) else { panic!("taken") };
    let told: Vec<_> = bad.iter().map(|problem| format!("{}: {}", problem.place, problem.what)).collect();
    assert_eq!(
        told,
        [
            "line 6, column \"referred_on\": is not a date as 2024-03-28 or 28/03/2024",
            "line 12, column \"local_number\": is nobody's who is known here: bring the people first",
            "line 18, column \"ended_on\": is before the referral began",
        ]
    );
    let referrals = import(Sheet::Referrals, &sheet.referrals).unwrap_or_else(|failure| panic!("{failure}"));
    let contacts = import(Sheet::Contacts, &sheet.contacts).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(referrals.plan.adds, [("referrals", referrals.plan.rows)]);
    assert_eq!(contacts.plan.adds, [("contacts", contacts.plan.rows)]);
    let stages = app.store.read(reading::all_stages).unwrap();
    assert!(stages.iter().all(|(_, stage)| *stage == Stage::Ended));
    assert_well(&app);
}

#[test]
fn the_operator_is_named_in_the_journal_and_no_content_is() {
    let (app, _, _database) = fresh();
    bring_all(&app, &ALL);
    let person = id(&app, "100").unwrap();
    let lines = app.store.read(|tx| journal::of_person(tx, person)).unwrap();
    assert!(lines.iter().all(|event| matches!(event.cause, alongside_domain::decision::Cause::Import(_))));
    assert!(lines.iter().filter(|event| event.what != What::NoticeRecorded).any(|event| event.actor == Actor::Operator));
    let text = format!("{lines:?}");
    assert!(["Okafor", "Miriam", "9990000018", "Spoke"].iter().all(|content| !text.contains(content)), "{text}");
}
