//! Asking for support, and withdrawing it. A request becomes the same fact as an order in a message, so the same rules decide
//! what follows; and it is told apart by the number that whoever asked gave, so that what is sent twice is asked once.

use alongside_domain::access::SystemAct;
use alongside_domain::decision::{Cause, Context};
use alongside_domain::fact::{Fact, Subject};
use alongside_domain::id::PersonId;
use alongside_domain::nhs_number::NhsNumber;
use alongside_domain::person::{Demographics, NhsNumberHeld, Person, Said};
use alongside_domain::progress::TaskStatus;
use alongside_domain::record::Record;
use alongside_domain::rules::facts;
use alongside_domain::trigger::{Exclusion, Outcome};
use alongside_fhir::resource::{NHS_NUMBER, NHS_VERIFIED};
use alongside_fhir::{Code, Issue, reading};
use alongside_store::{Tx, people, requests};
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::Refused;
use super::hatch::{Hatch, Reply, Seen};
use super::kinds::Served;
use super::told::{Held, id_of, person_id, request_id};
use crate::desk::beside::beside;
use crate::importing::identifier;
use crate::intake::{is_another, load};
use crate::london_date;
use crate::setup::FhirClient;

/// The elements of a ServiceRequest that are kept as they were sent.
const KEPT: [&str; 6] = ["intent", "category", "priority", "code", "authoredOn", "requester"];
/// Those that are taken and told in this program's own way.
const TAKEN: [&str; 8] = ["resourceType", "id", "meta", "identifier", "status", "subject", "performer", "contained"];
/// The elements of a Patient that are taken.
const OF_PATIENT: [&str; 8] = ["resourceType", "id", "meta", "identifier", "active", "name", "birthDate", "telecom"];
/// The longest text of an element that is kept.
const TEXT_CHARACTERS_MAX: usize = 200;

/// A request for support, read.
struct Asked {
    client: String,
    system: String,
    value: String,
    on: Date,
    kept: Value,
}

impl Asked {
    /// The number under which the rules know it.
    fn evidence(&self) -> String {
        evidence(&self.client, &self.system, &self.value)
    }

    /// Reads a ServiceRequest, or says everything that is wrong with it.
    fn read(resource: &Value, client: &FhirClient, today: Date) -> Result<Self, Refused> {
        let element = |name: &str| format!("ServiceRequest.{name}");
        let mut issues = not_kept(resource, "ServiceRequest", &[&KEPT, &TAKEN]);
        let service = format!("HealthcareService/{}", client.system.site);
        let mut performers = resource["performer"].as_array().into_iter().flatten();
        if !performers.all(|performer| performer["reference"].as_str().is_some_and(|reference| reference.ends_with(&service))) {
            issues.push(Issue::at(Code::Value, element("performer"), "is not the service of this site"));
        }
        if resource["status"] != "active" {
            issues.push(Issue::at(Code::BusinessRule, element("status"), "must be active: what is a draft is not asked yet"));
        }
        if !["order", "plan"].iter().any(|intent| resource["intent"] == **intent) {
            issues.push(Issue::at(Code::Value, element("intent"), "must be order or plan"));
        }
        if !has_code(&resource["code"], &client.codes) {
            issues.push(Issue::at(Code::Value, element("code"), "is not one under which support is asked for here"));
        }
        let number = placer(&resource["identifier"]);
        if number.is_none() {
            issues.push(Issue::at(
                Code::Required,
                element("identifier"),
                "needs one number of yours, with its system (type PLAC where there are several)",
            ));
        }
        let on = day_of(resource["authoredOn"].as_str());
        match on {
            None => issues.push(Issue::at(Code::Required, element("authoredOn"), "is missing")),
            Some(on) if on > today => issues.push(Issue::at(Code::Value, element("authoredOn"), "is in the future")),
            Some(_) => {}
        }
        if resource["requester"].is_null() {
            issues.push(Issue::at(Code::Required, element("requester"), "is missing"));
        }
        let kept: Map<String, Value> = KEPT.iter().filter_map(|name| Some(((*name).to_owned(), resource.get(name)?.clone()))).collect();
        if kept.values().any(is_long) {
            issues.push(Issue::whole(Code::TooLong, format!("No text of a request may have more than {TEXT_CHARACTERS_MAX} characters")));
        }
        match (number, on) {
            (Some((system, value)), Some(on)) if issues.is_empty() => {
                Ok(Self { client: client.system.key.clone(), system, value, on, kept: Value::Object(kept) })
            }
            _ => Err(Refused::all(422, issues)),
        }
    }
}

