//! The invented year, played through the application on both engines: the figures come out, the ledger balances, the
//! journal agrees with the state, and every statement of the store ran on both.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop here")]

use std::sync::Arc;

use alongside_app::importing::Sheet;
use alongside_app::letters::{Letter, Post};
use alongside_app::pages::WorklistKind;
use alongside_app::simulate::{Happening, SPREADSHEET_DAY, Scale, spreadsheet, year};
use alongside_app::testing::{FixedWorld, app};
use alongside_app::{App, Failure, london_date, reporting};
use alongside_domain::calendar::Period;
use alongside_domain::command::Command;
use alongside_domain::decision::Actor;
use alongside_domain::id::{OutgoingId, ReferralId};
use alongside_domain::ledger::Standing;
use alongside_domain::measures::{Audience, Cell, Figure, Report};
use alongside_domain::person::SiteId;
use alongside_domain::referral::Stage;
use alongside_store::{Store, all_statements, reading, testing};
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
    imports_can_be_taken_back(app);
    merges_can_be_taken_back(app);
}

fn pages_can_be_read(app: &App) {
    app.start_page().unwrap();
    app.quarantined_page(1).unwrap();
    let quarter = "2024-Q4".parse().unwrap();
    app.figures_page("chelwest", quarter, Audience::Public).unwrap();
    for kind in WorklistKind::ALL {
        let worklist = app.worklist_page("chelwest", *kind, 1).unwrap();
        drop(worklist);
    }
    let found = app.search("chelwest", "an").unwrap();
    assert!(!found.is_empty());
    for (site, number) in [("chelwest", false), ("northmid", true)] {
        for id in referrals(app, site, number) {
            app.why_page(id).unwrap();
            app.person_page(app.person_of(id).unwrap()).unwrap();
        }
    }
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

#[test]
fn the_year_brings_the_same_figures_on_both_engines() {
    testing::both_engines(|store| {
        let (app, world) = played(store);
        figures_come_out(&app);
        ledger_balances(&app);
        app.quarantined_page(1).unwrap();
        mending_the_profile_brings_two_referrals(&app);
        ledger_balances(&app);
        what_else_people_do(&app, &world);
    });
    testing::assert_every_statement_ran(&all_statements());
}
