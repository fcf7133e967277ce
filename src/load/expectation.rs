//! Expectations such as `p99 < 200ms`: parses them and checks a load's measurements against them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::counts::LoadCounts;
use super::latency_histograms::{LatencyHistograms, time_text};
use super::measurements::Measurements;
use super::rate::{as_float, decimal, to_integer};
use crate::policy::DurationText;

/// What a metric of a load should be, such as `p99 < 200ms`.
#[derive(Debug, Clone)]
pub struct LoadExpectation {
    metric: &'static Metric,
    operator: &'static Operator,
    threshold: Threshold,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct LoadExpectationError {
    /// The first wrong character, counted from 1.
    pub column: usize,
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

#[derive(Debug)]
struct Metric {
    name: &'static str,
    kind: MetricKind,
}

#[derive(Debug, Clone, Copy)]
enum MetricKind {
    /// A statistic of a histogram.
    Time(TimeMetric, Statistic),
    /// A count, and the total that its percentage refers to. If that is 0, the count says nothing.
    Count(fn(&Measurements) -> u64, Total),
    /// New events per second.
    PerSecond,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeMetric {
    Latency,
    Service,
    Lateness,
}

#[derive(Debug, Clone, Copy)]
enum Statistic {
    Quantile(f64),
    Mean,
    Max,
}

type Total = fn(&LoadCounts) -> (u64, &'static str);

const EVENTS: Total = |counts| (counts.events + counts.unsent, "events");
const ATTEMPTS: Total = |counts| (counts.attempts, "attempts");
const DELIVERIES: Total = |counts| (counts.deliveries, "deliveries");
const FORGERIES: Total = |counts| (counts.forgeries, "forgeries");
const REQUESTS: Total = |counts| (counts.attempts + counts.forgeries, "requests");

/// Every metric, in the order shown to users.
static METRICS: [Metric; 28] = {
    use MetricKind::{PerSecond, Time};
    use Statistic::{Max, Mean, Quantile};
    use TimeMetric::{Latency, Lateness, Service};
    [
        metric("p50", Time(Latency, Quantile(0.5))),
        metric("p75", Time(Latency, Quantile(0.75))),
        metric("p90", Time(Latency, Quantile(0.9))),
        metric("p95", Time(Latency, Quantile(0.95))),
        metric("p99", Time(Latency, Quantile(0.99))),
        metric("p99.9", Time(Latency, Quantile(0.999))),
        metric("p99.99", Time(Latency, Quantile(0.9999))),
        metric("mean", Time(Latency, Mean)),
        metric("max", Time(Latency, Max)),
        metric("service_p50", Time(Service, Quantile(0.5))),
        metric("service_p99", Time(Service, Quantile(0.99))),
        metric("service_max", Time(Service, Max)),
        metric("late_p99", Time(Lateness, Quantile(0.99))),
        metric("late_max", Time(Lateness, Max)),
        metric("rate", PerSecond),
        count("errors", ATTEMPTS, |all| all.counts.errors),
        count("timeouts", ATTEMPTS, |all| all.counts.timeouts),
        count("retries", ATTEMPTS, |all| all.counts.retries),
        count("undelivered", DELIVERIES, |all| all.counts.undelivered()),
        count("refused", DELIVERIES, |all| all.counts.refused),
        count("exhausted", DELIVERIES, |all| all.counts.exhausted),
        count("unfinished", DELIVERIES, |all| all.counts.unfinished),
        count("unsent", EVENTS, |all| all.counts.unsent),
        count("dropped", DELIVERIES, |all| all.counts.dropped),
        count("refused_forgeries", FORGERIES, |all| {
            all.counts.refused_forgeries
        }),
        count("accepted_forgeries", FORGERIES, |all| {
            all.counts.accepted_forgeries
        }),
        count("stalls", REQUESTS, |all| all.stalls.count),
        metric("service_p99.9", Time(Service, Quantile(0.999))),
    ]
};

const fn metric(name: &'static str, kind: MetricKind) -> Metric {
    Metric { name, kind }
}

const fn count(name: &'static str, of: Total, count: fn(&Measurements) -> u64) -> Metric {
    metric(name, MetricKind::Count(count, of))
}

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

impl TimeMetric {
    fn histogram(self, latencies: &LatencyHistograms) -> &Histogram<u64> {
        match self {
            Self::Latency => &latencies.latency,
            Self::Service => &latencies.service,
            Self::Lateness => &latencies.lateness,
        }
    }
}

impl Metric {
    fn allows_percent(&self) -> bool {
        !matches!(self.name, "stalls" | "dropped")
    }

    fn expected_threshold(&self) -> &'static str {
        match self.kind {
            MetricKind::Time(..) => "a duration such as `200ms`",
            MetricKind::Count(..) if self.allows_percent() => {
                "a percentage such as `0.1%` or a whole number such as `0`"
            }
            MetricKind::Count(..) => "a whole number such as `0`",
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
            MetricKind::Count(..) => match text.strip_suffix('%') {
                Some(percent) => {
                    let percent = decimal(percent.trim_end())?;
                    let is_allowed = self.allows_percent() && percent <= 100.0;
                    is_allowed.then_some(Threshold::Percent(percent))
                }
                None => Some(Threshold::Number(text.parse::<u32>().ok()?.into())),
            },
        }
    }
}

impl LoadExpectation {
    /// Whether it limits how many deliveries or attempts may fail.
    pub fn allows_failures(&self) -> bool {
        matches!(
            self.metric.name,
            "errors" | "undelivered" | "refused" | "exhausted" | "unfinished"
        )
    }

    /// Whether it limits how many events may never leave.
    pub fn allows_unsent(&self) -> bool {
        matches!(self.metric.name, "unsent" | "rate")
    }

    pub fn check(&self, measurements: &Measurements) -> CheckedExpectation {
        let (passed, observed) = match self.compare(measurements) {
            Ok((ordering, observed)) => {
                (Some(ordering.is_some_and(self.operator.accepts)), observed)
            }
            Err(reason) => (None, reason),
        };
        CheckedExpectation {
            expected: self.to_string(),
            passed,
            observed,
            note: self.metric.note(measurements, passed),
        }
    }

    /// Compares the observed value with the threshold, and describes it. An error if nothing was
    /// measured.
    fn compare(&self, measurements: &Measurements) -> Result<(Option<Ordering>, String), String> {
        let unmeasured = || "nothing was measured".to_owned();
        match (self.metric.kind, self.threshold) {
            (MetricKind::Time(times, statistic), Threshold::Time(threshold)) => {
                let histogram = times.histogram(&measurements.latencies);
                if histogram.is_empty() {
                    return Err(unmeasured());
                }
                let observed = Duration::from_nanos(match statistic {
                    Statistic::Quantile(quantile) => histogram.value_at_quantile(quantile),
                    Statistic::Mean => to_integer(histogram.mean()),
                    Statistic::Max => histogram.max(),
                });
                Ok((observed.partial_cmp(&threshold), time_text(observed)))
            }
            (MetricKind::PerSecond, Threshold::Number(threshold)) => {
                let rate = measurements.events_per_second().ok_or_else(unmeasured)?;
                Ok((rate.partial_cmp(&threshold), format!("{rate:.1}/s")))
            }
            (MetricKind::Count(counted, total), threshold) => {
                let count = counted(measurements);
                let (total, of) = total(&measurements.counts);
                match threshold {
                    _ if total == 0 => Err(format!("there were no {of}")),
                    Threshold::Percent(threshold) => {
                        // Comparing products keeps 100% exact.
                        let part = as_float(count) * 100.0;
                        let limit = threshold * as_float(total);
                        let percent = format!("{:.4}", part / as_float(total));
                        let percent = percent.trim_end_matches('0').trim_end_matches('.');
                        let observed = format!("{percent}% ({count} of {total} {of})");
                        Ok((part.partial_cmp(&limit), observed))
                    }
                    Threshold::Number(threshold) => {
                        Ok((as_float(count).partial_cmp(&threshold), count.to_string()))
                    }
                    Threshold::Time(_) => Err(unmeasured()),
                }
            }
            // Parsing gives each metric its own kind of threshold.
            _ => Err(unmeasured()),
        }
    }
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
            let known: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
            let known = known.join(", ");
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
