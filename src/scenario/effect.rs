//! The effects that a scenario expects in the game.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Level;
use super::document::Spanned;
use crate::policy::DurationText;

/// One expected effect. Set exactly one of `granted`, `not_granted` and `probe`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// The event whose item must have been granted exactly once (or `times`). The expected SKUs and
    /// quantities follow from the event and the profile's `policy`.
    #[serde(default)]
    pub granted: Option<Spanned<String>>,
    /// The event that must not have granted anything.
    #[serde(default)]
    pub not_granted: Option<Spanned<String>>,
    /// The probe of the profile to read before and after the steps.
    #[serde(default)]
    pub probe: Option<Spanned<String>>,
    /// The event that provides the probe's player and SKU.
    #[serde(default)]
    pub of: Option<Spanned<String>>,
    /// The SKU that the probe reads. Default: the SKU of the event's item.
    #[serde(default)]
    pub sku: Option<String>,
    /// By how much the probe's number must have changed after the steps.
    #[serde(default)]
    pub change: Option<Spanned<i128>>,
    /// What the probe's number must be after the steps.
    #[serde(default)]
    pub after: Option<Spanned<i128>>,
    /// With `granted`: how often the event must have been granted. Default: 1.
    #[serde(default)]
    pub times: Option<Spanned<u32>>,
    /// With `granted`: require the grant only if the event was answered 2xx. A refused event must
    /// grant nothing. For an event without a response, both are accepted.
    #[serde(default)]
    pub if_delivered: bool,
    /// The grace period for receivers that grant after they respond. The effect must still be as
    /// expected at the end of it. Default: the profile's `settle`.
    #[serde(default)]
    pub settle: Option<DurationText>,
    /// How serious it is if this effect is missing or wrong. Default: the scenario's level.
    #[serde(default)]
    pub level: Option<Level>,
    /// The source of this requirement. Default: the scenario's source.
    #[serde(default)]
    pub source: Option<String>,
}
