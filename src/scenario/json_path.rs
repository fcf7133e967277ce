//! Paths into JSON: JSONPath for queries on responses, JSON Pointer for values of events.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(
    with = "String",
    description = "An RFC 9535 JSONPath, such as `$.items[0].quantity`.",
    extend("pattern" = r"^\$")
)]
pub struct JsonPath {
    path: serde_json_path::JsonPath,
    text: String,
}

impl JsonPath {
    /// Parses a path such as `$.items[0].quantity`.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.to_owned().try_into()
    }

    pub fn query<'json>(&self, json: &'json Value) -> Vec<&'json Value> {
        self.path.query(json).all()
    }
}

/// The most brackets and parentheses within each other. Parsing takes several times as long for each.
const NESTING_LIMIT: usize = 6;

/// The most parts of a path that select several values. Each can multiply how many values are selected.
const BRANCHING_LIMIT: usize = 5;

/// How many brackets and parentheses are within each other, and how many parts select several values, where
/// `..` counts twice. What is in quotation marks does not count.
fn costs(path: &str) -> (usize, usize) {
    let (mut depth, mut deepest, mut branching) = (0_usize, 0, 0);
    let mut quote = None;
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', Some(_)) => _ = characters.next(),
            (_, Some(end)) => quote = quote.filter(|_| character != end),
            ('\'' | '"', None) => quote = Some(character),
            ('[' | '(', None) => depth += 1,
            (']' | ')', None) => depth = depth.saturating_sub(1),
            ('*' | '?' | ',' | ':', None) => branching += 1,
            ('.', None) if characters.as_str().starts_with('.') => branching += 2,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    (deepest, branching)
}

impl TryFrom<String> for JsonPath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (nesting, branching) = costs(&text);
        if nesting > NESTING_LIMIT {
            return Err(format!(
                "invalid JSONPath `{text}`: more than {NESTING_LIMIT} brackets and parentheses within \
                 each other\n\
                 select a part of the value, and check it with a matcher"
            ));
        }
        if branching > BRANCHING_LIMIT {
            return Err(format!(
                "invalid JSONPath `{text}`: more than {BRANCHING_LIMIT} wildcards, filters, slices, commas and \
                 `..`, which count twice\n\
                 name more of the keys, as in `$.items[*].sku`"
            ));
        }
        match serde_json_path::JsonPath::parse(&text) {
            Ok(path) => Ok(Self { path, text }),
            Err(reason) => Err(format!(
                "invalid JSONPath `{text}`: {reason}\n\
                 a path starts with `$` (RFC 9535), as in `$.items[0].quantity`"
            )),
        }
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(
    with = "String",
    description = "An RFC 6901 JSON Pointer, such as `/event_data/item/sku`.",
    extend("pattern" = "^/")
)]
pub struct JsonPointer(String);

/// Why a pointer is invalid or can't be applied to an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonPointerError(String);

impl JsonPointerError {
    fn no_value_at(pointer: &str) -> Self {
        Self(format!("the event has no value at `{pointer}`"))
    }
}

impl JsonPointer {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Sets the value at this pointer. The parent must exist; `-` appends to a list.
    pub fn set(&self, json: &mut Value, value: Value) -> Result<(), JsonPointerError> {
        let (parent, last) = self.parent(json)?;
        match parent {
            Value::Object(object) => _ = object.insert(last, value),
            Value::Array(items) if last == "-" => items.push(value),
            Value::Array(items) => {
                let item = index(&last).and_then(|index| items.get_mut(index));
                *item.ok_or_else(|| JsonPointerError::no_value_at(&self.0))? = value;
            }
            _ => {
                let reason = format!("the parent of `{self}` is neither an object nor a list");
                return Err(JsonPointerError(reason));
            }
        }
        Ok(())
    }

    /// The value at this pointer, as text if it is a scalar; `None` if there is none, or it is an object
    /// or a list.
    pub fn text_in(&self, json: &Value) -> Option<String> {
        match json.pointer(&self.0)? {
            Value::String(text) => Some(text.clone()),
            Value::Object(_) | Value::Array(_) => None,
            scalar => Some(scalar.to_string()),
        }
    }

