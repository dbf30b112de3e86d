//! What goes back to a record: each once, in order, to the right person.

use alongside_domain::command::Command;
use alongside_domain::id::PersonId;
use alongside_domain::notice::{Answer as Told, How, Telling};
use alongside_domain::person::SiteId;
use alongside_domain::sending::{Answer, Parked, State, TRIES_MAX};
use alongside_hl7v2::{Message, Options};
use alongside_store::sending::{self, Sending};
use alongside_store::testing::both_engines;
use jiff::SignedDuration;

use super::ToSend;
use crate::intake::{Fate, person_by_number};
use crate::setup::Feed;
use crate::testing::{FixedWorld, SETUP, service_of};
use crate::{App, World};

fn on_both(test: impl Fn(App, &FixedWorld, &Feed)) {
    let setup = SETUP.replace("profile = \"careflow\"", "profile = \"careflow\"\nsend = \"127.0.0.1:1\"");
    both_engines(|store| {
        let (app, world) = service_of(store, &setup);
        let feed = app.setup.feeds["north"].clone();
        test(app, &world, &feed);
    });
}

fn orders(app: &App, number: &str, mrn: &str) -> PersonId {
    let message = format!(
        "MSH|^~\\&|CAREFLOW|RAP|TIE|RAP|20240402090000||REF^I12|C{number}|P|2.4\rRF1||||||{number}||||WELLSUP\r\
         PID|1||{mrn}^^^RAP^MR||OKAFOR^MIRIAM||19800502|2\r"
    );
    let answered = app.receive(&app.setup.feeds["north"], message.as_bytes());
    assert_eq!(answered.fate, Fate::Applied, "{message}");
    person_by_number(&app.store, &SiteId("north".into()), mrn).unwrap()
}

fn tells(app: &App, person: PersonId) {
    let telling = Telling {
        on: app.today(),
        how: How::InPerson,
        knows_diagnosis: true,
        told_of_support: true,
        consents_to_outside: false,
        answer: Told::NoObjection,
    };
    let referral = app.record(person).unwrap().referrals[0].id;
    app.command(person, Command::RecordNotice { referral, telling }, app.actor("nurse-ada").unwrap()).unwrap();
}

fn next(app: &App, feed: &Feed) -> Option<ToSend> {
    app.next_to_send(feed).unwrap()
}

fn field(message: &ToSend, place: &str) -> String {
    let parsed = Message::parse(&message.bytes, &Options::default()).unwrap();
    parsed.get(place).map(|value| value.text().into_owned()).unwrap_or_default()
}

fn of_person(app: &App, person: PersonId) -> Vec<Sending> {
    app.store.read(|tx| sending::of_person(tx, person)).unwrap()
}

#[test]
fn an_order_is_answered_in_its_own_kind_and_each_change_once_in_order() {
    on_both(|app, world, feed| {
        let person = orders(&app, "R1", "m-1");
        let first = next(&app, feed).unwrap();
        let said = |place: &str| field(&first, place);
        assert_eq!((said("MSH-9.1"), said("MSH-9.2"), said("MSH-12")), ("RRI".into(), "I12".into(), "2.4".into()));
        assert_eq!(
            (said("MSH-5"), said("MSH-6"), said("RF1-1.1"), said("RF1-6.1")),
            ("CAREFLOW".into(), "RAP".into(), "P".into(), "R1".into())
        );
        assert_eq!(
            (said("PID-3.1"), said("PID-3.4"), said("PID-3.5"), said("PID-7")),
            ("m-1".into(), "RAP".into(), "MR".into(), "19800502".into())
        );
        let text = String::from_utf8(first.bytes.clone()).unwrap().to_uppercase();
        assert!(!text.contains("HIV") && !text.contains("PEER") && !text.contains("MSA"));

        // It changes before the first one was taken: the second waits for it.
        tells(&app, person);
        assert_eq!(next(&app, feed).unwrap(), first, "the same message, to the letter");
        app.note_sent(first.position, Answer::None, None).unwrap();
        assert_eq!(next(&app, feed), None, "after a pause");
        world.set(world.now() + SignedDuration::from_hours(24));
        assert_eq!(next(&app, feed).unwrap(), first, "a day later too");
        app.note_sent(first.position, Answer::Accepted, Some("ACK-17")).unwrap();
        let second = next(&app, feed).unwrap();
        assert_eq!(field(&second, "NTE-3"), "waiting for somebody");
        // The answer to the first one comes once more.
        app.note_sent(first.position, Answer::Refused, None).unwrap();
        app.note_sent(second.position, Answer::Accepted, Some("ACK-18")).unwrap();
        assert_eq!(next(&app, feed), None);
        let receipts: Vec<_> = of_person(&app, person).into_iter().map(|sent| (sent.state, sent.receipt)).collect();
        assert_eq!(receipts, [(State::Sent, Some("ACK-18".to_owned())), (State::Sent, Some("ACK-17".to_owned()))]);
    });
}

