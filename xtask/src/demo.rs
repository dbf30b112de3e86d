//! `cargo demo`: set up, build, and become the demo.

use std::os::unix::process::CommandExt;

use crate::repository::Repository;
use crate::setup::{self, Purpose};
use crate::{Failure, command};

/// Sets up what the demo lacks, then becomes `alongside demo` with these arguments,
/// so that Ctrl-C and the exit status are the program's own.
///
/// # Errors
/// When the set-up fails or cargo cannot be started; otherwise it does not return.
pub(crate) fn run(repository: &Repository, arguments: &[&str]) -> Result<(), Failure> {
    setup::run(repository, Purpose::Demo)?;
    println!("Building the program; the first time this takes some minutes.");
    let mut cargo = command::cargo(repository);
    cargo.args(["run", "--release", "--package", "alongside", "--", "demo"]).args(arguments);
    Err(format!("cargo cannot be started: {}", cargo.exec()))
}
