//! The start page: what the service has promised, and how it stands.

use alongside_domain::calendar::{Period, Quarter};
use alongside_domain::ledger::{Ledger, Standing};
use alongside_domain::measures::{Audience, Report, financial_year_to};
use alongside_store::messages;
use jiff::civil::Date;

use super::feeds::{self, FeedLine};
use super::figures::{figure, measure};
use super::words;
use super::worklists::{self, WorklistKind};
use crate::setup::Site;
use crate::{App, Failure, london_date, reporting};

/// The start page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// `6 January 2025, 8:30am`.
    pub now: String,
    /// The last complete quarter in words.
    pub quarter: String,
    /// The sites.
    pub sites: Vec<SiteCard>,
    /// The feeds.
    pub feeds: Vec<FeedLine>,
    /// How many messages are set aside, in words.
    pub quarantined: String,
    /// Whether any are.
    pub any_quarantined: bool,
}

/// A site on the start page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteCard {
    /// Key.
    pub key: String,
    /// Title.
    pub title: String,
    /// Partner charities, as one sentence part.
    pub partners: String,
    /// Where its figures are.
    pub figures: String,
    /// Its most important figures.
    pub headlines: Vec<Headline>,
    /// Its worklists.
    pub worklists: Vec<Tile>,
    /// Its ledger.
    pub ledger: LedgerLine,
}

/// A figure in large letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// The figure.
    pub value: String,
    /// Whether it is kept back; then it is written smaller.
    pub hidden: bool,
    /// What it counts.
    pub label: String,
    /// What belongs to it.
    pub note: String,
}

/// A worklist with its count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Where it is.
    pub href: String,
    /// Its title.
    pub title: &'static str,
    /// How many lines it has.
    pub count: String,
    /// Whether it is empty.
    pub empty: bool,
    /// Whether only the clinic may see it.
    pub clinic_only: bool,
}

/// The ledger in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerLine {
    /// `312 triggers since 1 April 2024, all accounted for`.
    pub words: String,
    /// Whether nobody was missed.
    pub balances: bool,
    /// How they stand: words and count, without those that count nobody.
    pub standings: Vec<(String, String)>,
}

impl App {
    /// The start page.
    ///
    /// # Errors
    /// The store's.
    pub fn start_page(&self) -> Result<Start, Failure> {
        let now = self.world.now();
        let today = london_date(now);
        let quarter = Quarter::of(today).previous();
        let mut sites = Vec::new();
        for site in self.setup.sites.values() {
            sites.push(self.site_card(site, quarter, today)?);
        }
        let (feeds, set_aside) =
            self.store.read(|tx| Ok::<_, Failure>((feeds::lines(self, tx, now)?, messages::count_set_aside(tx, None)?)))?;
        Ok(Start {
            now: words::moment(now),
            quarter: words::quarter(quarter),
            sites,
            feeds,
            quarantined: words::counted(set_aside, "message is set aside", "messages are set aside"),
            any_quarantined: set_aside > 0,
        })
    }

    fn site_card(&self, site: &Site, quarter: Quarter, today: Date) -> Result<SiteCard, Failure> {
        let report = reporting::report(self, &site.key.0, quarter, Audience::Public)?;
        let since = financial_year_to(Quarter::of(today)).from;
        // From the beginning of the year that the headline counts, so that both speak of the same people.
        let period = Period { from: since.min(financial_year_to(quarter).from), to: today };
        let ledger = reporting::ledger(self, &site.key.0, period)?;
        let tiles = self.store.read(|tx| {
            WorklistKind::ALL
                .iter()
                .map(|kind| {
                    let lines = worklists::count(tx, &site.key, *kind, today)?;
                    Ok::<_, Failure>(Tile {
                        href: worklists::address(&site.key, *kind),
                        title: kind.words(),
                        count: words::number(lines),
                        empty: lines == 0,
                        clinic_only: kind.is_clinics(),
                    })
                })
                .collect::<Result<Vec<Tile>, Failure>>()
        })?;
        Ok(SiteCard {
            key: site.key.0.clone(),
            title: site.title.clone(),
            partners: listed(&site.partners.iter().map(|(_, title, _)| title.as_str()).collect::<Vec<_>>()),
            figures: format!("/sites/{}/figures?quarter={quarter}", site.key),
            headlines: headlines(&report),
            worklists: tiles,
            ledger: ledger_line(&ledger, period),
        })
    }
}

