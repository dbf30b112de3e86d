//! Imports of spreadsheets, kept so that they can be taken back.

use alongside_domain::id::ImportId;
use jiff::Timestamp;

use crate::{StoreError, Tx, params, statements};

statements! {
    pub(crate) const ADD = "INSERT INTO import_run (id, kind, site, at, digest, records, undone_at) VALUES ($1, $2, $3, $4, $5, $6, NULL)";
    pub(crate) const ADD_ITEM = "INSERT INTO import_item (import_run, position, kind, item) VALUES ($1, $2, $3, $4)";
    pub(crate) const FIND_SAME = "SELECT id FROM import_run WHERE site = $1 AND kind = $2 AND digest = $3 AND undone_at IS NULL";
    pub(crate) const READ = "SELECT kind, site, at, records, undone_at FROM import_run WHERE id = $1";
    pub(crate) const LIST = "SELECT id, kind, site, at, records, undone_at FROM import_run ORDER BY at DESC, id DESC LIMIT $1";
    pub(crate) const ITEMS = "SELECT kind, item FROM import_item WHERE import_run = $1 ORDER BY position DESC";
    pub(crate) const UNDO = "UPDATE import_run SET undone_at = $2 WHERE id = $1 AND undone_at IS NULL";
    pub(crate) const LATER_CONTACTS = "SELECT COUNT(*) FROM contact WHERE referral = $1";
    pub(crate) const LATER_ASSESSMENTS = "SELECT COUNT(*) FROM assessment WHERE referral = $1";
    pub(crate) const JOURNAL_BY_OTHERS = "SELECT COUNT(*) FROM journal WHERE person = $1 AND (cause IS NULL OR cause <> $2)";
    pub(crate) const REMOVE_CONTACT = "DELETE FROM contact WHERE id = $1";
    pub(crate) const REMOVE_ANSWERS = "DELETE FROM assessment_answer WHERE assessment = $1";
    pub(crate) const REMOVE_SCORES = "DELETE FROM assessment_score WHERE assessment = $1";
    pub(crate) const REMOVE_ASSESSMENT = "DELETE FROM assessment WHERE id = $1";
    pub(crate) const REMOVE_TRIGGERS = "DELETE FROM referral_trigger WHERE referral = $1";
    pub(crate) const REMOVE_REFERRAL = "DELETE FROM referral WHERE id = $1";
    pub(crate) const REMOVE_QUESTIONS = "DELETE FROM question WHERE person = $1";
    pub(crate) const REMOVE_PERSON_TRIGGERS = "DELETE FROM referral_trigger WHERE person = $1";
    pub(crate) const REMOVE_IDENTIFIERS = "DELETE FROM person_identifier WHERE person = $1";
    pub(crate) const REMOVE_PERSON = "DELETE FROM person WHERE id = $1";
}

/// What an import added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// `person`, `referral`, `contact` or `assessment`.
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Our identifier.
    pub id: ImportId,
    /// `people`, `referrals`, `contacts` or `assessments`.
    pub kind: String,
    /// Key of the site.
    pub site: String,
    /// When.
    pub at: Timestamp,
    /// How many rows it kept.
    pub records: i64,
    /// When it was taken back.
    pub undone_at: Option<Timestamp>,
}

/// Keeps an import and what it added, in the order of adding.
///
/// # Errors
/// The store's.
pub fn add(tx: &mut Tx<'_>, run: &Run, digest: &str, items: &[Item]) -> Result<(), StoreError> {
    let id = run.id.to_string();
    tx.execute(&ADD, params![&id, &run.kind, &run.site, run.at, digest, run.records])?;
    for (position, item) in (0_i64..).zip(items) {
        tx.execute(&ADD_ITEM, params![&id, position, &item.kind, &item.id])?;
    }
    Ok(())
}

