//! Facts: what a sender said, in our words, with nothing decided.

use jiff::civil::Date;

use crate::coded;
use crate::person::{Demographics, Identifier, NhsNumberHeld};

coded! {
    /// Whether the sender's signal itself says that a diagnosis is new.
    pub enum Novelty {
        New = "new", "new";
        Known = "known", "known";
        Unknown = "unknown", "cannot tell";
    }
}

coded! {
    /// What kind of signal showed a diagnosis.
    pub enum Evidence {
        Result = "result", "laboratory result";
        Coded = "coded", "diagnosis code";
        Listed = "listed", "row of the clinic's list";
        Order = "order", "order or referral";
    }
}

/// Who a message is about, as the sender identifies them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Local identifiers that the profile recognises.
    pub identifiers: Vec<Identifier>,
    /// NHS number, where there is one.
    pub nhs_number: Option<NhsNumberHeld>,
    /// What is said of the person.
    pub demographics: Demographics,
}

/// One thing that a message says about its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A confirmed HIV diagnosis.
    HivConfirmed {
        /// What showed it.
        evidence: Evidence,
        /// Whether the signal says that it is new.
        novelty: Novelty,
        /// The day of the diagnosis.
        on: Date,
        /// The sender's number of the result or visit.
        number: Option<String>,
    },
    /// A result that was corrected to something else, deleted or withdrawn (OBX-11 C, W, X, D).
    ResultWithdrawn {
        /// The sender's number of the result.
        number: String,
    },
    /// An attendance at the HIV clinic.
    ClinicAttended {
        /// The day.
        on: Date,
        /// The visit number.
        visit: Option<String>,
    },
    /// The last attendance as a list states it: history, never a trigger.
    LastAttended {
        /// The day.
        on: Date,
    },
    /// An attendance was cancelled (A11, A13).
    AttendanceCancelled {
        /// The visit number.
        visit: String,
    },
    /// A booked appointment at the HIV clinic was missed.
    AppointmentMissed {
        /// The day.
        on: Date,
    },
    /// A viral load or another sign of HIV care was reported for a person whom we know.
    HivCareReported {
        /// The day.
        on: Date,
    },
    /// The clinic ordered peer support.
    ReferralOrdered {
        /// The day of the order.
        on: Date,
        /// The sender's order or referral number.
        number: Option<String>,
    },
    /// The clinic withdrew its order.
    ReferralOrderCancelled {
        /// The sender's order or referral number.
        number: String,
    },
    /// The person has died.
    PersonDied {
        /// The day, where known.
        on: Option<Date>,
    },
    /// Name, birth date, telephone or identifiers as the subject states them.
    DemographicsStated,
}

impl Fact {
    /// Whether this fact alone makes its subject somebody the service is for, so that it must be kept even when the
    /// person is not known yet.
    #[must_use]
    pub const fn is_signal(&self) -> bool {
        match self {
            Self::HivConfirmed { .. } | Self::ReferralOrdered { .. } => true,
            Self::ResultWithdrawn { .. }
            | Self::ClinicAttended { .. }
            | Self::LastAttended { .. }
            | Self::AttendanceCancelled { .. }
            | Self::AppointmentMissed { .. }
            | Self::HivCareReported { .. }
            | Self::ReferralOrderCancelled { .. }
            | Self::PersonDied { .. }
            | Self::DemographicsStated => false,
        }
    }
}
