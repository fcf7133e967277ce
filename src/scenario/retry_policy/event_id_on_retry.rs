//! What becomes of the event's ID in a retry, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of the event's ID in a retry. The idempotency key stays in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventIdOnRetry {
    /// Every attempt has the same event ID, and the same bytes.
    #[default]
    Keep,
    /// Every retry has an event ID of its own.
    Fresh,
}
