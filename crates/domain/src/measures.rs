//! The quarter's figures. Every figure carries the identifier and version of its definition (`docs/measures.md`).

use std::collections::BTreeSet;

use jiff::civil::{Date, date};

use crate::calendar::{Period, Quarter, working_days_between};
use crate::id::PersonId;
use crate::ledger::Standing;
use crate::masking::{Cell as MaskCell, Masking, NotASum, Published, Table};
use crate::person::SiteId;
use crate::statistics::{Interval, median, share, wilson_95};

/// Somebody newly diagnosed in the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosed {
    /// Who.
    pub person: PersonId,
    /// When.
    pub on: Date,
    /// The day of the first conversation.
    pub engaged_on: Option<Date>,
    /// How the trigger stands on the day of the report.
    pub standing: Standing,
    /// Whether the clinic referred the person directly, by an order or a form.
    pub from_clinic: bool,
}

/// A referral that was released to the peer-support team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// The day of release.
    pub on: Date,
    /// The day by which a first conversation was promised.
    pub due_on: Date,
    /// The day of the first conversation.
    pub engaged_on: Option<Date>,
}

/// What a report is computed from: read from the store, decided by nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// People with a conversation in the quarter.
    pub supported: BTreeSet<PersonId>,
    /// People with a conversation in the quarter before.
    pub supported_before: BTreeSet<PersonId>,
    /// People newly diagnosed in the period.
    pub diagnosed: Vec<Diagnosed>,
    /// Referrals released in the quarter.
    pub released: Vec<Released>,
    /// Referrals released in the quarter before.
    pub released_before: Vec<Released>,
    /// Triggers of people who came back into care in the quarter, with their standings.
    pub returned: Vec<Standing>,
    /// Everybody who has opted out, is deferred, or awaits notice on the day of the report.
    pub opted_out: u64,
    /// See [`Observed::opted_out`].
    pub deferred: u64,
    /// See [`Observed::opted_out`].
    pub awaiting_notice: u64,
}

/// A count as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// The count.
    Shown(u64),
    /// Kept back: small, or protecting a small one.
    Masked,
}

impl Cell {
    /// The count, where it is shown.
    #[must_use]
    pub const fn shown(self) -> Option<u64> {
        match self {
            Self::Shown(count) => Some(count),
            Self::Masked => None,
        }
    }
}

/// A measure's figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    /// A count, and the same of the quarter before where that has a meaning.
    Count {
        /// The count.
        value: Cell,
        /// The same, one quarter earlier.
        previous: Option<Cell>,
    },
    /// A part of a whole.
    Share {
        /// The part.
        numerator: Cell,
        /// The whole.
        denominator: Cell,
        /// Part by whole, 0 to 1; `None` for an empty whole or where a count is masked.
        share: Option<f64>,
        /// 95 % Wilson score interval.
        interval: Option<Interval>,
    },
    /// A median of days.
    Median {
        /// The median; `None` where there is none, or too few stand behind it.
        value: Option<f64>,
        /// The same, one quarter earlier.
        previous: Option<f64>,
    },
}

/// A figure with its definition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// The definition's identifier in `docs/measures.md`.
    pub id: &'static str,
    /// The definition's version.
    pub version: u32,
    /// Words for a page.
    pub title: &'static str,
    /// The period that it speaks of.
    pub period: Period,
    /// The figure.
    pub figure: Figure,
}

/// A site's report for a quarter.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The site.
    pub site: SiteId,
    /// The quarter.
    pub quarter: Quarter,
    /// The day on which it was computed.
    pub as_of: Date,
    /// Whether small numbers are masked.
    pub masked: bool,
    /// The figures.
    pub measures: Vec<Measure>,
}

/// Whether small numbers are masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever reads what is published: counts of 1 to 4 are masked, and whatever would give them away.
    Public,
    /// The service itself.
    Service,
}

