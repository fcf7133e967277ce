//! Restarts the receiver through the profile's hook and waits until it accepts connections.

use std::time::Duration;

use super::http_hook::{self, HttpHook};
use super::placeholders::expand_variables;
use super::prepared_probe::{HookError, run_command};
use super::redaction::Redaction;
use crate::policy::DurationText;
use crate::protocol::Secret;
use crate::scenario::{RestartHook, RestartSource};
use crate::transport::{AllowedHosts, Client, Target};

/// A profile's `restart` hook with its environment variables expanded.
#[derive(Debug, Clone)]
pub struct PreparedRestart {
    source: PreparedRestartSource,
    timeout: Duration,
    /// Redacts values of environment variables.
    redaction: Redaction,
}

#[derive(Clone)]
enum PreparedRestartSource {
    Http(HttpHook),
    Command(Vec<String>),
}

/// Environment variables may hold credentials, so expanded values are not shown.
impl std::fmt::Debug for PreparedRestartSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http(request) => write!(formatter, "{request:?}"),
            Self::Command(_) => formatter.write_str("Command"),
        }
    }
}

/// How often to check whether the target accepts connections again.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

impl PreparedRestart {
    /// Prepares a profile's hook.
    pub fn new(hook: &RestartHook, allowed: &AllowedHosts) -> Result<Self, HookError> {
        let mut credentials = Vec::new();
        let source = match &hook.source {
            RestartSource::Http { request, headers } => {
                let request = HttpHook::new(request, headers, allowed)?;
                credentials.extend(request.credentials());
                PreparedRestartSource::Http(request)
            }
            RestartSource::Command(command) => {
                let mut used = Vec::new();
                let filled = command
                    .iter()
                    .map(|part| expand_variables(part, &mut used))
                    .collect::<Result<_, _>>()?;
                credentials = http_hook::credentials(used);
                PreparedRestartSource::Command(filled)
            }
        };
        Ok(Self {
            source,
            timeout: hook.timeout.0,
            redaction: Redaction::new(credentials),
        })
    }

    /// The environment variables in the request's headers, which no report may show.
    pub fn credentials(&self) -> impl Iterator<Item = Secret> {
        let request = match &self.source {
            PreparedRestartSource::Http(request) => Some(request),
            PreparedRestartSource::Command(_) => None,
        };
        request.into_iter().flat_map(HttpHook::credentials)
    }

    /// Restarts the receiver, and returns once `target` accepts connections again.
    pub async fn restart(&self, client: &Client, target: &Target) -> Result<(), String> {
        let restarted = tokio::time::timeout(self.timeout, async {
            self.trigger(client).await?;
            while client.probe_connection(target).await.is_err() {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
            Ok(())
        });
        let done = restarted.await.unwrap_or_else(|_| {
            let timeout = DurationText(self.timeout);
            Err(format!(
                "the receiver did not accept connections within {timeout} of its restart; set a \
                 longer `timeout` for `restart`"
            ))
        });
        done.map_err(|reason: String| self.redaction.text(&reason).into_owned())
    }

    async fn trigger(&self, client: &Client) -> Result<(), String> {
        match &self.source {
            PreparedRestartSource::Http(request) => {
                let (name, response) = request.send(client, &[], None, self.timeout).await?;
                match response.status {
                    200..300 => Ok(()),
                    status => Err(format!("{name} returned {status}")),
                }
            }
            PreparedRestartSource::Command(command) => run_command(command).await.map(|_| ()),
        }
    }
}
