//! A clinic's list beside the ledger: `alongside reconcile`.

use alongside_domain::calendar::Period;
use alongside_domain::fact::{Fact, Novelty};
use alongside_domain::person::Identifier;
use alongside_domain::reconciliation::{Match, Reconciled, compare, stands};
use alongside_store::{people, reading};
use jiff::civil::Date;

use crate::intake::lists::{Row, list_of, read};
use crate::intake::today;
use crate::setup::Feed;
use crate::{App, Failure};

impl App {
    /// Compares what a list of a feed calls newly diagnosed in a period with what is here, by the hospital's number. Nothing is
    /// changed.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with every bad row, or for a feed of messages; the store's.
    pub fn reconcile(&self, feed: &Feed, bytes: &[u8], period: Period) -> Result<Reconciled, Failure> {
        let list = list_of(feed)?;
        let (rows, problems) = read(list, bytes, today(self));
        if !problems.is_empty() {
            return Err(Failure::Invalid(problems));
        }
        let unsaid = rows.iter().filter(|row| row.says(Novelty::Unknown)).count();
        let listed = rows.iter().filter_map(listed).filter(|(_, on)| period.contains(*on));
        self.store.read(|tx| {
            let mut theirs = Vec::new();
            for (number, _) in listed {
                let found = people::find(tx, &feed.site, std::slice::from_ref(&number), None)?;
                let record = found.first().map(|person| people::load(tx, *person)).transpose()?.flatten();
                theirs.push((number.value, stands(record.as_ref(), period)));
            }
            let mut ours = Vec::new();
            for person in reading::newly_diagnosed(tx, &feed.site, period)? {
                let held = people::load(tx, person)?.map(|record| record.person.identifiers).unwrap_or_default();
                ours.push(held.into_iter().filter(|held| held.system == list.system).map(|held| held.value).collect());
            }
            Ok(Reconciled { unsaid, ..compare(theirs, &ours) })
        })
    }
}

/// The number and the day of a row that says newly diagnosed.
fn listed(row: &Row) -> Option<(Identifier, Date)> {
    let on = row.facts.iter().find_map(|fact| match fact {
        Fact::HivConfirmed { novelty: Novelty::New, on, .. } => Some(*on),
        _ => None,
    })?;
    Some((row.subject.identifiers.first()?.clone(), on))
}

/// What came of comparing, as text: counts, and the numbers of those who need somebody.
#[must_use]
pub fn to_text(site: &str, period: Period, told: &Reconciled) -> String {
    let mut lines = vec![
        format!("{site}, {period}"),
        format!("The list's own count of the newly diagnosed is {}, ours is {}.", told.theirs.len(), told.ours()),
    ];
    for how in Match::ALL {
        let numbers: Vec<&str> = told.theirs.iter().filter(|(_, found)| found == how).map(|(number, _)| number.as_str()).collect();
        lines.push(format!("{:>6}  of the list: {}", numbers.len(), how.words()));
        if !matches!(how, Match::Here) {
            lines.extend(numbers.iter().map(|number| format!("        {number}")));
        }
    }
    lines.push(format!("{:>6}  newly diagnosed here, and not in the list", told.ours_alone.len()));
    lines.extend(told.ours_alone.iter().map(|number| format!("        {number}")));
    if told.unsaid > 0 {
        lines.push(format!("{:>6}  rows of the list do not say whether somebody is newly diagnosed: they are not counted", told.unsaid));
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use alongside_store::testing::both_engines;
    use jiff::civil::date;

    use super::*;
    use crate::testing::service;

    const HEAD: &str = "Hospital number,Surname,Forename,Date of birth,Diagnosis date,New diagnosis\n";

    #[test]
    fn whoever_should_have_been_offered_and_was_not_is_told_by_number() {
        both_engines(|store| {
            let (app, _) = service(store);
            let feed = app.setup.feeds["north-list"].clone();
            let taken = "1,Okafor,Miriam,02/05/1980,05/02/2024,Y\n2,Young,Sam,02/05/1981,05/11/2023,Y\n3,Old,Ada,02/05/1961,05/11/1999,N\n\
                         4,Ask,Ida,02/05/1962,,\n5,Here,Eve,02/05/1963,06/02/2024,Y\n";
            app.take_list(&feed, format!("{HEAD}{taken}").as_bytes()).unwrap();
            let list = "1,,,,05/02/2024,Y\n2,,,,05/02/2024,Y\n3,,,,07/02/2024,Y\n4,,,,08/02/2024,Y\n6,,,,09/02/2024,Y\n7,,,,09/02/2023,Y\n8,,,,,\n";
            let period = Period { from: date(2024, 1, 1), to: date(2024, 3, 31) };
            let told = app.reconcile(&feed, format!("{HEAD}{list}").as_bytes(), period).unwrap();
            let found: Vec<_> = told.theirs.iter().map(|(number, found)| (number.as_str(), *found)).collect();
            assert_eq!(
                found,
                [("1", Match::Here), ("2", Match::AnotherDay), ("3", Match::Otherwise), ("4", Match::Asked), ("6", Match::Missing)]
            );
            assert_eq!((told.ours(), told.ours_alone.as_slice(), told.unsaid, told.is_whole()), (2, &["5".to_owned()][..], 1, false));
            let text = to_text("north", period, &told);
            assert!(
                text.contains("own count of the newly diagnosed is 5, ours is 2.") && text.contains("nobody has offered\n        6\n"),
                "{text}"
            );
            assert!(!text.contains("Okafor"));
            let same = app.reconcile(&feed, format!("{HEAD}1,,,,05/02/2024,Y\n5,,,,06/02/2024,Y\n").as_bytes(), period).unwrap();
            assert!(same.is_whole() && same.ours_alone.is_empty());
            assert!(matches!(app.reconcile(&feed, format!("{HEAD}1,,,,soon,Y\n").as_bytes(), period), Err(Failure::Invalid(_))));
            assert!(matches!(app.reconcile(&app.setup.feeds["north"], b"", period), Err(Failure::Invalid(_))));
        });
    }
}
