//! Which signatures have done their work, for receivers that take none of them twice.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::receiver::control::Handled;
use crate::receiver::refusal::Refusal;

use super::{Variant, Variants};

/// The signatures of what was granted, or passed over on purpose. One whose delivery failed is not
/// among them: it may come again.
#[derive(Debug)]
pub(in crate::receiver) struct Replays(Option<Mutex<HashSet<String>>>);

impl Replays {
    pub(in crate::receiver) fn of(variants: &Variants) -> Self {
        let remembers = variants.has(Variant::GrantedSignatureRefused);
        Self(remembers.then(Mutex::default))
    }

    /// Refuses what has done its work already.
    pub(in crate::receiver) fn refuse(&self, signature: &str) -> Result<(), Refusal> {
        match &self.0 {
            Some(done) if locked(done).contains(signature) => Err(Refusal::Replayed),
            _ => Ok(()),
        }
    }

    /// Remembers a signature whose delivery succeeded.
    pub(in crate::receiver) fn keep_in_mind(&self, handled: &Handled, signature: &str) {
        if let Some(done) = &self.0
            && handled.answer.status.is_success()
        {
            locked(done).insert(signature.to_owned());
        }
    }
}

fn locked(done: &Mutex<HashSet<String>>) -> MutexGuard<'_, HashSet<String>> {
    done.lock().unwrap_or_else(PoisonError::into_inner)
}
