//! Signing in with what is kept here, with its line in the audit; and what somebody does with their own account.
//!
//! The program (`server`) compares passwords, codes and passkeys and says what came of it. Nothing that was typed comes here.

use alongside_domain::decision::Actor;
use alongside_domain::session::{AccountAct, Ended, Method, NotSignedIn};
use alongside_domain::supporter::{Role, StaffId};
use alongside_store::accounts::{self, Account};
use alongside_store::audit::{self, Outcome};
use jiff::Timestamp;

use crate::accounts::SecretToken;
use crate::{App, Failure};

/// Somebody who is configured, with what they can sign in with: for an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLine {
    /// Their key.
    pub staff: StaffId,
    /// Their role.
    pub role: Role,
    /// Whether they chose a password and set up codes.
    pub has_password: bool,
    /// How many passkeys they have.
    pub passkeys: usize,
    /// How many accounts elsewhere are theirs.
    pub elsewhere: usize,
    /// Since when they are suspended.
    pub suspended_at: Option<Timestamp>,
    /// How many sessions they have now.
    pub sessions: usize,
}

impl App {
    /// Opens a session for somebody who has proved who they are, and writes it into the audit in the same unit of work.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when they are suspended or not configured, which is written down too; the store's.
    pub fn sign_in(&self, staff: &StaffId, method: Method) -> Result<SecretToken, Failure> {
        let line = self.line_of(staff, AccountAct::SignIn, Outcome::Allowed, method.code());
        let opened = self.open_session_with(staff, method, line);
        if matches!(opened, Err(Failure::NotFound)) {
            self.note_not_signed_in(staff, NotSignedIn::NotOpen)?;
        }
        opened
    }

    /// Writes down that somebody was not signed in, and why. A name that is nobody's is not kept: whoever types a password
    /// there by mistake must not find it in the audit.
    ///
    /// # Errors
    /// The store's.
    pub fn note_not_signed_in(&self, staff: &StaffId, why: NotSignedIn) -> Result<(), Failure> {
        let line = self.line_of(staff, AccountAct::SignIn, Outcome::Refused, why.code()).unwrap_or_else(|| {
            let why = if why == NotSignedIn::PasswordWrong { NotSignedIn::UnknownName } else { why };
            // Somebody, of whom nothing is known.
            self.account_line(Actor::Person, AccountAct::SignIn, Outcome::Refused, why.code())
        });
        let key = self.keys.audit.clone();
        self.store.write(move |tx| audit::append(tx, &key, &line))?;
        Ok(())
    }

    /// Writes down that somebody, in an open session, did not know the password that they wanted to change: they may be
    /// sitting at another's desk.
    ///
    /// # Errors
    /// The store's.
    pub fn note_wrong_password(&self, staff: &StaffId) -> Result<(), Failure> {
        let line = self.line_of(staff, AccountAct::ChangePassword, Outcome::Refused, NotSignedIn::PasswordWrong.code());
        let (key, line) = (self.keys.audit.clone(), line.ok_or(Failure::NotFound)?);
        Ok(self.store.write(move |tx| audit::append(tx, &key, &line).map(drop))?)
    }

    /// The account of somebody who may sign in with it: configured, and not suspended.
    ///
    /// # Errors
    /// The store's.
    pub fn open_account(&self, staff: &StaffId) -> Result<Option<Account>, Failure> {
        // Looked up also when nobody is configured: the time that it takes is to tell nothing.
        let account = self.account(staff)?.filter(|account| account.suspended_at.is_none());
        Ok(account.filter(|_| self.known(staff).is_ok()))
    }

