//! What a system is told: resources of what it asked for.

use alongside_domain::access::may_follow;
use alongside_domain::id::{AssessmentId, PersonId, TriggerId};
use alongside_domain::person::Person;
use alongside_domain::progress::TaskStatus;
use alongside_fhir::bundle;
use alongside_fhir::resource::{AtSite, Identifier, Meta, Organization, Patient, ServiceRequest, Task};
use alongside_store::requests::{self, Version};
use alongside_store::{Tx, people};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Refused;
use super::hatch::{Hatch, Seen};
use super::kinds::Served;
use crate::importing::identifier;
use crate::setup::Site;

/// A request as it stood at a version.
pub(super) struct Held {
    pub(super) request: requests::Request,
    pub(super) version: Version,
    /// Since when there is work on it.
    pub(super) first_at: Timestamp,
}

/// The id of a resource: the digits of ours, since FHIR's ids have no underscore.
pub(crate) fn id_of(id: &impl std::fmt::Display) -> String {
    let text = id.to_string();
    text.split_once('_').map_or_else(|| text.clone(), |(_, digits)| digits.to_owned())
}

/// The request of a resource's id.
pub(super) fn request_id(id: &str) -> Option<TriggerId> {
    format!("trg_{id}").parse().ok()
}

/// The assessment of a resource's id.
pub(super) fn response_id(id: &str) -> Option<AssessmentId> {
    format!("ass_{id}").parse().ok()
}

/// The person of a resource's id.
pub(super) fn person_id(id: &str) -> Option<PersonId> {
    format!("per_{id}").parse().ok()
}

impl Hatch {
    /// Reads a resource, at a version or as it is.
    pub(super) fn read(&self, tx: &mut Tx<'_>, seen: &mut Seen, served: &Served, id: &str, version: Option<u32>) -> Result<Value, Refused> {
        if served.name == "Patient" {
            let person = person_id(id).ok_or_else(Refused::not_found)?;
            return self.patient(tx, seen, person);
        }
        if served.name == "QuestionnaireResponse" {
            let response = self.response(tx, seen, response_id(id).ok_or_else(Refused::not_found)?)?;
            return Ok(self.told_response(&response));
        }
        if served.versioned {
            let held = self.held(tx, seen, request_id(id).ok_or_else(Refused::not_found)?, version)?;
            return Ok(self.resource(served.name, &held));
        }
        self.fixed(served.name).into_iter().find(|resource| resource["id"] == id).ok_or_else(Refused::not_found)
    }

    /// All versions of a resource, newest first.
    pub(super) fn history(&self, tx: &mut Tx<'_>, seen: &mut Seen, served: &Served, id: &str) -> Result<Value, Refused> {
        let held = self.held(tx, seen, request_id(id).ok_or_else(Refused::not_found)?, None)?;
        let (request, first_at) = (held.request, held.first_at);
        let versions = requests::versions(tx, request.id)?.into_iter().rev().map(|version| {
            let held = Held { request: request.clone(), version, first_at };
            (version.number, self.resource(served.name, &held))
        });
        Ok(bundle::history(&self.url(served.name, id), served.name, id, versions.collect()))
    }

    /// A request that the system may follow, at a version or as it is.
    pub(super) fn held(&self, tx: &mut Tx<'_>, seen: &mut Seen, id: TriggerId, version: Option<u32>) -> Result<Held, Refused> {
        let request = requests::load(tx, id)?.ok_or_else(Refused::not_found)?;
        if may_follow(&self.client.system, &request.client, &request.site).is_err() {
            return Err(Refused { turned_away: Some(request.person), ..Refused::not_found() });
        }
        seen.person(request.person);
        let versions = requests::versions(tx, id)?;
        let wanted = versions.iter().rev().find(|held| version.is_none_or(|number| held.number == number));
        let first_at = versions.first().map_or(Timestamp::UNIX_EPOCH, |first| first.at);
        Ok(Held { request, version: *wanted.ok_or_else(Refused::not_found)?, first_at })
    }

