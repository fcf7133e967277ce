//! Delays deliveries, so that a receiver gets no more of them per period than it accepts.
//!
//! There are as many permits as deliveries allowed per period. A delivery acquires one before it is
//! signed, and returns it one period after it has ended. No period, whenever it starts, can
//! therefore contain more deliveries, even if some take long to arrive.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::policy::MaxRate;

/// Limits the rate of deliveries, and measures how long they waited.
#[derive(Debug)]
pub(crate) struct RateLimit {
    rate: MaxRate,
    permits: Arc<Semaphore>,
    /// The total over all deliveries, in microseconds.
    waited: AtomicU64,
}

/// The permits of one or more deliveries. Drop them when the deliveries end.
#[derive(Debug)]
pub(crate) struct RateLimitPermits {
    permit: Option<OwnedSemaphorePermit>,
    period: Duration,
}

impl RateLimit {
    pub(crate) fn new(rate: MaxRate) -> Self {
        let most = usize::try_from(rate.deliveries).unwrap_or(usize::MAX);
        Self {
            rate,
            permits: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            waited: AtomicU64::new(0),
        }
    }

    pub(crate) fn max_at_once(&self) -> usize {
        usize::try_from(self.rate.deliveries).unwrap_or(usize::MAX)
    }

    /// Waits until this many deliveries, at most [`Self::max_at_once`], may be made simultaneously.
    pub(crate) async fn acquire(&self, deliveries: usize) -> RateLimitPermits {
        let began = Instant::now();
        let count = u32::try_from(deliveries).unwrap_or(u32::MAX);
        let count = count.min(self.rate.deliveries);
        // The semaphore is never closed.
        let permit = Arc::clone(&self.permits)
            .acquire_many_owned(count)
            .await
            .ok();
        let waited = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waited.fetch_add(waited, Ordering::Relaxed);
        RateLimitPermits {
            permit,
            period: self.rate.period,
        }
    }

    /// The same, with a permit for each delivery, which ends by itself.
    pub(crate) async fn acquire_each(&self, deliveries: usize) -> Vec<RateLimitPermits> {
        let mut all = self.acquire(deliveries).await;
        let period = all.period;
        let one = || {
            let permit = all.permit.as_mut()?.split(1);
            permit.map(|permit| RateLimitPermits {
                permit: Some(permit),
                period,
            })
        };
        std::iter::from_fn(one).take(deliveries).collect()
    }

    pub(crate) fn waited(&self) -> Duration {
        Duration::from_micros(self.waited.load(Ordering::Relaxed))
    }
}

impl Drop for RateLimitPermits {
    fn drop(&mut self) {
        let (permit, period) = (self.permit.take(), self.period);
        // Without a runtime, no delivery can be waiting for a permit.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                tokio::time::sleep(period).await;
                drop(permit);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(deliveries: u32, milliseconds: u64) -> RateLimit {
        RateLimit::new(MaxRate {
            deliveries,
            period: Duration::from_millis(milliseconds),
        })
    }

    #[tokio::test]
    async fn a_permit_is_free_again_one_period_after_it_is_dropped() {
        let limit = limit(2, 30);
        let start = Instant::now();
        let mut starts = Vec::new();
        for _ in 0..5 {
            let permit = limit.acquire(1).await;
            starts.push(start.elapsed());
            drop(permit);
        }
        let intervals = starts
            .windows(3)
            .map(|three| three[2].saturating_sub(three[0]));
        assert!(
            intervals
                .clone()
                .all(|interval| interval >= Duration::from_millis(30)),
            "{starts:?}"
        );
        assert!(limit.waited() >= Duration::from_millis(30));
    }

    #[tokio::test]
    async fn simultaneous_deliveries_get_their_permits_together() {
        let limit = limit(3, 20);
        assert_eq!(limit.max_at_once(), 3);
        let start = Instant::now();
        drop(limit.acquire(1).await);
        // A request for too many permits acquires all of them.
        drop(limit.acquire(100).await);
        assert!(start.elapsed() >= Duration::from_millis(20));
    }
}
