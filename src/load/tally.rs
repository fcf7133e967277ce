//! What one worker saw: counts, times and the few events that must be remembered.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::counts::Counts;
use super::demand::Unacknowledged;
use super::latencies::{Latencies, record};
use super::live::Live;

/// The most accepted forgeries whose numbers are kept.
const MOST_LISTED: usize = 1_000;

/// What one worker saw.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) measured: Counts,
    pub(super) warmup: Counts,
    pub(super) latencies: Latencies,
    pub(super) unacknowledged: Unacknowledged,
    pub(super) accepted_forgeries: Vec<u64>,
    /// When the last measured event was begun.
    pub(super) last_begun: Option<Instant>,
    recent: Option<Recent>,
}

/// What was not shown yet, where someone looks on.
#[derive(Debug)]
struct Recent {
    latency: Histogram<u64>,
    attempts: u64,
    errors: u64,
}

impl Tally {
    /// Keeps what is new for someone who looks on.
    pub(super) fn watched(mut self) -> Self {
        self.recent = Some(Recent {
            latency: Latencies::default().latency,
            attempts: 0,
            errors: 0,
        });
        self
    }

    pub(super) fn counts(&mut self, measured: bool) -> &mut Counts {
        if measured {
            &mut self.measured
        } else {
            &mut self.warmup
        }
    }

    /// An event is begun.
    pub(super) fn begun(&mut self, measured: bool) {
        self.counts(measured).events += 1;
        if measured {
            self.last_begun = Some(Instant::now());
        }
    }

    /// How late an attempt was begun.
    pub(super) fn late(&mut self, measured: bool, lateness: Duration) {
        if measured {
            record(&mut self.latencies.lateness, lateness);
        }
    }

    /// An attempt has ended, with or without a 2xx answer.
    pub(super) fn ended(&mut self, is_error: bool) {
        if let Some(recent) = &mut self.recent {
            recent.attempts += 1;
            recent.errors += u64::from(is_error);
        }
    }

    /// How long an attempt took.
    pub(super) fn took(&mut self, measured: bool, latency: Duration, service: Duration) {
        if measured {
            record(&mut self.latencies.latency, latency);
            record(&mut self.latencies.service, service);
        }
        if let Some(recent) = &mut self.recent {
            record(&mut recent.latency, latency);
        }
    }

    pub(super) fn accepted_forgery(&mut self, number: u64) {
        if self.accepted_forgeries.len() < MOST_LISTED {
            self.accepted_forgeries.push(number);
        }
    }

    /// Shows what is new, and forgets it.
    pub(super) fn publish(&mut self, live: &Live) {
        if let Some(recent) = &mut self.recent {
            live.add(&recent.latency, recent.attempts, recent.errors);
            recent.latency.reset();
            recent.attempts = 0;
            recent.errors = 0;
        }
    }
}
