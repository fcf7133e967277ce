//! How much a check demands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a check demands.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The source document demands it, or items get lost or doubled. What does not hold fails.
    #[default]
    Must,
    /// Good practice that Aghanim's own template does not follow. What does not hold is a
    /// warning, and a failure only with `--strict`.
    Should,
}
