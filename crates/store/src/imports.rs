//! Imports of spreadsheets, kept so that they can be taken back.

use alongside_domain::id::{AssessmentId, ContactId, ImportId, PersonId, QuestionId, ReferralId, TriggerId};
use alongside_domain::person::{Death, Diagnosis, Objection, ObjectionReason, Person, Scope};
use alongside_domain::referral::Referral;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::codec::{self, StatusColumns};
use crate::{Statement, StoreError, Tx, params, people, reading, statements};

statements! {
    pub(crate) const ADD = "INSERT INTO import_run (id, kind, site, at, digest, records, undone_at) VALUES ($1, $2, $3, $4, $5, $6, NULL)";
    pub(crate) const ADD_ITEM = "INSERT INTO import_item (import_run, position, kind, item) VALUES ($1, $2, $3, $4)";
    pub(crate) const FIND_SAME = "SELECT id FROM import_run WHERE site = $1 AND kind = $2 AND digest = $3 AND undone_at IS NULL";
    pub(crate) const READ = "SELECT kind, site, at, records, undone_at FROM import_run WHERE id = $1";
    pub(crate) const LIST = "SELECT id, kind, site, at, records, undone_at FROM import_run ORDER BY at DESC, id DESC LIMIT $1";
    pub(crate) const ITEMS = "SELECT kind, item FROM import_item WHERE import_run = $1 ORDER BY position DESC";
    pub(crate) const UNDO = "UPDATE import_run SET undone_at = $2 WHERE id = $1 AND undone_at IS NULL";
    pub(crate) const COUNT_CONTACTS = "SELECT COUNT(*) FROM contact WHERE referral = $1";
    pub(crate) const COUNT_ASSESSMENTS = "SELECT COUNT(*) FROM assessment WHERE referral = $1";
    pub(crate) const COUNT_LETTERS = "SELECT COUNT(*) FROM outgoing WHERE referral = $1";
    pub(crate) const COUNT_REFERRALS = "SELECT COUNT(*) FROM referral WHERE person = $1 OR origin = $1";
    pub(crate) const COUNT_TRIGGERS = "SELECT COUNT(*) FROM referral_trigger WHERE person = $1 OR origin = $1";
    pub(crate) const COUNT_QUESTIONS = "SELECT COUNT(*) FROM question WHERE person = $1 OR origin = $1 OR other = $1";
    pub(crate) const COUNT_WAITING = "SELECT COUNT(*) FROM referral_trigger WHERE question = $1";
    pub(crate) const COUNT_ANSWERED = "SELECT COUNT(*) FROM question WHERE id = $1 AND answered = 1";
    pub(crate) const OTHER_LINES_OF_REFERRAL = "SELECT COUNT(*) FROM journal WHERE referral = $1 AND cause_kind <> 'import'";
    pub(crate) const OTHER_LINES_OF_PERSON = "SELECT COUNT(*) FROM journal WHERE person = $1 AND cause_kind <> 'import'";
    pub(crate) const REMOVE_CONTACT = "DELETE FROM contact WHERE id = $1";
    pub(crate) const REMOVE_ANSWERS = "DELETE FROM assessment_answer WHERE assessment = $1";
    pub(crate) const REMOVE_SCORES = "DELETE FROM assessment_score WHERE assessment = $1";
    pub(crate) const REMOVE_ASSESSMENT = "DELETE FROM assessment WHERE id = $1";
    pub(crate) const REMOVE_TRIGGER = "DELETE FROM referral_trigger WHERE id = $1";
    pub(crate) const REMOVE_QUESTION = "DELETE FROM question WHERE id = $1";
    pub(crate) const REMOVE_REFERRAL = "DELETE FROM referral WHERE id = $1";
    pub(crate) const REMOVE_IDENTIFIERS = "DELETE FROM person_identifier WHERE person = $1";
    pub(crate) const REMOVE_PERSON = "DELETE FROM person WHERE id = $1";
}

/// What an import added, or changed of what was here before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A person.
    Person(PersonId),
    /// A question, and how many triggers waited for it when the import was kept.
    Question(QuestionId, i64),
    /// A referral.
    Referral(ReferralId),
    /// A trigger.
    Trigger(TriggerId),
    /// A contact.
    Contact(ContactId),
    /// An assessment.
    Assessment(AssessmentId),
    /// How far a referral came by the import.
    Progress {
        /// The referral.
        referral: ReferralId,
        /// As it was; `None` when the import added it.
        before: Option<Progress>,
        /// As it became.
        after: Progress,
    },
    /// What became of a person who was here before.
    Standing {
        /// The person.
        person: PersonId,
        /// As it was.
        before: Standing,
        /// As it became.
        after: Standing,
    },
}

