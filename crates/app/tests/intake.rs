//! The middle boundary: messages in, acknowledgements and state out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop here")]

use std::sync::Arc;

use alongside_app::intake::Fate;
use alongside_app::testing::{FixedWorld, app};
use alongside_app::{App, reporting};
use alongside_domain::calendar::Period;
use alongside_domain::ledger::{Ledger, Standing};
use alongside_store::{DatabaseUrl, Store};
use jiff::civil::date;
use proptest::prelude::*;

struct House {
    app: App,
    world: Arc<FixedWorld>,
    _folder: tempfile::TempDir,
}

fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&DatabaseUrl::file(folder.path().join("a.db"))).unwrap();
    let world = FixedWorld::at("2024-06-03T10:00:00Z".parse().unwrap());
    House { app: app(store, Arc::clone(&world)), world, _folder: folder }
}

impl House {
    fn send(&self, message: &str) -> Fate {
        self.send_to("chelwest", message.as_bytes()).0
    }

    fn send_to(&self, feed: &str, bytes: &[u8]) -> (Fate, String) {
        let answered = self.app.receive(&self.app.setup.feeds[feed], bytes);
        let acknowledgement = answered.acknowledgement.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (answered.fate, acknowledgement.unwrap_or_default())
    }

    fn ledger(&self) -> Ledger {
        let period = Period { from: date(2000, 1, 1), to: date(2030, 1, 1) };
        reporting::ledger(&self.app, "chelwest", period).unwrap()
    }

    fn triggers(&self) -> u64 {
        self.ledger().triggers
    }
}

/// A message head of the simulated Millennium.
fn head(kind: &str, control: &str) -> String {
    format!("MSH|^~\\&|HNAM|RQM|ALONGSIDE|RQM|20240603095500||{kind}|{control}|P|2.3\r")
}

fn pid(number: &str, family: &str, born: &str) -> String {
    format!("PID|1||{number}^^^RQM MRN^MRN||{family}^ADA^^^^^CURRENT||{born}|2\r")
}

/// A result: control id, local number, filler number, code, value, status.
fn result(control: &str, number: &str, filler: &str, code: &str, value: &str, status: &str) -> String {
    let (head, pid) = (head("ORU^R01", control), pid(number, "CANARYNAME", "19850214"));
    format!(
        "{head}{pid}OBR|1||{filler}|{code}^HIV TEST|||20240603080000\rOBX|1|ST|{code}^HIV TEST||{value}||||||{status}|||20240603090000\r"
    )
}

fn confirmed(control: &str, number: &str) -> String {
    result(control, number, &format!("F{number}"), "HIVCF", "HIV-1 CONFIRMED", "F")
}

#[test]
fn only_a_confirmed_final_result_triggers() {
    for (code, value, status) in [
        ("HIVAGAB", "REACTIVE", "F"),
        ("HIVPOCT", "REACTIVE", "F"),
        ("HIVCF", "NEGATIVE", "F"),
        ("HIVCF", "INDETERMINATE", "F"),
        ("HIVCF", "HIV-1 CONFIRMED", "P"),
        ("HIVCF", "HIV-1 CONFIRMED", "R"),
        ("HIVCF", "HIV-1 CONFIRMED", "I"),
    ] {
        let house = house();
        assert_eq!(house.send(&result("1", "700001", "F1", code, value, status)), Fate::Discarded, "{code} {value} {status}");
        assert_eq!(house.triggers(), 0);
    }
    let house = house();
    assert_eq!(house.send(&confirmed("1", "700001")), Fate::Applied);
    assert_eq!(house.ledger().count(Standing::AwaitingNotice), 1);
}

#[test]
fn a_request_for_a_test_is_nobodys_concern() {
    let house = house();
    let order = format!("{}{}ORC|NW|P1\rOBR|1|P1||HIVCF^HIV CONFIRMATION\r", head("ORM^O01", "1"), pid("700001", "A", "19850214"));
    assert_eq!(house.send(&order), Fate::Discarded);
    assert_eq!(house.triggers(), 0);
}

#[test]
fn an_infants_antibodies_say_nothing_and_a_seventeen_year_old_is_a_question() {
    let house = house();
    assert_eq!(house.send(&confirmed("1", "700001").replace("19850214", "20240101")), Fate::Discarded);
    assert_eq!(house.send(&confirmed("2", "700002").replace("19850214", "20070101")), Fate::Applied);
    assert_eq!(house.ledger().count(Standing::Question), 1);
    assert_eq!(house.triggers(), 1);
}

#[test]
fn a_result_without_a_status_or_in_a_message_of_two_people_waits_for_a_person() {
    let house = house();
    assert_eq!(house.send(&result("1", "700001", "F1", "HIVCF", "HIV-1 CONFIRMED", "")), Fate::Quarantined);
    let two = format!("{}{}", confirmed("2", "700002"), pid("700003", "OTHER", "19900101"));
    assert_eq!(house.send(&two), Fate::Quarantined);
    assert_eq!((house.triggers(), house.ledger().set_aside), (0, 2));
}

