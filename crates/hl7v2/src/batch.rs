//! Files of messages: one message, many, MLLP frames, or a batch in FHS/BHS and BTS/FTS; any line ends.

use std::ops::Range;

use crate::delimiters::usable;
use crate::lines::{Lines, breaks};
use crate::problem::{Code, Problem, Severity};

/// One message in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its bytes: `file[piece.range.clone()]` goes to [`Message::parse`](crate::Message::parse).
    pub range: Range<usize>,
    /// The line of the file on which it begins, from 1: a problem on the message's line `n` stands on the
    /// file's line `first_line + n - 1`.
    pub first_line: usize,
}

/// The messages of a file, in its order.
///
/// An `Err` of severity [`Severity::Warning`] is a count in BTS or FTS that does not agree: the messages are
/// all there. Any other says where (line and column) the file is not HL7, and is the last item: such a file
/// is to be refused as a whole.
pub fn messages(bytes: &[u8]) -> impl Iterator<Item = Result<Piece, Problem>> + use<> {
    let mut splitter = Splitter { bytes, found: Vec::new(), counts: Counts::default(), envelope: false };
    if let Err(problem) = splitter.split() {
        splitter.found.push(Err(problem));
    }
    splitter.found.into_iter()
}

const START: u8 = 0x0b;
const END: u8 = 0x1c;

struct Splitter<'a> {
    bytes: &'a [u8],
    found: Vec<Result<Piece, Problem>>,
    counts: Counts,
    /// Whether there was a batch header or trailer.
    envelope: bool,
}

#[derive(Default)]
struct Counts {
    messages: usize,
    batches: usize,
}

/// What a line begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    Header,
    BatchTrailer,
    FileTrailer,
    Other,
}

impl Splitter<'_> {
    fn split(&mut self) -> Result<(), Problem> {
        let start = if self.bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let rest = self.bytes.get(start..).unwrap_or_default();
        let framed = rest.iter().find(|byte| !is_blank(**byte)) == Some(&START);
        if framed {
            self.frames(start)?
        } else {
            self.lines(start..self.bytes.len(), 1)?
        }
        if self.found.is_empty() && !self.envelope {
            return Err(refused("there is no message", 1, 1));
        }
        Ok(())
    }

    fn frames(&mut self, start: usize) -> Result<(), Problem> {
        let (mut at, mut line) = (start, 1);
        while let Some(offset) = self.bytes.get(at..).and_then(|rest| rest.iter().position(|byte| !is_blank(*byte))) {
            line += self.breaks(at..at + offset);
            at += offset;
            if self.bytes.get(at) != Some(&START) {
                return Err(refused("bytes between two frames", line, self.column(at)));
            }
            let body = at + 1;
            let rest = self.bytes.get(body..).unwrap_or_default();
            let end = match memchr::memchr2(START, END, rest) {
                Some(length) if rest.get(length) == Some(&END) => body + length,
                _ => return Err(refused("a frame does not end", line, self.column(at))),
            };
            self.lines(body..end, line)?;
            line += self.breaks(body..end);
            at = end + 1;
        }
        Ok(())
    }

    /// How many lines end in a range. Ranges never part a CR from its LF: they end at marks.
    fn breaks(&self, range: Range<usize>) -> usize {
        breaks(self.bytes.get(range).unwrap_or_default())
    }

    /// The column, from 1, of a byte.
    fn column(&self, at: usize) -> usize {
        let before = self.bytes.get(..at).unwrap_or_default();
        memchr::memrchr2(b'\r', b'\n', before).map_or(at + 1, |end| at - end)
    }

    /// Takes the messages of a range that begins on the line `line`.
    fn lines(&mut self, range: Range<usize>, line: usize) -> Result<(), Problem> {
        let bytes = self.bytes.get(..range.end).unwrap_or_default();
        let mut open: Option<Piece> = None;
        for found in Lines::new(bytes, range.start, line) {
            let whole = bytes.get(found.start..found.end).unwrap_or_default();
            let indent = whole.iter().take_while(|byte| is_blank(**byte)).count();
            let text = whole.get(indent..).unwrap_or_default();
            if text.is_empty() {
                continue;
            }
            let kind = kind(text);
            if kind != Kind::Other {
                self.close(&mut open);
            }
            match kind {
                Kind::Message => {
                    open = Some(Piece { range: found.start + indent..found.next, first_line: found.number });
                }
                Kind::Other => match &mut open {
                    Some(piece) => piece.range.end = found.next,
                    None => {
                        let what = "this is not HL7 v2: a message begins with MSH and a field separator";
                        return Err(refused(what, found.number, self.column(found.start + indent)));
                    }
                },
                kind => self.envelope(kind, text, found.number),
            }
        }
        self.close(&mut open);
        Ok(())
    }

    fn close(&mut self, open: &mut Option<Piece>) {
        if let Some(piece) = open.take() {
            self.counts.messages += 1;
            self.found.push(Ok(piece));
        }
    }

    fn envelope(&mut self, kind: Kind, text: &[u8], line: usize) {
        self.envelope = true;
        let counted = match kind {
            Kind::BatchTrailer => {
                self.counts.batches += 1;
                std::mem::take(&mut self.counts.messages)
            }
            Kind::FileTrailer => std::mem::take(&mut self.counts.batches),
            _ => return,
        };
        let separator = text.get(3).copied().unwrap_or(b'|');
        let said = text.split(|byte| *byte == separator).nth(1).unwrap_or_default().trim_ascii();
        let agrees = said.is_empty() || std::str::from_utf8(said).ok().and_then(|said| said.parse().ok()) == Some(counted);
        if !agrees {
            let what = match kind {
                Kind::BatchTrailer => "the count in BTS-1 is not the number of messages in the batch",
                _ => "the count in FTS-1 is not the number of batches in the file",
            };
            let problem = Problem::new(Code::OtherError, Severity::Warning, what).at_line(line, 1);
            self.found.push(Err(problem));
        }
    }
}

