//! A small service for tests of pages: the demo's sites, one clock, and messages as hospitals send them.

use std::sync::{Arc, Mutex};

use alongside_domain::id::{CountingIds, Ids, PersonId};
use alongside_store::{DatabaseUrl, Store};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::setup::Extra;
use crate::{App, Setup, World};

/// A world that stands still and counts.
struct Still {
    now: Timestamp,
    next: Arc<Mutex<u128>>,
    /// Goes with the world, and so with the last of the application.
    _folder: TempDir,
}

struct Counting(Arc<Mutex<u128>>);

impl Ids for Counting {
    fn next(&mut self) -> u128 {
        let mut last = self.0.lock().unwrap();
        let mut ids = CountingIds(*last);
        *last = ids.next();
        *last
    }
}

impl World for Still {
    fn now(&self) -> Timestamp {
        self.now
    }

    fn ids(&self) -> Box<dyn Ids + Send> {
        Box::new(Counting(Arc::clone(&self.next)))
    }
}

/// A confirmed result as Cerner Millennium sends it.
const CONFIRMED: &str = "MSH|^~\\&|CERNER|RQM|TIE|RQM|20250102091400||ORU^R01|90001|P|2.3\r\
    PID|1||7700001^^^RQM MRN^MRN||ASHDOWN^MIRIAM||19900502|F\r\
    OBR|1||L1|HIVCF^HIV confirmatory|||20250102080000\r\
    OBX|1|ST|HIVCF^HIV confirmatory||HIV-1 CONFIRMED||||||F\r";

/// The demo's two sites on an empty SQLite database in a folder of its own.
pub(crate) fn app() -> App {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&DatabaseUrl::file(folder.path().join("pages.db"))).unwrap();
    let setup = Setup::read(include_str!("../simulate/demo.toml"), &Extra::default()).unwrap();
    let now = "2025-01-06T08:30:00Z".parse().unwrap();
    App::new(store, Arc::new(setup), Arc::new(Still { now, next: Arc::default(), _folder: folder }))
}

/// The same with one person, whom a confirmed result brought.
pub(crate) fn with_somebody_awaiting_notice() -> (App, PersonId) {
    let app = app();
    let answered = app.receive(&app.setup.feeds["chelwest"], CONFIRMED.as_bytes());
    assert_eq!(answered.fate, crate::intake::Fate::Applied);
    app.flush().unwrap();
    let found = app.search("chelwest", "ashdown").unwrap();
    let person = found[0].href.strip_prefix("/people/").unwrap().parse().unwrap();
    (app, person)
}
