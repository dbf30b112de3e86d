//! What can go wrong below the SQL of the aggregates, in words that are safe in a log.

use std::fmt;

/// Why the store did not do what it was asked. Holds names of statements, positions and codes; never a row's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// Too much is asked at once, or other writers would not give way. Nothing was kept; asking again may succeed.
    Busy,
    /// The database cannot be reached, or could not promise to keep what it was given.
    Unavailable {
        /// What stood in the way.
        why: &'static str,
    },
    /// A stored value is not of the kind that this program writes there.
    Corrupt {
        /// The name of the statement that read it.
        statement: &'static str,
        /// The column's position in the statement's result, from 0.
        column: usize,
    },
    /// The schema refused a row. Nothing of the job was kept.
    Constraint {
        /// The name of the statement that was refused.
        statement: &'static str,
        /// Which kind of rule it broke.
        kind: ConstraintKind,
    },
    /// The database's schema is not one that this program can bring up to date.
    Migration {
        /// The migration's name, such as `0003_outbox`.
        name: String,
        /// What is wrong with it.
        problem: MigrationProblem,
    },
    /// A fault of this program or of the database. Asking again will not help.
    Broken {
        /// The statement's name, or the step that failed.
        place: &'static str,
        /// The engine's code (an SQLite result code or an SQLSTATE), or a word of ours.
        code: String,
    },
}

/// Which kind of rule of the schema a row broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    /// A primary key or a unique index already has such a row.
    Unique,
    /// A row that it refers to does not exist, or one that refers to it does.
    ForeignKey,
    /// A `CHECK`, or a value of another type than the column's.
    Check,
    /// A value is missing that must be there.
    NotNull,
    /// A text holds U+0000, which PostgreSQL cannot keep. Bytes as they came belong in a blob.
    Text,
    /// Another rule.
    Other,
}

/// What is wrong with a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MigrationProblem {
    /// The database has it and this program does not: a newer program was here.
    Unknown,
    /// Its text is not the text that was applied.
    Altered,
    /// A later one was applied without it.
    OutOfOrder,
    /// It failed and was undone.
    Failed {
        /// The failure, as an engine's code or a word of ours.
        code: String,
    },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("the store is busy"),
            Self::Unavailable { why } => write!(f, "the store is unavailable: {why}"),
            Self::Corrupt { statement, column } => {
                write!(f, "column {column} of {statement} holds what this program does not write there")
            }
            Self::Constraint { statement, kind } => write!(f, "{statement} broke a rule of the schema: {kind}"),
            Self::Migration { name, problem } => write!(f, "migration {name}: {problem}"),
            Self::Broken { place, code } => write!(f, "the store is broken at {place}: {code}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl fmt::Display for ConstraintKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unique => "unique",
            Self::ForeignKey => "foreign key",
            Self::Check => "check",
            Self::NotNull => "not null",
            Self::Text => "text without U+0000",
            Self::Other => "other",
        })
    }
}

impl fmt::Display for MigrationProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the database has it, this program does not; was a newer program here?"),
            Self::Altered => f.write_str("its text is not the text that was applied to this database"),
            Self::OutOfOrder => f.write_str("a later one was applied without it"),
            Self::Failed { code } => write!(f, "it failed and was undone ({code})"),
        }
    }
}

/// A failure as the seam sees it: what to tell, and what may be done about it.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) error: StoreError,
    pub(crate) remedy: Remedy,
}

/// What may be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Nothing: it would fail again.
    None,
    /// Another transaction got in the way; the same work may succeed.
    Again,
    /// The connection is gone; the same work may succeed on a new one, unless it was being committed.
    Reconnect,
    /// The disk did not keep its promise. After a failed flush nobody knows what is on it: no more writes until a
    /// restart has read it again.
    Stop,
}

impl Failure {
    pub(crate) fn last(error: StoreError) -> Self {
        Self { error, remedy: Remedy::None }
    }

    pub(crate) fn broken(place: &'static str, code: impl Into<String>) -> Self {
        Self::last(StoreError::Broken { place, code: code.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_where_and_what_kind_and_nothing_else() {
        let error = StoreError::Constraint { statement: "people::ADD_PERSON", kind: ConstraintKind::Unique };
        assert_eq!(error.to_string(), "people::ADD_PERSON broke a rule of the schema: unique");
        let error = StoreError::Migration { name: "0002_place".to_owned(), problem: MigrationProblem::Altered };
        assert_eq!(error.to_string(), "migration 0002_place: its text is not the text that was applied to this database");
    }
}
