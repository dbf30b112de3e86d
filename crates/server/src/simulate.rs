//! Plays the hospitals: to files, or over MLLP at a chosen speed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use alongside_app::Failure;
use alongside_app::simulate::{Happening, Scale, year};
use alongside_hl7v2::ack::AckCode;
use alongside_hl7v2::mllp::frame;
use clap::Args;

use crate::files;
use crate::mllp::client::Sender;
use crate::output::say;

/// What to play, and where to.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The same seed is the same year.
    #[arg(long, default_value_t = 2024)]
    seed: u64,
    /// How large the crowd is: 1 for about 600,000 messages in the year.
    #[arg(long, default_value_t = 1.0)]
    crowd: f64,
    /// Write MLLP files and lists into this folder.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Send a feed's messages over MLLP: FEED=ADDRESS, for instance chelwest=127.0.0.1:2575. May be given again.
    #[arg(long, value_name = "FEED=ADDRESS")]
    to: Vec<String>,
    /// At most so many messages a second; 0 as fast as they are answered.
    #[arg(long, default_value_t = 0)]
    rate: u32,
    /// Stop after so many messages; 0 plays the whole year.
    #[arg(long, default_value_t = 0)]
    most: u64,
}

/// Plays.
///
/// # Errors
/// When a folder cannot be written or a listener does not answer.
pub(crate) fn run(simulate: &Simulate) -> Result<ExitCode, Failure> {
    let mut players: BTreeMap<String, Box<dyn Play>> = BTreeMap::new();
    for target in &simulate.to {
        let (feed, address) = target.split_once('=').ok_or_else(|| Failure::invalid("--to", "must be written FEED=ADDRESS"))?;
        players.insert(feed.to_owned(), Box::new(Answering::connect(address)?));
    }
    if let Some(folder) = &simulate.out {
        fs::create_dir_all(folder).map_err(|error| Failure::invalid(folder.display().to_string(), error.kind().to_string()))?;
    }
    if players.is_empty() && simulate.out.is_none() {
        return Err(Failure::invalid("simulate", "say where to: --out FOLDER, or --to FEED=ADDRESS"));
    }
    let played = play(simulate, &mut players)?;
    for (feed, messages) in &played {
        say(&format!("{feed}: {messages} messages"));
    }
    Ok(ExitCode::SUCCESS)
}

fn play(simulate: &Simulate, players: &mut BTreeMap<String, Box<dyn Play>>) -> Result<BTreeMap<String, u64>, Failure> {
    let mut played: BTreeMap<String, u64> = BTreeMap::new();
    let (begun, mut total) = (Instant::now(), 0_u64);
    let progress = files::progress(simulate.most);
    for event in year(simulate.seed, Scale { crowd: simulate.crowd }) {
        match event.what {
            Happening::Message { feed, bytes } => {
                if !players.contains_key(feed) {
                    let Some(folder) = &simulate.out else { continue };
                    players.insert(feed.to_owned(), Box::new(Writer::create(folder.join(format!("{feed}.mllp")))?));
                }
                if let Some(player) = players.get_mut(feed) {
                    player.play(&bytes)?;
                    *played.entry(feed.to_owned()).or_default() += 1;
                    total += 1;
                    progress.inc(1);
                    wait(simulate.rate, total, begun);
                }
            }
            Happening::List { feed, csv } => {
                if let Some(folder) = &simulate.out {
                    let day = alongside_app::london_date(event.at);
                    let path = folder.join(format!("{feed}-{day}.csv"));
                    fs::write(&path, csv).map_err(|error| Failure::invalid(path.display().to_string(), error.kind().to_string()))?;
                }
            }
            Happening::Act { .. } => {}
        }
        if simulate.most > 0 && total >= simulate.most {
            break;
        }
    }
    progress.finish_and_clear();
    Ok(played)
}

/// Holds back to the rate that was asked for.
fn wait(rate: u32, sent: u64, begun: Instant) {
    if rate > 0 {
        let due = Duration::from_secs_f64(sent as f64 / f64::from(rate));
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
    }
}

/// Takes a message of a feed.
trait Play {
    fn play(&mut self, message: &[u8]) -> Result<(), Failure>;
}

/// Writes MLLP frames into a file.
struct Writer(BufWriter<File>);

impl Writer {
    fn create(path: PathBuf) -> Result<Self, Failure> {
        let file = File::create(&path).map_err(|error| Failure::invalid(path.display().to_string(), error.kind().to_string()))?;
        Ok(Self(BufWriter::new(file)))
    }
}

impl Play for Writer {
    fn play(&mut self, message: &[u8]) -> Result<(), Failure> {
        self.0.write_all(&frame(message)).map_err(|error| Failure::invalid("file", error.kind().to_string()))
    }
}

/// A listener that answers.
pub(crate) struct Answering(Sender);

impl Answering {
    /// Connects to a listener.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) fn connect(address: &str) -> Result<Self, Failure> {
        let broken = |error: std::io::Error| Failure::invalid(address, format!("cannot be reached: {}", error.kind()));
        Sender::connect(address, None).map(Self).map_err(broken)
    }

    /// Sends a message and reads the answer's code.
    ///
    /// # Errors
    /// When none comes.
    pub(crate) fn send(&mut self, message: &[u8]) -> Result<AckCode, Failure> {
        let never = AtomicBool::new(false);
        let broken = |error: std::io::Error| Failure::Broken(format!("the listener did not answer: {}", error.kind()));
        self.0.send(message, &never).map(|answered| answered.code).map_err(broken)
    }
}

impl Play for Answering {
    fn play(&mut self, message: &[u8]) -> Result<(), Failure> {
        match self.send(message)? {
            AckCode::AA | AckCode::CA => Ok(()),
            code => Err(Failure::Broken(format!("a message was answered {code}"))),
        }
    }
}
