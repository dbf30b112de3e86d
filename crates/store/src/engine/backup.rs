//! A copy of the whole database while it is in use.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::Purpose;
use super::sqlite::connect;
use crate::{Store, StoreError};

/// Why there is no backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupError {
    /// The database is on PostgreSQL, whose own tools do this.
    UsePgDump,
    /// There is a file of this name already; a backup never replaces one.
    Exists,
    /// The file cannot be written.
    File(io::ErrorKind),
    /// The copy did not pass SQLite's own check, and was removed.
    Unsound,
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UsePgDump => f.write_str("this database is on PostgreSQL: make the backup with pg_dump"),
            Self::Exists => f.write_str("there is a file of that name already"),
            Self::File(kind) => write!(f, "the file cannot be written: {kind}"),
            Self::Unsound => f.write_str("the copy did not pass its check and was removed"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BackupError {}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        Self::File(error.kind())
    }
}

/// Copies the database to a new file, which is on disk when this returns. The copy is of one state; reads and writes
/// go on meanwhile. Until it is whole and checked it stands under another name beside it.
///
/// # Errors
/// [`BackupError::UsePgDump`] on PostgreSQL; [`BackupError::Exists`] when there is a file; what the disk says.
pub fn backup(store: &Store, path: &Path) -> Result<(), BackupError> {
    let Some(source) = store.database().url().path() else {
        return Err(BackupError::UsePgDump);
    };
    if path.symlink_metadata().is_ok() {
        return Err(BackupError::Exists);
    }
    let partial = partial_name(path)?;
    // SQLite takes an empty file; making it here keeps it its owner's alone.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
    let outcome = copy(source, &partial).and_then(|()| publish(&partial, path));
    let removed = fs::remove_file(&partial);
    outcome?;
    removed?;
    flush_directory(path)
}

fn partial_name(path: &Path) -> Result<PathBuf, BackupError> {
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or(BackupError::File(io::ErrorKind::InvalidFilename))?);
    name.push(format!(".partial-{}", std::process::id()));
    Ok(path.with_file_name(name))
}

fn copy(source: &Path, partial: &Path) -> Result<(), BackupError> {
    let broken = |error: rusqlite::Error| {
        BackupError::Store(StoreError::Broken {
            place: "backup",
            code: format!("SQLite {:?}", error.sqlite_error().map(|code| code.extended_code)),
        })
    };
    let name = partial.to_str().ok_or(BackupError::File(io::ErrorKind::InvalidFilename))?;
    let database = connect(source, Purpose::Read).map_err(broken)?;
    database.execute("VACUUM INTO ?1", [name]).map_err(broken)?;
    let copied = connect(partial, Purpose::Read).map_err(broken)?;
    let verdict: String = copied.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(broken)?;
    if verdict != "ok" {
        return Err(BackupError::Unsound);
    }
    File::open(partial)?.sync_all()?;
    Ok(())
}

/// Gives the whole copy its name, unless something has it by now.
fn publish(partial: &Path, path: &Path) -> Result<(), BackupError> {
    fs::hard_link(partial, path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists,
        kind => BackupError::File(kind),
    })
}

/// A new name is on disk when its directory is.
fn flush_directory(path: &Path) -> Result<(), BackupError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestDatabase, both_engines};
    use crate::{DatabaseUrl, Engine, testing};

    #[test]
    fn a_backup_is_a_whole_database_of_its_own() {
        let database = TestDatabase::new(Engine::Sqlite);
        let store = Store::open(database.url()).unwrap();
        let path = database.url().path().unwrap().with_file_name("copy.db");
        backup(&store, &path).unwrap();
        assert_eq!(backup(&store, &path), Err(BackupError::Exists));
        let copy = Store::open(&DatabaseUrl::file(&path)).unwrap();
        assert_eq!(testing::schema(&copy), testing::schema(&store));
        let beside = fs::read_dir(path.parent().unwrap()).unwrap();
        assert!(beside.filter_map(Result::ok).all(|file| !file.file_name().to_string_lossy().contains("partial")));
    }

    #[test]
    fn postgresql_has_its_own_tools() {
        both_engines(|store| {
            if store.engine() == Engine::Postgres {
                assert_eq!(backup(&store, Path::new("/nonexistent/copy.db")), Err(BackupError::UsePgDump));
            }
        });
    }

    #[test]
    fn a_backup_that_cannot_be_written_says_so() {
        let database = TestDatabase::new(Engine::Sqlite);
        let store = Store::open(database.url()).unwrap();
        let refused = backup(&store, Path::new("/nonexistent/copy.db"));
        assert_eq!(refused, Err(BackupError::File(io::ErrorKind::NotFound)));
    }
}
