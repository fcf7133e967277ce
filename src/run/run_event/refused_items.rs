//! That the profile lists items which the receiver refuses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The listed items that the receiver refuses in all their deliveries, although it accepts others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefusedItems {
    /// Their SKUs.
    pub skus: Vec<String>,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub help: String,
}
