//! Deliveries of one key at the same time, and senders that don't wait: who is at work on which key,
//! and for whom.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;

use crate::receiver::refusal::Refusal;

use super::{Flaw, lock};

/// How long a game's own work on a delivery takes where a flaw needs it to take any: a call of
/// another service, long enough for a retry to come meanwhile.
pub(super) const WORK: Duration = Duration::from_millis(250);

/// The keys that are worked on.
#[derive(Debug, Default)]
pub(super) struct KeysInWork(Mutex<HashSet<String>>);

/// A delivery at work on its key, until this is dropped.
pub(in crate::receiver) struct Turn<'keys> {
    keys: &'keys KeysInWork,
    key: String,
}

impl KeysInWork {
    /// Begins the work on a key, which takes its time, or refuses because another is at it.
    pub(super) async fn begin(&self, key: &str) -> Result<Turn<'_>, Refusal> {
        if !lock(&self.0).insert(key.to_owned()) {
            return Err(Refusal::OnPurpose {
                flaw: Flaw::OverlapRefused,
                status: StatusCode::CONFLICT,
            });
        }
        let turn = Turn {
            keys: self,
            key: key.to_owned(),
        };
        tokio::time::sleep(WORK).await;
        Ok(turn)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.keys.0).remove(&self.key);
    }
}

tokio::task_local! {
    static SENDER_IS_GONE: Arc<AtomicBool>;
}

/// Held for as long as a sender waits for its answer: when this is dropped, it has hung up, or the
/// work is done.
#[derive(Debug, Default)]
pub(in crate::receiver) struct SenderWaits(Arc<AtomicBool>);

impl SenderWaits {
    /// The work, which can ask whether the sender still waits.
    pub(in crate::receiver) fn knowing<F: Future>(
        &self,
        work: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        SENDER_IS_GONE.scope(Arc::clone(&self.0), work)
    }
}

impl Drop for SenderWaits {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whether the sender has hung up; never where nobody looks at that.
pub(super) fn sender_is_gone() -> bool {
    SENDER_IS_GONE
        .try_with(|gone| gone.load(Ordering::Relaxed))
        .unwrap_or(false)
}

/// One lock a key: deliveries of one key take turns, and others don't wait for them.
#[derive(Debug, Default)]
pub(in crate::receiver) struct LockOfKey(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl LockOfKey {
    /// The lock of this key.
    pub(super) fn of(&self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(lock(&self.0).entry(key.to_owned()).or_default())
    }
}
