//! The people whom the service knows: those in care, with their ordinary traffic and lists, and the messages that the
//! hospitals send about anybody of the story.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::civil::{Date, DateTime, date};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::clock::{Calendar, FIRST_DAY, LAST_DAY, days_between, later, plus};
use super::people::{Patient, Site};
use super::story::{Case, People, list_day};
use super::wire::{Appointment, Body, Class, Coded, Draft, Observation, Results, Visit};
use super::{Item, Planned};

/// Ages of people in care on the first day.
pub(super) const AGES_IN_CARE: (u16, u16) = (21, 79);
/// People who are new in the story are numbered from here.
const NEW_FROM: u32 = 6_000;
/// Northmid's first people in care are those of the spreadsheet.
pub(super) const IN_SPREADSHEET: u32 = 24;

/// Days between two routine attendances: well below the 15 months that would make the next one a return to care.
const ROUTINE_DAYS: (i64, i64) = (330, 425);

/// A hospital's numbering, and what its systems say.
pub(super) struct Hospital {
    pub(super) site: Site,
    numbers: u32,
}

impl Hospital {
    pub(super) const fn new(site: Site) -> Self {
        Self { site, numbers: 0 }
    }

    const fn next(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    /// Where the HIV clinic is.
    pub(super) const fn clinic(&self) -> &'static str {
        match self.site {
            Site::ChelWest => "KOBLER",
            Site::NorthMid => "MARLBOROUGH",
        }
    }

    pub(super) fn visit(&mut self, from: DateTime) -> Visit {
        let number = format!("{}", 81_000_000 + self.next());
        Visit { number, class: Class::Outpatient, location: self.clinic(), specialty: "350", from, until: None }
    }

    /// Somebody arrives at the HIV clinic.
    pub(super) fn attendance(&mut self, who: &Arc<Patient>, at: DateTime, diagnosis: Option<Coded>) -> Draft {
        let visit = Some(self.visit(at));
        adt(who, "A04", visit, diagnosis)
    }

    /// The clinic asks for peer support, by the order or referral that this sender has.
    pub(super) fn peer_support_order(&mut self, who: &Arc<Patient>) -> Draft {
        const SERVICE: Coded = ("WELLSUP", "Wellbeing support");
        let number = self.next();
        let body = match self.site {
            Site::ChelWest => Body::Order { control: "NW", number: format!("{}", 551_000_000 + number), service: SERVICE },
            Site::NorthMid => Body::Referral { number: format!("R24{number:06}"), service: SERVICE },
        };
        Draft { who: who.clone(), body }
    }

    fn results(&mut self, who: &Arc<Patient>, at: DateTime, battery: Coded, observations: Vec<Observation>) -> (Draft, String) {
        let number = format!("24V{:06}", self.next());
        // Collected on the day of the result, so that both tell of the same day.
        let collected = later(at.date().at(8, 0, 0, 0), 10);
        let results = Results { number: number.clone(), battery, collected, location: self.clinic(), status: "F", observations };
        (Draft { who: who.clone(), body: Body::Results(results) }, number)
    }

    /// A screening test.
    pub(super) fn screening(&mut self, who: &Arc<Patient>, at: DateTime, value: &str) -> Draft {
        let one = Observation::words(("HIVAGAB", "HIV 1+2 antigen/antibody screen"), value);
        self.results(who, at, ("BBVS", "Blood borne virus screen"), vec![one]).0
    }

    /// A confirmatory test, and the laboratory's number for it.
    pub(super) fn confirmation(&mut self, who: &Arc<Patient>, at: DateTime, value: &str) -> (Draft, String) {
        let one = Observation::words(("HIVCF", "HIV confirmatory"), value);
        self.results(who, at, ("VSER", "Virology serology"), vec![one])
    }

