//! The audit: who looked at whom, for which purpose, and what was refused. Append-only, and every line proves the one
//! before it.
//!
//! The code of a line is HMAC-SHA256 under the [`AuditKey`] over the code of the line before, the line's own columns with
//! its number, and the people whom it is about. Numbers start at 1 and have no gaps. So [`verify`] finds a line that was
//! altered, removed, put in or moved, and people who were added to a line or taken from it, and names the first place.
//! It cannot see from the database alone that the newest lines are gone, or that all of it was put back to an older
//! state: for that it is given [`Head`]s that were written down outside.
//!
//! Whoever has the key can write a chain of their own; only the heads outside find that.

use std::fmt;

use alongside_domain::coded;
use alongside_domain::decision::Actor;
use alongside_domain::id::PersonId;
use alongside_domain::person::SiteId;
use alongside_domain::supporter::{Role, StaffId};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

use crate::codec::coded;
use crate::page_reads::Slice;
use crate::{Row, StoreError, Tx, params, statements};

statements! {
    pub(crate) const HEAD = "SELECT seq, at, mac FROM audit ORDER BY seq DESC LIMIT 1";
    pub(crate) const APPEND = "INSERT INTO audit (seq, at, actor_kind, actor, role, action, purpose, site, outcome, detail, subjects, mac) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    pub(crate) const APPEND_SUBJECT = "INSERT INTO audit_subject (seq, person) VALUES ($1, $2)";
    pub(crate) const WALK = "SELECT seq, at, actor_kind, actor, role, action, purpose, site, outcome, detail, subjects, mac FROM audit WHERE seq >= $1 ORDER BY seq LIMIT $2";
    pub(crate) const WALK_SUBJECTS = "SELECT seq, person FROM audit_subject WHERE seq >= $1 AND seq <= $2 ORDER BY seq, person";
    pub(crate) const FIRST_SUBJECT_FROM = "SELECT seq FROM audit_subject WHERE seq >= $1 ORDER BY seq LIMIT 1";
    pub(crate) const OF_PERSON = "SELECT a.seq, a.at, a.actor_kind, a.actor, a.role, a.action, a.purpose, a.site, a.outcome, a.detail, a.subjects FROM audit_subject s JOIN audit a ON a.seq = s.seq WHERE s.person = $1 ORDER BY s.seq DESC LIMIT $2 OFFSET $3";
    pub(crate) const OF_STAFF = "SELECT seq, at, actor_kind, actor, role, action, purpose, site, outcome, detail, subjects FROM audit WHERE actor = $1 AND actor_kind = 'staff' ORDER BY seq DESC LIMIT $2 OFFSET $3";
    pub(crate) const REFUSED = "SELECT seq, at, actor_kind, actor, role, action, purpose, site, outcome, detail, subjects FROM audit WHERE outcome = 'refused' ORDER BY seq DESC LIMIT $1 OFFSET $2";
    pub(crate) const BY_ACTION = "SELECT seq, at, actor_kind, actor, role, action, purpose, site, outcome, detail, subjects FROM audit WHERE action = $1 ORDER BY seq DESC LIMIT $2 OFFSET $3";
}

/// How many lines [`verify`] holds at once.
const PAGE: u32 = 1000;

/// What the codes of lines are made for: no other use of the key gives the same code.
const CHAIN: &str = "alongside audit line 1";

/// What [`keyed_digest`] is made for.
const MARK: &str = "alongside mark 1";

/// The secret under which lines are chained: 256 bits that are kept outside the database.
#[derive(Clone)]
pub struct AuditKey([u8; 32]);

impl AuditKey {
    /// A key of these bytes, which must come from a source that nobody can guess.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A code that begins with what it is made for.
    fn code(&self, what_for: &str) -> Code {
        // A key of any length is taken, so that there is nothing to fail.
        let hmac = Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| unreachable!("HMAC takes keys of every length"));
        let mut code = Code(hmac);
        code.text(what_for);
        code
    }
}

/// Tells nothing of the key.
impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey")
    }
}

/// A code in the making. Each part goes in with its length before it, so that no two lists of parts are the same bytes.
#[derive(Clone)]
struct Code(Hmac<Sha256>);

impl Code {
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A text that may be missing, which is not the same as an empty one.
    fn opt_text(&mut self, text: Option<&str>) {
        match text {
            None => self.number(-1),
            Some(text) => self.text(text),
        }
    }

    fn number(&mut self, number: i64) {
        self.0.update(&number.to_be_bytes());
    }

    fn hex(self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = |byte: u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]].map(char::from);
        self.0.finalize().into_bytes().iter().flat_map(|byte| digits(*byte)).collect()
    }
}

