//! When a receiver stopped during a load: it had answered, and then refused connections.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::transport::Failure;

/// The receiver stopped: after it had answered, it refused connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiverStop {
    /// When it first refused a connection, as RFC 3339.
    pub at: String,
    /// How many seconds passed until it answered again; null if it did not.
    pub seconds: Option<f64>,
}

/// A shorter time is not a stop: a listener that is busy may refuse a few connections.
const SHORTEST: Duration = Duration::from_millis(100);
/// A receiver that crashes at every event stops as often as it is restarted.
const MOST_LISTED: usize = 100;

/// Shared by the workers of a load.
#[derive(Debug, Default)]
pub(super) struct StopWatch {
    has_answered: AtomicBool,
    refuses: AtomicBool,
    stops: Mutex<Stops>,
}

#[derive(Debug, Default)]
struct Stops {
    since: Option<(Instant, Timestamp)>,
    ended: Vec<ReceiverStop>,
}

impl StopWatch {
    /// Observes the result of an attempt.
    pub(super) fn observe<T>(&self, result: &Result<T, Failure>, now: Instant) {
        match result {
            // Nearly all attempts end here, without a lock.
            Ok(_) if !self.refuses.load(Ordering::Relaxed) => {
                if !self.has_answered.load(Ordering::Relaxed) {
                    self.has_answered.store(true, Ordering::Relaxed);
                }
            }
            Ok(_) => {
                self.refuses.store(false, Ordering::Relaxed);
                let mut stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((began, at)) = stops.since.take() {
                    stops.add(began, at, Some(now));
                }
            }
            Err(Failure::Refused { .. }) if self.has_answered.load(Ordering::Relaxed) => {
                self.refuses.store(true, Ordering::Relaxed);
                let mut stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner);
                stops.since.get_or_insert_with(|| (now, Timestamp::now()));
            }
            Err(_) => {}
        }
    }

    /// All stops, in order. Only the last one may not have ended.
    pub(super) fn finish(&self) -> Vec<ReceiverStop> {
        let mut stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((began, at)) = stops.since.take() {
            stops.add(began, at, None);
        }
        std::mem::take(&mut stops.ended)
    }
}

impl Stops {
    fn add(&mut self, began: Instant, at: Timestamp, ended: Option<Instant>) {
        let lasted = ended.map(|ended| ended.saturating_duration_since(began));
        let is_short = lasted.is_some_and(|lasted| lasted < SHORTEST);
        if is_short || ended.is_some() && self.ended.len() >= MOST_LISTED {
            return;
        }
        self.ended.push(ReceiverStop {
            at: format!("{at:.3}"),
            seconds: lasted.map(|lasted| lasted.as_secs_f64()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Result<(), Failure> {
        let address = "127.0.0.1:1".to_owned();
        Err(Failure::Refused { address })
    }

    #[test]
    fn a_stop_begins_with_a_refused_connection_after_a_response() {
        let (watch, now) = (StopWatch::default(), Instant::now());
        // It has not been started yet.
        watch.observe(&refused(), now);
        watch.observe(&Ok(()), now);
        watch.observe(&Err::<(), _>(Failure::Reset), now);
        watch.observe(&refused(), now + Duration::from_secs(1));
        watch.observe(&refused(), now + Duration::from_secs(2));
        watch.observe(&Ok(()), now + Duration::from_secs(3));
        watch.observe(&refused(), now + Duration::from_secs(4));
        let stops = watch.finish();
        let seconds: Vec<_> = stops.iter().map(|stop| stop.seconds).collect();
        assert_eq!(seconds, [Some(2.0), None]);
    }

    #[test]
    fn a_busy_listener_has_not_stopped() {
        let (watch, now) = (StopWatch::default(), Instant::now());
        watch.observe(&Ok(()), now);
        watch.observe(&refused(), now);
        watch.observe(&Ok(()), now + SHORTEST / 2);
        assert_eq!(watch.finish(), []);
    }
}
