//! The invented year, played through the application on both engines: the figures come out, the ledger balances, the
//! journal agrees with the state, and every statement of the store ran on both.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop here")]

use std::sync::Arc;

use alongside_app::Desk;
use alongside_app::desk::{ContactForm, DraftForm, Ending, OwnDetails};
use alongside_app::importing::Sheet;
use alongside_app::intake::Fate;
use alongside_app::letters::{Letter, Post};
use alongside_app::pages::{AccessAsked, Chosen, Order, RawPage, TeamFilter, Whose, WorklistKind};
use alongside_app::personal::Saying;
use alongside_app::simulate::{Happening, SPREADSHEET_DAY, Scale, spreadsheet, year};
use alongside_app::testing::{
    FixedWorld, a_record_asks_and_withdraws, a_record_has_cards_and_brings_answers, a_record_is_told, app, keys_come_and_go,
};
use alongside_app::{App, Failure, london_date, reporting};
use alongside_domain::calendar::Period;
use alongside_domain::command::Command;
use alongside_domain::concern::{ConcernForm, Urgency};
use alongside_domain::contact::{Outcome as ContactOutcome, Way};
use alongside_domain::decision::Actor;
use alongside_domain::glass::Finding;
use alongside_domain::id::{OutgoingId, PersonId, ReferralId};
use alongside_domain::ledger::Standing;
use alongside_domain::measures::{Audience, Cell, Figure, Report};
use alongside_domain::passport::Item;
use alongside_domain::person::SiteId;
use alongside_domain::referral::Stage;
use alongside_domain::safe_contact::{Channel, SafeContactForm};
use alongside_domain::supporter::StaffId;
use alongside_store::audit::{self, Entry, Outcome};
use alongside_store::page_reads::Slice;
use alongside_store::{Store, StoreError, all_statements, messages, reading, testing};
use jiff::Timestamp;
use jiff::civil::{Date, date};

/// Plays the year as the demo does, without sockets.
fn play(app: &App, world: &FixedWorld) {
    let mut day = Date::MIN;
    for event in year(7, Scale { crowd: 0.0005 }) {
        world.set(event.at);
        if london_date(event.at) != day {
            day = london_date(event.at);
            if day == SPREADSHEET_DAY {
                app.import_spreadsheet(&spreadsheet(7)).unwrap();
            }
            app.flush().unwrap();
            app.tick().unwrap();
            app.dispatch(&mut Letters::default()).unwrap();
        }
        match event.what {
            Happening::Message { feed, bytes } => {
                let answered = app.receive(&app.setup.feeds[feed], &bytes);
                assert_ne!(answered.fate.code(), "refused", "a message of {feed} on {day}");
            }
            Happening::List { feed, csv } => {
                app.take_list(&app.setup.feeds[feed], csv.as_bytes()).unwrap();
            }
            Happening::Act { site, mrn, act } => {
                let name = act.name();
                app.perform(site, &mrn, act).unwrap_or_else(|failure| panic!("{name} on {day}: {failure}"));
            }
        }
    }
    app.flush().unwrap();
}

fn played(store: Store) -> (App, Arc<FixedWorld>) {
    let world = FixedWorld::at(Timestamp::UNIX_EPOCH);
    let app = app(store, Arc::clone(&world));
    play(&app, &world);
    (app, world)
}

fn figure(report: &Report, id: &str) -> Figure {
    report.measures.iter().find(|measure| measure.id == id).unwrap_or_else(|| panic!("no measure {id}")).figure
}

fn count(value: u64, previous: Option<u64>) -> Figure {
    Figure::Count { value: Cell::Shown(value), previous: previous.map(Cell::Shown) }
}

