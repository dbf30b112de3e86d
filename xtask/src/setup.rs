//! Installs what a purpose lacks, saying first what and why.

use crate::debian::{self, Need};
use crate::repository::Repository;
use crate::{Failure, assets, npm, python};

/// What somebody wants to do, which decides what must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Play the demo: the page furniture alone, since SQLite is inside the program.
    Demo,
    /// The Rust tests: also PostgreSQL, since the store is tested on both engines.
    Quick,
    /// All checks: also a browser and other people's MLLP clients.
    Test,
}

impl Purpose {
    /// Reads the word after `--for`.
    ///
    /// # Errors
    /// When it is none of the three.
    pub(crate) fn parse(word: &str) -> Result<Self, Failure> {
        match word {
            "demo" => Ok(Self::Demo),
            "quick" => Ok(Self::Quick),
            "test" => Ok(Self::Test),
            _ => Err(format!("--for takes demo, quick or test, and not `{word}`.")),
        }
    }

    /// What of Debian this purpose needs.
    pub(crate) fn needs(self) -> &'static [Need] {
        match self {
            Self::Demo => &[Need::Node, Need::Npm],
            Self::Quick => &[Need::Node, Need::Npm, Need::PostgreSql],
            Self::Test => &[Need::Node, Need::Npm, Need::PostgreSql, Need::Chromium, Need::Fonts, Need::OpenSsl, Need::PythonVenv],
        }
    }
}

/// Installs what the purpose lacks; does nothing, and says nothing, when all is there.
///
/// # Errors
/// When something cannot be installed; then with what to install by hand.
pub(crate) fn run(repository: &Repository, purpose: Purpose) -> Result<(), Failure> {
    debian::install_lacking(purpose.needs())?;
    assets::bring(repository)?;
    if purpose == Purpose::Test {
        npm::install(
            repository,
            "e2e",
            "the browser tests drive Chromium with playwright-core and look for barriers with \
             axe-core; the other packages are MLLP clients that hospitals use",
        )?;
        python::install_clients(repository)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_needs_no_database_and_no_browser() {
        assert_eq!(Purpose::Demo.needs(), [Need::Node, Need::Npm]);
    }

    #[test]
    fn each_purpose_has_its_word_and_another_word_is_refused() {
        assert_eq!(Purpose::parse("demo"), Ok(Purpose::Demo));
        assert_eq!(Purpose::parse("quick"), Ok(Purpose::Quick));
        assert_eq!(Purpose::parse("test"), Ok(Purpose::Test));
        assert!(Purpose::parse("tests").is_err());
    }
}
