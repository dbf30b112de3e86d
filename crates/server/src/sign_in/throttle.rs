//! How often somebody may try: against guessing, for accounts that exist and that do not alike.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alongside_app::World;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

/// Tries of one account at once; after them one more each [`REFILL_SECONDS`].
pub(crate) const TRIES: NonZeroU32 = NonZeroU32::new(5).expect("five is not zero");
/// Seconds after which one more try is given.
pub(crate) const REFILL_SECONDS: u64 = 60;
/// Tries of one-time codes of one account at once; after them one more each [`CODE_REFILL_SECONDS`]. Of a million codes three
/// are right at a time: somebody who has the password and tries for a month guesses one with a chance of a hundredth.
const CODES: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
const CODE_REFILL_SECONDS: u64 = 600;
/// Tries from one address at once; after them one more each [`ADDRESS_REFILL_SECONDS`]. A whole hospital may have one.
const TRIES_OF_ADDRESS: NonZeroU32 = NonZeroU32::new(60).expect("60 is not zero");
const ADDRESS_REFILL_SECONDS: u64 = 3;
/// Of tries that were not given, one is written down in so many seconds.
const TOLD_SECONDS: u64 = 600;
/// Tries at once from all addresses together from which nobody has signed in yet; after them one more each second. Little to
/// somebody who tries one password on every account from a thousand addresses, and they close the door to nobody at work:
/// an address from which somebody has signed in has its own tries alone.
const TRIES_OF_ALL: NonZeroU32 = NonZeroU32::new(120).expect("120 is not zero");
/// Requests for private links from one address at once; after them one more each second. A visit takes about ten.
const LINKS_OF_ADDRESS: NonZeroU32 = NonZeroU32::new(120).expect("120 is not zero");
/// Accounts share so many counters, by a hash that nobody outside knows. So the memory is bounded whatever names are
/// tried, and no counter tells whether its account exists.
const COUNTERS: u64 = 4_096;

/// The world's clock as the limiter reads it.
struct WorldClock(Arc<dyn World>);

impl Clone for WorldClock {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl Clock for WorldClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let microseconds = u64::try_from(self.0.now().as_microsecond()).unwrap_or(0);
        Nanos::new(microseconds.saturating_mul(1_000))
    }
}

type OfOne = RateLimiter<u64, DashMapStateStore<u64>, WorldClock, NoOpMiddleware<Nanos>>;
type OfAll = RateLimiter<NotKeyed, InMemoryState, WorldClock, NoOpMiddleware<Nanos>>;

/// That one more try is not given yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    /// Seconds until one is.
    pub(crate) seconds: u64,
    /// Whether to write it down: the first of a row is, so that a flood of tries does not fill the audit.
    pub(crate) is_first: bool,
}

/// Counts tries.
pub(crate) struct Throttle {
    clock: WorldClock,
    of_one: OfOne,
    of_code: OfOne,
    of_address: OfOne,
    of_link: OfOne,
    of_all: OfAll,
    told: OfOne,
    known: Mutex<HashSet<u64>>,
    hasher: RandomState,
}

impl Throttle {
    /// Nobody has tried yet.
    pub(crate) fn new(world: &Arc<dyn World>) -> Self {
        let clock = WorldClock(Arc::clone(world));
        let of = |tries: NonZeroU32, seconds: u64| {
            let quota = Quota::with_period(Duration::from_secs(seconds)).unwrap_or_else(|| Quota::per_minute(NonZeroU32::MIN));
            RateLimiter::dashmap_with_clock(quota.allow_burst(tries), clock.clone())
        };
        Self {
            of_one: of(TRIES, REFILL_SECONDS),
            of_code: of(CODES, CODE_REFILL_SECONDS),
            of_address: of(TRIES_OF_ADDRESS, ADDRESS_REFILL_SECONDS),
            of_link: of(LINKS_OF_ADDRESS, 1),
            told: of(NonZeroU32::MIN, TOLD_SECONDS),
            of_all: RateLimiter::direct_with_clock(Quota::per_second(NonZeroU32::MIN).allow_burst(TRIES_OF_ALL), clock.clone()),
            known: Mutex::default(),
            hasher: RandomState::new(),
            clock,
        }
    }

