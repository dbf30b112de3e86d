//! The seam to SQLite and PostgreSQL: one SQL text, two engines, and no code above that knows which.
//!
//! * A [`Store`] is opened from a [`DatabaseUrl`]; it brings the schema up to date ([`migrate`]) and then takes
//!   [writes](Store::write) and [reads](Store::read) as closures over a [`Tx`].
//! * A write is a closure that may run more than once, so it performs no effects of its own. One thread owns the
//!   connection that writes and commits in groups: whatever waits is done in one transaction and answered together,
//!   after the commit.
//! * A read sees one stable state from its first statement to its last.
//! * SQL is `const` text declared with [`statements!`], so that tests can prepare each on both engines, count which ran,
//!   and refuse what only one engine understands.
//! * No error holds the content of a row: only names of statements, positions of columns, and codes.
//!
//! Everything here blocks. From asynchronous code, call it on a thread that may block.

pub mod access_reads;
pub mod accounts;
pub mod audit;
pub mod cards;
pub mod care;
mod codec;
pub mod coordination;
pub mod demo;
mod engine;
pub mod imports;
pub mod journal;
pub mod merges;
pub mod messages;
pub mod migrate;
pub mod page_reads;
pub mod people;
pub mod plans;
pub mod reading;
pub mod requests;
pub mod responses;
pub mod sending;
pub mod standing;
pub mod testing;
mod value;
mod writer;

pub use engine::backup::{BackupError, backup};
pub use engine::error::{ConstraintKind, MigrationProblem, StoreError};
pub use engine::statement::{Quarrel, Statement, quarrels};
pub use engine::{Database, DatabaseUrl, Engine, NotADatabaseUrl, Tx};
pub use migrate::{MIGRATIONS, Migration};
pub use value::{Row, Value};
pub use writer::Pending;

use std::sync::Arc;

use engine::Limits;
use engine::readers::Readers;
use writer::Writer;

/// Every statement of this room: what tests prepare on both engines, and look for among those that ran.
#[must_use]
pub fn all_statements() -> Vec<Statement> {
    [
        access_reads::all(),
        accounts::all(),
        audit::all(),
        care::all(),
        coordination::all(),
        demo::all(),
        imports::all(),
        journal::all(),
        merges::all(),
        messages::all(),
        page_reads::all(),
        people::all(),
        plans::all(),
        reading::all(),
        cards::all(),
        requests::all(),
        responses::all(),
        sending::all(),
        standing::all(),
    ]
    .concat()
}

/// The limits of a [`Store`] and the schema it brings its database to.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many jobs one transaction of the writer takes at most. At least 1.
    pub group_max: usize,
    /// How many jobs may wait for the writer; one more is answered [`StoreError::Busy`].
    pub queue_max: usize,
    /// How many reads run at once; one more waits, for a limited time. At least 1.
    pub readers_max: usize,
    /// How many pages of 4096 bytes an SQLite file may grow to; `None` leaves it to the disk. Not used on PostgreSQL.
    pub sqlite_pages_max: Option<u32>,
    /// The schema, oldest migration first.
    pub migrations: &'static [Migration],
}

impl Default for Options {
    fn default() -> Self {
        Self { group_max: 256, queue_max: 4096, readers_max: 4, sqlite_pages_max: None, migrations: MIGRATIONS }
    }
}

/// An open database. Cheap to clone; the last clone to go answers what still waits, then closes.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// Fields go in this order: the readers close first, so that the writer is last to leave an SQLite file and tidies it.
struct Inner {
    database: Database,
    readers: Readers,
    writer: Writer,
}

