//! The audit at the command line, and its heads that are written down outside the database.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use alongside_app::{App, Failure};
use alongside_store::audit::{Head, Tampering, Verdict};
use clap::Subcommand;
use tracing::info;

use crate::output::{remark, say};

/// What is asked of the audit.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Check every line. Ends with status 1, and names the first bad place, if one is not as it was written.
    Verify {
        /// Heads that were written down outside, instead of the configured file: best a copy that the database's
        /// administrators cannot change.
        #[arg(long, value_name = "FILE")]
        heads: Option<PathBuf>,
    },
    /// Print the newest line's time, number and code, to be kept outside.
    Head,
}

/// Answers it.
///
/// # Errors
/// The store's, or when the file of heads cannot be read.
pub(crate) fn run(app: &App, what: &Audit) -> Result<ExitCode, Failure> {
    match what {
        Audit::Verify { heads } => verify(app, heads.as_deref()),
        Audit::Head => {
            match app.audit_head()? {
                Some(head) => say(&to_line(&head)),
                None => remark("the audit has not begun"),
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn verify(app: &App, named: Option<&Path>) -> Result<ExitCode, Failure> {
    let path = named.unwrap_or(Path::new(&app.setup.server.audit_heads));
    let heads = match read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => Vec::new(),
        read => read.map_err(|error| unusable(path, &error))?,
    };
    let unread = heads.iter().filter(|line| line.is_none()).count();
    if unread > 0 {
        remark(&format!("{unread} lines of {} are not heads and were left out", path.display()));
    }
    let heads: Vec<_> = heads.into_iter().flatten().collect();
    if heads.is_empty() {
        remark("no heads from outside: lines that are missing at the end, and an audit put back to an older state, are not found");
    }
    let verdict = app.verify_audit(&heads)?;
    say(&words(&verdict, heads.len()));
    Ok(if verdict.is_whole() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn words(verdict: &Verdict, heads: usize) -> String {
    let checked = format!("{} lines checked against {heads} heads", verdict.lines);
    match (verdict.tampering, &verdict.head) {
        (None, Some(head)) => format!("{checked}: whole, up to {}", to_line(head)),
        (None, None) => format!("{checked}: the audit has not begun"),
        (Some(Tampering::Stray(seq)), _) => format!("{checked}: NOT WHOLE: number {seq} {}", Tampering::Stray(seq).words()),
        (Some(found), _) => format!("{checked}: NOT WHOLE: line {} {}", found.seq(), found.words()),
    }
}

/// A head as a line: time, number, code.
fn to_line(head: &Head) -> String {
    format!("{} {} {}", head.at, head.seq, head.mac)
}

/// Reads [`to_line`] back.
fn from_line(line: &str) -> Option<Head> {
    let mut words = line.split_ascii_whitespace();
    let head = Head { at: words.next()?.parse().ok()?, seq: words.next()?.parse().ok()?, mac: words.next()?.to_owned() };
    let is_code = head.mac.len() == 64 && head.mac.bytes().all(|digit| digit.is_ascii_hexdigit());
    (is_code && head.seq > 0 && words.next().is_none()).then_some(head)
}

/// The heads of a file; `None` for a line that is none, such as one that a full disk cut short.
fn read(path: &Path) -> std::io::Result<Vec<Option<Head>>> {
    Ok(std::fs::read_to_string(path)?.lines().map(from_line).collect())
}

fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::invalid(path.display().to_string(), format!("cannot be used for the audit's heads: {}", error.kind()))
}

/// The file to which heads are added. It is only ever added to. Cheap to clone; clones share it.
#[derive(Clone)]
pub(crate) struct Heads {
    path: PathBuf,
    open: Arc<Mutex<Open>>,
}

struct Open {
    file: File,
    /// The number of the head that was added last.
    last: Option<u64>,
}

impl Heads {
    /// Opens the file, and makes it where there is none.
    ///
    /// # Errors
    /// Where it can be neither.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let opened = || {
            let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o640).open(path)?;
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            if !text.is_empty() && !text.ends_with('\n') {
                // The last one was cut short: what follows begins a line of its own.
                file.seek(SeekFrom::End(0))?;
                file.write_all(b"\n")?;
            }
            let last = text.lines().rev().find_map(from_line).map(|head| head.seq);
            Ok(Open { file, last })
        };
        let open = opened().map_err(|error| unusable(path, &error))?;
        Ok(Self { path: path.to_owned(), open: Arc::new(Mutex::new(open)) })
    }

    /// Adds the newest line's head, to the file and to the log, unless it was added last.
    ///
    /// # Errors
    /// The store's, or when the file cannot be written.
    pub(crate) fn note(&mut self, app: &App) -> Result<(), Failure> {
        let Some(head) = app.audit_head()? else { return Ok(()) };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.last == Some(head.seq) {
            return Ok(());
        }
        info!(seq = head.seq, mac = %head.mac, "audit head");
        let line = format!("{}\n", to_line(&head));
        open.file.write_all(line.as_bytes()).and_then(|()| open.file.sync_data()).map_err(|error| unusable(&self.path, &error))?;
        open.last = Some(head.seq);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use alongside_app::Setup;
    use alongside_app::setup::Extra;
    use alongside_app::testing::{FixedWorld, keys};
    use alongside_domain::decision::Actor;
    use alongside_store::Store;
    use alongside_store::audit::{self, Entry, Outcome};
    use alongside_store::testing::{Tamper, both_engines, tamper};
    use jiff::Timestamp;

    use super::*;

    /// An application whose file of heads is in a folder.
    fn app(store: Store, folder: &Path) -> App {
        let mut setup = Setup::read(crate::config::DEFAULT, &Extra::default()).unwrap();
        setup.server.audit_heads = folder.join("heads").display().to_string();
        App::new(store, Arc::new(setup), FixedWorld::at(Timestamp::UNIX_EPOCH), keys())
    }

    fn append(app: &App, lines: u32) {
        for _ in 0..lines {
            let key = app.keys.audit.clone();
            let entry = Entry {
                at: app.world.now(),
                actor: Actor::Operator,
                action: "see-list".into(),
                purpose: "operations".into(),
                site: None,
                outcome: Outcome::Allowed,
                detail: None,
                subjects: Vec::new(),
            };
            app.store.write(move |tx| audit::append(tx, &key, &entry)).unwrap();
        }
    }

    fn status(app: &App, heads: Option<&Path>) -> ExitCode {
        run(app, &Audit::Verify { heads: heads.map(Path::to_owned) }).unwrap()
    }

    fn told(app: &App, heads: &Path) -> String {
        let heads: Vec<_> = read(heads).unwrap().into_iter().flatten().collect();
        words(&app.verify_audit(&heads).unwrap(), heads.len())
    }

    #[test]
    fn heads_are_added_when_they_changed_and_find_a_tail_that_was_cut_off() {
        both_engines(|store| {
            let folder = tempfile::tempdir().unwrap();
            let app = app(store, folder.path());
            let path = PathBuf::from(&app.setup.server.audit_heads);
            let mut heads = Heads::open(&path).unwrap();
            heads.note(&app).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "", "nothing is noted of an audit that has not begun");
            for _ in 0..3 {
                append(&app, 4);
                heads.note(&app).unwrap();
                heads.note(&app).unwrap();
            }
            // A program that starts again goes on with the same file.
            Heads::open(&path).unwrap().note(&app).unwrap();
            let seqs = |path: &Path| read(path).unwrap().into_iter().map(|head| head.map(|head| head.seq)).collect::<Vec<_>>();
            assert_eq!(seqs(&path), [Some(4), Some(8), Some(12)]);
            assert_eq!(status(&app, None), ExitCode::SUCCESS);
            assert!(told(&app, &path).starts_with("12 lines checked against 3 heads: whole, up to 1970-01-01T00:00:00Z 12 "));

            tamper(&app.store, Tamper::CutAfter(8));
            assert_eq!(status(&app, None), ExitCode::FAILURE);
            assert_eq!(status(&app, Some(&path)), ExitCode::FAILURE);
            assert!(told(&app, &path).starts_with("8 lines checked against 3 heads: NOT WHOLE: line 9 and all after it were removed"));
            let none = folder.path().join("none");
            fs::write(&none, "").unwrap();
            assert_eq!(status(&app, Some(&none)), ExitCode::SUCCESS, "without a head from outside nobody can tell");
        });
    }

    #[test]
    fn a_line_that_was_altered_is_named_at_the_command_line() {
        both_engines(|store| {
            let folder = tempfile::tempdir().unwrap();
            let app = app(store, folder.path());
            append(&app, 200);
            tamper(&app.store, Tamper::Alter(138));
            assert_eq!(status(&app, None), ExitCode::FAILURE);
            let verdict = app.verify_audit(&[]).unwrap();
            assert!(words(&verdict, 0).starts_with("137 lines checked against 0 heads: NOT WHOLE: line 138 was altered"));
        });
    }

    #[test]
    fn a_head_that_was_cut_short_spoils_no_other() {
        both_engines(|store| {
            let folder = tempfile::tempdir().unwrap();
            let app = app(store, folder.path());
            let path = PathBuf::from(&app.setup.server.audit_heads);
            append(&app, 1);
            Heads::open(&path).unwrap().note(&app).unwrap();
            OpenOptions::new().append(true).open(&path).unwrap().write_all(b"2025-01-06T08:30:00Z 2 0123").unwrap();
            append(&app, 2);
            Heads::open(&path).unwrap().note(&app).unwrap();
            let heads = read(&path).unwrap();
            assert_eq!(heads.iter().map(|head| head.as_ref().map(|head| head.seq)).collect::<Vec<_>>(), [Some(1), None, Some(3)]);
            assert_eq!(status(&app, None), ExitCode::SUCCESS);
        });
    }

    #[test]
    fn a_file_of_heads_that_was_named_and_is_not_there_is_refused() {
        both_engines(|store| {
            let folder = tempfile::tempdir().unwrap();
            let app = app(store, folder.path());
            let missing = run(&app, &Audit::Verify { heads: Some(folder.path().join("missing")) });
            assert!(matches!(missing, Err(Failure::Invalid(_))));
            assert_eq!(run(&app, &Audit::Head), Ok(ExitCode::SUCCESS));
        });
    }
}
