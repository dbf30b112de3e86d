//! Reads of pages: one page of a worklist at a time, and how many lines there are.

use alongside_domain::access::Scope;
use alongside_domain::contact::Way;
use alongside_domain::id::{MessageId, PersonId, QuestionId, ReferralId};
use alongside_domain::question;
use alongside_domain::referral::Stage;
use alongside_domain::supporter::StaffId;
use alongside_domain::trigger;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::codec::coded;
use crate::{Row, StoreError, Tx, Value, care, messages, params, people, statements};

/// The columns of a line about a referral.
macro_rules! waiting_where {
    ($condition:literal) => {
        concat!(
            "SELECT r.id, r.person, r.reason, r.stage, r.raised_at, r.supporter, r.until_on, r.due_on, r.attempts, r.next_assessment_on, p.given, p.family, p.birth_date FROM referral r JOIN person p ON p.id = r.person WHERE ",
            scoped!(),
            " AND ",
            $condition
        )
    };
}

macro_rules! count_where {
    ($condition:literal) => {
        concat!("SELECT COUNT(*) FROM referral r WHERE ", scoped!(), " AND ", $condition)
    };
}

/// What narrows a list of referrals `r` to whom its reader may see: [`Scope::holds`] in SQL. Parameters 1 to 8 are
/// [`scope_params`]. A text of keys is `|one|two|`; a key is in it when taking `|key|` away changes it.
macro_rules! scoped {
    () => {
        "r.site = $1 AND (CAST($2 AS BIGINT) = 1 OR (r.released_on IS NOT NULL AND r.notice_on IS NOT NULL)) AND (CAST($3 AS TEXT) IS NULL OR REPLACE(CAST($3 AS TEXT), '|' || COALESCE(r.supporter, '') || '|', '') <> CAST($3 AS TEXT) OR (CAST($4 AS BIGINT) = 1 AND r.stage = 'open')) AND (CAST($5 AS BIGINT) = 1 OR COALESCE(r.supporter, '') = CAST($6 AS TEXT) OR REPLACE(CAST($7 AS TEXT), '|' || r.person || '|', '') <> CAST($7 AS TEXT) OR NOT EXISTS (SELECT 1 FROM shield s WHERE s.person = r.person)) AND REPLACE(CAST($8 AS TEXT), '|' || r.person || '|', '') = CAST($8 AS TEXT)"
    };
}

/// As [`scoped`], for people `p` whose referral, if any, does not matter: the clinic's lists of people.
macro_rules! scoped_person {
    () => {
        "p.site = $1 AND CAST($2 AS BIGINT) = 1 AND CAST($3 AS TEXT) IS NULL AND CAST($4 AS BIGINT) >= 0 AND (CAST($5 AS BIGINT) = 1 OR CAST($6 AS TEXT) IS NULL OR REPLACE(CAST($7 AS TEXT), '|' || p.id || '|', '') <> CAST($7 AS TEXT) OR NOT EXISTS (SELECT 1 FROM shield s WHERE s.person = p.id)) AND REPLACE(CAST($8 AS TEXT), '|' || p.id || '|', '') = CAST($8 AS TEXT)"
    };
}

pub(crate) use {scoped, scoped_person, waiting_where};

