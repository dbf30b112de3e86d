//! Reads for lists, pages and reports. They do not pass through the rules: the rules are for what can be refused.

use std::collections::BTreeSet;

use alongside_domain::calendar::Period;
use alongside_domain::contact::{ContactNote, Outcome, Way};
use alongside_domain::id::{AssessmentId, PersonId, QuestionId, ReferralId, TriggerId};
use alongside_domain::ledger::{Standing, standing};
use alongside_domain::measures::{Diagnosed, Released};
use alongside_domain::person::SiteId;
use alongside_domain::question::{self, Question};
use alongside_domain::referral::{Referral, Stage};
use alongside_domain::supporter::StaffId;
use alongside_domain::trigger::{self, Trigger};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::codec::coded;
use crate::{Row, StoreError, Tx, params, people, statements};

statements! {
    pub(crate) const SUPPORTED = "SELECT DISTINCT contact.person FROM contact JOIN referral ON referral.id = contact.referral WHERE referral.site = $1 AND contact.outcome = 'conversation' AND contact.contact_on >= $2 AND contact.contact_on <= $3 ORDER BY contact.person";
    pub(crate) const TRIGGERS = "SELECT t.id, t.person, t.origin, t.kind, t.happened_on, t.at, t.rule, t.evidence, t.message, t.outcome, t.referral, t.question, t.exclusion FROM referral_trigger t JOIN person ON person.id = t.person WHERE person.site = $1 AND t.happened_on >= $2 AND t.happened_on <= $3 ORDER BY t.happened_on, t.id";
    pub(crate) const TRIGGERS_OF_REFERRAL = "SELECT t.id, t.person, t.origin, t.kind, t.happened_on, t.at, t.rule, t.evidence, t.message, t.outcome, t.referral, t.question, t.exclusion FROM referral_trigger t WHERE t.referral = $1 ORDER BY t.at, t.id";
    pub(crate) const REFERRAL = "SELECT id, person, origin, site, reason, raised_at, stage, supporter, until_on, stage_reason, resume_stage, notice_by, notice_on, notice_how, consents_to_outside, released_on, due_on, attempts, engaged_on, assessed_on, next_assessment_on, ended_on FROM referral WHERE id = $1";
    pub(crate) const QUESTION_ANSWERED = "SELECT answered, kind, person, origin, raised_at FROM question WHERE id = $1";
    pub(crate) const FROM_CLINIC = "SELECT DISTINCT t.person FROM referral_trigger t JOIN person ON person.id = t.person WHERE person.site = $1 AND t.kind = 'clinic-request' AND t.outcome <> 'excluded' ORDER BY t.person";
    pub(crate) const RELEASED = "SELECT released_on, due_on, engaged_on FROM referral WHERE site = $1 AND released_on >= $2 AND released_on <= $3 AND due_on IS NOT NULL ORDER BY released_on, id";
    pub(crate) const COUNT_STAGE = "SELECT COUNT(*) FROM referral WHERE site = $1 AND stage = $2";
    pub(crate) const LIST_STAGE = "SELECT r.id, r.person, r.site, r.reason, r.raised_at, r.stage, r.supporter, r.until_on, r.released_on, r.due_on, r.attempts, r.next_assessment_on, p.given, p.family, p.birth_date FROM referral r JOIN person p ON p.id = r.person WHERE r.site = $1 AND r.stage = $2 ORDER BY r.raised_at, r.id LIMIT $3 OFFSET $4";
    pub(crate) const CONTACTS = "SELECT supporter, contact_on, way, outcome, minutes, note FROM contact WHERE person = $1 ORDER BY contact_on, id";
    pub(crate) const ASSESSMENTS = "SELECT id, assessed_on, instrument, version FROM assessment WHERE person = $1 ORDER BY assessed_on, id";
    pub(crate) const SCORES = "SELECT scale, value, band FROM assessment_score WHERE assessment = $1 ORDER BY position";
    pub(crate) const ALL_STAGES = "SELECT id, stage FROM referral ORDER BY id";
    pub(crate) const BROKEN_LINKS = "SELECT t.id FROM referral_trigger t LEFT JOIN referral r ON r.id = t.referral WHERE t.outcome = 'referral' AND (r.id IS NULL OR r.person <> t.person) ORDER BY t.id";
}

