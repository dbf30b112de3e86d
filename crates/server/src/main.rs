//! `alongside`: the one program. Sockets, HTTP, templates, configuration, command line.

mod account;
mod audit;
mod backend;
mod cli;
mod clock;
mod config;
mod current;
mod demo;
mod feed;
mod files;
mod http;
mod keys;
mod letters;
mod metrics;
mod mllp;
mod oidc;
mod output;
mod record;
mod record_end;
mod serve;
mod sign_in;
mod simulate;
mod stage;
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
