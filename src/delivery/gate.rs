//! Holds simultaneous requests back until all of them are one byte from complete.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// One participant's place at a gate.
///
/// A request with a place is written but for the last byte of its body (on HTTP/1.1; on HTTP/2 a
/// flow-control window can hold back more), then waits until every other participant has got as
/// far, or has failed. Then all last bytes leave together. A request without a body waits before
/// its head.
///
/// A place that is dropped, or whose request fails, no longer keeps the others waiting.
#[derive(Debug)]
pub struct Gate {
    shared: Arc<Shared>,
    arrived_at: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How many places have neither arrived nor been given up.
    awaited: usize,
    opened_at: Option<Instant>,
    waiting: Vec<Waker>,
}

impl Gate {
    /// A gate for so many participants: one place for each.
    pub fn for_participants(participants: usize) -> Vec<Self> {
        let state = State {
            awaited: participants,
            opened_at: None,
            waiting: Vec::new(),
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
        });
        let place = || Self {
            shared: Arc::clone(&shared),
            arrived_at: Mutex::new(None),
        };
        (0..participants).map(|_| place()).collect()
    }

    /// Counts this place as arrived, at the first call, and waits for the others.
    pub(super) fn poll_open(&self, context: &mut Context<'_>) -> Poll<()> {
        self.count_once();
        let mut state = self.shared.state();
        if state.opened_at.is_some() {
            return Poll::Ready(());
        }
        if !state
            .waiting
            .iter()
            .any(|waker| waker.will_wake(context.waker()))
        {
            state.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Keeps nobody waiting any more; without effect once arrived.
    pub(super) fn leave(&self) {
        self.count_once();
    }

    /// Whether the last bytes may leave.
    pub(super) fn is_open(&self) -> bool {
        self.shared.state().opened_at.is_some()
    }

    /// How long this place has been held by now.
    pub(super) fn held(&self) -> Duration {
        let opened_at = self.shared.state().opened_at;
        let Some(arrived_at) = *lock(&self.arrived_at) else {
            return Duration::ZERO;
        };
        let until = opened_at.unwrap_or_else(Instant::now);
        until.saturating_duration_since(arrived_at)
    }

    fn count_once(&self) {
        let mut arrived_at = lock(&self.arrived_at);
        if arrived_at.is_some() {
            return;
        }
        let now = Instant::now();
        *arrived_at = Some(now);
        drop(arrived_at);
        let mut state = self.shared.state();
        state.awaited = state.awaited.saturating_sub(1);
        if state.awaited == 0 {
            state.opened_at = Some(now);
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// The lock, even after a panic elsewhere: every state of these values is sound.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_open(place: &Gate) -> bool {
        place
            .poll_open(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    #[test]
    fn opens_when_the_last_has_arrived() {
        let places = Gate::for_participants(3);
        assert!(!is_open(&places[0]) && !is_open(&places[0]) && !is_open(&places[1]));
        assert!(is_open(&places[2]) && is_open(&places[0]) && is_open(&places[1]));
    }

    #[test]
    fn a_place_that_is_given_up_frees_the_rest() {
        let mut places = Gate::for_participants(3);
        assert!(!is_open(&places[0]));
        places[1].leave();
        places[1].leave();
        assert!(!is_open(&places[0]));
        drop(places.pop());
        assert!(is_open(&places[0]));
    }

    #[test]
    fn nobody_waits_alone() {
        assert!(Gate::for_participants(0).is_empty());
        assert!(is_open(&Gate::for_participants(1)[0]));
    }
}
