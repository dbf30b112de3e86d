//! What waits between two pages, such as a list between preview and "take it": kept here, for a short time and for the session
//! that brought it; the browser holds a number alone. Nothing of it is written anywhere.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// How long something waits to be taken, in minutes.
const MINUTES: i64 = 15;

/// What waits, of one kind.
pub(crate) struct Held<T> {
    waiting: Mutex<BTreeMap<String, Waiting<T>>>,
    most: usize,
    of_one: usize,
}

struct Waiting<T> {
    session: String,
    what: T,
    until: Timestamp,
}

impl<T> Held<T> {
    /// Room for so many, and for so many of one session; one more sends the oldest away.
    pub(crate) fn with_room_for(most: usize, of_one: usize) -> Self {
        Self { waiting: Mutex::default(), most, of_one }
    }

    /// Keeps something for a session.
    pub(crate) fn keep(&self, number: &str, session: &str, what: T, now: Timestamp) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, held| held.until > now);
        make_room(&mut waiting, self.of_one, |held| held.session == session);
        make_room(&mut waiting, self.most, |_| true);
        let until = now + SignedDuration::from_mins(MINUTES);
        waiting.insert(number.to_owned(), Waiting { session: session.to_owned(), what, until });
    }

    /// Takes it out, where it is of this session and still waits.
    pub(crate) fn take(&self, number: &str, session: &str, now: Timestamp) -> Option<T> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, held| held.until > now);
        if waiting.get(number)?.session != session {
            return None;
        }
        waiting.remove(number).map(|held| held.what)
    }

    /// Looks at it and leaves it, where it is of this session and still waits.
    pub(crate) fn look(&self, number: &str, session: &str, now: Timestamp) -> Option<T>
    where
        T: Clone,
    {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.get(number).filter(|held| held.until > now && held.session == session).map(|held| held.what.clone())
    }
}

/// Makes room for one more among those that are meant: the oldest of them go.
fn make_room<T>(waiting: &mut BTreeMap<String, Waiting<T>>, most: usize, meant: impl Fn(&Waiting<T>) -> bool) {
    while waiting.values().filter(|held| meant(held)).count() >= most {
        let oldest = waiting.iter().filter(|(_, held)| meant(held)).min_by_key(|(_, held)| held.until);
        let Some(oldest) = oldest.map(|(number, _)| number.clone()) else { break };
        waiting.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    #[test]
    fn what_waits_is_taken_once_by_the_session_that_brought_it_and_in_time() {
        let held = Held::with_room_for(16, 1);
        held.keep("one", "mine", 1, at(0));
        assert_eq!(held.take("one", "another", at(1)), None);
        assert_eq!(held.take("two", "mine", at(1)), None);
        assert_eq!(held.take("one", "mine", at(1)), Some(1));
        assert_eq!(held.take("one", "mine", at(1)), None);
        held.keep("one", "mine", 1, at(0));
        assert_eq!(held.take("one", "mine", at(MINUTES)), None);
    }

    #[test]
    fn a_session_has_as_many_as_it_may_and_all_together_have_few() {
        let two = Held::with_room_for(16, 2);
        for (minute, number) in ["first", "second", "third"].iter().enumerate() {
            two.keep(number, "mine", minute, at(i64::try_from(minute).unwrap()));
        }
        assert_eq!(["first", "second", "third"].map(|number| two.look(number, "mine", at(3))), [None, Some(1), Some(2)]);
        assert_eq!(two.look("second", "another", at(3)), None);
        assert_eq!(two.look("second", "mine", at(1 + MINUTES)), None);
        let held = Held::with_room_for(16, 1);
        held.keep("first", "mine", 1, at(0));
        held.keep("second", "mine", 2, at(1));
        assert_eq!(held.take("first", "mine", at(1)), None);
        for other in 0..16 {
            held.keep(&other.to_string(), &other.to_string(), 3, at(2));
        }
        assert_eq!(held.take("second", "mine", at(2)), None, "the oldest went");
        assert!(held.take("0", "0", at(2)).is_some());
    }
}
