//! Databases for tests: each on both engines, each its own, all gone when the test process ends.
//!
//! PostgreSQL is a throwaway cluster, one for each test process, started from the `initdb` and `postgres` that are
//! installed. A shell watches over it: when the test process ends in whatever way, the shell's input closes, and it
//! stops the server and removes its files. Where there is no PostgreSQL, tests fail; on a machine where that cannot be
//! helped, `ALONGSIDE_WITHOUT_POSTGRES=1` leaves out half of what they prove, and says so.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use postgres::error::SqlState;
use postgres::{Client, NoTls};

use crate::engine::Connection;
use crate::{DatabaseUrl, Engine, Options, Statement, Store, StoreError, Value};

/// Runs a test on a new store of each engine, with the product's schema, and names the engine when it fails.
///
/// # Panics
/// When the test does, or when PostgreSQL is missing.
pub fn both_engines(test: impl Fn(Store)) {
    for engine in engines() {
        run_on(&TestDatabase::new(engine), &Options::default(), &test);
    }
}

/// As [`both_engines`], with limits and schema of the caller's.
///
/// # Panics
/// As [`both_engines`].
pub fn both_engines_with(options: &Options, test: impl Fn(Store)) {
    for engine in engines() {
        run_on(&TestDatabase::empty(engine), options, &test);
    }
}

/// As [`both_engines`], with the database instead of a store: for tests that open it more than once.
///
/// # Panics
/// As [`both_engines`].
pub fn both_databases(test: impl Fn(&TestDatabase)) {
    for engine in engines() {
        let database = TestDatabase::new(engine);
        naming(engine, || test(&database));
    }
}

fn run_on(database: &TestDatabase, options: &Options, test: &impl Fn(Store)) {
    naming(database.engine(), || {
        let store = Store::open_with(database.url(), options).unwrap_or_else(|error| panic!("no store: {error}"));
        test(store);
    });
}

/// Runs a test and says on which engine it failed, if it does.
fn naming(engine: Engine, test: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(test)) {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(no words)");
        panic!("on {engine}: {words}");
    }
}

/// The engines that tests run on: both, or SQLite alone where `ALONGSIDE_WITHOUT_POSTGRES=1` says so.
pub fn engines() -> Vec<Engine> {
    if env::var_os("ALONGSIDE_WITHOUT_POSTGRES").is_some_and(|value| value == "1") {
        say_that_half_is_left_out();
        return vec![Engine::Sqlite];
    }
    vec![Engine::Sqlite, Engine::Postgres]
}

#[expect(clippy::print_stderr, reason = "a test that proves half says so to whoever runs it")]
fn say_that_half_is_left_out() {
    eprintln!("ALONGSIDE_WITHOUT_POSTGRES=1: NOTHING IS TESTED ON POSTGRESQL");
}

/// A database of its own for one test, removed when dropped.
pub struct TestDatabase {
    url: DatabaseUrl,
    address: String,
    /// The directory of an SQLite file, or the name of a PostgreSQL database.
    remains: String,
}

impl TestDatabase {
    /// One with the product's schema; on PostgreSQL a copy of a template, which is quicker than migrating.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::file(),
            Engine::Postgres => cluster().database(cluster().template()),
        }
    }

    /// One with nothing in it.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn empty(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::file(),
            Engine::Postgres => cluster().database("template1"),
        }
    }

    fn file() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        static SWEPT: Once = Once::new();
        SWEPT.call_once(sweep);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = spacious().join(format!("{SQLITE_PREFIX}{}-{number}", std::process::id()));
        fs::create_dir(&directory).unwrap_or_else(|error| panic!("no directory for a test's database: {error}"));
        let file = directory.join("test.db");
        let (url, address) = (DatabaseUrl::file(&file), format!("sqlite:{}", file.display()));
        Self { url, address, remains: directory.display().to_string() }
    }

    /// Where it is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Where it is, as the program's `--database` takes it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Which engine it is on.
    pub fn engine(&self) -> Engine {
        self.url.engine()
    }

    /// Cuts every connection to it, as a failing server does; how many there were. SQLite has none to cut.
    ///
    /// # Panics
    /// When the server does not answer.
    pub fn kill_connections(&self) -> usize {
        kill_connections(&self.url)
    }
}

