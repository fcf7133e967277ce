//! A hook of the profile, ready to run: it scripts the receiver's responses, restarts it, or changes
//! something else in the test set-up.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::RwLock;

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
    /// Read-locked while it restarts the receiver.
    restarting: Arc<RwLock<()>>,
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
            restarting: Arc::default(),
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

    /// Hides the run's secrets in its failures, too: they quote only a part of what a command printed, in which
    /// a secret may not be recognised any more.
    pub(crate) fn hide(&mut self, secrets: &Redaction) {
        if let PreparedHookSource::Command(command) = &mut self.source {
            command.hide(secrets);
        }
    }

    /// That the program of its command is not there, if so.
    pub(crate) fn missing_program(&self) -> Option<HookFailure> {
        match &self.source {
            PreparedHookSource::Http(_) => None,
            PreparedHookSource::Command(command) => command.missing_program(),
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
        let values = in_braces(values);
        match &self.source {
            PreparedHookSource::Http(request) => {
                let call = async {
                    let sent = request.send(client, &values, json, self.timeout);
                    let (name, response) = sent.await?;
                    match response.status {
                        200..300 => Ok(()),
                        status => Err(HookFailure::new(format!("{name} returned {status}"))),
                    }
                };
                self.in_time(|| self.did_not_end(), call).await
            }
            PreparedHookSource::Command(command) => {
                let run = command.run(&values, self.timeout, || self.did_not_end());
                run.await.map(drop).map_err(|failure| self.shown(failure))
            }
        }
    }

    fn did_not_end(&self) -> HookFailure {
        let timeout = DurationText(self.timeout);
        HookFailure::new(format!(
            "it did not end within {timeout}; set a longer `timeout` for it"
        ))
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
        let _restarting = self.restarting.read().await;
        self.run(client, &[], None).await?;
        let accepted = async {
            for target in instances {
                while client.probe_connection(target).await.is_err() {
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
            }
            Ok(())
        };
        let late = || {
            let timeout = DurationText(self.timeout);
            HookFailure::new(format!(
                "the receiver did not accept connections within {timeout} of its restart; set a \
                 longer `timeout` for `restart`"
            ))
        };
        self.in_time(late, accepted).await
    }

    /// Whether a restart runs.
    pub(crate) fn is_restarting(&self) -> bool {
        self.restarting.try_write().is_err()
    }

    /// Completes when no restart runs, which the timeout bounds. A restart that has not begun waits
    /// meanwhile.
    pub(crate) async fn restart_ended(&self) {
        drop(self.restarting.write().await);
    }

    async fn in_time(
        &self,
        late: impl FnOnce() -> HookFailure,
        work: impl Future<Output = Result<(), HookFailure>>,
    ) -> Result<(), HookFailure> {
        let done = tokio::time::timeout(self.timeout, work).await;
        let done = done.unwrap_or_else(|_| Err(late()));
        done.map_err(|failure| self.shown(failure))
    }

    /// Without the environment variables in the request's headers or the command.
    fn shown(&self, failure: HookFailure) -> HookFailure {
        match &self.source {
            PreparedHookSource::Http(request) => failure.redacted(request.redaction()),
            PreparedHookSource::Command(command) => failure.redacted(command.redaction()),
        }
    }
}
