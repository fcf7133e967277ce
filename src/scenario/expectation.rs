//! What a step expects of the receiver's responses.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::document::{OneOrMany, Spanned};
use super::{CountRange, JsonPath, Level, Matcher};
use crate::policy::{DurationText, StatusPattern};

/// Checks on the response to every delivery of a step. All given checks must pass.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The expected status of the last attempt's response: `200`, `2xx`, a list of these, or
    /// `{ not: 5xx }`.
    #[serde(default)]
    pub status: Option<StatusExpectation>,
    /// Checks on headers of the response, by name. Names are case-insensitive.
    #[serde(default)]
    pub headers: IndexMap<String, Matcher>,
    /// Checks on values of the JSON body, by JSONPath (RFC 9535).
    #[serde(default)]
    pub body: IndexMap<JsonPath, Matcher>,
    /// A JSON Schema file that the JSON body must match; the path is relative to this file.
    #[serde(default)]
    pub schema: Option<Spanned<PathBuf>>,
    /// The maximum duration of the last attempt, from its start to the end of the response.
    #[serde(default)]
    pub within: Option<DurationText>,
    /// The expected number of attempts: a number, or a range such as `1..3`.
    #[serde(default)]
    pub attempts: Option<CountRange>,
    /// How the delivery must end.
    #[serde(default)]
    pub outcome: Option<OutcomeName>,
    /// Require the same status, content type and body as in the first 2xx response to the same event.
    #[serde(default)]
    pub same_response: Option<bool>,
    /// How serious it is if these checks fail. Default: the scenario's level.
    #[serde(default)]
    pub level: Option<Level>,
    /// The source of this requirement. Default: the scenario's source.
    #[serde(default)]
    pub source: Option<String>,
}

impl Expectation {
    /// Whether there is nothing to check.
    pub fn is_empty(&self) -> bool {
        self.status.is_none()
            && self.headers.is_empty()
            && self.body.is_empty()
            && self.schema.is_none()
            && self.within.is_none()
            && self.attempts.is_none()
            && self.outcome.is_none()
            && self.same_response.is_none()
    }
}

/// How a delivery ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeName {
    /// Answered 2xx.
    Delivered,
    /// Answered with a status that is not retried.
    Refused,
    /// Every attempt allowed by the retry policy failed.
    Exhausted,
}

impl fmt::Display for OutcomeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Exhausted => "exhausted",
        })
    }
}

/// The expected statuses.
#[derive(Debug, Clone, PartialEq)]
pub enum StatusExpectation {
    /// Any of these.
    Any(Vec<StatusPattern>),
    /// None of these.
    Not(Vec<StatusPattern>),
}

impl StatusExpectation {
    /// Whether `status` is as expected.
    pub fn allows(&self, status: u16) -> bool {
        let is_in =
            |patterns: &[StatusPattern]| patterns.iter().any(|pattern| pattern.matches(status));
        match self {
            Self::Any(patterns) => is_in(patterns),
            Self::Not(patterns) => !is_in(patterns),
        }
    }
}

impl fmt::Display for StatusExpectation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, patterns) = match self {
            Self::Any(patterns) => ("", patterns),
            Self::Not(patterns) => ("not ", patterns),
        };
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        write!(formatter, "{prefix}{}", patterns.join(" or "))
    }
}

impl<'de> Deserialize<'de> for StatusExpectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StatusVisitor;

        impl<'de> Visitor<'de> for StatusVisitor {
            type Value = StatusExpectation;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("`200`, `2xx`, a list of these, or `{ not: 5xx }`")
            }

            fn visit_u64<E: de::Error>(self, status: u64) -> Result<StatusExpectation, E> {
                self.visit_str(&status.to_string())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<StatusExpectation, E> {
                let pattern = text.parse().map_err(E::custom)?;
                Ok(StatusExpectation::Any(vec![pattern]))
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut items: A,
            ) -> Result<StatusExpectation, A::Error> {
                let mut patterns = Vec::new();
                while let Some(pattern) = items.next_element()? {
                    patterns.push(pattern);
                }
                if patterns.is_empty() {
                    return Err(de::Error::invalid_length(0, &self));
                }
                Ok(StatusExpectation::Any(patterns))
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut entries: A,
            ) -> Result<StatusExpectation, A::Error> {
                #[derive(Deserialize)]
                #[serde(rename_all = "snake_case")]
                enum StatusKey {
                    Not,
                }
                let Some(StatusKey::Not) = entries.next_key()? else {
                    return Err(de::Error::missing_field("not"));
                };
                let OneOrMany(patterns) = entries.next_value()?;
                if patterns.is_empty() {
                    let message = "`not` is an empty list, so any status would pass\n\
                                   list the unexpected statuses, as in `{ not: 5xx }`";
                    return Err(de::Error::custom(message));
                }
                if entries.next_key::<StatusKey>()?.is_some() {
                    return Err(de::Error::duplicate_field("not"));
                }
                Ok(StatusExpectation::Not(patterns))
            }
        }

        deserializer.deserialize_any(StatusVisitor)
    }
}

impl JsonSchema for StatusExpectation {
    fn schema_name() -> Cow<'static, str> {
        "StatusExpectation".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<StatusPattern>();
        let list = json_schema!({ "type": "array", "items": one, "minItems": 1 });
        json_schema!({
            "description": "The expected statuses: `200`, `2xx`, a list of these, or `{ not: 5xx }`.",
            "anyOf": [
                one,
                list,
                {
                    "type": "object",
                    "properties": {
                        "not": {
                            "description": "The unexpected statuses. Any other status passes.",
                            "anyOf": [one, list]
                        }
                    },
                    "required": ["not"],
                    "additionalProperties": false
                }
            ]
        })
    }
}
