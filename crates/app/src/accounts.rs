//! Who is signed in, and with what somebody can sign in.
//!
//! Passwords, codes and passkeys are checked by the program (`server`); here stand what is kept of them and the rules of
//! sessions: a new token at each sign-in, an idle and an absolute limit, an end at once when somebody is suspended.
//! A token is known to its holder alone; the store has its SHA-256.

use alongside_domain::access::Purpose;
use alongside_domain::decision::Actor;
use alongside_domain::session::{AccountAct, Ended, Method, Session};
use alongside_domain::supporter::StaffId;
use alongside_store::accounts::{self, Account, Invitation, Passkey};
use alongside_store::audit::{self, Entry, Outcome};
use alongside_store::{StoreError, Tx};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::{App, Failure};

/// Hours for which an invitation can be used: until the same time tomorrow.
pub const INVITATION_HOURS: i64 = 24;
/// Days after which sessions and invitations are forgotten: long enough to look into what happened, no longer.
pub const SESSIONS_KEPT_DAYS: i64 = 90;
/// The most passkeys of one person.
pub const PASSKEYS_MAX: usize = 10;
/// Characters of a token: 256 bits in hexadecimal (OWASP ASVS 5.0 7.2.3 asks for 128 bits).
pub const TOKEN_LENGTH: usize = 64;

/// A secret of 256 bits as text: a session's cookie, an invitation's link. No `Debug` or `Display`: it is told on purpose or
/// not at all.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretToken(String);

impl SecretToken {
    /// Makes a token of random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(hexadecimal(&bytes))
    }

    /// The token itself: for the cookie or the link, and nothing else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn digest(&self) -> String {
        digest(&self.0)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of a token. The token is random, so that nothing slower is needed.
fn digest(token: &str) -> String {
    hexadecimal(&Sha256::digest(token))
}

/// What every form of a session carries, so that no other site can send one: a digest of the session's token that is
/// another than the one that is kept.
#[must_use]
pub fn form_token(token: &str) -> String {
    digest(&format!("form|{token}"))
}

/// The digest of what came in as a token, if it can be one.
pub(crate) fn digest_of(token: &str) -> Option<String> {
    let is_token = token.len() == TOKEN_LENGTH && token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_token.then(|| digest(token))
}

/// What somebody who accepts an invitation will sign in with. No `Debug`.
#[derive(Clone)]
pub struct Credentials {
    /// Argon2id in PHC form.
    pub password: String,
    /// The secret of the one-time codes in base 32.
    pub totp: String,
    /// The time step of the code that proved it.
    pub totp_step: i64,
}

impl App {
    /// Opens a session for somebody who has proved who they are, with a token never used before.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when nobody of this key is configured or they are suspended; the store's.
    pub fn open_session(&self, staff: &StaffId, method: Method) -> Result<SecretToken, Failure> {
        self.open_session_with(staff, method, None)
    }

    /// As [`App::open_session`], with a line of the audit in the same unit of work.
    pub(crate) fn open_session_with(&self, staff: &StaffId, method: Method, line: Option<Entry>) -> Result<SecretToken, Failure> {
        self.known(staff)?;
        let (token, now) = (SecretToken::new(self.world.secret()), self.world.now());
        let session = Session { digest: token.digest(), staff: staff.clone(), method, created_at: now, seen_at: now };
        let key = self.keys.audit.clone();
        self.store.write(move |tx| {
            if is_suspended(tx, &session.staff)? {
                return Err(Failure::NotFound);
            }
            if let Some(line) = &line {
                audit::append(tx, &key, line)?;
            }
            Ok(accounts::add_session(tx, &session)?)
        })?;
        Ok(token)
    }

