//! The chapters of the story that are about messages more than about support: each is a few lines of the plan.

use std::sync::Arc;

use alongside_domain::notice::{Answer, How};
use alongside_domain::person::{ObjectionReason, Scope};
use alongside_domain::question;
use jiff::civil::{Date, DateTime, date};

use super::clock::{Calendar, later};
use super::event::Act;
use super::known::{Hospital, Listed, Register, adt};
use super::people::{Patient, Site};
use super::story::People as _;
use super::team::{Line, Step};
use super::wire::{Body, Draft};
use super::{Item, Planned};

/// What the chapters add to a site.
#[derive(Default)]
pub(super) struct Chapters {
    /// Messages and acts that need no supporter.
    pub(super) planned: Vec<Planned>,
    /// People whose steps need one.
    pub(super) lines: Vec<Line>,
    /// Rows of the weekly list besides the newly diagnosed.
    pub(super) listed: Vec<Listed>,
}

/// Writes the chapters of a site.
pub(super) fn write(hospital: &mut Hospital, register: &mut Register, calendar: &Calendar) -> Chapters {
    let mut chapters = Chapters::default();
    match hospital.site {
        Site::ChelWest => {
            the_gate(&mut chapters, hospital, register);
            withdrawn(&mut chapters, hospital, register);
            seventeen(&mut chapters, hospital, register);
            the_unreadable(&mut chapters, hospital, register);
            two_numbers(&mut chapters, hospital, register);
            one_objected(&mut chapters, hospital, register);
            transferred_in(&mut chapters, hospital, register, calendar);
            order_withdrawn(&mut chapters, hospital, register);
            mothers_antibodies(&mut chapters, hospital, register);
        }
        Site::NorthMid => list_cannot_tell(&mut chapters, hospital, register),
    }
    chapters
}

impl Chapters {
    fn send(&mut self, site: Site, at: DateTime, draft: Draft) {
        self.planned.push(Planned { at, item: Item::Message(site, draft) });
    }

    fn answer(&mut self, site: Site, at: DateTime, who: &Patient, by: &'static str, answer: question::Answer) {
        let act = Act::Answer { by, kind: question::Kind::NewOrKnown, answer };
        self.planned.push(Planned { at, item: Item::Act { site, mrn: who.mrn.clone(), act } });
    }
}

/// A confirmatory result on Thursday 2 January for somebody who will be told on the 9th.
fn the_gate(chapters: &mut Chapters, hospital: &mut Hospital, register: &mut Register) {
    let (site, who) = (hospital.site, register.somebody_new());
    let screened = date(2024, 12, 30).at(16, 12, 0, 0);
    chapters.send(site, screened, hospital.screening(&who, screened, "REACTIVE"));
    let confirmed = date(2025, 1, 2).at(9, 14, 0, 0);
    chapters.send(site, confirmed, hospital.confirmation(&who, confirmed, "HIV-1 CONFIRMED").0);
    let told = date(2025, 1, 9).at(10, 30, 0, 0);
    chapters.send(site, later(confirmed, 97), hospital.booking(&who, "S12", told));
}

/// A confirmed result of Friday, corrected on Saturday morning.
fn withdrawn(chapters: &mut Chapters, hospital: &mut Hospital, register: &mut Register) {
    let (site, who) = (hospital.site, register.somebody_new());
    let confirmed = date(2025, 1, 3).at(9, 52, 0, 0);
    let (result, number) = hospital.confirmation(&who, confirmed, "HIV-1 CONFIRMED");
    chapters.send(site, confirmed, result);
    let corrected = date(2025, 1, 4).at(8, 47, 0, 0);
    chapters.send(site, corrected, hospital.correction(&who, corrected, number));
}

/// Somebody of seventeen.
fn seventeen(chapters: &mut Chapters, hospital: &mut Hospital, register: &mut Register) {
    let who = register.somebody_new_like(|who| who.born = date(2007, 5, 19));
    let confirmed = date(2025, 1, 3).at(14, 5, 0, 0);
    chapters.send(hospital.site, confirmed, hospital.confirmation(&who, confirmed, "HIV-1 CONFIRMED").0);
}

/// How many messages came under a code that nobody had announced.
pub(super) const UNREADABLE: u32 = 40;

/// A laboratory upgrade on Thursday 2 January, taken back overnight: forty results under a new code, two of them
/// confirmed.
fn the_unreadable(chapters: &mut Chapters, hospital: &mut Hospital, register: &mut Register) {
    let others = ["NEGATIVE", "NOT DETECTED", "NEGATIVE", "INDETERMINATE", "NEGATIVE", "INSUFFICIENT SAMPLE"];
    for (nth, value) in (0..UNREADABLE).zip(others.iter().cycle()) {
        let who = register.somebody_new();
        let at = later(date(2025, 1, 2).at(13, 6, 0, 0), i64::from(nth) * 7);
        let value = if nth == 11 || nth == 28 { "HIV-1 CONFIRMED" } else { value };
        chapters.send(hospital.site, at, hospital.unreadable(&who, at, value));
    }
}

