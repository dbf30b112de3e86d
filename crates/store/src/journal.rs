//! The journal, the outbox, and what a decision adds: kept in the transaction of the new state.

use alongside_domain::contact::{Assessment, Contact};
use alongside_domain::decision::{Actor, Cause, Decision, Effect, Event, Outgoing, What};
use alongside_domain::id::{OutgoingId, PersonId, ReferralId};
use alongside_domain::record::Record;
use alongside_domain::referral::Stage;
use alongside_domain::supporter::{Role, StaffId};
use jiff::Timestamp;

use crate::codec::{coded, coded_opt};
use crate::{Row, StoreError, Tx, params, people, statements};

statements! {
    pub(crate) const NOTE = "INSERT INTO journal (id, at, actor_kind, actor, actor_role, cause_kind, cause, person, referral, what, stage, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    pub(crate) const JOURNAL_OF_PERSON = "SELECT id, at, actor_kind, actor, actor_role, cause_kind, cause, person, referral, what, stage, detail FROM journal WHERE person = $1 ORDER BY at, id";
    pub(crate) const JOURNAL_OF_REFERRAL = "SELECT id, at, actor_kind, actor, actor_role, cause_kind, cause, person, referral, what, stage, detail FROM journal WHERE referral = $1 ORDER BY at, id";
    pub(crate) const LAST_STAGES = "SELECT referral, stage FROM (SELECT referral, stage, ROW_NUMBER() OVER (PARTITION BY referral ORDER BY at DESC, id DESC) AS latest FROM journal WHERE referral IS NOT NULL AND stage IS NOT NULL) AS stages WHERE latest = 1 ORDER BY referral";
    pub(crate) const UNDONE_REFERRALS = "SELECT DISTINCT referral FROM journal WHERE what = 'import-undone' AND referral IS NOT NULL ORDER BY referral";
    pub(crate) const ADD_CONTACT = "INSERT INTO contact (id, person, referral, supporter, contact_on, way, outcome, minutes, note) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    pub(crate) const ADD_ASSESSMENT = "INSERT INTO assessment (id, person, referral, supporter, assessed_on, instrument, version) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    pub(crate) const ADD_ANSWER = "INSERT INTO assessment_answer (assessment, position, link_id, answer) VALUES ($1, $2, $3, $4)";
    pub(crate) const ADD_SCORE = "INSERT INTO assessment_score (assessment, position, scale, value, band) VALUES ($1, $2, $3, $4, $5)";
    pub(crate) const QUEUE = "INSERT INTO outgoing (id, person, referral, not_before, state, changed_at) VALUES ($1, $2, $3, $4, 'queued', $5)";
    pub(crate) const CANCEL_QUEUED = "UPDATE outgoing SET state = 'cancelled', changed_at = $2 WHERE person = $1 AND state = 'queued'";
    pub(crate) const OUTGOING_DUE = "SELECT id, person, referral, not_before FROM outgoing WHERE state = 'queued' AND not_before <= $1 ORDER BY not_before, id LIMIT 100";
    pub(crate) const IS_HANDED = "SELECT state FROM outgoing WHERE id = $1";
    pub(crate) const HAND_ON = "UPDATE outgoing SET state = 'handed', changed_at = $2 WHERE id = $1 AND state = 'queued'";
}

/// Keeps a decision: state, journal, what it adds, and its effects, in this one transaction.
///
/// # Errors
/// The store's.
pub fn keep(tx: &mut Tx<'_>, before: Option<&Record>, decision: &Decision) -> Result<(), StoreError> {
    people::keep(tx, before, &decision.record)?;
    for contact in &decision.contacts {
        add_contact(tx, contact)?;
    }
    for assessment in &decision.assessments {
        add_assessment(tx, assessment)?;
    }
    for event in &decision.events {
        note(tx, event)?;
    }
    for effect in &decision.effects {
        perform(tx, effect, decision.events.first().map_or(Timestamp::UNIX_EPOCH, |event| event.at))?;
    }
    Ok(())
}

fn perform(tx: &mut Tx<'_>, effect: &Effect, at: Timestamp) -> Result<(), StoreError> {
    match effect {
        Effect::Queue(out) => {
            tx.execute(&QUEUE, params![out.id.to_string(), out.person.to_string(), out.referral.to_string(), out.not_before, at])?
        }
        Effect::CancelQueued(person) => tx.execute(&CANCEL_QUEUED, params![person.to_string(), at])?,
    };
    Ok(())
}

fn note(tx: &mut Tx<'_>, event: &Event) -> Result<(), StoreError> {
    let (actor_kind, actor, role) = match &event.actor {
        Actor::Feed(feed) => ("feed", Some(feed.clone()), None),
        Actor::Staff { id, role } => ("staff", Some(id.0.clone()), Some(role.code())),
        Actor::Person => ("person", None, None),
        Actor::Clock => ("clock", None, None),
        Actor::Operator => ("operator", None, None),
    };
    let (cause_kind, cause) = match event.cause {
        Cause::Message(id) => ("message", Some(id.to_string())),
        Cause::Form => ("form", None),
        Cause::Request => ("request", None),
        Cause::Import(id) => ("import", Some(id.to_string())),
        Cause::Clock => ("clock", None),
    };
    tx.execute(
        &NOTE,
        params![
            event.id.to_string(),
            event.at,
            actor_kind,
            actor,
            role,
            cause_kind,
            cause,
            event.person.to_string(),
            event.referral.map(|id| id.to_string()),
            event.what.code(),
            event.stage.map(Stage::code),
            event.detail.as_deref(),
        ],
    )?;
    Ok(())
}

