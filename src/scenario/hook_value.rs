//! The value that a step gives a placeholder of a hook.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Unexpected};
use serde_json::json;

use super::JsonPointer;
use crate::policy::{Written, deserialize_written, written_schema};

/// The value of a placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookValue {
    Text(String),
    /// The value at this place of the event's body.
    At(JsonPointer),
}

/// The value of a placeholder that is a part of the step's event.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PartOfEvent {
    /// A JSON Pointer (RFC 6901) to the value in the body of the step's event.
    at: JsonPointer,
}

impl Written for HookValue {
    const EXPECTED: &'static str =
        "a text, a number, or `{ at: POINTER }` for a value of the event";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        Ok(Self::Text(match scalar {
            Unexpected::Str(text) => text.to_owned(),
            Unexpected::Unsigned(number) => number.to_string(),
            Unexpected::Signed(number) => number.to_string(),
            Unexpected::Float(number) => number.to_string(),
            Unexpected::Bool(is) => is.to_string(),
            other => return Err(E::invalid_type(other, &Self::EXPECTED)),
        }))
    }

    fn from_map<'de, M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        PartOfEvent::deserialize(MapAccessDeserializer::new(map)).map(|part| Self::At(part.at))
    }
}

deserialize_written!(HookValue);

written_schema!(HookValue, "HookValue", |generator| {
    "description": "A text, a number, or `{ at: POINTER }` for a value of the step's event.",
    "anyOf": forms(generator),
});

fn forms(generator: &mut SchemaGenerator) -> [Schema; 2] {
    let plain = json!({ "type": ["string", "number", "boolean"] });
    let plain = Schema::try_from(plain).unwrap_or_default();
    [plain, generator.subschema_for::<PartOfEvent>()]
}
