//! Detects stalls of the sending machine: times when a thread that only sleeps woke up far too late.
//! Measurements from a stall say as much about this machine as about the receiver.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::latency_histograms::time_text;

const SLEEP: Duration = Duration::from_millis(5);
/// How late a wake-up must be to count as a stall.
const STALL_FROM: Duration = Duration::from_millis(10);

/// The stalls of the sending machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stalls {
    /// The number of stalls.
    pub count: u64,
    /// The longest stall, in microseconds.
    pub longest_us: u64,
}

impl fmt::Display for Stalls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = time_text(Duration::from_micros(self.longest_us));
        match self.count {
            1 => write!(out, "stalled once, for {longest}"),
            count => write!(out, "stalled {count} times, for up to {longest}"),
        }
    }
}

impl Stalls {
    pub(super) fn watch(over: &AtomicBool) -> Self {
        let mut stalls = Self::default();
        while !over.load(Ordering::Relaxed) {
            let before = Instant::now();
            std::thread::sleep(SLEEP);
            stalls.record_wake_up(before.elapsed().saturating_sub(SLEEP));
        }
        stalls
    }

    fn record_wake_up(&mut self, late: Duration) {
        if late >= STALL_FROM {
            self.count += 1;
            let late = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
            self.longest_us = self.longest_us.max(late);
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.longest_us = self.longest_us.max(other.longest_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_delay_is_a_stall() {
        let mut stalls = Stalls::default();
        for late in [0, 9, 10, 25, 12] {
            stalls.record_wake_up(Duration::from_millis(late));
        }
        let expected = Stalls {
            count: 3,
            longest_us: 25_000,
        };
        assert_eq!(stalls, expected);
        stalls.add(&expected);
        assert_eq!((stalls.count, stalls.longest_us), (6, 25_000));
    }
}
