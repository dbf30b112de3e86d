//! What somebody must hold to work with people, and until when: the passport that access follows.
//!
//! A supporter needs an honorary contract, data-security training and a DBS check. The day on which the first of them ends
//! is the last day on which anything about anybody is open to them.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::coded;
use crate::supporter::{StaffId, Supporter};

coded! {
    /// What is held until a day and then renewed, or not.
    pub enum Item {
        Contract = "contract", "honorary contract";
        Training = "training", "data-security training";
        Dbs = "dbs", "DBS check";
    }
}

coded! {
    /// How an item stands on a day.
    pub enum Standing {
        InDate = "in-date", "in date";
        /// No last day is known, and none is needed: a contract without an end.
        OpenEnded = "open-ended", "no end date";
        Lapsed = "lapsed", "ended";
        /// Nothing says that it was ever held.
        Missing = "missing", "not recorded";
    }
}

/// Years ahead to which an item may be recorded as held: a later date is a slip of the pen.
pub const YEARS_AHEAD_MAX: i16 = 5;

/// One item of a passport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub item: Item,
    /// Its last day. A contract without one goes on; any other item without one is not held.
    pub until: Option<Date>,
}

impl Held {
    /// How it stands on a day. The last day counts.
    #[must_use]
    pub fn on(&self, day: Date) -> Standing {
        match (self.until, self.item) {
            (Some(last), _) if day <= last => Standing::InDate,
            (Some(_), _) => Standing::Lapsed,
            (None, Item::Contract) => Standing::OpenEnded,
            (None, Item::Training | Item::Dbs) => Standing::Missing,
        }
    }

    fn holds_on(&self, day: Date) -> bool {
        matches!(self.on(day), Standing::InDate | Standing::OpenEnded)
    }
}

/// Everything that somebody must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passport {
    /// The first day of the contract, where there is one.
    pub from: Option<Date>,
    /// What must be held, in the order of [`Item::ALL`].
    pub items: Vec<Held>,
}

impl Passport {
    /// A supporter's: all three.
    #[must_use]
    pub fn of(supporter: &Supporter) -> Self {
        let items = Item::ALL.iter().map(|item| Held { item: *item, until: supporter.until(*item) });
        Self { from: Some(supporter.from), items: items.collect() }
    }

    /// That of somebody employed: their trust looks after training and checks, and they have until the contract ends.
    #[must_use]
    pub fn of_staff(until: Option<Date>) -> Self {
        Self { from: None, items: vec![Held { item: Item::Contract, until }] }
    }

    /// Whether everything is held on a day: without it nothing about anybody is open.
    #[must_use]
    pub fn cleared_on(&self, day: Date) -> bool {
        self.has_begun_on(day) && self.items.iter().all(|held| held.holds_on(day))
    }

    /// Whether the contract covers a day, its first and last included.
    #[must_use]
    pub fn contract_covers(&self, day: Date) -> bool {
        self.has_begun_on(day) && self.items.iter().filter(|held| held.item == Item::Contract).all(|held| held.holds_on(day))
    }

    fn has_begun_on(&self, day: Date) -> bool {
        self.from.is_none_or(|first| first <= day)
    }
}

/// That items of a supporter end on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lapse {
    /// Their last day.
    pub day: Date,
    /// Whose.
    pub supporter: StaffId,
    /// What ends that day.
    pub items: Vec<Item>,
    /// How many people they support now.
    pub people: usize,
}

/// What ends from today on within so many days, by day and then in the order of the supporters. Somebody who is not cleared
/// today has lost their people already and is not in it.
#[must_use]
pub fn look_ahead(today: Date, horizon_days: u16, supporters: &[(Supporter, usize)]) -> Vec<Lapse> {
    let last = today.saturating_add(i64::from(horizon_days).days());
    let mut lapses = Vec::new();
    for (supporter, people) in supporters {
        let passport = Passport::of(supporter);
        if !passport.cleared_on(today) {
            continue;
        }
        let mut days: Vec<Date> = passport.items.iter().filter_map(|held| held.until).filter(|day| *day <= last).collect();
        days.sort_unstable();
        days.dedup();
        lapses.extend(days.into_iter().map(|day| Lapse {
            day,
            supporter: supporter.id.clone(),
            items: passport.items.iter().filter(|held| held.until == Some(day)).map(|held| held.item).collect(),
            people: *people,
        }));
    }
    lapses.sort_by_key(|lapse| lapse.day);
    lapses
}

/// What all lapses mean, a sentence for each day: "On 3 March 14 people lose their supporter unless two items are renewed."
/// They must be in the order of [`look_ahead`].
#[must_use]
pub fn sentences(lapses: &[Lapse]) -> Vec<String> {
    lapses.chunk_by(|one, next| one.day == next.day).filter_map(sentence).collect()
}

