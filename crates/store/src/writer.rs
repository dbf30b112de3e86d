//! The one thread that writes, and commits in groups.
//!
//! Whatever waits is done in one transaction and answered together after its commit, so that many senders share one
//! flush of the disk. When a job of a group errs, the group is undone and each of its jobs is done again alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

use crate::engine::error::{Failure, Remedy};
use crate::engine::{Connection, Tx};
use crate::{Database, StoreError};

/// How often a group tries again when other programs get in its way. One of those that collide always gets through,
/// so that this many losses in a row mean a crowd.
const ATTEMPTS_MAX: u32 = 20;

/// How often a group looks for a lost server before its jobs are answered.
const RECONNECTS_MAX: u32 = 3;

/// The pause before looking for a lost server again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

const STOPPED: StoreError = StoreError::Unavailable { why: "the writer has stopped" };

/// The answer to a job that has been queued.
#[must_use = "nothing is known to be kept until it is waited for"]
pub struct Pending<T, E> {
    answer: Receiver<Result<T, E>>,
}

impl<T, E: From<StoreError>> Pending<T, E> {
    /// Waits until the job is durable, or refused.
    ///
    /// # Errors
    /// Those of [`crate::Store::write`].
    pub fn wait(self) -> Result<T, E> {
        self.answer.recv().unwrap_or_else(|_| Err(E::from(STOPPED)))
    }
}

/// The writing thread, from outside.
pub(crate) struct Writer {
    queue: Option<SyncSender<Box<dyn Work>>>,
    thread: Option<JoinHandle<()>>,
    id: ThreadId,
}

impl Writer {
    /// Starts the thread, which owns the connection from here on.
    pub(crate) fn start(database: Database, connection: Connection, group_max: usize, queue_max: usize) -> Result<Self, StoreError> {
        let (queue, waiting) = sync_channel(queue_max);
        let desk = Desk { database, connection: Some(connection), stopped: None };
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || desk.run(&waiting, group_max))
            .map_err(|_| StoreError::Unavailable { why: "no thread could be started" })?;
        let id = thread.thread().id();
        Ok(Self { queue: Some(queue), thread: Some(thread), id })
    }

    /// Whether the caller is a job of this writer's.
    pub(crate) fn is_this_thread(&self) -> bool {
        thread::current().id() == self.id
    }

    pub(crate) fn submit<T, E>(&self, job: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static) -> Pending<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = sync_channel(1);
        let work = Box::new(Job { job, outcome: None, reply });
        let refused = match self.queue.as_ref().map(|queue| queue.try_send(work)) {
            Some(Ok(())) => None,
            Some(Err(TrySendError::Full(work))) => Some((work, StoreError::Busy)),
            Some(Err(TrySendError::Disconnected(work))) => Some((work, STOPPED)),
            // Without its queue the writer is being dropped, and nobody can call.
            None => None,
        };
        if let Some((mut work, error)) = refused {
            work.refuse(error);
            work.answer();
        }
        Pending { answer }
    }
}

impl Drop for Writer {
    /// Answers what still waits, then closes.
    fn drop(&mut self) {
        self.queue = None;
        if self.is_this_thread() {
            // The last clone of the store was held by a job: the thread ends by itself when the queue is empty.
            return;
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A job of any types.
trait Work: Send {
    /// Does the job and keeps its outcome; whether the transaction may be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Makes an error the outcome.
    fn refuse(&mut self, error: StoreError);
    /// Answers the caller with the outcome.
    fn answer(self: Box<Self>);
}

struct Job<F, T, E> {
    job: F,
    outcome: Option<Result<T, E>>,
    reply: SyncSender<Result<T, E>>,
}

impl<F, T, E> Work for Job<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.job)(tx)))
            .unwrap_or_else(|_| Err(E::from(StoreError::Broken { place: "a job", code: "panic".to_owned() })));
        let outcome = match tx.failure() {
            Some(failure) if outcome.is_ok() => Err(E::from(failure.error.clone())),
            _ => outcome,
        };
        self.outcome.insert(outcome).is_ok()
    }

    fn refuse(&mut self, error: StoreError) {
        self.outcome = Some(Err(E::from(error)));
    }

    fn answer(self: Box<Self>) {
        // Without an outcome nothing is sent, and the caller is told that the writer has stopped.
        if let Some(outcome) = self.outcome {
            // The caller may have gone.
            let _ = self.reply.send(outcome);
        }
    }
}

/// What became of a group.
enum Verdict {
    /// All of it is durable.
    Kept,
    /// A job of it erred, or a rule of the schema broke at the commit: nothing was kept.
    Refused,
    /// Nothing can be said to be kept.
    Failed(StoreError),
}

/// How one attempt at a group ended.
enum Ended {
    For(Verdict),
    Retry(Failure),
}

/// The writing thread, from inside.
struct Desk {
    database: Database,
    connection: Option<Connection>,
    /// Set when the disk broke its promise: then nothing is written any more.
    stopped: Option<StoreError>,
}

