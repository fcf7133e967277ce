//! `p99 < 200ms`: an expectation of a load's figures, read from a text and judged.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::figures::Figures;
use super::time_text::time_text;
use crate::scenario::DurationText;

/// What is demanded of one figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    metric: &'static Metric,
    comparison: Comparison,
    bound: Bound,
}

/// Why a text is no expectation: what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct ExpectationError {
    /// The first character that is wrong, from 1.
    pub column: usize,
    /// What is wrong, and what is allowed there.
    pub problem: String,
}

/// Whether an expectation holds, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// None where there was nothing to measure.
    pub holds: Option<bool>,
    /// The figure.
    pub observed: String,
    /// What speaks against taking the verdict as one on the receiver: too few samples, or the
    /// sender's own doing.
    pub note: Option<String>,
}

/// What an expectation can be about.
#[derive(Debug, PartialEq)]
struct Metric {
    name: &'static str,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// A figure of a histogram.
    Time(Times, Statistic),
    /// A number of things, or their share of others.
    Count(Counted),
    /// New events a second.
    PerSecond,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Times {
    Latency,
    Service,
    Lateness,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Statistic {
    Quantile(f64),
    Mean,
    Max,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Errors,
    Timeouts,
    Retries,
    Undelivered,
    Refused,
    Exhausted,
    Unfinished,
    Dropped,
    RefusedForgeries,
    AcceptedForgeries,
    Stalls,
}

const fn metric(name: &'static str, kind: Kind) -> Metric {
    Metric { name, kind }
}

const fn quantile(name: &'static str, times: Times, quantile: f64) -> Metric {
    metric(name, Kind::Time(times, Statistic::Quantile(quantile)))
}

/// Every metric, in the order in which they are named to users.
static METRICS: [Metric; 27] = [
    quantile("p50", Times::Latency, 0.5),
    quantile("p75", Times::Latency, 0.75),
    quantile("p90", Times::Latency, 0.9),
    quantile("p95", Times::Latency, 0.95),
    quantile("p99", Times::Latency, 0.99),
    quantile("p99.9", Times::Latency, 0.999),
    quantile("p99.99", Times::Latency, 0.9999),
    metric("mean", Kind::Time(Times::Latency, Statistic::Mean)),
    metric("max", Kind::Time(Times::Latency, Statistic::Max)),
    quantile("service_p50", Times::Service, 0.5),
    quantile("service_p99", Times::Service, 0.99),
    metric("service_max", Kind::Time(Times::Service, Statistic::Max)),
    quantile("late_p99", Times::Lateness, 0.99),
    metric("late_max", Kind::Time(Times::Lateness, Statistic::Max)),
    metric("rate", Kind::PerSecond),
    metric("errors", Kind::Count(Counted::Errors)),
    metric("timeouts", Kind::Count(Counted::Timeouts)),
    metric("retries", Kind::Count(Counted::Retries)),
    metric("undelivered", Kind::Count(Counted::Undelivered)),
    metric("refused", Kind::Count(Counted::Refused)),
    metric("exhausted", Kind::Count(Counted::Exhausted)),
    metric("unfinished", Kind::Count(Counted::Unfinished)),
    metric("dropped", Kind::Count(Counted::Dropped)),
    metric("refused_forgeries", Kind::Count(Counted::RefusedForgeries)),
    metric(
        "accepted_forgeries",
        Kind::Count(Counted::AcceptedForgeries),
    ),
    metric("stalls", Kind::Count(Counted::Stalls)),
    quantile("service_p99.9", Times::Service, 0.999),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    Greater,
}

/// The longer ones first, so that `<` does not hide `<=`.
const COMPARISONS: [(&str, Comparison); 7] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("!=", Comparison::NotEqual),
    ("==", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("=", Comparison::Equal),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    Time(Duration),
    /// A number, and what was written.
    Number(f64),
    Percent(f64),
}

impl Comparison {
    fn holds(self, ordering: Option<Ordering>) -> bool {
        match (self, ordering) {
            (_, None) => false,
            (Self::Less, Some(ordering)) => ordering.is_lt(),
            (Self::AtMost, Some(ordering)) => ordering.is_le(),
            (Self::Equal, Some(ordering)) => ordering.is_eq(),
            (Self::NotEqual, Some(ordering)) => ordering.is_ne(),
            (Self::AtLeast, Some(ordering)) => ordering.is_ge(),
            (Self::Greater, Some(ordering)) => ordering.is_gt(),
        }
    }
}

impl Metric {
    /// What its bound may be.
    fn expected_bound(&self) -> &'static str {
        match self.kind {
            Kind::Time(..) => "a duration such as `200ms`",
            Kind::Count(Counted::Stalls | Counted::Dropped) => "a whole number such as `0`",
            Kind::Count(_) => "a share such as `0.1%`, or a whole number such as `0`",
            Kind::PerSecond => "a number of events a second such as `1990`",
        }
    }

    fn bound(&self, text: &str) -> Option<Bound> {
        match self.kind {
            Kind::Time(..) => {
                let time: DurationText = text.parse().ok()?;
                Some(Bound::Time(time.0))
            }
            Kind::PerSecond => decimal(text).map(Bound::Number),
            Kind::Count(counted) => match text.strip_suffix('%') {
                Some(percent) if counted.can_be_share() => {
                    let percent = decimal(percent.trim_end())?;
                    (percent <= 100.0).then_some(Bound::Percent(percent))
                }
                Some(_) => None,
                None => text.parse::<u32>().ok().map(|n| Bound::Number(n.into())),
            },
        }
    }
}

/// A number without a sign or an exponent.
fn decimal(text: &str) -> Option<f64> {
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    text.parse().ok().filter(|_| text.bytes().all(plain))
}

impl Counted {
    fn count(self, figures: &Figures) -> u64 {
        let counts = &figures.counts;
        match self {
            Self::Errors => counts.errors,
            Self::Timeouts => counts.timeouts,
            Self::Retries => counts.retries,
            Self::Undelivered => counts.undelivered(),
            Self::Refused => counts.refused,
            Self::Exhausted => counts.exhausted,
            Self::Unfinished => counts.unfinished,
            Self::Dropped => counts.dropped,
            Self::RefusedForgeries => counts.refused_forgeries,
            Self::AcceptedForgeries => counts.accepted_forgeries,
            Self::Stalls => figures.stalls.count,
        }
    }

