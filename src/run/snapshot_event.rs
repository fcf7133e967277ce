//! Events about snapshot reports. [`crate::snapshots`] adds them to the stream of run events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::verify::Check;

/// The comparison of a scenario's snapshot report with the reviewed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotCompared {
    /// The scenario's number.
    pub scenario: usize,
    /// The file of the reviewed report.
    pub file: String,
    /// The result.
    pub outcome: SnapshotOutcome,
    /// What is wrong. Null if the report matches the reviewed one: it then adds no check.
    pub check: Option<Check>,
    /// The difference, as a unified diff.
    pub difference: Option<String>,
}

/// The result of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotOutcome {
    /// The report matches the reviewed one.
    AsReviewed,
    /// The report differs from the reviewed one.
    Differs,
    /// There is no reviewed report.
    Missing,
    /// The report replaced the reviewed one, as requested.
    Written,
    /// The reviewed report could not be read or written.
    Unusable,
    /// The scenario is undecided, so its report was not compared.
    NotCompared,
}

/// The results of all snapshots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotsEnded {
    /// The folder.
    pub folder: String,
    /// The number of reports that match the reviewed ones.
    pub as_reviewed: usize,
    /// The number of reports that differ.
    pub different: usize,
    /// The number of scenarios without a reviewed report.
    pub missing: usize,
    /// The number of reports that replaced reviewed ones.
    pub written: usize,
    /// Files in the folder that belong to no scenario of the run. Empty if an option excluded
    /// scenarios.
    pub unreferenced: Vec<String>,
    /// Whether these files were deleted, as requested.
    pub deleted: bool,
}