/// Elements that are not kept here, and so are not taken: whoever wrote them must know.
pub(super) fn not_kept(resource: &Value, place: &str, kept: &[&[&str]]) -> Vec<Issue> {
    let names = resource.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    // What stands beside a primitive (`_name`) belongs to it.
    let unkept = names.filter(|name| !kept.iter().any(|kept| kept.contains(&name.trim_start_matches('_'))));
    unkept
        .map(|name| Issue::at(Code::NotSupported, format!("{place}.{name}"), "is not kept here, and so not taken: send it without"))
        .collect()
}

/// A number as the rules know it: those of one client are apart from those of another.
fn evidence(client: &str, system: &str, value: &str) -> String {
    format!("{client}:{system}|{value}")
}

pub(crate) fn has_code(concept: &Value, wanted: &[(String, String)]) -> bool {
    let codings = concept["coding"].as_array().into_iter().flatten();
    codings.into_iter().any(|coding| wanted.iter().any(|(system, code)| coding["system"] == **system && coding["code"] == **code))
}

/// The number that whoever asks gave: the one of type PLAC, or the only one.
pub(super) fn placer(identifiers: &Value) -> Option<(String, String)> {
    let all: Vec<&Value> = identifiers.as_array().into_iter().flatten().collect();
    let is_placer = |identifier: &&&Value| {
        let codings = identifier["type"]["coding"].as_array().into_iter().flatten();
        codings.into_iter().any(|coding| coding["code"] == "PLAC")
    };
    let one = all.iter().find(is_placer).or(if all.len() == 1 { all.first() } else { None })?;
    let text = |key: &str| one[key].as_str().map(str::trim).filter(|text| !text.is_empty() && text.chars().count() <= TEXT_CHARACTERS_MAX);
    Some((text("system")?.to_owned(), text("value")?.to_owned()))
}

/// The day in London of a date or an instant; a part of a date says no day.
pub(super) fn day_of(text: Option<&str>) -> Option<Date> {
    let text = text?;
    if text.contains('T') { text.parse().ok().map(london_date) } else { text.parse().ok() }
}

pub(super) fn is_long(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().count() > TEXT_CHARACTERS_MAX,
        Value::Array(values) => values.len() > 10 || values.iter().any(is_long),
        Value::Object(map) => map.values().any(is_long),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Of whom a Patient tells, by the hospital's own number.
fn subject_of(patient: &Value, place: &str, client: &FhirClient, today: Date) -> Result<Subject, Refused> {
    let mut issues = not_kept(patient, place, &[&OF_PATIENT]);
    let identifiers: Vec<&Value> = patient["identifier"].as_array().into_iter().flatten().collect();
    let of = |system: &str| identifiers.iter().find(|held| held["system"] == *system);
    let local = of(&client.local_identifier).and_then(|held| held["value"].as_str()).map(str::trim).filter(|value| !value.is_empty());
    if local.is_none() {
        issues.push(Issue::at(
            Code::Required,
            format!("{place}.identifier"),
            "needs the hospital's own number, of the system that was agreed",
        ));
    }
    let nhs_number = match of(NHS_NUMBER) {
        None => None,
        Some(held) => match held["value"].as_str().unwrap_or_default().parse::<NhsNumber>() {
            Ok(number) => Some(NhsNumberHeld { number, verified: was_traced(held) }),
            Err(wrong) => {
                issues.push(Issue::at(Code::Value, format!("{place}.identifier"), wrong.to_string()));
                None
            }
        },
    };
    let name = name_of(patient);
    let (family, given) = (name["family"].as_str(), name["given"][0].as_str());
    if family.is_none() && given.is_none() {
        issues.push(Issue::at(Code::Required, format!("{place}.name"), "is missing"));
    }
    let born = patient["birthDate"].as_str().map(str::parse::<Date>);
    match &born {
        Some(Ok(born)) if *born > today => issues.push(Issue::at(Code::Value, format!("{place}.birthDate"), "is in the future")),
        Some(Err(_)) => issues.push(Issue::at(Code::Value, format!("{place}.birthDate"), "must be a whole date")),
        None => issues.push(Issue::at(Code::Required, format!("{place}.birthDate"), "is missing")),
        Some(Ok(_)) => {}
    }
    let telephone = patient["telecom"].as_array().into_iter().flatten().find(|held| held["system"] == "phone");
    let texts = [local, family, given, telephone.and_then(|held| held["value"].as_str())];
    let is_odd = |text: &str| text.chars().count() > TEXT_CHARACTERS_MAX || text.chars().any(char::is_control);
    if texts.iter().flatten().any(|text| is_odd(text)) {
        issues.push(Issue::at(Code::TooLong, place.to_owned(), "has a text that is too long, or with what no screen can show"));
    }
    let Some(local) = local.filter(|_| issues.is_empty()) else { return Err(Refused::all(422, issues)) };
    let [_, family, given, telephone] = texts;
    let said = |text: Option<&str>| Said::from_option(text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned));
    let demographics = Demographics {
        given: said(given),
        family: said(family),
        birth_date: Said::from_option(born.and_then(Result::ok)),
        telephone: said(telephone),
    };
    Ok(Subject { identifiers: vec![identifier(&client.system.site, local)], nhs_number, demographics })
}

