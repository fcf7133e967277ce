//! The measurements of a load over time, by interval, as reported and joined.
//!
//! Histograms are packed here, because there are thousands. `second_recorder` records them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latency_histograms::{LatencyHistograms, PackedHistogram};

/// The maximum number of intervals. A longer load gets longer intervals.
const MOST_INTERVALS: usize = 3_600;

/// The measurements over time, without the warm-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TimeSeries {
    /// The length of each interval in seconds: 1, doubled whenever there would be more than 3,600
    /// intervals.
    pub interval_seconds: u64,
    /// The intervals, starting at the end of the warm-up.
    pub intervals: Vec<Interval>,
}

/// The measurements of one interval.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Attempts of genuine deliveries that started.
    pub sent: u64,
    /// Attempts that got a response, with any status.
    pub answered: u64,
    /// Attempts that ended without a 2xx response, except those whose response was lost on purpose.
    pub errors: u64,
    /// Attempts in flight at the end of the interval.
    pub in_flight: u64,
    /// The latencies of the attempts that ended in it; omitted if empty.
    #[serde(default, skip_serializing_if = "PackedHistogram::is_empty")]
    pub latency: PackedHistogram,
    /// The same, counted from when they were sent.
    #[serde(default, skip_serializing_if = "PackedHistogram::is_empty")]
    pub service: PackedHistogram,
    /// How late the attempts in this interval started.
    #[serde(default, skip_serializing_if = "PackedHistogram::is_empty")]
    pub lateness: PackedHistogram,
}

/// The statistics of one interval, for plots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// The start, in seconds from the end of the warm-up.
    pub from_s: u64,
    /// The length in seconds.
    pub seconds: u64,
    /// Attempts of genuine deliveries that started.
    pub sent: u64,
    /// Attempts that got a response, with any status.
    pub answered: u64,
    /// Attempts that ended without a 2xx response.
    pub errors: u64,
    /// The 50th percentile of the latencies, in microseconds; null without any.
    pub p50_us: Option<f64>,
    /// The 99th percentile of the latencies, in microseconds.
    pub p99_us: Option<f64>,
    /// Attempts in flight at the end of the interval.
    pub in_flight: u64,
    /// The 99th percentile of how late attempts started, in microseconds.
    pub late_p99_us: Option<f64>,
}

impl Default for TimeSeries {
    fn default() -> Self {
        Self {
            interval_seconds: 1,
            intervals: Vec::new(),
        }
    }
}

impl TimeSeries {
    /// Adds another sender's intervals. Returns false if their lengths are incompatible.
    #[must_use]
    pub fn add(&mut self, other: &Self) -> bool {
        let (own, others) = (self.interval_seconds, other.interval_seconds);
        if !own.is_power_of_two() || !others.is_power_of_two() {
            return false;
        }
        let mut other = other.clone();
        while other.interval_seconds < self.interval_seconds {
            other.widen();
        }
        while self.interval_seconds < other.interval_seconds {
            self.widen();
        }
        let count = self.intervals.len().max(other.intervals.len());
        self.intervals.resize_with(count, Interval::default);
        for (own, other) in self.intervals.iter_mut().zip(&other.intervals) {
            own.add(other);
            own.in_flight = own.in_flight.saturating_add(other.in_flight);
        }
        true
    }

    pub(super) fn add_second(&mut self, second: u64, measured: &Interval) {
        let index = loop {
            let index = usize::try_from(second / self.interval_seconds).unwrap_or(usize::MAX);
            if index < MOST_INTERVALS {
                break index;
            }
            self.widen();
        };
        if self.intervals.len() <= index {
            self.intervals.resize_with(index + 1, Interval::default);
        }
        let interval = &mut self.intervals[index];
        interval.add(measured);
        // An interval's last second decides what is in flight at its end.
        if (second + 1).is_multiple_of(self.interval_seconds) {
            interval.in_flight = interval.in_flight.saturating_add(measured.in_flight);
        }
    }

