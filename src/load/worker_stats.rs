//! The statistics of one worker: counts, times and the few events to remember.

use std::time::{Duration, Instant};

use super::counts::{LoadCounts, MixCounts};
use super::latency_histograms::record;
use super::live_stats::{LiveStats, RecentStats};
use super::scheduled_attempt::{BuiltAttempt, DeliveryKind, ScheduledAttempt};
use super::second_recorder::{EndedAttempt, SecondRecorder};
use super::unacknowledged::Unacknowledged;

/// The most accepted forgeries to remember.
const MOST_LISTED: usize = 1_000;

/// The least lateness whose cause is counted.
const COUNTED_LATENESS: Duration = Duration::from_millis(10);

#[derive(Debug, Default)]
pub(super) struct WorkerStats {
    pub(super) measured: LoadCounts,
    pub(super) warmup: LoadCounts,
    pub(super) unacknowledged: Unacknowledged,
    pub(super) accepted_forgeries: Vec<u64>,
    /// The counters of the mix, without the warm-up.
    mix_counts: Vec<MixCounts>,
    unreported: MixCounts,
    /// When the last measured event started.
    pub(super) last_started: Option<Instant>,
    /// Records the current second, once the load has started.
    pub(super) recorder: Option<SecondRecorder>,
    /// What is not published as live statistics yet.
    unpublished: RecentStats,
}

impl WorkerStats {
    pub(super) fn counts(&mut self, scheduled: &ScheduledAttempt) -> &mut LoadCounts {
        if scheduled.measured {
            &mut self.measured
        } else {
            &mut self.warmup
        }
    }

    /// The counter of the event's part of the mix. Without a mix or during the warm-up, one that is not
    /// reported.
    pub(super) fn mix_counts(&mut self, attempt: &BuiltAttempt) -> &mut MixCounts {
        let index = attempt.facts.mix_counter;
        let Some(index) = index.filter(|_| attempt.scheduled.measured) else {
            return &mut self.unreported;
        };
        if self.mix_counts.len() <= index {
            self.mix_counts.resize(index + 1, MixCounts::default());
        }
        &mut self.mix_counts[index]
    }

    pub(super) fn add_mix_counts_to(&self, mix_counts: &mut Vec<MixCounts>) {
        let count = mix_counts.len().max(self.mix_counts.len());
        mix_counts.resize(count, MixCounts::default());
        for (all, own) in mix_counts.iter_mut().zip(&self.mix_counts) {
            *all += *own;
        }
    }

    pub(super) fn event_started(&mut self, attempt: &BuiltAttempt, at: Instant) {
        self.counts(&attempt.scheduled).events += 1;
        self.mix_counts(attempt).events += 1;
        if attempt.scheduled.measured {
            self.last_started = Some(at);
        }
    }

    /// Counts the start of a genuine attempt. `free_since` says when its connection became free; `None`
    /// at the rate `max`, at which no attempt is late.
    pub(super) fn attempt_started(
        &mut self,
        attempt: &BuiltAttempt,
        at: Instant,
        free_since: Option<Instant>,
    ) {
        let scheduled = &attempt.scheduled;
        if scheduled.is_new() {
            self.event_started(attempt, at);
        }
        let counts = self.counts(scheduled);
        counts.attempts += 1;
        if scheduled.attempt == 1 {
            counts.deliveries += 1;
            self.mix_counts(attempt).deliveries += 1;
        } else {
            counts.retries += 1;
        }
        if !scheduled.measured {
            return;
        }
        let lateness = free_since.map(|free_since| {
            let lateness = at.saturating_duration_since(scheduled.due);
            // If another connection had been free, that one would have taken the attempt. The machine
            // caused the rest.
            let busy = free_since.saturating_duration_since(scheduled.due);
            if lateness >= COUNTED_LATENESS {
                let counter = if busy >= lateness.saturating_sub(busy) {
                    &mut self.measured.late_for_connections
                } else {
                    &mut self.measured.late_for_machine
                };
                *counter += 1;
            }
            lateness
        });
        if let Some(recorder) = &mut self.recorder {
            recorder.attempt_started(at, lateness);
        }
    }

    pub(super) fn genuine_ended(&mut self, scheduled: &ScheduledAttempt, ended: EndedAttempt) {
        if let Some((latency, _)) = ended.times {
            record(&mut self.unpublished.latency, latency);
        }
        if let (true, Some(recorder)) = (scheduled.measured, &mut self.recorder) {
            recorder.attempt_ended(ended);
        }
        self.attempt_ended(ended.is_error);
    }

    pub(super) fn attempt_ended(&mut self, is_error: bool) {
        self.unpublished.attempts += 1;
        self.unpublished.errors += u64::from(is_error);
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

    pub(super) fn publish(&mut self, live: &LiveStats) {
        live.publish(&mut self.unpublished);
    }
}
