//! Escape sequences: `\F\` for a separator, `\X0D0A\` for bytes, `\.br\` for a line break.

use std::borrow::Cow;

use crate::charset::Charset;
use crate::delimiters::Delimiters;

/// The most spaces or line breaks that one `\.sk<n>\` or `\.sp<n>\` makes.
const SKIP_MAX: usize = 100;

/// What a line break in a text becomes when it is escaped: it may never stand in a field as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineBreaks {
    /// A space: for names, codes and all other short fields.
    Space,
    /// `\.br\`: for formatted text (FT, and TX by habit).
    Formatted,
}

/// The text of a raw value. An unknown or unterminated sequence stays as it is: senders write backslashes
/// without meaning anything by them, and dropping one would lose text.
///
/// Hexadecimal bytes are read in the message's character set; neighbouring sequences are joined first, so
/// that a character may be spread over two.
pub fn unescape<'a>(raw: &'a str, delimiters: &Delimiters, charset: Charset) -> Cow<'a, str> {
    if memchr::memchr(delimiters.escape, raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    let escape = char::from(delimiters.escape);
    let mut out = Unescaped { text: String::with_capacity(raw.len()), bytes: Vec::new(), charset };
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once(escape) {
        out.push(before);
        let Some((body, tail)) = after.split_once(escape) else {
            // Unterminated: the sign and what follows it are text.
            out.push(rest.get(before.len()..).unwrap_or_default());
            rest = "";
            break;
        };
        if out.sequence(body, delimiters) {
            rest = tail;
        } else {
            // The closing sign of what is not a sequence may open one: it is looked at again.
            out.push(rest.get(before.len()..before.len() + 1 + body.len()).unwrap_or_default());
            rest = after.get(body.len()..).unwrap_or_default();
        }
    }
    out.push(rest);
    out.flush();
    Cow::Owned(out.text)
}

struct Unescaped {
    text: String,
    /// Bytes of `\X..\` that wait for the next, because a character may need both.
    bytes: Vec<u8>,
    charset: Charset,
}

impl Unescaped {
    fn push(&mut self, text: &str) {
        if !text.is_empty() {
            self.flush();
            self.text.push_str(text);
        }
    }

    fn flush(&mut self) {
        if !self.bytes.is_empty() {
            self.text.push_str(&self.charset.decode_or_fall_back(&self.bytes));
            self.bytes.clear();
        }
    }

    /// Adds what a sequence means; false if it means nothing to us.
    fn sequence(&mut self, body: &str, delimiters: &Delimiters) -> bool {
        if let Some(digits) = body.strip_prefix('X') {
            return hexadecimal(digits, &mut self.bytes);
        }
        let separator = match body {
            "F" => delimiters.field,
            "S" => delimiters.component,
            "T" => delimiters.subcomponent,
            "R" => delimiters.repetition,
            "E" => delimiters.escape,
            "P" => delimiters.truncation.unwrap_or(b'#'),
            // Highlighting on and off has no text.
            "H" | "N" => return true,
            _ => {
                return body.strip_prefix('.').is_some_and(|command| self.command(command));
            }
        };
        self.flush();
        self.text.push(char::from(separator));
        true
    }

    /// A command of formatted text, without its full stop.
    fn command(&mut self, command: &str) -> bool {
        let (Some(name), Some(number)) = (command.get(..2), command.get(2..)) else {
            return false;
        };
        let number = match number {
            "" => Some(1),
            digits => digits.trim_start_matches(['+', '-']).parse::<usize>().ok().map(|n| n.min(SKIP_MAX)),
        };
        let Some(number) = number else { return false };
        let text = match name.to_ascii_lowercase().as_str() {
            "br" | "ce" => "\n".to_owned(),
            "sp" => "\n".repeat(number),
            "sk" => " ".repeat(number),
            // Filling and indentation have no text.
            "fi" | "nf" | "in" | "ti" => String::new(),
            _ => return false,
        };
        self.push(&text);
        true
    }
}

/// Appends the bytes that the digits stand for; false, and nothing appended, if they are not pairs of digits.
fn hexadecimal(digits: &str, bytes: &mut Vec<u8>) -> bool {
    let value = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let Some(values) = digits.as_bytes().iter().map(value).collect::<Option<Vec<u8>>>() else {
        return false;
    };
    if values.is_empty() || !values.len().is_multiple_of(2) {
        return false;
    }
    bytes.extend(values.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit)));
    true
}

