//! A profile's settings for snapshot reports: which parts of the responses they show.

use std::borrow::Cow;
use std::collections::BTreeMap;

use indexmap::IndexMap;
use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::JsonPath;

/// Which parts of the receiver's responses snapshot reports show. The reports must be the same in
/// every run.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotSettings {
    /// `JSONPath`s (RFC 9535) to values of responses that differ in each run, such as `$.id`. Reports
    /// show them as `[masked]`.
    #[serde(default)]
    pub mask: Vec<JsonPath>,
    /// Replacements for texts in responses that differ in each run, by regular expression. `$1` is
    /// replaced with the first group.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub replace: IndexMap<TextPattern, String>,
    /// Further response headers to show. `content-type`, `location` and `retry-after` are always
    /// shown if present.
    #[serde(default)]
    pub headers: Vec<String>,
}

/// A regular expression, compiled when the file is read.
#[derive(Debug, Clone)]
pub struct TextPattern(pub Regex);

impl PartialEq for TextPattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for TextPattern {}

impl std::hash::Hash for TextPattern {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.as_str().hash(state);
    }
}

impl<'de> Deserialize<'de> for TextPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pattern = Regex::new(&text).map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default();
            let message = format!("invalid regular expression `{text}`\n{reason}");
            de::Error::custom(message)
        })?;
        if pattern.is_match("") {
            let message = format!(
                "`{text}` matches the empty text\nwrite a regular expression that matches at least one character"
            );
            return Err(de::Error::custom(message));
        }
        Ok(Self(pattern))
    }
}

impl JsonSchema for TextPattern {
    fn schema_name() -> Cow<'static, str> {
        "TextPattern".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "regex" })
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::Config;
    use crate::scenario::document::SourceFile;

    fn parse(settings: &str) -> Result<Config, String> {
        let text = format!("profiles:\n  a:\n    snapshots: {settings}\n");
        Config::parse(&SourceFile::new("aghook.yaml", text)).map_err(|error| error.to_string())
    }

    #[test]
    fn invalid_settings_are_reported_when_they_are_read() {
        let config = parse(r#"{ mask: ["$.id"], headers: [etag], replace: { '\d+ s': "… s" } }"#);
        let settings = config.unwrap().profiles["a"].snapshots.clone();
        assert_eq!(settings.mask[0].to_string(), "$.id");
        assert_eq!(settings.replace.len(), 1);
        for (invalid, part) in [
            ("{ mask: [id] }", "invalid JSONPath `id`"),
            ("{ replace: { '(': x } }", "invalid regular expression `(`"),
            ("{ replace: { 'a*': x } }", "matches the empty text"),
            ("{ masks: [] }", "unknown key `masks`"),
        ] {
            let message = parse(invalid).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }
}
