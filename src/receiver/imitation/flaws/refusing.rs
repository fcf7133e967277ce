//! Flaws in what is remembered of an attempt that was refused.

use crate::receiver::response::ReceiverResponse;

use super::{Flaw, Flaws, lock};

impl Flaws {
    /// The response to an earlier attempt with this key that was refused.
    pub(crate) fn remembered_refusal(&self, key: &str) -> Option<ReceiverResponse> {
        lock(&self.refusals).get(key).cloned()
    }

    /// Keeps the response to an attempt that was refused.
    pub(crate) fn remember_refusal(&self, key: String, response: &ReceiverResponse) {
        if self.has(Flaw::RefusalRemembered) && !response.status.is_success() {
            lock(&self.refusals).insert(key, response.clone());
        }
    }
}