    /// A confirmatory test under the code that the laboratory's upgrade brought.
    pub(super) fn unreadable(&mut self, who: &Arc<Patient>, at: DateTime, value: &str) -> Draft {
        let one = Observation::words(("HIVCF2", "HIV 1/2 CONFIRMATORY"), value);
        self.results(who, at, ("VSER", "Virology serology"), vec![one]).0
    }

    /// The correction of a confirmatory test that was reported under this number.
    pub(super) fn correction(&self, who: &Arc<Patient>, at: DateTime, number: String) -> Draft {
        let one = Observation::words(("HIVCF", "HIV confirmatory"), "NOT CONFIRMED");
        let battery = ("VSER", "Virology serology");
        let results = Results { number, battery, collected: at, location: self.clinic(), status: "C", observations: vec![one] };
        Draft { who: who.clone(), body: Body::Results(results) }
    }

    /// Viral load and CD4 count, of somebody on treatment (`routine`) or at the beginning.
    pub(super) fn viral_load(&mut self, who: &Arc<Patient>, at: DateTime, routine: bool, rng: &mut ChaCha8Rng) -> Draft {
        let load = match (routine, rng.random_range(0..100)) {
            (true, 0..70) => "<20".to_owned(),
            (true, 70..90) => "Target not detected".to_owned(),
            (true, _) => rng.random_range(21..190).to_string(),
            (false, _) => rng.random_range(4_000..400_000).to_string(),
        };
        let cells = rng.random_range(if routine { 380..1_100 } else { 90..720 });
        let observations = vec![
            Observation { code: ("HIVVL", "HIV-1 viral load"), value: load, units: "copies/mL", range: "", flag: "" },
            Observation { code: ("CD4ABS", "CD4 absolute"), value: cells.to_string(), units: "cells/mm3", range: "300-1400", flag: "" },
        ];
        self.results(who, at, ("VMON", "Virology monitoring"), observations).0
    }

    /// An appointment at the clinic, or its change, cancellation or miss.
    pub(super) fn booking(&mut self, who: &Arc<Patient>, trigger: &'static str, start: DateTime) -> Draft {
        let appointment = Appointment { number: format!("{}", 71_000_000 + self.next()), location: self.clinic(), start, minutes: 30 };
        Draft { who: who.clone(), body: Body::Booking { trigger, appointment } }
    }

    /// Somebody has died.
    pub(super) fn death(&mut self, who: &Arc<Patient>, on: Date) -> Draft {
        let body = Body::Adt { trigger: "A08", visit: None, diagnosis: None, died: Some(on), retired: None };
        Draft { who: who.clone(), body }
    }

    /// Two records are joined.
    pub(super) fn merge(&self, survivor: &Arc<Patient>, retired: &Arc<Patient>) -> Draft {
        let body = Body::Adt { trigger: "A40", visit: None, diagnosis: None, died: None, retired: Some(retired.clone()) };
        Draft { who: survivor.clone(), body }
    }
}

/// An ADT message.
pub(super) fn adt(who: &Arc<Patient>, trigger: &'static str, visit: Option<Visit>, diagnosis: Option<Coded>) -> Draft {
    Draft { who: who.clone(), body: Body::Adt { trigger, visit, diagnosis, died: None, retired: None } }
}

/// Somebody in care.
struct Member {
    who: Arc<Patient>,
    diagnosed: Date,
    /// As the first day's list says.
    last_attended: Date,
    /// The attendance from which routine goes on.
    routine_from: Date,
}

/// Everybody at a site who is known, or comes to be.
pub(super) struct Register {
    seed: u64,
    site: Site,
    members: Vec<Member>,
    new: u32,
    rng: ChaCha8Rng,
}

impl Register {
    pub(super) fn new(seed: u64, site: Site, rng: ChaCha8Rng) -> Self {
        let mut register = Self { seed, site, members: Vec::new(), new: 0, rng };
        if site == Site::NorthMid {
            for _ in 0..IN_SPREADSHEET {
                register.member();
            }
        }
        register
    }

