//! The feeds' state, and the messages that were set aside.

use alongside_domain::access::{self, Action};
use alongside_store::messages;
use alongside_store::page_reads::{self, Slice};

use super::words;
use super::worklists::{PAGE_SIZE, Paging};
use crate::desk::Desk;
use crate::setup::Feed;
use crate::{App, Failure};

/// How many problems of one message a page shows.
const PROBLEMS_MAX: u32 = 5;

/// The page of messages that were set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// How many there are in all.
    pub total: u64,
    /// The feeds that have some.
    pub by_feed: Vec<FeedWaiting>,
    /// Those of this page.
    pub messages: Vec<SetAside>,
    /// Where in the list this page stands.
    pub paging: Paging,
}

/// A feed with messages that are set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedWaiting {
    /// Key of the feed.
    pub key: String,
    /// The feed in words.
    pub words: String,
    /// How many of its messages are set aside.
    pub count: String,
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

impl Desk {
    /// The feeds of the viewer's sites, by key.
    pub(super) fn feeds(&self, action: Action) -> Vec<&Feed> {
        let feeds = self.app().setup.feeds.values();
        feeds.filter(|feed| access::may_at(self.viewer(), action, &feed.site).is_ok()).collect()
    }

    /// A page of the messages of the viewer's sites that were set aside, newest first. Pages count from 1. Nothing in it is
    /// about anybody.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn quarantined_page(&self, page: u32) -> Result<Quarantined, Failure> {
        self.may_do(Action::SeeQuarantine)?;
        let feeds = self.feeds(Action::SeeQuarantine);
        let keys: Vec<&str> = feeds.iter().map(|feed| feed.key.as_str()).collect();
        self.app().store.read(|tx| {
            let (mut total, mut by_feed) = (0, Vec::new());
            for feed in &feeds {
                let waiting = messages::count_set_aside(tx, Some(&feed.key))?;
                total += waiting;
                if waiting > 0 {
                    let count = words::counted(waiting, "message", "messages");
                    by_feed.push(FeedWaiting { key: feed.key.clone(), words: self.app().feed_words(&feed.key), count });
                }
            }
            let paging = Paging::new("/quarantined", page, total);
            let slice = Slice { most: PAGE_SIZE, skip: paging.skip() };
            let found = page_reads::set_aside(tx, &keys, slice, PROBLEMS_MAX)?;
            let messages = found.into_iter().map(|message| self.app().set_aside_line(message)).collect();
            Ok(Quarantined { total, by_feed, messages, paging })
        })
    }
}

impl App {
    pub(super) fn set_aside_line(&self, message: page_reads::SetAside) -> SetAside {
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
        if let Some(client) = self.setup.fhir_clients.get(key) {
            return client.title.clone();
        }
        let Some(feed) = self.setup.feeds.get(key) else { return format!("feed {key}") };
        let site = self.setup.sites.get(&feed.site.0).map_or(feed.site.0.as_str(), |site| site.title.as_str());
        format!("{} at {site}", feed.profile.title)
    }
}
