//! The histogram of response times, with a logarithmic axis.

use std::time::Duration;

use crate::report::counts::counted;
use crate::report::scenario_record::ScenarioRecord;
use crate::run::ResponseRecord;

const COLUMNS_PER_DECADE: i32 = 6;

/// The maximum width of a label with its margin, in percent of the axis on a narrow screen.
const LABEL_WIDTH: f64 = 13.5;

/// The histogram. Coordinates are in percent of its box.
#[derive(Debug, PartialEq)]
pub(crate) struct Plot {
    pub(crate) columns: Vec<HistogramColumn>,
    pub(crate) labels: Vec<AxisLabel>,
    pub(crate) median_x: f64,
    /// The quantiles, from the median to the slowest.
    pub(crate) quantiles: Vec<(&'static str, String)>,
    /// The number of responses, and of attempts that are left out.
    pub(crate) basis: String,
}

#[derive(Debug, PartialEq)]
pub(crate) struct HistogramColumn {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) title: String,
}

#[derive(Debug, PartialEq)]
pub(crate) struct AxisLabel {
    pub(crate) x: f64,
    pub(crate) text: String,
}

/// The histogram of the response times of a run. `None` for a run without responses. Attempts with a
/// fault say nothing about the receiver's speed and are only counted.
pub(super) fn response_times(scenarios: &[&ScenarioRecord]) -> Option<Plot> {
    let attempts = scenarios.iter().flat_map(|record| &record.attempts);
    let (mut took, mut left_out) = (Vec::new(), 0);
    for attempt in attempts {
        match (&attempt.response, &attempt.fault) {
            (ResponseRecord::Response { .. }, None) => took.push(attempt.took),
            _ => left_out += 1,
        }
    }
    plot_of(took, left_out)
}

fn plot_of(mut took: Vec<Duration>, left_out: usize) -> Option<Plot> {
    took.sort_unstable();
    let times: Vec<(f64, u64)> = took.iter().map(|time| (time.as_secs_f64(), 1)).collect();
    let quantiles = [
        ("median", 0.5),
        ("p90", 0.9),
        ("p99", 0.99),
        ("slowest", 1.0),
    ];
    let quantiles = quantiles.map(|(name, part)| (name, quantile(&took, part).as_secs_f64()));
    let basis = match left_out {
        0 => counted(took.len(), "response"),
        left_out => format!(
            "{}; without {} that had a fault or no response",
            counted(took.len(), "response"),
            counted(left_out, "attempt")
        ),
    };
    plot(&times, &quantiles, basis)
}

/// The histogram of times in seconds, in ascending order, each with its count. The first quantile is
/// the median.
pub(crate) fn plot(
    times: &[(f64, u64)],
    quantiles: &[(&'static str, f64)],
    basis: String,
) -> Option<Plot> {
    let (mut first, mut last) = (column_of(times.first()?.0), column_of(times.last()?.0));
    if last - first < 2 {
        // With fewer columns the axis could be without a label.
        (first, last) = (first - 1, last + 1);
    }
    let width = 100.0 / f64::from(last - first + 1);
    let x = |seconds: f64| {
        let column = seconds.log10() * f64::from(COLUMNS_PER_DECADE) - f64::from(first);
        rounded(column * width)
    };
    let count_of = |column: i32| -> u64 {
        let own = times.iter().filter(|(time, _)| column_of(*time) == column);
        own.map(|(_, count)| count).sum()
    };
    let counts: Vec<u64> = (first..=last).map(count_of).collect();
    let most = counts.iter().copied().max().unwrap_or(1);
    let columns = (first..=last).zip(&counts).filter(|(_, count)| **count > 0);
    let columns = columns.map(|(column, count)| {
        // Even one response among thousands must be visible.
        let height = (100.0 * share(*count, most)).max(2.0);
        HistogramColumn {
            x: rounded(f64::from(column - first) * width),
            y: rounded(100.0 - height),
            width: rounded(width),
            height: rounded(height),
            title: format!(
                "{count} from {} to {}",
                format_seconds(edge(column)),
                format_seconds(edge(column + 1))
            ),
        }
    });
    let median = quantiles.first().map_or(0.0, |(_, seconds)| *seconds);
    Some(Plot {
        columns: columns.collect(),
        labels: labels(edge(first), edge(last + 1), x),
        median_x: x(median.max(edge(first))),
        quantiles: quantiles
            .iter()
            .map(|(name, seconds)| (*name, format_seconds(*seconds)))
            .collect(),
        basis,
    })
}

/// The column of a time. Times below a microsecond count as one microsecond.
fn column_of(seconds: f64) -> i32 {
    let seconds = seconds.max(1e-6);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the logarithm of a time is a small number"
    )]
    let column = (seconds.log10() * f64::from(COLUMNS_PER_DECADE)).floor() as i32;
    column
}