    fn member(&mut self) -> &mut Member {
        let number = u32::try_from(self.members.len()).unwrap_or(0);
        let who = Arc::new(Patient::new(self.seed, self.site, number, AGES_IN_CARE));
        let from = date(2022, 12, 12);
        let last_attended = plus(from, self.rng.random_range(0..=days_between(from, date(2023, 12, 20))));
        let earliest = plus(who.born, 17 * 365).max(date(1990, 1, 1));
        let diagnosed = plus(earliest, self.rng.random_range(0..=days_between(earliest, date(2022, 6, 30)).max(1))).min(date(2022, 6, 30));
        let index = self.members.len();
        self.members.push(Member { who, diagnosed, last_attended, routine_from: last_attended });
        &mut self.members[index]
    }

    /// Somebody in care, changed for a chapter.
    pub(super) fn somebody_like(&mut self, change: impl FnOnce(&mut Patient)) -> Arc<Patient> {
        let member = self.member();
        change(Arc::make_mut(&mut member.who));
        member.who.clone()
    }

    /// Somebody new, changed for a chapter.
    pub(super) fn somebody_new_like(&mut self, change: impl FnOnce(&mut Patient)) -> Arc<Patient> {
        let mut who = self.somebody_new();
        change(Arc::make_mut(&mut who));
        who
    }

    /// Fills up with people who have no part in the story.
    pub(super) fn fill(&mut self, in_care: usize, share: f64) {
        let rest = in_care.saturating_sub(self.members.len());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a few thousand people")]
        let rest = (rest as f64 * share.clamp(0.05, 1.0)).round() as usize;
        for _ in 0..rest {
            self.member();
        }
    }

    /// The list of everybody in care.
    pub(super) fn list(&self) -> String {
        let mut csv = String::from(HEADINGS);
        let mut order: Vec<&Member> = self.members.iter().collect();
        order.sort_by(|one, other| one.who.mrn.cmp(&other.who.mrn));
        for member in order {
            row(&mut csv, &member.who, member.diagnosed, "N", member.last_attended);
        }
        csv
    }

    /// Everybody's ordinary traffic.
    pub(super) fn routine(&mut self, hospital: &mut Hospital, calendar: &Calendar) -> Vec<Planned> {
        let mut out = Vec::new();
        let starts: Vec<(Arc<Patient>, Date)> = self.members.iter().map(|member| (member.who.clone(), member.routine_from)).collect();
        for (who, start) in starts {
            let mut last = start;
            loop {
                let least = ROUTINE_DAYS.0.max(days_between(last, plus(FIRST_DAY, 1)));
                let days = self.rng.random_range(least..=ROUTINE_DAYS.1.max(least));
                last = calendar.working_from(plus(last, days));
                if last > LAST_DAY {
                    break;
                }
                self.attends(&who, last, hospital, calendar, &mut out);
            }
        }
        out
    }

    fn attends(&mut self, who: &Arc<Patient>, day: Date, hospital: &mut Hospital, calendar: &Calendar, out: &mut Vec<Planned>) {
        let minutes = self.rng.random_range(0..7 * 60);
        let at = later(day.at(9, 0, 31, 0), minutes);
        let site = hospital.site;
        let mut send = |at: DateTime, draft: Draft| out.push(Planned { at, item: Item::Message(site, draft) });
        let visit = hospital.visit(at);
        match self.rng.random_range(0..100) {
            // Missed, and came a week later.
            0..4 => {
                send(later(at, 45), hospital.booking(who, "S26", at));
                let again = calendar.working_from(plus(day, 7)).at(11, 5, 12, 0);
                send(again, hospital.attendance(who, again, None));
            }
            // Registered by mistake, and came next week.
            4 => {
                send(at, adt(who, "A04", Some(visit.clone()), None));
                send(later(at, 20), adt(who, "A11", Some(visit), None));
                let again = calendar.working_from(plus(day, 7)).at(14, 25, 47, 0);
                send(again, hospital.attendance(who, again, None));
            }
            _ => send(at, adt(who, "A04", Some(visit), None)),
        }
        if site == Site::ChelWest && self.rng.random_bool(0.4) {
            let reported = calendar.working_from(plus(day, 2)).at(17, 0, 9, 0);
            let load = hospital.viral_load(who, reported, true, &mut self.rng);
            send(reported, load);
        }
        if self.rng.random_bool(0.03) {
            let trigger = if self.rng.random_bool(0.5) { "A31" } else { "A08" };
            send(later(at, 240), adt(who, trigger, None, None));
        }
    }
}

