//! The page of definitions, read from `docs/measures.md`: one text for people who read the repository and people who read
//! the page.

use std::sync::LazyLock;

const TEXT: &str = include_str!("../../../../docs/measures.md");

/// The definitions.
pub(crate) struct Document {
    /// What stands before the first of them, by paragraph.
    pub(crate) introduction: Vec<String>,
    /// The definitions.
    pub(crate) measures: Vec<Definition>,
}

/// One definition.
pub(crate) struct Definition {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) title: String,
    /// Term and text.
    pub(crate) parts: Vec<(String, String)>,
}

pub(crate) static DOCUMENT: LazyLock<Document> = LazyLock::new(|| read(TEXT));

/// Reads the few forms that the document uses: `` ## `id`, version 1: Title ``, `- **Term**: text` that may go on in
/// indented lines, and paragraphs. Backticks and asterisks are left out.
fn read(text: &str) -> Document {
    let (introduction, rest) = text.split_once("\n## ").unwrap_or((text, ""));
    let paragraphs = introduction.split("\n\n").map(joined).filter(|paragraph| !paragraph.is_empty() && !paragraph.starts_with('#'));
    Document { introduction: paragraphs.collect(), measures: rest.split("\n## ").filter_map(definition).collect() }
}

fn definition(section: &str) -> Option<Definition> {
    let (heading, body) = section.split_once('\n')?;
    let (name, title) = heading.split_once(": ")?;
    let (id, version) = name.split_once(", version ")?;
    let items = body.split("\n- ").skip(1);
    Some(Definition {
        id: id.trim_matches('`').to_owned(),
        version: version.to_owned(),
        title: title.to_owned(),
        parts: items.filter_map(|item| item.split_once("**: ")).map(|(term, text)| (plain(term), joined(text))).collect(),
    })
}

/// The lines of a paragraph as one.
fn joined(text: &str) -> String {
    plain(&text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" "))
}

fn plain(text: &str) -> String {
    text.replace(['`', '*'], "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alongside_domain::measures::{Audience, Observed, report};
    use alongside_domain::person::SiteId;

    #[test]
    fn every_measure_of_a_report_has_its_definition_in_the_same_version_and_no_other_has() {
        let quarter = "2024-Q4".parse().unwrap();
        let day = jiff::civil::date(2025, 1, 6);
        let report = report(SiteId("s".into()), quarter, day, &Observed::default(), Audience::Service).unwrap();
        let reported: Vec<_> = report.measures.iter().map(|measure| (measure.id.to_owned(), measure.version.to_string())).collect();
        let defined: Vec<_> = DOCUMENT.measures.iter().map(|measure| (measure.id.clone(), measure.version.clone())).collect();
        assert_eq!(defined, reported);
    }

    #[test]
    fn every_definition_says_what_is_counted_what_is_left_out_and_where_it_comes_from() {
        assert!(!DOCUMENT.introduction.is_empty());
        for measure in &DOCUMENT.measures {
            let terms: Vec<&str> = measure.parts.iter().map(|(term, _)| term.as_str()).collect();
            for term in ["Means", "Left out", "Source"] {
                assert!(terms.contains(&term), "{} has no {term}: {terms:?}", measure.id);
            }
            assert!(terms.contains(&"Counts") || (terms.contains(&"Numerator") && terms.contains(&"Denominator")), "{}", measure.id);
            assert!(measure.parts.iter().all(|(_, text)| text.ends_with('.')), "{}", measure.id);
        }
    }
}
