//! Who saw or changed a record: the audit and the journal together, as information governance asks them.
//!
//! The audit has every look and every attempt of those who sign in; the journal has every change, those of messages, lists
//! and the command line too. A change that somebody made at their desk stands in both, and is told once, by the audit.

use alongside_domain::access::{Action, Scope};
use alongside_domain::coded;
use alongside_domain::decision::Actor;
use alongside_domain::id::PersonId;
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::person::SiteId;
use alongside_domain::supporter::{Role, StaffId};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::audit::{Line, Outcome, line_row};
use crate::codec;
use crate::page_reads::{Named, Slice, keys, scope_params, scoped_person};
use crate::{Row, StoreError, Tx, Value, params, statements};

/// Whether an action `a.action` is among the changing ones, `$2`: 1 or 0.
macro_rules! changed {
    () => {
        "CASE WHEN REPLACE(CAST($2 AS TEXT), '|' || a.action || '|', '') <> CAST($2 AS TEXT) THEN 1 ELSE 0 END"
    };
}

/// A change `j` of the journal that the audit does not tell: five seconds are more than a form takes, and less than two.
macro_rules! only_in_journal {
    ($changing:literal) => {
        concat!(
            "NOT (j.actor_kind = 'staff' AND EXISTS (SELECT 1 FROM audit a JOIN audit_subject s ON s.seq = a.seq WHERE a.actor = j.actor AND a.at >= j.at - 5000000 AND a.at <= j.at + 5000000 AND s.person = j.person AND a.outcome = 'allowed' AND REPLACE(CAST(",
            $changing,
            " AS TEXT), '|' || a.action || '|', '') <> CAST(",
            $changing,
            " AS TEXT)))"
        )
    };
}

/// All lines about a person `$1`, and about the records that were merged into theirs.
macro_rules! told {
    ($what:literal) => {
        concat!(
            "WITH RECURSIVE mine (id) AS (SELECT o.id FROM person o WHERE o.id = $1 UNION SELECT p.id FROM person p JOIN mine m ON p.merged_into = m.id), told (source, mark, at, actor_kind, actor, role, what, purpose, outcome, detail, changed) AS (SELECT 'audit', CAST(a.seq AS TEXT), a.at, a.actor_kind, a.actor, a.role, a.action, a.purpose, a.outcome, a.detail, ",
            changed!(),
            " FROM audit a WHERE a.seq IN (SELECT s.seq FROM audit_subject s JOIN mine m ON m.id = s.person) UNION ALL SELECT 'journal', j.id, j.at, j.actor_kind, j.actor, j.actor_role, j.what, j.cause_kind, 'allowed', j.detail, 1 FROM journal j WHERE j.person IN (SELECT m.id FROM mine m) AND ",
            only_in_journal!("$2"),
            ") SELECT ",
            $what,
            " FROM told t WHERE (CAST($3 AS TEXT) = '' OR (CAST($3 AS TEXT) = 'refused' AND t.outcome = 'refused') OR (CAST($3 AS TEXT) = 'changed' AND t.outcome = 'allowed' AND t.changed = 1) OR (CAST($3 AS TEXT) = 'seen' AND t.outcome = 'allowed' AND t.changed = 0)) AND t.at >= $4 AND t.at < $5 AND (CAST($6 AS TEXT) = '' OR (t.actor = CAST($6 AS TEXT) AND t.actor_kind = 'staff'))"
        )
    };
}

