//! PostgreSQL 15 or later: serialisable writes, reads of one snapshot, statements prepared once a connection.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::error::{Failure, Remedy};
use super::{EachRow, Halt, Purpose};
use crate::migrate::for_postgres;
use crate::value::is_readable;
use crate::{ConstraintKind, Row, Statement, StoreError, Value};

/// How long to wait for a server that does not answer.
const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// How long the network may leave what we sent unacknowledged before the connection counts as lost.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// The oldest server that is known to do, as `server_version_num`.
const VERSION_MIN: u32 = 150_000;

/// Sets a session up and asks what the server is. A commit is durable when it is answered, whatever the server's
/// default; a stricter default stays. A wait for a lock ends, as it does on SQLite.
const SET_UP: &str = "SELECT current_setting('server_version_num'), current_setting('server_encoding'),
    set_config('lock_timeout', '5s', false),
    set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
        ELSE current_setting('synchronous_commit') END, false)";

/// The number of the lock that migrating programs wait for; any number that nobody else uses ("alongsid").
const MIGRATING: &str = "SELECT pg_advisory_xact_lock(7019267256183118180)";

/// A connection to a PostgreSQL server.
pub(crate) struct PostgresConnection {
    client: Client,
    purpose: Purpose,
    prepared: HashMap<&'static str, postgres::Statement>,
}

impl PostgresConnection {
    pub(crate) fn open(config: &Config, purpose: Purpose) -> Result<Self, StoreError> {
        let mut config = config.clone();
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WAIT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE_MAX);
        }
        config.application_name("alongside");
        let unreachable = |_| StoreError::Unavailable { why: "the database server cannot be reached" };
        let mut client = config.connect(NoTls).map_err(unreachable)?;
        let answer = client.simple_query(SET_UP).map_err(|error| failure("set-up", &error).error)?;
        fit(&answer)?;
        Ok(Self { client, purpose, prepared: HashMap::new() })
    }

    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        self.run(match self.purpose {
            Purpose::Write => "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE",
            Purpose::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        })
    }

    pub(crate) fn begin_alone(&mut self) -> Result<(), Failure> {
        // READ COMMITTED, so that what is read after the wait for the lock is what the one before left.
        self.run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")?;
        self.run(MIGRATING)
    }

    pub(crate) fn commit(&mut self) -> Result<(), Failure> {
        self.run("COMMIT")
    }

    pub(crate) fn rollback(&mut self) -> bool {
        !self.client.is_closed() && self.run("ROLLBACK").is_ok()
    }

    pub(crate) fn define(&mut self, sql: &str) -> Result<(), Failure> {
        self.client.batch_execute(&for_postgres(sql)).map_err(|error| failure("migration", &error))
    }

    fn run(&mut self, sql: &'static str) -> Result<(), Failure> {
        self.client.batch_execute(sql).map_err(|error| failure(sql, &error))
    }

    pub(crate) fn execute(&mut self, statement: &Statement, params: &[Value]) -> Result<u64, Failure> {
        let prepared = self.prepared(statement, params)?;
        let params: Vec<_> = params.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let outcome = self.client.execute(&prepared, &params);
        outcome.map_err(|error| failure(statement.name, &error))
    }

    pub(crate) fn each(&mut self, statement: &Statement, params: &[Value], take: &mut EachRow<'_>) -> Result<(), Halt> {
        let prepared = self.prepared(statement, params)?;
        let failed = |error| Halt::Failed(failure(statement.name, &error));
        let mut rows = self.client.query_raw(&prepared, params).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            take(&Row::of_postgres(statement.name, &row)).map_err(Halt::Row)?;
        }
        Ok(())
    }

    fn prepared(&mut self, statement: &Statement, params: &[Value]) -> Result<postgres::Statement, Failure> {
        let prepared = match self.prepared.entry(statement.sql) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let prepared = self.client.prepare(statement.sql).map_err(|error| failure(statement.name, &error))?;
                place.insert(prepared)
            }
        };
        // The driver would panic.
        if prepared.params().len() != params.len() {
            return Err(Failure::broken(statement.name, "number of parameters"));
        }
        Ok(prepared.clone())
    }

    pub(crate) fn prepare(&mut self, statement: &Statement) -> Result<(), String> {
        let prepared = self.client.prepare(statement.sql).map_err(|error| match error.as_db_error() {
            Some(answer) => answer.message().to_owned(),
            None => error.to_string(),
        })?;
        match prepared.columns().iter().find(|column| !is_readable(column.type_())) {
            Some(column) => Err(format!("column {} is {}: write CAST", column.name(), column.type_())),
            None => Ok(()),
        }
    }

    /// The driver's client, for the seam's own questions and tests.
    pub(crate) fn driver(&mut self) -> &mut Client {
        &mut self.client
    }
}

