//! An SKU as an author writes it: given, or one that any game has.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected};
use serde_json::Value;

use super::written::{Written, deserialize_written};

#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(
    with = "Value",
    description = "An SKU; `{ same_as: 1 }` for the SKU of an earlier part of the same bundle, counted from \
        1; `{ same_as: item }` for the SKU of the coupon's item; `{ same_as: EVENT }` for the SKU of another \
        event's item; or `{ length: N }` for an SKU of this many characters.",
    extend("anyOf" = [
        { "type": "string" },
        {
            "type": "object",
            "properties": {
                "same_as": {
                    "description": "A part of the same bundle, counted from 1, `item` for the coupon's \
                        item, or the name of another event.",
                    "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string" }]
                }
            },
            "required": ["same_as"],
            "additionalProperties": false
        },
        {
            "type": "object",
            "properties": {
                "length": {
                    "type": "integer",
                    "minimum": 16,
                    "maximum": 10_000,
                    "description": "How many characters the SKU has."
                }
            },
            "required": ["length"],
            "additionalProperties": false
        }
    ])
)]
pub enum SkuShape {
    Given(String),
    SameAs(SkuOwner),
    /// A generated SKU of this many characters, or one of the game's items.
    Length(usize),
}

/// Whose SKU is used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkuOwner {
    /// The first item of the event.
    Item,
    /// A part of the outermost bundle around it, counted from 1.
    Part(usize),
    /// The first item of the event with this name. Resolved in a plan; elsewhere events share nothing.
    Event(String),
}

impl Written for SkuOwner {
    const EXPECTED: &'static str = "the number of a part, from 1, `item` or the name of an event";

    fn from_scalar<E: Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str("item") => Ok(Self::Item),
            Unexpected::Str(event) => Ok(Self::Event(event.to_owned())),
            Unexpected::Unsigned(number @ 1..) => {
                Ok(Self::Part(usize::try_from(number).unwrap_or(usize::MAX)))
            }
            _ => Err(E::invalid_value(scalar, &Self::EXPECTED)),
        }
    }
}

deserialize_written!(SkuOwner);

impl Written for SkuShape {
    const EXPECTED: &'static str =
        "text, `{ same_as: 1 }`, `{ same_as: item }`, `{ same_as: EVENT }` or `{ length: N }`";

    fn from_scalar<E: Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str(text) => Ok(Self::Given(text.to_owned())),
            other => Err(E::invalid_type(other, &Self::EXPECTED)),
        }
    }

    fn from_map<'de, M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct SkuKeys {
            same_as: Option<SkuOwner>,
            length: Option<usize>,
        }
        let keys = SkuKeys::deserialize(MapAccessDeserializer::new(map))?;
        match (keys.same_as, keys.length) {
            (Some(owner), None) => Ok(Self::SameAs(owner)),
            (None, Some(length @ 16..=10_000)) => Ok(Self::Length(length)),
            (None, Some(length)) => Err(M::Error::custom(format!(
                "a generated SKU can't have {length} characters\nuse a length from 16 to 10000"
            ))),
            _ => Err(M::Error::custom(
                "expected exactly one of `same_as` and `length`",
            )),
        }
    }
}

deserialize_written!(SkuShape);

impl From<String> for SkuShape {
    fn from(text: String) -> Self {
        Self::Given(text)
    }
}
