//! What must come from the system, and how Debian calls it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, command, python};

/// The oldest PostgreSQL that the store is tested on.
const POSTGRESQL_MAJOR_MIN: u32 = 15;

/// Something that a purpose needs of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Node,
    Npm,
    PostgreSql,
    Chromium,
    Fonts,
    OpenSsl,
    PythonVenv,
}

impl Need {
    /// The name of Debian's package.
    fn package(self) -> &'static str {
        match self {
            Self::Node => "nodejs",
            Self::Npm => "npm",
            Self::PostgreSql => "postgresql",
            Self::Chromium => "chromium",
            Self::Fonts => "fonts-liberation",
            Self::OpenSsl => "openssl",
            Self::PythonVenv => "python3-venv",
        }
    }

    /// What it is for, in words that follow "for".
    fn why(self) -> &'static str {
        match self {
            Self::Node => "npm, and for the browser tests",
            Self::Npm => "nhsuk-frontend, whose styles the pages use, from its lock file",
            Self::PostgreSql => "the store's tests, which start a throwaway PostgreSQL of their own",
            Self::Chromium => "the browser tests",
            Self::Fonts => "words in the browser's screenshots",
            Self::OpenSsl => "certificates that the tests of TLS invent",
            Self::PythonVenv => "mllp_send, the MLLP client of the Python package hl7",
        }
    }

    fn is_here(self) -> bool {
        match self {
            Self::Node => command::find("node").is_some(),
            Self::Npm => command::find("npm").is_some(),
            Self::PostgreSql => postgresql_is_here(),
            Self::Chromium => chromium_is_here(),
            Self::Fonts => Path::new("/usr/share/fonts/truetype/liberation").is_dir(),
            Self::OpenSsl => command::find("openssl").is_some(),
            Self::PythonVenv => python::interpreter().is_some(),
        }
    }
}

/// Installs the packages of the needs that are not met, after saying which and why.
///
/// # Errors
/// When there is no `apt-get`, no right to use it, or it fails.
pub(crate) fn install_lacking(needs: &[Need]) -> Result<(), Failure> {
    let lacking: Vec<Need> = needs.iter().copied().filter(|need| !need.is_here()).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    println!("Lacking on this machine:\n{}", listed(&lacking));
    let Some(prefix) = apt_get_prefix() else {
        return Err(by_hand(&lacking));
    };
    println!("They are now installed from Debian.");
    command::show_and_run(&mut apt_get(&prefix, &["update", "--quiet=2"], &[]))?;
    let packages: Vec<&str> = lacking.iter().map(|need| need.package()).collect();
    let install = ["install", "--yes", "--quiet=2", "--no-install-recommends", "--option=Dpkg::Use-Pty=0"];
    command::show_and_run(&mut apt_get(&prefix, &install, &packages))?;
    still_lacking(&lacking)
}

fn still_lacking(wanted: &[Need]) -> Result<(), Failure> {
    let lacking: Vec<Need> = wanted.iter().copied().filter(|need| !need.is_here()).collect();
    if lacking.is_empty() { Ok(()) } else { Err(format!("apt-get ended well, but these are still not usable:\n{}", listed(&lacking))) }
}

fn listed(needs: &[Need]) -> String {
    needs.iter().map(|need| format!("  {:<18} for {}", need.package(), need.why())).collect::<Vec<_>>().join("\n")
}

fn by_hand(lacking: &[Need]) -> Failure {
    let packages: Vec<&str> = lacking.iter().map(|need| need.package()).collect();
    format!(
        "I cannot install them: this needs apt-get, and either root or sudo.\n\
         Please install them (these are Debian's names) and start again:\n  apt-get install {}",
        packages.join(" ")
    )
}

/// What stands before `apt-get`: nothing for root, `sudo` for others; `None` where neither helps.
fn apt_get_prefix() -> Option<Vec<&'static str>> {
    command::find("apt-get")?;
    if is_root() { Some(vec!["env"]) } else { command::find("sudo").map(|_| vec!["sudo", "env"]) }
}

fn is_root() -> bool {
    command::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn apt_get(prefix: &[&str], arguments: &[&str], packages: &[&str]) -> Command {
    let mut words = prefix.to_vec();
    words.extend(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    words.extend(arguments);
    words.extend(packages);
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

fn postgresql_is_here() -> bool {
    command::find("initdb").is_some() || debian_postgresql(Path::new("/usr/lib/postgresql"))
}

/// Debian keeps one folder for each major version, outside of `PATH`.
fn debian_postgresql(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|versions| {
        versions.flatten().any(|version| {
            let name = version.file_name();
            let major: Option<u32> = name.to_str().and_then(|name| name.parse().ok());
            major.is_some_and(|major| major >= POSTGRESQL_MAJOR_MIN) && command::is_program(&version.path().join("bin/initdb"))
        })
    })
}

/// The browser tests start this one and no other, unless `CHROMIUM` names another.
fn chromium_is_here() -> bool {
    let path = std::env::var_os("CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from);
    command::is_program(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_listed_with_its_reason() {
        let list = listed(&[Need::PostgreSql]);
        assert!(list.contains("postgresql"));
        assert!(list.contains("throwaway"));
    }

    #[test]
    fn without_apt_get_the_failure_says_what_to_install() {
        let failure = by_hand(&[Need::Node, Need::Chromium]);
        assert!(failure.ends_with("apt-get install nodejs chromium"));
    }

    #[test]
    fn others_than_root_go_through_sudo() {
        let command = apt_get(&["sudo", "env"], &["install"], &["npm"]);
        assert_eq!(command::shown(&command), "sudo env DEBIAN_FRONTEND=noninteractive apt-get install npm");
    }

    #[test]
    fn a_folder_without_versions_holds_no_postgresql() {
        assert!(!debian_postgresql(Path::new("/usr/share/doc")));
        assert!(!debian_postgresql(Path::new("/nowhere")));
    }
}
