//! Bringing a service's spreadsheets: read whole, checked whole, kept in one piece, and taken back in one piece.

mod rows;
mod staging;
mod table;
#[cfg(test)]
mod tests;
mod undo;

use std::fmt;
use std::str::FromStr;

use alongside_domain::id::ImportId;
use alongside_domain::person::SiteId;
use alongside_store::Tx;
use alongside_store::imports::{self, Run};
use sha2::{Digest, Sha256};

use self::rows::Rows;
pub(crate) use self::rows::identifier;
use self::staging::{Staged, Staging};
use self::table::Problems;
use crate::{App, Failure, Invalid, london_date};

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
    /// The plan in words: what would be added, or every problem with its place.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = vec![format!("{}: {} rows", self.sheet, self.rows)];
        if self.problems.is_empty() {
            lines.extend(self.adds.iter().map(|(kind, number)| format!("  {kind}: {number} to add")));
            lines.push(format!("  rows that are here already: {}", self.unchanged));
        } else {
            lines.extend(self.problems.iter().map(|problem| format!("  {}: {}", problem.place, problem.what)));
            lines.push(format!("  {} problems; nothing is kept while there is one", self.problems.len()));
        }
        lines.join("\n")
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
    pub removed: Vec<(&'static str, u64)>,
}

impl App {
    /// The newest imports, the last one first.
    ///
    /// # Errors
    /// The store's.
    pub fn imports(&self) -> Result<Vec<alongside_store::imports::Run>, Failure> {
        Ok(self.store.read(|tx| alongside_store::imports::list(tx, 50))?)
    }

    /// Reads a spreadsheet and tells what it would change, changing nothing.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when there is no such site; the store's. What is wrong in the file is in the plan.
    pub fn preview_import(&self, site: &str, sheet: Sheet, bytes: &[u8]) -> Result<Plan, Failure> {
        let file = self.read_sheet(site, sheet, bytes)?;
        let (plan, _) = self.store.read(|tx| stage(self, tx, &file))?;
        Ok(plan)
    }

    /// Brings a spreadsheet, all of it or nothing.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with every problem of the file, one of which is that it was brought before; the store's.
    pub fn import(&self, site: &str, sheet: Sheet, bytes: &[u8]) -> Result<Imported, Failure> {
        let (app, file) = (self.clone(), self.read_sheet(site, sheet, bytes)?);
        self.store.write(move |tx| {
            let (plan, (id, staged)) = stage(&app, tx, &file)?;
            if !plan.problems.is_empty() {
                return Err(Failure::Invalid(plan.problems));
            }
            for (before, decision) in &staged.decisions {
                app.keep(tx, before.as_ref(), decision)?;
            }
            let (kind, site) = (sheet.code().to_owned(), file.site.0.clone());
            let records = i64::try_from(staged.changed).unwrap_or(i64::MAX);
            let run = Run { id, kind, site, at: app.world.now(), records, undone_at: None };
            imports::add(tx, &run, &file.digest, &staged.items)?;
            Ok::<_, Failure>(Imported { id, plan })
        })
    }

    fn read_sheet(&self, site: &str, sheet: Sheet, bytes: &[u8]) -> Result<File, Failure> {
        let Some(site) = self.setup.sites.get(site) else {
            return Err(Failure::Invalid(vec![Invalid::new("site", "is not a configured site")]));
        };
        let (site, today) = (site.key.clone(), london_date(self.world.now()));
        let mut problems = Problems::default();
        let (rows_seen, rows) = rows::read(sheet, bytes, &self.setup, &site, today, &mut problems);
        let digest = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(File { site, sheet, digest, rows_seen, rows, problems })
    }
}

/// A file as read, before anything is asked of the store.
struct File {
    site: SiteId,
    sheet: Sheet,
    digest: String,
    rows_seen: u64,
    rows: Rows,
    problems: Problems,
}

/// Decides what a file does to what is here now.
fn stage(app: &App, tx: &mut Tx<'_>, file: &File) -> Result<(Plan, (ImportId, Staged)), Failure> {
    let mut problems = file.problems.clone();
    if let Some(earlier) = imports::find_same(tx, &file.site.0, file.sheet.code(), &file.digest)? {
        problems.file(format!("was brought before, as {earlier}: take that back first"));
    }
    let mut staging = Staging::new(app, tx, file.site.clone(), app.world.ids(), app.world.now());
    staging.take(&file.rows, &mut problems)?;
    let id = staging.import();
    let staged = staging.finish()?;
    let (adds, unchanged) = (staged.adds.clone(), staged.unchanged);
    let plan = Plan { sheet: file.sheet, rows: file.rows_seen, adds, unchanged, problems: problems.into_list() };
    Ok((plan, (id, staged)))
}
