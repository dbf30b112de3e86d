//! The application as it is now: the demo puts another in its place when it begins again, under pages and listeners alike.

use std::sync::{Arc, PoisonError, RwLock};

use alongside_app::App;

/// A place that holds the application. Cheap to clone; every clone is the same place.
#[derive(Clone)]
pub(crate) struct Current(Arc<RwLock<App>>);

impl Current {
    /// The application. Whoever works with it keeps theirs until they are done.
    pub(crate) fn get(&self) -> App {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another in its place.
    pub(crate) fn put(&self, app: App) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = app;
    }
}

impl From<App> for Current {
    fn from(app: App) -> Self {
        Self(Arc::new(RwLock::new(app)))
    }
}
