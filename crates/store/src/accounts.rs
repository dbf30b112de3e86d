//! Accounts, accounts elsewhere, passkeys, invitations and sessions of those who work here.

use alongside_domain::session::{Ended, Method, Session};
use alongside_domain::supporter::StaffId;
use jiff::Timestamp;

use crate::codec::coded;
use crate::{Row, StoreError, Tx, params, statements};

statements! {
    pub(crate) const LOAD = "SELECT staff, password, totp, totp_step, suspended_at FROM account WHERE staff = $1";
    pub(crate) const KEEP = "INSERT INTO account (staff, password, totp, totp_step, suspended_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (staff) DO UPDATE SET password = excluded.password, totp = excluded.totp, totp_step = excluded.totp_step, suspended_at = excluded.suspended_at";
    pub(crate) const TAKE_STEP = "UPDATE account SET totp_step = $2 WHERE staff = $1 AND (totp_step IS NULL OR totp_step < $2)";
    pub(crate) const LINK = "INSERT INTO identity (issuer, subject, staff) VALUES ($1, $2, $3) ON CONFLICT (issuer, subject) DO UPDATE SET staff = excluded.staff";
    pub(crate) const IDENTITY = "SELECT staff FROM identity WHERE issuer = $1 AND subject = $2";
    pub(crate) const IDENTITIES = "SELECT issuer, subject FROM identity WHERE staff = $1 ORDER BY issuer, subject";
    pub(crate) const UNLINK = "DELETE FROM identity WHERE issuer = $1 AND subject = $2";
    pub(crate) const ADD_PASSKEY = "INSERT INTO passkey (id, staff, body, added_at, used_at) VALUES ($1, $2, $3, $4, NULL)";
    pub(crate) const PASSKEY = "SELECT id, staff, body, added_at, used_at FROM passkey WHERE id = $1";
    pub(crate) const PASSKEYS = "SELECT id, staff, body, added_at, used_at FROM passkey WHERE staff = $1 ORDER BY added_at, id";
    pub(crate) const USE_PASSKEY = "UPDATE passkey SET body = $2, used_at = $3 WHERE id = $1";
    pub(crate) const REMOVE_PASSKEY = "DELETE FROM passkey WHERE id = $1 AND staff = $2";
    pub(crate) const REMOVE_PASSKEYS = "DELETE FROM passkey WHERE staff = $1";
    pub(crate) const ADD_INVITATION = "INSERT INTO invitation (digest, staff, made_by, made_at, ends_at, used_at) VALUES ($1, $2, $3, $4, $5, NULL)";
    pub(crate) const INVITATION = "SELECT staff, made_by, made_at, ends_at FROM invitation WHERE digest = $1 AND used_at IS NULL AND ends_at > $2";
    pub(crate) const OPEN_INVITATIONS = "SELECT COUNT(*) FROM invitation WHERE staff = $1 AND used_at IS NULL AND ends_at > $2";
    pub(crate) const USE_INVITATION = "UPDATE invitation SET used_at = $2 WHERE digest = $1 AND used_at IS NULL AND ends_at > $2";
    pub(crate) const VOID_INVITATIONS = "UPDATE invitation SET used_at = $2 WHERE staff = $1 AND used_at IS NULL";
    pub(crate) const ADD_SESSION = "INSERT INTO session (digest, staff, method, created_at, seen_at, ended_at, why_ended) VALUES ($1, $2, $3, $4, $5, NULL, NULL)";
    pub(crate) const SESSION = "SELECT s.digest, s.staff, s.method, s.created_at, s.seen_at, a.suspended_at FROM session s LEFT JOIN account a ON a.staff = s.staff WHERE s.digest = $1 AND s.ended_at IS NULL";
    pub(crate) const SESSIONS = "SELECT digest, staff, method, created_at, seen_at FROM session WHERE staff = $1 AND ended_at IS NULL ORDER BY created_at DESC, digest";
    pub(crate) const TOUCH = "UPDATE session SET seen_at = $2 WHERE digest = $1 AND ended_at IS NULL AND seen_at < $2";
    pub(crate) const END = "UPDATE session SET ended_at = $2, why_ended = $3 WHERE digest = $1 AND ended_at IS NULL";
    pub(crate) const END_ALL = "UPDATE session SET ended_at = $2, why_ended = $3 WHERE staff = $1 AND ended_at IS NULL AND digest <> $4";
    pub(crate) const FORGET_SESSIONS = "DELETE FROM session WHERE created_at < $1";
    pub(crate) const FORGET_INVITATIONS = "DELETE FROM invitation WHERE made_at < $1";
}

/// What somebody signs in with here. No `Debug`: nothing of it belongs in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose.
    pub staff: StaffId,
    /// Argon2id in PHC form; without one nobody signs in by password.
    pub password: Option<String>,
    /// The secret of the one-time codes in base 32.
    pub totp: Option<String>,
    /// The newest time step (RFC 6238) whose code was taken.
    pub totp_step: Option<i64>,
    /// Since when nobody signs in with it.
    pub suspended_at: Option<Timestamp>,
}

