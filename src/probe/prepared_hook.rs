//! A hook of the profile, ready to run: it scripts the receiver's responses, restarts it, or changes
//! something else in the test set-up.

use std::time::Duration;

use super::hook_command::HookCommand;
use super::hook_error::{HookError, HookFailure};
use super::http_hook::HttpHook;
use super::placeholders::in_braces;
use super::redaction::Redaction;
use crate::policy::DurationText;
use crate::scenario::{Hook, HookSource};
use crate::transport::{AllowedHosts, Client, Target};

#[derive(Debug, Clone)]
pub(crate) struct PreparedHook {
    source: PreparedHookSource,
    timeout: Duration,
    has_placeholders: bool,
}

#[derive(Debug, Clone)]
enum PreparedHookSource {
    Http(HttpHook),
    Command(HookCommand),
}

const POLL_INTERVAL: Duration = Duration::from_millis(50);

impl PreparedHook {
    pub(crate) fn new(hook: &Hook, allowed: &AllowedHosts) -> Result<Self, HookError> {
        let source = match &hook.source {
            HookSource::Http { request, headers } => {
                PreparedHookSource::Http(HttpHook::new(request, headers, allowed)?)
            }
            HookSource::Command(words) => PreparedHookSource::Command(HookCommand::new(words)?),
        };
        Ok(Self {
            source,
            timeout: hook.timeout.0,
            has_placeholders: !hook.placeholders().is_empty(),
        })
    }

    pub(crate) fn has_placeholders(&self) -> bool {
        self.has_placeholders
    }

    /// Removes the environment variables in the request's headers, which no report may show.
    pub(crate) fn redaction(&self) -> Option<&Redaction> {
        match &self.source {
            PreparedHookSource::Http(request) => Some(request.redaction()),
            PreparedHookSource::Command(_) => None,
        }
    }

    /// Runs the hook with the values of its placeholders, such as `("player_id", "P1")`. A request
    /// has `json` as its body.
    pub(crate) async fn run(
        &self,
        client: &Client,
        values: &[(&str, &str)],
        json: Option<String>,
    ) -> Result<(), HookFailure> {
        let late =
            |timeout| format!("it did not end within {timeout}; set a longer `timeout` for it");
        self.in_time(late, self.call(client, values, json)).await
    }

    /// Sets the receiver's next responses to a player.
    pub(crate) async fn script(
        &self,
        client: &Client,
        player_id: &str,
        statuses: &[u16],
    ) -> Result<(), HookFailure> {
        let answers: Vec<String> = statuses.iter().map(u16::to_string).collect();
        let answers = answers.join(",");
        let values = [("player_id", player_id), ("answers", answers.as_str())];
        let json = format!("[{answers}]");
        self.run(client, &values, Some(json)).await
    }

    /// Restarts the receiver, and returns once all its instances accept connections again.
    pub(crate) async fn restart(
        &self,
        client: &Client,
        instances: impl Iterator<Item = &Target>,
    ) -> Result<(), HookFailure> {
        let restarted = async {
            self.call(client, &[], None).await?;
            for target in instances {
                while client.probe_connection(target).await.is_err() {
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
            }
            Ok(())
        };
        let late = |timeout| {
            format!(
                "the receiver did not accept connections within {timeout} of its restart; set a \
                 longer `timeout` for `restart`"
            )
        };
        self.in_time(late, restarted).await
    }

    async fn call(
        &self,
        client: &Client,
        values: &[(&str, &str)],
        json: Option<String>,
    ) -> Result<(), HookFailure> {
        let values = in_braces(values);
        match &self.source {
            PreparedHookSource::Http(request) => {
                let (name, response) = request.send(client, &values, json, self.timeout).await?;
                match response.status {
                    200..300 => Ok(()),
                    status => Err(HookFailure::new(format!("{name} returned {status}"))),
                }
            }
            PreparedHookSource::Command(command) => command.run(&values).await.map(drop),
        }
    }

    async fn in_time(
        &self,
        late: impl FnOnce(DurationText) -> String,
        work: impl Future<Output = Result<(), HookFailure>>,
    ) -> Result<(), HookFailure> {
        let done = tokio::time::timeout(self.timeout, work).await;
        let done = done.unwrap_or_else(|_| Err(HookFailure::new(late(DurationText(self.timeout)))));
        done.map_err(|failure| match &self.source {
            PreparedHookSource::Http(request) => failure.redacted(request.redaction()),
            PreparedHookSource::Command(command) => failure.redacted(command.redaction()),
        })
    }
}
