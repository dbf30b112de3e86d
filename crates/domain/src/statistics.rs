//! The few statistics that a report needs: share, median, and the interval of a share.

/// The standard normal quantile for a two-sided 95 % interval.
const Z_95: f64 = 1.959_963_984_540_054;

/// An interval between two proportions, both from 0 to 1 and `low <= high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower bound, as a proportion.
    pub low: f64,
    /// Upper bound, as a proportion.
    pub high: f64,
}

/// `part / whole` as a proportion from 0 to 1; `None` where there is no whole, or where the part is larger than it.
#[must_use]
pub fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0 && part <= whole).then(|| as_float(part) / as_float(whole))
}

/// The Wilson score interval at 95 % for `successes` of `n`, without continuity correction.
///
/// It holds its level where the usual `p ± 1.96 s` does not: in samples of the size that one clinic has in a quarter.
/// `None` where `n` is 0 or there are more successes than that. Source: E. B. Wilson, JASA 22 (1927) 209–212; method 3 of
/// R. G. Newcombe, Statistics in Medicine 17 (1998) 857–872.
#[must_use]
pub fn wilson_95(successes: u64, n: u64) -> Option<Interval> {
    let p = share(successes, n)?;
    let n_float = as_float(n);
    let z2 = Z_95 * Z_95;
    let centre = p + z2 / (2.0 * n_float);
    let half = Z_95 * (p * (1.0 - p) / n_float + z2 / (4.0 * n_float * n_float)).sqrt();
    let scale = 1.0 + z2 / n_float;
    // At the ends the bound is exactly 0 or 1, and rounding would put it beside.
    let low = if successes == 0 { 0.0 } else { ((centre - half) / scale).clamp(0.0, 1.0) };
    let high = if successes == n { 1.0 } else { ((centre + half) / scale).clamp(0.0, 1.0) };
    Some(Interval { low, high })
}

/// The median: the middle value, or the mean of the two in the middle; `None` for no values. Sorts what it is given.
#[must_use]
pub fn median(values: &mut [i64]) -> Option<f64> {
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(signed_as_float(i128::from(upper)));
    }
    let lower = *values.get(values.len() / 2 - 1)?;
    Some(signed_as_float(i128::from(lower) + i128::from(upper)) / 2.0)
}

/// Counts of people are far below 2^53, up to which this is exact.
#[expect(clippy::cast_precision_loss, reason = "there is no lossless conversion, and counts of people are exact in it")]
fn as_float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "there is no lossless conversion, and days and scores are exact in it")]
fn signed_as_float(value: i128) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rounded(successes: u64, n: u64) -> Option<(String, String)> {
        wilson_95(successes, n).map(|interval| (format!("{:.4}", interval.low), format!("{:.4}", interval.high)))
    }

    #[test]
    fn the_interval_is_the_published_one() {
        for (successes, n, low, high) in [
            // Newcombe 1998, table I, method 3.
            (81, 263, "0.2553", "0.3662"),
            (15, 148, "0.0624", "0.1605"),
            (0, 20, "0.0000", "0.1611"),
            (1, 29, "0.0061", "0.1718"),
            // The case study's 45 of 76.
            (45, 76, "0.4798", "0.6956"),
            (5, 5, "0.5655", "1.0000"),
        ] {
            assert_eq!(rounded(successes, n), Some((low.to_owned(), high.to_owned())), "{successes} of {n}");
        }
    }

    #[test]
    fn there_is_no_interval_and_no_share_of_nobody() {
        assert_eq!(wilson_95(0, 0), None);
        assert_eq!(wilson_95(3, 2), None);
        assert_eq!(share(0, 0), None);
        assert_eq!(share(3, 2), None);
        assert_eq!(share(1, 4), Some(0.25));
    }

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        for (mut values, expected) in [
            (vec![], None),
            (vec![7], Some(7.0)),
            (vec![4, 1], Some(2.5)),
            (vec![9, 1, 5], Some(5.0)),
            (vec![4, 3, 2, 1], Some(2.5)),
            (vec![-4, -1], Some(-2.5)),
            (vec![i64::MAX, i64::MAX], Some(9.223_372_036_854_776e18)),
        ] {
            assert_eq!(median(&mut values), expected);
        }
    }

    proptest! {
        /// The bounds are the two solutions of (p − x)² = z²·x(1 − x)/n: the definition, not the formula above.
        #[test]
        fn the_bounds_solve_the_score_equation(n in 1..5_000_u64, part in 0.0..=1.0_f64) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 5,000")]
            let successes = (part * as_float(n)).round() as u64;
            let interval = wilson_95(successes, n).expect("n is not 0");
            let p = as_float(successes) / as_float(n);
            for x in [interval.low, interval.high] {
                let gap = (p - x).powi(2) - Z_95 * Z_95 * x * (1.0 - x) / as_float(n);
                prop_assert!(gap.abs() < 1e-12, "{gap}");
            }
            prop_assert!(interval.low <= p && p <= interval.high);
        }

        #[test]
        fn as_many_values_lie_below_the_median_as_above(mut values in prop::collection::vec(-1_000..1_000_i64, 1..40)) {
            let middle = median(&mut values).expect("there are values");
            let below = values.iter().filter(|value| signed_as_float(i128::from(**value)) < middle).count();
            let above = values.iter().filter(|value| signed_as_float(i128::from(**value)) > middle).count();
            prop_assert!(below <= values.len() / 2 && above <= values.len() / 2);
        }
    }
}
