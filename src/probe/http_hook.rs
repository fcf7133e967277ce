//! An HTTP request of a profile, which reads a probe, sets the receiver's responses or restarts it.

use std::fmt;
use std::time::Duration;

use http::Method;
use indexmap::IndexMap;

use super::placeholders::{expand_variables, fill_in, percent_encoded};
use super::prepared_probe::HookError;
use crate::protocol::Secret;
use crate::scenario::{ProbeRequest, ScriptHook};
use crate::transport::{AllowedHosts, Client, OutgoingRequest, Response, SendOptions, Target};

/// A request with its environment variables expanded, to a host that is allowed.
#[derive(Clone)]
pub(crate) struct HttpHook {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    allowed: AllowedHosts,
    credentials: Vec<Secret>,
}

/// Headers may hold credentials from the environment, so they are not shown.
impl fmt::Debug for HttpHook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HttpHook({} {})", self.method, self.url)
    }
}

impl HttpHook {
    /// Prepares a request of a profile.
    pub(crate) fn new(
        request: &ProbeRequest,
        headers: &IndexMap<String, String>,
        allowed: &AllowedHosts,
    ) -> Result<Self, HookError> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| HookError::Method(request.method.clone()))?;
        let mut used = Vec::new();
        let filled = headers
            .iter()
            .map(|(name, value)| Ok((name.clone(), expand_variables(value, &mut used)?)))
            .collect::<Result<_, HookError>>()?;
        let allowed = allowed.clone();
        let hook = Self {
            method,
            url: request.url.clone(),
            headers: filled,
            allowed,
            credentials: credentials(used),
        };
        // Sample values are enough to check that the URL and the headers are valid.
        let sample = [("{player_id}", "player"), ("{sku}", "sku")];
        let target = Target::parse(&fill_in(&hook.url, &sample, percent_encoded), &hook.allowed)?;
        hook.outgoing(&target)?;
        Ok(hook)
    }

    /// The environment variables in the headers, which no report may show.
    pub(crate) fn credentials(&self) -> impl Iterator<Item = Secret> {
        self.credentials.iter().cloned()
    }

    /// Sends the request with `json` as its body. Returns the request's name for messages, and the
    /// response with any status.
    pub(crate) async fn send(
        &self,
        client: &Client,
        values: &[(&str, &str)],
        json: Option<String>,
        timeout: Duration,
    ) -> Result<(String, Response), String> {
        let url = fill_in(&self.url, values, percent_encoded);
        let name = format!("{} {url}", self.method);
        let target = Target::parse(&url, &self.allowed).map_err(|error| error.to_string())?;
        let mut request = self.outgoing(&target).map_err(|error| error.to_string())?;
        if let Some(json) = json {
            request = request
                .header("Content-Type", "application/json")
                .map_err(|error| error.to_string())?
                .body(json);
        }
        let exchange = client
            .send(&target, &request, SendOptions::within(timeout))
            .await;
        match exchange.result {
            Ok(response) => Ok((name, response)),
            Err(failure) => Err(format!("{name}: {failure}")),
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

/// The values that are long enough to be credentials. Shorter ones would match any text by chance.
pub(crate) fn credentials(used: Vec<String>) -> Vec<Secret> {
    const MIN_LENGTH: usize = 4;
    let long = used.into_iter().filter(|value| value.len() >= MIN_LENGTH);
    long.filter_map(|value| Secret::new(value).ok()).collect()
}

/// Sets the responses to the next deliveries for a player.
#[derive(Debug, Clone)]
pub struct PreparedScript(HttpHook);

/// The timeout of the request.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(10);

impl PreparedScript {
    /// Prepares a profile's hook.
    pub fn new(hook: &ScriptHook, allowed: &AllowedHosts) -> Result<Self, HookError> {
        HttpHook::new(&hook.http, &hook.headers, allowed).map(Self)
    }

    /// The environment variables in the request's headers, which no report may show.
    pub fn credentials(&self) -> impl Iterator<Item = Secret> {
        self.0.credentials()
    }

    /// Sets the statuses of the next responses for a player.
    pub async fn set_responses(
        &self,
        client: &Client,
        player_id: &str,
        statuses: &[u16],
    ) -> Result<(), String> {
        let json = serde_json::to_string(statuses).map_err(|error| error.to_string())?;
        let values = [("{player_id}", player_id)];
        let (name, response) = self
            .0
            .send(client, &values, Some(json), SCRIPT_TIMEOUT)
            .await?;
        match response.status {
            200..300 => Ok(()),
            status => Err(format!("{name} returned {status}")),
        }
    }
}
