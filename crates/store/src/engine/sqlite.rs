//! SQLite: a write-ahead log, flushed at every commit.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::ffi;
use rusqlite::{CachedStatement, ErrorCode, OpenFlags};

use super::error::{Failure, Remedy};
use super::statement::numbered;
use super::{EachRow, Halt, Limits, Purpose};
use crate::{ConstraintKind, Row, Statement, StoreError, Value};

/// How long to wait for another program that writes the same file.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// How many prepared statements a connection keeps: more than the program has.
const STATEMENTS_MAX: usize = 1024;

/// After how many commits SQLite looks again how its tables have grown.
const COMMITS_BETWEEN_COUNTS: u32 = 4_096;

/// How many rows of an index it looks at.
const COUNTED_MAX: u32 = 400;

/// A connection to an SQLite file.
pub(crate) struct SqliteConnection {
    inner: rusqlite::Connection,
    purpose: Purpose,
    commits: u32,
    /// The statements with their parameters as SQLite numbers them.
    texts: HashMap<&'static str, String>,
}

impl SqliteConnection {
    pub(crate) fn open(path: &Path, purpose: Purpose, limits: Limits) -> Result<Self, StoreError> {
        let inner = connect(path, purpose).map_err(|error| failure("open", &error).error)?;
        set_up(&inner, purpose, limits).map_err(|error| failure("set-up", &error).error)?;
        let opened = Self { inner, purpose, commits: 0, texts: HashMap::new() };
        opened.count_rows();
        Ok(opened)
    }

    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        self.run(match self.purpose {
            // Takes the write lock at once: what is read in it cannot change before it commits.
            Purpose::Write => "BEGIN IMMEDIATE",
            Purpose::Read => "BEGIN",
        })
    }

    pub(crate) fn begin_alone(&mut self) -> Result<(), Failure> {
        self.run("BEGIN IMMEDIATE")
    }

    pub(crate) fn commit(&mut self) -> Result<(), Failure> {
        let outcome = self.run("COMMIT");
        outcome.map_err(|mut failure| {
            if matches!(failure.error, StoreError::Unavailable { why: INPUT_OUTPUT }) {
                failure.remedy = Remedy::Stop;
            }
            failure
        })?;
        self.commits = self.commits.wrapping_add(1);
        if self.commits.is_multiple_of(COMMITS_BETWEEN_COUNTS) {
            self.count_rows();
        }
        Ok(())
    }

    /// Lets SQLite look how its tables have grown, so that it begins each statement at the fewest rows: some milliseconds,
    /// and nothing where they have not. PostgreSQL does it by itself.
    fn count_rows(&self) {
        if self.purpose == Purpose::Write {
            // Without it statements are slower, not wrong.
            let _ = self.inner.execute_batch("PRAGMA optimize = 0x10002");
        }
    }

    pub(crate) fn rollback(&mut self) -> bool {
        // A full disk and some other failures have already undone it.
        self.inner.is_autocommit() || self.run("ROLLBACK").is_ok()
    }

    pub(crate) fn define(&mut self, sql: &str) -> Result<(), Failure> {
        self.inner.execute_batch(sql).map_err(|error| failure("migration", &error))
    }

    fn run(&mut self, sql: &'static str) -> Result<(), Failure> {
        let outcome = self.inner.prepare_cached(sql).and_then(|mut prepared| prepared.raw_execute());
        outcome.map(drop).map_err(|error| failure(sql, &error))
    }

    pub(crate) fn execute(&mut self, statement: &Statement, params: &[Value]) -> Result<u64, Failure> {
        let mut prepared = self.bound(statement, params)?;
        let changed = prepared.raw_execute().map_err(|error| failure(statement.name, &error))?;
        Ok(changed as u64)
    }

    pub(crate) fn each(&mut self, statement: &Statement, params: &[Value], take: &mut EachRow<'_>) -> Result<(), Halt> {
        let mut prepared = self.bound(statement, params)?;
        let mut rows = prepared.raw_query();
        loop {
            match rows.next() {
                Ok(Some(row)) => take(&Row::of_sqlite(statement.name, row)).map_err(Halt::Row)?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(failure(statement.name, &error).into()),
            }
        }
    }

    fn bound(&mut self, statement: &Statement, params: &[Value]) -> Result<CachedStatement<'_>, Failure> {
        let text = self.texts.entry(statement.sql).or_insert_with(|| numbered(statement.sql));
        let mut prepared = self.inner.prepare_cached(text).map_err(|error| failure(statement.name, &error))?;
        // SQLite would take what is missing for NULL.
        if prepared.parameter_count() != params.len() {
            return Err(Failure::broken(statement.name, "number of parameters"));
        }
        for (at, value) in params.iter().enumerate() {
            prepared.raw_bind_parameter(at + 1, value).map_err(|error| failure(statement.name, &error))?;
        }
        Ok(prepared)
    }

    pub(crate) fn prepare(&mut self, statement: &Statement) -> Result<(), String> {
        self.inner.prepare(&numbered(statement.sql)).map(drop).map_err(|error| error.to_string())
    }

    /// The driver's connection, for the seam's own pragmas and tests.
    pub(crate) fn driver(&self) -> &rusqlite::Connection {
        &self.inner
    }
}

