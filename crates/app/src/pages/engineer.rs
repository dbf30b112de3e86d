//! The integration engineer's pages: how the feeds are doing, and one message that was set aside.

use std::collections::BTreeMap;
use std::ops::Range;

use alongside_domain::access::Action;
use alongside_domain::feed_rate::{self, Pace, Problems, WEEKS};
use alongside_domain::glass::REASON_CHARS_MIN;
use alongside_domain::id::MessageId;
use alongside_store::messages::{self, Hour};
use alongside_store::{Tx, sending, standing};
use jiff::{Timestamp, ToSpan};

use super::feeds::SetAside;
use super::words;
use crate::desk::Desk;
use crate::intake::Fate;
use crate::setup::Feed;
use crate::{App, Failure, hour_of, london_instant, london_time};

/// Hours of the small chart.
const CHART_HOURS: i64 = 24;
/// The hours whose problems are compared with those before: a morning's release is seen by noon.
const PROBLEM_HOURS: i64 = 3;
/// Hours that are read: the weeks before, and the day that is shown, each of whose hours has its own weeks before.
const HOURS_READ: i64 = (WEEKS as i64 + 1) * 168 + 2;

/// How the feeds of the viewer's sites are doing.
#[derive(Debug, Clone, PartialEq)]
pub struct Feeds {
    /// When this was looked at.
    pub now: String,
    /// The feeds, those that need a look first.
    pub feeds: Vec<FeedCard>,
}

/// A feed.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedCard {
    /// Key of the feed.
    pub key: String,
    /// What kind of sender it is.
    pub sender: String,
    /// Its site.
    pub site: String,
    /// `Silent`, `Quieter than usual`, `As usual`: what to know first.
    pub state: String,
    /// How that is to look: see the macro `tag`.
    pub tone: &'static str,
    /// `Last heard today at 8:28am`.
    pub heard: String,
    /// `41 messages from 7am to 8am`; empty for a list.
    pub last_hour: String,
    /// `usually 38 at this hour on a Monday`.
    pub usual: String,
    /// How many messages are set aside.
    pub set_aside: String,
    /// Whether any are.
    pub any_set_aside: bool,
    /// How many were answered with an error, in words.
    pub errors: String,
    /// How much waits to be sent back to the record; empty where nothing is.
    pub sends: String,
    /// Merges of the last 24 hours, where they are many more than usual; otherwise empty.
    pub merges: String,
    /// Whether any of it is stopped.
    pub any_stopped: bool,
    /// Until when its certificates are good; empty where it listens in the clear.
    pub certificates: String,
    /// Whether that is soon.
    pub certificates_soon: bool,
    /// The last 24 hours, oldest first; nothing for a list.
    pub hours: Vec<HourOf>,
    /// What the chart shows, for whoever does not see it.
    pub description: String,
}

/// An hour of a feed.
#[derive(Debug, Clone, PartialEq)]
pub struct HourOf {
    /// `7am`.
    pub label: String,
    /// How many messages came.
    pub messages: u64,
    /// How many usually come, where that is known.
    pub usual: Option<f64>,
    /// The same in words.
    pub usual_words: String,
}

/// One message that was set aside, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePage {
    /// What is known of it without its content.
    pub message: SetAside,
    /// Whether it is set aside still.
    pub is_set_aside: bool,
    /// What became of it.
    pub standing: &'static str,
}

/// The text of a message, or the form by which it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawPage {
    /// Its text is closed; how many characters a reason has at least.
    Closed(usize),
    /// Its text is open.
    Open {
        /// Until when.
        until: String,
        /// A line for each segment.
        lines: Vec<TextLine>,
    },
}

/// A segment of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLine {
    /// Its name.
    pub segment: String,
    /// What follows.
    pub rest: String,
}

/// How many days before its end a certificate is put before the engineer: time to have another one signed.
const CERTIFICATES_SOON_DAYS: i64 = 30;

