//! Identifiers that Alongside gives: 128 bits with a readable prefix, so that one kind is never taken for another.
//!
//! They are made by the [`Ids`] of a [`crate::decision::Context`], never here. In use they are UUID version 7 (time-ordered,
//! kind to both databases); nothing may read a time out of one.

use std::fmt;
use std::str::FromStr;

/// Where new identifiers come from.
pub trait Ids {
    /// A number never given before.
    fn next(&mut self) -> u128;
}

/// A text that is not an identifier of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId {
    /// The prefix that was expected.
    pub expected: &'static str,
}

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not an identifier of the form {}_ followed by 32 hexadecimal digits", self.expected)
    }
}

impl std::error::Error for NotAnId {}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident = $prefix:literal;)+) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub struct $name(pub u128);

            impl $name {
                /// The next identifier of this kind.
                pub fn new(ids: &mut dyn Ids) -> Self {
                    Self(ids.next())
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, concat!($prefix, "_{:032x}"), self.0)
                }
            }

            impl FromStr for $name {
                type Err = NotAnId;
                fn from_str(text: &str) -> Result<Self, NotAnId> {
                    let wrong = NotAnId { expected: $prefix };
                    let digits = text.strip_prefix(concat!($prefix, "_")).ok_or(wrong)?;
                    if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                        return Err(wrong);
                    }
                    u128::from_str_radix(digits, 16).map(Self).map_err(|_| wrong)
                }
            }
        )+
    };
}

ids! {
    /// A person supported, or whom the service is for.
    PersonId = "per";
    /// A referral.
    ReferralId = "ref";
    /// A trigger: something that happened for which the service owes an answer.
    TriggerId = "trg";
    /// A question that only a person can answer.
    QuestionId = "qst";
    /// A contact between a supporter and a person.
    ContactId = "con";
    /// A completed assessment.
    AssessmentId = "ass";
    /// A kept message.
    MessageId = "msg";
    /// A line of the journal.
    EventId = "evt";
    /// Something queued to leave.
    OutgoingId = "out";
    /// A merge of two records.
    MergeId = "mrg";
    /// An import of a spreadsheet.
    ImportId = "imp";
    /// A use of break-glass.
    GlassId = "gls";
    /// A concern.
    ConcernId = "cnc";
    /// An answer by a private link.
    ReplyId = "rpl";
}

/// Ids that count up from a start: for tests and for the story, where a run must give the same ids twice.
#[derive(Debug, Clone, Default)]
pub struct CountingIds(pub u128);

impl Ids for CountingIds {
    fn next(&mut self) -> u128 {
        self.0 += 1;
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_reads_back_and_another_kind_does_not() {
        let id = ReferralId::new(&mut CountingIds(41));
        assert_eq!(id.to_string(), "ref_0000000000000000000000000000002a");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().parse::<PersonId>().is_err());
        assert!("ref_+000000000000000000000000000002a".parse::<ReferralId>().is_err());
    }
}
