//! Writing messages: every text is escaped, every segment ends with CR.

use crate::delimiters::Delimiters;
use crate::escape::{LineBreaks, escape};

/// The largest number of a field, repetition, component or subcomponent that can be written.
/// What is set beyond it is left out: it could only be a mistake, and would cost memory.
pub const NUMBER_MAX: usize = 999;

/// Builds a message segment by segment.
///
/// ```
/// use alongside_hl7v2::write::MessageBuilder;
///
/// let mut message = MessageBuilder::default();
/// message.segment("MSH").field(3, "LAB & CO").components(9, &["ADT", "A28"]).field(10, "42");
/// message.segment("PID").components(3, &["77", "", "", "RQM", "MR"]).components(3, &["9990000018", "", "", "NHS", "NH"]);
/// assert_eq!(message.finish(), "MSH|^~\\&|LAB \\T\\ CO||||||ADT^A28|42\rPID|||77^^^RQM^MR~9990000018^^^NHS^NH\r");
/// ```
#[derive(Clone, Default)]
pub struct MessageBuilder {
    delimiters: Delimiters,
    segments: Vec<SegmentBuilder>,
}

impl MessageBuilder {
    /// A builder that writes with these separators.
    pub fn new(delimiters: Delimiters) -> MessageBuilder {
        MessageBuilder { delimiters, segments: Vec::new() }
    }

    /// Adds a segment, to be filled. `MSH`, `FHS` and `BHS` get their first two fields by themselves.
    pub fn segment(&mut self, name: &str) -> &mut SegmentBuilder {
        let index = self.segments.len();
        self.segments.push(SegmentBuilder::new(name, self.delimiters));
        &mut self.segments[index]
    }

    /// The message, each segment ended by CR.
    pub fn finish(&self) -> String {
        let mut out = String::new();
        for segment in &self.segments {
            segment.write(&mut out);
            out.push('\r');
        }
        out
    }
}

/// Builds one segment. Every number counts from 1, as in the standard: the type is `MSH`'s field 9.
#[derive(Clone)]
pub struct SegmentBuilder {
    name: String,
    delimiters: Delimiters,
    /// The raw fields from 1 on.
    fields: Vec<String>,
}

impl SegmentBuilder {
    fn new(name: &str, delimiters: Delimiters) -> SegmentBuilder {
        SegmentBuilder { name: name.to_owned(), delimiters, fields: Vec::new() }
    }

    /// Sets a whole field to a text; line breaks become spaces.
    pub fn field(&mut self, number: usize, text: &str) -> &mut Self {
        let raw = escape(text, &self.delimiters, LineBreaks::Space);
        self.raw(number, &raw)
    }

    /// Sets a whole field to a formatted text: line breaks become `\.br\`.
    pub fn formatted(&mut self, number: usize, text: &str) -> &mut Self {
        let raw = escape(text, &self.delimiters, LineBreaks::Formatted);
        self.raw(number, &raw)
    }

    /// Sets a whole field to what is given, unescaped: with its own separators, or wrong on purpose.
    pub fn raw(&mut self, number: usize, raw: &str) -> &mut Self {
        if let Some(field) = self.slot(number) {
            raw.clone_into(field);
        }
        self
    }

    /// Adds a repetition made of these components; the first one if the field is empty.
    pub fn components(&mut self, number: usize, texts: &[&str]) -> &mut Self {
        let Delimiters { component, repetition, .. } = self.delimiters;
        let parts: Vec<_> = texts.iter().map(|text| escape(text, &self.delimiters, LineBreaks::Space)).collect();
        let joined = parts.join(&char::from(component).to_string());
        let value = joined.trim_end_matches(char::from(component));
        if let Some(field) = self.slot(number) {
            if !field.is_empty() {
                field.push(char::from(repetition));
            }
            field.push_str(value);
        }
        self
    }

    /// Sets a component of the first repetition.
    pub fn component(&mut self, number: usize, component: usize, text: &str) -> &mut Self {
        self.subcomponent(number, 1, component, 1, text)
    }

