//! The tours of the demo: for each role some steps of real work, a table. A step is done when what it asks for has happened,
//! by whatever way.

use alongside_app::demo::Deeds;
use alongside_app::{Failure, london_date};
use alongside_domain::access::Action;
use alongside_domain::decision::What;
use alongside_domain::supporter::Role;
use jiff::Timestamp;
use jiff::civil::{Date, date};

use super::super::parts::Task;
use super::super::routes::{self, Needs};
use super::super::seat::Seat;
use crate::stage::Stage;

/// By what a step is done.
enum Fact {
    /// Somebody did this.
    Did(Action),
    /// They did this about somebody.
    About(Action),
    /// It came about by them.
    Noted(What),
    /// They read a page at one of these addresses.
    Read(&'static [&'static str]),
    /// The demo's clock was moved on.
    Moved,
    /// The demo's clock shows this day or a later one.
    Day(Date),
}

/// A step.
struct Step {
    words: &'static str,
    hint: &'static str,
    /// Where to do it: the first of these that there is. `{site}` is the visitor's first site.
    places: &'static [&'static str],
    /// One of these is enough.
    facts: &'static [Fact],
}

/// The clock, in the bar at the top of every page.
const CLOCK: &str = "#demo-clock";
/// The day after the last of the contract that ends in the story.
const CONTRACT_ENDED: Date = date(2025, 3, 4);

const CLINICIAN: &[Step] = &[
    Step {
        words: "Record notice for somebody who waits",
        hint: "With one sentence on what peer support is, and is not.",
        places: &["/clinic", "/sites/{site}/worklists/awaiting-notice"],
        facts: &[Fact::Noted(What::NoticeRecorded)],
    },
    Step {
        words: "Answer a question that a message could not",
        hint: "New or known? The same person?",
        places: &["/questions", "/sites/{site}/worklists/questions"],
        facts: &[Fact::Noted(What::QuestionAnswered)],
    },
    Step {
        words: "Refer somebody whom the clinic knows",
        hint: "Nothing is typed twice.",
        places: &["/clinic/refer", "/search"],
        facts: &[Fact::Noted(What::ReferralRaised), Fact::Noted(What::ReferralJoined)],
    },
    Step {
        words: "Bring in this week’s list, with a preview first",
        hint: "",
        places: &["/clinic/list"],
        facts: &[Fact::Did(Action::UploadList)],
    },
    Step {
        words: "Find a person, and see what became of the referral",
        hint: "",
        places: &["/search"],
        facts: &[Fact::About(Action::SeePerson)],
    },
];

const SAFEGUARDING: &[Step] = &[
    Step {
        words: "Answer the question about somebody of seventeen",
        hint: "Nothing goes on until you have.",
        places: &["/questions", "/sites/{site}/worklists/questions"],
        facts: &[Fact::Noted(What::QuestionAnswered)],
    },
    Step { words: "Open a person’s page", hint: "", places: &["/search"], facts: &[Fact::About(Action::SeePerson)] },
    Step {
        words: "Look for concerns that nobody has acknowledged",
        hint: "Be Inês first, and raise one.",
        places: &["/sites/{site}/concerns"],
        facts: &[Fact::Did(Action::SeeConcerns), Fact::Read(&["/sites/{site}/concerns"])],
    },
];

const SUPPORTER: &[Step] = &[
    Step {
        words: "See who needs you today",
        hint: "The promise that is about to be missed stands first.",
        places: &["/today", "/sites/{site}/worklists/due"],
        facts: &[Fact::Did(Action::SeeTeamLists), Fact::Read(&["/today"])],
    },
    Step {
        words: "Read how somebody may be contacted, before you call",
        hint: "Open one of your people.",
        places: &["/my-people", "/sites/{site}/worklists/due"],
        facts: &[Fact::About(Action::SeePerson)],
    },
    Step {
        words: "Write a contact note",
        hint: "In under a minute, on a telephone. An unfinished one survives a lost connection.",
        places: &["/my-people", "/today"],
        facts: &[Fact::Noted(What::ContactRecorded)],
    },
    Step {
        words: "Fill in an assessment with somebody",
        hint: "",
        places: &["/my-people", "/today"],
        facts: &[Fact::Noted(What::AssessmentRecorded)],
    },
    Step {
        words: "Raise a concern",
        hint: "It reaches a named clinician, who must acknowledge it.",
        places: &["/my-people", "/today"],
        facts: &[Fact::About(Action::RaiseConcern)],
    },
];

const COORDINATOR: &[Step] = &[
    Step {
        words: "Give somebody a supporter",
        hint: "One person at Chelsea and Westminster has none yet.",
        places: &["/coordination", "/sites/{site}/worklists/open"],
        facts: &[Fact::Noted(What::Allocated)],
    },
    Step {
        words: "See whose contract, training or check runs out",
        hint: "And how many people lose their supporter by it.",
        places: &["/coordination/passports"],
        facts: &[Fact::Did(Action::SeePassports), Fact::Read(&["/coordination/passports"])],
    },
    Step {
        words: "Give Grace’s people to others, with a preview first",
        hint: "",
        places: &["/coordination"],
        facts: &[Fact::Noted(What::Reallocated)],
    },
    Step {
        words: "Move the clock past 3 March, and see who has lost their supporter",
        hint: "Then be Grace: nothing is open to her any more.",
        places: &[CLOCK],
        facts: &[Fact::Day(CONTRACT_ENDED)],
    },
];

const FIGURES: Fact = Fact::Read(&["/figures", "/figures/{site}", "/sites/{site}/figures"]);

