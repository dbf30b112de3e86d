//! Searches: of what the system asked for, and of what is about nobody. A list is of one state from its first page to its last.

use alongside_domain::id::PersonId;
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::person::Identifier;
use alongside_fhir::bundle::{self, Found};
use alongside_fhir::resource::{BUSINESS_STATUS, NHS_NUMBER, ODS_CODE};
use alongside_fhir::search::Search;
use alongside_fhir::{Code, Issue};
use alongside_store::requests::{self, Span};
use alongside_store::{Tx, people};
use serde_json::Value;

use super::Refused;
use super::hatch::{Hatch, Seen};
use super::kinds::{ALWAYS, Interaction, PAGE, Served};
use super::told::{Held, id_of, person_id, request_id};
use crate::importing::identifier;

/// How many requests are read at once while a page is filled.
const READ_AT_ONCE: u32 = 500;
const TASK_STATUS: &str = "http://hl7.org/fhir/task-status";
const REQUEST_STATUS: &str = "http://hl7.org/fhir/request-status";

impl Hatch {
    /// Searches a type.
    pub(super) fn search(&self, tx: &mut Tx<'_>, seen: &mut Seen, served: &Served, pairs: &[(String, String)]) -> Result<Value, Refused> {
        let search = Search::read(pairs, &[ALWAYS, served.parameters]).map_err(|issues| Refused::all(400, issues))?;
        let own = self.address(served.name, pairs, None);
        let (next, found) = match served.name {
            "Patient" => (None, self.find_patients(tx, seen, &search)?),
            "QuestionnaireResponse" => (None, self.find_responses(tx, seen, &search)?),
            _ if served.versioned => self.find_requests(tx, seen, served, &search)?,
            _ => (None, self.find_fixed(served, &search)),
        };
        let next = next.map(|mark| self.address(served.name, pairs, Some(&mark)));
        Ok(bundle::searchset(&own, next.as_deref(), found))
    }

    pub(super) fn found(&self, resource: Value, matches: bool) -> Found {
        let text = |key: &str| resource[key].as_str().unwrap_or_default().to_owned();
        Found { url: self.url(&text("resourceType"), &text("id")), resource, matches }
    }

    fn find_fixed(&self, served: &Served, search: &Search) -> Vec<Found> {
        let mut all = self.fixed(served.name);
        all.retain(|resource| {
            let id = resource["id"].as_str().unwrap_or_default();
            let text = |name: &str| resource[name].as_str().unwrap_or_default();
            search.wants_id("_id", id)
                && search.wants("identifier", ODS_CODE, id)
                && search.wants_any("url", &[("", text("url"))])
                && search.wants("version", "", text("version"))
        });
        all.into_iter().map(|resource| self.found(resource, true)).collect()
    }

    /// People by a number: local or of the NHS.
    fn find_patients(&self, tx: &mut Tx<'_>, seen: &mut Seen, search: &Search) -> Result<Vec<Found>, Refused> {
        let mut people: Vec<PersonId> = Vec::new();
        if search.has("identifier") {
            for token in search.tokens("identifier") {
                let local = token.is(&self.client.local_identifier, &token.code).then(|| identifier(&self.client.system.site, &token.code));
                let nhs = if token.is(NHS_NUMBER, &token.code) { token.code.parse::<NhsNumber>().ok() } else { None };
                people.extend(self.numbered(tx, local.as_slice(), nhs)?);
            }
        } else if search.has("_id") {
            people.extend(search.tokens("_id").iter().filter_map(|token| person_id(&token.code)));
        } else {
            return Err(Refused::new(400, Issue::at(Code::Required, "http.identifier", "A search of people needs identifier or _id")));
        }
        people.sort_unstable();
        people.dedup();
        let mut found = Vec::new();
        for person in people.into_iter().filter(|person| search.wants_id("_id", &id_of(person))) {
            // Whoever is not theirs is not found: the answer is that of a number that nobody has.
            match self.patient(tx, seen, person) {
                Ok(resource) => found.push(self.found(resource, true)),
                Err(refused) if refused.status == 404 => {}
                Err(refused) => return Err(refused),
            }
        }
        Ok(found)
    }

    fn numbered(&self, tx: &mut Tx<'_>, local: &[Identifier], nhs: Option<NhsNumber>) -> Result<Vec<PersonId>, Refused> {
        let site = &self.client.system.site;
        let mut found = people::find(tx, site, local, None)?;
        found.extend(people::find(tx, site, &[], nhs)?);
        Ok(found)
    }

