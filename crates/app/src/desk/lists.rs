//! The clinic's weekly list, brought by somebody at the clinic: what it would do is told before anything is kept.

use alongside_domain::access::Action;
use alongside_domain::decision::Cause;
use alongside_domain::fact::Novelty;
use alongside_domain::id::PersonId;
use alongside_domain::person::SiteId;
use alongside_domain::record::Record;
use alongside_domain::rules::facts;
use alongside_store::{Tx, messages, people, standing};

use super::{Desk, Seen};
use crate::intake::lists::{ListSummary, Row, key_of, list_of, read};
use crate::intake::load;
use crate::setup::{Feed, Site};
use crate::{Failure, Invalid};

/// How a workbook of a spreadsheet program begins: the new kind and the old one.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", &[0xD0, 0xCF, 0x11, 0xE0]];

/// What a list would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPreview {
    /// Title of the site.
    pub site_title: String,
    /// Rows that were understood.
    pub rows: u64,
    /// Of them, people who are not known yet.
    pub new_people: u64,
    /// Of them, people who are known and of whom the list says something else or something more.
    pub changed: u64,
    /// Of them, people who are known and of whom the list says nothing new.
    pub unchanged: u64,
    /// Of them, rows that say newly diagnosed.
    pub newly_diagnosed: u64,
    /// Of them, rows that do not say whether newly diagnosed: the clinic is asked, if the person is not known.
    pub unclear: u64,
    /// Whether this very file was taken before.
    pub taken_before: bool,
    /// What is wrong, and where. Nothing can be taken while there is anything here.
    pub problems: Vec<Invalid>,
}

impl ListPreview {
    /// Whether it can be taken.
    #[must_use]
    pub fn can_be_taken(&self) -> bool {
        self.problems.is_empty() && !self.taken_before && self.rows > 0
    }
}

impl Desk {
    /// The sites whose clinic brings a list, among those of the owner of the desk.
    pub fn list_sites(&self) -> impl Iterator<Item = &Site> {
        self.sites(Action::UploadList).filter(|site| self.list_feed(&site.key).is_ok())
    }

    fn list_feed(&self, site: &SiteId) -> Result<&Feed, Failure> {
        let lists = |feed: &&Feed| feed.site == *site && feed.is_of_lists();
        self.app().setup.feeds.values().find(lists).ok_or_else(|| Failure::invalid("site", "Choose a site whose clinic has a list"))
    }

    fn list_at(&self, site: &str) -> Result<(&Site, &Feed), Failure> {
        self.may_do(Action::UploadList)?;
        let site = self.site(Action::UploadList, site).map_err(|_| Failure::invalid("site", "Choose a site"))?;
        Ok((site, self.list_feed(&site.key)?))
    }

    /// Reads a list and tells what it would do, keeping nothing of it. A person whose record is closed to the owner of the
    /// desk is counted as not known.
    ///
    /// # Errors
    /// [`Failure::Invalid`] at `site`, and at `list` for what is no list at all; the store's. What is wrong with its rows is
    /// in the preview.
    pub fn preview_list(&self, site: &str, bytes: &[u8]) -> Result<ListPreview, Failure> {
        let (site, feed) = self.list_at(site)?;
        if bytes.is_empty() {
            return Err(Failure::invalid("list", "Choose the file of the list"));
        }
        if WORKBOOKS.iter().any(|beginning| bytes.starts_with(beginning)) {
            let what = "This is a workbook. Open it, choose “Save as” and “CSV UTF-8”, and upload that file";
            return Err(Failure::invalid("list", what));
        }
        let (rows, problems) = read(list_of(feed)?, bytes, self.app().today());
        let preview = ListPreview { site_title: site.title.clone(), rows: rows.len() as u64, problems, ..ListPreview::default() };
        let (desk, at, key) = (self.clone(), site.key.clone(), key_of(feed, bytes));
        self.disclose(Action::UploadList, Some(&site.key), move |tx, seen| {
            seen.detail("preview");
            let mut preview = preview.clone();
            preview.taken_before = messages::find(tx, &key)?.is_some();
            for row in &rows {
                desk.preview_row(tx, seen, &at, row, &mut preview)?;
            }
            Ok(preview)
        })
    }

