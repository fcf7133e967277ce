//! The request ID of an event, as an author writes it.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// The request ID: generated, or given by the author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestIdShape {
    /// `true`: a generated UUID.
    Generated,
    /// A text, sent unchanged.
    Given(String),
}

impl<'de> Deserialize<'de> for RequestIdShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RequestIdVisitor;

        impl Visitor<'_> for RequestIdVisitor {
            type Value = RequestIdShape;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("`true` for a generated UUID, a text, or null")
            }

            fn visit_bool<E: de::Error>(self, generated: bool) -> Result<RequestIdShape, E> {
                if generated {
                    return Ok(RequestIdShape::Generated);
                }
                Err(E::invalid_value(de::Unexpected::Bool(false), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RequestIdShape, E> {
                Ok(RequestIdShape::Given(text.to_owned()))
            }
        }

        deserializer.deserialize_any(RequestIdVisitor)
    }
}

impl JsonSchema for RequestIdShape {
    fn schema_name() -> Cow<'static, str> {
        "RequestIdShape".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "`true` for a generated UUID, or a text that is sent unchanged.",
            "anyOf": [{ "const": true }, { "type": "string" }],
        })
    }
}
