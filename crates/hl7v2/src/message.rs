//! A message: its text, where its segments are, and what had to be tolerated.
//!
//! Where a line does not begin with a segment's name, it is either kept as a segment of its own
//! ([`Name::ODD`]: it looks like a damaged one) or as part of the segment before it (a line break within a
//! field: wrapped text, base64 in lines). Both are reported, and nothing is left out of the text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use crate::charset::{self, Charset, Evidence};
use crate::delimiters::Delimiters;
use crate::escape;
use crate::header::Header;
use crate::lines::{Break, Line, Lines};
use crate::location::{Location, Name, Path, ToPath};
use crate::problem::{Code, Problem, Severity};

/// The most segments that a message may have.
pub(crate) const SEGMENTS_MAX: usize = 100_000;
/// The most problems that are listed one by one.
const PROBLEMS_MAX: usize = 100;

/// How a sender's messages are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The character set of a sender whose MSH-18 says nothing.
    pub charset: Option<Charset>,
    /// Whether `""` is the same as nothing at all, for a sender who floods its messages with it. Otherwise
    /// it is the explicit null: "delete what you have".
    pub quotes_are_empty: bool,
}

/// A message.
///
/// It owns its decoded text; [`Segment`] and [`Value`] are views of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    text: String,
    delimiters: Delimiters,
    charset: Charset,
    evidence: Evidence,
    quotes_are_empty: bool,
    segments: Vec<Span>,
    problems: Vec<Problem>,
}

/// Where one segment is in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
    name: Name,
    occurrence: usize,
    line: usize,
}

impl Message {
    /// Reads a message.
    ///
    /// Tolerated and reported: any line end, a missing last one, a byte order mark or white space before MSH,
    /// a short MSH-2, blank and odd lines, segment names in lower case, white space before a segment.
    ///
    /// # Errors
    /// If the bytes do not begin with `MSH` and a field separator, or hold more than 100,000 segments.
    pub fn parse(bytes: &[u8], options: &Options) -> Result<Message, Problem> {
        let decoded = charset::decode(bytes, options.charset);
        let text = decoded.text;
        let before = text.len() - text.trim_start_matches(is_blank).len();
        let header = text.get(before..).unwrap_or_default();
        let (line, column) = position(&text, before);
        if !header.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("MSH")) {
            let what = "this is not an HL7 v2 message: it does not begin with MSH";
            return Err(Problem::new(Code::SegmentSequenceError, Severity::Fatal, what).at_line(line, column));
        }
        let Some((delimiters, short)) = Delimiters::read(header) else {
            let what = "MSH is not followed by a field separator";
            let location = Location::of_segment(Name::MSH, 1).with_field(1);
            let problem = Problem::new(Code::RequiredFieldMissing, Severity::Fatal, what);
            return Err(problem.at(location).at_line(line, column + 3));
        };
        let mut reader = Reader::new(&text, delimiters);
        if before > 0 {
            reader.report(Code::OtherError, Severity::Information, "white space before MSH", None, 1);
        }
        let msh = |field| Some(Location::of_segment(Name::MSH, 1).with_field(field));
        if let Some(what) = short {
            reader.report(Code::DataTypeError, Severity::Warning, what, msh(2), line);
        }
        if let Some(what) = decoded.tolerated {
            reader.report(Code::TableValueNotFound, Severity::Warning, what, msh(18), line);
        }
        reader.read(before, line)?;
        let Reader { segments, problems, .. } = reader;
        Ok(Message {
            text,
            delimiters,
            charset: decoded.charset,
            evidence: decoded.evidence,
            quotes_are_empty: options.quotes_are_empty,
            segments,
            problems,
        })
    }

    /// The whole decoded text, as it came, without a byte order mark.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The separators that MSH declares.
    pub fn delimiters(&self) -> Delimiters {
        self.delimiters
    }

    /// The character set by which the bytes were read.
    pub fn charset(&self) -> Charset {
        self.charset
    }

    /// How the character set was found out.
    pub fn charset_evidence(&self) -> Evidence {
        self.evidence
    }

    /// What was tolerated, in the order of the lines; 100 at most, then one that says that there were more.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The header's fields.
    pub fn header(&self) -> Header {
        Header::of(self)
    }

    /// All segments, in the order of the message.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.segments.iter().map(|span| Segment { message: self, span })
    }

    /// The segments of a name, in either case, in the order of the message.
    pub fn segments_named(&self, name: &str) -> impl Iterator<Item = Segment<'_>> + use<'_> {
        let name = Name::parse(name);
        self.segments().filter(move |segment| Some(segment.span.name) == name)
    }

    /// The first segment of a name.
    pub fn segment(&self, name: &str) -> Option<Segment<'_>> {
        self.segments_named(name).next()
    }

    /// The leaf at a path such as `PID-3[2].1`, or `None` if it is absent or empty; an explicit null is
    /// neither. What the path does not say is the first: `PID-5` is the first subcomponent of the first
    /// component of the first repetition. For free text, in which a separator may stand by mistake, use
    /// [`whole`](Message::whole).
    pub fn get(&self, path: impl ToPath) -> Option<Value<'_>> {
        let path = path.to_path()?;
        self.find(&path)?.get(path)
    }

    /// All that stands at a path, separators included, or `None` if it is absent or empty: `OBX-5` is the
    /// whole field with its repetitions, `OBX-5[1]` its first repetition.
    pub fn whole(&self, path: impl ToPath) -> Option<Value<'_>> {
        let path = path.to_path()?;
        self.find(&path)?.whole(path)
    }

    fn find(&self, path: &Path) -> Option<Segment<'_>> {
        let (name, occurrence) = (path.segment?, path.occurrence.unwrap_or(1));
        self.segments().find(|segment| segment.span.name == name && segment.span.occurrence == occurrence)
    }
}