/// From the first day of the financial year (1 April) to the last day of the quarter: the period of the case study's
/// "between April and December 2024".
#[must_use]
pub fn financial_year_to(quarter: Quarter) -> Period {
    let to = quarter.last_day();
    let from = if to.month() <= 3 { date(to.year() - 1, 4, 1) } else { date(to.year(), 4, 1) };
    Period { from, to }
}

/// The people of the period, in groups that add up: each newly diagnosed person is in exactly one.
const GROUPS: [(&str, &str, &[Standing]); 8] = [
    ("newly-diagnosed-engaged-count", "of them engaged", &[Standing::Engaged]),
    ("newly-diagnosed-opted-out", "of them opted out", &[Standing::OptedOut]),
    ("newly-diagnosed-deferred", "of them deferred to a date", &[Standing::Deferred]),
    ("newly-diagnosed-moved", "of them moved or transferred before contact", &[Standing::Moved]),
    ("newly-diagnosed-contacting", "of them with the team, not yet reached", &[Standing::Waiting, Standing::Contacting]),
    ("newly-diagnosed-awaiting-notice", "of them awaiting notice", &[Standing::AwaitingNotice]),
    ("newly-diagnosed-before-a-person", "of them with a question to the clinic", &[Standing::Question, Standing::Held]),
    ("newly-diagnosed-ended", "of them ended otherwise before contact", &[Standing::EndedBefore, Standing::Unaccounted]),
];

/// Computes a report.
///
/// # Errors
/// [`NotASum`] when the observed rows contradict one another: then nothing may be published.
pub fn report(site: SiteId, quarter: Quarter, as_of: Date, observed: &Observed, audience: Audience) -> Result<Report, NotASum> {
    let period = financial_year_to(quarter);
    let mut table = Table::new();
    let counts = Counts::of(observed, as_of, &mut table)?;
    let masking = table.mask();
    let shown = Shown { masking: &masking, audience };
    let mut measures = counts.support(&shown, quarter.period());
    measures.extend(counts.diagnosed(&shown, period));
    measures.extend(counts.promise(&shown, quarter.period(), observed));
    measures.extend(counts.standing(&shown, quarter.period(), as_of));
    Ok(Report { site, quarter, as_of, masked: audience == Audience::Public, measures })
}

struct Shown<'a> {
    masking: &'a Masking,
    audience: Audience,
}

impl Shown<'_> {
    fn cell(&self, (cell, count): (MaskCell, u64)) -> Cell {
        match (self.audience, self.masking.of(cell)) {
            (Audience::Service, _) => Cell::Shown(count),
            (Audience::Public, Published::Shown(count)) => Cell::Shown(count),
            (Audience::Public, Published::Masked) => Cell::Masked,
        }
    }

    fn share(&self, numerator: (MaskCell, u64), denominator: (MaskCell, u64)) -> Figure {
        let (part, whole) = (self.cell(numerator), self.cell(denominator));
        let both = part.shown().zip(whole.shown());
        Figure::Share {
            numerator: part,
            denominator: whole,
            share: both.and_then(|(part, whole)| share(part, whole)),
            interval: both.and_then(|(part, whole)| wilson_95(part, whole)),
        }
    }
}

type Count = (MaskCell, u64);

/// Every count of the report, entered into the table that decides what is masked.
struct Counts {
    supported: Count,
    supported_before: Count,
    supported_new: Count,
    supported_new_from_clinic: Count,
    diagnosed: Count,
    engaged: Count,
    from_clinic: Count,
    groups: Vec<Count>,
    within: Count,
    judged: Count,
    returned: Count,
    returned_engaged: Count,
    opted_out: Count,
    deferred: Count,
    awaiting_notice: Count,
}

