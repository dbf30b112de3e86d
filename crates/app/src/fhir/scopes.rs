//! Scopes of systems: which types, and what may be done to them.

use std::collections::{BTreeMap, BTreeSet};

use super::kinds::{Interaction, SERVED};

/// The letters of a scope, in their order (SMART App Launch 2.2).
const LETTERS: &str = "cruds";

/// What a system may ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(BTreeMap<&'static str, BTreeSet<char>>);

impl Scopes {
    /// Reads scopes; nothing, if one of them is not one of a system and of a type that is served.
    #[must_use]
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut all = Self::default();
        for text in texts {
            all.add(text)?;
        }
        Some(all)
    }

    /// What is given of what was asked for: scopes that are not known, or not theirs, are left out. Nothing asked for is
    /// nothing given.
    #[must_use]
    pub fn given(&self, asked: &str) -> Self {
        let mut wanted = Self::default();
        for text in asked.split_ascii_whitespace() {
            // One that is not known gives nothing.
            let _unknown = wanted.add(text);
        }
        let both = wanted.0.into_iter().filter_map(|(kind, letters)| {
            let common: BTreeSet<char> = self.0.get(kind)?.intersection(&letters).copied().collect();
            (!common.is_empty()).then_some((kind, common))
        });
        Self(both.collect())
    }

    /// Whether they allow nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether they allow an interaction with a type.
    #[must_use]
    pub fn allow(&self, kind: &str, interaction: Interaction) -> bool {
        self.0.get(kind).is_some_and(|letters| letters.contains(&interaction.letter()))
    }

    fn add(&mut self, text: &str) -> Option<()> {
        let (kind, letters) = text.strip_prefix("system/")?.split_once('.')?;
        let letters = match letters {
            // The first version's words (SMART App Launch 2.2, "Scopes … v1").
            "read" => "rs",
            "write" => "cud",
            "*" => LETTERS,
            letters => letters,
        };
        let mut order = LETTERS.chars();
        let in_order = !letters.is_empty() && letters.chars().all(|letter| order.any(|known| known == letter));
        let kinds: Vec<&'static str> = SERVED.iter().map(|served| served.name).filter(|name| kind == "*" || *name == kind).collect();
        if !in_order || kinds.is_empty() {
            return None;
        }
        for kind in kinds {
            self.0.entry(kind).or_default().extend(letters.chars());
        }
        Some(())
    }
}

impl std::fmt::Display for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (kind, letters)) in self.0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            let letters: String = LETTERS.chars().filter(|letter| letters.contains(letter)).collect();
            write!(f, "{space}system/{kind}.{letters}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_given_as_far_as_they_are_theirs() {
        let theirs = Scopes::parse(["system/Task.rus", "system/ServiceRequest.cr", "system/Patient.read"]).unwrap();
        assert_eq!(theirs.to_string(), "system/Patient.rs system/ServiceRequest.cr system/Task.rus");
        assert_eq!(theirs.given("system/Task.rs system/Observation.rs offline_access").to_string(), "system/Task.rs");
        assert_eq!(theirs.given("system/*.read").to_string(), "system/Patient.rs system/ServiceRequest.r system/Task.rs");
        assert!(theirs.given("").is_empty() && theirs.given("user/Task.rs system/Task.?x").is_empty());
        assert!(theirs.allow("Task", Interaction::Update) && !theirs.allow("ServiceRequest", Interaction::Search));
        for wrong in
            ["patient/Task.rs", "system/Task", "system/Task.sr", "system/Task.", "system/Group.rs", "Task.rs", "system/Task.rs?a=b"]
        {
            assert_eq!(Scopes::parse([wrong]), None, "{wrong}");
        }
    }
}
