//! A text as an author writes it, which can be long.

use std::ops::Deref;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected};
use serde_json::Value;

use super::written::{Written, deserialize_written};

#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(
    with = "Value",
    description = "A text, or `{ length: N }` for a text of this many characters.",
    extend("anyOf" = [
        { "type": "string" },
        {
            "type": "object",
            "properties": {
                "length": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": 500_000,
                    "description": "How many characters the text has."
                }
            },
            "required": ["length"],
            "additionalProperties": false
        }
    ])
)]
pub struct TextShape(String);

const LONGEST: usize = 500_000;

impl Written for TextShape {
    const EXPECTED: &'static str = "text or `{ length: N }`";

    fn from_scalar<E: Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str(text) => Ok(Self(text.to_owned())),
            other => Err(E::invalid_type(other, &Self::EXPECTED)),
        }
    }

    fn from_map<'de, M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct TextKeys {
            length: usize,
        }
        let TextKeys { length } = TextKeys::deserialize(MapAccessDeserializer::new(map))?;
        if !(1..=LONGEST).contains(&length) {
            return Err(M::Error::custom(format!(
                "a generated text can't have {length} characters\nuse a length from 1 to {LONGEST}"
            )));
        }
        Ok(Self("a long text, ".chars().cycle().take(length).collect()))
    }
}

deserialize_written!(TextShape);

impl Deref for TextShape {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}
