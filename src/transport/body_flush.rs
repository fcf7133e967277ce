//! Waits until the bytes of a request have been flushed to the connection.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::io_meter::{FlushPoint, IoMeter};

/// Completes once all of a body has been handed to the connection and flushed.
#[derive(Debug, Default)]
pub(crate) struct BodyFlush(Mutex<BodyFlushState>);

#[derive(Debug, Default)]
struct BodyFlushState {
    /// The points that the meter must reach. Set once everything has been handed out.
    handed_out: Option<(Arc<IoMeter>, Vec<FlushPoint>)>,
    waiting: Option<Waker>,
}

impl BodyFlush {
    /// Records that everything has been handed out. It is flushed once `meter` has reached all
    /// `points`.
    pub(crate) fn handed_out(&self, meter: &Arc<IoMeter>, points: Vec<FlushPoint>) {
        let mut state = self.state();
        state.handed_out = Some((Arc::clone(meter), points));
        if let Some(waker) = state.waiting.take() {
            drop(state);
            waker.wake();
        }
    }

    /// Waits until everything has been flushed. Only the latest caller is woken.
    pub(crate) async fn flushed(&self) {
        poll_fn(|context| self.poll_flushed(context)).await;
    }

    fn poll_flushed(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        let Some((meter, points)) = &state.handed_out else {
            state.waiting = Some(context.waker().clone());
            return Poll::Pending;
        };
        let reached = |point: &FlushPoint| meter.poll_reached(*point, context).is_ready();
        if points.iter().all(reached) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn state(&self) -> MutexGuard<'_, BodyFlushState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
