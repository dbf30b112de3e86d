//! The world outside as far as it comes in: what time it is, and numbers never given before.

use alongside_domain::id::Ids;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Where time and ids come from. The program's is the real one; tests and the demo bring their own.
pub trait World: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// A source of ids for one unit of work. Ids of one source grow, so that lines of one instant keep their order.
    fn ids(&self) -> Box<dyn Ids + Send>;
    /// 256 bits that nobody can guess: a session's token, an invitation's link. Ids can be guessed, and are no secrets.
    fn secret(&self) -> [u8; 32];
}

/// The time zone of every site: the service is one of England.
fn london() -> TimeZone {
    TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC)
}

/// The wall-clock time in London.
#[must_use]
pub fn london_time(at: Timestamp) -> DateTime {
    at.to_zoned(london()).datetime()
}

/// The day in London.
#[must_use]
pub fn london_date(at: Timestamp) -> Date {
    london_time(at).date()
}

/// An instant from a wall-clock time in London; the earlier one where the clocks go back.
#[must_use]
pub fn london_instant(time: DateTime) -> Option<Timestamp> {
    time.to_zoned(london()).ok().map(|zoned| zoned.timestamp())
}

/// Hours since 1970 UTC: the key of the feeds' counters.
#[must_use]
pub fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3600)
}
