//! Passports of supporters: what each holds, until when, and what happens when nothing is renewed.

use alongside_domain::access::Action;
use alongside_domain::passport::{self, Held, Item, Passport, Standing};
use alongside_domain::supporter::Supporter;
use alongside_store::people;
use jiff::civil::Date;

use super::words::{self, Urgency};
use crate::Failure;
use crate::desk::Desk;

/// How far the look-ahead goes, in days.
pub const HORIZON_DAYS: u16 = 90;
/// From how many days before its end an item is said to end soon.
const SOON_DAYS: i32 = 30;

/// Passports of the supporters of whoever looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passports {
    /// What would happen, a sentence for each day: `On 3 March 14 people lose their supporter unless two items are renewed.`
    pub ahead: Vec<String>,
    /// How many days the look-ahead looks ahead.
    pub horizon_days: u16,
    /// A supporter each, whose passport ends first at the top; those who have left last.
    pub lines: Vec<PassportLine>,
    /// Whether whoever looks may record a renewal.
    pub may_renew: bool,
}

/// A supporter's passport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassportLine {
    /// The supporter's key.
    pub key: String,
    /// First name.
    pub first_name: String,
    /// The partner organisation.
    pub partner: String,
    /// The sites of whoever looks at which they work.
    pub sites: String,
    /// Contract, training, check.
    pub items: Vec<ItemLine>,
    /// Whether everything is in date today.
    pub cleared: bool,
    /// The same in words.
    pub state: &'static str,
    /// How many people they support at these sites: `14 people`.
    pub people: String,
}

/// An item of a passport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemLine {
    /// Its code, for a form.
    pub item: Item,
    /// `Honorary contract`.
    pub title: String,
    /// Its last day, where there is one: `3 March 2025`.
    pub until: Option<String>,
    /// How it stands: `in date`, `ends soon`, `ended`, `not recorded`, `no end date`.
    pub state: &'static str,
    /// How urgent that is.
    pub urgency: Urgency,
}

impl Desk {
    /// The passports of all supporters whom the owner of the desk looks after.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn passports_page(&self) -> Result<Passports, Failure> {
        let (desk, today) = (self.clone(), self.app().today());
        self.disclose(Action::SeePassports, None, move |tx, _| {
            let (all, caseloads) = (desk.app().all_renewed(tx)?, people::caseloads(tx)?);
            let of = |supporter: &Supporter| {
                let theirs = caseloads.iter().filter(|(id, site, _)| *id == supporter.id && desk.viewer().sites.contains(site));
                theirs.map(|(_, _, held)| *held as usize).sum::<usize>()
            };
            let theirs = all.into_values().filter(|supporter| desk.looks_after(supporter));
            let with_people = theirs.map(|supporter| {
                let people = of(&supporter);
                (supporter, people)
            });
            let mut supporters: Vec<_> = with_people.collect();
            supporters.sort_by_key(|(supporter, people)| urgency_of(supporter, *people));
            Ok(Passports {
                ahead: passport::sentences(&passport::look_ahead(today, HORIZON_DAYS, &supporters)),
                horizon_days: HORIZON_DAYS,
                lines: supporters.iter().map(|(supporter, people)| desk.passport_line(supporter, *people, today)).collect(),
                may_renew: desk.may_do(Action::KeepPassports).is_ok(),
            })
        })
    }

    fn passport_line(&self, supporter: &Supporter, people: usize, today: Date) -> PassportLine {
        let passport = Passport::of(supporter);
        let here = self.viewer().sites.iter().filter(|site| supporter.basis_at(site).is_some());
        let sites = here.filter_map(|site| self.app().setup.sites.get(&site.0));
        let partners = self.app().setup.sites.values().flat_map(|site| &site.partners);
        let partner = partners.into_iter().find(|(key, _, _)| *key == supporter.partner).map(|(_, title, _)| title.clone());
        let cleared = passport.cleared_on(today);
        PassportLine {
            key: supporter.id.0.clone(),
            first_name: supporter.first_name.clone(),
            partner: partner.unwrap_or_else(|| supporter.partner.clone()),
            sites: sites.map(|site| site.title.as_str()).collect::<Vec<_>>().join(", "),
            items: passport.items.iter().map(|held| item_line(held, today)).collect(),
            cleared,
            state: match (cleared, supporter.from > today) {
                (true, _) => "everything is in date",
                (false, true) => "has not begun: nothing is open to them",
                (false, false) => "not everything is in date: nothing is open to them",
            },
            people: words::counted(people as u64, "person", "people"),
        }
    }
}

/// Those with people or a contract by what ends first, a missing item before all; then those who have left.
fn urgency_of(supporter: &Supporter, people: usize) -> (bool, Option<Date>, String) {
    let passport = Passport::of(supporter);
    let ends = passport.items.iter().filter(|held| held.item != Item::Contract || held.until.is_some()).map(|held| held.until);
    let first = ends.min().unwrap_or(Some(Date::MAX));
    (people == 0 && supporter.until.is_some(), first, supporter.first_name.clone())
}

pub(super) fn item_line(held: &Held, today: Date) -> ItemLine {
    let standing = held.on(today);
    let ends_soon = held.until.is_some_and(|last| (last - today).get_days() <= SOON_DAYS);
    let (state, urgency) = match standing {
        Standing::InDate if ends_soon => ("ends soon", Urgency::Soon),
        Standing::InDate | Standing::OpenEnded => (standing.words(), Urgency::Calm),
        Standing::Lapsed | Standing::Missing => (standing.words(), Urgency::Late),
    };
    ItemLine { item: held.item, title: words::sentence(held.item.words()), until: held.until.map(words::day), state, urgency }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::testing;

    #[test]
    fn a_coordinator_sees_what_ends_and_a_partners_own_only_theirs() {
        let (app, _database) = testing::app();
        let leila = app.desk("coordinator-leila").unwrap().passports_page().unwrap();
        assert_eq!(leila.ahead.len(), 3, "{:?}", leila.ahead);
        assert!(leila.ahead[0].starts_with("On 20 January ") && leila.ahead[1].starts_with("On 14 February "), "{:?}", leila.ahead);
        assert!(leila.ahead[2].ends_with("two items are renewed."), "{:?}", leila.ahead);
        let states = |key: &str| -> Vec<&str> {
            leila.lines.iter().find(|line| line.key == key).unwrap().items.iter().map(|item| item.state).collect()
        };
        assert_eq!(states("tunde"), ["ends soon", "in date", "in date"]);
        assert_eq!(states("ines"), ["no end date", "in date", "in date"]);
        assert_eq!(states("marcus"), ["ended", "ended", "in date"]);
        assert!(leila.may_renew);
        let nadia = app.desk("coordinator-nadia").unwrap().passports_page().unwrap();
        assert_eq!(nadia.lines, [], "her partner has nobody yet");
    }

    #[test]
    fn governance_reads_passports_and_a_clinician_does_not() {
        let (app, _database) = testing::app();
        assert!(!app.desk("governance-martin").unwrap().passports_page().unwrap().may_renew);
        assert_eq!(app.desk("nurse-aoife").unwrap().passports_page(), Err(Failure::Forbidden));
    }
}
