//! As of which second each body is signed: of one that is delivered again, never the same twice.
//!
//! A delivery and its redelivery that are signed in the same second have one signature. Between the
//! two, a real sender lets time pass; here waits are skipped. A receiver that takes a signature it has
//! seen for a replay is sound, so it must not be shown one: the later of two deliveries is signed as of
//! a second that is still free, a little earlier. A delivery that waited in a queue looks the same.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

/// The seconds as of which bodies were signed.
#[derive(Debug, Default)]
pub struct SignedSeconds {
    hasher: RandomState,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// By a body's hash: two bodies that share one cost each other a second, and nothing else.
    seconds: HashMap<u64, Vec<u64>>,
    /// When those were last forgotten that nobody can take any more.
    tidied_at: u64,
}

/// How far back a free second is looked for: well within what any receiver takes for fresh.
const FARTHEST: u64 = 30;

impl SignedSeconds {
    /// The latest second up to `now`, in Unix seconds, as of which these bytes were not signed yet;
    /// `now` itself where the last half minute is used up.
    pub fn take(&self, body: &[u8], now: u64) -> u64 {
        let key = self.hasher.hash_one(body);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.tidied_at < now {
            taken.tidied_at = now;
            let too_old = now.saturating_sub(FARTHEST);
            taken.seconds.retain(|_, seconds| {
                seconds.retain(|second| *second >= too_old);
                !seconds.is_empty()
            });
        }
        let seconds = taken.seconds.entry(key).or_default();
        let earliest = now.saturating_sub(FARTHEST);
        let free = (earliest..=now)
            .rev()
            .find(|second| !seconds.contains(second));
        seconds.extend(free);
        free.unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_725_548_450;

    #[test]
    fn no_second_is_taken_twice_by_one_body() {
        let seconds = SignedSeconds::default();
        assert_eq!(seconds.take(b"one", NOW), NOW);
        assert_eq!(seconds.take(b"other", NOW), NOW);
        assert_eq!(seconds.take(b"one", NOW), NOW - 1);
        assert_eq!(seconds.take(b"one", NOW + 1), NOW + 1);
        assert_eq!(seconds.take(b"one", NOW + 1), NOW - 2);
    }

    #[test]
    fn what_is_used_up_is_now_and_what_is_long_over_is_forgotten() {
        let seconds = SignedSeconds::default();
        let mut seen: Vec<u64> = (0..=FARTHEST).map(|_| seconds.take(b"one", NOW)).collect();
        assert_eq!(seen.last(), Some(&(NOW - FARTHEST)));
        seen.dedup();
        assert_eq!(seen.len(), 31);
        assert_eq!(seconds.take(b"one", NOW), NOW);
        let later = NOW + 2 * FARTHEST;
        assert_eq!(seconds.take(b"other", later), later);
        let taken = seconds.taken.lock().expect("no panic");
        assert_eq!(taken.seconds.len(), 1);
    }
}
