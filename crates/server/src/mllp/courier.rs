//! Couriers: one thread for each feed whose sender is told how its orders go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use alongside_app::Failure;
use alongside_app::sending::ToSend;
use alongside_app::setup::Feed;
use alongside_domain::sending::Answer;
use alongside_hl7v2::ack::AckCode;
use rustls::ClientConfig;
use tracing::{error, info, warn};

use super::client::Sender;
use super::{LOOK_MILLISECONDS, tls};
use crate::current::Current;

/// Between two looks when nothing is due.
const IDLE_MILLISECONDS: u64 = 1_000;
/// The longest time before a record that is away is looked for again, in seconds.
const AWAY_SECONDS_MAX: u64 = 60;

/// A running courier.
pub(crate) struct Courier {
    thread: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            warn!("a courier ended badly");
        }
    }
}

/// Sends what is due of a feed, for as long as the courier is held; nothing, where the feed sends nothing.
///
/// # Errors
/// [`Failure::Invalid`] where its TLS cannot be had.
pub(crate) fn courier(current: &Current, feed: &Feed) -> Result<Option<Courier>, Failure> {
    let Some(round) = Round::of(current, feed)? else { return Ok(None) };
    info!(feed = %feed.key, tls = round.config.is_some(), "sends back to the record");
    let stop = Arc::clone(&round.stop);
    Ok(Some(Courier { thread: Some(std::thread::spawn(move || round.run())), stop }))
}

/// What a courier goes by.
pub(crate) struct Round {
    current: Current,
    feed: Feed,
    address: String,
    config: Option<Arc<ClientConfig>>,
    stop: Arc<AtomicBool>,
    line: Option<Sender>,
    /// How often the record was not there, in a row.
    away: u32,
}

impl Round {
    /// The round of a feed; nothing, where it sends nothing.
    ///
    /// # Errors
    /// [`Failure::Invalid`] where its TLS cannot be had.
    pub(crate) fn of(current: &Current, feed: &Feed) -> Result<Option<Self>, Failure> {
        let Some(address) = feed.send.clone() else { return Ok(None) };
        let config = feed.tls.as_ref().map(tls::client).transpose();
        let config = config.map_err(|why| Failure::invalid(format!("feed {}, TLS", feed.key), why))?;
        let (current, feed) = (current.clone(), feed.clone());
        Ok(Some(Self { current, feed, address, config, stop: Arc::default(), line: None, away: 0 }))
    }

    /// Carries all that is due.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn carry_all(&mut self) -> Result<(), Failure> {
        while let Some(due) = self.current.get().next_to_send(&self.feed)? {
            self.carry(&due);
        }
        Ok(())
    }

    fn run(mut self) {
        while !self.stop.load(Ordering::SeqCst) {
            match self.current.get().next_to_send(&self.feed) {
                Ok(Some(due)) => self.carry(&due),
                Ok(None) => self.wait(IDLE_MILLISECONDS),
                Err(failure) => {
                    error!(feed = %self.feed.key, %failure, "what is due could not be told");
                    self.wait(IDLE_MILLISECONDS * 5);
                }
            }
        }
    }

    /// Carries one message. A record that is not there costs the message no try: it is looked for again.
    fn carry(&mut self, due: &ToSend) {
        if self.line.is_none() {
            match Sender::connect(&self.address, self.config.as_ref()) {
                Ok(line) => self.line = Some(line),
                Err(error) => return self.was_away(error.kind()),
            }
        }
        let Some(line) = &mut self.line else { return };
        let (answer, number) = match line.send(&due.bytes, &self.stop) {
            Ok(answered) => (answer_of(answered.code), Some(answered.number)),
            Err(error) => {
                self.line = None;
                if self.stop.load(Ordering::SeqCst) {
                    return;
                }
                warn!(feed = %self.feed.key, kind = %error.kind(), "a message to the record was not answered");
                (Answer::None, None)
            }
        };
        self.away = 0;
        if let Err(failure) = self.current.get().note_sent(due.position, answer, number.as_deref()) {
            // It is sent again, under the same number.
            error!(feed = %self.feed.key, %failure, "an answer could not be kept");
            self.wait(IDLE_MILLISECONDS);
        }
    }

    fn was_away(&mut self, kind: std::io::ErrorKind) {
        if self.away == 0 {
            warn!(feed = %self.feed.key, %kind, "the record cannot be reached");
        }
        self.away = self.away.saturating_add(1);
        let seconds = 2_u64.saturating_pow(self.away.min(10)).min(AWAY_SECONDS_MAX);
        self.wait(seconds * 1000);
    }

    fn wait(&self, milliseconds: u64) {
        let mut waited = 0;
        while waited < milliseconds && !self.stop.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(LOOK_MILLISECONDS));
            waited += LOOK_MILLISECONDS;
        }
    }
}

const fn answer_of(code: AckCode) -> Answer {
    match code {
        AckCode::AA | AckCode::CA => Answer::Accepted,
        AckCode::AE | AckCode::CE => Answer::Refused,
        AckCode::AR | AckCode::CR => Answer::NotNow,
    }
}
