//! A request that a profile names: how a probe is read and how a receiver is told what to answer.

use std::fmt;
use std::time::Duration;

use http::Method;
use indexmap::IndexMap;

use super::placeholders::{fill_in, percent_encoded, with_environment};
use super::probe_reading::HookProblem;
use crate::delivery::{AllowedHosts, Client, OutgoingRequest, Response, SendOptions, Target};
use crate::protocol::Secret;
use crate::scenario::{ProbeRequest, ScriptHook};

/// A request whose environment variables are filled in and whose host may be asked.
#[derive(Clone)]
pub(super) struct HttpHook {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    allowed: AllowedHosts,
    credentials: Vec<Secret>,
}

/// Headers may hold credentials of the environment, so they are not shown.
impl fmt::Debug for HttpHook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HttpHook({} {})", self.method, self.url)
    }
}

impl HttpHook {
    /// Makes a request of a profile ready.
    pub(super) fn new(
        request: &ProbeRequest,
        headers: &IndexMap<String, String>,
        allowed: &AllowedHosts,
    ) -> Result<Self, HookProblem> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| HookProblem::Method(request.method.clone()))?;
        let mut used = Vec::new();
        let filled = headers
            .iter()
            .map(|(name, value)| Ok((name.clone(), with_environment(value, &mut used)?)))
            .collect::<Result<_, HookProblem>>()?;
        let allowed = allowed.clone();
        let hook = Self {
            method,
            url: request.url.clone(),
            headers: filled,
            allowed,
            credentials: credentials(used),
        };
        // Any values do to see whether the URL and the headers can be sent at all.
        let sample = [("{player_id}", "player"), ("{sku}", "sku")];
        let target = Target::parse(&fill_in(&hook.url, &sample, percent_encoded), &hook.allowed)?;
        hook.outgoing(&target)?;
        Ok(hook)
    }

    /// What of the environment stands in the headers, which no report may show.
    pub(super) fn credentials(&self) -> impl Iterator<Item = Secret> {
        self.credentials.iter().cloned()
    }

    /// Sends the request and returns its answer, of any status, with the request's name for
    /// messages. `json` is sent as the body.
    pub(super) async fn send(
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

    fn outgoing(&self, target: &Target) -> Result<OutgoingRequest, HookProblem> {
        let mut request =
            OutgoingRequest::new(self.method.clone()).header("Host", target.authority())?;
        for (name, value) in &self.headers {
            request = request.header(name, value)?;
        }
        Ok(request)
    }
}

/// The values of environment variables that may be credentials: a shorter one would be found in
/// any text by chance.
pub(super) fn credentials(used: Vec<String>) -> Vec<Secret> {
    const SHORTEST: usize = 4;
    let long = used.into_iter().filter(|value| value.len() >= SHORTEST);
    long.filter_map(|value| Secret::new(value).ok()).collect()
}

/// Tells a receiver how to answer the next deliveries to a player.
#[derive(Debug, Clone)]
pub struct PreparedScript(HttpHook);

/// The longest that telling may take.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(10);

impl PreparedScript {
    /// Makes a profile's hook ready.
    pub fn new(hook: &ScriptHook, allowed: &AllowedHosts) -> Result<Self, HookProblem> {
        HttpHook::new(&hook.http, &hook.headers, allowed).map(Self)
    }

    /// What of the environment stands in the request's headers, which no report may show.
    pub fn credentials(&self) -> impl Iterator<Item = Secret> {
        self.0.credentials()
    }

    /// Tells the statuses of the next answers to a player.
    pub async fn tell(
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
            status => Err(format!("{name} answered {status}")),
        }
    }
}
