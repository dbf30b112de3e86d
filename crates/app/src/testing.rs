//! For tests: a world that stands still until it is moved, and the demo's configuration over a database of one's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use alongside_domain::id::Ids;
use alongside_store::Store;
use jiff::Timestamp;

use crate::setup::{Extra, Setup};
use crate::simulate::DEMO_CONFIGURATION;
use crate::{App, World};

/// A clock that is set, and ids that count up.
#[derive(Debug, Default)]
pub struct FixedWorld {
    microseconds: AtomicI64,
    given: Arc<AtomicU64>,
}

impl FixedWorld {
    /// A world at an instant.
    #[must_use]
    pub fn at(at: Timestamp) -> Arc<Self> {
        let world = Self::default();
        world.set(at);
        Arc::new(world)
    }

    /// Moves the clock.
    pub fn set(&self, at: Timestamp) {
        self.microseconds.store(at.as_microsecond(), Ordering::SeqCst);
    }
}

struct Counting(Arc<AtomicU64>);

impl Ids for Counting {
    fn next(&mut self) -> u128 {
        u128::from(self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }
}

impl World for FixedWorld {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.microseconds.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn ids(&self) -> Box<dyn Ids + Send> {
        Box::new(Counting(Arc::clone(&self.given)))
    }
}

/// The application over a store, with the demo's sites, feeds and staff.
///
/// # Panics
/// When the demo's configuration is not valid.
#[must_use]
pub fn app(store: Store, world: Arc<FixedWorld>) -> App {
    let setup = Setup::read(DEMO_CONFIGURATION, &Extra::default()).unwrap_or_else(|problems| panic!("the demo's configuration: {problems:?}"));
    App::new(store, Arc::new(setup), world)
}
