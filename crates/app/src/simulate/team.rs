//! The people who work there, and who supports whom: each step of the story is given to the supporter who has the person
//! on that day.

use std::sync::Arc;

use alongside_domain::contact::{Outcome, Way};
use alongside_domain::notice::{Answer, How};
use alongside_domain::person::{ObjectionReason, Scope};
use alongside_domain::question;
use alongside_domain::referral::EndReason;
use jiff::civil::{Date, DateTime, date};

use super::event::Act;
use super::people::{Patient, Site};
use super::wire::Draft;
use super::{Item, Planned};

/// A supporter, as `demo.toml` has them; a test compares the two.
pub(super) struct Supporter {
    pub(super) key: &'static str,
    pub(super) site: Site,
    pub(super) from: Date,
    pub(super) until: Option<Date>,
    pub(super) capacity: u32,
    /// From this day on they are given nobody new.
    winds_down: Option<Date>,
}

pub(super) const SUPPORTERS: [Supporter; 6] = [
    supporter("marcus", Site::ChelWest, date(2023, 4, 1), Some(date(2024, 7, 31)), 40, Some(date(2024, 7, 1))),
    supporter("grace", Site::ChelWest, date(2022, 3, 4), Some(date(2025, 3, 3)), 45, Some(date(2024, 12, 2))),
    supporter("dele", Site::ChelWest, date(2023, 10, 2), None, 50, None),
    supporter("ines", Site::ChelWest, date(2024, 9, 2), None, 50, None),
    supporter("maria", Site::NorthMid, date(2023, 5, 15), None, 25, None),
    supporter("tunde", Site::NorthMid, date(2023, 1, 21), Some(date(2025, 1, 20)), 12, None),
];

const fn supporter(key: &'static str, site: Site, from: Date, until: Option<Date>, capacity: u32, winds_down: Option<Date>) -> Supporter {
    Supporter { key, site, from, until, capacity, winds_down }
}

impl Supporter {
    fn takes_new(&self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|last| day <= last) && self.winds_down.is_none_or(|from| day < from)
    }
}

/// When somebody's people are handed over, and how many of those who stay in support they keep.
const HANDOVERS: [(DateTime, &str, usize); 2] =
    [(date(2024, 7, 30).at(8, 5, 0, 0), "marcus", 0), (date(2024, 12, 17).at(8, 5, 0, 0), "grace", GRACE_KEEPS)];

/// With how many people the story's leaver stands.
pub(super) const GRACE_KEEPS: usize = 14;

impl Site {
    pub(super) const fn clinicians(self) -> &'static [&'static str] {
        match self {
            Self::ChelWest => &["nurse-aoife", "nurse-samuel", "adviser-priya", "consultant-hughes"],
            Self::NorthMid => &["nurse-blessing", "nurse-tomas", "adviser-yasmin", "consultant-okafor"],
        }
    }
}

/// What happens to a person of the story.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// The hospital sends a message.
    Send(Draft),
    Notice {
        by: &'static str,
        how: How,
        answer: Answer,
    },
    Answer {
        by: &'static str,
        kind: question::Kind,
        answer: question::Answer,
    },
    Object(ObjectionReason),
    TakeBack,
    Allocate,
    Contact {
        way: Way,
        outcome: Outcome,
        minutes: u16,
        note: &'static str,
    },
    Assess {
        instrument: &'static str,
        answers: Vec<(String, i64)>,
    },
    Letter {
        not_before: Date,
    },
    /// Ended by a clinician, before release.
    EndAtClinic {
        by: &'static str,
        reason: EndReason,
    },
    /// Ended by their supporter.
    End(EndReason),
    /// A message ended it: a death, or a merge with somebody who objected.
    Gone,
}

/// A person of the story and their steps.
pub(super) struct Line {
    pub(super) who: Arc<Patient>,
    pub(super) steps: Vec<(DateTime, Step)>,
}

impl Line {
    /// Whether support goes on when the story ends.
    fn goes_on(&self) -> bool {
        !self.steps.iter().any(|(_, step)| matches!(step, Step::End(_) | Step::EndAtClinic { .. } | Step::Object(_) | Step::Gone))
    }
}

/// Plays the steps of a site in the order of time, and gives each person a supporter.
pub(super) fn play(site: Site, lines: &[Line]) -> Vec<Planned> {
    let mut todo: Vec<(DateTime, Todo)> = HANDOVERS.iter().map(|(at, key, keeps)| (*at, Todo::HandOver(key, *keeps))).collect();
    for (index, line) in lines.iter().enumerate() {
        todo.extend((0..line.steps.len()).filter_map(|step| line.steps.get(step).map(|(at, _)| (*at, Todo::Step(index, step)))));
    }
    todo.sort_by_key(|(at, _)| *at);
    let mut team = Team { site, lines, holders: vec![None; lines.len()], out: Vec::new() };
    for (at, todo) in todo {
        match todo {
            Todo::Step(line, step) => team.step(at, line, step),
            Todo::HandOver(key, keeps) => team.hand_over(at, key, keeps),
        }
    }
    team.out
}

