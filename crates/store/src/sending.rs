//! What is sent back to hospitals' records: a queue that is the history of what was told, with the receipt of each.

use alongside_domain::id::{PersonId, TriggerId};
use alongside_domain::progress::{BusinessStatus, Progress, TaskStatus};
use alongside_domain::sending::{Parked, State};
use jiff::Timestamp;

use crate::codec::{coded, coded_opt};
use crate::{Row, StoreError, Tx, params, statements};

statements! {
    pub(crate) const QUEUE = "INSERT INTO sending (position, request, feed, state, tries, next_at, changed_at) VALUES ($1, $2, $3, 'waiting', 0, $4, $4)";
    pub(crate) const NEXT = "SELECT s.position, s.request, s.feed, s.state, s.tries, s.next_at, s.changed_at, s.parked, s.receipt, v.task, v.business, t.person, v.at FROM sending s JOIN request_version v ON v.position = s.position JOIN referral_trigger t ON t.id = s.request WHERE s.feed = $1 AND s.state = 'waiting' AND s.next_at <= $2 AND NOT EXISTS (SELECT 1 FROM sending e JOIN referral_trigger o ON o.id = e.request WHERE e.feed = s.feed AND e.position < s.position AND e.state IN ('waiting', 'parked') AND o.person = t.person) ORDER BY s.position LIMIT 1";
    pub(crate) const LOAD = "SELECT s.position, s.request, s.feed, s.state, s.tries, s.next_at, s.changed_at, s.parked, s.receipt, v.task, v.business, t.person, v.at FROM sending s JOIN request_version v ON v.position = s.position JOIN referral_trigger t ON t.id = s.request WHERE s.position = $1";
    pub(crate) const OF_PERSON = "SELECT s.position, s.request, s.feed, s.state, s.tries, s.next_at, s.changed_at, s.parked, s.receipt, v.task, v.business, t.person, v.at FROM sending s JOIN request_version v ON v.position = s.position JOIN referral_trigger t ON t.id = s.request WHERE t.person = $1 ORDER BY s.position DESC";
    pub(crate) const PARKED = "SELECT s.position, s.request, s.feed, s.state, s.tries, s.next_at, s.changed_at, s.parked, s.receipt, v.task, v.business, t.person, v.at FROM sending s JOIN request_version v ON v.position = s.position JOIN referral_trigger t ON t.id = s.request WHERE s.feed = $1 AND s.state = 'parked' ORDER BY s.position LIMIT $2";
    pub(crate) const KEEP = "UPDATE sending SET state = $2, tries = $3, next_at = $4, changed_at = $5, parked = $6, receipt = $7 WHERE position = $1";
    pub(crate) const OPEN = "SELECT COUNT(*), MIN(changed_at), COUNT(*) FILTER (WHERE state = 'parked') FROM sending WHERE feed = $1 AND state IN ('waiting', 'parked')";
}

/// Something to be sent, or sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// Its number: the position of what is told among all that was ever told.
    pub position: i64,
    /// Of which request.
    pub request: TriggerId,
    /// By which feed it goes back.
    pub feed: String,
    /// Where it stands.
    pub state: State,
    /// How often it was tried.
    pub tries: u32,
    /// Not before this.
    pub next_at: Timestamp,
    /// Since when it stands so.
    pub changed_at: Timestamp,
    /// Why a person must look.
    pub parked: Option<Parked>,
    /// The number of the record's answer.
    pub receipt: Option<String>,
    /// What is told.
    pub progress: Progress,
    /// About whom, merges followed.
    pub person: PersonId,
    /// Since when that is so.
    pub at: Timestamp,
}

/// What of a feed is not done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Open {
    /// How many wait or are parked.
    pub all: u64,
    /// How many of them are parked.
    pub parked: u64,
    /// Since when the oldest has stood as it does.
    pub since: Option<Timestamp>,
}

/// Queues a version.
///
/// # Errors
/// The store's.
pub fn queue(tx: &mut Tx<'_>, position: i64, request: TriggerId, feed: &str, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(&QUEUE, params![position, request.to_string(), feed, at])?;
    Ok(())
}

/// What is to be sent next by a feed: the oldest that is due, and never before an older one about the same person.
///
/// # Errors
/// The store's.
pub fn next(tx: &mut Tx<'_>, feed: &str, now: Timestamp) -> Result<Option<Sending>, StoreError> {
    tx.query_one(&NEXT, params![feed, now], sending_row)
}

/// One by its number.
///
/// # Errors
/// The store's.
pub fn load(tx: &mut Tx<'_>, position: i64) -> Result<Option<Sending>, StoreError> {
    tx.query_one(&LOAD, params![position], sending_row)
}

/// What was sent about a person, newest first.
///
/// # Errors
/// The store's.
pub fn of_person(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Sending>, StoreError> {
    tx.query(&OF_PERSON, params![person.to_string()], sending_row)
}

/// What of a feed waits for a person, oldest first.
///
/// # Errors
/// The store's.
pub fn parked(tx: &mut Tx<'_>, feed: &str, most: u32) -> Result<Vec<Sending>, StoreError> {
    tx.query(&PARKED, params![feed, i64::from(most)], sending_row)
}

/// How much of a feed is not done.
///
/// # Errors
/// The store's.
pub fn open(tx: &mut Tx<'_>, feed: &str) -> Result<Open, StoreError> {
    let open =
        tx.query_one(&OPEN, params![feed], |row| Ok(Open { all: row.number(0)?, since: row.opt_timestamp(1)?, parked: row.number(2)? }))?;
    Ok(open.unwrap_or_default())
}

/// Keeps where one stands.
///
/// # Errors
/// The store's.
pub fn keep(tx: &mut Tx<'_>, sending: &Sending) -> Result<(), StoreError> {
    let Sending { position, state, tries, next_at, changed_at, parked, receipt, .. } = sending;
    let parked = parked.map(Parked::code);
    tx.execute(&KEEP, params![*position, state.code(), i64::from(*tries), *next_at, *changed_at, parked, receipt.as_deref()])?;
    Ok(())
}

fn sending_row(row: &Row<'_>) -> Result<Sending, StoreError> {
    Ok(Sending {
        position: row.int(0)?,
        request: row.parsed(1)?,
        feed: row.text(2)?,
        state: coded(row, 3, State::from_code)?,
        tries: row.number(4)?,
        next_at: row.timestamp(5)?,
        changed_at: row.timestamp(6)?,
        parked: coded_opt(row, 7, Parked::from_code)?,
        receipt: row.opt_text(8)?,
        progress: Progress { task: coded(row, 9, TaskStatus::from_code)?, business: coded(row, 10, BusinessStatus::from_code)? },
        person: row.parsed(11)?,
        at: row.timestamp(12)?,
    })
}
