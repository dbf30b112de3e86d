//! Questionnaires, and a person's own answers that a hospital's system brings, such as those of its portal for patients. Scores
//! are computed here, from the answers; one that came along and differs is refused.

use alongside_domain::access::{SystemAct, may_follow};
use alongside_domain::command::Command;
use alongside_domain::decision::{Actor, Cause, Refusal};
use alongside_domain::id::{AssessmentId, TriggerId};
use alongside_domain::instrument::{self, Instrument, Item, Method, Scale};
use alongside_domain::rules::commands;
use alongside_domain::trigger::Outcome;
use alongside_fhir::questionnaire::{Answers, Question, Questionnaire, Score, number_of, weight_of};
use alongside_fhir::search::Search;
use alongside_fhir::{Code, Issue, reading};
use alongside_store::responses::{self, Response};
use alongside_store::{Tx, people};
use jiff::civil::Date;
use serde_json::{Value, json};

use super::Refused;
use super::asking::{day_of, is_long, must_be_its_number, not_kept, placer};
use super::hatch::{Hatch, Reply, Seen};
use super::told::{id_of, person_id, request_id};
use crate::intake::load;
use crate::personal::{reply_kind, supporter_of};

/// What stands before the name of a score among the items.
const SCORE: &str = "score.";
/// The elements of a QuestionnaireResponse that are taken.
const TAKEN: [&str; 11] =
    ["resourceType", "id", "meta", "identifier", "basedOn", "questionnaire", "status", "subject", "authored", "source", "item"];
/// The elements of an item that are taken; its text is the questionnaire's.
const OF_ITEM: [&str; 3] = ["linkId", "text", "answer"];

/// Answers, read.
struct Brought<'a> {
    system: String,
    value: String,
    request: TriggerId,
    instrument: &'a Instrument,
    on: Date,
    answers: Vec<(String, i64)>,
}

impl Hatch {
    /// The questionnaires that are asked here.
    pub(super) fn questionnaires(&self) -> Vec<Value> {
        self.app.setup.instruments.values().map(|instrument| self.questionnaire(instrument).json()).collect()
    }

    fn questionnaire(&self, instrument: &Instrument) -> Questionnaire {
        let definition = instrument.definition();
        let url = self.url("Questionnaire", instrument.id());
        Questionnaire {
            id: instrument.id().to_owned(),
            version: definition.version.clone(),
            title: definition.title.clone(),
            copyright: format!("{}: {}", definition.licence.name, definition.licence.notice),
            introduction: definition.introduction.clone(),
            questions: definition.items.iter().map(|item| question(item, &url)).collect(),
            scores: definition.scales.iter().map(|scale| score(scale, instrument)).collect(),
            url,
        }
    }

    /// Answers that this system brought.
    pub(super) fn response(&self, tx: &mut Tx<'_>, seen: &mut Seen, id: AssessmentId) -> Result<Response, Refused> {
        let response = responses::load(tx, id)?.ok_or_else(Refused::not_found)?;
        if may_follow(&self.client.system, &response.client, &self.client.system.site).is_err() {
            return Err(Refused { turned_away: Some(response.person), ..Refused::not_found() });
        }
        seen.person(response.person);
        Ok(response)
    }

    /// The resource of answers: as they came.
    pub(super) fn told_response(&self, response: &Response) -> Value {
        // It was read as JSON when it was taken.
        let mut told: Value = serde_json::from_str(&response.body).unwrap_or_default();
        told["id"] = json!(id_of(&response.id));
        told["meta"] = json!({ "lastUpdated": response.at.to_string() });
        let patient = json!({ "reference": format!("Patient/{}", id_of(&response.person)) });
        told["subject"] = patient.clone();
        told["source"] = patient;
        told
    }