const MANAGER: &[Step] = &[
    Step {
        words: "Read the figures of the quarter",
        hint: "With charts over time; small numbers are kept back.",
        places: &["/figures", "/sites/{site}/figures"],
        facts: &[FIGURES],
    },
    Step { words: "Look up what a figure means", hint: "", places: &["/measures"], facts: &[Fact::Read(&["/measures"])] },
    Step {
        words: "Take the figures away as a file",
        hint: "That you did stands in the audit.",
        places: &["/figures", "/sites/{site}/figures"],
        facts: &[Fact::Did(Action::ExportFigures), Fact::Read(&["/sites/{site}/figures.csv", "/sites/{site}/figures.json"])],
    },
];

const GOVERNANCE: &[Step] = &[
    Step {
        words: "Find out who saw a person",
        hint: "Be Aoife first and open somebody’s page, so that there is something to find.",
        places: &["/access"],
        facts: &[Fact::About(Action::SeeAccess)],
    },
    Step {
        words: "See who may see what, and until when",
        hint: "",
        places: &["/access/entitled"],
        facts: &[Fact::Did(Action::SeeEntitled), Fact::Read(&["/access/entitled"])],
    },
    Step {
        words: "Look at what was opened with a reason",
        hint: "",
        places: &["/access/glass"],
        facts: &[Fact::Did(Action::ReviewGlass), Fact::Read(&["/access/glass"])],
    },
];

const ENGINEER: &[Step] = &[
    Step {
        words: "See which feed has fallen silent",
        hint: "Against what is usual at this hour.",
        places: &["/feeds"],
        facts: &[Fact::Did(Action::SeeFeeds), Fact::Read(&["/feeds"])],
    },
    Step {
        words: "Read where a message has its problem",
        hint: "Forty came under a code that nobody had announced.",
        places: &["/quarantined"],
        facts: &[Fact::Did(Action::SeeQuarantine), Fact::Read(&["/quarantined", "/quarantined/{message}"])],
    },
    Step { words: "Have a message read again", hint: "", places: &["/quarantined"], facts: &[Fact::Did(Action::Replay)] },
    Step { words: "Move the clock on by an hour, and look at the feeds again", hint: "", places: &[CLOCK], facts: &[Fact::Moved] },
];

const fn steps(role: Role) -> &'static [Step] {
    match role {
        Role::Clinician => CLINICIAN,
        Role::SafeguardingLead => SAFEGUARDING,
        Role::Supporter => SUPPORTER,
        Role::Coordinator => COORDINATOR,
        Role::Manager => MANAGER,
        Role::InformationGovernance => GOVERNANCE,
        Role::IntegrationEngineer => ENGINEER,
    }
}

/// A role's tour as far as somebody has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tour {
    pub(crate) tasks: Vec<Task>,
    pub(crate) done: usize,
}

/// What the facts of a tour are looked up in.
struct Seen<'a> {
    seat: &'a Seat,
    stage: Option<&'a Stage>,
    deeds: Deeds,
    now: Timestamp,
}

/// The tour of whoever asks.
///
/// # Errors
/// The store's.
pub(crate) fn tour(seat: &Seat, stage: Option<&Stage>) -> Result<Tour, Failure> {
    let (app, viewer) = (seat.desk.app(), seat.desk.viewer());
    let since = stage.map_or(Timestamp::UNIX_EPOCH, Stage::begins);
    let seen = Seen { seat, stage, deeds: app.demo_deeds(&viewer.staff, since)?, now: app.world.now() };
    let tasks: Vec<Task> = steps(viewer.role).iter().map(|step| seen.task(step)).collect();
    Ok(Tour { done: tasks.iter().filter(|task| task.done).count(), tasks })
}

impl Seen<'_> {
    fn task(&self, step: &Step) -> Task {
        let done = step.facts.iter().any(|fact| self.holds(fact));
        let href = step.places.iter().find_map(|place| self.open(place)).unwrap_or_default();
        let status = match (done, href.is_empty()) {
            (true, _) => "Completed",
            (false, false) => "Incomplete",
            (false, true) => "Cannot start yet",
        };
        Task { href, words: step.words.to_owned(), hint: step.hint.to_owned(), status: status.to_owned(), done }
    }

    fn holds(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Did(action) => self.deeds.did(*action),
            Fact::About(action) => self.deeds.did_about_somebody(*action),
            Fact::Noted(what) => self.deeds.brought_about(*what),
            Fact::Read(patterns) => {
                let is_it = |path: &str| patterns.iter().any(|pattern| routes::fits(pattern, path));
                self.stage.is_some_and(|stage| stage.has_read(&self.seat.desk.viewer().staff, is_it))
            }
            Fact::Moved => self.stage.is_some_and(|stage| self.now > stage.begins()),
            Fact::Day(day) => london_date(self.now) >= *day,
        }
    }

    /// A place as an address, if it is there and open to whoever asks.
    fn open(&self, place: &str) -> Option<String> {
        if place == CLOCK {
            return self.stage.map(|_| CLOCK.to_owned());
        }
        let viewer = self.seat.desk.viewer();
        let address = place.replace("{site}", &viewer.sites.first()?.0);
        let open = match routes::needs_of(&address)? {
            Needs::May(action) => viewer.cleared && self.seat.desk.may_do(action).is_ok(),
            Needs::SignedIn => viewer.cleared,
            Needs::Nothing | Needs::Link | Needs::Demo | Needs::DemoSignedIn => true,
            Needs::System | Needs::Signed => false,
        };
        open.then_some(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_tour_of_some_steps_that_can_be_done() {
        for role in Role::ALL {
            let steps = steps(*role);
            assert!((3..=6).contains(&steps.len()), "{role}");
            for step in steps {
                assert!(!step.places.is_empty() && !step.facts.is_empty(), "{role}: {}", step.words);
                assert!(step.places.iter().all(|place| *place == CLOCK || place.starts_with('/')), "{role}: {}", step.words);
            }
        }
    }
}
