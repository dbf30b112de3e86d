//! The hatch: the application as one hospital's system may use it, over FHIR R4.
//!
//! As a [`crate::Desk`] is for people, a [`Hatch`] is for a system: made anew for every request, it admits what the system's
//! scopes allow, shows it what it asked for and nothing besides, and writes each reading into the audit in the transaction
//! that reads. What comes in is a request for support ([`asking`]), which becomes the same fact as an order in a message.
//! What goes out is told in neutral words ([`alongside_domain::progress`]), version by version.

mod answering;
mod asking;
mod batch;
mod capability;
mod hatch;
mod kinds;
mod scopes;
mod searching;
#[cfg(test)]
mod tests;
mod tokens;
mod told;

pub(crate) use asking::{has_code, name_of};
pub use hatch::{Hatch, Reply, Request};
pub use kinds::{Interaction, SERVED, Served};
pub use scopes::Scopes;
pub use tokens::{Bearer, Given, TOKEN_SECONDS};
pub(crate) use told::id_of;

use alongside_domain::id::PersonId;
use alongside_fhir::{Code, Issue};
use alongside_store::StoreError;

use crate::Failure;

/// Why a request was not carried out: an HTTP status with what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) issues: Vec<Issue>,
    /// Where the same is already.
    pub(crate) location: Option<String>,
    /// Somebody who is not theirs was asked for: that is written down.
    pub(crate) turned_away: Option<PersonId>,
}

impl Refused {
    pub(crate) fn new(status: u16, issue: Issue) -> Self {
        Self::all(status, vec![issue])
    }

    pub(crate) const fn all(status: u16, issues: Vec<Issue>) -> Self {
        Self { status, issues, location: None, turned_away: None }
    }

    /// The answer for what is not there, as for what is not theirs.
    pub(crate) fn not_found() -> Self {
        Self::new(404, Issue::whole(Code::NotFound, "There is no such thing here."))
    }

    /// A rule of the closed loop.
    pub(crate) fn rule(place: impl Into<String>, what: &str) -> Self {
        Self::new(422, Issue::at(Code::BusinessRule, place, what))
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Invalid(problems) => {
                Self::all(422, problems.into_iter().map(|problem| Issue::at(Code::Value, problem.place, problem.what)).collect())
            }
            Failure::Refused(refusal) => Self::new(422, Issue::whole(Code::BusinessRule, refusal.words())),
            Failure::Forbidden => Self::new(403, Issue::whole(Code::Forbidden, "The scopes of this token do not allow it.")),
            Failure::NotFound => Self::not_found(),
            Failure::Busy | Failure::Unavailable(_) => {
                Self::new(503, Issue::whole(Code::Transient, "Nothing can be kept at this moment. Try again; nothing was changed."))
            }
            Failure::Broken(_) => Self::new(500, Issue::whole(Code::Exception, "Something is broken in here. Nothing was changed.")),
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Failure::from(error).into()
    }
}
