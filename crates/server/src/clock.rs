//! The world outside: the machine's clock and numbers never given before; for the demo, a clock that can be set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use alongside_app::World;
use alongside_domain::id::Ids;
use jiff::Timestamp;

/// Time-ordered ids (the layout of UUID version 7): milliseconds, a counter that keeps the order within an instant,
/// and randomness from the operating system.
struct TimeOrdered {
    milliseconds: u128,
    counter: Arc<AtomicU64>,
}

const VERSION: u128 = 7 << 76;
const VARIANT: u128 = 0b10 << 62;

impl Ids for TimeOrdered {
    fn next(&mut self) -> u128 {
        let count = u128::from(self.counter.fetch_add(1, Ordering::Relaxed));
        // 12 bits beside the version and 20 below the variant: a counter that grows within a millisecond.
        let (high, low) = ((count >> 20) & 0xfff, count & 0xf_ffff);
        let random = uuid::Uuid::new_v4().as_u128() & ((1 << 42) - 1);
        (self.milliseconds << 80) | VERSION | (high << 64) | VARIANT | (low << 42) | random
    }
}

fn ids_at(at: Timestamp, counter: &Arc<AtomicU64>) -> Box<dyn Ids + Send> {
    let milliseconds = u128::from(at.as_millisecond().unsigned_abs());
    Box::new(TimeOrdered { milliseconds, counter: Arc::clone(counter) })
}

/// 256 bits of the operating system's randomness. A machine that has none can keep nothing secret, so nothing goes on.
fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    if let Err(error) = getrandom::fill(&mut bytes) {
        panic!("the operating system gives no randomness: {error}");
    }
    bytes
}

/// The machine's clock.
#[derive(Debug, Default)]
pub(crate) struct MachineClock {
    counter: Arc<AtomicU64>,
}

impl World for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn ids(&self) -> Box<dyn Ids + Send> {
        ids_at(self.now(), &self.counter)
    }

    fn secret(&self) -> [u8; 32] {
        random()
    }
}

/// A clock that stands still until it is set: the demo's.
#[derive(Debug, Default)]
pub(crate) struct SetClock {
    microseconds: AtomicI64,
    counter: Arc<AtomicU64>,
}

impl SetClock {
    pub(crate) fn set(&self, at: Timestamp) {
        self.microseconds.store(at.as_microsecond(), Ordering::SeqCst);
    }
}

impl World for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.microseconds.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn ids(&self) -> Box<dyn Ids + Send> {
        ids_at(self.now(), &self.counter)
    }

    fn secret(&self) -> [u8; 32] {
        random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_instant_keep_their_order() {
        let clock = SetClock::default();
        clock.set(Timestamp::from_second(1_700_000_000).unwrap());
        let mut ids = clock.ids();
        let made: Vec<u128> = (0..5_000).map(|_| ids.next()).collect();
        assert!(made.is_sorted());
        assert!(clock.ids().next() > made[4_999]);
    }
}