/// What a member of staff `$9` did between two instants `$11` and `$12`, by person; changing actions are `$10`.
macro_rules! by_person {
    () => {
        concat!(
            "(SELECT d.person AS person, COUNT(*) AS lines, CAST(SUM(d.changed) AS BIGINT) AS changed, CAST(SUM(d.refused) AS BIGINT) AS refused, MAX(d.at) AS latest FROM (SELECT s.person AS person, a.at AS at, CASE WHEN a.outcome = 'allowed' AND REPLACE(CAST($10 AS TEXT), '|' || a.action || '|', '') <> CAST($10 AS TEXT) THEN 1 ELSE 0 END AS changed, CASE WHEN a.outcome = 'refused' THEN 1 ELSE 0 END AS refused FROM audit a JOIN audit_subject s ON s.seq = a.seq WHERE a.actor = CAST($9 AS TEXT) AND a.actor_kind = 'staff' UNION ALL SELECT j.person, j.at, 1, 0 FROM journal j WHERE j.actor = CAST($9 AS TEXT) AND j.actor_kind = 'staff' AND ",
            only_in_journal!("$10"),
            ") d WHERE d.at >= $11 AND d.at < $12 GROUP BY d.person) x JOIN person p ON p.id = x.person WHERE ",
            scoped_person!()
        )
    };
}

/// A line is somebody's at one of these sites, or nobody's.
macro_rules! refused_by {
    () => {
        "FROM audit WHERE outcome = 'refused' AND REPLACE(CAST($1 AS TEXT), '|' || COALESCE(actor, '') || '|', '') <> CAST($1 AS TEXT)"
    };
}

macro_rules! action_at {
    () => {
        "FROM audit WHERE action = $1 AND REPLACE(CAST($2 AS TEXT), '|' || COALESCE(site, '') || '|', '') <> CAST($2 AS TEXT)"
    };
}

macro_rules! line_columns {
    () => {
        "SELECT seq, at, actor_kind, actor, role, action, purpose, site, outcome, detail, subjects "
    };
}

statements! {
    pub(crate) const ABOUT = concat!(told!("t.source, t.at, t.actor_kind, t.actor, t.role, t.what, t.purpose, t.outcome, t.detail, CAST(t.changed AS BIGINT)"), " ORDER BY t.at DESC, t.source, t.mark DESC LIMIT $7 OFFSET $8");
    pub(crate) const COUNT_ABOUT = told!("COUNT(*)");
    pub(crate) const BY_PERSON = concat!("SELECT x.person, x.lines, x.changed, x.refused, x.latest, p.given, p.family, p.birth_date, COUNT(*) OVER () FROM ", by_person!(), " ORDER BY x.latest DESC, x.person LIMIT $13 OFFSET $14");
    pub(crate) const REFUSED_BY = concat!(line_columns!(), refused_by!(), " ORDER BY seq DESC LIMIT $2 OFFSET $3");
    pub(crate) const REFUSALS = concat!("SELECT actor, COUNT(*), MAX(at) ", refused_by!(), " AND at >= $2 GROUP BY actor ORDER BY COUNT(*) DESC, actor");
    pub(crate) const COUNT_REFUSED_BY = concat!("SELECT COUNT(*) ", refused_by!());
    pub(crate) const ACTION_AT = concat!(line_columns!(), action_at!(), " ORDER BY seq DESC LIMIT $3 OFFSET $4");
    pub(crate) const COUNT_ACTION_AT = concat!("SELECT COUNT(*) ", action_at!());
    pub(crate) const DURING = concat!(line_columns!(), "FROM audit WHERE actor = $1 AND actor_kind = 'staff' AND at >= $2 AND at < $3 AND (seq IN (SELECT s.seq FROM audit_subject s WHERE s.person = CAST($4 AS TEXT)) OR detail = CAST($5 AS TEXT)) ORDER BY seq LIMIT $6");
    pub(crate) const BY_NUMBER = "SELECT DISTINCT person FROM person_identifier WHERE value = $1 AND site = $2 ORDER BY person";
    pub(crate) const BY_NHS_NUMBER = "SELECT id FROM person WHERE site = $1 AND nhs_number = $2 ORDER BY id";
    pub(crate) const BY_BIRTH = "SELECT id FROM person WHERE birth_date = $1 AND site = $2 ORDER BY id";
}

coded! {
    /// What somebody did with a record.
    pub enum Kind {
        Seen = "seen", "seen";
        Changed = "changed", "changed";
        Refused = "refused", "refused";
    }
}

