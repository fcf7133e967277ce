//! An event as an author writes it. Missing fields are generated.

use std::iter;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::written::{Written, deserialize_written};
use super::{EventTime, IdShape, ItemShape, SkuShape};
use crate::protocol::Field;

// The doc comments of the fields are the descriptions in the JSON Schema, which authors read.

/// An event. The fields given here are sent unchanged; the others are generated from the seed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventShape {
    /// The player's ID. Default: a new player, such as `2D2R-OP3C`.
    pub player_id: Option<IdShape>,
    /// The redeem code and the time of its use.
    #[serde(default)]
    pub coupon: CouponShape,
    /// The item that the coupon grants.
    #[serde(default)]
    pub item: ItemShape,
    /// Everything that the coupon grants, instead of `item`, if the revision has `items`.
    pub items: Option<Vec<ItemShape>>,
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
    pub transaction_id: Option<IdShape>,
    /// The idempotency key. Default: a new one, such as `idmpt_` and base64 text.
    pub idempotency_key: Option<IdShape>,
    /// When the event happened: Unix seconds, or relative to the run's start, such as `T-1h`.
    /// Default: `T`.
    pub event_time: Option<EventTime>,
    /// The revision of the payload. Default: `source`.
    pub revision: Option<Revision>,
}

impl EventShape {
    /// The SKUs that are given.
    pub(crate) fn skus_mut(&mut self) -> impl Iterator<Item = &mut SkuShape> {
        let items = iter::once(&mut self.item).chain(self.items.iter_mut().flatten());
        items.flat_map(ItemShape::skus_mut)
    }
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Revision {
    /// The payload of the source document: one `item`.
    #[default]
    #[serde(rename = "source")]
    Source,
    /// The payload since 2026-05-25, with an additional `items` array. That `item` is still sent,
    /// and is the first of `items`, is an assumption.
    #[serde(rename = "2026-05-25")]
    Items,
    /// Only the `items` array, without `item`. An assumption: the coupon API dropped its single-item
    /// fields on 2026-06-16.
    #[serde(rename = "2026-06-16")]
    ItemsOnly,
}

#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(
    with = "Value",
    description = "`true` for a generated UUID, or a text that is sent unchanged.",
    extend("anyOf" = [{ "const": true }, { "type": "string" }])
)]
pub enum RequestIdShape {
    Generated,
    Given(String),
}

impl Written for RequestIdShape {
    const EXPECTED: &'static str = "`true` for a generated UUID, a text, or null";

    fn from_scalar<E: Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Bool(true) => Ok(Self::Generated),
            Unexpected::Bool(false) => Err(E::invalid_value(scalar, &Self::EXPECTED)),
            Unexpected::Str(text) => Ok(Self::Given(text.to_owned())),
            _ => Err(E::invalid_type(scalar, &Self::EXPECTED)),
        }
    }
}

deserialize_written!(RequestIdShape);

/// The context of an event: the player and the order.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContextShape {
    /// The player, as sent with "Add player context" in the webhook's settings: `true` generates
    /// one, an object is sent unchanged, or `null`. Default: `null`. The keys of a generated player
    /// are an assumption: no public source names them.
    pub player: Field<ContextPart>,
    /// The order, if the event has one: `true` generates one, an object is sent unchanged, or
    /// `null`. Default: `null`. The keys of a generated order are an assumption: no public source
    /// names them.
    pub order: Field<ContextPart>,
}

#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(
    with = "Value",
    description = "`true` for a generated object, or an object that is sent unchanged.",
    extend("anyOf" = [{ "const": true }, { "type": "object" }])
)]
pub enum ContextPart {
    Generated,
    Given(Map<String, Value>),
}

impl Written for ContextPart {
    const EXPECTED: &'static str = "`true` for a generated object, an object, or null";

    fn from_scalar<E: Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Bool(true) => Ok(Self::Generated),
            Unexpected::Bool(false) => Err(E::invalid_value(scalar, &Self::EXPECTED)),
            _ => Err(E::invalid_type(scalar, &Self::EXPECTED)),
        }
    }

    fn from_map<'de, M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        Map::deserialize(MapAccessDeserializer::new(map)).map(Self::Given)
    }
}

deserialize_written!(ContextPart);
