//! From the script to the days of each person: when they come, are told, are reached, talk, and end.

use std::collections::BTreeMap;
use std::sync::Arc;

use alongside_domain::calendar::Quarter;
use alongside_domain::referral::EndReason;
use jiff::civil::{Date, date};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::clock::{Calendar, LAST_WORKED, days_between, plus};
use super::people::Patient;
use super::script::{Fate, Group, Origin, Script, Special, promise_kept_permille, promise_window};

/// A person of the story with the days that matter.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) who: Arc<Patient>,
    pub(super) origin: Origin,
    pub(super) fate: Fate,
    pub(super) special: Special,
    /// The day of the diagnosis, attendance or order.
    pub(super) day: Date,
    /// A first telling that was answered "not now", and until when.
    pub(super) told_before: Option<(Date, Date)>,
    /// The day of telling.
    pub(super) told: Date,
    /// Whether the clinic also refers the newly diagnosed person directly, and when.
    pub(super) ordered: Option<Date>,
    /// Whether the first conversation is within the promise.
    pub(super) within: bool,
    /// Days of conversations, in order.
    pub(super) conversations: Vec<Date>,
    /// When and why support ended.
    pub(super) ended: Option<(Date, EndReason)>,
    lasts_until: Option<(Date, Date)>,
}

impl Case {
    /// The day of the release that the promise counts from.
    pub(super) fn released(&self) -> Date {
        if self.special == Special::ChangedTheirMind { TAKEN_BACK } else { self.told }
    }
}

/// The day on which an objection was taken back.
pub(super) const TAKEN_BACK: Date = date(2024, 11, 28);
/// The day on which somebody died.
pub(super) const DIED: Date = date(2024, 12, 28);
/// The last working day before it on which a letter was queued.
pub(super) const LETTER_QUEUED: Date = date(2024, 12, 20);
/// The day of release of the two people whom nobody has contacted.
const RELEASED_LAST: Date = date(2024, 12, 30);
/// The day of release of those who are being contacted.
const RELEASED_IN_JANUARY: Date = date(2025, 1, 2);

/// Where the people of a group come from.
pub(super) trait People {
    /// Somebody whom no list knows, for a new diagnosis.
    fn somebody_new(&mut self) -> Arc<Patient>;
    /// Somebody in care.
    fn somebody_in_care(&mut self) -> Arc<Patient>;
    /// Somebody in care who was last seen on this day and does not come before the other.
    fn somebody_not_seen_since(&mut self, last: Date, comes: Date) -> Arc<Patient>;
}

/// Draws a site's cases.
pub(super) fn cases(script: &Script, calendar: &Calendar, rng: &mut ChaCha8Rng, people: &mut dyn People) -> Vec<Case> {
    let mut drawer = Drawer { script, calendar, rng };
    let mut cases: Vec<Case> = script.groups.iter().flat_map(|group| drawer.group(group, people)).collect();
    let given = cases.len();
    drawer.keep_promises(&mut cases, 0);
    drawer.converse(&mut cases);
    let quarter = |number| format!("2024-Q{number}").parse().unwrap_or_else(|_| Quarter::of(date(2024, 12, 31)));
    let already = (supported_in(&cases, quarter(3)), supported_in(&cases, quarter(4)));
    for group in script.made_up(already) {
        cases.extend(drawer.group(&group, people));
    }
    drawer.keep_promises(&mut cases, given);
    if let Some(made_up) = cases.get_mut(given..) {
        drawer.converse(made_up);
    }
    cases
}

fn supported_in(cases: &[Case], quarter: Quarter) -> usize {
    cases.iter().filter(|case| case.conversations.iter().any(|day| Quarter::of(*day) == quarter)).count()
}

struct Drawer<'a> {
    script: &'a Script,
    calendar: &'a Calendar,
    rng: &'a mut ChaCha8Rng,
}

