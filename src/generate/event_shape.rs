//! What an author gives of an event. What is left out is generated.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ContextShape, ItemShape, Moment, RequestIdShape};
use crate::protocol::Field;

// The doc comments of the fields are the descriptions in the JSON Schema: they speak to authors.

/// An event: what is given here is sent as it is, what is left out is generated from the seed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventShape {
    /// The player's ID. Left out: a new player, such as `2D2R-OP3C`.
    pub player_id: Option<String>,
    /// The redeem code and when it was used.
    #[serde(default)]
    pub coupon: CouponShape,
    /// What the coupon grants.
    #[serde(default)]
    pub item: ItemShape,
    /// Whether the event comes from the sandbox environment. Left out: `false`.
    pub sandbox: Option<bool>,
    /// What caused the event: `hub.redeem`, `test`, any other text, or `null`. Left out:
    /// `hub.redeem`.
    #[serde(default)]
    pub trigger: Field<String>,
    /// The circumstances of the event, or `null`. Left out: `null`.
    #[serde(default)]
    pub context: Field<ContextShape>,
    /// The ID of the API request that caused the event: `true` for a generated UUID, a text as it
    /// is, or `null`. Left out: sometimes a UUID, sometimes `null`.
    #[serde(default)]
    pub request_id: Field<RequestIdShape>,
    /// The transaction's ID; events of one transaction may share it. Left out: a new one, such as
    /// `whtx_eCacGbJVbvT`.
    pub transaction_id: Option<String>,
    /// When the event happened: Unix seconds, or relative to the run's start, such as `T-1h`.
    /// Left out: `T`.
    pub event_time: Option<Moment>,
    /// Which revision of the payload is sent. Left out: `source`.
    pub revision: Option<Revision>,
}

/// The redeem code and when it was used.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CouponShape {
    /// The code that the player typed. Left out: a generated one.
    pub code: Option<String>,
    /// The SKU of the free item. Left out: the item's own.
    pub sku: Option<String>,
    /// When the code was used: Unix seconds, or relative to the run's start, such as `T-1h`.
    /// Left out: the event's time.
    pub redeemed_at: Option<Moment>,
}

/// A revision of the payload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
pub enum Revision {
    /// The payload of the source document: one `item`.
    #[default]
    #[serde(rename = "source")]
    Source,
    /// The payload since 2026-05-25: an `items` array as well. That `item` stays beside it, as
    /// the first of `items`, is an assumption.
    #[serde(rename = "2026-05-25")]
    Items,
}
