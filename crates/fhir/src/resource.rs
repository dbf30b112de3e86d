//! Resources that go out, shaped to UK Core, from plain values. Each element that may be absent is absent, never empty.

use serde_json::{Map, Value, json};

/// Where NHS numbers come from (UK Core Patient).
pub const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";
/// Where ODS codes come from (UK Core Organization).
pub const ODS_CODE: &str = "https://fhir.nhs.uk/Id/ods-organization-code";
/// Whether an NHS number was traced (UK Core, extension and code system "NHSNumberVerificationStatus").
const NHS_STATUS: &str = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus";
const NHS_STATUS_CODES: &str = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus";
/// The code of a number that was traced.
pub const NHS_VERIFIED: &str = "number-present-and-verified";
/// What kind of identifier one is (HL7 v2 table 0203).
const IDENTIFIER_TYPES: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
/// How far a task has come, in the words of this program.
pub const BUSINESS_STATUS: &str = "urn:alongside:task-business-status";
/// The code system of `Task.code`.
pub const TASK_CODE: &str = "http://hl7.org/fhir/CodeSystem/task-code";
/// Not for everybody who may read the record (v3 Confidentiality): about nobody's condition.
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

const UK_CORE: &str = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-";

/// Which version of a resource it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// The logical id.
    pub id: String,
    /// The version's number, where versions are kept.
    pub version: Option<u32>,
    /// Since when it is so, as an instant.
    pub updated: Option<String>,
}

/// An identifier of a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// Whose numbering it is.
    pub system: String,
    /// The number.
    pub value: String,
}

/// Takes what is absent away: FHIR has no `null` and no empty list.
fn built(pairs: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let present = |value: &Value| match value {
        Value::Null => false,
        Value::Array(values) => !values.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    let map: Map<String, Value> =
        pairs.into_iter().filter(|(_, value)| present(value)).map(|(key, value)| (key.to_owned(), value)).collect();
    Value::Object(map)
}

fn meta(meta: &Meta, profile: &str, restricted: bool) -> Value {
    let security = json!([{ "system": CONFIDENTIALITY, "code": "R", "display": "restricted" }]);
    built([
        ("versionId", meta.version.map_or(Value::Null, |version| json!(version.to_string()))),
        ("lastUpdated", json!(meta.updated)),
        ("profile", if profile.is_empty() { Value::Null } else { json!([format!("{UK_CORE}{profile}")]) }),
        ("security", if restricted { security } else { Value::Null }),
    ])
}

fn identifier(of: &Identifier) -> Value {
    json!({ "system": of.system, "value": of.value })
}

fn typed(of: &Identifier, code: &str, display: &str) -> Value {
    json!({ "type": { "coding": [{ "system": IDENTIFIER_TYPES, "code": code, "display": display }] }, "system": of.system, "value": of.value })
}

/// The person, as far as whoever asked needs to know them again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patient {
    /// Id; no versions are kept.
    pub meta: Meta,
    /// Local identifiers.
    pub identifiers: Vec<Identifier>,
    /// The NHS number, and whether it was traced.
    pub nhs_number: Option<(String, bool)>,
    /// Family name.
    pub family: Option<String>,
    /// Given name.
    pub given: Option<String>,
    /// Date of birth.
    pub birth_date: Option<String>,
}

impl Patient {
    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let nhs = self.nhs_number.iter().map(|(number, verified)| {
            let (code, display) = if *verified {
                (NHS_VERIFIED, "Number present and verified")
            } else {
                ("number-present-but-not-traced", "Number present but not traced")
            };
            json!({
                "extension": [{
                    "url": NHS_STATUS,
                    "valueCodeableConcept": { "coding": [{ "system": NHS_STATUS_CODES, "code": code, "display": display }] },
                }],
                "system": NHS_NUMBER,
                "value": number,
            })
        });
        let identifiers: Vec<Value> = nhs.chain(self.identifiers.iter().map(|of| typed(of, "MR", "Medical record number"))).collect();
        let name =
            built([("use", json!("official")), ("family", json!(self.family)), ("given", json!(self.given.iter().collect::<Vec<_>>()))]);
        let is_named = self.family.is_some() || self.given.is_some();
        built([
            ("resourceType", json!("Patient")),
            ("id", json!(self.meta.id)),
            ("meta", meta(&self.meta, "Patient", true)),
            ("identifier", json!(identifiers)),
            ("name", if is_named { json!([name]) } else { Value::Null }),
            ("birthDate", json!(self.birth_date)),
        ])
    }
}

