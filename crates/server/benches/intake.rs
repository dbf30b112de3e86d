//! Messages per second over MLLP, durable before the acknowledgement: that matter and that do not, over one connection
//! and sixteen, on both engines, beside this disk's rate of `fdatasync` in the same run.
//!
//! ```text
//! cargo bench -p alongside --bench intake
//! ```

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alongside_hl7v2::mllp::{Decoder, Received, frame};
use alongside_store::testing::{self, TestDatabase};

/// How long each row is measured.
const SECONDS: u64 = 4;
const CONNECTIONS: [usize; 2] = [1, 16];

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("intake-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for the benchmark");
    // The variable is set by running this program again: nothing changes its own environment.
    if std::env::var_os("ALONGSIDE_TEST_DISK").is_none() {
        let disk = format!("/var/tmp/alongside-bench-{}", std::process::id());
        fs::create_dir_all(&disk).expect("a folder on the disk");
        let opened = Command::new("chmod").args(["0777", &disk]).status();
        assert!(opened.is_ok_and(|status| status.success()));
        let again = std::env::current_exe().expect("this program");
        let status = Command::new(again).args(std::env::args().skip(1)).env("ALONGSIDE_TEST_DISK", &disk).status();
        fs::remove_dir_all(&disk).ok();
        fs::remove_dir_all(&folder).ok();
        std::process::exit(status.ok().and_then(|status| status.code()).unwrap_or(1));
    }
    let disk = std::env::var("ALONGSIDE_TEST_DISK").expect("just looked at");
    let floor = fdatasync_rate(Path::new(&disk));
    println!("fdatasync of 1.5 KB, one after another, file not growing: {floor:.0}/s\n");
    println!("| engine | messages | connections | per second | of fdatasync |");
    println!("| --- | --- | --- | --- | --- |");
    for engine in testing::engines() {
        let database = TestDatabase::new(engine);
        let server = Server::start(&database, &folder);
        for (name, matter) in [("of nobody's concern", false), ("that matter", true)] {
            for connections in CONNECTIONS {
                let rate = measure(server.port, connections, matter);
                println!("| {engine:?} | {name} | {connections} | {rate:.0} | {:.2} |", rate / floor);
            }
        }
    }
    fs::remove_dir_all(&folder).ok();
}

/// Overwrites a place in a file of fixed size and waits for the disk, again and again.
fn fdatasync_rate(folder: &Path) -> f64 {
    let path = folder.join("floor");
    let mut file = File::create(&path).expect("a file");
    file.write_all(&vec![0; 1 << 20]).and_then(|()| file.sync_all()).expect("a file of fixed size");
    let (begun, mut written) = (Instant::now(), 0_u64);
    while begun.elapsed() < Duration::from_secs(2) {
        let place = (written % 600) * 1_536;
        file.seek(SeekFrom::Start(place)).and_then(|_| file.write_all(&[1; 1_536])).and_then(|()| file.sync_data()).expect("a write");
        written += 1;
    }
    let rate = written as f64 / begun.elapsed().as_secs_f64();
    fs::remove_file(&path).ok();
    rate
}

/// A running `alongside serve` with one feed.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(database: &TestDatabase, folder: &Path) -> Self {
        let configuration = folder.join("bench.toml");
        let text = format!(
            "[server]\ndatabase = \"{}\"\nhttp = \"127.0.0.1:0\"\n[[site]]\nkey = \"here\"\ntitle = \"Here\"\n\
             organisations = [{{ code = \"RQM\" }}]\n[[feed]]\nkey = \"here\"\nsite = \"here\"\nprofile = \"cerner-millennium\"\nlisten = \"127.0.0.1:0\"\n",
            database.address()
        );
        fs::write(&configuration, text).expect("a configuration");
        let mut child = Command::new(env!("CARGO_BIN_EXE_alongside"))
            .args(["serve", "--config"])
            .arg(&configuration)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split("address=127.0.0.1:").nth(1).and_then(|rest| rest.trim().parse().ok()))
            .expect("the listener's port");
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Messages per second: each connection sends one message, waits for its acknowledgement, then sends the next.
fn measure(port: u16, connections: usize, matter: bool) -> f64 {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let threads: Vec<_> = (0..connections)
        .map(|_| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let mut connection = Connection::open(port);
                let mut answered = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                    connection.send(&message(number, matter));
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    std::thread::sleep(Duration::from_secs(SECONDS));
    stop.store(true, Ordering::Relaxed);
    let answered: u64 = threads.into_iter().map(|thread| thread.join().expect("a sender")).sum();
    answered as f64 / begun.elapsed().as_secs_f64()
}

/// A confirmed result of somebody new (a person, a trigger, a referral, the journal), or an update of a stranger; both
/// about 1.5 KB like a hospital's.
fn message(number: u64, matter: bool) -> Vec<u8> {
    let kind = if matter { "ORU^R01" } else { "ADT^A08" };
    let mut text = format!(
        "MSH|^~\\&|HNAM|RQM|ALONGSIDE|RQM|20250106083000||{kind}|B{number}|P|2.3\r\
         PID|1||B{number}^^^RQM MRN^MRN||BENCH^PERSON^^^^^CURRENT||19800101|2\rPV1|1|O|WARD\r"
    );
    if matter {
        text.push_str(&format!(
            "OBR|1||F{number}|HIVCF^TEST|||20250106080000\rOBX|1|ST|HIVCF^TEST||HIV-1 CONFIRMED||||||F|||20250106080000\r"
        ));
    }
    while text.len() < 1_500 {
        text.push_str("ZZZ|padding such as a hospital's own segments carry, forty characters or more of it\r");
    }
    text.into_bytes()
}

struct Connection {
    stream: TcpStream,
    decoder: Decoder,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the listener");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, decoder: Decoder::new(1 << 20), buffer: vec![0; 8192] }
    }

    fn send(&mut self, message: &[u8]) {
        self.stream.write_all(&frame(message)).expect("the listener takes it");
        loop {
            if let Some(Received::Frame(answer)) = self.decoder.next() {
                assert!(answer.windows(6).any(|window| window == b"MSA|AA"), "not accepted");
                return;
            }
            let read = self.stream.read(&mut self.buffer).expect("an answer");
            assert!(read > 0, "the listener went away");
            self.decoder.push(&self.buffer[..read]);
        }
    }
}
