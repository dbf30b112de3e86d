//! Reads for lists, pages and reports. They do not pass through the rules: the rules are for what can be refused.

use alongside_domain::calendar::Period;
use alongside_domain::contact::{ContactNote, Outcome, Way};
use alongside_domain::id::{AssessmentId, PersonId, ReferralId, TriggerId};
use alongside_domain::ledger::{Led, Standing, standing_of};
use alongside_domain::measures::Released;
use alongside_domain::person::SiteId;
use alongside_domain::referral::{EndReason, Referral, Stage};
use alongside_domain::supporter::StaffId;
use alongside_domain::trigger::{self, Trigger};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::codec::{self, coded, coded_opt};
use crate::{Row, StoreError, Tx, params, people, statements};

statements! {
    pub(crate) const NEWLY_DIAGNOSED = "SELECT DISTINCT t.person FROM referral_trigger t JOIN person p ON p.id = t.person WHERE t.kind = 'new-diagnosis' AND t.happened_on >= $2 AND t.happened_on <= $3 AND t.exclusion IS DISTINCT FROM 'result-withdrawn' AND p.site = $1 ORDER BY t.person";
    pub(crate) const CONVERSATIONS = "SELECT c.person, c.contact_on FROM contact c JOIN referral r ON r.id = c.referral WHERE r.site = $1 AND c.outcome = 'conversation' AND c.contact_on >= $2 AND c.contact_on <= $3 ORDER BY c.contact_on, c.person";
    pub(crate) const TRIGGERS = "SELECT t.person, t.kind, t.happened_on, t.outcome, t.referral, t.question, t.exclusion, r.stage, r.stage_reason, q.answered, r.engaged_on, CAST(CASE WHEN t.kind = 'new-diagnosis' AND EXISTS (SELECT 1 FROM referral_trigger c WHERE c.person = t.person AND c.kind = 'clinic-request' AND c.outcome <> 'excluded') THEN 1 ELSE 0 END AS BIGINT) FROM referral_trigger t JOIN person p ON p.id = t.person LEFT JOIN referral r ON r.id = t.referral LEFT JOIN question q ON q.id = t.question WHERE p.site = $1 AND t.happened_on >= $2 AND t.happened_on <= $3 ORDER BY t.happened_on, t.id";
    pub(crate) const TRIGGERS_OF_REFERRAL = "SELECT t.id, t.person, t.origin, t.kind, t.happened_on, t.at, t.rule, t.evidence, t.message, t.outcome, t.referral, t.question, t.exclusion FROM referral_trigger t WHERE t.referral = $1 ORDER BY t.at, t.id";
    pub(crate) const REFERRAL = "SELECT id, person, origin, site, reason, raised_at, stage, supporter, until_on, stage_reason, resume_stage, notice_by, notice_on, notice_how, consents_to_outside, released_on, due_on, attempts, engaged_on, assessed_on, next_assessment_on, ended_on FROM referral WHERE id = $1";
    pub(crate) const RELEASED = "SELECT released_on, due_on, engaged_on FROM referral WHERE site = $1 AND released_on >= $2 AND released_on <= $3 AND due_on IS NOT NULL ORDER BY released_on, id";
    pub(crate) const COUNT_STAGE = "SELECT COUNT(*) FROM referral WHERE site = $1 AND stage = $2";
    pub(crate) const LIST_STAGE = "SELECT r.id, r.person, r.site, r.reason, r.raised_at, r.stage, r.supporter, r.until_on, r.released_on, r.due_on, r.attempts, r.next_assessment_on, p.given, p.family, p.birth_date FROM referral r JOIN person p ON p.id = r.person WHERE r.site = $1 AND r.stage = $2 ORDER BY r.raised_at, r.id LIMIT $3 OFFSET $4";
    pub(crate) const CONTACTS = "SELECT supporter, contact_on, way, outcome, minutes, note FROM contact WHERE person = $1 ORDER BY contact_on, id";
    pub(crate) const ASSESSMENTS = "SELECT id, assessed_on, instrument, version FROM assessment WHERE person = $1 ORDER BY assessed_on, id";
    pub(crate) const SCORES = "SELECT scale, value, band FROM assessment_score WHERE assessment = $1 ORDER BY position";
    pub(crate) const ALL_STAGES = "SELECT id, stage FROM referral ORDER BY id";
    pub(crate) const BROKEN_LINKS = "SELECT t.id FROM referral_trigger t LEFT JOIN referral r ON r.id = t.referral WHERE t.outcome = 'referral' AND (r.id IS NULL OR r.person <> t.person) ORDER BY t.id";
}

/// A trigger as reports count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stood {
    /// About whom.
    pub person: PersonId,
    /// What happened.
    pub kind: trigger::Kind,
    /// The day on which it happened.
    pub on: Date,
    /// The day of the first conversation of the referral it led to.
    pub engaged_on: Option<Date>,
    /// How it stands now.
    pub standing: Standing,
    /// Of a new diagnosis: whether the clinic asked for the person directly, by an order or a form.
    pub from_clinic: bool,
}

/// The triggers of a site in a period, with how they stand now, the earliest first.
///
/// # Errors
/// The store's.
pub fn triggers(tx: &mut Tx<'_>, site: &SiteId, period: Period) -> Result<Vec<Stood>, StoreError> {
    tx.query(&TRIGGERS, params![&site.0, period.from, period.to], |row| {
        Ok(Stood {
            person: row.parsed(0)?,
            kind: coded(row, 1, trigger::Kind::from_code)?,
            on: row.date(2)?,
            engaged_on: row.opt_date(10)?,
            standing: stands(row)?,
            from_clinic: row.bool(11)?,
        })
    })
}

/// How a trigger stands, from columns 3 to 10 of [`TRIGGERS`].
fn stands(row: &Row<'_>) -> Result<Standing, StoreError> {
    let stage = coded_opt(row, 7, Stage::from_code)?;
    let ended = if stage == Some(Stage::Ended) { coded_opt(row, 8, EndReason::from_code)? } else { None };
    let engaged = row.opt_date(10)?.is_some();
    let open = row.opt_int(9)? == Some(0);
    Ok(standing_of(codec::outcome(row, 3)?, stage.map(|stage| Led { stage, ended, engaged }), open))
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

/// Who had a conversation in a period, and when, the earliest first.
///
/// # Errors
/// The store's.
pub fn conversations(tx: &mut Tx<'_>, site: &SiteId, period: Period) -> Result<Vec<(PersonId, Date)>, StoreError> {
    tx.query(&CONVERSATIONS, params![&site.0, period.from, period.to], |row| Ok((row.parsed(0)?, row.date(1)?)))
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

/// The people newly diagnosed at a site in a period, by results and diagnoses that still stand.
///
/// # Errors
/// The store's.
pub fn newly_diagnosed(tx: &mut Tx<'_>, site: &SiteId, period: Period) -> Result<Vec<PersonId>, StoreError> {
    tx.query(&NEWLY_DIAGNOSED, params![&site.0, period.from, period.to], |row| row.parsed(0))
}