/// How far a referral is, in one text: what is compared and put back when an import is taken back. It is coded and
/// holds no name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress(String);

impl Progress {
    /// How far a referral is, with so many contacts and assessments.
    #[must_use]
    pub fn of(referral: &Referral, contacts: i64, assessments: i64) -> Self {
        let parts = [
            StatusColumns::from(&referral.status).to_text(),
            referral.attempts.to_string(),
            written(referral.engaged_on),
            written(referral.assessed_on),
            written(referral.next_assessment_on),
            // What follows is compared and never put back: no import changes it after adding the referral.
            referral.person.to_string(),
            written(referral.notice.as_ref().map(|notice| notice.on)),
            written(referral.released_on),
            written(referral.due_on),
            written(referral.ended_on),
            contacts.to_string(),
            assessments.to_string(),
        ];
        Self(parts.join("\t"))
    }

    /// Puts a referral back to where it was. `None` when the text is not one of [`Progress::of`]: then nothing changed.
    #[must_use]
    pub fn put_back(&self, referral: &mut Referral) -> Option<()> {
        let mut parts = self.0.split('\t');
        let status = StatusColumns::from_text(parts.next()?)?.status()?;
        let attempts = parts.next()?.parse().ok()?;
        let (engaged_on, assessed_on, next_assessment_on) =
            (read_date(parts.next()?)?, read_date(parts.next()?)?, read_date(parts.next()?)?);
        *referral = Referral { status, attempts, engaged_on, assessed_on, next_assessment_on, ..referral.clone() };
        Some(())
    }

    /// The numbers of contacts and assessments.
    fn counts(&self) -> Option<(i64, i64)> {
        let mut parts = self.0.split('\t').skip(10);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

/// What is known of a person's diagnosis, objection and death, in one text; as [`Progress`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing(String);

impl Standing {
    /// How a person stands, with so many triggers.
    #[must_use]
    pub fn of(person: &Person, triggers: usize) -> Self {
        let (diagnosis, diagnosed_on) = codec::diagnosis_columns(person.diagnosis);
        let objection = person.objection;
        let parts = [
            diagnosis.to_owned(),
            written(diagnosed_on),
            objection.map(|objection| objection.scope.code().to_owned()).unwrap_or_default(),
            objection.map(|objection| objection.reason.code().to_owned()).unwrap_or_default(),
            objection.map(|objection| objection.at.as_microsecond().to_string()).unwrap_or_default(),
            if person.died.is_some() { "died" } else { "" }.to_owned(),
            written(person.died.and_then(|death| death.on)),
            // Compared, never put back.
            person.merged_into.map(|id| id.to_string()).unwrap_or_default(),
            triggers.to_string(),
        ];
        Self(parts.join("\t"))
    }

    /// Puts a person back to how they stood. `None` when the text is not one of [`Standing::of`].
    #[must_use]
    pub fn put_back(&self, person: &mut Person) -> Option<()> {
        let parts: Vec<&str> = self.0.split('\t').collect();
        let [code, diagnosed_on, scope, reason, at, died, died_on, ..] = parts.as_slice() else { return None };
        let diagnosis = diagnosis_of(code, read_date(diagnosed_on)?)?;
        let objection = match *scope {
            "" => None,
            scope => Some(Objection {
                scope: Scope::from_code(scope)?,
                reason: ObjectionReason::from_code(reason)?,
                at: Timestamp::from_microsecond(at.parse().ok()?).ok()?,
            }),
        };
        let died_on = read_date(died_on)?;
        person.diagnosis = diagnosis;
        person.objection = objection;
        person.died = (*died == "died").then_some(Death { on: died_on });
        Some(())
    }
}

fn diagnosis_of(code: &str, on: Option<Date>) -> Option<Diagnosis> {
    match (code, on) {
        ("unproven", None) => Some(Diagnosis::Unproven),
        ("new", Some(on)) => Some(Diagnosis::New { on }),
        ("known", None) => Some(Diagnosis::Known),
        ("asked", None) => Some(Diagnosis::Asked),
        _ => None,
    }
}

fn written(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

fn read_date(text: &str) -> Option<Option<Date>> {
    if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) }
}

impl Item {
    /// Its kind: `person`, `referral`, and so on.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Question(..) => "question",
            Self::Referral(_) => "referral",
            Self::Trigger(_) => "trigger",
            Self::Contact(_) => "contact",
            Self::Assessment(_) => "assessment",
            Self::Progress { .. } => "progress",
            Self::Standing { .. } => "standing",
        }
    }

    fn to_text(&self) -> String {
        match self {
            Self::Person(id) => id.to_string(),
            Self::Question(id, waiting) => format!("{id}\n{waiting}"),
            Self::Referral(id) => id.to_string(),
            Self::Trigger(id) => id.to_string(),
            Self::Contact(id) => id.to_string(),
            Self::Assessment(id) => id.to_string(),
            Self::Progress { referral, before, after } => {
                let before = before.as_ref().map_or("", |before| before.0.as_str());
                format!("{referral}\n{before}\n{}", after.0)
            }
            Self::Standing { person, before, after } => format!("{person}\n{}\n{}", before.0, after.0),
        }
    }

    fn from_text(kind: &str, text: &str) -> Option<Self> {
        let mut parts = text.split('\n');
        let id = parts.next()?;
        Some(match kind {
            "person" => Self::Person(id.parse().ok()?),
            "question" => Self::Question(id.parse().ok()?, parts.next()?.parse().ok()?),
            "referral" => Self::Referral(id.parse().ok()?),
            "trigger" => Self::Trigger(id.parse().ok()?),
            "contact" => Self::Contact(id.parse().ok()?),
            "assessment" => Self::Assessment(id.parse().ok()?),
            "progress" => {
                let (referral, before, after) = (id.parse().ok()?, parts.next()?, Progress(parts.next()?.to_owned()));
                Self::Progress { referral, before: (!before.is_empty()).then(|| Progress(before.to_owned())), after }
            }
            "standing" => {
                let (person, before, after) = (id.parse().ok()?, parts.next()?, parts.next()?);
                Self::Standing { person, before: Standing(before.to_owned()), after: Standing(after.to_owned()) }
            }
            _ => return None,
        })
    }
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Our identifier.
    pub id: ImportId,
    /// `people`, `referrals`, `contacts` or `assessments`.
    pub kind: String,
    /// Key of the site.
    pub site: String,
    /// When.
    pub at: Timestamp,
    /// How many rows it kept.
    pub records: i64,
    /// When it was taken back.
    pub undone_at: Option<Timestamp>,
}

