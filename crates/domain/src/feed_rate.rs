//! Whether a feed sends as it usually does at this hour, and from when on its silence is worth a look.
//!
//! What is usual is the mean of the same hour of the same weekday over the weeks before. Counts are small at night, so that
//! a difference counts only when it is both large and hardly chance; see [`pace`].

use crate::coded;

/// Weeks that are looked at.
pub const WEEKS: usize = 4;
/// Weeks that must be known before anything is called usual.
pub const WEEKS_MIN: usize = 2;
/// How likely a difference may be by chance and still be called one: half a per cent on each side. At 100 looks a day a
/// feed is then called quiet or busy by chance every other day at most, and not at all unless it halves or doubles.
const CHANCE_MAX: f64 = 0.005;
/// How many messages must be missing, by what is usual, before a silence is an alarm: so many fail to come by chance less
/// than once in twenty thousand times (the exponential of -10).
const MISSED_MIN: f64 = 10.0;
/// How many problems make a rise worth a look: fewer are one bad day of one clerk.
const PROBLEMS_MIN: u64 = 5;
/// How many merges in a day make a storm worth a look, however seldom they are: one clerk who tidies up is none.
const MERGES_MIN: u64 = 20;
/// Hours of silence after which a feed of which nothing is known yet is looked at. A hospital's ADT sends day and night.
const HOURS_UNKNOWN: i64 = 4;
/// Hours of silence after which any feed is looked at, however seldom it sends: a week.
const HOURS_MAX: i64 = 168;

coded! {
    /// How a feed sends, against what is usual at this hour.
    pub enum Pace {
        Unknown = "unknown", "too new to say what is usual";
        Quiet = "quiet", "quieter than usual";
        Usual = "usual", "as usual";
        Busy = "busy", "busier than usual";
    }
}

/// The mean of what came in the same hour of earlier weeks; `None` below [`WEEKS_MIN`] weeks.
#[must_use]
pub fn usual(before: &[u64]) -> Option<f64> {
    let weeks = f64::from(u32::try_from(before.len()).unwrap_or(u32::MAX));
    (before.len() >= WEEKS_MIN).then(|| float(before.iter().sum()) / weeks)
}

/// How an hour compares with the same hour of earlier weeks.
///
/// If nothing had changed, the hour's messages would be a share of one in `weeks + 1` of all (the exact test of two Poisson
/// counts, Przyborowski and Wilenski 1940). A pace is called quiet or busy when that is hardly so, and when it is less than
/// half or more than twice what is usual: hospitals' traffic swings more than chance does.
#[must_use]
pub fn pace(now: u64, before: &[u64]) -> Pace {
    let Some(usual) = usual(before) else { return Pace::Unknown };
    let all = now + before.iter().sum::<u64>();
    let share = 1.0 / (float(before.len() as u64) + 1.0);
    let (now_float, below) = (float(now), chance_of_at_most(now, all, share));
    let above = if now == 0 { 1.0 } else { 1.0 - chance_of_at_most(now - 1, all, share) };
    if now_float < usual / 2.0 && below < CHANCE_MAX {
        Pace::Quiet
    } else if now_float > usual * 2.0 && above < CHANCE_MAX {
        Pace::Busy
    } else {
        Pace::Usual
    }
}

/// Whether a silence is worth a look: after so many whole hours, in which so many messages would usually have come (`None`
/// where that is not known yet).
#[must_use]
pub fn is_silent(hours: i64, missed: Option<f64>) -> bool {
    let by_rate = missed.map_or(hours >= HOURS_UNKNOWN, |missed| hours >= 1 && missed >= MISSED_MIN);
    by_rate || hours >= HOURS_MAX
}

/// Messages of a span of time, and how many of them were refused or set aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Problems {
    /// Those with problems.
    pub of: u64,
    /// All.
    pub all: u64,
}

/// Whether a larger share of messages has problems than before: more than twice as large, and hardly by chance. A profile that
/// does not fit a hospital's new release shows so within hours, and not when somebody looks.
#[must_use]
pub fn is_rising(now: Problems, before: Problems) -> bool {
    if now.of < PROBLEMS_MIN || before.all == 0 {
        return false;
    }
    let share = float(now.all) / float(now.all + before.all);
    let above = 1.0 - chance_of_at_most(now.of - 1, now.of + before.of, share);
    // Both shares are of something: there are problems now, and there were messages before.
    float(now.of) * float(before.all) > 2.0 * float(before.of) * float(now.all) && above < CHANCE_MAX
}

