//! Claims of keys that end after a time, however long the work on the event takes.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::protocol::Event;
use crate::receiver::imitation::event_items::any_nested;
use crate::receiver::imitation::lock;

/// How long a claim lasts.
const LIFETIME: Duration = Duration::from_millis(100);
/// How often a request looks whether the claim of another has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long it takes to write a part of a bundle.
const WORK_PER_PART: Duration = Duration::from_millis(2);

/// When the claim of each key ends.
#[derive(Default)]
pub(super) struct KeyClaims(Mutex<HashMap<String, Instant>>);

impl KeyClaims {
    /// Claims a key, as soon as nobody else has it.
    pub(super) async fn claim(&self, key: &str) {
        while !self.try_claim(key) {
            sleep(LOOK_EVERY).await;
        }
    }

    pub(super) fn release(&self, key: &str) {
        lock(&self.0).remove(key);
    }

    fn try_claim(&self, key: &str) -> bool {
        let mut claims = lock(&self.0);
        let now = Instant::now();
        let is_free = claims.get(key).is_none_or(|end| *end <= now);
        if is_free {
            claims.insert(key.to_owned(), now + LIFETIME);
        }
        is_free
    }
}

/// How long it takes to write what the event grants.
pub(super) fn work_on(event: &Event) -> Duration {
    let parts = Cell::new(1);
    for item in event.event_data.granted_items() {
        any_nested(&item.nested_items, &|_| {
            parts.set(parts.get() + 1);
            false
        });
    }
    WORK_PER_PART * parts.get()
}
