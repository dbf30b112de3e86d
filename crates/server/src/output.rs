//! What the program says at a terminal: results to standard output, everything else to standard error.

use std::io::Write;
use std::process::ExitCode;

use alongside_app::Failure;

/// Writes a result. A reader that went away (`| head`) is no failure.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).is_ok() && !text.ends_with('\n') {
        let _gone = out.write_all(b"\n");
    }
}

/// Writes a remark beside the result.
pub(crate) fn remark(text: &str) {
    let _gone = writeln!(std::io::stderr().lock(), "{text}");
}

/// Tells a failure and gives its exit status: those of `sysexits.h` where one fits.
pub(crate) fn fail(failure: &Failure) -> ExitCode {
    remark(&failure.to_string());
    ExitCode::from(match failure {
        Failure::Invalid(_) => 65,
        Failure::Forbidden => 77,
        Failure::Refused(_) | Failure::NotFound => 1,
        Failure::Busy => 75,
        Failure::Unavailable(_) => 69,
        Failure::Broken(_) => 70,
    })
}

/// Starts the log: to standard error, without colours where it is no terminal.
pub(crate) fn start_log(verbose: bool) {
    let level = if verbose { tracing::Level::DEBUG } else { tracing::Level::INFO };
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(colours).with_target(false).init();
}