/// The official name, or the first.
pub(crate) fn name_of(patient: &Value) -> Value {
    let names: Vec<&Value> = patient["name"].as_array().into_iter().flatten().collect();
    let official = names.iter().find(|name| name["use"] == "official");
    official.or(names.first()).map_or(Value::Null, |name| (*name).clone())
}

/// Whether the sender says that an NHS number was traced (UK Core, extension NHSNumberVerificationStatus).
fn was_traced(identifier: &Value) -> bool {
    let extensions = identifier["extension"].as_array().into_iter().flatten();
    extensions
        .filter(|extension| extension["url"].as_str().is_some_and(|url| url.ends_with("UKCore-NHSNumberVerificationStatus")))
        .flat_map(|extension| extension["valueCodeableConcept"]["coding"].as_array().into_iter().flatten())
        .any(|coding| coding["code"] == NHS_VERIFIED || coding["code"] == "01")
}

/// What a request is about: somebody of whom was asked before, or a Patient that came with it.
pub(super) enum About<'a> {
    /// As the request says by itself.
    Said,
    /// A Patient of the same transaction, and where it stands.
    With(&'a Value, String),
}

impl Hatch {
    /// Creates a ServiceRequest, or takes answers.
    pub(super) fn create(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut Seen,
        served: &Served,
        body: &str,
        if_none_exist: Option<&str>,
    ) -> Result<Reply, Refused> {
        if served.name == "QuestionnaireResponse" {
            return self.answers(tx, seen, body, if_none_exist);
        }
        let resource = reading::resource("ServiceRequest", body).map_err(|issues| Refused::all(400, issues))?;
        let (held, is_new) = self.ask(tx, seen, &resource, &About::Said, if_none_exist)?;
        Ok(self.made("ServiceRequest", &held, is_new))
    }

    /// The answer for what was made, or was there already.
    pub(super) fn made(&self, kind: &str, held: &Held, is_new: bool) -> Reply {
        let location = format!("{kind}/{}/_history/{}", id_of(&held.request.id), held.version.number);
        let status = if is_new { 201 } else { 200 };
        Reply { status, location: Some(location), ..Reply::found(self.resource(kind, held)) }
    }

    /// Asks for support; tells whether that is new.
    pub(super) fn ask(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut Seen,
        resource: &Value,
        about: &About<'_>,
        if_none_exist: Option<&str>,
    ) -> Result<(Held, bool), Refused> {
        let today = self.app.today();
        let asked = Asked::read(resource, &self.client, today)?;
        if let Some(search) = if_none_exist {
            must_be_its_number(search, &asked.system, &asked.value)?;
        }
        if let Some(known) = requests::by_number(tx, &asked.client, &asked.system, &asked.value)? {
            let held = self.held(tx, seen, known, None)?;
            if if_none_exist.is_some() {
                return Ok((held, false));
            }
            let issue = Issue::at(Code::Duplicate, "ServiceRequest.identifier", "This number was asked under before; see Location");
            let location = Some(format!("ServiceRequest/{}", id_of(&known)));
            return Err(Refused { location, ..Refused::new(409, issue) });
        }
        seen.did(SystemAct::Ask);
        let mut ids = self.app.world.ids();
        let mut ctx = self.app.context(&mut *ids, self.actor(), Cause::Request);
        let fact = Fact::ReferralOrdered { on: asked.on, number: Some(asked.evidence()) };
        let record = self.applied(tx, seen, resource, about, &[Fact::DemographicsStated, fact], &mut ctx)?;
        let trigger = record.triggers.iter().find(|trigger| trigger.evidence.as_deref() == Some(&asked.evidence()));
        let trigger = trigger.ok_or_else(Refused::not_found)?;
        let request = requests::Request {
            id: trigger.id,
            client: asked.client,
            site: self.client.system.site.clone(),
            system: asked.system,
            value: asked.value,
            body: asked.kept.to_string(),
            person: record.person.id,
        };
        self.app.add_request(tx, &request, &record, ctx.at)?;
        Ok((self.held(tx, seen, request.id, None)?, true))
    }

