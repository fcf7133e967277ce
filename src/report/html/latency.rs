//! How long the answers of a run took, as a histogram over a logarithmic axis.

use std::time::Duration;

use crate::harness::{AnswerRecord, AttemptEnded};
use crate::report::counts::counted;

/// Columns of the histogram for each factor of ten.
const COLUMNS_A_DECADE: i32 = 6;

/// How many labels the axis has at most.
const LABELS: usize = 7;

/// The times that answers took. Those that a fault of the sender's delayed or kept away tell
/// nothing of the receiver, and are only counted.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    took: Vec<Duration>,
    left_out: usize,
}

/// The histogram, in per cent of its box.
#[derive(Debug, PartialEq)]
pub(super) struct Plot {
    pub(super) columns: Vec<Column>,
    pub(super) labels: Vec<Label>,
    /// Where the median is.
    pub(super) median_x: f64,
    /// In words, from the median to the slowest.
    pub(super) quantiles: Vec<(&'static str, String)>,
    /// How many answers it is of, and how many attempts it leaves out.
    pub(super) basis: String,
}

#[derive(Debug, PartialEq)]
pub(super) struct Column {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) title: String,
}

#[derive(Debug, PartialEq)]
pub(super) struct Label {
    pub(super) x: f64,
    pub(super) text: String,
}

impl Latencies {
    /// Takes the attempts of a scenario.
    pub(super) fn add(&mut self, attempts: &[AttemptEnded]) {
        for attempt in attempts {
            match (&attempt.answer, &attempt.fault) {
                (AnswerRecord::Response { .. }, None) => self.took.push(attempt.took),
                _ => self.left_out += 1,
            }
        }
    }

    /// The histogram; none of a run without answers.
    pub(super) fn plot(&self) -> Option<Plot> {
        let mut took = self.took.clone();
        took.sort_unstable();
        let (mut first, mut last) = (column_of(*took.first()?), column_of(*took.last()?));
        if last - first < 2 {
            // So few columns would be an axis without a label.
            (first, last) = (first - 1, last + 1);
        }
        let count = last - first + 1;
        let width = 100.0 / f64::from(count);
        let x = |seconds: f64| {
            let column = seconds.log10() * f64::from(COLUMNS_A_DECADE) - f64::from(first);
            rounded(column * width)
        };
        let counts: Vec<usize> = (first..=last)
            .map(|column| took.iter().filter(|one| column_of(**one) == column).count())
            .collect();
        let most = counts.iter().copied().max().unwrap_or(1);
        let columns = (first..=last).zip(&counts).filter(|(_, count)| **count > 0);
        let columns = columns.map(|(column, count)| {
            // One answer among thousands must be seen, too.
            let height = (100.0 * share(*count, most)).max(2.0);
            Column {
                x: rounded(f64::from(column - first) * width),
                y: rounded(100.0 - height),
                width: rounded(width),
                height: rounded(height),
                title: format!(
                    "{count} from {} to {}",
                    in_words(edge(column)),
                    in_words(edge(column + 1))
                ),
            }
        });
        let quantile = |part: f64| quantile(&took, part).as_secs_f64();
        let quantiles = [
            ("median", 0.5),
            ("p90", 0.9),
            ("p99", 0.99),
            ("slowest", 1.0),
        ];
        Some(Plot {
            columns: columns.collect(),
            labels: labels(edge(first), edge(last + 1), x),
            median_x: x(quantile(0.5).max(edge(first))),
            quantiles: quantiles
                .map(|(name, part)| (name, in_words(quantile(part))))
                .to_vec(),
            basis: match self.left_out {
                0 => counted(took.len(), "answer"),
                left_out => format!(
                    "{}; {} with a fault or without an answer left out",
                    counted(took.len(), "answer"),
                    counted(left_out, "attempt")
                ),
            },
        })
    }
}

/// The column that a time falls into. What took less than a microsecond counts as one.
fn column_of(took: Duration) -> i32 {
    let seconds = took.as_secs_f64().max(1e-6);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the logarithm of a time is a small number"
    )]
    let column = (seconds.log10() * f64::from(COLUMNS_A_DECADE)).floor() as i32;
    column
}

/// Where a column begins, in seconds.
fn edge(column: i32) -> f64 {
    10_f64.powf(f64::from(column) / f64::from(COLUMNS_A_DECADE))
}

fn share(part: usize, whole: usize) -> f64 {
    let exact = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    exact(part) / exact(whole)
}

/// The time that `part` of all took at most.
fn quantile(sorted: &[Duration], part: f64) -> Duration {
    let rank = sorted
        .iter()
        .enumerate()
        .find(|(index, _)| share(index + 1, sorted.len()) >= part);
    rank.map_or(Duration::ZERO, |(_, took)| *took)
}

/// 1, 2 and 5 of every decade, or only the powers of ten where there are too many.
fn labels(from: f64, to: f64, x: impl Fn(f64) -> f64) -> Vec<Label> {
    let within = |steps: &[f64]| -> Vec<Label> {
        let powers = (-6..=5).map(|power| 10_f64.powi(power));
        let values = powers.flat_map(|power| steps.iter().map(move |step| step * power));
        let shown = values.filter(|value| (from * 0.999..=to * 1.001).contains(value));
        shown
            .map(|value| Label {
                x: x(value).clamp(0.0, 100.0),
                text: in_words(value),
            })
            .collect()
    };
    let fine = within(&[1.0, 2.0, 5.0]);
    if fine.len() > LABELS {
        within(&[1.0])
    } else {
        fine
    }
}

/// A time as people say it, to two digits or so.
pub(super) fn in_words(seconds: f64) -> String {
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

fn rounded(per_cent: f64) -> f64 {
    (per_cent * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(milliseconds: &[u64]) -> Plot {
        let took = milliseconds.iter().copied().map(Duration::from_millis);
        let latencies = Latencies {
            took: took.collect(),
            left_out: 1,
        };
        latencies.plot().unwrap()
    }

    #[test]
    fn quantiles_are_times_that_came_up() {
        let plot = plot(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 100]);
        let words: Vec<&str> = plot.quantiles.iter().map(|(_, text)| &**text).collect();
        assert_eq!(words, ["5 ms", "9 ms", "100 ms", "100 ms"]);
        let basis = "10 answers; 1 attempt with a fault or without an answer left out";
        assert_eq!(plot.basis, basis);
    }

    #[test]
    fn every_answer_is_in_a_column_of_the_box() {
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
        assert_eq!(Latencies::default().plot(), None);
    }

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        for (seconds, words) in [
            (0.000_05, "50 µs"),
            (0.000_999_9, "1 ms"),
            (0.001_26, "1.3 ms"),
            (0.25, "250 ms"),
            (1.0, "1 s"),
            (336.0, "336 s"),
        ] {
            assert_eq!(in_words(seconds), words);
        }
    }
}