    /// Changes somebody's password, whose hash this is, and ends all their sessions but the one named.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when they have no password here; the store's.
    pub fn change_password(&self, staff: &StaffId, password: String, session: &str) -> Result<(), Failure> {
        let line = self.line_of(staff, AccountAct::ChangePassword, Outcome::Allowed, Method::PasswordAndCode.code());
        let (staff, session, now) = (staff.clone(), session.to_owned(), self.world.now());
        let key = self.keys.audit.clone();
        self.store.write(move |tx| {
            let account = accounts::load(tx, &staff)?.filter(|account| account.password.is_some()).ok_or(Failure::NotFound)?;
            accounts::keep(tx, &Account { password: Some(password.clone()), ..account })?;
            accounts::end_all(tx, &staff, Some(&session), now, Ended::Renewed)?;
            if let Some(line) = &line {
                audit::append(tx, &key, line)?;
            }
            Ok(())
        })
    }

    /// Ends a session of somebody, which they named.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when it is another's, as when it never existed or has ended; the store's.
    pub fn end_own_session(&self, staff: &StaffId, digest: &str) -> Result<(), Failure> {
        let line = self.line_of(staff, AccountAct::EndSessions, Outcome::Allowed, Ended::EndedByOwner.code());
        let (staff, digest, now, key) = (staff.clone(), digest.to_owned(), self.world.now(), self.keys.audit.clone());
        self.store.write(move |tx| {
            let theirs = accounts::sessions(tx, &staff)?.iter().any(|session| session.digest == digest);
            if !theirs || !accounts::end(tx, &digest, now, Ended::EndedByOwner)? {
                return Err(Failure::NotFound);
            }
            if let Some(line) = &line {
                audit::append(tx, &key, line)?;
            }
            Ok(())
        })
    }

    /// Everybody who is configured, by key, with what they can sign in with.
    ///
    /// # Errors
    /// The store's.
    pub fn account_lines(&self) -> Result<Vec<AccountLine>, Failure> {
        let staff = self.setup.staff.values().map(|member| (member.id.clone(), member.role));
        let supporters = self.setup.supporters.values().map(|supporter| (supporter.id.clone(), Role::Supporter));
        let mut everybody: Vec<_> = staff.chain(supporters).collect();
        everybody.sort();
        everybody.into_iter().map(|(staff, role)| self.account_line_of(staff, role)).collect()
    }

    fn account_line_of(&self, staff: StaffId, role: Role) -> Result<AccountLine, Failure> {
        let account = self.account(&staff)?;
        Ok(AccountLine {
            role,
            has_password: account.as_ref().is_some_and(|account| account.password.is_some() && account.totp.is_some()),
            passkeys: self.passkeys_of(&staff)?.len(),
            elsewhere: self.identities_of(&staff)?.len(),
            suspended_at: account.and_then(|account| account.suspended_at),
            sessions: self.sessions_of(&staff)?.len(),
            staff,
        })
    }
}

#[cfg(test)]
mod tests {
    use alongside_store::page_reads::Slice;
    use alongside_store::testing;

    use super::*;
    use crate::accounts::Credentials;
    use crate::testing::service;

    fn ada() -> StaffId {
        StaffId("nurse-ada".into())
    }

    fn on_both(test: impl Fn(&App)) {
        testing::both_engines(|store| test(&service(store).0));
    }

    /// The newest lines of an action: who, what came of it, and the detail.
    fn lines(app: &App, act: AccountAct) -> Vec<(Option<StaffId>, Outcome, String)> {
        let lines = app.store.read(|tx| audit::by_action(tx, act.code(), Slice { most: 9, skip: 0 })).unwrap();
        lines.into_iter().map(|line| (line.actor.staff().cloned(), line.outcome, line.detail.unwrap_or_default())).collect()
    }

    fn enrol(app: &App) {
        let link = app.invite(&ada(), "operator").unwrap();
        let credentials = Credentials { password: "hash".into(), totp: "BASE32".into(), totp_step: 1 };
        app.accept_invitation(link.reveal(), credentials).unwrap();
    }