impl People for Register {
    fn somebody_new(&mut self) -> Arc<Patient> {
        let who = Patient::new(self.seed, self.site, NEW_FROM + self.new, (20, 66));
        self.new += 1;
        Arc::new(who)
    }

    fn somebody_in_care(&mut self) -> Arc<Patient> {
        self.member().who.clone()
    }

    fn somebody_not_seen_since(&mut self, last: Date, comes: Date) -> Arc<Patient> {
        let member = self.member();
        member.last_attended = last;
        member.diagnosed = member.diagnosed.min(plus(last, -200));
        member.routine_from = comes;
        member.who.clone()
    }
}

const HEADINGS: &str =
    "Hospital number,NHS number,NHS number traced,Surname,Forename,Date of birth,Telephone,Diagnosis date,New diagnosis,Last attended\r\n";

fn row(csv: &mut String, who: &Patient, diagnosed: Date, new: &str, last_attended: Date) {
    let (number, traced) = match &who.nhs {
        // Written in groups, as people read it.
        Some((digits, traced)) => {
            (digits.get(..3).zip(digits.get(3..6)).zip(digits.get(6..)).map(|((a, b), c)| format!("{a} {b} {c}")), *traced)
        }
        None => (None, false),
    };
    let traced = if number.is_none() {
        ""
    } else if traced {
        "Y"
    } else {
        "N"
    };
    let cells = [
        &who.mrn,
        &number.unwrap_or_default(),
        traced,
        who.family,
        who.given,
        &uk(who.born),
        &who.telephone,
        &uk(diagnosed),
        new,
        &uk(last_attended),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    csv.push_str(&cells.join(","));
    csv.push_str("\r\n");
}

/// A cell of a CSV file, quoted where it must be.
pub(super) fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

/// `DD/MM/YYYY`.
pub(super) fn uk(day: Date) -> String {
    let mut text = String::new();
    let _ = write!(text, "{:02}/{:02}/{:04}", day.day(), day.month(), day.year());
    text
}

/// A row of the weekly list: the person, the day, and what "New diagnosis" says.
pub(super) struct Listed {
    pub(super) who: Arc<Patient>,
    pub(super) diagnosed: Date,
    pub(super) new: &'static str,
}

impl Listed {
    pub(super) fn from_case(case: &Case) -> Self {
        Self { who: case.who.clone(), diagnosed: case.day, new: "Y" }
    }
}

/// The weekly lists of the newly diagnosed, each with everybody since April, from the first week that has somebody.
pub(super) fn weekly_lists(site: Site, mut rows: Vec<Listed>, calendar: &Calendar) -> Vec<Planned> {
    rows.sort_by(|one, other| (one.diagnosed, &one.who.mrn).cmp(&(other.diagnosed, &other.who.mrn)));
    let Some(first) = rows.first().map(|row| list_day(calendar, row.diagnosed)) else { return Vec::new() };
    let mut lists = Vec::new();
    let mut day = first;
    while day < LAST_DAY {
        let mut csv = String::from(HEADINGS);
        for listed in rows.iter().filter(|listed| list_day(calendar, listed.diagnosed) <= day) {
            row(&mut csv, &listed.who, listed.diagnosed, listed.new, listed.diagnosed);
        }
        lists.push(Planned { at: day.at(9, 5, 0, 0), item: Item::List(site.list_feed(), csv) });
        day = list_day(calendar, day);
    }
    lists
}
