//! People with their triggers, referrals and questions: loaded whole, kept by difference.

use std::collections::BTreeSet;

use alongside_domain::id::PersonId;
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::notice::{How, Notice};
use alongside_domain::person::{Death, Identifier, NhsNumberHeld, Person, SiteId};
use alongside_domain::question::{self, Answered, Question};
use alongside_domain::record::Record;
use alongside_domain::referral::Referral;
use alongside_domain::supporter::StaffId;
use alongside_domain::trigger::{self, Rule, Trigger};

use crate::codec::{self, StatusColumns, coded, coded_opt};
use crate::{Row, StoreError, Tx, params, statements};

statements! {
    pub(crate) const FIND_BY_IDENTIFIER = "SELECT person FROM person_identifier WHERE site = $1 AND system = $2 AND value = $3";
    pub(crate) const FIND_BY_NHS_NUMBER = "SELECT id FROM person WHERE site = $1 AND nhs_number = $2 AND merged_into IS NULL ORDER BY id";
    pub(crate) const MERGED_INTO = "SELECT merged_into FROM person WHERE id = $1";
    pub(crate) const LOAD_PERSON = "SELECT id, site, nhs_number, nhs_verified, given, family, birth_date, telephone, died, died_on, diagnosis, diagnosed_on, last_attended, last_visit, previous_attended, cancelled_visit, withdrawn_result, objection_scope, objection_reason, objection_at, merged_into FROM person WHERE id = $1";
    pub(crate) const LOAD_IDENTIFIERS = "SELECT system, value FROM person_identifier WHERE person = $1 ORDER BY system, value";
    pub(crate) const LOAD_TRIGGERS = "SELECT id, person, origin, kind, happened_on, at, rule, evidence, message, outcome, referral, question, exclusion FROM referral_trigger WHERE person = $1 ORDER BY at, id";
    pub(crate) const LOAD_REFERRALS = "SELECT id, person, origin, site, reason, raised_at, stage, supporter, until_on, stage_reason, resume_stage, notice_by, notice_on, notice_how, consents_to_outside, released_on, due_on, attempts, engaged_on, assessed_on, next_assessment_on, ended_on FROM referral WHERE person = $1 ORDER BY raised_at, id";
    pub(crate) const LOAD_QUESTIONS = "SELECT id, person, origin, kind, raised_at, other, referral, answered, answer, answered_by, answered_at FROM question WHERE person = $1 ORDER BY raised_at, id";
    pub(crate) const KEEP_PERSON = "INSERT INTO person (id, site, nhs_number, nhs_verified, given, family, birth_date, telephone, died, died_on, diagnosis, diagnosed_on, last_attended, last_visit, previous_attended, cancelled_visit, withdrawn_result, objection_scope, objection_reason, objection_at, merged_into, search) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) ON CONFLICT (id) DO UPDATE SET nhs_number = excluded.nhs_number, nhs_verified = excluded.nhs_verified, given = excluded.given, family = excluded.family, birth_date = excluded.birth_date, telephone = excluded.telephone, died = excluded.died, died_on = excluded.died_on, diagnosis = excluded.diagnosis, diagnosed_on = excluded.diagnosed_on, last_attended = excluded.last_attended, last_visit = excluded.last_visit, previous_attended = excluded.previous_attended, cancelled_visit = excluded.cancelled_visit, withdrawn_result = excluded.withdrawn_result, objection_scope = excluded.objection_scope, objection_reason = excluded.objection_reason, objection_at = excluded.objection_at, merged_into = excluded.merged_into, search = excluded.search";
    pub(crate) const KEEP_IDENTIFIER = "INSERT INTO person_identifier (site, system, value, person) VALUES ($1, $2, $3, $4) ON CONFLICT (site, system, value) DO NOTHING";
    pub(crate) const KEEP_WORD = "INSERT INTO person_word (site, word, person) VALUES ($1, $2, $3) ON CONFLICT (site, word, person) DO NOTHING";
    pub(crate) const FORGET_WORD = "DELETE FROM person_word WHERE site = $1 AND word = $2 AND person = $3";
    pub(crate) const KEEP_TRIGGER = "INSERT INTO referral_trigger (id, person, origin, kind, happened_on, at, rule, evidence, message, outcome, referral, question, exclusion) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (id) DO UPDATE SET person = excluded.person, kind = excluded.kind, outcome = excluded.outcome, referral = excluded.referral, question = excluded.question, exclusion = excluded.exclusion";
    pub(crate) const KEEP_REFERRAL = "INSERT INTO referral (id, person, origin, site, reason, raised_at, stage, supporter, until_on, stage_reason, resume_stage, notice_by, notice_on, notice_how, consents_to_outside, released_on, due_on, attempts, engaged_on, assessed_on, next_assessment_on, ended_on) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) ON CONFLICT (id) DO UPDATE SET person = excluded.person, stage = excluded.stage, supporter = excluded.supporter, until_on = excluded.until_on, stage_reason = excluded.stage_reason, resume_stage = excluded.resume_stage, notice_by = excluded.notice_by, notice_on = excluded.notice_on, notice_how = excluded.notice_how, consents_to_outside = excluded.consents_to_outside, released_on = excluded.released_on, due_on = excluded.due_on, attempts = excluded.attempts, engaged_on = excluded.engaged_on, assessed_on = excluded.assessed_on, next_assessment_on = excluded.next_assessment_on, ended_on = excluded.ended_on";
    pub(crate) const KEEP_QUESTION = "INSERT INTO question (id, person, origin, kind, raised_at, other, referral, answered, answer, answered_by, answered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO UPDATE SET person = excluded.person, answered = excluded.answered, answer = excluded.answer, answered_by = excluded.answered_by, answered_at = excluded.answered_at";
    pub(crate) const MOVE_CONTACTS = "UPDATE contact SET person = $2 WHERE referral = $1";
    pub(crate) const MOVE_ASSESSMENTS = "UPDATE assessment SET person = $2 WHERE referral = $1";
    pub(crate) const REFERRAL_PERSON = "SELECT person FROM referral WHERE id = $1";
    pub(crate) const QUESTION_PERSON = "SELECT person FROM question WHERE id = $1";
    pub(crate) const CASELOAD = "SELECT COUNT(*) FROM referral WHERE supporter = $1 AND stage IN ('allocated', 'contacting', 'engaged', 'assessed', 'supported')";
    pub(crate) const CASELOADS = "SELECT supporter, site, COUNT(*) FROM referral WHERE supporter IS NOT NULL AND stage IN ('allocated', 'contacting', 'engaged', 'assessed', 'supported') GROUP BY supporter, site ORDER BY supporter, site";
    pub(crate) const DEFERRALS_DUE = "SELECT person, id FROM referral WHERE stage = 'deferred' AND until_on <= $1 ORDER BY until_on, id";
}