    /// Requests as they stood when the first page was asked for: the mark of the next page, and what was found.
    fn find_requests(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut Seen,
        served: &Served,
        search: &Search,
    ) -> Result<(Option<String>, Vec<Found>), Refused> {
        let times = search.span(&["_lastUpdated", "modified"]);
        let (as_of, after) = match search.page() {
            Some(mark) => read_mark(mark).ok_or_else(|| Refused::new(400, Issue::at(Code::Value, "http.page", "is no mark of a page")))?,
            None => (requests::last_position(tx)?, String::new()),
        };
        let mut span = Span { after, from: times.from, to: times.to, as_of, most: READ_AT_ONCE };
        let (most, mut found) = (search.count() as usize, Vec::new());
        let mut last = None;
        loop {
            let rows = requests::as_of(tx, &self.client.system.key, &span)?;
            let is_last = rows.len() < READ_AT_ONCE as usize;
            for (id, person, version) in rows {
                span.after = id.to_string();
                let told = version.progress;
                let status = if served.name == "Task" { told.task.code() } else { told.request().code() };
                let system = if served.name == "Task" { TASK_STATUS } else { REQUEST_STATUS };
                let (digits, patient) = (id_of(&id), id_of(&person));
                let wanted = search.wants("status", system, status)
                    && search.wants("business-status", BUSINESS_STATUS, told.business.code())
                    && ["_id", "focus"].iter().all(|name| search.wants_id(name, &digits))
                    && ["patient", "subject"].iter().all(|name| search.wants_id(name, &patient));
                if !wanted {
                    continue;
                }
                let request = requests::load(tx, id)?.ok_or_else(Refused::not_found)?;
                if !search.wants("identifier", &request.system, &request.value) {
                    continue;
                }
                // One more than the page holds: there is a next one.
                if found.len() == most {
                    return self.dress(tx, seen, served, search, found, last.map(|last: String| mark(as_of, &last)));
                }
                last = Some(id.to_string());
                let first_at = requests::versions(tx, id)?.first().map_or(version.at, |first| first.at);
                seen.person(person);
                found.push(Held { request, version, first_at });
            }
            if is_last {
                return self.dress(tx, seen, served, search, found, None);
            }
        }
    }

    /// The resources of a page, with those that come along.
    fn dress(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut Seen,
        served: &Served,
        search: &Search,
        held: Vec<Held>,
        next: Option<String>,
    ) -> Result<(Option<String>, Vec<Found>), Refused> {
        let mut found: Vec<Found> = held.iter().map(|held| self.found(self.resource(served.name, held), true)).collect();
        let along = [
            ("_include", "Task:focus", "ServiceRequest"),
            ("_include", "Task:patient", "Patient"),
            ("_include", "ServiceRequest:patient", "Patient"),
            ("_revinclude", "Task:focus", "Task"),
        ];
        for (parameter, include, kind) in along {
            if !search.includes(parameter, include) {
                continue;
            }
            self.admit(kind, Interaction::Read)?;
            if kind == "Patient" {
                let mut people: Vec<PersonId> = held.iter().map(|held| held.request.person).collect();
                people.sort_unstable();
                people.dedup();
                for person in people {
                    found.push(self.found(self.patient(tx, seen, person)?, false));
                }
            } else {
                found.extend(held.iter().map(|held| self.found(self.resource(kind, held), false)));
            }
        }
        Ok((next, found))
    }

    /// The address of a search, at a page.
    fn address(&self, kind: &str, pairs: &[(String, String)], page: Option<&str>) -> String {
        let said = pairs.iter().filter(|(name, _)| name != PAGE).map(|(name, value)| (name.as_str(), value.as_str()));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(said.chain(page.map(|page| (PAGE, page)))).finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}/{kind}{mark}{query}", self.base)
    }
}

/// Where the next page begins: the state, and the last request of this page.
fn mark(as_of: i64, last: &str) -> String {
    format!("{as_of}.{}", last.trim_start_matches("trg_"))
}

fn read_mark(mark: &str) -> Option<(i64, String)> {
    let (as_of, last) = mark.split_once('.')?;
    Some((as_of.parse().ok()?, request_id(last)?.to_string()))
}
