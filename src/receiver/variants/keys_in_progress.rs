//! Tracks the idempotency keys that are being processed, for receivers that refuse a concurrent
//! delivery with the same key instead of letting it wait.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;

use crate::receiver::control::RequestOutcome;
use crate::receiver::received_request::Decision;
use crate::receiver::refusal::Refusal;

use super::{Variant, Variants};

/// How long processing a first delivery takes.
const WORK: Duration = Duration::from_millis(300);

/// The keys that are being processed.
#[derive(Debug)]
pub(in crate::receiver) struct KeysInProgress {
    /// The status for a concurrent delivery with the same key; `None` lets it wait.
    refusal_status: Option<StatusCode>,
    keys: Arc<Mutex<HashSet<String>>>,
}

/// Marks a key as being processed until dropped.
#[derive(Debug)]
pub(in crate::receiver) struct KeyInProgress {
    key: String,
    keys: Arc<Mutex<HashSet<String>>>,
}

impl KeysInProgress {
    pub(in crate::receiver) fn new(variants: &Variants) -> Self {
        let refusal_status = if variants.has(Variant::InProgress409) {
            Some(StatusCode::CONFLICT)
        } else if variants.has(Variant::InProgress503) {
            Some(StatusCode::SERVICE_UNAVAILABLE)
        } else {
            None
        };
        Self {
            refusal_status,
            keys: Arc::default(),
        }
    }

    /// Marks a key as being processed, or refuses if it already is.
    pub(in crate::receiver) fn begin(
        &self,
        key: impl FnOnce() -> String,
    ) -> Result<Option<KeyInProgress>, Refusal> {
        let Some(status) = self.refusal_status else {
            return Ok(None);
        };
        let key = key();
        if !locked(&self.keys).insert(key.clone()) {
            return Err(Refusal::InProgress { status });
        }
        Ok(Some(KeyInProgress {
            key,
            keys: Arc::clone(&self.keys),
        }))
    }
}

impl KeyInProgress {
    /// Finishes the processing, which takes a while unless the delivery is a redelivery.
    pub(in crate::receiver) async fn finish(self, outcome: &RequestOutcome) {
        if !matches!(outcome.decision, Decision::Redelivery { .. }) {
            tokio::time::sleep(WORK).await;
        }
    }
}

impl Drop for KeyInProgress {
    fn drop(&mut self) {
        locked(&self.keys).remove(&self.key);
    }
}

fn locked(keys: &Mutex<HashSet<String>>) -> MutexGuard<'_, HashSet<String>> {
    keys.lock().unwrap_or_else(PoisonError::into_inner)
}
