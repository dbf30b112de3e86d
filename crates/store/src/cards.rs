//! What was done with cards beside a record.

use jiff::Timestamp;

use crate::{StoreError, Tx, params, statements};

statements! {
    pub(crate) const ADD = "INSERT INTO card_feedback (card, client, outcome, reason, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (card, outcome) DO NOTHING";
    pub(crate) const IS_AWAY = "SELECT card FROM card_feedback WHERE card = $1 AND outcome = 'overridden'";
    pub(crate) const FORGET = "DELETE FROM card_feedback WHERE at < $1";
}

/// Keeps what was done with a card. The same again is no second time.
///
/// # Errors
/// The store's.
pub fn add(tx: &mut Tx<'_>, card: &str, client: &str, outcome: &str, reason: Option<&str>, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(&ADD, params![card, client, outcome, reason, at])?;
    Ok(())
}

/// Whether somebody has put this card away.
///
/// # Errors
/// The store's.
pub fn is_away(tx: &mut Tx<'_>, card: &str) -> Result<bool, StoreError> {
    Ok(tx.query_one(&IS_AWAY, params![card], |row| row.text(0))?.is_some())
}

/// Forgets what was done before an instant.
///
/// # Errors
/// The store's.
pub fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<(), StoreError> {
    tx.execute(&FORGET, params![before])?;
    Ok(())
}