impl fmt::Debug for Message {
    /// Names and counts only: a message is never printed by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.segments.iter().map(|span| span.name);
        f.debug_struct("Message").field("segments", &names.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

/// White space, and what else is found before MSH.
fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '\0' | '\u{b}' | '\u{feff}')
}

/// Line and column, both from 1, of a byte in a text.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let last = Lines::new(text.as_bytes(), 0, 1).take_while(|line| line.start <= offset).last();
    last.map_or((1, 1), |line| match offset >= line.next && line.after != Break::None {
        true => (line.number + 1, 1),
        false => (line.number, offset - line.start + 1),
    })
}

/// Finds the segments.
struct Reader<'t> {
    text: &'t str,
    delimiters: Delimiters,
    segments: Vec<Span>,
    problems: Vec<Problem>,
    occurrences: HashMap<Name, usize>,
    /// What ends the first line: where that is CR, a LF may be within a field.
    ends: Break,
    mixed: bool,
    blank: Option<usize>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, delimiters: Delimiters) -> Reader<'t> {
        Reader {
            text,
            delimiters,
            segments: Vec::new(),
            problems: Vec::new(),
            occurrences: HashMap::new(),
            ends: Break::None,
            mixed: false,
            blank: None,
        }
    }

    fn report(&mut self, code: Code, severity: Severity, what: &'static str, location: Option<Location>, line: usize) {
        let problem = Problem { location, ..Problem::new(code, severity, what).at_line(line, 1) };
        match self.problems.len() {
            0..PROBLEMS_MAX => self.problems.push(problem),
            PROBLEMS_MAX => {
                let what = "there are further problems that are not listed";
                self.problems.push(Problem::new(Code::OtherError, Severity::Error, what).at_line(line, 1));
            }
            _ => {}
        }
    }

    /// Reads all lines from `at`, where MSH begins.
    fn read(&mut self, at: usize, number: usize) -> Result<(), Problem> {
        let text = self.text;
        let mut last = Break::None;
        for line in Lines::new(text.as_bytes(), at, number) {
            if self.segments.len() >= SEGMENTS_MAX {
                let what = "the message has more than 100,000 segments";
                return Err(Problem::new(Code::OtherError, Severity::Fatal, what).at_line(line.number, 1));
            }
            self.line(&line);
            self.ends = if self.segments.len() == 1 && self.ends == Break::None { line.after } else { self.ends };
            self.mixed |= line.after != self.ends && line.after != Break::None;
            last = line.after;
        }
        self.report_line_ends(last, number);
        Ok(())
    }

    fn report_line_ends(&mut self, last: Break, line: usize) {
        let what = match self.ends {
            _ if self.mixed => Some("segments end in different ways"),
            Break::Lf => Some("segments end with LF instead of CR"),
            Break::CrLf => Some("segments end with CR LF instead of CR"),
            Break::Cr | Break::None => None,
        };
        if let Some(what) = what {
            self.report(Code::OtherError, Severity::Information, what, None, line);
        }
        if last == Break::None {
            let what = "the last segment has no CR";
            let line = self.segments.last().map_or(line, |span| span.line);
            self.report(Code::OtherError, Severity::Information, what, None, line);
        }
    }

    fn line(&mut self, line: &Line) {
        let whole = self.text.get(line.start..line.end).unwrap_or_default();
        let text = whole.trim_start_matches([' ', '\t']);
        if text.is_empty() {
            self.blank.get_or_insert(line.number);
            return;
        }
        if let Some(number) = self.blank.take() {
            self.report(Code::OtherError, Severity::Information, "a blank line within the message", None, number);
        }
        let start = line.end - text.len();
        match self.name(text) {
            Some(name) => self.segment(name, start, line, text),
            None if self.is_damaged_segment(text, line) => {
                let location = self.push(Name::ODD, start, line);
                let what = "a line does not begin with a segment's name: kept, but not read";
                self.report(Code::SegmentSequenceError, Severity::Error, what, Some(location), line.number);
            }
            None => self.continuation(line),
        }
    }

    /// The name with which a line begins: three letters or digits before a field separator, or three
    /// capitals alone.
    fn name(&self, text: &str) -> Option<Name> {
        let name = Name::parse(text.get(..3)?)?;
        match text.as_bytes().get(3) {
            Some(byte) => (*byte == self.delimiters.field).then_some(name),
            None => (text == name.as_str()).then_some(name),
        }
    }

    fn segment(&mut self, name: Name, start: usize, line: &Line, text: &str) {
        let location = self.push(name, start, line);
        if start > line.start {
            let what = "white space before a segment's name";
            self.report(Code::OtherError, Severity::Information, what, Some(location), line.number);
        }
        if !text.starts_with(name.as_str()) {
            let what = "a segment's name is not in capitals";
            self.report(Code::OtherError, Severity::Information, what, Some(location), line.number);
        }
        let envelope = ["FHS", "BHS", "BTS", "FTS"].contains(&name.as_str());
        if envelope || (name == Name::MSH && location.occurrence > 1) {
            let what = "another message or the end of a batch within this message";
            self.report(Code::SegmentSequenceError, Severity::Error, what, Some(location), line.number);
        }
    }

    fn push(&mut self, name: Name, start: usize, line: &Line) -> Location {
        let count = self.occurrences.entry(name).or_default();
        *count += 1;
        let occurrence = *count;
        self.segments.push(Span { start, end: line.end, name, occurrence, line: line.number });
        Location::of_segment(name, occurrence)
    }

    /// Whether a line that begins with no segment's name looks like a segment all the same: `OB|1|…`,
    /// `OBXX|1|…`. Where segments end with CR, what follows a LF does not.
    fn is_damaged_segment(&self, text: &str, line: &Line) -> bool {
        if self.ends == Break::Cr && line.before == Break::Lf {
            return false;
        }
        let prefix = memchr::memchr(self.delimiters.field, text.as_bytes()).and_then(|end| text.get(..end));
        prefix.is_some_and(|prefix| prefix.len() <= 4 && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    }

    /// The line belongs to the last field of the segment before it.
    fn continuation(&mut self, line: &Line) {
        let Some(span) = self.segments.last_mut() else {
            return;
        };
        span.end = line.end;
        let location = Location::of_segment(span.name, span.occurrence);
        let what = "a line break within a field: the line was read as part of the segment before it";
        self.report(Code::DataTypeError, Severity::Warning, what, Some(location), line.number);
    }
}

