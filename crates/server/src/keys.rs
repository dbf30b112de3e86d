//! The file of keys: what must not be in the database that it protects.
//!
//! It is made once, at the first start, and never replaced: keys that are lost are lost, and an audit that was begun is
//! not gone on with under new ones.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use alongside_app::{App, Failure, Keys};
use alongside_store::Store;
use alongside_store::audit::{self, AuditKey};
use serde::Deserialize;

/// What stands in the file above the keys.
const HEADING: &str = "# Keys of Alongside. Whoever has them can forge the audit; without them nobody can check it.\n\
    # Keep a copy in a safe place, apart from the copies of the database. Never change them.\n";

/// Who but the owner may do what with the file: nobody anything.
const OTHERS: u32 = 0o077;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// 64 hexadecimal digits.
    audit: String,
}

/// Reads the keys, and makes them first where there are none and the audit has not begun.
///
/// # Errors
/// [`Failure::Invalid`] where the file is missing and the audit has begun, where others may read it, or where it is not a
/// file of keys. No error repeats what is in it.
pub(crate) fn load(store: &Store, path: &Path) -> Result<Keys, Failure> {
    match read(path)? {
        Some(keys) => Ok(keys),
        None if store.read(audit::head)?.is_some() => Err(wrong(
            path,
            "is missing, and the audit of this database was begun with its keys: put the file back from its copy, \
             or name it with --keys or [server] keys",
        )),
        None => {
            make(path)?;
            read(path)?.ok_or_else(|| wrong(path, "is gone again"))
        }
    }
}

/// Sees that the audit was written with these keys, before anything is added to it.
///
/// # Errors
/// [`Failure::Invalid`] where its newest line was not.
pub(crate) fn check(app: &App) -> Result<(), Failure> {
    if app.store.read(|tx| audit::newest_fits(tx, &app.keys.audit))? {
        return Ok(());
    }
    Err(Failure::invalid(
        "keys",
        "are not those with which the newest line of this database's audit was written, or that line was altered: \
         `alongside audit verify` tells more",
    ))
}

fn wrong(path: &Path, what: impl Into<String>) -> Failure {
    Failure::invalid(path.display().to_string(), what)
}

fn read(path: &Path) -> Result<Option<Keys>, Failure> {
    let Some(text) = secret(path).map_err(|what| wrong(path, what))? else { return Ok(None) };
    let written: Written = toml::from_str(&text).map_err(|_| wrong(path, "is not a file of keys"))?;
    let audit = key(&written.audit).ok_or_else(|| wrong(path, "has a key that is not 64 hexadecimal digits"))?;
    Ok(Some(Keys { audit: AuditKey::new(audit) }))
}

/// The text of a file that nobody but its owner may read; `None` where there is no file.
///
/// # Errors
/// What is wrong with it, in words without any of it.
pub(crate) fn secret(path: &Path) -> Result<Option<String>, String> {
    let broken = |error: std::io::Error| format!("cannot be read: {}", error.kind());
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(broken)?,
    };
    // Of the file that was opened, so that what is checked is what is read.
    if file.metadata().map_err(broken)?.mode() & OTHERS != 0 {
        return Err("can be read or written by others than its owner: chmod 600".into());
    }
    std::io::read_to_string(file).map(Some).map_err(broken)
}

fn key(digits: &str) -> Option<[u8; 32]> {
    let pairs: Vec<u8> = digits.as_bytes().chunks(2).map(pair).collect::<Option<_>>()?;
    pairs.try_into().ok()
}

fn pair(digits: &[u8]) -> Option<u8> {
    let value = |digit: &u8| char::from(*digit).to_digit(16);
    let [high, low] = digits else { return None };
    u8::try_from(value(high)? * 16 + value(low)?).ok()
}

/// Writes new keys, whole or not at all, and never over others: of two programs that start at once, one makes the file.
fn make(path: &Path) -> Result<(), Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Failure::Broken("the system gives no random numbers for the keys".into()))?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let broken = |error: std::io::Error| wrong(path, format!("cannot be made: {}", error.kind()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(broken)?;
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).map_err(broken)?;
    let made = file
        .write_all(format!("{HEADING}audit = \"{digits}\"\n").as_bytes())
        .and_then(|()| file.sync_all())
        // A link is refused where there is a file already; renaming would replace it.
        .and_then(|()| match fs::hard_link(&part, path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        })
        .and_then(|()| File::open(folder)?.sync_all());
    let tidied = fs::remove_file(&part);
    made.and(tidied).map_err(broken)
}

