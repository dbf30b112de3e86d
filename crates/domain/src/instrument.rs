//! Questionnaires: their wording, and how answers become scores.
//!
//! An instrument is data (a file in `instruments/`, read by `app`), never code, since no questionnaire is *the*
//! Wellbeing Assessment and many may not be shipped. What is checked and computed is here.
//!
//! Rules, from the instruments' own guidance:
//! - Nothing is imputed: a scale that lacks an answer has no value.
//! - An item that is not part of a sum is never merged into one ([`Method::Each`]).
//! - A band is a prompt for a conversation, never a diagnosis.
//! - A risk answer is a flag for a person, never an assessment of risk.

use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// How many items, scales, choices or bands an instrument may have at most: more is a mistake in the file.
pub const ENTRIES_MAX: usize = 200;
/// The largest answer and, either way, the smallest: with [`ENTRIES_MAX`] items no sum overflows.
pub const ANSWER_MAX: i64 = 1_000_000;

/// An instrument as it is written in its file, not yet checked. [`Instrument::new`] checks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Short name, stable across versions: small letters, digits and hyphens.
    pub id: String,
    /// Version of wording and scoring; answers keep the one with which they were asked.
    pub version: String,
    /// Title on the screen.
    pub title: String,
    /// Under what terms the wording may be shown, and by whose leave. Shown with the questions.
    pub licence: Licence,
    /// What the questions ask back over, in words: "the last two weeks".
    pub recall: String,
    /// The words before the first question.
    pub introduction: Option<String>,
    /// The questions, in the order in which they are asked.
    pub items: Vec<Item>,
    /// What is computed from the answers.
    pub scales: Vec<Scale>,
    /// Days until it is to be asked again; `None` leaves it to the service's policy.
    pub repeat_after_days: Option<u16>,
}

/// The terms of an instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licence {
    /// Short name: `OGL-UK-3.0`.
    pub name: String,
    /// The notice that must be shown.
    pub notice: String,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name, stable across versions (FHIR `Questionnaire.item.linkId`).
    pub link_id: String,
    /// The wording.
    pub text: String,
    /// What may be answered.
    pub answers: Answers,
    /// Whether it counts the other way round in a sum: the lowest answer for the highest.
    pub reverse: bool,
    /// The answer, as given, from which on it must be brought to a person's attention at once.
    pub risk_from: Option<i64>,
}

/// What may be answered to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answers {
    /// One of some words, each with its number.
    Choices(Vec<Choice>),
    /// A whole number.
    Range {
        /// The smallest.
        min: i64,
        /// The largest.
        max: i64,
        /// What the smallest means.
        min_label: String,
        /// What the largest means.
        max_label: String,
    },
}

/// A word that may be answered, and the number that it counts as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The number.
    pub value: i64,
    /// The word.
    pub label: String,
}

impl Answers {
    /// The smallest and largest answer; `None` for no choices.
    fn bounds(&self) -> Option<(i64, i64)> {
        match self {
            Self::Choices(choices) => {
                let values = || choices.iter().map(|choice| choice.value);
                values().min().zip(values().max())
            }
            Self::Range { min, max, .. } => Some((*min, *max)),
        }
    }

    /// Whether this may be answered.
    #[must_use]
    pub fn allow(&self, value: i64) -> bool {
        match self {
            Self::Choices(choices) => choices.iter().any(|choice| choice.value == value),
            Self::Range { min, max, .. } => (*min..=*max).contains(&value),
        }
    }

    /// The words for an answer, where it has some.
    #[must_use]
    pub fn label(&self, value: i64) -> Option<&str> {
        match self {
            Self::Choices(choices) => choices.iter().find(|choice| choice.value == value).map(|choice| choice.label.as_str()),
            Self::Range { min, min_label, .. } if *min == value => Some(min_label),
            Self::Range { max, max_label, .. } if *max == value => Some(max_label),
            Self::Range { .. } => None,
        }
    }
}

/// Something that is computed from answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// Its name within the instrument, stable across versions.
    pub id: String,
    /// Title on the screen.
    pub title: String,
    /// The link ids of the items it is computed from.
    pub items: Vec<String>,
    /// How.
    pub method: Method,
    /// The smallest possible value.
    pub min: i64,
    /// The largest possible value.
    pub max: i64,
    /// Which way is well.
    pub higher_is: Direction,
    /// What ranges of the value are called; none, or all values from `min` to `max` in order.
    pub bands: Vec<Band>,
}

