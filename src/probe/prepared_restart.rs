//! Restarts the receiver through the profile's hook and waits until it accepts connections.

use std::time::Duration;

use super::hook_command::HookCommand;
use super::hook_error::{HookError, HookFailure};
use super::http_hook::HttpHook;
use super::redaction::Redaction;
use crate::policy::DurationText;
use crate::scenario::{HookSource, RestartHook};
use crate::transport::{AllowedHosts, Client, Target};

#[derive(Debug, Clone)]
pub(crate) struct PreparedRestart {
    source: PreparedRestartSource,
    timeout: Duration,
}

#[derive(Debug, Clone)]
enum PreparedRestartSource {
    Http(HttpHook),
    Command(HookCommand),
}

const POLL_INTERVAL: Duration = Duration::from_millis(50);

impl PreparedRestart {
    pub(crate) fn new(hook: &RestartHook, allowed: &AllowedHosts) -> Result<Self, HookError> {
        let source = match &hook.source {
            HookSource::Http { request, headers } => {
                PreparedRestartSource::Http(HttpHook::new(request, headers, allowed)?)
            }
            HookSource::Command(words) => PreparedRestartSource::Command(HookCommand::new(words)?),
        };
        let timeout = hook.timeout.0;
        Ok(Self { source, timeout })
    }

    /// Removes the environment variables in the request's headers, which no report may show.
    pub(crate) fn redaction(&self) -> Option<&Redaction> {
        match &self.source {
            PreparedRestartSource::Http(request) => Some(request.redaction()),
            PreparedRestartSource::Command(_) => None,
        }
    }

    /// Restarts the receiver, and returns once `target` accepts connections again.
    pub(crate) async fn restart(
        &self,
        client: &Client,
        target: &Target,
    ) -> Result<(), HookFailure> {
        let restarted = tokio::time::timeout(self.timeout, async {
            match &self.source {
                PreparedRestartSource::Http(request) => {
                    request.trigger(client, &[], None, self.timeout).await?;
                }
                PreparedRestartSource::Command(command) => _ = command.run(&[]).await?,
            }
            while client.probe_connection(target).await.is_err() {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
            Ok(())
        });
        let restarted = restarted.await.unwrap_or_else(|_| {
            let timeout = DurationText(self.timeout);
            Err(HookFailure::new(format!(
                "the receiver did not accept connections within {timeout} of its restart; set a \
                 longer `timeout` for `restart`"
            )))
        });
        restarted.map_err(|failure| match &self.source {
            PreparedRestartSource::Http(request) => failure.redacted(request.redaction()),
            PreparedRestartSource::Command(command) => failure.redacted(command.redaction()),
        })
    }
}