/// The raw value of a text: separators escaped, line breaks replaced, and the two bytes that would end an
/// MLLP frame turned into spaces.
pub fn escape<'a>(text: &'a str, delimiters: &Delimiters, breaks: LineBreaks) -> Cow<'a, str> {
    let special = |byte: u8| letter(byte, delimiters).is_some() || matches!(byte, b'\r' | b'\n' | 0x0b | 0x1c);
    if !text.bytes().any(special) {
        return Cow::Borrowed(text);
    }
    let sign = char::from(delimiters.escape);
    let mut out = String::with_capacity(text.len() + 16);
    let mut last = ' ';
    for c in text.chars() {
        match (c, breaks) {
            ('\n', _) if last == '\r' => {}
            ('\r' | '\n', LineBreaks::Formatted) => out.extend([sign, '.', 'b', 'r', sign]),
            ('\r' | '\n' | '\u{b}' | '\u{1c}', _) => out.push(' '),
            _ => match u8::try_from(c).ok().and_then(|byte| letter(byte, delimiters)) {
                Some(letter) => out.extend([sign, letter, sign]),
                None => out.push(c),
            },
        }
        last = c;
    }
    Cow::Owned(out)
}

/// The letter by which a separator is escaped.
fn letter(byte: u8, delimiters: &Delimiters) -> Option<char> {
    match byte {
        _ if byte == delimiters.escape => Some('E'),
        _ if byte == delimiters.field => Some('F'),
        _ if byte == delimiters.component => Some('S'),
        _ if byte == delimiters.repetition => Some('R'),
        _ if byte == delimiters.subcomponent => Some('T'),
        _ if Some(byte) == delimiters.truncation => Some('P'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(raw: &str) -> String {
        unescape(raw, &Delimiters::default(), Charset::UTF_8).into_owned()
    }

    #[test]
    fn each_separator_has_its_sequence() {
        assert_eq!(text(r"\F\\S\\T\\R\\E\\P\"), r"|^&~\#");
        assert_eq!(text("plain"), "plain");
    }

    #[test]
    fn bytes_are_read_in_the_messages_character_set() {
        assert_eq!(text(r"a\X0D0A\b"), "a\r\nb");
        assert_eq!(text(r"\XC3A9\"), "é");
        assert_eq!(text(r"\XC3\\XA9\"), "é", "a character spread over two sequences");
        assert_eq!(text(r"\XE9\"), "é", "not UTF-8, so Windows-1252");
        assert_eq!(unescape(r"\XB3\", &Delimiters::default(), Charset::named("8859/2").unwrap()), "ł");
    }

    #[test]
    fn formatting_becomes_breaks_and_spaces_or_nothing() {
        assert_eq!(text(r"one\.br\two\.BR\three"), "one\ntwo\nthree");
        assert_eq!(text(r"a\.sp2\b\.sk3\c\.in+4\d\.ti-2\e\.fi\\.nf\f\.ce\g"), "a\n\nb   cdef\ng");
        assert_eq!(text(r"\H\bold\N\"), "bold");
        assert_eq!(text(r"\.sp999999999\").len(), SKIP_MAX);
    }

    #[test]
    fn what_is_unknown_or_unterminated_stays_as_it_is() {
        for raw in [
            r"\X4\",
            r"\X\",
            r"\XZZ\",
            r"\Zlocal\",
            r"\C2842\",
            r"\M123456\",
            r"DO\E",
            r"\",
            r"\\",
            r"C:\dir\",
            r"\.zz\",
            r"\.\",
            r"\é\",
            r"\.é\",
            r"\.sp99999999999999999999999\",
        ] {
            assert_eq!(text(raw), raw);
        }
        assert_eq!(text(r"C:\dir\F\x"), r"C:\dir|x", "the closing sign of no sequence may open one");
    }

    #[test]
    fn other_separators_have_the_same_letters() {
        let other = Delimiters { field: b'$', escape: b'!', ..Delimiters::default() };
        assert_eq!(unescape("!F!|!E!", &other, Charset::UTF_8), "$|!");
        assert_eq!(escape("$|!", &other, LineBreaks::Space), "!F!|!E!");
    }

    #[test]
    fn line_breaks_and_frame_bytes_never_reach_a_field() {
        assert_eq!(escape("a\r\nb\nc\rd\u{b}\u{1c}", &Delimiters::default(), LineBreaks::Space), "a b c d  ");
        assert_eq!(escape("a\r\n\nb", &Delimiters::default(), LineBreaks::Formatted), r"a\.br\\.br\b");
    }

    proptest! {
        #[test]
        fn what_is_escaped_reads_back(original in "[^\r\n\u{b}\u{1c}]*") {
            let raw = escape(&original, &Delimiters::default(), LineBreaks::Space);
            prop_assert_eq!(text(&raw), original);
        }

        #[test]
        fn no_raw_value_panics(raw in "[\\\\XHFEé.brskp0-9A-F|]{0,40}") {
            let _ = text(&raw);
        }
    }
}
