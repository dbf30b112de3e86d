//! The year's calendar: from the first to the last day of the story, and working days to choose from.

use alongside_domain::calendar::is_working_day;
use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The first day.
pub(super) const FIRST_DAY: Date = date(2024, 1, 1);
/// The last day: "today" in the demo.
pub(super) const LAST_DAY: Date = date(2025, 1, 6);
/// The last moment that is played.
pub(super) const END: DateTime = date(2025, 1, 6).at(8, 30, 0, 0);
/// The last day on which anybody works before "today".
pub(super) const LAST_WORKED: Date = date(2025, 1, 3);

/// Working days of the story, and the time zone of both hospitals.
pub(super) struct Calendar {
    working: Vec<Date>,
    zone: TimeZone,
}

impl Calendar {
    pub(super) fn new() -> Self {
        let last = date(2025, 6, 30);
        let working = date(2023, 6, 1).series(1.day()).take_while(|day| *day <= last).filter(|day| is_working_day(*day)).collect();
        // The zone is compiled in, so it cannot be missing.
        Self { working, zone: TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC) }
    }

    pub(super) fn is_working(&self, day: Date) -> bool {
        self.working.binary_search(&day).is_ok()
    }

    /// The day itself if it is a working day, else the next one.
    pub(super) fn working_from(&self, day: Date) -> Date {
        let at = self.working.partition_point(|working| *working < day);
        self.working.get(at).copied().unwrap_or(day)
    }

    /// The day itself if it is a working day, else the one before.
    pub(super) fn working_until(&self, day: Date) -> Date {
        let after = self.working.partition_point(|working| *working <= day);
        after.checked_sub(1).and_then(|at| self.working.get(at)).copied().unwrap_or(day)
    }

    /// So many working days after a day (0 gives the first working day from it on), or before, where negative.
    pub(super) fn shift(&self, day: Date, working_days: i64) -> Date {
        let from = self.working_from(day);
        let at = self.working.partition_point(|working| *working < from);
        let moved = i64::try_from(at).unwrap_or(0).saturating_add(working_days);
        usize::try_from(moved).ok().and_then(|at| self.working.get(at)).copied().unwrap_or(from)
    }

    /// The instant of a time on the hospitals' wall.
    pub(super) fn instant(&self, wall: DateTime) -> Timestamp {
        wall.to_zoned(self.zone.clone()).map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
    }

    /// What the wall shows at an instant.
    pub(super) fn wall(&self, at: Timestamp) -> DateTime {
        at.to_zoned(self.zone.clone()).datetime()
    }
}

/// A day so many days later, or earlier.
pub(super) fn plus(day: Date, days: i64) -> Date {
    day.checked_add(days.days()).unwrap_or(day)
}

/// A time so many minutes later.
pub(super) fn later(time: DateTime, minutes: i64) -> DateTime {
    time.checked_add(minutes.minutes()).unwrap_or(time)
}

/// Days from one to another.
pub(super) fn days_between(from: Date, to: Date) -> i64 {
    i64::from((to - from).get_days())
}
