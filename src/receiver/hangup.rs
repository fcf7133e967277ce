//! Tells the processing of a request that its sender has hung up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

tokio::task_local! {
    static SENDER_IS_GONE: Arc<AtomicBool>;
}

/// Dropped when the sender hangs up or the processing is finished.
#[derive(Debug, Default)]
pub(super) struct HangupGuard(Arc<AtomicBool>);

impl HangupGuard {
    /// Runs `work`, which can then call [`sender_is_gone`].
    pub(super) fn watch<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        SENDER_IS_GONE.scope(Arc::clone(&self.0), work)
    }
}

impl Drop for HangupGuard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whether the sender has hung up. Always `false` outside of [`HangupGuard::watch`].
pub(super) fn sender_is_gone() -> bool {
    SENDER_IS_GONE
        .try_with(|gone| gone.load(Ordering::Relaxed))
        .unwrap_or(false)
}
