//! Whether the target responds at all, before deliveries wait for it one after another.

use std::time::Duration;

use http::Method;

use super::Finding;
use crate::policy::DurationText;
use crate::run::run_context::RunContext;
use crate::transport::{FailureClass, OutgoingRequest, SendOptions};

/// How long the target, a probe or a hook may take to respond.
const PATIENCE: Duration = Duration::from_secs(4);

/// That a probe or a hook takes longer.
pub(super) fn late() -> String {
    format!("there was no response within {}", DurationText(PATIENCE))
}

impl RunContext {
    /// What is wrong if the target accepts the connection but does not respond even to a GET request.
    pub(super) async fn silence(&self) -> Option<Finding> {
        let request = OutgoingRequest::new(Method::GET);
        let request = request.header("Host", self.target.authority()).ok()?;
        let request = self.with_headers(request, &self.target);
        let options = SendOptions::within(PATIENCE);
        let exchange = self.client.send(&self.target, &request, options).await;
        let failure = exchange.result.err()?;
        (failure.class() == FailureClass::Timeout).then(|| {
            Finding::broken("response", self.shown(&failure))
                .help(failure.hint())
                .key("target")
        })
    }
}

/// `None` if `work` takes too long.
pub(super) async fn patiently<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(PATIENCE, Box::pin(work)).await.ok()
}
