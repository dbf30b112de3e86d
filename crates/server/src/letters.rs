//! The folder into which letters are written, one file each: the only way out for what concerns a person.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use alongside_app::Failure;
use alongside_app::letters::{Letter, Post};
use alongside_domain::id::OutgoingId;

/// What a prepared letter's file ends with until it may leave.
const PREPARED: &str = "part";

/// A folder of letters.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The folder, made if it is not there.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(path).map_err(|error| broken(&error))?;
        Ok(Self(path.to_owned()))
    }

    fn path(&self, id: OutgoingId, ending: &str) -> PathBuf {
        self.0.join(format!("{id}.{ending}"))
    }
}

fn broken(error: &std::io::Error) -> Failure {
    Failure::Broken(format!("the folder of letters: {}", error.kind()))
}

impl Post for Folder {
    fn prepare(&mut self, letter: &Letter) -> Result<(), Failure> {
        let mut file = File::create(self.path(letter.id, PREPARED)).map_err(|error| broken(&error))?;
        file.write_all(letter.text().as_bytes()).and_then(|()| file.sync_all()).map_err(|error| broken(&error))
    }

    fn release(&mut self, id: OutgoingId) -> Result<(), Failure> {
        fs::rename(self.path(id, PREPARED), self.path(id, "txt")).map_err(|error| broken(&error))
    }

    fn discard(&mut self, id: OutgoingId) -> Result<(), Failure> {
        fs::remove_file(self.path(id, PREPARED)).map_err(|error| broken(&error))
    }

    fn prepared(&mut self) -> Result<Vec<OutgoingId>, Failure> {
        let entries = fs::read_dir(&self.0).map_err(|error| broken(&error))?;
        let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
        let parts = paths.filter(|path| path.extension().is_some_and(|ending| ending == PREPARED));
        Ok(parts.filter_map(|path| path.file_stem()?.to_str()?.parse().ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_seen_only_when_it_may_leave() {
        let place = tempfile::tempdir().unwrap();
        let mut folder = Folder::open(&place.path().join("letters")).unwrap();
        let letter = |n| Letter { id: OutgoingId(n), given: "Ada".into() };
        folder.prepare(&letter(1)).unwrap();
        folder.prepare(&letter(2)).unwrap();
        assert_eq!(folder.prepared().unwrap().len(), 2);
        folder.release(OutgoingId(1)).unwrap();
        folder.discard(OutgoingId(2)).unwrap();
        assert!(folder.prepared().unwrap().is_empty());
        let left: Vec<_> = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, [folder.path(OutgoingId(1), "txt")]);
    }
}