/// Writes a file that nobody but its owner may read.
#[cfg(test)]
pub(crate) fn write_secret(path: &Path, text: &str) {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use alongside_domain::decision::Actor;
    use alongside_store::audit::{Entry, Outcome, keyed_digest};
    use alongside_store::testing::{TestDatabase, both_engines};
    use alongside_store::{Engine, Store};
    use jiff::Timestamp;

    use super::*;

    fn begin(store: &Store, keys: &Keys) {
        let key = keys.audit.clone();
        let entry = Entry {
            at: Timestamp::UNIX_EPOCH,
            actor: Actor::Operator,
            action: "a".into(),
            purpose: "b".into(),
            site: None,
            outcome: Outcome::Allowed,
            detail: None,
            subjects: Vec::new(),
        };
        store.write(move |tx| audit::append(tx, &key, &entry)).unwrap();
    }

    fn mark(keys: &Keys) -> String {
        keyed_digest(&keys.audit, "test", b"")
    }

    #[test]
    fn keys_are_made_once_for_their_owner_alone_and_read_ever_after() {
        both_engines(|store| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("new").join("alongside.keys");
            let made = load(&store, &path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
            begin(&store, &made);
            assert_eq!(mark(&load(&store, &path).unwrap()), mark(&made));
            let files = fs::read_dir(path.parent().unwrap()).unwrap().count();
            assert_eq!(files, 1, "nothing is left beside it");
            let other = load(&store_of_nobody().0, &folder.path().join("other")).unwrap();
            assert_ne!(mark(&other), mark(&made));
        });
    }

    fn store_of_nobody() -> (Store, TestDatabase) {
        let database = TestDatabase::new(Engine::Sqlite);
        (Store::open(database.url()).unwrap(), database)
    }

    #[test]
    fn keys_that_are_missing_are_not_made_anew_once_the_audit_has_begun() {
        both_engines(|store| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("alongside.keys");
            begin(&store, &load(&store, &path).unwrap());
            fs::remove_file(&path).unwrap();
            let refused = load(&store, &path).unwrap_err();
            assert!(refused.to_string().contains("is missing, and the audit"), "{refused}");
            assert!(!path.exists());
        });
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let ((store, _database), folder) = (store_of_nobody(), tempfile::tempdir().unwrap());
        let path = folder.path().join("alongside.keys");
        load(&store, &path).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(load(&store, &path).unwrap_err().to_string().contains("chmod 600"), "{mode:o}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        load(&store, &path).unwrap();
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_not_repeated() {
        let ((store, _database), folder) = (store_of_nobody(), tempfile::tempdir().unwrap());
        let path = folder.path().join("alongside.keys");
        let digits = "0123456789abcdef".repeat(4);
        for text in [
            String::new(),
            "secret".into(),
            format!("audit = \"{}\"", &digits[1..]),
            format!("audit = \"{digits}0\""),
            format!("audit = \"{}g\"", &digits[1..]),
            format!("audit = \"{}é\"", &digits[2..]),
            format!("audit = \"{digits}\"\nsecret = 1"),
        ] {
            fs::write(&path, &text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let refused = load(&store, &path).unwrap_err().to_string();
            assert!(!refused.contains("secret") && !refused.contains("cdef"), "{refused}");
        }
        fs::write(&path, format!("audit = \"{digits}\"")).unwrap();
        load(&store, &path).unwrap();
    }

    #[test]
    fn programs_that_start_at_once_have_the_same_keys() {
        let ((store, _database), folder) = (store_of_nobody(), tempfile::tempdir().unwrap());
        let path = folder.path().join("alongside.keys");
        make(&path).unwrap();
        let first = mark(&load(&store, &path).unwrap());
        make(&path).unwrap();
        assert_eq!(mark(&load(&store, &path).unwrap()), first, "the second to come leaves what is there");
    }
}
