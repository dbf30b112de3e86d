//! The use cases of Alongside: parse what came, load, decide, keep, say what to present.
//!
//! This room is synchronous. Time and ids come from a [`World`]; sockets, HTTP and the environment stay outside.

pub mod accounts;
pub mod audit;
pub mod cards;
mod clock;
mod counting;
pub mod demo;
pub mod desk;
pub mod doctor;
pub mod failure;
pub mod fhir;
pub mod identities;
pub mod importing;
pub mod instruments;
pub mod intake;
pub mod letters;
pub mod metrics;
pub mod pages;
pub mod people;
pub mod personal;
pub mod profile;
pub mod reconciling;
pub mod reporting;
pub mod sample;
pub mod sending;
pub mod setup;
pub mod sign_in;
pub mod simulate;
#[doc(hidden)]
pub mod testing;
pub mod translate;
pub mod work;

pub use audit::Keys;
pub use clock::{World, hour_of, london_date, london_instant, london_time};
pub use desk::{Desk, Moving, chosen, field_of};
pub use failure::{Failure, Invalid};
pub use setup::Setup;

use std::sync::Arc;

use alongside_domain::decision::{Actor, Cause, Context};
use alongside_domain::id::Ids;
use alongside_store::Store;

/// The application: a store, a configuration, and the world's clock and ids. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Where everything is kept.
    pub store: Store,
    /// Sites, feeds, people who work here, instruments, agreed values.
    pub setup: Arc<Setup>,
    /// Clock and ids.
    pub world: Arc<dyn World>,
    /// Secrets that are kept outside the database.
    pub keys: Keys,
    counters: Arc<intake::Counters>,
    ahead: Arc<counting::Ahead>,
}

impl App {
    /// Puts an application together.
    #[must_use]
    pub fn new(store: Store, setup: Arc<Setup>, world: Arc<dyn World>, keys: Keys) -> Self {
        Self { store, setup, world, keys, counters: Arc::default(), ahead: Arc::default() }
    }

    /// The day in London.
    #[must_use]
    pub fn today(&self) -> jiff::civil::Date {
        london_date(self.world.now())
    }

    /// The context of a decision made now.
    fn context<'a>(&'a self, ids: &'a mut dyn Ids, actor: Actor, cause: Cause) -> Context<'a> {
        let at = self.world.now();
        Context { at, today: london_date(at), actor, cause, policy: &self.setup.policy, ids }
    }
}
