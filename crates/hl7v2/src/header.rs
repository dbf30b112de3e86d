//! The message header, as routing and answering need it.

use std::fmt;

use crate::charset::Charset;
use crate::delimiters::{self, Delimiters};
use crate::message::{Message, Options};

/// How much of something that is no message is searched for a header.
const SCAN_BYTES_MAX: usize = 64 * 1024;

/// The fields of MSH. Those that identify or are echoed are raw, exactly as sent; codes are the first
/// component without surrounding spaces. What the sender left out is empty.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// MSH-1 and MSH-2.
    pub delimiters: Delimiters,
    /// The character set by which the message was read, and in which it is answered.
    pub charset: Charset,
    /// MSH-3, raw.
    pub sending_application: String,
    /// MSH-4, raw.
    pub sending_facility: String,
    /// MSH-5, raw.
    pub receiving_application: String,
    /// MSH-6, raw.
    pub receiving_facility: String,
    /// MSH-7, raw: when the message was made.
    pub time: String,
    /// MSH-9.1, in capitals: `ADT`. Where a sender writes `ADTA01` or `ADT_A01`, its first three letters.
    pub message_type: String,
    /// MSH-9.2, in capitals: `A01`. Route on type and trigger, never on the structure.
    pub trigger: String,
    /// MSH-9.3, in capitals, often missing or wrong: `ADT_A01`.
    pub structure: String,
    /// MSH-10, raw, with its leading spaces: it is echoed exactly.
    pub control_id: String,
    /// MSH-11.1: `P` production, `T` training, `D` debugging.
    pub processing_id: String,
    /// MSH-12.1: `2.4`.
    pub version: String,
    /// MSH-15.1: when the sender wants to hear that the message was taken (`AL`, `NE`, `ER`, `SU`, or empty).
    pub accept_acknowledgement: String,
    /// MSH-16.1: when the sender wants to hear what became of the message.
    pub application_acknowledgement: String,
    /// MSH-11, MSH-12 and MSH-18, raw, for the echo.
    pub(crate) echo: [String; 3],
}

impl Header {
    pub(crate) fn of(message: &Message) -> Header {
        let Some(msh) = message.segment("MSH") else {
            return Header::default();
        };
        let raw = |field| msh.field(field).raw().to_owned();
        let code = |field| msh.field(field).leaf().text().trim().to_owned();
        let part = |component| msh.field(9).component(component).text().trim().to_ascii_uppercase();
        let (message_type, trigger) = type_and_trigger(part(1), part(2));
        Header {
            delimiters: message.delimiters(),
            charset: message.charset(),
            sending_application: raw(3),
            sending_facility: raw(4),
            receiving_application: raw(5),
            receiving_facility: raw(6),
            time: raw(7),
            message_type,
            trigger,
            structure: part(3),
            control_id: raw(10),
            processing_id: code(11),
            version: code(12),
            accept_acknowledgement: code(15).to_ascii_uppercase(),
            application_acknowledgement: code(16).to_ascii_uppercase(),
            echo: [raw(11), raw(12), raw(18)],
        }
    }

    /// What can be made out of bytes that [`Message::parse`] refused, or of the beginning of a frame that
    /// was too long: enough to answer, if there is a header anywhere. Everything is empty if there is none.
    pub fn scan(bytes: &[u8]) -> Header {
        let bytes = bytes.get(..SCAN_BYTES_MAX).unwrap_or(bytes);
        let is_header = |window: &[u8]| match window {
            [name @ .., separator] => name.eq_ignore_ascii_case(b"MSH") && delimiters::usable(*separator),
            [] => false,
        };
        let Some(start) = bytes.windows(4).position(is_header) else {
            return Header::default();
        };
        let rest = bytes.get(start..).unwrap_or_default();
        let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        Message::parse(line, &Options::default()).map(|message| message.header()).unwrap_or_default()
    }

