//! The statistics of one worker: counts, times and the few events to remember.

use std::time::{Duration, Instant};

use super::counts::{LoadCounts, MixCounts};
use super::latency_histograms::record;
use super::live_stats::{LiveStats, RecentStats};
use super::scheduled_attempt::{DeliveryKind, ScheduledAttempt};
use super::second_recorder::{EndedAttempt, SecondRecorder};
use super::unacknowledged::Unacknowledged;

/// The most accepted forgeries to remember.
const MOST_LISTED: usize = 1_000;

/// The least lateness whose cause is counted.
const COUNTED_LATENESS: Duration = Duration::from_millis(10);

/// How late an attempt started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lateness {
    /// The total lateness.
    pub(super) total: Duration,
    /// The part during which every connection was busy. The machine caused the rest.
    pub(super) busy: Duration,
}

impl Lateness {
    pub(super) fn new(due: Instant, free_since: Instant, started: Instant) -> Self {
        let total = started.saturating_duration_since(due);
        Self {
            total,
            // If another connection had been free, that one would have taken the attempt.
            busy: free_since.saturating_duration_since(due).min(total),
        }
    }
}

/// The statistics of one worker.
#[derive(Debug, Default)]
pub(super) struct WorkerStats {
    pub(super) measured: LoadCounts,
    pub(super) warmup: LoadCounts,
    pub(super) unacknowledged: Unacknowledged,
    pub(super) accepted_forgeries: Vec<u64>,
    /// The counters of the mix, without the warm-up.
    mix_counts: Vec<MixCounts>,
    /// When the last measured event started.
    pub(super) last_started: Option<Instant>,
    /// Records the current second, once the load has started.
    pub(super) recorder: Option<SecondRecorder>,
    /// What is not published as live statistics yet.
    unpublished: Option<RecentStats>,
}

impl WorkerStats {
    /// Empty statistics, with live ones if wanted.
    pub(super) fn new(live: bool) -> Self {
        Self {
            unpublished: live.then(RecentStats::default),
            ..Self::default()
        }
    }

    pub(super) fn counts(&mut self, measured: bool) -> &mut LoadCounts {
        if measured {
            &mut self.measured
        } else {
            &mut self.warmup
        }
    }

    /// A counter of the mix.
    pub(super) fn mix_counter(&mut self, index: usize) -> &mut MixCounts {
        if self.mix_counts.len() <= index {
            self.mix_counts.resize(index + 1, MixCounts::default());
        }
        &mut self.mix_counts[index]
    }

    /// Adds the counters of the mix to a total.
    pub(super) fn add_mix_counts_to(&self, mix_counts: &mut Vec<MixCounts>) {
        let count = mix_counts.len().max(self.mix_counts.len());
        mix_counts.resize(count, MixCounts::default());
        for (all, own) in mix_counts.iter_mut().zip(&self.mix_counts) {
            *all += *own;
        }
    }

    /// Counts the start of an event.
    pub(super) fn event_started(&mut self, measured: bool, at: Instant) {
        self.counts(measured).events += 1;
        if measured {
            self.last_started = Some(at);
        }
    }

    /// Counts the start of a genuine attempt and its lateness; `None` at the rate `max`.
    pub(super) fn attempt_started(
        &mut self,
        measured: bool,
        at: Instant,
        lateness: Option<Lateness>,
    ) {
        if !measured {
            return;
        }
        if let Some(lateness) = lateness
            && lateness.total >= COUNTED_LATENESS
        {
            let machine = lateness.total.saturating_sub(lateness.busy);
            if lateness.busy >= machine {
                self.measured.late_for_connections += 1;
            } else {
                self.measured.late_for_machine += 1;
            }
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.attempt_started(at, lateness.map(|lateness| lateness.total));
        }
    }

    /// Counts the end of a genuine attempt.
    pub(super) fn genuine_ended(&mut self, measured: bool, ended: EndedAttempt) {
        if let (Some((latency, _)), Some(unpublished)) = (ended.times, &mut self.unpublished) {
            record(&mut unpublished.latency, latency);
        }
        if let (true, Some(recorder)) = (measured, &mut self.recorder) {
            recorder.attempt_ended(ended);
        }
        self.attempt_ended(ended.is_error);
    }

    /// Counts the end of any attempt.
    pub(super) fn attempt_ended(&mut self, is_error: bool) {
        if let Some(unpublished) = &mut self.unpublished {
            unpublished.attempts += 1;
            unpublished.errors += u64::from(is_error);
        }
    }

    /// Remembers an event whose first delivery ended without an acknowledgement.
    pub(super) fn not_acknowledged(&mut self, scheduled: &ScheduledAttempt) {
        if scheduled.delivery == DeliveryKind::Original {
            self.unacknowledged.add(scheduled.number);
        }
    }

    pub(super) fn accepted_forgery(&mut self, number: u64) {
        if self.accepted_forgeries.len() < MOST_LISTED {
            self.accepted_forgeries.push(number);
        }
    }

    /// Publishes and resets the live statistics.
    pub(super) fn publish(&mut self, live: &LiveStats) {
        if let Some(unpublished) = &mut self.unpublished {
            live.publish(unpublished);
        }
    }
}
