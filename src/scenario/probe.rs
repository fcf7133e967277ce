//! Probes: requests or commands that read a number from the game.

use std::borrow::Cow;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use super::JsonPath;
use crate::policy::DurationText;

/// How to read a number from the game. Set exactly one of `http` and `command`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, try_from = "ProbeKeys")]
#[schemars(with = "ProbeKeys")]
pub struct Probe {
    /// The request or command.
    pub source: ProbeSource,
    /// The number to use if there is none: after a 404, or if the path selects nothing.
    pub missing: Option<i128>,
    /// The maximum duration of one reading.
    pub timeout: DurationText,
}

/// Where a probe's number comes from.
#[derive(Debug, Clone)]
pub enum ProbeSource {
    /// An HTTP request with a JSON response.
    Http {
        /// The method and URL.
        request: ProbeRequest,
        /// Headers to send. `$NAME` is replaced with an environment variable.
        headers: IndexMap<String, String>,
        /// The path to the number in the response.
        read: JsonPath,
    },
    /// A program that prints the number, and its arguments.
    Command(Vec<String>),
}

/// A method and a URL, such as `GET http://127.0.0.1:8080/players/{player_id}/items/{sku}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeRequest {
    /// The HTTP method.
    pub method: String,
    /// The URL, in which `{player_id}` and `{sku}` are placeholders.
    pub url: String,
}

/// The placeholders allowed in a probe's URL and arguments.
pub const PLACEHOLDERS: [&str; 2] = ["player_id", "sku"];

/// How to read a number from the game. Set exactly one of `http` and `command`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Probe")]
struct ProbeKeys {
    /// The method and URL, such as `GET http://127.0.0.1:8080/players/{player_id}/items/{sku}`.
    #[serde(default)]
    http: Option<ProbeRequest>,
    /// Headers of the request. `$NAME` is replaced with the environment variable `NAME`.
    #[serde(default)]
    headers: IndexMap<String, String>,
    /// The JSONPath (RFC 9535) to the number in the JSON response. Default: `$`.
    #[serde(default)]
    read: Option<JsonPath>,
    /// A program that prints the number, and its arguments. It runs without a shell. `{player_id}`
    /// and `{sku}` are replaced, and `$NAME` with the environment variable `NAME`.
    #[serde(default)]
    command: Option<Vec<String>>,
    /// The number to use if there is none: after a 404, or if `read` selects nothing. Default: the
    /// probe fails.
    #[serde(default)]
    missing: Option<i128>,
    /// The maximum duration of one reading. Default: 10s.
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
                    return Err("`command` is empty\ngive a program and its arguments".to_owned());
                }
                command
                    .iter()
                    .try_for_each(|argument| check_placeholders(argument, &PLACEHOLDERS))?;
                ProbeSource::Command(command)
            }
            _ => return Err("a probe needs exactly one of `http` and `command`".to_owned()),
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

/// Rejects unknown placeholders. Braces around anything but a name are not placeholders.
fn check_placeholders(text: &str, known: &[&str]) -> Result<(), String> {
    for part in text.split('{').skip(1) {
        let Some((name, _)) = part.split_once('}') else {
            continue;
        };
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
        if is_name && !known.contains(&name) {
            let known: Vec<String> = known.iter().map(|name| format!("{{{name}}}")).collect();
            return Err(format!(
                "unknown placeholder `{{{name}}}`\nknown placeholders: {}",
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
            return Err(format!("missing method before the URL\n{expected}"));
        };
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_method {
            return Err(format!("`{method}` is not an HTTP method\n{expected}"));
        }
        let url = url.trim();
        check_placeholders(url, placeholders)?;
        Ok(Self {
            method: method.to_owned(),
            url: url.to_owned(),
        })
    }

    /// Deserializes a request that may contain `{player_id}` but not `{sku}`.
    pub(super) fn for_player<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
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
            "description": "A method and a URL. `{player_id}` and `{sku}` are replaced."
        })
    }
}