    #[test]
    fn every_sign_in_and_every_refusal_is_written_down_without_what_was_typed() {
        on_both(|app| {
            app.sign_in(&ada(), Method::Passkey).unwrap();
            app.note_not_signed_in(&ada(), NotSignedIn::PasswordWrong).unwrap();
            app.note_not_signed_in(&StaffId("hunter2".into()), NotSignedIn::PasswordWrong).unwrap();
            app.suspend(&ada()).unwrap();
            assert_eq!(app.sign_in(&ada(), Method::Passkey).map(drop), Err(Failure::NotFound));
            let told = lines(app, AccountAct::SignIn);
            let expected = [
                (Some(ada()), Outcome::Refused, "not-open"),
                (None, Outcome::Refused, "unknown-name"),
                (Some(ada()), Outcome::Refused, "password-wrong"),
                (Some(ada()), Outcome::Allowed, "passkey"),
            ];
            assert_eq!(told, expected.map(|(who, outcome, why)| (who, outcome, why.to_owned())));
        });
    }

    #[test]
    fn what_is_done_with_an_account_is_written_down() {
        on_both(|app| {
            enrol(app);
            app.add_passkey(&ada(), "key", "{}").unwrap();
            app.remove_passkey(&ada(), "key").unwrap();
            app.suspend(&ada()).unwrap();
            app.reinstate(&ada()).unwrap();
            app.end_sessions_of(&ada(), None, Ended::EndedByOperator).unwrap();
            use AccountAct::{AcceptInvitation, AddPasskey, EndSessions, Invite, Reinstate, RemovePasskey, Suspend};
            for act in [Invite, Suspend, Reinstate, EndSessions] {
                assert_eq!(lines(app, act), [(None, Outcome::Allowed, "nurse-ada".to_owned())], "{act}");
            }
            for act in [AcceptInvitation, AddPasskey, RemovePasskey] {
                assert_eq!(lines(app, act).into_iter().map(|line| line.0).collect::<Vec<_>>(), [Some(ada())], "{act}");
            }
            assert!(app.verify_audit(&[]).unwrap().is_whole());
        });
    }

    #[test]
    fn another_password_ends_every_session_but_the_one_in_which_it_was_chosen() {
        on_both(|app| {
            enrol(app);
            let (mine, other) = (app.sign_in(&ada(), Method::PasswordAndCode).unwrap(), app.sign_in(&ada(), Method::Passkey).unwrap());
            let digest = app.session(mine.reveal()).unwrap().unwrap().digest;
            app.change_password(&ada(), "another".into(), &digest).unwrap();
            assert!(app.session(mine.reveal()).unwrap().is_some());
            assert_eq!(app.session(other.reveal()).unwrap(), None);
            assert!(app.open_account(&ada()).unwrap().is_some_and(|account| account.password.as_deref() == Some("another")));
            let sen = StaffId("dr-sen".into());
            assert_eq!(app.change_password(&sen, "another".into(), &digest), Err(Failure::NotFound));
            assert_eq!(lines(app, AccountAct::ChangePassword).len(), 1);
        });
    }

    #[test]
    fn somebody_ends_their_own_sessions_and_nobody_elses() {
        on_both(|app| {
            let token = app.sign_in(&ada(), Method::Passkey).unwrap();
            let digest = app.session(token.reveal()).unwrap().unwrap().digest;
            assert_eq!(app.end_own_session(&StaffId("dr-sen".into()), &digest), Err(Failure::NotFound));
            assert!(app.session(token.reveal()).unwrap().is_some());
            assert_eq!(app.end_own_session(&ada(), &digest), Ok(()));
            assert_eq!(app.session(token.reveal()).unwrap(), None);
            assert_eq!(app.end_own_session(&ada(), &digest), Err(Failure::NotFound));
        });
    }

    #[test]
    fn an_account_that_is_suspended_or_nobodys_opens_nothing() {
        on_both(|app| {
            enrol(app);
            assert!(app.open_account(&ada()).unwrap().is_some());
            let line = |app: &App| app.account_lines().unwrap().into_iter().find(|line| line.staff == ada()).unwrap();
            assert!(line(app).has_password && line(app).suspended_at.is_none());
            app.suspend(&ada()).unwrap();
            assert!(app.open_account(&ada()).unwrap().is_none());
            assert!(line(app).suspended_at.is_some());
            assert!(app.open_account(&StaffId("stranger".into())).unwrap().is_none());
        });
    }
}