/// Keeps an import and what it added, in the order of adding.
///
/// # Errors
/// The store's.
pub fn add(tx: &mut Tx<'_>, run: &Run, digest: &str, items: &[Item]) -> Result<(), StoreError> {
    let id = run.id.to_string();
    tx.execute(&ADD, params![&id, &run.kind, &run.site, run.at, digest, run.records])?;
    for (position, item) in (0_i64..).zip(items) {
        tx.execute(&ADD_ITEM, params![&id, position, item.kind(), item.to_text()])?;
    }
    Ok(())
}

/// The import that has taken this very file before, unless it was taken back.
///
/// # Errors
/// The store's.
pub fn find_same(tx: &mut Tx<'_>, site: &str, kind: &str, digest: &str) -> Result<Option<ImportId>, StoreError> {
    tx.query_one(&FIND_SAME, params![site, kind, digest], |row| row.parsed(0))
}

/// An import by its id.
///
/// # Errors
/// The store's.
pub fn read(tx: &mut Tx<'_>, id: ImportId) -> Result<Option<Run>, StoreError> {
    tx.query_one(&READ, params![id.to_string()], |row| {
        Ok(Run {
            id,
            kind: row.text(0)?,
            site: row.text(1)?,
            at: row.timestamp(2)?,
            records: row.int(3)?,
            undone_at: row.opt_timestamp(4)?,
        })
    })
}

/// The newest imports.
///
/// # Errors
/// The store's.
pub fn list(tx: &mut Tx<'_>, most: u32) -> Result<Vec<Run>, StoreError> {
    tx.query(&LIST, params![i64::from(most)], |row| {
        Ok(Run {
            id: row.parsed(0)?,
            kind: row.text(1)?,
            site: row.text(2)?,
            at: row.timestamp(3)?,
            records: row.int(4)?,
            undone_at: row.opt_timestamp(5)?,
        })
    })
}