/// A one-way mark of something, in hexadecimal: the same for the same bytes and purpose, and of no use without the key.
/// Marks of different purposes cannot be compared, nor taken for codes of lines.
#[must_use]
pub fn keyed_digest(key: &AuditKey, purpose: &str, bytes: &[u8]) -> String {
    let mut code = key.code(MARK);
    code.text(purpose);
    code.bytes(bytes);
    code.hex()
}

coded! {
    /// Whether what was asked for was given.
    pub enum Outcome {
        Allowed = "allowed", "allowed";
        Refused = "refused", "refused";
    }
}

/// What is written down of one disclosure, one change, or one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When; kept to the microsecond.
    pub at: Timestamp,
    /// Who, and in which role.
    pub actor: Actor,
    /// What was done or asked for: a code.
    pub action: String,
    /// For which purpose: a code.
    pub purpose: String,
    /// At which site, where it concerns one.
    pub site: Option<SiteId>,
    /// Whether it was given.
    pub outcome: Outcome,
    /// More about it: a code or a number of ours, never free text.
    pub detail: Option<String>,
    /// Whom it is about; in any order, [`append`] sorts them and takes each once.
    pub subjects: Vec<PersonId>,
}

/// The newest line, as it is written down outside the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub seq: u64,
    /// Its time.
    pub at: Timestamp,
    /// Its code: 64 hexadecimal digits.
    pub mac: String,
}

/// A line as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number: 1 is the oldest.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who, and in which role.
    pub actor: Actor,
    /// What was done or asked for.
    pub action: String,
    /// For which purpose.
    pub purpose: String,
    /// At which site, where it concerns one.
    pub site: Option<SiteId>,
    /// Whether it was given.
    pub outcome: Outcome,
    /// More about it.
    pub detail: Option<String>,
    /// How many people it is about; [`subjects_of`] tells who.
    pub subjects: u64,
}

/// What is wrong with the chain. Each has the number of the first line at which it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tampering {
    /// The line's code does not fit: it, its people or its place was altered, or it was put in. At line 1, all may have
    /// been written under another key.
    Altered(u64),
    /// The line is not there, and later ones are.
    Removed(u64),
    /// The line and all after it are not there, and a head outside says that they were.
    Truncated(u64),
    /// The line fits those before it, and yet is another than the one that a head outside tells of: the audit was put
    /// back to an older state and went on, or was written anew by somebody who has the key.
    Replaced(u64),
    /// There are people for a line of this number and no such line; or a line of a number that is never given.
    Stray(i64),
}

impl Tampering {
    /// The number of the first line at which it shows.
    #[must_use]
    pub fn seq(self) -> i64 {
        match self {
            Self::Altered(seq) | Self::Removed(seq) | Self::Truncated(seq) | Self::Replaced(seq) => i64::try_from(seq).unwrap_or(i64::MAX),
            Self::Stray(seq) => seq,
        }
    }

    /// What is wrong, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Altered(1) => "was altered, or all of the audit was written under another key than this one",
            Self::Altered(_) => "was altered, moved or put in, or people were added to it or taken from it",
            Self::Removed(_) => "was removed",
            Self::Truncated(_) => "and all after it were removed: a head that was written down outside tells of later ones",
            Self::Replaced(_) => "is another than a head that was written down outside tells of: the audit was put back or written anew",
            Self::Stray(_) => "is not there and yet has people, or has a number that is never given",
        }
    }
}

/// What [`verify`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How many lines were checked and are as they were written, up to the first that is not.
    pub lines: u64,
    /// The last of them.
    pub head: Option<Head>,
    /// What is wrong first, if anything is.
    pub tampering: Option<Tampering>,
}

impl Verdict {
    /// Whether nothing was found.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.tampering.is_none()
    }
}

/// A line in the columns that are kept: what its code is made of. Texts, not our types, so that an altered column that
/// no longer parses is found to be altered like any other.
struct Written {
    seq: i64,
    at: i64,
    actor_kind: String,
    actor: Option<String>,
    role: Option<String>,
    action: String,
    purpose: String,
    site: Option<String>,
    outcome: String,
    detail: Option<String>,
    subjects: i64,
}