    /// One more request for a private link from this address. It counts.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn link(&self, address: &str) -> Result<(), Wait> {
        self.of(&self.of_link, address)
    }

    /// One more try of a password for this name, from this address. It counts.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn password(&self, address: &str, name: &str) -> Result<(), Wait> {
        self.anybody(address)?;
        self.of(&self.of_one, name)
    }

    /// One more try of a one-time code for this account. It counts, apart from passwords and more slowly: a code has six
    /// digits only, and who tries many has the password.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn code(&self, address: &str, name: &str) -> Result<(), Wait> {
        self.anybody(address)?;
        self.of(&self.of_code, name)
    }

    /// One more try from this address of what names no account: a link, a passkey. It counts.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn anybody(&self, address: &str) -> Result<(), Wait> {
        self.of(&self.of_address, address)?;
        if self.is_known(address) {
            return Ok(());
        }
        self.of_all.check().map_err(|not_yet| self.wait(not_yet.wait_time_from(self.clock.now()), "everybody"))
    }

    /// Somebody has signed in from this address. Where more are known than there are counters, the program begins anew.
    pub(crate) fn welcome(&self, address: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() as u64 >= COUNTERS {
            known.clear();
        }
        known.insert(self.hasher.hash_one(address));
    }

    fn is_known(&self, address: &str) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(&self.hasher.hash_one(address))
    }

    fn of(&self, limiter: &OfOne, name: &str) -> Result<(), Wait> {
        limiter.check_key(&self.counter(name)).map_err(|not_yet| self.wait(not_yet.wait_time_from(self.clock.now()), name))
    }

    fn wait(&self, time: Duration, name: &str) -> Wait {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        Wait { seconds: seconds.max(1), is_first: self.told.check_key(&self.counter(name)).is_ok() }
    }

    fn counter(&self, name: &str) -> u64 {
        self.hasher.hash_one(name) % COUNTERS
    }
}

#[cfg(test)]
mod tests {
    use alongside_app::testing::FixedWorld;
    use jiff::{SignedDuration, Timestamp};

    use super::*;

    fn throttle() -> (Throttle, Arc<FixedWorld>, Timestamp) {
        let start = Timestamp::from_second(1_700_000_000).unwrap();
        let world = FixedWorld::at(start);
        (Throttle::new(&(Arc::clone(&world) as Arc<dyn World>)), world, start)
    }

    #[test]
    fn five_tries_are_given_then_one_a_minute() {
        let (throttle, world, start) = throttle();
        let given = |tries: usize| (0..tries).filter(|_| throttle.password("here", "nurse-ada").is_ok()).count();
        assert_eq!(given(8), 5);
        assert_eq!(throttle.password("here", "nurse-ada"), Err(Wait { seconds: 60, is_first: false }), "it was told before");
        world.set(start + SignedDuration::from_secs(59));
        assert_eq!(given(8), 0);
        world.set(start + SignedDuration::from_secs(60));
        assert_eq!(given(8), 1);
        world.set(start + SignedDuration::from_hours(1));
        assert_eq!(given(8), 5);
    }

    #[test]
    fn everybody_together_is_bounded_too_and_so_is_the_memory() {
        let (throttle, world, start) = throttle();
        let given = (0..1_000).filter(|name| throttle.password(&format!("at-{name}"), &format!("name-{name}")).is_ok()).count();
        assert_eq!(given, 120);
        for second in 0..20_000 {
            world.set(start + SignedDuration::from_secs(second));
            let _given = throttle.password(&format!("at-{second}"), &format!("other-{second}"));
        }
        assert!(throttle.of_one.len() <= usize::try_from(COUNTERS).unwrap());
    }

    #[test]
    fn many_who_try_close_the_door_to_nobody_who_has_signed_in_before() {
        let (throttle, _, _) = throttle();
        throttle.welcome("the hospital");
        for stranger in 0..130 {
            let _given = throttle.anybody(&format!("at-{stranger}"));
        }
        assert!(throttle.anybody("elsewhere").is_err());
        assert_eq!(throttle.password("the hospital", "nurse-ada"), Ok(()));
        let given = (0..200).filter(|_| throttle.anybody("the hospital").is_ok()).count();
        assert!((50..60).contains(&given), "its own tries are counted as before: {given}");
        (0..=COUNTERS).for_each(|more| throttle.welcome(&more.to_string()));
        assert!(throttle.known.lock().unwrap().len() as u64 <= COUNTERS);
    }

    #[test]
    fn the_tries_of_one_address_are_bounded_whatever_names_it_tries() {
        let (throttle, _, _) = throttle();
        let given = (0..200).filter(|name| throttle.password("there", &format!("name-{name}")).is_ok()).count();
        assert_eq!(given, 60);
        assert_eq!(throttle.anybody("elsewhere"), Ok(()));
    }

    #[test]
    fn codes_are_counted_apart_and_more_slowly_and_a_flood_is_told_once() {
        let (throttle, world, start) = throttle();
        let told: Vec<bool> = (0..20).filter_map(|_| throttle.code("here", "nurse-ada").err()).map(|wait| wait.is_first).collect();
        assert_eq!((told.len(), told.iter().filter(|first| **first).count()), (10, 1));
        assert_eq!(throttle.password("here", "nurse-ada"), Ok(()));
        world.set(start + SignedDuration::from_secs(599));
        assert_eq!(throttle.code("here", "nurse-ada"), Err(Wait { seconds: 1, is_first: false }));
        world.set(start + SignedDuration::from_secs(600));
        assert_eq!(throttle.code("here", "nurse-ada"), Ok(()));
    }
}