    /// The session of a token, while it holds. One that has run out is ended here; one that holds is noted as used.
    ///
    /// # Errors
    /// The store's.
    pub fn session(&self, token: &str) -> Result<Option<Session>, Failure> {
        let Some(digest) = digest_of(token) else { return Ok(None) };
        let Some((mut session, is_suspended)) = self.store.read(|tx| accounts::session(tx, &digest))? else { return Ok(None) };
        if is_suspended || self.known(&session.staff).is_err() {
            return Ok(None);
        }
        let now = self.world.now();
        if let Err(why) = session.holds(now, self.setup.sign_in.limits) {
            self.store.write(move |tx| accounts::end(tx, &digest, now, why))?;
            return Ok(None);
        }
        if session.is_to_be_touched(now) {
            self.store.write(move |tx| accounts::touch(tx, &digest, now))?;
            session.seen_at = now;
        }
        Ok(Some(session))
    }

    /// Ends a session by its digest; one that is ended stays as it is.
    ///
    /// # Errors
    /// The store's.
    pub fn end_session(&self, digest: &str, why: Ended) -> Result<(), Failure> {
        let (digest, now) = (digest.to_owned(), self.world.now());
        self.store.write(move |tx| accounts::end(tx, &digest, now, why))?;
        Ok(())
    }

    /// Ends all sessions of somebody but the one named, and tells how many. Nobody of this key has none.
    ///
    /// # Errors
    /// The store's.
    pub fn end_sessions_of(&self, staff: &StaffId, but: Option<&str>, why: Ended) -> Result<u64, Failure> {
        let line = match why {
            Ended::EndedByOperator => Some(self.operators_line(AccountAct::EndSessions, staff)),
            why => self.line_of(staff, AccountAct::EndSessions, Outcome::Allowed, why.code()),
        };
        let (staff, but, now, key) = (staff.clone(), but.map(str::to_owned), self.world.now(), self.keys.audit.clone());
        Ok(self.store.write(move |tx| {
            if let Some(line) = &line {
                audit::append(tx, &key, line)?;
            }
            accounts::end_all(tx, &staff, but.as_deref(), now, why)
        })?)
    }

    /// The sessions of somebody that hold, newest first.
    ///
    /// # Errors
    /// The store's.
    pub fn sessions_of(&self, staff: &StaffId) -> Result<Vec<Session>, Failure> {
        let (now, limits) = (self.world.now(), self.setup.sign_in.limits);
        let mut sessions = self.store.read(|tx| accounts::sessions(tx, staff))?;
        sessions.retain(|session| session.holds(now, limits).is_ok());
        Ok(sessions)
    }

    /// Suspends somebody: nobody signs in as them any more, and their sessions end in the same unit of work.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when nobody of this key is configured; the store's.
    pub fn suspend(&self, staff: &StaffId) -> Result<(), Failure> {
        self.configured(staff)?;
        let (line, key) = (self.operators_line(AccountAct::Suspend, staff), self.keys.audit.clone());
        let (staff, now) = (staff.clone(), self.world.now());
        self.store.write(move |tx| {
            audit::append(tx, &key, &line)?;
            suspend_in(tx, &staff, now)
        })
    }

    /// Takes a suspension back. Sessions that it ended stay ended.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when nobody of this key is configured; the store's.
    pub fn reinstate(&self, staff: &StaffId) -> Result<(), Failure> {
        self.configured(staff)?;
        let (line, key) = (self.operators_line(AccountAct::Reinstate, staff), self.keys.audit.clone());
        let staff = staff.clone();
        self.store.write(move |tx| {
            audit::append(tx, &key, &line)?;
            reinstate_in(tx, &staff)
        })
    }

    /// What somebody signs in with here, if anything.
    ///
    /// # Errors
    /// The store's.
    pub fn account(&self, staff: &StaffId) -> Result<Option<Account>, Failure> {
        Ok(self.store.read(|tx| accounts::load(tx, staff))?)
    }

