//! What an exploration tried, at the end of its run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an exploration tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Explored {
    /// The seed from which the cases were drawn.
    pub seed: u64,
    /// The number of cases.
    pub cases: u64,
    /// The number of attempts to deliver an event, including those of shrinking.
    pub deliveries: u64,
    /// The number of failing cases that are like one of the failures.
    pub alike: u64,
    /// The kinds of events and steps.
    pub kinds: Vec<ExploredKind>,
    /// The pairs of kinds in neighbouring steps.
    pub pairs: Vec<ExploredPair>,
}

/// A kind of event or step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExploredKind {
    /// Its name.
    pub kind: String,
    /// What it is.
    pub about: String,
    /// The number of cases that have it.
    pub cases: u64,
}

/// Two kinds in neighbouring steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExploredPair {
    /// The kind in the first step.
    pub first: String,
    /// The kind in the next step.
    pub then: String,
    /// The number of cases that have both.
    pub cases: u64,
}
