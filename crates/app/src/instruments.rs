//! Instruments read from their files (`instruments/README.md`).

use std::collections::BTreeMap;

use alongside_domain::instrument::{Answers, Band, Choice, Definition, Direction, Instrument, Item, Licence, Method, Scale};
use serde::Deserialize;

use crate::failure::Invalid;

/// The instruments that come with the program.
const BUILT_IN: [(&str, &str); 3] = [
    ("ons4", include_str!("../../../instruments/ons4.toml")),
    ("ucla3", include_str!("../../../instruments/ucla3.toml")),
    ("phq4", include_str!("../../../instruments/phq4.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    version: String,
    title: String,
    recall: String,
    introduction: Option<String>,
    repeat_after_days: Option<u16>,
    licence: LicenceFile,
    items: Vec<ItemFile>,
    scales: Vec<ScaleFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LicenceFile {
    name: String,
    notice: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemFile {
    link_id: String,
    text: String,
    choices: Option<Vec<ChoiceFile>>,
    range: Option<RangeFile>,
    #[serde(default)]
    reverse: bool,
    risk_from: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceFile {
    value: i64,
    label: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeFile {
    min: i64,
    max: i64,
    min_label: String,
    max_label: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScaleFile {
    id: String,
    title: String,
    items: Vec<String>,
    method: String,
    min: i64,
    max: i64,
    higher_is: String,
    #[serde(default)]
    bands: Vec<BandFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BandFile {
    from: i64,
    to: i64,
    label: String,
}

/// Reads the built-in instruments and further ones; a further one of the same id replaces a built-in one.
///
/// # Errors
/// Every problem, with its file and place.
pub fn read_all(extra: &[(String, String)]) -> Result<BTreeMap<String, Instrument>, Vec<Invalid>> {
    let mut instruments = BTreeMap::new();
    let mut problems = Vec::new();
    let built_in = BUILT_IN.iter().map(|(name, text)| (*name, *text));
    for (name, text) in built_in.chain(extra.iter().map(|(name, text)| (name.as_str(), text.as_str()))) {
        match read(text) {
            Ok(instrument) => {
                instruments.insert(instrument.id().to_owned(), instrument);
            }
            Err(found) => problems.extend(found.into_iter().map(|p| Invalid::new(format!("instrument {name}: {}", p.place), p.what))),
        }
    }
    if problems.is_empty() { Ok(instruments) } else { Err(problems) }
}

fn read(text: &str) -> Result<Instrument, Vec<Invalid>> {
    let file: File = toml::from_str(text).map_err(|error| vec![Invalid::new("file", error.message().to_owned())])?;
    let mut problems = Vec::new();
    let items = file.items.into_iter().enumerate().filter_map(|(index, item)| item_of(index, item, &mut problems)).collect();
    let scales = file.scales.into_iter().enumerate().filter_map(|(index, scale)| scale_of(index, scale, &mut problems)).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let definition = Definition {
        id: file.id,
        version: file.version,
        title: file.title,
        licence: Licence { name: file.licence.name, notice: file.licence.notice },
        recall: file.recall,
        introduction: file.introduction,
        items,
        scales,
        repeat_after_days: file.repeat_after_days,
    };
    Instrument::new(definition).map_err(|problems| problems.into_iter().map(|problem| Invalid::new(problem.place, problem.what)).collect())
}

fn item_of(index: usize, item: ItemFile, problems: &mut Vec<Invalid>) -> Option<Item> {
    let answers = match (item.choices, item.range) {
        (Some(choices), None) => {
            Answers::Choices(choices.into_iter().map(|choice| Choice { value: choice.value, label: choice.label }).collect())
        }
        (None, Some(range)) => Answers::Range { min: range.min, max: range.max, min_label: range.min_label, max_label: range.max_label },
        (Some(_), Some(_)) | (None, None) => {
            problems.push(Invalid::new(format!("items[{index}]"), "needs either choices or a range"));
            return None;
        }
    };
    Some(Item { link_id: item.link_id, text: item.text, answers, reverse: item.reverse, risk_from: item.risk_from })
}

fn scale_of(index: usize, scale: ScaleFile, problems: &mut Vec<Invalid>) -> Option<Scale> {
    let method = match scale.method.as_str() {
        "sum" => Method::Sum,
        "each" => Method::Each,
        _ => {
            problems.push(Invalid::new(format!("scales[{index}].method"), "must be sum or each"));
            return None;
        }
    };
    let higher_is = match scale.higher_is.as_str() {
        "better" => Direction::Better,
        "worse" => Direction::Worse,
        _ => {
            problems.push(Invalid::new(format!("scales[{index}].higher_is"), "must be better or worse"));
            return None;
        }
    };
    let bands = scale.bands.into_iter().map(|band| Band { from: band.from, to: band.to, label: band.label }).collect();
    Some(Scale { id: scale.id, title: scale.title, items: scale.items, method, min: scale.min, max: scale.max, higher_is, bands })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_instrument_is_valid_and_scores() {
        let instruments = read_all(&[]).unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(instruments.keys().collect::<Vec<_>>(), ["ons4", "phq4", "ucla3"]);
        let answers: Vec<_> = ["nervous", "worrying", "interest", "down"].map(|item| (item.to_owned(), 3)).into();
        let scores = instruments["phq4"].score(&answers).unwrap();
        assert!(scores.iter().any(|score| score.value == Some(12)));
    }
}