    /// The answers of people, as this system brought them.
    pub(super) fn find_responses(
        &self,
        tx: &mut Tx<'_>,
        seen: &mut Seen,
        search: &Search,
    ) -> Result<Vec<alongside_fhir::bundle::Found>, Refused> {
        let mut all = Vec::new();
        if search.has("_id") {
            for token in search.tokens("_id") {
                let Some(id) = super::told::response_id(&token.code) else { continue };
                all.extend(responses::load(tx, id)?.filter(|held| held.client == self.client.system.key));
            }
        } else if search.has("patient") || search.has("subject") {
            let named = search.references("patient").into_iter().chain(search.references("subject"));
            for person in named.filter_map(|id| person_id(&id)) {
                let survivor = people::survivor(tx, person)?;
                all.extend(responses::of_person(tx, survivor, &self.client.system.key)?);
            }
            all.sort_by_key(|held| held.id);
            all.dedup();
        } else {
            return Err(Refused::new(400, Issue::at(Code::Required, "http.patient", "A search of answers needs patient, subject or _id")));
        }
        let mut found = Vec::new();
        for held in all {
            let resource = self.told_response(&held);
            let patient = id_of(&held.person);
            let canonical = resource["questionnaire"].as_str().unwrap_or_default();
            let address = canonical.split('|').next().unwrap_or_default();
            let wanted = search.wants("identifier", &held.system, &held.value)
                && search.wants_id("based-on", &id_of(&held.request))
                && ["patient", "subject"].iter().all(|name| search.wants_id(name, &patient))
                && search.wants_any("questionnaire", &[("", canonical), ("", address)]);
            if wanted && found.len() < search.count() as usize {
                seen.person(held.person);
                found.push(self.found(resource, true));
            }
        }
        Ok(found)
    }

    /// Takes answers: they become an assessment of the person, and their supporter is told.
    pub(super) fn answers(&self, tx: &mut Tx<'_>, seen: &mut Seen, body: &str, if_none_exist: Option<&str>) -> Result<Reply, Refused> {
        let resource = reading::resource("QuestionnaireResponse", body).map_err(|issues| Refused::all(400, issues))?;
        let brought = self.brought(&resource)?;
        if let Some(search) = if_none_exist {
            must_be_its_number(search, &brought.system, &brought.value)?;
        }
        if let Some(known) = responses::by_number(tx, &self.client.system.key, &brought.system, &brought.value)? {
            let held = self.response(tx, seen, known)?;
            let location = Some(format!("QuestionnaireResponse/{}", id_of(&known)));
            if if_none_exist.is_some() {
                return Ok(Reply { location, ..Reply::found(self.told_response(&held)) });
            }
            let issue = Issue::at(Code::Duplicate, "QuestionnaireResponse.identifier", "This number was brought before; see Location");
            return Err(Refused { location, ..Refused::new(409, issue) });
        }
        let held = self.held(tx, seen, brought.request, None)?;
        let person = people::survivor(tx, held.request.person)?;
        for element in ["subject", "source"] {
            let named = resource[element]["reference"].as_str().and_then(|of| person_id(of.strip_prefix("Patient/")?));
            if named.map(|named| people::survivor(tx, named)).transpose()? != Some(person) {
                let what = "must be the Patient of the request: only a person's own answers are brought";
                return Err(Refused::new(422, Issue::at(Code::Value, format!("QuestionnaireResponse.{element}"), what)));
            }
        }
        seen.did(SystemAct::Answers);
        let record = load(tx, person)?;
        // Only where this request led: of support that somebody else asked for, this system learns nothing.
        let led = |id| record.triggers.iter().any(|trigger| trigger.id == brought.request && trigger.outcome == Outcome::Referral(id));
        let Some((referral, supporter)) = supporter_of(&record).filter(|(referral, _)| led(referral.id)) else {
            return Err(Refused { turned_away: Some(person), ..crate::Failure::Refused(Refusal::ConversationFirst).into() });
        };
        let form = self.app.assessment_form(&supporter.0, brought.on, brought.instrument.id(), brought.answers.clone())?;
        let mut ids = self.app.world.ids();
        let mut ctx = self.app.context(&mut *ids, Actor::Person, Cause::Request);
        let command = Command::RecordAssessment { referral: referral.id, form };
        let decision = commands::decide(record.clone(), &command, &mut ctx).map_err(crate::Failure::Refused)?;
        let at = ctx.at;
        self.app.keep(tx, Some(&record), &decision)?;
        self.app.keep_reply(tx, &record, reply_kind(brought.instrument, &brought.answers)?, "")?;
        let id = decision.assessments.first().map(|assessment| assessment.id).ok_or_else(Refused::not_found)?;
        let response = Response {
            id,
            client: self.client.system.key.clone(),
            request: brought.request,
            system: brought.system,
            value: brought.value,
            body: resource.to_string(),
            at,
            person,
        };
        responses::add(tx, &response)?;
        let location = Some(format!("QuestionnaireResponse/{}", id_of(&id)));
        Ok(Reply { status: 201, location, ..Reply::found(self.told_response(&response)) })
    }