    /// Invites somebody to choose what they sign in with, for the first time or anew. Invitations made before are void.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when nobody of this key is configured or they are suspended; the store's.
    pub fn invite(&self, staff: &StaffId, made_by: &str) -> Result<SecretToken, Failure> {
        self.configured(staff)?;
        let (token, now) = (SecretToken::new(self.world.secret()), self.world.now());
        let ends_at = now + SignedDuration::from_hours(INVITATION_HOURS);
        let (digest, made_by) = (token.digest(), made_by.to_owned());
        let (line, key) = (self.operators_line(AccountAct::Invite, staff), self.keys.audit.clone());
        let invitation = Invitation { staff: staff.clone(), made_by, made_at: now, ends_at };
        self.store.write(move |tx| {
            if is_suspended(tx, &invitation.staff)? {
                return Err(Failure::invalid("key", "is suspended; reinstate them first"));
            }
            audit::append(tx, &key, &line)?;
            accounts::void_invitations(tx, &invitation.staff, now)?;
            Ok(accounts::invite(tx, &digest, &invitation)?)
        })?;
        Ok(token)
    }

    /// The invitation of a token, while it can be used.
    ///
    /// # Errors
    /// The store's.
    pub fn invitation(&self, token: &str) -> Result<Option<Invitation>, Failure> {
        let (Some(digest), now) = (digest_of(token), self.world.now()) else { return Ok(None) };
        let invitation = self.store.read(|tx| accounts::invitation(tx, &digest, now))?;
        Ok(invitation.filter(|invitation| self.known(&invitation.staff).is_ok()))
    }

    /// Accepts an invitation: it is used up, what somebody signed in with before is gone (a lost telephone with its passkey,
    /// and accounts elsewhere), and sessions of before end. Answers whose it was.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when the invitation cannot be used; the store's.
    pub fn accept_invitation(&self, token: &str, credentials: Credentials) -> Result<StaffId, Failure> {
        let staff = self.invitation(token)?.ok_or(Failure::NotFound)?.staff;
        let (Some(digest), now) = (digest_of(token), self.world.now()) else { return Err(Failure::NotFound) };
        let line = self.line_of(&staff, AccountAct::AcceptInvitation, Outcome::Allowed, Method::PasswordAndCode.code());
        let key = self.keys.audit.clone();
        self.store.write(move |tx| {
            if is_suspended(tx, &staff)? || !accounts::use_invitation(tx, &digest, now)? {
                return Err(Failure::NotFound);
            }
            if let Some(line) = &line {
                audit::append(tx, &key, line)?;
            }
            let Credentials { password, totp, totp_step } = credentials.clone();
            let account = Account {
                password: Some(password),
                totp: Some(totp),
                totp_step: Some(totp_step),
                suspended_at: None,
                staff: staff.clone(),
            };
            begin_anew(tx, &account, now)?;
            Ok(staff.clone())
        })
    }

    /// Accepts an invitation with an account elsewhere, which is theirs from now on: the invitation is used up, what they
    /// signed in with before is gone, and sessions of before end. Answers whose it was.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when the invitation cannot be used; [`Failure::Invalid`] when that account is somebody else's;
    /// the store's.
    pub fn accept_invitation_with(&self, token: &str, issuer: &str, subject: &str) -> Result<StaffId, Failure> {
        let staff = self.invitation(token)?.ok_or(Failure::NotFound)?.staff;
        let (Some(digest), now) = (digest_of(token), self.world.now()) else { return Err(Failure::NotFound) };
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.store.write(move |tx| {
            if is_suspended(tx, &staff)? || !accounts::use_invitation(tx, &digest, now)? {
                return Err(Failure::NotFound);
            }
            if accounts::identity(tx, &issuer, &subject)?.is_some_and(|owner| owner != staff) {
                return Err(Failure::invalid("account", "belongs to somebody else here"));
            }
            begin_anew(tx, &Account::new(staff.clone()), now)?;
            accounts::link(tx, &issuer, &subject, &staff)?;
            Ok(staff.clone())
        })
    }

    /// Keeps the hash of a password of somebody who has an account: the same password hashed with today's parameters.
    ///
    /// # Errors
    /// The store's.
    pub fn keep_password(&self, staff: &StaffId, password: String) -> Result<(), Failure> {
        let staff = staff.clone();
        self.store.write(move |tx| {
            let Some(account) = accounts::load(tx, &staff)? else { return Ok(()) };
            Ok::<_, Failure>(accounts::keep(tx, &Account { password: Some(password.clone()), ..account })?)
        })
    }