fn figures_come_out(app: &App) {
    let quarter = "2024-Q4".parse().unwrap();
    let report = |site: &str| reporting::report(app, site, quarter, Audience::Service).unwrap();
    let (west, north) = (report("chelwest"), report("northmid"));
    assert_eq!(figure(&west, "people-supported"), count(126, Some(92)));
    let engaged = figure(&west, "newly-diagnosed-engaged");
    assert!(matches!(engaged, Figure::Share { numerator: Cell::Shown(45), denominator: Cell::Shown(76), .. }), "{engaged:?}");
    for (group, people) in [("opted-out", 12), ("deferred", 5), ("moved", 6), ("contacting", 4), ("awaiting-notice", 4)] {
        assert_eq!(figure(&west, &format!("newly-diagnosed-{group}")), count(people, None), "{group}");
    }
    assert!(matches!(figure(&north, "people-supported"), Figure::Count { value: Cell::Shown(19), .. }));
    assert_eq!(figure(&north, "supported-newly-diagnosed-from-clinic"), count(5, None));
}

fn ledger_balances(app: &App) {
    let period = Period { from: date(2024, 1, 1), to: date(2025, 1, 6) };
    for site in ["chelwest", "northmid"] {
        let ledger = reporting::ledger(app, site, period).unwrap();
        assert!(ledger.triggers > 0);
        assert_eq!(ledger.count(Standing::Unaccounted), 0);
    }
    let findings = app.examine().unwrap();
    assert!(findings.is_well(), "{findings:?}");
}

/// Every list that the clinics sent agrees with the ledger: nobody whom one calls newly diagnosed was missed.
fn lists_and_ledger_agree(app: &App) {
    let period = Period { from: date(2023, 1, 1), to: date(2025, 1, 6) };
    let mut counted = 0;
    for event in year(7, Scale { crowd: 0.0005 }) {
        let Happening::List { feed, csv } = event.what else { continue };
        let told = app.reconcile(&app.setup.feeds[feed], csv.as_bytes(), period).unwrap();
        assert!(told.is_whole(), "{feed}: {:?}", told.theirs);
        counted += told.theirs.len();
    }
    assert!(counted > 0);
}

/// Forty messages with a code that the profile does not know; a mended profile and a replay bring two referrals.
fn mending_the_profile_brings_two_referrals(app: &App) {
    let awaiting = |app: &App| {
        let report = reporting::report(app, "chelwest", "2025-Q1".parse().unwrap(), Audience::Service).unwrap();
        figure(&report, "awaiting-notice")
    };
    let Figure::Count { value: Cell::Shown(before), .. } = awaiting(app) else { panic!("a count") };
    let text = include_str!("../../../profiles/cerner-millennium.toml").replace("codes = [\"HIVCF\"]", "codes = [\"HIVCF\", \"HIVCF2\"]");
    let mut feed = app.setup.feeds["chelwest"].clone();
    feed.profile = alongside_app::profile::bind(&text, "chelwest", &["RQM".into()]).unwrap();
    let unmended = app.replay(&app.setup.feeds["chelwest"]).unwrap();
    assert_eq!((unmended.applied, unmended.still_set_aside), (0, 40));
    let replayed = app.replay(&feed).unwrap();
    assert_eq!((replayed.applied, replayed.discarded, replayed.still_set_aside), (2, 38, 0));
    assert_eq!(awaiting(app), count(before + 2, None));
}

/// The statements that the year itself does not need: a spreadsheet taken back, a merge taken back, pages, counts.
fn what_else_people_do(app: &App, world: &FixedWorld) {
    let sheets = spreadsheet(7);
    let bad = app.preview_import(sheets.site, Sheet::Referrals, sheets.referrals_with_bad_rows.as_bytes()).unwrap();
    assert_eq!(bad.problems.len(), 3, "{:?}", bad.problems);
    assert!(app.import(sheets.site, Sheet::Referrals, sheets.referrals_with_bad_rows.as_bytes()).is_err());
    world.set("2025-01-06T09:00:00Z".parse().unwrap());
    pages_can_be_read(app);
    letters_leave_once(app);
    lists_and_ledger_agree(app);
    keys_come_and_go(app, &StaffId("nurse-aoife".into()));
    a_record_asks_and_withdraws(app);
    a_record_is_told(app);
    a_record_has_cards_and_brings_answers(app);
    a_coordinator_plans_the_day(app);
    passports_follow_the_dates(app);
    a_supporter_does_the_days_work(app);
    a_colleagues_record_is_closed(app);
    people_are_cared_for(app);
    people_speak_for_themselves(app);
    imports_can_be_taken_back(app);
    merges_can_be_taken_back(app);
}

