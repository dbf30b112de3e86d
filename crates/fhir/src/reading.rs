//! Resources that come in: every problem with its place, and values whose types hold.

use fhirkit::r4;
use fhirkit::{Decoded, FhirJson, JsonError, Severity};
use serde_json::Value;

use crate::outcome::{Code, Issue};

/// The resource types that are taken.
const TAKEN: [&str; 5] = ["Patient", "QuestionnaireResponse", "ServiceRequest", "Task", "Bundle"];

/// Reads a resource of a type that is taken.
///
/// # Errors
/// Every problem, with its place.
pub fn resource(kind: &str, text: &str) -> Result<Value, Vec<Issue>> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        vec![Issue::whole(Code::Invalid, format!("This is not JSON: {place}"))]
    })?;
    match value.get("resourceType").and_then(Value::as_str) {
        Some(found) if found == kind => {}
        Some(_) => return Err(vec![Issue::at(Code::Invalid, "resourceType", format!("must be {kind} here"))]),
        None => return Err(vec![Issue::at(Code::Required, "resourceType", "is missing")]),
    }
    let issues = match kind {
        "Patient" => problems(fhirkit::from_json::<r4::Patient>(text)),
        "QuestionnaireResponse" => problems(fhirkit::from_json::<r4::QuestionnaireResponse>(text)),
        "ServiceRequest" => problems(fhirkit::from_json::<r4::ServiceRequest>(text)),
        "Task" => problems(fhirkit::from_json::<r4::Task>(text)),
        // The resources within are read one by one, each as what it is.
        "Bundle" => problems(fhirkit::from_json::<r4::Bundle>(text)),
        _ => vec![Issue::whole(Code::NotSupported, "Resources of this type are not taken here")],
    };
    if issues.is_empty() { Ok(value) } else { Err(issues) }
}

/// The types of resources that are taken.
#[must_use]
pub fn is_taken(kind: &str) -> bool {
    TAKEN.contains(&kind)
}

fn problems<T: FhirJson>(decoded: Result<Decoded<T>, JsonError>) -> Vec<Issue> {
    match decoded {
        Err(error) => vec![Issue::whole(Code::Invalid, told(&error.to_string()))],
        Ok((_, issues)) => {
            let errors = issues.into_iter().filter(|issue| issue.severity == Severity::Error);
            errors.map(|issue| Issue::at(code_of(&issue.message), issue.path, told(&issue.message))).collect()
        }
    }
}

fn code_of(message: &str) -> Code {
    if message.contains("missing") || message.contains("at least") { Code::Required } else { Code::Invalid }
}

/// The reader's words, unless they show what stood there.
fn told(message: &str) -> String {
    const KNOWN: [&str; 9] = [
        "required element missing",
        "unknown element",
        "the key appears more than once",
        "expected ",
        "an empty ",
        "null ",
        "needs at least",
        "not JSON",
        "more than one",
    ];
    let shows_nothing = KNOWN.iter().any(|known| message.starts_with(known)) && !message.contains('"');
    if shows_nothing { message.to_owned() } else { "is not a valid value of this element".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places(kind: &str, text: &str) -> Vec<(Option<String>, Code)> {
        resource(kind, text).unwrap_err().into_iter().map(|issue| (issue.place, issue.code)).collect()
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let text = r#"{"resourceType":"ServiceRequest","status":"active","intent":"order","authoredOn":"soon","subject":{"identifier":{"valeu":"1"}}}"#;
        let told = places("ServiceRequest", text);
        assert!(told.contains(&(Some("ServiceRequest.authoredOn".into()), Code::Invalid)), "{told:?}");
        assert!(told.contains(&(Some("ServiceRequest.subject.identifier.valeu".into()), Code::Invalid)), "{told:?}");
        let told = places("ServiceRequest", r#"{"resourceType":"ServiceRequest","intent":"order"}"#);
        assert!(told.contains(&(Some("ServiceRequest.status".into()), Code::Required)), "{told:?}");
        assert!(told.contains(&(Some("ServiceRequest.subject".into()), Code::Required)), "{told:?}");
        assert_eq!(places("Task", r#"{"resourceType":"Patient"}"#), [(Some("resourceType".into()), Code::Invalid)]);
        assert_eq!(places("Task", "{"), [(None, Code::Invalid)]);
        assert_eq!(places("Observation", r#"{"resourceType":"Observation"}"#), [(None, Code::NotSupported)]);
    }

    #[test]
    fn no_problem_shows_what_stood_there() {
        let text = r#"{"resourceType":"Patient","birthDate":"Okafor, Miriam","gender":" x ","active":"Okafor","multipleBirthInteger":1.5,"name":"Okafor"}"#;
        let issues = resource("Patient", text).unwrap_err();
        assert!(issues.len() >= 4, "{issues:?}");
        for issue in issues {
            assert!(!issue.what.contains("Okafor") && !issue.what.contains("1.5"), "{issue:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_give_up(text in "\\PC*") {
            for kind in TAKEN {
                let _ = resource(kind, &text);
                let _ = resource(kind, &format!("{{\"resourceType\":\"{kind}\",{text}}}"));
            }
        }
    }
}
