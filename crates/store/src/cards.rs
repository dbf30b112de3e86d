//! What was done with cards beside a record.

use jiff::Timestamp;

use crate::{StoreError, Tx, params, statements};

statements! {
    pub(crate) const ADD = "INSERT INTO card_feedback (card, client, outcome, reason, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (card, outcome) DO UPDATE SET reason = excluded.reason, at = excluded.at";
    pub(crate) const IS_AWAY = "SELECT card FROM card_feedback WHERE card IN ($1, $2) AND outcome = 'overridden' AND at > $3 LIMIT 1";
    pub(crate) const FORGET = "DELETE FROM card_feedback WHERE at < $1";
}

/// Keeps what was done with a card, and when last.
///
/// # Errors
/// The store's.
pub fn add(tx: &mut Tx<'_>, card: &str, client: &str, outcome: &str, reason: Option<&str>, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(&ADD, params![card, client, outcome, reason, at])?;
    Ok(())
}

/// Whether this card was put away since an instant, by its reader, or for every one by its matter.
///
/// # Errors
/// The store's.
pub fn is_away(tx: &mut Tx<'_>, card: &str, matter: &str, since: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.query_one(&IS_AWAY, params![card, matter, since], |row| row.text(0))?.is_some())
}

/// Forgets what was done before an instant.
///
/// # Errors
/// The store's.
pub fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(&FORGET, params![before])?;
    Ok(())
}
