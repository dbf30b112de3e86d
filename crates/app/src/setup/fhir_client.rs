//! Hospitals' systems that ask over FHIR, as they are configured.

use std::collections::{BTreeMap, BTreeSet};

use alongside_domain::access::System;
use alongside_domain::person::SiteId;
use serde::Deserialize;

use super::identity::{NO_SYSTEM, is_key, is_system, is_word, web_address};
use super::{IdentityProvider, Reader, Site};
use crate::fhir::Scopes;

/// Referral to support group (SNOMED CT): the nearest international code, which says nothing of why.
const CODE: &str = "http://snomed.info/sct|711281004";
/// The most codes under which support is ordered.
const CODES_MAX: usize = 20;
/// The longest title.
const TITLE_CHARACTERS_MAX: usize = 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FhirClientFile {
    key: String,
    title: String,
    site: String,
    local_identifier: String,
    jwks_file: Option<String>,
    jwks_url: Option<String>,
    scopes: Vec<String>,
    codes: Option<Vec<String>>,
    cds_issuer: Option<String>,
    smart_iss: Option<String>,
    #[serde(default)]
    opens_people: bool,
}

/// Where a system's public keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientKeys {
    /// In a file (a JWK set), read at the start.
    File(String),
    /// At an address of the system's own, read when they are needed.
    Url(String),
}

impl ClientKeys {
    /// The address of its keys, where they are at one.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Url(url) => Some(url),
            Self::File(_) => None,
        }
    }
}

/// A hospital's system that asks over FHIR (SMART Backend Services).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FhirClient {
    /// As which the policy knows it.
    pub system: System,
    /// Title on pages.
    pub title: String,
    /// The system (`Identifier.system`) of the hospital's own numbers.
    pub local_identifier: String,
    /// Where its keys are.
    pub keys: ClientKeys,
    /// What it may ask for, at most.
    pub scopes: Scopes,
    /// The codes under which it orders support: system and code.
    pub codes: Vec<(String, String)>,
    /// As whom it signs what it asks cards with (`iss`, CDS Hooks 2.0); none asks for none.
    pub cds_issuer: Option<String>,
    /// The record (`iss`, SMART App Launch 2.2) that opens this program for the users of this system: then they are linked by
    /// that.
    pub smart_iss: Option<String>,
    /// Whether it opens people by links that it signs.
    pub opens_people: bool,
}

impl Reader {
    pub(super) fn fhir_clients(
        &mut self,
        files: &[FhirClientFile],
        sites: &BTreeMap<String, Site>,
        providers: &BTreeMap<String, IdentityProvider>,
        taken: &BTreeSet<&String>,
    ) -> BTreeMap<String, FhirClient> {
        let mut clients = BTreeMap::new();
        for (index, file) in files.iter().enumerate() {
            let place = format!("fhir_client[{index}]");
            self.client_values(&place, file, sites);
            let launched = providers.values().filter_map(|provider| provider.launch.as_ref()).filter(|launch| launch.site.0 == file.site);
            let launched: Vec<&str> = launched.map(|launch| launch.iss.as_str()).collect();
            if file.smart_iss.as_deref().is_some_and(|iss| !launched.contains(&iss)) {
                self.say(format!("{place}.smart_iss"), "must be the iss of an identity_provider.launch of the same site");
            }
            if taken.contains(&file.key) {
                self.say(format!("{place}.key"), "is the key of a feed or of somebody");
            }
            let (Some(keys), Some(scopes)) = (self.client_keys(&place, file), self.client_scopes(&place, file)) else { continue };
            let codes = self.client_codes(&place, file);
            let client = FhirClient {
                system: System { key: file.key.clone(), site: SiteId(file.site.clone()) },
                title: file.title.clone(),
                local_identifier: file.local_identifier.clone(),
                keys,
                scopes,
                codes,
                cds_issuer: file.cds_issuer.clone(),
                smart_iss: file.smart_iss.clone(),
                opens_people: file.opens_people,
            };
            let is_taken = |other: &FhirClient| other.cds_issuer.is_some() && other.cds_issuer == client.cds_issuer;
            if clients.values().any(is_taken) {
                self.say(format!("{place}.cds_issuer"), "stands twice: a system is known by it");
            }
            if clients.insert(file.key.clone(), client).is_some() {
                self.say(format!("{place}.key"), "stands twice");
            }
        }
        clients
    }

