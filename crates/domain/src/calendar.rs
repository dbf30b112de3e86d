//! Working days of England and Wales, quarters, periods, and gaps in months.
//!
//! Bank holidays are computed by the rule of the Banking and Financial Dealings Act 1971 and the yearly proclamations,
//! with a table of the years in which they were moved or added to (`EXCEPTIONS`). Checked against the lists on
//! gov.uk/bank-holidays. A day that is proclaimed in future is one more row.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};
use std::fmt;
use std::str::FromStr;

/// Whether somebody who is alive, or a record of theirs, can have to do with a day: others are slips of typing.
#[must_use]
pub fn is_of_our_time(day: Date) -> bool {
    (1880..2200).contains(&day.year())
}

/// A bank holiday of England and Wales, on the day on which it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BankHoliday {
    /// The day: never a Saturday or Sunday.
    pub date: Date,
    /// Its name, as gov.uk gives it, without "substitute day".
    pub name: &'static str,
}

/// A bank holiday that the rule does not give.
struct Exception {
    /// The day that the rule gives and that was a working day instead; `None` where a holiday was added.
    instead_of: Option<Date>,
    date: Date,
    name: &'static str,
}

/// What proclamations moved and added since 1990. Source: gov.uk/bank-holidays and the London Gazette.
const EXCEPTIONS: &[Exception] = &[
    moved(date(1995, 5, 1), date(1995, 5, 8), "Early May bank holiday (VE day)"),
    added(date(1999, 12, 31), "Millennium"),
    added(date(2002, 6, 3), "Golden Jubilee bank holiday"),
    moved(date(2002, 5, 27), date(2002, 6, 4), "Spring bank holiday"),
    added(date(2011, 4, 29), "Royal wedding"),
    moved(date(2012, 5, 28), date(2012, 6, 4), "Spring bank holiday"),
    added(date(2012, 6, 5), "Diamond Jubilee bank holiday"),
    moved(date(2020, 5, 4), date(2020, 5, 8), "Early May bank holiday (VE day)"),
    moved(date(2022, 5, 30), date(2022, 6, 2), "Spring bank holiday"),
    added(date(2022, 6, 3), "Platinum Jubilee bank holiday"),
    added(date(2022, 9, 19), "State Funeral of Queen Elizabeth II"),
    added(date(2023, 5, 8), "Coronation of King Charles III"),
];

const fn moved(from: Date, to: Date, name: &'static str) -> Exception {
    Exception { instead_of: Some(from), date: to, name }
}

const fn added(date: Date, name: &'static str) -> Exception {
    Exception { instead_of: None, date, name }
}

/// The bank holidays of a year, in order. Meant for 1990 to 2100; the rule of today is applied to any other year too.
#[must_use]
pub fn bank_holidays(year: i16) -> Vec<BankHoliday> {
    let exceptions = || EXCEPTIONS.iter().filter(|exception| exception.date.year() == year);
    let mut holidays: Vec<BankHoliday> = by_rule(year)
        .into_iter()
        .filter(|holiday| exceptions().all(|exception| exception.instead_of != Some(holiday.date)))
        .chain(exceptions().map(|exception| BankHoliday { date: exception.date, name: exception.name }))
        .collect();
    holidays.sort_unstable();
    holidays
}

/// What the rule gives for a year, before exceptions.
fn by_rule(year: i16) -> Vec<BankHoliday> {
    let easter = easter_sunday(year);
    let beside_easter = |days: i64| easter.and_then(|sunday| sunday.checked_add(days.days()).ok());
    let weekday_of = |month: i8, nth: i8| Date::new(year, month, 1).and_then(|first| first.nth_weekday_of_month(nth, Weekday::Monday)).ok();
    let (christmas, boxing) = christmas_and_boxing_day(year);
    [
        (new_year(year), "New Year’s Day"),
        (beside_easter(-2), "Good Friday"),
        (beside_easter(1), "Easter Monday"),
        (weekday_of(5, 1), "Early May bank holiday"),
        (weekday_of(5, -1), "Spring bank holiday"),
        (weekday_of(8, -1), "Summer bank holiday"),
        (christmas, "Christmas Day"),
        (boxing, "Boxing Day"),
    ]
    .into_iter()
    .filter_map(|(date, name)| date.map(|date| BankHoliday { date, name }))
    .collect()
}