/// Whether so many merges in a day are a storm, against the days before: a hospital that tidies its index, or a mistake that
/// joins people who are not one. Somebody asks which, before anything is confirmed.
#[must_use]
pub fn is_merge_storm(now: u64, days_before: &[u64]) -> bool {
    now >= MERGES_MIN && pace(now, days_before) == Pace::Busy
}

/// The chance that of `all` events at most `most` fall to one part, each with this share; the binomial distribution, summed
/// in logarithms so that large counts neither overflow nor vanish.
fn chance_of_at_most(most: u64, all: u64, share: f64) -> f64 {
    if most >= all {
        return 1.0;
    }
    let (log_share, log_rest) = (share.ln(), (1.0 - share).ln());
    let mut log_ways = 0.0;
    let mut chance = 0.0;
    for count in 0..=most {
        chance += (log_ways + float(count) * log_share + float(all - count) * log_rest).exp();
        log_ways += float(all - count).ln() - float(count + 1).ln();
    }
    chance.min(1.0)
}

/// A count as a number to reckon with; exact below 2^53, which no feed reaches.
#[expect(clippy::cast_precision_loss, reason = "counts of messages are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_are_usual_whatever_they_are() {
        for now in 0..=5 {
            assert_eq!(pace(now, &[2, 1, 2, 1]), Pace::Usual, "{now}");
        }
        assert_eq!(pace(0, &[4, 3, 4, 5]), Pace::Usual, "four missing may be chance");
        assert_eq!(pace(0, &[0, 0, 0, 0]), Pace::Usual);
    }

    #[test]
    fn large_differences_are_told() {
        assert_eq!(pace(40, &[100, 110, 95, 104]), Pace::Quiet);
        assert_eq!(pace(60, &[100, 110, 95, 104]), Pace::Usual, "hardly chance, and yet not half");
        assert_eq!(pace(0, &[9, 8, 9, 10]), Pace::Quiet);
        assert_eq!(pace(250, &[100, 110, 95, 104]), Pace::Busy);
        assert_eq!(pace(12, &[0, 0, 0, 0]), Pace::Busy);
        assert_eq!(pace(200_000, &[100_000, 100_000, 100_000, 100_000]), Pace::Usual);
    }

    #[test]
    fn nothing_is_usual_before_two_weeks_are_known() {
        assert_eq!((pace(50, &[]), pace(50, &[1])), (Pace::Unknown, Pace::Unknown));
        assert_eq!((usual(&[1]), usual(&[1, 2])), (None, Some(1.5)));
    }

    #[test]
    fn chances_are_those_of_the_table() {
        // R: pbinom(2, 10, 0.2) = 0.6777995; pbinom(40, 449, 0.2) = 3.2e-10.
        assert!((chance_of_at_most(2, 10, 0.2) - 0.677_799_5).abs() < 1e-6);
        assert!(chance_of_at_most(40, 449, 0.2) < 1e-8);
        assert!((chance_of_at_most(10, 10, 0.2) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_silence_counts_by_what_would_have_come() {
        for (hours, missed, silent) in [
            (0, Some(100.0), false),
            (1, Some(100.0), true),
            (4, Some(9.0), false),
            (30, Some(10.0), true),
            (3, None, false),
            (4, None, true),
            (167, Some(1.0), false),
            (168, Some(1.0), true),
        ] {
            assert_eq!(is_silent(hours, missed), silent, "{hours} hours, {missed:?}");
        }
    }

    #[test]
    fn more_problems_than_before_are_told_from_a_bad_hour() {
        let problems = |of, all| Problems { of, all };
        let before = problems(100, 100_000);
        assert!(is_rising(problems(12, 400), before));
        assert!(!is_rising(problems(4, 400), before), "few");
        assert!(!is_rising(problems(5, 4_900), before), "as before");
        assert!(!is_rising(problems(90, 400), problems(200, 1_000)), "little more than before");
        assert!(is_rising(problems(6, 6), problems(0, 500)));
        assert!(!is_rising(problems(50, 50), Problems::default()), "nothing is known yet");
    }

    #[test]
    fn a_storm_of_merges_is_many_at_once_and_unusual() {
        assert!(is_merge_storm(40, &[3, 5, 2, 4, 3, 0, 1]));
        assert!(!is_merge_storm(12, &[0, 0, 1, 0]));
        assert!(!is_merge_storm(40, &[38, 45, 30]));
        assert!(!is_merge_storm(400, &[1]), "one day tells nothing");
    }
}
