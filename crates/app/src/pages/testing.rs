//! A small service for tests of pages: the demo's sites at one moment, and messages as hospitals send them.

use alongside_domain::id::PersonId;
use alongside_store::testing::TestDatabase;
use alongside_store::{Engine, Store};

use crate::App;
use crate::intake::Fate;
use crate::testing::FixedWorld;

/// A confirmed result as Cerner Millennium sends it.
const CONFIRMED: &str = "MSH|^~\\&|CERNER|RQM|TIE|RQM|20250102091400||ORU^R01|90001|P|2.3\r\
    PID|1||7700001^^^RQM MRN^MRN||ASHDOWN^MIRIAM||19900502|F\r\
    OBR|1||L1|HIVCF^HIV confirmatory|||20250102080000\r\
    OBX|1|ST|HIVCF^HIV confirmatory||HIV-1 CONFIRMED||||||F\r";

/// The demo's two sites on an empty database, which goes with what is returned beside it.
pub(crate) fn app() -> (App, TestDatabase) {
    let database = TestDatabase::new(Engine::Sqlite);
    let world = FixedWorld::at("2025-01-06T08:30:00Z".parse().unwrap());
    (crate::testing::app(Store::open(database.url()).unwrap(), world), database)
}

/// The same with one person, whom a confirmed result brought.
pub(crate) fn with_somebody_awaiting_notice() -> (App, PersonId, TestDatabase) {
    let (app, database) = app();
    let answered = app.receive(&app.setup.feeds["chelwest"], CONFIRMED.as_bytes());
    assert_eq!(answered.fate, Fate::Applied);
    app.flush().unwrap();
    let found = app.desk("nurse-aoife").unwrap().search("chelwest", "ashdown").unwrap();
    let person = found[0].href.strip_prefix("/people/").unwrap().parse().unwrap();
    (app, person, database)
}