/// One segment of a message.
#[derive(Clone, Copy)]
pub struct Segment<'m> {
    message: &'m Message,
    span: &'m Span,
}

impl<'m> Segment<'m> {
    /// Its name in capitals; `???` ([`Name::ODD`]) if the line begins with none.
    pub fn name(&self) -> &'m str {
        self.span.name.as_str()
    }

    /// Which segment of its name it is, from 1.
    pub fn number(&self) -> usize {
        self.span.occurrence
    }

    /// The line on which it begins, from 1.
    pub fn line(&self) -> usize {
        self.span.line
    }

    /// Where it stands.
    pub fn location(&self) -> Location {
        Location::of_segment(self.span.name, self.span.occurrence)
    }

    /// Its text as it came, without what ends it.
    pub fn raw(&self) -> &'m str {
        self.message.text.get(self.span.start..self.span.end).unwrap_or_default()
    }

    /// Whether its first two fields are the separators themselves.
    fn is_header(&self) -> bool {
        ["MSH", "FHS", "BHS"].contains(&self.name())
    }

    /// The number of its last field.
    pub fn field_count(&self) -> usize {
        let separators = memchr::memchr_iter(self.message.delimiters.field, self.raw().as_bytes()).count();
        separators + usize::from(self.is_header())
    }

    /// A field by its number, as the standard counts: MSH-1 is the field separator and MSH-9 the type.
    /// An absent field is empty.
    pub fn field(&self, number: usize) -> Value<'m> {
        let location = self.location().with_field(number);
        let (raw, depth) = match (self.is_header(), number) {
            (_, 0) => ("", Depth::Field),
            (true, 1) => (self.raw().get(3..4).unwrap_or_default(), Depth::Subcomponent),
            (true, 2) => (self.piece(2), Depth::Subcomponent),
            (true, _) => (self.piece(number), Depth::Field),
            (false, _) => (self.piece(number.saturating_add(1)), Depth::Field),
        };
        Value { message: self.message, raw, depth, location }
    }

    fn piece(&self, number: usize) -> &'m str {
        piece(self.raw(), self.message.delimiters.field, number)
    }

    /// The leaf at a path within this segment, such as `3[2].4.1`, or `None` if it is absent or empty;
    /// see [`Message::get`]. A path with a segment's name finds nothing in another segment.
    pub fn get(&self, path: impl ToPath) -> Option<Value<'m>> {
        self.at(&path.to_path()?).map(|value| value.leaf()).filter(|value| !value.is_empty())
    }

    /// All that stands at a path within this segment; see [`Message::whole`].
    pub fn whole(&self, path: impl ToPath) -> Option<Value<'m>> {
        self.at(&path.to_path()?).filter(|value| !value.is_empty())
    }

    fn at(&self, path: &Path) -> Option<Value<'m>> {
        let other_name = path.segment.is_some_and(|name| name != self.span.name);
        if other_name || path.occurrence.is_some_and(|number| number != self.span.occurrence) {
            return None;
        }
        let mut value = self.field(path.field);
        if let Some(number) = path.repetition {
            value = value.repetition(number);
        }
        if let Some(number) = path.component {
            value = value.component(number);
        }
        if let Some(number) = path.subcomponent {
            value = value.subcomponent(number);
        }
        Some(value)
    }
}

