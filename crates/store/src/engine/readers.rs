//! A few connections that read, lent to one job at a time.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::error::Remedy;
use super::{Connection, Database, Tx};
use crate::StoreError;

/// How long a job waits for a connection before it is told that the store is busy.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The connections that read.
pub(crate) struct Readers {
    database: Database,
    readers_max: usize,
    shelf: Mutex<Shelf>,
    returned: Condvar,
}

#[derive(Default)]
struct Shelf {
    idle: Vec<Connection>,
    lent: usize,
}

impl Readers {
    /// No connection yet: they are made when they are first needed.
    pub(crate) fn new(database: Database, readers_max: usize) -> Self {
        Self { database, readers_max, shelf: Mutex::default(), returned: Condvar::new() }
    }

    /// Runs a job in a transaction that sees one stable state.
    pub(crate) fn read<T, E>(&self, job: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let mut lent = self.lend()?;
        let mut connection = lent.begun()?;
        let mut tx = Tx::begun(&mut connection);
        let outcome = job(&mut tx);
        let failure = tx.into_failure();
        if connection.rollback() {
            lent.connection = Some(connection);
        }
        match failure {
            // The job swallowed it; what it answers was not read from one state.
            Some(failure) if outcome.is_ok() => Err(E::from(failure.error)),
            _ => outcome,
        }
    }

    fn lend(&self) -> Result<Lent<'_>, StoreError> {
        let shelf = self.shelf();
        let free = |shelf: &mut Shelf| shelf.lent >= self.readers_max;
        let waited = self.returned.wait_timeout_while(shelf, WAIT_MAX, free);
        let (mut shelf, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            return Err(StoreError::Busy);
        }
        shelf.lent += 1;
        Ok(Lent { readers: self, connection: shelf.idle.pop() })
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Readers {
    /// The PostgreSQL driver may not close a connection on an asynchronous runtime's thread, where a store may end.
    fn drop(&mut self) {
        let idle = std::mem::take(&mut self.shelf().idle);
        if !idle.is_empty() {
            let _ = thread::spawn(move || drop(idle)).join();
        }
    }
}

/// A place in the pool, with a connection when there is one that is fit. A job that panics takes its connection along.
struct Lent<'p> {
    readers: &'p Readers,
    connection: Option<Connection>,
}

impl Lent<'_> {
    /// A connection with a transaction begun; a new one when the server had closed the idle one.
    fn begun(&mut self) -> Result<Connection, StoreError> {
        if let Some(mut idle) = self.connection.take() {
            match idle.begin() {
                Ok(()) => return Ok(idle),
                Err(failure) if failure.remedy != Remedy::Reconnect => return Err(failure.error),
                Err(_) => {}
            }
        }
        let mut fresh = self.readers.database.connect_to_read()?;
        fresh.begin().map_err(|failure| failure.error)?;
        Ok(fresh)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut shelf = self.readers.shelf();
        shelf.lent -= 1;
        shelf.idle.extend(self.connection.take());
        drop(shelf);
        self.readers.returned.notify_one();
    }
}
