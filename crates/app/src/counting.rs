//! What figures are counted from: read once for all quarters of a page, and kept for some minutes where it is much.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use alongside_domain::calendar::{Period, Quarter};
use alongside_domain::id::PersonId;
use alongside_domain::ledger::{Ledger, Standing};
use alongside_domain::measures::{self, Audience, Diagnosed, Observed, Released, Report};
use alongside_domain::person::SiteId;
use alongside_domain::referral::Stage;
use alongside_domain::trigger::Kind;
use alongside_store::reading::{self, Stood};
use alongside_store::{Tx, messages};
use jiff::{SignedDuration, Timestamp};

use crate::profile::Reading;
use crate::{App, Failure, london_date};

/// How many quarters a chart looks back, the one asked for included.
pub(crate) const QUARTERS: usize = 8;
/// How many triggers are read anew for every page: more take longer than a page may (docs/benchmarks.md).
const READ_ANEW_MAX: usize = 1_000;
/// How old what was counted ahead may be when it is shown; the page tells when it was counted.
const SHOWN_FOR: SignedDuration = SignedDuration::from_mins(5);
/// After what time it is counted again.
const COUNTED_AFTER: SignedDuration = SignedDuration::from_mins(3);

/// What figures of a span of time are counted from.
#[derive(Debug)]
pub(crate) struct History {
    /// When it was read.
    pub(crate) at: Timestamp,
    site: SiteId,
    span: Period,
    triggers: Vec<Stood>,
    conversations: Vec<(PersonId, jiff::civil::Date)>,
    released: Vec<Released>,
    opted_out: u64,
    deferred: u64,
    awaiting_notice: u64,
    set_aside: u64,
}

/// What was counted ahead, by site.
#[derive(Debug, Default)]
pub(crate) struct Ahead(Mutex<BTreeMap<SiteId, Arc<History>>>);

impl Ahead {
    fn of(&self, site: &SiteId) -> Option<Arc<History>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(site).cloned()
    }

    /// Keeps what would take too long to read anew.
    fn keep(&self, history: &Arc<History>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if history.triggers.len() > READ_ANEW_MAX {
            all.insert(history.site.clone(), Arc::clone(history));
        } else {
            all.remove(&history.site);
        }
    }
}

/// The quarters up to one, oldest first.
pub(crate) fn quarters_to(last: Quarter) -> Vec<Quarter> {
    let mut quarters: Vec<Quarter> = std::iter::successors(Some(last), |quarter| Some(quarter.previous())).take(QUARTERS).collect();
    quarters.reverse();
    quarters
}

/// What the reports of some quarters look at: the financial year of each, and the quarter before.
fn span_of(quarters: &[Quarter]) -> Option<Period> {
    let periods =
        quarters.iter().flat_map(|quarter| [measures::financial_year_to(*quarter), quarter.period(), quarter.previous().period()]);
    periods.reduce(|one, other| Period { from: one.from.min(other.from), to: one.to.max(other.to) })
}

impl App {
    /// What the reports of a site for some quarters are counted from, and its ledger since the first of them: as it is now,
    /// or where it is much, as it was counted some minutes ago.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn history(&self, site: &SiteId, quarters: &[Quarter]) -> Result<Arc<History>, Failure> {
        let span = self.span(quarters);
        let kept = self.ahead.of(site).filter(|kept| kept.holds(span) && kept.is_younger(SHOWN_FOR, self.world.now()));
        kept.map_or_else(|| self.count_site(site, span), Ok)
    }

    /// Counts what is shown of every site again, so that nobody waits for it: where it is much, and gets old.
    ///
    /// # Errors
    /// The store's.
    pub fn count_ahead(&self) -> Result<(), Failure> {
        let usual = self.span(&quarters_to(Quarter::of(self.today())));
        for site in self.setup.sites.values() {
            let kept = self.ahead.of(&site.key);
            if !kept.is_some_and(|kept| kept.holds(usual) && kept.is_younger(COUNTED_AFTER, self.world.now())) {
                self.count_site(&site.key, usual)?;
            }
        }
        Ok(())
    }

    fn span(&self, quarters: &[Quarter]) -> Period {
        let today = self.today();
        let span = span_of(quarters).unwrap_or(Period { from: today, to: today });
        Period { to: span.to.max(today), ..span }
    }

    fn count_site(&self, site: &SiteId, span: Period) -> Result<Arc<History>, Failure> {
        let history = Arc::new(self.read_history(site, span)?);
        self.ahead.keep(&history);
        Ok(history)
    }

    /// As it is now.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn history_now(&self, site: &SiteId, quarter: Quarter) -> Result<History, Failure> {
        self.read_history(site, self.span(&[quarter]))
    }

    /// As it is now.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn read_history(&self, site: &SiteId, span: Period) -> Result<History, Failure> {
        let of_site = |feed: &&crate::setup::Feed| feed.site == *site && matches!(feed.profile.reading, Reading::Messages(_));
        let feeds: Vec<&str> = self.setup.feeds.values().filter(of_site).map(|feed| feed.key.as_str()).collect();
        let at = self.world.now();
        self.store.read(|tx| History::read(tx, at, site, span, &feeds))
    }
}