/// How a scale is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The sum of all its items, reversed ones reversed.
    Sum,
    /// The answer of its one item as given: for items that stand each for itself and are never summed.
    Each,
}

/// Whether a higher value is better or worse for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Higher is better.
    Better,
    /// Higher is worse.
    Worse,
}

/// A named range of values, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// First value.
    pub from: i64,
    /// Last value.
    pub to: i64,
    /// Its name.
    pub label: String,
}

/// What is wrong with a definition, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionProblem {
    /// The place, as a path in the file counted from 0: `scales[1].bands[0]`.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for DefinitionProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// The value of one scale for one set of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// The scale's id.
    pub scale: String,
    /// The value, or `None` where an answer is missing: nothing is imputed.
    pub value: Option<i64>,
    /// The label of the value's band.
    pub band: Option<String>,
}

/// An answer that cannot be taken. It does not hold the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerProblem {
    /// The item. For one that the instrument does not have, its place among the answers (`answers[2]`), since what was
    /// sent there may be anything.
    pub link_id: String,
    /// What is wrong.
    pub what: AnswerFault,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerFault {
    /// The instrument has no such item.
    UnknownItem,
    /// The item was answered before.
    AnsweredTwice,
    /// The item does not allow this answer.
    NotAllowed,
}

impl fmt::Display for AnswerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownItem => "this questionnaire has no such question",
            Self::AnsweredTwice => "this question is answered twice",
            Self::NotAllowed => "this is not one of the answers",
        })
    }
}

impl fmt::Display for AnswerProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.link_id, self.what)
    }
}

/// An instrument that can be asked and scored: a [`Definition`] in which everything holds together.
///
/// Link ids and scale ids are distinct, every scale's items exist, its bounds are what its items can give, and its
/// bands cover them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument(Definition);

impl Instrument {
    /// Checks a definition.
    ///
    /// # Errors
    /// Everything that is wrong with it, with the place of each.
    pub fn new(definition: Definition) -> Result<Self, Vec<DefinitionProblem>> {
        let mut check = Check::default();
        check.definition(&definition);
        if check.problems.is_empty() { Ok(Self(definition)) } else { Err(check.problems) }
    }

