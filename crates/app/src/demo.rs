//! What the demo shows beside its pages: what just happened, and what a visitor has done. No person stands in it, so that
//! it is no disclosure and writes no line of its own.

use std::collections::{BTreeMap, BTreeSet};

use alongside_domain::access::{Action, Purpose};
use alongside_domain::decision::{Actor, What};
use alongside_domain::id::OutgoingId;
use alongside_domain::supporter::StaffId;
use alongside_store::audit::{Line, Outcome};
use alongside_store::demo::{self, LastLetter, LetterState};
use jiff::{SignedDuration, Timestamp};

use crate::letters::Letter;
use crate::pages::words;
use crate::{App, Failure};

/// How many lines of the audit are shown.
const LINES: u32 = 5;

/// What just happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Panel {
    /// The newest lines of the audit, as information governance sees them.
    pub lines: Vec<AuditLine>,
    /// The letter of which something was heard last.
    pub letter: Option<PanelLetter>,
    /// What a locked telephone shows of the last message to a person.
    pub locked: Option<Locked>,
}

/// A line of the audit in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditLine {
    /// Its number.
    pub number: u64,
    /// When: `today at 8:30am`.
    pub when: String,
    /// Who, with their role.
    pub who: String,
    /// What they did or asked for.
    pub did: String,
    /// What for.
    pub purpose: String,
    /// How many people it was about: `1 person`; empty for nobody.
    pub people: String,
    /// Whether it was refused.
    pub refused: bool,
}

/// A letter without whom it is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PanelLetter {
    /// How it stands, with the day.
    pub state: String,
    /// Its first words, without a name.
    pub words: String,
}

/// A locked telephone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Locked {
    /// From whom, as it says.
    pub sender: String,
    /// The words.
    pub words: String,
    /// The time.
    pub time: String,
}

/// What somebody has done in the demo.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deeds {
    actions: BTreeMap<Action, u64>,
    events: BTreeSet<What>,
}

impl Deeds {
    /// Whether they did this.
    #[must_use]
    pub fn did(&self, action: Action) -> bool {
        self.actions.contains_key(&action)
    }

    /// Whether they did this about somebody.
    #[must_use]
    pub fn did_about_somebody(&self, action: Action) -> bool {
        self.actions.get(&action).is_some_and(|people| *people > 0)
    }

    /// Whether this came about by them.
    #[must_use]
    pub fn brought_about(&self, what: What) -> bool {
        self.events.contains(&what)
    }
}

impl App {
    /// What just happened. No person is named, and reading it is no disclosure.
    ///
    /// # Errors
    /// The store's.
    pub fn demo_panel(&self) -> Result<Panel, Failure> {
        let (lines, letter) = self.store.read(|tx| Ok::<_, Failure>((demo::newest_lines(tx, LINES)?, demo::newest_letter(tx)?)))?;
        let now = self.world.now();
        Ok(Panel {
            lines: lines.into_iter().map(|line| self.audit_line(line, now)).collect(),
            letter: letter.map(|letter| panel_letter(letter, now)),
            locked: letter.filter(|letter| letter.state == LetterState::Handed).map(locked),
        })
    }

    /// What somebody has done since the demo began.
    ///
    /// # Errors
    /// The store's.
    pub fn demo_deeds(&self, staff: &StaffId, since: Timestamp) -> Result<Deeds, Failure> {
        let (actions, events) = self.store.read(|tx| Ok::<_, Failure>((demo::deeds(tx, staff)?, demo::noted(tx, staff, since)?)))?;
        Ok(Deeds { actions: actions.into_iter().collect(), events: events.into_iter().collect() })
    }

    /// Takes the demo's sessions along when its clock is moved by so much: nobody is signed out by a jump of time.
    ///
    /// # Errors
    /// The store's.
    pub fn carry_sessions(&self, by: SignedDuration) -> Result<(), Failure> {
        self.store.write(move |tx| demo::carry_sessions(tx, by))?;
        Ok(())
    }