/// What an import added, last first: the order in which it is taken away.
///
/// # Errors
/// The store's.
pub fn items(tx: &mut Tx<'_>, id: ImportId) -> Result<Vec<Item>, StoreError> {
    tx.query(&ITEMS, params![id.to_string()], |row| Item::from_text(row.str(0)?, row.str(1)?).ok_or_else(|| row.corrupt(1)))
}

/// Marks an import as taken back; tells whether it was not before.
///
/// # Errors
/// The store's.
pub fn undo(tx: &mut Tx<'_>, id: ImportId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&UNDO, params![id.to_string(), at])? == 1)
}

/// How many contacts and assessments a referral has.
///
/// # Errors
/// The store's.
pub fn uses(tx: &mut Tx<'_>, referral: ReferralId) -> Result<(i64, i64), StoreError> {
    let id = referral.to_string();
    Ok((count(tx, &COUNT_CONTACTS, &id)?, count(tx, &COUNT_ASSESSMENTS, &id)?))
}

/// How many triggers wait for a question, or did when it was answered.
///
/// # Errors
/// The store's.
pub fn waiting(tx: &mut Tx<'_>, question: QuestionId) -> Result<i64, StoreError> {
    count(tx, &COUNT_WAITING, &question.to_string())
}

fn count(tx: &mut Tx<'_>, statement: &Statement, id: &str) -> Result<i64, StoreError> {
    Ok(tx.query_one(statement, params![id], |row| row.int(0))?.unwrap_or(0))
}

/// What rests on something that an import added or changed, by kind and number; empty when it can be taken away.
///
/// # Errors
/// The store's.
pub fn resting(tx: &mut Tx<'_>, item: &Item) -> Result<Vec<(&'static str, i64)>, StoreError> {
    let found = match item {
        Item::Person(id) => resting_on_person(tx, &id.to_string())?,
        Item::Question(id, then) => {
            let answered = count(tx, &COUNT_ANSWERED, &id.to_string())?;
            vec![("answered questions", answered), ("further triggers", waiting(tx, *id)? - then)]
        }
        Item::Progress { referral, before, after } => resting_on_referral(tx, *referral, before.is_none(), after)?,
        Item::Standing { person, after, .. } => {
            let now = people::load(tx, *person)?.map(|record| Standing::of(&record.person, record.triggers.len()));
            vec![("people who changed since", i64::from(now.as_ref() != Some(after)))]
        }
        // What could rest on these shows in the progress of their referral.
        Item::Referral(_) | Item::Trigger(_) | Item::Contact(_) | Item::Assessment(_) => Vec::new(),
    };
    Ok(found.into_iter().filter(|(_, number)| *number > 0).collect())
}

fn resting_on_person(tx: &mut Tx<'_>, id: &str) -> Result<Vec<(&'static str, i64)>, StoreError> {
    let referrals = count(tx, &COUNT_REFERRALS, id)?;
    let others = count(tx, &COUNT_TRIGGERS, id)? + count(tx, &COUNT_QUESTIONS, id)? + count(tx, &OTHER_LINES_OF_PERSON, id)?;
    let said = i64::from(referrals == 0 && others > 0);
    Ok(vec![("referrals", referrals), ("people of whom something was said since", said)])
}

fn resting_on_referral(tx: &mut Tx<'_>, id: ReferralId, added: bool, after: &Progress) -> Result<Vec<(&'static str, i64)>, StoreError> {
    let (contacts, assessments) = uses(tx, id)?;
    let (contacts_then, assessments_then) = after.counts().unwrap_or((0, 0));
    let key = id.to_string();
    let letters = if added { count(tx, &COUNT_LETTERS, &key)? } else { 0 };
    let mut found = vec![("contacts", contacts - contacts_then), ("assessments", assessments - assessments_then), ("letters", letters)];
    let now = reading::referral(tx, id)?.map(|referral| Progress::of(&referral, contacts, assessments));
    let touched = added && count(tx, &OTHER_LINES_OF_REFERRAL, &key)? > 0;
    if found.iter().all(|(_, number)| *number <= 0) {
        found.push(("referrals that changed since", i64::from(touched || now.as_ref() != Some(after))));
    }
    Ok(found)
}

