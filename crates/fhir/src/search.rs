//! Parameters of searches. A search takes what its list allows, and refuses everything else: a parameter that is passed over
//! would widen the answer, and one that reaches further (`_has`, chains) could tell what a reading hides.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::outcome::{Code, Issue};

/// The most values of one parameter, separated by commas.
const VALUES_MAX: usize = 50;
/// The largest page.
pub const COUNT_MAX: u32 = 200;
/// The page that nobody sized.
pub const COUNT: u32 = 50;

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `code`, `system|code`, `|code`; several with commas.
    Token,
    /// `Type/id` of this type, or the id alone.
    Reference(&'static str),
    /// A date or an instant, with `eq`, `gt`, `ge`, `lt`, `le`, `sa` or `eb` before it.
    Date,
    /// An address.
    Uri,
    /// How many on a page.
    Count,
    /// `Type:parameter`, one of these.
    Include(&'static [&'static str]),
    /// The mark of a further page.
    Page,
    /// `json`, in any of its spellings.
    Format,
}

/// A parameter that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
}

/// `system|code`, as far as it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The system; empty where it was said that there is none.
    pub system: Option<String>,
    /// The code; empty means every code of the system.
    pub code: String,
}

impl Token {
    /// Whether a code of a system is meant.
    #[must_use]
    pub fn is(&self, system: &str, code: &str) -> bool {
        self.system.as_deref().is_none_or(|said| said == system) && (self.code.is_empty() || self.code == code)
    }
}

/// A span of time, both ends included, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The earliest.
    pub from: Timestamp,
    /// The latest.
    pub to: Timestamp,
}

impl Span {
    /// All of time.
    pub const ALWAYS: Self = Self { from: Timestamp::MIN, to: Timestamp::MAX };

    /// What is in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }
}

/// What was asked of one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// One of these.
    Tokens(Vec<Token>),
    /// One of these ids.
    References(Vec<String>),
    /// Within this.
    Span(Span),
    /// One of these.
    Uris(Vec<String>),
    /// So many on a page.
    Count(u32),
    /// These come along.
    Include(String),
    /// From here.
    Page(String),
}

/// A search, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    asked: Vec<(&'static str, Asked)>,
}

impl Search {
    /// Reads parameters against the list of those that are allowed.
    ///
    /// # Errors
    /// Every one that is not, and every value that is not one, by its name.
    pub fn read(pairs: &[(String, String)], allowed: &[&[Parameter]]) -> Result<Self, Vec<Issue>> {
        let (mut asked, mut issues) = (Vec::new(), Vec::new());
        for (name, value) in pairs {
            match allowed.iter().copied().flatten().find(|parameter| parameter.name == name) {
                None => issues.push(unknown(name)),
                Some(Parameter { kind: Kind::Format, .. }) if is_json(value) => {}
                Some(parameter) => match read_value(parameter.kind, value) {
                    Ok(value) => asked.push((parameter.name, value)),
                    Err(what) => issues.push(Issue::at(Code::Value, format!("http.{}", parameter.name), what)),
                },
            }
        }
        if issues.is_empty() { Ok(Self { asked }) } else { Err(issues) }
    }

    /// What was asked by a parameter, each time that it stands there.
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Asked> {
        self.asked.iter().filter(move |(asked, _)| *asked == name).map(|(_, value)| value)
    }

    /// Whether a code of a system is asked for by this parameter, where it is asked at all.
    #[must_use]
    pub fn wants(&self, name: &str, system: &str, code: &str) -> bool {
        self.all(name).all(|asked| match asked {
            Asked::Tokens(tokens) => tokens.iter().any(|token| token.is(system, code)),
            _ => true,
        })
    }

    /// Whether any of some codes is asked for by this parameter, where it is asked at all.
    #[must_use]
    pub fn wants_any(&self, name: &str, codes: &[(&str, &str)]) -> bool {
        self.all(name).all(|asked| match asked {
            Asked::Tokens(tokens) => tokens.iter().any(|token| codes.iter().any(|(system, code)| token.is(system, code))),
            Asked::Uris(uris) => uris.iter().any(|uri| codes.iter().any(|(_, code)| uri == code)),
            _ => true,
        })
    }