/// How long a chain of merges is followed before it counts as a circle.
const MERGE_CHAIN_MAX: usize = 16;

/// The persons that hold these identifiers, merges followed: none, one, or several that contradict one another.
///
/// # Errors
/// The store's.
pub fn find(tx: &mut Tx<'_>, site: &SiteId, identifiers: &[Identifier], verified: Option<NhsNumber>) -> Result<Vec<PersonId>, StoreError> {
    let mut found = Vec::new();
    for identifier in identifiers {
        let held: Option<PersonId> =
            tx.query_one(&FIND_BY_IDENTIFIER, params![&site.0, &identifier.system, &identifier.value], |row| row.parsed(0))?;
        if let Some(person) = held {
            found.push(survivor(tx, person)?);
        }
    }
    if found.is_empty()
        && let Some(number) = verified
    {
        found = tx.query(&FIND_BY_NHS_NUMBER, params![&site.0, number.digits()], |row| row.parsed(0))?;
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The record that answers for this person after all merges.
///
/// # Errors
/// The store's.
pub fn survivor(tx: &mut Tx<'_>, person: PersonId) -> Result<PersonId, StoreError> {
    let mut current = person;
    for _ in 0..MERGE_CHAIN_MAX {
        let next = tx.query_one(&MERGED_INTO, params![current.to_string()], |row| row.opt_parsed(0))?.flatten();
        match next {
            Some(next) => current = next,
            None => return Ok(current),
        }
    }
    Ok(current)
}

/// Everything of one person, or `None` when there is nobody of that id.
///
/// # Errors
/// The store's.
pub fn load(tx: &mut Tx<'_>, id: PersonId) -> Result<Option<Record>, StoreError> {
    let key = id.to_string();
    let Some(mut person) = tx.query_one(&LOAD_PERSON, params![&key], person_row)? else { return Ok(None) };
    person.identifiers = tx.query(&LOAD_IDENTIFIERS, params![&key], |row| Ok(Identifier { system: row.text(0)?, value: row.text(1)? }))?;
    Ok(Some(Record {
        person,
        triggers: tx.query(&LOAD_TRIGGERS, params![&key], trigger_row)?,
        referrals: tx.query(&LOAD_REFERRALS, params![&key], referral_row)?,
        questions: tx.query(&LOAD_QUESTIONS, params![&key], question_row)?,
    }))
}

/// The person of a referral.
///
/// # Errors
/// The store's.
pub fn of_referral(tx: &mut Tx<'_>, id: alongside_domain::id::ReferralId) -> Result<Option<PersonId>, StoreError> {
    tx.query_one(&REFERRAL_PERSON, params![id.to_string()], |row| row.parsed(0))
}

/// The person of a question.
///
/// # Errors
/// The store's.
pub fn of_question(tx: &mut Tx<'_>, id: alongside_domain::id::QuestionId) -> Result<Option<PersonId>, StoreError> {
    tx.query_one(&QUESTION_PERSON, params![id.to_string()], |row| row.parsed(0))
}

/// How many people a supporter has now.
///
/// # Errors
/// The store's.
pub fn caseload(tx: &mut Tx<'_>, supporter: &StaffId) -> Result<u32, StoreError> {
    let count = tx.query_one(&CASELOAD, params![&supporter.0], |row| row.int(0))?.unwrap_or(0);
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// How many people of which site each supporter has now, where they have any.
///
/// # Errors
/// The store's.
pub fn caseloads(tx: &mut Tx<'_>) -> Result<Vec<(StaffId, SiteId, u32)>, StoreError> {
    tx.query(&CASELOADS, params![], |row| Ok((StaffId(row.text(0)?), SiteId(row.text(1)?), row.number(2)?)))
}

/// Deferrals whose day has come.
///
/// # Errors
/// The store's.
pub fn deferrals_due(tx: &mut Tx<'_>, today: jiff::civil::Date) -> Result<Vec<(PersonId, alongside_domain::id::ReferralId)>, StoreError> {
    tx.query(&DEFERRALS_DUE, params![today], |row| Ok((row.parsed(0)?, row.parsed(1)?)))
}

/// Keeps what is different from before.
///
/// # Errors
/// The store's; a unique index refuses a second live referral of one person.
pub fn keep(tx: &mut Tx<'_>, before: Option<&Record>, now: &Record) -> Result<(), StoreError> {
    if before.is_none_or(|before| before.person != now.person) {
        keep_person(tx, &now.person)?;
        keep_words(tx, before.map(|before| &before.person), Some(&now.person))?;
        for identifier in &now.person.identifiers {
            if before.is_none_or(|before| !before.person.identifiers.contains(identifier)) {
                let key = now.person.id.to_string();
                tx.execute(&KEEP_IDENTIFIER, params![&now.person.site.0, &identifier.system, &identifier.value, key])?;
            }
        }
    }
    // Ended ones first: the index allows one live referral, and a merge or a new trigger may replace one.
    let mut referrals: Vec<_> = now.referrals.iter().collect();
    referrals.sort_by_key(|referral| referral.status.is_live());
    for referral in referrals {
        let known = before.and_then(|before| before.referral(referral.id));
        if known != Some(referral) {
            keep_referral(tx, referral)?;
        }
        if known.is_none_or(|known| known.person != referral.person) {
            let (id, person) = (referral.id.to_string(), referral.person.to_string());
            tx.execute(&MOVE_CONTACTS, params![&id, &person])?;
            tx.execute(&MOVE_ASSESSMENTS, params![&id, &person])?;
        }
    }
    for trigger in &now.triggers {
        if before.is_none_or(|before| !before.triggers.contains(trigger)) {
            keep_trigger(tx, trigger)?;
        }
    }
    for question in &now.questions {
        if before.is_none_or(|before| !before.questions.contains(question)) {
            keep_question(tx, question)?;
        }
    }
    Ok(())
}

/// What a search looks through: the words of the names and numbers, folded.
fn words_of(person: &Person) -> Vec<String> {
    let names = [&person.given, &person.family].into_iter().flatten().map(String::as_str);
    let numbers = person.identifiers.iter().map(|identifier| identifier.value.as_str());
    let mut words: Vec<String> = names.chain(numbers).flat_map(search_words).collect();
    words.extend(person.nhs_number.map(|held| held.number.digits()));
    words
}

/// The same as a text, each word between spaces.
fn search_text(person: &Person) -> String {
    format!(" {} ", words_of(person).join(" "))
}

fn search_words(text: &str) -> Vec<String> {
    fold(text).split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Keeps the words by which somebody is found, and takes those away by which they are found no more.
pub(crate) fn keep_words(tx: &mut Tx<'_>, before: Option<&Person>, now: Option<&Person>) -> Result<(), StoreError> {
    let words = |person: Option<&Person>| -> BTreeSet<String> { person.map(words_of).unwrap_or_default().into_iter().collect() };
    let Some(whose) = now.or(before) else { return Ok(()) };
    let (site, person) = (&whose.site.0, whose.id.to_string());
    let (before, now) = (words(before), words(now));
    for word in before.difference(&now) {
        tx.execute(&FORGET_WORD, params![site, word, &person])?;
    }
    for word in now.difference(&before) {
        tx.execute(&KEEP_WORD, params![site, word, &person])?;
    }
    Ok(())
}

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The first and the last that the longest word may be.
    pub(crate) longest: (String, String),
    /// Patterns for the text of all words, all of which are to be found: each word begins a name or a number, in whatever
    /// order they are typed. The third takes all words from the third.
    pub(crate) patterns: [String; 3],
}

impl Wanted {
    /// Where no word has three letters they are whole names, such as Ng: as beginnings they would find everybody. Without a
    /// word, nobody is asked for.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut words = search_words(text);
        let digits = words.concat();
        // An NHS number may be typed as it is printed, in three groups.
        if digits.len() == 10 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            words = vec![digits];
        }
        let longest = words.iter().max_by_key(|word| word.chars().count())?.clone();
        let whole = longest.chars().count() < 3;
        let last = if whole { longest.clone() } else { format!("{longest}{}", char::MAX) };
        let rest = words.split_off(words.len().min(2));
        words.extend((!rest.is_empty()).then(|| rest.join(" ")));
        let mut patterns = words.into_iter().map(|word| format!("% {word}{}", if whole { " %" } else { "%" }));
        let mut next = || patterns.next().unwrap_or_else(|| "%".to_owned());
        Some(Self { longest: (longest, last), patterns: [next(), next(), next()] })
    }
}

/// Lower case without accents that a keyboard may lack: what is searched and what is stored fold alike.
#[must_use]
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(unaccented).filter(|c| !matches!(c, '\'' | '’')).collect()
}

