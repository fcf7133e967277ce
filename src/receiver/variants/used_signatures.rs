//! Remembers the signatures of successful deliveries, for receivers that accept each signature only
//! once.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::receiver::control::RequestOutcome;
use crate::receiver::refusal::Refusal;

use super::{Variant, Variants};

/// The signatures of deliveries that were granted or deliberately skipped. The signature of a
/// failed delivery is not included, because it may be sent again.
#[derive(Debug)]
pub(in crate::receiver) struct UsedSignatures(Option<Mutex<HashSet<String>>>);

impl UsedSignatures {
    pub(in crate::receiver) fn new(variants: &Variants) -> Self {
        let remembers = variants.has(Variant::GrantedSignatureRefused);
        Self(remembers.then(Mutex::default))
    }

    /// Refuses a signature whose delivery has succeeded.
    pub(in crate::receiver) fn refuse(&self, signature: &str) -> Result<(), Refusal> {
        match &self.0 {
            Some(done) if locked(done).contains(signature) => Err(Refusal::Replayed),
            _ => Ok(()),
        }
    }

    /// Remembers a signature whose delivery succeeded.
    pub(in crate::receiver) fn remember(&self, outcome: &RequestOutcome, signature: &str) {
        if let Some(done) = &self.0
            && outcome.response.status.is_success()
        {
            locked(done).insert(signature.to_owned());
        }
    }
}

fn locked(done: &Mutex<HashSet<String>>) -> MutexGuard<'_, HashSet<String>> {
    done.lock().unwrap_or_else(PoisonError::into_inner)
}
