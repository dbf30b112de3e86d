//! Who may depend on whom, and what must not be in which room of the house: read from the
//! manifests and the sources, so that the picture in `ARCHITECTURE.md` stays true.

use std::collections::BTreeSet;

use crate::Failure;
use crate::manifest::{self, Dependency, Table};
use crate::repository::Repository;
use crate::rust_source::{self, Source};

const DOCUMENT: &str = "docs/decisions/dependencies.md";

/// After this heading the document speaks of what is not a crate.
const END_OF_CRATES: &str = "## Not Rust";

/// What a crate may depend on outside of its tests.
struct Room {
    folder: &'static str,
    may: &'static [&'static str],
}

/// The arrows of the house; whoever adds one changes the picture in `ARCHITECTURE.md` as well.
const ROOMS: [Room; 6] = [
    Room { folder: "hl7v2", may: &["encoding_rs", "memchr"] },
    Room { folder: "fhir", may: &["fhirkit", "jiff", "serde_json"] },
    Room { folder: "domain", may: &["jiff"] },
    Room { folder: "store", may: &["alongside-domain", "hmac", "jiff", "postgres", "rusqlite", "sha2"] },
    Room {
        folder: "app",
        may: &[
            "alongside-domain",
            "alongside-fhir",
            "alongside-hl7v2",
            "alongside-store",
            "csv",
            "form_urlencoded",
            "jiff",
            "rand",
            "rand_chacha",
            "serde",
            "serde_json",
            "sha2",
            "toml",
        ],
    },
    Room {
        folder: "server",
        may: &[
            "alongside-app",
            "alongside-domain",
            "alongside-fhir",
            "alongside-hl7v2",
            "alongside-store",
            "argon2",
            "askama",
            "axum",
            "base64",
            "clap",
            "form_urlencoded",
            "getrandom",
            "governor",
            "hyper",
            "hyper-util",
            "indicatif",
            "jiff",
            "jsonwebtoken",
            "passki",
            "qrcode",
            "reqwest",
            "rustls",
            "serde",
            "serde_json",
            "sha2",
            "socket2",
            "tokio",
            "toml",
            "totp-rs",
            "tower-http",
            "tracing",
            "tracing-subscriber",
            "uuid",
            "x509-cert",
        ],
    },
];

/// The rules are pure: time, threads, the terminal and the wire are other rooms' business.
const NOT_IN_DOMAIN: [&str; 5] = ["SystemTime", "Instant::now", "println!", "serde", "async fn"];

/// Checks manifests, sources and the document of dependencies, and tells what is wrong with them.
///
/// # Errors
/// With one line for each thing that is wrong: file, line, and what.
pub(crate) fn run(repository: &Repository) -> Result<(), Failure> {
    let files = repository.files()?;
    let mut problems = Vec::new();
    for file in &files {
        let Some((folder, path)) = file.strip_prefix("crates/").and_then(|f| f.split_once('/')) else {
            continue;
        };
        if path == "Cargo.toml" {
            problems.extend(wrong_arrows(file, folder, &repository.read(file)?));
        } else if path.ends_with(".rs") {
            let source = rust_source::take_apart(&repository.read(file)?);
            problems.extend(wrong_words(file, folder, path, &source));
        } else if path.ends_with(".sql") && folder != "store" {
            problems.push(format!("{file}: SQL belongs into crates/store"));
        }
    }
    problems.extend(undocumented(repository, &files)?);
    report("arrows", files.len(), &problems)
}

/// Says that all is well, or fails with the problems.
///
/// # Errors
/// With the problems, one on each line.
pub(crate) fn report(check: &str, files: usize, problems: &[String]) -> Result<(), Failure> {
    if problems.is_empty() {
        println!("{check}: nothing wrong in {files} files");
        return Ok(());
    }
    Err(format!("{}\n{} wrong", problems.join("\n"), problems.len()))
}

/// The dependencies of one manifest that the house does not allow.
fn wrong_arrows(file: &str, folder: &str, manifest: &str) -> Vec<String> {
    let Some(room) = ROOMS.iter().find(|room| room.folder == folder) else {
        return vec![format!("{file}: no room `{folder}` in xtask/src/arrows.rs: say there what it may depend on")];
    };
    manifest::dependencies(manifest)
        .iter()
        .filter_map(|dependency| {
            let what = wrong_arrow(room, dependency)?;
            Some(format!("{file}:{}: {what}", dependency.line))
        })
        .collect()
}

fn wrong_arrow(room: &Room, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    if dependency.renamed {
        return Some(format!("`{name}` hides another crate's name"));
    }
    // A test may use any crate from outside, but no room that its own room must not know.
    let free = dependency.table == Table::Dev && !name.starts_with("alongside");
    if free || room.may.contains(&name) {
        return None;
    }
    Some(format!("`{}` must not depend on `{name}`", room.folder))
}

