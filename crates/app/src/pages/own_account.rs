//! Somebody's own account: what they sign in with, where they are signed in, and until when they may work here.

use alongside_domain::passport::Passport;
use alongside_domain::session::Session;

use super::passports::{ItemLine, item_line};
use super::words;
use crate::Failure;
use crate::desk::Desk;

/// The page of somebody's own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAccount {
    /// The name with which they sign in.
    pub key: String,
    /// Their sessions, newest first.
    pub sessions: Vec<OwnSession>,
    /// Their passkeys, oldest first.
    pub passkeys: Vec<OwnPasskey>,
    /// Whether they have a password here.
    pub has_password: bool,
    /// Whether they proved who they are just now, so that they may add a passkey.
    pub is_fresh: bool,
    /// What they must hold to work here, and until when.
    pub items: Vec<ItemLine>,
}

/// A session of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// Its name here, for a form.
    pub digest: String,
    /// `today at 8:30am`.
    pub since: String,
    /// When it was last used.
    pub seen: String,
    /// How they signed in.
    pub method: &'static str,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// A passkey of theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPasskey {
    /// Its id, for a form.
    pub id: String,
    /// When it was added.
    pub added: String,
    /// When it was last used, or that it was not.
    pub used: String,
}

impl Desk {
    /// The page of its owner's account, asked for in a session.
    ///
    /// # Errors
    /// The store's.
    pub fn account_page(&self, session: &Session) -> Result<OwnAccount, Failure> {
        let (app, staff) = (self.app(), self.staff());
        let now = app.world.now();
        let own = |other: Session| OwnSession {
            is_this: other.digest == session.digest,
            since: words::sentence(&words::recent(other.created_at, now)),
            seen: words::recent(other.seen_at, now),
            method: other.method.words(),
            digest: other.digest,
        };
        Ok(OwnAccount {
            key: staff.0.clone(),
            sessions: app.sessions_of(staff)?.into_iter().map(own).collect(),
            passkeys: app
                .passkeys_of(staff)?
                .into_iter()
                .map(|passkey| OwnPasskey {
                    id: passkey.id,
                    added: words::recent(passkey.added_at, now),
                    used: passkey
                        .used_at
                        .map_or_else(|| "not used yet".to_owned(), |used| format!("last used {}", words::recent(used, now))),
                })
                .collect(),
            has_password: app.account(staff)?.is_some_and(|account| account.password.is_some()),
            is_fresh: session.is_fresh(now),
            items: self.own_items()?,
        })
    }

    fn own_items(&self) -> Result<Vec<ItemLine>, Failure> {
        let (app, key) = (self.app(), &self.staff().0);
        let passport = match (app.setup.staff.get(key), app.setup.supporters.get(key)) {
            (Some(member), _) => Passport::of_staff(member.until),
            (None, Some(supporter)) => Passport::of(&app.store.read(|tx| app.renewed(tx, supporter))?),
            (None, None) => return Err(Failure::NotFound),
        };
        let (today, is_employed) = (app.today(), app.setup.staff.contains_key(key));
        let mut items: Vec<_> = passport.items.iter().map(|held| item_line(held, today)).collect();
        // Those who are employed have a contract that is not an honorary one.
        items.iter_mut().filter(|_| is_employed).for_each(|item| item.title = "Contract".to_owned());
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use alongside_domain::session::Method;
    use alongside_domain::supporter::StaffId;

    use crate::pages::testing;

    #[test]
    fn somebody_sees_their_own_sessions_and_until_when_they_may_work_here() {
        let (app, _database) = testing::app();
        let tunde = StaffId("tunde".into());
        let (one, _other) = (app.open_session(&tunde, Method::Passkey).unwrap(), app.open_session(&tunde, Method::Demo).unwrap());
        app.open_session(&StaffId("ines".into()), Method::Demo).unwrap();
        let session = app.session(one.reveal()).unwrap().unwrap();
        let page = app.desk("tunde").unwrap().account_page(&session).unwrap();
        assert_eq!((page.sessions.len(), page.sessions.iter().filter(|session| session.is_this).count()), (2, 1));
        assert_eq!(page.sessions[0].since, "Today at 8:30am");
        assert!(page.is_fresh && !page.has_password && page.passkeys.is_empty());
        assert_eq!(page.items.iter().map(|item| item.state).collect::<Vec<_>>(), ["ends soon", "in date", "in date"]);
        let nurse = app.desk("nurse-aoife").unwrap().account_page(&session).unwrap();
        assert_eq!((nurse.items.len(), nurse.items[0].title.as_str(), nurse.sessions.len()), (1, "Contract", 0));
    }
}