/// A merge of two people in care of the same name, with two verified NHS numbers.
fn two_numbers(chapters: &mut Chapters, hospital: &mut Hospital, register: &mut Register) {
    let named = |who: &mut Patient| {
        (who.given, who.family, who.title, who.female) = ("Joseph", "Mensah", "Mr", false);
        who.nhs = who.nhs.take().map(|(digits, _)| (digits, true));
    };
    // Both need a number; by far the most have one.
    let mut both: Vec<Arc<Patient>> = Vec::new();
    for _ in 0..100 {
        let who = register.somebody_like(named);
        if who.nhs.is_some() {
            both.push(who);
        }
        if both.len() == 2 {
            break;
        }
    }
    if let [survivor, retired] = both.as_slice() {
        chapters.send(hospital.site, date(2025, 1, 3).at(15, 21, 0, 0), hospital.merge(survivor, retired));
    }
}

/// A merge of somebody who objected in September with a second registration that did not in December.
fn one_objected(chapters: &mut Chapters, hospital: &mut Hospital, register: &mut Register) {
    let site = hospital.site;
    let objected = register.somebody_in_care();
    let twin = objected.clone();
    let again = register.somebody_new_like(|who| {
        let mrn = std::mem::take(&mut who.mrn);
        *who = Patient { mrn, nhs: None, ..(*twin).clone() };
    });
    let told = date(2024, 9, 10).at(11, 20, 0, 0);
    let answer = Answer::Objects { scope: Scope::All, reason: ObjectionReason::Privacy };
    let steps = vec![
        (later(told, -60), Step::Send(hospital.peer_support_order(&objected))),
        (told, Step::Notice { by: "nurse-aoife", how: How::InPerson, answer }),
    ];
    chapters.lines.push(Line { who: objected.clone(), steps });
    let told = date(2024, 12, 12).at(11, 30, 0, 0);
    let merged = date(2024, 12, 18).at(15, 10, 0, 0);
    let steps = vec![
        (date(2024, 12, 10).at(10, 4, 0, 0), Step::Send(hospital.peer_support_order(&again))),
        (told, Step::Notice { by: "nurse-samuel", how: How::Telephone, answer: Answer::NoObjection }),
        (date(2024, 12, 13).at(9, 20, 0, 0), Step::Allocate),
        (merged, Step::Gone),
    ];
    chapters.send(site, merged, hospital.merge(&again, &objected));
    chapters.lines.push(Line { who: again, steps });
}

/// People whose care moves here: a diagnosis code on the first visit, and a nurse who knows that it is not new.
fn transferred_in(chapters: &mut Chapters, hospital: &mut Hospital, register: &mut Register, calendar: &Calendar) {
    let days: [Date; 3] = [date(2024, 2, 21), date(2024, 5, 15), date(2024, 11, 6)];
    for day in days {
        let who = register.somebody_new();
        let at = day.at(10, 40, 0, 0);
        let code = ("Z21", "Asymptomatic human immunodeficiency virus infection status");
        chapters.send(hospital.site, at, hospital.attendance(&who, at, Some(code)));
        let answered = calendar.shift(day, 1).at(9, 35, 0, 0);
        chapters.answer(hospital.site, answered, &who, "nurse-samuel", question::Answer::KnownNoOffer);
    }
}

/// An order that the clinic takes back the next morning.
fn order_withdrawn(chapters: &mut Chapters, hospital: &mut Hospital, register: &mut Register) {
    let who = register.somebody_in_care();
    let order = hospital.peer_support_order(&who);
    let mut cancelled = order.clone();
    if let Body::Order { control, .. } = &mut cancelled.body {
        *control = "CA";
    }
    chapters.send(hospital.site, date(2024, 6, 3).at(10, 2, 0, 0), order);
    chapters.send(hospital.site, date(2024, 6, 4).at(9, 31, 0, 0), cancelled);
}

/// An infant of three months carries its mother's antibodies: no diagnosis.
fn mothers_antibodies(chapters: &mut Chapters, hospital: &mut Hospital, register: &mut Register) {
    let who = register.somebody_new_like(|who| who.born = date(2023, 11, 12));
    let at = date(2024, 2, 15).at(12, 18, 0, 0);
    chapters.send(hospital.site, at, hospital.confirmation(&who, at, "HIV-1 CONFIRMED").0);
    chapters.send(hospital.site, later(at, 30), adt(&who, "A31", None, None));
}

/// A row of the weekly list that does not say whether the diagnosis is new; a nurse says that it is not.
fn list_cannot_tell(chapters: &mut Chapters, hospital: &mut Hospital, register: &mut Register) {
    let who = register.somebody_new();
    let diagnosed = date(2024, 7, 16);
    let answered = date(2024, 7, 24).at(10, 15, 0, 0);
    chapters.answer(hospital.site, answered, &who, "nurse-blessing", question::Answer::KnownNoOffer);
    chapters.listed.push(Listed { who, diagnosed, new: "" });
}