/// New Year's Day, or the Monday after it when it falls on a weekend.
fn new_year(year: i16) -> Option<Date> {
    let kept = match Date::new(year, 1, 1).ok()?.weekday() {
        Weekday::Saturday => 3,
        Weekday::Sunday => 2,
        _ => 1,
    };
    Date::new(year, 1, kept).ok()
}

/// The days on which Christmas and Boxing Day are kept. On a Sunday it is Christmas that moves, past Boxing Day.
fn christmas_and_boxing_day(year: i16) -> (Option<Date>, Option<Date>) {
    let day = |day: i8| Date::new(year, 12, day).ok();
    match day(25).map(Date::weekday) {
        Some(Weekday::Friday) => (day(25), day(28)),
        Some(Weekday::Saturday) => (day(27), day(28)),
        Some(Weekday::Sunday) => (day(27), day(26)),
        _ => (day(25), day(26)),
    }
}

/// Easter Sunday of the Gregorian calendar, by the anonymous algorithm of 1876 (Meeus, Jones and Butcher), whose letters are kept.
#[expect(clippy::many_single_char_names, reason = "the algorithm is published with these letters")]
fn easter_sunday(year: i16) -> Option<Date> {
    let year_wide = i32::from(year);
    let a = year_wide.rem_euclid(19);
    let (b, c) = (year_wide.div_euclid(100), year_wide.rem_euclid(100));
    let (d, e) = (b.div_euclid(4), b.rem_euclid(4));
    let f = (b + 8).div_euclid(25);
    let g = (b - f + 1).div_euclid(3);
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    Date::new(year, i8::try_from(n / 31).ok()?, i8::try_from(n % 31 + 1).ok()?).ok()
}

/// Whether clinics and charities are open: Monday to Friday and not a bank holiday of England and Wales.
#[must_use]
pub fn is_working_day(date: Date) -> bool {
    is_weekday(date) && bank_holidays(date.year()).iter().all(|holiday| holiday.date != date)
}

fn is_weekday(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// The `days`th working day after a date; the day itself is not counted. 0 gives the date back, working day or not.
/// Stops at the last day of the calendar (year 9999).
#[must_use]
pub fn add_working_days(date: Date, days: u16) -> Date {
    let mut day = date;
    for _ in 0..days {
        day = next_working_day(day);
    }
    day
}

fn next_working_day(date: Date) -> Date {
    let mut day = date;
    while let Ok(next) = day.tomorrow() {
        day = next;
        if is_working_day(day) {
            break;
        }
    }
    day
}

/// How many working days lie after `from`, up to and including `to`; 0 where `to` is not after `from`.
/// Released on Friday and contacted on Monday is 1; the same day is 0.
#[must_use]
pub fn working_days_between(from: Date, to: Date) -> u32 {
    if to <= from {
        return 0;
    }
    // Whole years of days are not walked: dates from outside may lie thousands of years apart.
    let holidays: u32 = (from.year()..=to.year())
        .map(|year| bank_holidays(year).iter().filter(|holiday| from < holiday.date && holiday.date <= to).count())
        .filter_map(|count| u32::try_from(count).ok())
        .sum();
    weekdays_between(from, to).saturating_sub(holidays)
}

/// Mondays to Fridays after `from`, up to and including `to`, which is later.
fn weekdays_between(from: Date, to: Date) -> u32 {
    let days = u32::try_from(days_between(from, to)).unwrap_or(0);
    let after_whole_weeks = i64::from(days - days % 7);
    let rest = (1..=i64::from(days % 7)).filter(|day| from.checked_add((after_whole_weeks + day).days()).is_ok_and(is_weekday)).count();
    days / 7 * 5 + u32::try_from(rest).unwrap_or(0)
}

fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

/// Whole months from one date to another; negative where `to` is earlier. The month is full on the same day of the
/// month, or on its last day where it has no such day: 31 August to 30 September is one month.
#[must_use]
pub fn months_between(from: Date, to: Date) -> i32 {
    if to < from {
        return -months_between(to, from);
    }
    let months = (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month()) - i32::from(from.month());
    let full_on = from.day().min(to.last_of_month().day());
    if to.day() >= full_on { months } else { months - 1 }
}

/// Whether at least so many months passed between two dates, end of month as in [`months_between`].
#[must_use]
pub fn is_gap_of_months(from: Date, to: Date, months: u16) -> bool {
    months_between(from, to) >= i32::from(months)
}

/// A quarter of the calendar year, written `2024-Q4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quarter {
    year: i16,
    number: i8,
}

/// A text or pair of numbers that is not a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAQuarter;

