//! The simulator: a believable year of both hospitals, and what the people of the story do, from one seed.
//!
//! | module | holds |
//! | --- | --- |
//! | `script` | who comes and what becomes of them: tables and counts |
//! | `story`, `lines` | their days, drawn from the seed, and the times of day |
//! | `chapters` | the planted chapters that are about messages |
//! | `known` | people in care: lists and ordinary traffic |
//! | `team` | who supports whom |
//! | `crowd` | everybody else, made day by day and forgotten |
//! | `wire` | the senders' dialects |
//!
//! Nobody in it exists; NHS numbers are of the range 999, telephone numbers of Ofcom's ranges for drama. Everything
//! comes from ChaCha8 with the seed given: the same seed is the same year, byte for byte.

mod chapters;
mod clock;
mod crowd;
pub mod event;
mod known;
mod lines;
mod people;
mod perform;
mod script;
mod segments;
mod spreadsheet;
mod story;
mod team;
#[cfg(test)]
mod tests;
mod wire;

use std::iter::Peekable;
use std::vec::IntoIter;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, date};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use event::{Act, Event, Happening};
pub use spreadsheet::{Spreadsheet, spreadsheet};

use clock::{Calendar, END, FIRST_DAY, LAST_DAY, plus};
use crowd::Crowd;
use known::{Hospital, Listed, Register, weekly_lists};
use people::Site;
use script::{Origin, SCRIPTS, Script};
use wire::Draft;

/// The demo's configuration: sites, feeds, staff and supporters, by the keys that the events use.
pub const DEMO_CONFIGURATION: &str = include_str!("demo.toml");

/// The day on which North Middlesex's spreadsheet is brought in: the second of April 2024.
pub const SPREADSHEET_DAY: Date = date(2024, 4, 2);

/// From when on North Middlesex's feed says nothing: Sunday 5 January 2025, 02:00.
const SILENT_FROM: DateTime = date(2025, 1, 5).at(2, 0, 0, 0);

/// How large the year is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// The crowd: 1 for about 600,000 messages about some 180,000 people, 0 for none. Below 1 the people in care who have
    /// no part in the story are fewer too, down to one in twenty.
    pub crowd: f64,
}

/// The year from Monday 1 January 2024 to Monday 6 January 2025, 08:30 at the hospitals, in the order of time.
///
/// The crowd is made day by day as the iterator is drawn; what concerns people whom the service knows is planned at once
/// (a few thousand events).
pub fn year(seed: u64, scale: Scale) -> impl Iterator<Item = Event> {
    let calendar = Calendar::new();
    let mut planned: Vec<Planned> = SCRIPTS.iter().flat_map(|script| plan(script, seed, scale, &calendar)).collect();
    planned.sort_by_key(|planned| planned.at);
    let crowds = Site::BOTH.map(|site| Crowd::new(site, seed, scale.crowd, &calendar));
    Year { calendar, planned: planned.into_iter().peekable(), crowds, sent: [0; 2], day: FIRST_DAY, today: Vec::new().into_iter() }
}

/// Something planned for a time on the hospitals' wall.
#[derive(Debug, Clone)]
struct Planned {
    at: DateTime,
    item: Item,
}

#[derive(Debug, Clone)]
enum Item {
    Message(Site, Draft),
    List(&'static str, String),
    Act { site: Site, mrn: String, act: Act },
}

/// Plans what concerns people whom the service knows.
fn plan(script: &Script, seed: u64, scale: Scale, calendar: &Calendar) -> Vec<Planned> {
    let site = script.site;
    let stream = |nth: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(4 << 40 | u64::from(site == Site::NorthMid) << 36 | nth);
        rng
    };
    let (mut hospital, mut register, mut rng) = (Hospital::new(site), Register::new(seed, site, stream(0)), stream(1));
    let cases = story::cases(script, calendar, &mut rng, &mut register);
    let mut lines: Vec<_> = cases.iter().map(|case| lines::line(case, &mut hospital, calendar, &mut rng)).collect();
    let mut chapters = chapters::write(&mut hospital, &mut register, calendar);
    lines.append(&mut chapters.lines);
    let mut planned = team::play(site, &lines);
    planned.append(&mut chapters.planned);
    if site == Site::NorthMid {
        let mut listed = chapters.listed;
        listed.extend(cases.iter().filter(|case| case.origin == Origin::Diagnosed).map(Listed::from_case));
        planned.extend(weekly_lists(site, listed, calendar));
    }
    register.fill(script.in_care, scale.crowd);
    planned.extend(register.routine(&mut hospital, calendar));
    planned.push(Planned { at: FIRST_DAY.at(7, 0, 0, 0), item: Item::List(site.list_feed(), register.list()) });
    planned
}

struct Year {
    calendar: Calendar,
    planned: Peekable<IntoIter<Planned>>,
    crowds: [Crowd; 2],
    /// How many messages each feed has sent.
    sent: [u64; 2],
    day: Date,
    today: IntoIter<Event>,
}

impl Iterator for Year {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.today.next() {
                return Some(event);
            }
            if self.day > LAST_DAY {
                return None;
            }
            self.today = self.make_day(self.day).into_iter();
            self.day = plus(self.day, 1);
        }
    }
}

impl Year {
    fn make_day(&mut self, day: Date) -> Vec<Event> {
        let mut items: Vec<(Timestamp, Item)> = Vec::new();
        while let Some(planned) = self.planned.next_if(|planned| planned.at.date() <= day) {
            items.push((self.calendar.instant(planned.at), planned.item));
        }
        for crowd in &mut self.crowds {
            let site = crowd.site();
            let drafts = crowd.day(&self.calendar, day);
            items.extend(drafts.into_iter().map(|(at, draft)| (self.calendar.instant(at), Item::Message(site, draft))));
        }
        // Stable: what was planned in one order at one instant keeps it.
        items.sort_by_key(|(at, _)| *at);
        items.into_iter().filter_map(|(at, item)| self.event(at, item)).collect()
    }

    /// Writes an event, unless the feed is silent or the story is over.
    fn event(&mut self, at: Timestamp, item: Item) -> Option<Event> {
        let wall = self.calendar.wall(at);
        // A first screening may lie before the year.
        if wall > END || wall.date() < FIRST_DAY {
            return None;
        }
        let what = match item {
            Item::Message(Site::NorthMid, _) if wall >= SILENT_FROM => return None,
            Item::Message(site, draft) => {
                let control = self.next_control(site);
                Happening::Message { feed: site.feed(), bytes: wire::write(site, &draft, &control, wall) }
            }
            Item::List(feed, csv) => Happening::List { feed, csv },
            Item::Act { site, mrn, act } => Happening::Act { site: site.key(), mrn, act },
        };
        Some(Event { at, what })
    }

    /// MSH-10, in each sender's habit: never twice on a feed.
    fn next_control(&mut self, site: Site) -> String {
        let [west, north] = &mut self.sent;
        match site {
            Site::ChelWest => {
                *west += 1;
                format!("Q{}T{}", 100_000_000 + *west, 200_000_000 + *west * 3)
            }
            Site::NorthMid => {
                *north += 1;
                format!("{:012}", *north)
            }
        }
    }
}