impl Written {
    fn of(seq: i64, entry: &Entry, people: &[String]) -> Self {
        let (kind, actor, role) = match &entry.actor {
            Actor::Staff { id, role } => ("staff", Some(id.0.clone()), Some(role.code().to_owned())),
            Actor::Feed(feed) => ("feed", Some(feed.clone()), None),
            Actor::Person => ("person", None, None),
            Actor::Clock => ("clock", None, None),
            Actor::Operator => ("operator", None, None),
        };
        Self {
            seq,
            at: entry.at.as_microsecond(),
            actor_kind: kind.to_owned(),
            actor,
            role,
            action: entry.action.clone(),
            purpose: entry.purpose.clone(),
            site: entry.site.as_ref().map(|site| site.0.clone()),
            outcome: entry.outcome.code().to_owned(),
            detail: entry.detail.clone(),
            subjects: i64::try_from(people.len()).unwrap_or(i64::MAX),
        }
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.int(0)?,
            at: row.int(1)?,
            actor_kind: row.text(2)?,
            actor: row.opt_text(3)?,
            role: row.opt_text(4)?,
            action: row.text(5)?,
            purpose: row.text(6)?,
            site: row.opt_text(7)?,
            outcome: row.text(8)?,
            detail: row.opt_text(9)?,
            subjects: row.int(10)?,
        })
    }

    /// The line's code, after a line with the code `previous` (empty before the first).
    fn mac(&self, mut code: Code, previous: &str, people: &[String]) -> String {
        code.text(previous);
        code.number(self.seq);
        code.number(self.at);
        code.text(&self.actor_kind);
        code.opt_text(self.actor.as_deref());
        code.opt_text(self.role.as_deref());
        code.text(&self.action);
        code.text(&self.purpose);
        code.opt_text(self.site.as_deref());
        code.text(&self.outcome);
        code.opt_text(self.detail.as_deref());
        code.number(self.subjects);
        code.number(i64::try_from(people.len()).unwrap_or(i64::MAX));
        people.iter().for_each(|person| code.text(person));
        code.hex()
    }
}

/// Adds a line in this transaction, and tells its number: one more than the last. Of programs that add at once on
/// PostgreSQL, one is kept and the others run again, since [`crate::Store::write`] is serialisable.
///
/// # Errors
/// The store's.
pub fn append(tx: &mut Tx<'_>, key: &AuditKey, entry: &Entry) -> Result<u64, StoreError> {
    let (last, previous) = head(tx)?.map_or((0, String::new()), |head| (head.seq, head.mac));
    let mut people: Vec<_> = entry.subjects.iter().map(PersonId::to_string).collect();
    people.sort_unstable();
    people.dedup();
    let seq = i64::try_from(last).ok().and_then(|last| last.checked_add(1));
    let seq = seq.ok_or_else(|| StoreError::Broken { place: APPEND.name, code: "full".to_owned() })?;
    let line = Written::of(seq, entry, &people);
    let mac = line.mac(key.code(CHAIN), &previous, &people);
    tx.execute(
        &APPEND,
        params![
            line.seq,
            line.at,
            line.actor_kind,
            line.actor,
            line.role,
            line.action,
            line.purpose,
            line.site,
            line.outcome,
            line.detail,
            line.subjects,
            mac
        ],
    )?;
    for person in people {
        tx.execute(&APPEND_SUBJECT, params![seq, person])?;
    }
    Ok(last + 1)
}

/// The newest line, where there is one.
///
/// # Errors
/// The store's.
pub fn head(tx: &mut Tx<'_>) -> Result<Option<Head>, StoreError> {
    tx.query_one(&HEAD, params![], |row| Ok(Head { seq: row.number(0)?, at: row.timestamp(1)?, mac: row.text(2)? }))
}

/// Walks the whole chain, and says what is wrong first, if anything is. `anchors` are heads that were written down
/// outside, in any order; without any, a missing tail is not found.
///
/// # Errors
/// The store's. That something was tampered with is no error.
pub fn verify(tx: &mut Tx<'_>, key: &AuditKey, anchors: &[Head]) -> Result<Verdict, StoreError> {
    let mut walk = Walk::new(key, anchors);
    // From the least number there is, so that lines before the first are seen as well.
    let mut from = i64::MIN;
    loop {
        let page = tx.query(&WALK, params![from, PAGE], |row| Ok((Written::read(row)?, row.text(11)?)))?;
        let Some(last) = page.last().map(|(line, _)| line.seq) else { break };
        let people = tx.query(&WALK_SUBJECTS, params![from, last], |row| Ok((row.int(0)?, row.text(1)?)))?;
        let mut people = people.into_iter().peekable();
        for (line, mac) in page {
            // People of numbers that have no line come before the next line's.
            if let Some((seq, _)) = people.next_if(|(seq, _)| *seq < line.seq) {
                return Ok(walk.found_stray(seq));
            }
            let mut of_line = Vec::new();
            while let Some((_, person)) = people.next_if(|(seq, _)| *seq == line.seq) {
                of_line.push(person);
            }
            if let Some(tampering) = walk.step(&line, mac, &of_line) {
                return Ok(walk.found(tampering));
            }
        }
        let Some(next) = last.checked_add(1) else { break };
        from = next;
    }
    if let Some(anchor) = walk.anchors.first() {
        let gone = walk.verdict.lines + 1;
        debug_assert!(anchor.seq >= gone, "those of lines that are there were taken by the walk");
        return Ok(walk.found(Tampering::Truncated(gone)));
    }
    let stray = tx.query_one(&FIRST_SUBJECT_FROM, params![from], |row| row.int(0))?;
    Ok(match stray {
        Some(seq) => walk.found(Tampering::Stray(seq)),
        None => walk.verdict,
    })
}