#[test]
fn a_result_under_another_persons_name_waits_for_a_person() {
    let house = house();
    house.send(&confirmed("1", "700001"));
    let other =
        result("2", "700001", "F2", "HIVCF", "HIV-2 CONFIRMED", "F").replace("CANARYNAME^ADA", "OTHER^BEN").replace("19850214", "19600101");
    assert_eq!(house.send(&other), Fate::Quarantined);
}

#[test]
fn a_corrected_result_stops_what_it_started_in_either_order() {
    for withdrawn_first in [false, true] {
        let house = house();
        // The person must be known for a withdrawal that overtakes its result to have somebody to be about.
        house
            .app
            .take_list(&house.app.setup.feeds["chelwest-list"], b"Hospital number,New diagnosis,Date of birth\n700001,,14/02/1985\n")
            .unwrap();
        let (result_of, corrected) = (confirmed("1", "700001"), result("2", "700001", "F700001", "HIVCF", "NEGATIVE", "C"));
        let order = if withdrawn_first { [corrected, result_of] } else { [result_of, corrected] };
        for message in &order {
            assert_eq!(house.send(message), Fate::Applied);
        }
        assert_eq!(house.ledger().count(Standing::AwaitingNotice), 0);
        assert!(house.ledger().balances());
    }
    let house = house();
    assert_eq!(house.send(&result("9", "700009", "F9", "HIVCF", "NEGATIVE", "C")), Fate::Quarantined);
}

#[test]
fn an_unknown_code_with_a_watched_word_is_set_aside_and_one_without_is_not() {
    let house = house();
    assert_eq!(house.send(&result("1", "700001", "F1", "HIVNEW", "POSITIVE", "F")), Fate::Quarantined);
    assert_eq!(house.send(&result("2", "700001", "F1", "GLU", "5.1", "F").replace("HIV TEST", "GLUCOSE")), Fate::Discarded);
}

#[test]
fn a_duplicate_gets_the_same_answer_and_changes_nothing() {
    let house = house();
    let (fate, first) = house.send_to("chelwest", confirmed("C-1", "700001").as_bytes());
    let (again, second) = house.send_to("chelwest", confirmed("C-1", "700001").as_bytes());
    assert_eq!((fate, again), (Fate::Applied, Fate::Duplicate));
    for answer in [&first, &second] {
        assert!(answer.contains("MSA|AA|C-1"), "{answer}");
    }
    assert_eq!(house.triggers(), 1);
    // The same control id with another content is another message.
    assert_eq!(house.send(&confirmed("C-1", "700002")), Fate::Applied);
}

#[test]
fn what_is_no_message_is_kept_and_answered() {
    let house = house();
    let (fate, answer) = house.send_to("chelwest", b"\x00\xff garbage");
    assert_eq!(fate, Fate::Quarantined);
    assert!(answer.contains("MSA|AA"), "{answer}");
    assert_eq!(house.ledger().set_aside, 1);
}

#[test]
fn a_message_that_names_nobody_may_matter_and_waits_for_a_person() {
    let house = house();
    assert_eq!(house.send(&head("ADT^A08", "1")), Fate::Quarantined);
    assert_eq!(house.send(&format!("{}PID|1||||NOBODY\r", head("ADT^A08", "2"))), Fate::Quarantined);
    assert_eq!(house.send(&format!("{}PI|1||700001^^^RQM MRN^MRN\r", head("ADT^A08", "3"))), Fate::Quarantined);
    assert_eq!(house.send(&format!("{}{}", head("ADT^A08", "4"), pid("700001", "A", "19850214"))), Fate::Discarded);
}

#[test]
fn a_merge_that_a_person_must_look_at_joins_nothing() {
    let house = house();
    house.send(&confirmed("1", "700001"));
    house.send(&confirmed("2", "700002"));
    let other = pid("700001", "OTHER", "19600101").replace("^ADA", "^BEN");
    let merge = format!("{}{other}MRG|700002^^^RQM MRN^MRN\rDG1|1||B24^X^I10||20240510\r", head("ADT^A40", "3"));
    assert_eq!(house.send(&merge), Fate::Quarantined);
    assert!(house.app.merges().unwrap().is_empty());
}

#[test]
fn a_test_message_is_rejected_by_a_production_feed_and_an_acknowledgement_is_not_answered() {
    let house = house();
    let (fate, answer) = house.send_to("chelwest", confirmed("1", "700001").replace("|P|2.3", "|T|2.3").as_bytes());
    assert_eq!(fate, Fate::Refused);
    assert!(answer.contains("MSA|AR|1"), "{answer}");
    let (fate, answer) = house.send_to("chelwest", format!("{}MSA|AA|9\r", head("ACK", "2")).as_bytes());
    assert_eq!((fate, answer.as_str()), (Fate::Discarded, ""));
    assert_eq!(house.triggers(), 0);
}

