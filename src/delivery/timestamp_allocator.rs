//! Chooses the timestamp to sign each body with, so that no body is signed twice with the same one.
//!
//! A delivery and its redelivery have the same signature if they are signed in the same second. A
//! real sender waits between the two; here waits are skipped. A sound receiver may reject a
//! signature that it has already seen as a replay. The later of two deliveries is therefore signed
//! with a slightly earlier, unused timestamp, as if it had waited in a queue.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

/// How many seconds back a timestamp may be: well within any receiver's tolerance.
const MAX_AGE: u64 = 30;

/// The timestamps in Unix seconds that one body was signed with, as far back as they matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct UsedTimestamps {
    /// The latest time at which one was taken.
    latest: u64,
    /// Bit n is set if `latest - n` was used.
    used: u64,
}

impl UsedTimestamps {
    /// Takes the latest unused timestamp up to `now`; `now` if none of the last 30 seconds is unused.
    pub(crate) fn take(&mut self, now: u64) -> u64 {
        // Another thread may have read a later time.
        let latest = self.latest.max(now);
        let shift = u32::try_from(latest - self.latest).unwrap_or(u32::MAX);
        self.used = self.used.checked_shl(shift).unwrap_or_default();
        self.latest = latest;
        let bit = |age: u64| {
            let position = u32::try_from(latest - now + age).ok()?;
            1_u64.checked_shl(position)
        };
        let mut ages = 0..=MAX_AGE.min(now);
        let unused = ages.find(|age| bit(*age).is_some_and(|bit| self.used & bit == 0));
        self.used |= unused.and_then(bit).unwrap_or_default();
        now - unused.unwrap_or_default()
    }
}

#[derive(Debug, Default)]
pub(crate) struct TimestampAllocator {
    hasher: RandomState,
    used: Mutex<TimestampsByBody>,
}

#[derive(Debug, Default)]
struct TimestampsByBody {
    /// Keyed by the body's hash. On a collision, two bodies merely avoid each other's timestamps.
    by_body: HashMap<u64, UsedTimestamps>,
    /// When expired timestamps were last removed.
    pruned_at: u64,
}

impl TimestampAllocator {
    /// Takes a timestamp for a body, as [`UsedTimestamps::take`] does.
    pub(crate) fn allocate(&self, body: &[u8], now: u64) -> u64 {
        let key = self.hasher.hash_one(body);
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.pruned_at < now {
            used.pruned_at = now;
            let earliest = now.saturating_sub(MAX_AGE);
            used.by_body.retain(|_, used| used.latest >= earliest);
        }
        used.by_body.entry(key).or_default().take(now)
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
