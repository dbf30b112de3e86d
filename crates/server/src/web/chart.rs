//! Charts as SVG: an image with a title and a description for whoever does not see it, and no colour that alone means
//! something. The same figures stand beside it as a table.
//!
//! Everything is placed in a box of [`WIDTH`] by [`HEIGHT`] that scales with the page; letters are large enough in it to be
//! read on a telephone.

use alongside_app::pages::{Chart, Dot, Shape};
use askama::Template;

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 34.0;
/// The least room between two labels below the axis.
const LABEL_ROOM: f64 = 58.0;
/// The room at the right that the names of bands have to themselves.
const BAND_ROOM: f64 = 92.0;
/// The widest bar.
const BAR_MAX: f64 = 48.0;
/// The part of the way from bar to bar that a bar fills at most.
const BAR_SHARE: f64 = 0.7;

/// A chart, placed.
#[derive(Template)]
#[template(path = "chart.html")]
pub(crate) struct Drawing<'a> {
    chart: &'a Chart,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    base: f64,
    ticks: Vec<Tick>,
    zones: Vec<Zone>,
    marks: Vec<Mark>,
    line: String,
}

/// A value of the axis.
struct Tick {
    y: f64,
    words: String,
}

/// A named range of the axis.
struct Zone {
    y: f64,
    height: f64,
    middle: f64,
    label: String,
    shaded: bool,
}

/// A value.
struct Mark {
    x: f64,
    y: f64,
    /// Where its words stand.
    words_y: f64,
    words: String,
    label: Option<String>,
    bar: Option<Bar>,
    interval: Option<(f64, f64)>,
    dot: bool,
}

struct Bar {
    x: f64,
    width: f64,
    height: f64,
}

impl<'a> Drawing<'a> {
    /// What it shows: where a figure's definition stands in `/measures`, its chart has that name.
    pub(crate) const fn about(&self) -> &str {
        self.chart.id.as_str()
    }

    /// Its title.
    pub(crate) const fn title(&self) -> &str {
        self.chart.title.as_str()
    }

    pub(crate) fn of(chart: &'a Chart) -> Self {
        let place = Place::new(chart);
        // From the latest on back, so that the latest always has its label.
        let mut labelled = f64::INFINITY;
        let mut marks: Vec<Mark> = chart.dots.iter().enumerate().map(|(index, dot)| place.mark(index, dot)).collect();
        for (mark, dot) in marks.iter_mut().zip(&chart.dots).rev() {
            if labelled - mark.x >= LABEL_ROOM {
                labelled = mark.x;
                mark.label = Some(dot.label.clone());
            }
        }
        let seen = marks.iter().filter(|mark| mark.dot);
        let line = if chart.shape == Shape::Line {
            seen.map(|mark| format!("{},{}", mark.x, mark.y)).collect::<Vec<_>>().join(" ")
        } else {
            String::new()
        };
        Self {
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH - RIGHT,
            base: HEIGHT - BOTTOM,
            ticks: place.ticks(),
            zones: place.zones(),
            marks,
            line,
            chart,
        }
    }
}

/// Where values stand in the box.
struct Place<'a> {
    chart: &'a Chart,
    first: f64,
    last: f64,
}

impl<'a> Place<'a> {
    fn new(chart: &'a Chart) -> Self {
        let at = chart.dots.iter().map(|dot| f64::from(dot.at));
        Self { chart, first: at.clone().fold(f64::INFINITY, f64::min), last: at.fold(f64::NEG_INFINITY, f64::max) }
    }

    /// Bars have a share of the width each; dots stand at their time, half a bar from both ends.
    fn x(&self, index: usize, dot: &Dot) -> f64 {
        let names = if self.chart.bands.is_empty() { BAR_MAX / 2.0 } else { BAND_ROOM };
        let (from, to) = (LEFT + BAR_MAX / 2.0 + 6.0, WIDTH - RIGHT - names);
        if self.chart.shape == Shape::Line {
            let span = self.last - self.first;
            let part = if span > 0.0 { (f64::from(dot.at) - self.first) / span } else { 0.5 };
            return rounded(from + part * (to - from));
        }
        let steps = float(self.chart.dots.len().saturating_sub(1)).max(1.0);
        rounded(if self.chart.dots.len() < 2 { f64::midpoint(from, to) } else { from + float(index) / steps * (to - from) })
    }

    /// How far one bar is from the next.
    fn step(&self) -> f64 {
        let steps = float(self.chart.dots.len().saturating_sub(1)).max(1.0);
        (WIDTH - RIGHT - BAR_MAX - LEFT - 6.0) / steps
    }

