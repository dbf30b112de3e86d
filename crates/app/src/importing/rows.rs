//! What the rows of each sheet say: every cell understood, or a problem with its line and column.

use std::collections::BTreeSet;

use alongside_domain::contact::{ContactNote, MINUTES_MAX, Outcome, Way};
use alongside_domain::fact::Subject;
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::notice::{Answer, How};
use alongside_domain::person::{Demographics, Identifier, NhsNumberHeld, ObjectionReason, Said, Scope, SiteId};
use alongside_domain::referral::EndReason;
use alongside_domain::supporter::StaffId;
use alongside_domain::trigger::Kind;
use jiff::civil::Date;

use super::Sheet;
use super::table::{Cells, Column, Problems, Table, needed, optional};
use crate::Setup;

const PEOPLE: &[Column] = &[
    needed("local_number"),
    optional("nhs_number"),
    optional("nhs_number_verified"),
    needed("family"),
    needed("given"),
    needed("birth_date"),
    optional("telephone"),
];

const REFERRALS: &[Column] = &[
    needed("local_number"),
    needed("kind").or("reason"),
    needed("referred_on"),
    needed("told_on"),
    needed("told_by"),
    needed("told_how").or("how"),
    optional("answer"),
    optional("deferred_until"),
    optional("objection_reason"),
    optional("consents_to_outside"),
    optional("supporter"),
    optional("ended_on"),
    optional("end_reason"),
];

const CONTACTS: &[Column] =
    &[needed("local_number"), needed("supporter"), needed("on"), needed("way"), needed("outcome"), needed("minutes"), optional("note")];

const ASSESSMENTS: &[Column] = &[needed("local_number"), needed("assessed_on").or("on"), needed("supporter"), needed("instrument")];

/// What a file says.
pub(super) enum Rows {
    People(Vec<PersonRow>),
    Referrals(Vec<ReferralRow>),
    Contacts(Vec<ContactRow>),
    Assessments(Vec<AssessmentRow>),
}

/// A person.
pub(super) struct PersonRow {
    pub(super) line: u64,
    pub(super) subject: Subject,
}

/// A referral with its course.
pub(super) struct ReferralRow {
    pub(super) line: u64,
    pub(super) number: String,
    pub(super) kind: Kind,
    pub(super) referred_on: Date,
    pub(super) told: Option<Told>,
    pub(super) supporter: Option<String>,
    pub(super) ended: Option<(Date, EndReason)>,
}

/// That somebody was told.
pub(super) struct Told {
    pub(super) on: Date,
    pub(super) by: String,
    pub(super) how: How,
    pub(super) answer: Answer,
    pub(super) consents_to_outside: bool,
}

/// A contact.
pub(super) struct ContactRow {
    pub(super) line: u64,
    pub(super) number: String,
    pub(super) note: ContactNote,
}

/// An assessment.
pub(super) struct AssessmentRow {
    pub(super) line: u64,
    pub(super) number: String,
    pub(super) on: Date,
    pub(super) supporter: String,
    pub(super) instrument: String,
    pub(super) answers: Vec<(String, i64)>,
}

/// Reads a file: how many rows it has, and those that were understood.
pub(super) fn read(sheet: Sheet, bytes: &[u8], setup: &Setup, site: &SiteId, today: Date, problems: &mut Problems) -> (u64, Rows) {
    let questions = link_ids(setup);
    let further: Vec<&str> = if sheet == Sheet::Assessments { questions.iter().map(String::as_str).collect() } else { Vec::new() };
    let table = Table::read(bytes, columns(sheet), &further, problems);
    let rows = match sheet {
        Sheet::People => Rows::People(each(&table, today, problems, |cells| person(cells, site))),
        Sheet::Referrals => Rows::Referrals(each(&table, today, problems, referral)),
        Sheet::Contacts => Rows::Contacts(each(&table, today, problems, contact)),
        Sheet::Assessments => Rows::Assessments(each(&table, today, problems, |cells| assessment(cells, setup, &questions))),
    };
    (table.seen, rows)
}

const fn columns(sheet: Sheet) -> &'static [Column] {
    match sheet {
        Sheet::People => PEOPLE,
        Sheet::Referrals => REFERRALS,
        Sheet::Contacts => CONTACTS,
        Sheet::Assessments => ASSESSMENTS,
    }
}