/// Which lines about a person are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// About whom, and about whoever was merged into them.
    pub person: PersonId,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// From when on.
    pub from: Timestamp,
    /// Until before when.
    pub until: Timestamp,
    /// Only by this member of staff.
    pub by: Option<StaffId>,
}

/// A line about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whether the audit tells it; otherwise the journal does.
    pub audited: bool,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// An action's code, or what the journal says.
    pub what: String,
    /// A purpose's code, or the journal's cause: `message`, `form`, `import`, `clock`.
    pub purpose: String,
    /// Seen, changed or refused.
    pub kind: Kind,
    /// More about it: a code.
    pub detail: Option<String>,
}

/// What somebody did with one person's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dealt {
    /// Whose record.
    pub person: PersonId,
    /// Of whom it speaks.
    pub named: Named,
    /// How many lines in all.
    pub lines: u64,
    /// How many of them are changes.
    pub changed: u64,
    /// How many were refused.
    pub refused: u64,
    /// The latest.
    pub latest: Timestamp,
}

fn changing() -> String {
    keys(Action::ALL.iter().filter(|action| action.changes()))
}

fn wanted_params(wanted: &Wanted) -> Vec<Value> {
    params![
        wanted.person.to_string(),
        changing(),
        wanted.kind.map_or("", Kind::code),
        wanted.from,
        wanted.until,
        wanted.by.as_ref().map_or("", |by| by.0.as_str()),
    ]
    .to_vec()
}

/// Lines about a person, newest first.
///
/// # Errors
/// The store's.
pub fn about(tx: &mut Tx<'_>, wanted: &Wanted, slice: Slice) -> Result<Vec<Told>, StoreError> {
    let mut parameters = wanted_params(wanted);
    parameters.extend_from_slice(params![i64::from(slice.most), i64::from(slice.skip)]);
    tx.query(&ABOUT, &parameters, told_row)
}

/// How many lines [`about`] has.
///
/// # Errors
/// The store's.
pub fn count_about(tx: &mut Tx<'_>, wanted: &Wanted) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_ABOUT, &wanted_params(wanted), |row| row.number(0))?.unwrap_or(0))
}

/// With whom of a site a member of staff dealt between two instants, the latest first; and with how many people in all,
/// which a slice after the last line does not know.
///
/// # Errors
/// The store's.
pub fn dealt_with(
    tx: &mut Tx<'_>,
    scope: &Scope,
    staff: &StaffId,
    (from, until): (Timestamp, Timestamp),
    slice: Slice,
) -> Result<(Vec<Dealt>, u64), StoreError> {
    let mut parameters = scope_params(scope);
    parameters.extend_from_slice(params![&staff.0, changing(), from, until, i64::from(slice.most), i64::from(slice.skip)]);
    let mut total = 0;
    let dealt = tx.query(&BY_PERSON, &parameters, |row| {
        total = row.number(8)?;
        Ok(Dealt {
            person: row.parsed(0)?,
            lines: row.number(1)?,
            changed: row.number(2)?,
            refused: row.number(3)?,
            latest: row.timestamp(4)?,
            named: Named { given: row.opt_text(5)?, family: row.opt_text(6)?, birth_date: row.opt_date(7)? },
        })
    })?;
    Ok((dealt, total))
}

/// What was refused to these members of staff, newest first.
///
/// # Errors
/// The store's.
pub fn refused_to(tx: &mut Tx<'_>, staff: &[StaffId], slice: Slice) -> Result<Vec<Line>, StoreError> {
    tx.query(&REFUSED_BY, params![keys(staff.iter()), i64::from(slice.most), i64::from(slice.skip)], line_row)
}

/// How many lines [`refused_to`] has.
///
/// # Errors
/// The store's.
pub fn count_refused_to(tx: &mut Tx<'_>, staff: &[StaffId]) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_REFUSED_BY, params![keys(staff.iter())], |row| row.number(0))?.unwrap_or(0))
}