impl Desk {
    fn run(mut self, waiting: &Receiver<Box<dyn Work>>, group_max: usize) {
        let mut group = Vec::with_capacity(group_max);
        while let Ok(first) = waiting.recv() {
            group.push(first);
            group.extend(waiting.try_iter().take(group_max - 1));
            self.settle(&mut group);
        }
    }

    /// Does a group and answers every job of it, leaving it empty.
    fn settle(&mut self, group: &mut Vec<Box<dyn Work>>) {
        match self.keep(group) {
            Verdict::Refused if group.len() > 1 => {
                for job in group.drain(..) {
                    self.settle(&mut vec![job]);
                }
            }
            Verdict::Failed(error) => {
                for mut job in group.drain(..) {
                    job.refuse(error.clone());
                    job.answer();
                }
            }
            Verdict::Kept | Verdict::Refused => group.drain(..).for_each(Work::answer),
        }
    }

    /// Does a group in one transaction, as often as it takes within the limits.
    fn keep(&mut self, group: &mut [Box<dyn Work>]) -> Verdict {
        let (mut collisions, mut losses) = (0, 0);
        loop {
            if let Some(error) = &self.stopped {
                return Verdict::Failed(error.clone());
            }
            let failure = match self.attempt(group) {
                Ended::For(verdict) => return verdict,
                Ended::Retry(failure) => failure,
            };
            let count = if failure.remedy == Remedy::Again { &mut collisions } else { &mut losses };
            *count += 1;
            if collisions >= ATTEMPTS_MAX || losses >= RECONNECTS_MAX {
                return Verdict::Failed(failure.error);
            }
            if failure.remedy == Remedy::Again {
                thread::sleep(Duration::from_millis(1 << collisions.min(5)));
            } else if losses > 1 {
                // The first loss is mostly an idle connection that the server closed: a new one is there at once.
                thread::sleep(RECONNECT_PAUSE);
            }
        }
    }

    fn attempt(&mut self, group: &mut [Box<dyn Work>]) -> Ended {
        let mut connection = match self.begun() {
            Ok(connection) => connection,
            Err(failure) => return ended(failure),
        };
        match run_all(&mut connection, group) {
            Ok(true) => self.commit(connection, group),
            Ok(false) => {
                self.undo(connection);
                Ended::For(Verdict::Refused)
            }
            Err(failure) => {
                self.undo(connection);
                Ended::Retry(failure)
            }
        }
    }

    /// The connection, or a new one, with a transaction begun.
    fn begun(&mut self) -> Result<Connection, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.database.connect_to_write().map_err(unreached)?,
        };
        match connection.begin() {
            Ok(()) => Ok(connection),
            Err(failure) => {
                if failure.remedy != Remedy::Reconnect {
                    self.undo(connection);
                }
                Err(failure)
            }
        }
    }

    fn undo(&mut self, mut connection: Connection) {
        if connection.rollback() {
            self.connection = Some(connection);
        }
    }

    fn commit(&mut self, mut connection: Connection, group: &mut [Box<dyn Work>]) -> Ended {
        let Err(failure) = connection.commit() else {
            self.connection = Some(connection);
            return Ended::For(Verdict::Kept);
        };
        self.undo(connection);
        match failure.remedy {
            Remedy::Again => Ended::Retry(failure),
            // Sent, and no answer came: it may be kept or not, and doing it again could do it twice.
            Remedy::Reconnect => Ended::For(Verdict::Failed(failure.error)),
            Remedy::Stop => {
                self.stopped = Some(failure.error.clone());
                Ended::For(Verdict::Failed(failure.error))
            }
            Remedy::None => {
                // A job alone is the one that broke it; of several, each finds out alone.
                if let [job] = group {
                    job.refuse(failure.error);
                }
                Ended::For(Verdict::Refused)
            }
        }
    }
}

/// Runs the jobs in order until one errs; whether all may be kept. `Err` when the same work may succeed later.
fn run_all(connection: &mut Connection, group: &mut [Box<dyn Work>]) -> Result<bool, Failure> {
    for job in group {
        let mut tx = Tx::begun(connection);
        let fine = job.run(&mut tx);
        match tx.into_failure() {
            Some(failure) if matches!(failure.remedy, Remedy::Again | Remedy::Reconnect) => return Err(failure),
            _ if !fine => return Ok(false),
            _ => {}
        }
    }
    Ok(true)
}

/// How an attempt ends that could not even begin.
fn ended(failure: Failure) -> Ended {
    match failure.remedy {
        Remedy::Again | Remedy::Reconnect => Ended::Retry(failure),
        Remedy::None | Remedy::Stop => Ended::For(Verdict::Failed(failure.error)),
    }
}

/// A server that cannot be reached may be there in a moment.
fn unreached(error: StoreError) -> Failure {
    let remedy = match error {
        StoreError::Unavailable { .. } => Remedy::Reconnect,
        _ => Remedy::None,
    };
    Failure { error, remedy }
}
