//! Profiles: what a kind of sender means by what it sends. Data in `profiles/`, read here and bound to a feed.

use std::collections::{BTreeMap, BTreeSet};

use alongside_domain::fact::Novelty;
use alongside_hl7v2::ack::AckMode;
use alongside_hl7v2::{Charset, Path};
use serde::Deserialize;

use crate::failure::Invalid;

/// The profiles that come with the program: name and text.
pub const BUILT_IN: [(&str, &str); 4] = [
    ("cerner-millennium", include_str!("../../../profiles/cerner-millennium.toml")),
    ("careflow", include_str!("../../../profiles/careflow.toml")),
    ("climate-hiv", include_str!("../../../profiles/climate-hiv.toml")),
    ("clinic-list", include_str!("../../../profiles/clinic-list.toml")),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    title: String,
    format: Format,
    message: Option<MessageFile>,
    #[serde(default)]
    identifier: Vec<IdentifierFile>,
    nhs_number: Option<NhsNumberFile>,
    #[serde(default)]
    paths: BTreeMap<String, Vec<String>>,
    clinic: Option<Clinic>,
    order: Option<OrderFile>,
    #[serde(default)]
    signal: Vec<SignalFile>,
    watch: Option<Watch>,
    list: Option<List>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Hl7v2,
    Csv,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageFile {
    quotes_are_empty: bool,
    charset: Option<String>,
    acknowledge: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentifierFile {
    system: String,
    authority: Vec<String>,
    #[serde(rename = "type")]
    kinds: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct NhsNumberFile {
    authority: Vec<String>,
    #[serde(rename = "type")]
    kinds: Vec<String>,
    status: Vec<String>,
    verified: Vec<String>,
}

/// The HIV clinic in a sender's words.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clinic {
    /// Locations of the clinic.
    pub locations: Vec<String>,
    /// Triggers that mean an attendance.
    pub attended: Vec<String>,
    /// Triggers that cancel one.
    pub attendance_cancelled: Vec<String>,
    /// Triggers that mean a missed appointment.
    pub missed: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderFile {
    codes: Vec<String>,
    code_paths: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalFile {
    segment: String,
    codes: Vec<String>,
    means: String,
    novelty: Option<String>,
    #[serde(default)]
    values: Vec<String>,
    age_months_min: Option<u16>,
}

/// Words by which something not understood is set aside rather than dropped.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// In capitals.
    pub words: Vec<String>,
}

/// A CSV list: its column headings and how it writes things.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Heading of the local number.
    pub local_number: String,
    /// Heading of the NHS number.
    pub nhs_number: String,
    /// Heading of "the NHS number was traced".
    pub nhs_number_verified: String,
    /// Heading of the family name.
    pub family: String,
    /// Heading of the given name.
    pub given: String,
    /// Heading of the date of birth.
    pub birth_date: String,
    /// Heading of the telephone number.
    pub telephone: String,
    /// Heading of the date of diagnosis.
    pub diagnosed_on: String,
    /// Heading of "newly diagnosed".
    pub new_diagnosis: String,
    /// Heading of the last attendance.
    pub last_attended: String,
    /// How dates are written (strptime), in the order of trying.
    pub dates: Vec<String>,
    /// Words for yes.
    pub yes: Vec<String>,
    /// Words for no.
    pub no: Vec<String>,
    /// System of the local number.
    pub system: String,
}

/// What a coded entry means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// A confirmed diagnosis.
    Confirmed(Novelty),
    /// A sign of being in HIV care.
    InCare,
    /// Nothing, and nothing to wonder about.
    Nothing,
}

/// What a signal says of a code.
#[derive(Debug, Clone)]
pub struct Signal {
    /// `OBX` or `DG1`.
    pub segment: String,
    /// Codes; a final `*` stands for any ending.
    codes: Vec<String>,
    /// What it means.
    pub meaning: Meaning,
    /// The values for which it holds, in capitals; empty means any.
    values: Vec<String>,
    /// Younger people's results say nothing.
    pub age_months_min: Option<u16>,
}

impl Signal {
    /// Whether it makes a diagnosis of an entry of this segment.
    #[must_use]
    pub fn confirms(&self, segment: &str) -> bool {
        self.segment == segment && matches!(self.meaning, Meaning::Confirmed(_))
    }

    /// Whether it speaks of this code.
    #[must_use]
    pub fn has_code(&self, code: &str) -> bool {
        self.codes.iter().any(|known| match known.strip_suffix('*') {
            Some(beginning) => code.starts_with(beginning),
            None => code == known,
        })
    }

    /// Whether it holds for this value, compared in capitals and without surplus spaces.
    #[must_use]
    pub fn has_value(&self, value: &str) -> bool {
        let value = value.to_uppercase().split_whitespace().collect::<Vec<_>>().join(" ");
        self.values.is_empty() || self.values.contains(&value)
    }
}

/// Which identifiers are ours to know, by assigning authority and type.
#[derive(Debug, Clone)]
pub struct Recogniser {
    /// The system that they become.
    pub system: String,
    authorities: Vec<String>,
    kinds: Vec<String>,
}

impl Recogniser {
    /// Whether an identifier of this authority and type is meant.
    #[must_use]
    pub fn recognises(&self, authority: &str, kind: &str) -> bool {
        self.authorities.iter().any(|known| known == authority) && self.kinds.iter().any(|known| known == kind)
    }
}

/// The first of several places that has something.
pub type Places = Vec<Path>;

/// A profile bound to a feed: its placeholders filled in, its paths parsed.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Name.
    pub name: String,
    /// Title.
    pub title: String,
    /// How it is read.
    pub reading: Reading,
}

