//! What someone sees who looks on while a load runs: the figures since the last look.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::latencies::Latencies;

/// How often workers show what is new.
pub(super) const PUBLISHED_EVERY: Duration = Duration::from_millis(250);

/// Where workers put what is new, and someone takes it from.
#[derive(Debug, Default)]
pub struct Live {
    recent: Mutex<Recent>,
    in_flight: AtomicU64,
}

#[derive(Debug)]
struct Recent {
    latency: Histogram<u64>,
    attempts: u64,
    errors: u64,
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            latency: Latencies::default().latency,
            attempts: 0,
            errors: 0,
        }
    }
}

/// What happened since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveFigures {
    /// Attempts that ended.
    pub attempts: u64,
    /// Those of them without a 2xx answer.
    pub errors: u64,
    /// Half of the latencies were no longer; none where there were none.
    pub p50: Option<Duration>,
    /// 99% of the latencies were no longer.
    pub p99: Option<Duration>,
    /// Attempts under way at this moment.
    pub in_flight: u64,
}

impl Live {
    /// Takes what is new.
    pub fn take(&self) -> LiveFigures {
        let recent = std::mem::take(&mut *self.recent());
        let latency = Some(&recent.latency).filter(|latency| !latency.is_empty());
        let at = |quantile| {
            latency.map(|latency| Duration::from_nanos(latency.value_at_quantile(quantile)))
        };
        LiveFigures {
            attempts: recent.attempts,
            errors: recent.errors,
            p50: at(0.5),
            p99: at(0.99),
            in_flight: self.in_flight.load(Ordering::Relaxed),
        }
    }

    pub(super) fn add(&self, latency: &Histogram<u64>, attempts: u64, errors: u64) {
        let mut recent = self.recent();
        // All histograms here have the same bounds, so that this can't fail.
        let _ = recent.latency.add(latency);
        recent.attempts += attempts;
        recent.errors += errors;
    }

    pub(super) fn began(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn ended(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_looked_at_is_not_shown_again() {
        let live = Live::default();
        let mut latency = Latencies::default().latency;
        latency.saturating_record(5_000_000);
        live.began();
        live.add(&latency, 3, 1);
        let seen = live.take();
        assert_eq!((seen.attempts, seen.errors, seen.in_flight), (3, 1, 1));
        assert_eq!(seen.p99.map(|p99| p99.as_millis()), Some(5));
        live.ended();
        let seen = live.take();
        assert_eq!((seen.attempts, seen.errors, seen.in_flight), (0, 0, 0));
        assert_eq!((seen.p50, seen.p99), (None, None));
    }
}
