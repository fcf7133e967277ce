//! Per-second measurements: the recorder of each worker, and the thread that gathers them.
//!
//! A worker keeps only the current second and sends it to the gathering thread when it is over,
//! because packing histograms would delay its requests.

use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use super::latency_histograms::{LatencyHistograms, record};
use super::time_series::{Interval, TimeSeries};

#[derive(Debug, Default)]
pub(super) struct WorkerSecond {
    number: u64,
    interval: Interval,
    latencies: Option<Box<LatencyHistograms>>,
}

#[derive(Debug)]
pub(super) struct SecondRecorder {
    /// When second 0 starts: at the end of the warm-up.
    from: Instant,
    current: WorkerSecond,
    in_flight: u64,
    gatherer: Sender<WorkerSecond>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct EndedAttempt {
    pub(super) at: Instant,
    pub(super) has_response: bool,
    pub(super) is_error: bool,
    /// Its latency and its service time, if they count.
    pub(super) times: Option<(Duration, Duration)>,
}

impl SecondRecorder {
    pub(super) fn new(from: Instant, gatherer: Sender<WorkerSecond>) -> Self {
        Self {
            from,
            current: WorkerSecond::default(),
            in_flight: 0,
            gatherer,
        }
    }

    pub(super) fn attempt_started(&mut self, at: Instant, lateness: Option<Duration>) {
        self.advance(at);
        self.current.interval.sent += 1;
        self.in_flight += 1;
        if let Some(lateness) = lateness {
            let latencies = self.current.latencies.get_or_insert_default();
            record(&mut latencies.lateness, lateness);
        }
    }

    pub(super) fn attempt_ended(&mut self, ended: EndedAttempt) {
        self.advance(ended.at);
        self.in_flight = self.in_flight.saturating_sub(1);
        let interval = &mut self.current.interval;
        interval.answered += u64::from(ended.has_response);
        interval.errors += u64::from(ended.is_error);
        if let Some((latency, service)) = ended.times {
            let latencies = self.current.latencies.get_or_insert_default();
            record(&mut latencies.latency, latency);
            record(&mut latencies.service, service);
        }
    }

    pub(super) fn finish(mut self) {
        let next = self.current.number.saturating_add(1);
        self.start_second(next);
    }

    fn advance(&mut self, now: Instant) {
        let second = now.saturating_duration_since(self.from).as_secs();
        // Nothing happened in skipped seconds, but attempts may have been in flight.
        while self.current.number < second {
            self.start_second(self.current.number + 1);
        }
    }

    fn start_second(&mut self, number: u64) {
        let mut finished = std::mem::take(&mut self.current);
        self.current.number = number;
        finished.interval.in_flight = self.in_flight;
        // The gathering thread outlives all workers.
        let _ = self.gatherer.send(finished);
    }
}

/// Gathers the seconds of all workers until the last one has ended, and joins their histograms.
pub(super) fn gather(seconds: &Receiver<WorkerSecond>) -> (TimeSeries, LatencyHistograms) {
    let (mut over_time, mut all) = (TimeSeries::default(), LatencyHistograms::default());
    for mut second in seconds {
        if let Some(latencies) = &second.latencies {
            second.interval.pack(latencies);
            // All histograms of this process have the same bounds.
            let _ = all.add(latencies);
        }
        over_time.add_second(second.number, &second.interval);
    }
    (over_time, all)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn attempts_in_flight_are_counted_in_seconds_without_events() {
        let (sender, seconds) = channel();
        let from = Instant::now();
        let at = |milliseconds| from + Duration::from_millis(milliseconds);
        let mut recorder = SecondRecorder::new(from, sender);
        let late = Some(Duration::from_millis(7));
        recorder.attempt_started(at(100), late);
        recorder.attempt_started(at(900), late);
        recorder.attempt_ended(EndedAttempt {
            at: at(1_000),
            has_response: true,
            is_error: false,
            times: Some((Duration::from_millis(907), Duration::from_millis(900))),
        });
        recorder.attempt_ended(EndedAttempt {
            at: at(4_500),
            has_response: false,
            is_error: true,
            times: None,
        });
        recorder.finish();
        let (over_time, all) = gather(&seconds);
        assert_eq!((all.latency.len(), all.lateness.len()), (1, 2));
        let points = over_time.points();
        let of = |figure: fn(&super::super::Point) -> u64| -> Vec<u64> {
            points.iter().map(figure).collect()
        };
        assert_eq!(of(|point| point.sent), [2, 0, 0, 0, 0]);
        assert_eq!(of(|point| point.answered), [0, 1, 0, 0, 0]);
        assert_eq!(of(|point| point.errors), [0, 0, 0, 0, 1]);
        assert_eq!(of(|point| point.in_flight), [2, 1, 1, 1, 0]);
        assert!(points[0].late_p99_us.is_some() && points[0].p50_us.is_none());
        assert!(points[1].p99_us.is_some_and(|p99| p99 > 900_000.0));
    }
}
