//! A crash at a fixed point: the effect of `kill -9`, without depending on timing.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the new deliveries that reach this point and aborts the process at the n-th one.
#[derive(Debug)]
pub(super) struct CrashPoint {
    /// How many deliveries remain, including the one that crashes.
    remaining: Option<AtomicU64>,
}

impl CrashPoint {
    /// Crashes at the n-th delivery, or never if `after` is `None`.
    pub(super) fn new(after: Option<NonZeroU64>) -> Self {
        Self {
            remaining: after.map(|number| AtomicU64::new(number.get())),
        }
    }

    /// Called for each new delivery before its response: between its two transactions if it needs
    /// two, otherwise after its only one.
    pub(super) fn pass(&self) {
        if let Some(remaining) = &self.remaining
            && remaining.fetch_sub(1, Ordering::Relaxed) == 1
        {
            // Unlike an exit, an abort flushes and closes nothing.
            std::process::abort();
        }
    }
}
