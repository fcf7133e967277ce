//! At most 1,000 requests within a minute. `[P]`

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const REQUESTS: usize = 1_000;
const PERIOD: Duration = Duration::from_mins(1);

/// When the admitted requests of the last minute came.
#[derive(Debug, Default)]
pub(super) struct RateLimit(Mutex<VecDeque<Instant>>);

impl RateLimit {
    /// Admits a request, or returns how long until the next one is admitted.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut admitted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while admitted
            .front()
            .is_some_and(|first| now.duration_since(*first) >= PERIOD)
        {
            admitted.pop_front();
        }
        match admitted.front() {
            Some(first) if admitted.len() >= REQUESTS => {
                Err(PERIOD.saturating_sub(now.duration_since(*first)))
            }
            _ => {
                admitted.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_has_more_than_a_thousand_requests() {
        let (limit, start) = (RateLimit::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!((0..600).all(|_| limit.admit(start).is_ok()));
        assert!((0..400).all(|_| limit.admit(after(30)).is_ok()));
        assert_eq!(limit.admit(after(50)), Err(Duration::from_secs(10)));
        assert!((0..600).all(|_| limit.admit(after(60)).is_ok()));
        assert_eq!(limit.admit(after(60)), Err(Duration::from_secs(30)));
    }
}