#[test]
fn a_merge_joins_known_records_and_leaves_strangers_alone() {
    let house = house();
    house.send(&confirmed("1", "700001"));
    house.send(&confirmed("2", "700002"));
    let merge = |control: &str, survivor: &str, retired: &str| {
        format!("{}{}MRG|{retired}^^^RQM MRN^MRN\r", head("ADT^A40", control), pid(survivor, "CANARYNAME", "19850214"))
    };
    assert_eq!(house.send(&merge("3", "800001", "800002")), Fate::Discarded);
    assert_eq!(house.send(&merge("4", "700001", "700002")), Fate::Applied);
    assert_eq!(house.ledger().count(Standing::AwaitingNotice), 2, "both triggers stand behind the one referral that goes on");
    // The retired number answers for the survivor from now on.
    assert_eq!(house.send(&result("5", "700002", "F5", "HIVVL", "<20", "F")), Fate::Applied);
    // An unknown number merged into a known one becomes another number of that person.
    assert_eq!(house.send(&merge("6", "700001", "900001")), Fate::Applied);
    assert_eq!(house.send(&result("7", "900001", "F7", "HIVVL", "<20", "F")), Fate::Applied);
    assert!(house.app.examine().unwrap().is_well());
}

#[test]
fn a_list_with_bad_rows_is_refused_whole_with_their_places() {
    let house = house();
    let feed = &house.app.setup.feeds["chelwest-list"];
    let csv =
        "Hospital number,Surname,New diagnosis,Diagnosis date\n1,A,Y,01/05/2024\n2,B,Y,\n3,C,perhaps,\n,D,N,\n1,E,N,\n4,F,Y,31/02/2024\n";
    let Err(alongside_app::Failure::Invalid(problems)) = house.app.take_list(feed, csv.as_bytes()) else { panic!("it must be refused") };
    let places: Vec<_> = problems.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "line 3, column \"Diagnosis date\"",
            "line 4, column \"New diagnosis\"",
            "line 5, column \"Hospital number\"",
            "line 6, column \"Hospital number\"",
            "line 7, column \"Diagnosis date\"",
            "line 7, column \"Diagnosis date\"",
        ]
    );
    assert_eq!(house.triggers(), 0);
}

#[test]
fn nothing_is_left_of_somebody_who_is_none_of_our_business() {
    let house = house();
    for n in 0..50 {
        let adt = format!(
            "{}{}PV1|1|O|WARD9\r",
            head("ADT^A08", &format!("CTL-CANARY-{n}")),
            pid(&format!("CANARYMRN{n}"), "CANARYNAME", "19850214")
        );
        assert_eq!(house.send(&adt), Fate::Discarded);
    }
    house.send(&confirmed("7", "700001").replace("CANARYNAME", "KNOWNNAME"));
    house.app.flush().unwrap();
    let bytes: Vec<u8> =
        std::fs::read_dir(house._folder.path()).unwrap().flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!holds("CANARY"), "something is left of a stranger");
    // The control: what is kept can be found this way.
    assert!(holds("KNOWNNAME"));
}

/// The messages of one person's story, in any order.
fn messages_about(number: &str) -> Vec<String> {
    let visit = |control: &str, day: &str, kind: &str| {
        format!(
            "{}{}PV1|1|O|KOBLER||||||||||||||||V{day}\r",
            head(kind, control).replace("20240603095500", &format!("{day}090000")),
            pid(number, "NAME", "19850214")
        )
    };
    vec![
        confirmed("1", number),
        result("2", number, &format!("F{number}"), "HIVCF", "NEGATIVE", "C"),
        visit("3", "20220105", "ADT^A04"),
        visit("4", "20240510", "ADT^A04"),
        visit("5", "20240510", "ADT^A11"),
        format!("{}{}ORC|NW|O1\rOBR|1|O1||WELLSUP^WELLBEING SUPPORT\r", head("ORM^O01", "6"), pid(number, "NAME", "19850214")),
        format!("{}{}ORC|CA|O1\rOBR|1|O1||WELLSUP^WELLBEING SUPPORT\r", head("ORM^O01", "7"), pid(number, "NAME", "19850214")),
        format!("{}{}DG1|1||B24^HIV DISEASE^I10||20240510\r", head("ADT^A08", "8"), pid(number, "NAME", "19850214")),
        format!("{}{}MRG|OLD{number}^^^RQM MRN^MRN\r", head("ADT^A40", "9"), pid(number, "NAME", "19850214")),
        confirmed("10", &format!("OLD{number}")),
        format!("{}{}", head("ADT^A08", "11"), pid(number, "NAME", "19850214").trim_end().to_owned() + "||||||||||||||||||||||Y\r"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn in_whatever_order_messages_come_every_trigger_is_accounted_for(order in Just(messages_about("700001")).prop_shuffle()) {
        let house = house();
        for message in &order {
            let fate = house.send(message);
            prop_assert_ne!(fate, Fate::Refused);
            let ledger = house.ledger();
            prop_assert!(ledger.balances(), "{:?}", ledger);
        }
        house.world.set("2024-07-01T10:00:00Z".parse().unwrap());
        for message in &order {
            prop_assert_ne!(house.send(message), Fate::Refused);
        }
        prop_assert!(house.ledger().balances());
        prop_assert!(house.app.examine().unwrap().is_well());
    }
}
