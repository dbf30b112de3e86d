//! How far a request has come, as whoever asked is told: neutral words, and nothing of what was said.
//!
//! The closed loop is that of FHIR `Task`: the states are Gravity's (SDOH Clinical Care, "Task for referral management",
//! which leaves out `received` and `ready`), the business status is BSeR's, both cut down to what a record that a whole
//! trust can read may hold. A request that joined a referral tells of that referral.

use crate::coded;
use crate::record::Record;
use crate::referral::{EndReason, Status, examples};
use crate::trigger::{Exclusion, Outcome, Trigger};

coded! {
    /// The state of the work (FHIR R4 `task-status`).
    pub enum TaskStatus {
        Requested = "requested", "requested";
        Accepted = "accepted", "accepted";
        InProgress = "in-progress", "in progress";
        OnHold = "on-hold", "on hold";
        Rejected = "rejected", "rejected";
        Cancelled = "cancelled", "cancelled";
        Failed = "failed", "failed";
        Completed = "completed", "completed";
        EnteredInError = "entered-in-error", "entered in error";
    }
}

coded! {
    /// What that means here (after BSeR's `TaskBusinessStatus`).
    pub enum BusinessStatus {
        Received = "received", "received";
        Waiting = "waiting", "waiting for somebody";
        Accepted = "accepted", "somebody has taken it on";
        Contacting = "contacting", "being contacted";
        EventCompleted = "event-completed", "in contact";
        OnHold = "on-hold", "paused";
        Declined = "declined", "not wanted at present";
        Cancelled = "cancelled", "cancelled";
        NoContact = "no-contact", "could not be reached";
        Completed = "completed", "completed";
        EnteredInError = "entered-in-error", "entered in error";
    }
}

coded! {
    /// The state of the request itself (FHIR R4 `request-status`), which follows from that of the work.
    pub enum RequestStatus {
        Active = "active", "active";
        Completed = "completed", "completed";
        Revoked = "revoked", "revoked";
        EnteredInError = "entered-in-error", "entered in error";
    }
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The state of the work.
    pub task: TaskStatus,
    /// What that means here.
    pub business: BusinessStatus,
}

impl Progress {
    const fn new(task: TaskStatus, business: BusinessStatus) -> Self {
        Self { task, business }
    }

    /// How far what a trigger asks for has come. Every state by name: a new one is a decision about what leaves.
    #[must_use]
    pub fn of(trigger: &Trigger, record: &Record) -> Self {
        use BusinessStatus as B;
        use TaskStatus as T;
        match trigger.outcome {
            Outcome::Referral(id) => record
                .referral(id)
                .map_or(Self::new(T::Requested, B::Received), |referral| Self::of_status(&referral.status, referral.is_engaged())),
            // What is asked, and that anything is, stays with the clinic.
            Outcome::Question(_) => Self::new(T::Requested, B::Received),
            Outcome::OptedOut => Self::new(T::Rejected, B::Declined),
            Outcome::Excluded(why) => match why {
                Exclusion::Died | Exclusion::OrderCancelled | Exclusion::AttendanceCancelled => Self::new(T::Cancelled, B::Cancelled),
                Exclusion::ResultWithdrawn => Self::new(T::EnteredInError, B::EnteredInError),
                Exclusion::KnownNoOffer | Exclusion::NotToBeOffered | Exclusion::AttendsAsUsual => Self::new(T::Rejected, B::Declined),
            },
        }
    }

    fn of_status(status: &Status, engaged: bool) -> Self {
        use BusinessStatus as B;
        use TaskStatus as T;
        match status {
            // That the person has not been spoken with is the clinic's to know: a record is read by many, the person among them.
            Status::AwaitingNotice => Self::new(T::Requested, B::Received),
            Status::Deferred { .. } | Status::Held { .. } => Self::new(T::OnHold, B::OnHold),
            Status::OptedOut => Self::new(T::Rejected, B::Declined),
            Status::Open => Self::new(T::Requested, B::Waiting),
            Status::Allocated { .. } => Self::new(T::Accepted, B::Accepted),
            Status::Contacting { .. } => Self::new(T::InProgress, B::Contacting),
            // What kind of conversations there are is nobody else's.
            Status::Engaged { .. } | Status::Assessed { .. } | Status::Supported { .. } => Self::new(T::InProgress, B::EventCompleted),
            Status::Ended { reason } => Self::of_end(*reason, engaged),
        }
    }

