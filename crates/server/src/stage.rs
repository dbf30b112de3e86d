//! The demo's stage: its clock, which moves on when a visitor moves it, and its beginning, to which it can return.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alongside_app::{App, Failure, World, london_date, london_instant, london_time};
use alongside_domain::supporter::StaffId;
use alongside_store::Store;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::clock::SetClock;
use crate::current::Current;
use crate::{cli, serve};

/// The hour and minute at which a day of the demo begins.
const MORNING: (i8, i8) = (8, 30);
/// Days over which the clock can be moved, from the demo's beginning.
const DAYS_MAX: i64 = 366;
/// How many pages are noted as read at most.
const PAGES_MAX: usize = 10_000;
/// The database as it was when the year had been played.
const KEPT: &str = "beginning.db";
/// What the demo's databases are called: this, `-` and a number after it has begun again, and `.db`.
const NAME: &str = "alongside";
/// The folder of letters within the demo's.
pub(crate) const LETTERS: &str = "letters";

/// The stage.
pub(crate) struct Stage {
    current: Current,
    clock: Arc<SetClock>,
    begins: Timestamp,
    /// The demo's folder; none on PostgreSQL, where nothing is kept to return to.
    folder: Option<PathBuf>,
    /// The letters that were there in the beginning.
    letters: BTreeSet<PathBuf>,
    /// Held by whoever moves the clock or begins again: one at a time.
    turn: Mutex<()>,
    /// How often the demo has begun again.
    times: AtomicU32,
    /// Who has read which page since the beginning.
    read: Mutex<BTreeSet<(StaffId, String)>>,
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stage")
    }
}

impl Stage {
    /// Sets the stage, and keeps the beginning where there is a folder for it.
    ///
    /// # Errors
    /// When the beginning cannot be kept.
    pub(crate) fn new(current: Current, clock: Arc<SetClock>, folder: Option<&Path>) -> Result<Self, Failure> {
        let begins = clock.now();
        if let Some(folder) = folder {
            let kept = alongside_store::backup(&current.get().store, &folder.join(KEPT));
            kept.map_err(|error| Failure::Broken(format!("the demo's beginning: {error}")))?;
        }
        let letters = folder.map(letters_in).transpose()?.unwrap_or_default();
        let (turn, times, read) = (Mutex::new(()), AtomicU32::new(0), Mutex::default());
        Ok(Self { current, clock, begins, folder: folder.map(Path::to_owned), letters, turn, times, read })
    }

    /// When the demo began, by its own clock.
    pub(crate) const fn begins(&self) -> Timestamp {
        self.begins
    }

    /// Whether it can return to its beginning.
    pub(crate) const fn can_begin_again(&self) -> bool {
        self.folder.is_some()
    }

    /// Moves the clock on, day by day, and does at each morning what time brings. Demo sessions go along.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for a time that is past or too far off; what could not be done.
    pub(crate) fn move_to(&self, at: Timestamp) -> Result<(), Failure> {
        let _turn = self.take_turn();
        let now = self.clock.now();
        if at <= now {
            return Err(Failure::invalid("day", "must be later than the demo’s clock: it only moves on"));
        }
        if at > self.begins + SignedDuration::from_hours(24 * DAYS_MAX) {
            return Err(Failure::invalid("day", "must be within a year of the demo’s beginning"));
        }
        let app = self.current.get();
        app.flush()?;
        app.carry_sessions(at.duration_since(now))?;
        let mut next = morning_after(now);
        while let Some(morning) = next.filter(|morning| *morning < at) {
            self.clock.set(morning);
            serve::what_time_brings(&app)?;
            next = morning_after(morning);
        }
        self.clock.set(at);
        serve::what_time_brings(&app)
    }

    /// How often the demo has begun again.
    pub(crate) fn times(&self) -> u32 {
        self.times.load(Ordering::SeqCst)
    }

