//! Whether a retry keeps the event's ID.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a retry keeps the event's ID. The idempotency key always stays the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventIdOnRetry {
    /// Every attempt has the same event ID and the same body.
    #[default]
    Keep,
    /// Every retry has a new event ID.
    Fresh,
}