impl Drawer<'_> {
    fn group(&mut self, group: &Group, people: &mut dyn People) -> Vec<Case> {
        (0..group.count).map(|nth| self.case(group, nth, people)).collect()
    }

    /// The days of a group are spread evenly, each in its own part of the span.
    fn spread(&mut self, (from, to): (Date, Date), nth: usize, of: usize) -> Date {
        let span = days_between(from, to) + 1;
        let (nth, of) = (i64::try_from(nth).unwrap_or(0), i64::try_from(of.max(1)).unwrap_or(1));
        let (start, end) = (span * nth / of, (span * (nth + 1) / of).max(span * nth / of + 1));
        let day = self.calendar.working_from(plus(from, self.rng.random_range(start..end)));
        if day <= to { day } else { self.calendar.working_until(to) }
    }

    fn case(&mut self, group: &Group, nth: usize, people: &mut dyn People) -> Case {
        let drawn = self.spread(group.days, nth, group.count);
        let day = match group.origin {
            Origin::Asked => self.calendar.shift(drawn, -self.rng.random_range(0..=1)).max(self.script.opens),
            Origin::Diagnosed | Origin::Returned | Origin::Abroad => drawn,
        };
        let who = match group.origin {
            Origin::Diagnosed | Origin::Abroad => people.somebody_new(),
            Origin::Asked => people.somebody_in_care(),
            Origin::Returned => {
                // Fifteen months are at most 459 days.
                let last = self.calendar.working_until(plus(day, -self.rng.random_range(475..=760))).max(date(2022, 1, 10));
                people.somebody_not_seen_since(last, day)
            }
        };
        let ordered = self.ordered(group, day);
        let told = self.told(group, day, drawn, ordered);
        let (told_before, told) = self.asked_twice(group, told);
        Case {
            who,
            origin: group.origin,
            fate: group.fate,
            special: group.special,
            day,
            told_before,
            told,
            ordered,
            within: false,
            conversations: Vec::new(),
            ended: None,
            lasts_until: group.lasts_until,
        }
    }

    /// At one clinic most of the newly diagnosed are also referred directly; at the other, whose laboratory tells, few.
    fn ordered(&mut self, group: &Group, day: Date) -> Option<Date> {
        let told_after = self.rng.random_range(2..=5);
        let likely = match (group.origin, self.script.site) {
            (Origin::Diagnosed, super::people::Site::NorthMid) if group.fate == Fate::Engaged && day >= date(2024, 9, 1) => 1.0,
            (Origin::Diagnosed, super::people::Site::NorthMid) => 0.5,
            (Origin::Diagnosed, super::people::Site::ChelWest) => 0.15,
            (Origin::Returned | Origin::Asked | Origin::Abroad, _) => 0.0,
        };
        let waits = matches!(group.fate, Fate::AwaitingNotice);
        (self.rng.random_bool(likely) && !waits).then(|| self.calendar.shift(day, told_after))
    }

    fn told(&mut self, group: &Group, day: Date, drawn: Date, ordered: Option<Date>) -> Date {
        let told = match (group.fate, group.origin) {
            (Fate::Open | Fate::AllocatedOnly, _) => return RELEASED_LAST,
            (Fate::Contacting, _) => return RELEASED_IN_JANUARY,
            (_, Origin::Asked) => drawn,
            (_, Origin::Returned) => self.calendar.shift(day, self.rng.random_range(0..=4)),
            (_, Origin::Diagnosed) => self.calendar.shift(day, self.rng.random_range(3..=8)),
            (_, Origin::Abroad) => self.calendar.shift(day, self.rng.random_range(3..=5)),
        };
        match (self.script.site, group.origin) {
            // Told of there by a list, each Monday: the offer follows it.
            (super::people::Site::NorthMid, Origin::Diagnosed) => {
                let known = self.calendar.shift(list_day(self.calendar, day), 1);
                told.max(known).max(ordered.map_or(known, |ordered| self.calendar.shift(ordered, 1)))
            }
            _ => ordered.map_or(told, |ordered| told.max(ordered)),
        }
    }

    fn asked_twice(&mut self, group: &Group, told: Date) -> (Option<(Date, Date)>, Date) {
        if group.special != Special::AskedTwice {
            return (None, told);
        }
        let until = self.calendar.working_from(plus(told, self.rng.random_range(21..=40)));
        (Some((told, until)), self.calendar.shift(until, self.rng.random_range(1..=3)))
    }

    /// Decides who is reached within the promise, so that each window has its share. Those before `from` are decided
    /// already.
    fn keep_promises(&mut self, cases: &mut [Case], from: usize) {
        let mut windows: BTreeMap<(i16, i8), Vec<usize>> = BTreeMap::new();
        for (index, case) in cases.iter().enumerate().filter(|(_, case)| case.fate.is_released()) {
            windows.entry(promise_window(case.released())).or_default().push(index);
        }
        for members in windows.values() {
            let Some(released) = members.first().and_then(|index| cases.get(*index)).map(Case::released) else { continue };
            let wanted = (members.len() * promise_kept_permille(released) + 500) / 1_000;
            let kept = members.iter().filter(|index| **index < from && cases.get(**index).is_some_and(|case| case.within)).count();
            let mut free: Vec<usize> = members.iter().copied().filter(|index| *index >= from).collect();
            free.retain(|index| cases.get(*index).is_some_and(|case| case.fate == Fate::Engaged));
            free.shuffle(self.rng);
            // Whoever has a chapter is reached in time: the chapter is about something else.
            free.sort_by_key(|index| cases.get(*index).is_some_and(|case| case.special == Special::Nothing));
            for index in free.into_iter().take(wanted.saturating_sub(kept)) {
                if let Some(case) = cases.get_mut(index) {
                    case.within = true;
                }
            }
        }
    }

    fn converse(&mut self, cases: &mut [Case]) {
        for case in cases.iter_mut().filter(|case| case.fate == Fate::Engaged) {
            let wait = if case.within { self.rng.random_range(1..=5) } else { self.rng.random_range(6..=11) };
            let first = match case.special {
                Special::ChangedTheirMind => date(2024, 12, 3),
                _ => self.calendar.shift(case.released(), wait),
            };
            let (from, to) = case.lasts_until.unwrap_or((plus(first, 45), plus(first, 150)));
            let last = plus(from, self.rng.random_range(0..=days_between(from, to))).min(LAST_WORKED);
            self.talk(case, first, last);
        }
    }

    /// Conversations every few weeks, at most 40 days apart.
    fn talk(&mut self, case: &mut Case, first: Date, last: Date) {
        let mut day = first;
        loop {
            case.conversations.push(day);
            let next = self.calendar.working_from(plus(day, self.rng.random_range(14..=33)));
            if next > last {
                break;
            }
            day = next;
        }
        if last >= plus(LAST_WORKED, -16) || case.special == Special::Dies {
            return;
        }
        let ended = self.calendar.shift(day, self.rng.random_range(1..=9)).min(LAST_WORKED);
        let reason = match self.rng.random_range(0..100) {
            0..78 => EndReason::Completed,
            78..88 => EndReason::ChoseToStop,
            88..95 => EndReason::ReferredOn,
            95..98 => EndReason::Moved,
            _ => EndReason::Transferred,
        };
        case.ended = Some((ended, reason));
    }
}

/// The day on which the weekly list that first has somebody's diagnosis is run in: the Monday after it, or the next
/// working day.
pub(super) fn list_day(calendar: &Calendar, diagnosed: Date) -> Date {
    let to_monday = 7 - i64::from(diagnosed.weekday().to_monday_zero_offset());
    calendar.working_from(plus(diagnosed, to_monday))
}
