//! Charts as figures and words: the drawing is the edge's, the same figures stand beside it as a table.

/// A chart with everything that its drawing and its table need.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Unique on its page; made of letters, digits and hyphens.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// What a reader who does not see it should know.
    pub description: String,
    /// What stands along it: the heading of the table's first column.
    pub along: &'static str,
    /// What is measured: the heading of the table's second column.
    pub measured: String,
    /// How it is drawn.
    pub shape: Shape,
    /// The smallest and the largest value of the axis.
    pub scale: (f64, f64),
    /// Ranges of the axis that have a name.
    pub bands: Vec<Band>,
    /// The values, in the order of time.
    pub dots: Vec<Dot>,
}

/// How a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A bar for each value.
    Bars,
    /// A dot for each value, with its interval.
    Intervals,
    /// Dots joined by a line.
    Line,
}

/// A named range of the axis, both ends included.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Its first value.
    pub from: f64,
    /// Its last value.
    pub to: f64,
    /// Its name.
    pub label: String,
}

/// One value of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Dot {
    /// Where it stands along the axis: days, or quarters.
    pub at: i32,
    /// A short label below the axis.
    pub label: String,
    /// The same in full, for the table.
    pub full: String,
    /// The value; `None` where it is hidden or there is none.
    pub value: Option<f64>,
    /// Its interval, where it has one.
    pub interval: Option<(f64, f64)>,
    /// The value on the drawing.
    pub short: String,
    /// The value in the table.
    pub words: String,
}

/// The least round number that is not below a value: 1, 2 or 5 times a power of ten, or 10.
pub(crate) fn round_up(value: f64) -> f64 {
    let mut top = 10.0;
    for factor in [2.0, 2.5, 2.0].into_iter().cycle().take(30) {
        if top >= value {
            break;
        }
        top *= factor;
    }
    top
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (value, top) in [(0.0, 10.0), (10.0, 10.0), (11.0, 20.0), (126.0, 200.0), (47.0, 50.0), (501.0, 1000.0)] {
            assert!((round_up(value) - top).abs() < f64::EPSILON, "{value}");
        }
    }
}
