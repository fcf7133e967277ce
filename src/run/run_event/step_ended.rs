//! A step and its deliveries, with the checks of their expectations.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::Outcome;
use crate::verify::Check;

/// A step and the checks of its expectations.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StepEnded {
    /// The scenario's number.
    pub scenario: usize,
    /// The step's number in the scenario, from 1; 0 for the hook `before_scenario`.
    pub step: usize,
    /// A short description of the step.
    pub description: String,
    /// Whether its deliveries were made at the same time.
    pub together: bool,
    /// Its deliveries; one entry for a request, none for a pause, a script or a restart.
    pub deliveries: Vec<DeliveryEnded>,
    /// Why the step could not run, if it could not.
    pub not_made: Option<Check>,
    /// The responses that the step scripted, if it is a `script` step.
    pub script: Option<ScriptedResponses>,
    /// Whether the step restarted the receiver.
    #[serde(default)]
    pub restarted: bool,
    /// The hooks of the profile's `hooks` that the step ran; omitted if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookRun>,
}

/// A hook that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HookRun {
    /// Its name in the profile.
    pub name: String,
    /// The values of its placeholders, by their names.
    pub values: BTreeMap<String, String>,
}

/// The scripted responses of the receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScriptedResponses {
    /// The player whose next deliveries get these responses.
    pub player_id: String,
    /// The statuses of the responses, in order.
    pub answers: Vec<u16>,
}

/// A delivery, or another request, and the checks of its expectations.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryEnded {
    /// The delivery's number in the step, from 1.
    pub delivery: usize,
    /// The event's name; null for a request that is not a delivery.
    pub event_name: Option<String>,
    /// How it ended; null for a request that is not a delivery.
    pub outcome: Option<Outcome>,
    /// The number of attempts.
    pub attempts: u32,
    /// The checks of the expectations.
    pub checks: Vec<Check>,
}