/// The start of a column, in seconds.
fn edge(column: i32) -> f64 {
    10_f64.powf(f64::from(column) / f64::from(COLUMNS_PER_DECADE))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// The smallest time that `part` of all times do not exceed.
fn quantile(sorted: &[Duration], part: f64) -> Duration {
    let rank = sorted
        .iter()
        .enumerate()
        .find(|(index, _)| share(*index as u64 + 1, sorted.len() as u64) >= part);
    rank.map_or(Duration::ZERO, |(_, took)| *took)
}

/// Labels at 1, 2 and 5 of every decade, or fewer if they would touch on a narrow screen.
fn labels(from: f64, to: f64, x: impl Fn(f64) -> f64) -> Vec<AxisLabel> {
    let within = |steps: &[f64]| -> Vec<AxisLabel> {
        let powers = (-6..=5).map(|power| 10_f64.powi(power));
        let values = powers.flat_map(|power| steps.iter().map(move |step| step * power));
        let shown = values.filter(|value| (from * 0.999..=to * 1.001).contains(value));
        shown
            .map(|value| AxisLabel {
                x: x(value).clamp(0.0, 100.0),
                text: format_seconds(value),
            })
            .collect()
    };
    for steps in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0]] {
        let labels = within(steps);
        if labels.is_sorted_by(leave_room) {
            return labels;
        }
    }
    let mut shown = Vec::new();
    for label in within(&[1.0]) {
        if shown.last().is_none_or(|last| leave_room(last, &label)) {
            shown.push(label);
        }
    }
    shown
}

/// Whether a label ends before the next one begins.
fn leave_room(one: &AxisLabel, next: &AxisLabel) -> bool {
    one.begin() + LABEL_WIDTH <= next.begin()
}

impl AxisLabel {
    /// The SVG text anchor: a label at an edge stays inside the box.
    pub(crate) fn anchor(&self) -> &'static str {
        match self.x {
            ..6.0 => "start",
            ..=94.0 => "middle",
            _ => "end",
        }
    }

    fn begin(&self) -> f64 {
        match self.anchor() {
            "start" => self.x,
            "middle" => self.x - LABEL_WIDTH / 2.0,
            _ => self.x - LABEL_WIDTH,
        }
    }
}

/// A time with a fitting unit, to about two digits.
pub(crate) fn format_seconds(seconds: f64) -> String {
    let (value, unit) = match seconds {
        0.0..0.000_999_5 => (seconds * 1e6, "µs"),
        0.0..0.999_5 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    let digits = match value {
        0.0..9.95 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
}

fn rounded(percent: f64) -> f64 {
    (percent * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(milliseconds: &[u64]) -> Plot {
        let took = milliseconds.iter().copied().map(Duration::from_millis);
        plot_of(took.collect(), 1).unwrap()
    }

    #[test]
    fn quantiles_are_times_that_occurred() {
        let plot = plot(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 100]);
        let texts: Vec<&str> = plot.quantiles.iter().map(|(_, text)| &**text).collect();
        assert_eq!(texts, ["5 ms", "9 ms", "100 ms", "100 ms"]);
        let basis = "10 responses; without 1 attempt that had a fault or no response";
        assert_eq!(plot.basis, basis);
    }

    #[test]
    fn every_response_is_in_a_column_inside_the_box() {
        for times in [&[0][..], &[3], &[1, 1, 1], &[1, 86_400_000]] {
            let plot = plot(times);
            for column in &plot.columns {
                assert!(
                    column.x >= 0.0 && column.x + column.width <= 100.1,
                    "{column:?}"
                );
                assert!(column.height > 0.0 && column.y >= 0.0, "{column:?}");
            }
            assert!(
                plot.labels
                    .iter()
                    .all(|label| (0.0..=100.0).contains(&label.x))
            );
            assert!((0.0..=100.0).contains(&plot.median_x), "{}", plot.median_x);
        }
        assert_eq!(plot_of(Vec::new(), 0), None);
    }

    #[test]
    fn labels_never_touch() {
        for slowest in 1..400_u64 {
            for fastest in [0, 1, 3, 40] {
                let plot = plot(&[fastest.min(slowest), slowest * slowest]);
                let labels = &plot.labels;
                assert!(labels.is_sorted_by(leave_room), "{labels:?}");
                assert!(!labels.is_empty(), "{fastest} {slowest}");
            }
        }
    }

    #[test]
    fn times_have_a_fitting_unit() {
        for (seconds, text) in [
            (0.000_05, "50 µs"),
            (0.000_999_9, "1 ms"),
            (0.001_26, "1.3 ms"),
            (0.25, "250 ms"),
            (1.0, "1 s"),
            (336.0, "336 s"),
        ] {
            assert_eq!(format_seconds(seconds), text);
        }
    }
}