impl Counts {
    fn of(observed: &Observed, as_of: Date, table: &mut Table) -> Result<Self, NotASum> {
        let mut add = |count: usize| {
            let count = count as u64;
            (table.cell(count), count)
        };
        let group = |standings: &[Standing]| observed.diagnosed.iter().filter(|person| standings.contains(&person.standing)).count();
        let counted: Vec<_> = observed.diagnosed.iter().filter(|person| person.standing != Standing::Excluded).collect();
        let new_supported = || counted.iter().filter(|person| observed.supported.contains(&person.person));
        let supported = add(observed.supported.len());
        let supported_before = add(observed.supported_before.len());
        let supported_new = add(new_supported().count());
        let supported_new_from_clinic = add(new_supported().filter(|person| person.from_clinic).count());
        let diagnosed = add(counted.len());
        let groups: Vec<Count> = GROUPS.iter().map(|(_, _, standings)| add(group(standings))).collect();
        let from_clinic = add(counted.iter().filter(|person| person.from_clinic).count());
        let judged_rows: Vec<_> = observed.released.iter().filter_map(|one| within_promise(one, as_of)).collect();
        let judged = add(judged_rows.len());
        let within = add(judged_rows.iter().filter(|kept| **kept).count());
        let returned = add(observed.returned.len());
        let returned_engaged = add(observed.returned.iter().filter(|standing| **standing == Standing::Engaged).count());
        let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let opted_out = add(number(observed.opted_out));
        let deferred = add(number(observed.deferred));
        let awaiting_notice = add(number(observed.awaiting_notice));
        let engaged = groups[0];
        let cells: Vec<MaskCell> = groups.iter().map(|(cell, _)| *cell).collect();
        table.sum(diagnosed.0, &cells)?;
        table.part_of(supported_new.0, supported.0)?;
        table.part_of(supported_new_from_clinic.0, supported_new.0)?;
        table.part_of(from_clinic.0, diagnosed.0)?;
        table.part_of(within.0, judged.0)?;
        table.part_of(returned_engaged.0, returned.0)?;
        Ok(Self {
            supported,
            supported_before,
            supported_new,
            supported_new_from_clinic,
            diagnosed,
            engaged,
            from_clinic,
            groups,
            within,
            judged,
            returned,
            returned_engaged,
            opted_out,
            deferred,
            awaiting_notice,
        })
    }

    fn support(&self, shown: &Shown<'_>, period: Period) -> Vec<Measure> {
        let previous = Some(shown.cell(self.supported_before));
        let value = shown.cell(self.supported);
        vec![
            measure("people-supported", "People supported", period, Figure::Count { value, previous }),
            count(shown, "supported-newly-diagnosed", "of them newly diagnosed this financial year", period, self.supported_new),
            count(
                shown,
                "supported-newly-diagnosed-from-clinic",
                "of those, referred directly from the clinic",
                period,
                self.supported_new_from_clinic,
            ),
        ]
    }

    fn diagnosed(&self, shown: &Shown<'_>, period: Period) -> Vec<Measure> {
        let mut measures = vec![
            measure("newly-diagnosed-engaged", "Newly diagnosed people who engaged", period, shown.share(self.engaged, self.diagnosed)),
            count(
                shown,
                "newly-diagnosed-from-clinic",
                "Newly diagnosed people referred directly from the clinic",
                period,
                self.from_clinic,
            ),
        ];
        let groups = GROUPS.iter().zip(&self.groups).skip(1);
        measures.extend(groups.map(|((id, title, _), cell)| count(shown, id, title, period, *cell)));
        measures
    }

    fn promise(&self, shown: &Shown<'_>, period: Period, observed: &Observed) -> Vec<Measure> {
        let value = median_days(&observed.released, shown.audience);
        let previous = median_days(&observed.released_before, shown.audience);
        vec![
            measure(
                "first-contact-working-days",
                "Working days from release to first conversation (median)",
                period,
                Figure::Median { value, previous },
            ),
            measure(
                "first-contact-within-promise",
                "First conversations within the promise",
                period,
                shown.share(self.within, self.judged),
            ),
        ]
    }

    fn standing(&self, shown: &Shown<'_>, period: Period, as_of: Date) -> Vec<Measure> {
        let day = Period { from: as_of, to: as_of };
        vec![
            measure(
                "returned-engaged",
                "People coming back into care who engaged",
                period,
                shown.share(self.returned_engaged, self.returned),
            ),
            count(shown, "opted-out", "Opted out, on the day of the report", day, self.opted_out),
            count(shown, "deferred", "Deferred to a date, on the day of the report", day, self.deferred),
            count(shown, "awaiting-notice", "Awaiting notice, on the day of the report", day, self.awaiting_notice),
        ]
    }
}

