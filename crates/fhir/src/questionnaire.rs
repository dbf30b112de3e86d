//! Questionnaires that go out, after Structured Data Capture (SDC 4.0.0): weights of answers, and scores that whoever shows the
//! questions computes. What they compute is compared when the answers come back.

use serde_json::{Value, json};

/// The weight of an answer (FHIR extension `itemWeight`; SDC, "Scores").
const WEIGHT: &str = "http://hl7.org/fhir/StructureDefinition/itemWeight";
/// How a value is computed (SDC, `sdc-questionnaire-calculatedExpression`).
const CALCULATED: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression";
const MIN: &str = "http://hl7.org/fhir/StructureDefinition/minValue";
const MAX: &str = "http://hl7.org/fhir/StructureDefinition/maxValue";
const CONTROL: &str = "http://hl7.org/fhir/StructureDefinition/questionnaire-itemControl";
const CONTROLS: &str = "http://hl7.org/fhir/questionnaire-item-control";
/// Who is meant by `%patient` (SDC, `sdc-questionnaire-launchContext`).
const LAUNCH_CONTEXT: &str = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-launchContext";
const LAUNCH_CONTEXTS: &str = "http://hl7.org/fhir/uv/sdc/CodeSystem/launchContext";

/// A questionnaire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Questionnaire {
    /// The id.
    pub id: String,
    /// The canonical address, without a version.
    pub url: String,
    /// The version of wording and scoring.
    pub version: String,
    /// The title.
    pub title: String,
    /// The notice that must be shown with the questions.
    pub copyright: String,
    /// The words before the first question.
    pub introduction: Option<String>,
    /// The questions.
    pub questions: Vec<Question>,
    /// What is computed from the answers.
    pub scores: Vec<Score>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its name.
    pub link_id: String,
    /// The wording.
    pub text: String,
    /// What may be answered.
    pub answers: Answers,
}

/// What may be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answers {
    /// One of some codes, each with its words and its weight.
    Codes {
        /// Whose codes they are.
        system: String,
        /// Code, words, weight.
        options: Vec<(String, String, i64)>,
    },
    /// A whole number.
    Number {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
        /// What the ends mean.
        hint: String,
    },
}

/// Something that is computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// Its name.
    pub link_id: String,
    /// Its title.
    pub title: String,
    /// How, in FHIRPath.
    pub expression: String,
}

/// What an answer counts as, in FHIRPath: nothing where it is missing.
#[must_use]
pub fn weight_of(link_id: &str) -> String {
    format!("%resource.item.where(linkId='{link_id}').answer.value.weight()")
}

/// The answer to a question of numbers, in FHIRPath.
#[must_use]
pub fn number_of(link_id: &str) -> String {
    format!("%resource.item.where(linkId='{link_id}').answer.value")
}

impl Questionnaire {
    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let introduction = self.introduction.iter().map(|text| json!({ "linkId": "introduction", "text": text, "type": "display" }));
        let questions = self.questions.iter().map(Question::json);
        let scores = self.scores.iter().map(Score::json);
        json!({
            "resourceType": "Questionnaire",
            "id": self.id,
            "extension": [{
                "url": LAUNCH_CONTEXT,
                "extension": [
                    { "url": "name", "valueCoding": { "system": LAUNCH_CONTEXTS, "code": "patient", "display": "Patient" } },
                    { "url": "type", "valueCode": "Patient" },
                ],
            }],
            "url": self.url,
            "version": self.version,
            "title": self.title,
            "status": "active",
            "subjectType": ["Patient"],
            "copyright": self.copyright,
            "item": introduction.chain(questions).chain(scores).collect::<Vec<_>>(),
        })
    }
}

impl Question {
    fn json(&self) -> Value {
        match &self.answers {
            Answers::Codes { system, options } => {
                let option = |(code, display, weight): &(String, String, i64)| {
                    let weight = json!([{ "url": WEIGHT, "valueDecimal": weight }]);
                    json!({ "extension": weight, "valueCoding": { "system": system, "code": code, "display": display } })
                };
                json!({
                    "extension": [control("radio-button")],
                    "linkId": self.link_id,
                    "text": self.text,
                    "type": "choice",
                    "answerOption": options.iter().map(option).collect::<Vec<_>>(),
                })
            }
            Answers::Number { min, max, hint } => json!({
                "extension": [{ "url": MIN, "valueInteger": min }, { "url": MAX, "valueInteger": max }],
                "linkId": self.link_id,
                "text": format!("{} ({hint})", self.text),
                "type": "integer",
            }),
        }
    }
}

impl Score {
    fn json(&self) -> Value {
        let expression = json!({ "description": self.title, "language": "text/fhirpath", "expression": self.expression });
        json!({
            "extension": [{ "url": CALCULATED, "valueExpression": expression }],
            "linkId": self.link_id,
            "text": self.title,
            "type": "decimal",
            "readOnly": true,
        })
    }
}

fn control(code: &str) -> Value {
    json!({ "url": CONTROL, "valueCodeableConcept": { "coding": [{ "system": CONTROLS, "code": code }] } })
}
