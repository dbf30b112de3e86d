//! Requests of hospitals' systems: what was asked, and each version of what whoever asked is told.

use alongside_domain::id::{PersonId, TriggerId};
use alongside_domain::person::SiteId;
use alongside_domain::progress::{BusinessStatus, Progress, TaskStatus};
use jiff::Timestamp;

use crate::codec::coded;
use crate::{Row, StoreError, Tx, params, statements};

statements! {
    pub(crate) const ADD = "INSERT INTO request (id, client, site, system, value, body) VALUES ($1, $2, $3, $4, $5, $6)";
    pub(crate) const BY_NUMBER = "SELECT id FROM request WHERE client = $1 AND system = $2 AND value = $3";
    pub(crate) const LOAD = "SELECT r.id, r.client, r.site, r.system, r.value, r.body, t.person FROM request r JOIN referral_trigger t ON t.id = r.id WHERE r.id = $1";
    pub(crate) const OF_PERSON = "SELECT r.id FROM request r JOIN referral_trigger t ON t.id = r.id WHERE t.person = $1 AND r.client = $2 ORDER BY r.id";
    pub(crate) const STANDING = "SELECT v.request, v.version, v.task, v.business, r.client FROM referral_trigger t JOIN request r ON r.id = t.id JOIN request_version v ON v.request = t.id WHERE t.person = $1 AND v.version = (SELECT MAX(l.version) FROM request_version l WHERE l.request = v.request)";
    pub(crate) const ADD_VERSION = "INSERT INTO request_version (request, version, at, task, business) VALUES ($1, $2, $3, $4, $5) RETURNING position";
    pub(crate) const VERSIONS = "SELECT version, at, task, business FROM request_version WHERE request = $1 ORDER BY version";
    pub(crate) const LAST_POSITION = "SELECT MAX(position) FROM request_version";
    pub(crate) const AS_OF = "SELECT r.id, t.person, v.version, v.at, v.task, v.business FROM request r JOIN referral_trigger t ON t.id = r.id JOIN request_version v ON v.request = r.id WHERE r.client = $1 AND r.id > $2 AND v.at >= $3 AND v.at <= $4 AND v.position = (SELECT MAX(l.position) FROM request_version l WHERE l.request = r.id AND l.position <= $5) ORDER BY r.id LIMIT $6";
}

/// A request as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id: that of the trigger that it raised.
    pub id: TriggerId,
    /// The key of the system that asked.
    pub client: String,
    /// At which site.
    pub site: SiteId,
    /// Whose numbering the number is of.
    pub system: String,
    /// The number that the system gave.
    pub value: String,
    /// What was taken of the resource, as JSON.
    pub body: String,
    /// The person whom it is about now, merges followed.
    pub person: PersonId,
}

/// What whoever asked was told since an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Its number, from 1.
    pub number: u32,
    /// Since when.
    pub at: Timestamp,
    /// What.
    pub progress: Progress,
}

/// Keeps a request.
///
/// # Errors
/// The store's.
pub fn add(tx: &mut Tx<'_>, request: &Request) -> Result<(), StoreError> {
    let Request { id, client, site, system, value, body, .. } = request;
    tx.execute(&ADD, params![id.to_string(), client, &site.0, system, value, body])?;
    Ok(())
}

/// The request of a system under a number of its own.
///
/// # Errors
/// The store's.
pub fn by_number(tx: &mut Tx<'_>, client: &str, system: &str, value: &str) -> Result<Option<TriggerId>, StoreError> {
    tx.query_one(&BY_NUMBER, params![client, system, value], |row| row.parsed(0))
}

/// A request by its id.
///
/// # Errors
/// The store's.
pub fn load(tx: &mut Tx<'_>, id: TriggerId) -> Result<Option<Request>, StoreError> {
    tx.query_one(&LOAD, params![id.to_string()], |row| {
        Ok(Request {
            id: row.parsed(0)?,
            client: row.text(1)?,
            site: SiteId(row.text(2)?),
            system: row.text(3)?,
            value: row.text(4)?,
            body: row.text(5)?,
            person: row.parsed(6)?,
        })
    })
}

/// The requests that a system made about a person.
///
/// # Errors
/// The store's.
pub fn of_person(tx: &mut Tx<'_>, person: PersonId, client: &str) -> Result<Vec<TriggerId>, StoreError> {
    tx.query(&OF_PERSON, params![person.to_string(), client], |row| row.parsed(0))
}

/// What was last told of each request about a person: request, the key of whoever asked, version, what.
///
/// # Errors
/// The store's.
pub fn standing(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<(TriggerId, String, u32, Progress)>, StoreError> {
    tx.query(&STANDING, params![person.to_string()], |row| Ok((row.parsed(0)?, row.text(4)?, row.number(1)?, progress(row, 2)?)))
}

/// Adds what is told from now on; gives its position among all that was ever told.
///
/// # Errors
/// The store's.
pub fn tell(tx: &mut Tx<'_>, id: TriggerId, number: u32, progress: Progress, at: Timestamp) -> Result<i64, StoreError> {
    let values = params![id.to_string(), i64::from(number), at, progress.task.code(), progress.business.code()];
    let position = tx.query_one(&ADD_VERSION, values, |row| row.int(0))?;
    Ok(position.unwrap_or_default())
}

/// All versions of a request, oldest first.
///
/// # Errors
/// The store's.
pub fn versions(tx: &mut Tx<'_>, id: TriggerId) -> Result<Vec<Version>, StoreError> {
    tx.query(&VERSIONS, params![id.to_string()], |row| {
        Ok(Version { number: row.number(0)?, at: row.timestamp(1)?, progress: progress(row, 2)? })
    })
}

/// The position of the newest version: what a list goes by from its first page to its last.
///
/// # Errors
/// The store's.
pub fn last_position(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    Ok(tx.query_one(&LAST_POSITION, params![], |row| row.opt_int(0))?.flatten().unwrap_or(0))
}

/// Which requests are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// After this one, in the order of ids; empty for the first.
    pub after: String,
    /// Told since then, at the earliest.
    pub from: Timestamp,
    /// And at the latest.
    pub to: Timestamp,
    /// As things stood at this position.
    pub as_of: i64,
    /// At most so many.
    pub most: u32,
}

/// The requests of a system as they stood at a position, in the order of ids: id, person, version.
///
/// # Errors
/// The store's.
pub fn as_of(tx: &mut Tx<'_>, client: &str, span: &Span) -> Result<Vec<(TriggerId, PersonId, Version)>, StoreError> {
    tx.query(&AS_OF, params![client, &span.after, span.from, span.to, span.as_of, i64::from(span.most)], |row| {
        Ok((row.parsed(0)?, row.parsed(1)?, Version { number: row.number(2)?, at: row.timestamp(3)?, progress: progress(row, 4)? }))
    })
}

fn progress(row: &Row<'_>, column: usize) -> Result<Progress, StoreError> {
    let task = coded(row, column, TaskStatus::from_code)?;
    Ok(Progress { task, business: coded(row, column + 1, BusinessStatus::from_code)? })
}
