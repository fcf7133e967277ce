//! Lets events leave when they are due: a thread that sleeps to the microsecond, which timers of a
//! runtime do not.

use std::time::{Duration, Instant};

use super::run::Shared;

/// The longest sleep, after which it is seen that the load is to stop.
const LONGEST_SLEEP: Duration = Duration::from_millis(20);
/// How many events are let go at once at most.
const BATCH: usize = 4096;

/// Lets all events go when they are due, then says that no other follows.
pub(super) fn pace(shared: &Shared, start: Instant) {
    let timetable = &shared.timetable;
    let total = timetable.own_events().unwrap_or_default();
    let mut index = 0;
    let due = |index: u64| {
        let due = timetable.due(index).filter(|_| index < total)?;
        start.checked_add(due)
    };
    while let Some(next) = due(index) {
        if !shared.stop.lets_begin() {
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
