//! Delays the retry of a delivery until other deliveries are done.

use tokio::sync::oneshot;

/// Where a delivery waits after its first attempt.
#[derive(Debug)]
pub(crate) struct RetryBarrier(oneshot::Sender<oneshot::Sender<()>>);

impl RetryBarrier {
    /// Creates a barrier. The receiver gets a sender once the first attempt has ended, or an error if
    /// the delivery was dropped earlier; dropping the sender, or the receiver, releases the retry.
    pub(crate) fn new() -> (Self, oneshot::Receiver<oneshot::Sender<()>>) {
        let (reached, release) = oneshot::channel();
        (Self(reached), release)
    }

    pub(crate) async fn wait(self) {
        let (release, released) = oneshot::channel();
        if self.0.send(release).is_ok() {
            let _ = released.await;
        }
    }
}
