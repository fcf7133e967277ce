//! The receiver's clock, replaceable in tests.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the current time in Unix seconds.
pub(crate) type UnixClock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The system clock. Times before 1970 read as 0.
pub fn system_clock() -> UnixClock {
    Arc::new(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    })
}
