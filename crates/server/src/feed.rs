//! What an integration engineer runs before a feed is set up.

use std::path::PathBuf;
use std::process::ExitCode;

use alongside_app::{Failure, sample};
use clap::{Args, Subcommand};

use crate::output::say;
use crate::{config, files};

#[derive(Debug, Subcommand)]
pub(crate) enum Feed {
    /// Look at a sample of a hospital's messages: which profile fits, what is there, what the rules would miss, what would
    /// become of each message. No database is opened, nothing is kept, and no content is told.
    Check(Check),
}

/// A sample.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration whose folder of profiles is tried as well.
    #[arg(long, value_name = "FILE", env = "ALONGSIDE_CONFIG")]
    config: Option<PathBuf>,
    /// An ODS code of the sender; without it, those that its identifiers suggest. May be given again.
    #[arg(long, value_name = "CODE")]
    organisation: Vec<String>,
    /// HL7 v2 files: one message, many, MLLP frames, FHS/BHS batches.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Carries it out.
///
/// # Errors
/// The first file that cannot be read or is not HL7, with its line and column; a profile that is wrong.
pub(crate) fn run(feed: &Feed) -> Result<ExitCode, Failure> {
    let Feed::Check(check) = feed;
    let profiles = config::profiles(check.config.as_deref())?;
    let files = check.files.iter().map(|path| Ok((files::read(path)?, path))).collect::<Result<Vec<_>, Failure>>()?;
    let mut messages: Vec<&[u8]> = Vec::new();
    for (bytes, path) in &files {
        messages.extend(files::divide(path, bytes)?.into_iter().map(|piece| &bytes[piece.range]));
    }
    let findings = sample::look(&messages, &profiles, &check.organisation).map_err(Failure::Invalid)?;
    say(&sample::to_text(&findings));
    Ok(ExitCode::SUCCESS)
}
