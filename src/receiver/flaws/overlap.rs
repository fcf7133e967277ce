//! State for flaws that concern concurrent deliveries with the same key and senders that hang up.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;

use crate::receiver::refusal::Refusal;

use super::{Flaw, lock};

/// How long the game's own work on a delivery takes if a flaw depends on it. It stands in for a
/// call of another service and is long enough for a retry to arrive meanwhile.
pub(super) const WORK: Duration = Duration::from_millis(250);

/// The keys that are being processed.
#[derive(Debug, Default)]
pub(super) struct BusyKeys(Mutex<HashSet<String>>);

/// Marks a key as being processed until dropped.
pub(in crate::receiver) struct BusyKey<'keys> {
    keys: &'keys BusyKeys,
    key: String,
}

impl BusyKeys {
    /// Marks the key and does the game's work, or refuses if the key is already being processed.
    pub(super) async fn begin(&self, key: &str) -> Result<BusyKey<'_>, Refusal> {
        if !lock(&self.0).insert(key.to_owned()) {
            return Err(Refusal::CausedByFlaw {
                flaw: Flaw::OverlapRefused,
                status: StatusCode::CONFLICT,
            });
        }
        let busy_key = BusyKey {
            keys: self,
            key: key.to_owned(),
        };
        tokio::time::sleep(WORK).await;
        Ok(busy_key)
    }
}

impl Drop for BusyKey<'_> {
    fn drop(&mut self) {
        lock(&self.keys.0).remove(&self.key);
    }
}

tokio::task_local! {
    static SENDER_IS_GONE: Arc<AtomicBool>;
}

/// Dropped when the sender hangs up or the processing is finished.
#[derive(Debug, Default)]
pub(in crate::receiver) struct HangupGuard(Arc<AtomicBool>);

impl HangupGuard {
    /// Runs `work`, which can then call [`sender_is_gone`].
    pub(in crate::receiver) fn watch<F: Future>(
        &self,
        work: F,
    ) -> impl Future<Output = F::Output> + use<F> {
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

/// One lock per key: deliveries with the same key run one after the other.
#[derive(Debug, Default)]
pub(in crate::receiver) struct KeyLocks(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl KeyLocks {
    /// The lock of this key.
    pub(super) fn get(&self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(lock(&self.0).entry(key.to_owned()).or_default())
    }
}