/// A message dialect or a list.
#[derive(Debug, Clone)]
pub enum Reading {
    /// HL7 v2 messages.
    Messages(Box<Dialect>),
    /// A CSV list.
    List(Box<List>),
}

/// An HL7 v2 sender's dialect.
#[derive(Debug, Clone)]
pub struct Dialect {
    /// `""` means empty, not delete.
    pub quotes_are_empty: bool,
    /// The character set where MSH-18 tells none.
    pub charset: Option<Charset>,
    /// How it is answered.
    pub ack_mode: AckMode,
    /// Local identifiers.
    pub identifiers: Vec<Recogniser>,
    /// NHS numbers.
    pub nhs_number: Option<Recogniser>,
    /// Where the status of the NHS number is.
    pub nhs_status: Places,
    /// Which statuses mean verified.
    pub nhs_verified: Vec<String>,
    /// Where identifiers are.
    pub identifier_paths: Places,
    /// Where the visit number is.
    pub visit: Places,
    /// Where the location is.
    pub location: Places,
    /// Where the time of the event is.
    pub occurred: Places,
    /// Where the number of a result is, within its OBR.
    pub result_number: Places,
    /// Where the number of an order is.
    pub order_number: Places,
    /// Where the telephone number is.
    pub telephone: Places,
    /// The clinic.
    pub clinic: Clinic,
    /// Codes of our order.
    pub order_codes: Vec<String>,
    /// Where an order's code is.
    pub order_code_paths: Places,
    /// Signals, in order.
    pub signals: Vec<Signal>,
    /// What to watch for.
    pub watch: Watch,
}

/// Reads a profile and binds it to a site.
///
/// # Errors
/// Every problem, with its place in the file.
pub fn bind(text: &str, site: &str, organisations: &[String]) -> Result<Profile, Vec<Invalid>> {
    let file: File = toml::from_str(text).map_err(|error| vec![Invalid::new("profile", error.message().to_owned())])?;
    let mut binder = Binder { site, organisations, problems: Vec::new() };
    let reading = match file.format {
        Format::Csv => binder.list(file.list).map(|list| Reading::List(Box::new(list))),
        Format::Hl7v2 => Some(Reading::Messages(Box::new(binder.dialect(&file)))),
    };
    match reading {
        Some(reading) if binder.problems.is_empty() => Ok(Profile { name: file.name, title: file.title, reading }),
        _ => Err(binder.problems),
    }
}

