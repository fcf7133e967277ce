//! A crash at a moment that is settled beforehand: the receiver's answer to `kill -9`, without
//! its dependence on timing.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the new deliveries that get to the point, and ends the process at one of them.
#[derive(Debug)]
pub(super) struct CrashPoint {
    /// How many are still to come, with the one that crashes; 0 where none is to.
    remaining: Option<AtomicU64>,
}

impl CrashPoint {
    /// A crash at the n-th passage; none where there is no number.
    pub(super) fn new(after: Option<NonZeroU64>) -> Self {
        Self {
            remaining: after.map(|number| AtomicU64::new(number.get())),
        }
    }

    /// A new delivery is at the point: between its two transactions where it takes two, after the
    /// one that it takes otherwise, and before its answer in any case.
    pub(super) fn pass(&self) {
        if let Some(remaining) = &self.remaining
            && remaining.fetch_sub(1, Ordering::Relaxed) == 1
        {
            // Not an exit: nothing is to be flushed, closed or answered.
            std::process::abort();
        }
    }
}
