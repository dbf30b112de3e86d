//! Lists between preview and "take it": kept here, for a short time and for the session that brought them; the browser
//! holds a number alone. Nothing of them is written anywhere.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// How long a list waits to be taken, in minutes.
const MINUTES: i64 = 15;
/// How many lists wait at once; one more sends the oldest away.
const LISTS_MAX: usize = 16;

/// Lists that wait.
#[derive(Default)]
pub(crate) struct Held(Mutex<BTreeMap<String, List>>);

struct List {
    session: String,
    site: String,
    bytes: Vec<u8>,
    until: Timestamp,
}

impl Held {
    /// Keeps a list for a session, in the place of an earlier one of the same.
    pub(crate) fn keep(&self, number: &str, session: &str, site: &str, bytes: Vec<u8>, now: Timestamp) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|_, list| list.until > now && list.session != session);
        while lists.len() >= LISTS_MAX {
            let Some(oldest) = lists.iter().min_by_key(|(_, list)| list.until).map(|(number, _)| number.clone()) else { break };
            lists.remove(&oldest);
        }
        let until = now + SignedDuration::from_mins(MINUTES);
        lists.insert(number.to_owned(), List { session: session.to_owned(), site: site.to_owned(), bytes, until });
    }

    /// Takes a list out: site and bytes, where it is of this session and still waits.
    pub(crate) fn take(&self, number: &str, session: &str, now: Timestamp) -> Option<(String, Vec<u8>)> {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|_, list| list.until > now);
        if lists.get(number)?.session != session {
            return None;
        }
        lists.remove(number).map(|list| (list.site, list.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    #[test]
    fn a_list_is_taken_once_by_the_session_that_brought_it_and_in_time() {
        let held = Held::default();
        held.keep("one", "mine", "west", vec![1], at(0));
        assert_eq!(held.take("one", "another", at(1)), None);
        assert_eq!(held.take("two", "mine", at(1)), None);
        assert_eq!(held.take("one", "mine", at(1)), Some(("west".into(), vec![1])));
        assert_eq!(held.take("one", "mine", at(1)), None);
        held.keep("one", "mine", "west", vec![1], at(0));
        assert_eq!(held.take("one", "mine", at(MINUTES)), None);
    }

    #[test]
    fn a_session_has_one_list_and_all_together_have_few() {
        let held = Held::default();
        held.keep("first", "mine", "west", vec![1], at(0));
        held.keep("second", "mine", "west", vec![2], at(1));
        assert_eq!(held.take("first", "mine", at(1)), None);
        for other in 0..LISTS_MAX {
            held.keep(&other.to_string(), &other.to_string(), "west", vec![3], at(2));
        }
        assert_eq!(held.take("second", "mine", at(2)), None, "the oldest went");
        assert!(held.take("0", "0", at(2)).is_some());
    }
}
