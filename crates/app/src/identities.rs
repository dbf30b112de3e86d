//! Sign-in with an account elsewhere. Who it is, an issuer has said and the program (`server`) has checked; whose that is
//! here stands in the links, and in nothing that could be given to somebody else, such as an e-mail address.
//!
//! A link is made by an operator who knows the subject, or by whoever takes up an invitation. There is no third way: nobody
//! comes in because their organisation knows them.

use alongside_domain::decision::Actor;
use alongside_domain::session::{Ended, Method, NotSignedIn};
use alongside_domain::supporter::StaffId;
use alongside_store::audit::{self, Entry, Outcome};
use alongside_store::{accounts, standing};

use crate::accounts::{SecretToken, unlink_all};
use crate::{App, Failure};

/// The code of a link in the audit.
const LINK: &str = "link-identity";

impl App {
    /// Opens a session for whoever this account elsewhere is linked to.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when it is nobody's, or theirs is suspended or no longer configured, which is written down; the
    /// store's.
    pub fn sign_in_with(&self, issuer: &str, subject: &str) -> Result<SecretToken, Failure> {
        let Some(staff) = self.identity(issuer, subject)? else {
            self.note_not_signed_in(&StaffId(String::new()), NotSignedIn::NotLinked)?;
            return Err(Failure::NotFound);
        };
        self.sign_in(&staff, Method::OpenIdConnect)
    }

    /// Opens a session for whoever a hospital's system says is at its desk, by a link that it signed. `jti` is the number of
    /// the link, which is good once; the system's user is known here by the system's key.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for a link that was used; those of [`App::sign_in_with`].
    pub fn sign_in_by_link(&self, client: &str, subject: &str, jti: &str) -> Result<SecretToken, Failure> {
        let staff = self.identity(client, subject)?;
        let link = audit::keyed_digest(&self.keys.audit, "record-link", format!("{client} {jti}").as_bytes());
        let (whose, now) = (staff.clone().unwrap_or_else(|| StaffId(client.to_owned())), self.world.now());
        let why = match (self.store.write(move |tx| standing::once(tx, &link, &whose, now))?, staff) {
            (true, Some(staff)) => return self.sign_in(&staff, Method::RecordLink),
            (true, None) => NotSignedIn::NotLinked,
            (false, _) => NotSignedIn::LinkUsed,
        };
        self.note_not_signed_in(&StaffId(String::new()), why)?;
        Err(if why == NotSignedIn::LinkUsed { Failure::Forbidden } else { Failure::NotFound })
    }

    /// Notes under which name a hospital's record knows somebody who has just signed in with its account, as the record itself
    /// said in that moment: so what it asks for them later is theirs. A name that is somebody else's stays theirs.
    ///
    /// # Errors
    /// The store's.
    pub fn note_known_as(&self, iss: &str, user: &str, staff: &StaffId) -> Result<(), Failure> {
        if self.identity(iss, user)?.is_some() {
            return Ok(());
        }
        let (iss, user, whose) = (iss.to_owned(), user.to_owned(), staff.clone());
        self.store.write(move |tx| accounts::link(tx, &iss, &user, &whose))?;
        self.note(staff, LINK, Outcome::Allowed, "record")
    }

    /// Takes up an invitation with an account elsewhere, and opens a session.
    ///
    /// # Errors
    /// Those of [`App::accept_invitation_with`].
    pub fn take_up_with(&self, invitation: &str, issuer: &str, subject: &str) -> Result<SecretToken, Failure> {
        let staff = self.accept_invitation_with(invitation, issuer, subject)?;
        self.note(&staff, LINK, Outcome::Allowed, "invitation")?;
        self.sign_in_with(issuer, subject)
    }

    /// Ends the sessions of whoever this account elsewhere is linked to, because its issuer said so; tells how many. Nobody's
    /// has none.
    ///
    /// # Errors
    /// The store's.
    pub fn end_by_issuer(&self, issuer: &str, subject: &str) -> Result<u64, Failure> {
        let Some(staff) = self.identity(issuer, subject)? else { return Ok(0) };
        self.end_sessions_of(&staff, None, Ended::EndedByIssuer)
    }

