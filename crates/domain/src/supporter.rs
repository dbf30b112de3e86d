//! Peer supporters and clinic staff, as far as rules ask about them.
//!
//! A supporter's own HIV status is special-category data of a member of staff: nothing here records or implies it.

use jiff::civil::Date;

use crate::coded;
use crate::passport::{Item, Passport};
use crate::person::SiteId;

/// The key of a member of staff or a supporter in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StaffId(pub String);

impl std::fmt::Display for StaffId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

coded! {
    /// What somebody does in the service.
    pub enum Role {
        Clinician = "clinician", "clinician";
        SafeguardingLead = "safeguarding-lead", "safeguarding lead";
        Supporter = "supporter", "peer supporter";
        Coordinator = "coordinator", "coordinator";
        /// Reads aggregates with small numbers kept back, and never a name: a manager, and a commissioner as well.
        Manager = "manager", "manager";
        InformationGovernance = "information-governance", "information-governance lead";
        IntegrationEngineer = "integration-engineer", "integration engineer";
    }
}

coded! {
    /// On which lawful footing a supporter of a partner learns of a person at a site.
    pub enum Basis {
        /// Under an honorary contract in the clinic's team: notice and no objection suffice.
        Inside = "inside", "inside the clinic's team";
        /// Information leaves for the partner's own systems: recorded explicit consent comes first. The safe default.
        Outside = "outside", "outside the clinic's team";
    }
}

/// A peer supporter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supporter {
    /// Key in the configuration.
    pub id: StaffId,
    /// First name: the only name that pages show.
    pub first_name: String,
    /// The partner organisation's key.
    pub partner: String,
    /// Where they work, and on which footing.
    pub sites: Vec<(SiteId, Basis)>,
    /// First day of the honorary contract.
    pub from: Date,
    /// Last day of the honorary contract, where it is known.
    pub until: Option<Date>,
    /// Last day on which data-security training is in date; without one it is not.
    pub training_until: Option<Date>,
    /// Last day on which the DBS check is in date; without one it is not.
    pub dbs_until: Option<Date>,
    /// How many people they can support at once.
    pub capacity: u32,
}

impl Supporter {
    /// The footing at a site, or `None` when they do not work there.
    #[must_use]
    pub fn basis_at(&self, site: &SiteId) -> Option<Basis> {
        self.sites.iter().find(|(at, _)| at == site).map(|(_, basis)| *basis)
    }

    /// Whether the contract covers a day, its first and last included.
    #[must_use]
    pub fn works_on(&self, day: Date) -> bool {
        Passport::of(self).contract_covers(day)
    }

    /// Whether contract, training and check are all in date on a day: then people may be given to them, and are open to them.
    #[must_use]
    pub fn cleared_on(&self, day: Date) -> bool {
        Passport::of(self).cleared_on(day)
    }

    /// The last day of an item, where it is known.
    #[must_use]
    pub const fn until(&self, item: Item) -> Option<Date> {
        match item {
            Item::Contract => self.until,
            Item::Training => self.training_until,
            Item::Dbs => self.dbs_until,
        }
    }

    /// Notes that an item is in date until a day.
    pub const fn renew(&mut self, item: Item, until: Date) {
        let held = match item {
            Item::Contract => &mut self.until,
            Item::Training => &mut self.training_until,
            Item::Dbs => &mut self.dbs_until,
        };
        *held = Some(until);
    }
}
