//! Which counts of a publication are shown and which are masked, so that nobody can be recognised by a small number.
//!
//! The rule of UKHSA for HIV and STI data (15 August 2024): a count of people from 1 to 4 is masked where the population
//! behind it is below 10,000, which the people of a clinic always are. 0 and 5 are shown. Masking those cells alone is
//! not enough, since a reader can subtract: so further cells are masked until no masked cell can be computed.
//!
//! **How it is decided.** A masked cell is safe when the published figures agree with at least two different values of
//! it. That is not argued but shown: a second world is looked for, in which every sum still holds, every shown cell is
//! what it is, every small cell is still from 1 to 4 and no cell is negative, and this cell has another value. When the
//! search finds none (or gives up, which counts the same), one more cell is masked and the search begins again. So a
//! masked cell stays hidden even from a reader who was told which of the masked cells are the small ones.
//!
//! **What it does not do.** It looks at one publication. Two publications that show the same quarter with different
//! neighbours can be subtracted from each other: publish a quarter once, or declare both in one [`Table`]. Nor does it
//! hide that a small cell lies in a narrower range than 1 to 4.

use std::fmt;

/// The smallest count that is masked; 0 says that there is nobody, and is shown.
pub const MASKED_MIN: u64 = 1;
/// The largest count that is masked.
pub const MASKED_MAX: u64 = 4;

/// How far the second world may lie from the true one in any cell. A small cell cannot move further than this.
const MOVE_MAX: i64 = (MASKED_MAX - MASKED_MIN) as i64;
/// How many steps the search for one second world takes before it gives up and the cell counts as computable.
const SEARCH_STEPS_MAX: u32 = 100;

/// A count in a [`Table`]: what [`Table::cell`] and its kind gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell(usize);

/// What is published of a count. It does not say whether a masked one is small or keeps another one hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Published {
    /// The count.
    Shown(u64),
    /// Masked.
    Masked,
}

impl Published {
    /// The count, where it is shown.
    #[must_use]
    pub const fn shown(self) -> Option<u64> {
        match self {
            Self::Shown(count) => Some(count),
            Self::Masked => None,
        }
    }
}

impl fmt::Display for Published {
    /// The count, or `*`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown(count) => write!(f, "{count}"),
            Self::Masked => f.write_str("*"),
        }
    }
}

/// A sum was declared that does not hold, or over cells that are not of this table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotASum;

impl fmt::Display for NotASum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the parts of this sum do not add up to its total")
    }
}

impl std::error::Error for NotASum {}

/// What a cell is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It stands in the publication.
    Printed,
    /// It is not printed, but a reader can think of it: the rest of a share, for instance.
    Implied,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    count: u64,
    used: Use,
    is_total: bool,
}

impl Entry {
    fn is_small(&self) -> bool {
        (MASKED_MIN..=MASKED_MAX).contains(&self.count)
    }

    /// How far the count may move in a second world.
    fn moves(&self) -> Range {
        // Counts of people fit; a count that would not is large, and moves both ways.
        let count = i64::try_from(self.count).unwrap_or(i64::MAX);
        if self.is_small() {
            Range { low: MASKED_MIN as i64 - count, high: MASKED_MAX as i64 - count }
        } else {
            Range { low: -count.min(MOVE_MAX), high: MOVE_MAX }
        }
    }
}

/// `total = Σ parts`.
#[derive(Debug, Clone)]
struct Sum {
    total: usize,
    parts: Vec<usize>,
}

impl Sum {
    fn members(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().copied().chain([self.total])
    }

    /// The members with their signs in `Σ parts − total = 0`.
    fn signed(&self) -> impl Iterator<Item = (usize, i64)> {
        self.parts.iter().map(|part| (*part, 1)).chain([(self.total, -1)])
    }
}

/// The counts of one publication and the sums among them that a reader knows.
///
/// Declare **every** sum that follows from the meaning of the cells, also across tables: what is not declared is not
/// protected.
#[derive(Debug, Clone, Default)]
pub struct Table {
    entries: Vec<Entry>,
    sums: Vec<Sum>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a count that will be published.
    pub fn cell(&mut self, count: u64) -> Cell {
        self.add(count, Use::Printed)
    }

    /// Adds a count that is not published but that somebody may compute, and that needs the same protection.
    pub fn implied(&mut self, count: u64) -> Cell {
        self.add(count, Use::Implied)
    }

