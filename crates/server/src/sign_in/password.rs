//! Passwords: which are taken, and how they are hashed and compared.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use alongside_app::Failure;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

/// Memory in KiB for one hash, the first of Argon2id's parameters. The OWASP Password Storage Cheat Sheet asks for at least
/// 19 MiB with two passes; this is that memory with one pass more.
const MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
const PASSES: u32 = 3;
/// Lanes; one, as the cheat sheet has it.
const LANES: u32 = 1;
/// How many passwords are hashed at once: 8 × 19 MiB is memory that the machine can spare. One more is asked to try again.
const AT_ONCE_MAX: usize = 8;

/// Fewest characters of a password. OWASP ASVS 5.0 6.2.1 asks for 8 and recommends 15; the service has a second factor.
pub(crate) const LENGTH_MIN: usize = 12;
/// Most characters of a password; ASVS 6.2.9 asks that at least 64 be taken.
pub(crate) const LENGTH_MAX: usize = 128;
/// Fewest characters that are left of a password when common words and the person's own are taken out of it.
const OWN_MIN: usize = 6;
/// Fewest different characters.
const DIFFERENT_MIN: usize = 5;

/// The beginnings and wholes of the commonest passwords, folded. What is refused is a password of little else.
const COMMON: [&str; 42] = [
    "1234567890",
    "123456789",
    "12345678",
    "1234567",
    "123456",
    "0987654321",
    "987654321",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "asdfgh",
    "zxcvbnm",
    "zxcvbn",
    "1q2w3e4r5t",
    "1q2w3e4r",
    "1qaz2wsx",
    "q1w2e3r4",
    "abcdefghijkl",
    "abcdefgh",
    "abc123",
    "password",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "letmein",
    "welcome",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "liverpool",
    "arsenal",
    "chelsea",
    "dragon",
    "monkey",
    "changeme",
    "administrator",
    "admin",
    "secret",
    "london",
    "hospital",
    "alongside",
];

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    Short,
    Long,
    Common,
    Own,
}

impl Unfit {
    /// The message at the field.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Short => "Password must be 12 characters or more",
            Self::Long => "Password must be 128 characters or fewer",
            Self::Common => "Choose a password that is harder to guess, such as 4 or more unrelated words",
            Self::Own => "Choose a password that is not made of your own name",
        }
    }
}

/// Whether a password may be chosen by somebody with this key and name. There are no rules on kinds of characters: they
/// make passwords that are easy to guess and hard to remember (ASVS 6.2.5).
///
/// # Errors
/// Why not.
pub(crate) fn check_choice(password: &str, key: &str, name: &str) -> Result<(), Unfit> {
    let length = password.chars().count();
    if length < LENGTH_MIN {
        return Err(Unfit::Short);
    }
    if length > LENGTH_MAX {
        return Err(Unfit::Long);
    }
    let folded = fold(password);
    let different: std::collections::BTreeSet<char> = folded.chars().collect();
    if different.len() < DIFFERENT_MIN || left_without(&folded, COMMON.iter().copied()) < OWN_MIN {
        return Err(Unfit::Common);
    }
    let (key, name) = (fold(key), fold(name));
    let is_word = |word: &&str| word.chars().count() >= 3;
    let own = name.split(|letter: char| !letter.is_alphanumeric()).chain(key.split('-')).filter(is_word);
    if left_without(&folded, own) < OWN_MIN {
        return Err(Unfit::Own);
    }
    Ok(())
}

fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// How many letters and digits are left of a text without these words.
fn left_without<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> usize {
    let left = words.fold(text.to_owned(), |left, word| left.replace(word, " "));
    left.chars().filter(|letter| !letter.is_whitespace() && !letter.is_ascii_punctuation()).count()
}

/// Hashes and compares, so many at once.
#[derive(Default)]
pub(crate) struct Passwords {
    running: AtomicUsize,
    nobody: OnceLock<Option<String>>,
}

/// One of [`AT_ONCE_MAX`] places, given back when dropped.
struct Place<'p>(&'p AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Passwords {
    /// Hashes a password that was chosen, with a salt of its own, in PHC form.
    ///
    /// # Errors
    /// [`Failure::Busy`] when too many are being hashed.
    pub(crate) fn hash(&self, password: &str) -> Result<String, Failure> {
        let _place = self.place()?;
        hash(password)
    }