/// The measures in large letters, each with what it counts when it stands alone.
const HEADLINES: [(&str, &str); 3] = [
    ("people-supported", "people supported"),
    ("newly-diagnosed-engaged", "newly diagnosed people engaged"),
    ("first-contact-within-promise", "first conversations within the promise"),
];

fn headlines(report: &Report) -> Vec<Headline> {
    HEADLINES
        .iter()
        .filter_map(|(id, label)| measure(report, id).map(|measure| (measure, *label)))
        .map(|(measure, label)| {
            let (value, note, hidden) = figure(&measure.figure);
            let value = if hidden { "hidden".to_owned() } else { value };
            let note = if hidden { "a small number, or hidden to protect one".to_owned() } else { note };
            Headline { value, hidden, label: format!("{label}, {}", words::period(measure.period)), note }
        })
        .collect()
}

fn ledger_line(ledger: &Ledger, period: Period) -> LedgerLine {
    let missed = ledger.count(Standing::Unaccounted);
    let standing = if missed == 0 { "all accounted for".to_owned() } else { format!("{} NOT accounted for", words::number(missed)) };
    let triggers = words::counted(ledger.triggers, "trigger", "triggers");
    let standings = ledger.standings.iter().filter(|(_, count)| *count > 0);
    LedgerLine {
        words: format!("{triggers} since {}, {standing}", words::day(period.from)),
        balances: ledger.balances(),
        standings: standings.map(|(standing, count)| (words::sentence(standing.words()), words::number(*count))).collect(),
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_ledger_that_does_not_balance_says_so_in_its_sentence() {
        let period = Period { from: date(2024, 4, 1), to: date(2025, 1, 6) };
        let balanced = Ledger::of([Standing::Engaged, Standing::OptedOut], 0);
        let line = ledger_line(&balanced, period);
        assert_eq!(line.words, "2 triggers since 1 April 2024, all accounted for");
        assert!(line.balances && line.standings.len() == 2);
        let missed = ledger_line(&Ledger::of([Standing::Unaccounted], 0), period);
        assert_eq!(missed.words, "1 trigger since 1 April 2024, 1 NOT accounted for");
        assert!(!missed.balances);
    }

    #[test]
    fn names_are_listed_as_a_sentence_does() {
        assert_eq!([listed(&[]), listed(&["a"]), listed(&["a", "b"]), listed(&["a", "b", "c"])], ["", "a", "a and b", "a, b and c"]);
    }

    #[test]
    fn the_start_page_shows_each_site_with_its_ledger_and_its_lists() {
        let (app, _, _database) = crate::pages::testing::with_somebody_awaiting_notice();
        let start = app.start_page().unwrap();
        let [west, north] = start.sites.as_slice() else { panic!("{start:?}") };
        assert_eq!((west.title.as_str(), north.title.as_str()), ("Chelsea and Westminster", "North Middlesex"));
        assert_eq!(start.quarter, "October to December 2024");
        assert_eq!(west.ledger.words, "1 trigger since 1 April 2024, all accounted for");
        assert_eq!(north.ledger.words, "0 triggers since 1 April 2024, all accounted for");
        let waiting: Vec<_> = west.worklists.iter().filter(|tile| !tile.empty).map(|tile| tile.title).collect();
        assert_eq!(waiting, ["Awaiting notice"]);
        let heard: Vec<_> = start.feeds.iter().map(|feed| (feed.key.as_str(), feed.state)).collect();
        assert_eq!(heard, [("chelwest", "Heard"), ("chelwest-list", "List"), ("northmid", "Not heard yet"), ("northmid-list", "List")]);
        assert!(!start.any_quarantined);
    }
}
