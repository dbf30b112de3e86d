//! What waits for its second half for a few minutes: a challenge that was sent, a password that was right. In memory alone,
//! so that a restart asks people to begin again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Minutes for which something waits.
pub(crate) const WAITING_MINUTES: i64 = 5;
/// How many wait at once. One more takes the place of the oldest.
const WAITING_MAX: usize = 1_000;

/// Things that wait, each under a name that cannot be guessed. Each is taken once.
pub(crate) struct Waiting<T> {
    minutes: i64,
    held: Mutex<BTreeMap<String, (Timestamp, T)>>,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self::of_minutes(WAITING_MINUTES)
    }
}

impl<T> Waiting<T> {
    /// Things that wait for longer, or less long, than [`WAITING_MINUTES`].
    pub(crate) fn of_minutes(minutes: i64) -> Self {
        Self { minutes, held: Mutex::default() }
    }

    fn is_over(&self, since: Timestamp, now: Timestamp) -> bool {
        now.duration_since(since) >= SignedDuration::from_mins(self.minutes)
    }
}

impl<T> Waiting<T> {
    /// Keeps a thing for its time.
    pub(crate) fn put(&self, name: String, thing: T, now: Timestamp) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, (since, _)| !self.is_over(*since, now));
        if held.len() >= WAITING_MAX
            && let Some(oldest) = held.iter().min_by_key(|(_, (since, _))| *since).map(|(name, _)| name.clone())
        {
            held.remove(&oldest);
        }
        held.insert(name, (now, thing));
    }

    /// Takes a thing away.
    pub(crate) fn take(&self, name: &str, now: Timestamp) -> Option<T> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(name).filter(|(since, _)| !self.is_over(*since, now)).map(|(_, thing)| thing)
    }
}

impl<T: Clone> Waiting<T> {
    /// A copy of a thing, which goes on waiting.
    pub(crate) fn look(&self, name: &str, now: Timestamp) -> Option<T> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(name).filter(|(since, _)| !self.is_over(*since, now)).map(|(_, thing)| thing.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    #[test]
    fn what_waits_is_taken_once_and_not_after_its_time() {
        let waiting = Waiting::default();
        waiting.put("one".into(), 1, minute(0));
        waiting.put("two".into(), 2, minute(0));
        assert_eq!(waiting.look("one", minute(4)), Some(1));
        assert_eq!(waiting.take("one", minute(4)), Some(1));
        assert_eq!(waiting.take("one", minute(4)), None);
        assert_eq!(waiting.look("two", minute(5)), None);
        assert_eq!(waiting.take("two", minute(5)), None);
        let longer = Waiting::of_minutes(60);
        longer.put("three".into(), 3, minute(0));
        assert_eq!((longer.look("three", minute(59)), longer.look("three", minute(60))), (Some(3), None));
    }

    #[test]
    fn no_more_wait_than_may() {
        let waiting = Waiting::default();
        for number in 0..=WAITING_MAX {
            waiting.put(format!("{number}"), number, Timestamp::UNIX_EPOCH + SignedDuration::from_millis(number as i64));
        }
        assert_eq!(waiting.look("0", minute(1)), None);
        assert_eq!(waiting.look("1", minute(1)), Some(1));
        assert_eq!(waiting.held.lock().unwrap().len(), WAITING_MAX);
    }
}