impl fmt::Display for NotAQuarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quarter is written like 2024-Q4, with a quarter from 1 to 4")
    }
}

impl std::error::Error for NotAQuarter {}

impl Quarter {
    /// Quarter `number` (1 to 4) of a year (1 to 9999).
    ///
    /// # Errors
    /// Where either is outside its range.
    pub fn new(year: i16, number: i8) -> Result<Self, NotAQuarter> {
        if (1..=9999).contains(&year) && (1..=4).contains(&number) { Ok(Self { year, number }) } else { Err(NotAQuarter) }
    }

    /// The quarter in which a date lies.
    #[must_use]
    pub fn of(date: Date) -> Self {
        Self { year: date.year(), number: (date.month() + 2) / 3 }
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> i16 {
        self.year
    }

    /// Which quarter of the year, 1 to 4.
    #[must_use]
    pub const fn number(self) -> i8 {
        self.number
    }

    /// The first day: of January, April, July or October.
    #[must_use]
    pub fn first_day(self) -> Date {
        date(self.year, self.number * 3 - 2, 1)
    }

    /// The last day.
    #[must_use]
    pub fn last_day(self) -> Date {
        date(self.year, self.number * 3, 1).last_of_month()
    }

    /// The quarter before. The first of the calendar (year -9999) has none and gives itself back.
    #[must_use]
    pub fn previous(self) -> Self {
        self.first_day().yesterday().map_or(self, Self::of)
    }

    /// The quarter after. The last of the calendar (year 9999) has none and gives itself back.
    #[must_use]
    pub fn next(self) -> Self {
        self.last_day().tomorrow().map_or(self, Self::of)
    }

    /// Its days.
    #[must_use]
    pub fn period(self) -> Period {
        Period { from: self.first_day(), to: self.last_day() }
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-Q{}", self.year, self.number)
    }
}

impl FromStr for Quarter {
    type Err = NotAQuarter;

    fn from_str(text: &str) -> Result<Self, NotAQuarter> {
        let (year, number) = text.split_once("-Q").ok_or(NotAQuarter)?;
        let all_digits = year.bytes().chain(number.bytes()).all(|byte| byte.is_ascii_digit());
        if year.len() != 4 || number.len() != 1 || !all_digits {
            return Err(NotAQuarter);
        }
        Self::new(year.parse().map_err(|_| NotAQuarter)?, number.parse().map_err(|_| NotAQuarter)?)
    }
}

/// Days from one to another, both included. Where `to` is before `from` it holds no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    /// First day.
    pub from: Date,
    /// Last day.
    pub to: Date,
}

impl Period {
    /// Whether the day lies in it.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.from <= day && day <= self.to
    }

    /// How many days it has.
    #[must_use]
    pub fn days(&self) -> u32 {
        u32::try_from(days_between(self.from, self.to) + 1).unwrap_or(0)
    }
}