    /// The record of whom a request is about, with what it says applied.
    fn applied(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut Seen,
        resource: &Value,
        about: &About<'_>,
        facts: &[Fact],
        ctx: &mut Context<'_>,
    ) -> Result<Record, Refused> {
        let subject = match about {
            About::With(patient, place) => subject_of(patient, place, &self.client, ctx.today)?,
            About::Said => match contained(resource)? {
                Some((patient, place)) => subject_of(patient, &place, &self.client, ctx.today)?,
                None => {
                    let person = self.asked_before(tx, seen, resource)?;
                    return self.apply(tx, seen, person, &Subject::default(), facts, ctx);
                }
            },
        };
        let site = &self.client.system.site;
        let verified = subject.nhs_number.filter(|held| held.verified).map(|held| held.number);
        let found = people::find(tx, site, &subject.identifiers, verified)?;
        let Some(&first) = found.first() else { return self.add(tx, seen, &subject, facts, ctx) };
        let record = load(tx, first)?;
        if found.len() == 1 && !is_another(&record.person, &subject) {
            return self.apply(tx, seen, first, &subject, facts, ctx);
        }
        // A number that was another's: nobody is mixed up, nobody is missed, and whoever asked learns nothing of the other.
        // The clinic is asked whether the two are one.
        let apart = Subject { identifiers: beside(&subject.identifiers), nhs_number: None, ..subject };
        if let Some(&known) = people::find(tx, site, &apart.identifiers, None)?.first() {
            return self.apply(tx, seen, known, &apart, facts, ctx);
        }
        let added = self.add(tx, seen, &apart, facts, ctx)?;
        self.app.ask_beside(tx, &record, added.person.id, ctx)?;
        Ok(added)
    }

    /// The person whom a request names by a reference: one of whom the system asked before.
    fn asked_before(&self, tx: &mut Tx<'_>, seen: &mut Seen, resource: &Value) -> Result<PersonId, Refused> {
        let place = "ServiceRequest.subject";
        let needs = || {
            let what = "must be a Patient that is contained or comes with it, or one of whom was asked before";
            Refused::new(422, Issue::at(Code::Value, place, what))
        };
        let reference = resource["subject"]["reference"].as_str().ok_or_else(needs)?;
        let own = format!("{}/", self.base);
        let id = reference.strip_prefix(&own).unwrap_or(reference).strip_prefix("Patient/").ok_or_else(needs)?;
        let person = person_id(id).ok_or_else(needs)?;
        let turned_away = |refused: Refused| Refused { turned_away: refused.turned_away, ..needs() };
        self.patient(tx, seen, person).map_err(turned_away)?;
        Ok(people::survivor(tx, person)?)
    }

    fn apply(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut Seen,
        person: PersonId,
        subject: &Subject,
        facts: &[Fact],
        ctx: &mut Context<'_>,
    ) -> Result<Record, Refused> {
        let record = load(tx, person)?;
        seen.person(record.person.id);
        let decision = facts::apply(record.clone(), subject, facts, false, ctx);
        self.app.keep(tx, Some(&record), &decision)?;
        Ok(decision.record)
    }

    fn add(&self, tx: &mut Tx<'_>, seen: &mut Seen, subject: &Subject, facts: &[Fact], ctx: &mut Context<'_>) -> Result<Record, Refused> {
        let person = Person::new(PersonId::new(ctx.ids), self.client.system.site.clone(), subject.identifiers.clone());
        seen.person(person.id);
        let decision = facts::apply(Record::new(person), subject, facts, true, ctx);
        self.app.keep(tx, None, &decision)?;
        Ok(decision.record)
    }

    /// Updates a ServiceRequest or a Task: whoever asked may withdraw, and change nothing else.
    pub(super) fn update(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut Seen,
        served: &Served,
        id: &str,
        body: &str,
        if_match: Option<&str>,
    ) -> Result<Reply, Refused> {
        let kind = served.name;
        let sent = reading::resource(kind, body).map_err(|issues| Refused::all(400, issues))?;
        if sent["id"] != *id {
            return Err(Refused::new(400, Issue::at(Code::Value, format!("{kind}.id"), "must be that of the address")));
        }
        let held = self.held(tx, seen, request_id(id).ok_or_else(Refused::not_found)?, None)?;
        match if_match.map(version_of) {
            None => return Err(Refused::new(412, Issue::at(Code::Required, "http.If-Match", "must say which version is changed"))),
            Some(version) if version != Some(held.version.number) => {
                return Err(Refused::new(412, Issue::at(Code::Conflict, "http.If-Match", "is not the present version: read it again")));
            }
            Some(_) => {}
        }
        let now = self.resource(kind, &held);
        only_status_differs(kind, &now, &sent)?;
        if sent["status"] == now["status"] {
            return Ok(Reply::found(now));
        }
        let wanted = if kind == "Task" { "cancelled" } else { "revoked" };
        if sent["status"] != wanted {
            let what = format!("Whoever asked may set it to {wanted}; every other status is set by the service");
            return Err(Refused::rule(format!("{kind}.status"), &what));
        }
        self.withdraw(tx, seen, kind, &held)?;
        let held = self.held(tx, seen, held.request.id, None)?;
        Ok(Reply::found(self.resource(kind, &held)))
    }