/// Whether the server that answered [`SET_UP`] will do.
fn fit(answer: &[SimpleQueryMessage]) -> Result<(), StoreError> {
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let version = row.and_then(|row| row.get(0)?.parse::<u32>().ok()).unwrap_or(0);
    if version < VERSION_MIN {
        return Err(StoreError::Unavailable { why: "the database server is older than PostgreSQL 15" });
    }
    if row.and_then(|row| row.get(1)) != Some("UTF8") {
        return Err(StoreError::Unavailable { why: "the database's encoding is not UTF8" });
    }
    Ok(())
}

fn failure(place: &'static str, error: &postgres::Error) -> Failure {
    const UNAVAILABLE: StoreError = StoreError::Unavailable { why: "the connection to the database server was lost" };
    let Some(state) = error.code() else {
        // Without an answer from the server it is the connection, or a value that the driver could not encode.
        return match std::error::Error::source(error) {
            Some(source) if source.downcast_ref::<std::io::Error>().is_some() => lost(UNAVAILABLE),
            _ if error.is_closed() => lost(UNAVAILABLE),
            _ => Failure::broken(place, "the driver refused"),
        };
    };
    if ends_the_session(state.code()) {
        return lost(UNAVAILABLE);
    }
    match *state {
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => Failure { error: StoreError::Busy, remedy: Remedy::Again },
        SqlState::LOCK_NOT_AVAILABLE | SqlState::QUERY_CANCELED => Failure::last(StoreError::Busy),
        SqlState::UNTRANSLATABLE_CHARACTER | SqlState::CHARACTER_NOT_IN_REPERTOIRE => {
            Failure::last(StoreError::Constraint { statement: place, kind: ConstraintKind::Text })
        }
        _ => Failure::last(by_class(place, state.code())),
    }
}

/// Whether the server hangs up with this: it shuts down, it crashed, the session was idle for too long, or the
/// connection itself is at fault.
fn ends_the_session(code: &str) -> bool {
    code.starts_with("57P") || code.starts_with("08") || code == "25P03"
}

/// By the first two characters of an SQLSTATE (PostgreSQL's documentation, appendix A).
fn by_class(place: &'static str, code: &str) -> StoreError {
    match code.get(..2) {
        Some("23") => StoreError::Constraint { statement: place, kind: constraint(code) },
        Some("53") if code == SqlState::DISK_FULL.code() => StoreError::Unavailable { why: "the disk is full" },
        Some("53") => StoreError::Unavailable { why: "the database server has too little of something" },
        _ => StoreError::Broken { place, code: format!("SQLSTATE {code}") },
    }
}

fn constraint(code: &str) -> ConstraintKind {
    match code {
        "23505" => ConstraintKind::Unique,
        "23503" => ConstraintKind::ForeignKey,
        "23514" => ConstraintKind::Check,
        "23502" => ConstraintKind::NotNull,
        _ => ConstraintKind::Other,
    }
}

fn lost(error: StoreError) -> Failure {
    Failure { error, remedy: Remedy::Reconnect }
}
