//! Reads of coordination: who has whom, and which letters wait.

use alongside_domain::access::Scope;
use alongside_domain::id::{OutgoingId, PersonId, ReferralId};
use alongside_domain::supporter::StaffId;
use jiff::Timestamp;

use crate::page_reads::{Named, Waiting, named, narrowed, scoped, waiting, waiting_where};
use crate::{StoreError, Tx, params, statements};

statements! {
    pub(crate) const HELD_BY = concat!("SELECT r.supporter, COUNT(*) FROM referral r WHERE ", scoped!(), " AND r.supporter IS NOT NULL AND r.stage IN ('allocated', 'contacting', 'engaged', 'assessed', 'supported') GROUP BY r.supporter ORDER BY r.supporter");
    pub(crate) const PEOPLE_OF = waiting_where!("r.supporter = $9 AND r.stage IN ('allocated', 'contacting', 'engaged', 'assessed', 'supported') ORDER BY r.raised_at, r.id LIMIT $10");
    pub(crate) const LETTERS_DUE = concat!("SELECT o.id, r.id, r.person, o.not_before, r.supporter, p.given, p.family, p.birth_date FROM outgoing o JOIN referral r ON r.id = o.referral JOIN person p ON p.id = r.person WHERE o.state = 'queued' AND o.not_before <= $9 AND ", scoped!(), " ORDER BY o.not_before, o.id LIMIT $10");
    pub(crate) const COUNT_LETTERS_DUE = concat!("SELECT COUNT(*) FROM outgoing o JOIN referral r ON r.id = o.referral WHERE o.state = 'queued' AND o.not_before <= $9 AND ", scoped!());
}

/// Which supporters have how many people of a site, by key: also those who are not configured any more.
///
/// # Errors
/// The store's.
pub fn held_by(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<(StaffId, u64)>, StoreError> {
    tx.query(&HELD_BY, &narrowed(scope, &[]), |row| Ok((StaffId(row.text(0)?), row.number(1)?)))
}

/// The people of a supporter at a site, the first referred first.
///
/// # Errors
/// The store's.
pub fn people_of(tx: &mut Tx<'_>, scope: &Scope, supporter: &StaffId, most: u32) -> Result<Vec<Waiting>, StoreError> {
    tx.query(&PEOPLE_OF, &narrowed(scope, params![&supporter.0, i64::from(most)]), waiting)
}

/// A letter that is due and has not left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterDue {
    /// The letter.
    pub id: OutgoingId,
    /// The referral.
    pub referral: ReferralId,
    /// To whom.
    pub person: PersonId,
    /// Since when it is due.
    pub due: Timestamp,
    /// The person's supporter.
    pub supporter: Option<StaffId>,
    /// To whom, as pages show it.
    pub named: Named,
}

/// Letters to people of a site that were due by an instant and have not left, the longest due first.
///
/// # Errors
/// The store's.
pub fn letters_due(tx: &mut Tx<'_>, scope: &Scope, by: Timestamp, most: u32) -> Result<Vec<LetterDue>, StoreError> {
    tx.query(&LETTERS_DUE, &narrowed(scope, params![by, i64::from(most)]), |row| {
        Ok(LetterDue {
            id: row.parsed(0)?,
            referral: row.parsed(1)?,
            person: row.parsed(2)?,
            due: row.timestamp(3)?,
            supporter: row.opt_text(4)?.map(StaffId),
            named: named(row, 5)?,
        })
    })
}

/// How many letters [`letters_due`] finds.
///
/// # Errors
/// The store's.
pub fn count_letters_due(tx: &mut Tx<'_>, scope: &Scope, by: Timestamp) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_LETTERS_DUE, &narrowed(scope, params![by]), |row| row.number(0))?.unwrap_or(0))
}
