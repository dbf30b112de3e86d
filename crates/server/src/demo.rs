//! The demo: the service on SQLite with its listeners, the hospitals' year played through MLLP, and a site to look at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alongside_app::setup::{Extra, Setup};
use alongside_app::simulate::{DEMO_CONFIGURATION, Event, Happening, SPREADSHEET_DAY, Scale, spreadsheet, year};
use alongside_app::{App, Failure, World, london_date, london_time, reporting};
use alongside_domain::calendar::Period;
use alongside_domain::measures::Audience;
use alongside_hl7v2::ack::AckCode;
use alongside_store::Store;
use clap::Args;
use jiff::civil::{Date, DateTime, date};
use serde_json::json;
use tracing::{error, info};

use crate::clock::SetClock;
use crate::current::Current;
use crate::http;
use crate::mllp::Listener;
use crate::mllp::courier::{Round, courier};
use crate::output::{remark, say};
use crate::simulate::Answering;
use crate::stage::{self, Stage};
use crate::{cli, files, keys, record_end, serve, web};

/// The demo.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Play to the end without pages, print both sites' figures as JSON, and end with status 0 only if the ledger balances
    /// and the journal agrees with the state.
    #[arg(long)]
    exit: bool,
    /// The same seed is the same year.
    #[arg(long, default_value_t = 2024)]
    seed: u64,
    /// How large the crowd around the story is: 1 for about 600,000 messages, 0 for none.
    #[arg(long, default_value_t = 1.0)]
    crowd: f64,
    /// Where the demo keeps its things. They are made anew at every start.
    #[arg(long, value_name = "FOLDER", default_value = "demo-data")]
    data: PathBuf,
    /// Play on PostgreSQL instead: an empty database.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Address of the pages.
    #[arg(long, default_value = "127.0.0.1:8080")]
    http: String,
}

/// The quarter that the story ends with.
const QUARTER: &str = "2024-Q4";
/// The period over which the demo's ledger is drawn up.
const LEDGER: (Date, Date) = (date(2024, 1, 1), date(2025, 1, 6));

/// When the demo is looked at: Monday 6 January 2025, 08:30 in London.
const TODAY: DateTime = date(2025, 1, 6).at(8, 30, 0, 0);

/// Plays the demo.
///
/// # Errors
/// When something of the story could not be done: it is told which.
pub(crate) fn run(demo: &Demo) -> Result<ExitCode, Failure> {
    let address = serve::loopback("--http", &demo.http)?;
    let (app, clock) = open(demo)?;
    let current = Current::from(app);
    let listeners = serve::listen_to_feeds(&current)?;
    if demo.exit {
        play(&current.get(), &clock, &listeners, demo)?;
        return figures(&current.get());
    }
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::Broken(error.kind().to_string()))?;
    // The address is taken before the year is played: whoever waits minutes should not learn then that it is taken.
    let listener = runtime.block_on(serve::bind("--http", address))?;
    play(&current.get(), &clock, &listeners, demo)?;
    let stage = Stage::new(current.clone(), clock, demo.database.is_none().then_some(demo.data.as_path()))?;
    remark(&format!(
        "\n  The demo is at  http://{address}/\n  Everybody in it is invented, and nothing can leave this machine. Ctrl-C ends it.\n"
    ));
    let feeds = Arc::clone(&current.get().setup);
    let _couriers = feeds.feeds.values().map(|feed| courier(&current, feed)).collect::<Result<Vec<_>, _>>()?;
    let pages = web::router(current.clone(), web::Options { demo: true, stage: Some(Arc::new(stage)), ..web::Options::default() });
    runtime.spawn(keep_counters(current));
    runtime.block_on(http::serve(listener, pages, http::Bounds::default(), serve::stop_signal()))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the feeds' counters every second, so that a message that a visitor sends is seen.
async fn keep_counters(current: Current) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let app = current.get();
        if let Ok(Err(failure)) = tokio::task::spawn_blocking(move || app.flush()).await {
            error!(%failure, "the counters were not written");
        }
    }
}

/// The demo's key file, in its folder.
const KEYS: &str = "alongside.keys";

fn open(demo: &Demo) -> Result<(App, Arc<SetClock>), Failure> {
    let mut setup = Setup::read(DEMO_CONFIGURATION, &Extra::default()).map_err(Failure::Invalid)?;
    for feed in setup.feeds.values_mut().filter(|feed| !feed.is_of_lists()) {
        let record = record_end::open().map_err(|error| Failure::Broken(format!("a record: {}", error.kind())))?;
        feed.send = Some(record.to_string());
    }
    setup.server.letters = Some(demo.data.join(stage::LETTERS).display().to_string());
    let url = match &demo.database {
        Some(url) => cli::database(url)?,
        None => {
            clear(&demo.data)?;
            cli::database(&format!("sqlite:{}", stage::first_database(&demo.data).display()))?
        }
    };
    let clock = Arc::new(SetClock::default());
    let store = Store::open(&url)?;
    let keys = keys::load(&store, &demo.data.join(KEYS))?;
    let app = App::new(store, Arc::new(setup), Arc::<SetClock>::clone(&clock), keys);
    Ok((app, clock))
}