fn add_contact(tx: &mut Tx<'_>, contact: &Contact) -> Result<(), StoreError> {
    let note = &contact.note;
    tx.execute(
        &ADD_CONTACT,
        params![
            contact.id.to_string(),
            contact.person.to_string(),
            contact.referral.to_string(),
            &note.supporter.0,
            note.on,
            note.way.code(),
            note.outcome.code(),
            i64::from(note.minutes),
            &note.note,
        ],
    )?;
    Ok(())
}

fn add_assessment(tx: &mut Tx<'_>, assessment: &Assessment) -> Result<(), StoreError> {
    let (id, form) = (assessment.id.to_string(), &assessment.form);
    let (person, referral) = (assessment.person.to_string(), assessment.referral.to_string());
    tx.execute(&ADD_ASSESSMENT, params![&id, person, referral, &form.supporter.0, form.on, &form.instrument, &form.version])?;
    for (position, (link_id, answer)) in (0_i64..).zip(&form.answers) {
        tx.execute(&ADD_ANSWER, params![&id, position, link_id, *answer])?;
    }
    for (position, score) in (0_i64..).zip(&form.scores) {
        tx.execute(&ADD_SCORE, params![&id, position, &score.scale, score.value, score.band.as_deref()])?;
    }
    Ok(())
}

/// The journal of a person, oldest first.
///
/// # Errors
/// The store's.
pub fn of_person(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Event>, StoreError> {
    tx.query(&JOURNAL_OF_PERSON, params![person.to_string()], event_row)
}

/// The journal of a referral, oldest first.
///
/// # Errors
/// The store's.
pub fn of_referral(tx: &mut Tx<'_>, referral: ReferralId) -> Result<Vec<Event>, StoreError> {
    tx.query(&JOURNAL_OF_REFERRAL, params![referral.to_string()], event_row)
}

/// The last stage of every referral as the journal tells it: what `doctor` compares with the state.
///
/// # Errors
/// The store's.
pub fn last_stages(tx: &mut Tx<'_>) -> Result<Vec<(ReferralId, Stage)>, StoreError> {
    tx.query(&LAST_STAGES, params![], |row| Ok((row.parsed(0)?, coded(row, 1, Stage::from_code)?)))
}

/// The referrals that the taking back of an import touched: one that is gone since went by it.
///
/// # Errors
/// The store's.
pub fn undone_referrals(tx: &mut Tx<'_>) -> Result<Vec<ReferralId>, StoreError> {
    tx.query(&UNDONE_REFERRALS, params![], |row| row.parsed(0))
}

/// What is queued and due.
///
/// # Errors
/// The store's.
pub fn outgoing_due(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<Outgoing>, StoreError> {
    tx.query(&OUTGOING_DUE, params![now], |row| {
        Ok(Outgoing { id: row.parsed(0)?, person: row.parsed(1)?, referral: row.parsed(2)?, not_before: row.timestamp(3)? })
    })
}

/// Marks something as handed on; tells whether it was still queued. Whoever gets `true` hands it on, nobody else.
///
/// # Errors
/// The store's.
pub fn hand_on(tx: &mut Tx<'_>, id: OutgoingId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&HAND_ON, params![id.to_string(), now])? == 1)
}

/// Whether something was handed on.
///
/// # Errors
/// The store's.
pub fn is_handed(tx: &mut Tx<'_>, id: OutgoingId) -> Result<bool, StoreError> {
    let state = tx.query_one(&IS_HANDED, params![id.to_string()], |row| row.text(0))?;
    Ok(state.as_deref() == Some("handed"))
}

fn event_row(row: &Row<'_>) -> Result<Event, StoreError> {
    let actor = match (row.text(2)?.as_str(), row.opt_text(3)?) {
        ("feed", Some(feed)) => Actor::Feed(feed),
        ("staff", Some(id)) => Actor::Staff { id: StaffId(id), role: coded(row, 4, Role::from_code)? },
        ("person", None) => Actor::Person,
        ("clock", None) => Actor::Clock,
        ("operator", None) => Actor::Operator,
        _ => return Err(row.corrupt(2)),
    };
    let cause = match row.text(5)?.as_str() {
        "message" => Cause::Message(row.parsed(6)?),
        "form" => Cause::Form,
        "request" => Cause::Request,
        "import" => Cause::Import(row.parsed(6)?),
        "clock" => Cause::Clock,
        _ => return Err(row.corrupt(5)),
    };
    Ok(Event {
        id: row.parsed(0)?,
        at: row.timestamp(1)?,
        actor,
        cause,
        person: row.parsed(7)?,
        referral: row.opt_parsed(8)?,
        what: coded(row, 9, What::from_code)?,
        stage: coded_opt(row, 10, Stage::from_code)?,
        detail: row.opt_text(11)?,
    })
}
