//! Reads the real clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// The current time in Unix seconds; 0 if the clock is set before 1970.
pub(super) fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
