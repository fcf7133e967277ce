//! Tracks the idempotency keys that are being processed, for receivers that refuse a concurrent
//! delivery with the same key instead of letting it wait.

use std::collections::HashSet;
use std::sync::Mutex;

use super::lock;

/// The keys that are being processed.
#[derive(Debug, Default)]
pub(super) struct KeysInProgress(Mutex<HashSet<String>>);

/// Marks a key as being processed until dropped.
pub(super) struct KeyInProgress<'keys> {
    keys: &'keys KeysInProgress,
    key: String,
}

impl KeysInProgress {
    /// Marks a key as being processed. `None` if it already is.
    pub(super) fn begin(&self, key: String) -> Option<KeyInProgress<'_>> {
        let is_new = lock(&self.0).insert(key.clone());
        is_new.then(|| KeyInProgress { keys: self, key })
    }
}

impl Drop for KeyInProgress<'_> {
    fn drop(&mut self) {
        lock(&self.keys.0).remove(&self.key);
    }
}