/// The request: what was sent, with what this side adds.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceRequest {
    /// Id, version, since when.
    pub meta: Meta,
    /// The elements that were taken of what was sent: an object.
    pub sent: Value,
    /// The number that whoever asked gave.
    pub placer: Identifier,
    /// `ServiceRequest.status`.
    pub status: &'static str,
    /// The id of the patient.
    pub patient: String,
    /// The id of the service that is asked.
    pub performer: String,
}

impl ServiceRequest {
    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut resource = built([
            ("resourceType", json!("ServiceRequest")),
            ("id", json!(self.meta.id)),
            ("meta", meta(&self.meta, "ServiceRequest", true)),
            ("identifier", json!([typed(&self.placer, "PLAC", "Placer Identifier")])),
            ("status", json!(self.status)),
            ("subject", json!({ "reference": format!("Patient/{}", self.patient) })),
            ("performer", json!([{ "reference": format!("HealthcareService/{}", self.performer) }])),
        ]);
        for (key, value) in self.sent.as_object().into_iter().flatten() {
            resource[key.as_str()] = value.clone();
        }
        resource
    }
}

/// The work on a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Id, version, since when.
    pub meta: Meta,
    /// Since when there is work.
    pub authored_on: String,
    /// `Task.status`.
    pub status: &'static str,
    /// The code and the words of the business status.
    pub business: (&'static str, &'static str),
    /// Whether the status needs its reason: it is then the business status in words.
    pub gives_reason: bool,
    /// The id of the request.
    pub request: String,
    /// The id of the patient.
    pub patient: String,
    /// Who asked: as the request says, or the organization that runs the site.
    pub requester: Value,
    /// The id of the service that does it.
    pub owner: String,
    /// How urgent it is, as the request says.
    pub priority: Option<String>,
}

impl Task {
    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let (code, display) = self.business;
        built([
            ("resourceType", json!("Task")),
            ("id", json!(self.meta.id)),
            ("meta", meta(&self.meta, "Task", true)),
            ("status", json!(self.status)),
            ("statusReason", if self.gives_reason { json!({ "text": display }) } else { Value::Null }),
            ("businessStatus", json!({ "coding": [{ "system": BUSINESS_STATUS, "code": code, "display": display }] })),
            ("intent", json!("order")),
            ("priority", json!(self.priority)),
            ("code", json!({ "coding": [{ "system": TASK_CODE, "code": "fulfill", "display": "Fulfill the focal request" }] })),
            ("focus", json!({ "reference": format!("ServiceRequest/{}", self.request) })),
            ("for", json!({ "reference": format!("Patient/{}", self.patient) })),
            ("authoredOn", json!(self.authored_on)),
            ("lastModified", json!(self.meta.updated)),
            ("requester", self.requester.clone()),
            ("owner", json!({ "reference": format!("HealthcareService/{}", self.owner) })),
        ])
    }
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its ODS code, where it has one.
    pub ods_code: Option<String>,
    /// Its name.
    pub name: String,
}

impl Organization {
    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let identifiers: Vec<Value> =
            self.ods_code.iter().map(|code| identifier(&Identifier { system: ODS_CODE.to_owned(), value: code.clone() })).collect();
        built([
            ("resourceType", json!("Organization")),
            ("id", json!(self.id)),
            ("meta", meta(&unversioned(&self.id), "Organization", false)),
            ("identifier", json!(identifiers)),
            ("active", json!(true)),
            ("name", json!(self.name)),
        ])
    }
}

/// A place, or a service at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtSite {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The id of the organization that runs it.
    pub organization: String,
}

impl AtSite {
    /// The place as JSON.
    #[must_use]
    pub fn location(&self) -> Value {
        built([
            ("resourceType", json!("Location")),
            ("id", json!(self.id)),
            ("meta", meta(&unversioned(&self.id), "Location", false)),
            ("status", json!("active")),
            ("name", json!(self.name)),
            ("mode", json!("instance")),
            ("managingOrganization", json!({ "reference": format!("Organization/{}", self.organization) })),
        ])
    }

    /// The service as JSON.
    #[must_use]
    pub fn healthcare_service(&self) -> Value {
        built([
            ("resourceType", json!("HealthcareService")),
            ("id", json!(self.id)),
            ("meta", meta(&unversioned(&self.id), "HealthcareService", false)),
            ("active", json!(true)),
            ("providedBy", json!({ "reference": format!("Organization/{}", self.organization) })),
            ("location", json!([{ "reference": format!("Location/{}", self.id) }])),
            ("name", json!(self.name)),
        ])
    }
}

fn unversioned(id: &str) -> Meta {
    Meta { id: id.to_owned(), version: None, updated: None }
}