    /// Returns to the beginning: a new database beside the old one takes its place under pages and listeners, and the old
    /// one goes. `times` is how often the demo had begun again when this was asked for: of those who ask at once, one is
    /// carried out for all.
    ///
    /// # Errors
    /// [`Failure::NotFound`] where nothing was kept; what the disk or the store says, and then all is as before.
    pub(crate) fn begin_again(&self, times: u32) -> Result<(), Failure> {
        let folder = self.folder.as_deref().ok_or(Failure::NotFound)?;
        let _turn = self.take_turn();
        let before = self.times();
        if before != times {
            return Ok(());
        }
        let path = database(folder, before + 1);
        remove_database(&path)?;
        fs::copy(folder.join(KEPT), &path).map_err(|error| broken(&error))?;
        let old = self.current.get();
        let store = Store::open(&cli::database(&format!("sqlite:{}", path.display()))?)?;
        let app = App::new(store, Arc::clone(&old.setup), Arc::<SetClock>::clone(&self.clock), old.keys.clone());
        self.clock.set(self.begins);
        self.current.put(app);
        self.times.store(before + 1, Ordering::SeqCst);
        self.pages_read().clear();
        for letter in letters_in(folder)?.difference(&self.letters) {
            fs::remove_file(letter).map_err(|error| broken(&error))?;
        }
        // What is still being answered from it goes on; its name goes now, and its pages with the last that has it open.
        remove_database(&database(folder, before))
    }

    /// Notes that somebody has read a page: what a tour asks for where nothing else tells.
    pub(crate) fn note_read(&self, who: &StaffId, path: &str) {
        let mut pages = self.pages_read();
        if pages.len() < PAGES_MAX {
            pages.insert((who.clone(), path.to_owned()));
        }
    }

    /// Whether somebody has read a page of which this holds.
    pub(crate) fn has_read(&self, who: &StaffId, is_it: impl Fn(&str) -> bool) -> bool {
        self.pages_read().iter().any(|(reader, path)| reader == who && is_it(path))
    }

