//! Whether the machine let the sender down: times at which a thread that only sleeps woke far too
//! late. What was measured then says as much of this machine as of the receiver.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time_text::time_text;

/// How often the thread looks.
const EVERY: Duration = Duration::from_millis(5);
/// From how late on a wake-up is a stall.
const TOO_LATE: Duration = Duration::from_millis(10);

/// The machine's stalls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stalls {
    /// How many there were.
    pub count: u64,
    /// The longest, in microseconds.
    pub longest_us: u64,
}

/// How often the machine stood still, and for how long.
impl fmt::Display for Stalls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = time_text(Duration::from_micros(self.longest_us));
        match self.count {
            1 => write!(out, "stood still once, for {longest}"),
            count => write!(out, "stood still {count} times, for up to {longest}"),
        }
    }
}

impl Stalls {
    /// Watches until `over` is set.
    pub(super) fn watch(over: &AtomicBool) -> Self {
        let mut stalls = Self::default();
        while !over.load(Ordering::Relaxed) {
            let before = Instant::now();
            std::thread::sleep(EVERY);
            stalls.saw(before.elapsed().saturating_sub(EVERY));
        }
        stalls
    }

    fn saw(&mut self, late: Duration) {
        if late >= TOO_LATE {
            self.count += 1;
            let late = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
            self.longest_us = self.longest_us.max(late);
        }
    }

    /// Adds those of another machine.
    pub fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.longest_us = self.longest_us.max(other.longest_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_far_too_late_is_a_stall() {
        let mut stalls = Stalls::default();
        for late in [0, 9, 10, 25, 12] {
            stalls.saw(Duration::from_millis(late));
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
