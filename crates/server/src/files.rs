//! Intake from files: one message, many, MLLP frames, batches; or a clinic's list.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alongside_app::intake::Fate;
use alongside_app::profile::Reading;
use alongside_app::setup::Feed;
use alongside_app::{App, Failure, Invalid};
use alongside_hl7v2::batch::{self, Piece};
use alongside_hl7v2::{Problem, Severity};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::{remark, say};

/// Reads a file whole.
///
/// # Errors
/// With the file's name and the kind of the error.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::Invalid(vec![Invalid::new(path.display().to_string(), format!("cannot be read: {}", error.kind()))]))
}

/// Takes files in. All are read and divided before the first message is taken: a bad file is refused with its line and
/// column, and nothing is half done.
///
/// # Errors
/// The first bad file, or the store's failure.
pub(crate) fn intake(app: &App, feed: &Feed, paths: &[PathBuf], dry_run: bool) -> Result<ExitCode, Failure> {
    match feed.profile.reading {
        Reading::List(_) => paths.iter().try_for_each(|path| list(app, feed, path, dry_run)).map(|()| ExitCode::SUCCESS),
        Reading::Messages(_) => messages(app, feed, paths, dry_run),
    }
}

fn list(app: &App, feed: &Feed, path: &Path, dry_run: bool) -> Result<(), Failure> {
    let bytes = read(path)?;
    let preview = app.preview_list(feed, &bytes)?;
    say(&format!(
        "{}: {} rows, {} people not known yet, {} newly diagnosed, {} that do not say",
        path.display(),
        preview.rows,
        preview.new_people,
        preview.newly_diagnosed,
        preview.unclear
    ));
    if dry_run && preview.problems.is_empty() {
        remark("nothing was changed");
        return Ok(());
    }
    let taken = app.take_list(feed, &bytes)?;
    app.flush()?;
    say(if taken.duplicate { "this very file came before: nothing was changed" } else { "applied" });
    Ok(())
}

fn messages(app: &App, feed: &Feed, paths: &[PathBuf], dry_run: bool) -> Result<ExitCode, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let bytes = read(path)?;
        let pieces = divide(path, &bytes)?;
        files.push((bytes, pieces));
    }
    let total = files.iter().map(|(_, pieces)| pieces.len() as u64).sum();
    if dry_run {
        say(&format!("{total} messages"));
        return Ok(ExitCode::SUCCESS);
    }
    let progress = progress(total);
    let mut fates: BTreeMap<Fate, u64> = BTreeMap::new();
    for (bytes, pieces) in &files {
        for piece in pieces {
            let answered = app.receive(feed, &bytes[piece.range.clone()]);
            *fates.entry(answered.fate).or_default() += 1;
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    app.flush()?;
    let counts: Vec<String> = fates.iter().map(|(fate, count)| format!("{count} {}", fate.code())).collect();
    say(&format!("{total} messages: {}", if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }));
    let refused = fates.get(&Fate::Refused).copied().unwrap_or(0);
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(75) })
}

/// The messages of a file; what is only odd about it is remarked.
///
/// # Errors
/// Where it is not HL7, with line and column.
pub(crate) fn divide(path: &Path, bytes: &[u8]) -> Result<Vec<Piece>, Failure> {
    let mut pieces = Vec::new();
    for piece in batch::messages(bytes) {
        match piece {
            Ok(piece) => pieces.push(piece),
            Err(problem) if problem.severity <= Severity::Warning => remark(&format!("{}: {}", place(path, &problem), problem.what)),
            Err(problem) => return Err(Failure::Invalid(vec![Invalid::new(place(path, &problem), problem.what)])),
        }
    }
    Ok(pieces)
}

fn place(path: &Path, problem: &Problem) -> String {
    match (problem.line, problem.column) {
        (Some(line), Some(column)) => format!("{}, line {line}, column {column}", path.display()),
        (Some(line), None) => format!("{}, line {line}", path.display()),
        (None, _) => path.display().to_string(),
    }
}

/// A bar at a terminal, nothing elsewhere.
pub(crate) fn progress(total: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {elapsed} of about {duration}");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