    fn add(&mut self, count: u64, used: Use) -> Cell {
        self.entries.push(Entry { count, used, is_total: false });
        Cell(self.entries.len() - 1)
    }

    /// Declares that `total` is the sum of `parts`, each of them once.
    ///
    /// # Errors
    /// Where it is not: then one of the counts is wrong, and nothing should be published.
    pub fn sum(&mut self, total: Cell, parts: &[Cell]) -> Result<(), NotASum> {
        let mut parts: Vec<usize> = parts.iter().map(|part| part.0).collect();
        parts.sort_unstable();
        let distinct = parts.windows(2).all(|pair| pair[0] != pair[1]) && !parts.contains(&total.0);
        let counts = parts.iter().map(|part| self.entries.get(*part).map(|entry| u128::from(entry.count)));
        let added: u128 = counts.collect::<Option<Vec<_>>>().ok_or(NotASum)?.iter().sum();
        let whole = self.entries.get_mut(total.0).ok_or(NotASum)?;
        if !distinct || added != u128::from(whole.count) {
            return Err(NotASum);
        }
        whole.is_total = true;
        self.sums.push(Sum { total: total.0, parts });
        Ok(())
    }

    /// Declares that `part` is a part of `whole`, as the numerator of a share or the "of whom" of a sentence: their
    /// difference is a count of people too (45 of 48 says that it is 3), and is protected like one.
    ///
    /// # Errors
    /// Where the part is larger than the whole.
    pub fn part_of(&mut self, part: Cell, whole: Cell) -> Result<(), NotASum> {
        let count = |cell: Cell| self.entries.get(cell.0).map(|entry| entry.count);
        let rest = count(whole).zip(count(part)).and_then(|(whole, part)| whole.checked_sub(part)).ok_or(NotASum)?;
        let rest = self.implied(rest);
        self.sum(whole, &[part, rest])
    }

    /// Decides what is published.
    #[must_use]
    pub fn mask(&self) -> Masking {
        let mut hidden: Vec<bool> = self.entries.iter().map(|entry| entry.is_small() || entry.used == Use::Implied).collect();
        let mut given_up = Vec::new();
        // Masking more only adds worlds: what was found safe once is not looked at again.
        let mut open: Vec<usize> = self.protected(&hidden).collect();
        while let Some(cell) = self.first_computable(&hidden, &mut open) {
            if let Some(next) = self.next_to_mask(cell, &hidden) {
                hidden[next] = true;
                open.push(next);
            } else {
                // Everything that is connected with it is masked: nothing is left by which to compute it.
                given_up.push(cell);
                open.retain(|other| *other != cell);
            }
        }
        self.show_again(&mut hidden, &given_up);
        let published =
            self.entries.iter().zip(&hidden).map(|(entry, hidden)| if *hidden { Published::Masked } else { Published::Shown(entry.count) });
        Masking { published: published.collect() }
    }

    /// Shows again what turns out to protect nothing, the largest first: masking went one cell at a time and did not
    /// know what would come after.
    fn show_again(&self, hidden: &mut [bool], given_up: &[usize]) {
        let locked: Vec<usize> = given_up.iter().flat_map(|cell| self.connected(*cell, |_| true)).collect();
        let extra = |cell: &usize| hidden[*cell] && self.entries[*cell].used == Use::Printed && !self.entries[*cell].is_small();
        let mut candidates: Vec<usize> = (0..self.entries.len()).filter(extra).filter(|cell| !locked.contains(cell)).collect();
        candidates.sort_by_key(|cell| std::cmp::Reverse(self.reluctance(*cell)));
        for cell in candidates {
            hidden[cell] = false;
            let mut open: Vec<usize> = self.protected(hidden).filter(|cell| !given_up.contains(cell)).collect();
            if self.first_computable(hidden, &mut open).is_some() {
                hidden[cell] = true;
            }
        }
    }

    /// The hidden cells whose values must not be computable. Of a cell that is merely not printed, a large value may be.
    fn protected(&self, hidden: &[bool]) -> impl Iterator<Item = usize> {
        let entries = self.entries.iter().zip(hidden).enumerate();
        entries.filter(|(_, (entry, hidden))| **hidden && (entry.used == Use::Printed || entry.is_small())).map(|(cell, _)| cell)
    }

