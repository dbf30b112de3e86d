//! A clinic's own list compared with the ledger: who should have been offered support and was not. People are matched by the
//! hospital's number alone, never by a guess.

use std::collections::BTreeSet;

use crate::calendar::Period;
use crate::coded;
use crate::record::Record;
use crate::trigger::{Exclusion, Kind, Outcome};

coded! {
    /// How somebody whom a list calls newly diagnosed stands here.
    pub enum Match {
        Here = "here", "newly diagnosed here too, in this period";
        AnotherDay = "another-day", "newly diagnosed here, on a day outside this period";
        Asked = "asked", "known here; whether newly diagnosed is asked";
        Otherwise = "otherwise", "known here, and not as newly diagnosed";
        Missing = "missing", "not known here: nobody has offered";
    }
}

/// What came of comparing. Numbers are the hospital's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Those of the list, each with how they stand here, in the list's order.
    pub theirs: Vec<(String, Match)>,
    /// Rows of the list that do not say whether somebody is newly diagnosed: they are nowhere else.
    pub unsaid: usize,
    /// Newly diagnosed here in this period, and not in the list.
    pub ours_alone: Vec<String>,
}

impl Reconciled {
    /// How many stand so.
    #[must_use]
    pub fn count(&self, wanted: Match) -> usize {
        self.theirs.iter().filter(|(_, found)| *found == wanted).count()
    }

    /// How many are newly diagnosed here in this period.
    #[must_use]
    pub fn ours(&self) -> usize {
        self.count(Match::Here) + self.ours_alone.len()
    }

    /// Whether everybody whom the list calls newly diagnosed was noticed here: nobody is missed.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.count(Match::Missing) == 0 && self.count(Match::Otherwise) == 0
    }
}

/// How somebody of whom a list says that they are newly diagnosed stands here; `record` is theirs by the hospital's number.
#[must_use]
pub fn stands(record: Option<&Record>, period: Period) -> Match {
    let Some(record) = record else { return Match::Missing };
    let shown = |kind: Kind| {
        record
            .triggers
            .iter()
            .filter(move |trigger| trigger.kind == kind && trigger.outcome != Outcome::Excluded(Exclusion::ResultWithdrawn))
    };
    if shown(Kind::NewDiagnosis).any(|trigger| period.contains(trigger.on)) {
        Match::Here
    } else if shown(Kind::NewDiagnosis).next().is_some() {
        Match::AnotherDay
    } else if shown(Kind::Undetermined).any(|trigger| matches!(trigger.outcome, Outcome::Question(_))) {
        Match::Asked
    } else {
        Match::Otherwise
    }
}

/// Compares. `theirs` are the rows with how each stands; `ours` are the numbers of each person newly diagnosed here in the
/// period.
#[must_use]
pub fn compare(theirs: Vec<(String, Match)>, ours: &[Vec<String>]) -> Reconciled {
    let listed: BTreeSet<&String> = theirs.iter().map(|(number, _)| number).collect();
    let alone = ours.iter().filter(|numbers| !numbers.iter().any(|number| listed.contains(number)));
    let ours_alone = alone.map(|numbers| numbers.first().cloned().unwrap_or_else(|| "no number".to_owned())).collect();
    Reconciled { ours_alone, theirs, unsaid: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_counted_and_nobody_is_matched_by_a_guess() {
        let theirs = [("1", Match::Here), ("2", Match::Missing), ("3", Match::Asked)].map(|(number, found)| (number.to_owned(), found));
        let ours = [vec!["1".to_owned()], vec!["4".to_owned(), "5".to_owned()], vec![]];
        let told = compare(theirs.to_vec(), &ours);
        assert_eq!((told.theirs.len(), told.ours(), told.is_whole()), (3, 3, false));
        assert_eq!(told.ours_alone, ["4", "no number"]);
    }
}