/// Removes what an earlier demo left, and nothing else.
fn clear(folder: &Path) -> Result<(), Failure> {
    stage::clear(folder)?;
    match std::fs::remove_file(folder.join(KEYS)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::Broken(format!("the demo's folder: {}", error.kind()))),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn play(app: &App, clock: &SetClock, listeners: &[(String, Listener)], demo: &Demo) -> Result<(), Failure> {
    let mut senders = BTreeMap::new();
    for (feed, listener) in listeners {
        senders.insert(feed.clone(), Answering::connect(&listener.address.to_string())?);
    }
    let current = Current::from(app.clone());
    let rounds = app.setup.feeds.values().filter_map(|feed| Round::of(&current, feed).transpose()).collect::<Result<_, _>>()?;
    let mut player = Player { app, clock, senders, rounds, day: Date::MIN, seed: demo.seed, messages: 0, acts: 0 };
    remark("Playing two hospitals' year, January 2024 to 6 January 2025, through MLLP:");
    let begun = Instant::now();
    let progress = files::progress(0);
    for event in year(demo.seed, Scale { crowd: demo.crowd }) {
        player.play(event)?;
        if player.messages.is_multiple_of(1000) {
            progress.set_position(player.messages);
            progress.set_message(player.day.to_string());
        }
    }
    progress.finish_and_clear();
    clock.set(alongside_app::london_instant(TODAY).unwrap_or_else(|| clock.now()));
    app.flush()?;
    let seconds = begun.elapsed().as_secs_f64();
    info!("{} messages and {} forms in {seconds:.0} s", player.messages, player.acts);
    Ok(())
}

/// Plays events: messages through MLLP, lists and forms through the application.
struct Player<'a> {
    app: &'a App,
    clock: &'a SetClock,
    senders: BTreeMap<String, Answering>,
    rounds: Vec<Round>,
    day: Date,
    seed: u64,
    messages: u64,
    acts: u64,
}

impl Player<'_> {
    fn play(&mut self, event: Event) -> Result<(), Failure> {
        self.clock.set(event.at);
        let today = london_date(event.at);
        if today != self.day {
            self.day = today;
            if today == SPREADSHEET_DAY {
                self.app.import_spreadsheet(&spreadsheet(self.seed))?;
            }
            self.app.flush()?;
            serve::what_time_brings(self.app)?;
            self.rounds.iter_mut().try_for_each(Round::carry_all)?;
        }
        match event.what {
            Happening::Message { feed, bytes } => {
                self.messages += 1;
                let sender = self.senders.get_mut(feed).ok_or_else(|| Failure::Broken(format!("nobody listens to feed {feed}")))?;
                match sender.send(&bytes)? {
                    AckCode::AA | AckCode::CA => Ok(()),
                    code => Err(Failure::Broken(format!("a message of feed {feed} was answered {code} on {today}"))),
                }
            }
            Happening::List { feed, csv } => {
                let feed = self.app.setup.feeds.get(feed).ok_or(Failure::NotFound)?;
                self.app.take_list(feed, csv.as_bytes()).map(drop)
            }
            Happening::Act { site, mrn, act } => {
                self.acts += 1;
                let kind = act.name();
                let done = self.app.perform(site, &mrn, act).map_err(|failure| {
                    Failure::Broken(format!(
                        "an act of the story ({kind} at {site}, {mrn}, {}) was not possible: {failure}",
                        london_time(event.at)
                    ))
                });
                done.and_then(|()| self.rounds.iter_mut().try_for_each(Round::carry_all))
            }
        }
    }
}

/// Prints both sites' figures; the exit status tells whether every ledger balances and the doctor is content.
fn figures(app: &App) -> Result<ExitCode, Failure> {
    let period = Period { from: LEDGER.0, to: LEDGER.1 };
    let mut sites = serde_json::Map::new();
    let mut balanced = true;
    for site in app.setup.sites.keys() {
        let quarter = QUARTER.parse().map_err(|_| Failure::Broken("the demo's quarter".into()))?;
        let report = reporting::report(app, site, quarter, Audience::Service)?;
        let ledger = reporting::ledger(app, site, period)?;
        balanced &= ledger.balances();
        sites.insert(site.clone(), json!({ "report": reporting::json(&report), "ledger": reporting::ledger_json(site, period, &ledger) }));
    }
    let well = app.examine()?.is_well();
    say(&format!("{:#}", json!({ "sites": sites, "journal-agrees": well })));
    Ok(if balanced && well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