/// The import that has taken this very file before, unless it was taken back.
///
/// # Errors
/// The store's.
pub fn find_same(tx: &mut Tx<'_>, site: &str, kind: &str, digest: &str) -> Result<Option<ImportId>, StoreError> {
    tx.query_one(&FIND_SAME, params![site, kind, digest], |row| row.parsed(0))
}

/// An import by its id.
///
/// # Errors
/// The store's.
pub fn read(tx: &mut Tx<'_>, id: ImportId) -> Result<Option<Run>, StoreError> {
    tx.query_one(&READ, params![id.to_string()], |row| {
        Ok(Run { id, kind: row.text(0)?, site: row.text(1)?, at: row.timestamp(2)?, records: row.int(3)?, undone_at: row.opt_timestamp(4)? })
    })
}

/// The newest imports.
///
/// # Errors
/// The store's.
pub fn list(tx: &mut Tx<'_>, most: u32) -> Result<Vec<Run>, StoreError> {
    tx.query(&LIST, params![i64::from(most)], |row| {
        Ok(Run {
            id: row.parsed(0)?,
            kind: row.text(1)?,
            site: row.text(2)?,
            at: row.timestamp(3)?,
            records: row.int(4)?,
            undone_at: row.opt_timestamp(5)?,
        })
    })
}

/// What an import added, last first: the order in which it is taken away.
///
/// # Errors
/// The store's.
pub fn items(tx: &mut Tx<'_>, id: ImportId) -> Result<Vec<Item>, StoreError> {
    tx.query(&ITEMS, params![id.to_string()], |row| Ok(Item { kind: row.text(0)?, id: row.text(1)? }))
}

/// Marks an import as taken back; tells whether it was not before.
///
/// # Errors
/// The store's.
pub fn undo(tx: &mut Tx<'_>, id: ImportId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&UNDO, params![id.to_string(), at])? == 1)
}

/// Whether a referral has contacts or assessments: then it cannot be taken away.
///
/// # Errors
/// The store's.
pub fn referral_in_use(tx: &mut Tx<'_>, referral: &str) -> Result<bool, StoreError> {
    let contacts = tx.query_one(&LATER_CONTACTS, params![referral], |row| row.int(0))?.unwrap_or(0);
    let assessments = tx.query_one(&LATER_ASSESSMENTS, params![referral], |row| row.int(0))?.unwrap_or(0);
    Ok(contacts + assessments > 0)
}

/// Whether anything but this import wrote in a person's journal: then the person cannot be taken away.
///
/// # Errors
/// The store's.
pub fn person_in_use(tx: &mut Tx<'_>, person: &str, import: ImportId) -> Result<bool, StoreError> {
    let others = tx.query_one(&JOURNAL_BY_OTHERS, params![person, import.to_string()], |row| row.int(0))?;
    Ok(others.unwrap_or(0) > 0)
}

/// Takes away what an import added. The journal keeps what happened.
///
/// # Errors
/// The store's; a foreign key refuses what something else rests on.
pub fn remove(tx: &mut Tx<'_>, item: &Item) -> Result<(), StoreError> {
    let id = item.id.as_str();
    match item.kind.as_str() {
        "contact" => tx.execute(&REMOVE_CONTACT, params![id])?,
        "assessment" => {
            tx.execute(&REMOVE_ANSWERS, params![id])?;
            tx.execute(&REMOVE_SCORES, params![id])?;
            tx.execute(&REMOVE_ASSESSMENT, params![id])?
        }
        "referral" => {
            tx.execute(&REMOVE_TRIGGERS, params![id])?;
            tx.execute(&REMOVE_REFERRAL, params![id])?
        }
        "person" => {
            tx.execute(&REMOVE_QUESTIONS, params![id])?;
            tx.execute(&REMOVE_PERSON_TRIGGERS, params![id])?;
            tx.execute(&REMOVE_IDENTIFIERS, params![id])?;
            tx.execute(&REMOVE_PERSON, params![id])?
        }
        _ => 0,
    };
    Ok(())
}
