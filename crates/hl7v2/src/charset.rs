//! From bytes to text and back: which character set a message is in, and how that was found out.
//!
//! The order of trust: byte order mark, MSH-18, what is configured for the sender, valid UTF-8, and at last
//! Windows-1252, in which every byte is something. A set that does not fit the bytes is passed over and
//! reported. Whatever is chosen, [`Charset::encode`] gives back the same bytes, so that what is echoed to
//! the sender is exact.

use std::fmt;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// A character set that can travel over MLLP: UTF-8, or one byte for each character with ASCII below 128.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Charset(&'static Encoding);

/// How a message's character set was found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The message began with a byte order mark.
    ByteOrderMark,
    /// MSH-18 said so.
    Declared,
    /// It is configured for the sender.
    Sender,
    /// The bytes are valid UTF-8 (or plain ASCII).
    ValidUtf8,
    /// Nothing else fitted.
    Fallback,
}

/// A text with what is known about its character set.
pub(crate) struct Decoded {
    pub(crate) text: String,
    pub(crate) charset: Charset,
    pub(crate) evidence: Evidence,
    /// What was wrong, if the declared or configured set was unknown or did not fit.
    pub(crate) tolerated: Option<&'static str>,
}

impl Charset {
    /// UTF-8.
    pub const UTF_8: Charset = Charset(UTF_8);
    /// Windows-1252, which is also how `8859/1` is read: senders that say the latter send the former.
    pub const WINDOWS_1252: Charset = Charset(WINDOWS_1252);

    /// The character set of a name: of HL7 table 0211 (`8859/1`, `UNICODE UTF-8`), or a common label
    /// (`utf8`, `windows-1252`). `None` for unknown ones and for those that cannot travel over MLLP.
    pub fn named(name: &str) -> Option<Charset> {
        let name = name.trim().to_ascii_uppercase();
        let label = match name.as_str() {
            "UNICODE" | "UNICODE UTF-8" | "UTF8" => "utf-8".to_owned(),
            name => match name.strip_prefix("8859/").or_else(|| name.strip_prefix("8859-")) {
                Some(part) => format!("iso-8859-{part}"),
                None => name.to_owned(),
            },
        };
        let encoding = Encoding::for_label(label.as_bytes())?;
        (encoding == UTF_8 || encoding.is_single_byte()).then_some(Charset(encoding))
    }

    /// Its name, as the web knows it: `UTF-8`, `windows-1252`, `ISO-8859-2`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The text's bytes; a character that the set does not have becomes `?`.
    pub fn encode(self, text: &str) -> Vec<u8> {
        let (bytes, _, missing) = self.0.encode(text);
        if !missing {
            return bytes.into_owned();
        }
        let mut out = Vec::with_capacity(text.len());
        for c in text.chars() {
            let mut one = [0; 4];
            let (bytes, _, missing) = self.0.encode(c.encode_utf8(&mut one));
            out.extend_from_slice(if missing { b"?" } else { &bytes });
        }
        out
    }

    /// The bytes' text, or `None` if they are not in this set.
    /// The text of bytes in this character set; `None` where they are not of it.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Option<String> {
        let text = self.0.decode_without_bom_handling_and_without_replacement(bytes)?;
        Some(text.into_owned())
    }

    /// The bytes' text in this set, or else in Windows-1252.
    pub(crate) fn decode_or_fall_back(self, bytes: &[u8]) -> String {
        self.decode(bytes).or_else(|| Charset::WINDOWS_1252.decode(bytes)).unwrap_or_default()
    }
}

impl fmt::Debug for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Default for Charset {
    fn default() -> Self {
        Charset::UTF_8
    }
}

/// Decodes a message.
pub(crate) fn decode(bytes: &[u8], sender: Option<Charset>) -> Decoded {
    let (mark, bytes) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => (Some(Charset::UTF_8), rest),
        None => (None, bytes),
    };
    let (declared, mut tolerated) = declared(bytes);
    let candidates = [
        (mark, Evidence::ByteOrderMark),
        (declared, Evidence::Declared),
        (sender, Evidence::Sender),
        (Some(Charset::UTF_8), Evidence::ValidUtf8),
        (Some(Charset::WINDOWS_1252), Evidence::Fallback),
    ];
    for (candidate, evidence) in candidates {
        let Some(charset) = candidate else { continue };
        if let Some(text) = charset.decode(bytes) {
            return Decoded { text, charset, evidence, tolerated };
        }
        if evidence != Evidence::ValidUtf8 {
            tolerated = Some("the bytes are not in the character set that was declared: another one was taken");
        }
    }
    // Not reached: every byte is something in Windows-1252.
    let text = String::from_utf8_lossy(bytes).into_owned();
    Decoded { text, charset: Charset::UTF_8, evidence: Evidence::Fallback, tolerated }
}

