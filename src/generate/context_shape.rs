//! The context of an event, as an author writes it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::protocol::Field;

// The doc comments of the fields are the descriptions in the JSON Schema, which authors read.

/// The context of an event: the player and the order.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextShape {
    /// The player, as sent with "Add player context" in the webhook's settings: `true` generates
    /// one, an object is sent unchanged, or `null`. Default: `null`. The keys of a generated player
    /// are an assumption: no public source names them.
    #[serde(default)]
    pub player: Field<ContextPart>,
    /// The order, if the event has one: `true` generates one, an object is sent unchanged, or
    /// `null`. Default: `null`. The keys of a generated order are an assumption: no public source
    /// names them.
    #[serde(default)]
    pub order: Field<ContextPart>,
}

/// A part of the context: generated, or given by the author.
#[derive(Debug, Clone, PartialEq)]
pub enum ContextPart {
    /// `true`: generated. Its keys are an assumption. `[A]`
    Generated,
    /// A JSON object, sent unchanged.
    Given(Map<String, Value>),
}

impl<'de> Deserialize<'de> for ContextPart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PartVisitor;

        impl<'de> Visitor<'de> for PartVisitor {
            type Value = ContextPart;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("`true` for a generated object, an object, or null")
            }

            fn visit_bool<E: de::Error>(self, generated: bool) -> Result<ContextPart, E> {
                if generated {
                    return Ok(ContextPart::Generated);
                }
                Err(E::invalid_value(de::Unexpected::Bool(false), &self))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ContextPart, A::Error> {
                Map::deserialize(MapAccessDeserializer::new(map)).map(ContextPart::Given)
            }
        }

        deserializer.deserialize_any(PartVisitor)
    }
}

impl JsonSchema for ContextPart {
    fn schema_name() -> Cow<'static, str> {
        "ContextPart".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "`true` for a generated object, or an object that is sent unchanged.",
            "anyOf": [{ "const": true }, { "type": "object" }],
        })
    }
}
