//! What was sent back to the hospitals' records: on a person's page with its receipt, and for the engineer what is stopped.

use alongside_domain::access::{self, Action};
use alongside_domain::id::PersonId;
use alongside_domain::sending::{Parked, State};
use alongside_store::Tx;
use alongside_store::sending::{self, Sending};

use super::words;
use crate::desk::Desk;
use crate::{App, Failure};

/// How many lines a person's page has.
const LINES_MAX: usize = 6;
/// How many stopped messages of a feed are shown.
const PARKED_MAX: u32 = 100;

/// What a record was told, on a person's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentLine {
    /// `In contact`.
    pub what: String,
    /// `Filed in CareFlow, today at 2:02pm: accepted, number 4711.`
    pub standing: String,
    /// Whether somebody must look.
    pub stopped: bool,
}

/// What is stopped on its way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentBack {
    /// Oldest first, feed by feed.
    pub lines: Vec<StoppedLine>,
}

/// A message that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedLine {
    /// Its number, as in the address.
    pub id: i64,
    /// Its control id, as in the logs of the hospital's engine.
    pub control_id: String,
    /// Where it goes.
    pub feed: String,
    /// Why it is stopped.
    pub why: String,
    /// What to do.
    pub advice: &'static str,
    /// The number of the answer; empty where there was none.
    pub receipt: String,
    /// Since when.
    pub since: String,
}

impl App {
    /// What the records were told about a person, newest first.
    pub(crate) fn sent_lines(&self, tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<SentLine>, Failure> {
        let sent = sending::of_person(tx, person)?;
        Ok(sent.iter().take(LINES_MAX).map(|one| self.sent_line(one)).collect())
    }

    /// A record as the clinic calls it: the sender's title without what engineers add.
    fn record_words(&self, feed: &str) -> String {
        let title = self.setup.feeds.get(feed).map_or(feed, |feed| feed.profile.title.as_str());
        title.split(" (").next().unwrap_or(title).to_owned()
    }

    fn sent_line(&self, sent: &Sending) -> SentLine {
        let at = words::recent(sent.changed_at, self.world.now());
        let to = self.record_words(&sent.feed);
        let receipt = sent.receipt.as_ref().map_or_else(String::new, |number| format!(", number {number}"));
        let standing = match sent.state {
            State::Sent => format!("Filed in {to}, {at}: accepted{receipt}."),
            State::Waiting if sent.tries == 0 => format!("Waits to be sent to {to}."),
            State::Waiting => format!("Sent to {to} and not answered yet; it is sent again, and counts once."),
            State::Parked => {
                let why = sent.parked.map_or("", Parked::words);
                format!("Not in {to}: {why}. The integration engineer can send it again.")
            }
            State::LeftOut => format!("Not in {to}: left out, {at}."),
        };
        SentLine { what: words::sentence(sent.progress.business.words()), standing, stopped: sent.state == State::Parked }
    }
}

const fn advice(why: Parked) -> &'static str {
    match why {
        Parked::Refused => "The record’s engine says why, under this number. Mend the cause there, then send it again.",
        Parked::NotTaken => "The record was there and did not take it. Ask whether its listener is the right one, then send it again.",
        Parked::OtherPerson => {
            "The person’s details have changed since the order. Have the clinic compare them with the record: if it is the same person, \
             send it again."
        }
    }
}

impl Desk {
    /// What is stopped on its way back, at the viewer's sites. Nothing in it is about anybody.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn sent_back_page(&self) -> Result<SentBack, Failure> {
        self.may_do(Action::SeeFeeds)?;
        let app = self.app();
        app.store.read(|tx| {
            let mut lines = Vec::new();
            for feed in self.feeds(Action::SeeFeeds).into_iter().filter(|feed| feed.send.is_some()) {
                for stopped in sending::parked(tx, &feed.key, PARKED_MAX)? {
                    let why = stopped.parked.unwrap_or(Parked::Refused);
                    lines.push(StoppedLine {
                        id: stopped.position,
                        control_id: crate::sending::control_id(stopped.position),
                        feed: app.feed_words(&feed.key),
                        why: words::sentence(why.words()),
                        advice: advice(why),
                        receipt: stopped.receipt.unwrap_or_default(),
                        since: words::recent(stopped.changed_at, app.world.now()),
                    });
                }
            }
            Ok(SentBack { lines })
        })
    }

    /// Has a stopped message sent again, or leaves it out for good. One that is not stopped any more is left alone.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for another site's, as for none; [`Failure::Forbidden`]; the store's.
    pub fn settle_sending(&self, position: i64, again: bool) -> Result<(), Failure> {
        self.may_do(Action::Replay)?;
        let found = self.app().store.read(|tx| sending::load(tx, position))?.ok_or(Failure::NotFound)?;
        let feed = self.app().setup.feeds.get(&found.feed).ok_or(Failure::NotFound)?;
        access::may_at(self.viewer(), Action::Replay, &feed.site)?;
        let (desk, site) = (self.clone(), feed.site.clone());
        self.disclose(Action::Replay, Some(&site), move |tx, seen| {
            seen.detail(format!("sending:{position}"));
            match sending::load(tx, position)?.filter(|due| due.state == State::Parked) {
                Some(due) if again => desk.app().send_again(tx, due),
                Some(due) => desk.app().leave_out(tx, due),
                None => Ok(()),
            }
        })
    }
}
