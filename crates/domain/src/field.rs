//! Fields of a form that hold words: trimmed, of a length, without what a screen cannot show.

use std::fmt;

/// What is wrong with a field. Never what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field.
    pub field: &'static str,
    /// What is wrong.
    pub what: String,
}

impl Problem {
    /// A problem of a field.
    pub fn new(field: &'static str, what: impl Into<String>) -> Self {
        Self { field, what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.what)
    }
}

/// Reads a field that may be empty: without space around it, lines ended in one way, at most so many characters.
///
/// # Errors
/// Too long, or with control characters other than the end of a line.
pub fn words(field: &'static str, given: &str, most: usize) -> Result<String, Problem> {
    let text = given.trim().replace("\r\n", "\n");
    if text.chars().count() > most {
        return Err(Problem::new(field, format!("Use {most} characters or fewer")));
    }
    if text.chars().any(|character| character.is_control() && character != '\n') {
        return Err(Problem::new(field, "Remove characters that cannot be shown"));
    }
    Ok(text)
}

/// As [`words`], for a field that must not be empty; `asked` says what to enter.
///
/// # Errors
/// Those of [`words`], and `asked`.
pub fn needed(field: &'static str, given: &str, most: usize, asked: &str) -> Result<String, Problem> {
    let text = words(field, given, most)?;
    if text.is_empty() { Err(Problem::new(field, asked)) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_trimmed_and_of_a_length_in_characters() {
        assert_eq!(words("f", "  één\r\ntwee ", 8), Ok("één\ntwee".to_owned()));
        assert_eq!(words("f", "ééé", 2).unwrap_err().to_string(), "f: Use 2 characters or fewer");
        assert!(words("f", "a\0b", 9).is_err());
        assert_eq!(needed("f", " \n ", 9, "Enter it"), Err(Problem::new("f", "Enter it")));
    }
}
