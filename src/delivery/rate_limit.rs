//! Holds deliveries back, so that a receiver gets no more of them in a time than it takes.
//!
//! There are as many turns as deliveries may come in the time. A delivery takes one before it is
//! signed, and it is free again when that time has passed since the delivery's end. So, wherever one
//! cuts it out, no such time sees more deliveries arrive, however late each of them was on its way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::scenario::MaxRate;

/// The turns that there are, and how long was waited for them.
#[derive(Debug)]
pub struct RateLimit {
    rate: MaxRate,
    turns: Arc<Semaphore>,
    /// In microseconds, added up over all deliveries.
    waited: AtomicU64,
}

/// The turns of one or several deliveries. They end when this is dropped.
#[derive(Debug)]
pub struct Turns {
    permit: Option<OwnedSemaphorePermit>,
    period: Duration,
}

impl RateLimit {
    /// No more deliveries than this.
    pub fn new(rate: MaxRate) -> Self {
        let most = usize::try_from(rate.deliveries).unwrap_or(usize::MAX);
        Self {
            rate,
            turns: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            waited: AtomicU64::new(0),
        }
    }

    /// How many deliveries can be made at the same moment.
    pub fn at_once(&self) -> usize {
        usize::try_from(self.rate.deliveries).unwrap_or(usize::MAX)
    }

    /// Waits until so many deliveries may be made, all of them at once: [`Self::at_once`] at most.
    pub async fn turns(&self, deliveries: usize) -> Turns {
        let began = Instant::now();
        let count = u32::try_from(deliveries).unwrap_or(u32::MAX);
        let count = count.min(self.rate.deliveries);
        // It is never closed; if it were, nobody would be held back.
        let permit = Arc::clone(&self.turns).acquire_many_owned(count).await.ok();
        let held_back = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waited.fetch_add(held_back, Ordering::Relaxed);
        Turns {
            permit,
            period: self.rate.period,
        }
    }

    /// How long deliveries were held back, added up.
    pub fn waited(&self) -> Duration {
        Duration::from_micros(self.waited.load(Ordering::Relaxed))
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        let (permit, period) = (self.permit.take(), self.period);
        // Outside of a runtime there is nobody left to wait for a turn.
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
    async fn a_turn_is_free_again_when_the_time_has_passed_since_its_end() {
        let limit = limit(2, 30);
        let start = Instant::now();
        let mut begun = Vec::new();
        for _ in 0..5 {
            let turn = limit.turns(1).await;
            begun.push(start.elapsed());
            drop(turn);
        }
        let apart = begun
            .windows(3)
            .map(|three| three[2].saturating_sub(three[0]));
        assert!(
            apart
                .clone()
                .all(|apart| apart >= Duration::from_millis(30)),
            "{begun:?}"
        );
        assert!(limit.waited() >= Duration::from_millis(30));
    }

    #[tokio::test]
    async fn deliveries_of_the_same_moment_get_their_turns_together() {
        let limit = limit(3, 20);
        assert_eq!(limit.at_once(), 3);
        let start = Instant::now();
        drop(limit.turns(1).await);
        // More than there are is as many as there are.
        drop(limit.turns(100).await);
        assert!(start.elapsed() >= Duration::from_millis(20));
    }
}
