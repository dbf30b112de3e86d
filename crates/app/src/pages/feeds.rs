//! The feeds' state, and the messages that were set aside.

use alongside_store::page_reads::{self, Slice};
use alongside_store::{Tx, messages};
use jiff::Timestamp;

use super::words;
use super::worklists::{PAGE_SIZE, Paging};
use crate::profile::Reading;
use crate::setup::Feed;
use crate::{App, Failure};

/// After how many hours a listening feed counts as silent. A hospital's ADT sends all day and all night.
const SILENT_HOURS: i64 = 4;
/// How many problems of one message a page shows.
const PROBLEMS_MAX: u32 = 5;

/// A feed, and when it was last heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedLine {
    /// Key of the feed.
    pub key: String,
    /// Title of its site.
    pub site: String,
    /// What kind of sender it is.
    pub sender: String,
    /// `Last heard today at 8:28am`, `Silent since …`, `Nothing received yet`.
    pub heard: String,
    /// Whether somebody should look.
    pub silent: bool,
    /// One word for its state.
    pub state: &'static str,
    /// What has come, in words.
    pub volume: String,
}

pub(super) fn lines(app: &App, tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<FeedLine>, Failure> {
    let mut lines = Vec::new();
    for feed in app.setup.feeds.values() {
        let (totals, last) = messages::feed_totals(tx, &feed.key)?;
        lines.push(line(app, feed, &totals, last, now));
    }
    // Sites in their order, listeners before lists, so that what can fall silent stands first.
    lines.sort_by_key(|line| (line.site.clone(), line.state == "List", line.key.clone()));
    Ok(lines)
}

fn line(app: &App, feed: &Feed, totals: &[(String, u64)], last: Option<Timestamp>, now: Timestamp) -> FeedLine {
    let listens = matches!(feed.profile.reading, Reading::Messages(_));
    let quiet = last.is_some_and(|last| now.duration_since(last).as_hours() >= SILENT_HOURS);
    let (state, heard) = match last {
        None => (if listens { "Not heard yet" } else { "List" }, "nothing received yet".to_owned()),
        Some(last) if !listens => ("List", format!("last read {}", words::recent(last, now))),
        Some(last) if quiet => ("Silent", format!("silent since {}", words::recent(last, now))),
        Some(last) => ("Heard", format!("last heard {}", words::recent(last, now))),
    };
    let all: u64 = totals.iter().map(|(_, count)| count).sum();
    let matter: u64 = totals.iter().filter(|(fate, _)| fate == "applied").map(|(_, count)| count).sum();
    let volume = if listens {
        format!("{}, {} of them about people of the service", words::counted(all, "message", "messages"), words::number(matter))
    } else {
        words::counted(all, "list", "lists")
    };
    let site = app.setup.sites.get(&feed.site.0).map_or_else(|| feed.site.0.clone(), |site| site.title.clone());
    FeedLine {
        key: feed.key.clone(),
        site,
        sender: feed.profile.title.clone(),
        heard: words::sentence(&heard),
        silent: listens && quiet,
        state,
        volume,
    }
}

/// The page of messages that were set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// How many there are in all.
    pub total: u64,
    /// Those of this page.
    pub messages: Vec<SetAside>,
    /// Where in the list this page stands.
    pub paging: Paging,
}

/// A message that was set aside: no names, no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Our identifier.
    pub id: String,
    /// What kind of sender it is, and where.
    pub feed: String,
    /// Type and trigger.
    pub kind: String,
    /// When it came.
    pub received: String,
    /// Until when its text is kept.
    pub kept_until: String,
    /// What is wrong: location and words.
    pub problems: Vec<(String, String)>,
}

impl App {
    /// A page of the messages that were set aside, newest first. Pages count from 1.
    ///
    /// # Errors
    /// The store's.
    pub fn quarantined_page(&self, page: u32) -> Result<Quarantined, Failure> {
        self.store.read(|tx| {
            let total = messages::count_set_aside(tx, None)?;
            let paging = Paging::new("/quarantined", page, total);
            let slice = Slice { most: PAGE_SIZE, skip: paging.skip() };
            let found = page_reads::set_aside(tx, slice, PROBLEMS_MAX)?;
            let messages = found.into_iter().map(|message| self.set_aside_line(message)).collect();
            Ok(Quarantined { total, messages, paging })
        })
    }

    fn set_aside_line(&self, message: page_reads::SetAside) -> SetAside {
        SetAside {
            id: message.id.to_string(),
            feed: self.feed_words(&message.feed),
            kind: message.kind,
            received: words::moment(message.received_at),
            kept_until: message.keep_until.map_or_else(|| "not kept".to_owned(), words::moment),
            problems: message.problems.into_iter().map(|problem| (problem.location, problem.words)).collect(),
        }
    }

    /// A feed in words: its sender and its site.
    pub(super) fn feed_words(&self, key: &str) -> String {
        let Some(feed) = self.setup.feeds.get(key) else { return format!("feed {key}") };
        let site = self.setup.sites.get(&feed.site.0).map_or(feed.site.0.as_str(), |site| site.title.as_str());
        format!("{} at {site}", feed.profile.title)
    }
}