    const fn of_end(reason: EndReason, engaged: bool) -> Self {
        use BusinessStatus as B;
        use TaskStatus as T;
        match reason {
            EndReason::Completed => Self::new(T::Completed, B::Completed),
            EndReason::ChoseToStop | EndReason::Moved | EndReason::Transferred | EndReason::ReferredOn if engaged => {
                Self::new(T::Completed, B::Completed)
            }
            EndReason::ChoseToStop => Self::new(T::Rejected, B::Declined),
            EndReason::NotReached => Self::new(T::Failed, B::NoContact),
            EndReason::Moved | EndReason::Transferred | EndReason::ReferredOn | EndReason::Died => Self::new(T::Cancelled, B::Cancelled),
            EndReason::RequestWithdrawn | EndReason::Joined => Self::new(T::Cancelled, B::Cancelled),
            EndReason::EnteredInError => Self::new(T::EnteredInError, B::EnteredInError),
        }
    }

    /// The state of the request. Whoever asked is told when nothing more is to be expected; what was rejected or failed
    /// stays theirs to end.
    #[must_use]
    pub const fn request(self) -> RequestStatus {
        match self.task {
            TaskStatus::Requested | TaskStatus::Accepted | TaskStatus::InProgress | TaskStatus::OnHold => RequestStatus::Active,
            TaskStatus::Rejected | TaskStatus::Failed => RequestStatus::Active,
            TaskStatus::Cancelled => RequestStatus::Revoked,
            TaskStatus::Completed => RequestStatus::Completed,
            TaskStatus::EnteredInError => RequestStatus::EnteredInError,
        }
    }
}

/// The whole table in Markdown: what is told at each stage. It is printed into `docs/progress.md`.
#[must_use]
pub fn table() -> String {
    let told = |progress: Progress| format!("{} | {} | {}", progress.task, progress.business, progress.request());
    let mut table =
        String::from("| stage | `Task.status` | `Task.businessStatus` | `ServiceRequest.status` |\n| --- | --- | --- | --- |\n");
    let mut line = |stage: &str, progress| table.push_str(&format!("| {stage} | {} |\n", told(progress)));
    for status in examples().iter().filter(|status| status.is_live()) {
        line(status.stage().words(), Progress::of_status(status, false));
    }
    for reason in EndReason::ALL {
        let (before, after) = (Progress::of_end(*reason, false), Progress::of_end(*reason, true));
        if before == after {
            line(&format!("ended: {}", reason.words()), before);
        } else {
            line(&format!("ended before a first conversation: {}", reason.words()), before);
            line(&format!("ended after one: {}", reason.words()), after);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect_file;

    #[test]
    fn what_is_told_of_a_request_is_what_the_documents_say() {
        let text = format!(
            "# What whoever asked is told\n\nHow far a request has come, as a hospital's system reads it over FHIR: neutral words, and nothing of what was said.\nPrinted by `cargo test -p alongside-domain` (`UPDATE_EXPECT=1` writes it anew); a change here is a change of what leaves.\n\n{}",
            table()
        );
        expect_file!["../../../docs/progress.md"].assert_eq(&text);
    }

    #[test]
    fn no_word_that_leaves_tells_what_the_service_is_about() {
        for words in TaskStatus::ALL.iter().map(|told| told.words()).chain(BusinessStatus::ALL.iter().map(|told| told.words())) {
            for telling in ["hiv", "peer", "diagnos", "died", "death"] {
                assert!(!words.to_lowercase().contains(telling), "{words}");
            }
        }
    }
}
