//! What is remembered between two requests: sign-ins under way, sessions of providers, logout tokens that were used.
//! All of it bounded: what is oldest goes first.

use std::collections::{HashMap, VecDeque};

use super::{OidcError, SIGN_IN_SECONDS_MAX};

/// The most sign-ins that begin in a minute: everybody of a large service, in the minute in which they come to work.
const BEGUN_PER_MINUTE_MAX: usize = 1_000;
/// The most sign-ins under way at once: more than can begin while one may be under way, so that whoever begins many drives
/// nobody else's out.
const PENDING_MAX: usize = 12_000;
/// The most sessions of providers that are remembered, to know whose they are when a logout names only the session.
const SESSIONS_MAX: usize = 20_000;
/// The most logout tokens that are remembered as used.
const LOGOUTS_MAX: usize = 20_000;

/// What a sign-in is begun for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Errand {
    /// To come in.
    Enter,
    /// To take up an invitation, of which this is the token.
    Invitation(String),
    /// To open a person: whom the record has open, by the handle that it gave, or whom somebody chooses there.
    Person(Option<String>),
}

/// A sign-in that was begun.
pub(super) struct Begun {
    /// Key of the provider that was asked.
    pub(super) provider: String,
    /// SHA-256 of the cookie that the browser got.
    pub(super) browser: [u8; 32],
    /// What the ID token must repeat.
    pub(super) nonce: String,
    /// What proves that the code came to who asked for it.
    pub(super) verifier: String,
    /// What it is begun for.
    pub(super) errand: Errand,
    /// When it was begun.
    pub(super) at_seconds: i64,
}

/// A map that forgets what came first when it is full.
struct Bounded<V> {
    by_key: HashMap<String, V>,
    order: VecDeque<String>,
    most: usize,
}

impl<V> Bounded<V> {
    fn new(most: usize) -> Self {
        Self { by_key: HashMap::new(), order: VecDeque::new(), most }
    }

    /// Keeps a value; false when the key was there before, and then nothing changes.
    fn keep(&mut self, key: String, value: V) -> bool {
        if self.by_key.contains_key(&key) {
            return false;
        }
        // A key that was taken out still stands in the order: so the order bounds both.
        while self.order.len() >= self.most {
            if let Some(oldest) = self.order.pop_front() {
                self.by_key.remove(&oldest);
            }
        }
        self.order.push_back(key.clone());
        self.by_key.insert(key, value);
        true
    }
}

/// Sign-ins under way, by state.
pub(super) struct Pending {
    under_way: Bounded<Begun>,
    minute: i64,
    begun_in_minute: usize,
}

impl Default for Pending {
    fn default() -> Self {
        Self { under_way: Bounded::new(PENDING_MAX), minute: 0, begun_in_minute: 0 }
    }
}

impl Pending {
    /// Keeps a sign-in that begins.
    ///
    /// # Errors
    /// When too many begin in this minute.
    pub(super) fn begin(&mut self, state: String, begun: Begun) -> Result<(), OidcError> {
        let minute = begun.at_seconds.div_euclid(60);
        if minute != self.minute {
            (self.minute, self.begun_in_minute) = (minute, 0);
        }
        if self.begun_in_minute >= BEGUN_PER_MINUTE_MAX {
            return Err(OidcError::TooMany);
        }
        self.begun_in_minute += 1;
        self.under_way.keep(state, begun);
        Ok(())
    }

    /// Takes the sign-in of this state: nobody gets it a second time.
    ///
    /// # Errors
    /// When there is none, or it was begun too long ago.
    pub(super) fn take(&mut self, state: &str, now_seconds: i64) -> Result<Begun, OidcError> {
        let begun = self.under_way.by_key.remove(state).ok_or(OidcError::StateUnknown)?;
        let in_time = (0..=SIGN_IN_SECONDS_MAX).contains(&now_seconds.saturating_sub(begun.at_seconds));
        if in_time { Ok(begun) } else { Err(OidcError::StateExpired) }
    }
}

