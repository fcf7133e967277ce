//! Live statistics of a running load: what happened since the last snapshot.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::latency_histograms::LatencyHistograms;

pub(super) const PUBLISHED_EVERY: Duration = Duration::from_millis(250);

/// Collects new statistics from the workers until a snapshot takes them.
#[derive(Debug, Default)]
pub(crate) struct LiveStats {
    recent: Mutex<RecentStats>,
    in_flight: AtomicU64,
}

/// Finished attempts: of one worker until they are published, or of all until a snapshot.
#[derive(Debug)]
pub(super) struct RecentStats {
    pub(super) latency: Histogram<u64>,
    pub(super) attempts: u64,
    pub(super) errors: u64,
}

impl Default for RecentStats {
    fn default() -> Self {
        Self {
            latency: LatencyHistograms::default().latency,
            attempts: 0,
            errors: 0,
        }
    }
}

/// What happened since the last snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LiveSnapshot {
    pub attempts: u64,
    /// Finished attempts without a 2xx response.
    pub errors: u64,
    pub p50: Option<Duration>,
    pub p99: Option<Duration>,
    pub in_flight: u64,
}

impl LiveStats {
    pub(crate) fn take(&self) -> LiveSnapshot {
        let recent = std::mem::take(&mut *self.recent());
        let at = |quantile| {
            let time = Duration::from_nanos(recent.latency.value_at_quantile(quantile));
            (!recent.latency.is_empty()).then_some(time)
        };
        LiveSnapshot {
            attempts: recent.attempts,
            errors: recent.errors,
            p50: at(0.5),
            p99: at(0.99),
            in_flight: self.in_flight.load(Ordering::Relaxed),
        }
    }

    /// Adds the statistics of a worker, and resets them.
    pub(super) fn publish(&self, new: &mut RecentStats) {
        let mut recent = self.recent();
        // All histograms have the same bounds, so this can't fail.
        let _ = recent.latency.add(&new.latency);
        recent.attempts += std::mem::take(&mut new.attempts);
        recent.errors += std::mem::take(&mut new.errors);
        new.latency.reset();
    }

    pub(super) fn attempt_started(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn attempt_ended(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    fn recent(&self) -> MutexGuard<'_, RecentStats> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_resets_the_statistics() {
        let live = LiveStats::default();
        let mut new = RecentStats {
            attempts: 3,
            errors: 1,
            ..RecentStats::default()
        };
        new.latency.saturating_record(5_000_000);
        live.attempt_started();
        live.publish(&mut new);
        live.publish(&mut new);
        let snapshot = live.take();
        assert_eq!(
            (snapshot.attempts, snapshot.errors, snapshot.in_flight),
            (3, 1, 1)
        );
        assert_eq!(snapshot.p99.map(|p99| p99.as_millis()), Some(5));
        live.attempt_ended();
        let snapshot = live.take();
        assert_eq!(
            (snapshot.attempts, snapshot.errors, snapshot.in_flight),
            (0, 0, 0)
        );
        assert_eq!((snapshot.p50, snapshot.p99), (None, None));
    }
}