statements! {
    pub(crate) const PAGE_STAGE = waiting_where!("r.stage = $9 ORDER BY r.raised_at, r.id LIMIT $10 OFFSET $11");
    pub(crate) const PAGE_DEFERRED = waiting_where!("r.stage = 'deferred' ORDER BY r.until_on, r.id LIMIT $9 OFFSET $10");
    pub(crate) const PAGE_DUE = waiting_where!("r.stage IN ('open', 'allocated', 'contacting') AND r.engaged_on IS NULL AND r.due_on <= $9 ORDER BY r.due_on, r.id LIMIT $10 OFFSET $11");
    pub(crate) const PAGE_ASSESSMENTS = waiting_where!("r.stage IN ('engaged', 'assessed', 'supported') AND r.next_assessment_on <= $9 ORDER BY r.next_assessment_on, r.id LIMIT $10 OFFSET $11");
    pub(crate) const PAGE_CASELOAD = concat!("SELECT r.id, r.person, r.reason, r.stage, r.raised_at, r.supporter, r.until_on, r.due_on, r.attempts, r.next_assessment_on, p.given, p.family, p.birth_date, n.planned_on, n.way, COALESCE((SELECT MAX(c.contact_on) FROM contact c WHERE c.referral = r.id), r.released_on) FROM referral r JOIN person p ON p.id = r.person LEFT JOIN planned_contact n ON n.referral = r.id WHERE ", scoped!(), " AND r.stage IN ('allocated', 'contacting', 'engaged', 'assessed', 'supported', 'held') ORDER BY p.given NULLS LAST, p.family NULLS LAST, r.id LIMIT $9");
    pub(crate) const PAGE_REFERRED_BY = waiting_where!("r.id IN (SELECT j.referral FROM journal j WHERE j.actor = $9 AND j.at >= $10 AND j.what IN ('referral-raised', 'referral-joined', 'notice-recorded')) ORDER BY r.raised_at DESC, r.id DESC LIMIT $11 OFFSET $12");
    pub(crate) const COUNT_REFERRED_BY = count_where!("r.id IN (SELECT j.referral FROM journal j WHERE j.actor = $9 AND j.at >= $10 AND j.what IN ('referral-raised', 'referral-joined', 'notice-recorded'))");
    pub(crate) const COUNT_AT_STAGE = count_where!("r.stage = $9");
    pub(crate) const COUNT_DUE = count_where!("r.stage IN ('open', 'allocated', 'contacting') AND r.engaged_on IS NULL AND r.due_on <= $9");
    pub(crate) const COUNT_ASSESSMENTS = count_where!("r.stage IN ('engaged', 'assessed', 'supported') AND r.next_assessment_on <= $9");
    pub(crate) const PAGE_QUESTIONS = concat!("SELECT q.id, q.person, q.kind, q.raised_at, p.given, p.family, p.birth_date FROM question q JOIN person p ON p.id = q.person WHERE q.answered = 0 AND ", scoped_person!(), " ORDER BY q.raised_at, q.id LIMIT $9 OFFSET $10");
    pub(crate) const COUNT_QUESTIONS = concat!("SELECT COUNT(*) FROM question q JOIN person p ON p.id = q.person WHERE q.answered = 0 AND ", scoped_person!());
    pub(crate) const SEARCH_CLINIC = concat!("SELECT p.id, p.given, p.family, p.birth_date, p.died FROM person p WHERE p.merged_into IS NULL AND ", scoped_person!(), " AND p.id IN (SELECT w.person FROM person_word w WHERE w.site = $1 AND w.word BETWEEN $9 AND $10) AND p.search LIKE $11 ESCAPE '!' AND p.search LIKE $12 ESCAPE '!' AND p.search LIKE $13 ESCAPE '!' ORDER BY p.family NULLS LAST, p.given NULLS LAST, p.id LIMIT $14");
    // `CROSS JOIN` is SQLite's word for "in this order"; to PostgreSQL it is a join like another.
    pub(crate) const SEARCH_TEAM = concat!("SELECT p.id, p.given, p.family, p.birth_date, p.died FROM person p CROSS JOIN referral r WHERE p.site = $1 AND r.person = p.id AND p.merged_into IS NULL AND p.id IN (SELECT w.person FROM person_word w WHERE w.site = $1 AND w.word BETWEEN $9 AND $10) AND p.search LIKE $11 ESCAPE '!' AND p.search LIKE $12 ESCAPE '!' AND p.search LIKE $13 ESCAPE '!' AND NOT EXISTS (SELECT 1 FROM referral o WHERE o.person = r.person AND ((o.stage <> 'ended' AND r.stage = 'ended') OR (o.stage = 'ended' AND r.stage = 'ended' AND (o.raised_at > r.raised_at OR (o.raised_at = r.raised_at AND o.id > r.id))))) AND ", scoped!(), " ORDER BY p.family NULLS LAST, p.given NULLS LAST, p.id LIMIT $14");
    pub(crate) const PAGE_CONCERNS_OPEN = concat!("SELECT c.id, c.person, c.raised_by, c.raised_at, c.words, c.urgency, c.addressee, c.acknowledged_by, c.acknowledged_at, c.acknowledged_words, p.given, p.family, p.birth_date FROM concern c JOIN person p ON p.id = c.person WHERE c.acknowledged_at IS NULL AND ", scoped_person!(), " ORDER BY c.raised_at, c.id LIMIT $9 OFFSET $10");
    pub(crate) const PAGE_CONCERNS_SETTLED = concat!("SELECT c.id, c.person, c.raised_by, c.raised_at, c.words, c.urgency, c.addressee, c.acknowledged_by, c.acknowledged_at, c.acknowledged_words, p.given, p.family, p.birth_date FROM concern c JOIN person p ON p.id = c.person WHERE c.acknowledged_at IS NOT NULL AND ", scoped_person!(), " ORDER BY c.acknowledged_at DESC, c.id DESC LIMIT $9 OFFSET $10");
    pub(crate) const COUNT_CONCERNS_OPEN = concat!("SELECT COUNT(*) FROM concern c JOIN person p ON p.id = c.person WHERE c.acknowledged_at IS NULL AND ", scoped_person!());
    pub(crate) const PAGE_REPLIES_CLINIC = concat!("SELECT y.id, y.person, y.kind, y.words, y.at, y.handled_by, y.handled_at, p.given, p.family, p.birth_date FROM reply y JOIN person p ON p.id = y.person WHERE y.handled_at IS NULL AND ", scoped_person!(), " ORDER BY y.at, y.id LIMIT $9 OFFSET $10");
    pub(crate) const PAGE_REPLIES_TEAM = concat!("SELECT y.id, y.person, y.kind, y.words, y.at, y.handled_by, y.handled_at, p.given, p.family, p.birth_date FROM reply y JOIN person p ON p.id = y.person JOIN referral r ON r.person = p.id WHERE y.handled_at IS NULL AND NOT EXISTS (SELECT 1 FROM referral o WHERE o.person = r.person AND ((o.stage <> 'ended' AND r.stage = 'ended') OR (o.stage = 'ended' AND r.stage = 'ended' AND (o.raised_at > r.raised_at OR (o.raised_at = r.raised_at AND o.id > r.id))))) AND ", scoped!(), " ORDER BY y.at, y.id LIMIT $9 OFFSET $10");
    pub(crate) const PAGE_SET_ASIDE = "SELECT id, feed, kind, received_at, keep_until FROM message WHERE state = 'quarantined' AND REPLACE(CAST($3 AS TEXT), '|' || feed || '|', '') <> CAST($3 AS TEXT) ORDER BY received_at DESC, id DESC LIMIT $1 OFFSET $2";
    pub(crate) const SET_ASIDE_ONE = "SELECT id, feed, kind, received_at, keep_until, state FROM message WHERE id = $1";
    pub(crate) const SET_ASIDE_PROBLEMS = "SELECT location, code, severity, words FROM message_problem WHERE message = $1 ORDER BY position LIMIT $2";
}

