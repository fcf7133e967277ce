//! Probes: requests or commands that read a number from the game.

use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
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
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(
    with = "String",
    description = "A method and a URL. `{player_id}` and `{sku}` are replaced.",
    extend("pattern" = "^[A-Z]+ +https?://")
)]
pub struct ProbeRequest {
    /// The HTTP method.
    pub method: String,
    /// The URL, in which `{player_id}` and `{sku}` are placeholders.
    pub url: String,
}

/// The placeholders allowed in a probe's URL and arguments.
pub(crate) const PLACEHOLDERS: [&str; 2] = ["player_id", "sku"];

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

/// Why a request or a command of a profile is invalid.
#[derive(Debug, thiserror::Error)]
pub enum InvalidHook {
    /// Both `http` and `command`, or neither.
    #[error("{0} needs exactly one of `http` and `command`")]
    OneSource(&'static str),
    /// Keys of a request next to a command.
    #[error("{0} belong to `http`, not to `command`")]
    KeysOfHttp(&'static str),
    /// A command without a program.
    #[error("`command` is empty\ngive a program and its arguments")]
    EmptyCommand,
    /// A request without a method.
    #[error("missing method before the URL\n{EXPECTED_REQUEST}")]
    NoMethod,
    /// A method that is not in capital letters.
    #[error("`{0}` is not an HTTP method\n{EXPECTED_REQUEST}")]
    InvalidMethod(String),
    /// A placeholder that is not allowed.
    #[error("unknown placeholder `{{{0}}}`\nknown placeholders: {{{known}}}", known = .1.join("}, {"))]
    UnknownPlaceholder(String, &'static [&'static str]),
    /// A placeholder in a restart.
    #[error("placeholders aren't allowed here: a restart affects the whole receiver")]
    PlaceholderInRestart,
}

const EXPECTED_REQUEST: &str =
    "expected a method and a URL, as in `GET http://127.0.0.1:8080/players/{player_id}`";

impl TryFrom<ProbeKeys> for Probe {
    type Error = InvalidHook;

    fn try_from(keys: ProbeKeys) -> Result<Self, InvalidHook> {
        let source = match (keys.http, keys.command) {
            (Some(request), None) => ProbeSource::Http {
                request,
                headers: keys.headers,
                read: keys.read.unwrap_or_else(JsonPath::root),
            },
            (None, Some(_)) if keys.read.is_some() || !keys.headers.is_empty() => {
                return Err(InvalidHook::KeysOfHttp("`read` and `headers`"));
            }
            (None, Some(command)) if command.is_empty() => return Err(InvalidHook::EmptyCommand),
            (None, Some(command)) => {
                for argument in &command {
                    check_placeholders(argument, &PLACEHOLDERS)?;
                }
                ProbeSource::Command(command)
            }
            _ => return Err(InvalidHook::OneSource("a probe")),
        };
        Ok(Self {
            source,
            missing: keys.missing,
            timeout: keys
                .timeout
                .unwrap_or(DurationText(Duration::from_secs(10))),
        })
    }
}

/// Rejects unknown placeholders. Braces around anything but a name are not placeholders.
fn check_placeholders(text: &str, known: &'static [&'static str]) -> Result<(), InvalidHook> {
    let names = text
        .split('{')
        .skip(1)
        .filter_map(|part| Some(part.split_once('}')?.0));
    for name in names {
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
        if is_name && !known.contains(&name) {
            return Err(InvalidHook::UnknownPlaceholder(name.to_owned(), known));
        }
    }
    Ok(())
}

impl ProbeRequest {
    fn parse(text: &str, placeholders: &'static [&'static str]) -> Result<Self, InvalidHook> {
        let (method, url) = text.split_once(' ').ok_or(InvalidHook::NoMethod)?;
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_method {
            return Err(InvalidHook::InvalidMethod(method.to_owned()));
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

impl TryFrom<String> for ProbeRequest {
    type Error = InvalidHook;

    fn try_from(text: String) -> Result<Self, InvalidHook> {
        Self::parse(&text, &PLACEHOLDERS)
    }
}
