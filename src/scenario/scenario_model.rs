//! A scenario: as a file writes it, and as checked.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::document::Spanned;
use super::effect::{Effect, EffectKeys};
use super::step::{Step, StepKeys};
use super::{EventSpec, Level};

/// A scenario: events, the steps that send them, and the expected results.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Scenario")]
pub struct Scenario<S = Step, E = Effect> {
    /// What is true if the scenario passes, in a few words.
    pub name: Spanned<String>,
    /// Why this matters to a game, and what to fix if the scenario fails.
    #[serde(default)]
    pub about: Option<String>,
    /// Tags to select scenarios by, with `--tag`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// How serious a failed check is. An `expect` or effect can override it. Default: `must`.
    #[serde(default)]
    pub level: Level,
    /// The source of the requirement, such as a section of Aghanim's documentation.
    #[serde(default)]
    pub source: Option<String>,
    /// Run the scenario after all others, and alone, so that the receiver gets no other deliveries.
    #[serde(default)]
    pub alone: bool,
    /// The seed of all random values. Default: derived from the file's name.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Values of variables. Use a variable as `${name}` anywhere in `events`, `steps` and `effects`.
    #[serde(default)]
    pub vars: IndexMap<String, Value>,
    /// Lists of values for variables. The scenario runs once for each value of a list, or for each
    /// combination of values if there are several lists.
    #[serde(default)]
    pub matrix: IndexMap<String, Vec<Value>>,
    /// The events, by name.
    #[serde(default)]
    pub events: IndexMap<String, Spanned<EventSpec>>,
    /// The steps to run, in order.
    #[schemars(length(min = 1))]
    pub steps: Vec<S>,
    /// What must have changed in the game after the steps.
    #[serde(default = "Vec::<E>::new")]
    pub effects: Vec<E>,
}

/// A scenario as its file writes it, not yet checked.
pub(super) type ScenarioKeys = Scenario<Spanned<StepKeys>, Spanned<EffectKeys>>;
