//! Reads of pages: one page of a worklist at a time, and how many lines there are.

use alongside_domain::id::{MessageId, PersonId, QuestionId, ReferralId};
use alongside_domain::person::SiteId;
use alongside_domain::question;
use alongside_domain::referral::Stage;
use alongside_domain::supporter::StaffId;
use alongside_domain::trigger;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::codec::coded;
use crate::{Row, StoreError, Tx, messages, params, statements};

statements! {
    pub(crate) const PAGE_STAGE = "SELECT r.id, r.person, r.reason, r.stage, r.raised_at, r.supporter, r.until_on, r.due_on, r.attempts, r.next_assessment_on, p.given, p.family, p.birth_date FROM referral r JOIN person p ON p.id = r.person WHERE r.site = $1 AND r.stage = $2 ORDER BY r.raised_at, r.id LIMIT $3 OFFSET $4";
    pub(crate) const PAGE_DEFERRED = "SELECT r.id, r.person, r.reason, r.stage, r.raised_at, r.supporter, r.until_on, r.due_on, r.attempts, r.next_assessment_on, p.given, p.family, p.birth_date FROM referral r JOIN person p ON p.id = r.person WHERE r.site = $1 AND r.stage = 'deferred' ORDER BY r.until_on, r.id LIMIT $2 OFFSET $3";
    pub(crate) const PAGE_DUE = "SELECT r.id, r.person, r.reason, r.stage, r.raised_at, r.supporter, r.until_on, r.due_on, r.attempts, r.next_assessment_on, p.given, p.family, p.birth_date FROM referral r JOIN person p ON p.id = r.person WHERE r.site = $1 AND r.stage IN ('open', 'allocated', 'contacting') AND r.engaged_on IS NULL AND r.due_on <= $2 ORDER BY r.due_on, r.id LIMIT $3 OFFSET $4";
    pub(crate) const PAGE_ASSESSMENTS = "SELECT r.id, r.person, r.reason, r.stage, r.raised_at, r.supporter, r.until_on, r.due_on, r.attempts, r.next_assessment_on, p.given, p.family, p.birth_date FROM referral r JOIN person p ON p.id = r.person WHERE r.site = $1 AND r.stage IN ('engaged', 'assessed', 'supported') AND r.next_assessment_on <= $2 ORDER BY r.next_assessment_on, r.id LIMIT $3 OFFSET $4";
    pub(crate) const PAGE_QUESTIONS = "SELECT q.id, q.person, q.kind, q.raised_at, p.given, p.family, p.birth_date FROM question q JOIN person p ON p.id = q.person WHERE p.site = $1 AND q.answered = 0 ORDER BY q.raised_at, q.id LIMIT $2 OFFSET $3";
    pub(crate) const PAGE_SET_ASIDE = "SELECT id, feed, kind, received_at, keep_until FROM message WHERE state = 'quarantined' ORDER BY received_at DESC, id DESC LIMIT $1 OFFSET $2";
    pub(crate) const COUNT_DUE = "SELECT COUNT(*) FROM referral WHERE site = $1 AND stage IN ('open', 'allocated', 'contacting') AND engaged_on IS NULL AND due_on <= $2";
    pub(crate) const COUNT_ASSESSMENTS = "SELECT COUNT(*) FROM referral WHERE site = $1 AND stage IN ('engaged', 'assessed', 'supported') AND next_assessment_on <= $2";
    pub(crate) const COUNT_QUESTIONS = "SELECT COUNT(*) FROM question q JOIN person p ON p.id = q.person WHERE p.site = $1 AND q.answered = 0";
    pub(crate) const SET_ASIDE_PROBLEMS = "SELECT location, code, severity, words FROM message_problem WHERE message = $1 ORDER BY position LIMIT $2";
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
pub fn at_stage(tx: &mut Tx<'_>, site: &SiteId, stage: Stage, slice: Slice) -> Result<Vec<Waiting>, StoreError> {
    tx.query(&PAGE_STAGE, params![&site.0, stage.code(), i64::from(slice.most), i64::from(slice.skip)], waiting)
}

/// Deferred referrals of a site, the next to be asked again first.
///
/// # Errors
/// The store's.
pub fn deferred(tx: &mut Tx<'_>, site: &SiteId, slice: Slice) -> Result<Vec<Waiting>, StoreError> {
    tx.query(&PAGE_DEFERRED, params![&site.0, i64::from(slice.most), i64::from(slice.skip)], waiting)
}

/// Released referrals without a first conversation whose promise is due by a day, the earliest first.
///
/// # Errors
/// The store's.
pub fn due(tx: &mut Tx<'_>, site: &SiteId, by: Date, slice: Slice) -> Result<Vec<Waiting>, StoreError> {
    tx.query(&PAGE_DUE, params![&site.0, by, i64::from(slice.most), i64::from(slice.skip)], waiting)
}

/// Referrals whose next assessment is due by a day, the earliest first.
///
/// # Errors
/// The store's.
pub fn assessments_due(tx: &mut Tx<'_>, site: &SiteId, by: Date, slice: Slice) -> Result<Vec<Waiting>, StoreError> {
    tx.query(&PAGE_ASSESSMENTS, params![&site.0, by, i64::from(slice.most), i64::from(slice.skip)], waiting)
}

/// How many lines [`due`] has.
///
/// # Errors
/// The store's.
pub fn count_due(tx: &mut Tx<'_>, site: &SiteId, by: Date) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_DUE, params![&site.0, by], |row| row.number(0))?.unwrap_or(0))
}

/// How many lines [`assessments_due`] has.
///
/// # Errors
/// The store's.
pub fn count_assessments_due(tx: &mut Tx<'_>, site: &SiteId, by: Date) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_ASSESSMENTS, params![&site.0, by], |row| row.number(0))?.unwrap_or(0))
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
pub fn questions(tx: &mut Tx<'_>, site: &SiteId, slice: Slice) -> Result<Vec<Asked>, StoreError> {
    tx.query(&PAGE_QUESTIONS, params![&site.0, i64::from(slice.most), i64::from(slice.skip)], |row| {
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
pub fn count_questions(tx: &mut Tx<'_>, site: &SiteId) -> Result<u64, StoreError> {
    Ok(tx.query_one(&COUNT_QUESTIONS, params![&site.0], |row| row.number(0))?.unwrap_or(0))
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

/// Messages that are set aside, of all feeds, newest first, each with at most so many problems.
///
/// # Errors
/// The store's.
pub fn set_aside(tx: &mut Tx<'_>, slice: Slice, problems_most: u32) -> Result<Vec<SetAside>, StoreError> {
    let mut found = tx.query(&PAGE_SET_ASIDE, params![i64::from(slice.most), i64::from(slice.skip)], |row| {
        Ok(SetAside {
            id: row.parsed(0)?,
            feed: row.text(1)?,
            kind: row.text(2)?,
            received_at: row.timestamp(3)?,
            keep_until: row.opt_timestamp(4)?,
            problems: Vec::new(),
        })
    })?;
    for message in &mut found {
        message.problems = tx.query(&SET_ASIDE_PROBLEMS, params![message.id.to_string(), i64::from(problems_most)], |row| {
            Ok(messages::Problem { location: row.text(0)?, code: row.text(1)?, severity: row.text(2)?, words: row.text(3)? })
        })?;
    }
    Ok(found)
}

fn waiting(row: &Row<'_>) -> Result<Waiting, StoreError> {
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

fn named(row: &Row<'_>, first: usize) -> Result<Named, StoreError> {
    Ok(Named { given: row.opt_text(first)?, family: row.opt_text(first + 1)?, birth_date: row.opt_date(first + 2)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::both_engines;
    use crate::{Store, people};
    use alongside_domain::id::{CountingIds, MessageId};
    use alongside_domain::person::Person;
    use alongside_domain::question::Question;
    use alongside_domain::record::Record;
    use alongside_domain::referral::{Referral, Status};
    use jiff::civil::date;

    const ALL: Slice = Slice { most: 10, skip: 0 };

    fn here() -> SiteId {
        SiteId("here".into())
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
                    assert_eq!(who(at_stage(tx, &here(), Stage::AwaitingNotice, ALL)?), [awaiting]);
                    assert_eq!(who(deferred(tx, &here(), ALL)?), [early, late]);
                    assert_eq!(who(deferred(tx, &here(), Slice { most: 1, skip: 1 })?), [late]);
                    assert_eq!(who(due(tx, &here(), by, ALL)?), [open]);
                    let assess = assessments_due(tx, &here(), by, ALL)?;
                    assert_eq!(assess[0].supporter, Some(anna()));
                    assert_eq!(assess[0].named.given.as_deref(), Some("Ada"));
                    assert_eq!(who(assess), [supported]);
                    assert_eq!((count_due(tx, &here(), by)?, count_assessments_due(tx, &here(), by)?), (1, 1));
                    assert_eq!((count_questions(tx, &here())?, questions(tx, &here(), ALL)?.len()), (6, 6));
                    assert_eq!(questions(tx, &SiteId("elsewhere".into()), ALL)?, []);
                    Ok::<_, StoreError>(())
                })
                .unwrap();
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
            let listed = store.read(|tx| set_aside(tx, ALL, 1)).unwrap();
            let [message] = listed.as_slice() else { panic!("{listed:?}") };
            assert_eq!((message.id, message.kind.as_str(), message.problems.len()), (MessageId(7), "ORU^R01", 1));
            assert_eq!(message.problems[0].location, "OBX-3.1");
        });
    }
}
