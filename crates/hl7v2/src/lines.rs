//! Lines, whatever ends them, with their numbers.

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// Nothing: the text begins or ends here.
    None,
    /// The only one that the standard knows.
    Cr,
    Lf,
    CrLf,
}

/// One line: the bytes `start..end`, without what ends it; the next begins at `next`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) next: usize,
    pub(crate) number: usize,
    pub(crate) before: Break,
    pub(crate) after: Break,
}

/// The lines of `bytes[at..end]`; the first has the number `number`.
pub(crate) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    number: usize,
    before: Break,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize, number: usize) -> Lines<'a> {
        Lines { bytes, at, number, before: Break::None }
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr2(b'\r', b'\n', rest).map_or(self.bytes.len(), |offset| self.at + offset);
        let after = match (self.bytes.get(end), self.bytes.get(end + 1)) {
            (Some(b'\r'), Some(b'\n')) => Break::CrLf,
            (Some(b'\r'), _) => Break::Cr,
            (Some(_), _) => Break::Lf,
            (None, _) => Break::None,
        };
        let width = match after {
            Break::None => 0,
            Break::Cr | Break::Lf => 1,
            Break::CrLf => 2,
        };
        let line = Line { start: self.at, end, next: end + width, number: self.number, before: self.before, after };
        (self.at, self.number, self.before) = (line.next, self.number + 1, after);
        Some(line)
    }
}

/// How many lines end in `bytes`.
pub(crate) fn breaks(bytes: &[u8]) -> usize {
    Lines::new(bytes, 0, 1).filter(|line| line.after != Break::None).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_line_end_ends_a_line() {
        let text = b"a\rb\nc\r\n\re";
        let lines: Vec<_> = Lines::new(text, 0, 1).map(|line| (&text[line.start..line.end], line.number)).collect();
        assert_eq!(lines, [(&b"a"[..], 1), (b"b", 2), (b"c", 3), (b"", 4), (b"e", 5)]);
        assert_eq!(breaks(text), 4);
        assert_eq!(Lines::new(b"", 0, 1).count(), 0);
    }
}