impl Account {
    /// An account with nothing to sign in with.
    #[must_use]
    pub fn new(staff: StaffId) -> Self {
        Self { staff, password: None, totp: None, totp_step: None, suspended_at: None }
    }
}

/// A passkey. No `Debug`, as for [`Account`].
#[derive(Clone, PartialEq, Eq)]
pub struct Passkey {
    /// The credential's id in base64url.
    pub id: String,
    /// Whose.
    pub staff: StaffId,
    /// Public key and counter, as the program's library writes them.
    pub body: String,
    /// When it was added.
    pub added_at: Timestamp,
    /// When it was last used to sign in.
    pub used_at: Option<Timestamp>,
}

/// An invitation to choose a password, or to choose it anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Who is invited.
    pub staff: StaffId,
    /// Who invited them: a key, or `operator`.
    pub made_by: String,
    /// When.
    pub made_at: Timestamp,
    /// The first instant at which it is no longer taken.
    pub ends_at: Timestamp,
}

/// The account of somebody.
///
/// # Errors
/// The store's.
pub fn load(tx: &mut Tx<'_>, staff: &StaffId) -> Result<Option<Account>, StoreError> {
    tx.query_one(&LOAD, params![&staff.0], |row| {
        Ok(Account {
            staff: StaffId(row.text(0)?),
            password: row.opt_text(1)?,
            totp: row.opt_text(2)?,
            totp_step: row.opt_int(3)?,
            suspended_at: row.opt_timestamp(4)?,
        })
    })
}

/// Keeps an account as it now is.
///
/// # Errors
/// The store's.
pub fn keep(tx: &mut Tx<'_>, account: &Account) -> Result<(), StoreError> {
    let Account { staff, password, totp, totp_step, suspended_at } = account;
    tx.execute(&KEEP, params![&staff.0, password.clone(), totp.clone(), *totp_step, *suspended_at])?;
    Ok(())
}

/// Takes the code of a time step, unless it or a later one was taken before; tells whether it did.
///
/// # Errors
/// The store's.
pub fn take_step(tx: &mut Tx<'_>, staff: &StaffId, step: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(&TAKE_STEP, params![&staff.0, step])? == 1)
}

/// Says whose an account elsewhere is.
///
/// # Errors
/// The store's.
pub fn link(tx: &mut Tx<'_>, issuer: &str, subject: &str, staff: &StaffId) -> Result<(), StoreError> {
    tx.execute(&LINK, params![issuer, subject, &staff.0])?;
    Ok(())
}

/// Whose an account elsewhere is.
///
/// # Errors
/// The store's.
pub fn identity(tx: &mut Tx<'_>, issuer: &str, subject: &str) -> Result<Option<StaffId>, StoreError> {
    tx.query_one(&IDENTITY, params![issuer, subject], |row| Ok(StaffId(row.text(0)?)))
}

/// The accounts that somebody has elsewhere: issuer and subject.
///
/// # Errors
/// The store's.
pub fn identities(tx: &mut Tx<'_>, staff: &StaffId) -> Result<Vec<(String, String)>, StoreError> {
    tx.query(&IDENTITIES, params![&staff.0], |row| Ok((row.text(0)?, row.text(1)?)))
}

/// Says that an account elsewhere is nobody's; tells whether it was somebody's.
///
/// # Errors
/// The store's.
pub fn unlink(tx: &mut Tx<'_>, issuer: &str, subject: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(&UNLINK, params![issuer, subject])? == 1)
}

/// Adds a passkey.
///
/// # Errors
/// The store's; a constraint when there is one of this id.
pub fn add_passkey(tx: &mut Tx<'_>, id: &str, staff: &StaffId, body: &str, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(&ADD_PASSKEY, params![id, &staff.0, body, at])?;
    Ok(())
}

/// A passkey by its id.
///
/// # Errors
/// The store's.
pub fn passkey(tx: &mut Tx<'_>, id: &str) -> Result<Option<Passkey>, StoreError> {
    tx.query_one(&PASSKEY, params![id], passkey_row)
}

/// The passkeys of somebody, oldest first.
///
/// # Errors
/// The store's.
pub fn passkeys(tx: &mut Tx<'_>, staff: &StaffId) -> Result<Vec<Passkey>, StoreError> {
    tx.query(&PASSKEYS, params![&staff.0], passkey_row)
}

/// Notes that a passkey was used, and what it now is (its counter moves).
///
/// # Errors
/// The store's.
pub fn use_passkey(tx: &mut Tx<'_>, id: &str, body: &str, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(&USE_PASSKEY, params![id, body, at])?;
    Ok(())
}

/// Removes a passkey of somebody; tells whether there was one.
///
/// # Errors
/// The store's.
pub fn remove_passkey(tx: &mut Tx<'_>, id: &str, staff: &StaffId) -> Result<bool, StoreError> {
    Ok(tx.execute(&REMOVE_PASSKEY, params![id, &staff.0])? == 1)
}

