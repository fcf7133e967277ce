//! An event as a scenario's author writes it down.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::JsonPointer;
use super::document::Located;
use crate::generate::{
    ContextShape, CouponShape, EventShape, EventTime, ItemShape, RequestIdShape, Revision,
};
use crate::protocol::Field;

/// One event. All that is left out is generated from the scenario's seed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventSpec {
    /// Who gets the item: the player's ID, `{ same_as: EVENT }` for the player of another event, or
    /// `{ ending: TEXT }` for a generated ID with this text behind it. Left out, a player of this event's own, whom no other run meets.
    #[serde(default)]
    pub player_id: Option<Shareable>,
    /// The coupon that was redeemed.
    #[serde(default)]
    pub coupon: CouponShape,
    /// What the coupon grants.
    #[serde(default)]
    pub item: ItemShape,
    /// Whether the event comes from the sandbox environment; left out, `false`.
    #[serde(default)]
    pub sandbox: Option<bool>,
    /// What caused the event: `hub.redeem` (left out) or `test`, or null.
    #[serde(default)]
    pub trigger: Field<String>,
    /// The player and order context; left out, null.
    #[serde(default)]
    pub context: Field<ContextShape>,
    /// The ID of the API request that caused the event: `true` for a generated UUID, text, or null.
    #[serde(default)]
    pub request_id: Field<RequestIdShape>,
    /// The transaction's ID, or `{ same_as: EVENT }` for the transaction of another event.
    #[serde(default)]
    pub transaction_id: Option<Shareable>,
    /// When it happened: Unix seconds, or relative to the run's start, such as `T-1h`.
    #[serde(default)]
    pub event_time: Option<EventTime>,
    /// Which revision of the payload is sent.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// JSON Pointers (RFC 6901) and the JSON to put there, after everything else.
    #[serde(default)]
    pub set: IndexMap<JsonPointer, Value>,
    /// JSON Pointers (RFC 6901) to keys that are left out of the event, after `set`.
    #[serde(default)]
    pub unset: Vec<JsonPointer>,
    /// The exact body to send in place of a generated one.
    #[serde(default)]
    pub raw: Option<Located<String>>,
}

impl EventSpec {
    /// What the generator needs to know, with the values that other events share filled in.
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

/// Puts what `set` gives into an event's JSON, and then takes out what `unset` names.
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

/// A value of its own, or the one of another event, or a generated one with an ending.
#[derive(Debug, Clone, PartialEq)]
pub enum Shareable {
    /// Given as it is.
    Own(String),
    /// The same as that of the named event.
    SameAs(Located<String>),
    /// A generated one with this text behind it.
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
                Ok(Shareable::Own(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Shareable, A::Error> {
                #[derive(Deserialize)]
                #[serde(rename_all = "snake_case")]
                enum Word {
                    SameAs,
                    Ending,
                }
                let shareable = match entries.next_key()? {
                    Some(Word::SameAs) => Shareable::SameAs(entries.next_value()?),
                    Some(Word::Ending) => Shareable::Ending(entries.next_value()?),
                    None => return Err(de::Error::missing_field("same_as")),
                };
                if entries.next_key::<Word>()?.is_some() {
                    return Err(de::Error::custom(
                        "there is one of `same_as` and `ending`, once",
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
            "description": "Text, `{ same_as: EVENT }` for the value of another event, or `{ ending: TEXT }` for a generated one with this text behind it.",
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "properties": {
                        "same_as": { "type": "string", "description": "The other event's name." }
                    },
                    "required": ["same_as"],
                    "additionalProperties": false
                },
                {
                    "type": "object",
                    "properties": {
                        "ending": {
                            "type": "string",
                            "description": "The text behind a generated value."
                        }
                    },
                    "required": ["ending"],
                    "additionalProperties": false
                }
            ]
        })
    }
}