    /// Whether an id is asked for by this parameter, where it is asked at all.
    #[must_use]
    pub fn wants_id(&self, name: &str, id: &str) -> bool {
        self.all(name).all(|asked| match asked {
            Asked::References(ids) => ids.iter().any(|asked| asked == id),
            Asked::Tokens(tokens) => tokens.iter().any(|token| token.is("", id)),
            _ => true,
        })
    }

    /// The values of a token parameter, where it is asked once.
    #[must_use]
    pub fn tokens(&self, name: &str) -> Vec<Token> {
        let mut tokens = self.all(name).filter_map(|asked| match asked {
            Asked::Tokens(tokens) => Some(tokens.clone()),
            _ => None,
        });
        tokens.next().unwrap_or_default()
    }

    /// The ids of a reference parameter, where it is asked once.
    #[must_use]
    pub fn references(&self, name: &str) -> Vec<String> {
        let mut references = self.all(name).filter_map(|asked| match asked {
            Asked::References(ids) => Some(ids.clone()),
            _ => None,
        });
        references.next().unwrap_or_default()
    }

    /// Whether a parameter is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The span of time that all these parameters leave.
    #[must_use]
    pub fn span(&self, names: &[&str]) -> Span {
        let spans = self.asked.iter().filter(|(name, _)| names.contains(name)).filter_map(|(_, asked)| match asked {
            Asked::Span(span) => Some(*span),
            _ => None,
        });
        spans.fold(Span::ALWAYS, Span::and)
    }

    /// How many on a page.
    #[must_use]
    pub fn count(&self) -> u32 {
        let mut counts = self.asked.iter().rev().filter_map(|(_, asked)| match asked {
            Asked::Count(count) => Some(*count),
            _ => None,
        });
        counts.next().unwrap_or(COUNT)
    }

    /// Whether resources of this reference come along.
    #[must_use]
    pub fn includes(&self, name: &str, what: &str) -> bool {
        self.all(name).any(|asked| matches!(asked, Asked::Include(include) if include == what))
    }

    /// The mark of a further page.
    #[must_use]
    pub fn page(&self) -> Option<&str> {
        self.asked.iter().find_map(|(_, asked)| match asked {
            Asked::Page(page) => Some(page.as_str()),
            _ => None,
        })
    }
}

/// A name that is not allowed is told only where it is shaped like one.
fn unknown(name: &str) -> Issue {
    let is_name = name.len() <= 60 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-:.".contains(&byte));
    let place = if is_name { format!("http.{name}") } else { "http".to_owned() };
    let what = if name.contains([':', '.']) { "Modifiers and chains are not taken here" } else { "This parameter is not taken here" };
    Issue::at(Code::NotSupported, place, what)
}

fn is_json(value: &str) -> bool {
    matches!(value, "json" | "application/json" | "application/fhir+json" | "application/fhir json" | "text/json")
}

fn read_value(kind: Kind, value: &str) -> Result<Asked, &'static str> {
    let many = || {
        let values: Vec<&str> = value.split(',').map(str::trim).filter(|value| !value.is_empty()).collect();
        if values.is_empty() || values.len() > VALUES_MAX { Err("needs 1 to 50 values") } else { Ok(values) }
    };
    match kind {
        Kind::Token => Ok(Asked::Tokens(many()?.into_iter().map(token).collect())),
        Kind::Reference(of) => many()?.into_iter().map(|value| reference(value, of)).collect::<Result<_, _>>().map(Asked::References),
        Kind::Date => date(value).map(Asked::Span),
        Kind::Uri => Ok(Asked::Uris(many()?.into_iter().map(str::to_owned).collect())),
        Kind::Count => {
            let count: u32 = value.parse().map_err(|_| "must be a number")?;
            if count == 0 { Err("must be 1 or more") } else { Ok(Asked::Count(count.min(COUNT_MAX))) }
        }
        Kind::Include(allowed) if allowed.contains(&value) => Ok(Asked::Include(value.to_owned())),
        Kind::Include(_) => Err("is not one of those that can come along"),
        Kind::Page => Ok(Asked::Page(value.to_owned())),
        Kind::Format => Err("is not spoken here: JSON is"),
    }
}