/// What is known of a feed.
pub(crate) struct FeedHealth {
    /// When it was last heard.
    pub(crate) heard_at: Option<Timestamp>,
    /// Whether its silence is worth a look.
    pub(crate) is_silent: bool,
    /// How many of its messages are set aside.
    pub(crate) set_aside: u64,
    /// Whether more of its messages have problems than before.
    pub(crate) problems_rise: bool,
    /// Merges of the last day, where they are a storm.
    pub(crate) merge_storm: Option<u64>,
    /// Its messages of the last weeks, by hour.
    pub(crate) counts: Counts,
}

impl App {
    /// What is known of a feed, now.
    pub(crate) fn feed_health(&self, tx: &mut Tx<'_>, feed: &Feed, now: Timestamp) -> Result<FeedHealth, Failure> {
        let heard_at = messages::last_heard(tx, &feed.key)?;
        let counts = Counts::of(&messages::hours(tx, &feed.key, hour_of(now) - HOURS_READ)?);
        Ok(FeedHealth {
            heard_at,
            is_silent: !feed.is_of_lists() && heard_at.is_some_and(|last| counts.is_silent(last, now)),
            set_aside: messages::count_set_aside(tx, Some(&feed.key))?,
            problems_rise: counts.problems_rise(hour_of(now)),
            merge_storm: counts.merge_storm(&messages::merges(tx, &feed.key, hour_of(now) - HOURS_READ)?, hour_of(now)),
            counts,
        })
    }
}

