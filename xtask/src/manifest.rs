//! Reads the dependencies out of a `Cargo.toml`: as much of TOML as our manifests use.

/// One dependency of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// Line in the manifest, from 1.
    pub(crate) line: usize,
    /// The name on the left, which is the crate's: [`renamed`](Self::renamed) ones are refused.
    pub(crate) name: String,
    pub(crate) table: Table,
    /// Whether another crate hides behind the name (`package = "…"`).
    pub(crate) renamed: bool,
    /// Whether this manifest says the version, and not the workspace's.
    pub(crate) own_version: bool,
}

/// Which table a dependency stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// `[dependencies]` and `[build-dependencies]`, for every target.
    Normal,
    /// `[dev-dependencies]`: what only tests see.
    Dev,
    /// `[workspace.dependencies]` of the root.
    Workspace,
}

/// Where a line stands.
#[derive(Clone)]
enum Section {
    /// In a table of dependencies: each key is one.
    List(Table),
    /// In the table of one dependency, `[dependencies.name]`.
    One,
    Other,
}

/// Every dependency that the manifest lists, in its order.
pub(crate) fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    let mut section = Section::Other;
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = header(line) {
            section = enter(header, index + 1, &mut found);
        } else if let Some((key, value)) = entry(line) {
            match section {
                Section::List(table) => found.push(listed(index + 1, key, value, table)),
                Section::One => describe(found.last_mut(), key),
                Section::Other => {}
            }
        }
    }
    found
}

fn header(line: &str) -> Option<&str> {
    let (header, _) = line.strip_prefix('[')?.rsplit_once(']')?;
    Some(header.trim_matches(['[', ']']))
}

/// A line `key = value`; the inner lines of a list over several lines have no key.
fn entry(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    let key = key.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.\"".contains(c);
    (!key.is_empty() && key.chars().all(plain)).then_some((key, value.trim()))
}

fn enter(header: &str, line: usize, found: &mut Vec<Dependency>) -> Section {
    if let Some(table) = table(header) {
        return Section::List(table);
    }
    let Some((before, name)) = header.rsplit_once('.') else {
        return Section::Other;
    };
    let Some(table) = table(before) else {
        return Section::Other;
    };
    found.push(Dependency { line, name: unquoted(name), table, renamed: false, own_version: true });
    Section::One
}

/// The table that a header names; `[target.'cfg(unix)'.dependencies]` counts as well.
fn table(header: &str) -> Option<Table> {
    if header == "workspace.dependencies" {
        return Some(Table::Workspace);
    }
    let target = header.starts_with("target.");
    match header.rsplit('.').next() {
        Some(last) if last != header && !target => None,
        Some("dependencies" | "build-dependencies") => Some(Table::Normal),
        Some("dev-dependencies") => Some(Table::Dev),
        _ => None,
    }
}

/// `name = …`, `name.workspace = true` or `name = { … }`.
fn listed(line: usize, key: &str, value: &str, table: Table) -> Dependency {
    let (name, attribute) = key.split_once('.').unwrap_or((key, ""));
    let has = |wanted: &str| attribute == wanted || inline_key(value, wanted);
    Dependency { line, name: unquoted(name), table, renamed: has("package"), own_version: !has("workspace") && !has("path") }
}

fn inline_key(value: &str, wanted: &str) -> bool {
    value.starts_with('{') && value.split(['{', ',']).any(|part| part.split('=').next().map(str::trim) == Some(wanted))
}

fn describe(dependency: Option<&mut Dependency>, key: &str) {
    if let Some(dependency) = dependency {
        dependency.renamed |= key == "package";
        dependency.own_version &= key != "workspace" && key != "path";
    }
}

fn unquoted(name: &str) -> String {
    name.trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(manifest: &str, table: Table) -> Vec<String> {
        dependencies(manifest).into_iter().filter(|dependency| dependency.table == table).map(|dependency| dependency.name).collect()
    }

    #[test]
    fn every_way_to_write_a_dependency_is_read() {
        let manifest = r#"
            [package]
            name = "not-a-dependency"
            [dependencies]
            one.workspace = true # why
            two = "1"
            three = { workspace = true, features = ["x"] }
            four = { version = "1", features = [
                "y",
            ] }
            [dependencies.five]
            version = "1"
            [target.'cfg(unix)'.dependencies]
            six = "1"
            [build-dependencies]
            seven = "1"
            [dev-dependencies]
            eight = "=1.2.3"
            [lints]
            workspace = true
        "#;
        assert_eq!(names(manifest, Table::Normal), ["one", "two", "three", "four", "five", "six", "seven"]);
        assert_eq!(names(manifest, Table::Dev), ["eight"]);
    }

    #[test]
    fn the_workspaces_own_table_is_another() {
        let manifest = "[workspace.dependencies]\nalpha = \"1\"\nbeta = { path = \"b\" }";
        assert_eq!(names(manifest, Table::Workspace), ["alpha", "beta"]);
        assert!(names(manifest, Table::Normal).is_empty());
        let found = dependencies(manifest);
        assert!(found[0].own_version);
        assert!(!found[1].own_version);
    }

    #[test]
    fn a_renamed_dependency_is_seen() {
        for manifest in [
            "[dependencies]\nharmless = { package = \"tokio\", version = \"1\" }",
            "[dependencies]\nharmless.package = \"tokio\"",
            "[dependencies.harmless]\npackage = \"tokio\"",
        ] {
            assert!(dependencies(manifest)[0].renamed, "{manifest}");
        }
        assert!(!dependencies("[dependencies]\npackage = \"1\"")[0].renamed);
    }
}
