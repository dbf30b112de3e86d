//! Writes segments straight into one text, fields in ascending order. The builder of `alongside_hl7v2` takes them in any
//! order and keeps each apart, which costs most of the time of a year of messages; the escaping is its own.

use alongside_hl7v2::Delimiters;
use alongside_hl7v2::escape::{LineBreaks, escape};

/// A message being written with the usual separators.
#[derive(Default)]
pub(super) struct Segments {
    text: String,
    /// The field that was written last.
    field: usize,
}

impl Segments {
    /// Begins a segment.
    pub(super) fn segment(&mut self, name: &str) -> &mut Self {
        if !self.text.is_empty() {
            self.text.push('\r');
        }
        self.text.push_str(name);
        self.field = 0;
        if name == "MSH" {
            self.text.push_str("|^~\\&");
            self.field = 2;
        }
        self
    }

    /// The message; every segment is ended by CR.
    pub(super) fn finish(mut self) -> String {
        self.text.push('\r');
        self.text
    }

    /// Goes on to a field, or to its next repetition where it is the last one written.
    fn go_to(&mut self, number: usize) {
        debug_assert!(number >= self.field && number > 0, "fields are written in order");
        if number == self.field {
            self.text.push('~');
        }
        while self.field < number {
            self.text.push('|');
            self.field += 1;
        }
    }

    fn push(&mut self, text: &str) {
        if text.bytes().any(|byte| matches!(byte, b'|' | b'^' | b'~' | b'\\' | b'&' | b'\r' | b'\n' | 0x0b | 0x1c)) {
            self.text.push_str(&escape(text, &Delimiters::default(), LineBreaks::Space));
        } else {
            self.text.push_str(text);
        }
    }

    /// A field of one text.
    pub(super) fn field(&mut self, number: usize, text: &str) -> &mut Self {
        self.go_to(number);
        self.push(text);
        self
    }

    /// A field as it is, with its own separators.
    pub(super) fn raw(&mut self, number: usize, raw: &str) -> &mut Self {
        self.go_to(number);
        self.text.push_str(raw);
        self
    }

    /// Says that the raw field written last held all up to this one.
    pub(super) fn go_past(&mut self, number: usize) -> &mut Self {
        self.field = number;
        self
    }

    /// A repetition of these components, without the empty ones at its end.
    pub(super) fn components(&mut self, number: usize, texts: &[&str]) -> &mut Self {
        self.go_to(number);
        let used = texts.iter().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1);
        for (index, text) in texts.iter().take(used).enumerate() {
            if index > 0 {
                self.text.push('^');
            }
            self.push(text);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alongside_hl7v2::write::MessageBuilder;

    #[test]
    fn what_is_written_is_what_the_builder_writes() {
        let mut segments = Segments::default();
        segments.segment("MSH").field(3, "LAB & CO").components(9, &["ADT", "A28"]).field(10, "4|2");
        segments.segment("PID").components(3, &["77", "", "", "RQM", "MR"]).components(3, &["99^9", "", "", "", ""]).raw(5, "\"\"^b");
        let mut builder = MessageBuilder::default();
        builder.segment("MSH").field(3, "LAB & CO").components(9, &["ADT", "A28"]).field(10, "4|2");
        builder.segment("PID").components(3, &["77", "", "", "RQM", "MR"]).components(3, &["99^9", "", "", "", ""]).raw(5, "\"\"^b");
        assert_eq!(segments.finish(), builder.finish());
    }
}
