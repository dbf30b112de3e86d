//! Doctor: folds the journal and compares it with the state.

use std::collections::BTreeMap;

use alongside_domain::referral::Stage;
use alongside_store::{journal, reading};

use crate::{App, Failure};

/// What the doctor found. Every list holds ids only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// How many referrals were compared.
    pub referrals: u64,
    /// Referrals whose stage is another than the journal's last: id, state, journal.
    pub differing: Vec<(String, Stage, Option<Stage>)>,
    /// Referrals in the journal that are not in the state, other than by an undone import.
    pub missing: Vec<String>,
    /// Triggers whose referral is missing or another person's.
    pub broken_links: Vec<String>,
}

impl Findings {
    /// Whether all is well.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.differing.is_empty() && self.missing.is_empty() && self.broken_links.is_empty()
    }
}

impl App {
    /// Compares the journal with the state.
    ///
    /// # Errors
    /// The store's; a row that does not parse is one of them, with its address.
    pub fn examine(&self) -> Result<Findings, Failure> {
        self.store.read(|tx| {
            let told: BTreeMap<_, _> = journal::last_stages(tx)?.into_iter().collect();
            let state = reading::all_stages(tx)?;
            let mut findings = Findings { referrals: state.len() as u64, ..Findings::default() };
            for (id, stage) in &state {
                let last = told.get(id).copied();
                if last != Some(*stage) {
                    findings.differing.push((id.to_string(), *stage, last));
                }
            }
            let known: std::collections::BTreeSet<_> = state.iter().map(|(id, _)| *id).collect();
            let undone: std::collections::BTreeSet<_> = journal::undone_referrals(tx)?.into_iter().collect();
            let missing = told.keys().filter(|id| !known.contains(id) && !undone.contains(id));
            findings.missing = missing.map(ToString::to_string).collect();
            findings.broken_links = reading::broken_links(tx)?.iter().map(ToString::to_string).collect();
            Ok(findings)
        })
    }
}
