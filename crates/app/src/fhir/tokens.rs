//! Access tokens of systems. A token says whose it is, what it allows and until when, under a code that only this
//! installation can make: nothing is kept of it, and a client that is configured no more has none.

use alongside_domain::decision::Actor;
use alongside_domain::session::AccountAct;
use alongside_domain::supporter::StaffId;
use alongside_store::audit::{self, Outcome};
use alongside_store::standing;
use jiff::SignedDuration;

use super::Scopes;
use crate::{App, Failure};

/// Seconds for which a token is good (SMART App Launch 2.2: at most five minutes).
pub const TOKEN_SECONDS: i64 = 300;
/// What the code of a token is made for.
const PURPOSE: &str = "fhir-access-token";

/// How a system proves who it is: the detail of its lines in the audit.
const PROOF: &str = "private-key";

/// A token that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The token.
    pub token: String,
    /// What it allows.
    pub scopes: Scopes,
}

/// Who asks, as their token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The key of the system.
    pub client: String,
    /// What the token allows.
    pub scopes: String,
}

impl App {
    /// Gives a system that has proved who it is a token for what it asks, as far as that is its own. `jti` is the number of
    /// its proof, which is good once.
    ///
    /// # Errors
    /// [`Failure::Forbidden`] for a proof that was used before; [`Failure::Invalid`] at `scope` when nothing of it is its own;
    /// [`Failure::NotFound`] for a system that is not configured; the store's.
    pub fn give_token(&self, client: &str, jti: &str, asked: &str) -> Result<Given, Failure> {
        let known = self.setup.fhir_clients.get(client).ok_or(Failure::NotFound)?;
        let scopes = known.scopes.given(asked);
        let key = self.keys.audit.clone();
        let proof = audit::keyed_digest(&key, "fhir-proof", format!("{client} {jti}").as_bytes());
        let (whose, now) = (StaffId(client.to_owned()), self.world.now());
        let line = |outcome| self.account_line(Actor::Feed(client.to_owned()), AccountAct::SignIn, outcome, PROOF);
        let (allowed, refused) = (line(Outcome::Allowed), line(Outcome::Refused));
        let is_first = self.store.write(move |tx| {
            let is_first = standing::once(tx, &proof, &whose, now)?;
            audit::append(tx, &key, if is_first { &allowed } else { &refused })?;
            Ok::<_, Failure>(is_first)
        })?;
        if !is_first {
            return Err(Failure::Forbidden);
        }
        if scopes.is_empty() {
            return Err(Failure::invalid("scope", "nothing of this may be asked for"));
        }
        let until = (now + SignedDuration::from_secs(TOKEN_SECONDS)).as_second();
        let said = format!("{until}~{client}~{}", scopes.to_string().replace(' ', "+"));
        let token = format!("{said}~{}", self.code_of(&said));
        Ok(Given { token, scopes })
    }

    /// Writes down that a system did not prove who it is.
    ///
    /// # Errors
    /// The store's.
    pub fn note_no_token(&self, client: &str) -> Result<(), Failure> {
        if !self.setup.fhir_clients.contains_key(client) {
            return Ok(());
        }
        let line = self.account_line(Actor::Feed(client.to_owned()), AccountAct::SignIn, Outcome::Refused, PROOF);
        let key = self.keys.audit.clone();
        self.store.write(move |tx| Ok(audit::append(tx, &key, &line).map(drop)?))
    }

    /// Who asks with a token; nobody, where it is not one, or not good any more.
    #[must_use]
    pub fn bearer(&self, token: &str) -> Option<Bearer> {
        let (said, code) = token.rsplit_once('~')?;
        // Compared under a code of their own, so that how long it takes tells nothing.
        let own = |code: &str| audit::keyed_digest(&self.keys.audit, "compare", code.as_bytes());
        if own(code) != own(&self.code_of(said)) {
            return None;
        }
        let mut parts = said.splitn(3, '~');
        let (until, client, scopes) = (parts.next()?.parse::<i64>().ok()?, parts.next()?, parts.next()?);
        let is_good = until > self.world.now().as_second() && self.setup.fhir_clients.contains_key(client);
        is_good.then(|| Bearer { client: client.to_owned(), scopes: scopes.replace('+', " ") })
    }

    fn code_of(&self, said: &str) -> String {
        audit::keyed_digest(&self.keys.audit, PURPOSE, said.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::World;
    use crate::testing::service;
    use alongside_store::testing::both_engines;

    #[test]
    fn a_token_is_good_for_minutes_for_what_was_given_and_a_proof_once() {
        both_engines(|store| {
            let (app, world) = service(store);
            let given = app.give_token("record", "1", "system/Task.rs system/Group.rs").unwrap();
            let bearer = app.bearer(&given.token).unwrap();
            assert_eq!((bearer.client.as_str(), bearer.scopes.as_str()), ("record", "system/Task.rs"));
            assert_eq!(app.give_token("record", "1", "system/Task.rs"), Err(Failure::Forbidden));
            assert!(matches!(app.give_token("record", "2", "user/Task.rs"), Err(Failure::Invalid(_))));
            assert_eq!(app.give_token("nobody", "3", "system/Task.rs"), Err(Failure::NotFound));
            for forged in
                [given.token.replace("Task.rs", "Task.cruds"), given.token.replace("record", "other-record"), "~".into(), String::new()]
            {
                assert_eq!(app.bearer(&forged), None, "{forged}");
            }
            app.note_no_token("record").unwrap();
            world.set(world.now() + SignedDuration::from_secs(TOKEN_SECONDS));
            assert_eq!(app.bearer(&given.token), None);
        });
    }
}