    /// The resource of a type that a request is told as.
    pub(super) fn resource(&self, kind: &str, held: &Held) -> Value {
        let meta = Meta { id: id_of(&held.request.id), version: Some(held.version.number), updated: Some(held.version.at.to_string()) };
        // It was read as JSON when it was taken.
        let sent: Value = serde_json::from_str(&held.request.body).unwrap_or_default();
        let progress = held.version.progress;
        let patient = id_of(&held.request.person);
        if kind == "ServiceRequest" {
            let placer = Identifier { system: held.request.system.clone(), value: held.request.value.clone() };
            return ServiceRequest { meta, sent, placer, status: progress.request().code(), patient, performer: self.service() }.json();
        }
        let requester = sent.get("requester").cloned();
        Task {
            request: meta.id.clone(),
            meta,
            authored_on: held.first_at.to_string(),
            status: progress.task.code(),
            business: (progress.business.code(), progress.business.words()),
            gives_reason: gives_reason(progress.task),
            patient,
            requester: requester.unwrap_or_else(|| json!({ "reference": format!("Organization/{}", self.organisation()) })),
            owner: self.service(),
            priority: sent.get("priority").and_then(Value::as_str).map(str::to_owned),
        }
        .json()
    }

    /// A person of whom the system asked.
    pub(super) fn patient(&self, tx: &mut Tx<'_>, seen: &mut Seen, id: PersonId) -> Result<Value, Refused> {
        let survivor = people::survivor(tx, id)?;
        if requests::of_person(tx, survivor, &self.client.system.key)?.is_empty() {
            let turned_away = people::load(tx, survivor)?.map(|record| record.person.id);
            return Err(Refused { turned_away, ..Refused::not_found() });
        }
        seen.person(survivor);
        if survivor != id {
            return Ok(merged(id, survivor));
        }
        let record = people::load(tx, survivor)?.ok_or_else(Refused::not_found)?;
        Ok(self.told_person(&record.person))
    }

    fn told_person(&self, person: &Person) -> Value {
        let local = identifier(&self.client.system.site, "").system;
        let own = person.identifiers.iter().filter(|held| held.system == local);
        Patient {
            meta: Meta { id: id_of(&person.id), version: None, updated: None },
            identifiers: own.map(|held| Identifier { system: self.client.local_identifier.clone(), value: held.value.clone() }).collect(),
            nhs_number: person.nhs_number.map(|held| (held.number.digits().to_owned(), held.verified)),
            family: person.family.clone(),
            given: person.given.clone(),
            birth_date: person.birth_date.map(|born| born.to_string()),
        }
        .json()
    }

    /// The resources of a type that are about nobody.
    pub(super) fn fixed(&self, kind: &str) -> Vec<Value> {
        let Some(site) = self.site() else { return Vec::new() };
        let at_site = |name: String| AtSite { id: site.key.0.clone(), name, organization: self.organisation() };
        match kind {
            "Organization" => {
                let code = self.organisation();
                vec![Organization { id: code.clone(), ods_code: Some(code), name: site.title.clone() }.json()]
            }
            "Location" => vec![at_site(site.title.clone()).location()],
            "HealthcareService" => {
                vec![at_site(self.app.service_name()).healthcare_service()]
            }
            "Questionnaire" => self.questionnaires(),
            _ => Vec::new(),
        }
    }

    fn site(&self) -> Option<&Site> {
        self.app.setup.sites.get(&self.client.system.site.0)
    }

    /// The id of the service: one a site.
    fn service(&self) -> String {
        self.client.system.site.0.clone()
    }

    /// The ODS code of the organisation that runs the site today.
    fn organisation(&self) -> String {
        self.site().and_then(|site| site.run_by(self.app.today())).unwrap_or("unknown").to_owned()
    }

    /// The absolute address of a resource.
    pub(super) fn url(&self, kind: &str, id: &str) -> String {
        format!("{}/{kind}/{id}", self.base)
    }
}

/// Gravity: a reason is expected where work was turned away, stopped, or came to nothing.
const fn gives_reason(task: TaskStatus) -> bool {
    match task {
        TaskStatus::Rejected | TaskStatus::Cancelled | TaskStatus::Failed | TaskStatus::OnHold => true,
        TaskStatus::Requested | TaskStatus::Accepted | TaskStatus::InProgress | TaskStatus::Completed | TaskStatus::EnteredInError => false,
    }
}

/// A record that was merged into another one.
fn merged(id: PersonId, survivor: PersonId) -> Value {
    json!({
        "resourceType": "Patient",
        "id": id_of(&id),
        "active": false,
        "link": [{ "other": { "reference": format!("Patient/{}", id_of(&survivor)) }, "type": "replaced-by" }],
    })
}