impl Desk {
    /// How the feeds of the viewer's sites are doing. Counts alone: nothing in it is about anybody.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn feeds_page(&self) -> Result<Feeds, Failure> {
        self.may_do(Action::SeeFeeds)?;
        let now = self.app().world.now();
        let mut feeds = self.app().store.read(|tx| {
            let mut cards = Vec::new();
            for feed in self.feeds(Action::SeeFeeds) {
                cards.push(self.feed_card(tx, feed, now)?);
            }
            Ok::<_, Failure>(cards)
        })?;
        feeds.sort_by_key(|card| (rank(card.tone), card.hours.is_empty(), card.site.clone(), card.key.clone()));
        Ok(Feeds { now: words::moment(now), feeds })
    }

    fn feed_card(&self, tx: &mut Tx<'_>, feed: &Feed, now: Timestamp) -> Result<FeedCard, Failure> {
        let health = self.app().feed_health(tx, feed, now)?;
        let FeedHealth { heard_at: last, is_silent: silent, set_aside: waiting, problems_rise, merge_storm, counts } = health;
        let open = sending::open(tx, &feed.key)?;
        let listens = !feed.is_of_lists();
        let hour = hour_of(now) - 1;
        let before = counts.before(hour, hour);
        let pace = feed_rate::pace(counts.at(hour), &before);
        let (state, tone) = match (listens, last) {
            (false, _) => ("list".to_owned(), "quiet"),
            (true, None) => ("not heard yet".to_owned(), "soon"),
            (true, Some(_)) if silent => ("silent: look at the connection".to_owned(), "alert"),
            (true, Some(_)) if problems_rise => ("more problems than before: look at what is set aside".to_owned(), "alert"),
            (true, Some(_)) if merge_storm.is_some() => ("more merges than usual: ask the hospital why".to_owned(), "alert"),
            (true, Some(_)) => (pace.words().to_owned(), if matches!(pace, Pace::Quiet | Pace::Busy) { "soon" } else { "" }),
        };
        let ends_on = feed.tls.as_ref().and_then(|tls| tls.ends_on);
        let heard = last.map_or_else(|| "nothing received yet".to_owned(), |last| format!("last heard {}", words::recent(last, now)));
        let hours = if listens { (hour - CHART_HOURS + 1..=hour).map(|hour| counts.hour_of(hour)).collect() } else { Vec::new() };
        Ok(FeedCard {
            key: feed.key.clone(),
            sender: feed.profile.title.clone(),
            site: self.app().setup.site_title(&feed.site),
            state: words::sentence(&state),
            tone,
            heard: words::sentence(&heard),
            last_hour: format!(
                "{} from {} to {}",
                words::counted(counts.at(hour), "message", "messages"),
                clock_hour(hour),
                clock_hour(hour + 1)
            ),
            usual: usual_sentence(&before, hour),
            set_aside: words::counted(waiting, "message set aside", "messages set aside"),
            any_set_aside: waiting > 0,
            errors: counts.errors(hour - CHART_HOURS + 1),
            merges: merge_storm.map(|merges| words::counted(merges, "merge", "merges")).unwrap_or_default(),
            sends: sends(feed, &open, now),
            any_stopped: open.parked > 0,
            certificates: ends_on.map(|day| format!("good until {}", words::day(day))).unwrap_or_default(),
            certificates_soon: ends_on.is_some_and(|day| day < self.app().today().saturating_add(CERTIFICATES_SOON_DAYS.days())),
            description: description(&hours),
            hours,
        })
    }

    /// One message that was set aside: where its problems are, and nothing of its content.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for another site's, as for none; [`Failure::Forbidden`]; the store's.
    pub fn message_page(&self, id: MessageId) -> Result<MessagePage, Failure> {
        self.app().store.read(|tx| {
            let (message, state, _) = self.message(tx, Action::SeeQuarantine, id)?;
            let standing = match state.as_str() {
                "quarantined" => "It is set aside: kept, answered, and not acted on.",
                "replayed" => "It was read again and is not set aside any more. Its text was forgotten.",
                _ => "Its time is over: its text was forgotten before anybody could read it.",
            };
            Ok(MessagePage { message: self.app().set_aside_line(message), is_set_aside: state == "quarantined", standing })
        })
    }

    /// The text of a message while the viewer has it open; otherwise the form by which it is opened. That the text was read
    /// is audited each time.
    ///
    /// # Errors
    /// [`Failure::NotFound`] for another site's, for none, and once its text is forgotten; [`Failure::Forbidden`]; the
    /// store's.
    pub fn text_page(&self, id: MessageId) -> Result<RawPage, Failure> {
        let now = self.app().world.now();
        let staff = self.staff().clone();
        let (site, until) = self.app().store.read(|tx| {
            let (_, state, feed) = self.message(tx, Action::SeeRaw, id)?;
            if state != "quarantined" {
                return Err(Failure::NotFound);
            }
            let open = standing::glass_of(tx, &staff, now)?.into_iter().filter(|glass| glass.message == Some(id));
            Ok((feed.site, open.map(|glass| glass.until).max()))
        })?;
        let Some(until) = until else { return Ok(RawPage::Closed(REASON_CHARS_MIN)) };
        self.disclose(Action::SeeRaw, Some(&site), move |tx, seen| {
            seen.detail(format!("message:{id}"));
            let bytes = messages::raw(tx, id)?.ok_or(Failure::NotFound)?;
            Ok(RawPage::Open { until: words::moment(until), lines: text_lines(&bytes) })
        })
    }
}

/// How much of a feed waits to be sent back.
fn sends(feed: &Feed, open: &sending::Open, now: Timestamp) -> String {
    if feed.send.is_none() {
        return String::new();
    }
    let Some(since) = open.since else { return "everything has been sent back".to_owned() };
    let since = words::recent(since, now);
    match (open.parked, open.all - open.parked) {
        (0, waiting) => format!("{}, the oldest since {since}", words::counted(waiting, "message waits", "messages wait")),
        (stopped, 0) => format!("{} stopped, the oldest {since}", words::counted(stopped, "message", "messages")),
        (stopped, waiting) => {
            let stopped = words::counted(stopped, "message", "messages");
            format!("{stopped} stopped and {} waiting, the oldest since {since}", words::number(waiting))
        }
    }
}

