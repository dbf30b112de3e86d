//! `alongside`: the one program. Sockets, HTTP, templates, configuration, command line.

mod cli;
mod clock;
mod config;
mod demo;
mod files;
mod letters;
mod mllp;
mod output;
mod record;
mod serve;
mod simulate;
mod web;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    output::start_log(arguments.verbose);
    match cli::run(arguments) {
        Ok(code) => code,
        Err(failure) => output::fail(&failure),
    }
}