    /// What it was made from: wording, licence, items and scales.
    #[must_use]
    pub const fn definition(&self) -> &Definition {
        &self.0
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// The item of a link id.
    #[must_use]
    pub fn item(&self, link_id: &str) -> Option<&Item> {
        self.0.items.iter().find(|item| item.link_id == link_id)
    }

    /// The scale of an id.
    #[must_use]
    pub fn scale(&self, id: &str) -> Option<&Scale> {
        self.0.scales.iter().find(|scale| scale.id == id)
    }

    /// The day on which it is due again for somebody who answered it on this day; `None` where the file does not say.
    #[must_use]
    pub fn due_again(&self, answered: Date) -> Option<Date> {
        answered.checked_add(i64::from(self.0.repeat_after_days?).days()).ok()
    }

    /// The value of every scale, in the order of the file. Answers may be in any order, and some may be missing.
    ///
    /// # Errors
    /// Every answer that cannot be taken: then nothing is scored.
    pub fn score(&self, answers: &[(String, i64)]) -> Result<Vec<Score>, Vec<AnswerProblem>> {
        let given = self.read(answers)?;
        Ok(self.0.scales.iter().map(|scale| self.score_scale(scale, &given)).collect())
    }

    /// The items whose answer must be brought to a person's attention at once, in the order of the file.
    ///
    /// # Errors
    /// As [`Self::score`].
    pub fn risks(&self, answers: &[(String, i64)]) -> Result<Vec<&Item>, Vec<AnswerProblem>> {
        let given = self.read(answers)?;
        let is_risk = |item: &&Item| item.risk_from.zip(given.get(item.link_id.as_str())).is_some_and(|(from, answer)| *answer >= from);
        Ok(self.0.items.iter().filter(is_risk).collect())
    }

    /// The link ids of the items that have no answer, in the order of the file.
    #[must_use]
    pub fn missing(&self, answers: &[(String, i64)]) -> Vec<&str> {
        let is_missing = |item: &&Item| answers.iter().all(|(link_id, _)| *link_id != item.link_id);
        self.0.items.iter().filter(is_missing).map(|item| item.link_id.as_str()).collect()
    }

    fn read(&self, answers: &[(String, i64)]) -> Result<HashMap<&str, i64>, Vec<AnswerProblem>> {
        let mut given = HashMap::new();
        let mut problems = Vec::new();
        for (place, (link_id, answer)) in answers.iter().enumerate() {
            let Some(item) = self.item(link_id) else {
                problems.push(AnswerProblem { link_id: format!("answers[{place}]"), what: AnswerFault::UnknownItem });
                continue;
            };
            let mut refuse = |what| problems.push(AnswerProblem { link_id: item.link_id.clone(), what });
            if !item.answers.allow(*answer) {
                refuse(AnswerFault::NotAllowed);
            } else if given.insert(item.link_id.as_str(), *answer).is_some() {
                refuse(AnswerFault::AnsweredTwice);
            }
        }
        if problems.is_empty() { Ok(given) } else { Err(problems) }
    }

    fn score_scale(&self, scale: &Scale, given: &HashMap<&str, i64>) -> Score {
        let counted = |link_id: &String| Some(counted(self.item(link_id)?, scale.method, *given.get(link_id.as_str())?));
        let value: Option<i64> = scale.items.iter().map(counted).sum();
        let band = value.and_then(|value| scale.bands.iter().find(|band| (band.from..=band.to).contains(&value)));
        Score { scale: scale.id.clone(), value, band: band.map(|band| band.label.clone()) }
    }
}

/// What an answer counts in a scale.
fn counted(item: &Item, method: Method, answer: i64) -> i64 {
    match (method, item.reverse, item.answers.bounds()) {
        (Method::Sum, true, Some((min, max))) => min + max - answer,
        _ => answer,
    }
}

/// Gathers what is wrong with a definition.
#[derive(Default)]
struct Check {
    problems: Vec<DefinitionProblem>,
}

impl Check {
    fn problem(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.problems.push(DefinitionProblem { place: place.into(), what: what.into() });
    }

    fn definition(&mut self, definition: &Definition) {
        self.name("id", &definition.id);
        self.text("version", &definition.version);
        self.text("title", &definition.title);
        self.text("licence.name", &definition.licence.name);
        self.text("licence.notice", &definition.licence.notice);
        self.text("recall", &definition.recall);
        if let Some(introduction) = &definition.introduction {
            self.text("introduction", introduction);
        }
        self.number_of("items", definition.items.len());
        self.number_of("scales", definition.scales.len());
        self.distinct("items", "link_id", definition.items.iter().map(|item| item.link_id.as_str()));
        self.distinct("scales", "id", definition.scales.iter().map(|scale| scale.id.as_str()));
        for (index, item) in definition.items.iter().enumerate() {
            self.item(&format!("items[{index}]"), item);
        }
        for (index, scale) in definition.scales.iter().enumerate() {
            self.scale(&format!("scales[{index}]"), scale, &definition.items);
        }
        if definition.repeat_after_days == Some(0) {
            self.problem("repeat_after_days", "must be at least 1");
        }
    }

    fn text(&mut self, place: impl Into<String>, text: &str) {
        if text.trim().is_empty() {
            self.problem(place, "is empty");
        }
    }

    fn name(&mut self, place: impl Into<String>, name: &str) {
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || !name.bytes().all(is_name) {
            self.problem(place, "must be of small letters, digits and hyphens");
        }
    }

    fn number_of(&mut self, place: &str, count: usize) {
        if count == 0 || count > ENTRIES_MAX {
            self.problem(place, format!("there must be from 1 to {ENTRIES_MAX}"));
        }
    }

    fn distinct<'a>(&mut self, list: &str, field: &str, names: impl Iterator<Item = &'a str>) {
        let mut seen = HashSet::new();
        for (index, name) in names.enumerate() {
            if !seen.insert(name) {
                self.problem(format!("{list}[{index}].{field}"), "is the same as an earlier one");
            }
        }
    }

