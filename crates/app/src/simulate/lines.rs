//! From the days of a person to what is sent and done, with the time of day.

use alongside_domain::contact::{Outcome, Way};
use alongside_domain::notice::{Answer, How};
use alongside_domain::person::{ObjectionReason, Scope};
use alongside_domain::question;
use alongside_domain::referral::EndReason;
use jiff::civil::{Date, DateTime};
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::clock::{Calendar, LAST_DAY, LAST_WORKED, days_between, later, plus};
use super::known::Hospital;
use super::people::Site;
use super::script::{ASK_AGAIN, Fate, Origin, Special};
use super::story::{Case, DIED, LETTER_QUEUED, TAKEN_BACK};
use super::team::{Line, Step};

/// Days after a first assessment from which the next one is due.
const REPEAT_DAYS: i64 = 84;

/// Writes a person's steps.
pub(super) fn line(case: &Case, hospital: &mut Hospital, calendar: &Calendar, rng: &mut ChaCha8Rng) -> Line {
    let mut writer = Writer { case, hospital, calendar, rng, steps: Vec::new() };
    writer.comes();
    writer.is_told();
    writer.is_contacted();
    writer.talks();
    writer.ends();
    let mut steps = writer.steps;
    steps.sort_by_key(|(at, _)| *at);
    Line { who: case.who.clone(), steps }
}

struct Writer<'a> {
    case: &'a Case,
    hospital: &'a mut Hospital,
    calendar: &'a Calendar,
    rng: &'a mut ChaCha8Rng,
    steps: Vec<(DateTime, Step)>,
}

