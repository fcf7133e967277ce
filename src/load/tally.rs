//! What one worker saw: counts, times and the few events that must be remembered.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::counts::Counts;
use super::demand::Unacknowledged;
use super::latencies::{Latencies, record};
use super::live::Live;
use super::mix_report::MixCounts;
use super::seconds::{Ended, Recorder};

/// The most accepted forgeries whose numbers are kept.
const MOST_LISTED: usize = 1_000;

/// From which lateness on its cause is counted.
const NOTEWORTHY: Duration = Duration::from_millis(10);

/// How late an attempt was begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Late {
    /// From when it was due.
    pub(super) all: Duration,
    /// The part of it in which the connection that took it was busy: no other was free, or that
    /// would have taken it. The rest is the machine's.
    pub(super) busy: Duration,
}

impl Late {
    pub(super) fn new(due: Instant, free_since: Instant, begun: Instant) -> Self {
        let all = begun.saturating_duration_since(due);
        Self {
            all,
            busy: free_since.saturating_duration_since(due).min(all),
        }
    }
}

/// What one worker saw.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) measured: Counts,
    pub(super) warmup: Counts,
    pub(super) latencies: Latencies,
    pub(super) unacknowledged: Unacknowledged,
    pub(super) accepted_forgeries: Vec<u64>,
    /// What was counted for each place of the mix, the warm-up aside.
    mixed: Vec<MixCounts>,
    /// When the last measured event was begun.
    pub(super) last_begun: Option<Instant>,
    /// What happens in the present second, once figures may be taken.
    pub(super) recorder: Option<Recorder>,
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

    /// What is counted for a place of the mix.
    pub(super) fn of_place(&mut self, place: usize) -> &mut MixCounts {
        if self.mixed.len() <= place {
            self.mixed.resize(place + 1, MixCounts::default());
        }
        &mut self.mixed[place]
    }

    /// Adds what was counted for the places of the mix.
    pub(super) fn add_mixed_to(&self, mixed: &mut Vec<MixCounts>) {
        let places = mixed.len().max(self.mixed.len());
        mixed.resize(places, MixCounts::default());
        for (all, own) in mixed.iter_mut().zip(&self.mixed) {
            *all += *own;
        }
    }

    /// An event is begun.
    pub(super) fn begun(&mut self, measured: bool, at: Instant) {
        self.counts(measured).events += 1;
        if measured {
            self.last_begun = Some(at);
        }
    }

    /// A genuine attempt is begun, so late after it was due; none where nothing is due. It is
    /// known since when the connection was free.
    pub(super) fn sent(&mut self, measured: bool, at: Instant, late: Option<Late>) {
        if !measured {
            return;
        }
        if let Some(late) = late {
            record(&mut self.latencies.lateness, late.all);
            if late.all >= NOTEWORTHY {
                let machine = late.all.saturating_sub(late.busy);
                if late.busy >= machine {
                    self.measured.late_for_connections += 1;
                } else {
                    self.measured.late_for_machine += 1;
                }
            }
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.sent(at, late.map(|late| late.all));
        }
    }

    /// A genuine attempt has ended.
    pub(super) fn came_back(&mut self, measured: bool, ended: Ended) {
        if let Some((latency, service)) = ended.times {
            self.took(measured, latency, service);
        }
        if let (true, Some(recorder)) = (measured, &mut self.recorder) {
            recorder.ended(ended);
        }
        self.ended(ended.is_error);
    }

    /// An attempt has ended, with or without a 2xx answer.
    pub(super) fn ended(&mut self, is_error: bool) {
        if let Some(recent) = &mut self.recent {
            recent.attempts += 1;
            recent.errors += u64::from(is_error);
        }
    }

    /// How long an attempt took.
    fn took(&mut self, measured: bool, latency: Duration, service: Duration) {
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