    fn preview_row(&self, tx: &mut Tx<'_>, seen: &mut Seen, site: &SiteId, row: &Row, preview: &mut ListPreview) -> Result<(), Failure> {
        preview.newly_diagnosed += u64::from(row.says(Novelty::New));
        preview.unclear += u64::from(row.says(Novelty::Unknown));
        let verified = row.subject.nhs_number.filter(|held| held.verified).map(|held| held.number);
        let found = people::find(tx, site, &row.subject.identifiers, verified)?;
        if found.len() > 1 {
            preview.problems.push(Invalid::new(format!("line {}", row.line), "the numbers belong to different people"));
            return Ok(());
        }
        let (own, mut row) = (row.beside(), row);
        let mut known = self.open_to_list(tx, &found)?;
        if known.is_none() {
            row = &own;
            let found = people::find(tx, site, &row.subject.identifiers, None)?;
            known = self.open_to_list(tx, &found)?;
        }
        let Some(record) = known else {
            preview.new_people += 1;
            return Ok(());
        };
        seen.person(record.person.id);
        if let Some(problem) = row.contradicts(&record.person) {
            preview.problems.push(problem);
            return Ok(());
        }
        let app = self.app();
        let mut ids = app.world.ids();
        let mut ctx = app.context(&mut *ids, self.viewer().actor(), Cause::Form);
        let decision = facts::apply(record.clone(), &row.subject, &row.facts, false, &mut ctx);
        let changes = decision.record != record;
        preview.changed += u64::from(changes);
        preview.unchanged += u64::from(!changes);
        Ok(())
    }

    /// The one person found, where their record is open to the owner of the desk.
    fn open_to_list(&self, tx: &mut Tx<'_>, found: &[PersonId]) -> Result<Option<Record>, Failure> {
        Ok(self.found_by_list(tx, found)?.filter(|(_, open)| *open).map(|(record, _)| record))
    }

    /// The one person found, and whether their record is open to the owner of the desk.
    fn found_by_list(&self, tx: &mut Tx<'_>, found: &[PersonId]) -> Result<Option<(Record, bool)>, Failure> {
        let [known] = found else { return Ok(None) };
        let record = load(tx, *known)?;
        let shielded = standing::is_shielded(tx, *known)?;
        let open = self.is_theirs(Action::SeePerson, &record, shielded);
        Ok(Some((record, open)))
    }

    /// The record of a row's number, where it is closed to the owner of the desk.
    pub(crate) fn closed_to_list(&self, tx: &mut Tx<'_>, site: &SiteId, row: &Row) -> Result<Option<Record>, Failure> {
        let found = people::find(tx, site, &row.subject.identifiers, None)?;
        Ok(self.found_by_list(tx, &found)?.filter(|(_, open)| !open).map(|(record, _)| record))
    }

    /// Takes a list, all of it or nothing. The same file is taken once.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with every bad row; the store's.
    pub fn take_list(&self, site: &str, bytes: &[u8]) -> Result<ListSummary, Failure> {
        let (site, feed) = self.list_at(site)?;
        let taken = self.take_list_of(site, feed, bytes);
        if matches!(taken, Err(Failure::Invalid(_))) {
            self.note_refused(Action::UploadList, Some(&site.key), Some("taken"))?;
        }
        taken
    }

    fn take_list_of(&self, site: &Site, feed: &Feed, bytes: &[u8]) -> Result<ListSummary, Failure> {
        let (rows, problems) = read(list_of(feed)?, bytes, self.app().today());
        if !problems.is_empty() {
            return Err(Failure::Invalid(problems));
        }
        let (desk, taken_feed, key) = (self.clone(), feed.clone(), key_of(feed, bytes));
        let summary = self.disclose(Action::UploadList, Some(&site.key), move |tx, seen| {
            seen.detail("taken");
            desk.app().take_rows(tx, &taken_feed, &key, &rows, Some(&desk))
        })?;
        self.app().count_list(feed, summary);
        Ok(summary)
    }
}