fn token(value: &str) -> Token {
    match value.split_once('|') {
        Some((system, code)) => Token { system: Some(system.to_owned()), code: code.to_owned() },
        None => Token { system: None, code: value.to_owned() },
    }
}

/// The id of a reference to a resource of this type: `id`, `Type/id`, or its whole address.
fn reference(value: &str, of: &str) -> Result<String, &'static str> {
    let mut parts = value.rsplit('/');
    let id = parts.next().unwrap_or_default();
    match parts.next() {
        None => {}
        Some(kind) if kind == of => {}
        Some(_) => return Err("is a reference to another type"),
    }
    if is_id(id) { Ok(id.to_owned()) } else { Err("is no reference") }
}

/// Whether a text is an id (R4, section 2.24.0.1).
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

/// A date or an instant with its prefix (R4, section 3.1.1.4.7).
fn date(value: &str) -> Result<Span, &'static str> {
    let prefixed = value.get(..2).filter(|prefix| prefix.bytes().all(|byte| byte.is_ascii_lowercase()));
    let (prefix, text) = prefixed.map_or(("eq", value), |prefix| (prefix, &value[2..]));
    let Span { from, to } = span_of(text).ok_or("must be a date or an instant")?;
    let tick = SignedDuration::from_micros(1);
    let before = |at: Timestamp| at.checked_sub(tick).unwrap_or(at);
    let after = |at: Timestamp| at.checked_add(tick).unwrap_or(at);
    match prefix {
        "eq" => Ok(Span { from, to }),
        "gt" | "sa" => Ok(Span { from: after(to), ..Span::ALWAYS }),
        "ge" => Ok(Span { from, ..Span::ALWAYS }),
        "lt" | "eb" => Ok(Span { to: before(from), ..Span::ALWAYS }),
        "le" => Ok(Span { to, ..Span::ALWAYS }),
        _ => Err("takes eq, gt, ge, lt, le, sa or eb before a date"),
    }
}

/// The span of time that a date of its precision means: a day is one in UTC, since that is how instants are told here.
fn span_of(text: &str) -> Option<Span> {
    let utc = |at: DateTime| at.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    let tick = SignedDuration::from_micros(1);
    if text.contains('T') {
        // "+" is a space in a query that nobody escaped.
        let from: Timestamp = text.replace(' ', "+").parse().ok()?;
        let whole_second = !text.contains('.');
        let length = if whole_second { SignedDuration::from_secs(1) - tick } else { fraction_of(text)? - tick };
        return Some(Span { from, to: from.checked_add(length).ok()? });
    }
    let (first, next) = match text.len() {
        4 => {
            let first = Date::new(text.parse().ok()?, 1, 1).ok()?;
            (first, Date::new(first.year().checked_add(1)?, 1, 1).ok()?)
        }
        7 => {
            let first: Date = format!("{text}-01").parse().ok()?;
            (first, first.last_of_month().tomorrow().ok()?)
        }
        10 => {
            let first: Date = text.parse().ok()?;
            (first, first.tomorrow().ok()?)
        }
        _ => return None,
    };
    Some(Span { from: utc(first.at(0, 0, 0, 0))?, to: utc(next.at(0, 0, 0, 0))?.checked_sub(tick).ok()? })
}