impl Store {
    /// Opens a database with the usual limits, makes it if SQLite has none there, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be reached, [`StoreError::Migration`] when its schema was made by
    /// another program than this one.
    pub fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        Self::open_with(url, &Options::default())
    }

    /// As [`Store::open`], with limits and schema of the caller's.
    ///
    /// # Errors
    /// Those of [`Store::open`].
    pub fn open_with(url: &DatabaseUrl, options: &Options) -> Result<Self, StoreError> {
        let database = Database::at(url, Limits { pages_max: options.sqlite_pages_max });
        let mut connection = database.connect_to_write()?;
        migrate::bring_up_to_date(&mut connection, options.migrations)?;
        let writer = Writer::start(database.clone(), connection, options.group_max.max(1), options.queue_max)?;
        let readers = Readers::new(database.clone(), options.readers_max.max(1));
        Ok(Self { inner: Arc::new(Inner { database, readers, writer }) })
    }

    /// Runs a job in a transaction that writes and waits until it is durable, or refused.
    ///
    /// **The job may run more than once** (a neighbour in its group erred, another writer got in its way, a connection
    /// was lost), each time on a fresh transaction with nothing left of the time before. So it performs no effects
    /// but those on `tx`, and what it answers depends on nothing but `tx` and what it captured. An `Err` keeps nothing.
    /// The answer `Ok` comes after the commit, never before. An error of the store swallowed by the job still refuses
    /// the job: on both engines a failed statement ends its transaction.
    ///
    /// # Errors
    /// The job's own; [`StoreError::Busy`] when too many wait or other writers would not give way;
    /// [`StoreError::Unavailable`] when the database cannot be reached or kept no promise to keep. When the connection
    /// went while committing, nobody knows whether it was kept: ask again, so that asking twice is harmless.
    pub fn write<T, E>(&self, job: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        if self.inner.writer.is_this_thread() {
            // Waiting here for oneself would be for ever.
            return Err(E::from(StoreError::Broken { place: "a write inside a write", code: "nested".to_owned() }));
        }
        self.submit(job).wait()
    }

    /// Queues a job as [`Store::write`] does and returns at once, so that one caller can have many in one group.
    /// Jobs of one caller run in the order in which they were submitted.
    pub fn submit<T, E>(&self, job: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Pending<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.inner.writer.submit(job)
    }

    /// Runs a job on one stable state of the database, which no writer changes while it runs. It cannot write.
    ///
    /// # Errors
    /// The job's own; [`StoreError::Busy`] when all readers stay taken; [`StoreError::Unavailable`] when the database
    /// cannot be reached.
    pub fn read<T, E>(&self, job: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        self.inner.readers.read(job)
    }

    /// Which engine this is: to tell a person. Nothing decides by it.
    pub fn engine(&self) -> Engine {
        self.inner.database.engine()
    }

    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "statements! lists what a public module declares, and this one is private")]
mod tests {
    use std::sync::mpsc;

    use super::testing::{TestDatabase, both_engines_with, engines};
    use super::*;

    statements! {
        const ADD_NOTE = "INSERT INTO note (id, body, seen) VALUES ($1, $2, $3)";
        const COUNT_NOTES = "SELECT COUNT(*) FROM note";
        const NOTE = "SELECT body, seen, data, due FROM note WHERE id = $1";
        const NOTES_BY_BODY = "SELECT body FROM note ORDER BY body, id";
        const FILL_NOTE = "UPDATE note SET data = $2, due = $3 WHERE id = $1";
        const ADD_PLACE = "INSERT INTO place (id, supporter) VALUES ($1, $2)";
        const COUNT_PLACES = "SELECT COUNT(*) FROM place WHERE supporter = $1";
        const NUMBER = "INSERT INTO line (body) VALUES ($1) RETURNING number";
        const BACKENDS = "SELECT $1 || body FROM note WHERE id < $2 LIMIT $3";
    }

