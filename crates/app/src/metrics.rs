//! How the feeds are doing, as numbers for whatever watches machines. Counts and times alone: nothing is about anybody.

use std::collections::BTreeMap;

use alongside_store::sending;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::intake::Fate;
use crate::setup::Feed;
use crate::{App, Failure};

/// A feed, as it is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedMetrics {
    /// Key of the feed.
    pub feed: String,
    /// Messages since the program began, by what became of them.
    pub messages: BTreeMap<Fate, u64>,
    /// When it was last heard.
    pub heard_at: Option<Timestamp>,
    /// Whether its silence is worth a look, by what is usual at this hour.
    pub is_silent: bool,
    /// Messages that are set aside now.
    pub set_aside: u64,
    /// Whether more of its messages have problems than before.
    pub problems_rise: bool,
    /// Whether there are many more merges than usual.
    pub is_merge_storm: bool,
    /// Messages that wait to be sent back to its sender, and how many of them are stopped; none where nothing is sent.
    pub sending: Option<(u64, u64)>,
    /// The last day on which its certificates are good.
    pub certificates_end_on: Option<Date>,
}

impl App {
    /// How each feed of messages is doing, by key.
    ///
    /// # Errors
    /// The store's.
    pub fn feed_metrics(&self) -> Result<Vec<FeedMetrics>, Failure> {
        let feeds = self.setup.feeds.values().filter(|feed| !feed.is_of_lists());
        feeds.map(|feed| self.metrics_of(feed)).collect()
    }

    fn metrics_of(&self, feed: &Feed) -> Result<FeedMetrics, Failure> {
        let health = self.store.read(|tx| self.feed_health(tx, feed, self.world.now()))?;
        let open = self.store.read(|tx| sending::open(tx, &feed.key))?;
        Ok(FeedMetrics {
            sending: feed.send.as_ref().map(|_| (open.all, open.parked)),
            feed: feed.key.clone(),
            messages: self.messages_since_start(feed),
            heard_at: health.heard_at,
            is_silent: health.is_silent,
            set_aside: health.set_aside,
            problems_rise: health.problems_rise,
            is_merge_storm: health.merge_storm.is_some(),
            certificates_end_on: feed.tls.as_ref().and_then(|tls| tls.ends_on),
        })
    }
}
