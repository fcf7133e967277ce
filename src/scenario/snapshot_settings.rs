//! A profile's settings for snapshot reports: which parts of the responses they show.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::JsonPath;

/// Which parts of the receiver's responses snapshot reports show. The reports must be the same in
/// every run.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SnapshotSettings {
    /// `JSONPath`s (RFC 9535) to values of responses that differ in each run, such as `$.id`. Reports
    /// show them as `[masked]`.
    pub mask: Vec<JsonPath>,
    /// Replacements for texts in responses that differ in each run, by regular expression. `$1` is
    /// replaced with the first group.
    #[schemars(with = "BTreeMap<String, String>")]
    pub replace: IndexMap<TextPattern, String>,
    /// Further response headers to show. `content-type`, `location` and `retry-after` are always
    /// shown if present.
    pub headers: Vec<String>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String", description = "", extend("format" = "regex"))]
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

impl TryFrom<String> for TextPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match Regex::new(&text) {
            Ok(pattern) if pattern.is_match("") => Err(format!(
                "`{text}` matches the empty text\n\
                 write a regular expression that matches at least one character"
            )),
            Ok(pattern) => Ok(Self(pattern)),
            Err(error) => {
                // The last line of the library's message is the reason.
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default();
                Err(format!("invalid regular expression `{text}`\n{reason}"))
            }
        }
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