const fn unaccented(c: char) -> char {
    match c {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    }
}

fn keep_person(tx: &mut Tx<'_>, person: &Person) -> Result<(), StoreError> {
    let (diagnosis, diagnosed_on) = codec::diagnosis_columns(person.diagnosis);
    tx.execute(
        &KEEP_PERSON,
        params![
            person.id.to_string(),
            &person.site.0,
            person.nhs_number.map(|held| held.number.digits()),
            person.nhs_number.is_some_and(|held| held.verified),
            person.given.as_deref(),
            person.family.as_deref(),
            person.birth_date,
            person.telephone.as_deref(),
            person.died.is_some(),
            person.died.and_then(|death| death.on),
            diagnosis,
            diagnosed_on,
            person.last_attended,
            person.last_visit.as_deref(),
            person.previous_attended,
            person.cancelled_visit.as_deref(),
            person.withdrawn_result.as_deref(),
            person.objection.map(|objection| objection.scope.code()),
            person.objection.map(|objection| objection.reason.code()),
            person.objection.map(|objection| objection.at),
            person.merged_into.map(|id| id.to_string()),
            search_text(person),
        ],
    )?;
    Ok(())
}

fn keep_trigger(tx: &mut Tx<'_>, trigger: &Trigger) -> Result<(), StoreError> {
    let (outcome, referral, question, exclusion) = codec::outcome_columns(trigger.outcome);
    tx.execute(
        &KEEP_TRIGGER,
        params![
            trigger.id.to_string(),
            trigger.person.to_string(),
            trigger.origin.to_string(),
            trigger.kind.code(),
            trigger.on,
            trigger.at,
            trigger.rule.code(),
            trigger.evidence.as_deref(),
            trigger.message.map(|id| id.to_string()),
            outcome,
            referral,
            question,
            exclusion,
        ],
    )?;
    Ok(())
}

