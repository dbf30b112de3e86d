//! The two engines behind one transaction type. What differs between them is in [`sqlite`] and [`postgres`], and in
//! nothing else of the program.

pub(crate) mod backup;
pub(crate) mod error;
pub(crate) mod postgres;
pub(crate) mod readers;
pub(crate) mod sqlite;
pub(crate) mod statement;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::{ConstraintKind, Row, Statement, StoreError, Value};
use error::Failure;
use postgres::PostgresConnection;
use sqlite::SqliteConnection;

/// Which of the two engines a database is on: for telling a person, never for deciding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// SQLite, in this process.
    Sqlite,
    /// PostgreSQL 15 or later.
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// Where a database is: `sqlite:path`, a bare path, or `postgres://user@host/name`.
///
/// Its `Display` leaves out user and password, so that it may be logged.
#[derive(Clone)]
pub struct DatabaseUrl {
    place: Place,
}

#[derive(Clone)]
enum Place {
    File(PathBuf),
    Server(Box<::postgres::Config>),
}

/// A text that does not say where a database is. Does not repeat the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotADatabaseUrl;

impl fmt::Display for NotADatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a database: write a path, sqlite:path or postgres://user@host/name")
    }
}

impl std::error::Error for NotADatabaseUrl {}

impl DatabaseUrl {
    /// The SQLite file at a path.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { place: Place::File(path.into()) }
    }

    /// The same, where a relative path of a file begins at this folder.
    #[must_use]
    pub fn beside(self, folder: &Path) -> Self {
        match self.place {
            Place::File(path) => Self::file(folder.join(path)),
            Place::Server(_) => self,
        }
    }

    /// Which engine is there.
    pub fn engine(&self) -> Engine {
        match self.place {
            Place::File(_) => Engine::Sqlite,
            Place::Server(_) => Engine::Postgres,
        }
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Server(_) => None,
        }
    }

    pub(crate) fn server(&self) -> Option<&::postgres::Config> {
        match &self.place {
            Place::File(_) => None,
            Place::Server(config) => Some(config),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = NotADatabaseUrl;

    fn from_str(text: &str) -> Result<Self, NotADatabaseUrl> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let config = text.parse().map_err(|_| NotADatabaseUrl)?;
            return Ok(Self { place: Place::Server(Box::new(config)) });
        }
        let path = match text.strip_prefix("sqlite:") {
            Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
            None if text.contains("://") => return Err(NotADatabaseUrl),
            None => text,
        };
        // Each connection to `:memory:` would be a database of its own.
        if path.is_empty() || path == ":memory:" || path.contains('\0') {
            return Err(NotADatabaseUrl);
        }
        Ok(Self::file(path))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File(path) => write!(f, "sqlite:{}", path.display()),
            Place::Server(config) => {
                f.write_str("postgres://")?;
                match config.get_hosts().first() {
                    Some(::postgres::config::Host::Tcp(host)) => f.write_str(host)?,
                    Some(::postgres::config::Host::Unix(path)) => write!(f, "{}", path.display())?,
                    None => {}
                }
                write!(f, "/{}", config.get_dbname().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Limits that a connection sets for itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// How many pages an SQLite file may have.
    pub(crate) pages_max: Option<u32>,
}

/// A database that can be connected to.
#[derive(Debug, Clone)]
pub struct Database {
    url: DatabaseUrl,
    limits: Limits,
}

impl Database {
    /// Takes the address and sees that something is there. Most callers want [`crate::Store::open`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when nothing answers there, or what answers is too old.
    pub fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let database = Self::at(url, Limits::default());
        database.connect_to_write()?;
        Ok(database)
    }

    /// Takes the address and looks no further.
    pub(crate) fn at(url: &DatabaseUrl, limits: Limits) -> Self {
        Self { url: url.clone(), limits }
    }

    /// Which engine it is on.
    pub fn engine(&self) -> Engine {
        self.url.engine()
    }

    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    pub(crate) fn connect_to_write(&self) -> Result<Connection, StoreError> {
        self.connect(Purpose::Write)
    }

    pub(crate) fn connect_to_read(&self) -> Result<Connection, StoreError> {
        self.connect(Purpose::Read)
    }

    fn connect(&self, purpose: Purpose) -> Result<Connection, StoreError> {
        match &self.url.place {
            Place::File(path) => SqliteConnection::open(path, purpose, self.limits).map(Connection::Sqlite),
            Place::Server(config) => PostgresConnection::open(config, purpose).map(|open| Connection::Postgres(Box::new(open))),
        }
    }
}

/// What a connection is for; it can do nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Transactions that write, as if one after the other.
    Write,
    /// Transactions that read one stable state.
    Read,
}

/// A connection to either engine.
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(Box<PostgresConnection>),
}

/// Does the same on either engine.
macro_rules! on {
    ($connection:expr, $it:ident => $act:expr) => {
        match $connection {
            Connection::Sqlite($it) => $act,
            Connection::Postgres($it) => $act,
        }
    };
}

/// Takes each row of a result; its error ends the reading.
pub(crate) type EachRow<'f> = dyn FnMut(&Row<'_>) -> Result<(), StoreError> + 'f;

/// Why the reading of a result ended early.
pub(crate) enum Halt {
    /// The engine failed; the transaction is over.
    Failed(Failure),
    /// A row was not what it should be; the transaction lives.
    Row(StoreError),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Connection {
    /// Starts a transaction of the kind this connection is for.
    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        on!(self, it => it.begin())
    }