fn link_ids(setup: &Setup) -> BTreeSet<String> {
    let instruments = setup.instruments.values();
    instruments.flat_map(|instrument| instrument.definition().items.iter().map(|item| item.link_id.clone())).collect()
}

/// The rows in which nothing is wrong.
fn each<T>(table: &Table, today: Date, problems: &mut Problems, mut read: impl FnMut(&mut Cells<'_>) -> Option<T>) -> Vec<T> {
    let mut rows = Vec::new();
    for row in &table.rows {
        let before = problems.len();
        let found = read(&mut Cells { table, row, today, problems });
        rows.extend(found.filter(|_| problems.len() == before));
    }
    rows
}

/// The number under which a hospital's patients are known at a site: the profiles' numbering.
pub(crate) fn identifier(site: &SiteId, number: &str) -> Identifier {
    Identifier { system: format!("{site}:MRN"), value: number.to_owned() }
}

fn person(cells: &mut Cells<'_>, site: &SiteId) -> Option<PersonRow> {
    let number = cells.text("local_number");
    let nhs_number = nhs_number(cells);
    let (family, given) = (cells.some("family"), cells.some("given"));
    if family.is_none() && given.is_none() {
        cells.say("family", "is empty, and so is the given name");
    }
    let birth_date = cells.past("birth_date");
    let owned = |text: Option<&str>| Said::from_option(text.map(str::to_owned));
    let demographics = Demographics {
        given: owned(given),
        family: owned(family),
        birth_date: Said::from_option(birth_date),
        telephone: owned(cells.some("telephone")),
    };
    Some(PersonRow { line: cells.row.line, subject: Subject { identifiers: vec![identifier(site, number?)], nhs_number, demographics } })
}

fn nhs_number(cells: &mut Cells<'_>) -> Option<NhsNumberHeld> {
    let verified = cells.yes_or_no("nhs_number_verified") == Some(true);
    match cells.some("nhs_number")?.parse::<NhsNumber>() {
        Ok(number) => Some(NhsNumberHeld { number, verified }),
        Err(_) => {
            cells.say("nhs_number", "is not a valid NHS number");
            None
        }
    }
}

fn referral(cells: &mut Cells<'_>) -> Option<ReferralRow> {
    let number = cells.text("local_number");
    // "Undetermined" is a question of messages; whoever kept the spreadsheet knew.
    let kind = cells.needed_code(
        "kind",
        |code| Kind::from_code(code).filter(|kind| *kind != Kind::Undetermined),
        "new-diagnosis, re-engagement, clinic-request, self-referral, known-elsewhere",
    );
    let referred_on = cells.needed_past("referred_on");
    let told = told(cells);
    let ended = ended(cells);
    let began = told.as_ref().map(|told| told.on).max(referred_on);
    if ended.zip(began).is_some_and(|((ended, _), began)| ended < began) {
        cells.say("ended_on", "is before the referral began");
    }
    let supporter = cells.some("supporter").map(str::to_owned);
    Some(ReferralRow { line: cells.row.line, number: number?.to_owned(), kind: kind?, referred_on: referred_on?, told, supporter, ended })
}

fn told(cells: &mut Cells<'_>) -> Option<Told> {
    let Some(on) = cells.past("told_on") else {
        // Without the day nobody was told: what would follow from it must not stand there alone.
        if cells.some("told_on").is_none() {
            for name in ["told_by", "told_how", "answer", "deferred_until", "objection_reason", "consents_to_outside"] {
                if cells.some(name).is_some() {
                    cells.say(name, "needs the day in told_on");
                }
            }
        }
        return None;
    };
    let by = cells.text("told_by");
    let how = cells.needed_code("told_how", How::from_code, "in-person, telephone, video");
    let answer = answer(cells);
    let consents_to_outside = cells.yes_or_no("consents_to_outside") == Some(true);
    Some(Told { on, by: by?.to_owned(), how: how?, answer: answer?, consents_to_outside })
}

/// The answer when told. A sheet without the column is one of people who did not object.
fn answer(cells: &mut Cells<'_>) -> Option<Answer> {
    if !cells.table.has("answer") {
        return Some(Answer::NoObjection);
    }
    let codes = "no-objection, not-now, objects, objects-outside";
    let code = cells.needed_code("answer", |code| codes.split(", ").find(|known| *known == code), codes)?;
    let until = cells.date("deferred_until");
    let reason = cells.code("objection_reason", ObjectionReason::from_code, "not-stated, not-interested, has-support, privacy, other");
    let reason = reason.unwrap_or(ObjectionReason::NotStated);
    match code {
        "no-objection" => Some(Answer::NoObjection),
        "objects" => Some(Answer::Objects { scope: Scope::All, reason }),
        "objects-outside" => Some(Answer::Objects { scope: Scope::OutsideOnly, reason }),
        _ => {
            if cells.some("deferred_until").is_none() {
                cells.say("deferred_until", "is needed for somebody who said not now");
            }
            until.map(|until| Answer::NotNow { until })
        }
    }
}

fn ended(cells: &mut Cells<'_>) -> Option<(Date, EndReason)> {
    let codes = "completed, chose-to-stop, moved, transferred, referred-on, not-reached, died, entered-in-error, request-withdrawn";
    let (on, reason) = (cells.past("ended_on"), cells.code("end_reason", ended_by_itself, codes));
    match (cells.some("ended_on"), cells.some("end_reason")) {
        (Some(_), None) => cells.say("end_reason", "is needed with ended_on"),
        (None, Some(_)) => cells.say("ended_on", "is needed with end_reason"),
        _ => {}
    }
    on.zip(reason)
}

/// Referrals are joined by merges, never by a spreadsheet.
fn ended_by_itself(code: &str) -> Option<EndReason> {
    EndReason::from_code(code).filter(|reason| *reason != EndReason::Joined)
}

fn contact(cells: &mut Cells<'_>) -> Option<ContactRow> {
    let (number, supporter) = (cells.text("local_number"), cells.text("supporter"));
    let on = cells.needed_past("on");
    let way = cells.needed_code("way", Way::from_code, "face-to-face, telephone, video, message, letter");
    let outcome = cells.needed_code("outcome", Outcome::from_code, "conversation, no-answer, left-message, did-not-attend, cancelled");
    let minutes = cells.text("minutes").and_then(|_| cells.number::<u16>("minutes"));
    if minutes.is_some_and(|minutes| minutes > MINUTES_MAX) {
        cells.say("minutes", format!("is more than {MINUTES_MAX}"));
    }
    let note = cells.some("note").unwrap_or_default().to_owned();
    let note = ContactNote { supporter: StaffId(supporter?.to_owned()), on: on?, way: way?, outcome: outcome?, minutes: minutes?, note };
    Some(ContactRow { line: cells.row.line, number: number?.to_owned(), note })
}

fn assessment(cells: &mut Cells<'_>, setup: &Setup, questions: &BTreeSet<String>) -> Option<AssessmentRow> {
    let (number, supporter) = (cells.text("local_number"), cells.text("supporter"));
    let on = cells.needed_past("assessed_on");
    let name = cells.text("instrument")?;
    let Some(instrument) = setup.instruments.get(name) else {
        cells.say("instrument", "there is no instrument of this name");
        return None;
    };
    let mut answers = Vec::new();
    for item in &instrument.definition().items {
        if let Some(answer) = cells.number::<i64>(&item.link_id) {
            if item.answers.allow(answer) {
                answers.push((item.link_id.clone(), answer));
            } else {
                cells.say(&item.link_id, "is not one of the answers");
            }
        }
    }
    for other in questions.iter().filter(|link_id| instrument.item(link_id).is_none()) {
        if cells.some(other).is_some() {
            cells.say(other, "is not a question of this instrument");
        }
    }
    if answers.is_empty() {
        cells.say("instrument", "has no answer in this row");
    }
    Some(AssessmentRow {
        line: cells.row.line,
        number: number?.to_owned(),
        on: on?,
        supporter: supporter?.to_owned(),
        instrument: name.to_owned(),
        answers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruments;

    #[test]
    fn every_column_is_documented() {
        let page = include_str!("../../../../docs/import.md");
        for column in [PEOPLE, REFERRALS, CONTACTS, ASSESSMENTS].concat() {
            assert!(page.contains(column.name) && page.contains(column.also), "{}", column.name);
        }
        for instrument in instruments::read_all(&[]).unwrap().values() {
            for item in &instrument.definition().items {
                assert!(page.contains(&format!("`{}`", item.link_id)), "{} of {}", item.link_id, instrument.id());
            }
        }
    }
}
