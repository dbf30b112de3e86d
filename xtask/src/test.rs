//! `cargo xtask test`: every check, in order, the first failure stops.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::repository::Repository;
use crate::setup::{self, Purpose};
use crate::{Failure, arrows, command, hygiene};

/// How many tests ran, of those steps that count them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u32,
    failed: u32,
}

/// One check of the list.
struct Step {
    name: &'static str,
    /// Whether `--quick` runs it too.
    quick: bool,
    run: fn(&Repository, &mut Counts) -> Result<(), Failure>,
}

/// Cheap ones first; the built program last.
const STEPS: [Step; 8] = [
    Step { name: "format", quick: true, run: format_is_kept },
    Step { name: "arrows", quick: true, run: |repository, _| arrows::run(repository) },
    Step { name: "hygiene", quick: true, run: |repository, _| hygiene::run(repository) },
    Step { name: "clippy", quick: true, run: clippy_is_silent },
    Step { name: "tests", quick: true, run: rust_tests_pass },
    Step { name: "release build", quick: false, run: program_builds },
    Step { name: "demo", quick: false, run: demo_ends_well },
    Step { name: "end to end", quick: false, run: end_to_end_tests_pass },
];

/// Sets up and runs the steps of the purpose, and closes with a line for each and the counts.
///
/// # Errors
/// With the first step that failed.
pub(crate) fn run(repository: &Repository, purpose: Purpose) -> Result<(), Failure> {
    setup::run(repository, purpose)?;
    let mut counts = Counts::default();
    let mut lines = Vec::new();
    let mut failure = None;
    for step in STEPS.iter().filter(|step| step.quick || purpose == Purpose::Test) {
        println!("\n== {} ==", step.name);
        let start = Instant::now();
        let ended = (step.run)(repository, &mut counts);
        lines.push(result_line(step.name, start.elapsed(), ended.is_ok()));
        if let Err(why) = ended {
            failure = Some(format!("{}: {why}", step.name));
            break;
        }
    }
    println!("\n{}", lines.join("\n"));
    println!("{} passed, {} failed", counts.passed, counts.failed);
    failure.map_or(Ok(()), Err)
}

fn result_line(name: &str, took: Duration, well: bool) -> String {
    let word = if well { "passed" } else { "FAILED" };
    format!("{word}  {name:<14} {:>6.1} s", took.as_secs_f64())
}

fn format_is_kept(repository: &Repository, _: &mut Counts) -> Result<(), Failure> {
    command::show_and_run(command::cargo(repository).args(["fmt", "--all", "--check"]))
}

fn clippy_is_silent(repository: &Repository, _: &mut Counts) -> Result<(), Failure> {
    let mut cargo = command::cargo(repository);
    cargo.args(["clippy", "--workspace", "--all-targets", "--quiet", "--"]);
    command::show_and_run(cargo.args(["-D", "warnings"]))
}

fn rust_tests_pass(repository: &Repository, counts: &mut Counts) -> Result<(), Failure> {
    let mut cargo = command::cargo(repository);
    command::show_and_read(cargo.args(["test", "--workspace"]), |line| {
        counts.add(rust_result(line));
    })
}

fn program_builds(repository: &Repository, _: &mut Counts) -> Result<(), Failure> {
    let mut cargo = command::cargo(repository);
    command::show_and_run(cargo.args(["build", "--release", "--package", "alongside"]))
}

/// The demo plays its year and ends with status 0 only if the ledger balances.
/// What the figures must be stands in `e2e/`, where their JSON can be read.
fn demo_ends_well(repository: &Repository, _: &mut Counts) -> Result<(), Failure> {
    let mut program = Command::new(repository.target().join("release/alongside"));
    program.args(["demo", "--exit"]).current_dir(repository.root());
    command::show_and_run(&mut program)
}

fn end_to_end_tests_pass(repository: &Repository, counts: &mut Counts) -> Result<(), Failure> {
    let mut node = Command::new("node");
    node.arg("e2e/run.mjs").current_dir(repository.root());
    command::show_and_read(&mut node, |line| counts.add(node_result(line)))
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Reads libtest's closing line of one test program.
fn rust_result(line: &str) -> Counts {
    let Some(result) = line.strip_prefix("test result: ") else {
        return Counts::default();
    };
    Counts { passed: number_before(result, " passed;"), failed: number_before(result, " failed;") }
}

/// Reads the closing lines of `node --test`, which has one for each count.
fn node_result(line: &str) -> Counts {
    let number = |word: &str| line.strip_prefix(word).and_then(|number| number.trim().parse().ok()).unwrap_or(0);
    Counts {
        passed: number("ℹ pass "),
        // A cancelled test is one whose time was up.
        failed: number("ℹ fail ") + number("ℹ cancelled "),
    }
}

fn number_before(text: &str, words: &str) -> u32 {
    text.split_once(words).and_then(|(before, _)| before.rsplit(' ').next()).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_of_a_test_program_is_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out";
        assert_eq!(rust_result(line), Counts { passed: 12, failed: 3 });
        assert_eq!(rust_result("test a_test ... ok"), Counts::default());
    }

    #[test]
    fn the_closing_lines_of_node_are_counted() {
        let mut counts = Counts::default();
        for line in ["ℹ tests 9", "ℹ pass 6", "ℹ fail 2", "ℹ cancelled 1"] {
            counts.add(node_result(line));
        }
        assert_eq!(counts, Counts { passed: 6, failed: 3 });
    }

    #[test]
    fn a_failed_step_is_seen_in_its_line() {
        assert!(result_line("tests", Duration::from_millis(1500), false).starts_with("FAILED"));
        assert!(result_line("tests", Duration::from_millis(1500), true).ends_with("1.5 s"));
    }
}