impl History {
    fn read(tx: &mut Tx<'_>, at: Timestamp, site: &SiteId, span: Period, feeds: &[&str]) -> Result<Self, Failure> {
        let mut set_aside = 0;
        for feed in feeds {
            set_aside += messages::count_set_aside(tx, Some(feed))?;
        }
        Ok(Self {
            at,
            site: site.clone(),
            span,
            triggers: reading::triggers(tx, site, span)?,
            conversations: reading::conversations(tx, site, span)?,
            released: reading::released(tx, site, span)?,
            opted_out: reading::count_stage(tx, site, Stage::OptedOut)?,
            deferred: reading::count_stage(tx, site, Stage::Deferred)?,
            awaiting_notice: reading::count_stage(tx, site, Stage::AwaitingNotice)?,
            set_aside,
        })
    }

    fn holds(&self, span: Period) -> bool {
        self.span.from <= span.from && span.to <= self.span.to
    }

    /// Whether it was read a short time ago; a clock that was set back makes it none.
    fn is_younger(&self, than: SignedDuration, now: Timestamp) -> bool {
        (SignedDuration::ZERO..than).contains(&now.duration_since(self.at))
    }

    /// The report of a quarter in its span.
    ///
    /// # Errors
    /// [`Failure::Broken`] when rows contradict one another.
    pub(crate) fn report(&self, quarter: Quarter, audience: Audience) -> Result<Report, Failure> {
        measures::report(self.site.clone(), quarter, london_date(self.at), &self.observed(quarter), audience)
            .map_err(|_| Failure::Broken("figures that do not add up".into()))
    }

    /// The ledger of a period in its span: every trigger, and how it stood.
    pub(crate) fn ledger(&self, period: Period) -> Ledger {
        let standings = self.triggers.iter().filter(|stood| period.contains(stood.on)).map(|stood| stood.standing);
        Ledger::of(standings, self.set_aside)
    }

    fn observed(&self, quarter: Quarter) -> Observed {
        let (now, before, year) = (quarter.period(), quarter.previous().period(), measures::financial_year_to(quarter));
        let of = |kind: Kind, period: Period| self.triggers.iter().filter(move |stood| stood.kind == kind && period.contains(stood.on));
        let released = |period: Period| self.released.iter().filter(|one| period.contains(one.on)).cloned().collect();
        let returned = of(Kind::Reengagement, now).map(|stood| stood.standing);
        Observed {
            supported: self.supported(now),
            supported_before: self.supported(before),
            diagnosed: of(Kind::NewDiagnosis, year).map(diagnosed).collect(),
            released: released(now),
            released_before: released(before),
            returned: returned.filter(|standing| *standing != Standing::Excluded).collect(),
            opted_out: self.opted_out,
            deferred: self.deferred,
            awaiting_notice: self.awaiting_notice,
        }
    }

    fn supported(&self, period: Period) -> BTreeSet<PersonId> {
        self.conversations.iter().filter(|(_, on)| period.contains(*on)).map(|(person, _)| *person).collect()
    }
}

fn diagnosed(stood: &Stood) -> Diagnosed {
    let Stood { person, on, engaged_on, standing, from_clinic, .. } = *stood;
    Diagnosed { person, on, engaged_on, standing, from_clinic }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;
    use jiff::civil::date;

    fn read_at(at: Timestamp) -> History {
        History {
            at,
            site: SiteId("here".into()),
            span: Period { from: date(2024, 1, 1), to: date(2025, 1, 6) },
            triggers: Vec::new(),
            conversations: Vec::new(),
            released: Vec::new(),
            opted_out: 0,
            deferred: 0,
            awaiting_notice: 0,
            set_aside: 0,
        }
    }

    #[test]
    fn what_was_counted_is_shown_for_some_minutes_and_never_after_a_clock_was_set_back() {
        let at = Timestamp::constant(1_736_150_400, 0);
        let shown = |minutes: i64| read_at(at).is_younger(SHOWN_FOR, at + minutes.minutes());
        assert_eq!([shown(-1), shown(0), shown(4), shown(5)], [false, true, true, false]);
    }

    #[test]
    fn what_was_counted_serves_the_days_that_it_holds() {
        let history = read_at(Timestamp::UNIX_EPOCH);
        let holds = |from, to| history.holds(Period { from, to });
        assert!(holds(date(2024, 1, 1), date(2025, 1, 6)) && holds(date(2024, 5, 1), date(2024, 6, 1)));
        assert!(!holds(date(2023, 12, 31), date(2025, 1, 6)) && !holds(date(2024, 1, 1), date(2025, 1, 7)));
    }

    #[test]
    fn only_much_is_kept() {
        let (ahead, site) = (Ahead::default(), SiteId("here".into()));
        let one = Stood {
            person: PersonId(1),
            kind: Kind::Reengagement,
            on: date(2024, 5, 1),
            engaged_on: None,
            standing: Standing::Waiting,
            from_clinic: false,
        };
        let many = |count: usize| Arc::new(History { triggers: vec![one.clone(); count], ..read_at(Timestamp::UNIX_EPOCH) });
        ahead.keep(&many(READ_ANEW_MAX));
        assert!(ahead.of(&site).is_none());
        ahead.keep(&many(READ_ANEW_MAX + 1));
        let kept = ahead.of(&site).unwrap();
        assert_eq!(kept.ledger(kept.span).count(Standing::Waiting), READ_ANEW_MAX as u64 + 1);
        assert_eq!(kept.ledger(Period { from: date(2024, 1, 1), to: date(2024, 4, 30) }).triggers, 0);
        ahead.keep(&many(1));
        assert!(ahead.of(&site).is_none(), "what was much is not shown when it is no more");
    }
}
