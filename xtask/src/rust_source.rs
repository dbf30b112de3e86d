//! Tells apart what is code, what is text in quotes and what is a comment in Rust source,
//! so that a check of the code does not trip over a sentence about it.

/// A source file, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// The source with comments and the insides of quotes left out; lines stay where they were.
    pub(crate) code: String,
    /// The inside of each string, as written, with the line on which it begins, from 1.
    pub(crate) strings: Vec<(usize, String)>,
}

/// Takes source apart. Total: what does not end, ends with the file.
pub(crate) fn take_apart(text: &str) -> Source {
    let mut reader = Reader { rest: text, line: 1, source: Source::default() };
    while !reader.rest.is_empty() {
        reader.step();
    }
    reader.source
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    source: Source,
}

impl<'a> Reader<'a> {
    fn step(&mut self) {
        if self.rest.starts_with("//") {
            self.drop(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.drop(block_comment_length(self.rest));
        } else if let Some(hashes) = self.raw_string_hashes() {
            self.raw_string(hashes);
        } else if self.rest.starts_with('"') {
            self.string();
        } else if let Some(length) = char_literal_length(self.rest) {
            self.drop(length);
        } else {
            let length = self.rest.chars().next().map_or(1, char::len_utf8);
            let character = self.take(length);
            self.source.code.push_str(character);
        }
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    /// Leaves out, but keeps the line ends.
    fn drop(&mut self, length: usize) -> &'a str {
        let taken = self.take(length);
        let lines = taken.matches('\n').count();
        self.source.code.push_str(&"\n".repeat(lines));
        taken
    }

    /// The number of `#` of a raw string that begins here: `r"`, `r#"`, also after `b` or `c`.
    fn raw_string_hashes(&self) -> Option<usize> {
        let after = self.rest.strip_prefix('r')?;
        let in_a_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut before = self.source.code.chars().rev();
        match before.next() {
            Some('b' | 'c') if before.next().is_some_and(in_a_word) => return None,
            Some('b' | 'c') | None => {}
            Some(c) if in_a_word(c) => return None,
            Some(_) => {}
        }
        let hashes = after.len() - after.trim_start_matches('#').len();
        after[hashes..].starts_with('"').then_some(hashes)
    }

    fn raw_string(&mut self, hashes: usize) {
        let line = self.line;
        self.drop("r".len() + hashes + 1);
        let end = format!("\"{}", "#".repeat(hashes));
        let length = self.rest.find(&end).unwrap_or(self.rest.len());
        let inside = self.drop(length);
        self.source.strings.push((line, inside.to_owned()));
        self.drop(end.len());
    }

    fn string(&mut self) {
        let line = self.line;
        self.drop(1);
        let mut escaped = false;
        let length = self
            .rest
            .find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            })
            .unwrap_or(self.rest.len());
        let inside = self.drop(length);
        self.source.strings.push((line, inside.to_owned()));
        self.drop(1);
    }
}

/// Comments in blocks may hold others.
fn block_comment_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of `'x'` or `'\n'`; a lifetime is none.
fn char_literal_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    if first == '\\' {
        // The escaped character may itself be a quote.
        let end = inside.get(2..)?.find('\'')?;
        return Some(1 + 2 + end + 1);
    }
    inside[first.len_utf8()..].starts_with('\'').then_some(1 + first.len_utf8() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(text: &str) -> Vec<(usize, String)> {
        take_apart(text).strings
    }

    #[test]
    fn comments_go_and_lines_stay() {
        let source = take_apart("a // one\n/* two /* three\n */ four */ b\nc");
        assert_eq!(source.code, "a \n\n b\nc");
    }

    #[test]
    fn strings_are_kept_apart_with_their_lines() {
        assert_eq!(
            strings("f(\"one // \\\" two\");\ng(r#\"a \" b\"#, br\"c\")"),
            [(1, "one // \\\" two".to_owned()), (2, "a \" b".to_owned()), (2, "c".to_owned())]
        );
    }

    #[test]
    fn a_quote_in_a_character_begins_no_string() {
        let source = take_apart("let a: &'a str = x('\"', '\\'', 'é'); // b");
        assert!(source.strings.is_empty());
        assert_eq!(source.code, "let a: &'a str = x(, , ); ");
    }

    #[test]
    fn a_name_that_ends_in_r_begins_no_raw_string() {
        assert_eq!(take_apart("r#type(br#type, bar, r)").code, "r#type(br#type, bar, r)");
        assert_eq!(strings("expr!(\"x\")"), [(1, "x".to_owned())]);
    }

    #[test]
    fn source_that_breaks_off_is_taken_apart_all_the_same() {
        for text in ["\"abc", "/* abc", "r#\"abc", "'\\", "'", "r", "r#"] {
            take_apart(text);
        }
    }
}
