//! Whether the events of a load were granted as expected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event_source::EventOrigin;

/// Whether events were granted as expected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EffectsReport {
    /// How many events were sent.
    #[serde(default)]
    pub sent: u64,
    /// Whether only a sample of them was checked.
    #[serde(default)]
    pub is_sample: bool,
    /// How many events were checked.
    pub checked: u64,
    /// Checked events that were acknowledged, so they had to be granted.
    pub acknowledged: u64,
    /// Checked events that were forged, so they must not be granted.
    pub forged: u64,
    /// Checked events that were granted as expected.
    pub right: u64,
    /// Checked events that stayed undecided, for example because a probe failed.
    pub undecided: u64,
    /// The first reason why an event stayed undecided.
    pub undecided_because: Option<String>,
    /// The events that were granted unexpectedly; if there are too many, the first ones.
    pub wrong: Vec<WrongEffect>,
}

/// An event that was not granted as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WrongEffect {
    /// The event's number in the stream.
    pub number: u64,
    /// The event's ID.
    pub event_id: String,
    /// The event's player.
    pub player_id: String,
    /// How it was treated.
    pub treatment: String,
    /// The difference from what was expected.
    pub problem: String,
    /// The scenario event it was built from; null if it was generated.
    #[serde(default)]
    pub origin: Option<EventOrigin>,
}

impl EffectsReport {
    /// How many events were granted unexpectedly, listed or not.
    pub fn wrong(&self) -> u64 {
        self.checked
            .saturating_sub(self.right)
            .saturating_sub(self.undecided)
    }

    /// Whether the checks prove nothing: no checked event had to be granted or was forbidden to be.
    pub fn proves_nothing(&self) -> bool {
        self.acknowledged == 0 && self.forged == 0
    }

    /// Checked events that were not acknowledged, so they may be granted or not.
    pub fn unacknowledged(&self) -> u64 {
        let decided = self.acknowledged.saturating_add(self.forged);
        self.checked.saturating_sub(decided)
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.is_sample |= other.is_sample;
        self.checked += other.checked;
        self.acknowledged += other.acknowledged;
        self.forged += other.forged;
        self.right += other.right;
        self.undecided += other.undecided;
        if self.undecided_because.is_none() {
            self.undecided_because.clone_from(&other.undecided_because);
        }
        self.wrong.extend(other.wrong.iter().cloned());
    }
}