/// A feed's messages by hour.
pub(crate) struct Counts {
    all: BTreeMap<i64, u64>,
    refused: BTreeMap<i64, u64>,
    set_aside: BTreeMap<i64, u64>,
}

impl Counts {
    fn of(hours: &[Hour]) -> Self {
        let mut counts = Self { all: BTreeMap::new(), refused: BTreeMap::new(), set_aside: BTreeMap::new() };
        for hour in hours {
            let is = |fate: Fate| hour.fate == fate.code();
            let of_fate = if is(Fate::Refused) {
                Some(&mut counts.refused)
            } else if is(Fate::Quarantined) {
                Some(&mut counts.set_aside)
            } else {
                None
            };
            for held in of_fate.into_iter().chain([&mut counts.all]) {
                *held.entry(hour.hour).or_default() += hour.messages;
            }
        }
        counts
    }

    /// Whether more of the last hours' messages have problems than of the weeks before.
    fn problems_rise(&self, now: i64) -> bool {
        let sum = |counts: &BTreeMap<i64, u64>, hours: Range<i64>| counts.range(hours).map(|(_, count)| count).sum::<u64>();
        let of = |hours: Range<i64>| Problems {
            of: sum(&self.refused, hours.clone()) + sum(&self.set_aside, hours.clone()),
            all: sum(&self.all, hours),
        };
        let begun = now + 1 - PROBLEM_HOURS;
        feed_rate::is_rising(of(begun..now + 1), of(now - HOURS_READ..begun))
    }

    /// The merges of the last day, where they are a storm against the days before.
    fn merge_storm(&self, merges: &[(i64, u64)], now: i64) -> Option<u64> {
        let day = |back: i64| {
            let hours = now + 1 - 24 * (back + 1)..now + 1 - 24 * back;
            merges.iter().filter(|(hour, _)| hours.contains(hour)).map(|(_, count)| count).sum::<u64>()
        };
        let first = self.all.keys().next().copied().unwrap_or(i64::MAX);
        let known = (1..=7 * WEEKS as i64).take_while(|back| now + 1 - 24 * (back + 1) >= first);
        feed_rate::is_merge_storm(day(0), &known.map(day).collect::<Vec<_>>()).then(|| day(0))
    }

    fn at(&self, hour: i64) -> u64 {
        self.all.get(&hour).copied().unwrap_or(0)
    }

    /// What came at the same hour of the same weekday in the weeks before, by the clock of London, of hours from the first
    /// that is known to the last that counts.
    fn before(&self, hour: i64, last: i64) -> Vec<u64> {
        let first = self.all.keys().next().copied().unwrap_or(i64::MAX);
        let weeks = (1..=WEEKS).filter_map(|weeks| weeks_earlier(hour, weeks));
        weeks.filter(|earlier| (first..=last).contains(earlier)).map(|earlier| self.at(earlier)).collect()
    }

    /// Whether a silence since an instant is worth a look.
    fn is_silent(&self, since: Timestamp, now: Timestamp) -> bool {
        let hours = now.duration_since(since).as_hours();
        let mut missed: Option<f64> = None;
        for hour in hour_of(since)..=hour_of(now).min(hour_of(since) + 168) {
            if let Some(usual) = feed_rate::usual(&self.before(hour, hour_of(since))) {
                *missed.get_or_insert(0.0) += usual * overlap(hour, since, now);
            }
        }
        feed_rate::is_silent(hours, missed)
    }

    fn hour_of(&self, hour: i64) -> HourOf {
        let usual = feed_rate::usual(&self.before(hour, hour));
        HourOf {
            label: clock_hour(hour),
            messages: self.at(hour),
            usual,
            usual_words: usual.map_or_else(|| "not known yet".to_owned(), rounded),
        }
    }

