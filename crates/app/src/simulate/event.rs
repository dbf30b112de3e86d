//! What the simulator puts out: a year of hospitals' traffic and of what people did, in the order of time.

use alongside_domain::contact::{Outcome, Way};
use alongside_domain::notice::{Answer, How};
use alongside_domain::person::{ObjectionReason, Scope};
use alongside_domain::question;
use alongside_domain::referral::EndReason;
use jiff::Timestamp;
use jiff::civil::Date;

/// Something that happens at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happening,
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// A hospital's system sends a message (segments ended by CR, no MLLP frame).
    Message {
        /// Key of the feed.
        feed: &'static str,
        /// The message.
        bytes: Vec<u8>,
    },
    /// An operator runs a CSV list in.
    List {
        /// Key of the feed.
        feed: &'static str,
        /// The file.
        csv: String,
    },
    /// Somebody does something, by a command of the application. The person is named by local number.
    Act {
        /// Key of the site.
        site: &'static str,
        /// The person's local number at that site.
        mrn: String,
        /// What is done.
        act: Act,
    },
}

/// What people do in the story. Staff and supporters are keys of the demo's configuration.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// A clinician records notice: the person knows and was told, today.
    Notice {
        /// The clinician.
        by: &'static str,
        /// How.
        how: How,
        /// The answer.
        answer: Answer,
    },
    /// Somebody at the clinic answers the person's open question of this kind.
    Answer {
        /// Who.
        by: &'static str,
        /// The question.
        kind: question::Kind,
        /// The answer.
        answer: question::Answer,
    },
    /// The person objects, any time.
    Object {
        /// How far.
        scope: Scope,
        /// Why.
        reason: ObjectionReason,
    },
    /// The person takes the objection back.
    TakeBack,
    /// The coordinator gives the referral to a supporter, or to another one.
    Allocate {
        /// The supporter.
        to: &'static str,
    },
    /// A supporter records a contact of today.
    Contact {
        /// The supporter.
        supporter: &'static str,
        /// The way.
        way: Way,
        /// What came of it.
        outcome: Outcome,
        /// Minutes.
        minutes: u16,
        /// A few words.
        note: String,
    },
    /// A supporter records an assessment of today.
    Assess {
        /// The supporter.
        supporter: &'static str,
        /// Instrument id (`ons4`, `ucla3`, `phq4`).
        instrument: &'static str,
        /// Link id and answer.
        answers: Vec<(String, i64)>,
    },
    /// A supporter queues a letter, to leave on a later day.
    Letter {
        /// The supporter.
        supporter: &'static str,
        /// Not before this day (09:00).
        not_before: Date,
    },
    /// Somebody ends the referral today.
    End {
        /// Who: a clinician before release, else the supporter or the coordinator.
        by: &'static str,
        /// Why.
        reason: EndReason,
    },
}