/// To which of these members of staff something was refused since an instant: how often, and when last. The most first.
///
/// # Errors
/// The store's.
pub fn refusals(tx: &mut Tx<'_>, staff: &[StaffId], since: Timestamp) -> Result<Vec<(StaffId, u64, Timestamp)>, StoreError> {
    tx.query(&REFUSALS, params![keys(staff.iter()), since], |row| Ok((StaffId(row.text(0)?), row.number(1)?, row.timestamp(2)?)))
}

/// Lines of one action at these sites, newest first.
///
/// # Errors
/// The store's.
pub fn of_action(tx: &mut Tx<'_>, action: Action, sites: &[SiteId], slice: Slice) -> Result<Vec<Line>, StoreError> {
    tx.query(&ACTION_AT, params![action.code(), keys(sites.iter()), i64::from(slice.most), i64::from(slice.skip)], line_row)
}

/// How many lines [`of_action`] has.
///
/// # Errors
/// The store's.
pub fn count_of_action(tx: &mut Tx<'_>, action: Action, sites: &[SiteId]) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_ACTION_AT, params![action.code(), keys(sites.iter())], |row| row.number(0))?.unwrap_or(0))
}

/// What somebody did between two instants with one person's record, or under one detail; oldest first, at most so many.
///
/// # Errors
/// The store's.
pub fn during(
    tx: &mut Tx<'_>,
    staff: &StaffId,
    (from, until): (Timestamp, Timestamp),
    person: Option<PersonId>,
    detail: &str,
    most: u32,
) -> Result<Vec<Line>, StoreError> {
    let person = person.map_or_else(String::new, |person| person.to_string());
    tx.query(&DURING, params![&staff.0, from, until, person, detail, i64::from(most)], line_row)
}

/// People of a site by exactly one of their local numbers.
///
/// # Errors
/// The store's.
pub fn by_number(tx: &mut Tx<'_>, site: &SiteId, number: &str) -> Result<Vec<PersonId>, StoreError> {
    tx.query(&BY_NUMBER, params![number, &site.0], |row| row.parsed(0))
}

/// People of a site by NHS number.
///
/// # Errors
/// The store's.
pub fn by_nhs_number(tx: &mut Tx<'_>, site: &SiteId, number: NhsNumber) -> Result<Vec<PersonId>, StoreError> {
    tx.query(&BY_NHS_NUMBER, params![&site.0, number.digits()], |row| row.parsed(0))
}

/// People of a site by day of birth.
///
/// # Errors
/// The store's.
pub fn by_birth(tx: &mut Tx<'_>, site: &SiteId, born: Date) -> Result<Vec<PersonId>, StoreError> {
    tx.query(&BY_BIRTH, params![born, &site.0], |row| row.parsed(0))
}

fn told_row(row: &Row<'_>) -> Result<Told, StoreError> {
    let actor = match (row.text(2)?.as_str(), row.opt_text(3)?) {
        ("staff", Some(id)) => Actor::Staff { id: StaffId(id), role: codec::coded(row, 4, Role::from_code)? },
        ("feed", Some(feed)) => Actor::Feed(feed),
        ("person", None) => Actor::Person,
        ("clock", None) => Actor::Clock,
        ("operator", None) => Actor::Operator,
        _ => return Err(row.corrupt(2)),
    };
    let kind = match (codec::coded(row, 7, Outcome::from_code)?, row.bool(9)?) {
        (Outcome::Refused, _) => Kind::Refused,
        (Outcome::Allowed, true) => Kind::Changed,
        (Outcome::Allowed, false) => Kind::Seen,
    };
    Ok(Told {
        audited: row.text(0)? == "audit",
        at: row.timestamp(1)?,
        actor,
        what: row.text(5)?,
        purpose: row.text(6)?,
        kind,
        detail: row.opt_text(8)?,
    })
}