    /// Whether a password is the one of a hash. Without a hash, or with one that cannot be read, the work is the same and
    /// the answer is no: how long it takes does not tell whether there is an account (ASVS 6.3.8).
    ///
    /// # Errors
    /// [`Failure::Busy`] when too many are being hashed.
    pub(crate) fn check(&self, stored: Option<&str>, password: &str) -> Result<bool, Failure> {
        let _place = self.place()?;
        // What is longer was never chosen; its hash would take longer for nothing.
        let is_possible = password.chars().count() <= LENGTH_MAX;
        let password = if is_possible { password } else { "" };
        let is_readable = |hash: &&str| argon2::password_hash::phc::PasswordHash::new(hash).is_ok();
        let (hash, is_theirs) = match stored.filter(is_readable) {
            Some(hash) => (hash, true),
            None => (self.of_nobody()?, false),
        };
        let matches = Argon2::default().verify_password(password.as_bytes(), hash).is_ok();
        Ok(matches && is_theirs && is_possible)
    }

    /// Makes the hash that is compared where there is no account, so that the first such try takes no longer.
    pub(crate) fn prepare(&self) {
        let _made = self.of_nobody();
    }

    fn of_nobody(&self) -> Result<&str, Failure> {
        let made = self.nobody.get_or_init(|| hash("nobody has this password").ok());
        made.as_deref().ok_or_else(|| Failure::Broken("passwords cannot be hashed".into()))
    }

    fn place(&self) -> Result<Place<'_>, Failure> {
        if self.running.fetch_add(1, Ordering::Relaxed) >= AT_ONCE_MAX {
            self.running.fetch_sub(1, Ordering::Relaxed);
            return Err(Failure::Busy);
        }
        Ok(Place(&self.running))
    }
}

/// Whether a hash was made with less than today's parameters, so that it is to be made anew when the password is known.
pub(crate) fn is_of_yesterday(stored: &str) -> bool {
    !stored.starts_with(&format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$"))
}

fn hash(password: &str) -> Result<String, Failure> {
    let broken = |what: &'static str| move |_| Failure::Broken(what.to_owned());
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| Failure::Broken("the parameters of Argon2".to_owned()))?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    hasher.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(broken("a password cannot be hashed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other_is() {
        let passwords = Passwords::default();
        let (one, two) = (passwords.hash("correct horse battery").unwrap(), passwords.hash("correct horse battery").unwrap());
        assert_ne!(one, two, "each has a salt of its own");
        assert!(!one.contains("horse"));
        assert!(passwords.check(Some(&one), "correct horse battery").unwrap());
        assert!(!passwords.check(Some(&one), "correct horse batterz").unwrap());
        assert!(!passwords.check(Some(&one), "").unwrap());
    }

    #[test]
    fn the_hash_for_nobody_costs_as_much_as_anybodys_and_matches_nothing() {
        let passwords = Passwords::default();
        let cost = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        let theirs = passwords.hash("correct horse battery").unwrap();
        assert_eq!(cost(passwords.of_nobody().unwrap()), cost(&theirs));
        assert!(!passwords.check(None, "nobody has this password").unwrap());
        assert!(!passwords.check(Some("no hash"), "nobody has this password").unwrap());
    }

    #[test]
    fn a_hash_is_argon2id_with_no_less_than_owasp_asks() {
        let hash = hash("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=3,p=1$"), "{hash}");
        assert!(!is_of_yesterday(&hash));
        assert!(is_of_yesterday(&hash.replace("t=3", "t=2")));
        assert!(is_of_yesterday(""));
    }

    #[test]
    fn too_many_at_once_are_asked_to_try_again() {
        let passwords = Passwords::default();
        let places: Vec<_> = (0..AT_ONCE_MAX).map(|_| passwords.place().unwrap()).collect();
        assert_eq!(passwords.check(None, "anything"), Err(Failure::Busy));
        drop(places);
        assert_eq!(passwords.check(None, "anything"), Ok(false));
    }

    #[test]
    fn a_password_is_long_and_neither_common_nor_the_persons_own_name() {
        for (password, expected) in [
            ("correct horse battery", Ok(())),
            ("twelve chars", Ok(())),
            ("Übergrößenträger", Ok(())),
            ("nurse likes marmalade", Ok(())),
            ("elevenchars", Err(Unfit::Short)),
            ("", Err(Unfit::Short)),
            ("aaaaaaaaaaaaaaaa", Err(Unfit::Common)),
            ("123123123123123", Err(Unfit::Common)),
            ("Password123456", Err(Unfit::Common)),
            ("Alongside2025!", Err(Unfit::Common)),
            ("qwertyuiop123456789", Err(Unfit::Common)),
            ("AoifeByrne2025", Err(Unfit::Own)),
            ("nurse-aoife-1", Err(Unfit::Own)),
        ] {
            assert_eq!(check_choice(password, "nurse-aoife", "Aoife Byrne, nurse"), expected, "{password}");
        }
        assert_eq!(check_choice(&"abcdefg hijk".repeat(11), "k", "n"), Err(Unfit::Long));
        assert_eq!(check_choice(&"grün ".repeat(25), "k", "n"), Ok(()));
    }
}
