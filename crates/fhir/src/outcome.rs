//! `OperationOutcome`: what is wrong, with a place.

use serde_json::{Value, json};

/// The kind of a problem: those codes of `issue-type` (R4, value set "IssueType") that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Not FHIR, or not JSON.
    Invalid,
    /// Something is missing.
    Required,
    /// A value that is not taken.
    Value,
    /// Well formed, and not kept or not understood here.
    NotSupported,
    /// There is no such thing, or it is not theirs to know.
    NotFound,
    /// The same is here already.
    Duplicate,
    /// Somebody else changed it.
    Conflict,
    /// A rule of the service.
    BusinessRule,
    /// No token, or one that is not good.
    Login,
    /// A token that does not allow it.
    Forbidden,
    /// Too large.
    TooLong,
    /// Try again.
    Transient,
    /// Something is broken in here.
    Exception,
}

impl Code {
    /// As it is written.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Required => "required",
            Self::Value => "value",
            Self::NotSupported => "not-supported",
            Self::NotFound => "not-found",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::BusinessRule => "business-rule",
            Self::Login => "login",
            Self::Forbidden => "forbidden",
            Self::TooLong => "too-long",
            Self::Transient => "transient",
            Self::Exception => "exception",
        }
    }
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its kind.
    pub code: Code,
    /// Where: a path such as `ServiceRequest.subject`, or a parameter such as `http.status`.
    pub place: Option<String>,
    /// What, in words without anything that stood there.
    pub what: String,
}

impl Issue {
    /// A problem at a place.
    pub fn at(code: Code, place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { code, place: Some(place.into()), what: what.into() }
    }

    /// A problem of the whole.
    pub fn whole(code: Code, what: impl Into<String>) -> Self {
        Self { code, place: None, what: what.into() }
    }

    /// The same problem of a part of a larger whole, such as `Bundle.entry[2].resource`.
    #[must_use]
    pub fn within(mut self, whole: &str) -> Self {
        self.place = Some(self.place.map_or_else(|| whole.to_owned(), |place| format!("{whole}.{place}")));
        self
    }
}

/// The resource that says so.
#[must_use]
pub fn resource(issues: &[Issue]) -> Value {
    let issues: Vec<Value> = issues
        .iter()
        .map(|issue| {
            let mut said = json!({ "severity": "error", "code": issue.code.text(), "diagnostics": issue.what });
            if let Some(place) = &issue.place {
                said["expression"] = json!([place]);
            }
            said
        })
        .collect();
    json!({ "resourceType": "OperationOutcome", "issue": issues })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_where_it_is() {
        let issue = Issue::at(Code::Required, "ServiceRequest.subject", "is missing").within("Bundle.entry[1].resource");
        let told = resource(&[issue, Issue::whole(Code::NotFound, "There is no such thing here.")]);
        assert_eq!(told["issue"][0]["expression"][0], "Bundle.entry[1].resource.ServiceRequest.subject");
        assert_eq!(told["issue"][1]["code"], "not-found");
        assert!(told["issue"][1].get("expression").is_none());
    }
}
