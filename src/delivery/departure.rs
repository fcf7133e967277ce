//! Knows when the bytes of a request have left.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::wire::{Mark, Meter};

/// When all that a body has to hand out was handed out, and has been written to the connection.
#[derive(Debug, Default)]
pub(super) struct Departure(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// All that has to be reached, once everything was handed out.
    handed_out: Option<(Arc<Meter>, Vec<Mark>)>,
    waiting: Option<Waker>,
}

impl Departure {
    /// Everything was handed out, and has left once `meter` has reached all `marks`.
    pub(super) fn handed_out(&self, meter: &Arc<Meter>, marks: Vec<Mark>) {
        let mut state = self.state();
        state.handed_out = Some((Arc::clone(meter), marks));
        if let Some(waker) = state.waiting.take() {
            drop(state);
            waker.wake();
        }
    }

    /// Waits until everything has left. One caller at a time is woken.
    pub(super) async fn left(&self) {
        poll_fn(|context| self.poll_left(context)).await;
    }

    fn poll_left(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        let Some((meter, marks)) = &state.handed_out else {
            state.waiting = Some(context.waker().clone());
            return Poll::Pending;
        };
        let reached = |mark: &Mark| meter.poll_reached(*mark, context).is_ready();
        if marks.iter().all(reached) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