    /// Reads answers, or says everything that is wrong with them.
    fn brought(&self, resource: &Value) -> Result<Brought<'_>, Refused> {
        let place = |name: &str| format!("QuestionnaireResponse.{name}");
        let mut issues = not_kept(resource, "QuestionnaireResponse", &[&TAKEN]);
        if resource["status"] != "completed" {
            issues.push(Issue::at(Code::BusinessRule, place("status"), "must be completed: what is not is not brought yet"));
        }
        let number = placer(&json!([resource["identifier"]]));
        if number.is_none() {
            issues.push(Issue::at(Code::Required, place("identifier"), "needs a number of your own: system and value"));
        }
        let on = day_of(resource["authored"].as_str());
        if on.is_none() {
            issues.push(Issue::at(Code::Required, place("authored"), "must be a whole date, or an instant"));
        }
        let based_on = resource["basedOn"][0]["reference"].as_str();
        let request = based_on.and_then(|of| request_id(of.strip_prefix("ServiceRequest/")?));
        if request.is_none() {
            issues.push(Issue::at(Code::Required, place("basedOn"), "must be a ServiceRequest of this client"));
        }
        if resource["item"].as_array().into_iter().flatten().any(is_long) {
            issues.push(Issue::at(Code::TooLong, place("item"), "has a text that is too long"));
        }
        let asked = resource["questionnaire"].as_str().unwrap_or_default();
        let canonical =
            |instrument: &&Instrument| format!("{}|{}", self.url("Questionnaire", instrument.id()), instrument.version()) == asked;
        let Some(instrument) = self.app.setup.instruments.values().find(canonical) else {
            issues.push(Issue::at(Code::Value, place("questionnaire"), "must be one of those that are asked here, with its version"));
            return Err(Refused::all(422, issues));
        };
        let answers = self.read_items(resource, instrument, &mut issues);
        match (number, on, request) {
            (Some((system, value)), Some(on), Some(request)) if issues.is_empty() => {
                Ok(Brought { system, value, request, instrument, on, answers })
            }
            _ => Err(Refused::all(422, issues)),
        }
    }

    fn read_items(&self, resource: &Value, instrument: &Instrument, issues: &mut Vec<Issue>) -> Vec<(String, i64)> {
        let (mut answers, mut claimed) = (Vec::new(), Vec::new());
        for (index, item) in resource["item"].as_array().into_iter().flatten().enumerate() {
            let place = format!("QuestionnaireResponse.item[{index}]");
            issues.extend(not_kept(item, &place, &[&OF_ITEM]));
            let (link_id, given) = (item["linkId"].as_str().unwrap_or_default(), item["answer"].as_array());
            let given = match given.map(Vec::as_slice) {
                None | Some([]) => continue,
                Some([one]) => one,
                Some(_) => {
                    issues.push(Issue::at(Code::Value, format!("{place}.answer"), "must be one"));
                    continue;
                }
            };
            let place = format!("{place}.answer[0]");
            if given.as_object().is_some_and(|parts| parts.len() > 1) {
                issues.push(Issue::at(Code::NotSupported, place.as_str(), "must be a value, with nothing beside it"));
            }
            match (link_id.strip_prefix(SCORE), instrument.item(link_id)) {
                (_, Some(asked)) => match self.number_given(asked, instrument, given) {
                    Some(answer) => answers.push((link_id.to_owned(), answer)),
                    None => issues.push(Issue::at(Code::Value, place, "is not one of the answers")),
                },
                (Some(scale), None) if instrument.scale(scale).is_some() => claimed.push((scale, whole(given), place)),
                _ => issues.push(Issue::at(Code::Value, place, "this questionnaire has no such question")),
            }
        }
        match instrument.score(&answers) {
            Ok(_) if answers.is_empty() => issues.push(Issue::at(Code::Required, "QuestionnaireResponse.item", "has no answer")),
            Ok(scores) => issues.extend(claimed.into_iter().filter_map(|(scale, said, place)| {
                let computed = scores.iter().find(|score| score.scale == scale).and_then(|score| score.value);
                (said.is_none() || said != computed).then(|| Issue::at(Code::BusinessRule, place, "is not what the answers give"))
            })),
            Err(problems) => issues.extend(problems.into_iter().map(|problem| {
                Issue::at(Code::Value, format!("QuestionnaireResponse.item({})", problem.link_id), problem.what.to_string())
            })),
        }
        answers
    }

    /// The number of an answer, if it is one that may be given.
    fn number_given(&self, asked: &Item, instrument: &Instrument, given: &Value) -> Option<i64> {
        let answer = match asked.answers {
            instrument::Answers::Choices(_) => {
                let coding = &given["valueCoding"];
                let system = codes_of(&self.url("Questionnaire", instrument.id()));
                let is_ours = coding["system"].is_null() || coding["system"] == *system;
                coding["code"].as_str().filter(|_| is_ours)?.parse().ok()?
            }
            instrument::Answers::Range { .. } => given["valueInteger"].as_i64()?,
        };
        asked.answers.allow(answer).then_some(answer)
    }
}

