//! Intake of a clinic's CSV list: every row is understood before any is applied; a bad row refuses the file.

use std::collections::BTreeSet;

use alongside_domain::calendar::is_of_our_time;
use alongside_domain::decision::{Actor, Cause, Context};
use alongside_domain::fact::{Evidence, Fact, Novelty, Subject};
use alongside_domain::id::MessageId;
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::person::{Demographics, Identifier, NhsNumberHeld, Person, Said};
use alongside_domain::record::Record;
use alongside_domain::rules::facts;
use alongside_store::messages::{self, Kept, Key};
use alongside_store::{Tx, people};
use jiff::civil::Date;

use super::{Applied, Fate, apply_to_people, contradiction, digest, find, has_another_name, today};
use crate::desk::Desk;
use crate::desk::beside::beside;
use crate::profile::{List, Reading};
use crate::setup::Feed;
use crate::translate::Translation;
use crate::{App, Failure, Invalid};

/// The longest text of a cell.
const CELL_CHARACTERS_MAX: usize = 200;

/// What a list would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// Rows with a person.
    pub rows: u64,
    /// Of them, people who are not known yet.
    pub new_people: u64,
    /// Of them, rows that say newly diagnosed.
    pub newly_diagnosed: u64,
    /// Of them, rows that do not say whether newly diagnosed: each becomes a question if the person is not known.
    pub unclear: u64,
    /// What is wrong, and where. Nothing is applied while there is anything here.
    pub problems: Vec<Invalid>,
}

/// What a list did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListSummary {
    /// Rows applied.
    pub rows: u64,
    /// Whether this very file came before: then nothing was done.
    pub duplicate: bool,
}

impl App {
    /// Reads a list and tells what it would do, changing nothing.
    ///
    /// # Errors
    /// The store's, or that the feed takes no lists.
    pub fn preview_list(&self, feed: &Feed, bytes: &[u8]) -> Result<Preview, Failure> {
        let (rows, problems) = read(list_of(feed)?, bytes, today(self));
        let mut preview = Preview { rows: rows.len() as u64, problems, ..Preview::default() };
        self.store.read(|tx| {
            for row in &rows {
                preview.new_people += u64::from(find(tx, &feed.site, &row.subject)?.is_empty());
                preview.newly_diagnosed += u64::from(row.says(Novelty::New));
                preview.unclear += u64::from(row.says(Novelty::Unknown));
            }
            Ok::<_, Failure>(())
        })?;
        Ok(preview)
    }

    /// Applies a list, all or nothing.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with every bad row; the store's.
    pub fn take_list(&self, feed: &Feed, bytes: &[u8]) -> Result<ListSummary, Failure> {
        let (rows, problems) = read(list_of(feed)?, bytes, today(self));
        if !problems.is_empty() {
            return Err(Failure::Invalid(problems));
        }
        let (app, taken_feed, key) = (self.clone(), feed.clone(), key_of(feed, bytes));
        let summary = self.store.write(move |tx| app.take_rows(tx, &taken_feed, &key, &rows, None))?;
        self.count_list(feed, summary);
        Ok(summary)
    }

    /// Counts a list that was taken.
    pub(crate) fn count_list(&self, feed: &Feed, summary: ListSummary) {
        self.count(feed, "list", if summary.duplicate { Fate::Duplicate } else { Fate::Applied });
    }

