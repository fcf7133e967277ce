//! Paths into JSON: JSONPath for queries on responses, JSON Pointer for values of events.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// An RFC 9535 JSONPath, parsed when the file is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    path: serde_json_path::JsonPath,
    text: String,
}

impl JsonPath {
    /// Parses a path such as `$.items[0].quantity`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match serde_json_path::JsonPath::parse(text) {
            Ok(path) => Ok(Self {
                path,
                text: text.to_owned(),
            }),
            Err(error) => Err(format!(
                "invalid JSONPath `{text}`: {error}\n\
                 a path starts with `$` (RFC 9535), as in `$.items[0].quantity`"
            )),
        }
    }

    /// All values in `json` that the path selects.
    pub fn query<'json>(&self, json: &'json Value) -> Vec<&'json Value> {
        self.path.query(json).all()
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl std::hash::Hash for JsonPath {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<'de> Deserialize<'de> for JsonPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl JsonSchema for JsonPath {
    fn schema_name() -> Cow<'static, str> {
        "JsonPath".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^\$",
            "description": "An RFC 9535 JSONPath, such as `$.items[0].quantity`."
        })
    }
}

/// An RFC 6901 JSON Pointer to a value in an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JsonPointer(String);

impl JsonPointer {
    /// The pointer as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Parses a pointer such as `/event_data/item/sku`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "invalid JSON Pointer `{text}`\n\
             a pointer starts with `/` (RFC 6901), as in `/event_data/item/sku`"
        ))
    }

    /// Sets the value at this pointer. The parent must exist; `-` appends to a list.
    pub fn set(&self, json: &mut Value, value: Value) -> Result<(), String> {
        let (parent, last) = self.parent(json)?;
        match parent {
            Value::Object(object) => {
                object.insert(last, value);
                Ok(())
            }
            Value::Array(items) if last == "-" => {
                items.push(value);
                Ok(())
            }
            Value::Array(items) => {
                match last.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                    Some(item) => {
                        *item = value;
                        Ok(())
                    }
                    None => Err(format!("the event has no value at `{}`", self.0)),
                }
            }
            _ => Err(format!(
                "the parent of `{}` is neither an object nor a list",
                self.0
            )),
        }
    }

    /// Removes the value at this pointer.
    pub fn remove(&self, json: &mut Value) -> Result<(), String> {
        let (parent, last) = self.parent(json)?;
        let removed = match parent {
            Value::Object(object) => object.shift_remove(&last).is_some(),
            Value::Array(items) => match last.parse::<usize>() {
                Ok(index) if index < items.len() => {
                    items.remove(index);
                    true
                }
                _ => false,
            },
            _ => false,
        };
        if removed {
            Ok(())
        } else {
            Err(format!("the event has no value at `{}`", self.0))
        }
    }

    /// The parent of the value at this pointer, and the unescaped last token.
    fn parent<'json>(&self, json: &'json mut Value) -> Result<(&'json mut Value, String), String> {
        let (parent, last) = self.0.rsplit_once('/').unwrap_or(("", &self.0));
        match json.pointer_mut(parent) {
            Some(value) => Ok((value, last.replace("~1", "/").replace("~0", "~"))),
            None => Err(format!("the event has no value at `{parent}`")),
        }
    }
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for JsonPointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl JsonSchema for JsonPointer {
    fn schema_name() -> Cow<'static, str> {
        "JsonPointer".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^/",
            "description": "An RFC 6901 JSON Pointer, such as `/event_data/item/sku`."
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointer(text: &str) -> JsonPointer {
        JsonPointer::parse(text).expect("a pointer")
    }

    #[test]
    fn a_pointer_sets_and_removes() {
        let mut json = json!({ "a": { "b~/": [1, 2] } });
        pointer("/a/b~0~1/1").set(&mut json, json!("x")).unwrap();
        pointer("/a/b~0~1/-").set(&mut json, json!(null)).unwrap();
        pointer("/c").set(&mut json, json!({})).unwrap();
        assert_eq!(json, json!({ "a": { "b~/": [1, "x", null] }, "c": {} }));
        pointer("/a/b~0~1/0").remove(&mut json).unwrap();
        pointer("/c").remove(&mut json).unwrap();
        assert_eq!(json, json!({ "a": { "b~/": ["x", null] } }));
    }

    #[test]
    fn a_pointer_to_a_missing_value_is_an_error() {
        let mut json = json!({ "a": 1 });
        assert!(
            pointer("/x/y")
                .set(&mut json, json!(1))
                .unwrap_err()
                .contains("`/x`")
        );
        assert!(pointer("/a/y").set(&mut json, json!(1)).is_err());
        assert!(pointer("/x").remove(&mut json).is_err());
        assert!(JsonPointer::parse("a").is_err());
    }

    #[test]
    fn an_invalid_path_says_why() {
        let error = JsonPath::parse("$.items[").unwrap_err();
        assert!(
            error.contains("$.items[") && error.contains("RFC 9535"),
            "{error}"
        );
    }
}
