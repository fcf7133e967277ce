//! Expectations such as `p99 < 200ms`: parses them and checks a load's measurements against them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::measurements::Measurements;
use super::time_text::time_text;
use crate::policy::DurationText;

/// What a metric of a load should be, such as `p99 < 200ms`.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadExpectation {
    metric: &'static Metric,
    operator: Operator,
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

/// The result of checking an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectationResult {
    /// Whether it passed; `None` if nothing was measured.
    pub passed: Option<bool>,
    /// The observed value.
    pub observed: String,
    /// Why the result may say little about the receiver, such as too few samples or a slow sender.
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

const fn metric(name: &'static str, kind: MetricKind) -> Metric {
    Metric { name, kind }
}

const fn quantile(name: &'static str, times: TimeMetric, quantile: f64) -> Metric {
    metric(name, MetricKind::Time(times, Statistic::Quantile(quantile)))
}

/// Every metric, in the order shown to users.
static METRICS: [Metric; 27] = [
    quantile("p50", TimeMetric::Latency, 0.5),
    quantile("p75", TimeMetric::Latency, 0.75),
    quantile("p90", TimeMetric::Latency, 0.9),
    quantile("p95", TimeMetric::Latency, 0.95),
    quantile("p99", TimeMetric::Latency, 0.99),
    quantile("p99.9", TimeMetric::Latency, 0.999),
    quantile("p99.99", TimeMetric::Latency, 0.9999),
    metric(
        "mean",
        MetricKind::Time(TimeMetric::Latency, Statistic::Mean),
    ),
    metric("max", MetricKind::Time(TimeMetric::Latency, Statistic::Max)),
    quantile("service_p50", TimeMetric::Service, 0.5),
    quantile("service_p99", TimeMetric::Service, 0.99),
    metric(
        "service_max",
        MetricKind::Time(TimeMetric::Service, Statistic::Max),
    ),
    quantile("late_p99", TimeMetric::Lateness, 0.99),
    metric(
        "late_max",
        MetricKind::Time(TimeMetric::Lateness, Statistic::Max),
    ),
    metric("rate", MetricKind::PerSecond),
    metric("errors", MetricKind::Count(CountMetric::Errors)),
    metric("timeouts", MetricKind::Count(CountMetric::Timeouts)),
    metric("retries", MetricKind::Count(CountMetric::Retries)),
    metric("undelivered", MetricKind::Count(CountMetric::Undelivered)),
    metric("refused", MetricKind::Count(CountMetric::Refused)),
    metric("exhausted", MetricKind::Count(CountMetric::Exhausted)),
    metric("unfinished", MetricKind::Count(CountMetric::Unfinished)),
    metric("dropped", MetricKind::Count(CountMetric::Dropped)),
    metric(
        "refused_forgeries",
        MetricKind::Count(CountMetric::RefusedForgeries),
    ),
    metric(
        "accepted_forgeries",
        MetricKind::Count(CountMetric::AcceptedForgeries),
    ),
    metric("stalls", MetricKind::Count(CountMetric::Stalls)),
    quantile("service_p99.9", TimeMetric::Service, 0.999),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Less,
    AtMost,
    Equal,
    NotEqual,
    AtLeast,
    Greater,
}

/// Longer operators come first, so that `<` does not hide `<=`.
const OPERATORS: [(&str, Operator); 7] = [
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("!=", Operator::NotEqual),
    ("==", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("=", Operator::Equal),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Threshold {
    Time(Duration),
    Number(f64),
    Percent(f64),
}

impl Operator {
    fn accepts(self, ordering: Option<Ordering>) -> bool {
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

    /// The name of the total that its percentage refers to.
    fn total_name(self) -> &'static str {
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

    /// That total. If it is 0, the count says nothing.
    fn total(self, measurements: &Measurements) -> u64 {
        let counts = &measurements.counts;
        match self.total_name() {
            "attempts" => counts.attempts,
            "deliveries" => counts.deliveries,
            "forgeries" => counts.forgeries,
            _ => counts.attempts + counts.forgeries,
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
        let names = [
            "errors",
            "undelivered",
            "refused",
            "exhausted",
            "unfinished",
        ];
        names.contains(&self.metric.name)
    }

    /// Checks a load.
    pub fn check(&self, measurements: &Measurements) -> ExpectationResult {
        let nothing = |observed: &str| ExpectationResult {
            passed: None,
            observed: observed.to_owned(),
            note: None,
        };
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
            (MetricKind::Count(counted), Threshold::Number(_))
                if counted.total(measurements) == 0 =>
            {
                nothing(&format!("there were no {}", counted.total_name()))
            }
            (MetricKind::Count(counted), Threshold::Number(threshold)) => {
                let count = counted.count(measurements);
                self.result(as_float(count).partial_cmp(&threshold), count.to_string())
            }
            (MetricKind::Count(counted), Threshold::Percent(threshold)) => {
                let count = counted.count(measurements);
                let of = counted.total_name();
                match counted.total(measurements) {
                    0 => nothing(&format!("there were no {of}")),
                    total => {
                        // Comparing products keeps 100% exact.
                        let part = as_float(count) * 100.0;
                        let limit = threshold * as_float(total);
                        let percent = part / as_float(total);
                        let shown = format!("{} ({count} of {total} {of})", percent_text(percent));
                        self.result(part.partial_cmp(&limit), shown)
                    }
                }
            }
            // Parsing gives each metric its own kind of threshold.
            _ => nothing("nothing was measured"),
        };
        result.note = self.metric.note(measurements, result.passed);
        result
    }

    fn result(&self, ordering: Option<Ordering>, observed: String) -> ExpectationResult {
        ExpectationResult {
            passed: Some(self.operator.accepts(ordering)),
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
fn to_integer(nanoseconds: f64) -> u64 {
    nanoseconds as u64
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
            .find(|(sign, _)| at_operator.starts_with(sign));
        let (sign, operator) = operator.ok_or_else(|| {
            let problem = format!("expected <, <=, =, !=, >= or > after `{name}`");
            wrong(at_operator, problem)
        })?;
        let at_threshold = at_operator[sign.len()..].trim_start();
        let threshold = metric.threshold(at_threshold.trim_end()).ok_or_else(|| {
            let expected = metric.expected_threshold();
            wrong(at_threshold, format!("expected {expected} after `{sign}`"))
        })?;
        Ok(Self {
            metric,
            operator: *operator,
            threshold,
        })
    }
}

impl fmt::Display for LoadExpectation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = OPERATORS
            .iter()
            .rev()
            .find(|(_, operator)| *operator == self.operator);
        let sign = sign.map_or("=", |(sign, _)| sign);
        write!(formatter, "{} {sign} ", self.metric.name)?;
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
