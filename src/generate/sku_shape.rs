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
        event's item; `{ like: EVENT, beginning: TEXT }` for this text and that SKU; or `{ length: N }` for \
        an SKU of this many characters.",
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
                "like": { "type": "string", "description": "The name of the other event." },
                "beginning": {
                    "type": "string",
                    "minLength": 1,
                    "description": "What precedes the SKU of the other event's item."
                }
            },
            "required": ["like", "beginning"],
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
    /// This text, followed by the SKU of the first item of another event.
    Like {
        event: String,
        beginning: String,
    },
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
    const EXPECTED: &'static str = "text, `{ same_as: 1 }`, `{ same_as: item }`, `{ same_as: EVENT }`, `{ like: EVENT, beginning: TEXT }` or \
         `{ length: N }`";

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
            like: Option<String>,
            beginning: Option<String>,
            length: Option<usize>,
        }
        let keys = SkuKeys::deserialize(MapAccessDeserializer::new(map))?;
        if let (Some(event), Some(beginning), None, None) =
            (&keys.like, &keys.beginning, &keys.same_as, keys.length)
            && !beginning.is_empty()
        {
            return Ok(Self::Like {
                event: event.clone(),
                beginning: beginning.clone(),
            });
        }
        let is_like = keys.like.is_some() || keys.beginning.is_some();
        match (keys.same_as, keys.length) {
            (Some(owner), None) if !is_like => Ok(Self::SameAs(owner)),
            (None, Some(length @ 16..=10_000)) if !is_like => Ok(Self::Length(length)),
            (None, Some(length)) if !is_like => Err(M::Error::custom(format!(
                "a generated SKU can't have {length} characters\nuse a length from 16 to 10000"
            ))),
            _ => Err(M::Error::custom(
                "expected exactly one of `same_as`, `length`, and `like` with a `beginning` that is not empty",
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
