//! Bringing a service's spreadsheets: read whole, checked whole, kept in one piece, and taken back in one piece.

use std::fmt;
use std::str::FromStr;

use alongside_domain::id::ImportId;

use crate::{App, Failure, Invalid};

/// Which spreadsheet a file is. The columns of each are in `docs/import.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// Who the people are.
    People,
    /// Their referrals, open and ended.
    Referrals,
    /// Contacts between supporters and people.
    Contacts,
    /// Completed assessments.
    Assessments,
}

impl Sheet {
    /// Its word on the command line, and in the list of imports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Referrals => "referrals",
            Self::Contacts => "contacts",
            Self::Assessments => "assessments",
        }
    }
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A word that names no spreadsheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotASheet;

impl fmt::Display for NotASheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is none of people, referrals, contacts and assessments")
    }
}

impl std::error::Error for NotASheet {}

impl FromStr for Sheet {
    type Err = NotASheet;

    fn from_str(text: &str) -> Result<Self, NotASheet> {
        [Self::People, Self::Referrals, Self::Contacts, Self::Assessments].into_iter().find(|sheet| sheet.code() == text).ok_or(NotASheet)
    }
}

/// What a file would change: the dry run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which spreadsheet it is.
    pub sheet: Sheet,
    /// Rows that hold something, good or bad.
    pub rows: u64,
    /// What would be added, by kind.
    pub adds: Vec<(&'static str, u64)>,
    /// Rows that would change nothing: what they say is here already.
    pub unchanged: u64,
    /// What is wrong, and where, in the order of the file. While there is anything here, nothing is kept.
    pub problems: Vec<Invalid>,
}

impl Plan {
    /// The plan in words.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}: {} rows", self.sheet, self.rows)
    }
}

/// An import that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its number, by which it is taken back.
    pub id: ImportId,
    /// What it changed.
    pub plan: Plan,
}

/// What taking an import back removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// What was taken away, by kind.
    pub removed: Vec<(String, u64)>,
}

impl App {
    /// Reads a spreadsheet and tells what it would change, changing nothing.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when there is no such site; the store's. What is wrong in the file is in the plan.
    pub fn preview_import(&self, _site: &str, _sheet: Sheet, _bytes: &[u8]) -> Result<Plan, Failure> {
        Err(Failure::Broken("not written yet".into()))
    }

    /// Brings a spreadsheet, all of it or nothing.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with every problem of the file, and for a file that was brought before; the store's.
    pub fn import(&self, _site: &str, _sheet: Sheet, _bytes: &[u8]) -> Result<Imported, Failure> {
        Err(Failure::Broken("not written yet".into()))
    }

    /// Takes away what an import added.
    ///
    /// # Errors
    /// [`Failure::NotFound`]; [`Failure::Invalid`] when it was taken back before or when something rests on it; the store's.
    pub fn undo_import(&self, _id: ImportId) -> Result<Undone, Failure> {
        Err(Failure::Broken("not written yet".into()))
    }
}