    /// Takes the one-time code of a time step; tells whether it is the first taken of this step or a later one.
    ///
    /// # Errors
    /// The store's.
    pub fn take_step(&self, staff: &StaffId, step: i64) -> Result<bool, Failure> {
        let staff = staff.clone();
        Ok(self.store.write(move |tx| accounts::take_step(tx, &staff, step))?)
    }

    /// Adds a passkey.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when they have [`PASSKEYS_MAX`] or it is known already; the store's.
    pub fn add_passkey(&self, staff: &StaffId, id: &str, body: &str) -> Result<(), Failure> {
        self.configured(staff)?;
        let line = self.line_of(staff, AccountAct::AddPasskey, Outcome::Allowed, Method::Passkey.code());
        let key = self.keys.audit.clone();
        let (staff, id, body, now) = (staff.clone(), id.to_owned(), body.to_owned(), self.world.now());
        self.store.write(move |tx| {
            if accounts::passkeys(tx, &staff)?.len() >= PASSKEYS_MAX {
                return Err(Failure::invalid("passkey", "there are as many as there may be; remove one first"));
            }
            if accounts::passkey(tx, &id)?.is_some() {
                return Err(Failure::invalid("passkey", "is known already"));
            }
            if let Some(line) = &line {
                audit::append(tx, &key, line)?;
            }
            Ok(accounts::add_passkey(tx, &id, &staff, &body, now)?)
        })
    }

    /// The passkeys of somebody, oldest first.
    ///
    /// # Errors
    /// The store's.
    pub fn passkeys_of(&self, staff: &StaffId) -> Result<Vec<Passkey>, Failure> {
        Ok(self.store.read(|tx| accounts::passkeys(tx, staff))?)
    }

    /// A passkey by its id.
    ///
    /// # Errors
    /// The store's.
    pub fn passkey(&self, id: &str) -> Result<Option<Passkey>, Failure> {
        Ok(self.store.read(|tx| accounts::passkey(tx, id))?)
    }

    /// Notes that a passkey was used, and what it now is.
    ///
    /// # Errors
    /// The store's.
    pub fn use_passkey(&self, id: &str, body: &str) -> Result<(), Failure> {
        let (id, body, now) = (id.to_owned(), body.to_owned(), self.world.now());
        Ok(self.store.write(move |tx| accounts::use_passkey(tx, &id, &body, now))?)
    }

    /// Removes a passkey of somebody.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when they have none of this id; the store's.
    pub fn remove_passkey(&self, staff: &StaffId, id: &str) -> Result<(), Failure> {
        let line = self.line_of(staff, AccountAct::RemovePasskey, Outcome::Allowed, Method::Passkey.code());
        let (staff, id, key) = (staff.clone(), id.to_owned(), self.keys.audit.clone());
        self.store.write(move |tx| {
            if !accounts::remove_passkey(tx, &id, &staff)? {
                return Err(Failure::NotFound);
            }
            if let Some(line) = &line {
                audit::append(tx, &key, line)?;
            }
            Ok(())
        })
    }

    /// Says whose an account elsewhere is: issuer and subject of OpenID Connect, which are never given to anybody else.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when nobody of this key is configured; the store's.
    pub fn link_identity(&self, issuer: &str, subject: &str, staff: &StaffId) -> Result<(), Failure> {
        self.configured(staff)?;
        let (issuer, subject, staff) = (issuer.to_owned(), subject.to_owned(), staff.clone());
        Ok(self.store.write(move |tx| accounts::link(tx, &issuer, &subject, &staff))?)
    }

