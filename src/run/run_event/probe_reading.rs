//! What probes read before and after the steps of a scenario.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A probe's number before and after the steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeReading {
    /// The probe.
    pub probe: String,
    /// The player.
    pub player_id: String,
    /// The SKU.
    pub sku: String,
    /// The number before the first step.
    pub before: i128,
    /// The number after the last step.
    pub after: i128,
}

/// A probe's text before and after the steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextReading {
    /// The probe.
    pub probe: String,
    /// The player.
    pub player_id: String,
    /// The SKU.
    pub sku: String,
    /// The text before the first step; null if it could not be read, for example because the game did
    /// not have it yet.
    pub before: Option<String>,
    /// The text after the last step.
    pub after: String,
}
