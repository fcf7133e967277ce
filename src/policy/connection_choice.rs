//! Whether a delivery reuses a connection.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which connection a request uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionChoice {
    /// The connection of the previous request if it is still open; otherwise a new one.
    #[default]
    Reuse,
    /// A new connection, for this request only.
    New,
}