    /// The share of messages that were answered with an error from an hour on.
    fn errors(&self, from: i64) -> String {
        let sum = |counts: &BTreeMap<i64, u64>| counts.range(from..).map(|(_, count)| count).sum::<u64>();
        let (refused, all) = (sum(&self.refused), sum(&self.all));
        match (refused, all) {
            (_, 0) => "no message in the last 24 hours".to_owned(),
            (0, all) => format!("none of {} in the last 24 hours", words::number(all)),
            (refused, all) => format!("{} of {} in the last 24 hours", words::number(refused), words::number(all)),
        }
    }
}

/// The part of an hour that lies between two instants.
fn overlap(hour: i64, from: Timestamp, until: Timestamp) -> f64 {
    let seconds = (until.as_second().min((hour + 1) * 3600) - from.as_second().max(hour * 3600)).clamp(0, 3600);
    f64::from(i32::try_from(seconds).unwrap_or(0)) / 3600.0
}

fn start_of(hour: i64) -> Timestamp {
    Timestamp::from_second(hour.saturating_mul(3600)).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn weeks_earlier(hour: i64, weeks: usize) -> Option<i64> {
    let time = london_time(start_of(hour)).checked_sub(i32::try_from(weeks).ok()?.weeks()).ok()?;
    london_instant(time).map(hour_of)
}

/// `7am`: an hour by the clock of London.
fn clock_hour(hour: i64) -> String {
    words::clock(start_of(hour)).replace(":00", "")
}

fn rounded(usual: f64) -> String {
    if usual < 10.0 { format!("{usual:.1}") } else { format!("{usual:.0}") }
}

fn usual_sentence(before: &[u64], hour: i64) -> String {
    let weekday = london_time(start_of(hour)).strftime("%A").to_string();
    match feed_rate::usual(before) {
        None => "what is usual is not known yet".to_owned(),
        Some(usual) => format!("usually {} at this hour on a {weekday}", rounded(usual)),
    }
}

fn description(hours: &[HourOf]) -> String {
    let all = hours.iter().map(|hour| hour.messages).sum();
    let most = hours.iter().max_by_key(|hour| hour.messages);
    let peak = most.filter(|hour| hour.messages > 0).map_or_else(String::new, |hour| format!(", most from {}", hour.label));
    format!("{} in 24 hours{peak}.", words::counted(all, "message", "messages"))
}

/// What needs a look stands first.
fn rank(tone: &str) -> u8 {
    match tone {
        "alert" => 0,
        "soon" => 1,
        _ => 2,
    }
}

/// A message as lines of text. Bytes that are no UTF-8 are read as Latin-1, in which every byte is a letter; control
/// characters are shown as their pictures, so that nothing acts and nothing hides.
fn text_lines(bytes: &[u8]) -> Vec<TextLine> {
    let text = std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned);
    let lines = text.split(['\r', '\n']).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let shown: String = line.chars().map(picture).collect();
            let cut = shown.char_indices().nth(3).map_or(shown.len(), |(at, _)| at);
            let (segment, rest) = shown.split_at(cut);
            TextLine { segment: segment.to_owned(), rest: rest.to_owned() }
        })
        .collect()
}