    static TINY: &[Migration] = &[
        Migration {
            name: "0001_note",
            sql: "CREATE TABLE note (
                id INTEGER NOT NULL PRIMARY KEY,
                body TEXT NOT NULL CHECK (body <> ''),
                seen INTEGER CHECK (seen IN (0, 1)),
                data BLOB,
                due TEXT -- a date; STRICT TEXT
            ) STRICT;
            CREATE UNIQUE INDEX note_body ON note (body) WHERE body <> 'again';",
        },
        Migration {
            name: "0002_place",
            sql: "CREATE TABLE place (id TEXT NOT NULL, supporter TEXT NOT NULL, PRIMARY KEY (id)) STRICT, WITHOUT ROWID;
            CREATE INDEX place_supporter ON place (supporter);
            CREATE TABLE line (number INTEGER PRIMARY KEY, body TEXT) STRICT;",
        },
    ];

    fn tiny() -> Options {
        Options { migrations: TINY, ..Options::default() }
    }

    /// A job that adds one note.
    fn note(id: i64, body: &'static str) -> impl FnMut(&mut Tx<'_>) -> Result<u64, StoreError> + Send + 'static {
        move |tx| tx.execute(&ADD_NOTE, params![id, body, None::<i64>])
    }

    fn count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        Ok(tx.query_one(&COUNT_NOTES, params![], |row| row.int(0))?.unwrap_or(-1))
    }

    /// Holds the writer until the returned sender is dropped or used, so that what is submitted meanwhile is one group.
    fn hold(store: &Store) -> (mpsc::Sender<()>, Pending<(), StoreError>) {
        let (release, held) = mpsc::channel::<()>();
        let (started, running) = mpsc::channel::<()>();
        let pending = store.submit(move |_tx| {
            let _ = started.send(());
            let _ = held.recv();
            Ok(())
        });
        running.recv().unwrap();
        (release, pending)
    }

    fn constraint(error: StoreError) -> ConstraintKind {
        match error {
            StoreError::Constraint { kind, .. } => kind,
            other => panic!("not a constraint: {other}"),
        }
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        both_engines_with(&tiny(), |store| {
            let at: jiff::Timestamp = "2024-11-05T09:30:00.123456Z".parse().unwrap();
            let due = jiff::civil::date(2024, 11, 29);
            store
                .write(move |tx| {
                    tx.execute(&ADD_NOTE, params![at, "first", true])?;
                    tx.execute(&FILL_NOTE, params![at, vec![0_u8, 255], Some(due)])
                })
                .unwrap();
            let row = store
                .read(|tx| {
                    tx.query_one(&NOTE, params![at.as_microsecond()], |row| {
                        Ok((row.text(0)?, row.opt_bool(1)?, row.opt_blob(2)?, row.opt_date(3)?))
                    })
                })
                .unwrap();
            assert_eq!(row, Some(("first".to_owned(), Some(true), Some(vec![0, 255]), Some(due))));
            assert_eq!(row_of_nothing(&store), None);
        });
    }

    fn row_of_nothing(store: &Store) -> Option<String> {
        store.read(|tx| tx.query_one(&NOTE, params![-1], |row| row.text(0))).unwrap()
    }

    #[test]
    fn a_null_goes_into_a_column_of_any_type() {
        both_engines_with(&tiny(), |store| {
            store
                .write(|tx| {
                    tx.execute(&ADD_NOTE, params![1, "n", None::<bool>])?;
                    tx.execute(&FILL_NOTE, params![1, None::<Vec<u8>>, None::<String>])
                })
                .unwrap();
            let empty = store
                .read(|tx| {
                    tx.query_one(&NOTE, params![1], |row| {
                        Ok(row.opt_bool(1)?.is_none() && row.opt_blob(2)?.is_none() && row.opt_date(3)?.is_none())
                    })
                })
                .unwrap();
            assert_eq!(empty, Some(true));
        });
    }

    #[test]
    fn a_value_that_does_not_parse_is_corrupt_with_its_address() {
        both_engines_with(&tiny(), |store| {
            let broken = store.write(|tx| {
                tx.execute(&ADD_NOTE, params![1, "not a number", None::<i64>])?;
                tx.execute(&FILL_NOTE, params![1, None::<Vec<u8>>, "2024-02-30"])?;
                let date = tx.query_one(&NOTE, params![1], |row| row.opt_date(3));
                let null = tx.query_one(&NOTE, params![1], |row| row.bool(1));
                let number = tx.query_one(&NOTE, params![1], |row| row.int(0));
                let missing = tx.query_one(&NOTE, params![1], |row| row.int(9));
                // A row that does not parse leaves the transaction alive.
                count(tx)?;
                Ok::<_, StoreError>([date.map(drop), null.map(drop), number.map(drop), missing.map(drop)])
            });
            let columns: Vec<_> = broken
                .unwrap()
                .into_iter()
                .map(|outcome| match outcome {
                    Err(StoreError::Corrupt { statement, column }) => {
                        assert_eq!(statement, NOTE.name);
                        column
                    }
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(columns, [3, 1, 0, 9]);
        });
    }

    #[test]
    fn text_sorts_by_code_point() {
        both_engines_with(&tiny(), |store| {
            for (id, body) in [(1, "b"), (2, "ä"), (3, "B"), (4, "a")] {
                store.write(note(id, body)).unwrap();
            }
            let order = store.read(|tx| tx.query(&NOTES_BY_BODY, params![], |row| row.text(0))).unwrap();
            assert_eq!(order, ["B", "a", "b", "ä"]);
        });
    }

    #[test]
    fn a_number_is_given_to_a_row_that_asks_for_one() {
        both_engines_with(&tiny(), |store| {
            let next = |body: &'static str| store.write(move |tx| tx.query_one(&NUMBER, params![body], |row| row.int(0))).unwrap().unwrap();
            assert!(next("one") < next("two"));
        });
    }

    #[test]
    fn a_broken_constraint_is_named_by_its_kind() {
        both_engines_with(&tiny(), |store| {
            store.write(note(1, "taken")).unwrap();
            assert_eq!(constraint(store.write(note(1, "x")).unwrap_err()), ConstraintKind::Unique);
            assert_eq!(constraint(store.write(note(2, "taken")).unwrap_err()), ConstraintKind::Unique);
            assert_eq!(constraint(store.write(note(2, "")).unwrap_err()), ConstraintKind::Check);
            let null = store.write(|tx| tx.execute(&ADD_NOTE, params![2, None::<&str>, 0]));
            assert_eq!(constraint(null.unwrap_err()), ConstraintKind::NotNull);
            assert_eq!(constraint(store.write(note(2, "a\0b")).unwrap_err()), ConstraintKind::Text);
            assert_eq!(store.read(count).unwrap(), 1);
        });
    }

    #[test]
    fn a_wrong_number_of_parameters_is_refused() {
        both_engines_with(&tiny(), |store| {
            for wrong in [params![1, "a"].to_vec(), params![1, "a", 0, 0].to_vec()] {
                let refused = store.write(move |tx| tx.execute(&ADD_NOTE, &wrong));
                assert!(matches!(refused, Err(StoreError::Broken { .. })), "{refused:?}");
            }
            assert_eq!(store.read(count).unwrap(), 0);
        });
    }

    #[test]
    fn a_swallowed_failure_still_refuses_the_job() {
        both_engines_with(&tiny(), |store| {
            store.write(note(1, "taken")).unwrap();
            let outcome = store.write(|tx| {
                tx.execute(&ADD_NOTE, params![2, "kept?", 0])?;
                let _ = tx.execute(&ADD_NOTE, params![3, "taken", 0]);
                Ok::<_, StoreError>(())
            });
            assert_eq!(constraint(outcome.unwrap_err()), ConstraintKind::Unique);
            assert_eq!(store.read(count).unwrap(), 1);
        });
    }

    #[test]
    fn a_group_is_one_transaction_and_each_job_has_its_own_answer() {
        both_engines_with(&tiny(), |store| {
            let (release, held) = hold(&store);
            let first = store.submit(note(1, "one"));
            let reader = store.clone();
            let second = store.submit(move |tx| {
                tx.execute(&ADD_NOTE, params![2, "two", 1])?;
                // Inside the group the neighbour's note is there; outside it is not, because nothing is committed.
                Ok::<_, StoreError>((count(tx)?, reader.read(count)?))
            });
            drop(release);
            held.wait().unwrap();
            assert_eq!(first.wait().unwrap(), 1);
            assert_eq!(second.wait().unwrap(), (2, 0));
            assert_eq!(store.read(count).unwrap(), 2);
        });
    }

    #[test]
    fn a_job_that_errs_does_not_take_its_neighbours_with_it() {
        both_engines_with(&tiny(), |store| {
            let (release, held) = hold(&store);
            let before = store.submit(note(1, "before"));
            let clash = store.submit(note(1, "clash"));
            let refusal = store.submit(|tx| {
                tx.execute(&ADD_NOTE, params![7, "refused", 1])?;
                Err::<(), _>(StoreError::Unavailable { why: "the rule says no" })
            });
            let after = store.submit(note(2, "after"));
            drop(release);
            held.wait().unwrap();
            assert_eq!(before.wait().unwrap(), 1);
            assert_eq!(constraint(clash.wait().unwrap_err()), ConstraintKind::Unique);
            assert_eq!(refusal.wait().unwrap_err(), StoreError::Unavailable { why: "the rule says no" });
            assert_eq!(after.wait().unwrap(), 1);
            let kept = store.read(|tx| tx.query(&NOTES_BY_BODY, params![], |row| row.text(0))).unwrap();
            assert_eq!(kept, ["after", "before"]);
        });
    }

    #[test]
    fn a_job_that_panics_keeps_nothing_and_the_writer_goes_on() {
        both_engines_with(&tiny(), |store| {
            let outcome = store.write(|tx| -> Result<(), StoreError> {
                tx.execute(&ADD_NOTE, params![1, "half", 1])?;
                panic!("a job of a test, on purpose");
            });
            assert!(matches!(outcome, Err(StoreError::Broken { .. })));
            assert_eq!(store.read(count).unwrap(), 0);
            store.write(note(1, "whole")).unwrap();
        });
    }

    #[test]
    fn a_full_queue_says_busy() {
        both_engines_with(&Options { queue_max: 2, ..tiny() }, |store| {
            let (release, held) = hold(&store);
            let waiting = [store.submit(note(1, "one")), store.submit(note(2, "two"))];
            assert_eq!(store.write(note(3, "three")).unwrap_err(), StoreError::Busy);
            drop(release);
            held.wait().unwrap();
            for pending in waiting {
                pending.wait().unwrap();
            }
            assert_eq!(store.read(count).unwrap(), 2);
        });
    }

    #[test]
    fn what_waits_is_answered_before_the_store_closes() {
        both_engines_with(&tiny(), |store| {
            let (release, _held) = hold(&store);
            let pending: Vec<_> = (0..600).map(|id| store.submit(note(id, "again"))).collect();
            drop(release);
            drop(store);
            for one in pending {
                assert_eq!(one.wait().unwrap(), 1);
            }
        });
    }

    #[test]
    fn a_write_inside_a_write_is_refused_instead_of_waiting_for_itself() {
        both_engines_with(&tiny(), |store| {
            let inner = store.clone();
            let outcome = store.write(move |_tx| inner.write(note(1, "inner")));
            assert!(matches!(outcome, Err(StoreError::Broken { .. })));
        });
    }

    #[test]
    fn a_read_sees_one_state_from_first_to_last() {
        both_engines_with(&tiny(), |store| {
            store.write(note(1, "one")).unwrap();
            let (before, after) = store
                .read(|tx| {
                    let before = count(tx)?;
                    store.write(note(2, "two"))?;
                    Ok::<_, StoreError>((before, count(tx)?))
                })
                .unwrap();
            assert_eq!((before, after), (1, 1));
            assert_eq!(store.read(count).unwrap(), 2);
        });
    }

    #[test]
    fn a_read_cannot_write() {
        both_engines_with(&tiny(), |store| {
            let outcome = store.read(|tx| tx.execute(&ADD_NOTE, params![1, "one", 1]));
            assert!(matches!(outcome, Err(StoreError::Broken { .. })), "{outcome:?}");
            assert_eq!(store.read(count).unwrap(), 0);
        });
    }

    #[test]
    fn a_read_that_stops_at_a_row_or_panics_leaves_the_next_read_well() {
        both_engines_with(&Options { readers_max: 1, ..tiny() }, |store| {
            store
                .write(|tx| {
                    for id in 0..2000 {
                        tx.execute(&ADD_NOTE, params![id, "again", None::<bool>])?;
                    }
                    Ok::<_, StoreError>(())
                })
                .unwrap();
            let stopped = store.read(|tx| {
                let stop = tx.query(&NOTES_BY_BODY, params![], |row| row.int(0));
                assert!(matches!(stop, Err(StoreError::Corrupt { column: 0, .. })));
                count(tx)
            });
            assert_eq!(stopped.unwrap(), 2000);
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                store.read(|tx| {
                    count(tx)?;
                    panic!("a read of a test, on purpose");
                    #[expect(unreachable_code, reason = "gives the closure its type")]
                    Ok::<(), StoreError>(())
                })
            }));
            assert!(panicked.is_err());
            assert_eq!(store.read(count).unwrap(), 2000);
        });
    }

    #[test]
    fn two_programs_racing_for_the_last_place_never_overfill_a_caseload() {
        const CASELOAD_MAX: i64 = 5;
        for engine in engines() {
            let database = TestDatabase::empty(engine);
            let stores = [0, 1].map(|_| Store::open_with(database.url(), &tiny()).unwrap());
            let taken: i64 = std::thread::scope(|scope| {
                let racers: Vec<_> = (0..8)
                    .map(|racer| {
                        let store = stores[racer % 2].clone();
                        scope.spawn(move || (0..4).map(|turn| take_place(&store, racer, turn)).sum::<i64>())
                    })
                    .collect();
                racers.into_iter().map(|racer| racer.join().unwrap()).sum()
            });
            let held = stores[0].read(places).unwrap();
            assert_eq!((taken, held), (CASELOAD_MAX, CASELOAD_MAX), "on {engine}");
        }

        fn places(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
            Ok(tx.query_one(&COUNT_PLACES, params!["supporter"], |row| row.int(0))?.unwrap_or(i64::MAX))
        }

        fn take_place(store: &Store, racer: usize, turn: usize) -> i64 {
            let attempt = store.write(move |tx| {
                if places(tx)? >= CASELOAD_MAX {
                    return Ok::<_, StoreError>(0);
                }
                tx.execute(&ADD_PLACE, params![format!("{racer}-{turn}"), "supporter"])?;
                Ok(1)
            });
            match attempt {
                Ok(taken) => taken,
                // Others would not give way: nothing was kept, and nothing may have been.
                Err(StoreError::Busy) => 0,
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[test]
    fn killed_connections_are_survived() {
        for engine in engines().into_iter().filter(|engine| *engine == Engine::Postgres) {
            let database = TestDatabase::empty(engine);
            let store = Store::open_with(database.url(), &tiny()).unwrap();
            store.write(note(1, "one")).unwrap();
            assert_eq!(store.read(count).unwrap(), 1);
            assert_eq!(database.kill_connections(), 2);
            store.write(note(2, "two")).unwrap();
            assert_eq!(store.read(count).unwrap(), 2);

            // Killed in the middle of a job: the job runs again from the start.
            let mut runs = 0;
            let killer = database.url().clone();
            let outcome = store.write(move |tx| {
                runs += 1;
                tx.execute(&ADD_NOTE, params![3, "three", 1])?;
                if runs == 1 {
                    testing::kill_connections(&killer);
                }
                tx.execute(&ADD_NOTE, params![4, "four", 1])?;
                Ok::<_, StoreError>(runs)
            });
            assert_eq!(outcome.unwrap(), 2);
            assert_eq!(store.read(count).unwrap(), 4);

            // Killed between the last statement and the commit: nobody can know, and it is never called a success.
            let killer = database.url().clone();
            let outcome = store.write(move |tx| {
                tx.execute(&ADD_NOTE, params![5, "five", 1])?;
                testing::kill_connections(&killer);
                Ok::<_, StoreError>(())
            });
            assert!(matches!(outcome, Err(StoreError::Unavailable { .. })), "{outcome:?}");
            assert_eq!(store.read(count).unwrap(), 4);
        }
    }

    #[test]
    fn a_full_disk_is_an_error_and_never_a_success() {
        let database = TestDatabase::empty(Engine::Sqlite);
        let store = Store::open_with(database.url(), &Options { sqlite_pages_max: Some(60), ..tiny() }).unwrap();
        let large = |id: i64| {
            move |tx: &mut Tx<'_>| {
                tx.execute(&ADD_NOTE, params![id, "again", None::<bool>])?;
                tx.execute(&FILL_NOTE, params![id, vec![7_u8; 20_000], None::<&str>])
            }
        };
        let alone: Vec<_> = (0..5).map(|id| store.write(large(id))).collect();
        let (release, held) = hold(&store);
        let together: Vec<_> = (5..40).map(|id| store.submit(large(id))).collect();
        drop(release);
        held.wait().unwrap();
        let answers: Vec<_> = alone.into_iter().chain(together.into_iter().map(Pending::wait)).collect();
        let kept = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!(kept > 0 && kept < answers.len(), "{kept} of {}", answers.len());
        for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert_eq!(*refused, StoreError::Unavailable { why: "the disk is full" });
        }
        drop(store);
        let reopened = Store::open_with(database.url(), &tiny()).unwrap();
        assert_eq!(reopened.read(count).unwrap(), i64::try_from(kept).unwrap());
        reopened.write(large(100)).unwrap();
    }

    #[test]
    fn every_statement_prepares_and_says_only_what_both_engines_understand() {
        both_engines_with(&tiny(), |store| testing::prepare_all(&store, all()));
        assert_eq!(quarrels(all()), []);
    }

    #[test]
    fn a_statement_that_one_engine_does_not_understand_is_found_by_preparing() {
        both_engines_with(&tiny(), |store| {
            let only_one = match store.engine() {
                Engine::Sqlite => "SELECT CAST($1 AS uuid)::uuid",
                Engine::Postgres => "SELECT strftime('%Y', $1)",
            };
            let statement = Statement { name: "only_one", sql: only_one };
            let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                testing::prepare_all(&store, &[statement]);
            }));
            assert!(found.is_err());
        });
    }

    #[test]
    fn statements_that_ran_are_on_record() {
        both_engines_with(&tiny(), |store| {
            store.write(note(1, "one")).unwrap();
            let found = store.read(|tx| tx.query(&BACKENDS, params!["say ", 5, 10], |row| row.text(0))).unwrap();
            assert_eq!(found, ["say one"]);
            let ran = testing::ran(store.engine());
            assert!(ran.contains(ADD_NOTE.name) && ran.contains(BACKENDS.name));
            assert!(!ran.contains("never"));
        });
    }

    #[test]
    fn both_engines_get_the_same_schema() {
        let mut schemas = Vec::new();
        for engine in engines() {
            let database = TestDatabase::empty(engine);
            schemas.push(testing::schema(&Store::open_with(database.url(), &tiny()).unwrap()));
        }
        assert!(schemas[0].contains(&"note.body TEXT required".to_owned()), "{:?}", schemas[0]);
        assert!(schemas[0].contains(&"place.id TEXT required".to_owned()), "{:?}", schemas[0]);
        assert!(schemas[0].contains(&"note.data BLOB optional".to_owned()), "{:?}", schemas[0]);
        assert!(schemas[0].contains(&"index note_body".to_owned()), "{:?}", schemas[0]);
        for schema in &schemas {
            assert_eq!(*schema, schemas[0]);
        }
    }
}