    /// Applies the rows of a list that a desk brought, or else the feed, in the caller's transaction; nothing if this very file
    /// came before. What contradicts a record that is closed to the desk is somebody else, as in the preview.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with every row that contradicts what is here; the store's.
    pub(crate) fn take_rows(
        &self,
        tx: &mut Tx<'_>,
        feed: &Feed,
        key: &Key,
        rows: &[Row],
        desk: Option<&Desk>,
    ) -> Result<ListSummary, Failure> {
        if messages::find(tx, key)?.is_some() {
            return Ok(ListSummary { rows: 0, duplicate: true });
        }
        let mut ids = self.world.ids();
        let id = MessageId::new(&mut *ids);
        let actor = desk.map_or_else(|| Actor::Feed(feed.key.clone()), |desk| desk.viewer().actor());
        let mut ctx = self.context(&mut *ids, actor, Cause::Message(id));
        let mut conflicts = Vec::new();
        for row in rows {
            let closed = desk.map(|desk| desk.closed_to_list(tx, &feed.site, row)).transpose()?.flatten();
            let applied = match closed.filter(|closed| row.is_of_another(&closed.person)) {
                Some(closed) => self.apply_beside(tx, &closed, row, &mut ctx)?,
                None => apply_to_people(self, tx, &feed.site, &row.translation(), &mut ctx)?,
            };
            if let Applied::Ask(problem) = applied {
                conflicts.push(Invalid::new(format!("line {}", row.line), problem.what));
            }
        }
        if !conflicts.is_empty() {
            return Err(Failure::Invalid(conflicts));
        }
        let (received_at, problems) = (self.world.now(), Vec::new());
        let kept = Kept { id, key: key.clone(), received_at, kind: "list".into(), answer: "AA".into(), set_aside: None, problems };
        messages::add(tx, &kept)?;
        Ok(ListSummary { rows: rows.len() as u64, duplicate: false })
    }

    /// Applies a row that is of somebody else than the closed record under its number.
    fn apply_beside(&self, tx: &mut Tx<'_>, closed: &Record, row: &Row, ctx: &mut Context<'_>) -> Result<Applied, Failure> {
        let (site, own) = (&closed.person.site, row.beside().translation());
        if people::find(tx, site, &own.subject.identifiers, None)?.contains(&closed.person.id) {
            // They were said to be the same: the facts count, and the other name does not.
            let subject = Subject { identifiers: own.subject.identifiers, ..Subject::default() };
            let decision = facts::apply(closed.clone(), &subject, &row.facts, false, ctx);
            self.keep(tx, Some(closed), &decision)?;
            return Ok(Applied::Fate(Fate::Applied));
        }
        let applied = apply_to_people(self, tx, site, &own, ctx)?;
        if let (Applied::Fate(_), Some(other)) = (&applied, find(tx, site, &own.subject)?.first()) {
            self.ask_beside(tx, closed, *other, ctx)?;
        }
        Ok(applied)
    }
}

/// By what a list is recognised when it comes again.
pub(crate) fn key_of(feed: &Feed, bytes: &[u8]) -> Key {
    Key { feed: feed.key.clone(), sender: "list".into(), control_id: String::new(), digest: digest(bytes) }
}

pub(crate) fn list_of(feed: &Feed) -> Result<&List, Failure> {
    match &feed.profile.reading {
        Reading::List(list) => Ok(list),
        Reading::Messages(_) => Err(Failure::Invalid(vec![Invalid::new("feed", "takes messages, not lists")])),
    }
}

/// A row that was understood.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) subject: Subject,
    pub(crate) facts: Vec<Fact>,
}

impl Row {
    /// The same of somebody who stands beside a closed record.
    pub(crate) fn beside(&self) -> Self {
        let mut own = self.clone();
        own.subject.identifiers = beside(&own.subject.identifiers);
        own
    }

    fn translation(&self) -> Translation {
        Translation { subject: self.subject.clone(), facts: self.facts.clone(), ..Translation::default() }
    }

    /// What speaks against its being about this person, where anything does.
    pub(crate) fn contradicts(&self, person: &Person) -> Option<Invalid> {
        contradiction(person, &self.translation()).map(|problem| Invalid::new(format!("line {}", self.line), problem.what))
    }

    /// Whether it tells of somebody else than this person.
    fn is_of_another(&self, person: &Person) -> bool {
        has_another_name(person, &self.subject) || self.contradicts(person).is_some()
    }

    pub(crate) fn says(&self, wanted: Novelty) -> bool {
        self.facts.iter().any(|fact| matches!(fact, Fact::HivConfirmed { novelty, .. } if *novelty == wanted))
    }
}

