//! Information governance at work: uses of break-glass are reviewed, sessions are ended, somebody is suspended.

use alongside_domain::access::{self, Action};
use alongside_domain::coded;
use alongside_domain::glass::{Finding, WORDS_CHARS_MAX};
use alongside_domain::id::GlassId;
use alongside_domain::session::Ended;
use alongside_store::standing::{self, Review};
use alongside_store::{Tx, accounts};

use super::Desk;
use crate::accounts::{reinstate_in, suspend_in};
use crate::{Failure, Invalid};

coded! {
    /// What is done about somebody's access at once.
    pub enum Ending {
        Sessions = "sessions", "sessions ended";
        Suspended = "suspended", "suspended";
        Reinstated = "reinstated", "reinstated";
    }
}

impl Desk {
    /// How many uses of break-glass at the viewer's sites nobody has reviewed; none for whoever does not review them.
    ///
    /// # Errors
    /// The store's.
    pub fn glass_to_review(&self) -> Result<u64, Failure> {
        if self.may_do(Action::ReviewGlass).is_err() {
            return Ok(0);
        }
        self.app().store.read(|tx| {
            let mut waiting = 0;
            for site in self.sites(Action::ReviewGlass) {
                waiting += standing::count_to_review(tx, &site.key)?;
            }
            Ok(waiting)
        })
    }

    /// A use of break-glass at one of the viewer's sites.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for another site's, as for none; the store's.
    pub(crate) fn glass_at_own_site(&self, tx: &mut Tx<'_>, id: GlassId) -> Result<standing::Glass, Failure> {
        let glass = standing::glass(tx, id)?.ok_or(Failure::NotFound)?;
        access::may_at(self.viewer(), Action::ReviewGlass, &glass.site)?;
        Ok(glass)
    }

    /// Records what was found about a use of break-glass. The first finding stays.
    ///
    /// # Errors
    /// [`Failure::Invalid`] without a note, or when it was reviewed before; [`Failure::NotFound`] for another site's;
    /// [`Failure::Forbidden`]; the store's.
    pub fn review_glass(&self, id: GlassId, finding: Option<Finding>, note: &str) -> Result<(), Failure> {
        self.may_do(Action::ReviewGlass)?;
        let note = note.trim().to_owned();
        let mut problems = Vec::new();
        if finding.is_none() {
            problems.push(Invalid::new("finding", "Choose what you found"));
        }
        if note.is_empty() || note.chars().count() > WORDS_CHARS_MAX {
            problems.push(Invalid::new("note", format!("Enter in up to {WORDS_CHARS_MAX} characters what you base this on")));
        }
        let Some(finding) = finding.filter(|_| problems.is_empty()) else { return Err(Failure::Invalid(problems)) };
        let desk = self.clone();
        self.disclose(Action::ReviewGlass, None, move |tx, seen| {
            let glass = desk.glass_at_own_site(tx, id)?;
            if let Some(person) = glass.person {
                seen.person(person);
            }
            seen.detail(format!("glass:{id}"));
            let review = Review { by: desk.staff().clone(), at: desk.app().world.now(), finding, note: note.clone() };
            if standing::review(tx, id, &review)? { Ok(()) } else { Err(Failure::invalid("finding", "Somebody has reviewed this already")) }
        })
    }

    /// Ends the sessions of somebody who works at one of the viewer's sites, suspends them, or takes a suspension back: at
    /// once, and written down in the same transaction.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for the viewer themselves; [`Failure::NotFound`] for somebody of other sites, as for nobody;
    /// [`Failure::Forbidden`]; the store's.
    pub fn end_access(&self, staff: &str, ending: Ending) -> Result<(), Failure> {
        self.may_do(Action::EndSessions)?;
        let colleague = self.colleague(staff)?.id;
        if colleague == *self.staff() {
            return Err(Failure::invalid("do", "Ask somebody else to do this: it is about yourself"));
        }
        let desk = self.clone();
        self.disclose(Action::EndSessions, None, move |tx, seen| {
            seen.detail(format!("{ending}:{colleague}"));
            let now = desk.app().world.now();
            match ending {
                Ending::Sessions => accounts::end_all(tx, &colleague, None, now, Ended::EndedByGovernance).map(drop)?,
                Ending::Suspended => suspend_in(tx, &colleague, now)?,
                Ending::Reinstated => reinstate_in(tx, &colleague)?,
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FixedWorld;
    use alongside_domain::session::Method;
    use alongside_domain::supporter::StaffId;
    use alongside_store::testing::both_engines;

    #[test]
    fn sessions_end_at_once_and_the_audit_says_whose() {
        both_engines(|store| {
            let app = crate::testing::app(store, FixedWorld::at("2025-01-06T08:30:00Z".parse().unwrap()));
            let aoife = StaffId("nurse-aoife".into());
            let martin = app.desk("governance-martin").unwrap();
            let open = || app.open_session(&aoife, Method::Demo);
            let token = open().unwrap();
            assert_eq!(martin.entitled_one("nurse-aoife").unwrap().sessions.len(), 1);
            martin.end_access("nurse-aoife", Ending::Sessions).unwrap();
            assert_eq!(app.session(token.reveal()), Ok(None));
            assert!(open().is_ok());
            martin.end_access("nurse-aoife", Ending::Suspended).unwrap();
            assert!(open().is_err() && martin.entitled_one("nurse-aoife").unwrap().suspended);
            martin.end_access("nurse-aoife", Ending::Reinstated).unwrap();
            assert!(open().is_ok());
            let lately = martin.staff_access("governance-martin", &crate::pages::AccessAsked::default()).unwrap().lately;
            assert_eq!(lately.iter().filter(|line| line.kind == "Changed").count(), 3);
            assert!(matches!(martin.end_access("governance-martin", Ending::Suspended), Err(Failure::Invalid(_))));
            assert_eq!(martin.end_access("nobody", Ending::Sessions), Err(Failure::NotFound));
            for other in ["nurse-aoife", "safeguarding-ruth", "ines", "coordinator-leila", "manager-frances", "engineer-wei"] {
                let desk = app.desk(other).unwrap();
                assert_eq!(desk.end_access("dele", Ending::Suspended), Err(Failure::Forbidden), "{other}");
                assert_eq!(desk.entitled_page().map(drop), Err(Failure::Forbidden), "{other}");
            }
        });
    }
}
