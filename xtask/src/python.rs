//! The Python client of MLLP, in an environment of its own under `target/`.

use std::process::Command;

use crate::repository::Repository;
use crate::{Failure, command, npm};

const REQUIREMENTS: &str = "e2e/requirements.txt";

/// Installs what `e2e/requirements.txt` pins into `target/venv`, unless it is there.
///
/// # Errors
/// When Python or pip fails.
pub(crate) fn install_clients(repository: &Repository) -> Result<(), Failure> {
    let wanted = repository.read(REQUIREMENTS)?;
    let folder = repository.path("target/venv");
    let stamp = folder.join(".installed-requirements");
    if npm::is_stamped(&stamp, &wanted) {
        return Ok(());
    }
    let interpreter = interpreter().ok_or("Python 3 with its modules venv and ensurepip is needed (Debian: python3-venv).")?;
    println!(
        "Installing the Python packages of {REQUIREMENTS} into target/venv: mllp_send is an MLLP \
         client that hospitals use."
    );
    let mut venv = Command::new(interpreter);
    venv.args(["-m", "venv", "--clear"]).arg(&folder);
    command::show_and_run(&mut venv)?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--require-hashes", "--requirement", REQUIREMENTS])
        .current_dir(repository.root());
    command::show_and_run(&mut pip)?;
    npm::write_stamp(&stamp, &wanted)
}

/// A Python that can make an environment: Debian splits that off into a package of its own.
pub(crate) fn interpreter() -> Option<&'static str> {
    ["python3", "/usr/bin/python3"]
        .into_iter()
        .find(|program| command::output(Command::new(program).args(["-c", "import venv, ensurepip"])).is_ok())
}
