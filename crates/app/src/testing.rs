//! A world and a small service for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use alongside_domain::id::Ids;
use alongside_store::Store;
use jiff::Timestamp;

use crate::setup::Extra;
use crate::{App, Setup, World};

/// Two sites: `north`, where a partner's supporters work inside the clinic's team, and `south`.
pub const SETUP: &str = r#"
[[site]]
key = "north"
title = "North Hospital"
organisations = [{ code = "RAP" }]
[[site.partner]]
key = "within"
title = "A charity within"
basis = "inside"
[[site.partner]]
key = "without"
title = "A charity without"
basis = "outside"

[[site]]
key = "south"
title = "South Hospital"
organisations = [{ code = "RQM" }]
[[site.partner]]
key = "within"
title = "A charity within"
basis = "inside"

[[feed]]
key = "north-list"
site = "north"
profile = "clinic-list"

[[feed]]
key = "north"
site = "north"
profile = "careflow"

[[staff]]
key = "nurse-ada"
name = "Ada, nurse"
role = "clinician"
sites = ["north"]

[[staff]]
key = "dr-sen"
name = "Dr Sen"
role = "clinician"
sites = ["south"]

[[staff]]
key = "lead-joy"
name = "Joy, safeguarding"
role = "safeguarding-lead"
sites = ["north", "south"]

[[staff]]
key = "coordinator-max"
name = "Max, coordinator"
role = "coordinator"
sites = ["north", "south"]

[[supporter]]
key = "anna"
first_name = "Anna"
partner = "within"
sites = ["north", "south"]
from = 2022-01-01
capacity = 20

[[supporter]]
key = "ben"
first_name = "Ben"
partner = "within"
sites = ["north"]
from = 2023-01-01
until = 2023-12-31
capacity = 1

[[supporter]]
key = "cleo"
first_name = "Cleo"
partner = "without"
sites = ["north"]
from = 2022-01-01
capacity = 20
"#;

/// A world that stands still until it is set, and whose ids count up.
#[derive(Debug)]
pub struct FixedWorld {
    microseconds: AtomicI64,
    last: Arc<AtomicU64>,
}

impl FixedWorld {
    /// A world at an instant.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self { microseconds: AtomicI64::new(at.as_microsecond()), last: Arc::default() }
    }

    /// A world at an instant, to be shared.
    #[must_use]
    pub fn at(at: Timestamp) -> Arc<Self> {
        Arc::new(Self::new(at))
    }

    /// Sets the time.
    pub fn set(&self, at: Timestamp) {
        self.microseconds.store(at.as_microsecond(), Ordering::SeqCst);
    }
}

impl World for FixedWorld {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.microseconds.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn ids(&self) -> Box<dyn Ids + Send> {
        Box::new(Shared(Arc::clone(&self.last)))
    }
}

/// Ids of one world: every source counts on where the others are.
struct Shared(Arc<AtomicU64>);

impl Ids for Shared {
    fn next(&mut self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::SeqCst)) + 1
    }
}

/// A service of [`SETUP`] on a store, at Tuesday 2 April 2024, 09:30 in London.
///
/// # Panics
/// When [`SETUP`] is not a configuration.
#[must_use]
pub fn service(store: Store) -> (App, Arc<FixedWorld>) {
    let setup = Setup::read(SETUP, &Extra::default()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let world = Arc::new(FixedWorld::new(Timestamp::constant(1_712_046_600, 0)));
    (App::new(store, Arc::new(setup), Arc::clone(&world) as Arc<dyn World>), world)
}

/// The application over a store, with the demo's sites, feeds and staff.
///
/// # Panics
/// When the demo's configuration is not valid.
#[must_use]
pub fn app(store: Store, world: Arc<FixedWorld>) -> App {
    let setup = Setup::read(crate::simulate::DEMO_CONFIGURATION, &Extra::default()).unwrap_or_else(|problems| panic!("{problems:?}"));
    App::new(store, Arc::new(setup), world)
}
