//! What is told of snapshot reports. They are compared behind the harness, which makes none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::Check;

/// A scenario's snapshot report and the reviewed one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotCompared {
    /// The scenario's number.
    pub scenario: usize,
    /// The file of the reviewed report.
    pub file: String,
    /// What came of it.
    pub outcome: SnapshotOutcome,
    /// What is wrong, if something is. A snapshot that is as reviewed adds no check.
    pub check: Option<Check>,
    /// What differs, as a unified diff.
    pub difference: Option<String>,
}

/// What came of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotOutcome {
    /// It is as reviewed.
    AsReviewed,
    /// It is another than the reviewed one.
    Differs,
    /// There is no reviewed one.
    Missing,
    /// It was put in the reviewed one's place, as was asked for.
    Written,
    /// It could not be read or written.
    Unusable,
    /// The scenario could not be decided, so its report says nothing.
    NotCompared,
}

/// What came of all snapshots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SnapshotsEnded {
    /// The folder.
    pub folder: String,
    /// How many were as reviewed.
    pub as_reviewed: usize,
    /// How many differ.
    pub different: usize,
    /// How many scenarios had none.
    pub missing: usize,
    /// How many were put in a reviewed one's place.
    pub written: usize,
    /// Files in the folder that no scenario of the run has. Known only where no option left
    /// scenarios out.
    pub unreferenced: Vec<String>,
    /// Whether those were deleted, as was asked for.
    pub deleted: bool,
}