impl fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segment({}, {} bytes)", self.location(), self.raw().len())
    }
}

/// How deep a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    Field,
    Repetition,
    Component,
    Subcomponent,
}

/// A field or a part of one: a repetition, a component, a subcomponent. Absent ones are empty values, so
/// that one can ask on without looking at each step.
///
/// Asking for a part two levels down takes the first of what lies between: a field's `component(4)` is that
/// of its first repetition.
#[derive(Clone, Copy)]
pub struct Value<'m> {
    message: &'m Message,
    raw: &'m str,
    depth: Depth,
    location: Location,
}

impl<'m> Value<'m> {
    /// The text exactly as it came, with its separators and escape sequences.
    pub fn raw(&self) -> &'m str {
        self.raw
    }

    /// The text with its escape sequences resolved; separators that stand in it stay. An explicit null
    /// has no text.
    pub fn text(&self) -> Cow<'m, str> {
        if self.raw == NULL {
            return Cow::Borrowed("");
        }
        if self.is_separators() {
            return Cow::Borrowed(self.raw);
        }
        escape::unescape(self.raw, &self.message.delimiters, self.message.charset)
    }

    /// Whether it holds nothing but separators at most (and nulls, for a sender whose nulls say nothing).
    pub fn is_empty(&self) -> bool {
        if self.raw.is_empty() || self.is_separators() {
            return self.raw.is_empty();
        }
        let delimiters = &self.message.delimiters;
        let says_nothing = |part: &str| part.is_empty() || (part == NULL && self.message.quotes_are_empty);
        self.raw.split(|c| delimiters.is_separator(c)).all(says_nothing)
    }

    /// Whether it is the explicit null `""`: "delete what you have". Never for a sender whose nulls say
    /// nothing.
    pub fn is_null(&self) -> bool {
        self.raw == NULL && !self.message.quotes_are_empty
    }

    /// Where it stands.
    pub fn location(&self) -> Location {
        self.location
    }

    /// The repetitions of a field; none if it is empty.
    pub fn repetitions(self) -> impl Iterator<Item = Value<'m>> {
        self.parts(Depth::Field)
    }

    /// The components of a repetition; none if it is empty.
    pub fn components(self) -> impl Iterator<Item = Value<'m>> {
        self.down_to(Depth::Repetition).parts(Depth::Repetition)
    }

    /// A repetition by its number.
    pub fn repetition(self, number: usize) -> Value<'m> {
        self.part(Depth::Field, number)
    }

    /// A component by its number.
    pub fn component(self, number: usize) -> Value<'m> {
        self.down_to(Depth::Repetition).part(Depth::Repetition, number)
    }

    /// A subcomponent by its number.
    pub fn subcomponent(self, number: usize) -> Value<'m> {
        self.down_to(Depth::Component).part(Depth::Component, number)
    }

    /// The first subcomponent of the first component of the first repetition.
    pub fn leaf(self) -> Value<'m> {
        self.down_to(Depth::Subcomponent)
    }

    /// MSH-1 and MSH-2 hold the separators themselves.
    fn is_separators(&self) -> bool {
        self.depth == Depth::Subcomponent && self.location.component == 0
    }

    fn down_to(mut self, depth: Depth) -> Value<'m> {
        while self.depth < depth {
            self = self.part(self.depth, 1);
        }
        self
    }

    /// What separates the parts of a value of this depth.
    fn separator(&self, depth: Depth) -> u8 {
        match depth {
            Depth::Field => self.message.delimiters.repetition,
            Depth::Repetition => self.message.delimiters.component,
            Depth::Component | Depth::Subcomponent => self.message.delimiters.subcomponent,
        }
    }

    /// A part of a value of the depth `from`; a value that is deeper already is its own only part.
    fn part(self, from: Depth, number: usize) -> Value<'m> {
        if self.depth > from {
            return if number == 1 { self } else { Value { raw: "", ..self } };
        }
        self.child(piece(self.raw, self.separator(from), number), number)
    }

    fn parts(self, from: Depth) -> impl Iterator<Item = Value<'m>> {
        let divides = self.depth == from;
        let separator = char::from(self.separator(from));
        let pieces = self.raw.split(move |c| divides && c == separator);
        let wanted = if self.raw.is_empty() { 0 } else { usize::MAX };
        let part = move |(index, raw)| {
            if divides { self.child(raw, index + 1) } else { self }
        };
        pieces.enumerate().take(wanted).map(part)
    }

    fn child(self, raw: &'m str, number: usize) -> Value<'m> {
        let mut location = self.location;
        let depth = match self.depth {
            Depth::Field => {
                location.repetition = number;
                Depth::Repetition
            }
            Depth::Repetition => {
                location.component = number;
                Depth::Component
            }
            Depth::Component | Depth::Subcomponent => {
                location.subcomponent = number;
                Depth::Subcomponent
            }
        };
        Value { raw, depth, location, ..self }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({}, {} bytes)", self.location, self.raw.len())
    }
}

