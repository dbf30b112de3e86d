//! The script: who comes, when, and what becomes of them. Tables and counts; `story` draws the rest with the seed.

use jiff::civil::{Date, date};

use super::people::Site;

/// How somebody comes to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Newly diagnosed.
    Diagnosed,
    /// Back at the clinic after a long gap.
    Returned,
    /// Asked for by the clinic, by an order or a referral.
    Asked,
    /// Diagnosed abroad, new to this clinic.
    Abroad,
}

/// What becomes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Engaged,
    /// Objected when told.
    Objected,
    /// Objected when a supporter called.
    ObjectedLater,
    /// Not now: to be asked again in 2025.
    Deferred,
    /// Moved before being told.
    Moved,
    /// Moved after release, before a conversation.
    MovedLater,
    NotReached,
    /// Released in January 2025; tried, not reached yet.
    Contacting,
    AwaitingNotice,
    /// Released on 30 December 2024; nobody has it.
    Open,
    /// Released on 30 December 2024; allocated, not tried.
    AllocatedOnly,
}

impl Fate {
    /// Whether the referral is released on the day of telling.
    pub(super) const fn is_released(self) -> bool {
        match self {
            Self::Engaged
            | Self::ObjectedLater
            | Self::MovedLater
            | Self::NotReached
            | Self::Contacting
            | Self::Open
            | Self::AllocatedOnly => true,
            Self::Objected | Self::Deferred | Self::Moved | Self::AwaitingNotice => false,
        }
    }
}

/// What is special about somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    Nothing,
    /// First said "not now", and was asked again.
    AskedTwice,
    /// The telephone is answered by others; never voicemail; only between ten and twelve.
    SharedTelephone,
    /// Died on 28 December 2024, with a letter queued for the 30th.
    Dies,
    /// Objected when told, took it back in November, engaged in December.
    ChangedTheirMind,
}

/// A number of people with the same fate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) origin: Origin,
    pub(super) count: usize,
    /// When: the day of the diagnosis or attendance; for [`Origin::Asked`] the day of telling.
    pub(super) days: (Date, Date),
    pub(super) fate: Fate,
    /// Between which days support ends; `None` a few months after it began.
    pub(super) lasts_until: Option<(Date, Date)>,
    pub(super) special: Special,
}

const fn group(origin: Origin, count: usize, from: Date, to: Date, fate: Fate) -> Group {
    Group { origin, count, days: (from, to), fate, lasts_until: None, special: Special::Nothing }
}

impl Group {
    const fn until(self, from: Date, to: Date) -> Self {
        Self { lasts_until: Some((from, to)), ..self }
    }

    const fn special(self, special: Special) -> Self {
        Self { special, ..self }
    }
}

/// A site's script.
pub(super) struct Script {
    pub(super) site: Site,
    /// Everybody whose number is given.
    pub(super) groups: &'static [Group],
    /// How many people have a conversation in the third and in the fourth quarter: made up with people for whom the
    /// clinic asked.
    pub(super) supported: (usize, usize),
    /// People for whom the clinic asked and whose support ends before July.
    pub(super) first_half: usize,
    /// First day of the service's records in messages; what was before came from a spreadsheet.
    pub(super) opens: Date,
    /// People in care, on the first day's list.
    pub(super) in_care: usize,
}

const fn d(month: i8, day: i8) -> Date {
    date(2024, month, day)
}

use Fate::{AllocatedOnly, AwaitingNotice, Contacting, Deferred, Engaged, Moved, MovedLater, NotReached, Objected, ObjectedLater, Open};
use Origin::{Abroad, Asked, Diagnosed, Returned};

const CHELWEST: &[Group] = &[
    // Newly diagnosed before April.
    group(Diagnosed, 14, d(1, 3), d(3, 22), Engaged),
    group(Diagnosed, 4, d(1, 10), d(3, 20), Objected),
    group(Diagnosed, 1, d(2, 5), d(2, 16), ObjectedLater),
    group(Diagnosed, 1, d(1, 22), d(3, 8), Moved),
    group(Diagnosed, 2, d(1, 15), d(3, 8), NotReached),
    // Newly diagnosed from April to December: 76, of whom 45 engage.
    group(Diagnosed, 40, d(4, 8), d(11, 25), Engaged),
    group(Diagnosed, 4, d(4, 22), d(8, 30), Engaged).special(Special::AskedTwice),
    group(Diagnosed, 1, d(5, 28), d(5, 30), Engaged).until(d(12, 20), date(2025, 1, 3)).special(Special::ChangedTheirMind),
    group(Diagnosed, 9, d(4, 10), d(11, 27), Objected),
    group(Diagnosed, 3, d(5, 7), d(10, 11), ObjectedLater),
    group(Diagnosed, 5, d(6, 24), d(11, 29), Deferred),
    group(Diagnosed, 3, d(4, 15), d(11, 8), Moved),
    group(Diagnosed, 3, d(5, 20), d(10, 25), MovedLater),
    group(Diagnosed, 4, d(12, 9), d(12, 19), Contacting),
    group(Diagnosed, 4, d(12, 12), d(12, 30), AwaitingNotice),
    // Back after a long gap: 23, of whom a third engage.
    group(Returned, 8, d(1, 9), d(11, 20), Engaged),
    group(Returned, 5, d(1, 16), d(11, 14), Objected),
    group(Returned, 1, d(6, 3), d(6, 14), ObjectedLater),
    group(Returned, 3, d(7, 8), d(11, 26), Deferred),
    group(Returned, 4, d(1, 23), d(10, 4), NotReached),
    group(Returned, 1, d(12, 16), d(12, 19), Contacting),
    group(Returned, 1, d(12, 18), d(12, 30), AwaitingNotice),
    // Asked for by the clinic, without coming to a conversation.
    group(Asked, 8, d(1, 17), d(11, 27), Objected),
    group(Asked, 2, d(3, 4), d(9, 13), ObjectedLater),
    group(Asked, 4, d(7, 15), d(12, 6), Deferred),
    group(Asked, 5, d(1, 25), d(9, 27), NotReached),
    // Chapters.
    group(Abroad, 1, d(10, 9), d(10, 9), Engaged).until(d(12, 2), date(2025, 1, 3)),
    group(Asked, 1, d(11, 4), d(11, 6), Engaged).until(d(12, 20), date(2025, 1, 3)).special(Special::SharedTelephone),
    group(Asked, 1, d(9, 16), d(9, 18), Engaged).until(d(12, 10), d(12, 19)).special(Special::Dies),
    group(Asked, 1, d(12, 30), d(12, 30), Open),
    group(Asked, 1, d(12, 30), d(12, 30), AllocatedOnly),
];