/// Parameters 1 to 8 of a narrowed list.
pub(crate) fn scope_params(scope: &Scope) -> Vec<Value> {
    let supporters = scope.supporters.as_ref().map(|these| keys(these.iter()));
    vec![
        Value::from(&scope.site.0),
        Value::from(scope.before_release),
        Value::from(supporters),
        Value::from(scope.unallocated),
        Value::from(scope.shielded),
        Value::from(&scope.viewer.0),
        Value::from(keys(scope.glass.iter())),
        Value::from(keys(scope.own.iter())),
    ]
}

/// `|one|two|`.
pub(crate) fn keys<T: std::fmt::Display>(all: impl Iterator<Item = T>) -> String {
    all.fold("|".to_owned(), |text, key| text + &format!("{key}|"))
}

pub(crate) fn narrowed(scope: &Scope, more: &[Value]) -> Vec<Value> {
    let mut all = scope_params(scope);
    all.extend_from_slice(more);
    all
}

/// Which lines of a list: `most` of them after the first `skip`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// How many at most.
    pub most: u32,
    /// How many to leave out first.
    pub skip: u32,
}

/// A referral as a line of a worklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The referral.
    pub referral: ReferralId,
    /// The person.
    pub person: PersonId,
    /// Why it was raised.
    pub reason: trigger::Kind,
    /// Where it stands.
    pub stage: Stage,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// The supporter.
    pub supporter: Option<StaffId>,
    /// The end of a deferral.
    pub until: Option<Date>,
    /// The promised day of the first conversation.
    pub due_on: Option<Date>,
    /// Attempts so far.
    pub attempts: u64,
    /// When the next assessment is due.
    pub next_assessment_on: Option<Date>,
    /// Of whom it speaks.
    pub named: Named,
}

