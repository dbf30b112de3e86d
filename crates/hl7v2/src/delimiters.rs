//! The separators that a message declares in MSH-1 and MSH-2.

/// The separators of one message. They are read from the message, never assumed; all are ASCII
/// punctuation, so that they can be searched for as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiters {
    /// MSH-1, normally `|`.
    pub field: u8,
    /// First of MSH-2, normally `^`.
    pub component: u8,
    /// Second of MSH-2, normally `~`.
    pub repetition: u8,
    /// Third of MSH-2, normally `\`.
    pub escape: u8,
    /// Fourth of MSH-2, normally `&`.
    pub subcomponent: u8,
    /// Fifth of MSH-2 (from version 2.7), normally `#`; only where the message declares it.
    pub truncation: Option<u8>,
}

impl Default for Delimiters {
    fn default() -> Self {
        Delimiters { field: b'|', component: b'^', repetition: b'~', escape: b'\\', subcomponent: b'&', truncation: None }
    }
}

impl Delimiters {
    /// Reads the separators from a segment that begins with `MSH`, `FHS` or `BHS`, and says what had to
    /// be tolerated. `None` where there is no usable field separator.
    pub(crate) fn read(segment: &str) -> Option<(Delimiters, Option<&'static str>)> {
        let field = *segment.as_bytes().get(3)?;
        if !usable(field) {
            return None;
        }
        let rest = segment.get(4..)?;
        let declared = rest.split(char::from(field)).next().unwrap_or_default();
        let (delimiters, tolerated) = Delimiters::from_msh2(field, declared.as_bytes());
        Some((delimiters, tolerated))
    }

    fn from_msh2(field: u8, declared: &[u8]) -> (Delimiters, Option<&'static str>) {
        let ordinary = Delimiters { field, ..Delimiters::default() };
        let roles = [ordinary.component, ordinary.repetition, ordinary.escape, ordinary.subcomponent];
        if declared.len() < roles.len() {
            // `^&` and `^~` are seen: what is there keeps its usual role. Unusual ones go by position.
            let usual = declared.iter().all(|byte| roles.contains(byte));
            let padded = if usual { ordinary } else { ordinary.by_position(declared) };
            return (padded, Some("MSH-2 is short: the usual separators were assumed"));
        }
        let mut read = ordinary.by_position(declared);
        read.truncation = declared.get(4).copied().filter(|byte| usable(*byte));
        let mut all = vec![read.field, read.component, read.repetition, read.escape, read.subcomponent];
        all.sort_unstable();
        all.dedup();
        let strange = all.len() < 5 || declared.len() > 5 || !declared.iter().copied().all(usable);
        (read, strange.then_some("MSH-2 is not five different separators at most: read as far as possible"))
    }

    fn by_position(self, declared: &[u8]) -> Delimiters {
        let at = |index: usize, usual: u8| declared.get(index).copied().filter(|byte| usable(*byte)).unwrap_or(usual);
        Delimiters {
            component: at(0, self.component),
            repetition: at(1, self.repetition),
            escape: at(2, self.escape),
            subcomponent: at(3, self.subcomponent),
            ..self
        }
    }

    /// MSH-2 as these delimiters write it: four characters, or five with the truncation character.
    pub fn msh2(&self) -> String {
        let mut text: String = [self.component, self.repetition, self.escape, self.subcomponent].map(char::from).iter().collect();
        text.extend(self.truncation.map(char::from));
        text
    }

    pub(crate) fn is_separator(&self, c: char) -> bool {
        [self.field, self.component, self.repetition, self.subcomponent].map(char::from).contains(&c)
    }
}

/// Whether a byte can be a separator. The double quote cannot: two of them are the explicit null.
pub(crate) fn usable(byte: u8) -> bool {
    byte.is_ascii_punctuation() && byte != b'"'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(segment: &str) -> (String, bool) {
        let (delimiters, tolerated) = Delimiters::read(segment).unwrap();
        (delimiters.msh2(), tolerated.is_some())
    }

    #[test]
    fn separators_are_read_from_the_message() {
        assert_eq!(read("MSH|^~\\&|A"), ("^~\\&".into(), false));
        assert_eq!(read("MSH$*!?@$A"), ("*!?@".into(), false));
        assert_eq!(read("MSH|^~\\&#|A"), ("^~\\&#".into(), false));
    }

    #[test]
    fn a_short_msh_2_is_padded_and_reported() {
        for short in ["MSH|^&|A", "MSH|^~|A", "MSH|^~&|A", "MSH|^~\\|A", "MSH||A", "MSH|", "MSH|^"] {
            assert_eq!(read(short), ("^~\\&".into(), true), "{short}");
        }
        assert_eq!(read("MSH|*|A"), ("*~\\&".into(), true));
    }

    #[test]
    fn strange_separators_are_reported_and_letters_are_never_separators() {
        assert_eq!(read("MSH|^^^^|A"), ("^^^^".into(), true));
        assert_eq!(read("MSH|LAB SYSTEM|A"), ("^~\\&".into(), true));
        assert_eq!(Delimiters::read("MSHAPED"), None);
        assert_eq!(Delimiters::read("MSH"), None);
        assert_eq!(Delimiters::read("MSH\u{a6}^~\\&"), None);
    }
}