/// Removes all passkeys of somebody.
///
/// # Errors
/// The store's.
pub fn remove_passkeys(tx: &mut Tx<'_>, staff: &StaffId) -> Result<u64, StoreError> {
    tx.execute(&REMOVE_PASSKEYS, params![&staff.0])
}

/// Adds an invitation, of which only the digest of its token is kept.
///
/// # Errors
/// The store's.
pub fn invite(tx: &mut Tx<'_>, digest: &str, invitation: &Invitation) -> Result<(), StoreError> {
    let Invitation { staff, made_by, made_at, ends_at } = invitation;
    tx.execute(&ADD_INVITATION, params![digest, &staff.0, made_by, *made_at, *ends_at])?;
    Ok(())
}

/// An invitation that can be used at an instant.
///
/// # Errors
/// The store's.
pub fn invitation(tx: &mut Tx<'_>, digest: &str, now: Timestamp) -> Result<Option<Invitation>, StoreError> {
    tx.query_one(&INVITATION, params![digest, now], |row| {
        Ok(Invitation { staff: StaffId(row.text(0)?), made_by: row.text(1)?, made_at: row.timestamp(2)?, ends_at: row.timestamp(3)? })
    })
}

/// Whether somebody has an invitation that can be used at an instant.
///
/// # Errors
/// The store's.
pub fn is_invited(tx: &mut Tx<'_>, staff: &StaffId, now: Timestamp) -> Result<bool, StoreError> {
    let open = tx.query_one(&OPEN_INVITATIONS, params![&staff.0, now], |row| row.number(0))?;
    Ok(open.unwrap_or(0) > 0)
}

/// Uses an invitation up; tells whether it could be.
///
/// # Errors
/// The store's.
pub fn use_invitation(tx: &mut Tx<'_>, digest: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&USE_INVITATION, params![digest, now])? == 1)
}

/// Uses up every invitation of somebody.
///
/// # Errors
/// The store's.
pub fn void_invitations(tx: &mut Tx<'_>, staff: &StaffId, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&VOID_INVITATIONS, params![&staff.0, now])
}

/// Adds a session.
///
/// # Errors
/// The store's.
pub fn add_session(tx: &mut Tx<'_>, session: &Session) -> Result<(), StoreError> {
    let Session { digest, staff, method, created_at, seen_at } = session;
    tx.execute(&ADD_SESSION, params![digest, &staff.0, method.code(), *created_at, *seen_at])?;
    Ok(())
}

/// A session that was not ended, and whether its owner is suspended.
///
/// # Errors
/// The store's.
pub fn session(tx: &mut Tx<'_>, digest: &str) -> Result<Option<(Session, bool)>, StoreError> {
    tx.query_one(&SESSION, params![digest], |row| Ok((session_row(row)?, row.opt_timestamp(5)?.is_some())))
}

/// The sessions of somebody that were not ended, newest first. Some may have run out since.
///
/// # Errors
/// The store's.
pub fn sessions(tx: &mut Tx<'_>, staff: &StaffId) -> Result<Vec<Session>, StoreError> {
    tx.query(&SESSIONS, params![&staff.0], session_row)
}

/// Notes that a session was used.
///
/// # Errors
/// The store's.
pub fn touch(tx: &mut Tx<'_>, digest: &str, at: Timestamp) -> Result<(), StoreError> {
    tx.execute(&TOUCH, params![digest, at])?;
    Ok(())
}

/// Ends a session; tells whether it was not ended before.
///
/// # Errors
/// The store's.
pub fn end(tx: &mut Tx<'_>, digest: &str, at: Timestamp, why: Ended) -> Result<bool, StoreError> {
    Ok(tx.execute(&END, params![digest, at, why.code()])? == 1)
}

/// Ends the sessions of somebody, but for one if it is named; tells how many.
///
/// # Errors
/// The store's.
pub fn end_all(tx: &mut Tx<'_>, staff: &StaffId, but: Option<&str>, at: Timestamp, why: Ended) -> Result<u64, StoreError> {
    // No digest is the empty text.
    tx.execute(&END_ALL, params![&staff.0, at, why.code(), but.unwrap_or_default()])
}

/// Forgets sessions and invitations made before an instant; tells how many.
///
/// # Errors
/// The store's.
pub fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    Ok(tx.execute(&FORGET_SESSIONS, params![before])? + tx.execute(&FORGET_INVITATIONS, params![before])?)
}

fn session_row(row: &Row<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        digest: row.text(0)?,
        staff: StaffId(row.text(1)?),
        method: coded(row, 2, Method::from_code)?,
        created_at: row.timestamp(3)?,
        seen_at: row.timestamp(4)?,
    })
}

fn passkey_row(row: &Row<'_>) -> Result<Passkey, StoreError> {
    Ok(Passkey {
        id: row.text(0)?,
        staff: StaffId(row.text(1)?),
        body: row.text(2)?,
        added_at: row.timestamp(3)?,
        used_at: row.opt_timestamp(4)?,
    })
}
