//! Chooses the timestamp to sign each body with, so that no body is signed twice with the same one.
//!
//! A delivery and its redelivery have the same signature if they are signed in the same second. A
//! real sender waits between the two; here waits are skipped. A sound receiver may reject a
//! signature that it has already seen as a replay. The later of two deliveries is therefore signed
//! with a slightly earlier, unused timestamp, as if it had waited in a queue.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

/// The timestamps that bodies were signed with.
#[derive(Debug, Default)]
pub struct TimestampAllocator {
    hasher: RandomState,
    used: Mutex<TimestampsByBody>,
}

#[derive(Debug, Default)]
struct TimestampsByBody {
    /// Keyed by the body's hash. On a collision, two bodies merely avoid each other's timestamps.
    by_body: HashMap<u64, Vec<u64>>,
    /// When expired timestamps were last removed.
    pruned_at: u64,
}

/// How many seconds back a timestamp may be: well within any receiver's tolerance.
const MAX_AGE: u64 = 30;

impl TimestampAllocator {
    /// The latest timestamp up to `now`, in Unix seconds, that this body was not yet signed with;
    /// `now` if none of the last 30 seconds is unused.
    pub fn allocate(&self, body: &[u8], now: u64) -> u64 {
        let key = self.hasher.hash_one(body);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.saturating_sub(MAX_AGE);
        if used.pruned_at < now {
            used.pruned_at = now;
            used.by_body.retain(|_, timestamps| {
                timestamps.retain(|timestamp| *timestamp >= earliest);
                !timestamps.is_empty()
            });
        }
        let timestamps = used.by_body.entry(key).or_default();
        let unused = (earliest..=now)
            .rev()
            .find(|timestamp| !timestamps.contains(timestamp));
        timestamps.extend(unused);
        unused.unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_725_548_450;

    #[test]
    fn no_body_gets_the_same_timestamp_twice() {
        let timestamps = TimestampAllocator::default();
        assert_eq!(timestamps.allocate(b"one", NOW), NOW);
        assert_eq!(timestamps.allocate(b"other", NOW), NOW);
        assert_eq!(timestamps.allocate(b"one", NOW), NOW - 1);
        assert_eq!(timestamps.allocate(b"one", NOW + 1), NOW + 1);
        assert_eq!(timestamps.allocate(b"one", NOW + 1), NOW - 2);
    }

    #[test]
    fn without_an_unused_timestamp_now_repeats_and_old_timestamps_are_removed() {
        let timestamps = TimestampAllocator::default();
        let mut seen: Vec<u64> = (0..=MAX_AGE)
            .map(|_| timestamps.allocate(b"one", NOW))
            .collect();
        assert_eq!(seen.last(), Some(&(NOW - MAX_AGE)));
        seen.dedup();
        assert_eq!(seen.len(), 31);
        assert_eq!(timestamps.allocate(b"one", NOW), NOW);
        let later = NOW + 2 * MAX_AGE;
        assert_eq!(timestamps.allocate(b"other", later), later);
        let used = timestamps.used.lock().expect("no panic");
        assert_eq!(used.by_body.len(), 1);
    }
}