/// A connection with nothing set, for the seam's own use.
pub(crate) fn connect(path: &Path, purpose: Purpose) -> rusqlite::Result<rusqlite::Connection> {
    let access = match purpose {
        Purpose::Write => {
            create_private(path);
            OpenFlags::SQLITE_OPEN_READ_WRITE
        }
        Purpose::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    // Each connection is used by one thread at a time, so SQLite need not lock.
    rusqlite::Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Makes the file, readable by its owner alone, if there is none. The log and the index beside it take after it.
/// When this fails, so does opening, which tells why.
fn create_private(path: &Path) {
    let _ = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
}

fn set_up(inner: &rusqlite::Connection, purpose: Purpose, limits: Limits) -> rusqlite::Result<()> {
    inner.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    inner.busy_timeout(BUSY_WAIT)?;
    inner.pragma_update(None, "trusted_schema", "OFF")?;
    // What a sort spills holds personal data: it stays off the disk.
    inner.pragma_update(None, "temp_store", "MEMORY")?;
    if purpose == Purpose::Read {
        return inner.pragma_update(None, "query_only", "ON");
    }
    inner.pragma_update(None, "journal_mode", "WAL")?;
    inner.pragma_update(None, "synchronous", "FULL")?;
    // A small log that is used again and again beats a long one at every size of group (docs/benchmarks.md).
    inner.pragma_update(None, "wal_autocheckpoint", 1000)?;
    inner.pragma_update(None, "analysis_limit", COUNTED_MAX)?;
    inner.pragma_update(None, "foreign_keys", "ON")?;
    // What is deleted because its time is over is overwritten, not only forgotten.
    inner.pragma_update(None, "secure_delete", "ON")?;
    if let Some(pages_max) = limits.pages_max {
        // Cannot be bound below what the file has; SQLite then takes what it has.
        inner.query_row(&format!("PRAGMA max_page_count = {pages_max}"), [], |_| Ok(()))?;
    }
    Ok(())
}

const INPUT_OUTPUT: &str = "the disk failed to read or write";

fn failure(place: &'static str, error: &rusqlite::Error) -> Failure {
    let rusqlite::Error::SqliteFailure(code, _) = error else {
        return Failure::broken(place, word(error));
    };
    let unavailable = |why| StoreError::Unavailable { why };
    Failure::last(match code.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
        ErrorCode::DiskFull => unavailable("the disk is full"),
        ErrorCode::SystemIoFailure => unavailable(INPUT_OUTPUT),
        ErrorCode::CannotOpen => unavailable("the database file cannot be opened"),
        ErrorCode::PermissionDenied => unavailable("the database file is not ours to open"),
        ErrorCode::ConstraintViolation => StoreError::Constraint { statement: place, kind: constraint(code.extended_code) },
        _ => StoreError::Broken { place, code: format!("SQLite {}", code.extended_code) },
    })
}

/// What the driver refuses without asking SQLite. Its own text may hold a value.
fn word(error: &rusqlite::Error) -> &'static str {
    match error {
        rusqlite::Error::SqlInputError { .. } => "a text that does not parse",
        rusqlite::Error::ExecuteReturnedResults => "rows from a statement that should give none",
        rusqlite::Error::InvalidParameterCount(..) => "number of parameters",
        _ => "the driver refused",
    }
}

