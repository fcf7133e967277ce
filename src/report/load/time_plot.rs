//! Plots over time, as SVG paths in a box of 1000 by 100.

use std::fmt::Write as _;

use crate::load::Point;
use crate::report::html::latency::format_seconds;

pub(super) struct TimePlot {
    pub(super) title: &'static str,
    pub(super) about: String,
    pub(super) lines: Vec<PlotLine>,
    /// The labels on the left, with their distance from the top in percent.
    pub(super) marks: Vec<(f64, String)>,
}

pub(super) struct PlotLine {
    pub(super) name: &'static str,
    /// The CSS class that sets its color.
    pub(super) class: &'static str,
    pub(super) path: String,
}

/// The most gaps between labels: with more, the labels would overlap.
const MOST_GAPS: f64 = 5.0;

/// The data of a line: its name, its class and its value at a point.
type PlotSeries = (&'static str, &'static str, fn(&Point) -> Option<f64>);

/// The plots of attempts per second, latency and attempts in flight; empty if nothing happened.
pub(super) fn plots(points: &[Point]) -> Vec<TimePlot> {
    if points.is_empty() {
        return Vec::new();
    }
    let rates: [PlotSeries; 3] = [
        ("sent", "sent", |point| Some(per_second(point.sent, point))),
        ("responses", "answered", |point| {
            Some(per_second(point.answered, point))
        }),
        ("errors", "errors", |point| {
            Some(per_second(point.errors, point))
        }),
    ];
    let times: [PlotSeries; 3] = [
        ("p50", "answered", |point| point.p50_us),
        ("p99", "sent", |point| point.p99_us),
        ("late, p99", "late", |point| {
            point.late_p99_us.filter(|late| *late > 0.0)
        }),
    ];
    let in_flight: [PlotSeries; 1] = [("in flight", "sent", |point| Some(float(point.in_flight)))];
    vec![
        counts("Attempts per second", &rates, points),
        durations("Latency and start delay", &times, points),
        counts("Attempts in flight", &in_flight, points),
    ]
}

fn counts(title: &'static str, series: &[PlotSeries], points: &[Point]) -> TimePlot {
    let most = most(series, points).max(1.0);
    let y = |value: f64| 100.0 - 100.0 * value / most;
    TimePlot {
        title,
        about: format!("at most {most:.0}"),
        lines: lines(series, points, y),
        marks: vec![(0.0, format!("{most:.0}")), (100.0, "0".to_owned())],
    }
}

/// A logarithmic plot of times over whole powers of ten.
fn durations(title: &'static str, series: &[PlotSeries], points: &[Point]) -> TimePlot {
    let most = most(series, points).max(1.0);
    let all = values(series, points).filter(|value| *value > 0.0);
    let least = all.fold(most, f64::min);
    let (bottom, mut top) = (least.log10().floor(), most.log10().ceil());
    if top - bottom < 1.0 {
        top = bottom + 1.0;
    }
    let y = |value: f64| 100.0 - 100.0 * (value.max(1e-3).log10() - bottom) / (top - bottom);
    // Labels only some of many powers, so that the labels do not overlap.
    let every = ((top - bottom) / MOST_GAPS).ceil();
    let powers = std::iter::successors(Some(bottom), |power| Some(power + every));
    let powers = powers.take_while(|power| *power <= top);
    TimePlot {
        title,
        about: format!("at most {}", format_seconds(most / 1e6)),
        lines: lines(series, points, y),
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
    series: &'all [PlotSeries],
    points: &'all [Point],
) -> impl Iterator<Item = f64> + 'all {
    let values_of = |series: &'all PlotSeries| points.iter().filter_map(series.2);
    series.iter().flat_map(values_of)
}

fn most(series: &[PlotSeries], points: &[Point]) -> f64 {
    values(series, points).fold(0.0, f64::max)
}

fn lines(series: &[PlotSeries], points: &[Point], y: impl Fn(f64) -> f64) -> Vec<PlotLine> {
    let line = |(name, class, value): &PlotSeries| PlotLine {
        name,
        class,
        path: path(points, *value, &y),
    };
    series.iter().map(line).collect()
}

/// A stepped line, because a point covers a whole interval, with gaps where there is no value.
fn path(points: &[Point], value: fn(&Point) -> Option<f64>, y: &impl Fn(f64) -> f64) -> String {
    let width = 1000.0 / float(points.len() as u64);
    let mut path = String::new();
    let mut is_drawing = false;
    for (index, point) in (0_u64..).zip(points) {
        let Some(value) = value(point) else {
            is_drawing = false;
            continue;
        };
        let (from, to) = (
            rounded(float(index) * width),
            rounded(float(index + 1) * width),
        );
        let y = rounded(y(value).clamp(0.0, 100.0));
        // Writing to a string does not fail.
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

fn rounded(coordinate: f64) -> f64 {
    (coordinate * 10.0).round() / 10.0
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
    fn labels_of_a_wide_range_do_not_overlap() {
        let points = [point(0, Some(2.0)), point(1, Some(9_000_000.0))];
        let plots = plots(&points);
        let heights: Vec<f64> = plots[1].marks.iter().map(|(y, _)| *y).collect();
        assert_eq!(heights, [100.0, 71.4, 42.9, 14.3]);
    }

    #[test]
    fn lines_are_stepped_with_gaps_for_missing_values() {
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