fn pages_can_be_read(app: &App) {
    let nurse = app.desk("nurse-aoife").unwrap();
    nurse.figures_start_page().unwrap();
    nurse.clinic_page().unwrap();
    nurse.questions_page().unwrap();
    app.desk("engineer-wei").unwrap().quarantined_page(1).unwrap();
    let quarter = "2024-Q4".parse().unwrap();
    nurse.figures_page("chelwest", quarter, Audience::Public).unwrap();
    for kind in WorklistKind::ALL {
        let worklist = nurse.worklist_page("chelwest", *kind, 1).unwrap();
        drop(worklist);
    }
    let found = nurse.search("chelwest", "okafor").unwrap();
    assert!(!found.is_empty());
    for (site, number) in [("chelwest", false), ("northmid", true)] {
        for id in referrals(app, site, number) {
            let desk = app.desk(if number { "nurse-blessing" } else { "nurse-aoife" }).unwrap();
            desk.why_page(id).unwrap();
            desk.person_page(app.person_of(id).unwrap()).unwrap();
        }
    }
}

/// The lists, and whom Grace's fourteen people could go to.
fn a_coordinator_plans_the_day(app: &App) {
    let leila = app.desk("coordinator-leila").unwrap();
    let page = leila.coordination_page(&TeamFilter::default()).unwrap();
    assert!(page.ahead.is_some_and(|ahead| ahead.starts_with("On 20 January ")));
    assert!(page.capacity.iter().any(|load| load.name == "Grace" && load.held == 14), "{:?}", page.capacity);
    let preview = leila.reallocation_page("grace", &Chosen::new()).unwrap();
    assert_eq!((preview.rows.len(), preview.left_out), (14, 0));
    assert!(preview.rows.iter().all(|row| row.choices.iter().filter(|choice| choice.chosen).count() == 1));
}

/// Grace has fourteen people and two items that end on one day; one is renewed.
fn passports_follow_the_dates(app: &App) {
    let leila = app.desk("coordinator-leila").unwrap();
    let ahead = leila.passports_page().unwrap().ahead;
    assert_eq!(ahead.last().map(String::as_str), Some("On 3 March 14 people lose their supporter unless two items are renewed."));
    leila.renew("grace", Item::Training, date(2026, 3, 3)).unwrap();
    let ahead = leila.passports_page().unwrap().ahead;
    assert_eq!(ahead.last().map(String::as_str), Some("On 3 March 14 people lose their supporter unless one item is renewed."));
}

/// Today, a contact with what was agreed for the next, and an assessment.
fn a_supporter_does_the_days_work(app: &App) {
    let dele = app.desk("dele").unwrap();
    let people = dele.my_people_page(Order::Quiet).unwrap().lines;
    let (supported, today) = (people.iter().find(|one| one.stage == "Supported").unwrap(), app.today());
    let person: PersonId = supported.href.rsplit('/').next().unwrap().parse().unwrap();
    let record = app.record(person).unwrap();
    let referral = record.live_referral().unwrap().id;
    let next = Some((today.tomorrow().unwrap(), Way::Video));
    let form =
        ContactForm { on: today, way: Way::Telephone, outcome: ContactOutcome::Conversation, minutes: 25, note: "Well".into(), next };
    let count = || app.store.read(|tx| reading::contacts(tx, person)).unwrap().len();
    let before = count();
    for _ in 0..2 {
        dele.record_contact(referral, &form, "one form").unwrap();
    }
    assert_eq!(count(), before + 1, "sent twice, recorded once");
    let line = |desk: &Desk| desk.my_people_page(Order::Name).unwrap().lines.into_iter().find(|one| one.href == supported.href).unwrap();
    assert!(line(&dele).next.ends_with("video"), "{:?}", line(&dele));
    let wrong = ContactForm { next: Some((today.yesterday().unwrap(), Way::Video)), ..form };
    assert!(matches!(dele.record_contact(referral, &wrong, "two"), Err(Failure::Invalid(_))));
    let scores = vec![("nervous".to_owned(), 1)];
    dele.record_assessment(referral, "phq4", today, scores, "three").unwrap();
    assert!(!dele.today_page().unwrap().cards.is_empty());
    let family = record.person.family.unwrap();
    assert!(dele.search("chelwest", &family).unwrap().iter().any(|found| found.href == supported.href));
    assert!(app.desk("ines").unwrap().contact_form(referral).is_err(), "not hers");
}

