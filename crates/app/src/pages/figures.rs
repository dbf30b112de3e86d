//! The quarter's report as a page.

use alongside_domain::access::Action;
use alongside_domain::calendar::Quarter;
use alongside_domain::measures::{Audience, Cell, Figure, Measure, Report};
use alongside_domain::person::SiteId;

use super::charts::{Chart, Dot, Shape, round_up};
use super::{Link, words};
use crate::counting::quarters_to;
use crate::desk::Desk;
use crate::{App, Failure, london_date, reporting};

/// What stands in the place of a count that is kept back.
pub(super) const HIDDEN: &str = "1 to 4, or hidden to protect one";

/// The report of a site for a quarter.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Key of the site.
    pub site: String,
    /// Title of the site.
    pub site_title: String,
    /// `2024-Q4`.
    pub quarter: String,
    /// `October to December 2024`.
    pub quarter_words: String,
    /// The day on which it was computed.
    pub as_of: String,
    /// Whether the quarter is not over.
    pub running: bool,
    /// Whether small numbers are masked.
    pub masked: bool,
    /// What may be published, and what the service itself sees.
    pub audiences: Vec<Link>,
    /// Other quarters, oldest first.
    pub quarters: Vec<Link>,
    /// The figures.
    pub sections: Vec<Section>,
    /// Charts over the last quarters.
    pub charts: Vec<Chart>,
    /// The same figures as files.
    pub downloads: Vec<Link>,
}

/// Figures that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub heading: &'static str,
    /// Its figures.
    pub rows: Vec<Row>,
}

/// A figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Identifier of its definition.
    pub id: &'static str,
    /// Version of its definition.
    pub version: u32,
    /// What it is.
    pub title: String,
    /// Of which time it speaks.
    pub period: String,
    /// The figure.
    pub value: String,
    /// What belongs to it: share and interval, or the quarter before. Empty where nothing does.
    pub more: String,
    /// Whether the value is kept back.
    pub hidden: bool,
}

/// What somebody must be allowed to do to see figures as they are published, or with their small numbers.
const fn action(audience: Audience) -> Action {
    match audience {
        Audience::Public => Action::SeeFigures,
        Audience::Service => Action::SeeOwnFigures,
    }
}

impl Desk {
    /// The page of a site's figures for a quarter. Aggregates: the audit tells that they were read, of nobody.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::NotFound`] for another site; the report's.
    pub fn figures_page(&self, site: &str, quarter: Quarter, audience: Audience) -> Result<Figures, Failure> {
        let title = self.site(action(audience), site)?.title.clone();
        let mut page = self.app().figures(site, &title, quarter, audience)?;
        if self.may_do(Action::SeeOwnFigures).is_err() {
            page.audiences.clear();
        }
        if self.may_do(Action::ExportFigures).is_err() {
            page.downloads.clear();
        }
        Ok(page)
    }

    /// A site's report for a quarter, to be taken away as a file: the audit tells who took it.
    ///
    /// # Errors
    /// [`Failure::Forbidden`]; [`Failure::NotFound`] for another site; the report's.
    pub fn export_report(&self, site: &str, quarter: Quarter, audience: Audience) -> Result<Report, Failure> {
        self.site(action(audience), site)?;
        let key = self.site(Action::ExportFigures, site)?.key.clone();
        let report = reporting::report(self.app(), site, quarter, audience)?;
        self.disclose(Action::ExportFigures, Some(&key), move |_, seen| {
            seen.detail(if audience == Audience::Public { "masked" } else { "unmasked" });
            Ok(())
        })?;
        Ok(report)
    }
}

impl App {
    /// The last quarter that is over: what a page shows when no other is asked for.
    #[must_use]
    pub fn last_quarter(&self) -> Quarter {
        Quarter::of(london_date(self.world.now())).previous()
    }

    fn figures(&self, site: &str, title: &str, quarter: Quarter, audience: Audience) -> Result<Figures, Failure> {
        let now = Quarter::of(london_date(self.world.now()));
        let quarters = quarters_to(quarter);
        let history = self.history(&SiteId(site.to_owned()), &quarters)?;
        let reports = quarters.iter().map(|quarter| history.report(*quarter, audience)).collect::<Result<Vec<_>, _>>()?;
        let report = reports.last().ok_or(Failure::NotFound)?;
        let with = |audience: Audience| if audience == Audience::Service { "&show=all" } else { "" };
        let here = |extra: &str| format!("/sites/{site}/figures?quarter={quarter}{extra}");
        let switch = |to: Audience, words: &str| Link { current: audience == to, ..Link::new(here(with(to)), words) };
        let file =
            |ending: &str, words: &str| Link::new(format!("/sites/{site}/figures.{ending}?quarter={quarter}{}", with(audience)), words);
        Ok(Figures {
            site: site.to_owned(),
            site_title: title.to_owned(),
            quarter: quarter.to_string(),
            quarter_words: words::quarter(quarter),
            as_of: words::moment(history.at),
            running: report.as_of <= quarter.last_day(),
            masked: report.masked,
            audiences: vec![switch(Audience::Public, "Small numbers hidden"), switch(Audience::Service, "All numbers")],
            quarters: quarters_to(now).into_iter().map(|one| quarter_link(site, one, quarter, with(audience))).collect(),
            sections: sections(report),
            charts: vec![
                supported_chart(&reports),
                share_chart(
                    &reports,
                    "first-contact-within-promise",
                    "First conversations within the promise, by quarter",
                    "Within the promise",
                ),
                days_chart(&reports),
                share_chart(
                    &reports,
                    "newly-diagnosed-engaged",
                    "Newly diagnosed people who engaged, financial year to the end of each quarter",
                    "Engaged",
                ),
            ],
            downloads: vec![file("json", "Download as JSON"), file("csv", "Download as CSV")],
        })
    }
}

