//! Where something stands in a message: locations (of what was found) and paths (of what is wanted).

use std::fmt;
use std::str::FromStr;

/// The largest number that a path may hold.
const NUMBER_MAX: usize = 99_999;

/// The name of a segment: three ASCII capitals or digits, or [`Name::ODD`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name([u8; 3]);

impl Name {
    /// The message header.
    pub const MSH: Name = Name(*b"MSH");
    /// The name that a line has which does not begin with a segment's name. What the line does begin
    /// with may be content, so it is not repeated.
    pub const ODD: Name = Name(*b"???");

    /// Reads a name of three letters or digits that begins with a letter; lower case is raised.
    pub fn parse(text: &str) -> Option<Name> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        let good = bytes[0].is_ascii_alphabetic() && bytes.iter().all(u8::is_ascii_alphanumeric);
        good.then(|| Name(bytes.map(|byte| byte.to_ascii_uppercase())))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where something stands. Every number counts from 1, as the standard does; 0 means "not that deep".
///
/// Written as `PID`, `PID-3[2].1`, `OBX[4]-5`: the first occurrence and the first repetition are not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Location {
    /// The segment's name.
    pub segment: Name,
    /// Which segment of that name.
    pub occurrence: usize,
    /// Which field; MSH-1 is the field separator itself.
    pub field: usize,
    /// Which repetition of the field.
    pub repetition: usize,
    /// Which component.
    pub component: usize,
    /// Which subcomponent.
    pub subcomponent: usize,
}

impl Location {
    /// The location of a whole segment.
    pub fn of_segment(segment: Name, occurrence: usize) -> Location {
        Location { segment, occurrence, field: 0, repetition: 0, component: 0, subcomponent: 0 }
    }

    /// The location of a field of this segment.
    #[must_use]
    pub fn with_field(self, field: usize) -> Location {
        Location { field, repetition: 0, component: 0, subcomponent: 0, ..self }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.segment)?;
        if self.occurrence > 1 {
            write!(f, "[{}]", self.occurrence)?;
        }
        if self.field > 0 {
            write!(f, "-{}", self.field)?;
        }
        if self.repetition > 1 {
            write!(f, "[{}]", self.repetition)?;
        }
        if self.component > 0 {
            write!(f, ".{}", self.component)?;
        }
        if self.subcomponent > 0 {
            write!(f, ".{}", self.subcomponent)?;
        }
        Ok(())
    }
}

/// What is wanted from a message: `PID-5[1].1`, `OBX[4]-5`, `MSH-9.2`, or within a segment `3[2].4.1`.
///
/// What a path does not say, [`Message::get`](crate::Message::get) takes as the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    /// The segment's name; `None` in a path within a segment.
    pub segment: Option<Name>,
    /// Which segment of that name.
    pub occurrence: Option<usize>,
    /// Which field.
    pub field: usize,
    /// Which repetition.
    pub repetition: Option<usize>,
    /// Which component.
    pub component: Option<usize>,
    /// Which subcomponent; never without a component.
    pub subcomponent: Option<usize>,
}

/// A text that is not a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPath;

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a path such as PID-3[2].1, OBX[4]-5, or 3.4 within a segment")
    }
}

impl std::error::Error for BadPath {}

impl FromStr for Path {
    type Err = BadPath;

    fn from_str(text: &str) -> Result<Path, BadPath> {
        let (segment, occurrence, rest) = match text.split_once('-') {
            Some((head, rest)) => {
                let (name, occurrence) = indexed(head)?;
                (Some(Name::parse(name).ok_or(BadPath)?), occurrence, rest)
            }
            None => (None, None, text),
        };
        let mut parts = rest.splitn(3, '.');
        let (field, repetition) = indexed(parts.next().unwrap_or_default())?;
        let component = parts.next().map(number).transpose()?;
        let subcomponent = parts.next().map(number).transpose()?;
        Ok(Path { segment, occurrence, field: number(field)?, repetition, component, subcomponent })
    }
}

/// Splits `PID[2]` into `PID` and 2.
fn indexed(text: &str) -> Result<(&str, Option<usize>), BadPath> {
    match text.split_once('[') {
        None => Ok((text, None)),
        Some((head, index)) => Ok((head, Some(number(index.strip_suffix(']').ok_or(BadPath)?)?))),
    }
}

fn number(text: &str) -> Result<usize, BadPath> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = if digits { text.parse().map_err(|_| BadPath)? } else { 0 };
    if (1..=NUMBER_MAX).contains(&value) { Ok(value) } else { Err(BadPath) }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(segment) = self.segment {
            write!(f, "{segment}")?;
            if let Some(occurrence) = self.occurrence {
                write!(f, "[{occurrence}]")?;
            }
            f.write_str("-")?;
        }
        write!(f, "{}", self.field)?;
        if let Some(repetition) = self.repetition {
            write!(f, "[{repetition}]")?;
        }
        for part in [self.component, self.subcomponent].into_iter().flatten() {
            write!(f, ".{part}")?;
        }
        Ok(())
    }
}

/// What can be used as a path: a parsed [`Path`], or its text for paths that stand in the code.
/// A text that is not a path finds nothing; whatever comes from a file is parsed with [`Path::from_str`]
/// first, which says so.
pub trait ToPath {
    /// The path, if it is one.
    fn to_path(&self) -> Option<Path>;
}

impl ToPath for Path {
    fn to_path(&self) -> Option<Path> {
        Some(*self)
    }
}

impl ToPath for &Path {
    fn to_path(&self) -> Option<Path> {
        Some(**self)
    }
}

impl ToPath for &str {
    fn to_path(&self) -> Option<Path> {
        self.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_prints_as_it_was_written() {
        for text in ["PID-5", "PID-5[1].1", "OBX[4]-5", "PID-3[2].4.1", "3", "3[2].4.1", "ZU1-12.3"] {
            assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
        }
        assert_eq!("pid-5".parse::<Path>().unwrap().to_string(), "PID-5");
    }

    #[test]
    fn what_is_not_a_path_is_refused() {
        for text in [
            "",
            "PID",
            "PID-",
            "PID-0",
            "PI-3",
            "PID-3[0]",
            "PID-3[",
            "PID-3[1",
            "PID-3.1.1.1",
            "PID-+3",
            "PID-3.",
            "999999",
            "1PI-3",
            "PID[x]-3",
        ] {
            assert_eq!(text.parse::<Path>(), Err(BadPath), "{text}");
        }
    }

    #[test]
    fn a_location_says_only_what_differs_from_the_first() {
        let pid = Location::of_segment(Name::parse("PID").unwrap(), 1);
        assert_eq!(pid.to_string(), "PID");
        let component = Location { repetition: 2, component: 1, ..pid.with_field(3) };
        assert_eq!(component.to_string(), "PID-3[2].1");
        let obx = Location::of_segment(Name::parse("obx").unwrap(), 4);
        assert_eq!(obx.with_field(5).to_string(), "OBX[4]-5");
    }

    proptest! {
        #[test]
        fn no_text_panics_as_a_path(text in "\\PC{0,12}|[A-Z0-9.\\[\\]-]{0,12}") {
            if let Ok(path) = text.parse::<Path>() {
                prop_assert_eq!(path.to_string().parse::<Path>(), Ok(path));
            }
        }
    }
}