impl Drop for TestDatabase {
    /// A test that failed has told why; that its remains stay too is not worth telling.
    fn drop(&mut self) {
        match self.engine() {
            Engine::Sqlite => drop(fs::remove_dir_all(&self.remains)),
            Engine::Postgres => {
                let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.remains);
                let _ = cluster().admin().batch_execute(&drop_it);
            }
        }
    }
}

/// Cuts every connection to the database at this address, which must be of this process's cluster; how many there were.
///
/// # Panics
/// When the server does not answer.
pub fn kill_connections(url: &DatabaseUrl) -> usize {
    let Some(name) = url.server().and_then(postgres::Config::get_dbname) else {
        return 0;
    };
    let kill = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1";
    cluster().admin().query(kill, &[&name]).unwrap_or_else(|error| panic!("nothing killed: {error}")).len()
}

/// Prepares every statement on the store's engine, without running any.
///
/// # Panics
/// With every statement that the engine does not understand, or whose result only one engine gives, and its words.
pub fn prepare_all(store: &Store, statements: &[Statement]) {
    let misunderstood: Vec<_> = statements
        .iter()
        .filter_map(|statement| {
            let prepared = store.read(|tx| Ok::<_, StoreError>(tx.prepare(statement)));
            let words = prepared.unwrap_or_else(|error| Err(error.to_string())).err()?;
            Some(format!("{}: {words}", statement.name))
        })
        .collect();
    assert!(misunderstood.is_empty(), "{} understands not:\n{}", store.engine(), misunderstood.join("\n"));
}

/// The names of the statements that this process has run on an engine so far; none in a release build.
pub fn ran(engine: Engine) -> BTreeSet<&'static str> {
    #[cfg(debug_assertions)]
    return crate::engine::statement::record::ran(engine);
    #[cfg(not(debug_assertions))]
    {
        let _ = engine;
        BTreeSet::new()
    }
}

/// Asserts that this process has run every statement on every engine: for the last line of the one test that runs them
/// all, because tests of other names run in other orders, or not at all.
///
/// # Panics
/// With the names of those that have not run.
pub fn assert_every_statement_ran(statements: &[Statement]) {
    let missed: Vec<_> = engines()
        .into_iter()
        .flat_map(|engine| {
            let ran = ran(engine);
            statements.iter().filter(move |it| !ran.contains(it.name)).map(move |it| format!("{} on {engine}", it.name))
        })
        .collect();
    assert!(missed.is_empty(), "statements that did not run:\n{}", missed.join("\n"));
}

/// What somebody with the database in their hands does to the audit.
#[derive(Debug, Clone, Copy)]
pub enum Tamper {
    /// Removes all lines after this one.
    CutAfter(u64),
    /// Has this line say something else.
    Alter(u64),
}

/// Tampers with the audit, as the program never would.
///
/// # Panics
/// When the database refuses it.
pub fn tamper(store: &Store, how: Tamper) {
    const CUT: Statement = Statement { name: "test::CUT", sql: "DELETE FROM audit WHERE seq > $1" };
    const ALTER: Statement = Statement { name: "test::ALTER", sql: "UPDATE audit SET action = 'nothing' WHERE seq = $1" };
    let (statement, seq) = match how {
        Tamper::CutAfter(seq) => (&CUT, seq),
        Tamper::Alter(seq) => (&ALTER, seq),
    };
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    let done = store.write(move |tx| tx.execute(statement, &[Value::from(seq)]));
    assert!(done.is_ok(), "{done:?}");
}

/// The schema as sorted lines, the same for both engines when their schemas are: `table.column TYPE required` or
/// `optional`, and `index name` for each index that was asked for by name.
///
/// # Panics
/// When the database does not answer.
pub fn schema(store: &Store) -> Vec<String> {
    let lines = store.read(|tx| {
        Ok::<_, StoreError>(match tx.connection() {
            Connection::Sqlite(connection) => sqlite_lines(connection.driver()).ok(),
            Connection::Postgres(connection) => postgres_lines(connection.driver()).ok(),
        })
    });
    let mut lines = lines.ok().flatten().unwrap_or_else(|| panic!("no schema"));
    lines.sort();
    lines
}