/// A trigger with how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stood {
    /// The trigger.
    pub trigger: Trigger,
    /// The day of the first conversation of the referral it led to.
    pub engaged_on: Option<Date>,
    /// How it stands.
    pub standing: Standing,
}

/// The triggers of a site in a period, with how they stand now.
///
/// # Errors
/// The store's.
pub fn triggers(tx: &mut Tx<'_>, site: &SiteId, period: Period) -> Result<Vec<Stood>, StoreError> {
    let triggers = tx.query(&TRIGGERS, params![&site.0, period.from, period.to], people::trigger_row)?;
    let mut stood = Vec::with_capacity(triggers.len());
    for trigger in triggers {
        let (referral, question) = behind(tx, &trigger)?;
        let standing = standing(&trigger, referral.as_ref(), question.as_ref());
        stood.push(Stood { engaged_on: referral.and_then(|referral| referral.engaged_on), trigger, standing });
    }
    Ok(stood)
}

fn behind(tx: &mut Tx<'_>, trigger: &Trigger) -> Result<(Option<Referral>, Option<Question>), StoreError> {
    match trigger.outcome {
        trigger::Outcome::Referral(id) => Ok((referral(tx, id)?, None)),
        trigger::Outcome::Question(id) => Ok((None, open_question(tx, id)?)),
        trigger::Outcome::OptedOut | trigger::Outcome::Excluded(_) => Ok((None, None)),
    }
}

/// A question while it is open.
fn open_question(tx: &mut Tx<'_>, id: QuestionId) -> Result<Option<Question>, StoreError> {
    let row = tx.query_one(&QUESTION_ANSWERED, params![id.to_string()], |row| {
        let question = Question {
            id,
            person: row.parsed(2)?,
            origin: row.parsed(3)?,
            kind: coded(row, 1, question::Kind::from_code)?,
            raised_at: row.timestamp(4)?,
            other: None,
            referral: None,
            answered: None,
        };
        Ok((row.bool(0)?, question))
    })?;
    Ok(row.filter(|(answered, _)| !answered).map(|(_, question)| question))
}

/// A referral by its id.
///
/// # Errors
/// The store's.
pub fn referral(tx: &mut Tx<'_>, id: ReferralId) -> Result<Option<Referral>, StoreError> {
    tx.query_one(&REFERRAL, params![id.to_string()], people::referral_row)
}

/// The triggers that led to a referral.
///
/// # Errors
/// The store's.
pub fn triggers_of(tx: &mut Tx<'_>, id: ReferralId) -> Result<Vec<Trigger>, StoreError> {
    tx.query(&TRIGGERS_OF_REFERRAL, params![id.to_string()], people::trigger_row)
}

/// The people with a conversation in a period.
///
/// # Errors
/// The store's.
pub fn supported(tx: &mut Tx<'_>, site: &SiteId, period: Period) -> Result<BTreeSet<PersonId>, StoreError> {
    Ok(tx.query(&SUPPORTED, params![&site.0, period.from, period.to], |row| row.parsed(0))?.into_iter().collect())
}

/// The people newly diagnosed in a period.
///
/// # Errors
/// The store's.
pub fn diagnosed(tx: &mut Tx<'_>, site: &SiteId, period: Period) -> Result<Vec<Diagnosed>, StoreError> {
    let from_clinic: BTreeSet<PersonId> = tx.query(&FROM_CLINIC, params![&site.0], |row| row.parsed(0))?.into_iter().collect();
    let stood = triggers(tx, site, period)?.into_iter().filter(|stood| stood.trigger.kind == trigger::Kind::NewDiagnosis);
    Ok(stood
        .map(|stood| Diagnosed {
            person: stood.trigger.person,
            on: stood.trigger.on,
            engaged_on: stood.engaged_on,
            standing: stood.standing,
            from_clinic: from_clinic.contains(&stood.trigger.person),
        })
        .collect())
}

/// The referrals released in a period.
///
/// # Errors
/// The store's.
pub fn released(tx: &mut Tx<'_>, site: &SiteId, period: Period) -> Result<Vec<Released>, StoreError> {
    tx.query(&RELEASED, params![&site.0, period.from, period.to], |row| {
        Ok(Released { on: row.date(0)?, due_on: row.date(1)?, engaged_on: row.opt_date(2)? })
    })
}