    /// The first of `open` that has no second value. Those that have one are taken out of it.
    fn first_computable(&self, hidden: &[bool], open: &mut Vec<usize>) -> Option<usize> {
        while let Some(cell) = open.first().copied() {
            match self.second_world(cell, hidden) {
                // One world mostly shows another value of several cells.
                Some(world) => open.retain(|other| world[*other] == 0),
                None => return Some(cell),
            }
        }
        None
    }

    /// How far each cell may move: what is shown, not at all.
    fn ranges(&self, hidden: &[bool]) -> Vec<Range> {
        self.entries.iter().zip(hidden).map(|(entry, hidden)| if *hidden { entry.moves() } else { Range::ONLY_ZERO }).collect()
    }

    /// Wraps [`Search`]: a world in which `cell` has another value, or `None` where none was found.
    fn second_world(&self, cell: usize, hidden: &[bool]) -> Option<Vec<i64>> {
        let ranges = self.ranges(hidden);
        let range = ranges[cell];
        (1..=MOVE_MAX).flat_map(|by| [by, -by]).filter(|by| range.low <= *by && *by <= range.high).find_map(|by| {
            let mut ranges = ranges.clone();
            ranges[cell] = Range { low: by, high: by };
            Search { sums: &self.sums, steps_left: SEARCH_STEPS_MAX }.complete(ranges)
        })
    }

    /// Which further cell to mask so that `cell` is less exposed; `None` where all that is connected with it is masked.
    ///
    /// A sum that by itself gives away a cell, this one or one that is masked and connected with it, must lose another
    /// member in any case, so that comes first; then what is nearest. Of several: rather a part than a total, rather
    /// somebody than nobody, rather one that also helps another such sum, rather few.
    fn next_to_mask(&self, cell: usize, hidden: &[bool]) -> Option<usize> {
        let telling: Vec<&Sum> = self.sums.iter().filter(|sum| self.tells(sum, hidden)).collect();
        let helps = |open: usize| telling.iter().filter(|sum| sum.members().any(|member| member == open)).count();
        let best = |cells: &mut dyn Iterator<Item = usize>| {
            cells.filter(|open| !hidden[*open]).min_by_key(|open| {
                let (is_zero, is_total, count, place) = self.reluctance(*open);
                (is_zero, is_total, std::cmp::Reverse(helps(*open)), count, place)
            })
        };
        let beside = |sum: &Sum, cells: &[usize]| sum.members().any(|member| cells.contains(&member));
        let telling_at =
            |cells: &[usize]| telling.iter().filter(|sum| beside(sum, cells)).flat_map(|sum| sum.members()).collect::<Vec<_>>();
        let near = |cells: &[usize]| self.sums.iter().filter(|sum| beside(sum, cells)).flat_map(Sum::members).collect::<Vec<_>>();
        let around = self.connected(cell, |member| hidden[member]);
        let in_order = [telling_at(&[cell]), telling_at(&around), near(&[cell]), near(&around)];
        in_order.into_iter().find_map(|cells| best(&mut cells.into_iter()))
    }

    /// Whether a sum, taken alone, leaves one value only to a hidden member: the one that is hidden among shown ones, or
    /// all of those that must be 1 (or 4) each for the total to come out.
    fn tells(&self, sum: &Sum, hidden: &[bool]) -> bool {
        let mut ranges = self.ranges(hidden);
        while let Some(true) = narrow_by(sum, &mut ranges) {}
        self.protected(hidden).any(|cell| ranges[cell].is_decided() && sum.members().any(|member| member == cell))
    }

    /// The cells that are reached from one through sums, stepping only on cells that `may_step` allows; itself first.
    fn connected(&self, cell: usize, may_step: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut reached = vec![cell];
        let mut looked_at = 0;
        while let Some(here) = reached.get(looked_at).copied() {
            for member in self.sums.iter().filter(|sum| sum.members().any(|member| member == here)).flat_map(Sum::members) {
                if may_step(member) && !reached.contains(&member) {
                    reached.push(member);
                }
            }
            looked_at += 1;
        }
        reached
    }

    /// Sorts the cells by how much a reader loses when they are masked.
    fn reluctance(&self, cell: usize) -> (bool, bool, u64, usize) {
        let entry = &self.entries[cell];
        (entry.count == 0, entry.is_total, entry.count, cell)
    }
}

