//! Packages of npm, from a lock file, into the folder of that lock file and nowhere else.

use std::path::Path;
use std::process::Command;

use crate::repository::Repository;
use crate::{Failure, command};

/// The copy of the lock file that tells which one was installed last.
const STAMP: &str = "node_modules/.installed-lock";

/// `npm ci` in a folder, unless what its lock file says is installed already.
///
/// # Errors
/// When npm fails or the folder has no lock file.
pub(crate) fn install(repository: &Repository, folder: &str, why: &str) -> Result<(), Failure> {
    let lock = repository.read(&format!("{folder}/package-lock.json"))?;
    let stamp = repository.path(folder).join(STAMP);
    if is_stamped(&stamp, &lock) {
        return Ok(());
    }
    println!("Installing the npm packages of {folder}/: {why}.");
    let mut npm = Command::new("npm");
    // No script of a package is run: none of ours needs one.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(repository.path(folder));
    command::show_and_run(&mut npm)?;
    write_stamp(&stamp, &lock)
}

/// Whether the stamp says that exactly this was done. A copy says more than a hash, and needs none.
pub(crate) fn is_stamped(stamp: &Path, wanted: &str) -> bool {
    std::fs::read_to_string(stamp).is_ok_and(|done| done == wanted)
}

/// Says that this was done.
///
/// # Errors
/// When the stamp cannot be written.
pub(crate) fn write_stamp(stamp: &Path, done: &str) -> Result<(), Failure> {
    std::fs::write(stamp, done).map_err(|error| format!("{}: {error}", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_of_another_lock_file_does_not_count() {
        let stamp = std::env::temp_dir().join(format!("alongside-stamp-{}", std::process::id()));
        write_stamp(&stamp, "one").unwrap();
        assert!(is_stamped(&stamp, "one"));
        assert!(!is_stamped(&stamp, "two"));
        std::fs::remove_file(&stamp).unwrap();
        assert!(!is_stamped(&stamp, "one"));
    }
}