const fn measure(id: &'static str, title: &'static str, period: Period, figure: Figure) -> Measure {
    Measure { id, version: 1, title, period, figure }
}

fn count(shown: &Shown<'_>, id: &'static str, title: &'static str, period: Period, cell: Count) -> Measure {
    measure(id, title, period, Figure::Count { value: shown.cell(cell), previous: None })
}

/// Whether a promise was kept; `None` while it can still be kept. A promise that nobody kept by its day is not kept.
fn within_promise(released: &Released, as_of: Date) -> Option<bool> {
    match released.engaged_on {
        Some(engaged) => Some(engaged <= released.due_on),
        None if as_of <= released.due_on => None,
        None => Some(false),
    }
}

/// The fewest conversations behind a published median: fewer would tell of single people.
const MEDIAN_OF_MIN: usize = 5;

fn median_days(released: &[Released], audience: Audience) -> Option<f64> {
    let mut days: Vec<i64> =
        released.iter().filter_map(|one| one.engaged_on.map(|engaged| i64::from(working_days_between(one.on, engaged)))).collect();
    if audience == Audience::Public && days.len() < MEDIAN_OF_MIN {
        return None;
    }
    median(&mut days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnosed(n: u128, standing: Standing) -> Vec<Diagnosed> {
        (0..n)
            .map(|person| Diagnosed { person: PersonId(person), on: date(2024, 5, 1), engaged_on: None, standing, from_clinic: false })
            .collect()
    }

    fn figure(report: &Report, id: &str) -> Figure {
        report.measures.iter().find(|measure| measure.id == id).expect("the measure").figure
    }

    #[test]
    fn the_financial_year_begins_in_april() {
        let period = |text: &str| financial_year_to(text.parse().unwrap());
        assert_eq!(period("2024-Q4"), Period { from: date(2024, 4, 1), to: date(2024, 12, 31) });
        assert_eq!(period("2025-Q1"), Period { from: date(2024, 4, 1), to: date(2025, 3, 31) });
    }

    #[test]
    fn small_numbers_are_masked_for_the_public_and_shown_to_the_service() {
        let mut observed = Observed::default();
        observed.diagnosed.extend(diagnosed(45, Standing::Engaged));
        observed.diagnosed.extend(diagnosed(12, Standing::OptedOut));
        observed.diagnosed.extend(diagnosed(4, Standing::AwaitingNotice));
        let make = |audience| report(SiteId("s".into()), "2024-Q4".parse().unwrap(), date(2025, 1, 6), &observed, audience).unwrap();
        let awaiting = |report: &Report| figure(report, "newly-diagnosed-awaiting-notice");
        assert_eq!(awaiting(&make(Audience::Service)), Figure::Count { value: Cell::Shown(4), previous: None });
        assert_eq!(awaiting(&make(Audience::Public)), Figure::Count { value: Cell::Masked, previous: None });
        // Alone it could be computed from the total: something else must be masked with it.
        let public = make(Audience::Public);
        let masked = public.measures.iter().filter(|one| matches!(one.figure, Figure::Count { value: Cell::Masked, .. })).count();
        let share = matches!(figure(&public, "newly-diagnosed-engaged"), Figure::Share { numerator: Cell::Masked, .. });
        assert!(masked >= 2 || share);
    }

    #[test]
    fn people_set_aside_with_a_reason_are_not_counted_as_newly_diagnosed() {
        let mut observed = Observed::default();
        observed.diagnosed.extend(diagnosed(9, Standing::Engaged));
        observed.diagnosed.extend(diagnosed(2, Standing::Excluded));
        let report = report(SiteId("s".into()), "2024-Q4".parse().unwrap(), date(2025, 1, 6), &observed, Audience::Service).unwrap();
        assert!(matches!(figure(&report, "newly-diagnosed-engaged"), Figure::Share { denominator: Cell::Shown(9), .. }));
    }
}
