//! The referral: its states, and the one function that moves it.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::coded;
use crate::decision::Refusal;
use crate::id::{PersonId, ReferralId};
use crate::notice::Notice;
use crate::person::SiteId;
use crate::supporter::StaffId;
use crate::trigger;

coded! {
    /// The stage of a referral, without what each state carries.
    pub enum Stage {
        AwaitingNotice = "awaiting-notice", "awaiting notice";
        Deferred = "deferred", "deferred";
        OptedOut = "opted-out", "opted out";
        Open = "open", "open";
        Allocated = "allocated", "allocated";
        Contacting = "contacting", "being contacted";
        Engaged = "engaged", "engaged";
        Assessed = "assessed", "assessed";
        Supported = "supported", "supported";
        Held = "held", "stopped, waits for a person";
        Ended = "ended", "ended";
    }
}

coded! {
    /// Why a referral ended. A timer never ends one.
    pub enum EndReason {
        Completed = "completed", "support completed as planned";
        ChoseToStop = "chose-to-stop", "the person chose to stop";
        Moved = "moved", "moved away";
        Transferred = "transferred", "care transferred elsewhere";
        ReferredOn = "referred-on", "referred on to another service";
        NotReached = "not-reached", "could not be reached, after attempts that a person judged enough";
        Died = "died", "the person died";
        EnteredInError = "entered-in-error", "raised in error";
        RequestWithdrawn = "request-withdrawn", "the clinic withdrew its request";
        Joined = "joined", "joined with another referral of the same person";
    }
}

impl EndReason {
    /// Whether somebody may choose it on a form. A death and a merge are recorded as what they are, and end a referral by
    /// themselves.
    #[must_use]
    pub const fn is_chosen(self) -> bool {
        match self {
            Self::Completed
            | Self::ChoseToStop
            | Self::Moved
            | Self::Transferred
            | Self::ReferredOn
            | Self::NotReached
            | Self::EnteredInError
            | Self::RequestWithdrawn => true,
            Self::Died | Self::Joined => false,
        }
    }
}

coded! {
    /// Why a referral is stopped and waits for a person.
    pub enum HoldReason {
        ResultWithdrawn = "result-withdrawn", "the result that raised it was corrected or withdrawn";
    }
}

/// The state of a referral, with what that state knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Waits until a clinician records notice. Only the clinic sees it.
    AwaitingNotice,
    /// Not now: to be asked again on a day.
    Deferred {
        /// When to ask again.
        until: Date,
    },
    /// The person objects to all peer support.
    OptedOut,
    /// Released; needs allocating.
    Open,
    /// With a supporter who has not tried yet.
    Allocated {
        /// The supporter.
        supporter: StaffId,
    },
    /// Tried, not reached yet.
    Contacting {
        /// The supporter.
        supporter: StaffId,
    },
    /// A first conversation was had.
    Engaged {
        /// The supporter.
        supporter: StaffId,
    },
    /// A first assessment was made.
    Assessed {
        /// The supporter.
        supporter: StaffId,
    },
    /// Support goes on.
    Supported {
        /// The supporter.
        supporter: StaffId,
    },
    /// Stopped until a person decides; then it resumes where it was, or ends.
    Held {
        /// Why.
        why: HoldReason,
        /// Where it stood.
        resume: Box<Status>,
    },
    /// Ended, with a reason.
    Ended {
        /// Why.
        reason: EndReason,
    },
}

impl Status {
    /// The stage alone.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        match self {
            Self::AwaitingNotice => Stage::AwaitingNotice,
            Self::Deferred { .. } => Stage::Deferred,
            Self::OptedOut => Stage::OptedOut,
            Self::Open => Stage::Open,
            Self::Allocated { .. } => Stage::Allocated,
            Self::Contacting { .. } => Stage::Contacting,
            Self::Engaged { .. } => Stage::Engaged,
            Self::Assessed { .. } => Stage::Assessed,
            Self::Supported { .. } => Stage::Supported,
            Self::Held { .. } => Stage::Held,
            Self::Ended { .. } => Stage::Ended,
        }
    }

    /// Whether it has not ended.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        !matches!(self, Self::Ended { .. })
    }

    /// The supporter who has it.
    #[must_use]
    pub const fn supporter(&self) -> Option<&StaffId> {
        match self {
            Self::Allocated { supporter }
            | Self::Contacting { supporter }
            | Self::Engaged { supporter }
            | Self::Assessed { supporter }
            | Self::Supported { supporter } => Some(supporter),
            Self::AwaitingNotice | Self::Deferred { .. } | Self::OptedOut | Self::Open | Self::Held { .. } | Self::Ended { .. } => None,
        }
    }
}

