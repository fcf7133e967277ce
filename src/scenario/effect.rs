//! What a scenario must have changed in the game.

use schemars::JsonSchema;
use serde::Deserialize;

use super::document::Located;
use super::{DurationText, Level};

/// One effect: exactly one of `granted`, `not_granted` and `probe`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// The event whose item the player was granted exactly once (or `times`). Which SKUs and how
    /// much follows from the event and from the profile's policy.
    #[serde(default)]
    pub granted: Option<Located<String>>,
    /// The event that granted the player nothing.
    #[serde(default)]
    pub not_granted: Option<Located<String>>,
    /// The profile's probe that is read before and after the steps.
    #[serde(default)]
    pub probe: Option<Located<String>>,
    /// The event whose player and SKU the probe reads.
    #[serde(default)]
    pub of: Option<Located<String>>,
    /// The SKU that the probe reads; left out, the SKU of the event's item.
    #[serde(default)]
    pub sku: Option<String>,
    /// By how much the probe's number has changed after the steps.
    #[serde(default)]
    pub change: Option<Located<i128>>,
    /// What the probe's number is after the steps.
    #[serde(default)]
    pub after: Option<Located<i128>>,
    /// How often the event was granted, with `granted`; left out, once.
    #[serde(default)]
    pub times: Option<Located<u32>>,
    /// `true`, with `granted`: demands the grant only of an event that is answered 2xx. One that is
    /// refused must grant nothing; one without an answer may do either.
    #[serde(default)]
    pub if_delivered: bool,
    /// How long to wait for a receiver that grants after its answer; left out, the profile's.
    /// What is right must still be right at its end.
    #[serde(default)]
    pub settle: Option<DurationText>,
    /// How much this effect demands; left out, the scenario's level.
    #[serde(default)]
    pub level: Option<Level>,
    /// Where the demand comes from; left out, the scenario's source.
    #[serde(default)]
    pub source: Option<String>,
}