/// Sessions of providers and logout tokens.
pub(super) struct Remembered {
    subject_by_session: Bounded<String>,
    logouts: Bounded<()>,
}

impl Default for Remembered {
    fn default() -> Self {
        Self { subject_by_session: Bounded::new(SESSIONS_MAX), logouts: Bounded::new(LOGOUTS_MAX) }
    }
}

impl Remembered {
    /// Remembers whose session at the provider this is. A provider never gives a session to somebody else.
    pub(super) fn session(&mut self, issuer: &str, sid: &str, subject: &str) {
        self.subject_by_session.keep(of_issuer(issuer, sid), subject.to_owned());
    }

    pub(super) fn subject_of(&self, issuer: &str, sid: &str) -> Option<String> {
        self.subject_by_session.by_key.get(&of_issuer(issuer, sid)).cloned()
    }

    /// Whether this logout token comes for the first time.
    pub(super) fn first_use(&mut self, issuer: &str, jti: &str) -> bool {
        self.logouts.keep(of_issuer(issuer, jti), ())
    }

    /// Forgets that a logout token came.
    pub(super) fn forget_use(&mut self, issuer: &str, jti: &str) {
        self.logouts.by_key.remove(&of_issuer(issuer, jti));
    }
}

/// Ids of two issuers never meet: an issuer has no space.
fn of_issuer(issuer: &str, id: &str) -> String {
    format!("{issuer} {id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(at_seconds: i64) -> Begun {
        Begun {
            provider: "trust".into(),
            browser: [0; 32],
            nonce: String::new(),
            verifier: String::new(),
            errand: Errand::Enter,
            at_seconds,
        }
    }

    #[test]
    fn a_sign_in_is_taken_once_and_in_time() {
        let mut pending = Pending::default();
        pending.begin("a".into(), begun(0)).unwrap();
        assert!(pending.take("a", 600).is_ok());
        assert_eq!(pending.take("a", 600).err(), Some(OidcError::StateUnknown));
        pending.begin("b".into(), begun(0)).unwrap();
        assert_eq!(pending.take("b", 601).err(), Some(OidcError::StateExpired));
        pending.begin("c".into(), begun(0)).unwrap();
        assert_eq!(pending.take("c", -1).err(), Some(OidcError::StateExpired));
    }

    #[test]
    fn whoever_begins_many_drives_nobody_elses_out_and_the_memory_is_bounded() {
        let mut pending = Pending::default();
        pending.begin("mine".into(), begun(0)).unwrap();
        let begin = |pending: &mut Pending, seconds: i64, from: usize| {
            (from..from + 2 * BEGUN_PER_MINUTE_MAX).filter(|index| pending.begin(index.to_string(), begun(seconds)).is_ok()).count()
        };
        assert_eq!(begin(&mut pending, 0, 0), BEGUN_PER_MINUTE_MAX - 1);
        for minute in 1..=10 {
            let from = usize::try_from(minute).unwrap() * 10_000;
            assert_eq!(begin(&mut pending, minute * 60, from), BEGUN_PER_MINUTE_MAX);
        }
        assert!(pending.take("mine", 600).is_ok());
        for minute in 11..=30 {
            begin(&mut pending, minute * 60, usize::try_from(minute).unwrap() * 10_000);
        }
        assert_eq!(pending.under_way.by_key.len(), PENDING_MAX);
    }

    #[test]
    fn sessions_of_two_issuers_are_two() {
        let mut remembered = Remembered::default();
        remembered.session("https://a.example", "1", "ann");
        assert_eq!(remembered.subject_of("https://a.example", "1").as_deref(), Some("ann"));
        assert_eq!(remembered.subject_of("https://b.example", "1"), None);
        assert!(remembered.first_use("https://a.example", "j") && remembered.first_use("https://b.example", "j"));
        assert!(!remembered.first_use("https://a.example", "j"));
        remembered.forget_use("https://a.example", "j");
        assert!(remembered.first_use("https://a.example", "j") && !remembered.first_use("https://b.example", "j"));
    }
}
