//! An event as an author writes it. Missing fields are generated.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ContextShape, EventTime, ItemShape, RequestIdShape};
use crate::protocol::Field;

// The doc comments of the fields are the descriptions in the JSON Schema, which authors read.

/// An event. The fields given here are sent unchanged; the others are generated from the seed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventShape {
    /// The player's ID. Default: a new player, such as `2D2R-OP3C`.
    pub player_id: Option<String>,
    /// The redeem code and the time of its use.
    #[serde(default)]
    pub coupon: CouponShape,
    /// The item that the coupon grants.
    #[serde(default)]
    pub item: ItemShape,
    /// Whether the event comes from the sandbox environment. Default: `false`.
    pub sandbox: Option<bool>,
    /// What caused the event: `hub.redeem`, `test`, any other text, or `null`. Default:
    /// `hub.redeem`.
    #[serde(default)]
    pub trigger: Field<String>,
    /// The context of the event, or `null`. Default: `null`.
    #[serde(default)]
    pub context: Field<ContextShape>,
    /// The ID of the API request that caused the event: `true` for a generated UUID, a text, or
    /// `null`. Default: randomly a UUID or `null`.
    #[serde(default)]
    pub request_id: Field<RequestIdShape>,
    /// The transaction's ID; events of one transaction may share it. Default: a new ID, such as
    /// `whtx_eCacGbJVbvT`.
    pub transaction_id: Option<String>,
    /// When the event happened: Unix seconds, or relative to the run's start, such as `T-1h`.
    /// Default: `T`.
    pub event_time: Option<EventTime>,
    /// The revision of the payload. Default: `source`.
    pub revision: Option<Revision>,
}

/// The redeem code and the time of its use.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CouponShape {
    /// The code that the player typed. Default: a generated code.
    pub code: Option<String>,
    /// The SKU of the free item. Default: the SKU of `item`.
    pub sku: Option<String>,
    /// When the code was used: Unix seconds, or relative to the run's start, such as `T-1h`.
    /// Default: the event's time.
    pub redeemed_at: Option<EventTime>,
}

/// A revision of the payload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
pub enum Revision {
    /// The payload of the source document: one `item`.
    #[default]
    #[serde(rename = "source")]
    Source,
    /// The payload since 2026-05-25, with an additional `items` array. That `item` is still sent,
    /// and is the first of `items`, is an assumption.
    #[serde(rename = "2026-05-25")]
    Items,
}
