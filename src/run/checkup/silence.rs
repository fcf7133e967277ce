//! Whether the target responds at all, before deliveries wait for it one after another.

use std::time::Duration;

use http::Method;

use super::Finding;
use crate::policy::DurationText;
use crate::run::run_context::RunContext;
use crate::transport::{Failure, FailureClass, OutgoingRequest, Response, SendOptions, Target};

/// How long the target, a probe or a hook may take to respond.
pub(super) const PATIENCE: Duration = Duration::from_secs(4);

/// That a probe or a hook takes longer.
pub(super) fn late() -> String {
    format!("there was no response within {}", DurationText(PATIENCE))
}

impl RunContext {
    /// Why nothing could be sent.
    pub(super) fn unreachable(&self, failure: &Failure) -> Finding {
        let hint = failure.hint();
        let help = match failure {
            Failure::Refused { .. } | Failure::NoSocket { .. } => {
                format!("{hint}; while it starts, `--wait 30s` waits for it")
            }
            _ => hint.to_owned(),
        };
        let finding = Finding::broken("connection", self.shown(failure));
        finding.help(help).key(key_of(failure))
    }

    /// What is wrong if the target accepts the connection but does not respond even to a GET request.
    pub(super) async fn silence(&self) -> Option<Finding> {
        let failure = self.get(&self.target).await?.err()?;
        (failure.class() == FailureClass::Timeout).then(|| {
            Finding::broken("response", self.shown(&failure))
                .help(failure.hint())
                .key("target")
        })
    }

    /// Whether the target's server responds to a GET request, at least for another path: a handler may
    /// fail for every request.
    pub(super) async fn speaks_http(&self) -> bool {
        let root = self.target.with_path("/").ok();
        for target in [Some(&self.target), root.as_ref()].into_iter().flatten() {
            if matches!(self.get(target).await, Some(Ok(_))) {
                return true;
            }
        }
        false
    }

    async fn get(&self, target: &Target) -> Option<Result<Response, Failure>> {
        let request = OutgoingRequest::new(Method::GET);
        let request = request.header("Host", target.authority()).ok()?;
        let request = self.with_headers(request, target);
        let options = SendOptions::within(PATIENCE);
        Some(self.client.send(target, &request, options).await.result)
    }
}

/// `None` if `work` takes too long.
pub(super) async fn patiently<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(PATIENCE, Box::pin(work)).await.ok()
}

fn key_of(failure: &Failure) -> &'static str {
    match failure {
        Failure::UntrustedCertificate { .. } => "cacert",
        Failure::VersionNotOffered => "http_version",
        _ => "target",
    }
}