/// What a line shows of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Given name.
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
pub fn at_stage(tx: &mut Tx<'_>, scope: &Scope, stage: Stage, slice: Slice) -> Result<Vec<Waiting>, StoreError> {
    tx.query(&PAGE_STAGE, &narrowed(scope, params![stage.code(), i64::from(slice.most), i64::from(slice.skip)]), waiting)
}

/// Deferred referrals of a site, the next to be asked again first.
///
/// # Errors
/// The store's.
pub fn deferred(tx: &mut Tx<'_>, scope: &Scope, slice: Slice) -> Result<Vec<Waiting>, StoreError> {
    tx.query(&PAGE_DEFERRED, &narrowed(scope, params![i64::from(slice.most), i64::from(slice.skip)]), waiting)
}

/// Released referrals without a first conversation whose promise is due by a day, the earliest first.
///
/// # Errors
/// The store's.
pub fn due(tx: &mut Tx<'_>, scope: &Scope, by: Date, slice: Slice) -> Result<Vec<Waiting>, StoreError> {
    tx.query(&PAGE_DUE, &narrowed(scope, params![by, i64::from(slice.most), i64::from(slice.skip)]), waiting)
}

/// Referrals whose next assessment is due by a day, the earliest first.
///
/// # Errors
/// The store's.
pub fn assessments_due(tx: &mut Tx<'_>, scope: &Scope, by: Date, slice: Slice) -> Result<Vec<Waiting>, StoreError> {
    tx.query(&PAGE_ASSESSMENTS, &narrowed(scope, params![by, i64::from(slice.most), i64::from(slice.skip)]), waiting)
}

/// One of the people of a caseload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The referral, and of whom it speaks.
    pub waiting: Waiting,
    /// The day agreed for the next contact, and its way.
    pub planned: Option<(Date, Way)>,
    /// The day of the last contact of any kind, or else of the release.
    pub last_on: Option<Date>,
}

/// The people of a caseload at a site, by name.
///
/// # Errors
/// The store's.
pub fn caseload(tx: &mut Tx<'_>, scope: &Scope, most: u32) -> Result<Vec<Held>, StoreError> {
    tx.query(&PAGE_CASELOAD, &narrowed(scope, params![i64::from(most)]), |row| {
        let way = row.opt_text(14)?.map(|_| coded(row, 14, Way::from_code)).transpose()?;
        Ok(Held { waiting: waiting(row)?, planned: row.opt_date(13)?.zip(way), last_on: row.opt_date(15)? })
    })
}

/// Referrals of a site that a member of staff raised, joined, or recorded the notice of since an instant: the newest first.
///
/// # Errors
/// The store's.
pub fn referred_by(tx: &mut Tx<'_>, scope: &Scope, staff: &StaffId, since: Timestamp, slice: Slice) -> Result<Vec<Waiting>, StoreError> {
    let more = params![&staff.0, since, i64::from(slice.most), i64::from(slice.skip)];
    tx.query(&PAGE_REFERRED_BY, &narrowed(scope, more), waiting)
}

