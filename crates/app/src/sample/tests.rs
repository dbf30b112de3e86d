use alongside_store::testing::both_engines;

use super::*;
use crate::intake::Fate;
use crate::simulate::{Happening, Scale, year};
use crate::testing::FixedWorld;

/// What a hospital of the invented year sends about those whom the service is for, each message once.
fn of_hospital(feed: &str) -> Vec<Vec<u8>> {
    let mut seen = BTreeSet::new();
    let sent = year(2024, Scale { crowd: 0.0 }).filter_map(|event| match event.what {
        Happening::Message { feed: of, bytes } if of == feed => Some(bytes),
        _ => None,
    });
    sent.filter(|bytes| seen.insert(bytes.clone())).collect()
}

fn look_at(messages: &[Vec<u8>]) -> Findings {
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    look(&messages, &[], &[]).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn words(text: &str) -> BTreeSet<String> {
    text.split(|one: char| !one.is_alphanumeric()).map(str::to_uppercase).collect()
}

#[test]
fn each_hospital_is_recognised_and_nobody_of_its_people_is_told() {
    for (feed, profile, organisation) in [("chelwest", "cerner-millennium", "RQM"), ("northmid", "careflow", "RAP")] {
        let messages = of_hospital(feed);
        let findings = look_at(&messages);
        let best = &findings.fits[0];
        assert_eq!((best.profile.as_str(), best.organisations.contains(&organisation.to_owned())), (profile, true), "{best:?}");
        assert_eq!(best.applied + best.discarded + best.set_aside, messages.len() as u64);
        let told = words(&to_text(&findings));
        for bytes in &messages {
            let Ok(message) = Message::parse(bytes, &Options::default()) else { continue };
            for place in ["PID-3.1", "PID-5.1", "PID-5.2", "PID-7.1", "PID-13.1", "PV1-19.1", "OBR-3.1"] {
                let value = message.get(place).map(|value| value.text().into_owned()).unwrap_or_default();
                assert!(words(&value).iter().filter(|word| word.len() > 2).all(|word| !told.contains(word)), "{feed}, {place}");
            }
        }
    }
}

#[test]
fn what_is_foretold_of_messages_becomes_of_them() {
    both_engines(|store| {
        let app = crate::testing::app(store, FixedWorld::at("2025-01-06T08:30:00Z".parse().unwrap_or_default()));
        let messages = of_hospital("chelwest");
        let best = look_at(&messages).fits.remove(0);
        let mut fates: BTreeMap<Fate, u64> = BTreeMap::new();
        for bytes in &messages {
            *fates.entry(app.receive(&app.setup.feeds["chelwest"], bytes).fate).or_default() += 1;
        }
        let of = |fate: Fate| fates.get(&fate).copied().unwrap_or(0);
        assert_eq!((best.applied, best.discarded, best.set_aside), (of(Fate::Applied), of(Fate::Discarded), of(Fate::Quarantined)));
    });
}

/// An arrival of somebody, at a place.
fn arrival(number: u32, place: &str) -> Vec<u8> {
    format!(
        "MSH|^~\\&|CERNER|RQM|TIE|RQM|20250102091400||ADT^A04|{number}|P|2.3\r\
         PID|1||77{number:05}^^^RQM MRN^MRN||ASHDOWN^MIRIAM||19900502|F\rPV1|1|O|{place}\r"
    )
    .into_bytes()
}

#[test]
fn what_stands_in_the_place_of_a_code_for_one_person_is_not_told() {
    let mut messages: Vec<_> = (1..=5).map(|number| arrival(number, "WARD7")).collect();
    messages.extend([
        arrival(6, "OKONKWO"),
        arrival(6, "OKONKWO"),
        arrival(7, "9990000018"),
        arrival(8, "9990000018"),
        arrival(9, "9990000018"),
    ]);
    let findings = look_at(&messages);
    assert_eq!(findings.contents.locations.told(), (vec![("WARD7", 5)], 5));
    let text = to_text(&findings);
    assert!(text.contains("WARD7 (5), 5 not told") && !text.contains("OKONKWO") && !text.contains("99900"), "{text}");
}

#[test]
fn what_the_rules_would_miss_is_said() {
    let best = look_at(&[arrival(1, "WARD7")]).fits.remove(0);
    assert_eq!((best.applied, best.discarded, best.set_aside), (0, 1, 0));
    let missing = best.missing.join("\n");
    for expected in [
        "no message has an NHS number",
        "no attendance at the clinic: 1 arrivals, none at KOBLER, 56DEAN-HIV",
        "no result under a code that confirms",
        "no merge (A40)",
        "no order under the code WELLSUP",
    ] {
        assert!(missing.contains(expected), "{expected} is not in\n{missing}");
    }
    let nobody = look_at(&[b"MSH|^~\\&|X|Y|||20250102091400||ADT^A04|1|P|2.3\rPID|1||1^^^ELSEWHERE^PI\r".to_vec()]);
    assert!(to_text(&nobody).contains("None fits"));
    assert!(look_at(&[b"no message".to_vec()]).contents.unreadable.values().sum::<u64>() == 1);
}