/// The organisations that identifiers of these authorities suggest (`authority^type`), where a profile writes `{org}` in them:
/// of `RQM MRN` and the pattern `{org} MRN`, RQM. What is not shaped like an ODS code suggests none.
#[must_use]
pub fn organisations_in<'a>(text: &str, authorities: impl Iterator<Item = &'a str>) -> Vec<String> {
    let Ok(file) = toml::from_str::<File>(text) else { return Vec::new() };
    let patterns: Vec<_> =
        file.identifier.iter().flat_map(|one| &one.authority).filter_map(|pattern| pattern.split_once("{org}")).collect();
    let of_nhs_numbers = file.nhs_number.map(|nhs| nhs.authority).unwrap_or_default();
    let authorities = authorities.map(|authority| authority.split('^').next().unwrap_or_default());
    let suggested = authorities
        .filter(|authority| !of_nhs_numbers.iter().any(|nhs| nhs == authority))
        .filter_map(|authority| patterns.iter().find_map(|(before, after)| authority.strip_prefix(before)?.strip_suffix(after)));
    let is_ods = |code: &&str| (3..=5).contains(&code.len()) && code.chars().all(|one| one.is_ascii_uppercase() || one.is_ascii_digit());
    let all: BTreeSet<String> = suggested.filter(is_ods).map(str::to_owned).collect();
    all.into_iter().collect()
}

struct Binder<'a> {
    site: &'a str,
    organisations: &'a [String],
    problems: Vec<Invalid>,
}