/// Whose codes the answers of a questionnaire are.
fn codes_of(url: &str) -> String {
    format!("{url}/answers")
}

fn question(item: &Item, url: &str) -> Question {
    let answers = match &item.answers {
        instrument::Answers::Choices(choices) => {
            let ends = choices.iter().map(|choice| choice.value).min().zip(choices.iter().map(|choice| choice.value).max());
            let weight = |value: i64| if item.reverse { ends.map_or(value, |(min, max)| min + max - value) } else { value };
            let option = |choice: &instrument::Choice| (choice.value.to_string(), choice.label.clone(), weight(choice.value));
            Answers::Codes { system: codes_of(url), options: choices.iter().map(option).collect() }
        }
        instrument::Answers::Range { min, max, min_label, max_label } => {
            Answers::Number { min: *min, max: *max, hint: format!("{min} is {min_label}, {max} is {max_label}") }
        }
    };
    Question { link_id: item.link_id.clone(), text: item.text.clone(), answers }
}

/// A score as an expression. An answer that is missing makes the whole of it missing: nothing is imputed.
fn score(scale: &Scale, instrument: &Instrument) -> Score {
    let items: Vec<&Item> = scale.items.iter().filter_map(|link_id| instrument.item(link_id)).collect();
    let term = |item: &&Item| match (&item.answers, item.reverse, scale.method) {
        (instrument::Answers::Choices(_), true, Method::Each) => format!("{}.code.toInteger()", number_of(&item.link_id)),
        (instrument::Answers::Choices(_), _, _) => weight_of(&item.link_id),
        (instrument::Answers::Range { min, max, .. }, true, Method::Sum) => format!("({} - {})", min + max, number_of(&item.link_id)),
        (instrument::Answers::Range { .. }, _, _) => number_of(&item.link_id),
    };
    let expression = items.iter().map(term).collect::<Vec<_>>().join(" + ");
    Score { link_id: format!("{SCORE}{}", scale.id), title: scale.title.clone(), expression }
}

/// A whole number, written as one or as a decimal.
fn whole(given: &Value) -> Option<i64> {
    let number = given.get("valueDecimal").or(given.get("valueInteger"))?;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and in bounds")]
    let of_decimal = |number: f64| (number.fract() == 0.0 && number.abs() < 1e12).then_some(number as i64);
    number.as_i64().or_else(|| number.as_f64().and_then(of_decimal))
}