    /// Takes it back.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when it was nobody's; the store's.
    pub fn unlink_identity(&self, issuer: &str, subject: &str) -> Result<(), Failure> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        let unlinked = self.store.write(move |tx| accounts::unlink(tx, &issuer, &subject))?;
        if unlinked { Ok(()) } else { Err(Failure::NotFound) }
    }

    /// Whose an account elsewhere is.
    ///
    /// # Errors
    /// The store's.
    pub fn identity(&self, issuer: &str, subject: &str) -> Result<Option<StaffId>, Failure> {
        Ok(self.store.read(|tx| accounts::identity(tx, issuer, subject))?)
    }

    /// The accounts that somebody has elsewhere: issuer and subject.
    ///
    /// # Errors
    /// The store's.
    pub fn identities_of(&self, staff: &StaffId) -> Result<Vec<(String, String)>, Failure> {
        Ok(self.store.read(|tx| accounts::identities(tx, staff))?)
    }

    /// A line of the audit about what somebody did with their own account; none when nobody of this key is configured.
    pub(crate) fn line_of(&self, staff: &StaffId, act: AccountAct, outcome: Outcome, detail: &str) -> Option<Entry> {
        let actor = self.setup.staff_actor(&staff.0)?;
        Some(self.account_line(actor, act, outcome, detail))
    }

    /// A line of the audit about what an operator did with somebody's account.
    fn operators_line(&self, act: AccountAct, staff: &StaffId) -> Entry {
        self.account_line(Actor::Operator, act, Outcome::Allowed, &staff.0)
    }

    pub(crate) fn account_line(&self, actor: Actor, act: AccountAct, outcome: Outcome, detail: &str) -> Entry {
        Entry {
            at: self.world.now(),
            actor,
            action: act.code().to_owned(),
            purpose: Purpose::Work.code().to_owned(),
            site: None,
            outcome,
            detail: Some(detail.to_owned()),
            subjects: Vec::new(),
        }
    }

    /// Somebody of this key is configured; for what a person at a form must not learn.
    pub(crate) fn known(&self, staff: &StaffId) -> Result<(), Failure> {
        self.setup.staff_actor(&staff.0).map(drop).ok_or(Failure::NotFound)
    }

    /// Somebody of this key is configured; for an operator.
    pub(crate) fn configured(&self, staff: &StaffId) -> Result<(), Failure> {
        self.known(staff).map_err(|_| Failure::invalid("key", "nobody of this key is configured"))
    }
}

/// What somebody signed in with before is gone, with the sessions of before: passwords, passkeys, accounts elsewhere.
fn begin_anew(tx: &mut Tx<'_>, account: &Account, now: Timestamp) -> Result<(), Failure> {
    accounts::keep(tx, account)?;
    accounts::remove_passkeys(tx, &account.staff)?;
    unlink_all(tx, &account.staff)?;
    accounts::end_all(tx, &account.staff, None, now, Ended::Renewed)?;
    Ok(())
}

/// Takes all accounts elsewhere from somebody; tells how many there were.
pub(crate) fn unlink_all(tx: &mut Tx<'_>, staff: &StaffId) -> Result<usize, StoreError> {
    let links = accounts::identities(tx, staff)?;
    for (issuer, subject) in &links {
        accounts::unlink(tx, issuer, subject)?;
    }
    Ok(links.len())
}

/// Suspends somebody in this transaction, and ends their sessions.
pub(crate) fn suspend_in(tx: &mut Tx<'_>, staff: &StaffId, now: Timestamp) -> Result<(), Failure> {
    let mut account = accounts::load(tx, staff)?.unwrap_or_else(|| Account::new(staff.clone()));
    account.suspended_at = account.suspended_at.or(Some(now));
    accounts::keep(tx, &account)?;
    accounts::void_invitations(tx, staff, now)?;
    accounts::end_all(tx, staff, None, now, Ended::Suspended)?;
    Ok(())
}

/// Takes a suspension back in this transaction.
pub(crate) fn reinstate_in(tx: &mut Tx<'_>, staff: &StaffId) -> Result<(), Failure> {
    let Some(mut account) = accounts::load(tx, staff)? else { return Ok(()) };
    account.suspended_at = None;
    Ok(accounts::keep(tx, &account)?)
}

pub(crate) fn is_suspended(tx: &mut Tx<'_>, staff: &StaffId) -> Result<bool, StoreError> {
    Ok(accounts::load(tx, staff)?.is_some_and(|account| account.suspended_at.is_some()))
}