    fn audit_line(&self, line: Line, now: Timestamp) -> AuditLine {
        let who = match &line.actor {
            Actor::Staff { id, role } => format!("{}, {}", self.setup.name_of(&id.0), role.words()),
            Actor::Feed(_) => "A hospital’s feed".to_owned(),
            Actor::Person => "The person themselves".to_owned(),
            Actor::Clock => "Time".to_owned(),
            Actor::Operator => "An operator".to_owned(),
        };
        AuditLine {
            number: line.seq,
            when: words::recent(line.at, now),
            who,
            did: Action::from_code(&line.action).map_or(line.action, |action| action.words().to_owned()),
            purpose: Purpose::from_code(&line.purpose).map_or(line.purpose, |purpose| purpose.words().to_owned()),
            people: if line.subjects == 0 { String::new() } else { words::counted(line.subjects, "person", "people") },
            refused: line.outcome == Outcome::Refused,
        }
    }
}

/// The words of every letter, without a name.
fn neutral_words() -> String {
    let text = Letter { id: OutgoingId(0), given: String::new() }.text();
    text.lines().nth(2).unwrap_or_default().to_owned()
}

fn panel_letter(letter: LastLetter, now: Timestamp) -> PanelLetter {
    let on = match letter.state {
        LetterState::Queued => format!("until {}", words::moment(letter.not_before)),
        LetterState::Cancelled | LetterState::Handed => words::recent(letter.changed_at, now),
    };
    PanelLetter { state: format!("{} {on}", letter.state.words()), words: neutral_words() }
}

fn locked(letter: LastLetter) -> Locked {
    Locked { sender: "Message".to_owned(), words: neutral_words(), time: words::clock(letter.changed_at) }
}

#[cfg(test)]
mod tests {
    use alongside_domain::session::Method;
    use alongside_store::testing::both_engines;

    use super::*;
    use crate::testing::service;

    #[test]
    fn what_happened_is_told_without_anybody_and_leaves_no_line() {
        both_engines(|store| {
            let (app, _) = service(store);
            assert_eq!(app.demo_panel().unwrap(), Panel::default());
            app.desk("nurse-ada").unwrap().search("north", "nobody").unwrap();
            let panel = app.demo_panel().unwrap();
            assert_eq!(panel.lines.len(), 1);
            assert_eq!((panel.lines[0].did.as_str(), panel.lines[0].people.as_str()), (Action::FindPerson.words(), ""));
            assert!(panel.lines[0].who.starts_with("Ada, nurse") && !panel.lines[0].refused);
            assert_eq!(app.demo_panel().unwrap(), panel);
        });
    }

    #[test]
    fn deeds_are_told_by_who_did_them() {
        both_engines(|store| {
            let (app, _) = service(store);
            app.desk("nurse-ada").unwrap().search("north", "nobody").unwrap();
            let deeds = |who: &str| app.demo_deeds(&StaffId(who.into()), Timestamp::UNIX_EPOCH).unwrap();
            assert!(deeds("nurse-ada").did(Action::FindPerson) && !deeds("nurse-ada").did_about_somebody(Action::FindPerson));
            assert!(!deeds("nurse-ada").brought_about(What::NoticeRecorded));
            assert_eq!(deeds("dr-sen"), Deeds::default());
        });
    }

    #[test]
    fn a_demo_session_goes_along_with_the_clock_and_no_other_does() {
        both_engines(|store| {
            let (app, world) = service(store);
            let who = StaffId("nurse-ada".into());
            let [demo, other] = [Method::Demo, Method::Passkey].map(|method| app.open_session(&who, method).unwrap());
            let week = SignedDuration::from_hours(7 * 24);
            app.carry_sessions(week).unwrap();
            world.set(app.world.now() + week);
            assert!(app.session(demo.reveal()).unwrap().is_some());
            assert!(app.session(other.reveal()).unwrap().is_none());
        });
    }
}
