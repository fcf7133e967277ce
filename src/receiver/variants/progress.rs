//! Which idempotency keys are worked on at the moment, for receivers that let no second delivery
//! of a key wait for the first.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;

use crate::receiver::control::Handled;
use crate::receiver::refusal::Refusal;
use crate::receiver::request_record::Decision;

use super::{Variant, Variants};

/// How long a first delivery is worked on.
const WORK: Duration = Duration::from_millis(300);

/// The keys that are worked on, and what others of the same key are answered.
#[derive(Debug)]
pub(in crate::receiver) struct InProgress {
    answer: Option<StatusCode>,
    keys: Arc<Mutex<HashSet<String>>>,
}

/// A delivery that is worked on for as long as this is there.
#[derive(Debug)]
pub(in crate::receiver) struct UnderWay {
    key: String,
    keys: Arc<Mutex<HashSet<String>>>,
}

impl InProgress {
    pub(in crate::receiver) fn of(variants: &Variants) -> Self {
        let answer = if variants.has(Variant::InProgress409) {
            Some(StatusCode::CONFLICT)
        } else if variants.has(Variant::InProgress503) {
            Some(StatusCode::SERVICE_UNAVAILABLE)
        } else {
            None
        };
        Self {
            answer,
            keys: Arc::default(),
        }
    }

    /// Begins to work on a key, or refuses since another delivery of it is worked on.
    pub(in crate::receiver) fn begin(
        &self,
        key: impl FnOnce() -> String,
    ) -> Result<Option<UnderWay>, Refusal> {
        let Some(status) = self.answer else {
            return Ok(None);
        };
        let key = key();
        if !locked(&self.keys).insert(key.clone()) {
            return Err(Refusal::InProgress { status });
        }
        Ok(Some(UnderWay {
            key,
            keys: Arc::clone(&self.keys),
        }))
    }
}

impl UnderWay {
    /// Ends the work, which takes its time where something is new.
    pub(in crate::receiver) async fn end(self, handled: &Handled) {
        if !matches!(handled.decision, Decision::Redelivery { .. }) {
            tokio::time::sleep(WORK).await;
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        locked(&self.keys).remove(&self.key);
    }
}

fn locked(keys: &Mutex<HashSet<String>>) -> MutexGuard<'_, HashSet<String>> {
    keys.lock().unwrap_or_else(PoisonError::into_inner)
}
