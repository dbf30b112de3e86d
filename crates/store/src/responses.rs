//! Answers to questionnaires that hospitals' systems brought.

use alongside_domain::id::{AssessmentId, PersonId, TriggerId};
use jiff::Timestamp;

use crate::{Row, StoreError, Tx, params, statements};

statements! {
    pub(crate) const ADD = "INSERT INTO response (id, client, request, system, value, body, at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    pub(crate) const LOAD = "SELECT r.id, r.client, r.request, r.system, r.value, r.body, r.at, a.person FROM response r JOIN assessment a ON a.id = r.id WHERE r.id = $1";
    pub(crate) const BY_NUMBER = "SELECT id FROM response WHERE client = $1 AND system = $2 AND value = $3";
    pub(crate) const OF_PERSON = "SELECT r.id, r.client, r.request, r.system, r.value, r.body, r.at, a.person FROM response r JOIN assessment a ON a.id = r.id WHERE a.person = $1 AND r.client = $2 ORDER BY r.id";
}

/// Answers as they were brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The assessment that they became.
    pub id: AssessmentId,
    /// The key of the system that brought them.
    pub client: String,
    /// The request with which they came.
    pub request: TriggerId,
    /// Whose numbering the number is of.
    pub system: String,
    /// The number that the system gave them.
    pub value: String,
    /// As they were taken, as JSON.
    pub body: String,
    /// When.
    pub at: Timestamp,
    /// Whose they are now, merges followed.
    pub person: PersonId,
}

/// Keeps answers whose assessment is kept.
///
/// # Errors
/// The store's.
pub fn add(tx: &mut Tx<'_>, response: &Response) -> Result<(), StoreError> {
    let Response { id, client, request, system, value, body, at, .. } = response;
    tx.execute(&ADD, params![id.to_string(), client, request.to_string(), system, value, body, *at])?;
    Ok(())
}

/// Answers by the assessment that they became.
///
/// # Errors
/// The store's.
pub fn load(tx: &mut Tx<'_>, id: AssessmentId) -> Result<Option<Response>, StoreError> {
    tx.query_one(&LOAD, params![id.to_string()], row)
}

/// The answers of a system under a number of its own.
///
/// # Errors
/// The store's.
pub fn by_number(tx: &mut Tx<'_>, client: &str, system: &str, value: &str) -> Result<Option<AssessmentId>, StoreError> {
    tx.query_one(&BY_NUMBER, params![client, system, value], |row| row.parsed(0))
}

/// The answers of a person that a system brought, oldest first.
///
/// # Errors
/// The store's.
pub fn of_person(tx: &mut Tx<'_>, person: PersonId, client: &str) -> Result<Vec<Response>, StoreError> {
    tx.query(&OF_PERSON, params![person.to_string(), client], row)
}

fn row(row: &Row<'_>) -> Result<Response, StoreError> {
    Ok(Response {
        id: row.parsed(0)?,
        client: row.text(1)?,
        request: row.parsed(2)?,
        system: row.text(3)?,
        value: row.text(4)?,
        body: row.text(5)?,
        at: row.timestamp(6)?,
        person: row.parsed(7)?,
    })
}
