//! Where figures begin: each site with its most important ones, the lists that are open to the reader, and the ledger.

use alongside_domain::access::{self, Action};
use alongside_domain::calendar::{Period, Quarter};
use alongside_domain::ledger::{Ledger, Standing};
use alongside_domain::measures::{Audience, Report, financial_year_to};
use jiff::civil::Date;

use super::figures::{figure, measure};
use super::words;
use super::worklists::{self, WorklistKind};
use crate::counting::{History, quarters_to};
use crate::desk::Desk;
use crate::setup::Site;
use crate::{Failure, london_date};

/// The sites with their figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiguresStart {
    /// `6 January 2025, 8:30am`.
    pub now: String,
    /// The last complete quarter in words.
    pub quarter: String,
    /// The sites.
    pub sites: Vec<SiteCard>,
}

/// A site with its figures.
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

impl Desk {
    /// The sites whose figures the owner of the desk may see, with the lists that are theirs. Small numbers are kept back.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; the store's.
    pub fn figures_start_page(&self) -> Result<FiguresStart, Failure> {
        self.may_do(Action::SeeFigures)?;
        let now = self.app().world.now();
        let today = london_date(now);
        let quarter = Quarter::of(today).previous();
        let (mut since, mut sites) = (now, Vec::new());
        for site in self.sites(Action::SeeFigures) {
            let history = self.app().history(&site.key, &quarters_to(Quarter::of(today)))?;
            since = since.min(history.at);
            sites.push(self.site_card(site, &history, quarter, today)?);
        }
        Ok(FiguresStart { now: words::moment(since), quarter: words::quarter(quarter), sites })
    }

    fn site_card(&self, site: &Site, history: &History, quarter: Quarter, today: Date) -> Result<SiteCard, Failure> {
        let report = history.report(quarter, Audience::Public)?;
        let since = financial_year_to(Quarter::of(today)).from;
        // From the beginning of the year that the headline counts, so that both speak of the same people.
        let period = Period { from: since.min(financial_year_to(quarter).from), to: today };
        let ledger = history.ledger(period);
        let tiles = self.app().store.read(|tx| {
            WorklistKind::ALL
                .iter()
                .filter(|kind| self.may_do(kind.action()).is_ok())
                .map(|kind| {
                    let lines = worklists::count(tx, &self.scope(kind.action(), &site.key)?, *kind, today)?;
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
            ledger: ledger_line(&ledger, period, access::may_at(self.viewer(), Action::SeeOwnFigures, &site.key).is_ok()),
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

/// With its counts for the service itself: others are told whether it balances, since a count may be small.
fn ledger_line(ledger: &Ledger, period: Period, with_counts: bool) -> LedgerLine {
    if !with_counts {
        let words = if ledger.balances() { "Everybody since {} is accounted for" } else { "NOT everybody since {} is accounted for" };
        return LedgerLine { words: words.replace("{}", &words::day(period.from)), balances: ledger.balances(), standings: Vec::new() };
    }
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
        let line = ledger_line(&balanced, period, true);
        assert_eq!(line.words, "2 triggers since 1 April 2024, all accounted for");
        assert!(line.balances && line.standings.len() == 2);
        let missed = ledger_line(&Ledger::of([Standing::Unaccounted], 0), period, true);
        assert_eq!(missed.words, "1 trigger since 1 April 2024, 1 NOT accounted for");
        assert!(!missed.balances);
        let others = ledger_line(&balanced, period, false);
        assert_eq!((others.words.as_str(), others.standings.len()), ("Everybody since 1 April 2024 is accounted for", 0));
    }

    #[test]
    fn names_are_listed_as_a_sentence_does() {
        assert_eq!([listed(&[]), listed(&["a"]), listed(&["a", "b"]), listed(&["a", "b", "c"])], ["", "a", "a and b", "a, b and c"]);
    }

    #[test]
    fn each_site_stands_there_with_its_ledger_and_the_lists_of_whoever_looks() {
        let (app, _, _database) = crate::pages::testing::with_somebody_awaiting_notice();
        let manager = app.desk("manager-frances").unwrap().figures_start_page().unwrap();
        let [west, north] = manager.sites.as_slice() else { panic!("{manager:?}") };
        assert_eq!((west.title.as_str(), north.title.as_str()), ("Chelsea and Westminster", "North Middlesex"));
        assert!(west.worklists.is_empty(), "a manager has no lists of people");
        assert_eq!(west.ledger.words, "Everybody since 1 April 2024 is accounted for", "a small number is not told");
        assert_eq!(west.ledger.standings, []);
        let nurse = app.desk("nurse-aoife").unwrap().figures_start_page().unwrap();
        let [west] = nurse.sites.as_slice() else { panic!("{nurse:?}") };
        assert_eq!(nurse.quarter, "October to December 2024");
        assert_eq!(west.ledger.words, "1 trigger since 1 April 2024, all accounted for");
        let waiting: Vec<_> = west.worklists.iter().filter(|tile| !tile.empty).map(|tile| tile.title).collect();
        assert_eq!(waiting, ["Awaiting notice"]);
        assert_eq!(app.desk("engineer-wei").unwrap().figures_start_page(), Err(Failure::Forbidden));
    }
}