/// Whether the newest line was written under this key, where there is a line: a quick look before anything is added
/// under a key that may be another's.
///
/// # Errors
/// The store's.
pub fn newest_fits(tx: &mut Tx<'_>, key: &AuditKey) -> Result<bool, StoreError> {
    let newest = tx.query_one(&HEAD, params![], |row| row.int(0))?;
    let Some(newest) = newest else { return Ok(true) };
    let lines = tx.query(&WALK, params![newest - 1, 2], |row| Ok((Written::read(row)?, row.text(11)?)))?;
    let people = tx.query(&WALK_SUBJECTS, params![newest, newest], |row| row.text(1))?;
    Ok(match lines.as_slice() {
        [(line, mac)] => line.mac(key.code(CHAIN), "", &people) == *mac,
        [(_, previous), (line, mac)] => line.mac(key.code(CHAIN), previous, &people) == *mac,
        _ => false,
    })
}

/// How far [`verify`] has come.
struct Walk<'a> {
    code: Code,
    /// Those not passed yet, the oldest first.
    anchors: Vec<&'a Head>,
    verdict: Verdict,
}

impl<'a> Walk<'a> {
    fn new(key: &AuditKey, anchors: &'a [Head]) -> Self {
        let mut anchors: Vec<_> = anchors.iter().collect();
        anchors.sort_by_key(|anchor| anchor.seq);
        Self { code: key.code(CHAIN), anchors, verdict: Verdict { lines: 0, head: None, tampering: None } }
    }

    /// Takes the next line that is there; what is wrong with it or before it, if anything is.
    fn step(&mut self, line: &Written, mac: String, people: &[String]) -> Option<Tampering> {
        let expected = self.verdict.lines + 1;
        let Ok(seq) = u64::try_from(line.seq) else { return Some(Tampering::Stray(line.seq)) };
        if seq == 0 {
            return Some(Tampering::Stray(0));
        }
        if seq > expected {
            return Some(Tampering::Removed(expected));
        }
        let previous = self.verdict.head.as_ref().map_or("", |head| head.mac.as_str());
        let Ok(at) = Timestamp::from_microsecond(line.at) else { return Some(Tampering::Altered(seq)) };
        if line.mac(self.code.clone(), previous, people) != mac {
            return Some(Tampering::Altered(seq));
        }
        let passed = self.anchors.partition_point(|anchor| anchor.seq <= seq);
        if self.anchors.drain(..passed).any(|anchor| anchor.mac != mac) {
            return Some(Tampering::Replaced(seq));
        }
        self.verdict = Verdict { lines: seq, head: Some(Head { seq, at, mac }), tampering: None };
        None
    }

    /// People of a number that has no line, though later ones have.
    fn found_stray(self, seq: i64) -> Verdict {
        let tampering = if seq > 0 { Tampering::Removed(self.verdict.lines + 1) } else { Tampering::Stray(seq) };
        self.found(tampering)
    }

    fn found(self, tampering: Tampering) -> Verdict {
        Verdict { tampering: Some(tampering), ..self.verdict }
    }
}

/// Lines about a person, newest first.
///
/// # Errors
/// The store's.
pub fn of_person(tx: &mut Tx<'_>, person: PersonId, slice: Slice) -> Result<Vec<Line>, StoreError> {
    tx.query(&OF_PERSON, params![person.to_string(), slice.most, slice.skip], line_row)
}

/// Lines of what a member of staff did or tried, newest first.
///
/// # Errors
/// The store's.
pub fn of_staff(tx: &mut Tx<'_>, staff: &StaffId, slice: Slice) -> Result<Vec<Line>, StoreError> {
    tx.query(&OF_STAFF, params![&staff.0, slice.most, slice.skip], line_row)
}

/// Lines of what was refused, newest first.
///
/// # Errors
/// The store's.
pub fn refused(tx: &mut Tx<'_>, slice: Slice) -> Result<Vec<Line>, StoreError> {
    tx.query(&REFUSED, params![slice.most, slice.skip], line_row)
}

/// Lines of one kind of action, newest first.
///
/// # Errors
/// The store's.
pub fn by_action(tx: &mut Tx<'_>, action: &str, slice: Slice) -> Result<Vec<Line>, StoreError> {
    tx.query(&BY_ACTION, params![action, slice.most, slice.skip], line_row)
}

/// Whom a line is about, in the order of their ids.
///
/// # Errors
/// The store's.
pub fn subjects_of(tx: &mut Tx<'_>, seq: u64) -> Result<Vec<PersonId>, StoreError> {
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    tx.query(&WALK_SUBJECTS, params![seq, seq], |row| row.parsed(1))
}