/// How many lines [`referred_by`] has.
///
/// # Errors
/// The store's.
pub fn count_referred_by(tx: &mut Tx<'_>, scope: &Scope, staff: &StaffId, since: Timestamp) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_REFERRED_BY, &narrowed(scope, params![&staff.0, since]), |row| row.number(0))?.unwrap_or(0))
}

/// How many lines [`due`] has.
///
/// # Errors
/// The store's.
pub fn count_due(tx: &mut Tx<'_>, scope: &Scope, by: Date) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_DUE, &narrowed(scope, params![by]), |row| row.number(0))?.unwrap_or(0))
}

/// How many lines [`assessments_due`] has.
///
/// # Errors
/// The store's.
pub fn count_assessments_due(tx: &mut Tx<'_>, scope: &Scope, by: Date) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_ASSESSMENTS, &narrowed(scope, params![by]), |row| row.number(0))?.unwrap_or(0))
}

/// An open question as a line of the clinic's worklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The question.
    pub question: QuestionId,
    /// The person.
    pub person: PersonId,
    /// Its kind.
    pub kind: question::Kind,
    /// Since when it waits.
    pub raised_at: Timestamp,
    /// Of whom it speaks.
    pub named: Named,
}

/// The open questions of a site, oldest first.
///
/// # Errors
/// The store's.
pub fn questions(tx: &mut Tx<'_>, scope: &Scope, slice: Slice) -> Result<Vec<Asked>, StoreError> {
    tx.query(&PAGE_QUESTIONS, &narrowed(scope, params![i64::from(slice.most), i64::from(slice.skip)]), |row| {
        Ok(Asked {
            question: row.parsed(0)?,
            person: row.parsed(1)?,
            kind: coded(row, 2, question::Kind::from_code)?,
            raised_at: row.timestamp(3)?,
            named: named(row, 4)?,
        })
    })
}

/// How many open questions a site has.
///
/// # Errors
/// The store's.
pub fn count_questions(tx: &mut Tx<'_>, scope: &Scope) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_QUESTIONS, &scope_params(scope), |row| row.number(0))?.unwrap_or(0))
}

/// How many referrals are at a stage.
///
/// # Errors
/// The store's.
pub fn count_at_stage(tx: &mut Tx<'_>, scope: &Scope, stage: Stage) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_AT_STAGE, &narrowed(scope, params![stage.code()]), |row| row.number(0))?.unwrap_or(0))
}

/// A person found by a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The person.
    pub person: PersonId,
    /// Of whom it speaks.
    pub named: Named,
    /// Whether the person has died.
    pub died: bool,
}

/// People whose names or numbers begin with the words of a text, by family name: all of the clinic, or only whom the team
/// may know. Where no word has three letters, they are whole names.
///
/// # Errors
/// The store's.
pub fn search(tx: &mut Tx<'_>, scope: &Scope, text: &str, most: u32) -> Result<Vec<Found>, StoreError> {
    let Some(people::Wanted { longest: (from, to), patterns: [first, second, third] }) = people::Wanted::read(text) else {
        return Ok(Vec::new());
    };
    let statement = if scope.before_release && scope.supporters.is_none() { &SEARCH_CLINIC } else { &SEARCH_TEAM };
    tx.query(statement, &narrowed(scope, params![from, to, first, second, third, i64::from(most)]), |row| {
        Ok(Found { person: row.parsed(0)?, named: named(row, 1)?, died: row.bool(4)? })
    })
}

/// A concern as a line of the clinic's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// The concern.
    pub concern: alongside_domain::concern::Concern,
    /// Of whom it speaks.
    pub named: Named,
}

/// The concerns of a site: those that nobody has taken on, oldest first; or those that somebody has, the latest first.
///
/// # Errors
/// The store's.
pub fn concerns(tx: &mut Tx<'_>, scope: &Scope, open: bool, slice: Slice) -> Result<Vec<Raised>, StoreError> {
    let statement = if open { &PAGE_CONCERNS_OPEN } else { &PAGE_CONCERNS_SETTLED };
    tx.query(statement, &narrowed(scope, params![i64::from(slice.most), i64::from(slice.skip)]), |row| {
        Ok(Raised { concern: care::concern_row(row)?, named: named(row, 10)? })
    })
}

