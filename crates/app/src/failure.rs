//! One failure, told at each edge in that edge's way: page, acknowledgement, exit status.

use std::fmt;

use alongside_domain::decision::Refusal;
use alongside_domain::field::Problem;
use alongside_store::StoreError;

/// What is wrong with something that came in, and where. Never the thing itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Where: `PID-3[2].1`, `row 7, column "Date of birth"`, a form field.
    pub place: String,
    /// What.
    pub what: String,
}

impl Invalid {
    /// A problem at a place.
    pub fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// What came in is wrong, at these places.
    Invalid(Vec<Invalid>),
    /// A rule of the service forbids it.
    Refused(Refusal),
    /// Not for whoever asks: their role, or their contract, training or check has ended.
    Forbidden,
    /// There is no such thing; or there is, and it is not for whoever asks to know.
    NotFound,
    /// Too much at once; try again.
    Busy,
    /// The database cannot keep anything at present: its disk is full, its server is away. The words hold no content.
    Unavailable(String),
    /// Something is broken in here. The words hold no content.
    Broken(String),
}

impl Failure {
    /// One thing that came in is wrong, at a place.
    pub fn invalid(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Invalid(vec![Invalid::new(place, what)])
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(problems) => {
                for (index, problem) in problems.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "\n" };
                    write!(f, "{separator}{}: {}", problem.place, problem.what)?;
                }
                Ok(())
            }
            Self::Refused(refusal) => f.write_str(refusal.words()),
            Self::Forbidden => f.write_str("This is not for your role, or your access has ended."),
            Self::NotFound => f.write_str("There is no such thing here."),
            Self::Busy => f.write_str("The service is busy; try again."),
            Self::Unavailable(what) => write!(f, "The database is not available: {what}"),
            Self::Broken(what) => write!(f, "Something is broken: {what}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        if refusal == Refusal::NotFound { Self::NotFound } else { Self::Refused(refusal) }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::invalid(problem.field, problem.what)
    }
}

impl From<Vec<Problem>> for Failure {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Invalid(problems.into_iter().map(|problem| Invalid::new(problem.field, problem.what)).collect())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy,
            StoreError::Unavailable { why } => Self::Unavailable(why.to_owned()),
            error => Self::Broken(error.to_string()),
        }
    }
}
