//! An HTTP request of a profile, which reads a probe or is another hook.

use std::fmt;
use std::time::Duration;

use http::Method;
use indexmap::IndexMap;

use super::hook_error::{HookError, HookFailure};
use super::placeholders::{fill_in, percent_encoded};
use super::prepared_headers::header_value;
use super::redaction::Redaction;
use crate::scenario::{HeaderSource, ProbeRequest, placeholders};
use crate::transport::{AllowedHosts, Client, OutgoingRequest, Response, SendOptions, Target};

/// A whole inventory, or what many players hold, may be long.
const BODY_LIMIT: usize = 256 * 1024;

#[derive(Clone)]
pub(crate) struct HttpHook {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    allowed: AllowedHosts,
    redaction: Redaction,
}

/// Headers may hold credentials from the environment, so they are not shown.
impl fmt::Debug for HttpHook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HttpHook({} {})", self.method, self.url)
    }
}

impl HttpHook {
    pub(crate) fn new(
        request: &ProbeRequest,
        headers: &IndexMap<String, HeaderSource>,
        allowed: &AllowedHosts,
    ) -> Result<Self, HookError> {
        let mut used = Vec::new();
        let filled = headers
            .iter()
            .map(|(name, value)| Ok((name.clone(), header_value(value, &mut used)?)))
            .collect::<Result<_, HookError>>()?;
        Self::with_headers(request, filled, allowed, used)
    }

    /// Checks all that does not depend on environment variables and files.
    pub(super) fn check(
        request: &ProbeRequest,
        headers: &IndexMap<String, HeaderSource>,
        allowed: &AllowedHosts,
    ) -> Result<(), HookError> {
        let sample = headers.iter().map(|(name, value)| {
            let value = match value {
                HeaderSource::Text(text) => text.clone(),
                HeaderSource::Env(_) | HeaderSource::File(_) => "sample".to_owned(),
            };
            (name.clone(), value)
        });
        Self::with_headers(request, sample.collect(), allowed, Vec::new()).map(drop)
    }

    fn with_headers(
        request: &ProbeRequest,
        filled: Vec<(String, String)>,
        allowed: &AllowedHosts,
        used: Vec<String>,
    ) -> Result<Self, HookError> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| HookError::Method(request.method.clone()))?;
        let hook = Self {
            method,
            url: request.url.clone(),
            headers: filled,
            allowed: allowed.clone(),
            redaction: Redaction::of_variables(used),
        };
        // Sample values are enough to check that the URL and the headers are valid.
        let mut sample = hook.url.clone();
        for name in placeholders(&hook.url) {
            sample = sample.replace(&format!("{{{name}}}"), "sample");
        }
        let target = Target::parse(&sample, &hook.allowed)?;
        hook.outgoing(&target)?;
        Ok(hook)
    }

    /// Removes the environment variables in the headers, which no report may show.
    pub(crate) fn redaction(&self) -> &Redaction {
        &self.redaction
    }

    /// Sends the request with `json` as its body. Returns the request's name for messages, and the
    /// response with any status.
    pub(crate) async fn send(
        &self,
        client: &Client,
        values: &[(impl AsRef<str>, &str)],
        json: Option<String>,
        timeout: Duration,
    ) -> Result<(String, Response), HookFailure> {
        let url = fill_in(&self.url, values, percent_encoded);
        // Lists are long, and each list would make another message.
        let is_list = |name: &str| matches!(name, "{player_ids}" | "{skus}");
        let named = values.iter().map(|(name, value)| (name.as_ref(), *value));
        let ones = named.filter(|(name, _)| !is_list(name));
        let shown = fill_in(&self.url, &ones.collect::<Vec<_>>(), percent_encoded);
        let name = format!("{} {shown}", self.method);
        let target = Target::parse(&url, &self.allowed).map_err(HookError::from)?;
        let mut request = self.outgoing(&target)?;
        if let Some(json) = json {
            request = request
                .header("Content-Type", "application/json")
                .map_err(HookError::from)?
                .body(json);
        }
        let options = SendOptions {
            body_limit: BODY_LIMIT,
            ..SendOptions::within(timeout)
        };
        let exchange = client.send(&target, &request, options).await;
        match exchange.result {
            Ok(response) => Ok((name, response)),
            Err(failure) => {
                let is_general = failure.is_before_request();
                Err(HookFailure::new(format!("{name}: {failure}")).general(is_general))
            }
        }
    }

    fn outgoing(&self, target: &Target) -> Result<OutgoingRequest, HookError> {
        let mut request =
            OutgoingRequest::new(self.method.clone()).header("Host", target.authority())?;
        for (name, value) in &self.headers {
            request = request.header(name, value)?;
        }
        Ok(request)
    }
}
