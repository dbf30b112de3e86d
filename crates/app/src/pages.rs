//! Page models: what a page shows, as words that are ready to be shown.
//!
//! They are computed from reads. Nothing here decides anything about a person, and nothing here knows what a page looks
//! like: a template fills in these fields and adds no arithmetic of its own.

mod charts;
mod feeds;
mod figures;
mod person;
mod start;
mod why;
pub mod words;
mod worklists;

pub use charts::{Band, Chart, Dot, Shape};
pub use feeds::{FeedLine, Quarantined, SetAside};
pub use figures::{Figures, Row, Section};
pub use person::{Answered, Contact, Entry, Fact, PersonPage, Ref, Trend, Wellbeing};
pub use start::{Headline, LedgerLine, SiteCard, Start, Tile};
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
