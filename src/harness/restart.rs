//! Restarting the receiver through the profile's hook, and waiting until it is back.

use std::time::Duration;

use super::http_hook::{self, HttpHook};
use super::placeholders::with_environment;
use super::probe_reading::{HookProblem, run_command};
use super::redaction::Redaction;
use crate::delivery::{AllowedHosts, Client, Target};
use crate::protocol::Secret;
use crate::scenario::{DurationText, RestartHook, RestartSource};

/// A profile's `restart`, ready: its environment variables are filled in.
#[derive(Debug, Clone)]
pub struct PreparedRestart {
    source: PreparedSource,
    timeout: Duration,
    /// Hides what came from the environment.
    redaction: Redaction,
}

#[derive(Clone)]
enum PreparedSource {
    Http(HttpHook),
    Command(Vec<String>),
}

/// Environment variables may hold credentials, so nothing that was made of them is shown.
impl std::fmt::Debug for PreparedSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http(request) => write!(formatter, "{request:?}"),
            Self::Command(_) => formatter.write_str("Command"),
        }
    }
}

/// Between two looks whether the target takes connections again. A receiver that is being started
/// says nothing about when it is ready, so it is asked.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl PreparedRestart {
    /// Makes a profile's hook ready.
    pub fn new(hook: &RestartHook, allowed: &AllowedHosts) -> Result<Self, HookProblem> {
        let mut credentials = Vec::new();
        let source = match &hook.source {
            RestartSource::Http { request, headers } => {
                let request = HttpHook::new(request, headers, allowed)?;
                credentials.extend(request.credentials());
                PreparedSource::Http(request)
            }
            RestartSource::Command(command) => {
                let mut used = Vec::new();
                let filled = command
                    .iter()
                    .map(|part| with_environment(part, &mut used))
                    .collect::<Result<_, _>>()?;
                credentials = http_hook::credentials(used);
                PreparedSource::Command(filled)
            }
        };
        Ok(Self {
            source,
            timeout: hook.timeout.0,
            redaction: Redaction::new(credentials),
        })
    }

    /// What of the environment stands in the request's headers, which no report may show.
    pub fn credentials(&self) -> impl Iterator<Item = Secret> {
        let request = match &self.source {
            PreparedSource::Http(request) => Some(request),
            PreparedSource::Command(_) => None,
        };
        request.into_iter().flat_map(HttpHook::credentials)
    }

    /// Restarts the receiver, and returns once `target` takes connections again.
    pub async fn restart(&self, client: &Client, target: &Target) -> Result<(), String> {
        let restarted = tokio::time::timeout(self.timeout, async {
            self.ask(client).await?;
            while client.probe_connection(target).await.is_err() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Ok(())
        });
        let done = restarted.await.unwrap_or_else(|_| {
            let timeout = DurationText(self.timeout);
            Err(format!(
                "the receiver was not back within {timeout}; `timeout` of `restart` sets another time"
            ))
        });
        done.map_err(|reason: String| self.redaction.text(&reason).into_owned())
    }

    async fn ask(&self, client: &Client) -> Result<(), String> {
        match &self.source {
            PreparedSource::Http(request) => {
                let (name, response) = request.send(client, &[], None, self.timeout).await?;
                match response.status {
                    200..300 => Ok(()),
                    status => Err(format!("{name} answered {status}")),
                }
            }
            PreparedSource::Command(command) => run_command(command).await.map(|_| ()),
        }
    }
}
