//! Messages that matter, and the counters that are all that is left of the others.

use alongside_domain::id::MessageId;
use jiff::Timestamp;

use crate::{Row, StoreError, Tx, params, statements};

statements! {
    pub(crate) const FIND = "SELECT id, answer FROM message WHERE feed = $1 AND sender = $2 AND control_id = $3 AND digest = $4";
    pub(crate) const ADD = "INSERT INTO message (id, feed, sender, control_id, digest, received_at, kind, state, answer, raw, keep_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    pub(crate) const ADD_PROBLEM = "INSERT INTO message_problem (message, position, location, code, severity, words) VALUES ($1, $2, $3, $4, $5, $6)";
    pub(crate) const CLEAR_PROBLEMS = "DELETE FROM message_problem WHERE message = $1";
    pub(crate) const HOURS = "SELECT hour, fate, CAST(SUM(messages) AS BIGINT) FROM feed_count WHERE feed = $1 AND hour >= $2 GROUP BY hour, fate ORDER BY hour, fate";
    pub(crate) const READ = "SELECT id, feed, control_id, received_at, kind, state FROM message WHERE id = $1";
    pub(crate) const SET_ASIDE = "SELECT id, feed, control_id, received_at, kind, state FROM message WHERE state = 'quarantined' AND feed = $1 ORDER BY received_at, id";
    pub(crate) const COUNT_SET_ASIDE = "SELECT COUNT(*) FROM message WHERE state = 'quarantined'";
    pub(crate) const COUNT_SET_ASIDE_OF_FEED = "SELECT COUNT(*) FROM message WHERE state = 'quarantined' AND feed = $1";
    pub(crate) const RAW = "SELECT raw FROM message WHERE id = $1 AND state = 'quarantined'";
    pub(crate) const MARK_REPLAYED = "UPDATE message SET state = 'replayed', raw = NULL, keep_until = NULL WHERE id = $1 AND state = 'quarantined'";
    pub(crate) const EXPIRE = "UPDATE message SET state = 'expired', raw = NULL, keep_until = NULL WHERE state = 'quarantined' AND keep_until <= $1";
    pub(crate) const MERGES = "SELECT hour, CAST(SUM(messages) AS BIGINT) FROM feed_count WHERE feed = $1 AND hour >= $2 AND substr(kind, 1, 7) IN ('ADT^A18', 'ADT^A30', 'ADT^A34', 'ADT^A35', 'ADT^A36', 'ADT^A39', 'ADT^A40', 'ADT^A41', 'ADT^A42') GROUP BY hour ORDER BY hour";
    pub(crate) const COUNT = "INSERT INTO feed_count (feed, hour, kind, fate, messages) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (feed, hour, kind, fate) DO UPDATE SET messages = feed_count.messages + excluded.messages";
    pub(crate) const LAST = "INSERT INTO feed_last (feed, at) VALUES ($1, $2) ON CONFLICT (feed) DO UPDATE SET at = excluded.at WHERE feed_last.at < excluded.at";
    pub(crate) const FEED_LAST = "SELECT at FROM feed_last WHERE feed = $1";
}

/// What identifies a message for the recognition of duplicates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Key of the feed.
    pub feed: String,
    /// MSH-3 and MSH-4 as sent.
    pub sender: String,
    /// MSH-10 as sent.
    pub control_id: String,
    /// SHA-256 of the bytes, in hexadecimal.
    pub digest: String,
}

/// What is kept of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Our identifier.
    pub id: MessageId,
    /// What identifies it.
    pub key: Key,
    /// When it came.
    pub received_at: Timestamp,
    /// MSH-9.1 and 9.2, for instance `ADT^A08`.
    pub kind: String,
    /// The acknowledgement code that was answered.
    pub answer: String,
    /// The text and until when it is kept, while it is set aside.
    pub set_aside: Option<(Vec<u8>, Timestamp)>,
    /// Its problems: locations and codes, never content.
    pub problems: Vec<Problem>,
}

/// A problem of a message that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, for instance `PID-3[2].1`.
    pub location: String,
    /// HL7 table 0357.
    pub code: String,
    /// HL7 table 0516.
    pub severity: String,
    /// What is wrong, in words without content.
    pub words: String,
}

/// A line about a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Our identifier.
    pub id: MessageId,
    /// Key of the feed.
    pub feed: String,
    /// MSH-10.
    pub control_id: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Type and trigger.
    pub kind: String,
    /// `applied`, `quarantined`, `replayed` or `expired`.
    pub state: String,
}

/// The message of this key and what was answered to it, where it came before.
///
/// # Errors
/// The store's.
pub fn find(tx: &mut Tx<'_>, key: &Key) -> Result<Option<(MessageId, String)>, StoreError> {
    tx.query_one(&FIND, params![&key.feed, &key.sender, &key.control_id, &key.digest], |row| Ok((row.parsed(0)?, row.text(1)?)))
}

/// Keeps a message.
///
/// # Errors
/// The store's; a second message of the same key is refused by an index.
pub fn add(tx: &mut Tx<'_>, kept: &Kept) -> Result<(), StoreError> {
    let (id, key) = (kept.id.to_string(), &kept.key);
    let state = if kept.set_aside.is_some() { "quarantined" } else { "applied" };
    let (raw, until) = kept.set_aside.clone().unzip();
    tx.execute(
        &ADD,
        params![&id, &key.feed, &key.sender, &key.control_id, &key.digest, kept.received_at, &kept.kind, state, &kept.answer, raw, until],
    )?;
    add_problems(tx, &id, &kept.problems)
}

