//! Dates, spans and numbers in the words of pages: British, with the clock of London.

use alongside_domain::calendar::{Period, Quarter, add_working_days, is_working_day, working_days_between};
use alongside_domain::person::Person;
use alongside_store::page_reads::Named;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::{london_date, london_time};

/// `6 January 2025`.
#[must_use]
pub fn day(date: Date) -> String {
    date.strftime("%-d %B %Y").to_string()
}

/// `6 January 2025, 8:30am`, as the NHS writes times.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    let time = london_time(at);
    format!("{}, {}", day(time.date()), clock(at))
}

/// `8:30am`.
#[must_use]
pub fn clock(at: Timestamp) -> String {
    let time = london_time(at);
    let (hour, half) = match time.hour() {
        0 => (12, "am"),
        hour @ 1..=11 => (hour, "am"),
        12 => (12, "pm"),
        hour => (hour - 12, "pm"),
    };
    format!("{hour}:{:02}{half}", time.minute())
}

/// `today at 8:30am`, `yesterday at …`, or the day.
#[must_use]
pub fn recent(at: Timestamp, now: Timestamp) -> String {
    let (then, today) = (london_date(at), london_date(now));
    if then == today {
        return format!("today at {}", clock(at));
    }
    if then.tomorrow().is_ok_and(|next| next == today) {
        return format!("yesterday at {}", clock(at));
    }
    moment(at)
}

/// `October to December 2024`.
#[must_use]
pub fn quarter(quarter: Quarter) -> String {
    period(quarter.period())
}

/// A period by its months where it consists of whole ones: `April to December 2024`, `July 2024`; else by its days.
#[must_use]
pub fn period(period: Period) -> String {
    let Period { from, to } = period;
    if from == to {
        return day(from);
    }
    if from.day() != 1 || to != to.last_of_month() {
        return format!("{} to {}", day(from), day(to));
    }
    let month = |date: Date, year: bool| date.strftime(if year { "%B %Y" } else { "%B" }).to_string();
    if from.month() == to.month() && from.year() == to.year() {
        return month(to, true);
    }
    format!("{} to {}", month(from, from.year() != to.year()), month(to, true))
}

/// A number with its noun: `1 person`, `92 people`, `1,204 messages`.
#[must_use]
pub fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { more })
}

/// `1,204`.
#[must_use]
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `59 %`: a share from 0 to 1 in whole per cent, with a space that does not break.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.0}\u{a0}%", share * 100.0)
}

/// How long ago a day is, in days: `since today`, `1 day`, `12 days`.
#[must_use]
pub fn waiting(since: Date, today: Date) -> String {
    match (today - since).get_days() {
        i32::MIN..=0 => "since today".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// How urgent a due day is. Pages say it in words as well, never by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// There is time.
    Calm,
    /// Today or on the next working day.
    Soon,
    /// The day is past.
    Late,
}

/// A due day as words and urgency: `due 7 January 2025, 1 working day left`.
#[must_use]
pub fn due(on: Date, today: Date) -> (String, Urgency) {
    if on < today {
        let late = working_days_between(on, today).max(1);
        return (format!("was due {}, {} ago", day(on), working_days(late)), Urgency::Late);
    }
    if on == today {
        return ("due today".to_owned(), Urgency::Soon);
    }
    let left = working_days_between(today, on);
    let urgency = if left <= 1 { Urgency::Soon } else { Urgency::Calm };
    (format!("due {}, {} left", day(on), working_days(left)), urgency)
}

fn working_days(count: u32) -> String {
    if count == 1 { "1 working day".to_owned() } else { format!("{count} working days") }
}

/// The last day whose promises the list "due" shows: today's and those of the next two working days.
#[must_use]
pub fn due_horizon(today: Date) -> Date {
    let from = if is_working_day(today) { today } else { add_working_days(today, 1) };
    add_working_days(from, 2)
}

/// A person's name as a page shows it.
#[must_use]
pub fn name(given: Option<&str>, family: Option<&str>) -> String {
    let parts: Vec<&str> = [given, family].into_iter().flatten().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "Name not known".to_owned() } else { parts.join(" ") }
}