/// What is wrong with a row as a whole. A quotation mark that is not closed swallows the rows after it, with whoever stands in
/// them: it shows as a line break, or as a wrong number of cells.
fn misshapen(record: &csv::StringRecord, width: usize) -> Option<&'static str> {
    if record.iter().any(|cell| cell.contains(['\n', '\r'])) {
        return Some("has a line break in a cell: a quotation mark in it, or before it, may not be closed");
    }
    if record.iter().any(|cell| cell.contains('\0') || cell.chars().count() > CELL_CHARACTERS_MAX) {
        return Some("has a cell that is too long, or is no text");
    }
    let filled = record.iter().enumerate().filter(|(_, cell)| !cell.is_empty()).last().map_or(0, |(at, _)| at + 1);
    (filled > width || record.len() < width).then_some("has more or fewer cells than the line of column headings")
}

/// Reads a list: the rows that were understood, and every problem with its line and column.
pub(crate) fn read(list: &List, bytes: &[u8], today: Date) -> (Vec<Row>, Vec<Invalid>) {
    let text = decode(bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut problems = Vec::new();
    let columns = match reader.headers() {
        Ok(headers) => Columns::find(list, headers, &mut problems),
        Err(_) => return (Vec::new(), vec![Invalid::new("line 1", "is not a line of column headings")]),
    };
    let Some(columns) = columns else { return (Vec::new(), problems) };
    let width = reader.headers().map_or(0, csv::StringRecord::len);
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    for record in reader.records() {
        let Ok(record) = record else {
            problems.push(Invalid::new("file", "is not CSV after the rows above"));
            break;
        };
        let line = record.position().map_or(0, csv::Position::line);
        if record.iter().all(str::is_empty) {
            continue;
        }
        if let Some(what) = misshapen(&record, width) {
            problems.push(Invalid::new(format!("line {line}"), what));
            continue;
        }
        let mut cells = Cells { list, columns: &columns, record: &record, line, today, problems: &mut problems };
        if let Some(row) = cells.row() {
            if row.subject.identifiers.iter().all(|identifier| seen.insert(identifier.clone())) {
                rows.push(row);
            } else {
                problems.push(Invalid::new(format!("line {line}, column \"{}\"", list.local_number), "stands twice in this file"));
            }
        }
    }
    (rows, problems)
}

/// UTF-8, with or without its mark, or else the Windows code page in which spreadsheets are saved.
fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => alongside_hl7v2::Charset::WINDOWS_1252.decode(bytes).unwrap_or_default(),
    }
}

/// Where each column is; optional ones may be absent.
struct Columns {
    local_number: usize,
    nhs_number: Option<usize>,
    nhs_number_verified: Option<usize>,
    family: Option<usize>,
    given: Option<usize>,
    birth_date: Option<usize>,
    telephone: Option<usize>,
    diagnosed_on: Option<usize>,
    new_diagnosis: usize,
    last_attended: Option<usize>,
}

impl Columns {
    fn find(list: &List, headers: &csv::StringRecord, problems: &mut Vec<Invalid>) -> Option<Self> {
        let at = |name: &str| headers.iter().position(|heading| heading.trim().eq_ignore_ascii_case(name));
        let mut needed = |name: &str| {
            let found = at(name);
            if found.is_none() {
                problems.push(Invalid::new("line 1", format!("the column \"{name}\" is missing")));
            }
            found
        };
        let (local_number, new_diagnosis) = (needed(&list.local_number), needed(&list.new_diagnosis));
        Some(Self {
            local_number: local_number?,
            new_diagnosis: new_diagnosis?,
            nhs_number: at(&list.nhs_number),
            nhs_number_verified: at(&list.nhs_number_verified),
            family: at(&list.family),
            given: at(&list.given),
            birth_date: at(&list.birth_date),
            telephone: at(&list.telephone),
            diagnosed_on: at(&list.diagnosed_on),
            last_attended: at(&list.last_attended),
        })
    }
}