#[cfg(test)]
mod tests {
    use alongside_store::testing;
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::testing::{keys_come_and_go, service};

    fn ada() -> StaffId {
        StaffId("nurse-ada".into())
    }

    fn on_both(test: impl Fn(&App, &dyn Fn(i64))) {
        testing::both_engines(|store| {
            let (app, world) = service(store);
            let start: Timestamp = app.world.now();
            test(&app, &|minutes| world.set(start + SignedDuration::from_mins(minutes)));
        });
    }

    fn credentials() -> Credentials {
        Credentials { password: "$argon2id$…".into(), totp: "BASE32".into(), totp_step: 5 }
    }

    #[test]
    fn every_sign_in_has_a_token_of_its_own_and_the_store_has_none_of_them() {
        on_both(|app, _| {
            let (one, two) = (app.open_session(&ada(), Method::Demo).unwrap(), app.open_session(&ada(), Method::Passkey).unwrap());
            assert!(one.reveal() != two.reveal());
            assert_eq!(one.reveal().len(), TOKEN_LENGTH);
            let session = app.session(one.reveal()).unwrap().unwrap();
            assert_eq!((&session.staff, session.method), (&ada(), Method::Demo));
            assert_ne!(session.digest, one.reveal());
            assert_eq!(app.session(&session.digest).unwrap(), None, "the digest opens nothing");
        });
    }

    #[test]
    fn what_is_no_token_is_no_session() {
        on_both(|app, _| {
            for wrong in ["", "x", &"0".repeat(64), &"F".repeat(64), &"ä".repeat(32)] {
                assert_eq!(app.session(wrong).unwrap(), None);
                assert_eq!(app.invitation(wrong).unwrap(), None);
            }
        });
    }

    #[test]
    fn a_session_ends_after_half_an_hour_of_nothing_and_after_twelve_hours_of_anything() {
        on_both(|app, at| {
            let (idle, busy) = (app.open_session(&ada(), Method::Demo).unwrap(), app.open_session(&ada(), Method::Demo).unwrap());
            for minutes in (0..720).step_by(29) {
                at(minutes);
                assert!(app.session(busy.reveal()).unwrap().is_some(), "at {minutes}");
            }
            assert_eq!(app.session(idle.reveal()).unwrap(), None);
            at(720);
            assert_eq!(app.session(busy.reveal()).unwrap(), None);
            // Ended is ended, whatever the clock does.
            at(0);
            assert_eq!(app.session(busy.reveal()).unwrap(), None);
            assert_eq!(app.sessions_of(&ada()).unwrap(), []);
        });
    }

    #[test]
    fn suspending_ends_running_sessions_at_once_and_lets_nobody_in() {
        on_both(|app, _| {
            let token = app.open_session(&ada(), Method::OpenIdConnect).unwrap();
            let link = app.invite(&ada(), "operator").unwrap();
            app.suspend(&ada()).unwrap();
            assert_eq!(app.session(token.reveal()).unwrap(), None);
            assert!(app.open_session(&ada(), Method::OpenIdConnect).is_err());
            assert_eq!(app.invitation(link.reveal()).unwrap(), None);
            assert!(app.invite(&ada(), "operator").is_err());
            app.reinstate(&ada()).unwrap();
            assert_eq!(app.session(token.reveal()).unwrap(), None);
            assert!(app.open_session(&ada(), Method::OpenIdConnect).is_ok());
        });
    }

    #[test]
    fn an_invitation_is_used_once_within_a_day_and_a_newer_one_replaces_it() {
        on_both(|app, at| {
            let replaced = app.invite(&ada(), "operator").unwrap();
            let link = app.invite(&ada(), "operator").unwrap();
            assert_eq!(app.invitation(replaced.reveal()).unwrap(), None);
            at(INVITATION_HOURS * 60);
            assert_eq!(app.invitation(link.reveal()).unwrap(), None);
            assert_eq!(app.accept_invitation(link.reveal(), credentials()).map(drop), Err(Failure::NotFound));
            at(INVITATION_HOURS * 60 - 1);
            assert_eq!(app.invitation(link.reveal()).unwrap().map(|it| it.staff), Some(ada()));
            assert_eq!(app.accept_invitation(link.reveal(), credentials()), Ok(ada()));
            assert_eq!(app.accept_invitation(link.reveal(), credentials()), Err(Failure::NotFound));
        });
    }

