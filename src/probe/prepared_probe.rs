//! Reads a probe: a request, a command or a function that returns how much of an item a player holds.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::hook_command::HookCommand;
use super::hook_error::{HookError, HookFailure};
use super::http_hook::HttpHook;
use super::probe_history::{ProbeHistory, ProbeProblem, missing_segment};
use super::redaction::Redaction;
use crate::diagnose::html_title;
use crate::policy::DurationText;
use crate::scenario::shortened;
use crate::scenario::{HookSource, JsonPath, Probe};
use crate::transport::{AllowedHosts, Client, Response};

#[derive(Debug, Clone)]
pub(crate) struct PreparedProbe {
    source: PreparedProbeSource,
    missing: Option<i128>,
    timeout: Duration,
    history: ProbeHistory,
    redaction: Redaction,
}

#[derive(Debug, Clone)]
enum PreparedProbeSource {
    Http { request: HttpHook, read: JsonPath },
    Command(HookCommand),
    Function(ProbeFunction),
}

#[derive(Clone)]
struct ProbeFunction(Arc<dyn Fn(String, String) -> Reading + Send + Sync>);

type Reading = BoxFuture<'static, Result<i128, HookFailure>>;

impl fmt::Debug for ProbeFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ProbeFunction")
    }
}

/// How long a function may take.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

impl PreparedProbe {
    pub(crate) fn new(probe: &Probe, allowed: &AllowedHosts) -> Result<Self, HookError> {
        let (source, redaction) = match &probe.source {
            HookSource::Http { request, headers } => {
                let request = HttpHook::new(request, headers, allowed)?;
                let (redaction, read) = (request.redaction().clone(), probe.read.clone());
                (PreparedProbeSource::Http { request, read }, redaction)
            }
            HookSource::Command(words) => {
                let command = HookCommand::new(words)?;
                let redaction = command.redaction().clone();
                (PreparedProbeSource::Command(command), redaction)
            }
        };
        Ok(Self {
            source,
            missing: probe.missing,
            timeout: probe.timeout.0,
            history: ProbeHistory::default(),
            redaction,
        })
    }

    pub(crate) fn from_function<F, R, N, E>(function: F) -> Self
    where
        F: Fn(String, String) -> R + Send + Sync + 'static,
        R: Future<Output = Result<N, E>> + Send + 'static,
        N: Into<i128>,
        E: fmt::Display,
    {
        let function = move |player_id, sku| {
            let reading = function(player_id, sku);
            let failure = |error: E| HookFailure::new(error.to_string());
            async move { reading.await.map(N::into).map_err(failure) }.boxed()
        };
        Self {
            source: PreparedProbeSource::Function(ProbeFunction(Arc::new(function))),
            missing: None,
            timeout: DEFAULT_TIMEOUT,
            history: ProbeHistory::default(),
            redaction: Redaction::new([]),
        }
    }

    /// Removes the environment variables in the request's headers, which no report may show. `None`
    /// for other probes.
    pub(crate) fn redaction(&self) -> Option<&Redaction> {
        matches!(self.source, PreparedProbeSource::Http { .. }).then_some(&self.redaction)
    }

    /// Why it is probably wrong: it has never returned a value in this run.
    pub(crate) fn problem(&self) -> Option<ProbeProblem> {
        self.history.problem()
    }

    pub(crate) async fn read(
        &self,
        client: &Client,
        player_id: &str,
        sku: &str,
    ) -> Result<i128, HookFailure> {
        let values = [("{player_id}", player_id), ("{sku}", sku)];
        let number = match &self.source {
            PreparedProbeSource::Http { request, read } => request
                .send(client, &values, None, self.timeout)
                .await
                .and_then(|(name, response)| self.number_of(&name, &response, read)),
            PreparedProbeSource::Command(command) => self
                .in_time(command.program(), command.run(&values))
                .await
                .and_then(|output| self.number_in_output(command.program(), &output)),
            PreparedProbeSource::Function(ProbeFunction(function)) => {
                let reading = function(player_id.to_owned(), sku.to_owned());
                self.in_time("the probe", reading).await.map(Some)
            }
        };
        match number.map_err(|failure| failure.redacted(&self.redaction)) {
            Ok(Some(number)) => {
                self.history.record_value();
                Ok(number)
            }
            // A reading that finds nothing is only accepted if `missing` is set.
            Ok(None) => Ok(self.missing.unwrap_or_default()),
            Err(failure) => {
                let reason = format!("has never returned a value: {failure}");
                self.history
                    .record_problem(reason, "check the probe in the profile");
                Err(failure)
            }
        }
    }