/// How many referrals of a site are at a stage.
///
/// # Errors
/// The store's.
pub fn count_stage(tx: &mut Tx<'_>, site: &SiteId, stage: Stage) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_STAGE, params![&site.0, stage.code()], |row| row.number(0))?.unwrap_or(0))
}

/// A line of a worklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The referral.
    pub referral: ReferralId,
    /// The person.
    pub person: PersonId,
    /// Key of the site.
    pub site: String,
    /// Why it was raised.
    pub reason: trigger::Kind,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Where it stands.
    pub stage: Stage,
    /// The supporter.
    pub supporter: Option<StaffId>,
    /// The end of a deferral.
    pub until: Option<Date>,
    /// The day of release.
    pub released_on: Option<Date>,
    /// The promised day.
    pub due_on: Option<Date>,
    /// Attempts so far.
    pub attempts: i64,
    /// When the next assessment is due.
    pub next_assessment_on: Option<Date>,
    /// The person's names and date of birth.
    pub given: Option<String>,
    /// Family name.
    pub family: Option<String>,
    /// Date of birth.
    pub birth_date: Option<Date>,
}

/// Referrals of a site at a stage, the longest waiting first.
///
/// # Errors
/// The store's.
pub fn at_stage(tx: &mut Tx<'_>, site: &SiteId, stage: Stage, most: u32, skip: u32) -> Result<Vec<Line>, StoreError> {
    tx.query(&LIST_STAGE, params![&site.0, stage.code(), i64::from(most), i64::from(skip)], line_row)
}

/// The contacts of a person, oldest first.
///
/// # Errors
/// The store's.
pub fn contacts(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<ContactNote>, StoreError> {
    tx.query(&CONTACTS, params![person.to_string()], |row| {
        Ok(ContactNote {
            supporter: StaffId(row.text(0)?),
            on: row.date(1)?,
            way: coded(row, 2, Way::from_code)?,
            outcome: coded(row, 3, Outcome::from_code)?,
            minutes: row.number(4)?,
            note: row.text(5)?,
        })
    })
}

/// A completed assessment with its scores: scale, value, band.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessed {
    /// The assessment.
    pub id: AssessmentId,
    /// The day.
    pub on: Date,
    /// Instrument id.
    pub instrument: String,
    /// Instrument version.
    pub version: String,
    /// The scores.
    pub scores: Vec<(String, Option<i64>, Option<String>)>,
}

/// The assessments of a person, oldest first.
///
/// # Errors
/// The store's.
pub fn assessments(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Assessed>, StoreError> {
    let mut found = tx.query(&ASSESSMENTS, params![person.to_string()], |row| {
        Ok(Assessed { id: row.parsed(0)?, on: row.date(1)?, instrument: row.text(2)?, version: row.text(3)?, scores: Vec::new() })
    })?;
    for assessment in &mut found {
        assessment.scores =
            tx.query(&SCORES, params![assessment.id.to_string()], |row| Ok((row.text(0)?, row.opt_int(1)?, row.opt_text(2)?)))?;
    }
    Ok(found)
}

/// The stage of every referral: what `doctor` compares with the journal.
///
/// # Errors
/// The store's.
pub fn all_stages(tx: &mut Tx<'_>) -> Result<Vec<(ReferralId, Stage)>, StoreError> {
    tx.query(&ALL_STAGES, params![], |row| Ok((row.parsed(0)?, coded(row, 1, Stage::from_code)?)))
}

/// Triggers whose referral is missing or another person's.
///
/// # Errors
/// The store's.
pub fn broken_links(tx: &mut Tx<'_>) -> Result<Vec<TriggerId>, StoreError> {
    tx.query(&BROKEN_LINKS, params![], |row| row.parsed(0))
}

fn line_row(row: &Row<'_>) -> Result<Line, StoreError> {
    Ok(Line {
        referral: row.parsed(0)?,
        person: row.parsed(1)?,
        site: row.text(2)?,
        reason: coded(row, 3, trigger::Kind::from_code)?,
        raised_at: row.timestamp(4)?,
        stage: coded(row, 5, Stage::from_code)?,
        supporter: row.opt_text(6)?.map(StaffId),
        until: row.opt_date(7)?,
        released_on: row.opt_date(8)?,
        due_on: row.opt_date(9)?,
        attempts: row.int(10)?,
        next_assessment_on: row.opt_date(11)?,
        given: row.opt_text(12)?,
        family: row.opt_text(13)?,
        birth_date: row.opt_date(14)?,
    })
}