    /// Links an account elsewhere to somebody.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when it is somebody else's, or nobody of this key is configured; the store's.
    pub fn connect(&self, issuer: &str, subject: &str, staff: &StaffId) -> Result<(), Failure> {
        if subject.trim().is_empty() {
            return Err(Failure::invalid("subject", "is empty"));
        }
        if self.identity(issuer, subject)?.is_some_and(|owner| owner != *staff) {
            return Err(Failure::invalid("subject", "belongs to somebody else here; unlink them first"));
        }
        self.configured(staff)?;
        let line = self.line_by(Actor::Operator, LINK, Outcome::Allowed, &whose(staff));
        let (key, issuer, subject, staff) = (self.keys.audit.clone(), issuer.to_owned(), subject.to_owned(), staff.clone());
        Ok(self.store.write(move |tx| {
            accounts::link(tx, &issuer, &subject, &staff)?;
            audit::append(tx, &key, &line).map(drop)
        })?)
    }

    /// Takes all links of somebody away, and ends their sessions in the same unit of work; tells how many links there were.
    ///
    /// # Errors
    /// The store's.
    pub fn disconnect(&self, staff: &StaffId) -> Result<usize, Failure> {
        let line = self.line_by(Actor::Operator, "unlink-identity", Outcome::Allowed, &whose(staff));
        let (key, staff, now) = (self.keys.audit.clone(), staff.clone(), self.world.now());
        self.store.write(move |tx| {
            let links = unlink_all(tx, &staff)?;
            accounts::end_all(tx, &staff, None, now, Ended::EndedByOperator)?;
            audit::append(tx, &key, &line)?;
            Ok(links)
        })
    }

    fn note(&self, staff: &StaffId, action: &str, outcome: Outcome, detail: &str) -> Result<(), Failure> {
        let Some(actor) = self.setup.staff_actor(&staff.0) else { return Ok(()) };
        let (key, line) = (self.keys.audit.clone(), self.line_by(actor, action, outcome, detail));
        self.store.write(move |tx| audit::append(tx, &key, &line))?;
        Ok(())
    }

    fn line_by(&self, actor: Actor, action: &str, outcome: Outcome, detail: &str) -> Entry {
        Entry {
            at: self.world.now(),
            actor,
            action: action.to_owned(),
            purpose: "work".to_owned(),
            site: None,
            outcome,
            detail: Some(detail.to_owned()),
            subjects: Vec::new(),
        }
    }
}

/// Whose account an operator linked, as a detail of the audit.
fn whose(staff: &StaffId) -> String {
    format!("staff:{staff}")
}

#[cfg(test)]
mod tests {
    use alongside_store::testing;

    use super::*;
    use crate::testing::service;

    const ISSUER: &str = "https://issuer.example";

    fn ada() -> StaffId {
        StaffId("nurse-ada".into())
    }

    fn lines(app: &App) -> Vec<(Outcome, Option<String>)> {
        let page = app.store.read(|tx| audit::of_staff(tx, &ada(), alongside_store::page_reads::Slice { most: 10, skip: 0 })).unwrap();
        page.into_iter().map(|line| (line.outcome, line.detail)).collect()
    }

    #[test]
    fn an_account_elsewhere_opens_a_session_for_whom_it_is_linked_to_and_for_nobody_else() {
        testing::both_engines(|store| {
            let (app, _) = service(store);
            assert_eq!(app.sign_in_with(ISSUER, "ada").err(), Some(Failure::NotFound));
            app.connect(ISSUER, "ada", &ada()).unwrap();
            let token = app.sign_in_with(ISSUER, "ada").unwrap_or_else(|failure| panic!("{failure}"));
            let session = app.session(token.reveal()).unwrap().unwrap();
            assert_eq!((session.staff, session.method), (ada(), Method::OpenIdConnect));
            for (issuer, subject) in [(ISSUER, "Ada"), (ISSUER, "ada "), ("https://other.example", "ada"), (ISSUER, "")] {
                assert_eq!(app.sign_in_with(issuer, subject).err(), Some(Failure::NotFound), "{issuer} {subject}");
            }
            app.suspend(&ada()).unwrap();
            assert_eq!(app.sign_in_with(ISSUER, "ada").err(), Some(Failure::NotFound));
            let noted = [(Outcome::Refused, Some("not-open".to_owned())), (Outcome::Allowed, Some("openid-connect".to_owned()))];
            assert_eq!(lines(&app), noted);
        });
    }