/// Somebody who works here and is a patient: the record closes, and opens by break-glass alone.
fn a_colleagues_record_is_closed(app: &App) {
    let person = app.record(app.person_of(referrals(app, "chelwest", true)[0]).unwrap()).unwrap().person;
    let (given, family) = (person.given.clone().unwrap(), person.family.clone().unwrap());
    let own = OwnDetails { nhs_number: person.nhs_number.map(|held| held.number), given, family: family.clone(), born: person.birth_date };
    let nurse = app.desk("nurse-aoife").unwrap();
    let finds = |nurse: &Desk| nurse.search("chelwest", &family).unwrap().iter().any(|found| found.href.ends_with(&person.id.to_string()));
    assert!(finds(&nurse));
    app.desk("nurse-samuel").unwrap().give_details(&own).unwrap();
    let nurse = app.desk("nurse-aoife").unwrap();
    assert!(!finds(&nurse) && nurse.person_page(person.id).is_err());
    let number = person.identifiers[0].value.clone();
    let why = "The ward asks about this person";
    assert!(app.desk("nurse-samuel").unwrap().break_glass("chelwest", &number, why, "own").is_err(), "never their own");
    nurse.break_glass("chelwest", &number, why, "glass").unwrap();
    assert!(app.desk("nurse-aoife").unwrap().person_page(person.id).is_ok());
    assert!(app.desk("consultant-hughes").unwrap().person_page(person.id).is_ok(), "who looks after colleagues");
}

/// Safe contact, a concern from raising to answer, and a form that was not finished.
fn people_are_cared_for(app: &App) {
    let person = app.person_of(referrals(app, "chelwest", false)[0]).unwrap();
    let supporter = app.record(person).unwrap().live_referral().and_then(|referral| referral.status.supporter().cloned()).unwrap();
    let desk = app.desk(&supporter.0).unwrap();
    let contact = SafeContactForm { channel: Some(Channel::Sms), voicemail: Some(false), ..SafeContactForm::default() };
    desk.set_safe_contact(person, &contact).unwrap();
    assert!(desk.safe_contact(person).unwrap().is_known);
    desk.save_draft(person, DraftForm::Contact, "not fin").unwrap();
    assert_eq!(desk.draft(person, DraftForm::Contact), Ok(Some("not fin".into())));
    desk.drop_draft(person, DraftForm::Contact).unwrap();
    let (to, _) = desk.concern_goes_to(person).unwrap().remove(0);
    let form = ConcernForm { words: "words".into(), urgency: Some(Urgency::Soon), to: Some(StaffId(to.clone())) };
    desk.raise_concern(person, &form, "once").unwrap();
    let concern = desk.concerns_of(person).unwrap()[0].id.parse().unwrap();
    assert_eq!(desk.concerns_page("chelwest").map(drop), Err(Failure::Forbidden));
    let clinician = app.desk(&to).unwrap();
    assert_eq!(clinician.concerns_waiting("chelwest"), Ok(1));
    clinician.acknowledge(concern, "seen").unwrap();
    assert_eq!(clinician.concerns_page("chelwest").unwrap().settled.len(), 1);
    let known = desk.concerns_of(person).unwrap();
    assert_eq!((known[0].answer.as_str(), known[0].acknowledged.is_some()), ("seen", true));
}

