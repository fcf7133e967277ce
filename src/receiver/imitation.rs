//! What the receiver imitates: bugs of real receivers ([`Flaws`]) and harmless differences between
//! sound receivers ([`Variants`]).

mod event_items;
mod flaws;
mod similar_ids;
mod variants;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;

pub(super) use flaws::{ConnectionMemory, Flaws};
pub(super) use variants::Variants;

/// The first two chosen ones of a list of which at most one can be chosen.
fn conflict<T: Ord + Copy>(chosen: &BTreeSet<T>, conflicts: &[&[T]]) -> Option<(T, T)> {
    conflicts.iter().find_map(|conflicting| {
        let mut both = conflicting.iter().filter(|one| chosen.contains(one));
        Some((*both.next()?, *both.next()?))
    })
}

/// The status of the first chosen one.
fn first_chosen<T: Ord, const N: usize>(
    chosen: &BTreeSet<T>,
    statuses: [(T, StatusCode); N],
) -> Option<StatusCode> {
    let mut statuses = statuses.into_iter();
    statuses.find_map(|(one, status)| chosen.contains(&one).then_some(status))
}

/// One lock for each idempotency key, held while a delivery with this key is processed.
#[derive(Debug, Default)]
struct KeyLocks(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl KeyLocks {
    fn of(&self, key: &str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(lock(&self.0).entry(key.to_owned()).or_default())
    }

    /// Removes a lock, even if somebody holds it or waits for it.
    fn remove(&self, key: &str) {
        lock(&self.0).remove(key);
    }
}

/// Locks even if another thread panicked while holding the lock: every state of these values is
/// valid.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
