//! Lines over time, as paths of an SVG whose box is 1000 wide and 100 high.

use std::fmt::Write as _;

use crate::load::Point;
use crate::report::html::latency::format_seconds;

/// One figure of the page.
pub(super) struct TimePlot {
    pub(super) title: &'static str,
    pub(super) about: String,
    pub(super) lines: Vec<Line>,
    /// What is written on the left, with its height in per cent from above.
    pub(super) marks: Vec<(f64, String)>,
}

/// One line of a plot.
pub(super) struct Line {
    pub(super) name: &'static str,
    /// The class that colours it.
    pub(super) class: &'static str,
    pub(super) path: String,
}

/// The most gaps between the labels on the left: more, and they would touch.
const MOST_GAPS: f64 = 5.0;

/// What a line is made of: its name, its class and the figure of a point.
type Figure = (&'static str, &'static str, fn(&Point) -> Option<f64>);

/// Attempts a second, latency, and what was under way; none of a load in which nothing happened.
pub(super) fn plots(points: &[Point]) -> Vec<TimePlot> {
    if points.is_empty() {
        return Vec::new();
    }
    let rates: [Figure; 3] = [
        ("sent", "sent", |point| Some(per_second(point.sent, point))),
        ("answered", "answered", |point| {
            Some(per_second(point.answered, point))
        }),
        ("errors", "errors", |point| {
            Some(per_second(point.errors, point))
        }),
    ];
    let times: [Figure; 3] = [
        ("p50", "answered", |point| point.p50_us),
        ("p99", "sent", |point| point.p99_us),
        ("begun late, p99", "late", |point| {
            point.late_p99_us.filter(|late| *late > 0.0)
        }),
    ];
    let under_way: [Figure; 1] = [("in flight", "sent", |point| Some(float(point.in_flight)))];
    vec![
        counts("Attempts a second", &rates, points),
        durations("Latency, and how late attempts began", &times, points),
        counts("Attempts under way", &under_way, points),
    ]
}

/// A plot of counts, from nothing to the most.
fn counts(title: &'static str, figures: &[Figure], points: &[Point]) -> TimePlot {
    let most = most(figures, points).max(1.0);
    let y = |value: f64| 100.0 - 100.0 * value / most;
    TimePlot {
        title,
        about: format!("at most {most:.0}"),
        lines: lines(figures, points, y),
        marks: vec![(0.0, format!("{most:.0}")), (100.0, "0".to_owned())],
    }
}

/// A plot of times, over whole powers of ten.
fn durations(title: &'static str, figures: &[Figure], points: &[Point]) -> TimePlot {
    let most = most(figures, points).max(1.0);
    let all = values(figures, points).filter(|value| *value > 0.0);
    let least = all.fold(most, f64::min);
    let (bottom, mut top) = (least.log10().floor(), most.log10().ceil());
    if top - bottom < 1.0 {
        top = bottom + 1.0;
    }
    let y = |value: f64| 100.0 - 100.0 * (value.max(1e-3).log10() - bottom) / (top - bottom);
    // Labels stand one below the other: where there are many powers, only some are marked.
    let every = ((top - bottom) / MOST_GAPS).ceil();
    let powers = std::iter::successors(Some(bottom), |power| Some(power + every));
    let powers = powers.take_while(|power| *power <= top);
    TimePlot {
        title,
        about: format!("at most {}", format_seconds(most / 1e6)),
        lines: lines(figures, points, y),
        marks: powers
            .map(|power| {
                (
                    rounded(y(10_f64.powf(power))),
                    format_seconds(10_f64.powf(power - 6.0)),
                )
            })
            .collect(),
    }
}

fn values<'all>(
    figures: &'all [Figure],
    points: &'all [Point],
) -> impl Iterator<Item = f64> + 'all {
    let of = |figure: &'all Figure| points.iter().filter_map(figure.2);
    figures.iter().flat_map(of)
}

fn most(figures: &[Figure], points: &[Point]) -> f64 {
    values(figures, points).fold(0.0, f64::max)
}

fn lines(figures: &[Figure], points: &[Point], y: impl Fn(f64) -> f64) -> Vec<Line> {
    let line = |(name, class, figure): &Figure| Line {
        name,
        class,
        path: path(points, *figure, &y),
    };
    figures.iter().map(line).collect()
}

/// Steps, since a point stands for a whole interval; interrupted where there is no figure.
fn path(points: &[Point], figure: fn(&Point) -> Option<f64>, y: &impl Fn(f64) -> f64) -> String {
    let width = 1000.0 / float(points.len() as u64);
    let mut path = String::new();
    let mut is_drawing = false;
    for (place, point) in (0_u64..).zip(points) {
        let Some(value) = figure(point) else {
            is_drawing = false;
            continue;
        };
        let (from, to) = (
            rounded(float(place) * width),
            rounded(float(place + 1) * width),
        );
        let y = rounded(y(value).clamp(0.0, 100.0));
        // Writing to a text does not fail.
        let _ = if is_drawing {
            write!(path, "V{y}H{to}")
        } else {
            write!(path, "M{from} {y}H{to}")
        };
        is_drawing = true;
    }
    path
}

fn per_second(count: u64, point: &Point) -> f64 {
    float(count) / float(point.seconds.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

fn rounded(place: f64) -> f64 {
    (place * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(from_s: u64, p99_us: Option<f64>) -> Point {
        Point {
            from_s,
            seconds: 1,
            sent: 10 * from_s,
            answered: 5,
            errors: 0,
            p50_us: p99_us,
            p99_us,
            in_flight: 3,
            late_p99_us: None,
        }
    }

    #[test]
    fn labels_of_a_wide_range_leave_each_other_room() {
        let points = [point(0, Some(2.0)), point(1, Some(9_000_000.0))];
        let plots = plots(&points);
        let places: Vec<f64> = plots[1].marks.iter().map(|(y, _)| *y).collect();
        assert_eq!(places, [100.0, 71.4, 42.9, 14.3]);
    }

    #[test]
    fn lines_are_steps_with_gaps_where_there_is_nothing() {
        let points = [
            point(0, Some(100.0)),
            point(1, Some(1_000.0)),
            point(2, None),
            point(4, Some(100.0)),
        ];
        let plots = plots(&points);
        let [rates, times, _] = plots.as_slice() else {
            panic!("three plots");
        };
        assert_eq!(rates.lines[0].path, "M0 100H250V75H500V50H750V0H1000");
        assert_eq!(times.lines[1].path, "M0 100H250V0H500M750 100H1000");
        assert_eq!(times.lines[2].path, "");
        let marks = [(100.0, "100 µs".to_owned()), (0.0, "1 ms".to_owned())];
        assert_eq!(times.marks, marks);
        assert!(super::plots(&[]).is_empty());
    }
}