/// The decision about every cell of a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masking {
    published: Vec<Published>,
}

impl Masking {
    /// What is published of a cell. A cell of another table is masked.
    #[must_use]
    pub fn of(&self, cell: Cell) -> Published {
        self.published.get(cell.0).copied().unwrap_or(Published::Masked)
    }

    /// Whether all of them are shown: only then may a figure that was computed from them (a share, an interval, a
    /// difference from the quarter before) be published.
    #[must_use]
    pub fn all_shown(&self, cells: &[Cell]) -> bool {
        cells.iter().all(|cell| self.of(*cell).shown().is_some())
    }
}

/// By how much a cell may differ from the truth in the world that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    low: i64,
    high: i64,
}

impl Range {
    const ONLY_ZERO: Self = Self { low: 0, high: 0 };

    const fn is_decided(self) -> bool {
        self.low == self.high
    }
}

/// The search for a world: backtracking over the differences from the truth, which add up to zero in every sum.
struct Search<'a> {
    sums: &'a [Sum],
    steps_left: u32,
}

impl Search<'_> {
    /// Completes the ranges to one difference for each cell, or `None` where that cannot be done within the steps.
    fn complete(&mut self, mut ranges: Vec<Range>) -> Option<Vec<i64>> {
        self.steps_left = self.steps_left.checked_sub(1)?;
        self.narrow(&mut ranges)?;
        if let Some(world) = self.with_the_rest_true(&ranges) {
            return Some(world);
        }
        let cell = self.next_open(&ranges)?;
        let Range { low, high } = ranges[cell];
        // Staying at the truth first: a change should go round as short a way as it can.
        let mut values: Vec<i64> = (low..=high).collect();
        values.sort_by_key(|value| value.abs());
        values.into_iter().find_map(|value| {
            let mut narrowed = ranges.clone();
            narrowed[cell] = Range { low: value, high: value };
            self.complete(narrowed)
        })
    }

    /// The world in which everything undecided is as it is in truth, if the sums hold in it: mostly a change goes round
    /// a few cells and need not touch the others.
    fn with_the_rest_true(&self, ranges: &[Range]) -> Option<Vec<i64>> {
        let world: Vec<i64> = ranges.iter().map(|range| 0.clamp(range.low, range.high)).collect();
        self.sums.iter().all(|sum| sum.signed().map(|(cell, sign)| sign * world[cell]).sum::<i64>() == 0).then_some(world)
    }

    /// An undecided cell, rather in a sum that does not hold yet and has few undecided cells.
    fn next_open(&self, ranges: &[Range]) -> Option<usize> {
        let open = |sum: &Sum| sum.members().filter(|cell| !ranges[*cell].is_decided()).collect::<Vec<_>>();
        let broken = |sum: &Sum| {
            sum.signed().filter(|(cell, _)| ranges[*cell].is_decided()).map(|(cell, sign)| sign * ranges[cell].low).sum::<i64>() != 0
        };
        let urgent = self.sums.iter().map(|sum| (open(sum), broken(sum))).filter(|(open, _)| !open.is_empty());
        let urgent = urgent.min_by_key(|(open, broken)| (!broken, open.len())).and_then(|(open, _)| open.first().copied());
        urgent.or_else(|| ranges.iter().position(|range| !range.is_decided()))
    }

    /// Narrows every range to what the sums leave of it; `None` where a sum cannot hold any more.
    fn narrow(&self, ranges: &mut [Range]) -> Option<()> {
        loop {
            let mut changed = false;
            for sum in self.sums {
                changed |= narrow_by(sum, ranges)?;
            }
            if !changed {
                return Some(());
            }
        }
    }
}

