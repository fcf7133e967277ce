//! The real clock, read only here at the edge of the program.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in Unix seconds; 0 where the clock is set before 1970.
pub(super) fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
