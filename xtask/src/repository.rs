//! Where the repository is, and which files it has.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, command};

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) struct Repository {
    root: PathBuf,
}

impl Repository {
    /// The workspace around the current folder.
    ///
    /// # Errors
    /// When no folder above holds a workspace.
    pub(crate) fn find() -> Result<Self, Failure> {
        let here = std::env::current_dir().map_err(|error| format!("The current folder cannot be read: {error}"))?;
        here.ancestors()
            .find(|folder| is_workspace(folder))
            .map(|folder| Self { root: folder.to_path_buf() })
            .ok_or_else(|| "Run this inside the repository of Alongside.".to_owned())
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The path of something in the repository.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The text of a file in the repository.
    ///
    /// # Errors
    /// When it is not there or is not UTF-8.
    pub(crate) fn read(&self, relative: &str) -> Result<String, Failure> {
        std::fs::read_to_string(self.path(relative)).map_err(|error| format!("{relative}: {error}"))
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.path("target"), |folder| self.root.join(folder))
    }

    /// The files that git tracks or would track, relative to the root, sorted.
    /// A new file counts before it is added: a check should find what is wrong while it is young.
    ///
    /// # Errors
    /// When git is not there or this is not its work tree.
    pub(crate) fn files(&self) -> Result<Vec<String>, Failure> {
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(&self.root);
        let listed = command::output(&mut git)?;
        let mut files: Vec<String> =
            listed.split('\0').filter(|path| !path.is_empty() && self.path(path).is_file()).map(str::to_owned).collect();
        files.sort();
        files.dedup();
        Ok(files)
    }
}

fn is_workspace(folder: &Path) -> bool {
    std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|manifest| manifest.lines().any(|line| line.trim() == "[workspace]"))
}