/// By the private link: the questions, a wish, and what is held.
fn people_speak_for_themselves(app: &App) {
    let person = app.person_of(referrals(app, "chelwest", false)[1]).unwrap();
    let supporter = app.record(person).unwrap().live_referral().and_then(|referral| referral.status.supporter().cloned()).unwrap();
    let desk = app.desk(&supporter.0).unwrap();
    let link = desk.make_link(person).unwrap();
    let token = link.token.reveal();
    assert!(!app.open_link(token).unwrap().questionnaires.is_empty());
    app.fill_in(token, "phq4", &[("nervous".into(), 1), ("worrying".into(), 0)]).unwrap();
    app.say(token, &Saying::SomeoneElse("a woman".into())).unwrap();
    app.say(token, &Saying::NotNow { weeks: 4 }).unwrap();
    let clinic = || app.desk("nurse-aoife").unwrap().clinic_page().unwrap().replies;
    let team = || app.desk("coordinator-leila").unwrap().coordination_page(&TeamFilter::default()).unwrap().replies;
    assert_eq!((clinic().len(), team().len()), (3, 3), "the clinic and the coordinator see them as well");
    let id = |said: &str| team().iter().find(|line| line.said == said).unwrap().handled.split('/').nth(2).unwrap().parse().unwrap();
    let (someone_else, not_now) = (id("I would like somebody else"), id("Not now"));
    assert_eq!(desk.handle_reply(someone_else), Err(Failure::NotFound), "it may speak of the supporter");
    desk.handle_reply(not_now).unwrap();
    assert_eq!((clinic().len(), team().len()), (2, 2));
    assert!(app.prove(token, "no code").is_err());
    let proof = app.prove(token, &link.code).unwrap();
    let held = app.held_about_me(token, proof.reveal()).unwrap();
    assert!(held.sharing.contains("works in the clinic’s team") && held.looks.len() > 1, "{held:?}");
    assert!(desk.link(person).unwrap().is_some_and(|line| line.opens_until.is_some()));
    desk.end_link(person).unwrap();
}

/// Forty messages are set aside; one is read again in vain, and its text opened with a reason.
fn the_engineer_looks_into_a_message(app: &App) {
    let wei = app.desk("engineer-wei").unwrap();
    assert_eq!(wei.feeds_page().unwrap().feeds.len(), app.setup.feeds.len());
    let page = wei.quarantined_page(1).unwrap();
    assert_eq!((page.total, page.by_feed.len()), (40, 1));
    assert_eq!(app.store.read(|tx| messages::count_set_aside(tx, None)).unwrap(), 40);
    let id = page.messages[0].id.parse().unwrap();
    assert_eq!(wei.replay_message(id), Ok(Fate::Quarantined));
    assert!(!wei.message_page(id).unwrap().message.problems.is_empty());
    wei.open_text(id, "The codes of the laboratory may have changed", "once-only").unwrap();
    assert!(matches!(wei.text_page(id), Ok(RawPage::Open { .. })));
}

