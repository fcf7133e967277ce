//! How a load went over time: what happened in each interval, as it is reported and joined.
//!
//! Histograms are kept packed here, since there are thousands. How they come about while a load
//! runs is in `seconds`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latencies::{Latencies, Packed};

/// The most intervals that are kept. A longer load gets longer intervals.
const MOST_INTERVALS: usize = 3_600;

/// What happened over time, the warm-up aside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverTime {
    /// How long each interval is, in seconds: 1, and twice as much whenever there would be more
    /// than 3,600 of them.
    pub interval_seconds: u64,
    /// What happened in each interval, counted from the end of the warm-up.
    pub intervals: Vec<Interval>,
}

/// What happened in one interval.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Attempts of genuine deliveries that were begun.
    pub sent: u64,
    /// Attempts that were answered, with whatever status.
    pub answered: u64,
    /// Attempts that ended without a 2xx answer, other than those whose answer was lost on purpose.
    pub errors: u64,
    /// Attempts that were under way at its end.
    pub in_flight: u64,
    /// The latencies of the attempts that ended in it; left out where there are none.
    #[serde(default, skip_serializing_if = "Packed::is_empty")]
    pub latency: Packed,
    /// The same from when they were sent.
    #[serde(default, skip_serializing_if = "Packed::is_empty")]
    pub service: Packed,
    /// How late the attempts were that began in it.
    #[serde(default, skip_serializing_if = "Packed::is_empty")]
    pub lateness: Packed,
}

/// The figures of one interval, as people and plots want them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// When it begins, in seconds from the end of the warm-up.
    pub from_s: u64,
    /// How long it is, in seconds.
    pub seconds: u64,
    /// Attempts of genuine deliveries that were begun.
    pub sent: u64,
    /// Attempts that were answered, with whatever status.
    pub answered: u64,
    /// Attempts that ended without a 2xx answer.
    pub errors: u64,
    /// Half of the latencies were no longer, in microseconds; none where nothing was answered.
    pub p50_us: Option<f64>,
    /// 99% of the latencies were no longer, in microseconds.
    pub p99_us: Option<f64>,
    /// Attempts that were under way at its end.
    pub in_flight: u64,
    /// 99% of the attempts were begun no later after they were due, in microseconds.
    pub late_p99_us: Option<f64>,
}

impl Default for OverTime {
    fn default() -> Self {
        Self {
            interval_seconds: 1,
            intervals: Vec::new(),
        }
    }
}

impl OverTime {
    /// Adds what another sender saw at the same time. False where its intervals or histograms are
    /// of another kind.
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

    /// Adds what one worker saw in one second.
    pub(super) fn add_second(&mut self, second: u64, seen: &Interval) {
        let place = loop {
            let place = usize::try_from(second / self.interval_seconds).unwrap_or(usize::MAX);
            if place < MOST_INTERVALS {
                break place;
            }
            self.widen();
        };
        if self.intervals.len() <= place {
            self.intervals.resize_with(place + 1, Interval::default);
        }
        let interval = &mut self.intervals[place];
        interval.add(seen);
        // Under way at the interval's end is what is under way at the end of its last second.
        if (second + 1).is_multiple_of(self.interval_seconds) {
            interval.in_flight = interval.in_flight.saturating_add(seen.in_flight);
        }
    }

    /// Makes each interval twice as long.
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

    /// The figures of each interval.
    pub fn points(&self) -> Vec<Point> {
        let intervals = (0_u64..).zip(&self.intervals);
        let points = intervals.map(|(place, interval)| {
            let latency = interval.latency.quantiles_us([0.5, 0.99]);
            let lateness = interval.lateness.quantiles_us([0.99]);
            Point {
                from_s: place.saturating_mul(self.interval_seconds),
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
    /// Adds everything but what is under way, which is no sum over time.
    fn add(&mut self, other: &Self) {
        self.sent = self.sent.saturating_add(other.sent);
        self.answered = self.answered.saturating_add(other.answered);
        self.errors = self.errors.saturating_add(other.errors);
        self.latency.add(&other.latency);
        self.service.add(&other.service);
        self.lateness.add(&other.lateness);
    }

    /// Puts histograms in.
    pub(super) fn pack(&mut self, latencies: &Latencies) {
        self.latency = Packed::of(&latencies.latency);
        self.service = Packed::of(&latencies.service);
        self.lateness = Packed::of(&latencies.lateness);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::latencies::record;
    use super::*;

    fn seen(milliseconds: u64, in_flight: u64) -> Interval {
        let mut latencies = Latencies::default();
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
    fn a_long_load_has_longer_intervals_and_loses_nothing() {
        let mut over_time = OverTime::default();
        for second in 0..7_300 {
            let mut seen = seen(1, second % 3);
            if second % 100 > 0 {
                seen.latency = Packed::default();
            }
            over_time.add_second(second, &seen);
        }
        assert_eq!(over_time.interval_seconds, 4);
        assert_eq!(over_time.intervals.len(), 1_825);
        let points = over_time.points();
        assert_eq!(points.iter().map(|point| point.sent).sum::<u64>(), 7_300);
        let timed = points.iter().filter(|point| point.p50_us.is_some());
        assert_eq!(timed.count(), 73);
        // Seconds 4 to 7 are the second interval; at its end, 7 % 3 were under way.
        assert_eq!((points[1].from_s, points[1].in_flight), (4, 1));
    }

    #[test]
    fn what_is_of_another_kind_is_refused() {
        let mut own = OverTime::default();
        for interval_seconds in [0, 3] {
            let other = OverTime {
                interval_seconds,
                intervals: vec![seen(1, 0)],
            };
            assert!(!own.add(&other));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn joining_is_the_same_as_seeing_it_in_one_place(
            one in prop::collection::vec((0_u64..5_000, 1_u64..1_000), 0..12),
            other in prop::collection::vec((0_u64..20, 1_u64..1_000), 0..12),
        ) {
            let of = |all: &[(u64, u64)]| {
                let mut over_time = OverTime::default();
                for (second, milliseconds) in all {
                    over_time.add_second(*second, &seen(*milliseconds, 0));
                }
                over_time
            };
            let mut joined = of(&one);
            prop_assert!(joined.add(&of(&other)));
            let whole = of(&[one, other].concat());
            prop_assert_eq!(joined.points(), whole.points());
            let text = serde_json::to_string(&joined).expect("JSON");
            let read: OverTime = serde_json::from_str(&text).expect("reads back");
            prop_assert_eq!(read.points(), whole.points());
        }
    }
}
