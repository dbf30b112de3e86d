//! Who may see what, and until when.

use alongside_domain::access::{Action, reach};
use alongside_domain::passport::{Held, Passport, Standing};
use alongside_domain::supporter::Role;
use alongside_store::{Tx, accounts};

use super::access::staff_path;
use super::passports::{ItemLine, item_line};
use super::words;
use crate::Failure;
use crate::desk::Desk;

/// Everybody who works at the viewer's sites, with what is open to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entitled {
    /// A line each, by name.
    pub lines: Vec<EntitledLine>,
    /// How many, in words.
    pub total: String,
    /// The roles, in the order of the table's columns.
    pub roles: Vec<String>,
    /// What each role may do.
    pub matrix: Vec<MatrixRow>,
}

/// A row of the table of what each role may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixRow {
    /// What can be done.
    pub what: String,
    /// What for.
    pub purpose: &'static str,
    /// How far it reaches for each role.
    pub reaches: Vec<&'static str>,
}

/// Somebody with what is open to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntitledLine {
    /// Their own page.
    pub href: String,
    /// Their name.
    pub name: String,
    /// Their role.
    pub role: &'static str,
    /// Where they work.
    pub sites: String,
    /// Whose part they see, where they see a partner's part only.
    pub partner: String,
    /// Contract, training, check.
    pub items: Vec<ItemLine>,
    /// Whether anything about anybody is open to them today.
    pub is_open: bool,
    /// Until when: `Open until 3 March 2025`.
    pub until: String,
    /// Whether they look after shielded records.
    pub shielded: bool,
    /// `Active`, `Suspended`, `Invited`, `No account`.
    pub account: &'static str,
    /// With what they can sign in.
    pub methods: String,
    /// How many sessions of theirs run.
    pub sessions: String,
}

/// One of them, with their sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntitledOne {
    /// Who.
    pub line: EntitledLine,
    /// Their key.
    pub key: String,
    /// What they did.
    pub access: String,
    /// Their sessions that run.
    pub sessions: Vec<SessionLine>,
    /// Whether they are suspended.
    pub suspended: bool,
    /// Whether they are the viewer.
    pub is_self: bool,
}

/// A session that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLine {
    /// How they signed in.
    pub method: String,
    /// When.
    pub since: String,
    /// When it was last used.
    pub seen: String,
}