    async fn in_time<T>(
        &self,
        name: &str,
        reading: impl Future<Output = Result<T, HookFailure>>,
    ) -> Result<T, HookFailure> {
        let timed_out = |_| {
            let timeout = DurationText(self.timeout);
            HookFailure::new(format!("{name} timed out after {timeout}"))
        };
        let read = tokio::time::timeout(self.timeout, reading).await;
        read.map_err(timed_out).flatten()
    }

    /// The number in a response. `None` if it has none, which `missing` allows.
    fn number_of(
        &self,
        name: &str,
        response: &Response,
        read: &JsonPath,
    ) -> Result<Option<i128>, HookFailure> {
        let excerpt = || self.excerpt(&response.body);
        let status = response.status;
        if let (404, Some(_)) = (status, self.missing) {
            let reason = format!(
                "has never returned a value: {name} returned 404{}",
                excerpt()
            );
            let help = "check the probe's URL; if it is right, no delivery has been granted";
            self.history.record_problem(reason, help);
            return Ok(None);
        }
        if !(200..300).contains(&status) {
            let hint = match status {
                404 => {
                    "; check its URL, and add `missing: 0` only if your endpoint returns 404 for an \
                     item that the player does not hold"
                }
                _ => "",
            };
            let excerpt = excerpt();
            return Err(HookFailure::new(format!(
                "{name} returned {status}{excerpt}{hint}"
            )));
        }
        let shown = |value: &Value| shortened(&self.redaction.json(value));
        let body: Value = serde_json::from_slice(&response.body).map_err(|error| {
            HookFailure::new(format!(
                "{name} returned invalid JSON: {error}{}",
                excerpt()
            ))
        })?;
        match (read.query(&body).as_slice(), self.missing) {
            ([value], _) => number_in(value).map(Some).ok_or_else(|| {
                HookFailure::new(format!("{read} is not a whole number: {}", shown(value)))
            }),
            ([], Some(_)) => {
                // A path into something empty is right: the player holds nothing.
                if let Some(absent) = missing_segment(&read.to_string(), &body) {
                    let body = shown(&body);
                    let reason = format!("`{read}` has never matched: no `{absent}` in {body}");
                    self.history
                        .record_problem(reason, "check the probe's `read`");
                }
                Ok(None)
            }
            (values, _) => {
                let count = values.len();
                Err(HookFailure::new(format!(
                    "{read} matches {count} values instead of one in {}",
                    shown(&body)
                )))
            }
        }
    }

    fn number_in_output(&self, program: &str, output: &str) -> Result<Option<i128>, HookFailure> {
        match (output.trim(), self.missing) {
            ("", Some(_)) => Ok(None),
            (text, _) => text.parse().map(Some).map_err(|_| {
                let shown = first_line(&self.redaction.text(text));
                HookFailure::new(format!("{program} did not print a whole number: {shown:?}"))
            }),
        }
    }

    /// The beginning of a body for a message: the title of a page, or the first line.
    fn excerpt(&self, body: &[u8]) -> String {
        let text = self
            .redaction
            .text(&String::from_utf8_lossy(body))
            .into_owned();
        match html_title(&text) {
            Some("") => return " (an HTML page)".to_owned(),
            Some(title) => return format!(" (the HTML page “{title}”)"),
            None => {}
        }
        match first_line(text.trim()) {
            line if line.is_empty() => String::new(),
            line => format!(" ({line})"),
        }
    }
}

fn first_line(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(80)
        .collect()
}

/// A whole number in JSON: an integer, a float without a fraction, or a string.
fn number_in(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number.as_i128().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A float that is certainly a whole number. Beyond 2^53, floats can't represent every integer.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked first"
)]
fn whole(float: f64) -> Option<i128> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i128)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_function_is_called_with_the_player_and_the_sku() {
        let client = Client::new(crate::transport::ClientSettings::default()).expect("a client");
        let probe = PreparedProbe::from_function(async |player: String, sku: String| {
            if player == "P1" && sku == "gems" {
                Ok(5_u32)
            } else {
                Err("no such player")
            }
        });
        assert_eq!(probe.read(&client, "P1", "gems").await, Ok(5));
        let reason = probe.read(&client, "P2", "gems").await;
        assert_eq!(reason, Err(HookFailure::new("no such player")));
        assert_eq!(format!("{:?}", probe.source), "Function(ProbeFunction)");
    }

    #[test]
    fn whole_numbers_are_read_in_all_forms() {
        assert_eq!(number_in(&json!(u64::MAX)), Some(i128::from(u64::MAX)));
        assert_eq!(number_in(&json!(-3)), Some(-3));
        assert_eq!(number_in(&json!(4.8e5)), Some(480_000));
        assert_eq!(number_in(&json!("12 ")), Some(12));
        for invalid in [
            json!(1.5),
            json!(1e300),
            json!("x"),
            json!(null),
            json!([1]),
        ] {
            assert_eq!(number_in(&invalid), None, "{invalid}");
        }
    }
}