    fn pages_read(&self) -> MutexGuard<'_, BTreeSet<(StaffId, String)>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The morning of a day.
pub(crate) fn morning_of(day: Date) -> Option<Timestamp> {
    london_instant(day.at(MORNING.0, MORNING.1, 0, 0))
}

/// The next morning that is not this one.
pub(crate) fn morning_after(at: Timestamp) -> Option<Timestamp> {
    let today = london_date(at);
    let this = morning_of(today).filter(|morning| *morning > at);
    this.or_else(|| morning_of(today.tomorrow().ok()?))
}

/// The same time on the wall, days later.
pub(crate) fn days_later(at: Timestamp, days: i32) -> Option<Timestamp> {
    london_instant(london_time(at).checked_add(days.days()).ok()?)
}

fn database(folder: &Path, times: u32) -> PathBuf {
    folder.join(if times == 0 { format!("{NAME}.db") } else { format!("{NAME}-{times}.db") })
}

/// The demo's first database.
pub(crate) fn first_database(folder: &Path) -> PathBuf {
    database(folder, 0)
}

/// Removes the databases that an earlier demo left, its beginning and its letters, and nothing else.
pub(crate) fn clear(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| broken(&error))?;
    for entry in fs::read_dir(folder).map_err(|error| broken(&error))? {
        let path = entry.map_err(|error| broken(&error))?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(is_database) {
            remove_database(&path)?;
        }
    }
    match fs::remove_dir_all(folder.join(LETTERS)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(broken(&error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn is_database(name: &str) -> bool {
    let Some(stem) = ["", "-wal", "-shm"].iter().find_map(|ending| name.strip_suffix(&format!(".db{ending}"))) else { return false };
    let number = stem.strip_prefix(NAME).map(|rest| rest.strip_prefix('-').unwrap_or(rest));
    stem == KEPT.trim_end_matches(".db") || number.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
}

fn remove_database(path: &Path) -> Result<(), Failure> {
    for ending in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match fs::remove_file(PathBuf::from(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(broken(&error)),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

fn letters_in(folder: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    match fs::read_dir(folder.join(LETTERS)) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path()).map_err(|error| broken(&error))).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(broken(&error)),
    }
}

fn broken(error: &std::io::Error) -> Failure {
    Failure::Broken(format!("the demo's folder: {}", error.kind()))
}

#[cfg(test)]
mod tests {
    use alongside_app::setup::{Extra, Setup};
    use alongside_app::simulate::DEMO_CONFIGURATION;
    use alongside_domain::session::Method;
    use jiff::civil::date;
    use tempfile::TempDir;

    use super::*;

    const NURSE: &str = "nurse-aoife";

    fn stage() -> (TempDir, Stage, Current) {
        let folder = tempfile::tempdir().unwrap();
        let mut setup = Setup::read(DEMO_CONFIGURATION, &Extra::default()).unwrap();
        setup.server.letters = Some(folder.path().join(LETTERS).display().to_string());
        let clock = Arc::new(SetClock::default());
        clock.set(morning_of(date(2025, 1, 6)).unwrap());
        let url = cli::database(&format!("sqlite:{}", first_database(folder.path()).display())).unwrap();
        let keys = alongside_app::testing::keys();
        let app = App::new(Store::open(&url).unwrap(), Arc::new(setup), Arc::<SetClock>::clone(&clock), keys);
        let current = Current::from(app);
        let stage = Stage::new(current.clone(), clock, Some(folder.path())).unwrap();
        (folder, stage, current)
    }

    #[test]
    fn the_clock_moves_on_only_and_not_for_ever() {
        let (_folder, stage, current) = stage();
        let who = StaffId(NURSE.into());
        let session = current.get().open_session(&who, Method::Demo).unwrap();
        stage.move_to(morning_of(date(2025, 3, 4)).unwrap()).unwrap();
        assert_eq!(current.get().today(), date(2025, 3, 4));
        assert!(current.get().session(session.reveal()).unwrap().is_some(), "a jump of eight weeks signs nobody out");
        assert!(!current.get().desk("grace").unwrap().viewer().cleared, "the contract ended on 3 March");
        for refused in [date(2025, 3, 4), date(2025, 1, 6), date(2026, 6, 1)] {
            assert!(matches!(stage.move_to(morning_of(refused).unwrap()), Err(Failure::Invalid(_))), "{refused}");
        }
    }

    #[test]
    fn it_begins_again_as_it_began_under_whoever_holds_the_place() {
        let (folder, stage, current) = stage();
        let who = StaffId(NURSE.into());
        current.get().desk(NURSE).unwrap().search("chelwest", "nobody").unwrap();
        stage.move_to(morning_of(date(2025, 1, 9)).unwrap()).unwrap();
        stage.note_read(&who, "/figures");
        let held = current.get();
        assert!(held.audit_head().unwrap().is_some());
        stage.begin_again(stage.times()).unwrap();
        let anew = current.get();
        assert_eq!((anew.audit_head().unwrap(), anew.today()), (None, date(2025, 1, 6)));
        assert!(!stage.has_read(&who, |_| true));
        assert!(held.audit_head().unwrap().is_some(), "what is under way ends where it began");
        drop((held, anew));
        for _ in 0..2 {
            current.get().desk(NURSE).unwrap().search("chelwest", "nobody").unwrap();
            stage.begin_again(stage.times()).unwrap();
            assert_eq!(current.get().audit_head().unwrap(), None);
        }
        let databases = || {
            fs::read_dir(folder.path())
                .unwrap()
                .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "db"))
        };
        assert_eq!(databases().count(), 2, "the beginning and the one that is used");
        drop((stage, current));
        clear(folder.path()).unwrap();
        assert_eq!(databases().count(), 0);
    }

    #[test]
    fn asked_by_two_at_once_it_begins_again_once() {
        let (_folder, stage, current) = stage();
        let asked = stage.times();
        stage.begin_again(asked).unwrap();
        current.get().desk(NURSE).unwrap().search("chelwest", "nobody").unwrap();
        stage.begin_again(asked).unwrap();
        assert_eq!(stage.times(), asked + 1);
        assert!(current.get().audit_head().unwrap().is_some(), "what was done since the first is not lost by the second");
    }

    #[test]
    fn only_the_demos_own_files_are_its_own() {
        for (name, own) in [
            ("alongside.db", true),
            ("alongside-3.db-wal", true),
            ("beginning.db", true),
            ("alongside.keys", false),
            ("alongside-mine.db", false),
            ("other.db", false),
        ] {
            assert_eq!(is_database(name), own, "{name}");
        }
    }

    #[test]
    fn mornings_and_weeks_are_londons() {
        let night = london_instant(date(2025, 3, 29).at(22, 0, 0, 0)).unwrap();
        assert_eq!(morning_after(night), morning_of(date(2025, 3, 30)));
        assert_eq!(days_later(night, 7).map(london_time), Some(date(2025, 4, 5).at(22, 0, 0, 0)));
    }
}