impl Desk {
    /// Everybody who works at the viewer's sites, with role, sites, contract, training and check, account and sessions.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn entitled_page(&self) -> Result<Entitled, Failure> {
        let desk = self.clone();
        self.disclose(Action::SeeEntitled, None, move |tx, _| {
            let mut lines = Vec::new();
            for colleague in desk.colleagues() {
                lines.push(desk.entitled_line(tx, &colleague)?.0);
            }
            let rows = Action::ALL.iter().map(|action| MatrixRow {
                what: words::sentence(action.words()),
                purpose: action.purpose().words(),
                reaches: Role::ALL.iter().map(|role| reach(*role, *action).words()).collect(),
            });
            Ok(Entitled {
                total: words::counted(lines.len() as u64, "person", "people"),
                lines,
                roles: Role::ALL.iter().map(|role| words::sentence(role.words())).collect(),
                matrix: rows.collect(),
            })
        })
    }

    /// One of them, with their sessions.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for somebody of other sites, as for nobody; [`Failure::Forbidden`]; the store's.
    pub fn entitled_one(&self, key: &str) -> Result<EntitledOne, Failure> {
        self.may_do(Action::SeeEntitled)?;
        let (desk, colleague) = (self.clone(), self.colleague(key)?);
        self.disclose(Action::SeeEntitled, None, move |tx, seen| {
            seen.detail(format!("staff:{}", colleague.id));
            let (line, suspended) = desk.entitled_line(tx, &colleague)?;
            let (now, limits) = (desk.app().world.now(), desk.app().setup.sign_in.limits);
            let sessions = accounts::sessions(tx, &colleague.id)?.into_iter().filter(|session| session.holds(now, limits).is_ok());
            let sessions = sessions.map(|session| SessionLine {
                method: words::sentence(session.method.words()),
                since: words::moment(session.created_at),
                seen: words::recent(session.seen_at, now),
            });
            Ok(EntitledOne {
                line,
                key: colleague.id.0.clone(),
                access: staff_path(&colleague.id.0),
                sessions: sessions.collect(),
                suspended,
                is_self: colleague.id == *desk.staff(),
            })
        })
    }

    /// Somebody's line, and whether they are suspended.
    fn entitled_line(&self, tx: &mut Tx<'_>, colleague: &super::access::Colleague) -> Result<(EntitledLine, bool), Failure> {
        let (app, id) = (self.app(), &colleague.id);
        let (today, now, limits) = (app.today(), app.world.now(), app.setup.sign_in.limits);
        let staff = app.setup.staff.get(&id.0);
        let (passport, partner) = match (staff, app.setup.supporters.get(&id.0)) {
            (None, Some(supporter)) => (Passport::of(&app.renewed(tx, supporter)?), Some(supporter.partner.clone())),
            (staff, _) => (Passport::of_staff(staff.and_then(|staff| staff.until)), staff.and_then(|staff| staff.partner.clone())),
        };
        let account = accounts::load(tx, id)?;
        let suspended = account.as_ref().is_some_and(|account| account.suspended_at.is_some());
        let has_password = account.as_ref().is_some_and(|account| account.password.is_some());
        let passkeys = accounts::passkeys(tx, id)?.len() as u64;
        let elsewhere = accounts::identities(tx, id)?.len() as u64;
        let methods = [
            has_password.then(|| "password and code".to_owned()),
            (passkeys > 0).then(|| words::counted(passkeys, "passkey", "passkeys")),
            (elsewhere > 0).then(|| "organisation account".to_owned()),
        ];
        let methods: Vec<String> = methods.into_iter().flatten().collect();
        let running = accounts::sessions(tx, id)?.into_iter().filter(|session| session.holds(now, limits).is_ok()).count() as u64;
        let is_open = passport.cleared_on(today) && !suspended;
        let line = EntitledLine {
            href: format!("/access/entitled/{id}"),
            name: colleague.name.clone(),
            role: colleague.role.words(),
            sites: colleague.sites.iter().map(|site| app.setup.site_title(site)).collect::<Vec<_>>().join(", "),
            partner: partner.map_or_else(String::new, |key| self.app().setup.partner_title(&key)),
            items: passport.items.iter().map(|held| item_line(held, today)).collect(),
            is_open,
            until: until(&passport, is_open, suspended, today),
            shielded: staff.is_some_and(|staff| staff.sees_shielded),
            account: match (suspended, methods.is_empty()) {
                (true, _) => "Suspended",
                (false, false) => "Active",
                (false, true) if accounts::is_invited(tx, id, now)? => "Invited",
                (false, true) => "No account",
            },
            methods: if methods.is_empty() { "nothing".to_owned() } else { methods.join(", ") },
            sessions: words::counted(running, "session", "sessions"),
        };
        Ok((line, suspended))
    }
}

/// Until when anything is open: the day on which the first item ends.
fn until(passport: &Passport, is_open: bool, suspended: bool, today: jiff::civil::Date) -> String {
    if suspended {
        return "Closed: suspended".to_owned();
    }
    if is_open {
        let first = passport.items.iter().filter_map(|held| held.until).min();
        return first.map_or_else(|| "Open, no end date".to_owned(), |day| format!("Open until {}", words::day(day)));
    }
    let ended = |held: &&Held| matches!(held.on(today), Standing::Lapsed | Standing::Missing);
    let what = passport.items.iter().find(ended);
    what.map_or_else(|| "Closed: has not begun".to_owned(), |held| format!("Closed: {} {}", held.item.words(), held.on(today).words()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FixedWorld;
    use alongside_domain::supporter::StaffId;
    use alongside_store::testing::both_engines;

    #[test]
    fn everybody_stands_there_with_what_is_open_to_them_and_until_when() {
        both_engines(|store| {
            let app = crate::testing::app(store, FixedWorld::at("2025-01-06T08:30:00Z".parse().unwrap()));
            app.invite(&StaffId("ines".into()), "operator").unwrap();
            let page = app.desk("governance-martin").unwrap().entitled_page().unwrap();
            assert_eq!(page.lines.len(), app.setup.staff.len() + app.setup.supporters.len());
            let line = |name: &str| page.lines.iter().find(|line| line.name == name).unwrap();
            assert_eq!(line("Grace").until, "Open until 3 March 2025");
            assert_eq!((line("Marcus").is_open, line("Marcus").until.as_str()), (false, "Closed: honorary contract ended"));
            assert_eq!((line("Inês").account, line("Dele").account), ("Invited", "No account"));
            assert!(line("Dr Megan Hughes").shielded && !line("Aoife Brennan").shielded);
            assert_eq!(line("Nadia Rahimi").partner, "Sophia Forum");
            assert_eq!(page.matrix.len(), Action::ALL.len());
            assert!(page.matrix.iter().all(|row| row.reaches.len() == page.roles.len()));
        });
    }
}
