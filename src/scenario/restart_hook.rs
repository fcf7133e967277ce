//! How to restart the receiver during a scenario: a request or a command in the profile.

use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::ProbeRequest;
use super::probe::InvalidHook;
use crate::policy::DurationText;

/// How to restart the receiver. Set exactly one of `http` and `command`. Afterwards, aghook waits
/// until the target accepts connections again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, try_from = "RestartKeys")]
#[schemars(with = "RestartKeys")]
pub struct RestartHook {
    /// The request or command.
    pub source: RestartSource,
    /// The maximum time until the target accepts connections again.
    pub timeout: DurationText,
}

/// What restarts a receiver.
#[derive(Debug, Clone)]
pub enum RestartSource {
    /// A request, which must be answered 2xx.
    Http {
        /// The method and URL.
        request: ProbeRequest,
        /// Headers to send. `$NAME` is replaced with an environment variable.
        headers: IndexMap<String, String>,
    },
    /// A program and its arguments. It must exit with 0 once the old process has ended.
    Command(Vec<String>),
}

/// How to restart the receiver. Set exactly one of `http` and `command`. Afterwards, aghook waits
/// until the target accepts connections again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RestartHook")]
struct RestartKeys {
    /// The method and URL, such as `POST http://127.0.0.1:8080/debug/restart`. The response must be
    /// 2xx.
    #[serde(default)]
    http: Option<ProbeRequest>,
    /// Headers of the request. `$NAME` is replaced with the environment variable `NAME`.
    #[serde(default)]
    headers: IndexMap<String, String>,
    /// A program and its arguments. It runs without a shell and must exit with 0 once the old process
    /// has ended. `$NAME` is replaced with the environment variable `NAME`.
    #[serde(default)]
    command: Option<Vec<String>>,
    /// The maximum time until the target accepts connections again. Default: 30s.
    #[serde(default)]
    timeout: Option<DurationText>,
}

impl TryFrom<RestartKeys> for RestartHook {
    type Error = InvalidHook;

    fn try_from(keys: RestartKeys) -> Result<Self, InvalidHook> {
        let source = match (keys.http, keys.command) {
            (Some(request), None) if request.url.contains(['{', '}']) => {
                return Err(InvalidHook::PlaceholderInRestart);
            }
            (Some(request), None) => RestartSource::Http {
                request,
                headers: keys.headers,
            },
            (None, Some(_)) if !keys.headers.is_empty() => {
                return Err(InvalidHook::KeysOfHttp("`headers`"));
            }
            (None, Some(command)) if command.is_empty() => return Err(InvalidHook::EmptyCommand),
            (None, Some(command)) => RestartSource::Command(command),
            _ => return Err(InvalidHook::OneSource("`restart`")),
        };
        let timeout = keys
            .timeout
            .unwrap_or(DurationText(Duration::from_secs(30)));
        Ok(Self { source, timeout })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::super::document::SourceFile;
    use super::*;

    fn hook(keys: &str) -> Result<RestartHook, String> {
        let text = format!("profiles: {{ a: {{ restart: {{ {keys} }} }} }}");
        let config = Config::parse(&SourceFile::new("aghook.yaml", text));
        let config = config.map_err(|problems| problems.to_string())?;
        Ok(config.profiles["a"].restart.clone().expect("given"))
    }

    #[test]
    fn a_hook_is_a_request_or_a_command() {
        let by_http = hook("http: POST http://127.0.0.1:8080/debug/restart").unwrap();
        assert!(matches!(by_http.source, RestartSource::Http { .. }));
        assert_eq!(by_http.timeout.0, Duration::from_secs(30));
        let by_command = hook("command: [docker, restart, game], timeout: 2m").unwrap();
        assert!(matches!(by_command.source, RestartSource::Command(_)));
        assert_eq!(by_command.timeout.0, Duration::from_mins(2));
    }

    #[test]
    fn mistakes_are_reported() {
        for (keys, expected) in [
            ("", "exactly one of `http` and `command`"),
            (
                "http: POST http://127.0.0.1/r, command: [a]",
                "exactly one of",
            ),
            ("command: []", "`command` is empty"),
            ("command: [a], headers: { A: b }", "`headers` belong to"),
            (
                "\"http\": \"POST http://127.0.0.1/{player_id}\"",
                "placeholders aren't allowed here",
            ),
            ("comand: [a]", "unknown key `comand`"),
        ] {
            let problem = hook(keys).unwrap_err();
            assert!(problem.contains(expected), "{keys}: {problem}");
        }
    }
}