/// Who saw whom, who may, what was opened: over a year that was played, not signed in to.
fn governance_looks_back(app: &App) {
    let martin = app.desk("governance-martin").unwrap();
    let person = app.person_of(referrals(app, "chelwest", false)[0]).unwrap();
    let held = app.record(person).unwrap().person;
    let asked = AccessAsked { page: 1, ..AccessAsked::default() };
    let page = martin.person_access(person, &asked).unwrap();
    assert!(page.lines.iter().any(|line| line.kind == "Changed"));
    let number = held.identifiers[0].value.clone();
    assert_eq!(martin.access_find(&Whose::Number(number)).unwrap().len(), 1);
    martin.access_find(&Whose::Number("999 000 0018".into())).unwrap();
    let named = Whose::Name { family: held.family.unwrap(), born: held.birth_date.unwrap() };
    assert!(!martin.access_find(&named).unwrap().is_empty());
    assert!(!martin.staff_access("dele", &asked).unwrap().people.is_empty());
    assert!(app.desk("maria").unwrap().person_page(person).is_err(), "a supporter of another site");
    assert!(!martin.refusals_page(1).unwrap().by.is_empty());
    assert_eq!(martin.exports_page(true, 1).unwrap().lines.len(), 1);
    assert!(martin.entitled_page().unwrap().lines.iter().any(|line| line.name == "Grace"));
    let glass = martin.glass_page().unwrap();
    assert_eq!((glass.waiting.len(), martin.glass_to_review()), (2, Ok(2)), "a message's text, and a colleague's record");
    let id = glass.waiting[0].href.rsplit('/').next().unwrap().parse().unwrap();
    martin.review_glass(id, Some(Finding::Justified), "The laboratory confirmed it").unwrap();
    assert!(martin.glass_one(id).unwrap().review.is_some());
    martin.end_access("nurse-samuel", Ending::Sessions).unwrap();
}

/// A post that remembers.
#[derive(Default)]
struct Letters {
    prepared: Vec<OutgoingId>,
    left: Vec<OutgoingId>,
    texts: String,
}

impl Post for Letters {
    fn prepare(&mut self, letter: &Letter) -> Result<(), Failure> {
        self.texts.push_str(&letter.text());
        self.prepared.push(letter.id);
        Ok(())
    }

    fn release(&mut self, id: OutgoingId) -> Result<(), Failure> {
        self.prepared.retain(|known| *known != id);
        self.left.push(id);
        Ok(())
    }

    fn discard(&mut self, id: OutgoingId) -> Result<(), Failure> {
        self.prepared.retain(|known| *known != id);
        Ok(())
    }

    fn prepared(&mut self) -> Result<Vec<OutgoingId>, Failure> {
        Ok(self.prepared.clone())
    }
}

fn letters_leave_once(app: &App) {
    assert_eq!(app.dispatch(&mut Letters::default()), Ok(1), "the one that waits when the year ends");
    let referral = referrals(app, "chelwest", false)[0];
    let person = app.person_of(referral).unwrap();
    let queue = Command::QueueLetter { referral, not_before: app.world.now() };
    app.command(person, queue, app.actor("dele").unwrap()).unwrap();
    let mut letters = Letters::default();
    // A crash left it prepared and not marked: it is made anew.
    letters.prepared.push(OutgoingId(7));
    assert_eq!(app.dispatch(&mut letters), Ok(1));
    assert_eq!(app.dispatch(&mut letters), Ok(0), "it left before");
    assert_eq!((letters.left.len(), letters.prepared.len()), (1, 0));
    // A crash after the mark: it is released at the next look, and not made again.
    letters.prepared.push(letters.left[0]);
    assert_eq!(app.dispatch(&mut letters), Ok(0));
    assert_eq!(letters.left.len(), 2);
    let lower = letters.texts.to_lowercase();
    for word in ["hiv", "clinic", "hospital", "positiv", "peer", "virus", "charity"] {
        assert!(!lower.contains(word), "the letter says {word}");
    }
}

