//! How an effect is seen: a request or a command that tells a number.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::{DurationText, JsonPath};

/// Where the number of a probe comes from: exactly one of `http` and `command`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, try_from = "ProbeKeys")]
#[schemars(with = "ProbeKeys")]
pub struct Probe {
    /// What is asked.
    pub source: ProbeSource,
    /// The number to take where there is none: a 404, or a path that selects nothing.
    pub missing: Option<i128>,
    /// The longest that one reading may take.
    pub timeout: DurationText,
}

/// What is asked for the number.
#[derive(Debug, Clone)]
pub enum ProbeSource {
    /// An HTTP request and the place of the number in its JSON answer.
    Http {
        /// The method and URL.
        request: ProbeRequest,
        /// Headers to send; `$NAME` stands for an environment variable.
        headers: IndexMap<String, String>,
        /// Where the number stands.
        read: JsonPath,
    },
    /// A program and its arguments; it prints the number.
    Command(Vec<String>),
}

/// `GET http://127.0.0.1:8080/players/{player_id}/items/{sku}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeRequest {
    /// The method.
    pub method: String,
    /// The URL with its `{player_id}` and `{sku}`.
    pub url: String,
}

/// The placeholders that a probe's URL or arguments may hold.
pub const PLACEHOLDERS: [&str; 2] = ["player_id", "sku"];

/// Where the number of a probe comes from: exactly one of `http` and `command`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Probe")]
struct ProbeKeys {
    /// Method and URL, such as `GET http://127.0.0.1:8080/players/{player_id}/items/{sku}`.
    #[serde(default)]
    http: Option<ProbeRequest>,
    /// Headers of the request. `$NAME` stands for an environment variable.
    #[serde(default)]
    headers: IndexMap<String, String>,
    /// Where the number stands in the JSON answer; left out, `$`.
    #[serde(default)]
    read: Option<JsonPath>,
    /// A program and its arguments, passed as they are and never through a shell. It prints the
    /// number. `{player_id}` and `{sku}` are replaced; `$NAME` stands for an environment variable.
    #[serde(default)]
    command: Option<Vec<String>>,
    /// The number to take where there is none: a 404, or a path that selects nothing. Left out,
    /// that is an error of the probe.
    #[serde(default)]
    missing: Option<i128>,
    /// The longest that one reading may take; left out, 10s.
    #[serde(default)]
    timeout: Option<DurationText>,
}

impl TryFrom<ProbeKeys> for Probe {
    type Error = String;

    fn try_from(keys: ProbeKeys) -> Result<Self, String> {
        let source = match (keys.http, keys.command) {
            (Some(request), None) => {
                let read = match keys.read {
                    Some(path) => path,
                    None => JsonPath::parse("$")?,
                };
                ProbeSource::Http {
                    request,
                    headers: keys.headers,
                    read,
                }
            }
            (None, Some(command)) => {
                if keys.read.is_some() || !keys.headers.is_empty() {
                    return Err(
                        "`read` and `headers` belong to `http`, not to `command`".to_owned()
                    );
                }
                if command.is_empty() {
                    return Err("`command` is empty\nname a program and its arguments".to_owned());
                }
                command
                    .iter()
                    .try_for_each(|argument| check_placeholders(argument, &PLACEHOLDERS))?;
                ProbeSource::Command(command)
            }
            _ => return Err("a probe has exactly one of `http` and `command`".to_owned()),
        };
        let timeout = keys
            .timeout
            .unwrap_or(DurationText(std::time::Duration::from_secs(10)));
        Ok(Self {
            source,
            missing: keys.missing,
            timeout,
        })
    }
}

/// Refuses `{names}` other than the known ones. Braces around anything else are left alone.
fn check_placeholders(text: &str, known: &[&str]) -> Result<(), String> {
    for part in text.split('{').skip(1) {
        let Some((name, _)) = part.split_once('}') else {
            continue;
        };
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
        if is_name && !known.contains(&name) {
            let known: Vec<String> = known.iter().map(|name| format!("{{{name}}}")).collect();
            return Err(format!(
                "unknown placeholder `{{{name}}}`\nknown here: {}",
                known.join(", ")
            ));
        }
    }
    Ok(())
}

impl ProbeRequest {
    fn parse(text: &str, placeholders: &[&str]) -> Result<Self, String> {
        let expected =
            "expected a method and a URL, as in `GET http://127.0.0.1:8080/players/{player_id}`";
        let Some((method, url)) = text.split_once(' ') else {
            return Err(format!("there is no method before the URL\n{expected}"));
        };
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_method {
            return Err(format!("`{method}` is not a method\n{expected}"));
        }
        let url = url.trim();
        check_placeholders(url, placeholders)?;
        Ok(Self {
            method: method.to_owned(),
            url: url.to_owned(),
        })
    }

    /// Reads a request about a player and no item, such as that of a `script` hook.
    pub(super) fn about_a_player<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text, &["player_id"]).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for ProbeRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text, &PLACEHOLDERS).map_err(de::Error::custom)
    }
}

impl JsonSchema for ProbeRequest {
    fn schema_name() -> Cow<'static, str> {
        "ProbeRequest".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^[A-Z]+ +https?://",
            "description": "A method and a URL; `{player_id}` and `{sku}` are replaced."
        })
    }
}
