//! The severity of a check.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How serious it is if a check fails.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Level {
    /// Required by the source document, or necessary so that no item is lost or granted twice. A
    /// failed check is a failure.
    #[default]
    Must,
    /// Good practice that Aghanim's own template does not follow. A failed check is a warning, or a
    /// failure with `--strict`.
    Should,
}
