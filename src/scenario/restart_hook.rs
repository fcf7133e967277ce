//! How the receiver is restarted in the middle of a scenario: a request or a command of the profile.

use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{DurationText, ProbeRequest};

/// Restarts the receiver: exactly one of `http` and `command`. Then aghook waits until the target
/// takes connections again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, try_from = "RestartKeys")]
#[schemars(with = "RestartKeys")]
pub struct RestartHook {
    /// What restarts it.
    pub source: RestartSource,
    /// The longest that the restart may take, until the target takes connections again.
    pub timeout: DurationText,
}

/// What restarts a receiver.
#[derive(Debug, Clone)]
pub enum RestartSource {
    /// A request, answered 2xx.
    Http {
        /// The method and URL.
        request: ProbeRequest,
        /// Headers to send; `$NAME` stands for an environment variable.
        headers: IndexMap<String, String>,
    },
    /// A program and its arguments; it ends with 0 once the old process is gone.
    Command(Vec<String>),
}

/// Restarts the receiver: exactly one of `http` and `command`. Then aghook waits until the target
/// takes connections again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RestartHook")]
struct RestartKeys {
    /// Method and URL, such as `POST http://127.0.0.1:8080/debug/restart`. It answers 2xx.
    #[serde(default)]
    http: Option<ProbeRequest>,
    /// Headers of the request. `$NAME` stands for an environment variable.
    #[serde(default)]
    headers: IndexMap<String, String>,
    /// A program and its arguments, passed as they are and never through a shell. It ends with 0
    /// once the old process is gone. `$NAME` stands for an environment variable.
    #[serde(default)]
    command: Option<Vec<String>>,
    /// The longest that the restart may take, until the target takes connections again; left out,
    /// 30s.
    #[serde(default)]
    timeout: Option<DurationText>,
}

impl TryFrom<RestartKeys> for RestartHook {
    type Error = String;

    fn try_from(keys: RestartKeys) -> Result<Self, String> {
        let source = match (keys.http, keys.command) {
            (Some(request), None) => {
                if request.url.contains(['{', '}']) {
                    return Err(
                        "nothing stands for `{names}` here: a restart is of the whole receiver"
                            .to_owned(),
                    );
                }
                RestartSource::Http {
                    request,
                    headers: keys.headers,
                }
            }
            (None, Some(_)) if !keys.headers.is_empty() => {
                return Err("`headers` belong to `http`, not to `command`".to_owned());
            }
            (None, Some(command)) if command.is_empty() => {
                return Err("`command` is empty\nname a program and its arguments".to_owned());
            }
            (None, Some(command)) => RestartSource::Command(command),
            _ => return Err("`restart` has exactly one of `http` and `command`".to_owned()),
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
    fn it_is_a_request_or_a_command() {
        let by_http = hook("http: POST http://127.0.0.1:8080/debug/restart").unwrap();
        assert!(matches!(by_http.source, RestartSource::Http { .. }));
        assert_eq!(by_http.timeout.0, Duration::from_secs(30));
        let by_command = hook("command: [docker, restart, game], timeout: 2m").unwrap();
        assert!(matches!(by_command.source, RestartSource::Command(_)));
        assert_eq!(by_command.timeout.0, Duration::from_mins(2));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (keys, told) in [
            ("", "exactly one of `http` and `command`"),
            (
                "http: POST http://127.0.0.1/r, command: [a]",
                "exactly one of",
            ),
            ("command: []", "`command` is empty"),
            ("command: [a], headers: { A: b }", "`headers` belong to"),
            (
                "\"http\": \"POST http://127.0.0.1/{player_id}\"",
                "nothing stands for",
            ),
            ("comand: [a]", "unknown key `comand`"),
        ] {
            let problem = hook(keys).unwrap_err();
            assert!(problem.contains(told), "{keys}: {problem}");
        }
    }
}