    fn y(&self, value: f64) -> f64 {
        let (low, high) = self.chart.scale;
        let part = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
        rounded(HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP))
    }

    fn mark(&self, index: usize, dot: &Dot) -> Mark {
        let (x, base) = (self.x(index, dot), HEIGHT - BOTTOM);
        let y = dot.value.map_or(base, |value| self.y(value));
        let interval = dot.interval.map(|(low, high)| (self.y(high), self.y(low)));
        let bar = dot.value.filter(|_| self.chart.shape == Shape::Bars);
        let top = interval.map_or(y, |(high, _)| high.min(y));
        let width = BAR_MAX.min(self.step() * BAR_SHARE);
        Mark {
            x,
            y,
            words_y: rounded(top - 8.0),
            words: dot.short.clone(),
            label: None,
            bar: bar.map(|_| Bar { x: rounded(x - width / 2.0), width: rounded(width), height: rounded(base - y) }),
            interval,
            dot: dot.value.is_some() && self.chart.shape != Shape::Bars,
        }
    }

    /// The ends of the axis and its middle; whole numbers, since what is counted and scored is whole.
    fn ticks(&self) -> Vec<Tick> {
        let (low, high) = self.chart.scale;
        let middle = f64::midpoint(low, high);
        let unit = if self.chart.shape == Shape::Intervals { " %" } else { "" };
        let values = [Some(low), (middle.fract() == 0.0).then_some(middle), Some(high)];
        values.into_iter().flatten().map(|value| Tick { y: self.y(value), words: format!("{value}{unit}") }).collect()
    }

    /// Bands as stripes; each reaches half way to its neighbour.
    fn zones(&self) -> Vec<Zone> {
        let stripes = self.chart.bands.iter().enumerate();
        stripes
            .map(|(index, band)| {
                let (top, bottom) = (self.y(band.to + 0.5), self.y(band.from - 0.5));
                let label = band.label.clone();
                Zone {
                    y: top,
                    height: rounded(bottom - top),
                    middle: rounded(f64::midpoint(top, bottom) + 4.0),
                    label,
                    shaded: index % 2 == 0,
                }
            })
            .collect()
    }
}

/// One decimal is finer than any screen shows, and keeps pages short.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A chart has a handful of values.
#[expect(clippy::cast_precision_loss, reason = "a chart has a handful of values")]
const fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::samples;

    #[test]
    fn a_chart_is_an_image_with_a_title_a_description_and_its_figures_as_a_table() {
        for chart in samples::charts() {
            let html = Drawing::of(&chart).render().unwrap();
            for part in ["role=\"img\"", "<title id=", "<desc id=", "<table", "</table>"] {
                assert_eq!(html.matches(part).count(), 1, "{part} of {}", chart.id);
            }
            for dot in &chart.dots {
                assert!(html.contains(&dot.full) && html.contains(&dot.words), "{html}");
            }
            assert!(!html.contains("style="), "the page's policy refuses styles within elements");
            assert!(!html.contains("NaN") && !html.contains("inf"));
        }
    }

    #[test]
    fn a_hidden_value_has_words_and_neither_bar_nor_dot() {
        let mut chart = samples::charts().remove(0);
        for dot in &mut chart.dots {
            (dot.value, dot.short) = (None, "hidden".to_owned());
        }
        let drawing = Drawing::of(&chart);
        assert!(drawing.marks.iter().all(|mark| mark.bar.is_none() && !mark.dot && mark.words == "hidden"));
    }

    #[test]
    fn everything_stands_within_the_box() {
        for chart in samples::charts() {
            let drawing = Drawing::of(&chart);
            for mark in &drawing.marks {
                assert!((LEFT..=WIDTH - RIGHT).contains(&mark.x) && (TOP..=HEIGHT - BOTTOM).contains(&mark.y));
                assert!(mark.words_y > 0.0);
            }
        }
    }

    #[test]
    fn labels_below_the_axis_do_not_run_into_one_another() {
        let mut chart = samples::charts().remove(2);
        let dot = chart.dots[0].clone();
        chart.dots = (0..40).map(|day| Dot { at: day, ..dot.clone() }).collect();
        let drawing = Drawing::of(&chart);
        let labelled: Vec<f64> = drawing.marks.iter().filter(|mark| mark.label.is_some()).map(|mark| mark.x).collect();
        assert!(labelled.len() > 2 && labelled.windows(2).all(|pair| pair[1] - pair[0] >= LABEL_ROOM));
    }
}
