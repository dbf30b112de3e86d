//! What must not be in any file of the repository.
//!
//! The forbidden words are put together from pieces, so that this file may be checked as well.

use std::collections::BTreeSet;

use crate::repository::Repository;
use crate::{Failure, arrows, links, nhs_number};

/// Hosts of package registries: whoever builds decides where packages come from.
const REGISTRIES: [&str; 10] = [
    concat!("registry.", "npmjs.org"),
    concat!("npmjs", ".com"),
    concat!("registry.", "yarnpkg.com"),
    concat!("files.", "pythonhosted.org"),
    concat!("pypi", ".org"),
    concat!("static.", "crates.io"),
    concat!("index.", "crates.io"),
    concat!("//", "crates.io"),
    concat!("deb.", "debian.org"),
    concat!("proxy.", "golang.org"),
];

/// What stands for work that was not done.
const UNFINISHED: [&str; 4] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("unimple", "mented!"), concat!("to", "do!(")];

/// Words that blame or label a person; matched in any case.
const UNKIND: [&str; 3] = [concat!("non-", "compliant"), concat!("failed ", "patient"), concat!("hiv-", "infected")];

/// Cargo's lock file names the registry by the address of its index; it is cargo's own word.
const NOT_READ: [&str; 1] = ["Cargo.lock"];

/// Looks through every file that git tracks or would track.
///
/// # Errors
/// With one line for each thing that is wrong: file, line, and what.
pub(crate) fn run(repository: &Repository) -> Result<(), Failure> {
    let files = repository.files()?;
    let names: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    let mut problems = Vec::new();
    for file in &files {
        let bytes = std::fs::read(repository.path(file)).map_err(|error| format!("{file}: {error}"))?;
        if NOT_READ.contains(&file.as_str()) || is_binary(&bytes) {
            continue;
        }
        // A message in an older character set is still looked through: its digits are ASCII.
        let text = String::from_utf8_lossy(&bytes);
        problems.extend(wrong_in(file, &text));
        if file.ends_with(".md") {
            let broken = links::broken(file, &text, &names);
            problems.extend(broken.iter().map(|(line, target)| format!("{file}:{line}: the link to `{target}` leads nowhere")));
        }
    }
    arrows::report("hygiene", files.len(), &problems)
}

fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(8_000).any(|byte| *byte == 0)
}

/// What is wrong with one file, each as `file:line: what`. Numbers themselves are not repeated.
fn wrong_in(file: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut found = |what: String| problems.push(format!("{file}:{}: {what}", index + 1));
        for host in REGISTRIES.iter().filter(|host| line.contains(*host)) {
            found(format!("names the package registry {host}"));
        }
        for word in UNFINISHED.iter().filter(|word| has_word(line, word)) {
            found(format!("is not finished: {word}"));
        }
        let lower = line.to_lowercase();
        for word in UNKIND.iter().filter(|word| lower.contains(*word)) {
            found(format!("is unkind: {word}"));
        }
        for _ in nhs_number::outside_test_range(line) {
            found("holds what could be a real NHS number (use the 999 range)".to_owned());
        }
    }
    if file.ends_with("package-lock.json") && text.contains("\"resolved\": \"http") {
        problems.push(format!("{file}: holds download addresses: npm's omit-lockfile-registry-resolved leaves them out"));
    }
    problems
}

/// Whether the line holds the word and not only as a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(letter) && (!word.ends_with(letter) || !after.is_some_and(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clean_text_has_nothing_wrong() {
        let text = "Cargo fetches crates. METODOS 999 000 0018, a person who lives with HIV.";
        assert!(wrong_in("a.md", text).is_empty());
    }

    #[test]
    fn every_forbidden_word_is_found_with_its_line() {
        let words = REGISTRIES.iter().chain(&UNFINISHED).chain(&UNKIND);
        for word in words {
            let problems = wrong_in("a.md", &format!("fine\nx: {word} x)"));
            assert!(!problems.is_empty(), "{word}");
            assert!(problems[0].starts_with("a.md:2: "), "{}", problems[0]);
        }
    }

    #[test]
    fn unkind_words_are_found_in_any_case() {
        assert_eq!(wrong_in("a.html", &UNKIND[2].to_uppercase()).len(), 1);
    }

    #[test]
    fn a_number_is_found_and_not_repeated() {
        let number = ["987", "6543210"].concat();
        let problems = wrong_in("fixtures/a.hl7", &format!("PID|1||{number}"));
        assert_eq!(problems.len(), 1);
        assert!(!problems[0].contains(&number));
    }

    #[test]
    fn a_lock_file_with_addresses_is_found() {
        let text = "\"resolved\": \"https://mirror.invalid/x.tgz\"";
        assert_eq!(wrong_in("e2e/package-lock.json", text).len(), 1);
        assert!(wrong_in("e2e/other.json", text).is_empty());
    }

    #[test]
    fn pictures_are_not_read_as_text() {
        assert!(is_binary(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
        assert!(!is_binary(b"MSH|^~\\&|"));
    }
}