fn quarter_link(site: &str, quarter: Quarter, shown: Quarter, with: &str) -> Link {
    let link = Link::new(format!("/sites/{site}/figures?quarter={quarter}{with}"), words::quarter(quarter));
    Link { current: quarter == shown, ..link }
}

/// What a report is divided into, by the beginnings of its measures' identifiers. What fits none stands at the end.
const SECTIONS: [(&str, &[&str]); 4] = [
    ("People supported", &["people-supported", "supported-"]),
    ("Newly diagnosed people", &["newly-diagnosed-"]),
    ("The promise of a first conversation", &["first-contact-"]),
    ("Coming back into care, and where things stand", &[""]),
];

fn sections(report: &Report) -> Vec<Section> {
    let section_of = |measure: &Measure| SECTIONS.iter().position(|(_, starts)| starts.iter().any(|start| measure.id.starts_with(start)));
    let rows = |index: usize| report.measures.iter().filter(move |measure| section_of(measure) == Some(index)).map(row).collect();
    SECTIONS.iter().enumerate().map(|(index, (heading, _))| Section { heading, rows: rows(index) }).collect()
}

fn row(measure: &Measure) -> Row {
    let (value, more, hidden) = figure(&measure.figure);
    Row {
        id: measure.id,
        version: measure.version,
        title: words::sentence(measure.title),
        period: words::period(measure.period),
        value,
        more,
        hidden,
    }
}

pub(super) fn cell(cell: Cell) -> String {
    cell.shown().map_or_else(|| HIDDEN.to_owned(), words::number)
}

/// A figure as its value, what belongs to it, and whether it is kept back.
pub(super) fn figure(figure: &Figure) -> (String, String, bool) {
    match figure {
        Figure::Count { value, previous } => {
            let before = previous.map(|previous| format!("{} the quarter before", cell(previous))).unwrap_or_default();
            (cell(*value), before, *value == Cell::Masked)
        }
        Figure::Share { numerator, denominator, share, interval } => {
            let hidden = share.is_none() && (*numerator == Cell::Masked || *denominator == Cell::Masked);
            let value = if hidden { HIDDEN.to_owned() } else { format!("{} of {}", cell(*numerator), cell(*denominator)) };
            let more = match (share, interval) {
                (Some(share), Some(interval)) => format!(
                    "{}; the true share lies between {} and {} (95\u{a0}% interval)",
                    words::percent(*share),
                    words::percent(interval.low),
                    words::percent(interval.high)
                ),
                _ if hidden => match denominator.shown() {
                    Some(whole) => format!("of {}", words::number(whole)),
                    None => String::new(),
                },
                _ => "nobody to count yet".to_owned(),
            };
            (value, more, hidden)
        }
        Figure::Median { value, previous } => {
            let days = |value: Option<f64>| value.map_or_else(|| "no figure".to_owned(), days);
            (days(*value), format!("{} the quarter before", days(*previous)), false)
        }
    }
}

fn days(value: f64) -> String {
    if (value - 1.0).abs() < f64::EPSILON { "1 day".to_owned() } else { format!("{value} days") }
}

pub(super) fn measure<'a>(report: &'a Report, id: &str) -> Option<&'a Measure> {
    report.measures.iter().find(|measure| measure.id == id)
}

/// `Q4 2024`, which fits below a bar.
fn label(quarter: Quarter) -> String {
    format!("Q{} {}", quarter.number(), quarter.year())
}

fn supported_chart(reports: &[Report]) -> Chart {
    let dots: Vec<Dot> = reports.iter().map(supported_dot).collect();
    let top = dots.iter().filter_map(|dot| dot.value).fold(0.0, f64::max);
    Chart {
        id: "people-supported".into(),
        title: "People supported, by quarter".into(),
        description: told(&dots),
        along: "Quarter",
        measured: "People supported".into(),
        shape: Shape::Bars,
        scale: (0.0, round_up(top)),
        bands: Vec::new(),
        dots,
    }
}

fn supported_dot(report: &Report) -> Dot {
    let cell = match measure(report, "people-supported").map(|measure| measure.figure) {
        Some(Figure::Count { value, .. }) => value,
        _ => Cell::Masked,
    };
    Dot {
        value: cell.shown().map(counted),
        short: cell.shown().map_or_else(|| "hidden".to_owned(), words::number),
        words: self::cell(cell),
        ..quarter_dot(report)
    }
}

