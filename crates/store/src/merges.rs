//! Merges, kept so that they can be taken back.

use alongside_domain::id::MergeId;
use alongside_domain::person::Death;
use alongside_domain::rules::merging::{Before, Merge};
use alongside_domain::trigger::{self, Outcome};
use jiff::Timestamp;

use crate::codec::{self, StatusColumns, coded};
use crate::{Row, StoreError, Tx, params, statements};

statements! {
    pub(crate) const ADD = "INSERT INTO merge_record (id, survivor, retired, at, undone, objection_scope, objection_reason, objection_at, after_scope, after_reason, after_at, diagnosis, diagnosed_on, died, died_on, last_attended) VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    pub(crate) const ADD_REFERRAL = "INSERT INTO merge_referral (merge_record, referral, before_status, after_status) VALUES ($1, $2, $3, $4)";
    pub(crate) const ADD_TRIGGER = "INSERT INTO merge_trigger (merge_record, referral_trigger, kind, outcome, outcome_id) VALUES ($1, $2, $3, $4, $5)";
    pub(crate) const LOAD = "SELECT id, survivor, retired, objection_scope, objection_reason, objection_at, after_scope, after_reason, after_at, diagnosis, diagnosed_on, died, died_on, last_attended FROM merge_record WHERE id = $1 AND undone = 0";
    pub(crate) const LOAD_REFERRALS = "SELECT referral, before_status, after_status FROM merge_referral WHERE merge_record = $1 ORDER BY referral";
    pub(crate) const LOAD_TRIGGERS = "SELECT referral_trigger, kind, outcome, outcome_id FROM merge_trigger WHERE merge_record = $1 ORDER BY referral_trigger";
    pub(crate) const UNDO = "UPDATE merge_record SET undone = 1 WHERE id = $1 AND undone = 0";
    pub(crate) const STANDING = "SELECT id FROM merge_record WHERE undone = 0 ORDER BY at, id";
}

/// Keeps a merge.
///
/// # Errors
/// The store's.
pub fn add(tx: &mut Tx<'_>, merge: &Merge, at: Timestamp) -> Result<(), StoreError> {
    let (before, id) = (&merge.before, merge.id.to_string());
    let (diagnosis, diagnosed_on) = codec::diagnosis_columns(before.diagnosis);
    tx.execute(
        &ADD,
        params![
            &id,
            merge.survivor.to_string(),
            merge.retired.to_string(),
            at,
            before.objection.map(|objection| objection.scope.code()),
            before.objection.map(|objection| objection.reason.code()),
            before.objection.map(|objection| objection.at),
            before.objection_after.map(|objection| objection.scope.code()),
            before.objection_after.map(|objection| objection.reason.code()),
            before.objection_after.map(|objection| objection.at),
            diagnosis,
            diagnosed_on,
            before.died.is_some(),
            before.died.and_then(|death| death.on),
            before.last_attended,
        ],
    )?;
    for (referral, was, now) in &merge.referrals {
        let (was, now) = (StatusColumns::from(was).to_text(), StatusColumns::from(now).to_text());
        tx.execute(&ADD_REFERRAL, params![&id, referral.to_string(), was, now])?;
    }
    for (trigger, kind, outcome) in &merge.triggers {
        let (code, referral, question, exclusion) = codec::outcome_columns(*outcome);
        let about = referral.or(question).or(exclusion.map(str::to_owned));
        tx.execute(&ADD_TRIGGER, params![&id, trigger.to_string(), kind.code(), code, about])?;
    }
    Ok(())
}

/// A merge that was not taken back.
///
/// # Errors
/// The store's.
pub fn load(tx: &mut Tx<'_>, id: MergeId) -> Result<Option<Merge>, StoreError> {
    let key = id.to_string();
    let Some(mut merge) = tx.query_one(&LOAD, params![&key], merge_row)? else { return Ok(None) };
    merge.referrals = tx.query(&LOAD_REFERRALS, params![&key], |row| {
        let status =
            |column| StatusColumns::from_text(&row.text(column)?).and_then(|columns| columns.status()).ok_or_else(|| row.corrupt(column));
        Ok((row.parsed(0)?, status(1)?, status(2)?))
    })?;
    merge.triggers = tx.query(&LOAD_TRIGGERS, params![&key], |row| {
        let outcome: Outcome = codec::outcome_from_text(&row.text(2)?, row.opt_text(3)?.as_deref()).ok_or_else(|| row.corrupt(2))?;
        Ok((row.parsed(0)?, coded(row, 1, trigger::Kind::from_code)?, outcome))
    })?;
    Ok(Some(merge))
}

/// Marks a merge as taken back; tells whether it was not before.
///
/// # Errors
/// The store's.
pub fn undo(tx: &mut Tx<'_>, id: MergeId) -> Result<bool, StoreError> {
    Ok(tx.execute(&UNDO, params![id.to_string()])? == 1)
}

/// The merges that stand, oldest first.
///
/// # Errors
/// The store's.
pub fn standing(tx: &mut Tx<'_>) -> Result<Vec<MergeId>, StoreError> {
    tx.query(&STANDING, params![], |row| row.parsed(0))
}

fn merge_row(row: &Row<'_>) -> Result<Merge, StoreError> {
    let died = row.bool(11)?;
    Ok(Merge {
        id: row.parsed(0)?,
        survivor: row.parsed(1)?,
        retired: row.parsed(2)?,
        before: Before {
            objection: codec::objection(row, 3)?,
            objection_after: codec::objection(row, 6)?,
            diagnosis: codec::diagnosis(row, 9)?,
            died: died.then_some(Death { on: row.opt_date(12)? }),
            last_attended: row.opt_date(13)?,
        },
        referrals: Vec::new(),
        triggers: Vec::new(),
    })
}
