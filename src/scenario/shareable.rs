//! An ID in a scenario file: of the event's own, or that of another event.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Error as _, MapAccess, Unexpected};
use serde_json::Value;

use super::document::Spanned;
use crate::generate::{IdDifference, IdShape, Likeness};
use crate::policy::{Written, deserialize_written};

#[derive(Debug, Clone, PartialEq, JsonSchema)]
#[schemars(
    with = "Value",
    description = "An ID; `{ same_as: EVENT }` for the ID of another event; `{ like: EVENT, differing_in: \
        DIFFERENCE }` for an ID that is easily taken for it; `{ like: EVENT, ending: TEXT }` for the ID of \
        another event and this text; or a generated ID: `{ ending: TEXT }`, `{ form: uuid }`, `{ form: digits }` or \
        `{ length: N }`.",
    extend("anyOf" = [
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
                "like": { "type": "string", "description": "The name of the other event." },
                "differing_in": {
                    "description": "How the ID differs from that of the other event.",
                    "enum": ["case", "accent", "normalization", "trailing_space", "leading_zero",
                        "last_character", "beyond_latin1"]
                }
            },
            "required": ["like", "differing_in"],
            "additionalProperties": false
        },
        {
            "type": "object",
            "properties": {
                "like": { "type": "string", "description": "The name of the other event." },
                "ending": {
                    "type": "string",
                    "minLength": 1,
                    "description": "What follows the ID of the other event."
                }
            },
            "required": ["like", "ending"],
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
        },
        {
            "type": "object",
            "properties": {
                "form": { "description": "The form of the generated ID.", "enum": ["uuid", "digits"] }
            },
            "required": ["form"],
            "additionalProperties": false
        },
        {
            "type": "object",
            "properties": {
                "length": {
                    "type": "integer",
                    "minimum": 16,
                    "maximum": 10_000,
                    "description": "How many characters the generated ID has."
                }
            },
            "required": ["length"],
            "additionalProperties": false
        }
    ])
)]
pub enum Shareable {
    /// An ID of the event's own.
    Own(IdShape),
    SameAs(Spanned<String>),
    Like {
        event: Spanned<String>,
        likeness: Likeness,
    },
}

/// The form of a generated ID.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum IdForm {
    Uuid,
    Digits,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct ShareableKeys {
    same_as: Option<Spanned<String>>,
    like: Option<Spanned<String>>,
    differing_in: Option<IdDifference>,
    ending: Option<String>,
    form: Option<IdForm>,
    length: Option<Spanned<usize>>,
}

impl Written for Shareable {
    const EXPECTED: &'static str = "text, `{ same_as: EVENT }`, `{ like: EVENT, differing_in: case }`, \
                                    `{ ending: TEXT }`, `{ form: uuid }`, `{ form: digits }` or `{ length: N }`";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str(text) => Ok(Self::Own(IdShape::Given(text.to_owned()))),
            other => Err(E::invalid_type(other, &Self::EXPECTED)),
        }
    }

    fn from_map<'de, M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        let keys = ShareableKeys::deserialize(MapAccessDeserializer::new(map))?;
        let mut found = Vec::new();
        found.extend(keys.same_as.map(Self::SameAs));
        found.extend(keys.form.map(|form| {
            Self::Own(match form {
                IdForm::Uuid => IdShape::Uuid,
                IdForm::Digits => IdShape::Digits,
            })
        }));
        if let Some(length) = keys.length {
            if !IdShape::LENGTHS.contains(&length.value) {
                let (from, to) = (IdShape::LENGTHS.start(), IdShape::LENGTHS.end());
                return Err(M::Error::custom(format!(
                    "a generated ID can't have {} characters\nuse a length from {from} to {to}",
                    length.value
                )));
            }
            found.push(Self::Own(IdShape::Length(length.value)));
        }
        let like = |event, likeness| Self::Like { event, likeness };
        match (keys.like, keys.differing_in, keys.ending) {
            (Some(event), Some(difference), None) => {
                found.push(like(event, Likeness::DifferingIn(difference)));
            }
            (Some(event), None, Some(ending)) if !ending.is_empty() => {
                found.push(like(event, Likeness::Ending(ending)));
            }
            (Some(_), None, None) => return Err(M::Error::missing_field("differing_in")),
            (None, Some(_), _) => return Err(M::Error::missing_field("like")),
            (None, None, Some(ending)) => found.push(Self::Own(IdShape::Ending(ending))),
            (None, None, None) => {}
            (Some(_), ..) => {
                return Err(M::Error::custom(
                    "expected `like` with either `differing_in` or an `ending` that is not empty",
                ));
            }
        }
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            _ => Err(M::Error::custom(
                "expected exactly one of `same_as`, `like`, `ending`, `form` and `length`",
            )),
        }
    }
}

deserialize_written!(Shareable);

impl Shareable {
    /// The other event whose ID this one depends on.
    pub(crate) fn other_event(&self) -> Option<&Spanned<String>> {
        match self {
            Self::Own(_) => None,
            Self::SameAs(event) | Self::Like { event, .. } => Some(event),
        }
    }
}
