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
        let Some(span) = self.segments.last_mut() else { return };
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
        let part = move |(index, raw)| if divides { self.child(raw, index + 1) } else { self };
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