/// Narrows the ranges of one sum's members; whether anything changed, or `None` where the sum cannot hold.
fn narrow_by(sum: &Sum, ranges: &mut [Range]) -> Option<bool> {
    let turned = |range: Range, sign: i64| if sign > 0 { range } else { Range { low: -range.high, high: -range.low } };
    let all = sum.signed().fold(Range::ONLY_ZERO, |all, (cell, sign)| {
        let range = turned(ranges[cell], sign);
        Range { low: all.low + range.low, high: all.high + range.high }
    });
    let mut changed = false;
    for (cell, sign) in sum.signed() {
        // What all others can make up for, from the ranges as they were before this sum was looked at: never too narrow.
        let own = turned(ranges[cell], sign);
        let room = turned(Range { low: own.high - all.high, high: own.low - all.low }, sign);
        let before = ranges[cell];
        let after = Range { low: before.low.max(room.low), high: before.high.min(room.high) };
        if after.low > after.high {
            return None;
        }
        changed |= after != before;
        ranges[cell] = after;
    }
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// A table with row totals, column totals and the grand total; returned row by row, totals last.
    fn grid(counts: &[Vec<u64>]) -> (Table, Vec<Vec<Cell>>) {
        let width = counts[0].len();
        let mut table = Table::new();
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for row in counts {
            let mut cells: Vec<Cell> = row.iter().map(|count| table.cell(*count)).collect();
            let total = table.cell(row.iter().sum());
            table.sum(total, &cells).expect("it adds up");
            cells.push(total);
            rows.push(cells);
        }
        let column = |column: usize| counts.iter().map(|row| row.get(column).copied().unwrap_or_else(|| row.iter().sum())).sum::<u64>();
        let totals: Vec<Cell> = (0..=width).map(|at| table.cell(column(at))).collect();
        for (at, total) in totals.iter().enumerate() {
            let parts: Vec<Cell> = rows.iter().map(|row| row[at]).collect();
            table.sum(*total, &parts).expect("it adds up");
        }
        table.sum(totals[width], &totals[..width]).expect("it adds up");
        rows.push(totals);
        (table, rows)
    }

    fn check_grid(counts: &[Vec<u64>], expected: Expect) {
        let (table, rows) = grid(counts);
        let masking = table.mask();
        let lines: Vec<String> = rows
            .iter()
            .map(|row| row.iter().map(|cell| format!("{:>4}", masking.of(*cell).to_string())).collect())
            .map(|line: String| format!("|{line}"))
            .collect();
        expected.assert_eq(&lines.join("\n"));
    }

    /// One total and its parts.
    fn check_row(parts: &[u64], expected: &str) {
        let mut table = Table::new();
        let cells: Vec<Cell> = parts.iter().map(|count| table.cell(*count)).collect();
        let total = table.cell(parts.iter().sum());
        table.sum(total, &cells).expect("it adds up");
        let masking = table.mask();
        let shown: Vec<String> = cells.iter().chain([&total]).map(|cell| masking.of(*cell).to_string()).collect();
        assert_eq!(shown.join(" "), expected, "{parts:?}");
    }

    #[test]
    fn one_to_four_are_masked_and_nought_and_five_are_shown() {
        let mut table = Table::new();
        let cells: Vec<Cell> = [0, 1, 2, 3, 4, 5, 6].iter().map(|count| table.cell(*count)).collect();
        let masking = table.mask();
        let shown: Vec<Option<u64>> = cells.iter().map(|cell| masking.of(*cell).shown()).collect();
        assert_eq!(shown, [Some(0), None, None, None, None, Some(5), Some(6)]);
    }

    #[test]
    fn a_lone_small_part_takes_the_smallest_other_part_with_it() {
        check_row(&[3, 9, 20], "* * 20 32");
        check_row(&[3, 0, 20], "* 0 * 23");
        check_row(&[5, 14], "5 14 19");
        check_row(&[0, 14], "0 14 14");
    }

    #[test]
    fn two_small_parts_that_can_only_be_what_they_are_take_a_third() {
        // 4 + 4 of 8 and 1 + 1 of 2: the sum alone gives them away.
        check_row(&[4, 4, 20], "* * * 28");
        check_row(&[1, 1, 20], "* * * 22");
        check_row(&[1, 4, 20], "* * 20 25");
        check_row(&[2, 2, 20], "* * 20 24");
    }

    #[test]
    fn where_no_other_part_is_left_the_total_goes() {
        check_row(&[4, 4], "* * *");
        check_row(&[4, 0], "* 0 *");
        check_row(&[4, 4, 0], "* * 0 *");
    }

    #[test]
    fn the_case_studys_figures_at_north_middlesex_are_shown() {
        // 19 people, 5 of them newly diagnosed, all 5 referred from the clinic.
        let mut table = Table::new();
        let (people, new, direct) = (table.cell(19), table.cell(5), table.cell(5));
        table.part_of(new, people).expect("a part");
        table.part_of(direct, new).expect("a part");
        assert!(table.mask().all_shown(&[people, new, direct]));
    }

    #[test]
    fn the_case_studys_breakdown_masks_its_two_fours_and_one_more() {
        check_row(&[45, 12, 5, 6, 4, 4], "45 12 * 6 * * 76");
    }

    #[test]
    fn a_share_is_not_shown_that_would_reveal_a_small_rest() {
        let mut table = Table::new();
        let (engaged, new) = (table.cell(45), table.cell(48));
        table.part_of(engaged, new).expect("a part");
        let masking = table.mask();
        assert!(!masking.all_shown(&[engaged, new]));
        assert_eq!((masking.of(engaged), masking.of(new)), (Published::Masked, Published::Shown(48)));
    }

    #[test]
    fn a_small_numerator_takes_its_denominator() {
        let mut table = Table::new();
        let (part, whole) = (table.cell(2), table.cell(40));
        table.part_of(part, whole).expect("a part");
        let masking = table.mask();
        // The rest of 38 is printed nowhere, so the whole may stay.
        assert_eq!((masking.of(part), masking.of(whole)), (Published::Masked, Published::Shown(40)));
    }

    #[test]
    fn rows_and_columns_together_hide_what_one_of_them_would_reveal() {
        check_grid(
            &[vec![2, 20, 30], vec![15, 25, 35], vec![40, 10, 50]],
            expect![[r#"
                |   *   *  30  52
                |   *   *  35  75
                |  40  10  50 100
                |  57  55 115 227"#]],
        );
        check_grid(
            &[vec![0, 20], vec![15, 0]],
            expect![[r#"
                |   0  20  20
                |  15   0  15
                |  15  20  35"#]],
        );
        check_grid(
            &[vec![4, 4, 30], vec![9, 25, 35], vec![4, 10, 50]],
            expect![[r#"
                |   *   *   *  38
                |   *  25   *  69
                |   *   *  50  64
                |  17  39 115 171"#]],
        );
    }

    #[test]
    fn a_relation_across_tables_counts() {
        // Two sites and both together, each newly diagnosed and re-engaging.
        let mut table = Table::new();
        let (west, north, both) = (table.cell(12), table.cell(3), table.cell(15));
        let (west_new, west_again) = (table.cell(7), table.cell(5));
        table.sum(both, &[west, north]).expect("it adds up");
        table.sum(west, &[west_new, west_again]).expect("it adds up");
        let masking = table.mask();
        assert_eq!(masking.of(north), Published::Masked);
        assert_eq!(masking.of(west), Published::Masked);
        assert!(!masking.all_shown(&[west_new, west_again]), "or their sum would give the site, and the site the other one");
        assert_eq!(masking.of(both), Published::Shown(15));
    }

    #[test]
    fn a_sum_that_does_not_hold_is_refused() {
        let mut table = Table::new();
        let (a, b, c) = (table.cell(5), table.cell(6), table.cell(12));
        assert_eq!(table.sum(c, &[a, b]), Err(NotASum));
        assert_eq!(table.sum(c, &[b, b]), Err(NotASum));
        assert_eq!(table.part_of(c, a), Err(NotASum));
        assert_eq!(table.sum(c, &[Cell(99)]), Err(NotASum));
        assert_eq!(table.mask().of(Cell(99)), Published::Masked);
    }

    #[test]
    fn a_whole_report_of_forty_small_cells_is_decided() {
        let counts: Vec<Vec<u64>> = (0..8).map(|row| (0..5).map(|column| (row * 7 + column * 3) % 11).collect()).collect();
        let (table, rows) = grid(&counts);
        let masking = table.mask();
        let masked = rows.iter().flatten().filter(|cell| masking.of(**cell) == Published::Masked).count();
        let small = rows.iter().flatten().filter(|cell| table.entries[cell.0].is_small()).count();
        assert!(masked >= small && masked < table.entries.len(), "{masked} of {small}");
    }

    /// What a reader can find out: the values that each masked cell takes in the worlds that agree with what is shown.
    /// It knows the sums and which cells are small, and tries everything, with no cleverness, until it has seen two
    /// values of every cell that it is after.
    struct Reader<'a> {
        table: &'a Table,
        masking: &'a Masking,
        ceiling: u64,
        after: Vec<usize>,
        seen: Vec<BTreeSet<u64>>,
    }

    impl Reader<'_> {
        fn try_all(&mut self, world: &mut Vec<u64>) {
            let at = world.len();
            let Some(entry) = self.table.entries.get(at) else {
                world.iter().zip(&mut self.seen).for_each(|(count, seen)| {
                    seen.insert(*count);
                });
                self.after.retain(|cell| self.seen[*cell].len() < 2);
                return;
            };
            let candidates = match self.masking.of(Cell(at)) {
                Published::Shown(count) => count..=count,
                Published::Masked if entry.is_small() => MASKED_MIN..=MASKED_MAX,
                Published::Masked => 0..=self.ceiling,
            };
            for count in candidates {
                world.push(count);
                if !self.after.is_empty() && self.may_hold(world) {
                    self.try_all(world);
                }
                world.pop();
            }
        }

        /// Whether the sums hold whose last member was just set.
        fn may_hold(&self, world: &[u64]) -> bool {
            let last = world.len() - 1;
            let mut complete = self.table.sums.iter().filter(|sum| sum.members().max() == Some(last));
            complete.all(|sum| sum.parts.iter().map(|part| world[*part]).sum::<u64>() == world[sum.total])
        }
    }

    /// Asserts that no masked cell has one value only, unless all that is connected with it is masked as well.
    fn assert_nothing_is_computable(table: &Table) -> Result<(), TestCaseError> {
        let masking = table.mask();
        let is_masked = |cell: &usize| masking.of(Cell(*cell)) == Published::Masked;
        let all_masked = |cell: usize| table.connected(cell, |_| true).iter().all(is_masked);
        let hidden: Vec<bool> = (0..table.entries.len()).map(|cell| is_masked(&cell)).collect();
        for (cell, entry) in table.entries.iter().enumerate() {
            prop_assert!(hidden[cell] || !entry.is_small(), "a small cell is shown");
        }
        let after: Vec<usize> = table.protected(&hidden).filter(|cell| !all_masked(*cell)).collect();
        let ceiling = table.entries.iter().map(|entry| entry.count).max().unwrap_or(0) + 2;
        let mut reader = Reader { table, masking: &masking, ceiling, after, seen: vec![BTreeSet::new(); hidden.len()] };
        reader.try_all(&mut Vec::new());
        prop_assert!(reader.after.is_empty(), "{:?} of {table:?} are computable from {masking:?}", reader.after);
        Ok(())
    }

    #[test]
    fn the_reader_of_these_tests_computes_what_can_be_computed() {
        let mut table = Table::new();
        let (few, many, all) = (table.cell(3), table.cell(9), table.cell(12));
        table.sum(all, &[few, many]).expect("it adds up");
        let careless = Masking { published: vec![Published::Masked, Published::Shown(9), Published::Shown(12)] };
        let mut reader = Reader { table: &table, masking: &careless, ceiling: 14, after: vec![few.0], seen: vec![BTreeSet::new(); 3] };
        reader.try_all(&mut Vec::new());
        assert_eq!((reader.after, &reader.seen[few.0]), (vec![few.0], &BTreeSet::from([3])));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_masked_cell_of_a_small_table_can_be_computed(counts in prop::collection::vec(prop::collection::vec(0..8_u64, 2), 2..=3)) {
            let (table, _) = grid(&counts);
            assert_nothing_is_computable(&table)?;
        }

        #[test]
        fn no_masked_cell_of_a_chain_of_sums_can_be_computed(
            parts in prop::collection::vec(0..7_u64, 4),
            numerator in 0.0..=1.0_f64,
        ) {
            // a + b = current, c + d = previous, and a share of a.
            let mut table = Table::new();
            let cells: Vec<Cell> = parts.iter().map(|count| table.cell(*count)).collect();
            let current = table.cell(parts[0] + parts[1]);
            table.sum(current, &cells[..2]).expect("it adds up");
            let all = table.cell(parts.iter().sum());
            table.sum(all, &[current, cells[2], cells[3]]).expect("it adds up");
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 7")]
            let part = (parts[0] as f64 * numerator) as u64;
            let part = table.cell(part);
            table.part_of(part, cells[0]).expect("a part");
            assert_nothing_is_computable(&table)?;
        }
    }
}