enum Todo {
    Step(usize, usize),
    HandOver(&'static str, usize),
}

struct Team<'a> {
    site: Site,
    lines: &'a [Line],
    /// The supporter of each line, as an index into [`SUPPORTERS`].
    holders: Vec<Option<usize>>,
    out: Vec<Planned>,
}

impl Team<'_> {
    fn step(&mut self, at: DateTime, line: usize, step: usize) {
        let Some((_, step)) = self.lines.get(line).and_then(|line| line.steps.get(step)) else { return };
        let act = match step.clone() {
            Step::Send(draft) => {
                self.out.push(Planned { at, item: Item::Message(self.site, draft) });
                return;
            }
            Step::Notice { by, how, answer } => Act::Notice { by, how, answer },
            Step::Answer { by, kind, answer } => Act::Answer { by, kind, answer },
            Step::Object(reason) => {
                self.release(line);
                Act::Object { scope: Scope::All, reason }
            }
            Step::TakeBack => Act::TakeBack,
            Step::Allocate => return self.allocate(at, line),
            Step::EndAtClinic { by, reason } => Act::End { by, reason },
            Step::Gone => return self.release(line),
            Step::Contact { .. } | Step::Assess { .. } | Step::Letter { .. } | Step::End(_) => {
                match self.of_supporter(line, step.clone()) {
                    Some(act) => act,
                    None => return,
                }
            }
        };
        self.act(at, line, act);
    }

    /// What only the person's supporter does.
    fn of_supporter(&mut self, line: usize, step: Step) -> Option<Act> {
        let holder = self.holders.get(line).copied().flatten()?;
        let supporter = SUPPORTERS.get(holder)?.key;
        Some(match step {
            Step::Contact { way, outcome, minutes, note } => Act::Contact { supporter, way, outcome, minutes, note: note.to_owned() },
            Step::Assess { instrument, answers } => Act::Assess { supporter, instrument, answers },
            Step::Letter { not_before } => Act::Letter { supporter, not_before },
            Step::End(reason) => {
                self.release(line);
                Act::End { by: supporter, reason }
            }
            _ => return None,
        })
    }

    fn act(&mut self, at: DateTime, line: usize, act: Act) {
        if let Some(line) = self.lines.get(line) {
            self.out.push(Planned { at, item: Item::Act { site: self.site, mrn: line.who.mrn.clone(), act } });
        }
    }

    fn release(&mut self, line: usize) {
        if let Some(holder) = self.holders.get_mut(line) {
            *holder = None;
        }
    }

    fn allocate(&mut self, at: DateTime, line: usize) {
        let Some(chosen) = self.least_loaded(at.date()) else { return };
        let Some(key) = SUPPORTERS.get(chosen).map(|supporter| supporter.key) else { return };
        if let Some(holder) = self.holders.get_mut(line) {
            *holder = Some(chosen);
        }
        self.act(at, line, Act::Allocate { to: key });
    }

    fn least_loaded(&self, day: Date) -> Option<usize> {
        let takes = |(_, one): &(usize, &Supporter)| one.site == self.site && one.takes_new(day);
        let load = |index: usize| self.holders.iter().filter(|holder| **holder == Some(index)).count() as u64;
        // By the share of the capacity that is taken.
        SUPPORTERS
            .iter()
            .enumerate()
            .filter(takes)
            .min_by_key(|(index, one)| load(*index) * 1_000 / u64::from(one.capacity))
            .map(|(index, _)| index)
    }

    fn hand_over(&mut self, at: DateTime, key: &str, keeps: usize) {
        let Some(from) = SUPPORTERS.iter().position(|one| one.key == key && one.site == self.site) else { return };
        let held = |line: &usize| self.holders.get(*line) == Some(&Some(from));
        let all = (0..self.lines.len()).filter(held);
        // Whoever ends soon stays: nobody changes supporters for a last conversation.
        let leaving = keeps == 0;
        let going: Vec<usize> = all.filter(|line| leaving || self.lines.get(*line).is_some_and(Line::goes_on)).skip(keeps).collect();
        for (nth, line) in going.into_iter().enumerate() {
            self.release(line);
            self.allocate(super::clock::later(at, i64::try_from(nth).unwrap_or(0)), line);
        }
    }
}