/// How many concerns of a site nobody has taken on.
///
/// # Errors
/// The store's.
pub fn count_concerns(tx: &mut Tx<'_>, scope: &Scope) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_CONCERNS_OPEN, &scope_params(scope), |row| row.number(0))?.unwrap_or(0))
}

/// An answer by a private link as a line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replied {
    /// The answer.
    pub reply: alongside_domain::reply::Reply,
    /// Whose.
    pub named: Named,
}

/// The answers of people of a site that nobody has seen to, oldest first: of all of the clinic, or only of whom the team may
/// know.
///
/// # Errors
/// The store's.
pub fn replies(tx: &mut Tx<'_>, scope: &Scope, slice: Slice) -> Result<Vec<Replied>, StoreError> {
    let statement = if scope.before_release && scope.supporters.is_none() { &PAGE_REPLIES_CLINIC } else { &PAGE_REPLIES_TEAM };
    tx.query(statement, &narrowed(scope, params![i64::from(slice.most), i64::from(slice.skip)]), |row| {
        Ok(Replied { reply: care::reply_row(row, 0)?, named: named(row, 7)? })
    })
}

/// A message that was set aside, with its problems: locations and codes, never content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Our identifier.
    pub id: MessageId,
    /// Key of the feed.
    pub feed: String,
    /// Type and trigger, for instance `ORU^R01`.
    pub kind: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Until when its text is kept.
    pub keep_until: Option<Timestamp>,
    /// What is wrong with it.
    pub problems: Vec<messages::Problem>,
}

/// Messages that are set aside, of these feeds, newest first, each with at most so many problems.
///
/// # Errors
/// The store's.
pub fn set_aside(tx: &mut Tx<'_>, feeds: &[&str], slice: Slice, problems_most: u32) -> Result<Vec<SetAside>, StoreError> {
    let feeds = keys(feeds.iter());
    let mut found = tx.query(&PAGE_SET_ASIDE, params![i64::from(slice.most), i64::from(slice.skip), feeds], set_aside_row)?;
    for message in &mut found {
        message.problems = problems(tx, message.id, problems_most)?;
    }
    Ok(found)
}

/// A message with its problems, and its state: `applied`, `quarantined`, `replayed` or `expired`.
///
/// # Errors
/// The store's.
pub fn set_aside_one(tx: &mut Tx<'_>, id: MessageId, problems_most: u32) -> Result<Option<(SetAside, String)>, StoreError> {
    let found = tx.query_one(&SET_ASIDE_ONE, params![id.to_string()], |row| Ok((set_aside_row(row)?, row.text(5)?)))?;
    let Some((mut message, state)) = found else { return Ok(None) };
    message.problems = problems(tx, id, problems_most)?;
    Ok(Some((message, state)))
}

fn problems(tx: &mut Tx<'_>, id: MessageId, most: u32) -> Result<Vec<messages::Problem>, StoreError> {
    tx.query(&SET_ASIDE_PROBLEMS, params![id.to_string(), i64::from(most)], |row| {
        Ok(messages::Problem { location: row.text(0)?, code: row.text(1)?, severity: row.text(2)?, words: row.text(3)? })
    })
}

fn set_aside_row(row: &Row<'_>) -> Result<SetAside, StoreError> {
    Ok(SetAside {
        id: row.parsed(0)?,
        feed: row.text(1)?,
        kind: row.text(2)?,
        received_at: row.timestamp(3)?,
        keep_until: row.opt_timestamp(4)?,
        problems: Vec::new(),
    })
}

