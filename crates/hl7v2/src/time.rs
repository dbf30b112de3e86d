//! HL7 times: `YYYY[MM[DD[HH[MM[SS[.S…]]]]]][+/-ZZZZ]`, of any precision, and what senders write instead.
//!
//! No calendar library: the caller decides what a time without a zone means.

use std::fmt;

/// A time with the precision at which it was sent. A part is there only if the larger ones are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timestamp {
    /// The year, 1 to 9999.
    pub year: u16,
    /// The month, 1 to 12.
    pub month: Option<u8>,
    /// The day of the month; the date exists.
    pub day: Option<u8>,
    /// The hour, 0 to 23.
    pub hour: Option<u8>,
    /// The minute, 0 to 59.
    pub minute: Option<u8>,
    /// The second, 0 to 59.
    pub second: Option<u8>,
    /// The fraction of the second, in nanoseconds; digits beyond nine are cut.
    pub nanosecond: Option<u32>,
    /// Minutes east of Greenwich, if the sender said so: -1439 to 1439.
    pub offset_minutes: Option<i16>,
}

/// Why a text is no time. The text itself is kept by whoever has it: an invalid time fails no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// There is nothing.
    Empty,
    /// All digits are zeros, by which some senders mean "none".
    Zeros,
    /// It is not written as a time.
    NotATime,
    /// It is written as a time, but there is no such time: a thirteenth month, a 30 February.
    Impossible,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Empty => "no time",
            Reason::Zeros => "zeros instead of a time",
            Reason::NotATime => "not written as a time",
            Reason::Impossible => "there is no such time",
        })
    }
}

impl std::error::Error for Reason {}

impl Timestamp {
    /// Reads a time. Tolerated: spaces around it, `2025-05-05 23:23:32`, a `T` between date and time, `Z`,
    /// `+01:00` and `+01` for the zone.
    ///
    /// # Errors
    /// A [`Reason`], which never repeats the text.
    pub fn parse(text: &str) -> Result<Timestamp, Reason> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Reason::Empty);
        }
        let mut rest = text.as_bytes();
        let [century, year] = [two(&mut rest), two(&mut rest)].map(|digits| digits.ok_or(Reason::NotATime));
        let year = u16::from(century?) * 100 + u16::from(year?);
        let month = part(&mut rest, b"-")?;
        let day = if month.is_some() { part(&mut rest, b"-")? } else { None };
        let hour = if day.is_some() { part(&mut rest, b"T ")? } else { None };
        let minute = if hour.is_some() { part(&mut rest, b":")? } else { None };
        let second = if minute.is_some() { part(&mut rest, b":")? } else { None };
        let nanosecond = if second.is_some() { fraction(&mut rest)? } else { None };
        let offset_minutes = offset(rest)?;
        let time = Timestamp { year, month, day, hour, minute, second, nanosecond, offset_minutes };
        if text.bytes().filter(u8::is_ascii_digit).all(|digit| digit == b'0') {
            return Err(Reason::Zeros);
        }
        if time.exists() { Ok(time) } else { Err(Reason::Impossible) }
    }

    fn exists(&self) -> bool {
        let within = |value: Option<u8>, most: u8| value.is_none_or(|value| value <= most);
        let days = days_in_month(self.year, self.month.unwrap_or(1));
        self.year > 0
            && self.month.is_none_or(|month| (1..=12).contains(&month))
            && self.day.is_none_or(|day| (1..=days).contains(&day))
            && within(self.hour, 23)
            && within(self.minute, 59)
            && within(self.second, 59)
    }

    /// The date alone, at the precision that it has.
    #[must_use]
    pub fn date(self) -> Timestamp {
        Timestamp { hour: None, minute: None, second: None, nanosecond: None, offset_minutes: None, ..self }
    }

    /// The same time, or the date alone if the time of day is midnight: what many senders add to a date of
    /// birth means nothing.
    #[must_use]
    pub fn without_midnight(self) -> Timestamp {
        let zero = |part: Option<u8>| part.unwrap_or(0) == 0;
        let midnight = zero(self.hour) && zero(self.minute) && zero(self.second) && self.nanosecond.unwrap_or(0) == 0;
        if midnight { self.date() } else { self }
    }
}

impl fmt::Display for Timestamp {
    /// As HL7 writes it, at the precision that it has (fractions to a ten-thousandth).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        for part in [self.month, self.day, self.hour, self.minute, self.second].into_iter().map_while(|part| part) {
            write!(f, "{part:02}")?;
        }
        if let (Some(nanosecond), Some(_)) = (self.nanosecond, self.second) {
            write!(f, ".{:04}", nanosecond / 100_000)?;
        }
        if let Some(minutes) = self.offset_minutes {
            let (sign, minutes) = (if minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
            write!(f, "{sign}{:02}{:02}", minutes / 60, minutes % 60)?;
        }
        Ok(())
    }
}

/// Takes two digits.
fn two(rest: &mut &[u8]) -> Option<u8> {
    let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', after @ ..] = *rest else {
        return None;
    };
    *rest = after;
    Some((tens - b'0') * 10 + (ones - b'0'))
}

