//! The quarter's figures and the nobody-missed ledger, as text, JSON and CSV.

use alongside_domain::calendar::{Period, Quarter};
use alongside_domain::ledger::{Ledger, Standing};
use alongside_domain::measures::{Audience, Cell, Figure, Measure, Report};
use alongside_domain::person::SiteId;
use serde_json::{Value, json};

use crate::{App, Failure, Invalid};

/// The report of a site for a quarter, as of now.
///
/// # Errors
/// [`Failure::Invalid`] for a site that is not configured; the store's; [`Failure::Broken`] when rows contradict one another.
pub fn report(app: &App, site: &str, quarter: Quarter, audience: Audience) -> Result<Report, Failure> {
    app.history_now(&site_id(app, site)?, quarter)?.report(quarter, audience)
}

/// The ledger of a site for a period: every trigger, and how it stands now.
///
/// # Errors
/// [`Failure::Invalid`] for a site that is not configured; the store's.
pub fn ledger(app: &App, site: &str, period: Period) -> Result<Ledger, Failure> {
    Ok(app.read_history(&site_id(app, site)?, period)?.ledger(period))
}

fn site_id(app: &App, site: &str) -> Result<SiteId, Failure> {
    let unknown = || Failure::Invalid(vec![Invalid::new("site", "is not configured")]);
    app.setup.sites.get(site).map(|site| site.key.clone()).ok_or_else(unknown)
}

/// The ledger as text.
#[must_use]
pub fn ledger_to_text(site: &str, period: Period, ledger: &Ledger) -> String {
    let mut lines = vec![format!("{site}, {} to {}", period.from, period.to), format!("{:>6}  triggers", ledger.triggers)];
    for (standing, count) in &ledger.standings {
        if *standing != Standing::Unaccounted && *count > 0 {
            lines.push(format!("{count:>6}  {}", standing.words()));
        }
    }
    lines.push(format!("{:>6}  unaccounted for", ledger.count(Standing::Unaccounted)));
    lines.push(format!("{:>6}  messages set aside that may carry a trigger", ledger.set_aside));
    lines.push(String::new());
    lines.join("\n")
}

/// The ledger as JSON.
#[must_use]
pub fn ledger_json(site: &str, period: Period, ledger: &Ledger) -> Value {
    let standings: serde_json::Map<String, Value> = ledger
        .standings
        .iter()
        .filter(|(standing, _)| *standing != Standing::Unaccounted)
        .map(|(s, n)| (s.code().to_owned(), json!(n)))
        .collect();
    json!({
        "site": site,
        "from": period.from.to_string(),
        "to": period.to.to_string(),
        "triggers": ledger.triggers,
        "standings": standings,
        "unaccounted": ledger.count(Standing::Unaccounted),
        "set-aside": ledger.set_aside,
    })
}

fn cell_json(cell: Cell) -> Value {
    cell.shown().map_or(Value::Null, |count| json!(count))
}

/// A report as a JSON value. A masked count is `null`, and the measure says so.
#[must_use]
pub fn json(report: &Report) -> Value {
    json!({
        "site": report.site.0,
        "quarter": report.quarter.to_string(),
        "as-of": report.as_of.to_string(),
        "small-numbers-masked": report.masked,
        "measures": report.measures.iter().map(measure_json).collect::<Vec<_>>(),
    })
}

fn measure_json(measure: &Measure) -> Value {
    let mut object = json!({
        "id": measure.id,
        "version": measure.version,
        "title": measure.title,
        "period": { "from": measure.period.from.to_string(), "to": measure.period.to.to_string() },
    });
    let more = match measure.figure {
        Figure::Count { value, previous } => json!({
            "value": cell_json(value),
            "previous": previous.map(cell_json),
            "masked": value == Cell::Masked || previous == Some(Cell::Masked),
        }),
        Figure::Share { numerator, denominator, share, interval } => json!({
            "numerator": cell_json(numerator),
            "denominator": cell_json(denominator),
            "share": share,
            "interval": interval.map(|interval| json!({ "low": interval.low, "high": interval.high })),
            "masked": numerator == Cell::Masked || denominator == Cell::Masked,
        }),
        Figure::Median { value, previous } => json!({ "value": value, "previous": previous }),
    };
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

/// A report as JSON text.
#[must_use]
pub fn to_json(report: &Report) -> String {
    format!("{:#}\n", json(report))
}

fn cell_text(cell: Cell) -> String {
    cell.shown().map_or_else(|| "*".to_owned(), |count| count.to_string())
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A figure in words: `126 (92 the quarter before)`, `45 of 76 (59 %, 95 % interval 48 % to 70 %)`.
#[must_use]
pub fn figure_text(figure: &Figure) -> String {
    match figure {
        Figure::Count { value, previous: None } => cell_text(*value),
        Figure::Count { value, previous: Some(previous) } => format!("{} ({} the quarter before)", cell_text(*value), cell_text(*previous)),
        Figure::Share { numerator, denominator, share, interval } => {
            let of = format!("{} of {}", cell_text(*numerator), cell_text(*denominator));
            match (share, interval) {
                (Some(share), Some(interval)) => {
                    format!("{of} ({}, 95 % interval {} to {})", percent(*share), percent(interval.low), percent(interval.high))
                }
                _ => of,
            }
        }
        Figure::Median { value, previous } => {
            let days = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |days| format!("{days}"));
            format!("{} ({} the quarter before)", days(*value), days(*previous))
        }
    }
}

/// A report as text.
#[must_use]
pub fn to_text(report: &Report, title: &str) -> String {
    let mut lines = vec![format!("{title}, {} (computed on {})", report.quarter, report.as_of), String::new()];
    let width = report.measures.iter().map(|measure| measure.title.chars().count()).max().unwrap_or(0);
    for measure in &report.measures {
        let gap = " ".repeat(width - measure.title.chars().count());
        lines.push(format!("{}{gap}  {}  [{} v{}]", measure.title, figure_text(&measure.figure), measure.id, measure.version));
    }
    if report.masked {
        lines.push(String::new());
        lines.push("* a count of 1 to 4, or one that would give such a count away".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A report as CSV: one row a measure.
///
/// # Errors
/// [`Failure::Broken`] when the writer fails, which memory does not.
pub fn to_csv(report: &Report) -> Result<String, Failure> {
    let broken = || Failure::Broken("CSV could not be written".into());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let head =
        ["site", "quarter", "measure", "version", "from", "to", "value", "previous", "numerator", "denominator", "share", "low", "high"];
    writer.write_record(head).map_err(|_| broken())?;
    for measure in &report.measures {
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.4}"));
        let mut row = vec![
            report.site.0.clone(),
            report.quarter.to_string(),
            measure.id.to_owned(),
            measure.version.to_string(),
            measure.period.from.to_string(),
            measure.period.to.to_string(),
        ];
        row.extend(match measure.figure {
            Figure::Count { value, previous } => [
                cell_text(value),
                previous.map(cell_text).unwrap_or_default(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
            ],
            Figure::Share { numerator, denominator, share, interval } => [
                String::new(),
                String::new(),
                cell_text(numerator),
                cell_text(denominator),
                number(share),
                number(interval.map(|interval| interval.low)),
                number(interval.map(|interval| interval.high)),
            ],
            Figure::Median { value, previous } => {
                [number(value), number(previous), String::new(), String::new(), String::new(), String::new(), String::new()]
            }
        });
        writer.write_record(&row).map_err(|_| broken())?;
    }
    let bytes = writer.into_inner().map_err(|_| broken())?;
    String::from_utf8(bytes).map_err(|_| broken())
}
