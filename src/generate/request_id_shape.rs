//! The request ID of an event, as an author writes it.

use schemars::JsonSchema;
use serde::de::{Error, Unexpected};
use serde_json::Value;

use super::written::{Written, deserialize_written};

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
