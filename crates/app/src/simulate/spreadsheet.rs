//! The spreadsheet that North Middlesex kept before April 2024, as CSV files to import.

use std::sync::Arc;

use alongside_domain::contact::{Outcome, Way};
use alongside_domain::notice::How;
use alongside_domain::referral::EndReason;
use alongside_domain::trigger::Kind;
use jiff::civil::{Date, date};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::clock::{Calendar, days_between, plus};
use super::known::{AGES_IN_CARE, IN_SPREADSHEET, quoted};
use super::people::{Patient, Site};

/// Three CSV files of ended referrals, and one that must be refused. Dates are ISO 8601; codes are the domain's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spreadsheet {
    /// Key of the site.
    pub site: &'static str,
    /// `local_number,nhs_number,nhs_number_verified,family,given,birth_date,telephone`
    pub people: String,
    /// `local_number,kind,referred_on,told_on,told_by,told_how,supporter,ended_on,end_reason`
    pub referrals: String,
    /// `local_number,supporter,on,way,outcome,minutes,note`
    pub contacts: String,
    /// As `referrals`, with three bad rows: a date that is none (line 6), a number that nobody has (line 12), and an end
    /// before the beginning (line 18).
    pub referrals_with_bad_rows: String,
}

const PEOPLE: &str = "local_number,nhs_number,nhs_number_verified,family,given,birth_date,telephone";
const REFERRALS: &str = "local_number,kind,referred_on,told_on,told_by,told_how,supporter,ended_on,end_reason";
const CONTACTS: &str = "local_number,supporter,on,way,outcome,minutes,note";
/// The lines (the heading is line 1) that are made bad.
const BAD_LINES: [usize; 3] = [6, 12, 18];

/// North Middlesex's records from October 2023 to March 2024, of people who are on the first day's list.
#[must_use]
pub fn spreadsheet(seed: u64) -> Spreadsheet {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(3 << 40);
    let calendar = Calendar::new();
    let (mut people, mut referrals, mut contacts) = (vec![PEOPLE.to_owned()], vec![REFERRALS.to_owned()], vec![CONTACTS.to_owned()]);
    for number in 0..IN_SPREADSHEET {
        let who = Arc::new(Patient::new(seed, Site::NorthMid, number, AGES_IN_CARE));
        people.push(person(&who));
        history(&who, &calendar, &mut rng, &mut referrals, &mut contacts);
    }
    let bad = bad_rows(&referrals);
    Spreadsheet {
        site: Site::NorthMid.key(),
        people: file(&people),
        referrals: file(&referrals),
        contacts: file(&contacts),
        referrals_with_bad_rows: file(&bad),
    }
}

fn file(lines: &[String]) -> String {
    let mut text = lines.join("\r\n");
    text.push_str("\r\n");
    text
}

fn line(cells: &[&str]) -> String {
    cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",")
}

fn person(who: &Patient) -> String {
    let (number, verified) =
        who.nhs.as_ref().map_or(("", ""), |(digits, verified)| (digits.as_str(), if *verified { "yes" } else { "no" }));
    line(&[&who.mrn, number, verified, who.family, who.given, &who.born.to_string(), &who.telephone])
}

fn history(who: &Patient, calendar: &Calendar, rng: &mut ChaCha8Rng, referrals: &mut Vec<String>, contacts: &mut Vec<String>) {
    let between = |rng: &mut ChaCha8Rng, from: Date, to: Date| plus(from, rng.random_range(0..=days_between(from, to)));
    let referred = calendar.working_from(between(rng, date(2023, 10, 2), date(2024, 1, 26)));
    let told = calendar.shift(referred, rng.random_range(0..=3));
    let by = Site::NorthMid.clinicians().choose(rng).copied().unwrap_or("nurse-blessing");
    let supporter = ["maria", "tunde"].choose(rng).copied().unwrap_or("maria");
    let kind = [Kind::ClinicRequest, Kind::ClinicRequest, Kind::SelfReferral].choose(rng).copied().unwrap_or(Kind::ClinicRequest);
    let mut day = calendar.shift(told, rng.random_range(2..=9));
    let mut contact = |day: Date, outcome: Outcome, minutes: u16, note: &str| {
        let way = if outcome == Outcome::Conversation && minutes > 40 { Way::FaceToFace } else { Way::Telephone };
        contacts.push(line(&[&who.mrn, supporter, &day.to_string(), way.code(), outcome.code(), &minutes.to_string(), note]));
    };
    if rng.random_bool(0.4) {
        contact(calendar.shift(told, 1), Outcome::NoAnswer, 2, "");
    }
    for nth in 0..rng.random_range(2..=4) {
        let note = if nth == 0 { "First conversation, by the old sheet." } else { "" };
        contact(day, Outcome::Conversation, rng.random_range(4..=12) * 5, note);
        day = calendar.working_from(plus(day, rng.random_range(7..=14)));
    }
    let ended = day.min(date(2024, 3, 28));
    let how = [How::InPerson, How::Telephone].choose(rng).copied().unwrap_or(How::InPerson);
    let reason = if rng.random_bool(0.8) { EndReason::Completed } else { EndReason::ChoseToStop };
    referrals.push(line(&[
        &who.mrn,
        kind.code(),
        &referred.to_string(),
        &told.to_string(),
        by,
        how.code(),
        supporter,
        &ended.to_string(),
        reason.code(),
    ]));
}

/// The same referrals with three bad rows.
fn bad_rows(referrals: &[String]) -> Vec<String> {
    let mut lines = referrals.to_vec();
    for (nth, number) in BAD_LINES.into_iter().enumerate() {
        let Some(row) = lines.get_mut(number - 1) else { continue };
        let mut cells: Vec<&str> = row.split(',').collect();
        let (cell, wrong) = match nth {
            0 => (2, "2024-02-30"),
            1 => (0, "0000000"),
            _ => (7, "2023-09-01"),
        };
        if let Some(cell) = cells.get_mut(cell) {
            *cell = wrong;
        }
        *row = cells.join(",");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spreadsheet_ends_before_april_and_its_bad_rows_are_three() {
        let sheet = spreadsheet(1);
        assert_eq!(sheet, spreadsheet(1));
        for contact in sheet.contacts.lines().skip(1) {
            let on: Date = contact.split(',').nth(2).unwrap().parse().unwrap();
            assert!(on >= date(2023, 10, 2) && on <= date(2024, 3, 31), "{on}");
        }
        let (good, bad): (Vec<_>, Vec<_>) = (sheet.referrals.lines().collect(), sheet.referrals_with_bad_rows.lines().collect());
        assert_eq!(good.len(), 1 + usize::try_from(IN_SPREADSHEET).unwrap());
        let changed: Vec<usize> = (0..good.len()).filter(|line| good[*line] != bad[*line]).map(|line| line + 1).collect();
        assert_eq!(changed, BAD_LINES);
        for row in good.iter().skip(1) {
            let days: Vec<Date> = [2, 3, 7].iter().map(|cell| row.split(',').nth(*cell).unwrap().parse().unwrap()).collect();
            assert!(days.is_sorted(), "{days:?}");
        }
    }
}