/// A table that is not `STRICT` shows as one.
const SQLITE_SCHEMA: &str = "SELECT t.name || '.' || c.name || ' ' || c.type
        || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN ' required' ELSE ' optional' END
        || CASE WHEN t.strict = 1 THEN '' ELSE ' in a lax table' END
    FROM pragma_table_list t JOIN pragma_table_info(t.name) c
    WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%'
    UNION ALL SELECT 'index ' || name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";

/// A text column that sorts by language shows as one.
const POSTGRES_SCHEMA: &str = "SELECT table_name || '.' || column_name || ' '
        || CASE data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'bytea' THEN 'BLOB' WHEN 'text' THEN 'TEXT' ELSE data_type END
        || CASE is_nullable WHEN 'NO' THEN ' required' ELSE ' optional' END
        || CASE WHEN data_type = 'text' AND collation_name IS DISTINCT FROM 'C' THEN ' by language' ELSE '' END
    FROM information_schema.columns WHERE table_schema = current_schema()
    UNION ALL SELECT 'index ' || c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid
    WHERE k.oid IS NULL AND c.relnamespace = current_schema()::regnamespace";

fn sqlite_lines(connection: &rusqlite::Connection) -> rusqlite::Result<Vec<String>> {
    connection.prepare(SQLITE_SCHEMA)?.query_map([], |row| row.get(0))?.collect()
}

fn postgres_lines(client: &mut Client) -> Result<Vec<String>, postgres::Error> {
    Ok(client.query(POSTGRES_SCHEMA, &[])?.iter().map(|row| row.get(0)).collect())
}

/// How the directories of SQLite's test databases are named, before the process and a number.
const SQLITE_PREFIX: &str = "alongside-test-sqlite-";