    #[test]
    fn accepting_an_invitation_ends_sessions_and_passkeys_of_before() {
        on_both(|app, _| {
            let token = app.open_session(&ada(), Method::Passkey).unwrap();
            app.add_passkey(&ada(), "key", "{}").unwrap();
            let link = app.invite(&ada(), "operator").unwrap();
            app.accept_invitation(link.reveal(), credentials()).unwrap();
            assert_eq!(app.session(token.reveal()).unwrap(), None);
            assert!(app.passkeys_of(&ada()).unwrap().is_empty());
        });
    }

    #[test]
    fn an_invitation_is_accepted_with_an_account_elsewhere_unless_it_is_somebody_elses() {
        on_both(|app, _| {
            app.link_identity("https://issuer", "sen", &StaffId("dr-sen".into())).unwrap();
            let link = app.invite(&ada(), "operator").unwrap();
            assert!(matches!(app.accept_invitation_with(link.reveal(), "https://issuer", "sen"), Err(Failure::Invalid(_))));
            assert_eq!(app.accept_invitation_with(link.reveal(), "https://issuer", "ada"), Ok(ada()), "a refusal uses nothing up");
            assert_eq!(app.accept_invitation_with(link.reveal(), "https://issuer", "ada"), Err(Failure::NotFound));
            assert_eq!(app.identity("https://issuer", "ada").unwrap(), Some(ada()));
            assert!(app.account(&ada()).unwrap().is_some_and(|account| account.password.is_none() && account.totp.is_none()));
        });
    }

    #[test]
    fn a_time_step_is_taken_once_and_never_an_older_one() {
        on_both(|app, _| {
            assert!(!app.take_step(&ada(), 1).unwrap(), "there is no account");
            let link = app.invite(&ada(), "operator").unwrap();
            app.accept_invitation(link.reveal(), credentials()).unwrap();
            assert!(!app.take_step(&ada(), 5).unwrap(), "it proved the code at enrolment");
            assert!(app.take_step(&ada(), 7).unwrap());
            assert!(!app.take_step(&ada(), 7).unwrap());
            assert!(!app.take_step(&ada(), 6).unwrap());
        });
    }

    #[test]
    fn ending_the_other_sessions_leaves_the_one_that_asked() {
        on_both(|app, _| {
            let open = || app.open_session(&ada(), Method::Demo).unwrap();
            let (mine, other) = (open(), open());
            let digest = app.session(mine.reveal()).unwrap().unwrap().digest;
            assert_eq!(app.end_sessions_of(&ada(), Some(&digest), Ended::EndedByOwner).unwrap(), 1);
            assert!(app.session(mine.reveal()).unwrap().is_some());
            assert_eq!(app.session(other.reveal()).unwrap(), None);
            app.end_session(&digest, Ended::SignedOut).unwrap();
            assert_eq!(app.session(mine.reveal()).unwrap(), None);
        });
    }

    #[test]
    fn somebody_who_is_not_configured_has_no_session() {
        on_both(|app, _| {
            let stranger = StaffId("stranger".into());
            assert!(matches!(app.open_session(&stranger, Method::Demo), Err(Failure::NotFound)));
            assert!(matches!(app.invite(&stranger, "operator"), Err(Failure::Invalid(_))));
            assert!(matches!(app.link_identity("https://issuer", "1", &stranger), Err(Failure::Invalid(_))));
        });
    }

    #[test]
    fn a_passkey_and_an_account_elsewhere_come_and_go() {
        on_both(|app, _| keys_come_and_go(app, &ada()));
    }
}