    fn client_values(&mut self, place: &str, file: &FhirClientFile, sites: &BTreeMap<String, Site>) {
        if !is_key(&file.key) {
            self.say(format!("{place}.key"), "must be lower-case letters, digits and hyphens");
        }
        if file.title.trim().is_empty() || file.title.chars().count() > TITLE_CHARACTERS_MAX {
            self.say(format!("{place}.title"), &format!("must have 1 to {TITLE_CHARACTERS_MAX} characters"));
        }
        if !sites.contains_key(&file.site) {
            self.say(format!("{place}.site"), "is not configured");
        }
        if file.cds_issuer.as_ref().is_some_and(|issuer| !is_word(issuer)) {
            self.say(format!("{place}.cds_issuer"), "must be one word of printable ASCII");
        }
        if !is_system(&file.local_identifier) {
            self.say(format!("{place}.local_identifier"), NO_SYSTEM);
        }
    }

    fn client_keys(&mut self, place: &str, file: &FhirClientFile) -> Option<ClientKeys> {
        match (&file.jwks_file, &file.jwks_url) {
            (Some(file), None) => Some(ClientKeys::File(file.clone())),
            (None, Some(url)) => {
                if let Err(what) = web_address(url) {
                    self.say(format!("{place}.jwks_url"), what);
                }
                Some(ClientKeys::Url(url.clone()))
            }
            _ => {
                self.say(place.to_owned(), "needs either jwks_file or jwks_url");
                None
            }
        }
    }

    fn client_scopes(&mut self, place: &str, file: &FhirClientFile) -> Option<Scopes> {
        // A system without scopes asks for nothing over FHIR: it opens people by links, or asks for cards.
        let scopes = Scopes::parse(file.scopes.iter().map(String::as_str));
        if scopes.is_none() {
            self.say(format!("{place}.scopes"), "must be scopes of a system, such as system/Task.rs");
        }
        scopes
    }

    fn client_codes(&mut self, place: &str, file: &FhirClientFile) -> Vec<(String, String)> {
        let texts = file.codes.clone().unwrap_or_else(|| vec![CODE.to_owned()]);
        let split = |text: &String| text.split_once('|').map(|(system, code)| (system.to_owned(), code.to_owned()));
        let codes: Option<Vec<_>> = texts.iter().map(split).collect();
        let codes = codes.filter(|codes| !codes.is_empty() && codes.len() <= CODES_MAX && codes.iter().all(|(_, code)| !code.is_empty()));
        if codes.is_none() {
            self.say(format!("{place}.codes"), &format!("must be 1 to {CODES_MAX} codes, each as system|code"));
        }
        codes.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use crate::setup::{Extra, Setup};

    const RECORD: &str = r#"
        [[site]]
        key = "north"
        title = "North"
        organisations = [{ code = "RAP" }]
        [[feed]]
        key = "north"
        site = "north"
        profile = "careflow"
        [[fhir_client]]
        key = "record"
        title = "The record"
        site = "north"
        local_identifier = "https://north.example/id/mrn"
        jwks_file = "record.jwks.json"
        scopes = ["system/ServiceRequest.cruds", "system/Task.rus"]
    "#;

    #[test]
    fn a_system_is_read_and_what_is_wrong_with_one_has_its_place() {
        let setup = Setup::read(RECORD, &Extra::default()).unwrap();
        let client = &setup.fhir_clients["record"];
        assert_eq!(client.codes, [("http://snomed.info/sct".to_owned(), "711281004".to_owned())]);
        for (from, to, place) in [
            ("key = \"record\"", "key = \"north\"", "key"),
            ("key = \"record\"", "key = \"The record\"", "key"),
            ("title = \"The record\"", "title = \"\"", "title"),
            ("site = \"north\"\n        local", "site = \"south\"\n        local", "site"),
            ("https://north.example/id/mrn", "mrn", "local_identifier"),
            ("jwks_file = \"record.jwks.json\"", "jwks_url = \"http://record.example/jwks\"", "jwks_url"),
            ("\"system/Task.rus\"", "\"patient/Task.rs\"", "scopes"),
            ("\"system/Task.rus\"", "\"system/Task.sr\"", "scopes"),
            ("\"system/Task.rus\"", "\"system/Observation.rs\"", "scopes"),
            ("jwks_file", "smart_iss = \"https://record.example/r4\"\n        jwks_file", "smart_iss"),
            ("jwks_file", "cds_issuer = \"two words\"\n        jwks_file", "cds_issuer"),
            ("jwks_file", "codes = [\"711281004\"]\n        jwks_file", "codes"),
        ] {
            let problems = Setup::read(&RECORD.replace(from, to), &Extra::default()).unwrap_err();
            let places: Vec<_> = problems.into_iter().map(|problem| problem.place).collect();
            assert_eq!(places, [format!("fhir_client[0].{place}")], "{to}");
        }
        let neither = Setup::read(&RECORD.replace("jwks_file = \"record.jwks.json\"", ""), &Extra::default()).unwrap_err();
        assert_eq!(neither[0].place, "fhir_client[0]");
    }
}
