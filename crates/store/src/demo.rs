//! What the demo asks beside its pages: what happened last, and what somebody has done. Nothing here is about anybody
//! supported: lines of the audit with how many people they concern, codes of what happened, and how letters stand.

use alongside_domain::access::Action;
use alongside_domain::coded;
use alongside_domain::decision::What;
use alongside_domain::session::Method;
use alongside_domain::supporter::StaffId;
use jiff::{SignedDuration, Timestamp};

use crate::audit::{Line, Outcome, line_row};
use crate::codec::coded;
use crate::{StoreError, Tx, params, statements};

statements! {
    pub(crate) const NEWEST_LINES = "SELECT seq, at, actor_kind, actor, role, action, purpose, site, outcome, detail, subjects FROM audit ORDER BY seq DESC LIMIT $1";
    pub(crate) const DEEDS = "SELECT action, MAX(subjects) FROM audit WHERE actor = $1 AND actor_kind = 'staff' AND outcome = $2 GROUP BY action ORDER BY action";
    pub(crate) const NOTED = "SELECT DISTINCT what FROM journal WHERE person IN (SELECT s.person FROM audit a JOIN audit_subject s ON s.seq = a.seq WHERE a.actor = $1 AND a.actor_kind = 'staff') AND at >= $2 AND actor = $1 AND actor_kind = 'staff' ORDER BY what";
    pub(crate) const NEWEST_LETTER = "SELECT state, not_before, changed_at FROM outgoing ORDER BY changed_at DESC, id DESC LIMIT 1";
    pub(crate) const CARRY_SESSIONS = "UPDATE session SET created_at = created_at + $1, seen_at = seen_at + $1 WHERE ended_at IS NULL AND method = $2";
}

coded! {
    /// How a letter stands.
    pub enum LetterState {
        Queued = "queued", "waits for its day";
        Cancelled = "cancelled", "stopped before it left";
        Handed = "handed", "left";
    }
}

/// A letter, without whom it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastLetter {
    /// How it stands.
    pub state: LetterState,
    /// When it may leave at the earliest.
    pub not_before: Timestamp,
    /// When it came to stand like this.
    pub changed_at: Timestamp,
}

/// The newest lines of the audit, the newest first.
///
/// # Errors
/// The store's.
pub fn newest_lines(tx: &mut Tx<'_>, most: u32) -> Result<Vec<Line>, StoreError> {
    tx.query(&NEWEST_LINES, params![most], line_row)
}

/// What somebody was allowed to do, and about how many people at most at once. Codes of an older program are left out.
///
/// # Errors
/// The store's.
pub fn deeds(tx: &mut Tx<'_>, staff: &StaffId) -> Result<Vec<(Action, u64)>, StoreError> {
    let rows = tx.query(&DEEDS, params![&staff.0, Outcome::Allowed.code()], |row| Ok((row.text(0)?, row.number(1)?)))?;
    Ok(rows.into_iter().filter_map(|(code, people)| Some((Action::from_code(&code)?, people))).collect())
}

/// What came about by somebody since an instant, among those whom they were shown.
///
/// # Errors
/// The store's.
pub fn noted(tx: &mut Tx<'_>, staff: &StaffId, since: Timestamp) -> Result<Vec<What>, StoreError> {
    tx.query(&NOTED, params![&staff.0, since], |row| coded(row, 0, What::from_code))
}

/// The letter of which something was heard last.
///
/// # Errors
/// The store's.
pub fn newest_letter(tx: &mut Tx<'_>) -> Result<Option<LastLetter>, StoreError> {
    tx.query_one(&NEWEST_LETTER, params![], |row| {
        Ok(LastLetter { state: coded(row, 0, LetterState::from_code)?, not_before: row.timestamp(1)?, changed_at: row.timestamp(2)? })
    })
}

/// Takes the demo's sessions along when its clock is moved: they stay as old as they are.
///
/// # Errors
/// The store's.
pub fn carry_sessions(tx: &mut Tx<'_>, by: SignedDuration) -> Result<u64, StoreError> {
    let microseconds = i64::try_from(by.as_micros()).unwrap_or(0);
    tx.execute(&CARRY_SESSIONS, params![microseconds, Method::Demo.code()])
}