#[test]
fn what_is_refused_waits_for_a_person_and_holds_nobody_else_up() {
    on_both(|app, world, feed| {
        let (one, _other) = (orders(&app, "R1", "m-1"), orders(&app, "R2", "m-2"));
        let first = next(&app, feed).unwrap();
        app.note_sent(first.position, Answer::Refused, Some("N1")).unwrap();
        tells(&app, one);
        let other = next(&app, feed).unwrap();
        assert_eq!(field(&other, "RF1-6.1"), "R2");
        for _ in 0..TRIES_MAX {
            let again = next(&app, feed).unwrap();
            assert_eq!(again.position, other.position);
            app.note_sent(again.position, Answer::NotNow, None).unwrap();
            world.set(world.now() + SignedDuration::from_hours(1));
        }
        assert_eq!(next(&app, feed), None, "the second of the first person waits behind what is parked");
        let parked = app.store.read(|tx| sending::parked(tx, "north", 10)).unwrap();
        let why: Vec<_> = parked.iter().map(|parked| parked.parked).collect();
        assert_eq!(why, [Some(Parked::Refused), Some(Parked::NotTaken)]);
        assert_eq!(app.store.read(|tx| sending::open(tx, "north")).unwrap().all, 3);

        let engineer = |change: fn(&App, &mut alongside_store::Tx<'_>, Sending) -> Result<(), crate::Failure>, parked: Sending| {
            let app = app.clone();
            app.store.clone().write(move |tx| change(&app, tx, parked.clone())).unwrap();
        };
        engineer(App::leave_out, parked[1].clone());
        engineer(App::send_again, parked[0].clone());
        assert_eq!(next(&app, feed).unwrap(), first);
        app.note_sent(first.position, Answer::Accepted, None).unwrap();
        assert_eq!(field(&next(&app, feed).unwrap(), "RF1-6.1"), "R1");
    });
}

#[test]
fn nothing_goes_into_a_record_that_may_be_somebody_elses_until_a_person_looked() {
    on_both(|app, _, feed| {
        let person = orders(&app, "R1", "m-1");
        let corrected = "MSH|^~\\&|CAREFLOW|RAP|TIE|RAP|20240402091000||ADT^A08|X1|P|2.4\rEVN|A08|20240402091000\r\
                         PID|1||m-1^^^RAP^MR||OKAFOR^MIRIAM||19810502|2\r";
        assert_eq!(app.receive(feed, corrected.as_bytes()).fate, Fate::Applied);
        assert_eq!(next(&app, feed), None);
        let [parked] = of_person(&app, person).try_into().unwrap();
        assert_eq!((parked.state, parked.parked), (State::Parked, Some(Parked::OtherPerson)));
        let again = app.clone();
        app.store.write(move |tx| again.send_again(tx, parked.clone())).unwrap();
        assert_eq!(field(&next(&app, feed).unwrap(), "RF1-6.1"), "R1");
    });
}

#[test]
fn an_order_of_the_older_kind_is_answered_as_one_and_a_withdrawal_is_told() {
    on_both(|app, _, feed| {
        let order = |control: &str, id: &str| {
            format!(
                "MSH|^~\\&|CF|RAP|TIE|RAP|20240402090000||ORM^O01|{id}|P|2.3\rPID|1||m-3^^^RAP^MR||OKAFOR^MIRIAM||19800502|2\r\
                 ORC|{control}|O-7\rOBR|1|O-7||WELLSUP\r"
            )
        };
        assert_eq!(app.receive(feed, order("NW", "1").as_bytes()).fate, Fate::Applied);
        let told = next(&app, feed).unwrap();
        let said = |message: &ToSend, place: &str| field(message, place);
        assert_eq!((said(&told, "MSH-9.1"), said(&told, "ORC-1"), said(&told, "ORC-2.1")), ("ORM".into(), "SC".into(), "O-7".into()));
        app.note_sent(told.position, Answer::Accepted, None).unwrap();
        assert_eq!(app.receive(feed, order("CA", "2").as_bytes()).fate, Fate::Applied);
        let cancelled = next(&app, feed).unwrap();
        assert_eq!((said(&cancelled, "ORC-5"), said(&cancelled, "NTE-3")), ("CA".into(), "cancelled".into()));
        // The same order again is no second one.
        assert_eq!(app.receive(feed, order("XO", "3").as_bytes()).fate, Fate::Applied);
        app.note_sent(cancelled.position, Answer::Accepted, None).unwrap();
        assert_eq!(next(&app, feed), None);
    });
}
