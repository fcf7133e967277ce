//! What a step expects of the receiver's responses.

use std::fmt;
use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, Error as _, MapAccess, Unexpected};

use super::document::{OneOrMany, Spanned};
use super::{CountRange, JsonPath, Level, Matcher};
use crate::policy::{
    DurationText, Outcome, StatusPattern, Written, deserialize_written, written_schema,
};

/// Checks on the response to every delivery of a step. All given checks must pass.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Expectation {
    /// The expected status of the last attempt's response: `200`, `2xx`, a list of these, or
    /// `{ not: 5xx }`.
    pub status: Option<StatusExpectation>,
    /// Checks on headers of the response, by name. Names are case-insensitive.
    pub headers: IndexMap<String, Matcher>,
    /// Checks on values of the JSON body, by JSONPath (RFC 9535).
    pub body: IndexMap<JsonPath, Matcher>,
    /// A JSON Schema file that the JSON body must match; the path is relative to this file.
    pub schema: Option<Spanned<PathBuf>>,
    /// The maximum duration of the last attempt, from its start to the end of the response.
    pub within: Option<DurationText>,
    /// The expected number of attempts: a number, or a range such as `1..3`.
    pub attempts: Option<CountRange>,
    /// How the delivery must end.
    pub outcome: Option<Outcome>,
    /// Require the same status, content type and body as in the first 2xx response to the same event.
    pub same_response: Option<bool>,
    /// How serious it is if these checks fail. Default: the scenario's level.
    pub level: Option<Level>,
    /// The source of this requirement. Default: the scenario's source.
    pub source: Option<String>,
}

impl Expectation {
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

#[derive(Debug, Clone, PartialEq)]
pub enum StatusExpectation {
    Any(Vec<StatusPattern>),
    Not(Vec<StatusPattern>),
}

impl StatusExpectation {
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

impl Written for StatusExpectation {
    const EXPECTED: &'static str = "`200`, `2xx`, a list of these, or `{ not: 5xx }`";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str(_) | Unexpected::Unsigned(_) => {
                Ok(Self::Any(vec![StatusPattern::from_scalar(scalar)?]))
            }
            _ => Err(E::invalid_type(scalar, &Self::EXPECTED)),
        }
    }

    fn from_list<'de, L: Deserializer<'de>>(list: L) -> Result<Self, L::Error> {
        match Vec::deserialize(list)? {
            patterns if patterns.is_empty() => Err(L::Error::invalid_length(0, &Self::EXPECTED)),
            patterns => Ok(Self::Any(patterns)),
        }
    }

    fn from_map<'de, M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum StatusKey {
            Not,
        }
        let Some(StatusKey::Not) = map.next_key()? else {
            return Err(M::Error::missing_field("not"));
        };
        let OneOrMany(patterns) = map.next_value()?;
        if patterns.is_empty() {
            let message = "`not` is an empty list, so any status would pass\n\
                           list the unexpected statuses, as in `{ not: 5xx }`";
            return Err(M::Error::custom(message));
        }
        match map.next_key()? {
            Some(StatusKey::Not) => Err(M::Error::duplicate_field("not")),
            None => Ok(Self::Not(patterns)),
        }
    }
}

deserialize_written!(StatusExpectation);

written_schema!(StatusExpectation, "StatusExpectation", |generator| {
    "description": "The expected statuses: `200`, `2xx`, a list of these, or `{ not: 5xx }`.",
    "anyOf": [
        generator.subschema_for::<StatusPattern>(),
        list_of_statuses(generator),
        {
            "type": "object",
            "properties": {
                "not": {
                    "description": "The unexpected statuses. Any other status passes.",
                    "anyOf": [
                        generator.subschema_for::<StatusPattern>(),
                        list_of_statuses(generator),
                    ]
                }
            },
            "required": ["not"],
            "additionalProperties": false
        }
    ]
});

fn list_of_statuses(generator: &mut SchemaGenerator) -> Schema {
    let items = generator.subschema_for::<StatusPattern>();
    json_schema!({ "type": "array", "items": items, "minItems": 1 })
}