impl fmt::Display for Period {
    /// As `2024-10-01 to 2024-12-31`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn days_of(year: i16) -> String {
        bank_holidays(year).iter().map(|holiday| holiday.date.strftime("%a %d %b").to_string()).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn bank_holidays_are_those_of_the_published_lists() {
        for (year, expected) in [
            (1995, "Mon 02 Jan, Fri 14 Apr, Mon 17 Apr, Mon 08 May, Mon 29 May, Mon 28 Aug, Mon 25 Dec, Tue 26 Dec"),
            (1999, "Fri 01 Jan, Fri 02 Apr, Mon 05 Apr, Mon 03 May, Mon 31 May, Mon 30 Aug, Mon 27 Dec, Tue 28 Dec, Fri 31 Dec"),
            (2002, "Tue 01 Jan, Fri 29 Mar, Mon 01 Apr, Mon 06 May, Mon 03 Jun, Tue 04 Jun, Mon 26 Aug, Wed 25 Dec, Thu 26 Dec"),
            (2011, "Mon 03 Jan, Fri 22 Apr, Mon 25 Apr, Fri 29 Apr, Mon 02 May, Mon 30 May, Mon 29 Aug, Mon 26 Dec, Tue 27 Dec"),
            (2012, "Mon 02 Jan, Fri 06 Apr, Mon 09 Apr, Mon 07 May, Mon 04 Jun, Tue 05 Jun, Mon 27 Aug, Tue 25 Dec, Wed 26 Dec"),
            (2020, "Wed 01 Jan, Fri 10 Apr, Mon 13 Apr, Fri 08 May, Mon 25 May, Mon 31 Aug, Fri 25 Dec, Mon 28 Dec"),
            (2021, "Fri 01 Jan, Fri 02 Apr, Mon 05 Apr, Mon 03 May, Mon 31 May, Mon 30 Aug, Mon 27 Dec, Tue 28 Dec"),
            (
                2022,
                "Mon 03 Jan, Fri 15 Apr, Mon 18 Apr, Mon 02 May, Thu 02 Jun, Fri 03 Jun, Mon 29 Aug, Mon 19 Sep, Mon 26 Dec, Tue 27 Dec",
            ),
            (2023, "Mon 02 Jan, Fri 07 Apr, Mon 10 Apr, Mon 01 May, Mon 08 May, Mon 29 May, Mon 28 Aug, Mon 25 Dec, Tue 26 Dec"),
            (2024, "Mon 01 Jan, Fri 29 Mar, Mon 01 Apr, Mon 06 May, Mon 27 May, Mon 26 Aug, Wed 25 Dec, Thu 26 Dec"),
            (2025, "Wed 01 Jan, Fri 18 Apr, Mon 21 Apr, Mon 05 May, Mon 26 May, Mon 25 Aug, Thu 25 Dec, Fri 26 Dec"),
            (2026, "Thu 01 Jan, Fri 03 Apr, Mon 06 Apr, Mon 04 May, Mon 25 May, Mon 31 Aug, Fri 25 Dec, Mon 28 Dec"),
            (2027, "Fri 01 Jan, Fri 26 Mar, Mon 29 Mar, Mon 03 May, Mon 31 May, Mon 30 Aug, Mon 27 Dec, Tue 28 Dec"),
        ] {
            assert_eq!(days_of(year), expected, "{year}");
        }
    }

    #[test]
    fn the_earliest_and_latest_easters_are_right() {
        for (year, month, day) in [(1990, 4, 15), (2000, 4, 23), (2008, 3, 23), (2011, 4, 24), (2038, 4, 25), (2100, 3, 28)] {
            assert_eq!(easter_sunday(year), Date::new(year, month, day).ok(), "{year}");
        }
    }

    #[test]
    fn every_year_has_eight_bank_holidays_and_what_was_added_and_none_on_a_weekend() {
        for year in 1990..=2100 {
            let added = EXCEPTIONS.iter().filter(|exception| exception.date.year() == year && exception.instead_of.is_none()).count();
            let holidays = bank_holidays(year);
            assert_eq!(holidays.len(), 8 + added, "{year}");
            assert!(holidays.iter().all(|holiday| is_weekday(holiday.date)), "{year}");
            assert!(holidays.windows(2).all(|pair| pair[0].date < pair[1].date), "{year}");
        }
    }

    #[test]
    fn every_moved_holiday_was_one_by_the_rule() {
        for moved in EXCEPTIONS.iter().filter_map(|exception| exception.instead_of) {
            assert!(by_rule(moved.year()).iter().any(|holiday| holiday.date == moved), "{moved}");
            assert!(is_working_day(moved), "{moved}");
        }
    }

    #[test]
    fn working_days_leave_out_weekends_and_holidays() {
        for (from, days, expected) in [
            (date(2024, 12, 30), 5, date(2025, 1, 7)), // The story's two people: New Year's Day is not counted.
            (date(2024, 12, 24), 1, date(2024, 12, 27)),
            (date(2024, 3, 28), 1, date(2024, 4, 2)), // Over Easter.
            (date(2024, 7, 6), 1, date(2024, 7, 8)),  // From a Saturday.
            (date(2024, 7, 6), 0, date(2024, 7, 6)),
            (date(2022, 9, 16), 1, date(2022, 9, 20)), // The State Funeral.
        ] {
            assert_eq!(add_working_days(from, days), expected, "{from} + {days}");
            assert_eq!(working_days_between(from, expected), u32::from(days), "{from} to {expected}");
        }
        assert_eq!(working_days_between(date(2024, 7, 8), date(2024, 7, 1)), 0);
        assert_eq!(working_days_between(date(2024, 7, 5), date(2024, 7, 7)), 0);
        assert_eq!(working_days_between(date(2023, 12, 31), date(2024, 12, 31)), 254);
    }