impl Writer<'_> {
    fn site(&self) -> Site {
        self.hospital.site
    }

    fn add(&mut self, at: DateTime, step: Step) {
        self.steps.push((at, step));
    }

    /// A time of the day between two hours, to the second.
    fn time(&mut self, day: Date, from_hour: i8, to_hour: i8) -> DateTime {
        let minutes = self.rng.random_range(0..i64::from(to_hour - from_hour) * 60);
        later(day.at(from_hour, 0, i8::try_from(minutes % 59).unwrap_or(0), 0), minutes)
    }

    fn clinician(&mut self) -> &'static str {
        self.site().clinicians().choose(self.rng).copied().unwrap_or("nurse-aoife")
    }

    /// What the hospital's systems say when the person comes.
    fn comes(&mut self) {
        let (case, day) = (self.case, self.case.day);
        match (case.origin, self.site()) {
            (Origin::Diagnosed, Site::ChelWest) => self.is_diagnosed_by_result(),
            (Origin::Diagnosed, Site::NorthMid) => {
                let at = self.time(day, 9, 12);
                let visit = self.hospital.attendance(&case.who, at, None);
                self.add(at, Step::Send(visit));
            }
            (Origin::Returned, _) => {
                let at = self.time(day, 9, 10);
                let visit = self.hospital.attendance(&case.who, at, None);
                self.add(at, Step::Send(visit));
            }
            (Origin::Asked, _) => {
                let at = self.time(day, 9, 10);
                let visit = self.hospital.attendance(&case.who, at, None);
                self.add(at, Step::Send(visit));
                let order = self.hospital.peer_support_order(&case.who);
                self.add(later(at, 15), Step::Send(order));
            }
            (Origin::Abroad, _) => self.comes_from_abroad(),
        }
        if let Some(ordered) = case.ordered {
            let at = self.time(ordered, 8, 9);
            let order = self.hospital.peer_support_order(&case.who);
            self.add(at, Step::Send(order));
        }
    }

    /// A reactive screening test, which says nothing yet; then the confirmed result; then the appointment to be told.
    fn is_diagnosed_by_result(&mut self) {
        let case = self.case;
        let screened = self.calendar.shift(case.day, -3).at(15, 20, 0, 0);
        let screening = self.hospital.screening(&case.who, screened, "REACTIVE");
        self.add(screened, Step::Send(screening));
        let confirmed = self.time(case.day, 9, 16);
        let (result, _) = self.hospital.confirmation(&case.who, confirmed, "HIV-1 CONFIRMED");
        self.add(confirmed, Step::Send(result));
        let seen = if case.fate == Fate::AwaitingNotice { self.calendar.shift(case.day, 10) } else { case.told };
        let booked = later(confirmed, 25);
        let booking = self.hospital.booking(&case.who, "S12", seen.at(10, 30, 0, 0));
        self.add(booked, Step::Send(booking));
    }

    fn comes_from_abroad(&mut self) {
        let case = self.case;
        let at = self.time(case.day, 10, 11);
        let visit = self.hospital.attendance(&case.who, at, Some(("B24", "Human immunodeficiency virus disease, unspecified")));
        self.add(at, Step::Send(visit));
        let answered = self.calendar.shift(case.day, 2).at(14, 10, 0, 0);
        let by = self.clinician();
        self.add(answered, Step::Answer { by, kind: question::Kind::NewOrKnown, answer: question::Answer::KnownOffer });
    }

    fn is_told(&mut self) {
        let case = self.case;
        if let Some((told, until)) = case.told_before {
            self.notice(told, Answer::NotNow { until });
        }
        let answer = match case.fate {
            _ if case.special == Special::ChangedTheirMind => Answer::Objects { scope: Scope::All, reason: ObjectionReason::Privacy },
            Fate::Moved | Fate::AwaitingNotice => return,
            Fate::Objected => Answer::Objects { scope: Scope::All, reason: self.reason() },
            Fate::Deferred => {
                let until = plus(ASK_AGAIN.0, self.rng.random_range(0..=days_between(ASK_AGAIN.0, ASK_AGAIN.1)));
                Answer::NotNow { until: self.calendar.working_from(until) }
            }
            _ => Answer::NoObjection,
        };
        self.notice(case.told, answer);
    }

    fn reason(&mut self) -> ObjectionReason {
        let reasons = [ObjectionReason::NotStated, ObjectionReason::NotInterested, ObjectionReason::HasSupport, ObjectionReason::Privacy];
        reasons.choose(self.rng).copied().unwrap_or(ObjectionReason::NotStated)
    }

    /// Telling, most often face to face at a visit.
    fn notice(&mut self, day: Date, answer: Answer) {
        let case = self.case;
        let at = self.time(day, 11, 15);
        let by = self.clinician();
        let here_already = day == case.day && case.origin != Origin::Diagnosed;
        let how = match self.rng.random_range(0..10) {
            _ if here_already => How::InPerson,
            0..7 => How::InPerson,
            7..9 => How::Telephone,
            _ => How::Video,
        };
        if how == How::InPerson && !here_already {
            let arrives = later(at, -35);
            let visit = self.hospital.attendance(&case.who, arrives, None);
            self.add(arrives, Step::Send(visit));
            if self.site() == Site::ChelWest && case.origin == Origin::Diagnosed {
                let reported = self.calendar.shift(day, 2).at(16, 5, 30, 0);
                let load = self.hospital.viral_load(&case.who, reported, false, self.rng);
                if reported.date() <= LAST_WORKED {
                    self.add(reported, Step::Send(load));
                }
            }
        }
        self.add(at, Step::Notice { by, how, answer });
    }

    /// Allocation and attempts, up to the first conversation.
    fn is_contacted(&mut self) {
        let case = self.case;
        if case.special == Special::ChangedTheirMind {
            self.add(TAKEN_BACK.at(20, 14, 0, 0), Step::TakeBack);
            self.add(self.calendar.shift(TAKEN_BACK, 1).at(9, 25, 0, 0), Step::Allocate);
            return;
        }
        if !case.fate.is_released() || case.fate == Fate::Open {
            return;
        }
        let first = case.conversations.first().copied();
        let at_once = case.within || case.fate == Fate::Contacting;
        let wait = if at_once { self.rng.random_range(0..=1) } else { self.rng.random_range(1..=4) };
        let wait = if case.fate == Fate::Contacting || case.fate == Fate::AllocatedOnly { 0 } else { wait };
        let mut allocated = self.calendar.shift(case.told, wait);
        if let Some(first) = first {
            allocated = allocated.min(self.calendar.shift(first, -1)).max(case.told);
        }
        let at = if allocated == case.told { self.time(allocated, 16, 17) } else { self.time(allocated, 9, 10) };
        self.add(at, Step::Allocate);
        if case.fate == Fate::AllocatedOnly {
            // They asked to be written to first: a letter waits for Monday, half an hour after the story ends.
            self.add(LAST_WORKED.at(16, 40, 0, 0), Step::Letter { not_before: LAST_DAY });
        }
        for day in self.attempts(allocated, first) {
            self.attempt(day);
        }
    }

    /// The days on which the supporter tried in vain.
    fn attempts(&mut self, allocated: Date, first: Option<Date>) -> Vec<Date> {
        let after = |calendar: &Calendar, days: i64| calendar.shift(allocated, days);
        match (self.case.fate, first) {
            (Fate::Engaged, Some(first)) => {
                let most = if self.case.within { 1 } else { 3 };
                let some = self.rng.random_range(0..=most);
                let days = (1..=some).map(|nth| after(self.calendar, nth * 2 - 1));
                days.filter(|day| *day > self.case.told && *day < first).collect()
            }
            (Fate::NotReached, _) => [1, 4, 9, 14].iter().map(|days| after(self.calendar, *days)).collect(),
            (Fate::ObjectedLater | Fate::MovedLater, _) => vec![after(self.calendar, 1), after(self.calendar, 4)],
            (Fate::Contacting, _) => vec![LAST_WORKED],
            _ => Vec::new(),
        }
    }

    fn attempt(&mut self, day: Date) {
        let shared = self.case.special == Special::SharedTelephone;
        let at = self.contact_time(day);
        let outcome = if shared || self.rng.random_bool(0.6) { Outcome::NoAnswer } else { Outcome::LeftMessage };
        let note = if shared { "Somebody else answered. Said nothing and rang off. Voicemail never; only between 10 and 12." } else { "" };
        let minutes = self.rng.random_range(1..=4);
        self.add(at, Step::Contact { way: Way::Telephone, outcome, minutes, note });
    }

    fn contact_time(&mut self, day: Date) -> DateTime {
        if self.case.special == Special::SharedTelephone { self.time(day, 10, 12) } else { self.time(day, 10, 16) }
    }

    fn talks(&mut self) {
        let case = self.case;
        // How somebody feels, from 0 to 10: most people feel better as time goes on, not all.
        let mut mood: i64 = self.rng.random_range(2..=6);
        let mut assessed: Option<Date> = None;
        let first_at = usize::from(case.conversations.len() > 1 && self.rng.random_bool(0.35));
        let mut before: Option<Date> = None;
        for (nth, day) in case.conversations.iter().copied().enumerate() {
            if let Some(before) = before
                && self.rng.random_bool(0.18)
            {
                let missed = self.calendar.working_from(plus(before, 7));
                if missed < day {
                    let at = self.contact_time(missed);
                    self.add(at, Step::Contact { way: Way::FaceToFace, outcome: Outcome::DidNotAttend, minutes: 0, note: "" });
                }
            }
            before = Some(day);
            let at = self.contact_time(day);
            let minutes = self.rng.random_range(5..=15) * 5;
            let way = [Way::FaceToFace, Way::FaceToFace, Way::Telephone, Way::Telephone, Way::Video]
                .choose(self.rng)
                .copied()
                .unwrap_or(Way::Telephone);
            let note = self.note(nth);
            self.add(at, Step::Contact { way, outcome: Outcome::Conversation, minutes, note });
            let due = match assessed {
                None => nth >= first_at && self.rng.random_bool(0.85),
                Some(last) => days_between(last, day) >= REPEAT_DAYS && self.rng.random_bool(0.8),
            };
            if due {
                if assessed.is_some() {
                    mood = (mood + self.rng.random_range(-1..=3)).clamp(0, 10);
                }
                self.assess(later(at, i64::from(minutes) + 5), mood);
                assessed = Some(day);
            }
        }
    }

    fn note(&mut self, nth: usize) -> &'static str {
        if self.case.special == Special::SharedTelephone {
            return "Telephone is answered by others. Voicemail never; only between 10 and 12.";
        }
        let notes: &[&str] = if nth == 0 { FIRST_NOTES } else { NOTES };
        notes.choose(self.rng).copied().unwrap_or("")
    }

    fn assess(&mut self, at: DateTime, mood: i64) {
        let mut near = |centre: i64, spread: i64, min: i64, max: i64| (centre + self.rng.random_range(-spread..=spread)).clamp(min, max);
        let ons4 = [
            ("life-satisfaction", near(mood, 1, 0, 10)),
            ("worthwhile", near(mood + 1, 2, 0, 10)),
            ("happiness", near(mood, 2, 0, 10)),
            ("anxiety", near(9 - mood, 2, 0, 10)),
        ];
        let lonely = 3 - mood / 4;
        let ucla3 = [
            ("companionship", near(lonely, 1, 1, 3)),
            ("left-out", near(lonely, 1, 1, 3)),
            ("isolated", near(lonely, 1, 1, 3)),
            ("lonely", near(1 + mood / 2, 1, 1, 5)),
        ];
        let low = 3 - mood / 3;
        let phq4 = ["nervous", "worrying", "interest", "down"].map(|item| (item, near(low, 1, 0, 3)));
        let more = self.rng.random_bool(0.7);
        self.fill_in(at, "ons4", &ons4);
        if more {
            self.fill_in(later(at, 1), "ucla3", &ucla3);
            self.fill_in(later(at, 2), "phq4", &phq4);
        }
    }

    fn fill_in(&mut self, at: DateTime, instrument: &'static str, answers: &[(&str, i64)]) {
        let answers = answers.iter().map(|(item, value)| ((*item).to_owned(), *value)).collect();
        self.add(at, Step::Assess { instrument, answers });
    }

    fn ends(&mut self) {
        let case = self.case;
        match case.fate {
            Fate::Engaged => {
                if let Some((day, reason)) = case.ended {
                    let last = case.conversations.last().copied();
                    let at = if last == Some(day) { day.at(17, 40, 0, 0) } else { self.time(day, 13, 17) };
                    self.add(at, Step::End(reason));
                }
            }
            Fate::Moved => {
                let at = case.told.at(11, 45, 0, 0);
                let by = self.clinician();
                let reason = if self.rng.random_bool(0.5) { EndReason::Moved } else { EndReason::Transferred };
                self.add(at, Step::EndAtClinic { by, reason });
            }
            Fate::MovedLater => self.end_later(12, EndReason::Transferred),
            Fate::NotReached => self.end_later(22, EndReason::NotReached),
            Fate::ObjectedLater => {
                let at = self.calendar.shift(case.told, 11).at(14, 30, 0, 0);
                self.add(at, Step::Object(ObjectionReason::HasSupport));
            }
            Fate::Objected | Fate::Deferred | Fate::Contacting | Fate::AwaitingNotice | Fate::Open | Fate::AllocatedOnly => {}
        }
        if case.special == Special::Dies {
            self.dies();
        }
    }

    fn end_later(&mut self, working_days: i64, reason: EndReason) {
        let at = self.calendar.shift(self.case.told, working_days).at(16, 50, 0, 0);
        self.add(at, Step::End(reason));
    }

    fn dies(&mut self) {
        let not_before = jiff::civil::date(2024, 12, 30);
        self.add(LETTER_QUEUED.at(17, 20, 0, 0), Step::Letter { not_before });
        let at = DIED.at(11, 20, 0, 0);
        let death = self.hospital.death(&self.case.who, DIED);
        self.add(at, Step::Send(death));
        self.add(at, Step::Gone);
    }
}

const FIRST_NOTES: &[&str] = &[
    "Introduced myself. Talked about the first weeks.",
    "First conversation. Would like to talk to somebody of the same age.",
    "Met at the clinic after the appointment.",
    "Glad to hear from somebody who has been there.",
    "Many questions about work. Agreed to talk again.",
    "",
];
const NOTES: &[&str] = &[
    "Talked about telling the family.",
    "Sleeping better. Planning a visit home.",
    "Went through questions for the next appointment.",
    "Talked about treatment becoming routine.",
    "Housing is the worry at the moment.",
    "Told one friend, and it went well.",
    "Came to the group once and liked it.",
    "Short call, all well.",
    "Hard week. Agreed on a shorter interval.",
    "",
];