pub(crate) fn line_row(row: &Row<'_>) -> Result<Line, StoreError> {
    let actor = match (row.text(2)?.as_str(), row.opt_text(3)?) {
        ("staff", Some(id)) => Actor::Staff { id: StaffId(id), role: coded(row, 4, Role::from_code)? },
        ("feed", Some(feed)) => Actor::Feed(feed),
        ("person", None) => Actor::Person,
        ("clock", None) => Actor::Clock,
        ("operator", None) => Actor::Operator,
        _ => return Err(row.corrupt(2)),
    };
    Ok(Line {
        seq: row.number(0)?,
        at: row.timestamp(1)?,
        actor,
        action: row.text(5)?,
        purpose: row.text(6)?,
        site: row.opt_text(7)?.map(SiteId),
        outcome: coded(row, 8, Outcome::from_code)?,
        detail: row.opt_text(9)?,
        subjects: row.number(10)?,
    })
}

#[cfg(test)]
mod tests {
    use postgres::NoTls;

    use super::*;
    use crate::testing::{TestDatabase, both_databases, both_engines, engines};
    use crate::{Engine, Statement, Store, Value, all_statements};

    const KEY: AuditKey = AuditKey::new([7; 32]);
    const ALL: Slice = Slice { most: 100, skip: 0 };

    fn staff(name: &str) -> Actor {
        Actor::Staff { id: StaffId(name.to_owned()), role: Role::Clinician }
    }

    fn entry(number: u64, people: &[u128]) -> Entry {
        let refused = number.is_multiple_of(5);
        Entry {
            at: Timestamp::constant(1_736_152_200, 0) + jiff::SignedDuration::from_secs(i64::try_from(number).unwrap()),
            actor: if number.is_multiple_of(2) { staff("ada") } else { staff("sen") },
            action: if refused { "open-record" } else { "see-list" }.to_owned(),
            purpose: "direct-care".to_owned(),
            site: (!refused).then(|| SiteId("north".to_owned())),
            outcome: if refused { Outcome::Refused } else { Outcome::Allowed },
            detail: refused.then(|| "not-at-site".to_owned()),
            subjects: people.iter().copied().map(PersonId).collect(),
        }
    }

    /// Ten lines; each is about two people, one of them always the same.
    fn ten(store: &Store) {
        write(store, &KEY, 1..=10);
    }