    #[test]
    fn dates_at_the_end_of_the_calendar_do_not_panic() {
        assert_eq!(add_working_days(Date::MAX, 3), Date::MAX);
        assert!(working_days_between(Date::MIN, Date::MAX) > 5_000_000);
        assert_eq!(months_between(Date::MIN, Date::MAX), 19_999 * 12 - 1);
        assert_eq!(Quarter::of(Date::MAX).next(), Quarter::of(Date::MAX));
        assert_eq!(Quarter::of(Date::MIN).previous(), Quarter::of(Date::MIN));
    }

    #[test]
    fn months_are_full_on_the_same_day_or_the_last_of_the_month() {
        for (from, to, months) in [
            (date(2024, 1, 31), date(2024, 2, 28), 0),
            (date(2024, 1, 31), date(2024, 2, 29), 1),
            (date(2023, 1, 31), date(2023, 2, 28), 1),
            (date(2023, 8, 31), date(2024, 11, 29), 14),
            (date(2023, 8, 31), date(2024, 11, 30), 15),
            (date(2023, 7, 10), date(2024, 10, 9), 14),
            (date(2023, 7, 10), date(2024, 10, 10), 15),
            (date(2024, 2, 29), date(2025, 2, 28), 12),
            (date(2024, 5, 5), date(2024, 5, 5), 0),
            (date(2024, 10, 10), date(2023, 7, 10), -15),
        ] {
            assert_eq!(months_between(from, to), months, "{from} to {to}");
        }
        assert!(is_gap_of_months(date(2023, 8, 31), date(2024, 11, 30), 15));
        assert!(!is_gap_of_months(date(2023, 8, 31), date(2024, 11, 29), 15));
    }

    #[test]
    fn a_quarter_is_written_as_it_is_read() {
        let quarter: Quarter = "2024-Q4".parse().expect("a quarter");
        assert_eq!((quarter.first_day(), quarter.last_day()), (date(2024, 10, 1), date(2024, 12, 31)));
        assert_eq!(quarter.previous().to_string(), "2024-Q3");
        assert_eq!(quarter.next().to_string(), "2025-Q1");
        assert_eq!(quarter.next().previous(), quarter);
        assert_eq!(quarter.period().days(), 92);
        for wrong in
            ["", "2024", "2024-Q0", "2024-Q5", "2024-Q", "24-Q4", "2024-q4", "2024-Q4 ", "+024-Q4", "2024-Q-1", "0000-Q1", "2024Q4"]
        {
            assert_eq!(wrong.parse::<Quarter>(), Err(NotAQuarter), "{wrong}");
        }
    }

    #[test]
    fn both_ends_of_a_period_belong_to_it() {
        let period = Period { from: date(2024, 4, 1), to: date(2024, 12, 31) };
        assert!(period.contains(date(2024, 4, 1)) && period.contains(date(2024, 12, 31)));
        assert!(!period.contains(date(2024, 3, 31)) && !period.contains(date(2025, 1, 1)));
        assert_eq!(Period { from: period.to, to: period.from }.days(), 0);
    }

    fn any_day() -> impl Strategy<Value = Date> {
        (0..40_000_i64).prop_filter_map("within the calendar", |days| date(1990, 1, 1).checked_add(days.days()).ok())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counting_back_what_was_added_gives_the_same_number(from in any_day(), days in 0..60_u16) {
            let to = add_working_days(from, days);
            prop_assert_eq!(working_days_between(from, to), u32::from(days));
            prop_assert!(days == 0 || is_working_day(to));
        }

        #[test]
        fn counting_agrees_with_walking_day_by_day(from in any_day(), length in 0..900_i64) {
            let to = from.checked_add(length.days()).expect("within the calendar");
            let walked = (1..=length).filter(|day| from.checked_add(day.days()).is_ok_and(is_working_day)).count();
            prop_assert_eq!(u32::try_from(walked), Ok(working_days_between(from, to)));
        }

        #[test]
        fn every_day_lies_in_its_quarter_and_in_no_other(day in any_day()) {
            let quarter = Quarter::of(day);
            prop_assert!(quarter.period().contains(day));
            prop_assert!(!quarter.previous().period().contains(day) && !quarter.next().period().contains(day));
            prop_assert_eq!(quarter.to_string().parse(), Ok(quarter));
        }

        #[test]
        fn one_day_more_never_makes_fewer_months(from in any_day(), length in 0..900_i64) {
            let day = |days: i64| from.checked_add(days.days()).expect("within the calendar");
            let (shorter, longer) = (months_between(from, day(length)), months_between(from, day(length + 1)));
            prop_assert!(shorter <= longer && longer <= shorter + 1);
        }
    }
}