/// Takes the next two-digit part, with or without a sign before it. A zone is left alone.
fn part(rest: &mut &[u8], signs: &[u8]) -> Result<Option<u8>, Reason> {
    match *rest {
        [] => Ok(None),
        [b'0'..=b'9', ..] => two(rest).map(Some).ok_or(Reason::NotATime),
        // `2025-0500` is a year with a zone, `2025-05` and `2025-05-05` have a month.
        [b'-', _, _, b'0'..=b'9', ..] => Ok(None),
        [sign, after @ ..] if signs.contains(sign) => {
            *rest = after;
            two(rest).map(Some).ok_or(Reason::NotATime)
        }
        _ => Ok(None),
    }
}

/// Takes a fraction of a second, in nanoseconds.
fn fraction(rest: &mut &[u8]) -> Result<Option<u32>, Reason> {
    let Some((b'.' | b',', after)) = rest.split_first() else {
        return Ok(None);
    };
    let count = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, after) = after.split_at(count);
    if digits.is_empty() {
        return Err(Reason::NotATime);
    }
    *rest = after;
    let padded = digits.iter().map(|digit| digit - b'0').chain(std::iter::repeat(0)).take(9);
    Ok(Some(padded.fold(0, |value, digit| value * 10 + u32::from(digit))))
}

/// Reads the zone, which is all that may be left.
fn offset(rest: &[u8]) -> Result<Option<i16>, Reason> {
    let (sign, mut rest) = match *rest {
        [] => return Ok(None),
        [b'Z' | b'z'] => return Ok(Some(0)),
        [b'+', ref after @ ..] => (1, after),
        [b'-', ref after @ ..] => (-1, after),
        _ => return Err(Reason::NotATime),
    };
    let hours = two(&mut rest).ok_or(Reason::NotATime)?;
    let minutes = part(&mut rest, b":")?.unwrap_or(0);
    if !rest.is_empty() {
        return Err(Reason::NotATime);
    }
    if hours > 23 || minutes > 59 {
        return Err(Reason::Impossible);
    }
    Ok(Some(sign * (i16::from(hours) * 60 + i16::from(minutes))))
}

fn days_in_month(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let printed = Timestamp::parse(text).map(|time| time.to_string()).unwrap_or_else(|reason| format!("{reason:?}"));
        assert_eq!(printed, expected, "{text}");
    }

    #[test]
    fn every_precision_is_kept() {
        for text in [
            "2025",
            "202505",
            "20250505",
            "2025050523",
            "202505052323",
            "20250505232332",
            "20250505232332.1234",
            "20250717143000+0100",
            "20250717143000-0530",
            "202507+0000",
        ] {
            check(text, text);
        }
        let time = Timestamp::parse("20250505232332.1234-0530").unwrap();
        assert_eq!((time.nanosecond, time.offset_minutes), (Some(123_400_000), Some(-330)));
        assert_eq!(Timestamp::parse("202505").unwrap().day, None);
    }

    #[test]
    fn what_senders_write_instead_is_read() {
        check("2025-05-05 23:23:32", "20250505232332");
        check(" 2025-05-05T23:23:32.5Z ", "20250505232332.5000+0000");
        check("2025-05-05T23:23+01:00", "202505052323+0100");
        check("20250505 2323", "202505052323");
        check("2025-05", "202505");
        check("2025-0500", "2025-0500");
        check("20250505+01", "20250505+0100");
    }

    #[test]
    fn what_is_no_time_says_why() {
        check("", "Empty");
        check("  ", "Empty");
        check("00000000", "Zeros");
        check("0000-00-00 00:00", "Zeros");
        for text in [
            "19891411",
            "19761325",
            "20250230",
            "20230229",
            "19890000",
            "2025050524",
            "202505052360",
            "20250505232361",
            "20250505+2400",
            "00000101",
        ] {
            check(text, "Impossible");
        }
        for text in [
            "unknown",
            "25",
            "202",
            "20250",
            "2025050",
            "05/05/2025",
            "20250505^D",
            "20250505232332.",
            "20250505+1",
            "20250505+01000",
            "2025-",
            "\"\"",
            "２０２５",
        ] {
            check(text, "NotATime");
        }
    }

    #[test]
    fn leap_years_are_known() {
        check("20240229", "20240229");
        check("20000229", "20000229");
        check("19000229", "Impossible");
    }

    #[test]
    fn a_midnight_that_means_nothing_can_be_taken_off() {
        let born = Timestamp::parse("19890118000000").unwrap();
        assert_eq!(born.without_midnight().to_string(), "19890118");
        let seen = Timestamp::parse("19890118000001+0100").unwrap();
        assert_eq!(seen.without_midnight(), seen);
        assert_eq!(seen.date().to_string(), "19890118");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_prints_and_reads_again(text in "\\PC{0,20}|[0-9]{4,17}[-+.:TZ0-9]{0,6}") {
            if let Ok(time) = Timestamp::parse(&text) {
                let again = Timestamp::parse(&time.to_string());
                let cut = time.nanosecond.map(|n| n / 100_000 * 100_000);
                prop_assert_eq!(again, Ok(Timestamp { nanosecond: cut, ..time }));
            }
        }
    }
}
