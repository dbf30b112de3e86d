//! Everything that a shell script would have done: the set-up, the demo and the checks.
//!
//! It uses the standard library alone, so that `cargo xtask` and `cargo demo` answer within
//! seconds on a fresh machine, before anything else is built.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool tells what it does and what it found")]

mod arrows;
mod assets;
mod command;
mod debian;
mod demo;
mod hygiene;
mod links;
mod manifest;
mod nhs_number;
mod npm;
mod python;
mod repository;
mod rust_source;
mod setup;
mod test;

use std::process::ExitCode;

use repository::Repository;
use setup::Purpose;

const USAGE: &str = "\
Alongside's set-up and checks.

  cargo demo [ARGS]               set up what the demo lacks, build, and play the demo
  cargo xtask setup [--for WHAT]  install what WHAT lacks: demo, quick, or test (the default)
  cargo xtask test [--quick]      set up, then run every check; --quick leaves out the
                                  release build, the demo and the browser
  cargo xtask arrows              who may depend on whom, and what must not be in which room
  cargo xtask hygiene             what must not be in any tracked file, and links that lead nowhere

What is installed is said first, with the reason.";

/// What went wrong, in a sentence or some lines for the person at the terminal.
type Failure = String;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), Failure> {
    match words {
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        ["setup"] => setup::run(&Repository::find()?, Purpose::Test),
        ["setup", "--for", purpose] => setup::run(&Repository::find()?, Purpose::parse(purpose)?),
        ["demo", rest @ ..] => demo::run(&Repository::find()?, rest),
        ["test"] => test::run(&Repository::find()?, Purpose::Test),
        ["test", "--quick"] => test::run(&Repository::find()?, Purpose::Quick),
        ["arrows"] => arrows::run(&Repository::find()?),
        ["hygiene"] => hygiene::run(&Repository::find()?),
        _ => Err(format!("I do not know `{}`.\n\n{USAGE}", words.join(" "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_refused_with_the_usage() {
        let failure = run(&["tset"]).unwrap_err();
        assert!(failure.contains("`tset`"));
        assert!(failure.contains("cargo xtask test"));
    }
}