    fn widen(&mut self) {
        self.interval_seconds = self.interval_seconds.saturating_mul(2);
        let halves = std::mem::take(&mut self.intervals);
        self.intervals = halves
            .chunks(2)
            .map(|halves| {
                let mut whole = Interval::default();
                for half in halves {
                    whole.add(half);
                    whole.in_flight = half.in_flight;
                }
                whole
            })
            .collect();
    }

    pub fn points(&self) -> Vec<Point> {
        let intervals = (0_u64..).zip(&self.intervals);
        let points = intervals.map(|(index, interval)| {
            let latency = interval.latency.quantiles_us([0.5, 0.99]);
            let lateness = interval.lateness.quantiles_us([0.99]);
            Point {
                from_s: index.saturating_mul(self.interval_seconds),
                seconds: self.interval_seconds,
                sent: interval.sent,
                answered: interval.answered,
                errors: interval.errors,
                p50_us: latency.map(|[p50, _]| p50),
                p99_us: latency.map(|[_, p99]| p99),
                in_flight: interval.in_flight,
                late_p99_us: lateness.map(|[p99]| p99),
            }
        });
        points.collect()
    }
}

impl Interval {
    /// Adds everything except `in_flight`, which can't be summed over time.
    fn add(&mut self, other: &Self) {
        self.sent = self.sent.saturating_add(other.sent);
        self.answered = self.answered.saturating_add(other.answered);
        self.errors = self.errors.saturating_add(other.errors);
        self.latency.add(&other.latency);
        self.service.add(&other.service);
        self.lateness.add(&other.lateness);
    }

    pub(super) fn pack(&mut self, latencies: &LatencyHistograms) {
        self.latency = PackedHistogram::of(&latencies.latency);
        self.service = PackedHistogram::of(&latencies.service);
        self.lateness = PackedHistogram::of(&latencies.lateness);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::latency_histograms::record;
    use super::*;

    fn interval(milliseconds: u64, in_flight: u64) -> Interval {
        let mut latencies = LatencyHistograms::default();
        record(&mut latencies.latency, Duration::from_millis(milliseconds));
        let mut interval = Interval {
            sent: 1,
            answered: 1,
            in_flight,
            ..Interval::default()
        };
        interval.pack(&latencies);
        interval
    }

    #[test]
    fn a_long_load_gets_longer_intervals_without_loss() {
        let mut over_time = TimeSeries::default();
        for second in 0..7_300 {
            let mut interval = interval(1, second % 3);
            if second % 100 > 0 {
                interval.latency = PackedHistogram::default();
            }
            over_time.add_second(second, &interval);
        }
        assert_eq!(over_time.interval_seconds, 4);
        assert_eq!(over_time.intervals.len(), 1_825);
        let points = over_time.points();
        assert_eq!(points.iter().map(|point| point.sent).sum::<u64>(), 7_300);
        let timed = points.iter().filter(|point| point.p50_us.is_some());
        assert_eq!(timed.count(), 73);
        // Seconds 4 to 7 are the second interval; at its end, 7 % 3 were in flight.
        assert_eq!((points[1].from_s, points[1].in_flight), (4, 1));
    }

    #[test]
    fn incompatible_interval_lengths_are_refused() {
        let mut own = TimeSeries::default();
        for interval_seconds in [0, 3] {
            let other = TimeSeries {
                interval_seconds,
                intervals: vec![interval(1, 0)],
            };
            assert!(!own.add(&other));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn joining_equals_measuring_in_one_place(
            one in prop::collection::vec((0_u64..5_000, 1_u64..1_000), 0..12),
            other in prop::collection::vec((0_u64..20, 1_u64..1_000), 0..12),
        ) {
            let of = |all: &[(u64, u64)]| {
                let mut over_time = TimeSeries::default();
                for (second, milliseconds) in all {
                    over_time.add_second(*second, &interval(*milliseconds, 0));
                }
                over_time
            };
            let mut joined = of(&one);
            prop_assert!(joined.add(&of(&other)));
            let whole = of(&[one, other].concat());
            prop_assert_eq!(joined.points(), whole.points());
            let text = serde_json::to_string(&joined).expect("JSON");
            let read: TimeSeries = serde_json::from_str(&text).expect("reads back");
            prop_assert_eq!(read.points(), whole.points());
        }
    }
}
