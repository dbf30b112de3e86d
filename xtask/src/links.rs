//! Links of the documents that lead nowhere.

use std::collections::BTreeSet;

/// The relative links of a Markdown file whose target is neither a file nor a folder of the
/// repository, with their lines, from 1. What stands in code is not read.
pub(crate) fn broken(file: &str, text: &str, files: &BTreeSet<&str>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            let links = targets(line).filter(|target| is_broken(file, target, files));
            found.extend(links.map(|target| (index + 1, target)));
        }
    }
    found
}

/// Every `](target)` outside of backticks, without its title.
fn targets(line: &str) -> impl Iterator<Item = String> {
    let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
    prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next())
        .map(|target| target.trim_matches(['<', '>']).to_owned())
        .collect::<Vec<_>>()
        .into_iter()
}

fn is_broken(file: &str, target: &str, files: &BTreeSet<&str>) -> bool {
    let path = target.split('#').next().unwrap_or("");
    let elsewhere = target.contains("://") || target.starts_with("mailto:");
    if elsewhere || path.is_empty() {
        return false;
    }
    resolve(file, path).is_none_or(|path| !exists(&path, files))
}

fn exists(path: &str, files: &BTreeSet<&str>) -> bool {
    let folder = format!("{path}/");
    path.is_empty() || files.contains(path) || files.range(folder.as_str()..).next().is_some_and(|file| file.starts_with(&folder))
}

/// The path from the root; `None` when it leads out of the repository.
fn resolve(file: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { file.split('/').collect() };
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken_in(file: &str, text: &str) -> Vec<(usize, String)> {
        let files = BTreeSet::from(["README.md", "docs/glossary.md", "docs/decisions/one.md"]);
        broken(file, text, &files)
    }

    #[test]
    fn links_to_files_and_folders_are_well() {
        let text = "[a](glossary.md#words) [b](../README.md) [c](decisions/) [d](#here) \
                    [e](https://elsewhere.invalid/x) [f](decisions/one.md \"title\")";
        assert!(broken_in("docs/index.md", text).is_empty());
    }

    #[test]
    fn a_link_that_leads_nowhere_is_found_with_its_line() {
        assert_eq!(broken_in("docs/index.md", "\n![a](pictures/none.png)"), [(2, "pictures/none.png".to_owned())]);
        assert_eq!(broken_in("README.md", "[a](../outside.md)").len(), 1);
    }

    #[test]
    fn what_stands_in_code_is_no_link() {
        assert!(broken_in("README.md", "`[a](b.md)`\n```\n[a](b.md)\n```").is_empty());
    }
}
