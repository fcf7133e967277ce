//! The effects that a scenario expects in the game.

use schemars::JsonSchema;
use serde::Deserialize;

use super::document::Spanned;
use super::pattern::Pattern;
use super::{EventRef, Level};
use crate::policy::DurationText;

/// One expected effect. Set exactly one of `granted`, `not_granted`, `removed` and `probe`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Effect")]
pub(super) struct EffectKeys {
    /// The event whose item must have been granted exactly once (or `times`). The expected SKUs and
    /// quantities follow from the event and the profile's `policy`. All events of the redemption count:
    /// this one, and each `item.add` that is `for` it.
    pub(super) granted: Option<Spanned<String>>,
    /// The event that must not have granted anything.
    pub(super) not_granted: Option<Spanned<String>>,
    /// The event of `kind: item.remove` whose items must have been taken away exactly once, or not at
    /// all, by the profile's `policy.item_remove`.
    pub(super) removed: Option<Spanned<String>>,
    /// The probe of the profile to read before and after the steps.
    pub(super) probe: Option<Spanned<String>>,
    /// The event that provides the probe's player and SKU.
    pub(super) of: Option<Spanned<String>>,
    /// The SKU that the probe reads. Default: the SKU of the event's item.
    pub(super) sku: Option<String>,
    /// By how much the probe's number must have changed after the steps.
    pub(super) change: Option<Spanned<i128>>,
    /// What the probe's number must be after the steps.
    pub(super) after: Option<Spanned<i128>>,
    /// What the probe's text must be after the steps.
    pub(super) equals: Option<Spanned<String>>,
    /// A regular expression that part of the probe's text must match after the steps.
    pub(super) matches: Option<Spanned<Pattern>>,
    /// With `granted`: how often the event must have been granted. Default: 1.
    pub(super) times: Option<Spanned<u32>>,
    /// With `granted`: require the grant only if the event was answered 2xx. A refused event must
    /// grant nothing. For an event without a response, both are accepted.
    pub(super) if_delivered: bool,
    /// The grace period for receivers that grant after they respond. The effect must still be as
    /// expected at the end of it. Default: the profile's `settle`.
    pub(super) settle: Option<DurationText>,
    /// How serious it is if this effect is missing or wrong. Default: the scenario's level.
    pub(super) level: Option<Level>,
    /// The source of this requirement. Default: the scenario's source.
    pub(super) source: Option<String>,
}

impl EffectKeys {
    /// The keys that say what a probe must read, and whether each is given.
    pub(super) fn expected_values(&self) -> [(&'static str, bool); 4] {
        [
            ("change", self.change.is_some()),
            ("after", self.after.is_some()),
            ("equals", self.equals.is_some()),
            ("matches", self.matches.is_some()),
        ]
    }

    pub(super) fn expected_value(&self) -> Option<ExpectedValue> {
        let change = self
            .change
            .map(|change| ExpectedValue::Change(change.value));
        let after = self.after.map(|after| ExpectedValue::After(after.value));
        let equals = self.equals.as_ref();
        let equals = equals.map(|text| ExpectedValue::Equals(text.value.clone()));
        let matches = self.matches.as_ref();
        let matches = matches.map(|pattern| ExpectedValue::Matches(pattern.value.clone()));
        change.or(after).or(equals).or(matches)
    }
}

/// One expected effect, with its references to events resolved.
#[derive(Debug, Clone)]
pub struct Effect {
    pub expected: ExpectedEffect,
    /// The grace period for receivers that grant after they respond, if the effect sets one.
    pub settle: Option<DurationText>,
    pub level: Option<Level>,
    pub source: Option<String>,
}

#[derive(Debug, Clone)]
pub enum ExpectedEffect {
    Granted {
        event: EventRef,
        times: u32,
        if_delivered: bool,
    },
    NotGranted(EventRef),
    Removed(EventRef),
    Probe {
        probe: Spanned<String>,
        event: EventRef,
        /// The SKU, if it is not the event's.
        sku: Option<String>,
        value: ExpectedValue,
    },
}

impl ExpectedEffect {
    pub fn event(&self) -> &EventRef {
        match self {
            Self::Granted { event, .. }
            | Self::NotGranted(event)
            | Self::Removed(event)
            | Self::Probe { event, .. } => event,
        }
    }
}

/// What a probe must read: a number, or a text after the steps.
#[derive(Debug, Clone)]
pub enum ExpectedValue {
    Change(i128),
    After(i128),
    Equals(String),
    Matches(Pattern),
}