    fn write(store: &Store, key: &AuditKey, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            let (key, entry) = (key.clone(), entry(number, &[99, u128::from(number), 99]));
            assert_eq!(store.write(move |tx| append(tx, &key, &entry)).unwrap(), number);
        }
    }

    fn checked(store: &Store, anchors: &[Head]) -> Verdict {
        store.read(|tx| verify(tx, &KEY, anchors)).unwrap()
    }

    fn tampering(store: &Store, anchors: &[Head]) -> Option<Tampering> {
        checked(store, anchors).tampering
    }

    fn head_of(store: &Store) -> Head {
        store.read(head).unwrap().unwrap()
    }

    /// What somebody does with the database's own tools.
    fn meddle(store: &Store, statements: &[&'static str]) {
        for sql in statements {
            let statement = Statement { name: sql, sql };
            store.write(move |tx| tx.execute(&statement, &[])).unwrap();
        }
    }

    #[test]
    fn no_statement_changes_or_removes_a_line_of_the_audit() {
        let statements = all_statements();
        assert!(statements.iter().any(|it| it.sql.starts_with("INSERT INTO audit ")), "the audit's statements are among all");
        let offending = |it: &&Statement| {
            let sql = it.sql.to_uppercase();
            let changes = ["UPDATE AUDIT", "DELETE FROM AUDIT", "TRUNCATE"].iter().any(|words| sql.contains(words));
            changes || (sql.contains("INTO AUDIT") && sql.contains("CONFLICT"))
        };
        assert_eq!(statements.iter().filter(offending).collect::<Vec<_>>(), Vec::<&Statement>::new());
    }

    #[test]
    fn what_is_appended_is_numbered_without_gaps_and_verifies() {
        both_engines(|store| {
            assert_eq!(checked(&store, &[]), Verdict { lines: 0, head: None, tampering: None });
            ten(&store);
            let head = head_of(&store);
            assert_eq!((head.seq, head.at, head.mac.len()), (10, entry(10, &[]).at, 64));
            let whole = checked(&store, std::slice::from_ref(&head));
            assert_eq!(whole, Verdict { lines: 10, head: Some(head), tampering: None });
            assert!(whole.is_whole());
        });
    }

    #[test]
    fn a_write_that_fails_leaves_neither_line_nor_gap() {
        both_engines(|store| {
            ten(&store);
            let failed = store.write(|tx| {
                append(tx, &KEY, &entry(11, &[1]))?;
                Err::<(), _>(StoreError::Busy)
            });
            assert_eq!(failed, Err(StoreError::Busy));
            write(&store, &KEY, 11..=11);
            assert_eq!(checked(&store, &[]).lines, 11);
        });
    }

    #[test]
    fn more_lines_than_a_page_are_walked() {
        both_engines(|store| {
            let more = u64::from(PAGE) + 2;
            store
                .write(move |tx| (1..=more).try_for_each(|number| append(tx, &KEY, &entry(number, &[u128::from(number)])).map(drop)))
                .unwrap();
            assert_eq!(checked(&store, &[]), Verdict { lines: more, head: Some(head_of(&store)), tampering: None });
            meddle(&store, &["UPDATE audit SET detail = 'x' WHERE seq = 1001"]);
            assert_eq!((checked(&store, &[]).lines, tampering(&store, &[])), (1000, Some(Tampering::Altered(1001))));
        });
    }

    #[test]
    fn an_alteration_of_any_column_is_found_at_its_line() {
        for change in [
            "at = at + 1",
            "actor_kind = 'operator'",
            "actor = 'ada2'",
            "actor = NULL",
            "role = 'supporter'",
            "action = 'see-lis'",
            "purpose = ''",
            "site = 'south'",
            "site = NULL",
            "outcome = 'refused'",
            "detail = ''",
            "subjects = 3",
            "mac = ''",
            "at = 9223372036854775807",
            "role = 'nonsense'",
        ] {
            let sql: &'static str = format!("UPDATE audit SET {change} WHERE seq = 4").leak();
            both_engines(|store| {
                ten(&store);
                meddle(&store, &[sql]);
                let verdict = checked(&store, &[]);
                assert_eq!((verdict.lines, verdict.tampering), (3, Some(Tampering::Altered(4))), "{change}");
            });
        }
    }

    #[test]
    fn every_other_kind_of_tampering_is_found_and_its_place_named() {
        const SWAP: &[&str] = &[
            "UPDATE audit SET seq = 1000 WHERE seq = 4",
            "UPDATE audit SET seq = 4 WHERE seq = 5",
            "UPDATE audit SET seq = 5 WHERE seq = 1000",
        ];
        const CLOSE_UP: &[&str] = &[
            "DELETE FROM audit_subject WHERE seq = 4",
            "DELETE FROM audit WHERE seq = 4",
            "UPDATE audit SET seq = seq + 1000 WHERE seq > 4",
            "UPDATE audit SET seq = seq - 1001 WHERE seq > 1000",
            "UPDATE audit_subject SET seq = seq + 1000 WHERE seq > 4",
            "UPDATE audit_subject SET seq = seq - 1001 WHERE seq > 1000",
        ];
        const COPY: &str = "INSERT INTO audit (seq, at, actor_kind, actor, role, action, purpose, site, outcome, detail, subjects, mac) SELECT 11, at, actor_kind, actor, role, action, purpose, site, outcome, detail, subjects, mac FROM audit WHERE seq = 10";
        const LONE: &str = "per_00000000000000000000000000000004";
        let cases: &[(&str, &[&'static str], Tampering)] = &[
            ("a line removed", &["DELETE FROM audit WHERE seq = 4"], Tampering::Removed(4)),
            (
                "a line removed with its people",
                &["DELETE FROM audit_subject WHERE seq = 4", "DELETE FROM audit WHERE seq = 4"],
                Tampering::Removed(4),
            ),
            ("the first line removed", &["DELETE FROM audit WHERE seq = 1"], Tampering::Removed(1)),
            ("a line removed and the gap closed", CLOSE_UP, Tampering::Altered(4)),
            ("two lines exchanged", SWAP, Tampering::Altered(4)),
            ("a line put in at the end", &[COPY], Tampering::Altered(11)),
            ("a person taken out", &["DELETE FROM audit_subject WHERE seq = 4 AND person LIKE '%4'"], Tampering::Altered(4)),
            (
                "a person taken out and the number mended",
                &["DELETE FROM audit_subject WHERE seq = 4 AND person LIKE '%4'", "UPDATE audit SET subjects = 1 WHERE seq = 4"],
                Tampering::Altered(4),
            ),
            (
                "a person exchanged",
                &["UPDATE audit_subject SET person = 'per_1' WHERE seq = 4 AND person LIKE '%4'"],
                Tampering::Altered(4),
            ),
            ("a person put in", &["INSERT INTO audit_subject (seq, person) VALUES (4, 'per_1')"], Tampering::Altered(4)),
            ("people of no line, at the end", &["INSERT INTO audit_subject (seq, person) VALUES (11, 'per_1')"], Tampering::Stray(11)),
            ("the last line removed and its people left", &["DELETE FROM audit WHERE seq = 10"], Tampering::Stray(10)),
            ("people of no line, at the start", &["INSERT INTO audit_subject (seq, person) VALUES (-3, 'per_1')"], Tampering::Stray(-3)),
        ];
        for (what, statements, found) in cases {
            both_engines(|store| {
                ten(&store);
                assert!(checked(&store, &[]).is_whole());
                let four = store.read(|tx| subjects_of(tx, 4)).unwrap();
                assert_eq!(four, [LONE.parse().unwrap(), PersonId(99)]);
                meddle(&store, statements);
                assert_eq!(tampering(&store, &[]), Some(*found), "{what}");
            });
        }
    }

    #[test]
    fn a_tail_that_was_cut_off_is_found_by_a_head_outside_and_by_nothing_else() {
        both_engines(|store| {
            ten(&store);
            let outside = head_of(&store);
            meddle(&store, &["DELETE FROM audit_subject WHERE seq > 7", "DELETE FROM audit WHERE seq > 7"]);
            assert_eq!(tampering(&store, &[]), None);
            assert_eq!(tampering(&store, &[outside]), Some(Tampering::Truncated(8)));
        });
    }

    #[test]
    fn an_audit_that_was_emptied_is_found_by_a_head_outside() {
        both_engines(|store| {
            ten(&store);
            let outside = head_of(&store);
            meddle(&store, &["DELETE FROM audit_subject", "DELETE FROM audit"]);
            assert_eq!(tampering(&store, &[outside]), Some(Tampering::Truncated(1)));
        });
    }

    #[test]
    fn an_audit_that_was_put_back_and_went_on_is_found_where_the_ways_part() {
        both_engines(|store| {
            ten(&store);
            let mut outside = vec![head_of(&store)];
            meddle(&store, &["DELETE FROM audit_subject WHERE seq > 7", "DELETE FROM audit WHERE seq > 7"]);
            outside.insert(0, head_of(&store));
            // The program goes on with its own key, and other things happen this time.
            store.write(|tx| (8..=12).try_for_each(|_| append(tx, &KEY, &entry(20, &[1])).map(drop))).unwrap();
            assert_eq!(tampering(&store, &outside[..1]), None, "the older head is on both ways");
            outside.push(head_of(&store));
            assert_eq!(tampering(&store, &outside), Some(Tampering::Replaced(10)));
        });
    }

    #[test]
    fn an_audit_written_anew_under_another_key_is_found_at_its_first_line() {
        both_engines(|store| {
            write(&store, &AuditKey::new([8; 32]), 1..=10);
            assert_eq!(tampering(&store, &[]), Some(Tampering::Altered(1)));
            assert_eq!(checked(&store, &[]).head, None);
        });
    }

    #[test]
    fn a_key_that_the_newest_line_was_not_written_under_is_known_at_once() {
        both_engines(|store| {
            let fits = |key: AuditKey| store.read(|tx| newest_fits(tx, &key)).unwrap();
            assert!(fits(KEY) && fits(AuditKey::new([8; 32])), "before the first line every key fits");
            for number in 1..=3 {
                write(&store, &KEY, number..=number);
                assert!(fits(KEY) && !fits(AuditKey::new([8; 32])), "at line {number}");
            }
        });
    }

    #[test]
    fn a_line_altered_in_the_file_itself_among_two_hundred_is_found() {
        let database = TestDatabase::new(Engine::Sqlite);
        let store = Store::open(database.url()).unwrap();
        write(&store, &KEY, 1..=200);
        let file = database.address().strip_prefix("sqlite:").unwrap();
        let tool = rusqlite::Connection::open(file).unwrap();
        let number = |statement: &str| tool.query_row(statement, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(number("SELECT COUNT(*) FROM audit"), 200);
        tool.execute("UPDATE audit SET actor = 'sen' WHERE seq = 138", []).unwrap();
        assert_eq!(tampering(&store, &[]), Some(Tampering::Altered(138)));
        tool.execute("UPDATE audit SET actor = 'ada' WHERE seq = 138", []).unwrap();
        assert_eq!(checked(&store, &[]).lines, 200, "what is put back as it was is whole again");
    }

    #[test]
    fn two_programs_that_write_at_once_make_one_chain_without_gaps() {
        const EACH: u64 = 40;
        both_databases(|database| {
            let stores = [Store::open(database.url()).unwrap(), Store::open(database.url()).unwrap()];
            std::thread::scope(|scope| {
                for (store, who) in stores.iter().zip([1, 2]) {
                    scope.spawn(move || {
                        for number in 0..EACH {
                            store.write(move |tx| append(tx, &KEY, &entry(number, &[who]))).unwrap();
                        }
                    });
                }
            });
            let verdict = checked(&stores[0], &[]);
            assert_eq!((verdict.lines, verdict.tampering), (2 * EACH, None));
            for who in [1, 2] {
                let lines = stores[1].read(|tx| of_person(tx, PersonId(who), ALL)).unwrap();
                assert_eq!(lines.len() as u64, EACH, "nothing of either is lost");
            }
        });
    }

    #[test]
    fn lines_are_found_by_person_by_staff_by_refusal_and_by_action_newest_first() {
        both_engines(|store| {
            ten(&store);
            let seqs = |lines: Vec<Line>| lines.into_iter().map(|line| line.seq).collect::<Vec<_>>();
            store
                .read(|tx| {
                    assert_eq!(seqs(of_person(tx, PersonId(4), ALL)?), [4]);
                    assert_eq!(seqs(of_person(tx, PersonId(99), Slice { most: 3, skip: 2 })?), [8, 7, 6]);
                    assert_eq!(seqs(of_staff(tx, &StaffId("ada".into()), ALL)?), [10, 8, 6, 4, 2]);
                    assert_eq!(seqs(refused(tx, ALL)?), [10, 5]);
                    assert_eq!(seqs(by_action(tx, "see-list", Slice { most: 2, skip: 0 })?), [9, 8]);
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        });
    }

    #[test]
    fn every_actor_and_every_column_reads_back() {
        both_engines(|store| {
            for actor in [staff("ada"), Actor::Feed("north".into()), Actor::Person, Actor::Clock, Actor::Operator] {
                for number in [4, 5] {
                    let entry = Entry { actor: actor.clone(), ..entry(number, &[2, 1, 2]) };
                    let kept = entry.clone();
                    let seq = store.write(move |tx| append(tx, &KEY, &kept)).unwrap();
                    let line = store.read(|tx| of_person(tx, PersonId(1), Slice { most: 1, skip: 0 })).unwrap().remove(0);
                    let Entry { at, actor, action, purpose, site, outcome, detail, .. } = entry;
                    assert_eq!(line, Line { seq, at, actor, action, purpose, site, outcome, detail, subjects: 2 });
                }
            }
            assert!(checked(&store, &[]).is_whole());
        });
    }

    #[test]
    fn lines_that_differ_only_in_where_a_column_ends_have_different_codes() {
        let code = |change: fn(&mut Entry)| {
            let mut entry = entry(5, &[]);
            change(&mut entry);
            Written::of(1, &entry, &[]).mac(KEY.code(CHAIN), "", &[])
        };
        let plain = code(|_| {});
        assert_eq!(plain, code(|_| {}));
        let moved = code(|entry| (entry.action, entry.purpose) = ("open-recorddirect".into(), "-care".into()));
        let empty = code(|entry| entry.site = Some(SiteId(String::new())));
        assert!(plain != moved && plain != empty && moved != empty);
    }

    #[test]
    fn a_mark_is_the_same_for_the_same_and_tells_nothing_across_purposes_or_keys() {
        let mark = keyed_digest(&KEY, "link", b"abc");
        assert_eq!(mark, keyed_digest(&KEY, "link", b"abc"));
        assert_eq!(mark.len(), 64);
        for other in [
            keyed_digest(&KEY, "link", b"abd"),
            keyed_digest(&KEY, "linka", b"bc"),
            keyed_digest(&KEY, "letter", b"abc"),
            keyed_digest(&AuditKey::new([8; 32]), "link", b"abc"),
        ] {
            assert_ne!(mark, other);
        }
        assert_eq!(format!("{KEY:?}"), "AuditKey");
    }

    /// The rights that docs/operations.md gives on PostgreSQL: the tables belong to somebody else, the program may read and add.
    #[test]
    fn on_postgresql_a_program_without_the_right_cannot_change_a_line() {
        if !engines().contains(&Engine::Postgres) {
            return;
        }
        let database = TestDatabase::new(Engine::Postgres);
        drop(Store::open(database.url()).unwrap());
        let mut owner = database.url().server().unwrap().connect(NoTls).unwrap();
        owner
            .batch_execute(
                "CREATE ROLE audit_clerk LOGIN; GRANT ALL ON SCHEMA public TO audit_clerk; \
                 GRANT ALL ON ALL TABLES IN SCHEMA public TO audit_clerk; \
                 REVOKE UPDATE, DELETE, TRUNCATE ON audit, audit_subject FROM audit_clerk",
            )
            .unwrap();
        let address = database.address().replace("alongside@", "audit_clerk@");
        {
            let store = Store::open(&address.parse().unwrap()).unwrap();
            ten(&store);
            for sql in ["UPDATE audit SET at = 0", "DELETE FROM audit", "DELETE FROM audit_subject", "TRUNCATE audit"] {
                let tried = store.write(move |tx| tx.execute(&Statement { name: sql, sql }, &[] as &[Value]));
                assert!(matches!(&tried, Err(StoreError::Broken { code, .. }) if code.contains("42501")), "{sql}: {tried:?}");
            }
            assert_eq!(checked(&store, &[]).lines, 10);
        }
        owner.batch_execute("DROP OWNED BY audit_clerk; DROP ROLE audit_clerk").unwrap();
    }
}
