//! A hospital's record that opens this program beside a person (SMART App Launch 2.2).
//!
//! ```text
//! record  ── GET /launch?iss=…&launch=… ──▶ the sign-in of that record, with the handle and `aud`
//! browser ◀── back with state and code ──▶ code → ID token, access token, and the id of the Patient
//! us      ── GET {iss}/Patient/{id}, with the token ──▶ the hospital's number: who it is here
//! ```
//!
//! The token is used for that one question and then forgotten.

use alongside_app::desk::NewPerson;
use alongside_app::setup::{IdentityProvider, Launch};
use serde_json::Value;

use super::client::Given;
use super::discovery::Provider;
use super::{Errand, OidcError, Record};

/// The most characters of an id (FHIR R4, section 2.24.0.1).
const ID_CHARACTERS_MAX: usize = 64;

/// The scopes that are asked for.
pub(super) fn scopes(settings: &IdentityProvider, errand: &Errand, reads_patient: &'static str) -> String {
    let mut all: Vec<&str> = settings.scopes.iter().map(String::as_str).collect();
    if settings.launch.is_some() {
        all.push("fhirUser");
        match errand {
            Errand::Person(Some(_)) => all.extend(["launch", reads_patient]),
            Errand::Person(None) => all.extend(["launch/patient", reads_patient]),
            Errand::Enter | Errand::Invitation(_) => {}
        }
    }
    all.dedup();
    all.join(" ")
}

/// What the record says of whoever came from it. Who is open there may not be told to this person, or not now: then they are
/// signed in all the same, and look for them here.
pub(super) async fn record(provider: &Provider, errand: &Errand, given: &Given, fhir_user: Option<String>) -> Option<Record> {
    let launch = provider.settings.launch.as_ref()?;
    let open = match errand {
        Errand::Person(_) => {
            opened(provider, launch, given).await.inspect_err(|why| tracing::warn!(%why, "a record did not say who is open"))
        }
        Errand::Enter | Errand::Invitation(_) => Err(OidcError::CodeMissing),
    };
    Some(Record { launch: launch.clone(), user: fhir_user.and_then(|user| own_reference(&launch.iss, &user)), open: open.ok() })
}

async fn opened(provider: &Provider, launch: &Launch, given: &Given) -> Result<NewPerson, OidcError> {
    let id = given.patient.as_deref().filter(|id| is_id(id)).ok_or(OidcError::TokenMalformed)?;
    let token = given.access_token.as_deref().ok_or(OidcError::TokenMalformed)?;
    let url = provider.http.own(&format!("{}/Patient/{id}", launch.iss))?;
    let patient: Value = provider.http.resource(url, token).await?;
    if patient["resourceType"] != "Patient" || patient["id"] != *id {
        return Err(OidcError::MetadataWrong);
    }
    NewPerson::of_patient(&patient, &launch.local_identifier).ok_or(OidcError::MetadataWrong)
}

/// Whether this is an id, which becomes a part of an address.
fn is_id(text: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    !text.is_empty() && text.len() <= ID_CHARACTERS_MAX && text.bytes().all(sound) && !text.bytes().all(|byte| byte == b'.')
}

/// `Practitioner/123`, however the record writes it: with its own address before it, or without.
fn own_reference(iss: &str, user: &str) -> Option<String> {
    let rest = user.strip_prefix(iss).map_or(user, |rest| rest.trim_start_matches('/'));
    let (kind, id) = rest.split_once('/')?;
    (matches!(kind, "Practitioner" | "PractitionerRole" | "Person") && is_id(id)).then(|| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_signed_in_is_known_by_a_reference_into_that_record_alone() {
        let of = |user| own_reference("https://record.example/r4", user);
        assert_eq!(of("https://record.example/r4/Practitioner/12-a").as_deref(), Some("Practitioner/12-a"));
        assert_eq!(of("Practitioner/12-a").as_deref(), Some("Practitioner/12-a"));
        for other in
            ["https://elsewhere.example/r4/Practitioner/12", "Patient/12", "Practitioner/..", "Practitioner/1/2", "Practitioner/", ""]
        {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
