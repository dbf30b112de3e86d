//! Between domain values and columns. A column that does not parse is a named error with an address, never a default.

use alongside_domain::id::{QuestionId, ReferralId};
use alongside_domain::person::{Diagnosis, Objection, ObjectionReason, Scope};
use alongside_domain::referral::{EndReason, HoldReason, Stage, Status};
use alongside_domain::supporter::StaffId;
use alongside_domain::trigger::{Exclusion, Outcome};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::{Row, StoreError};

/// Reads a coded column through the enumeration's `from_code`.
pub(crate) fn coded<T>(row: &Row<'_>, column: usize, from_code: fn(&str) -> Option<T>) -> Result<T, StoreError> {
    from_code(&row.text(column)?).ok_or_else(|| row.corrupt(column))
}

/// Reads a coded column that may be null.
pub(crate) fn coded_opt<T>(row: &Row<'_>, column: usize, from_code: fn(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
    row.opt_text(column)?.map(|code| from_code(&code).ok_or_else(|| row.corrupt(column))).transpose()
}

/// The five columns of a status.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct StatusColumns {
    pub(crate) stage: String,
    pub(crate) supporter: Option<String>,
    pub(crate) until: Option<Date>,
    pub(crate) reason: Option<String>,
    pub(crate) resume: Option<String>,
}

impl From<&Status> for StatusColumns {
    fn from(status: &Status) -> Self {
        let stage = status.stage().code().to_owned();
        let supporter = status.supporter().map(|id| id.0.clone());
        match status {
            Status::Deferred { until } => Self { stage, until: Some(*until), ..Self::default() },
            Status::Ended { reason } => Self { stage, reason: Some(reason.code().to_owned()), ..Self::default() },
            Status::Held { why, resume } => {
                let inner = Self::from(&**resume);
                Self { reason: Some(why.code().to_owned()), resume: Some(inner.stage), stage, ..inner }
            }
            Status::AwaitingNotice
            | Status::OptedOut
            | Status::Open
            | Status::Allocated { .. }
            | Status::Contacting { .. }
            | Status::Engaged { .. }
            | Status::Assessed { .. }
            | Status::Supported { .. } => Self { stage, supporter, ..Self::default() },
        }
    }
}

impl StatusColumns {
    /// The status, or `None` when the columns contradict one another.
    pub(crate) fn status(&self) -> Option<Status> {
        let stage = Stage::from_code(&self.stage)?;
        if stage == Stage::Held {
            let inner = Self { stage: self.resume.clone()?, resume: None, reason: None, ..self.clone() };
            let why = HoldReason::from_code(self.reason.as_deref()?)?;
            return Some(Status::Held { why, resume: Box::new(inner.status()?) });
        }
        let supporter = || self.supporter.clone().map(StaffId);
        Some(match stage {
            Stage::AwaitingNotice => Status::AwaitingNotice,
            Stage::Deferred => Status::Deferred { until: self.until? },
            Stage::OptedOut => Status::OptedOut,
            Stage::Open => Status::Open,
            Stage::Allocated => Status::Allocated { supporter: supporter()? },
            Stage::Contacting => Status::Contacting { supporter: supporter()? },
            Stage::Engaged => Status::Engaged { supporter: supporter()? },
            Stage::Assessed => Status::Assessed { supporter: supporter()? },
            Stage::Supported => Status::Supported { supporter: supporter()? },
            Stage::Ended => Status::Ended { reason: EndReason::from_code(self.reason.as_deref()?)? },
            Stage::Held => return None,
        })
    }

    /// One text for the five columns: how a merge remembers a status.
    pub(crate) fn to_text(&self) -> String {
        let until = self.until.map(|day| day.to_string());
        [Some(&self.stage), self.supporter.as_ref(), until.as_ref(), self.reason.as_ref(), self.resume.as_ref()]
            .map(|part| part.map_or("", String::as_str))
            .join("|")
    }

    /// Reads [`StatusColumns::to_text`] back.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.split('|').map(|part| (!part.is_empty()).then(|| part.to_owned()));
        let mut next = || parts.next().flatten();
        let (stage, supporter, until, reason, resume) = (next()?, next(), next(), next(), next());
        let until = match until {
            Some(day) => Some(day.parse().ok()?),
            None => None,
        };
        Some(Self { stage, supporter, until, reason, resume })
    }
}

/// Reads a status from five columns beginning at `first`.
pub(crate) fn status(row: &Row<'_>, first: usize) -> Result<Status, StoreError> {
    let columns = StatusColumns {
        stage: row.text(first)?,
        supporter: row.opt_text(first + 1)?,
        until: row.opt_date(first + 2)?,
        reason: row.opt_text(first + 3)?,
        resume: row.opt_text(first + 4)?,
    };
    columns.status().ok_or_else(|| row.corrupt(first))
}

