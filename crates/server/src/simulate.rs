//! Plays the hospitals: to files, or over MLLP at a chosen speed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use alongside_app::Failure;
use alongside_app::simulate::{Happening, Scale, year};
use alongside_hl7v2::ack::{self, AckCode};
use alongside_hl7v2::mllp::{Decoder, Received, frame};
use alongside_hl7v2::{Message, Options};
use clap::Args;

use crate::files;
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
        players.insert(feed.to_owned(), Box::new(Sender::connect(address)?));
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

/// Sends over MLLP as hospitals do: one message, then its answer, then the next.
pub(crate) struct Sender {
    stream: TcpStream,
    decoder: Decoder,
    buffer: Vec<u8>,
}

/// How long an answer is waited for, in seconds.
const ANSWER_SECONDS_MAX: u64 = 30;
/// The largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;

impl Sender {
    /// Connects to a listener.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) fn connect(address: &str) -> Result<Self, Failure> {
        let broken = |error: std::io::Error| Failure::invalid(address, format!("cannot be reached: {}", error.kind()));
        let stream = TcpStream::connect(address).map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        stream.set_read_timeout(Some(Duration::from_secs(ANSWER_SECONDS_MAX))).map_err(broken)?;
        Ok(Self { stream, decoder: Decoder::new(ANSWER_BYTES_MAX), buffer: vec![0; 16 * 1024] })
    }

    /// Sends a message and reads the answer's code. An answer to another message is no answer.
    ///
    /// # Errors
    /// When none comes.
    pub(crate) fn send(&mut self, message: &[u8]) -> Result<AckCode, Failure> {
        let broken = |error: std::io::Error| Failure::Broken(format!("the listener did not answer: {}", error.kind()));
        let header = alongside_hl7v2::Header::scan(message);
        self.stream.write_all(&frame(message)).map_err(broken)?;
        loop {
            for received in self.decoder.by_ref() {
                if let Received::Frame(bytes) = received
                    && let Ok(answer) = Message::parse(&bytes, &Options::default())
                    && let Some(answer) = ack::read(&answer)
                    && answer.is_to(&header.control_id)
                {
                    return Ok(answer.code);
                }
            }
            let read = self.stream.read(&mut self.buffer).map_err(broken)?;
            if read == 0 {
                return Err(Failure::Broken("the listener closed the connection".into()));
            }
            self.decoder.push(&self.buffer[..read]);
        }
    }
}

impl Play for Sender {
    fn play(&mut self, message: &[u8]) -> Result<(), Failure> {
        match self.send(message)? {
            AckCode::AA | AckCode::CA => Ok(()),
            code => Err(Failure::Broken(format!("a message was answered {code}"))),
        }
    }
}
