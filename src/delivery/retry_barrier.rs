//! Delays the retry of a delivery until other deliveries are done.

use tokio::sync::oneshot;

/// The delivery's side, which waits after the first attempt.
#[derive(Debug)]
pub struct RetryBarrier {
    reached: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

/// The other side, which is notified when the first attempt has ended, and then releases the retry.
#[derive(Debug)]
pub struct RetryBarrierHandle {
    reached: oneshot::Receiver<()>,
    released: oneshot::Sender<()>,
}

impl RetryBarrier {
    /// Creates both sides.
    pub fn new() -> (Self, RetryBarrierHandle) {
        let (reached_sender, reached) = oneshot::channel();
        let (released_sender, released) = oneshot::channel();
        let barrier = Self {
            reached: reached_sender,
            released,
        };
        let handle = RetryBarrierHandle {
            reached,
            released: released_sender,
        };
        (barrier, handle)
    }

    /// Waits until the handle releases the retry or is dropped.
    pub(crate) async fn wait(self) {
        let _ = self.reached.send(());
        let _ = self.released.await;
    }
}

impl RetryBarrierHandle {
    /// Waits until the first attempt has ended or the delivery is dropped.
    pub async fn reached(&mut self) {
        let _ = (&mut self.reached).await;
    }

    /// Releases the retry.
    pub fn release(self) {
        let _ = self.released.send(());
    }
}