/// What MSH-18 declares. ASCII says nothing: whoever declares it sends other things too.
fn declared(bytes: &[u8]) -> (Option<Charset>, Option<&'static str>) {
    let name = msh18(bytes).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default();
    let name = name.trim();
    let silent = ["", "\"\"", "ASCII", "US-ASCII", "ISO IR6", "ISO IR 6", "ISO-IR-6"];
    if silent.iter().any(|one| one.eq_ignore_ascii_case(name)) {
        return (None, None);
    }
    match Charset::named(name) {
        Some(charset) => (Some(charset), None),
        None => (None, Some("the character set in MSH-18 is unknown or cannot be sent over MLLP: passed over")),
    }
}

/// The first repetition of MSH-18, found in the bytes: it is needed before there is a text.
fn msh18(bytes: &[u8]) -> Option<&[u8]> {
    let header = bytes.trim_ascii_start();
    let end = memchr::memchr2(b'\r', b'\n', header).unwrap_or(header.len());
    let header = header.get(..end)?;
    let separator = *header.get(3)?;
    let repetition = header.get(5).copied().unwrap_or(b'~');
    let field = header.split(|byte| *byte == separator).nth(17)?;
    field.split(|byte| *byte == repetition).next()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(msh18: &str, name: &[u8]) -> Vec<u8> {
        let mut bytes = format!("MSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.4||||||{msh18}\rPID|1||||").into_bytes();
        bytes.extend_from_slice(name);
        bytes
    }

    fn check(bytes: &[u8], sender: Option<Charset>) -> (String, &'static str, Evidence, bool) {
        let decoded = decode(bytes, sender);
        let name = decoded.text.rsplit('|').next().unwrap().to_owned();
        (name, decoded.charset.name(), decoded.evidence, decoded.tolerated.is_some())
    }

    #[test]
    fn the_order_of_trust_is_mark_declaration_sender_utf8_windows() {
        let polish = Charset::named("8859/2");
        let marked = [b"\xef\xbb\xbf".as_slice(), &message("8859/1", "é".as_bytes())].concat();
        assert_eq!(check(&marked, None), ("é".into(), "UTF-8", Evidence::ByteOrderMark, false));
        assert_eq!(check(&message("8859/1", b"\xe9"), polish), ("é".into(), "windows-1252", Evidence::Declared, false));
        assert_eq!(check(&message("", b"\xb3"), polish), ("ł".into(), "ISO-8859-2", Evidence::Sender, false));
        assert_eq!(check(&message("ASCII", "é".as_bytes()), None), ("é".into(), "UTF-8", Evidence::ValidUtf8, false));
        assert_eq!(check(&message("", b"O\x92Neill"), None), ("O’Neill".into(), "windows-1252", Evidence::Fallback, false));
    }

    #[test]
    fn every_declaration_of_utf8_is_understood() {
        for name in ["UNICODE", "UNICODE UTF-8", "UTF-8", "utf8", "UNICODE UTF-8~8859/1"] {
            let (text, charset, evidence, problem) = check(&message(name, "Zoë".as_bytes()), Charset::named("8859/1"));
            assert_eq!((text.as_str(), charset, evidence, problem), ("Zoë", "UTF-8", Evidence::Declared, false));
        }
    }

    #[test]
    fn a_declaration_that_does_not_fit_is_passed_over_and_reported() {
        for name in ["UNICODE UTF-8", "UNICODE UTF-16", "ISO IR87", "KLINGON"] {
            let (text, charset, _, problem) = check(&message(name, b"Zo\xeb"), None);
            assert_eq!((text.as_str(), charset, problem), ("Zoë", "windows-1252", true), "{name}");
        }
    }

    #[test]
    fn what_a_set_does_not_have_becomes_a_question_mark() {
        assert_eq!(Charset::WINDOWS_1252.encode("Łucja|é"), b"?ucja|\xe9");
        assert_eq!(Charset::UTF_8.encode("Ł"), "Ł".as_bytes());
    }

    proptest! {
        #[test]
        fn decoding_loses_no_byte(
            bytes in proptest::collection::vec(any::<u8>(), 0..60),
            declared in proptest::sample::select(vec!["", "8859/1", "8859/2", "8859/3", "8859/7", "8859/8", "8859/9", "8859/15", "UTF-8"]),
        ) {
            let bytes = message(declared, &bytes);
            let decoded = decode(&bytes, None);
            prop_assert_eq!(decoded.charset.encode(&decoded.text), bytes);
        }
    }
}