const NORTHMID: &[Group] = &[
    // Newly diagnosed: five of them are supported from October to December, all referred directly from the clinic.
    group(Diagnosed, 4, d(4, 3), d(6, 14), Engaged).until(d(7, 1), d(9, 20)),
    group(Diagnosed, 5, d(9, 12), d(11, 8), Engaged).until(d(12, 5), date(2025, 1, 3)),
    group(Diagnosed, 3, d(5, 7), d(11, 1), Objected),
    group(Diagnosed, 1, d(7, 22), d(9, 6), Deferred),
    group(Diagnosed, 1, d(7, 1), d(8, 16), Moved),
    group(Diagnosed, 1, d(12, 10), d(12, 20), AwaitingNotice),
    // Back after a long gap: 9, of whom a third engage.
    group(Returned, 1, d(4, 9), d(5, 10), Engaged).until(d(7, 10), d(9, 13)),
    group(Returned, 2, d(7, 9), d(10, 11), Engaged).until(d(11, 20), date(2025, 1, 3)),
    group(Returned, 3, d(4, 16), d(11, 15), Objected),
    group(Returned, 1, d(8, 12), d(10, 25), Deferred),
    group(Returned, 2, d(5, 14), d(9, 20), NotReached),
    group(Asked, 2, d(5, 21), d(10, 18), Objected),
    group(Asked, 1, d(7, 9), d(8, 23), NotReached),
];

/// Both sites' scripts.
pub(super) const SCRIPTS: [Script; 2] = [
    Script { site: Site::ChelWest, groups: CHELWEST, supported: (92, 126), first_half: 30, opens: d(1, 3), in_care: 4_000 },
    Script { site: Site::NorthMid, groups: NORTHMID, supported: (15, 19), first_half: 5, opens: d(4, 3), in_care: 1_900 },
];

impl Script {
    /// The people for whom the clinic asked, so that each quarter has its number: some are supported in both quarters,
    /// the others in one. The days make sure that each has a conversation in the quarters meant and in no other of them.
    pub(super) fn made_up(&self, already: (usize, usize)) -> Vec<Group> {
        let need = (self.supported.0.saturating_sub(already.0), self.supported.1.saturating_sub(already.1));
        let both = need.0.min(need.1) * 7 / 10;
        let (third, fourth) = (need.0 - both, need.1 - both);
        let spring = self.opens.max(d(4, 3));
        // Support that would end in 2025 goes on when the story ends.
        let year_end = date(2025, 2, 14);
        vec![
            group(Asked, self.first_half, self.opens, d(6, 5), Engaged).until(d(5, 1), d(6, 28)),
            group(Asked, both / 2, spring, d(6, 24), Engaged).until(d(11, 11), year_end),
            group(Asked, both - both / 2, d(7, 2), d(9, 10), Engaged).until(d(11, 11), year_end),
            group(Asked, third / 2, spring, d(6, 7), Engaged).until(d(8, 12), d(9, 27)),
            group(Asked, third - third / 2, d(7, 2), d(9, 3), Engaged).until(d(8, 30), d(9, 27)),
            group(Asked, fourth, d(10, 1), d(12, 6), Engaged).until(d(11, 15), year_end),
        ]
    }
}

/// The share of releases that are followed by a first conversation within the promise, by the day of release: it rises
/// with practice, and falls while a supporter is missing.
pub(super) fn promise_kept_permille(released: Date) -> usize {
    match (released.year(), released.month()) {
        (2024, 1..=3) => 450,
        (2024, 4..=6) => 480,
        (2024, 7) => 620,
        (2024, 8) => 330,
        (2024, 9) => 650,
        _ => 830,
    }
}

/// Releases that are judged together.
pub(super) fn promise_window(released: Date) -> (i16, i8) {
    let month = match released.month() {
        month @ (7..=9 | 12) => month,
        month => (month - 1) / 3 * 3 + 1,
    };
    (released.year(), month)
}

/// When somebody who said "not now" is asked again.
pub(super) const ASK_AGAIN: (Date, Date) = (date(2025, 1, 13), date(2025, 3, 28));
