//! Lets other deliveries pass between the first attempt of a delivery and its retry.

use tokio::sync::oneshot;

/// The delivery's side: it waits after its first attempt.
#[derive(Debug)]
pub struct Interlude {
    begun: oneshot::Sender<()>,
    over: oneshot::Receiver<()>,
}

/// The other side: it learns when the first attempt has ended, and says when the retry may follow.
#[derive(Debug)]
pub struct InterludeGuide {
    begun: oneshot::Receiver<()>,
    over: oneshot::Sender<()>,
}

impl Interlude {
    /// An interlude that has not begun.
    pub fn new() -> (Self, InterludeGuide) {
        let (tell_begin, hear_begin) = oneshot::channel();
        let (tell_end, hear_end) = oneshot::channel();
        let interlude = Self {
            begun: tell_begin,
            over: hear_end,
        };
        let guide = InterludeGuide {
            begun: hear_begin,
            over: tell_end,
        };
        (interlude, guide)
    }

    /// Begins, and waits for its end; a guide that is dropped ends it too.
    pub(super) async fn pass(self) {
        let _ = self.begun.send(());
        let _ = self.over.await;
    }
}

impl InterludeGuide {
    /// Waits until the first attempt has ended; a delivery that is dropped is waited for no longer.
    pub async fn begins(&mut self) {
        let _ = (&mut self.begun).await;
    }

    /// Lets the delivery go on.
    pub fn ends(self) {
        let _ = self.over.send(());
    }
}