/// A referral: the ask for peer support for one person, and its progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referral {
    /// Our identifier.
    pub id: ReferralId,
    /// For whom.
    pub person: PersonId,
    /// On whose record it was raised, which a merge never changes.
    pub origin: PersonId,
    /// At which site.
    pub site: SiteId,
    /// Why it was raised: the kind of its first trigger.
    pub reason: trigger::Kind,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Where it stands.
    pub status: Status,
    /// The notice, once recorded.
    pub notice: Option<Notice>,
    /// Explicit consent that information goes to a partner outside the clinic's team.
    pub consents_to_outside: bool,
    /// The day of release to the peer-support team.
    pub released_on: Option<Date>,
    /// The day by which a first conversation is promised.
    pub due_on: Option<Date>,
    /// How many contacts were tried before the first conversation.
    pub attempts: u32,
    /// The day of the first conversation.
    pub engaged_on: Option<Date>,
    /// The day of the first assessment.
    pub assessed_on: Option<Date>,
    /// When the next assessment is due.
    pub next_assessment_on: Option<Date>,
    /// The day on which it ended.
    pub ended_on: Option<Date>,
}

/// Who may see that a referral exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Only the clinic: the person may not know the diagnosis yet.
    ClinicOnly,
    /// The clinic and the peer-support team.
    Service,
}

impl Referral {
    /// Who may see that this referral exists. The first hazard of the whole system: before release, the clinic alone.
    #[must_use]
    pub const fn audience(&self) -> Audience {
        if self.notice.is_some() && self.released_on.is_some() { Audience::Service } else { Audience::ClinicOnly }
    }

    /// Whether a first conversation was had.
    #[must_use]
    pub const fn is_engaged(&self) -> bool {
        self.engaged_on.is_some()
    }
}

/// What can be asked of a referral: the columns of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    /// Told, and no objection.
    NoObjection,
    /// Told: not now.
    NotNow {
        /// When to ask again.
        until: Date,
    },
    /// The person objects to all peer support.
    Object,
    /// The person takes the objection back.
    TakeBack,
    /// The day of a deferral has come.
    AskAgain,
    /// Give it to a supporter, or to another.
    Allocate {
        /// To whom.
        supporter: StaffId,
    },
    /// A contact without a conversation.
    Attempt,
    /// A conversation.
    Converse,
    /// A completed assessment.
    Assess,
    /// Stop until a person decides.
    Hold {
        /// Why.
        why: HoldReason,
    },
    /// Go on where it stood.
    Resume,
    /// End it.
    End {
        /// Why.
        reason: EndReason,
    },
}