/// `aged 34`, or that it is not known.
#[must_use]
pub fn age(born: Option<Date>, today: Date) -> String {
    let mut person = Person::new(alongside_domain::id::PersonId(0), alongside_domain::person::SiteId(String::new()), Vec::new());
    person.birth_date = born;
    person.age_on(today).map_or_else(|| "age not known".to_owned(), |age| format!("aged {age}"))
}

pub(crate) fn named(named: &Named) -> String {
    name(named.given.as_deref(), named.family.as_deref())
}

/// The text with a capital first letter, to begin a sentence with it.
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_those_of_london_and_written_as_the_nhs_does() {
        for (instant, words) in [
            ("2025-01-06T08:30:00Z", "6 January 2025, 8:30am"),
            ("2024-07-01T11:05:00Z", "1 July 2024, 12:05pm"),
            ("2024-12-31T23:59:00Z", "31 December 2024, 11:59pm"),
            ("2024-06-30T23:00:00Z", "1 July 2024, 12:00am"),
        ] {
            assert_eq!(moment(at(instant)), words);
        }
        let now = at("2025-01-06T08:30:00Z");
        assert_eq!(recent(at("2025-01-06T08:00:00Z"), now), "today at 8:00am");
        assert_eq!(recent(at("2025-01-05T02:00:00Z"), now), "yesterday at 2:00am");
        assert_eq!(recent(at("2024-12-30T02:00:00Z"), now), "30 December 2024, 2:00am");
    }

    #[test]
    fn a_period_of_whole_months_is_named_by_them() {
        for (from, to, words) in [
            (date(2024, 4, 1), date(2024, 12, 31), "April to December 2024"),
            (date(2024, 10, 1), date(2025, 3, 31), "October 2024 to March 2025"),
            (date(2024, 7, 1), date(2024, 7, 31), "July 2024"),
            (date(2024, 7, 1), date(2024, 7, 30), "1 July 2024 to 30 July 2024"),
            (date(2025, 1, 6), date(2025, 1, 6), "6 January 2025"),
        ] {
            assert_eq!(period(Period { from, to }), words);
        }
    }

    #[test]
    fn a_due_day_says_how_many_working_days_are_left_or_past() {
        let today = date(2025, 1, 6);
        for (on, words, urgency) in [
            (date(2025, 1, 6), "due today", Urgency::Soon),
            (date(2025, 1, 7), "due 7 January 2025, 1 working day left", Urgency::Soon),
            (date(2025, 1, 10), "due 10 January 2025, 4 working days left", Urgency::Calm),
            (date(2025, 1, 3), "was due 3 January 2025, 1 working day ago", Urgency::Late),
            (date(2025, 1, 5), "was due 5 January 2025, 1 working day ago", Urgency::Late),
            (date(2024, 12, 24), "was due 24 December 2024, 6 working days ago", Urgency::Late),
        ] {
            assert_eq!(due(on, today), (words.to_owned(), urgency));
        }
        assert_eq!(due_horizon(date(2025, 1, 4)), date(2025, 1, 8));
    }

    #[test]
    fn numbers_names_and_ages_read_well() {
        assert_eq!(["0", "999", "1,000", "1,234,567"], [0, 999, 1000, 1_234_567].map(number).each_ref().map(String::as_str));
        assert_eq!((counted(1, "person", "people"), counted(0, "person", "people")), ("1 person".into(), "0 people".into()));
        assert_eq!((name(None, None), name(Some("Ada"), None)), ("Name not known".to_owned(), "Ada".to_owned()));
        assert_eq!(age(Some(date(1990, 1, 7)), date(2025, 1, 6)), "aged 34");
        assert_eq!(age(None, date(2025, 1, 6)), "age not known");
        assert_eq!(percent(45.0 / 76.0), "59\u{a0}%");
        assert_eq!(sentence("élan vital"), "Élan vital");
    }
}
