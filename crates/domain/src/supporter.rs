//! Peer supporters and clinic staff, as far as rules ask about them.
//!
//! A supporter's own HIV status is special-category data of a member of staff: nothing here records or implies it.

use jiff::civil::Date;

use crate::coded;
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
        self.from <= day && self.until.is_none_or(|last| day <= last)
    }
}