/// Moves a status: every status by every move, by name. The printed matrix is `docs/matrix.md`.
///
/// `notified` tells whether notice was recorded: an objection taken back leads to release only then.
///
/// # Errors
/// The rule that forbids the move.
pub fn next(status: &Status, asked: &Move, notified: bool) -> Result<Status, Refusal> {
    use Status as S;
    let no = Err(Refusal::NotInThisState);
    let keep = || Ok(status.clone());
    match asked {
        Move::NoObjection => match status {
            S::AwaitingNotice | S::Deferred { .. } => Ok(S::Open),
            S::OptedOut => Err(Refusal::OptedOut),
            S::Open | S::Allocated { .. } | S::Contacting { .. } | S::Engaged { .. } | S::Assessed { .. } | S::Supported { .. } => no,
            S::Held { .. } | S::Ended { .. } => no,
        },
        Move::NotNow { until } => match status {
            S::AwaitingNotice | S::Deferred { .. } | S::Open | S::Allocated { .. } | S::Contacting { .. } => {
                Ok(S::Deferred { until: *until })
            }
            S::OptedOut => Err(Refusal::OptedOut),
            S::Engaged { .. } | S::Assessed { .. } | S::Supported { .. } | S::Held { .. } | S::Ended { .. } => no,
        },
        Move::Object => match status {
            S::AwaitingNotice | S::Deferred { .. } | S::Open | S::Held { .. } => Ok(S::OptedOut),
            S::Allocated { .. } | S::Contacting { .. } | S::Engaged { .. } | S::Assessed { .. } | S::Supported { .. } => Ok(S::OptedOut),
            S::OptedOut | S::Ended { .. } => keep(),
        },
        Move::TakeBack => match status {
            S::OptedOut if notified => Ok(S::Open),
            S::OptedOut => Ok(S::AwaitingNotice),
            S::AwaitingNotice | S::Deferred { .. } | S::Open | S::Held { .. } | S::Ended { .. } => keep(),
            S::Allocated { .. } | S::Contacting { .. } | S::Engaged { .. } | S::Assessed { .. } | S::Supported { .. } => keep(),
        },
        Move::AskAgain => match status {
            S::Deferred { .. } => Ok(S::AwaitingNotice),
            S::AwaitingNotice | S::OptedOut | S::Open | S::Held { .. } | S::Ended { .. } => no,
            S::Allocated { .. } | S::Contacting { .. } | S::Engaged { .. } | S::Assessed { .. } | S::Supported { .. } => no,
        },
        Move::Allocate { supporter } => match status {
            S::Open | S::Allocated { .. } => Ok(S::Allocated { supporter: supporter.clone() }),
            S::Contacting { .. } => Ok(S::Contacting { supporter: supporter.clone() }),
            S::Engaged { .. } => Ok(S::Engaged { supporter: supporter.clone() }),
            S::Assessed { .. } => Ok(S::Assessed { supporter: supporter.clone() }),
            S::Supported { .. } => Ok(S::Supported { supporter: supporter.clone() }),
            S::OptedOut => Err(Refusal::OptedOut),
            S::AwaitingNotice | S::Deferred { .. } | S::Held { .. } | S::Ended { .. } => no,
        },
        Move::Attempt => match status {
            S::Allocated { supporter } => Ok(S::Contacting { supporter: supporter.clone() }),
            S::Contacting { .. } | S::Engaged { .. } | S::Assessed { .. } | S::Supported { .. } => keep(),
            S::OptedOut => Err(Refusal::OptedOut),
            S::AwaitingNotice | S::Deferred { .. } | S::Open | S::Held { .. } | S::Ended { .. } => no,
        },
        Move::Converse => match status {
            S::Allocated { supporter } | S::Contacting { supporter } => Ok(S::Engaged { supporter: supporter.clone() }),
            S::Assessed { supporter } => Ok(S::Supported { supporter: supporter.clone() }),
            S::Engaged { .. } | S::Supported { .. } => keep(),
            S::OptedOut => Err(Refusal::OptedOut),
            S::AwaitingNotice | S::Deferred { .. } | S::Open | S::Held { .. } | S::Ended { .. } => no,
        },
        Move::Assess => match status {
            S::Engaged { supporter } => Ok(S::Assessed { supporter: supporter.clone() }),
            S::Assessed { .. } | S::Supported { .. } => keep(),
            S::Allocated { .. } | S::Contacting { .. } => Err(Refusal::ConversationFirst),
            S::OptedOut => Err(Refusal::OptedOut),
            S::AwaitingNotice | S::Deferred { .. } | S::Open | S::Held { .. } | S::Ended { .. } => no,
        },
        Move::Hold { why } => match status {
            S::AwaitingNotice | S::Deferred { .. } | S::Open => Ok(S::Held { why: *why, resume: Box::new(status.clone()) }),
            S::Allocated { .. } | S::Contacting { .. } | S::Engaged { .. } | S::Assessed { .. } | S::Supported { .. } => {
                Ok(S::Held { why: *why, resume: Box::new(status.clone()) })
            }
            // An objection stops more than a hold does, and only the person lifts it; the question is asked all the same.
            S::OptedOut | S::Held { .. } | S::Ended { .. } => keep(),
        },
        Move::Resume => match status {
            S::Held { resume, .. } => Ok((**resume).clone()),
            S::AwaitingNotice | S::Deferred { .. } | S::Open | S::OptedOut | S::Ended { .. } => no,
            S::Allocated { .. } | S::Contacting { .. } | S::Engaged { .. } | S::Assessed { .. } | S::Supported { .. } => no,
        },
        Move::End { reason } => match status {
            S::AwaitingNotice | S::Deferred { .. } | S::Open | S::OptedOut | S::Held { .. } => Ok(S::Ended { reason: *reason }),
            S::Allocated { .. } | S::Contacting { .. } | S::Engaged { .. } | S::Assessed { .. } | S::Supported { .. } => {
                Ok(S::Ended { reason: *reason })
            }
            S::Ended { .. } => no,
        },
    }
}

