//! What a profile says about snapshot reports: what of a receiver's answers is shown in them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use indexmap::IndexMap;
use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::JsonPath;

/// What of a receiver's answers is shown in snapshot reports, which must be the same in each run.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotSettings {
    /// Paths (JSONPath, RFC 9535) to values of answers that are others in each run, such as `$.id`. They
    /// stand as `[masked]`.
    #[serde(default)]
    pub mask: Vec<JsonPath>,
    /// Regular expressions, and what is shown in place of a text of an answer that matches: for
    /// what changes within a text. `$1` stands for the first group.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub replace: IndexMap<TextPattern, String>,
    /// Headers of answers that are shown as well. `content-type`, `location` and `retry-after` are
    /// always shown, where an answer has them.
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
            let message = format!("not a regular expression: `{text}`\n{reason}");
            de::Error::custom(message)
        })?;
        if pattern.is_match("") {
            let message =
                format!("`{text}` matches everywhere\nwrite one that matches at least a character");
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
    fn settings_are_checked_when_they_are_read() {
        let config = parse(r#"{ mask: ["$.id"], headers: [etag], replace: { '\d+ s': "… s" } }"#);
        let settings = config.unwrap().profiles["a"].snapshots.clone();
        assert_eq!(settings.mask[0].to_string(), "$.id");
        assert_eq!(settings.replace.len(), 1);
        for (wrong, part) in [
            ("{ mask: [id] }", "not a JSONPath"),
            ("{ replace: { '(': x } }", "not a regular expression"),
            ("{ replace: { 'a*': x } }", "matches everywhere"),
            ("{ masks: [] }", "unknown key `masks`"),
        ] {
            let told = parse(wrong).unwrap_err();
            assert!(told.contains(part), "{told}");
        }
    }
}