fn picture(letter: char) -> char {
    match letter {
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or('\u{fffd}'),
        '\u{7f}'..='\u{9f}' => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FixedWorld;
    use alongside_store::messages::Bucket;
    use alongside_store::testing::both_engines;

    fn hour(text: &str) -> i64 {
        hour_of(text.parse().unwrap())
    }

    #[test]
    fn a_week_earlier_is_the_same_hour_of_londons_clock() {
        assert_eq!(weeks_earlier(hour("2025-01-06T08:00:00Z"), 1), Some(hour("2024-12-30T08:00:00Z")));
        assert_eq!(weeks_earlier(hour("2025-04-01T07:00:00Z"), 1), Some(hour("2025-03-25T08:00:00Z")), "8am by both clocks");
    }

    #[test]
    fn text_is_shown_by_segment_and_hides_nothing() {
        let lines = text_lines(b"MSH|^~\\&|\xe9\rPID|1\x00\x1b\nX");
        let told: Vec<_> = lines.iter().map(|line| (line.segment.as_str(), line.rest.as_str())).collect();
        assert_eq!(told, [("MSH", "|^~\\&|é"), ("PID", "|1␀␛"), ("X", "")]);
    }

    #[test]
    fn a_feed_tells_what_is_usual_and_when_it_is_silent() {
        both_engines(|store| {
            let world = FixedWorld::at("2025-01-06T08:30:00Z".parse().unwrap());
            let app = crate::testing::app(store, world.clone());
            let (first, last) = (hour("2024-12-02T00:00:00Z"), hour("2025-01-06T07:00:00Z"));
            app.store
                .write(move |tx| {
                    for hour in first..=last {
                        let (fate, count) = if hour == last { ("refused", 4) } else { ("discarded", 20) };
                        messages::count(tx, &Bucket { feed: "chelwest".into(), hour, kind: "ADT^A08".into(), fate }, count)?;
                    }
                    messages::heard(tx, "chelwest", "2025-01-06T08:29:00Z".parse().unwrap())
                })
                .unwrap();
            let wei = app.desk("engineer-wei").unwrap();
            let card = |page: &Feeds| page.feeds.iter().find(|card| card.key == "chelwest").unwrap().clone();
            let page = wei.feeds_page().unwrap();
            assert_eq!(page.feeds.len(), 4);
            let quiet = card(&page);
            assert_eq!((quiet.state.as_str(), quiet.tone, quiet.hours.len()), ("Quieter than usual", "soon", 24));
            assert_eq!(quiet.last_hour, "4 messages from 7am to 8am");
            assert_eq!(quiet.usual, "usually 20 at this hour on a Monday");
            assert_eq!(quiet.errors, "4 of 464 in the last 24 hours");
            assert!(quiet.heard.starts_with("Last heard today"));
            world.set("2025-01-06T09:35:00Z".parse().unwrap());
            let silent = card(&app.desk("engineer-wei").unwrap().feeds_page().unwrap());
            assert_eq!((silent.state.as_str(), silent.tone), ("Silent: look at the connection", "alert"));
        });
    }

    #[test]
    fn more_problems_than_before_and_a_storm_of_merges_are_seen() {
        both_engines(|store| {
            let now = "2025-01-06T08:30:00Z";
            let app = crate::testing::app(store, FixedWorld::at(now.parse().unwrap()));
            let (first, last) = (hour("2024-12-02T00:00:00Z"), hour("2025-01-06T07:00:00Z"));
            let add = |from: i64, kind: &'static str, fate: &'static str, count: u64| {
                app.store
                    .write(move |tx| {
                        for hour in from..=last {
                            messages::count(tx, &Bucket { feed: "chelwest".into(), hour, kind: kind.into(), fate }, count)?;
                        }
                        messages::heard(tx, "chelwest", now.parse().unwrap())
                    })
                    .unwrap();
            };
            let state = || {
                let page = app.desk("engineer-wei").unwrap().feeds_page().unwrap();
                let card = page.feeds.iter().find(|card| card.key == "chelwest").unwrap().clone();
                let metrics = app.feed_metrics().unwrap().into_iter().find(|feed| feed.feed == "chelwest").unwrap();
                (card.state, card.merges, metrics.problems_rise, metrics.is_merge_storm)
            };
            add(first, "ADT^A08", "discarded", 20);
            assert_eq!(state(), ("As usual".into(), String::new(), false, false));
            add(last - 1, "ADT^A40", "applied", 15);
            assert_eq!(state(), ("More merges than usual: ask the hospital why".into(), "30 merges".into(), false, true));
            add(last - 1, "ORU^R01", "quarantined", 4);
            assert_eq!(state(), ("More problems than before: look at what is set aside".into(), "30 merges".into(), true, true));
        });
    }
}
