//! The command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use alongside_app::importing::Sheet;
use alongside_app::setup::{Feed, Setup};
use alongside_app::{App, Failure, reconciling, reporting};
use alongside_domain::calendar::{Period, Quarter};
use alongside_domain::id::{ImportId, ReferralId};
use alongside_domain::measures::Audience;
use alongside_domain::referral::Stage;
use alongside_store::{BackupError, DatabaseUrl, Store};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;

use crate::backend::Clients;
use crate::clock::MachineClock;
use crate::output::{remark, say};
use crate::{account, audit, config, demo, feed, files, keys, mllp, record, serve, simulate};

/// Peer support as a routine part of HIV care: everyone newly diagnosed or coming back is offered it, nobody is outed,
/// nobody is missed.
#[derive(Debug, Parser)]
#[command(name = "alongside", version, after_help = "Begin with `alongside demo`: it plays a hospital year and shows it in a browser.")]
pub(crate) struct Arguments {
    /// Log more.
    #[arg(long, global = true)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    command: Command,
}

/// Where the configuration and the database are.
#[derive(Debug, Clone, Args)]
struct Place {
    /// The configuration file. `alongside config default` prints a commented one.
    #[arg(long, value_name = "FILE", env = "ALONGSIDE_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// The database, instead of the configured one: `sqlite:PATH` or `postgres://…`.
    #[arg(long, value_name = "URL", env = "ALONGSIDE_DATABASE", global = true)]
    database: Option<String>,
    /// The file of keys, instead of the configured one.
    #[arg(long, value_name = "FILE", env = "ALONGSIDE_KEYS", global = true)]
    keys: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service: MLLP listeners of all feeds, and the pages.
    Serve {
        #[command(flatten)]
        place: Place,
    },
    /// Take files of messages, or a clinic's list, in.
    Intake {
        #[command(flatten)]
        place: Place,
        /// The feed that they come from.
        #[arg(long)]
        feed: String,
        /// Only tell what a list would do.
        #[arg(long)]
        dry_run: bool,
        /// HL7 v2 files (one message, many, MLLP frames, FHS/BHS batches), or CSV for a feed of lists.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Try the messages of a feed that are set aside again, after its profile was mended.
    Replay {
        #[command(flatten)]
        place: Place,
        /// The feed.
        #[arg(long)]
        feed: String,
    },
    /// Feeds of hospitals.
    Feed {
        #[command(subcommand)]
        what: feed::Feed,
    },
    /// Play the hospitals: a year of invented traffic, to files or over MLLP.
    Simulate(simulate::Simulate),
    /// Bring records from spreadsheets, or take an import back.
    Import {
        #[command(subcommand)]
        what: Import,
    },
    /// Record what happened: notice, objections, allocations, contacts, assessments, endings.
    Record {
        #[command(flatten)]
        place: Place,
        #[command(subcommand)]
        what: record::Record,
    },
    /// The referrals of a site at a stage, and its open questions, by number and without names.
    Worklist {
        #[command(flatten)]
        place: Place,
        /// The site.
        #[arg(long)]
        site: String,
        /// awaiting-notice, deferred, opted-out, open, allocated, contacting, engaged, assessed, supported, held;
        /// or questions, or merges (of all sites).
        #[arg(default_value = "awaiting-notice")]
        stage: String,
    },
    /// The quarter's figures of a site.
    Report {
        #[command(flatten)]
        place: Place,
        /// The site.
        #[arg(long)]
        site: String,
        /// The quarter, for instance 2024-Q4.
        #[arg(long)]
        quarter: String,
        /// text, json or csv.
        #[arg(long, value_enum, default_value = "text")]
        format: Format,
        /// Show small numbers: for the service itself, never for publication.
        #[arg(long)]
        unmasked: bool,
    },
    /// Every trigger of a site in a period, and how it stands. Ends with status 1 if one is unaccounted for.
    Ledger {
        #[command(flatten)]
        place: Place,
        /// The site.
        #[arg(long)]
        site: String,
        /// First day.
        #[arg(long)]
        from: Date,
        /// Last day.
        #[arg(long)]
        to: Date,
        /// text or json.
        #[arg(long, value_parser = ["text", "json"], default_value = "text")]
        format: String,
    },
    /// A clinic's own list, such as a quarter's HARS extract, compared with the ledger: who should have been offered and was not,
    /// by the hospital's number. Changes nothing. Ends with status 1 if anybody is missed.
    Reconcile {
        #[command(flatten)]
        place: Place,
        /// The feed of lists whose profile says what the columns mean.
        #[arg(long)]
        feed: String,
        /// First day.
        #[arg(long)]
        from: Date,
        /// Last day.
        #[arg(long)]
        to: Date,
        /// The list, as CSV.
        file: PathBuf,
    },
    /// Why was this person referred? Message, rule, decision, notice.
    Why {
        #[command(flatten)]
        place: Place,
        /// The referral's number.
        referral: String,
    },
    /// Compare the journal with the state.
    Doctor {
        #[command(flatten)]
        place: Place,
    },
    /// The record of who looked at what.
    Audit {
        #[command(flatten)]
        place: Place,
        #[command(subcommand)]
        what: audit::Audit,
    },
    /// Write a consistent copy of an SQLite database while the service runs.
    Backup {
        #[command(flatten)]
        place: Place,
        /// The new file.
        file: PathBuf,
    },
    /// Who may sign in: invite, list, suspend, reinstate; their sessions.
    Account {
        #[command(flatten)]
        place: Place,
        #[command(subcommand)]
        what: account::Account,
    },
    /// Play the invented year of two hospitals and show it.
    Demo(demo::Demo),
    /// The configuration.
    Config {
        #[command(subcommand)]
        what: Config,
    },
}

#[derive(Debug, Subcommand)]
enum Import {
    /// People in care or newly known.
    People(Spreadsheet),
    /// Referrals with what became of them.
    Referrals(Spreadsheet),
    /// Contacts of supporters.
    Contacts(Spreadsheet),
    /// Completed assessments.
    Assessments(Spreadsheet),
    /// The newest imports.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Take an import back.
    Undo {
        #[command(flatten)]
        place: Place,
        /// The import's number.
        import: String,
    },
}

#[derive(Debug, Args)]
struct Spreadsheet {
    #[command(flatten)]
    place: Place,
    /// The site whose people these are.
    #[arg(long)]
    site: String,
    /// Only tell what would change, and every bad row.
    #[arg(long)]
    dry_run: bool,
    /// The file. Its columns are in docs/import.md.
    file: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Config {
    /// Tell what is wrong with a configuration, and where.
    Check {
        #[command(flatten)]
        place: Place,
    },
    /// Print the commented default configuration.
    Default,
}

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Csv,
}

/// Carries out what was asked for.
///
/// # Errors
/// Whatever failed; its words hold no content.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    match arguments.command {
        Command::Serve { place } => serve::serve(&open(&place)?).map(|()| ExitCode::SUCCESS),
        Command::Intake { place, feed, dry_run, files } => {
            let app = open(&place)?;
            files::intake(&app, feed_of(&app.setup, &feed)?, &files, dry_run)
        }
        Command::Replay { place, feed } => {
            let app = open(&place)?;
            let replayed = app.replay(feed_of(&app.setup, &feed)?)?;
            say(&format!(
                "{} applied, {} concern nobody of ours, {} still set aside",
                replayed.applied, replayed.discarded, replayed.still_set_aside
            ));
            Ok(ExitCode::SUCCESS)
        }
        Command::Feed { what } => feed::run(&what),
        Command::Simulate(simulate) => simulate::run(&simulate),
        Command::Import { what } => import(what),
        Command::Record { place, what } => record::run(&open(&place)?, &what),
        Command::Worklist { place, site, stage } => worklist(&open(&place)?, &site, &stage),
        Command::Report { place, site, quarter, format, unmasked } => report(&open(&place)?, &site, &quarter, format, unmasked),
        Command::Ledger { place, site, from, to, format } => ledger(&open(&place)?, &site, Period { from, to }, format == "json"),
        Command::Reconcile { place, feed, from, to, file } => reconcile(&open(&place)?, &feed, Period { from, to }, &file),
        Command::Why { place, referral } => why(&open(&place)?, &referral),
        Command::Doctor { place } => doctor(&open(&place)?),
        Command::Audit { place, what } => audit::run(&open_any(&place)?, &what),
        Command::Backup { place, file } => backup(&open(&place)?, &file),
        Command::Account { place, what } => account::run(&open(&place)?, &what),
        Command::Demo(demo) => demo::run(&demo),
        Command::Config { what: Config::Default } => {
            say(config::DEFAULT);
            Ok(ExitCode::SUCCESS)
        }
        Command::Config { what: Config::Check { place } } => {
            let setup = config::load(place.config.as_deref())?;
            let (sites, feeds) = (setup.sites.len(), setup.feeds.len());
            say(&format!("well: {sites} sites, {feeds} feeds, {} staff, {} supporters", setup.staff.len(), setup.supporters.len()));
            for (key, tls) in setup.feeds.iter().filter_map(|(key, feed)| feed.tls.as_ref().map(|tls| (key, tls))) {
                let ends_on = mllp::tls::server(tls).and_then(|_| mllp::tls::ends_on(tls));
                let ends_on = ends_on.map_err(|what| Failure::invalid(format!("feed {key}, TLS"), what))?;
                say(&format!("the certificates of feed {key} are good until {ends_on}"));
            }
            if !setup.fhir_clients.is_empty() {
                Clients::from_setup(&setup)?;
                say(&format!("the keys of {} that ask over FHIR were read", setup.fhir_clients.len()));
            }
            for site in setup.sites_without_shielded_care() {
                say(&format!("but nobody at {} has sees_shielded: a colleague who is a patient there would be on nobody's list", site.key));
            }
            for site in setup.sites_with_several_lists() {
                say(&format!("but {} has several feeds of lists: its clinic's page takes every list as the first one's, by key", site.key));
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Opens the database, with keys that fit it.
fn open(place: &Place) -> Result<App, Failure> {
    let app = open_any(place)?;
    keys::check(&app)?;
    Ok(app)
}

/// Opens the database, with keys that may be another's: to examine the audit.
fn open_any(place: &Place) -> Result<App, Failure> {
    let setup = config::load(place.config.as_deref())?;
    let store = Store::open(&database(place.database.as_deref().unwrap_or(&setup.server.database))?)?;
    let keys = keys::load(&store, place.keys.as_deref().unwrap_or(Path::new(&setup.server.keys)))?;
    Ok(App::new(store, Arc::new(setup), Arc::new(MachineClock::default()), keys))
}

/// Reads the address of a database.
///
/// # Errors
/// Where it is none.
pub(crate) fn database(url: &str) -> Result<DatabaseUrl, Failure> {
    url.parse().map_err(|_| Failure::invalid("database", "must be sqlite:PATH or postgres://…"))
}

fn reconcile(app: &App, feed: &str, period: Period, file: &Path) -> Result<ExitCode, Failure> {
    let feed = feed_of(&app.setup, feed)?;
    let told = app.reconcile(feed, &files::read(file)?, period)?;
    say(reconciling::to_text(&feed.site.0, period, &told).trim_end());
    Ok(if told.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn feed_of<'a>(setup: &'a Setup, key: &str) -> Result<&'a Feed, Failure> {
    setup.feeds.get(key).ok_or_else(|| Failure::invalid("feed", "is not configured"))
}

fn worklist(app: &App, site: &str, stage: &str) -> Result<ExitCode, Failure> {
    if stage == "questions" {
        for line in app.open_questions(site)? {
            let since = alongside_app::london_date(line.raised_at);
            say(&format!("{}  since {since}  {}: {}", line.question, line.kind.code(), line.kind.words()));
        }
        return Ok(ExitCode::SUCCESS);
    }
    if stage == "merges" {
        app.merges()?.iter().for_each(|merge| say(&merge.to_string()));
        return Ok(ExitCode::SUCCESS);
    }
    let stage = Stage::from_code(stage).ok_or_else(|| Failure::invalid("stage", "is not one of the values that --help lists"))?;
    for line in app.referrals_at(site, stage)? {
        let since = alongside_app::london_date(line.raised_at);
        let due = line.due_on.map(|due| format!("  due {due}")).unwrap_or_default();
        say(&format!("{}  since {since}  {}{due}", line.referral, line.reason.words()));
    }
    Ok(ExitCode::SUCCESS)
}

fn report(app: &App, site: &str, quarter: &str, format: Format, unmasked: bool) -> Result<ExitCode, Failure> {
    let quarter: Quarter = quarter.parse().map_err(|_| Failure::invalid("quarter", "must be written like 2024-Q4"))?;
    let audience = if unmasked { Audience::Service } else { Audience::Public };
    let report = reporting::report(app, site, quarter, audience)?;
    let title = app.setup.sites.get(site).map_or(site, |site| site.title.as_str());
    say(&match format {
        Format::Text => reporting::to_text(&report, title),
        Format::Json => reporting::to_json(&report),
        Format::Csv => reporting::to_csv(&report)?,
    });
    Ok(ExitCode::SUCCESS)
}

fn ledger(app: &App, site: &str, period: Period, as_json: bool) -> Result<ExitCode, Failure> {
    if period.to < period.from {
        return Err(Failure::invalid("to", "is before the first day"));
    }
    let ledger = reporting::ledger(app, site, period)?;
    if as_json {
        say(&format!("{:#}", reporting::ledger_json(site, period, &ledger)));
    } else {
        say(&reporting::ledger_to_text(site, period, &ledger));
    }
    Ok(if ledger.balances() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn why(app: &App, referral: &str) -> Result<ExitCode, Failure> {
    let id: ReferralId = referral.parse().map_err(|_| Failure::invalid("referral", "is not the number of a referral (ref_…)"))?;
    say(&app.why(id)?.to_text(app));
    Ok(ExitCode::SUCCESS)
}

fn doctor(app: &App) -> Result<ExitCode, Failure> {
    let findings = app.examine()?;
    for (id, state, told) in &findings.differing {
        let told = told.map_or("nothing", alongside_domain::referral::Stage::code);
        say(&format!("{id}: the state says {state}, the journal says {told}"));
    }
    for id in findings.missing.iter().chain(&findings.broken_links) {
        say(&format!("{id}: missing"));
    }
    say(&format!("{} referrals compared with the journal: {}", findings.referrals, if findings.is_well() { "well" } else { "NOT WELL" }));
    Ok(if findings.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn backup(app: &App, file: &Path) -> Result<ExitCode, Failure> {
    match alongside_store::backup(&app.store, file) {
        Ok(()) => {
            say("written and flushed to disk");
            Ok(ExitCode::SUCCESS)
        }
        Err(BackupError::UsePgDump) => Err(Failure::invalid("database", "is PostgreSQL: use pg_dump or your site's backup")),
        Err(error) => Err(Failure::Broken(error.to_string())),
    }
}

fn import(what: Import) -> Result<ExitCode, Failure> {
    let (sheet, spreadsheet) = match what {
        Import::People(spreadsheet) => (Sheet::People, spreadsheet),
        Import::Referrals(spreadsheet) => (Sheet::Referrals, spreadsheet),
        Import::Contacts(spreadsheet) => (Sheet::Contacts, spreadsheet),
        Import::Assessments(spreadsheet) => (Sheet::Assessments, spreadsheet),
        Import::List { place } => {
            for run in open(&place)?.imports()? {
                let undone = if run.undone_at.is_some() { ", taken back" } else { "" };
                say(&format!(
                    "{}  {}  {} at {}, {} rows{undone}",
                    run.id,
                    alongside_app::london_date(run.at),
                    run.kind,
                    run.site,
                    run.records
                ));
            }
            return Ok(ExitCode::SUCCESS);
        }
        Import::Undo { place, import } => {
            let id: ImportId = import.parse().map_err(|_| Failure::invalid("import", "is not the number of an import (imp_…)"))?;
            open(&place)?.undo_import(id)?;
            say("taken back");
            return Ok(ExitCode::SUCCESS);
        }
    };
    let app = open(&spreadsheet.place)?;
    let bytes = files::read(&spreadsheet.file)?;
    let plan = app.preview_import(&spreadsheet.site, sheet, &bytes)?;
    if spreadsheet.dry_run || !plan.problems.is_empty() {
        say(&plan.to_text());
        remark("nothing was changed");
        return Ok(if plan.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(65) });
    }
    let imported = app.import(&spreadsheet.site, sheet, &bytes)?;
    say(&format!("{}\ntake it back with: alongside import undo {}", plan.to_text(), imported.id));
    Ok(ExitCode::SUCCESS)
}