/// One status of every stage, in order: what the printed tables go through.
pub(crate) fn examples() -> [Status; 11] {
    let with = |make: fn(StaffId) -> Status| make(StaffId("a".into()));
    [
        Status::AwaitingNotice,
        Status::Deferred { until: Date::constant(2025, 1, 6) },
        Status::OptedOut,
        Status::Open,
        with(|supporter| Status::Allocated { supporter }),
        with(|supporter| Status::Contacting { supporter }),
        with(|supporter| Status::Engaged { supporter }),
        with(|supporter| Status::Assessed { supporter }),
        with(|supporter| Status::Supported { supporter }),
        Status::Held { why: HoldReason::ResultWithdrawn, resume: Box::new(Status::AwaitingNotice) },
        Status::Ended { reason: EndReason::Completed },
    ]
}

/// The whole matrix as a Markdown table: what each move makes of each stage. It is printed into `docs/matrix.md`.
#[must_use]
pub fn matrix() -> String {
    let supporter = StaffId("a".into());
    let day = Date::constant(2025, 1, 6);
    let states = examples();
    let moves = [
        ("no objection", Move::NoObjection),
        ("not now", Move::NotNow { until: day }),
        ("object", Move::Object),
        ("take back", Move::TakeBack),
        ("ask again", Move::AskAgain),
        ("allocate", Move::Allocate { supporter }),
        ("attempt", Move::Attempt),
        ("converse", Move::Converse),
        ("assess", Move::Assess),
        ("hold", Move::Hold { why: HoldReason::ResultWithdrawn }),
        ("resume", Move::Resume),
        ("end", Move::End { reason: EndReason::Completed }),
    ];
    let mut table = String::from("| from \\ move |");
    for (name, _) in &moves {
        table.push_str(&format!(" {name} |"));
    }
    table.push_str(&format!("\n|{}\n", " --- |".repeat(moves.len() + 1)));
    for state in &states {
        table.push_str(&format!("| **{}** |", state.stage()));
        for (_, asked) in &moves {
            table.push_str(&format!(" {} |", cell(state, asked)));
        }
        table.push('\n');
    }
    table
}

fn cell(state: &Status, asked: &Move) -> String {
    let words = |notified| match next(state, asked, notified) {
        Ok(new) if new == *state => "·".to_owned(),
        Ok(new) => new.stage().code().to_owned(),
        Err(Refusal::NotInThisState) => "–".to_owned(),
        Err(refusal) => format!("– {refusal}"),
    };
    let (without, with) = (words(false), words(true));
    if without == with { with } else { format!("{with}; without notice {without}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect_file;

    #[test]
    fn the_matrix_is_the_one_in_the_documents() {
        let text = format!(
            "# The referral's matrix\n\nEvery stage by every move; `·` changes nothing, `–` is refused (with the rule where it is a special one).\nPrinted by `cargo test -p alongside-domain` (`UPDATE_EXPECT=1` writes it anew); a change here is a change of the rules.\n\n{}",
            matrix()
        );
        expect_file!["../../../docs/matrix.md"].assert_eq(&text);
    }
}
