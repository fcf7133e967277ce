//! Expectations such as `p99 < 200ms`: parses them and checks a load's measurements against them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::measurements::Measurements;
use super::rate::{as_float, to_integer};
use super::time_text::time_text;
use crate::policy::DurationText;

/// What a metric of a load should be, such as `p99 < 200ms`.
#[derive(Debug, Clone)]
pub struct LoadExpectation {
    metric: &'static Metric,
    operator: &'static Operator,
    threshold: Threshold,
}

/// A syntax error in an expectation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct LoadExpectationError {
    /// The first wrong character, counted from 1.
    pub column: usize,
    /// What is wrong, and what is allowed at that point.
    pub problem: String,
}

/// An expectation and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckedExpectation {
    /// The expectation.
    pub expected: String,
    /// Whether it passed; null if nothing was measured.
    #[serde(rename = "holds")]
    pub passed: Option<bool>,
    /// The observed value.
    pub observed: String,
    /// Why the result may say little about the receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A metric that an expectation can name.
#[derive(Debug, PartialEq)]
struct Metric {
    name: &'static str,
    kind: MetricKind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum MetricKind {
    /// A statistic of a histogram.
    Time(TimeMetric, Statistic),
    /// A count, or its percentage of a total.
    Count(CountMetric),
    /// New events per second.
    PerSecond,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeMetric {
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
enum CountMetric {
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

const fn times(name: &'static str, times: TimeMetric, statistic: Statistic) -> Metric {
    let kind = MetricKind::Time(times, statistic);
    Metric { name, kind }
}

const fn quantile(name: &'static str, of: TimeMetric, quantile: f64) -> Metric {
    times(name, of, Statistic::Quantile(quantile))
}

const fn count(name: &'static str, of: CountMetric) -> Metric {
    let kind = MetricKind::Count(of);
    Metric { name, kind }
}

const RATE: Metric = Metric {
    name: "rate",
    kind: MetricKind::PerSecond,
};

/// Every metric, in the order shown to users.
static METRICS: [Metric; 27] = [
    quantile("p50", TimeMetric::Latency, 0.5),
    quantile("p75", TimeMetric::Latency, 0.75),
    quantile("p90", TimeMetric::Latency, 0.9),
    quantile("p95", TimeMetric::Latency, 0.95),
    quantile("p99", TimeMetric::Latency, 0.99),
    quantile("p99.9", TimeMetric::Latency, 0.999),
    quantile("p99.99", TimeMetric::Latency, 0.9999),
    times("mean", TimeMetric::Latency, Statistic::Mean),
    times("max", TimeMetric::Latency, Statistic::Max),
    quantile("service_p50", TimeMetric::Service, 0.5),
    quantile("service_p99", TimeMetric::Service, 0.99),
    times("service_max", TimeMetric::Service, Statistic::Max),
    quantile("late_p99", TimeMetric::Lateness, 0.99),
    times("late_max", TimeMetric::Lateness, Statistic::Max),
    RATE,
    count("errors", CountMetric::Errors),
    count("timeouts", CountMetric::Timeouts),
    count("retries", CountMetric::Retries),
    count("undelivered", CountMetric::Undelivered),
    count("refused", CountMetric::Refused),
    count("exhausted", CountMetric::Exhausted),
    count("unfinished", CountMetric::Unfinished),
    count("dropped", CountMetric::Dropped),
    count("refused_forgeries", CountMetric::RefusedForgeries),
    count("accepted_forgeries", CountMetric::AcceptedForgeries),
    count("stalls", CountMetric::Stalls),
    quantile("service_p99.9", TimeMetric::Service, 0.999),
];

/// A comparison of the observed value with the threshold.
#[derive(Debug)]
struct Operator {
    sign: &'static str,
    accepts: fn(Ordering) -> bool,
}

/// `==` is read as `=`. Longer operators come first, so that `<` does not hide `<=`.
static OPERATORS: [Operator; 6] = [
    operator("<=", Ordering::is_le),
    operator(">=", Ordering::is_ge),
    operator("!=", Ordering::is_ne),
    operator("<", Ordering::is_lt),
    operator(">", Ordering::is_gt),
    operator("=", Ordering::is_eq),
];

const fn operator(sign: &'static str, accepts: fn(Ordering) -> bool) -> Operator {
    Operator { sign, accepts }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Threshold {
    Time(Duration),
    Number(f64),
    Percent(f64),
}

impl Metric {
    /// The thresholds it can be compared with.
    fn expected_threshold(&self) -> &'static str {
        match self.kind {
            MetricKind::Time(..) => "a duration such as `200ms`",
            MetricKind::Count(CountMetric::Stalls | CountMetric::Dropped) => {
                "a whole number such as `0`"
            }
            MetricKind::Count(_) => "a percentage such as `0.1%` or a whole number such as `0`",
            MetricKind::PerSecond => "events per second such as `1990`",
        }
    }

    fn threshold(&self, text: &str) -> Option<Threshold> {
        match self.kind {
            MetricKind::Time(..) => {
                let time: DurationText = text.parse().ok()?;
                Some(Threshold::Time(time.0))
            }
            MetricKind::PerSecond => decimal(text).map(Threshold::Number),
            MetricKind::Count(counted) => match text.strip_suffix('%') {
                Some(percent) if counted.allows_percent() => {
                    let percent = decimal(percent.trim_end())?;
                    (percent <= 100.0).then_some(Threshold::Percent(percent))
                }
                Some(_) => None,
                None => text
                    .parse::<u32>()
                    .ok()
                    .map(|n| Threshold::Number(n.into())),
            },
        }
    }
}

/// A number without a sign or an exponent.
fn decimal(text: &str) -> Option<f64> {
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    text.parse().ok().filter(|_| text.bytes().all(plain))
}

impl CountMetric {
    fn count(self, measurements: &Measurements) -> u64 {
        let counts = &measurements.counts;
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
            Self::Stalls => measurements.stalls.count,
        }
    }

    /// The total that its percentage refers to, and its name. If it is 0, the count says nothing.
    fn total(self, measurements: &Measurements) -> (u64, &'static str) {
        let counts = &measurements.counts;
        match self {
            Self::Errors | Self::Timeouts | Self::Retries => (counts.attempts, "attempts"),
            Self::Undelivered
            | Self::Refused
            | Self::Exhausted
            | Self::Unfinished
            | Self::Dropped => (counts.deliveries, "deliveries"),
            Self::RefusedForgeries | Self::AcceptedForgeries => (counts.forgeries, "forgeries"),
            Self::Stalls => (counts.attempts + counts.forgeries, "requests"),
        }
    }

    /// Whether its threshold can be a percentage.
    fn allows_percent(self) -> bool {
        !matches!(self, Self::Stalls | Self::Dropped)
    }
}

impl LoadExpectation {
    /// The names of all metrics, in the order shown to users.
    pub fn metrics() -> impl Iterator<Item = &'static str> {
        METRICS.iter().map(|metric| metric.name)
    }

    /// Whether it limits how many deliveries or attempts may fail.
    pub fn allows_failures(&self) -> bool {
        matches!(
            self.metric.kind,
            MetricKind::Count(
                CountMetric::Errors
                    | CountMetric::Undelivered
                    | CountMetric::Refused
                    | CountMetric::Exhausted
                    | CountMetric::Unfinished
            )
        )
    }

    /// Checks a load.
    pub fn check(&self, measurements: &Measurements) -> CheckedExpectation {
        let nothing = |observed: &str| self.checked(None, observed.to_owned());
        let mut result = match (self.metric.kind, self.threshold) {
            (MetricKind::Time(times, statistic), Threshold::Time(threshold)) => {
                let histogram = match times {
                    TimeMetric::Latency => &measurements.latencies.latency,
                    TimeMetric::Service => &measurements.latencies.service,
                    TimeMetric::Lateness => &measurements.latencies.lateness,
                };
                if histogram.is_empty() {
                    return nothing("nothing was measured");
                }
                let nanoseconds = match statistic {
                    Statistic::Quantile(quantile) => histogram.value_at_quantile(quantile),
                    Statistic::Mean => to_integer(histogram.mean()),
                    Statistic::Max => histogram.max(),
                };
                let observed = Duration::from_nanos(nanoseconds);
                self.result(observed.partial_cmp(&threshold), time_text(observed))
            }
            (MetricKind::PerSecond, Threshold::Number(threshold)) => {
                match measurements.events_per_second() {
                    Some(rate) => self.result(rate.partial_cmp(&threshold), format!("{rate:.1}/s")),
                    None => nothing("nothing was measured"),
                }
            }
            (MetricKind::Count(counted), threshold) => {
                let count = counted.count(measurements);
                match (counted.total(measurements), threshold) {
                    ((0, of), _) => return nothing(&format!("there were no {of}")),
                    ((total, of), Threshold::Percent(threshold)) => {
                        // Comparing products keeps 100% exact.
                        let part = as_float(count) * 100.0;
                        let limit = threshold * as_float(total);
                        let percent = percent_text(part / as_float(total));
                        let shown = format!("{percent} ({count} of {total} {of})");
                        self.result(part.partial_cmp(&limit), shown)
                    }
                    (_, Threshold::Number(threshold)) => {
                        let ordering = as_float(count).partial_cmp(&threshold);
                        self.result(ordering, count.to_string())
                    }
                    (_, Threshold::Time(_)) => nothing("nothing was measured"),
                }
            }
            // Parsing gives each metric its own kind of threshold.
            _ => nothing("nothing was measured"),
        };
        result.note = self.metric.note(measurements, result.passed);
        result
    }

    fn result(&self, ordering: Option<Ordering>, observed: String) -> CheckedExpectation {
        let passed = ordering.is_some_and(self.operator.accepts);
        self.checked(Some(passed), observed)
    }

    fn checked(&self, passed: Option<bool>, observed: String) -> CheckedExpectation {
        CheckedExpectation {
            expected: self.to_string(),
            passed,
            observed,
            note: None,
        }
    }
}

fn percent_text(percent: f64) -> String {
    format!("{percent:.4}")
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
        + "%"
}

impl FromStr for LoadExpectation {
    type Err = LoadExpectationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |rest: &str, problem: String| LoadExpectationError {
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
                "" => "nothing".to_owned(),
                _ => format!("`{name}`"),
            };
            wrong(at_name, format!("expected one of {known}; found {found}"))
        })?;
        let at_operator = at_name[name.len()..].trim_start();
        let operator = OPERATORS
            .iter()
            .find(|operator| at_operator.starts_with(operator.sign));
        let operator = operator.ok_or_else(|| {
            let problem = format!("expected <, <=, =, !=, >= or > after `{name}`");
            wrong(at_operator, problem)
        })?;
        let sign = if at_operator.starts_with("==") {
            "=="
        } else {
            operator.sign
        };
        let at_threshold = at_operator[sign.len()..].trim_start();
        let threshold = metric.threshold(at_threshold.trim_end()).ok_or_else(|| {
            let expected = metric.expected_threshold();
            wrong(at_threshold, format!("expected {expected} after `{sign}`"))
        })?;
        Ok(Self {
            metric,
            operator,
            threshold,
        })
    }
}

impl fmt::Display for LoadExpectation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} ", self.metric.name, self.operator.sign)?;
        match self.threshold {
            Threshold::Time(time) => DurationText(time).fmt(formatter),
            Threshold::Number(number) => number.fmt(formatter),
            Threshold::Percent(percent) => write!(formatter, "{percent}%"),
        }
    }
}

mod note;
#[cfg(test)]
mod tests;