fn constraint(extended_code: i32) -> ConstraintKind {
    match extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => ConstraintKind::Unique,
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => ConstraintKind::ForeignKey,
        ffi::SQLITE_CONSTRAINT_CHECK | ffi::SQLITE_CONSTRAINT_DATATYPE => ConstraintKind::Check,
        ffi::SQLITE_CONSTRAINT_NOTNULL => ConstraintKind::NotNull,
        _ => ConstraintKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Engine;
    use crate::testing::TestDatabase;

    fn setting(connection: &SqliteConnection, name: &str) -> String {
        connection
            .inner
            .query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, rusqlite::types::Value>(0).map(|value| format!("{value:?}")))
            .unwrap()
    }

    #[test]
    fn a_writing_connection_flushes_its_log_at_every_commit() {
        let database = TestDatabase::empty(Engine::Sqlite);
        let path = database.url().path().unwrap();
        let connection = SqliteConnection::open(path, Purpose::Write, Limits::default()).unwrap();
        assert_eq!(setting(&connection, "journal_mode"), "Text(\"wal\")");
        assert_eq!(setting(&connection, "synchronous"), "Integer(2)");
        assert_eq!(setting(&connection, "foreign_keys"), "Integer(1)");
        assert_eq!(setting(&connection, "busy_timeout"), "Integer(5000)");
        assert_eq!(setting(&connection, "wal_autocheckpoint"), "Integer(1000)");
    }

    #[test]
    fn a_new_database_is_its_owners_alone() {
        use std::os::unix::fs::MetadataExt;
        let database = TestDatabase::empty(Engine::Sqlite);
        let path = database.url().path().unwrap();
        drop(SqliteConnection::open(path, Purpose::Write, Limits::default()).unwrap());
        assert_eq!(std::fs::metadata(path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn it_looks_how_its_tables_have_grown() {
        let database = TestDatabase::empty(Engine::Sqlite);
        let path = database.url().path().unwrap();
        let mut connection = SqliteConnection::open(path, Purpose::Write, Limits::default()).unwrap();
        let table = "CREATE TABLE t (x INTEGER); CREATE INDEX t_x ON t (x);";
        let rows = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 500) INSERT INTO t SELECT x FROM n";
        connection.inner.execute_batch(&format!("{table}{rows}")).unwrap();
        for _ in 0..COMMITS_BETWEEN_COUNTS {
            connection.begin().unwrap();
            connection.commit().unwrap();
        }
        let known = connection.inner.query_row("SELECT COUNT(*) FROM sqlite_stat1 WHERE idx = 't_x'", [], |row| row.get(0));
        assert_eq!(known, Ok(1));
    }

    #[test]
    fn another_writer_makes_it_busy() {
        let database = TestDatabase::empty(Engine::Sqlite);
        let path = database.url().path().unwrap();
        let mut one = SqliteConnection::open(path, Purpose::Write, Limits::default()).unwrap();
        let mut other = SqliteConnection::open(path, Purpose::Write, Limits::default()).unwrap();
        other.inner.busy_timeout(Duration::ZERO).unwrap();
        one.begin().unwrap();
        assert_eq!(other.begin().unwrap_err().error, StoreError::Busy);
        one.commit().unwrap();
        other.begin().unwrap();
    }
}
