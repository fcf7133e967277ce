//! Holds simultaneous requests until only their last bytes are missing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// One participant's handle to a barrier.
///
/// The request is written up to the last byte of its body, then waits until every other participant
/// has come as far or has failed. Then all last bytes are sent together. On HTTP/2, a flow-control
/// window may hold back more than the last byte. A request without a body waits before its head.
///
/// If the handle is dropped or its request fails, the others no longer wait for it.
#[derive(Debug)]
pub struct LastByteBarrier {
    shared: Arc<BarrierShared>,
    arrived_at: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct BarrierShared {
    state: Mutex<BarrierState>,
}

#[derive(Debug)]
struct BarrierState {
    /// How many participants have neither arrived nor left.
    pending: usize,
    opened_at: Option<Instant>,
    waiting: Vec<Waker>,
}

impl LastByteBarrier {
    /// Creates a barrier and returns one handle for each participant.
    pub fn for_participants(participants: usize) -> Vec<Self> {
        let state = BarrierState {
            pending: participants,
            opened_at: None,
            waiting: Vec::new(),
        };
        let shared = Arc::new(BarrierShared {
            state: Mutex::new(state),
        });
        let handle = || Self {
            shared: Arc::clone(&shared),
            arrived_at: Mutex::new(None),
        };
        (0..participants).map(|_| handle()).collect()
    }

    /// Counts this participant as arrived, and waits for the others.
    pub(crate) fn poll_open(&self, context: &mut Context<'_>) -> Poll<()> {
        self.arrive();
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

    /// Stops the others from waiting for this participant. No effect if it has arrived.
    pub(crate) fn leave(&self) {
        self.arrive();
    }

    /// Whether the last bytes may be sent.
    pub(crate) fn is_open(&self) -> bool {
        self.shared.state().opened_at.is_some()
    }

    /// How long this participant has waited so far.
    pub(crate) fn wait_time(&self) -> Duration {
        let opened_at = self.shared.state().opened_at;
        let Some(arrived_at) = *lock(&self.arrived_at) else {
            return Duration::ZERO;
        };
        let until = opened_at.unwrap_or_else(Instant::now);
        until.saturating_duration_since(arrived_at)
    }

    fn arrive(&self) {
        let mut arrived_at = lock(&self.arrived_at);
        if arrived_at.is_some() {
            return;
        }
        let now = Instant::now();
        *arrived_at = Some(now);
        drop(arrived_at);
        let mut state = self.shared.state();
        state.pending = state.pending.saturating_sub(1);
        if state.pending == 0 {
            state.opened_at = Some(now);
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}

impl Drop for LastByteBarrier {
    fn drop(&mut self) {
        self.leave();
    }
}

impl BarrierShared {
    fn state(&self) -> MutexGuard<'_, BarrierState> {
        lock(&self.state)
    }
}

/// Locks the mutex even if it is poisoned, since these values are always consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_open(barrier: &LastByteBarrier) -> bool {
        barrier
            .poll_open(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    #[test]
    fn opens_when_the_last_participant_arrives() {
        let barriers = LastByteBarrier::for_participants(3);
        assert!(!is_open(&barriers[0]) && !is_open(&barriers[0]) && !is_open(&barriers[1]));
        assert!(is_open(&barriers[2]) && is_open(&barriers[0]) && is_open(&barriers[1]));
    }

    #[test]
    fn a_participant_that_leaves_releases_the_others() {
        let mut barriers = LastByteBarrier::for_participants(3);
        assert!(!is_open(&barriers[0]));
        barriers[1].leave();
        barriers[1].leave();
        assert!(!is_open(&barriers[0]));
        drop(barriers.pop());
        assert!(is_open(&barriers[0]));
    }

    #[test]
    fn a_single_participant_does_not_wait() {
        assert!(LastByteBarrier::for_participants(0).is_empty());
        assert!(is_open(&LastByteBarrier::for_participants(1)[0]));
    }
}
