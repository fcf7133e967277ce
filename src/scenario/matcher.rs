//! Conditions on a value of a response.

use std::fmt;

use schemars::{Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::CountRange;
use super::document::did_you_mean;
use super::pattern::Pattern;
use crate::policy::written_schema;

/// Conditions on a value. All of them must hold. In a file, a plain value means `equals`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Value")]
pub struct Matcher {
    pub equals: Option<Value>,
    pub contains: Option<Value>,
    pub(crate) matches: Option<Pattern>,
    pub json_type: Option<JsonType>,
    pub absent: Option<bool>,
    pub length: Option<CountRange>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonType {
    Null,
    Boolean,
    Number,
    /// A number without a fraction.
    Integer,
    String,
    Array,
    Object,
}

impl JsonType {
    pub fn is_type_of(self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Boolean => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::Integer => {
                value.is_u64() || value.is_i64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
            }
            Self::String => value.is_string(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
        }
    }

    fn described(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Integer => "a whole number",
            Self::String => "text",
            Self::Array => "a list",
            Self::Object => "an object",
        }
    }
}

const KEYS: [&str; 6] = ["equals", "contains", "matches", "type", "absent", "length"];

impl Matcher {
    pub fn equal_to(value: Value) -> Self {
        Self {
            equals: Some(value),
            ..Self::default()
        }
    }

    fn from_keys(mut keys: Map<String, Value>) -> Result<Self, String> {
        fn take<T: DeserializeOwned>(
            keys: &mut Map<String, Value>,
            key: &str,
        ) -> Result<Option<T>, String> {
            let value = keys.remove(key).map(serde_json::from_value).transpose();
            value.map_err(|error| format!("`{key}`: {error}"))
        }
        if let Some(unknown) = keys.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let (question, known) = (did_you_mean(unknown, KEYS), KEYS.join(", "));
            return Err(format!(
                "unknown key `{unknown}` in a matcher\n{question}known keys: {known}; to compare with \
                 an object, write `equals: {{ … }}`",
            ));
        }
        let pattern = take(&mut keys, "matches")?;
        Ok(Self {
            equals: keys.remove("equals"),
            contains: keys.remove("contains"),
            matches: pattern
                .map(|pattern: String| Pattern::new(&pattern))
                .transpose()?,
            json_type: take(&mut keys, "type")?,
            absent: take(&mut keys, "absent")?,
            length: take(&mut keys, "length")?,
        })
    }
}

impl TryFrom<Value> for Matcher {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        match value {
            Value::Object(keys) if !keys.is_empty() => Self::from_keys(keys),
            value => Ok(Self::equal_to(value)),
        }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conditions = [
            self.equals.as_ref().map(Value::to_string),
            self.contains
                .as_ref()
                .map(|part| format!("contains {part}")),
            self.matches
                .as_ref()
                .map(|pattern| format!("matches /{pattern}/")),
            self.json_type
                .map(|json_type| format!("is {}", json_type.described())),
            self.absent
                .map(|absent| if absent { "is absent" } else { "is present" }.to_owned()),
            self.length.map(|length| format!("has length {length}")),
        ];
        let conditions: Vec<String> = conditions.into_iter().flatten().collect();
        formatter.write_str(&conditions.join(" and "))
    }
}

written_schema!(Matcher, "Matcher", |generator| {
    "description": "An expected value, or conditions that the value must all meet.",
    "anyOf": [
        { "type": ["null", "boolean", "number", "string", "array"] },
        {
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "equals": {
                    "description": "The value equals this one. Numbers are compared by value, so `1` \
                        equals `1.0`."
                },
                "contains": {
                    "description": "The text contains this text, the list this value, or the object \
                        these entries."
                },
                "matches": {
                    "type": "string",
                    "format": "regex",
                    "description": "Part of the text matches this regular expression."
                },
                "type": {
                    "enum": ["null", "boolean", "number", "integer", "string", "array", "object"],
                    "description": "The value has this JSON type."
                },
                "absent": {
                    "type": "boolean",
                    "description": "`true`: the value must be absent; `false`: it must be present."
                },
                "length": length_schema(generator)
            }
        }
    ]
});

fn length_schema(generator: &mut SchemaGenerator) -> Schema {
    let mut length = generator.subschema_for::<CountRange>();
    let description =
        "The length of the text, list or object: a number, or a range such as `1..3`.";
    length.insert("description".to_owned(), description.into());
    length
}
