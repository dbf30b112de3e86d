//! Passports of supporters: who looks after whose, and what was renewed.

use alongside_domain::access::Action;
use alongside_domain::passport::{Item, YEARS_AHEAD_MAX};
use alongside_domain::supporter::Supporter;
use alongside_store::standing::{self, Renewal};
use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan};

use super::Desk;
use crate::Failure;

impl Desk {
    /// Whether somebody is a supporter of the owner's: at one of their sites, and of their partner where they have one.
    pub(crate) fn looks_after(&self, supporter: &Supporter) -> bool {
        let viewer = self.viewer();
        let partners = viewer.partner.as_ref().is_none_or(|partner| partner.supporters.contains(&supporter.id));
        partners && viewer.sites.iter().any(|site| supporter.basis_at(site).is_some())
    }

    /// Records that an item of a supporter is in date until a day. A day that is past says that it has ended.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::NotFound`] for a supporter who is not theirs, as for nobody; [`Failure::Invalid`]
    /// for a day before the contract began or further than [`YEARS_AHEAD_MAX`] years away; the store's.
    pub fn renew(&self, supporter: &str, item: Item, until: Date) -> Result<(), Failure> {
        self.may_do(Action::KeepPassports)?;
        let found = self.app().setup.supporters.get(supporter).filter(|found| self.looks_after(found)).ok_or(Failure::NotFound)?;
        let latest = self.app().today().saturating_add(YEARS_AHEAD_MAX.years());
        if until > latest {
            return Err(Failure::invalid("until", format!("Enter a date that is at most {YEARS_AHEAD_MAX} years away")));
        }
        if until < found.from {
            return Err(Failure::invalid("until", "Enter a date after the contract began"));
        }
        let (desk, supporter) = (self.clone(), found.id.clone());
        self.disclose(Action::KeepPassports, None, move |tx, seen| {
            seen.detail(item.code());
            // What is recorded last counts, also where the clock stood still between two lines, or was set back.
            let before = standing::renewals(tx, &supporter)?.into_iter().filter(|line| line.item == item.code()).map(|line| line.at).max();
            let now = desk.app().world.now();
            let at = before.map_or(now, |before| now.max(before + SignedDuration::from_micros(1)));
            let recorded_by = desk.staff().clone();
            let renewal = Renewal { item: item.code().to_owned(), until, recorded_by, at };
            Ok(standing::renew(tx, &supporter, &renewal)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::service;
    use alongside_store::testing::both_engines;
    use jiff::civil::date;

    #[test]
    fn what_is_renewed_counts_at_once_and_what_ends_does() {
        both_engines(|store| {
            let (app, _) = service(store);
            let max = app.desk("coordinator-max").unwrap();
            assert!(app.desk("anna").unwrap().viewer().cleared);
            max.renew("anna", Item::Dbs, date(2024, 4, 1)).unwrap();
            assert!(!app.desk("anna").unwrap().viewer().cleared, "the check ended yesterday");
            max.renew("anna", Item::Dbs, date(2024, 4, 2)).unwrap();
            assert!(app.desk("anna").unwrap().viewer().cleared, "the last day counts, and the last line");
            assert!(!app.desk("ben").unwrap().viewer().cleared);
            max.renew("ben", Item::Contract, date(2025, 12, 31)).unwrap();
            assert!(!app.desk("ben").unwrap().viewer().cleared, "his training was never recorded");
            max.renew("ben", Item::Training, date(2025, 12, 31)).unwrap();
            assert!(app.desk("ben").unwrap().viewer().cleared);
        });
    }

    #[test]
    fn what_has_ended_stays_ended_though_the_clock_is_set_back() {
        both_engines(|store| {
            let (app, world) = service(store);
            let now = app.world.now();
            let max = app.desk("coordinator-max").unwrap();
            max.renew("anna", Item::Dbs, date(2024, 4, 1)).unwrap();
            app.tick().unwrap();
            world.set(now - SignedDuration::from_hours(48));
            assert!(!app.desk("anna").unwrap().viewer().cleared);
            max.renew("ben", Item::Contract, date(2025, 12, 31)).unwrap();
            assert!(!app.desk("anna").unwrap().viewer().cleared, "nor when something was written meanwhile");
        });
    }

    #[test]
    fn only_a_coordinator_renews_and_only_what_can_be() {
        both_engines(|store| {
            let (app, _) = service(store);
            let until = date(2025, 1, 1);
            for staff in ["nurse-ada", "anna", "lead-joy"] {
                assert_eq!(app.desk(staff).unwrap().renew("anna", Item::Dbs, until), Err(Failure::Forbidden), "{staff}");
            }
            let max = app.desk("coordinator-max").unwrap();
            assert_eq!(max.renew("nobody", Item::Dbs, until), Err(Failure::NotFound));
            for wrong in [date(2029, 4, 3), date(2021, 12, 31)] {
                assert!(matches!(max.renew("anna", Item::Dbs, wrong), Err(Failure::Invalid(_))), "{wrong}");
            }
        });
    }
}