/// What must not be in the sources of this room.
fn wrong_words(file: &str, folder: &str, path: &str, source: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    if folder == "domain" && path.starts_with("src/") {
        for (index, line) in source.code.lines().enumerate() {
            for word in NOT_IN_DOMAIN.iter().filter(|word| line.contains(*word)) {
                problems.push(format!("{file}:{}: `{word}` in the domain", index + 1));
            }
        }
    }
    if folder != "store" {
        for (line, text) in &source.strings {
            if is_sql(text) {
                problems.push(format!("{file}:{line}: SQL belongs into crates/store"));
            }
        }
    }
    problems
}

fn is_sql(text: &str) -> bool {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let starts = ["SELECT ", "INSERT INTO ", "DELETE FROM "];
    let updates = text.split_once("UPDATE ").is_some_and(|(_, after)| after.contains(" SET "));
    updates || starts.iter().any(|start| text.contains(start))
}

/// Dependencies without a row in the document, and rows without a dependency.
fn undocumented(repository: &Repository, files: &[String]) -> Result<Vec<String>, Failure> {
    let mut used = BTreeSet::new();
    for file in files.iter().filter(|file| file.ends_with("Cargo.toml")) {
        let own = manifest::dependencies(&repository.read(file)?)
            .into_iter()
            .filter(|dependency| dependency.own_version)
            .map(|dependency| dependency.name);
        used.extend(own);
    }
    Ok(compare(&used, &repository.read(DOCUMENT)?))
}

fn compare(used: &BTreeSet<String>, document: &str) -> Vec<String> {
    let documented = rows(document);
    let missing = used.difference(&documented).map(|name| format!("{DOCUMENT}: no row says why `{name}` is here"));
    let gone = documented.difference(used).map(|name| format!("{DOCUMENT}: has a row for `{name}`, which nothing depends on"));
    missing.chain(gone).collect()
}

/// The names in backticks in the first column.
fn rows(document: &str) -> BTreeSet<String> {
    document
        .lines()
        .take_while(|line| *line != END_OF_CRATES)
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(folder: &str, source: &str) -> Vec<String> {
        let file = format!("crates/{folder}/src/x.rs");
        wrong_words(&file, folder, "src/x.rs", &rust_source::take_apart(source))
    }

    #[test]
    fn an_arrow_of_the_house_is_allowed() {
        let manifest = "[dependencies]\njiff.workspace = true\nalongside-domain.workspace = true";
        assert!(wrong_arrows("f", "store", manifest).is_empty());
    }

    #[test]
    fn another_arrow_is_found_with_its_line() {
        let manifest = "[dependencies]\njiff.workspace = true\nserde.workspace = true";
        assert_eq!(
            wrong_arrows("crates/domain/Cargo.toml", "domain", manifest),
            ["crates/domain/Cargo.toml:3: `domain` must not depend on `serde`"]
        );
    }

    #[test]
    fn the_use_cases_know_no_sockets_and_no_templates() {
        for crate_from_outside in ["tokio", "axum", "askama"] {
            let manifest = format!("[dependencies]\n{crate_from_outside} = \"1\"");
            assert_eq!(wrong_arrows("f", "app", &manifest).len(), 1);
        }
    }

    #[test]
    fn tests_may_use_crates_from_outside_but_no_outer_room() {
        let manifest = "[dev-dependencies]\ner7 = \"=0.1.4\"\nalongside-app.workspace = true";
        assert_eq!(wrong_arrows("f", "hl7v2", manifest).len(), 1);
    }

    #[test]
    fn a_renamed_dependency_and_an_unknown_room_are_found() {
        let manifest = "[dependencies]\njiff = { package = \"tokio\", version = \"1\" }";
        assert_eq!(wrong_arrows("f", "domain", manifest).len(), 1);
        assert_eq!(wrong_arrows("f", "attic", "").len(), 1);
    }

    #[test]
    fn the_domain_must_not_read_the_clock_but_may_speak_of_it() {
        assert!(words("domain", "// never SystemTime\nlet a = \"serde\";").is_empty());
        assert_eq!(words("domain", "\nlet a = SystemTime::now();"), ["crates/domain/src/x.rs:2: `SystemTime` in the domain"]);
        assert_eq!(words("domain", "pub async fn decide() {}").len(), 1);
        assert!(words("server", "pub async fn serve() {}").is_empty());
    }

    #[test]
    fn sql_outside_of_the_store_is_found() {
        for sql in ["SELECT id FROM person", "INSERT INTO person VALUES (1)", "UPDATE person\n   SET id = 1", "DELETE FROM person"] {
            let source = format!("const A: &str = \"{sql}\";");
            assert_eq!(words("server", &source).len(), 1, "{sql}");
            assert!(words("store", &source).is_empty(), "{sql}");
        }
        assert!(words("server", "f(\"<select name=x>\", \"UPDATE of A08\")").is_empty());
    }

    #[test]
    fn each_dependency_has_a_row_and_each_row_a_dependency() {
        let used = BTreeSet::from(["one".to_owned(), "two".to_owned()]);
        let document = format!("| `one` | x |\n| `three` | x |\n{END_OF_CRATES}\n| `npm` | x |");
        let problems = compare(&used, &document);
        assert_eq!(problems.len(), 2);
        assert!(problems[0].contains("`two`"));
        assert!(problems[1].contains("`three`"));
    }
}