    pub fn remove(&self, json: &mut Value) -> Result<(), JsonPointerError> {
        let (parent, last) = self.parent(json)?;
        let removed = match parent {
            Value::Object(object) => object.shift_remove(&last),
            Value::Array(items) => {
                let index = index(&last).filter(|index| *index < items.len());
                index.map(|index| items.remove(index))
            }
            _ => None,
        };
        removed
            .map(drop)
            .ok_or_else(|| JsonPointerError::no_value_at(&self.0))
    }

    /// The parent of the value at this pointer, and the unescaped last token.
    fn parent<'json>(
        &self,
        json: &'json mut Value,
    ) -> Result<(&'json mut Value, String), JsonPointerError> {
        let (parent, last) = self.0.rsplit_once('/').unwrap_or(("", &self.0));
        match json.pointer_mut(parent) {
            Some(value) => Ok((value, last.replace("~1", "/").replace("~0", "~"))),
            None => Err(JsonPointerError::no_value_at(parent)),
        }
    }
}

/// The index in a list that a token means: digits without a leading zero (RFC 6901).
fn index(token: &str) -> Option<usize> {
    let is_index = token == "0" || !token.starts_with(['0', '+']);
    token.parse().ok().filter(|_| is_index)
}

impl TryFrom<String> for JsonPointer {
    type Error = JsonPointerError;

    fn try_from(text: String) -> Result<Self, JsonPointerError> {
        if text.starts_with('/') {
            Ok(Self(text))
        } else {
            Err(JsonPointerError(format!(
                "invalid JSON Pointer `{text}`\n\
                 a pointer starts with `/` (RFC 6901), as in `/event_data/item/sku`"
            )))
        }
    }
}

impl FromStr for JsonPointer {
    type Err = JsonPointerError;

    fn from_str(text: &str) -> Result<Self, JsonPointerError> {
        text.to_owned().try_into()
    }
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointer(text: &str) -> JsonPointer {
        text.parse().expect("a pointer")
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
                .to_string()
                .contains("`/x`")
        );
        assert!(pointer("/a/y").set(&mut json, json!(1)).is_err());
        assert!(pointer("/x").remove(&mut json).is_err());
        let mut list = json!([0, 1]);
        for index in ["/01", "/+1", "/00"] {
            assert!(pointer(index).set(&mut list, json!(1)).is_err(), "{index}");
            assert!(pointer(index).remove(&mut list).is_err(), "{index}");
        }
        assert!("a".parse::<JsonPointer>().is_err());
    }

    #[test]
    fn a_path_that_could_select_too_much_is_refused() {
        for path in [
            "$..*..*",
            "$[*,*][*,*]",
            "$.a[*].b[*].c[*].d[*].e[*].f[*]",
            "$..a..b[?@.c]..d",
        ] {
            let error = JsonPath::parse(path).expect_err(path);
            assert!(error.contains("more than 5 wildcards"), "{error}");
        }
        for path in [
            "$..a..b[*]",
            "$['a,b:c?*', 'd']..e",
            "$[?@.a == 1 && @.b == '..'].c[0:2]",
        ] {
            JsonPath::parse(path).expect(path);
        }
    }

    #[test]
    fn a_path_that_would_take_too_long_to_parse_is_refused() {
        for part in ["[?$", "[?(", "[?length(", "[?!("] {
            let error = JsonPath::parse(&format!("${}", part.repeat(30))).unwrap_err();
            assert!(error.contains("within each other"), "{error}");
        }
        let in_quotes = format!("$['{}', \"{0}\\\"[\"]", "(".repeat(30));
        assert!(JsonPath::parse(&in_quotes).is_ok(), "{in_quotes}");
        assert!(JsonPath::parse("$[?count(@[?length(@.a) > 1]) > 2]").is_ok());
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