/// Takes away what an import added. The journal keeps what happened.
///
/// # Errors
/// The store's; a foreign key refuses what something else rests on.
pub fn remove(tx: &mut Tx<'_>, item: &Item) -> Result<(), StoreError> {
    match item {
        Item::Person(id) => {
            let person = people::load(tx, *id)?.map(|record| record.person);
            people::keep_words(tx, person.as_ref(), None)?;
            tx.execute(&REMOVE_IDENTIFIERS, params![id.to_string()])?;
            tx.execute(&REMOVE_PERSON, params![id.to_string()])?
        }
        Item::Question(id, _) => tx.execute(&REMOVE_QUESTION, params![id.to_string()])?,
        Item::Referral(id) => tx.execute(&REMOVE_REFERRAL, params![id.to_string()])?,
        Item::Trigger(id) => tx.execute(&REMOVE_TRIGGER, params![id.to_string()])?,
        Item::Contact(id) => tx.execute(&REMOVE_CONTACT, params![id.to_string()])?,
        Item::Assessment(id) => {
            tx.execute(&REMOVE_ANSWERS, params![id.to_string()])?;
            tx.execute(&REMOVE_SCORES, params![id.to_string()])?;
            tx.execute(&REMOVE_ASSESSMENT, params![id.to_string()])?
        }
        // Put back by whoever takes the import back: these are changes of rows that stay.
        Item::Progress { .. } | Item::Standing { .. } => 0,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alongside_domain::person::SiteId;
    use alongside_domain::referral::Status;
    use alongside_domain::supporter::StaffId;
    use alongside_domain::trigger::Kind;
    use jiff::civil::date;

    fn referral() -> Referral {
        let person = PersonId(1);
        Referral {
            id: ReferralId(2),
            person,
            origin: person,
            site: SiteId("here".into()),
            reason: Kind::ClinicRequest,
            raised_at: Timestamp::UNIX_EPOCH,
            status: Status::Allocated { supporter: StaffId("anna".into()) },
            notice: None,
            consents_to_outside: false,
            released_on: Some(date(2024, 1, 2)),
            due_on: None,
            attempts: 3,
            engaged_on: None,
            assessed_on: None,
            next_assessment_on: None,
            ended_on: None,
        }
    }

    #[test]
    fn how_far_a_referral_was_is_put_back_and_nothing_else() {
        let was = referral();
        let mut now = was.clone();
        now.status = Status::Engaged { supporter: StaffId("anna".into()) };
        now.engaged_on = Some(date(2024, 1, 9));
        now.attempts = 4;
        let (before, after) = (Progress::of(&was, 3, 0), Progress::of(&now, 5, 1));
        assert_ne!(before, after);
        assert_eq!(after.counts(), Some((5, 1)));
        assert_eq!(before.put_back(&mut now), Some(()));
        assert_eq!(now, was);
        assert_eq!(Progress("nonsense".into()).put_back(&mut now), None);
    }

    #[test]
    fn how_a_person_stood_is_put_back() {
        let mut was = Person::new(PersonId(1), SiteId("here".into()), Vec::new());
        was.diagnosis = Diagnosis::New { on: date(2024, 1, 1) };
        was.objection = Some(Objection { scope: Scope::All, reason: ObjectionReason::Privacy, at: Timestamp::UNIX_EPOCH });
        let mut now = was.clone();
        now.diagnosis = Diagnosis::Known;
        now.objection = None;
        now.died = Some(Death { on: Some(date(2024, 5, 1)) });
        let (before, after) = (Standing::of(&was, 1), Standing::of(&now, 2));
        assert_eq!(before.put_back(&mut now), Some(()));
        assert_eq!(now, was);
        assert_eq!(after.put_back(&mut now), Some(()));
        assert_eq!((now.diagnosis, now.died), (Diagnosis::Known, Some(Death { on: Some(date(2024, 5, 1)) })));
    }

    #[test]
    fn every_item_reads_back() {
        let after = Progress::of(&referral(), 0, 0);
        let standing = Standing::of(&Person::new(PersonId(1), SiteId("here".into()), Vec::new()), 0);
        for item in [
            Item::Person(PersonId(1)),
            Item::Question(QuestionId(2), 3),
            Item::Referral(ReferralId(4)),
            Item::Trigger(TriggerId(5)),
            Item::Contact(ContactId(6)),
            Item::Assessment(AssessmentId(7)),
            Item::Progress { referral: ReferralId(8), before: None, after: after.clone() },
            Item::Progress { referral: ReferralId(8), before: Some(after.clone()), after },
            Item::Standing { person: PersonId(9), before: standing.clone(), after: standing },
        ] {
            assert_eq!(Item::from_text(item.kind(), &item.to_text()), Some(item));
        }
        assert_eq!(Item::from_text("person", "ref_1"), None);
    }
}