    /// Withdraws a request, as an order is withdrawn: once somebody has begun, a person decides.
    fn withdraw(&self, tx: &mut Tx<'_>, seen: &mut Seen, kind: &str, held: &Held) -> Result<(), Refused> {
        seen.did(SystemAct::Withdraw);
        let place = format!("{kind}.status");
        let task = held.version.progress.task;
        if matches!(task, TaskStatus::Completed | TaskStatus::Failed | TaskStatus::Cancelled | TaskStatus::EnteredInError) {
            return Err(Refused::rule(place, "It has ended: there is nothing to withdraw"));
        }
        let record = load(tx, held.request.person)?;
        let number = evidence(&held.request.client, &held.request.system, &held.request.value);
        let mut ids = self.app.world.ids();
        let mut ctx = self.app.context(&mut *ids, self.actor(), Cause::Request);
        let facts = [Fact::ReferralOrderCancelled { number }];
        let decision = facts::apply(record.clone(), &Subject::default(), &facts, false, &mut ctx);
        let withdrawn = decision.record.triggers.iter().find(|trigger| trigger.id == held.request.id);
        if withdrawn.is_none_or(|trigger| trigger.outcome != Outcome::Excluded(Exclusion::OrderCancelled)) {
            return Err(Refused::rule(place, "Somebody is in contact with the person already: speak with the team, who can end it"));
        }
        self.app.keep(tx, Some(&record), &decision)?;
        Ok(())
    }
}

/// `If-None-Exist` may look for the resource's own number, and for nothing else.
pub(super) fn must_be_its_number(search: &str, system: &str, value: &str) -> Result<(), Refused> {
    let pairs: Vec<_> = form_urlencoded::parse(search.trim_start_matches('?').as_bytes()).collect();
    if pairs.len() == 1 && pairs[0].0 == "identifier" && pairs[0].1 == format!("{system}|{value}") {
        return Ok(());
    }
    Err(Refused::new(400, Issue::at(Code::Value, "http.If-None-Exist", "must be identifier=system|value, as in the request")))
}

/// The number of `W/"3"`.
fn version_of(tag: &str) -> Option<u32> {
    tag.trim().trim_start_matches("W/").trim_matches('"').parse().ok()
}

/// The Patient that a request contains, where its subject is that one.
fn contained(resource: &Value) -> Result<Option<(&Value, String)>, Refused> {
    let all: Vec<&Value> = resource["contained"].as_array().into_iter().flatten().collect();
    let reference = resource["subject"]["reference"].as_str().and_then(|reference| reference.strip_prefix('#'));
    let mut found = None;
    for (index, held) in all.into_iter().enumerate() {
        let place = format!("ServiceRequest.contained[{index}]");
        if held["resourceType"] != "Patient" || reference.is_none() || held["id"].as_str() != reference || found.is_some() {
            let what = "only the Patient whom it is about may be contained";
            return Err(Refused::new(422, Issue::at(Code::NotSupported, place, what)));
        }
        found = Some((held, place));
    }
    Ok(found)
}

/// Everything but the status, its reason, and what no sender sets, must be as it is.
fn only_status_differs(kind: &str, now: &Value, sent: &Value) -> Result<(), Refused> {
    const FREE: [&str; 6] = ["meta", "text", "status", "statusReason", "lastModified", "businessStatus"];
    let empty = json!({});
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().or(empty.as_object()).map(|map| map.keys().cloned().collect()).unwrap_or_default()
    };
    let mut names = keys(now);
    names.extend(keys(sent));
    names.sort();
    names.dedup();
    let is_another = |name: &&String| !FREE.contains(&name.as_str()) && now.get(name.as_str()) != sent.get(name.as_str());
    let issues: Vec<Issue> = names
        .iter()
        .filter(is_another)
        .map(|name| Issue::at(Code::BusinessRule, format!("{kind}.{name}"), "is not changed by whoever asked"))
        .collect();
    if issues.is_empty() { Ok(()) } else { Err(Refused::all(422, issues)) }
}