fn keep_referral(tx: &mut Tx<'_>, referral: &Referral) -> Result<(), StoreError> {
    let status = StatusColumns::from(&referral.status);
    let notice = referral.notice.as_ref();
    tx.execute(
        &KEEP_REFERRAL,
        params![
            referral.id.to_string(),
            referral.person.to_string(),
            referral.origin.to_string(),
            &referral.site.0,
            referral.reason.code(),
            referral.raised_at,
            status.stage,
            status.supporter,
            status.until,
            status.reason,
            status.resume,
            notice.map(|notice| notice.by.0.clone()),
            notice.map(|notice| notice.on),
            notice.map(|notice| notice.how.code()),
            referral.consents_to_outside,
            referral.released_on,
            referral.due_on,
            i64::from(referral.attempts),
            referral.engaged_on,
            referral.assessed_on,
            referral.next_assessment_on,
            referral.ended_on,
        ],
    )?;
    Ok(())
}

fn keep_question(tx: &mut Tx<'_>, question: &Question) -> Result<(), StoreError> {
    let answered = question.answered.as_ref();
    tx.execute(
        &KEEP_QUESTION,
        params![
            question.id.to_string(),
            question.person.to_string(),
            question.origin.to_string(),
            question.kind.code(),
            question.raised_at,
            question.other.map(|id| id.to_string()),
            question.referral.map(|id| id.to_string()),
            answered.is_some(),
            answered.and_then(|answered| answered.answer).map(question::Answer::code),
            answered.and_then(|answered| answered.by.as_ref()).map(|by| by.0.clone()),
            answered.map(|answered| answered.at),
        ],
    )?;
    Ok(())
}