fn add_problems(tx: &mut Tx<'_>, id: &str, problems: &[Problem]) -> Result<(), StoreError> {
    for (position, problem) in (0_i64..).zip(problems) {
        tx.execute(&ADD_PROBLEM, params![id, position, &problem.location, &problem.code, &problem.severity, &problem.words])?;
    }
    Ok(())
}

/// Keeps the problems that a message has now in the place of those it had when it was last read.
///
/// # Errors
/// The store's.
pub fn replace_problems(tx: &mut Tx<'_>, id: MessageId, problems: &[Problem]) -> Result<(), StoreError> {
    let id = id.to_string();
    tx.execute(&CLEAR_PROBLEMS, params![&id])?;
    add_problems(tx, &id, problems)
}

/// A message by its id.
///
/// # Errors
/// The store's.
pub fn read(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<Line>, StoreError> {
    tx.query_one(&READ, params![id.to_string()], line_row)
}

/// Messages of a feed that are set aside, oldest first.
///
/// # Errors
/// The store's.
pub fn set_aside(tx: &mut Tx<'_>, feed: &str) -> Result<Vec<Line>, StoreError> {
    tx.query(&SET_ASIDE, params![feed], line_row)
}

/// How many messages are set aside, of a feed or of all.
///
/// # Errors
/// The store's.
pub fn count_set_aside(tx: &mut Tx<'_>, feed: Option<&str>) -> Result<u64, StoreError> {
    let count = match feed {
        Some(feed) => tx.query_one(&COUNT_SET_ASIDE_OF_FEED, params![feed], |row| row.number(0))?,
        None => tx.query_one(&COUNT_SET_ASIDE, params![], |row| row.number(0))?,
    };
    Ok(count.unwrap_or(0))
}

/// The text of a message that is set aside.
///
/// # Errors
/// The store's.
pub fn raw(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(tx.query_one(&RAW, params![id.to_string()], |row| row.opt_blob(0))?.flatten())
}

/// Marks a message as replayed and forgets its text.
///
/// # Errors
/// The store's.
pub fn mark_replayed(tx: &mut Tx<'_>, id: MessageId) -> Result<bool, StoreError> {
    Ok(tx.execute(&MARK_REPLAYED, params![id.to_string()])? == 1)
}

/// Forgets the texts whose time is over; their lines stay. Tells how many.
///
/// # Errors
/// The store's.
pub fn expire(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&EXPIRE, params![now])
}

/// What became of a number of messages of one kind in one hour.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket {
    /// Key of the feed.
    pub feed: String,
    /// Hours since 1970 UTC.
    pub hour: i64,
    /// Type and trigger.
    pub kind: String,
    /// What became of them.
    pub fate: &'static str,
}

/// Adds to the counters.
///
/// # Errors
/// The store's.
pub fn count(tx: &mut Tx<'_>, bucket: &Bucket, messages: u64) -> Result<(), StoreError> {
    let messages = i64::try_from(messages).unwrap_or(i64::MAX);
    tx.execute(&COUNT, params![&bucket.feed, bucket.hour, &bucket.kind, bucket.fate, messages])?;
    Ok(())
}

/// Remembers when a feed was last heard.
///
/// # Errors
/// The store's.
pub fn heard(tx: &mut Tx<'_>, feed: &str, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(&LAST, params![feed, at])?;
    Ok(())
}

/// When a feed was last heard.
///
/// # Errors
/// The store's.
pub fn last_heard(tx: &mut Tx<'_>, feed: &str) -> Result<Option<Timestamp>, StoreError> {
    tx.query_one(&FEED_LAST, params![feed], |row| row.timestamp(0))
}

/// What came of a feed's messages in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hour {
    /// Hours since 1970 UTC.
    pub hour: i64,
    /// What became of them.
    pub fate: String,
    /// How many.
    pub messages: u64,
}

/// A feed's messages hour by hour from an hour on, the oldest first. An hour without messages has no line.
///
/// # Errors
/// The store's.
pub fn hours(tx: &mut Tx<'_>, feed: &str, from: i64) -> Result<Vec<Hour>, StoreError> {
    tx.query(&HOURS, params![feed, from], |row| Ok(Hour { hour: row.int(0)?, fate: row.text(1)?, messages: row.number(2)? }))
}

/// A feed's merges hour by hour from an hour on, the oldest first (HL7 v2.5.1, chapter 3: the events by which records or their
/// numbers are joined). An hour without merges has no line.
///
/// # Errors
/// The store's.
pub fn merges(tx: &mut Tx<'_>, feed: &str, from: i64) -> Result<Vec<(i64, u64)>, StoreError> {
    tx.query(&MERGES, params![feed, from], |row| Ok((row.int(0)?, row.number(1)?)))
}

fn line_row(row: &Row<'_>) -> Result<Line, StoreError> {
    Ok(Line {
        id: row.parsed(0)?,
        feed: row.text(1)?,
        control_id: row.text(2)?,
        received_at: row.timestamp(3)?,
        kind: row.text(4)?,
        state: row.text(5)?,
    })
}