struct Cells<'a> {
    list: &'a List,
    columns: &'a Columns,
    record: &'a csv::StringRecord,
    line: u64,
    today: Date,
    problems: &'a mut Vec<Invalid>,
}

impl Cells<'_> {
    fn row(&mut self) -> Option<Row> {
        let before = self.problems.len();
        let subject = self.subject();
        let facts = self.facts();
        (self.problems.len() == before).then_some(Row { line: self.line, subject, facts })
    }

    fn subject(&mut self) -> Subject {
        let number = self.text(Some(self.columns.local_number));
        if number.is_empty() {
            self.say(&self.list.local_number.clone(), "is empty");
        }
        let birth_date = self.date(self.columns.birth_date, &self.list.birth_date.clone());
        Subject {
            identifiers: vec![Identifier { system: self.list.system.clone(), value: number }],
            nhs_number: self.nhs_number(),
            demographics: Demographics {
                given: Said::from_option(self.some(self.columns.given)),
                family: Said::from_option(self.some(self.columns.family)),
                birth_date: Said::from_option(birth_date),
                telephone: Said::from_option(self.some(self.columns.telephone)),
            },
        }
    }

    fn nhs_number(&mut self) -> Option<NhsNumberHeld> {
        let text = self.some(self.columns.nhs_number)?;
        match text.parse::<NhsNumber>() {
            Ok(number) => {
                let verified = self.yes_or_no(self.columns.nhs_number_verified, &self.list.nhs_number_verified.clone()) == Some(true);
                Some(NhsNumberHeld { number, verified })
            }
            Err(_) => {
                self.say(&self.list.nhs_number.clone(), "is not a valid NHS number");
                None
            }
        }
    }

    fn facts(&mut self) -> Vec<Fact> {
        let novelty = match self.yes_or_no(Some(self.columns.new_diagnosis), &self.list.new_diagnosis.clone()) {
            Some(true) => Novelty::New,
            Some(false) => Novelty::Known,
            None => Novelty::Unknown,
        };
        let heading = self.list.diagnosed_on.clone();
        let diagnosed = self.date(self.columns.diagnosed_on, &heading);
        if novelty == Novelty::New && diagnosed.is_none() {
            self.say(&heading, "is needed for somebody newly diagnosed");
        }
        let heading = self.list.last_attended.clone();
        let attended = self.date(self.columns.last_attended, &heading);
        let on = diagnosed.unwrap_or(self.today);
        let mut facts = vec![Fact::HivConfirmed { evidence: Evidence::Listed, novelty, on, number: None }];
        facts.extend(attended.map(|on| Fact::LastAttended { on }));
        facts
    }

    fn text(&self, column: Option<usize>) -> String {
        column.and_then(|column| self.record.get(column)).unwrap_or_default().trim().to_owned()
    }

    fn some(&self, column: Option<usize>) -> Option<String> {
        Some(self.text(column)).filter(|text| !text.is_empty())
    }

    fn yes_or_no(&mut self, column: Option<usize>, heading: &str) -> Option<bool> {
        let text = self.some(column)?.to_uppercase();
        if self.list.yes.contains(&text) {
            return Some(true);
        }
        if !self.list.no.contains(&text) {
            self.say(heading, "is neither yes nor no");
        }
        Some(false)
    }

    fn date(&mut self, column: Option<usize>, heading: &str) -> Option<Date> {
        let text = self.some(column)?;
        let read = self.list.dates.iter().find_map(|format| Date::strptime(format, &text).ok());
        match read {
            None => self.say(heading, "is not a date as this list writes them"),
            Some(date) if !is_of_our_time(date) => self.say(heading, "is not a date of our time"),
            Some(date) if date > self.today => self.say(heading, "is in the future"),
            Some(_) => {}
        }
        read
    }

    fn say(&mut self, heading: &str, what: &str) {
        self.problems.push(Invalid::new(format!("line {}, column \"{heading}\"", self.line), what));
    }
}