/// Removes what killed test processes left behind, and what one left that had this process's number.
fn sweep() {
    for entry in fs::read_dir(spacious()).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(SQLITE_PREFIX)?.split('-').next()?.parse().ok());
        let gone = |process: u32| !Path::new(&format!("/proc/{process}")).exists();
        if process.is_some_and(|process| process == std::process::id() || gone(process)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The directory that benchmarks ask for, since only a real disk measures what durability costs.
fn on_disk() -> Option<PathBuf> {
    env::var_os("ALONGSIDE_TEST_DISK").map(PathBuf::from)
}

/// The directory that benchmarks ask for, else where there is room in memory, or the directory for temporary files.
fn spacious() -> PathBuf {
    if let Some(disk) = on_disk() {
        return disk;
    }
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { env::temp_dir() }
}

/// This process's PostgreSQL.
struct Cluster {
    directory: PathBuf,
    admin: Mutex<Client>,
    template: OnceLock<String>,
    count: AtomicU32,
    /// Its input is what the shell watches: it closes when this process ends.
    _shell: Child,
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

/// Starts a server in `$1` from the programs in `$2`, says so, and removes both when its input closes. The database's
/// own order of texts is English on purpose, so that a column that forgot to say `COLLATE "C"` shows.
const SHELL: &str = r#"
trap '' HUP INT TERM
directory=$1
programs=$2
rm -rf "$directory"
mkdir -m 700 "$directory" || exit 1
if "$programs/initdb" --pgdata "$directory/data" --username alongside --auth trust --no-sync --no-instructions \
    --encoding UTF8 --locale C --locale-provider icu --icu-locale en-GB >"$directory/log" 2>&1
then
    "$programs/postgres" -D "$directory/data" -k "$directory" -c listen_addresses= -c unix_socket_permissions=0777 \
        -c fsync=$3 -c full_page_writes=$3 -c autovacuum=off -c max_connections=300 -c shared_buffers=64MB \
        -c max_wal_size=256MB -c lc_messages=C </dev/null >>"$directory/log" 2>&1 &
    server=$!
    echo started
    exec >/dev/null 2>&1
    cat
    kill -QUIT "$server"
    wait "$server"
else
    cat "$directory/log"
fi
rm -rf "$directory"
"#;

impl Cluster {
    fn start() -> Self {
        let directory = spacious().join(format!("alongside-test-postgres-{}", std::process::id()));
        let mut shell = start_shell(&directory, &programs());
        let address = format!("host={} user=alongside dbname=postgres", directory.display());
        for _ in 0..600 {
            if let Ok(client) = Client::connect(&address, NoTls) {
                let (admin, template) = (Mutex::new(client), OnceLock::new());
                return Self { directory, admin, template, count: AtomicU32::new(0), _shell: shell };
            }
            sleep(Duration::from_millis(50));
        }
        let log = log_of(&directory);
        // Closes its input, and waits until it has tidied up.
        let _ = shell.wait();
        panic!("PostgreSQL for the tests did not start:\n{log}");
    }

    fn admin(&self) -> MutexGuard<'_, Client> {
        self.admin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of a database with the product's schema, made once.
    fn template(&self) -> &str {
        self.template.get_or_init(|| {
            let mut database = self.database("template1");
            drop(Store::open(database.url()).unwrap_or_else(|error| panic!("no template: {error}")));
            // The template stays.
            std::mem::take(&mut database.remains)
        })
    }

    fn database(&self, template: &str) -> TestDatabase {
        let name = format!("test_{}", self.count.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
        for attempt in 0.. {
            match self.admin().batch_execute(&create) {
                Ok(()) => break,
                // Whoever made the template has hung up, and the server has yet to notice.
                Err(error) if error.code() == Some(&SqlState::OBJECT_IN_USE) && attempt < 250 => {}
                Err(error) => panic!("no database for a test: {error:?}"),
            }
            sleep(Duration::from_millis(20));
        }
        let host = self.directory.display().to_string().replace('/', "%2F");
        let url = format!("postgres://alongside@{host}/{name}");
        TestDatabase { url: url.parse().unwrap_or_else(|error| panic!("{error}")), address: url, remains: name }
    }
}

fn log_of(directory: &Path) -> String {
    fs::read_to_string(directory.join("log")).unwrap_or_else(|error| format!("(no log: {error})"))
}

/// Starts the shell and waits until it has made the cluster.
fn start_shell(directory: &Path, programs: &Path) -> Child {
    let mut shell = as_who_may()
        .args(["sh", "-c", SHELL, "sh"])
        .args([directory, programs])
        .arg(if on_disk().is_some() { "on" } else { "off" })
        .current_dir("/")
        .env("LC_ALL", "C")
        // Not stopped by what stops the tests: it has yet to tidy up then.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("no shell to start PostgreSQL for the tests: {error}"));
    let mut said = String::new();
    if let Some(output) = shell.stdout.take() {
        let mut output = BufReader::new(output);
        let _ = output.read_line(&mut said);
        if said != "started\n" {
            let _ = output.read_to_string(&mut said);
        }
    }
    assert_eq!(said, "started\n", "initdb for the tests failed");
    shell
}

/// The start of a command by someone who may run PostgreSQL, which root may not.
fn as_who_may() -> Command {
    let uid = fs::metadata("/proc/self").map_or(1, |process| process.uid());
    if uid != 0 {
        return Command::new("env");
    }
    if on_path("setpriv").is_some() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
        return command;
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]);
    command
}

/// The directory of `initdb` and `postgres`: the newest of Debian's, or the one on the path.
///
/// # Panics
/// When there is none.
fn programs() -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let newest = installed
        .filter_map(|version| Some((version.file_name().to_str()?.parse::<u32>().ok()?, version.path().join("bin"))))
        .filter(|(_, programs)| programs.join("initdb").is_file() && programs.join("postgres").is_file())
        .max();
    newest.map(|(_, programs)| programs).or_else(|| on_path("initdb")).unwrap_or_else(|| {
        panic!(
            "PostgreSQL is missing, and the tests need it: on Debian `apt-get install postgresql`. \
             ALONGSIDE_WITHOUT_POSTGRES=1 leaves out half of what they prove."
        )
    })
}

/// The directory on the path that has this program.
fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).find(|directory| directory.join(program).is_file())
}