fn person_row(row: &Row<'_>) -> Result<Person, StoreError> {
    let number: Option<NhsNumber> = row.opt_parsed(2)?;
    let verified = row.bool(3)?;
    let died = row.bool(8)?;
    let died_on = row.opt_date(9)?;
    Ok(Person {
        id: row.parsed(0)?,
        site: SiteId(row.text(1)?),
        identifiers: Vec::new(),
        nhs_number: number.map(|number| NhsNumberHeld { number, verified }),
        given: row.opt_text(4)?,
        family: row.opt_text(5)?,
        birth_date: row.opt_date(6)?,
        telephone: row.opt_text(7)?,
        died: died.then_some(Death { on: died_on }),
        diagnosis: codec::diagnosis(row, 10)?,
        last_attended: row.opt_date(12)?,
        last_visit: row.opt_text(13)?,
        previous_attended: row.opt_date(14)?,
        cancelled_visit: row.opt_text(15)?,
        withdrawn_result: row.opt_text(16)?,
        objection: codec::objection(row, 17)?,
        merged_into: row.opt_parsed(20)?,
    })
}

pub(crate) fn trigger_row(row: &Row<'_>) -> Result<Trigger, StoreError> {
    Ok(Trigger {
        id: row.parsed(0)?,
        person: row.parsed(1)?,
        origin: row.parsed(2)?,
        kind: coded(row, 3, trigger::Kind::from_code)?,
        on: row.date(4)?,
        at: row.timestamp(5)?,
        rule: coded(row, 6, Rule::from_code)?,
        evidence: row.opt_text(7)?,
        message: row.opt_parsed(8)?,
        outcome: codec::outcome(row, 9)?,
    })
}

pub(crate) fn referral_row(row: &Row<'_>) -> Result<Referral, StoreError> {
    let by = row.opt_text(11)?;
    let on = row.opt_date(12)?;
    let how = coded_opt(row, 13, How::from_code)?;
    let notice = match (by, on, how) {
        (Some(by), Some(on), Some(how)) => Some(Notice { by: StaffId(by), on, how }),
        (None, None, None) => None,
        _ => return Err(row.corrupt(11)),
    };
    Ok(Referral {
        id: row.parsed(0)?,
        person: row.parsed(1)?,
        origin: row.parsed(2)?,
        site: SiteId(row.text(3)?),
        reason: coded(row, 4, trigger::Kind::from_code)?,
        raised_at: row.timestamp(5)?,
        status: codec::status(row, 6)?,
        notice,
        consents_to_outside: row.bool(14)?,
        released_on: row.opt_date(15)?,
        due_on: row.opt_date(16)?,
        attempts: u32::try_from(row.int(17)?).map_err(|_| row.corrupt(17))?,
        engaged_on: row.opt_date(18)?,
        assessed_on: row.opt_date(19)?,
        next_assessment_on: row.opt_date(20)?,
        ended_on: row.opt_date(21)?,
    })
}

fn question_row(row: &Row<'_>) -> Result<Question, StoreError> {
    let answered = row.bool(7)?;
    let answer = coded_opt(row, 8, question::Answer::from_code)?;
    let by = row.opt_text(9)?.map(StaffId);
    let answered = match (answered, row.opt_timestamp(10)?) {
        (true, Some(at)) => Some(Answered { answer, by, at }),
        (false, None) => None,
        _ => return Err(row.corrupt(7)),
    };
    Ok(Question {
        id: row.parsed(0)?,
        person: row.parsed(1)?,
        origin: row.parsed(2)?,
        kind: coded(row, 3, question::Kind::from_code)?,
        raised_at: row.timestamp(4)?,
        other: row.opt_parsed(5)?,
        referral: row.opt_parsed(6)?,
        answered,
    })
}