fn sentence(of_a_day: &[Lapse]) -> Option<String> {
    let day = of_a_day.first()?.day.strftime("%-d %B");
    let people: usize = of_a_day.iter().map(|lapse| lapse.people).sum();
    let items: usize = of_a_day.iter().map(|lapse| lapse.items.len()).sum();
    let renewed = if items == 1 { "one item is renewed".to_owned() } else { format!("{} items are renewed", in_words(items)) };
    let who = match people {
        0 => "nobody loses their supporter yet, but access ends".to_owned(),
        1 => "1 person loses their supporter".to_owned(),
        more => format!("{more} people lose their supporter"),
    };
    Some(format!("On {day} {who} unless {renewed}."))
}

/// Up to nine in words, as the NHS writes numbers beside other numbers.
fn in_words(count: usize) -> String {
    const WORDS: [&str; 10] = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    WORDS.get(count).map_or_else(|| count.to_string(), |word| (*word).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const TODAY: Date = date(2025, 1, 6);

    fn supporter(key: &str, contract: Option<Date>, training: Option<Date>, dbs: Option<Date>) -> Supporter {
        Supporter {
            id: StaffId(key.into()),
            first_name: key.into(),
            partner: "partner".into(),
            sites: Vec::new(),
            from: date(2024, 1, 1),
            until: contract,
            training_until: training,
            dbs_until: dbs,
            capacity: 20,
        }
    }

    #[test]
    fn everything_is_held_up_to_the_last_day_of_whatever_ends_first() {
        let (later, day) = (Some(date(2026, 1, 1)), date(2025, 3, 3));
        let next = date(2025, 3, 4);
        for (contract, training, dbs) in [(Some(day), later, later), (None, Some(day), later), (later, later, Some(day))] {
            let passport = Passport::of(&supporter("a", contract, training, dbs));
            assert!(passport.cleared_on(day) && !passport.cleared_on(next), "{passport:?}");
            assert!(!passport.cleared_on(date(2023, 12, 31)), "the contract has not begun");
        }
    }

    #[test]
    fn training_and_check_must_be_recorded_and_a_contract_may_be_without_end() {
        let later = Some(date(2026, 1, 1));
        for (contract, training, dbs, cleared) in
            [(None, later, later, true), (later, None, later, false), (later, later, None, false), (None, None, None, false)]
        {
            let passport = Passport::of(&supporter("a", contract, training, dbs));
            assert_eq!(passport.cleared_on(TODAY), cleared, "{passport:?}");
            assert!(passport.contract_covers(TODAY));
        }
        assert!(Passport::of_staff(None).cleared_on(TODAY));
        assert!(!Passport::of_staff(Some(date(2025, 1, 5))).cleared_on(TODAY));
    }

    #[test]
    fn an_item_says_how_it_stands() {
        let held = |item, until| Held { item, until }.on(TODAY);
        assert_eq!(held(Item::Contract, None), Standing::OpenEnded);
        assert_eq!(held(Item::Training, None), Standing::Missing);
        assert_eq!(held(Item::Dbs, Some(TODAY)), Standing::InDate);
        assert_eq!(held(Item::Dbs, Some(date(2025, 1, 5))), Standing::Lapsed);
    }

    #[test]
    fn the_look_ahead_tells_of_each_day_who_loses_whom() {
        let (end, far) = (Some(date(2025, 3, 3)), Some(date(2026, 1, 1)));
        let all = [
            (supporter("grace", end, end, far), 14),
            (supporter("dele", None, Some(date(2025, 2, 14)), far), 1),
            (supporter("gone", Some(date(2025, 1, 5)), end, end), 9),
            (supporter("ines", None, far, far), 20),
            (supporter("new", None, far, Some(date(2025, 1, 20))), 0),
        ];
        let lapses = look_ahead(TODAY, 90, &all);
        let told: Vec<_> = lapses.iter().map(|lapse| (lapse.day, lapse.supporter.0.as_str(), lapse.items.as_slice())).collect();
        assert_eq!(
            told,
            [
                (date(2025, 1, 20), "new", [Item::Dbs].as_slice()),
                (date(2025, 2, 14), "dele", [Item::Training].as_slice()),
                (date(2025, 3, 3), "grace", [Item::Contract, Item::Training].as_slice()),
            ]
        );
        assert_eq!(
            sentences(&lapses),
            [
                "On 20 January nobody loses their supporter yet, but access ends unless one item is renewed.",
                "On 14 February 1 person loses their supporter unless one item is renewed.",
                "On 3 March 14 people lose their supporter unless two items are renewed.",
            ]
        );
        assert_eq!(look_ahead(TODAY, 55, &all).len(), 2, "3 March is 56 days away");
    }

    #[test]
    fn supporters_who_end_on_one_day_are_one_sentence() {
        let end = Some(date(2025, 3, 3));
        let lapses = look_ahead(TODAY, 90, &[(supporter("a", end, end, end), 2), (supporter("b", end, end, end), 3)]);
        assert_eq!(sentences(&lapses), ["On 3 March 5 people lose their supporter unless six items are renewed."]);
        assert_eq!(in_words(12), "12");
    }
}