/// Counts of people are far below 2^53, up to which this is exact.
#[expect(clippy::cast_precision_loss, reason = "there is no lossless conversion, and counts of people are exact in it")]
fn counted(count: u64) -> f64 {
    count as f64
}

/// A share with its interval.
fn share_chart(reports: &[Report], id: &'static str, title: &str, measured: &str) -> Chart {
    let dots: Vec<Dot> = reports.iter().map(|report| share_dot(report, id)).collect();
    Chart {
        id: id.into(),
        title: title.into(),
        description: told(&dots),
        along: "Quarter",
        measured: measured.into(),
        shape: Shape::Intervals,
        scale: (0.0, 100.0),
        bands: Vec::new(),
        dots,
    }
}

fn share_dot(report: &Report, id: &str) -> Dot {
    let known = measure(report, id).map(|measure| measure.figure);
    let (share, interval) = match known {
        Some(Figure::Share { share, interval, .. }) => (share, interval),
        _ => (None, None),
    };
    let (value, more, hidden) = known.as_ref().map(figure).unwrap_or_default();
    let words = if hidden || more.is_empty() { value } else { format!("{value}: {more}") };
    let none = if hidden { "hidden" } else { "none" };
    Dot {
        value: share.map(|share| share * 100.0),
        interval: interval.map(|interval| (interval.low * 100.0, interval.high * 100.0)),
        short: share.map_or_else(|| none.to_owned(), words::percent),
        words,
        ..quarter_dot(report)
    }
}

fn days_chart(reports: &[Report]) -> Chart {
    let dots: Vec<Dot> = reports.iter().map(days_dot).collect();
    let top = dots.iter().filter_map(|dot| dot.value).fold(0.0, f64::max);
    Chart {
        id: "first-contact-working-days".into(),
        title: "Working days to the first conversation, by quarter (median)".into(),
        description: told(&dots),
        along: "Quarter",
        measured: "Working days".into(),
        shape: Shape::Line,
        scale: (0.0, round_up(top)),
        bands: Vec::new(),
        dots,
    }
}

fn days_dot(report: &Report) -> Dot {
    let value = match measure(report, "first-contact-working-days").map(|measure| measure.figure) {
        Some(Figure::Median { value, .. }) => value,
        _ => None,
    };
    Dot {
        value,
        short: value.map_or_else(|| "none".to_owned(), |value| value.to_string()),
        words: value.map_or_else(|| "no figure: nobody, or too few to publish".to_owned(), days),
        ..quarter_dot(report)
    }
}

/// A dot at a report's quarter, without a value.
fn quarter_dot(report: &Report) -> Dot {
    Dot {
        at: i32::from(report.quarter.year()) * 4 + i32::from(report.quarter.number()),
        label: label(report.quarter),
        full: words::quarter(report.quarter),
        value: None,
        interval: None,
        short: String::new(),
        words: String::new(),
    }
}

/// The values in one sentence.
pub(super) fn told(dots: &[Dot]) -> String {
    let parts: Vec<String> = dots.iter().map(|dot| format!("{}: {}", dot.full, dot.short)).collect();
    format!("{}.", parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alongside_domain::statistics::wilson_95;

    #[test]
    fn a_share_says_its_interval_in_words_and_a_hidden_one_says_that_it_is_hidden() {
        let shown = Figure::Share {
            numerator: Cell::Shown(45),
            denominator: Cell::Shown(76),
            share: Some(45.0 / 76.0),
            interval: wilson_95(45, 76),
        };
        let more = "59 %; the true share lies between 48 % and 70 % (95 % interval)".replace(" %", "\u{a0}%");
        assert_eq!(figure(&shown), ("45 of 76".to_owned(), more, false));
        let hidden = Figure::Share { numerator: Cell::Masked, denominator: Cell::Shown(8), share: None, interval: None };
        assert_eq!(figure(&hidden), (HIDDEN.to_owned(), "of 8".to_owned(), true));
        let nobody = Figure::Share { numerator: Cell::Shown(0), denominator: Cell::Shown(0), share: None, interval: None };
        assert_eq!(figure(&nobody).1, "nobody to count yet");
    }

    #[test]
    fn a_count_stands_beside_the_quarter_before() {
        let count = Figure::Count { value: Cell::Shown(126), previous: Some(Cell::Shown(92)) };
        assert_eq!(figure(&count), ("126".to_owned(), "92 the quarter before".to_owned(), false));
        let masked = Figure::Count { value: Cell::Masked, previous: None };
        assert_eq!(figure(&masked), (HIDDEN.to_owned(), String::new(), true));
    }

    #[test]
    fn eight_quarters_end_with_the_one_asked_for() {
        let quarters: Vec<String> = quarters_to("2024-Q4".parse().unwrap()).iter().map(ToString::to_string).collect();
        assert_eq!(quarters, ["2023-Q1", "2023-Q2", "2023-Q3", "2023-Q4", "2024-Q1", "2024-Q2", "2024-Q3", "2024-Q4"]);
    }
}
