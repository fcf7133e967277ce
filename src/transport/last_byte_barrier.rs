//! Holds simultaneous requests until only their last bytes are missing.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// One participant's handle to a barrier.
///
/// The request is written up to the last byte of its body, then waits until every other participant
/// has come as far or has failed. Then all last bytes are sent together. On HTTP/2, a flow-control
/// window may hold back more than the last byte. A request without a body waits before its head.
///
/// If all clones of the handle are dropped or its request fails, the others no longer wait for it.
#[derive(Debug, Clone)]
pub(crate) struct LastByteBarrier(Arc<Participant>);

#[derive(Debug)]
struct Participant {
    barrier: Arc<watch::Sender<BarrierState>>,
    arrived_at: OnceLock<Instant>,
}

#[derive(Debug)]
struct BarrierState {
    /// How many participants have neither arrived nor left.
    pending: usize,
    opened_at: Option<Instant>,
}

impl LastByteBarrier {
    pub(crate) fn for_participants(participants: usize) -> Vec<Self> {
        let barrier = Arc::new(watch::Sender::new(BarrierState {
            pending: participants,
            opened_at: None,
        }));
        let handle = |_| {
            Self(Arc::new(Participant {
                barrier: Arc::clone(&barrier),
                arrived_at: OnceLock::new(),
            }))
        };
        (0..participants).map(handle).collect()
    }

    /// Counts this participant as arrived, and waits for the others.
    pub(crate) async fn open(&self) {
        self.0.arrive();
        let mut barrier = self.0.barrier.subscribe();
        // The sender exists as long as this handle.
        let _ = barrier.wait_for(|state| state.opened_at.is_some()).await;
    }

    /// Stops the others from waiting for this participant. No effect if it has arrived.
    pub(crate) fn leave(&self) {
        self.0.arrive();
    }

    pub(crate) fn is_open(&self) -> bool {
        self.0.barrier.borrow().opened_at.is_some()
    }

    pub(crate) fn wait_time(&self) -> Duration {
        let Some(arrived_at) = self.0.arrived_at.get() else {
            return Duration::ZERO;
        };
        let opened_at = self.0.barrier.borrow().opened_at;
        let until = opened_at.unwrap_or_else(Instant::now);
        until.saturating_duration_since(*arrived_at)
    }
}

impl Participant {
    fn arrive(&self) {
        let now = Instant::now();
        if self.arrived_at.set(now).is_err() {
            return;
        }
        // Notifies only when the last one arrives.
        self.barrier.send_if_modified(|state| {
            state.pending = state.pending.saturating_sub(1);
            let opens = state.pending == 0;
            if opens {
                state.opened_at = Some(now);
            }
            opens
        });
    }
}

impl Drop for Participant {
    fn drop(&mut self) {
        self.arrive();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn is_open(barrier: &LastByteBarrier) -> bool {
        barrier.open().now_or_never().is_some()
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