    fn item(&mut self, place: &str, item: &Item) {
        self.name(format!("{place}.link_id"), &item.link_id);
        self.text(format!("{place}.text"), &item.text);
        match &item.answers {
            Answers::Choices(choices) => self.choices(&format!("{place}.choices"), choices),
            Answers::Range { min, max, min_label, max_label } => {
                self.text(format!("{place}.min_label"), min_label);
                self.text(format!("{place}.max_label"), max_label);
                if min >= max {
                    self.problem(format!("{place}.min"), "must be smaller than max");
                }
            }
        }
        let Some((min, max)) = item.answers.bounds() else { return };
        if min < -ANSWER_MAX || max > ANSWER_MAX {
            self.problem(place, format!("answers must lie between -{ANSWER_MAX} and {ANSWER_MAX}"));
        }
        if item.risk_from.is_some_and(|from| from < min || from > max) {
            self.problem(format!("{place}.risk_from"), "is not an answer of this item");
        }
    }

    fn choices(&mut self, place: &str, choices: &[Choice]) {
        if !(2..=ENTRIES_MAX).contains(&choices.len()) {
            self.problem(place, format!("there must be from 2 to {ENTRIES_MAX}"));
        }
        let mut seen = HashSet::new();
        for (index, choice) in choices.iter().enumerate() {
            self.text(format!("{place}[{index}].label"), &choice.label);
            if !seen.insert(choice.value) {
                self.problem(format!("{place}[{index}].value"), "is the same as an earlier one");
            }
        }
    }

    fn scale(&mut self, place: &str, scale: &Scale, items: &[Item]) {
        self.name(format!("{place}.id"), &scale.id);
        self.text(format!("{place}.title"), &scale.title);
        self.number_of(&format!("{place}.items"), scale.items.len());
        self.distinct(&format!("{place}.items"), "link_id", scale.items.iter().map(String::as_str));
        if scale.method == Method::Each && scale.items.len() > 1 {
            self.problem(format!("{place}.items"), "with the method “each” a scale is of one item");
        }
        self.bands(&format!("{place}.bands"), scale);
        self.bounds(place, scale, items);
    }

    /// The bounds must be what the items can give: a slip there shifts every chart.
    fn bounds(&mut self, place: &str, scale: &Scale, items: &[Item]) {
        let (mut min, mut max) = (0_i64, 0_i64);
        for (index, link_id) in scale.items.iter().enumerate() {
            let Some(item) = items.iter().find(|item| item.link_id == *link_id) else {
                self.problem(format!("{place}.items[{index}]"), "there is no item with this link_id");
                return;
            };
            let (low, high) = item.answers.bounds().unwrap_or_default();
            (min, max) = (min.saturating_add(low), max.saturating_add(high));
        }
        if (scale.min, scale.max) != (min, max) {
            self.problem(format!("{place}.min"), format!("min and max must be {min} and {max}, which is what the items give"));
        }
    }