    /// The control id without the spaces around it, for comparing.
    pub fn control_id_trimmed(&self) -> &str {
        self.control_id.trim()
    }

    /// The version as numbers, `2.5.1` as (2, 5, 1); 2.4 if the sender does not say.
    pub fn version_number(&self) -> (u32, u32, u32) {
        let mut parts = self.version.split('.').map(|part| part.parse().ok());
        match (parts.next().flatten(), parts.next().flatten(), parts.next().flatten()) {
            (Some(major), Some(minor), patch) => (major, minor, patch.unwrap_or(0)),
            _ => (2, 4, 0),
        }
    }
}

/// Type and trigger, also from senders that write them as one: `ORUR01`, `ORU_R01`.
fn type_and_trigger(first: String, second: String) -> (String, String) {
    if !second.is_empty() || !first.is_ascii() {
        return (first, second);
    }
    let (left, right) = first.split_at_checked(3).unwrap_or((&first, ""));
    let right = right.strip_prefix('_').unwrap_or(right);
    if left.len() == 3 && right.len() == 3 {
        return (left.to_owned(), right.to_owned());
    }
    (first, second)
}

impl fmt::Debug for Header {
    /// Only what can be no content, even if the bytes were no header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header").field("version", &self.version_number()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Header {
        Message::parse(text.as_bytes(), &Options::default()).unwrap().header()
    }

    #[test]
    fn the_header_tells_what_routing_and_answering_need() {
        let header = header("MSH|^~\\&|CERNER|RQM^X|A|B|20241001||ADT^a28^ADT_A05|  42 |P^T|2.4^GBR|1||al|NE||8859/1\r");
        assert_eq!((header.message_type.as_str(), header.trigger.as_str(), header.structure.as_str()), ("ADT", "A28", "ADT_A05"));
        assert_eq!((header.sending_application.as_str(), header.sending_facility.as_str()), ("CERNER", "RQM^X"));
        assert_eq!((header.control_id.as_str(), header.control_id_trimmed()), ("  42 ", "42"));
        assert_eq!((header.processing_id.as_str(), header.version.as_str(), header.version_number()), ("P", "2.4", (2, 4, 0)));
        assert_eq!((header.accept_acknowledgement.as_str(), header.application_acknowledgement.as_str()), ("AL", "NE"));
        assert_eq!(header.charset, Charset::WINDOWS_1252);
    }

    #[test]
    fn type_and_trigger_are_found_however_they_are_written() {
        for (written, expected) in [
            ("ORU^R01", ("ORU", "R01")),
            ("ORUR01", ("ORU", "R01")),
            ("ORU_R01", ("ORU", "R01")),
            ("ORU", ("ORU", "")),
            ("ACK", ("ACK", "")),
            ("", ("", "")),
            ("Zé€", ("Zé€", "")),
        ] {
            let header = header(&format!("MSH|^~\\&|||||||{written}|1"));
            assert_eq!((header.message_type.as_str(), header.trigger.as_str()), expected, "{written}");
        }
    }

    #[test]
    fn odd_versions_are_read_as_numbers() {
        for (written, number) in [("2.3", (2, 3, 0)), ("2.5.1", (2, 5, 1)), ("2.999", (2, 999, 0)), ("", (2, 4, 0)), ("new", (2, 4, 0))] {
            assert_eq!(header(&format!("MSH|^~\\&||||||||||{written}")).version_number(), number);
        }
    }

    #[test]
    fn a_header_is_found_in_what_is_no_message() {
        let found = Header::scan(b"SH|ADT rubbish MSH|^~\\&|A|B|C|D|||ADT^A01|77|P|2.4\rPID|1");
        assert_eq!((found.control_id.as_str(), found.sending_application.as_str()), ("77", "A"));
        assert_eq!(Header::scan(b"nothing at all"), Header::default());
        assert_eq!(Header::scan(b"MSH"), Header::default());
    }
}