pub(crate) fn waiting(row: &Row<'_>) -> Result<Waiting, StoreError> {
    Ok(Waiting {
        referral: row.parsed(0)?,
        person: row.parsed(1)?,
        reason: coded(row, 2, trigger::Kind::from_code)?,
        stage: coded(row, 3, Stage::from_code)?,
        raised_at: row.timestamp(4)?,
        supporter: row.opt_text(5)?.map(StaffId),
        until: row.opt_date(6)?,
        due_on: row.opt_date(7)?,
        attempts: row.number(8)?,
        next_assessment_on: row.opt_date(9)?,
        named: named(row, 10)?,
    })
}

pub(crate) fn named(row: &Row<'_>, first: usize) -> Result<Named, StoreError> {
    Ok(Named { given: row.opt_text(first)?, family: row.opt_text(first + 1)?, birth_date: row.opt_date(first + 2)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::testing::both_engines;
    use alongside_domain::id::{CountingIds, MessageId};
    use alongside_domain::nhs_number::NhsNumber;
    use alongside_domain::person::{Identifier, NhsNumberHeld, Person, SiteId};
    use alongside_domain::question::Question;
    use alongside_domain::record::Record;
    use alongside_domain::referral::{Referral, Status};
    use jiff::civil::date;

    const ALL: Slice = Slice { most: 10, skip: 0 };

    fn here() -> SiteId {
        SiteId("here".into())
    }

    fn all() -> Scope {
        Scope::of_operator(here())
    }

    /// Keeps somebody whose referral has this status, and an open question about them.
    fn keep(store: &Store, ids: &mut CountingIds, status: Status, day: Option<Date>) -> PersonId {
        let id = PersonId::new(ids);
        let mut record = Record::new(Person::new(id, here(), Vec::new()));
        record.person.given = Some("Ada".into());
        record.person.birth_date = Some(date(1990, 5, 2));
        record.referrals.push(Referral {
            id: ReferralId::new(ids),
            person: id,
            origin: id,
            site: here(),
            reason: trigger::Kind::NewDiagnosis,
            raised_at: Timestamp::UNIX_EPOCH,
            status,
            notice: None,
            consents_to_outside: false,
            released_on: day,
            due_on: day,
            attempts: 2,
            engaged_on: None,
            assessed_on: None,
            next_assessment_on: day,
            ended_on: None,
        });
        let question = QuestionId::new(ids);
        let kind = question::Kind::NewOrKnown;
        record.questions.push(Question {
            id: question,
            person: id,
            origin: id,
            kind,
            raised_at: Timestamp::UNIX_EPOCH,
            other: None,
            referral: None,
            answered: None,
        });
        store.write(move |tx| people::keep(tx, None, &record)).unwrap();
        id
    }

    #[test]
    fn each_worklist_has_its_own_people_and_counts_what_it_lists() {
        both_engines(|store| {
            let ids = &mut CountingIds::default();
            let anna = || StaffId("anna".into());
            let soon = Some(date(2025, 1, 7));
            let awaiting = keep(&store, ids, Status::AwaitingNotice, None);
            let late = keep(&store, ids, Status::Deferred { until: date(2025, 6, 1) }, None);
            let early = keep(&store, ids, Status::Deferred { until: date(2025, 3, 1) }, None);
            let open = keep(&store, ids, Status::Open, soon);
            keep(&store, ids, Status::Open, Some(date(2025, 1, 8)));
            let supported = keep(&store, ids, Status::Supported { supporter: anna() }, soon);
            let by = date(2025, 1, 7);
            store
                .read(|tx| {
                    let who = |lines: Vec<Waiting>| lines.into_iter().map(|line| line.person).collect::<Vec<_>>();
                    assert_eq!(who(at_stage(tx, &all(), Stage::AwaitingNotice, ALL)?), [awaiting]);
                    assert_eq!(who(deferred(tx, &all(), ALL)?), [early, late]);
                    assert_eq!(who(deferred(tx, &all(), Slice { most: 1, skip: 1 })?), [late]);
                    assert_eq!(who(due(tx, &all(), by, ALL)?), [open]);
                    let assess = assessments_due(tx, &all(), by, ALL)?;
                    assert_eq!(assess[0].supporter, Some(anna()));
                    assert_eq!(assess[0].named.given.as_deref(), Some("Ada"));
                    assert_eq!(who(assess), [supported]);
                    assert_eq!((count_due(tx, &all(), by)?, count_assessments_due(tx, &all(), by)?), (1, 1));
                    assert_eq!((count_questions(tx, &all())?, questions(tx, &all(), ALL)?.len()), (6, 6));
                    assert_eq!(questions(tx, &Scope::of_operator(SiteId("elsewhere".into())), ALL)?, []);
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        });
    }

    #[test]
    fn a_search_finds_whoever_has_a_name_or_a_number_that_begins_so() {
        both_engines(|store| {
            for (number, given, family) in [(1, "Zoë", "Okafor-O’Brien"), (2, "Mei", "Ng"), (3, "Tama", "Ngata")] {
                let mut person = Person::new(PersonId(number), here(), Vec::new());
                (person.given, person.family) = (Some(given.into()), Some(family.into()));
                person.identifiers = vec![Identifier { system: "RQM:MRN".into(), value: format!("A/70{number}") }];
                person.nhs_number = NhsNumber::from_nine([9, 9, 9, 0, 0, 0, 0, 0, u8::try_from(number).unwrap()])
                    .map(|number| NhsNumberHeld { number, verified: true });
                store.write(move |tx| people::keep(tx, None, &Record::new(person.clone()))).unwrap();
            }
            let found = |text: &str| {
                let found = store.read(|tx| search(tx, &all(), text, 10)).unwrap();
                found.into_iter().map(|found| found.person.0).collect::<Vec<_>>()
            };
            for whole in ["zoe", "OKAF", "okafor, zoë", "zoe okafor obrien", "obri", "a/701", "701", "999 000 0018"] {
                assert_eq!(found(whole), [1], "{whole}");
            }
            assert_eq!((found("ng"), found("nga"), found("ngata t")), (vec![2], vec![3], vec![3]));
            for nobody in ["afor", "zoe ng", "01", "zo", "%", "_ei"] {
                assert_eq!(found(nobody), [], "{nobody}");
            }
        });
    }

    #[test]
    fn a_message_set_aside_is_listed_with_its_problems_and_without_its_text() {
        both_engines(|store| {
            let problem = |location: &str| messages::Problem {
                location: location.to_owned(),
                code: "103".into(),
                severity: "E".into(),
                words: "the code is not in the profile".into(),
            };
            let key = messages::Key { feed: "here".into(), sender: "A^B".into(), control_id: "1".into(), digest: "0".into() };
            let kept = messages::Kept {
                id: MessageId(7),
                key,
                received_at: Timestamp::UNIX_EPOCH,
                kind: "ORU^R01".into(),
                answer: "AA".into(),
                set_aside: Some((b"MSH|".to_vec(), Timestamp::UNIX_EPOCH)),
                problems: vec![problem("OBX-3.1"), problem("OBX-5")],
            };
            store.write(move |tx| messages::add(tx, &kept)).unwrap();
            let listed = store.read(|tx| set_aside(tx, &["there", "here"], ALL, 1)).unwrap();
            let [message] = listed.as_slice() else { panic!("{listed:?}") };
            assert_eq!(store.read(|tx| set_aside(tx, &["there"], ALL, 1)).unwrap(), []);
            let (one, state) = store.read(|tx| set_aside_one(tx, MessageId(7), 5)).unwrap().unwrap();
            assert_eq!((one.problems.len(), state.as_str()), (2, "quarantined"));
            store.write(|tx| messages::replace_problems(tx, MessageId(7), &[])).unwrap();
            let (one, _) = store.read(|tx| set_aside_one(tx, MessageId(7), 5)).unwrap().unwrap();
            assert_eq!(one.problems, []);
            assert_eq!((message.id, message.kind.as_str(), message.problems.len()), (MessageId(7), "ORU^R01", 1));
            assert_eq!(message.problems[0].location, "OBX-3.1");
        });
    }
}