    fn bands(&mut self, place: &str, scale: &Scale) {
        let mut next = Some(scale.min);
        for (index, band) in scale.bands.iter().enumerate() {
            self.text(format!("{place}[{index}].label"), &band.label);
            if Some(band.from) != next || band.to < band.from {
                self.problem(format!("{place}[{index}]"), "bands must go from min to max in order, without gap or overlap");
                return;
            }
            next = band.to.checked_add(1);
        }
        if scale.bands.last().is_some_and(|last| last.to != scale.max) {
            self.problem(place, "the last band must end at max");
        }
        if scale.bands.len() > ENTRIES_MAX {
            self.problem(place, format!("there must be at most {ENTRIES_MAX}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use jiff::civil::date;
    use proptest::prelude::*;

    fn choices(words: &[&str]) -> Answers {
        Answers::Choices((0..).zip(words).map(|(value, label)| Choice { value, label: (*label).to_owned() }).collect())
    }

    fn item(link_id: &str, answers: Answers) -> Item {
        Item { link_id: link_id.into(), text: "How?".into(), answers, reverse: false, risk_from: None }
    }

    fn bands(bands: &[(i64, i64, &str)]) -> Vec<Band> {
        bands.iter().map(|(from, to, label)| Band { from: *from, to: *to, label: (*label).to_owned() }).collect()
    }

    /// Three items of 0 to 3 that are summed, the third reversed; and one of 0 to 10 that stands for itself.
    fn sample() -> Definition {
        let often = || choices(&["never", "seldom", "often", "always"]);
        let mut turned = item("c", often());
        turned.reverse = true;
        let mut risk = item("d", Answers::Range { min: 0, max: 10, min_label: "not at all".into(), max_label: "completely".into() });
        risk.risk_from = Some(8);
        Definition {
            id: "sample".into(),
            version: "1".into(),
            title: "Sample".into(),
            licence: Licence { name: "CC0-1.0".into(), notice: "Free.".into() },
            recall: "today".into(),
            introduction: None,
            items: vec![item("a", often()), item("b", often()), turned, risk],
            scales: vec![
                Scale {
                    id: "total".into(),
                    title: "Total".into(),
                    items: vec!["a".into(), "b".into(), "c".into()],
                    method: Method::Sum,
                    min: 0,
                    max: 9,
                    higher_is: Direction::Worse,
                    bands: bands(&[(0, 4, "low"), (5, 9, "high")]),
                },
                Scale {
                    id: "alone".into(),
                    title: "Alone".into(),
                    items: vec!["d".into()],
                    method: Method::Each,
                    min: 0,
                    max: 10,
                    higher_is: Direction::Better,
                    bands: vec![],
                },
            ],
            repeat_after_days: Some(90),
        }
    }

    fn instrument() -> Instrument {
        Instrument::new(sample()).expect("the sample holds together")
    }

    fn answers(given: &[(&str, i64)]) -> Vec<(String, i64)> {
        given.iter().map(|(link_id, answer)| ((*link_id).to_owned(), *answer)).collect()
    }

    fn check_score(given: &[(&str, i64)], expected: &str) {
        let shown = match instrument().score(&answers(given)) {
            Ok(scores) => scores.iter().map(|score| format!("{} {:?} {:?}", score.scale, score.value, score.band)).collect::<Vec<_>>(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(shown.join("; "), expected, "{given:?}");
    }

    #[test]
    fn answers_are_summed_and_reversed_ones_counted_the_other_way() {
        check_score(&[("a", 1), ("b", 2), ("c", 3), ("d", 7)], r#"total Some(3) Some("low"); alone Some(7) None"#);
        check_score(&[("d", 0), ("c", 0), ("b", 3), ("a", 3)], r#"total Some(9) Some("high"); alone Some(0) None"#);
        check_score(&[("a", 1), ("b", 1), ("c", 0), ("d", 10)], r#"total Some(5) Some("high"); alone Some(10) None"#);
    }

    #[test]
    fn a_scale_with_a_missing_answer_has_no_value_and_the_others_have_theirs() {
        check_score(&[("a", 1), ("c", 3), ("d", 7)], "total None None; alone Some(7) None");
        check_score(&[("a", 0), ("b", 0), ("c", 3)], r#"total Some(0) Some("low"); alone None None"#);
        check_score(&[], "total None None; alone None None");
        assert_eq!(instrument().missing(&answers(&[("b", 1), ("d", 1)])), ["a", "c"]);
    }

    #[test]
    fn every_wrong_answer_is_told_without_what_was_sent() {
        check_score(
            &[("a", 4), ("Jo Bloggs", 1), ("b", 1), ("b", 1), ("d", -1)],
            "a: this is not one of the answers; answers[1]: this questionnaire has no such question; \
             b: this question is answered twice; d: this is not one of the answers",
        );
        check_score(&[("d", i64::MIN), ("a", i64::MAX)], "d: this is not one of the answers; a: this is not one of the answers");
    }

    #[test]
    fn a_risk_answer_is_flagged_from_its_threshold_on() {
        let instrument = instrument();
        for (answer, flagged) in [(7, 0), (8, 1), (10, 1)] {
            assert_eq!(instrument.risks(&answers(&[("d", answer), ("a", 3)])).map(|items| items.len()), Ok(flagged), "{answer}");
        }
        assert_eq!(instrument.risks(&[]), Ok(vec![]));
    }

    #[test]
    fn it_is_due_again_after_its_days() {
        assert_eq!(instrument().due_again(date(2024, 12, 1)), Some(date(2025, 3, 1)));
        assert_eq!(instrument().due_again(Date::MAX), None);
        let silent = Instrument::new(Definition { repeat_after_days: None, ..sample() }).expect("it holds together");
        assert_eq!(silent.due_again(date(2024, 12, 1)), None);
    }

    #[test]
    fn an_answer_has_its_words() {
        let instrument = instrument();
        let label = |link_id: &str, value| instrument.item(link_id).and_then(|item| item.answers.label(value));
        assert_eq!(label("a", 2), Some("often"));
        assert_eq!(label("a", 4), None);
        assert_eq!((label("d", 0), label("d", 5), label("d", 10)), (Some("not at all"), None, Some("completely")));
    }

    fn check_definition(change: impl FnOnce(&mut Definition), expected: Expect) {
        let mut definition = sample();
        change(&mut definition);
        let problems = Instrument::new(definition).expect_err("something is wrong with it");
        expected.assert_eq(&problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn a_definition_that_does_not_hold_together_is_refused_with_every_place() {
        check_definition(
            |definition| {
                definition.id = "Sample!".into();
                definition.licence.notice = " ".into();
                definition.items[1].link_id = "a".into();
                definition.items[0].text = String::new();
                definition.items[3].risk_from = Some(11);
                definition.repeat_after_days = Some(0);
            },
            expect![[r#"
                id: must be of small letters, digits and hyphens
                licence.notice: is empty
                items[1].link_id: is the same as an earlier one
                items[0].text: is empty
                items[3].risk_from: is not an answer of this item
                scales[0].items[1]: there is no item with this link_id
                repeat_after_days: must be at least 1"#]],
        );
        check_definition(
            |definition| {
                definition.scales[0].max = 12;
                definition.scales[1].bands = bands(&[(0, 4, "low"), (6, 10, "high")]);
                definition.scales[1].id = "total".into();
            },
            expect![[r#"
                scales[1].id: is the same as an earlier one
                scales[0].bands: the last band must end at max
                scales[0].min: min and max must be 0 and 9, which is what the items give
                scales[1].bands[1]: bands must go from min to max in order, without gap or overlap"#]],
        );
        check_definition(
            |definition| {
                definition.scales[1].items = vec!["a".into(), "d".into()];
                definition.scales[1].max = 13;
                definition.scales[0].items.push("z".into());
            },
            expect![[r#"
                scales[0].items[3]: there is no item with this link_id
                scales[1].items: with the method “each” a scale is of one item"#]],
        );
        check_definition(
            |definition| {
                definition.items[0].answers =
                    Answers::Choices(vec![Choice { value: 1, label: "yes".into() }, Choice { value: 1, label: String::new() }]);
                definition.items[1].answers = Answers::Choices(vec![]);
                definition.items[3].answers = Answers::Range { min: i64::MIN, max: i64::MIN, min_label: "a".into(), max_label: "b".into() };
            },
            expect![[r#"
                items[0].choices[1].label: is empty
                items[0].choices[1].value: is the same as an earlier one
                items[1].choices: there must be from 2 to 200
                items[3].min: must be smaller than max
                items[3]: answers must lie between -1000000 and 1000000
                items[3].risk_from: is not an answer of this item
                scales[0].min: min and max must be 1 and 4, which is what the items give
                scales[1].min: min and max must be -9223372036854775808 and -9223372036854775808, which is what the items give"#]],
        );
        check_definition(
            |definition| {
                definition.items.clear();
                definition.scales.clear();
            },
            expect![[r#"
                items: there must be from 1 to 200
                scales: there must be from 1 to 200"#]],
        );
    }

    proptest! {
        #[test]
        fn a_score_lies_within_its_scale_and_in_a_band(given in (0..4_i64, 0..4_i64, 0..4_i64, 0..11_i64)) {
            let instrument = instrument();
            let scores = instrument.score(&answers(&[("a", given.0), ("b", given.1), ("c", given.2), ("d", given.3)]));
            for score in scores.expect("all answers are allowed") {
                let scale = instrument.scale(&score.scale).expect("its scale");
                let value = score.value.expect("nothing is missing");
                prop_assert!((scale.min..=scale.max).contains(&value));
                prop_assert_eq!(score.band.is_some(), !scale.bands.is_empty());
            }
        }

        #[test]
        fn a_refused_answer_leaves_no_score(answer in any::<i64>()) {
            let scored = instrument().score(&answers(&[("a", answer)]));
            prop_assert_eq!(scored.is_ok(), (0..4).contains(&answer));
        }
    }
}
