//! What a worker sees in each second, and the thread that gathers it from all of them.
//!
//! A worker keeps the present second alone, and gives it away when it is over: packing histograms
//! would hold up what it sends.

use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use super::latencies::{Latencies, record};
use super::over_time::{Interval, OverTime};

/// A second that is over, as one worker saw it.
#[derive(Debug)]
pub(super) struct Second {
    number: u64,
    seen: Interval,
    latencies: Option<Box<Latencies>>,
}

/// Keeps the present second of a worker.
#[derive(Debug)]
pub(super) struct Recorder {
    /// When second 0 begins: with the end of the warm-up.
    from: Instant,
    present: Second,
    in_flight: u64,
    gatherer: Sender<Second>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) at: Instant,
    pub(super) is_answered: bool,
    pub(super) is_error: bool,
    /// Its latency and its service time, where they count.
    pub(super) times: Option<(Duration, Duration)>,
}

impl Second {
    fn new(number: u64) -> Self {
        Self {
            number,
            seen: Interval::default(),
            latencies: None,
        }
    }

    fn latencies(&mut self) -> &mut Latencies {
        self.latencies.get_or_insert_default()
    }
}

impl Recorder {
    /// Counts seconds from a moment, and gives them to who gathers them.
    pub(super) fn new(from: Instant, gatherer: Sender<Second>) -> Self {
        Self {
            from,
            present: Second::new(0),
            in_flight: 0,
            gatherer,
        }
    }

    /// An attempt is begun, so late after it was due; none where nothing is due.
    pub(super) fn sent(&mut self, at: Instant, lateness: Option<Duration>) {
        self.advance(at);
        self.present.seen.sent += 1;
        self.in_flight += 1;
        if let Some(lateness) = lateness {
            record(&mut self.present.latencies().lateness, lateness);
        }
    }

    /// An attempt has ended.
    pub(super) fn ended(&mut self, ended: Ended) {
        self.advance(ended.at);
        self.in_flight = self.in_flight.saturating_sub(1);
        let seen = &mut self.present.seen;
        seen.answered += u64::from(ended.is_answered);
        seen.errors += u64::from(ended.is_error);
        if let Some((latency, service)) = ended.times {
            let latencies = self.present.latencies();
            record(&mut latencies.latency, latency);
            record(&mut latencies.service, service);
        }
    }

    /// Gives away the last second.
    pub(super) fn end(mut self) {
        let next = self.present.number.saturating_add(1);
        self.begin(next);
    }

    fn advance(&mut self, now: Instant) {
        let second = now.saturating_duration_since(self.from).as_secs();
        // Nothing happened in a second that is passed over, but something may have been under way.
        while self.present.number < second {
            self.begin(self.present.number + 1);
        }
    }

    fn begin(&mut self, number: u64) {
        let mut over = std::mem::replace(&mut self.present, Second::new(number));
        over.seen.in_flight = self.in_flight;
        // Who gathers them is there for as long as any worker is.
        let _ = self.gatherer.send(over);
    }
}

/// Gathers the seconds of all workers, until all of them have ended.
pub(super) fn gather(seconds: &Receiver<Second>) -> OverTime {
    let mut over_time = OverTime::default();
    for mut second in seconds {
        if let Some(latencies) = &second.latencies {
            second.seen.pack(latencies);
        }
        over_time.add_second(second.number, &second.seen);
    }
    over_time
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_is_under_way_is_seen_in_the_seconds_in_which_nothing_happens() {
        let (sender, seconds) = channel();
        let from = Instant::now();
        let at = |milliseconds| from + Duration::from_millis(milliseconds);
        let mut recorder = Recorder::new(from, sender);
        let late = Some(Duration::from_millis(7));
        recorder.sent(at(100), late);
        recorder.sent(at(900), late);
        recorder.ended(Ended {
            at: at(1_000),
            is_answered: true,
            is_error: false,
            times: Some((Duration::from_millis(907), Duration::from_millis(900))),
        });
        recorder.ended(Ended {
            at: at(4_500),
            is_answered: false,
            is_error: true,
            times: None,
        });
        recorder.end();
        let points = gather(&seconds).points();
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
