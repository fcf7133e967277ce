//! What the receiver's answer to a step must be like.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::document::{Located, OneOrMany};
use super::{CountRange, DurationText, JsonPath, Level, Matcher, StatusPattern};

/// What the answer to every delivery of a step must be like. All given keys must hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The status of the last attempt's answer: `200`, `2xx`, a list of them, or `{ not: 5xx }`.
    #[serde(default)]
    pub status: Option<StatusExpectation>,
    /// Headers of the answer by name; case does not matter in names.
    #[serde(default)]
    pub headers: IndexMap<String, Matcher>,
    /// Values of the JSON body, each named by a JSONPath (RFC 9535).
    #[serde(default)]
    pub body: IndexMap<JsonPath, Matcher>,
    /// A JSON Schema file, beside this file, that the JSON body must satisfy.
    #[serde(default)]
    pub schema: Option<Located<PathBuf>>,
    /// The longest that the last attempt may take, from its start to the end of the answer.
    #[serde(default)]
    pub within: Option<DurationText>,
    /// How many attempts the delivery takes.
    #[serde(default)]
    pub attempts: Option<CountRange>,
    /// How the delivery ends.
    #[serde(default)]
    pub outcome: Option<OutcomeName>,
    /// `true`: the answer is the same as the first success of the same event: status,
    /// content type and body.
    #[serde(default)]
    pub same_response: Option<bool>,
    /// How much these expectations demand; left out, the scenario's level.
    #[serde(default)]
    pub level: Option<Level>,
    /// Where the demand comes from; left out, the scenario's source.
    #[serde(default)]
    pub source: Option<String>,
}

impl Expectation {
    /// Whether nothing is expected at all.
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
    /// Every attempt of the policy failed.
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

/// The statuses that are right.
#[derive(Debug, Clone, PartialEq)]
pub enum StatusExpectation {
    /// One of these.
    Any(Vec<StatusPattern>),
    /// None of these.
    Not(Vec<StatusPattern>),
}

impl StatusExpectation {
    /// Whether `status` is right.
    pub fn allows(&self, status: u16) -> bool {
        let is_in = |patterns: &[StatusPattern]| patterns.iter().any(|one| one.matches(status));
        match self {
            Self::Any(patterns) => is_in(patterns),
            Self::Not(patterns) => !is_in(patterns),
        }
    }
}

impl fmt::Display for StatusExpectation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, patterns) = match self {
            Self::Any(patterns) => ("", patterns),
            Self::Not(patterns) => ("not ", patterns),
        };
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        write!(formatter, "{word}{}", patterns.join(" or "))
    }
}

impl<'de> Deserialize<'de> for StatusExpectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StatusVisitor;

        impl<'de> Visitor<'de> for StatusVisitor {
            type Value = StatusExpectation;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("`200`, `2xx`, a list of them, or `{ not: 5xx }`")
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
                enum Word {
                    Not,
                }
                let Some(Word::Not) = entries.next_key()? else {
                    return Err(de::Error::missing_field("not"));
                };
                let OneOrMany(patterns) = entries.next_value()?;
                if patterns.is_empty() {
                    let message = "`not` names no status, so any would be right\n\
                                   name the wrong ones, as in `{ not: 5xx }`";
                    return Err(de::Error::custom(message));
                }
                if entries.next_key::<Word>()?.is_some() {
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
            "description": "The right statuses: `200`, `2xx`, a list of them, or `{ not: 5xx }`.",
            "anyOf": [
                one,
                list,
                {
                    "type": "object",
                    "properties": {
                        "not": {
                            "description": "The wrong statuses: any other is right.",
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
