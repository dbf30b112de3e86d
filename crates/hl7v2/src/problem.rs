//! What is wrong, where, and how badly: never the content itself.

use std::fmt;

use crate::location::Location;

/// A problem: a location, a code, a severity, and fixed words. It never holds anything from the message,
/// so it may be logged, shown and sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the message, if it is about a place.
    pub location: Option<Location>,
    /// The line, from 1, if the message has lines or stands in a file.
    pub line: Option<usize>,
    /// The byte in that line, from 1.
    pub column: Option<usize>,
    /// What kind, in the standard's words.
    pub code: Code,
    /// How badly.
    pub severity: Severity,
    /// What, in our words.
    pub what: &'static str,
}

impl Problem {
    /// A problem that is about no place in particular.
    pub fn new(code: Code, severity: Severity, what: &'static str) -> Problem {
        Problem { location: None, line: None, column: None, code, severity, what }
    }

    /// The same problem, about a place in the message.
    #[must_use]
    pub fn at(self, location: Location) -> Problem {
        Problem { location: Some(location), ..self }
    }

    /// The same problem, at a line and a column (both from 1).
    #[must_use]
    pub fn at_line(self, line: usize, column: usize) -> Problem {
        Problem { line: Some(line), column: Some(column), ..self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(f, "{location}: ")?;
        }
        f.write_str(self.what)?;
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, " (line {line}, column {column})"),
            (Some(line), None) => write!(f, " (line {line})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// HL7 table 0357, message error condition codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the standard's, and `words` says them")]
#[repr(u16)]
pub enum Code {
    Accepted = 0,
    SegmentSequenceError = 100,
    RequiredFieldMissing = 101,
    DataTypeError = 102,
    TableValueNotFound = 103,
    ValueTooLong = 104,
    NonConformantCardinality = 198,
    OtherError = 199,
    UnsupportedMessageType = 200,
    UnsupportedEventCode = 201,
    UnsupportedProcessingId = 202,
    UnsupportedVersionId = 203,
    UnknownKeyIdentifier = 204,
    DuplicateKeyIdentifier = 205,
    ApplicationRecordLocked = 206,
    ApplicationError = 207,
}

impl Code {
    /// The number in table 0357.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The text in table 0357.
    pub fn words(self) -> &'static str {
        match self {
            Code::Accepted => "Message accepted",
            Code::SegmentSequenceError => "Segment sequence error",
            Code::RequiredFieldMissing => "Required field missing",
            Code::DataTypeError => "Data type error",
            Code::TableValueNotFound => "Table value not found",
            Code::ValueTooLong => "Value too long",
            Code::NonConformantCardinality => "Non-conformant cardinality",
            Code::OtherError => "Other HL7 error",
            Code::UnsupportedMessageType => "Unsupported message type",
            Code::UnsupportedEventCode => "Unsupported event code",
            Code::UnsupportedProcessingId => "Unsupported processing id",
            Code::UnsupportedVersionId => "Unsupported version id",
            Code::UnknownKeyIdentifier => "Unknown key identifier",
            Code::DuplicateKeyIdentifier => "Duplicate key identifier",
            Code::ApplicationRecordLocked => "Application record locked",
            Code::ApplicationError => "Application error",
        }
    }
}

/// HL7 table 0516, error severity, from the least to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// `I`: tolerated, and nothing can have been lost by it.
    Information,
    /// `W`: tolerated by a guess that is nearly always right.
    Warning,
    /// `E`: something was kept but cannot be understood.
    Error,
    /// `F`: the whole cannot be understood.
    Fatal,
}

impl Severity {
    /// The letter in table 0516.
    pub fn letter(self) -> &'static str {
        match self {
            Severity::Information => "I",
            Severity::Warning => "W",
            Severity::Error => "E",
            Severity::Fatal => "F",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Name;

    #[test]
    fn a_problem_tells_its_place_and_its_words() {
        let problem = Problem::new(Code::DataTypeError, Severity::Warning, "not a date");
        assert_eq!(problem.to_string(), "not a date");
        let problem = problem.at(Location::of_segment(Name::MSH, 1)).at_line(3, 7);
        assert_eq!(problem.to_string(), "MSH: not a date (line 3, column 7)");
        assert_eq!((problem.code.number(), problem.severity.letter()), (102, "W"));
    }
}