/// Four sheets about two people, one of whom is under age, brought in and taken back to the last row.
fn imports_can_be_taken_back(app: &App) {
    let before = app.examine().unwrap().referrals;
    let sheets = [
        (Sheet::People, "local_number,family,given,birth_date\n99001,Testa,Ada,1980-02-01\n99002,Testa,Ben,2010-02-01\n"),
        (
            Sheet::Referrals,
            "local_number,kind,referred_on,told_on,told_by,told_how,supporter,ended_on,end_reason\n\
             99001,clinic-request,2024-06-03,2024-06-04,Sister Mary Jones,in-person,tunde,,\n99002,clinic-request,2024-06-03,,,,,,\n",
        ),
        (Sheet::Contacts, "local_number,supporter,on,way,outcome,minutes\n99001,tunde,2024-06-06,telephone,conversation,20\n"),
        (
            Sheet::Assessments,
            "local_number,assessed_on,supporter,instrument,nervous,worrying,interest,down\n99001,2024-06-06,tunde,phq4,1,1,1,1\n",
        ),
    ];
    let brought: Vec<_> = sheets.iter().map(|(sheet, csv)| app.import("northmid", *sheet, csv.as_bytes()).unwrap().id).collect();
    assert_eq!(app.imports().unwrap().len(), 3 + sheets.len());
    assert!(app.undo_import(brought[0]).is_err(), "something rests on it");
    for id in brought.into_iter().rev() {
        app.undo_import(id).unwrap();
    }
    assert_eq!(app.examine().unwrap().referrals, before);
    ledger_balances(app);
}

/// Some referrals of a site: the supported ones, or those awaiting notice.
fn referrals(app: &App, site: &str, awaiting: bool) -> Vec<ReferralId> {
    let stage = if awaiting { Stage::AwaitingNotice } else { Stage::Supported };
    let lines = app.store.read(|tx| reading::at_stage(tx, &SiteId(site.into()), stage, 3, 0)).unwrap();
    assert!(!lines.is_empty());
    lines.into_iter().map(|line| line.referral).collect()
}

fn merges_can_be_taken_back(app: &App) {
    let merges = app.merges().unwrap();
    assert!(!merges.is_empty(), "the story merges two records");
    for merge in merges {
        app.undo_merge(merge, Actor::Operator).unwrap();
        assert_eq!(app.undo_merge(merge, Actor::Operator), Err(Failure::NotFound));
    }
    ledger_balances(app);
}

/// The audit's statements, each run once.
fn the_audit_is_whole(app: &App) {
    let person = PersonId(1);
    let entry = Entry {
        at: app.world.now(),
        actor: Actor::Operator,
        action: "see-list".into(),
        purpose: "operations".into(),
        site: None,
        outcome: Outcome::Refused,
        detail: None,
        subjects: vec![person],
    };
    let key = app.keys.audit.clone();
    let seq = app.store.write(move |tx| audit::append(tx, &key, &entry)).unwrap();
    let slice = Slice { most: 1, skip: 0 };
    let found = app.store.read(|tx| {
        assert!(audit::of_staff(tx, &StaffId("nobody".into()), slice)?.is_empty());
        let found = [audit::of_person(tx, person, slice)?, audit::refused(tx, slice)?, audit::by_action(tx, "see-list", slice)?];
        Ok::<_, StoreError>(found.map(|lines| lines[0].seq))
    });
    assert_eq!(found, Ok([seq; 3]));
    let head = app.audit_head().unwrap().unwrap();
    let verdict = app.verify_audit(std::slice::from_ref(&head)).unwrap();
    assert!(verdict.is_whole() && verdict.head == Some(head));
}

fn the_demo_tells_what_happened(app: &App) {
    let panel = app.demo_panel().unwrap();
    assert!(!panel.lines.is_empty() && panel.letter.is_some());
    app.demo_deeds(&StaffId("engineer-wei".into()), app.world.now()).unwrap();
    app.carry_sessions(jiff::SignedDuration::ZERO).unwrap();
}

#[test]
fn the_year_brings_the_same_figures_on_both_engines() {
    testing::both_engines(|store| {
        let (app, world) = played(store);
        figures_come_out(&app);
        ledger_balances(&app);
        the_engineer_looks_into_a_message(&app);
        mending_the_profile_brings_two_referrals(&app);
        ledger_balances(&app);
        what_else_people_do(&app, &world);
        the_demo_tells_what_happened(&app);
        governance_looks_back(&app);
        the_audit_is_whole(&app);
    });
    testing::assert_every_statement_ran(&all_statements());
}