fn refused(what: &'static str, line: usize, column: usize) -> Problem {
    Problem::new(Code::SegmentSequenceError, Severity::Fatal, what).at_line(line, column)
}

/// Bytes that may stand around messages and frames without meaning anything.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0)
}

fn kind(text: &[u8]) -> Kind {
    let ended = |byte: Option<&u8>| byte.is_none_or(|byte| usable(*byte));
    let Some((name, rest)) = text.split_first_chunk::<3>() else {
        return Kind::Other;
    };
    match (&name.map(|byte| byte.to_ascii_uppercase()), rest.first()) {
        (b"MSH", Some(byte)) if usable(*byte) => Kind::Message,
        (b"FHS" | b"BHS", byte) if ended(byte) => Kind::Header,
        (b"BTS", byte) if ended(byte) => Kind::BatchTrailer,
        (b"FTS", byte) if ended(byte) => Kind::FileTrailer,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::{Message, Options};

    /// The pieces as `line: text`, the problems as they print.
    fn check(file: &[u8], expected: &[&str]) {
        let seen: Vec<String> = messages(file)
            .map(|item| match item {
                Ok(piece) => format!("{}: {}", piece.first_line, file[piece.range].escape_ascii()),
                Err(problem) => format!("{} {problem}", problem.severity.letter()),
            })
            .collect();
        assert_eq!(seen, expected, "{}", file.escape_ascii());
    }

    #[test]
    fn one_message_with_any_line_ends() {
        check(b"MSH|1\rPID|1\r", &["1: MSH|1\\rPID|1\\r"]);
        check(b"MSH|1\nPID|1", &["1: MSH|1\\nPID|1"]);
        check(b"\xef\xbb\xbf\r\n  MSH|1\r\nPID|1\r\n", &["2: MSH|1\\r\\nPID|1\\r\\n"]);
    }

    #[test]
    fn many_messages_one_after_the_other() {
        check(b"MSH|1\nPID|1\n\nMSH|2\nPID|2\nmsh|3", &["1: MSH|1\\nPID|1\\n", "4: MSH|2\\nPID|2\\n", "6: msh|3"]);
    }

    #[test]
    fn odd_lines_within_a_message_stay_with_it() {
        check(b"MSH|1\r\rOB|1\rwrapped text\rMSH|2\r", &["1: MSH|1\\r\\rOB|1\\rwrapped text\\r", "5: MSH|2\\r"]);
    }

    #[test]
    fn frames_are_unwrapped() {
        check(
            b"\x0bMSH|1\rPID|1\r\x1c\r\x0bMSH|2\r\x1c\n\x0bMSH|3\r\rMSH|4\x1c",
            &["1: MSH|1\\rPID|1\\r", "4: MSH|2\\r", "6: MSH|3\\r", "8: MSH|4"],
        );
        check(b"\x0bMSH|1\r\x1c\r\x0bMSH|2\r", &["1: MSH|1\\r", "F a frame does not end (line 3, column 1)"]);
        check(b"\x0bMSH|1\r\x0bMSH|2\r\x1c", &["F a frame does not end (line 1, column 1)"]);
        check(b"\x0bMSH|1\r\x1c\r\n xx", &["1: MSH|1\\r", "F bytes between two frames (line 3, column 2)"]);
        check(b"\x0bPID|1\r\x1c", &["F this is not HL7 v2: a message begins with MSH and a field separator (line 1, column 2)"]);
    }

    #[test]
    fn batches_are_unwrapped_and_their_counts_compared() {
        let good = b"FHS|^~\\&|A\rBHS|^~\\&|A\rMSH|1\rMSH|2\rBTS|2\rBHS|^~\\&|A\rBTS|0\rFTS|2\r";
        check(good, &["3: MSH|1\\r", "4: MSH|2\\r"]);
        check(
            b"BHS|^~\\&\rMSH|1\rBTS| 3 |x\rFTS|7\r",
            &[
                "2: MSH|1\\r",
                "W the count in BTS-1 is not the number of messages in the batch (line 3, column 1)",
                "W the count in FTS-1 is not the number of batches in the file (line 4, column 1)",
            ],
        );
        check(b"MSH|1\rBTS|\rFTS\r", &["1: MSH|1\\r"]);
        check(b"FHS|^~\\&\rFTS|0\r", &[]);
    }

    #[test]
    fn what_is_not_hl7_is_refused_with_line_and_column() {
        let refused = |line: usize, column: usize| {
            format!("F this is not HL7 v2: a message begins with MSH and a field separator (line {line}, column {column})")
        };
        check(b"name,date\nAnn,1980\n", &[&refused(1, 1)]);
        check(b"\n\n  PID|1\rMSH|1", &[&refused(3, 3)]);
        check(b"MSH", &[&refused(1, 1)]);
        check(b"MSHAPED", &[&refused(1, 1)]);
        check(b"\xff\xfeM\0S\0H\0", &[&refused(1, 1)]);
        check(b"BHS|^~\\&\rMSH|1\rBTS|1\rtrailing", &["2: MSH|1\\r", &refused(4, 1)]);
        check(b"", &["F there is no message (line 1, column 1)"]);
        check(b" \r\n", &["F there is no message (line 1, column 1)"]);
    }

    proptest! {
        #[test]
        fn no_file_panics_and_every_piece_is_a_message(
            parts in proptest::collection::vec(proptest::sample::select(vec![
                "MSH|^~\\&|A", "PID|1", "FHS|^~\\&", "BHS|", "BTS|1", "FTS", "\r", "\n", "\r\n", "\u{b}", "\u{1c}", " ", "x", "é", "\u{feff}",
            ]), 0..30),
        ) {
            let file = parts.concat().into_bytes();
            let mut end = 0;
            for piece in messages(&file).flatten() {
                prop_assert!(end <= piece.range.start && piece.range.end <= file.len());
                end = piece.range.end;
                prop_assert!(Message::parse(&file[piece.range], &Options::default()).is_ok());
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = messages(&bytes).count();
        }
    }
}
