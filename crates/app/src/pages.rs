//! Page models: what a page shows, as words that are ready to be shown.
//!
//! They are computed from reads. Nothing here decides anything about a person, and nothing here knows what a page looks
//! like: a template fills in these fields and adds no arithmetic of its own.

mod access;
mod care;
mod caseload;
mod charts;
mod clinic;
mod coordination;
pub(crate) mod engineer;
mod entitled;
mod feeds;
mod figures;
mod figures_start;
mod glass;
mod own_account;
mod passports;
mod person;
mod questions;
mod reallocation;
mod sent_back;
mod tasks;
mod why;
pub mod words;
mod worklists;

pub use access::{
    AccessAsked, AccessFound, AccessHome, AccessLine, DealtLine, Exports, PersonAccess, REFUSALS_DAYS, Refusals, StaffAccess, StaffLink,
    Whose,
};
pub use alongside_store::access_reads::Kind as AccessKind;
pub use care::{ConcernLine, Concerns, ReplyLine, SafeContactBox};
pub use caseload::{MyPeople, MyPerson, NeedCard, Order, Today};
pub use charts::{Band, Chart, Dot, Shape};
pub use clinic::{ClinicLine, ClinicPage, ClinicTile, ClosedLine, OpenGlass, PEER_SUPPORT_IN_A_SENTENCE, ToAllocate};
pub use coordination::{Able, AllocatePage, Alternative, Coordination, Leaver, Load, TeamFilter, TeamLine, TeamList, WaitingLetter};
pub use engineer::{FeedCard, Feeds, HourOf, MessagePage, RawPage, TextLine};
pub use entitled::{Entitled, EntitledLine, EntitledOne, MatrixRow, SessionLine};
pub use feeds::{FeedWaiting, Quarantined, SetAside};
pub use figures::{Figures, Row, Section};
pub use figures_start::{FiguresStart, Headline, LedgerLine, SiteCard, Tile};
pub use glass::{GlassCard, GlassPage, Reviewed};
pub use own_account::{OwnAccount, OwnPasskey, OwnSession};
pub use passports::{HORIZON_DAYS, ItemLine, PassportLine, Passports};
pub use person::{Answered, Contact, Entry, Fact, PersonPage, Ref, Trend, Wellbeing};
pub use questions::{Compared, QuestionLine, QuestionPage, QuestionsPage, Told};
pub use reallocation::{Chosen, MoveRow, Reallocation};
pub use sent_back::{SentBack, SentLine, StoppedLine};
pub use tasks::{Head, Task, TaskPage};
pub use why::{Step, WhyPage};
pub use worklists::{Found, Line, Paging, Tab, Worklist, WorklistKind};

/// A link of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where to, within the program.
    pub href: String,
    /// What it says.
    pub words: String,
    /// Whether it is the page on which it stands.
    pub current: bool,
}

impl Link {
    pub(crate) fn new(href: impl Into<String>, words: impl Into<String>) -> Self {
        Self { href: href.into(), words: words.into(), current: false }
    }
}

#[cfg(test)]
pub(crate) mod testing;
