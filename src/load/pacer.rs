//! Releases events when they are due, on a separate thread: its sleep is accurate to the microsecond,
//! unlike the runtime's timers.

use std::time::{Duration, Instant};

use super::shared_state::SharedState;

/// The longest sleep, so that a request to stop is noticed.
const LONGEST_SLEEP: Duration = Duration::from_millis(20);
/// The most events to release at once.
const BATCH: usize = 4096;

/// Releases all events when they are due, then announces that no more follow.
pub(super) fn pace(shared: &SharedState, start: Instant) {
    let timetable = &shared.timetable;
    let total = timetable.own_events().unwrap_or_default();
    let mut index = 0;
    let due = |index: u64| {
        let due = timetable.due(index).filter(|_| index < total)?;
        start.checked_add(due)
    };
    while let Some(next) = due(index) {
        if shared.stop.is_stopped() {
            break;
        }
        let now = Instant::now();
        if next > now {
            std::thread::sleep((next - now).min(LONGEST_SLEEP));
            continue;
        }
        let mut ready = 0;
        while ready < BATCH && due(index).is_some_and(|due| due <= now) {
            ready += 1;
            index += 1;
        }
        shared.release(ready);
    }
    shared.release_no_more(index);
}