/// The explicit null.
const NULL: &str = "\"\"";

/// The part of a text before, between or after its separators, counted from 1; empty if there is none.
fn piece(text: &str, separator: u8, number: usize) -> &str {
    if number == 0 {
        return "";
    }
    let mut ends = memchr::memchr_iter(separator, text.as_bytes());
    let start = match number {
        1 => 0,
        _ => match ends.nth(number - 2) {
            Some(end) => end + 1,
            None => return "",
        },
    };
    let end = ends.next().unwrap_or(text.len());
    text.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MSH: &str = "MSH|^~\\&|A|B|C|D|20241001||ORU^R01|42|P|2.4";

    fn parse(text: &str) -> Message {
        Message::parse(text.as_bytes(), &Options::default()).unwrap()
    }

    /// The segments with their raw text, and the problems as severity and words.
    fn check(text: &str, segments: &[&str], problems: &[&str]) {
        let message = parse(text);
        let seen: Vec<_> = message.segments().map(|segment| format!("{} {}", segment.location(), segment.raw())).collect();
        assert_eq!(seen, segments, "{text:?}");
        let seen: Vec<_> = message.problems().iter().map(|problem| format!("{} {problem}", problem.severity.letter())).collect();
        assert_eq!(seen, problems, "{text:?}");
    }

    #[test]
    fn a_clean_message_has_no_problems() {
        check("MSH|^~\\&|A\rPID|1\rOBX|1\rOBX|2\r", &["MSH MSH|^~\\&|A", "PID PID|1", "OBX OBX|1", "OBX[2] OBX|2"], &[]);
    }

    #[test]
    fn any_line_end_ends_a_segment() {
        let segments = ["MSH MSH|^~\\&|A", "PID PID|1"];
        check("MSH|^~\\&|A\nPID|1\n", &segments, &["I segments end with LF instead of CR (line 1, column 1)"]);
        check("MSH|^~\\&|A\r\nPID|1\r\n", &segments, &["I segments end with CR LF instead of CR (line 1, column 1)"]);
        check("MSH|^~\\&|A\rPID|1\n", &segments, &["I segments end in different ways (line 1, column 1)"]);
        check("MSH|^~\\&|A\rPID|1", &segments, &["I the last segment has no CR (line 2, column 1)"]);
    }

    #[test]
    fn white_space_and_a_byte_order_mark_before_msh_are_skipped() {
        check("\u{feff}MSH|^~\\&|A\r", &["MSH MSH|^~\\&|A"], &[]);
        check(" \r\n\u{b}MSH|^~\\&|A\r", &["MSH MSH|^~\\&|A"], &["I white space before MSH (line 1, column 1)"]);
        assert_eq!(parse("\u{feff}MSH|^~\\&|A").charset_evidence(), Evidence::ByteOrderMark);
    }

    #[test]
    fn a_blank_line_before_a_result_loses_nothing() {
        check(
            "MSH|^~\\&|A\rOBR|1\r\r \rOBX|1||x\r\r",
            &["MSH MSH|^~\\&|A", "OBR OBR|1", "OBX OBX|1||x"],
            &["I a blank line within the message (line 3, column 1)"],
        );
    }

    #[test]
    fn a_damaged_segment_is_kept_as_a_segment_and_reported() {
        let problem = "E ???: a line does not begin with a segment's name: kept, but not read (line 2, column 1)";
        for damaged in ["OB|1|NM", "OBXX|1|NM", "1BX|1", "|1|NM"] {
            let text = format!("MSH|^~\\&|A\r{damaged}\rPID|1\r");
            check(&text, &["MSH MSH|^~\\&|A", &format!("??? {damaged}"), "PID PID|1"], &[problem]);
        }
    }

    #[test]
    fn white_space_and_lower_case_do_not_hide_a_segment() {
        check(
            "msh|^~\\&|A\r  OBX|1\rpid|1\r",
            &["MSH msh|^~\\&|A", "OBX OBX|1", "PID pid|1"],
            &[
                "I MSH: a segment's name is not in capitals (line 1, column 1)",
                "I OBX: white space before a segment's name (line 2, column 1)",
                "I PID: a segment's name is not in capitals (line 3, column 1)",
            ],
        );
        assert_eq!(parse("msh|^~\\&|A\rpid|||7\r").get("PID-3").unwrap().text(), "7");
    }

    #[test]
    fn a_line_break_within_a_field_stays_in_the_field() {
        let text = "MSH|^~\\&|A\rOBX|1|ED|x||QUJD\nREVG\nR0hJ||||||F\rOBX|2|TX|y||wrapped text,\n\nand more||||||P\r";
        let message = parse(text);
        assert_eq!(message.get("OBX-5").unwrap().text(), "QUJD\nREVG\nR0hJ");
        assert_eq!(message.get("OBX-11").unwrap().text(), "F");
        assert_eq!(message.get("OBX[2]-11").unwrap().text(), "P");
        let warnings = message.problems().iter().filter(|problem| problem.severity == Severity::Warning);
        assert_eq!(
            warnings.map(|problem| problem.to_string()).collect::<Vec<_>>(),
            [
                "OBX: a line break within a field: the line was read as part of the segment before it (line 3, column 1)",
                "OBX: a line break within a field: the line was read as part of the segment before it (line 4, column 1)",
                "OBX[2]: a line break within a field: the line was read as part of the segment before it (line 7, column 1)",
            ]
        );
        let lf = parse("MSH|^~\\&|A\nOBX|1|TX|y||wrapped text,\nand more of it||||||P\n");
        assert_eq!(lf.get("OBX-11").unwrap().text(), "P");
    }

    #[test]
    fn another_header_within_a_message_is_reported() {
        let problem = "another message or the end of a batch within this message";
        check(
            "MSH|^~\\&|A\rMSH|^~\\&|B\rBTS|2\r",
            &["MSH MSH|^~\\&|A", "MSH[2] MSH|^~\\&|B", "BTS BTS|2"],
            &[&format!("E MSH[2]: {problem} (line 2, column 1)"), &format!("E BTS: {problem} (line 3, column 1)")],
        );
    }

    #[test]
    fn what_is_no_message_is_refused_with_line_and_column() {
        for (bytes, expected) in [
            (&b"MSH"[..], "MSH-1: MSH is not followed by a field separator (line 1, column 4)"),
            (b"\r\n MSH\rPID|1", "MSH-1: MSH is not followed by a field separator (line 2, column 5)"),
            (b"MSHA^~\\&", "MSH-1: MSH is not followed by a field separator (line 1, column 4)"),
            (b"", "this is not an HL7 v2 message: it does not begin with MSH (line 1, column 1)"),
            (b"\n\nname,date", "this is not an HL7 v2 message: it does not begin with MSH (line 3, column 1)"),
            (b"SH|^~\\&|", "this is not an HL7 v2 message: it does not begin with MSH (line 1, column 1)"),
            (b"BHS|^~\\&|", "this is not an HL7 v2 message: it does not begin with MSH (line 1, column 1)"),
        ] {
            let problem = Message::parse(bytes, &Options::default()).unwrap_err();
            assert_eq!((problem.to_string().as_str(), problem.severity), (expected, Severity::Fatal));
        }
    }

    #[test]
    fn too_many_segments_are_refused_and_too_many_problems_are_summed_up() {
        let many = format!("{MSH}{}", "\rA1B".repeat(SEGMENTS_MAX));
        assert!(Message::parse(many.as_bytes(), &Options::default()).is_err());
        let odd = parse(&format!("{MSH}{}\r", "\rO|".repeat(1000)));
        assert_eq!((odd.problems().len(), odd.segments().count()), (PROBLEMS_MAX + 1, 1001));
        assert!(odd.problems().last().unwrap().to_string().starts_with("there are further problems"));
    }

    #[test]
    fn msh_counts_its_separator_as_a_field() {
        let message = parse("MSH|^~\\&#|A|B^X|C|D|1||ORU^R01^ORU_R01|42|P|2.7\r");
        let msh = message.segment("MSH").unwrap();
        assert_eq!((msh.field(1).raw(), msh.field(2).raw(), msh.field(2).text()), ("|", "^~\\&#", "^~\\&#".into()));
        assert!(!msh.field(1).is_empty() && !msh.field(2).is_empty());
        assert_eq!(msh.get("2").unwrap().location().to_string(), "MSH-2");
        assert_eq!(message.get("MSH-9.3").unwrap().text(), "ORU_R01");
        assert_eq!(message.get("MSH-10").unwrap().text(), "42");
        assert_eq!((msh.field_count(), message.delimiters().truncation), (12, Some(b'#')));
    }

    #[test]
    fn parts_are_found_by_path_and_by_number() {
        let message = parse(&format!("{MSH}\rPID|1||7^^^R0A&x&ISO^MR~999^^^NHS^NH||Example&of^Ann||1980\rPID|2||8\r"));
        for (path, text, location) in [
            ("PID-3", "7", "PID-3.1.1"),
            ("PID-3[2].1", "999", "PID-3[2].1.1"),
            ("PID-3.4", "R0A", "PID-3.4.1"),
            ("PID-3[1].4.3", "ISO", "PID-3.4.3"),
            ("PID[2]-3", "8", "PID[2]-3.1.1"),
            ("PID-5.1.2", "of", "PID-5.1.2"),
            ("PID-7.1.1", "1980", "PID-7.1.1"),
        ] {
            let value = message.get(path).unwrap();
            assert_eq!((&*value.text(), value.location().to_string().as_str()), (text, location), "{path}");
            assert_eq!(message.get(path.parse::<Path>().unwrap()).unwrap().raw(), text);
        }
        for absent in [
            "PID-2",
            "PID-3[3]",
            "PID-3.2",
            "PID-3.4.4",
            "PID-99",
            "PID[3]-3",
            "ZZZ-1",
            "3",
            "not a path",
            "PID-7.2",
            "PID-7[2].1",
            "PID-7.1.2",
        ] {
            assert!(message.get(absent).is_none() && message.whole(absent).is_none(), "{absent}");
        }
        let pid = message.segments_named("pid").next().unwrap();
        assert_eq!(pid.get("3[2].4").unwrap().text(), "NHS");
        assert_eq!(pid.get("PID-3").unwrap().text(), "7");
        assert!(pid.get("PID[2]-3").is_none() && pid.get("OBX-3").is_none());
        let numbers =
            pid.field(3).repetitions().map(|repetition| (repetition.component(1).text(), repetition.component(4).subcomponent(1).text()));
        assert_eq!(numbers.collect::<Vec<_>>(), [("7".into(), "R0A".into()), ("999".into(), "NHS".into())]);
        assert_eq!(pid.field(3).components().count(), 5);
        assert_eq!(pid.field(99).repetitions().count(), 0);
        assert_eq!(pid.field(99).component(2).subcomponent(3).location().to_string(), "PID-99.2.3");
    }

    #[test]
    fn free_text_is_read_whole_even_with_separators_in_it() {
        let message = parse(&format!("{MSH}\rOBX|1|TX|x||seen in A & E^ ~ again \\T\\ again\r"));
        assert_eq!(message.whole("OBX-5").unwrap().text(), "seen in A & E^ ~ again & again");
        assert_eq!(message.whole("OBX-5[2]").unwrap().text(), " again & again");
        assert_eq!(message.get("OBX-5").unwrap().text(), "seen in A ");
    }

    #[test]
    fn null_is_neither_empty_nor_text_unless_the_sender_floods_with_it() {
        let text = format!("{MSH}\rPID|1||\"\"|x|\"\"^\"\"|^~&||\"\"\"\"\r");
        let message = parse(&text);
        let null = message.get("PID-3").unwrap();
        assert!(null.is_null() && !null.is_empty() && null.text().is_empty() && null.raw() == "\"\"");
        assert!(message.get("PID-5.2").unwrap().is_null());
        assert!(message.whole("PID-6").is_none() && !message.get("PID-8").unwrap().is_null());
        let options = Options { quotes_are_empty: true, ..Options::default() };
        let message = Message::parse(text.as_bytes(), &options).unwrap();
        assert!(message.get("PID-3").is_none() && message.whole("PID-5").is_none());
        assert!(!message.segment("PID").unwrap().field(3).is_null());
    }

    #[test]
    fn escapes_are_read_in_the_messages_own_character_set() {
        let bytes = b"MSH|^~\\&|A|||||||42|P|2.4||||||8859/1\rPID|||||Zo\xeb^\\XE9\\^\\X4\\^DO\\E\r";
        let message = Message::parse(bytes, &Options::default()).unwrap();
        let texts: Vec<_> = message.segment("PID").unwrap().field(5).components().map(|part| part.text()).collect();
        assert_eq!(texts, ["Zoë", "é", "\\X4\\", "DO\\E"]);
        assert_eq!((message.charset(), message.charset_evidence()), (Charset::WINDOWS_1252, Evidence::Declared));
    }

    #[test]
    fn a_configured_character_set_and_a_wrong_declaration_are_seen() {
        let options = Options { charset: Charset::named("8859/2"), ..Options::default() };
        let message = Message::parse(b"MSH|^~\\&|A\rPID|||||\xb3\r", &options).unwrap();
        assert_eq!((message.get("PID-5").unwrap().text(), message.charset_evidence()), ("ł".into(), Evidence::Sender));
        let message = Message::parse(b"MSH|^~\\&|A|||||||||||||||UNICODE UTF-8\rPID|||||\xe9\r", &Options::default()).unwrap();
        assert_eq!(message.get("PID-5").unwrap().text(), "é");
        assert_eq!(message.problems()[0].location.unwrap().to_string(), "MSH-18");
    }

    #[test]
    fn debug_shows_no_content() {
        let message = parse(&format!("{MSH}\rPID|||secret\r"));
        let pid = message.segment("PID").unwrap();
        assert_eq!(
            format!("{message:?} {pid:?} {:?}", pid.field(3)),
            "Message { segments: [MSH, PID], .. } Segment(PID, 12 bytes) Value(PID-3, 6 bytes)"
        );
    }

    /// Everything that can be asked of a message.
    fn walk(message: &Message) -> usize {
        let mut seen = 0;
        for segment in message.segments() {
            for number in 0..=segment.field_count() + 1 {
                let field = segment.field(number);
                for repetition in field.repetitions() {
                    for component in repetition.components() {
                        seen += component.subcomponent(1).text().len() + component.subcomponent(2).text().len();
                        seen += usize::from(component.is_null()) + component.location().to_string().len();
                    }
                }
                seen += field.text().len() + usize::from(field.is_empty()) + field.leaf().raw().len();
            }
        }
        seen
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120), quotes_are_empty in any::<bool>()) {
            for start in ["", "MSH", "MSH|", "MSH|^~\\&|A\r", "\u{feff}MSH|^~\\&|A\nPID|"] {
                let bytes = [start.as_bytes(), &bytes].concat();
                if let Ok(message) = Message::parse(&bytes, &Options { charset: None, quotes_are_empty }) {
                    walk(&message);
                    let _ = message.header();
                }
            }
        }

        #[test]
        fn no_text_made_of_separators_panics_and_nothing_is_left_out(text in "[|^~&\\\\#\"\r\n A-Zab1é]{0,60}") {
            let Ok(message) = Message::parse(format!("MSH{text}").as_bytes(), &Options::default()) else { return Ok(()) };
            walk(&message);
            // Between the segments there are only line ends and white space, and the fields are all of a segment.
            let mut rest = message.as_str().to_owned();
            for segment in message.segments() {
                rest = rest.replacen(segment.raw(), "", 1);
                let fields: Vec<_> = (0..).map(|number| segment.field(number).raw()).take(segment.field_count() + 1).collect();
                let separator = char::from(message.delimiters().field).to_string();
                let name = segment.raw().split(&separator).next().unwrap();
                let from = if segment.name() == "MSH" { 2 } else { 1 };
                let printed = [&[name], &fields[from.min(fields.len())..]].concat().join(&separator);
                if message.delimiters().field.is_ascii_punctuation() && !["FHS", "BHS"].contains(&segment.name()) {
                    prop_assert_eq!(printed, segment.raw());
                }
            }
            prop_assert_eq!(rest.trim(), "");
        }
    }
}
