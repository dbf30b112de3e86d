//! What the benchmarks run: the service of `service`, filled, on a disk, and the program that serves it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use alongside_app::setup::Extra;
use alongside_app::testing::FixedWorld;
use alongside_app::{App, Keys, Setup};
use alongside_store::testing::TestDatabase;
use alongside_store::{Engine, Store};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey};
use tempfile::TempDir;

use crate::service;

/// Runs this program again with its databases on the disk, where it does not yet; ends it then.
pub(crate) fn on_disk() {
    // The variable is set by running this program again: nothing changes its own environment.
    if std::env::var_os("ALONGSIDE_TEST_DISK").is_none() {
        let disk = format!("/var/tmp/alongside-pages-bench-{}", std::process::id());
        fs::create_dir_all(&disk).expect("a folder on the disk");
        let opened = Command::new("chmod").args(["0777", &disk]).status();
        assert!(opened.is_ok_and(|status| status.success()));
        let again = std::env::current_exe().expect("this program");
        let status = Command::new(again).args(std::env::args().skip(1)).env("ALONGSIDE_TEST_DISK", &disk).status();
        fs::remove_dir_all(&disk).ok();
        std::process::exit(status.ok().and_then(|status| status.code()).unwrap_or(1));
    }
}

/// A database with everything in it, beside its configuration.
pub(crate) struct Filled {
    pub(crate) app: App,
    pub(crate) made: Timestamp,
    pub(crate) folder: TempDir,
    /// The key with which the first site's record signs.
    pub(crate) record: EncodingKey,
    /// Goes at the end.
    _database: TestDatabase,
}

impl Filled {
    pub(crate) fn on(engine: Engine) -> Self {
        let (folder, database) = (TempDir::new().expect("a folder for the benchmark"), TestDatabase::new(engine));
        let store = Store::open(database.url()).expect("a store");
        let made = fill(&store);
        drop(store);
        if engine == Engine::Postgres {
            // What autovacuum does on any other server.
            let analysed = Command::new("vacuumdb").args(["--analyze", "--quiet", "--dbname", database.address()]).status();
            assert!(analysed.is_ok_and(|status| status.success()), "vacuumdb");
        }
        let (record, published) = key_of_record();
        let text = service::configure(folder.path(), database.address(), &published);
        let setup = Setup::read(&text, &Extra::default()).unwrap_or_else(|problems| panic!("{problems:?}"));
        let store = Store::open(database.url()).expect("a store");
        let app = App::new(store, Arc::new(setup), FixedWorld::at(now()), Keys { audit: service::key() });
        Self { app, made, folder, record, _database: database }
    }
}

fn fill(store: &Store) -> Timestamp {
    let (begun, made) = (Instant::now(), now());
    service::fill(store, made);
    tell(&format!("{} people and {} lines of audit in {:.0} s", service::PEOPLE, service::AUDIT_LINES, begun.elapsed().as_secs_f64()));
    made
}

/// A key of the record on P-384, and the set that it publishes.
fn key_of_record() -> (EncodingKey, String) {
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &SystemRandom::new()).expect("a key");
    let key = EncodingKey::from_ec_der(der.as_ref());
    let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES384).expect("its public half");
    jwk.common.key_id = Some("record".into());
    (key, format!("{{\"keys\":[{}]}}", serde_json::to_string(&jwk).expect("JSON")))
}

#[expect(clippy::print_stderr, reason = "what is not of the table")]
pub(crate) fn tell(line: &str) {
    eprintln!("{line}");
}

#[expect(clippy::disallowed_methods, reason = "the program that is measured lives by the machine's clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// A running `alongside serve`.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Server {
    pub(crate) fn start(configuration: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_alongside"))
            .args(["serve", "--config"])
            .arg(configuration)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split("pages at http://127.0.0.1:").nth(1).and_then(|rest| rest.split('/').next()?.parse().ok()))
            .expect("the port of the pages");
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

/// A connection that stays open, as a browser's does.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server");
        stream.set_nodelay(true).expect("no delay");
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, request: &[u8], what: &str) -> Vec<u8> {
        self.0.get_mut().write_all(request).expect("the server takes it");
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.0.read_line(&mut head).expect("an answer") > 0, "the server went away");
        }
        assert!(head.starts_with("HTTP/1.1 200"), "{what}: {}", head.lines().next().unwrap_or_default());
        let mut page = Vec::new();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|length| length.parse().ok());
        match length {
            Some(length) => self.take(length, &mut page),
            None => while self.chunk(&mut page) {},
        }
        page
    }

    fn chunk(&mut self, page: &mut Vec<u8>) -> bool {
        let mut size = String::new();
        self.0.read_line(&mut size).expect("the size of a chunk");
        let size = usize::from_str_radix(size.trim_end(), 16).expect("a size");
        self.take(size, page);
        self.take(2, &mut Vec::new());
        size > 0
    }

    fn take(&mut self, length: usize, page: &mut Vec<u8>) {
        let begun = page.len();
        page.resize(begun + length, 0);
        self.0.read_exact(&mut page[begun..]).expect("a whole page");
    }
}