    #[test]
    fn a_link_that_a_record_signed_is_good_once_and_its_name_of_somebody_stays_theirs() {
        testing::both_engines(|store| {
            let (app, _) = service(store);
            assert_eq!(app.sign_in_by_link("record", "desk-1", "a").err(), Some(Failure::NotFound));
            app.connect("record", "desk-1", &ada()).unwrap();
            assert_eq!(app.sign_in_by_link("record", "desk-1", "a").err(), Some(Failure::Forbidden), "used before, by nobody");
            let Ok(token) = app.sign_in_by_link("record", "desk-1", "b") else { panic!("she is known") };
            assert_eq!(app.session(token.reveal()).unwrap().unwrap().method, Method::RecordLink);
            assert_eq!(app.sign_in_by_link("record", "desk-1", "b").err(), Some(Failure::Forbidden));
            assert_eq!(app.sign_in_by_link("other-record", "desk-1", "c").err(), Some(Failure::NotFound));

            app.note_known_as(ISSUER, "Practitioner/1", &ada()).unwrap();
            app.note_known_as(ISSUER, "Practitioner/1", &StaffId("dr-sen".into())).unwrap();
            assert_eq!(app.identity(ISSUER, "Practitioner/1").unwrap(), Some(ada()));
            assert!(lines(&app).contains(&(Outcome::Allowed, Some("record".to_owned()))));
        });
    }

    #[test]
    fn an_issuer_ends_the_sessions_of_its_own_people_alone() {
        testing::both_engines(|store| {
            let (app, _) = service(store);
            app.connect(ISSUER, "ada", &ada()).unwrap();
            let Ok(token) = app.sign_in_with(ISSUER, "ada") else { panic!("she is known") };
            for (issuer, subject) in [("https://other.example", "ada"), (ISSUER, "bob")] {
                assert_eq!(app.end_by_issuer(issuer, subject), Ok(0));
            }
            assert!(app.session(token.reveal()).unwrap().is_some());
            assert_eq!(app.end_by_issuer(ISSUER, "ada"), Ok(1));
            assert_eq!(app.session(token.reveal()).unwrap(), None);
        });
    }

    #[test]
    fn an_account_elsewhere_is_never_moved_to_somebody_else_and_without_it_nobody_stays_in() {
        testing::both_engines(|store| {
            let (app, _) = service(store);
            app.connect(ISSUER, "ada", &ada()).unwrap();
            let sen = StaffId("dr-sen".into());
            assert!(matches!(app.connect(ISSUER, "ada", &sen), Err(Failure::Invalid(_))));
            assert!(matches!(app.connect(ISSUER, " ", &ada()), Err(Failure::Invalid(_))));
            let Ok(token) = app.sign_in_with(ISSUER, "ada") else { panic!("she is known") };
            assert_eq!(app.disconnect(&ada()), Ok(1));
            assert_eq!(app.session(token.reveal()).unwrap(), None);
            assert_eq!(app.sign_in_with(ISSUER, "ada").err(), Some(Failure::NotFound));
            assert_eq!(app.connect(ISSUER, "ada", &sen), Ok(()));
        });
    }

    #[test]
    fn whoever_takes_up_an_invitation_is_linked_and_signed_in() {
        testing::both_engines(|store| {
            let (app, _) = service(store);
            let link = app.invite(&ada(), "operator").unwrap();
            let Ok(token) = app.take_up_with(link.reveal(), ISSUER, "ada") else { panic!("she was invited") };
            assert!(app.session(token.reveal()).unwrap().is_some());
            assert_eq!(app.take_up_with(link.reveal(), ISSUER, "ada").err(), Some(Failure::NotFound));
            assert!(app.sign_in_with(ISSUER, "ada").is_ok());
            let link = app.invite(&ada(), "operator").unwrap();
            assert!(app.take_up_with(link.reveal(), "https://other.example", "ada").is_ok());
            assert_eq!(app.sign_in_with(ISSUER, "ada").err(), Some(Failure::NotFound), "what was theirs before is gone");
        });
    }
}
