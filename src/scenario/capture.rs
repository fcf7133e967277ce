//! Values that a step captures from a response, and the texts that use them later: `${captured.name}`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Unexpected};
use serde_json::{Value, json};

use super::JsonPath;
use crate::policy::{Written, deserialize_written, written_schema};

/// Where a captured value is in a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaptureSource {
    /// In the JSON body.
    Body(JsonPath),
    /// The first header of this name.
    Header(String),
}

/// A header of the response.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CapturedHeader {
    /// The header's name, in any case.
    header: String,
}

impl Written for CaptureSource {
    const EXPECTED: &'static str = "a JSONPath such as `$.receipt_id`, or `{ header: NAME }`";

    fn from_scalar<E: de::Error>(scalar: Unexpected<'_>) -> Result<Self, E> {
        match scalar {
            Unexpected::Str(text) => JsonPath::parse(text).map(Self::Body).map_err(E::custom),
            other => Err(E::invalid_type(other, &Self::EXPECTED)),
        }
    }

    fn from_map<'de, M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        let captured = CapturedHeader::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Self::Header(captured.header))
    }
}

deserialize_written!(CaptureSource);

written_schema!(CaptureSource, "CaptureSource", |generator| {
    "description": "A JSONPath (RFC 9535) into the JSON body, or `{ header: NAME }`.",
    "anyOf": [
        generator.subschema_for::<JsonPath>(),
        generator.subschema_for::<CapturedHeader>(),
    ],
});

impl fmt::Display for CaptureSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(path) => write!(formatter, "at {path}"),
            Self::Header(name) => write!(formatter, "in the header {name}"),
        }
    }
}

/// Captured values by their names.
pub(crate) type CapturedValues = BTreeMap<String, String>;

/// The parts of a text: plain text, and the names of captured values.
enum TextPart<'text> {
    Plain(&'text str),
    Captured(&'text str),
}

fn parts(mut rest: &str) -> impl Iterator<Item = TextPart<'_>> {
    std::iter::from_fn(move || {
        if let Some(name) = rest.strip_prefix("${captured.")
            && let Some((name, after)) = name.split_once('}')
        {
            rest = after;
            return Some(TextPart::Captured(name));
        }
        let skipped = rest.chars().next()?.len_utf8();
        let next = rest[skipped..].find("${captured.");
        let (plain, after) = rest.split_at(next.map_or(rest.len(), |next| next + skipped));
        rest = after;
        Some(TextPart::Plain(plain))
    })
}

/// The names of the captured values that a text uses.
pub(crate) fn captured_names(text: &str) -> impl Iterator<Item = &str> {
    parts(text).filter_map(|part| match part {
        TextPart::Captured(name) => Some(name),
        TextPart::Plain(_) => None,
    })
}

/// Inserts captured values into a text, encoded unless the text is nothing but one of them.
pub(crate) fn insert_captured(
    text: &str,
    values: &CapturedValues,
    encode: impl Fn(&str) -> String,
) -> String {
    let is_alone = parts(text).count() == 1;
    let parts = parts(text).map(|part| match part {
        TextPart::Plain(plain) => plain.to_owned(),
        TextPart::Captured(name) => {
            let value = values.get(name).map_or("", String::as_str);
            if is_alone {
                value.to_owned()
            } else {
                encode(value)
            }
        }
    });
    parts.collect()
}

/// Inserts captured values into all texts of a JSON value.
pub(crate) fn insert_captured_in_json(json: &Value, values: &CapturedValues) -> Value {
    match json {
        Value::String(text) => json!(insert_captured(text, values, str::to_owned)),
        Value::Array(items) => items
            .iter()
            .map(|item| insert_captured_in_json(item, values))
            .collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), insert_captured_in_json(value, values)))
            .collect(),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_inserted_and_encoded_unless_they_are_the_whole_text() {
        let values = [("id".to_owned(), "a/b".to_owned())].into();
        let inserted =
            |text: &str| insert_captured(text, &values, |value| value.replace('/', "%2F"));
        assert_eq!(
            inserted("/x/${captured.id}?${captured.id}"),
            "/x/a%2Fb?a%2Fb"
        );
        assert_eq!(inserted("${captured.id}"), "a/b");
        assert_eq!(inserted("${captured.id"), "${captured.id");
        assert_eq!(inserted(""), "");
        let body = json!({ "a": ["é ${captured.id}", 1, null] });
        let filled = insert_captured_in_json(&body, &values);
        assert_eq!(filled, json!({ "a": ["é a/b", 1, null] }));
    }
}