    /// Of what it is a share, in words.
    fn whole_name(self) -> &'static str {
        match self {
            Self::Errors | Self::Timeouts | Self::Retries => "attempts",
            Self::Undelivered
            | Self::Refused
            | Self::Exhausted
            | Self::Unfinished
            | Self::Dropped => "deliveries",
            Self::RefusedForgeries | Self::AcceptedForgeries => "forgeries",
            Self::Stalls => "requests",
        }
    }

    /// Of how many things it is a count. Where there were none, it says nothing.
    fn whole(self, figures: &Figures) -> u64 {
        let counts = &figures.counts;
        match self.whole_name() {
            "attempts" => counts.attempts,
            "deliveries" => counts.deliveries,
            "forgeries" => counts.forgeries,
            _ => counts.attempts + counts.forgeries,
        }
    }

    /// Whether its bound can be a share of that.
    fn can_be_share(self) -> bool {
        !matches!(self, Self::Stalls | Self::Dropped)
    }
}

impl Expectation {
    /// The metrics' names, in the order in which they are told to users.
    pub fn metrics() -> impl Iterator<Item = &'static str> {
        METRICS.iter().map(|metric| metric.name)
    }

    /// Whether it says how many deliveries or attempts may fail.
    pub fn allows_failures(&self) -> bool {
        let names = [
            "errors",
            "undelivered",
            "refused",
            "exhausted",
            "unfinished",
        ];
        names.contains(&self.metric.name)
    }

    /// Judges a load.
    pub fn judge(&self, figures: &Figures) -> Verdict {
        let nothing = |observed: &str| Verdict {
            holds: None,
            observed: observed.to_owned(),
            note: None,
        };
        let mut verdict = match (self.metric.kind, self.bound) {
            (Kind::Time(times, statistic), Bound::Time(bound)) => {
                let histogram = match times {
                    Times::Latency => &figures.latencies.latency,
                    Times::Service => &figures.latencies.service,
                    Times::Lateness => &figures.latencies.lateness,
                };
                if histogram.is_empty() {
                    return nothing("nothing was measured");
                }
                let nanoseconds = match statistic {
                    Statistic::Quantile(quantile) => histogram.value_at_quantile(quantile),
                    Statistic::Mean => whole(histogram.mean()),
                    Statistic::Max => histogram.max(),
                };
                let observed = Duration::from_nanos(nanoseconds);
                self.verdict(observed.partial_cmp(&bound), time_text(observed))
            }
            (Kind::PerSecond, Bound::Number(bound)) => match figures.events_per_second() {
                Some(rate) => self.verdict(rate.partial_cmp(&bound), format!("{rate:.1}/s")),
                None => nothing("nothing was measured"),
            },
            (Kind::Count(counted), Bound::Number(_)) if counted.whole(figures) == 0 => {
                nothing(&format!("there were no {}", counted.whole_name()))
            }
            (Kind::Count(counted), Bound::Number(bound)) => {
                let count = counted.count(figures);
                self.verdict(as_float(count).partial_cmp(&bound), count.to_string())
            }
            (Kind::Count(counted), Bound::Percent(bound)) => {
                let count = counted.count(figures);
                let of = counted.whole_name();
                match counted.whole(figures) {
                    0 => nothing(&format!("there were no {of}")),
                    whole => {
                        // Compared by multiplication, so that 100% is all and not nearly all.
                        let (part, bound) = (as_float(count) * 100.0, bound * as_float(whole));
                        let percent = part / as_float(whole);
                        let shown = format!("{} ({count} of {whole} {of})", percent_text(percent));
                        self.verdict(part.partial_cmp(&bound), shown)
                    }
                }
            }
            // The bound was read by the metric's own rules.
            _ => nothing("nothing was measured"),
        };
        verdict.note = self.metric.note(figures, verdict.holds);
        verdict
    }

    fn verdict(&self, ordering: Option<Ordering>, observed: String) -> Verdict {
        Verdict {
            holds: Some(self.comparison.holds(ordering)),
            observed,
            note: None,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn as_float(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and no time is negative"
)]
fn whole(nanoseconds: f64) -> u64 {
    nanoseconds as u64
}

fn percent_text(percent: f64) -> String {
    format!("{percent:.4}")
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
        + "%"
}

impl FromStr for Expectation {
    type Err = ExpectationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |rest: &str, problem: String| ExpectationError {
            column: text[..text.len() - rest.len()].chars().count() + 1,
            problem,
        };
        let at_name = text.trim_start();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let name = &at_name[..at_name.find(|c| !is_name(c)).unwrap_or(at_name.len())];
        let metric = METRICS.iter().find(|metric| metric.name == name);
        let metric = metric.ok_or_else(|| {
            let known = Self::metrics().collect::<Vec<_>>().join(", ");
            let found = match name {
                "" => "here".to_owned(),
                _ => format!("in place of `{name}`"),
            };
            wrong(at_name, format!("expected one of {known} {found}"))
        })?;
        let at_comparison = at_name[name.len()..].trim_start();
        let comparison = COMPARISONS
            .iter()
            .find(|(sign, _)| at_comparison.starts_with(sign));
        let (sign, comparison) = comparison.ok_or_else(|| {
            let problem = format!("expected <, <=, =, !=, >= or > behind `{name}`");
            wrong(at_comparison, problem)
        })?;
        let at_bound = at_comparison[sign.len()..].trim_start();
        let bound = metric.bound(at_bound.trim_end()).ok_or_else(|| {
            let expected = metric.expected_bound();
            wrong(at_bound, format!("`{name}` is compared with {expected}"))
        })?;
        Ok(Self {
            metric,
            comparison: *comparison,
            bound,
        })
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |comparison: &Comparison| *comparison == self.comparison;
        let sign = COMPARISONS.iter().rev().find(|(_, other)| of(other));
        let sign = sign.map_or("=", |(sign, _)| sign);
        write!(formatter, "{} {sign} ", self.metric.name)?;
        match self.bound {
            Bound::Time(time) => DurationText(time).fmt(formatter),
            Bound::Number(number) => number.fmt(formatter),
            Bound::Percent(percent) => write!(formatter, "{percent}%"),
        }
    }
}

mod note;
#[cfg(test)]
mod tests;