impl Binder<'_> {
    fn list(&mut self, list: Option<List>) -> Option<List> {
        let Some(mut list) = list else {
            self.problems.push(Invalid::new("list", "a profile of format csv needs this table"));
            return None;
        };
        list.system = list.system.replace("{site}", self.site);
        Some(list)
    }

    fn dialect(&mut self, file: &File) -> Dialect {
        let message = file.message.as_ref();
        if message.is_none() {
            self.problems.push(Invalid::new("message", "a profile of format hl7v2 needs this table"));
        }
        let ack_mode = match message.map(|message| message.acknowledge.as_str()) {
            Some("as-asked") => AckMode::AsAsked,
            Some("original") | None => AckMode::AlwaysOriginal,
            Some(_) => {
                self.problems.push(Invalid::new("message.acknowledge", "must be as-asked or original"));
                AckMode::AlwaysOriginal
            }
        };
        let charset = message.and_then(|message| message.charset.as_deref()).and_then(|name| {
            let charset = Charset::named(name);
            if charset.is_none() {
                self.problems.push(Invalid::new("message.charset", "is not the name of a character set"));
            }
            charset
        });
        let nhs = file.nhs_number.as_ref();
        let order = file.order.clone().unwrap_or(OrderFile { codes: Vec::new(), code_paths: Vec::new() });
        self.known_paths(&file.paths);
        Dialect {
            quotes_are_empty: message.is_some_and(|message| message.quotes_are_empty),
            charset,
            ack_mode,
            identifiers: file.identifier.iter().map(|one| self.recogniser(one)).collect(),
            nhs_number: nhs.map(|nhs| {
                self.recogniser(&IdentifierFile { system: String::new(), authority: nhs.authority.clone(), kinds: nhs.kinds.clone() })
            }),
            nhs_status: nhs.map(|nhs| self.places("nhs_number.status", &nhs.status)).unwrap_or_default(),
            nhs_verified: nhs.map(|nhs| nhs.verified.clone()).unwrap_or_default(),
            identifier_paths: self.named(file, "identifiers"),
            visit: self.named(file, "visit"),
            location: self.named(file, "location"),
            occurred: self.named(file, "occurred"),
            result_number: self.named(file, "result_number"),
            order_number: self.named(file, "order_number"),
            telephone: self.named(file, "telephone"),
            clinic: file.clinic.clone().unwrap_or_default(),
            order_codes: order.codes,
            order_code_paths: self.places("order.code_paths", &order.code_paths),
            signals: file.signal.iter().enumerate().filter_map(|(index, signal)| self.signal(index, signal)).collect(),
            watch: file.watch.clone().unwrap_or_default(),
        }
    }

    fn known_paths(&mut self, paths: &BTreeMap<String, Vec<String>>) {
        const KNOWN: [&str; 7] = ["identifiers", "visit", "location", "occurred", "result_number", "order_number", "telephone"];
        for name in paths.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
            self.problems.push(Invalid::new(format!("paths.{name}"), "unknown key"));
        }
    }

    fn recogniser(&self, file: &IdentifierFile) -> Recogniser {
        let fill = |pattern: &String| -> Vec<String> {
            if pattern.contains("{org}") {
                self.organisations.iter().map(|org| pattern.replace("{org}", org)).collect()
            } else {
                vec![pattern.clone()]
            }
        };
        Recogniser {
            system: file.system.replace("{site}", self.site),
            authorities: file.authority.iter().flat_map(fill).collect(),
            kinds: file.kinds.clone(),
        }
    }

    fn named(&mut self, file: &File, name: &str) -> Places {
        let texts = file.paths.get(name).cloned().unwrap_or_default();
        if texts.is_empty() {
            self.problems.push(Invalid::new(format!("paths.{name}"), "is missing"));
        }
        self.places(&format!("paths.{name}"), &texts)
    }

    fn places(&mut self, place: &str, texts: &[String]) -> Places {
        let mut places = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            match text.parse() {
                Ok(path) => places.push(path),
                Err(_) => self.problems.push(Invalid::new(format!("{place}[{index}]"), "is not a path such as PID-3.1")),
            }
        }
        places
    }

    fn signal(&mut self, index: usize, file: &SignalFile) -> Option<Signal> {
        let place = format!("signal[{index}]");
        if !matches!(file.segment.as_str(), "OBX" | "DG1") {
            self.problems.push(Invalid::new(format!("{place}.segment"), "must be OBX or DG1"));
            return None;
        }
        let novelty = file.novelty.as_deref().map(Novelty::from_code);
        let meaning = match (file.means.as_str(), novelty) {
            ("confirmed", Some(Some(novelty))) => Meaning::Confirmed(novelty),
            ("in-care", None) => Meaning::InCare,
            ("nothing", None) => Meaning::Nothing,
            _ => {
                let what = "means must be confirmed (with novelty new, known or unknown), in-care or nothing";
                self.problems.push(Invalid::new(place, what));
                return None;
            }
        };
        Some(Signal {
            segment: file.segment.clone(),
            codes: file.codes.clone(),
            meaning,
            values: file.values.iter().map(|value| value.to_uppercase()).collect(),
            age_months_min: file.age_months_min,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_can_be_bound() {
        for (name, text) in BUILT_IN {
            let profile = bind(text, "somewhere", &["RAP".into(), "RAL".into()]).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
            assert_eq!(profile.name, name);
        }
    }

    #[test]
    fn the_placeholder_stands_for_every_organisation_of_the_site() {
        let Ok(Profile { reading: Reading::Messages(dialect), .. }) = bind(BUILT_IN[1].1, "northmid", &["RAP".into(), "RAL".into()]) else {
            panic!("careflow is a profile of messages")
        };
        let recogniser = &dialect.identifiers[0];
        assert_eq!(recogniser.system, "northmid:MRN");
        assert!(recogniser.recognises("RAP", "MR") && recogniser.recognises("RAL", "MR"));
        assert!(!recogniser.recognises("RQM", "MR"));
    }

    #[test]
    fn problems_are_told_with_their_place() {
        let text = BUILT_IN[0].1.replace("[\"PV1-19.1\"]", "[\"nowhere\"]").replace("means = \"in-care\"", "means = \"perhaps\"");
        let places: Vec<_> = bind(&text, "s", &[]).unwrap_err().into_iter().map(|problem| problem.place).collect();
        assert_eq!(places, ["paths.visit[0]", "signal[3]"]);
        assert!(bind("name = 1", "s", &[]).is_err());
    }
}