/// What the last digit of a fraction of a second counts.
fn fraction_of(text: &str) -> Option<SignedDuration> {
    let digits = text.split('.').nth(1)?.bytes().take_while(u8::is_ascii_digit).count();
    let micros = 10_i64.checked_pow(6_u32.checked_sub(u32::try_from(digits.min(6)).ok()?)?)?;
    Some(SignedDuration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALLOWED: &[Parameter] = &[
        Parameter { name: "status", kind: Kind::Token },
        Parameter { name: "patient", kind: Kind::Reference("Patient") },
        Parameter { name: "_lastUpdated", kind: Kind::Date },
        Parameter { name: "_count", kind: Kind::Count },
        Parameter { name: "_include", kind: Kind::Include(&["Task:focus"]) },
        Parameter { name: "_format", kind: Kind::Format },
    ];

    fn read(pairs: &[(&str, &str)]) -> Result<Search, Vec<(Option<String>, Code)>> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Search::read(&pairs, &[ALLOWED]).map_err(|issues| issues.into_iter().map(|issue| (issue.place, issue.code)).collect())
    }

    #[test]
    fn what_is_not_allowed_is_refused_by_its_name() {
        for name in ["_has:Task:focus:status", "patient.name", "status:not", "_text", "Patient"] {
            assert_eq!(read(&[(name, "x")]), Err(vec![(Some(format!("http.{name}")), Code::NotSupported)]));
        }
        assert_eq!(read(&[("Miriam Okafor", "x")]), Err(vec![(Some("http".into()), Code::NotSupported)]));
        for (name, value) in [
            ("_count", "0"),
            ("_count", "many"),
            ("patient", "Group/1"),
            ("patient", "a b"),
            ("_lastUpdated", "soon"),
            ("_lastUpdated", "ap2025"),
            ("_include", "Task:owner"),
            ("status", ","),
            ("_format", "xml"),
        ] {
            assert_eq!(read(&[(name, value)]), Err(vec![(Some(format!("http.{name}")), Code::Value)]), "{name}={value}");
        }
    }

    #[test]
    fn several_values_are_either_and_several_parameters_are_both() {
        let search = read(&[("status", "requested,urn:x|accepted"), ("_format", "json"), ("_count", "1000")]).unwrap();
        assert!(search.wants("status", "urn:y", "requested") && search.wants("status", "urn:x", "accepted"));
        assert!(!search.wants("status", "urn:y", "accepted"));
        assert_eq!(search.count(), COUNT_MAX);
        let search = read(&[("patient", "Patient/a"), ("patient", "https://host/fhir/Patient/a,b")]).unwrap();
        assert!(search.wants_id("patient", "a") && !search.wants_id("patient", "b"));
    }

    #[test]
    fn a_date_means_all_of_it() {
        let span = |text: &str| read(&[("_lastUpdated", text)]).unwrap().span(&["_lastUpdated"]);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(span("2025"), Span { from: at("2025-01-01T00:00:00Z"), to: at("2025-12-31T23:59:59.999999Z") });
        assert_eq!(span("2025-02").to, at("2025-02-28T23:59:59.999999Z"));
        assert_eq!(span("gt2025-02-28").from, at("2025-03-01T00:00:00Z"));
        assert_eq!(span("ge2025-02-28").from, at("2025-02-28T00:00:00Z"));
        assert_eq!(span("lt2025-02-28").to, at("2025-02-27T23:59:59.999999Z"));
        assert_eq!(span("gt2025-01-06T08:30:00Z").from, at("2025-01-06T08:30:01Z"));
        assert_eq!(span("gt2025-01-06T08:30:00.5+01:00").from, at("2025-01-06T07:30:00.6Z"));
        assert_eq!(span("gt2025-01-06T08:30:00.123456Z").from, at("2025-01-06T08:30:00.123457Z"));
        let both = read(&[("_lastUpdated", "ge2025-01-01"), ("_lastUpdated", "lt2025-02-01")]).unwrap().span(&["_lastUpdated"]);
        assert_eq!(both, Span { from: at("2025-01-01T00:00:00Z"), to: at("2025-01-31T23:59:59.999999Z") });
    }

    proptest! {
        #[test]
        fn no_value_makes_a_search_give_up(name in "[a-zA-Z_:.]{0,12}", value in "\\PC{0,40}") {
            let _ = read(&[(&name, &value)]);
            for allowed in ALLOWED {
                let _ = read(&[(allowed.name, &value)]);
            }
        }
    }
}
