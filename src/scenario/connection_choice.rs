//! Which connection a delivery takes, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which connection a request takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionChoice {
    /// The one of the request before it, where that still stands; otherwise a new one.
    #[default]
    Reuse,
    /// A new one, for this request alone.
    New,
}