    /// Sets a subcomponent: field, repetition, component, subcomponent.
    pub fn subcomponent(&mut self, number: usize, repetition: usize, component: usize, subcomponent: usize, text: &str) -> &mut Self {
        let delimiters = self.delimiters;
        let raw = escape(text, &delimiters, LineBreaks::Space).into_owned();
        if let Some(field) = self.slot(number) {
            *field = replaced(field, delimiters.repetition, repetition, |field| {
                replaced(field, delimiters.component, component, |component| {
                    replaced(component, delimiters.subcomponent, subcomponent, |_| raw.clone())
                })
            });
        }
        self
    }

    fn is_header(&self) -> bool {
        ["MSH", "FHS", "BHS"].contains(&self.name.as_str())
    }

    fn slot(&mut self, number: usize) -> Option<&mut String> {
        let separators = self.is_header() && number <= 2;
        if separators || !(1..=NUMBER_MAX).contains(&number) {
            return None;
        }
        if self.fields.len() < number {
            self.fields.resize(number, String::new());
        }
        self.fields.get_mut(number - 1)
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.name);
        let separator = char::from(self.delimiters.field);
        let mut from = 0;
        if self.is_header() {
            out.push(separator);
            out.push_str(&self.delimiters.msh2());
            from = 2;
        }
        let last = self.fields.iter().rposition(|field| !field.is_empty()).map_or(0, |index| index + 1);
        for field in self.fields.get(from..last).unwrap_or_default() {
            out.push(separator);
            out.push_str(field);
        }
    }
}

/// The text with one of its parts changed; missing parts before it are added.
fn replaced(text: &str, separator: u8, number: usize, change: impl FnOnce(&str) -> String) -> String {
    if !(1..=NUMBER_MAX).contains(&number) {
        return text.to_owned();
    }
    let separator = char::from(separator);
    let mut parts: Vec<String> = text.split(separator).map(str::to_owned).collect();
    if parts.len() < number {
        parts.resize(number, String::new());
    }
    if let Some(part) = parts.get_mut(number - 1) {
        *part = change(part);
    }
    parts.join(&separator.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Message, Options};

    fn pid(fill: impl FnOnce(&mut SegmentBuilder)) -> String {
        let mut message = MessageBuilder::default();
        fill(message.segment("PID"));
        message.finish()
    }

    #[test]
    fn parts_are_set_by_number_and_the_gaps_are_filled() {
        let text = pid(|pid| {
            pid.subcomponent(3, 2, 4, 2, "x").component(5, 2, "Ann").component(5, 1, "Ex^ample").field(7, "1980");
        });
        assert_eq!(text, "PID|||~^^^&x||Ex\\S\\ample^Ann||1980\r");
    }

    #[test]
    fn no_text_can_break_out_of_its_field() {
        let text = pid(|pid| {
            pid.field(5, "a|b\rOBX|1\u{1c}").formatted(6, "one\r\ntwo").raw(8, "a^b&\\.br\\");
        });
        assert_eq!(text, "PID|||||a\\F\\b OBX\\F\\1 |one\\.br\\two||a^b&\\.br\\\r");
    }

    #[test]
    fn numbers_out_of_range_and_the_separators_of_msh_cannot_be_set() {
        let mut message = MessageBuilder::default();
        message.segment("MSH").field(1, "x").field(2, "x").field(0, "x").field(usize::MAX, "x").component(3, 0, "x");
        message.segment("ZZZ").subcomponent(1, usize::MAX, 1, 1, "x");
        assert_eq!(message.finish(), "MSH|^~\\&\rZZZ\r");
    }

    #[test]
    fn what_is_written_with_other_separators_reads_back() {
        let delimiters = Delimiters { field: b'$', component: b'*', truncation: Some(b'#'), ..Delimiters::default() };
        let mut message = MessageBuilder::new(delimiters);
        message.segment("MSH").components(9, &["ADT", "A01"]).field(10, "$*#|^");
        let text = message.finish();
        let read = Message::parse(text.as_bytes(), &Options::default()).unwrap();
        assert_eq!(read.get("MSH-9.2").unwrap().text(), "A01");
        assert_eq!(read.get("MSH-10").unwrap().text(), "$*#|^");
        assert_eq!(read.delimiters(), delimiters);
    }
}
