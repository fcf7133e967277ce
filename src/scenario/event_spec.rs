//! An event in a scenario file.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::JsonPointer;
use super::document::Spanned;
use crate::generate::{
    ContextShape, CouponShape, EventShape, EventTime, ItemShape, RequestIdShape, Revision,
};
use crate::protocol::Field;

/// One event. All omitted values are generated from the scenario's seed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventSpec {
    /// The player who gets the item: an ID, `{ same_as: EVENT }` for the player of another event, or
    /// `{ ending: TEXT }` for a generated ID that ends with this text. Default: one of the profile's
    /// `players`, or a new player who appears in no other event or run.
    #[serde(default)]
    pub player_id: Option<Shareable>,
    /// The coupon that was redeemed.
    #[serde(default)]
    pub coupon: CouponShape,
    /// The item that the coupon grants.
    #[serde(default)]
    pub item: ItemShape,
    /// Whether the event comes from the sandbox environment. Default: `false`.
    #[serde(default)]
    pub sandbox: Option<bool>,
    /// What caused the event: `hub.redeem`, `test` or null. Default: `hub.redeem`.
    #[serde(default)]
    pub trigger: Field<String>,
    /// The player and order context. Default: null.
    #[serde(default)]
    pub context: Field<ContextShape>,
    /// The ID of the API request that caused the event: text, null, or `true` for a generated UUID.
    /// Default: a UUID or null, depending on the seed.
    #[serde(default)]
    pub request_id: Field<RequestIdShape>,
    /// The ID of the transaction, `{ same_as: EVENT }` for the transaction of another event, or
    /// `{ ending: TEXT }` for a generated ID that ends with this text. Default: a new transaction.
    #[serde(default)]
    pub transaction_id: Option<Shareable>,
    /// When the event happened: Unix seconds, or a time relative to the start of the run, such as
    /// `T-1h`. Default: `T`, the start of the run.
    #[serde(default)]
    pub event_time: Option<EventTime>,
    /// The revision of the payload. Default: `source`.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// JSON values to set in the generated event, by JSON Pointer (RFC 6901).
    #[serde(default)]
    pub set: IndexMap<JsonPointer, Value>,
    /// JSON Pointers (RFC 6901) to keys to remove from the event. Applied after `set`.
    #[serde(default)]
    pub unset: Vec<JsonPointer>,
    /// The exact body to send instead of a generated one.
    #[serde(default)]
    pub raw: Option<Spanned<String>>,
}

impl EventSpec {
    /// The input for the generator. The arguments are the IDs shared with other events, already
    /// resolved.
    pub fn shape(&self, player_id: Option<String>, transaction_id: Option<String>) -> EventShape {
        EventShape {
            player_id,
            coupon: self.coupon.clone(),
            item: self.item.clone(),
            sandbox: self.sandbox,
            trigger: self.trigger.clone(),
            context: self.context.clone(),
            request_id: self.request_id.clone(),
            transaction_id,
            event_time: self.event_time,
            revision: self.revision,
        }
    }
}

/// Applies `set` and then `unset` to an event's JSON.
pub fn amend(
    event: &mut Value,
    set: &IndexMap<JsonPointer, Value>,
    unset: &[JsonPointer],
) -> Result<(), String> {
    for (pointer, value) in set {
        pointer.set(event, value.clone())?;
    }
    for pointer in unset {
        pointer.remove(event)?;
    }
    Ok(())
}

/// An ID: given literally, shared with another event, or generated with a given ending.
#[derive(Debug, Clone, PartialEq)]
pub enum Shareable {
    /// The ID itself.
    Literal(String),
    /// The same ID as the named event.
    SameAs(Spanned<String>),
    /// A generated ID that ends with this text.
    Ending(String),
}

impl<'de> Deserialize<'de> for Shareable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ShareableVisitor;

        impl<'de> Visitor<'de> for ShareableVisitor {
            type Value = Shareable;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("text, `{ same_as: EVENT }` or `{ ending: TEXT }`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Shareable, E> {
                Ok(Shareable::Literal(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shareable, A::Error> {
                #[derive(Deserialize)]
                #[serde(rename_all = "snake_case")]
                enum ShareableKey {
                    SameAs,
                    Ending,
                }
                let shareable = match entries.next_key()? {
                    Some(ShareableKey::SameAs) => Shareable::SameAs(entries.next_value()?),
                    Some(ShareableKey::Ending) => Shareable::Ending(entries.next_value()?),
                    None => return Err(de::Error::missing_field("same_as")),
                };
                if entries.next_key::<ShareableKey>()?.is_some() {
                    return Err(de::Error::custom(
                        "expected exactly one of `same_as` and `ending`",
                    ));
                }
                Ok(shareable)
            }
        }

        deserializer.deserialize_any(ShareableVisitor)
    }
}

impl JsonSchema for Shareable {
    fn schema_name() -> Cow<'static, str> {
        "Shareable".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An ID, `{ same_as: EVENT }` for the ID of another event, or `{ ending: TEXT }` for a generated ID that ends with this text.",
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": {
                        "same_as": { "type": "string", "description": "The name of the other event." }
                    },
                    "required": ["same_as"],
                    "additionalProperties": false
                },
                {
                    "type": "object",
                    "properties": {
                        "ending": {
                            "type": "string",
                            "description": "The text that the generated ID ends with."
                        }
                    },
                    "required": ["ending"],
                    "additionalProperties": false
                }
            ]
        })
    }
}