    /// Starts a transaction that no other migrating program shares.
    pub(crate) fn begin_alone(&mut self) -> Result<(), Failure> {
        on!(self, it => it.begin_alone())
    }

    /// Makes the transaction durable.
    pub(crate) fn commit(&mut self) -> Result<(), Failure> {
        on!(self, it => it.commit())
    }

    /// Undoes the transaction; whether the connection is fit for another.
    pub(crate) fn rollback(&mut self) -> bool {
        on!(self, it => it.rollback())
    }

    /// Runs a migration's text, written for SQLite, in the transaction.
    pub(crate) fn define(&mut self, sql: &str) -> Result<(), Failure> {
        on!(self, it => it.define(sql))
    }

    #[cfg(debug_assertions)]
    fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }
}

/// A transaction, on either engine.
///
/// A statement that fails ends its transaction on both: every later one answers the same failure, and nothing is kept
/// even when the job goes on as if nothing had happened.
pub struct Tx<'c> {
    connection: &'c mut Connection,
    failure: Option<Failure>,
}

impl<'c> Tx<'c> {
    /// A transaction that has begun on this connection.
    pub(crate) fn begun(connection: &'c mut Connection) -> Self {
        Self { connection, failure: None }
    }

    /// The failure that ended it, if one did.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Ends its use; the failure that ended it, if one did.
    pub(crate) fn into_failure(self) -> Option<Failure> {
        self.failure
    }

    /// Runs a statement that answers no rows; how many rows it changed.
    ///
    /// # Errors
    /// Any of [`StoreError`] but `Corrupt` and `Migration`; the transaction is over then.
    pub fn execute(&mut self, statement: &Statement, params: &[Value]) -> Result<u64, StoreError> {
        self.ready(statement, params)?;
        let outcome = on!(&mut *self.connection, it => it.execute(statement, params));
        outcome.map_err(|failure| self.end(failure))
    }

    /// Runs a statement and reads each of its rows in order.
    ///
    /// # Errors
    /// What `read` answers, which leaves the transaction alive; or as [`Tx::execute`], which does not.
    pub fn query<T>(
        &mut self,
        statement: &Statement,
        params: &[Value],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        self.each(statement, params, |row| {
            rows.push(read(row)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Runs a statement that answers at most one row, and reads it.
    ///
    /// # Errors
    /// As [`Tx::query`]; [`StoreError::Broken`] when there is a second row.
    pub fn query_one<T>(
        &mut self,
        statement: &Statement,
        params: &[Value],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.each(statement, params, |row| {
            if found.is_some() {
                return Err(StoreError::Broken { place: statement.name, code: "more than one row".to_owned() });
            }
            found = Some(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Runs a statement and gives each of its rows to `take` as it comes, keeping none: for long results.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub fn each(
        &mut self,
        statement: &Statement,
        params: &[Value],
        mut take: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.ready(statement, params)?;
        let outcome = on!(&mut *self.connection, it => it.each(statement, params, &mut take));
        outcome.map_err(|halt| match halt {
            Halt::Failed(failure) => self.end(failure),
            Halt::Row(error) => error,
        })
    }

    /// Prepares a statement without running it, for tests: the engine's own words on failure, and a complaint about a
    /// column whose type differs between the engines.
    pub(crate) fn prepare(&mut self, statement: &Statement) -> Result<(), String> {
        on!(&mut *self.connection, it => it.prepare(statement))
    }

    pub(crate) fn connection(&mut self) -> &mut Connection {
        self.connection
    }

    fn ready(&mut self, statement: &Statement, params: &[Value]) -> Result<(), StoreError> {
        if let Some(failure) = &self.failure {
            return Err(failure.error.clone());
        }
        #[cfg(debug_assertions)]
        statement::record::note(self.connection.engine(), statement.name);
        // SQLite would keep it and PostgreSQL would not.
        if params.iter().any(|value| matches!(value, Value::Text(text) if text.as_bytes().contains(&0))) {
            let error = StoreError::Constraint { statement: statement.name, kind: ConstraintKind::Text };
            return Err(self.end(Failure::last(error)));
        }
        Ok(())
    }

    fn end(&mut self, failure: Failure) -> StoreError {
        let error = failure.error.clone();
        self.failure = Some(failure);
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_a_path_or_a_server() {
        for (text, shown) in [
            ("alongside.db", "sqlite:alongside.db"),
            ("sqlite:data/a.db", "sqlite:data/a.db"),
            ("sqlite:///srv/a.db", "sqlite:/srv/a.db"),
            ("postgres://user:secret@db.example:5433/alongside", "postgres://db.example/alongside"),
            ("postgresql://user@%2Frun%2Fpg/alongside", "postgres:///run/pg/alongside"),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(format!("{url} {url:?}"), format!("{shown} {shown}"));
        }
    }

    #[test]
    fn what_is_not_a_database_is_refused_without_repeating_it() {
        for text in ["", "sqlite:", "sqlite::memory:", "mysql://user:secret@host/a", "postgres://user:secret@host:x/a"] {
            let refused = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(!refused.to_string().contains("secret"));
        }
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_unavailable() {
        let nowhere = DatabaseUrl::file("/nonexistent/of/a/test/a.db");
        assert!(matches!(Database::open(&nowhere), Err(StoreError::Unavailable { .. })));
        let nobody: DatabaseUrl = "postgres://a@%2Fnonexistent/a".parse().unwrap();
        assert!(matches!(Database::open(&nobody), Err(StoreError::Unavailable { .. })));
    }
}