/// The code and the day of a diagnosis.
pub(crate) fn diagnosis_columns(diagnosis: Diagnosis) -> (&'static str, Option<Date>) {
    match diagnosis {
        Diagnosis::Unproven => ("unproven", None),
        Diagnosis::New { on } => ("new", Some(on)),
        Diagnosis::Known => ("known", None),
        Diagnosis::Asked => ("asked", None),
    }
}

/// Reads a diagnosis from two columns.
pub(crate) fn diagnosis(row: &Row<'_>, first: usize) -> Result<Diagnosis, StoreError> {
    match (row.text(first)?.as_str(), row.opt_date(first + 1)?) {
        ("unproven", None) => Ok(Diagnosis::Unproven),
        ("new", Some(on)) => Ok(Diagnosis::New { on }),
        ("known", None) => Ok(Diagnosis::Known),
        ("asked", None) => Ok(Diagnosis::Asked),
        _ => Err(row.corrupt(first)),
    }
}

/// Reads an objection from three columns.
pub(crate) fn objection(row: &Row<'_>, first: usize) -> Result<Option<Objection>, StoreError> {
    let scope = coded_opt(row, first, Scope::from_code)?;
    let reason = coded_opt(row, first + 1, ObjectionReason::from_code)?;
    let at: Option<Timestamp> = row.opt_timestamp(first + 2)?;
    match (scope, reason, at) {
        (Some(scope), Some(reason), Some(at)) => Ok(Some(Objection { scope, reason, at })),
        (None, None, None) => Ok(None),
        _ => Err(row.corrupt(first)),
    }
}

/// The columns of a trigger's outcome: code, referral, question, exclusion.
pub(crate) type OutcomeColumns = (&'static str, Option<String>, Option<String>, Option<&'static str>);

/// The columns of a trigger's outcome.
pub(crate) fn outcome_columns(outcome: Outcome) -> OutcomeColumns {
    match outcome {
        Outcome::Referral(id) => ("referral", Some(id.to_string()), None, None),
        Outcome::Question(id) => ("question", None, Some(id.to_string()), None),
        Outcome::OptedOut => ("opted-out", None, None, None),
        Outcome::Excluded(reason) => ("excluded", None, None, Some(reason.code())),
    }
}

/// Reads a trigger's outcome from four columns.
pub(crate) fn outcome(row: &Row<'_>, first: usize) -> Result<Outcome, StoreError> {
    let referral: Option<ReferralId> = row.opt_parsed(first + 1)?;
    let question: Option<QuestionId> = row.opt_parsed(first + 2)?;
    let exclusion = coded_opt(row, first + 3, Exclusion::from_code)?;
    match (row.text(first)?.as_str(), referral, question, exclusion) {
        ("referral", Some(id), None, None) => Ok(Outcome::Referral(id)),
        ("question", None, Some(id), None) => Ok(Outcome::Question(id)),
        ("opted-out", None, None, None) => Ok(Outcome::OptedOut),
        ("excluded", None, None, Some(reason)) => Ok(Outcome::Excluded(reason)),
        _ => Err(row.corrupt(first)),
    }
}

/// Reads a trigger's outcome from a code and one id or reason.
pub(crate) fn outcome_from_text(code: &str, id: Option<&str>) -> Option<Outcome> {
    match (code, id) {
        ("referral", Some(id)) => id.parse().ok().map(Outcome::Referral),
        ("question", Some(id)) => id.parse().ok().map(Outcome::Question),
        ("opted-out", None) => Some(Outcome::OptedOut),
        ("excluded", Some(reason)) => Exclusion::from_code(reason).map(Outcome::Excluded),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn every_status_reads_back() {
        let supporter = || StaffId("anna".into());
        let held = |resume| Status::Held { why: HoldReason::ResultWithdrawn, resume: Box::new(resume) };
        for status in [
            Status::AwaitingNotice,
            Status::Deferred { until: date(2025, 3, 1) },
            Status::OptedOut,
            Status::Open,
            Status::Allocated { supporter: supporter() },
            Status::Supported { supporter: supporter() },
            Status::Ended { reason: EndReason::Moved },
            held(Status::AwaitingNotice),
            held(Status::Deferred { until: date(2025, 3, 1) }),
            held(Status::Engaged { supporter: supporter() }),
        ] {
            let columns = StatusColumns::from(&status);
            assert_eq!(columns.status(), Some(status.clone()));
            assert_eq!(StatusColumns::from_text(&columns.to_text()), Some(columns));
        }
    }

    #[test]
    fn columns_that_contradict_one_another_are_no_status() {
        let columns = |stage: &str| StatusColumns { stage: stage.into(), ..StatusColumns::default() };
        for stage in ["allocated", "deferred", "ended", "held", "nonsense"] {
            assert_eq!(columns(stage).status(), None);
        }
    }
}
