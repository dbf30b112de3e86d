//! What was agreed: the day of the next contact.

use alongside_domain::contact::Way;
use alongside_domain::id::ReferralId;
use jiff::civil::Date;

use crate::{StoreError, Tx, params, statements};

statements! {
    pub(crate) const PLAN = "INSERT INTO planned_contact (referral, planned_on, way) VALUES ($1, $2, $3) ON CONFLICT (referral) DO UPDATE SET planned_on = excluded.planned_on, way = excluded.way";
    pub(crate) const UNPLAN = "DELETE FROM planned_contact WHERE referral = $1 AND planned_on <= $2";
}

/// Keeps the day agreed for the next contact, in the place of one that was agreed before.
///
/// # Errors
/// The store's.
pub fn plan(tx: &mut Tx<'_>, referral: ReferralId, on: Date, way: Way) -> Result<(), StoreError> {
    tx.execute(&PLAN, params![referral.to_string(), on, way.code()])?;
    Ok(())
}

/// Forgets what was agreed for a day up to this one: there was a contact.
///
/// # Errors
/// The store's.
pub fn kept(tx: &mut Tx<'_>, referral: ReferralId, by: Date) -> Result<(), StoreError> {
    tx.execute(&UNPLAN, params![referral.to_string(), by])?;
    Ok(())
}
