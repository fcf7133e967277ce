//! The context of an event, as an author writes it.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected};
use serde_json::{Map, Value};

use super::written::{Written, deserialize_written};
use crate::protocol::Field;

// The doc comments of the fields are the descriptions in the JSON Schema, which authors read.

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
