//! Reads a probe: a request or a command that returns how much of an item a player holds.

use std::fmt;
use std::future::Future;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::http_hook::{self, HttpHook};
use super::placeholders::{VariableNotSet, expand_variables, fill_in};
use super::probe_path_hint::ProbePathHint;
use super::redaction::Redaction;
use crate::policy::DurationText;
use crate::protocol::Secret;
use crate::scenario::shortened;
use crate::scenario::{JsonPath, Probe, ProbeSource};
use crate::transport::{AllowedHosts, Client, HeaderError, Response, TargetError};

/// A probe with its environment variables expanded.
#[derive(Debug, Clone)]
pub struct PreparedProbe {
    source: PreparedProbeSource,
    missing: Option<i128>,
    timeout: Duration,
    /// Detects a mistyped path.
    path_hint: ProbePathHint,
    /// Redacts values of environment variables.
    redaction: Redaction,
}

#[derive(Clone)]
enum PreparedProbeSource {
    Http { request: HttpHook, read: JsonPath },
    Command(Vec<String>),
    Function(ProbeFunction),
}

/// Reads the number for a player and an SKU.
type ProbeFunction =
    Arc<dyn Fn(String, String) -> BoxFuture<'static, Result<i128, String>> + Send + Sync>;

/// Environment variables may hold credentials, so expanded values are not shown.
impl fmt::Debug for PreparedProbeSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { request, .. } => write!(formatter, "{request:?}"),
            Self::Command(_) => formatter.write_str("Command"),
            Self::Function(_) => formatter.write_str("Function"),
        }
    }
}

/// Why a probe or another hook can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// It uses an environment variable that is not set.
    #[error(transparent)]
    Variable(#[from] VariableNotSet),
    /// The method is invalid.
    #[error("`{0}` is not an HTTP method")]
    Method(String),
    /// The URL is invalid or not allowed.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A header is invalid.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

/// How long a function may take.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum number of bytes read from a command's output.
const OUTPUT_LIMIT: u64 = 64 * 1024;

impl PreparedProbe {
    /// Expands the environment variables, and checks that the URL is allowed.
    pub fn new(probe: &Probe, allowed: &AllowedHosts) -> Result<Self, HookError> {
        let mut credentials = Vec::new();
        let source = match &probe.source {
            ProbeSource::Http {
                request,
                headers,
                read,
            } => {
                let request = HttpHook::new(request, headers, allowed)?;
                credentials.extend(request.credentials());
                let read = read.clone();
                PreparedProbeSource::Http { request, read }
            }
            ProbeSource::Command(command) => {
                let mut used = Vec::new();
                let filled = command
                    .iter()
                    .map(|part| expand_variables(part, &mut used))
                    .collect::<Result<_, _>>()?;
                credentials = http_hook::credentials(used);
                PreparedProbeSource::Command(filled)
            }
        };
        Ok(Self {
            source,
            missing: probe.missing,
            timeout: probe.timeout.0,
            path_hint: ProbePathHint::default(),
            redaction: Redaction::new(credentials),
        })
    }

    /// A probe that calls a function with the player and the SKU.
    pub fn from_function<F, R, N, E>(function: F) -> Self
    where
        F: Fn(String, String) -> R + Send + Sync + 'static,
        R: Future<Output = Result<N, E>> + Send + 'static,
        N: Into<i128>,
        E: fmt::Display,
    {
        let function = move |player_id, sku| {
            let reading = function(player_id, sku);
            let number = async {
                reading
                    .await
                    .map(N::into)
                    .map_err(|error| error.to_string())
            };
            number.boxed()
        };
        Self {
            source: PreparedProbeSource::Function(Arc::new(function)),
            missing: None,
            timeout: DEFAULT_TIMEOUT,
            path_hint: ProbePathHint::default(),
            redaction: Redaction::new([]),
        }
    }

    /// The environment variables in the request's headers, which no report may show. Those in a
    /// command are more likely names or paths than credentials, so they are only redacted in the
    /// command's output.
    pub fn credentials(&self) -> impl Iterator<Item = Secret> {
        let request = match &self.source {
            PreparedProbeSource::Http { request, .. } => Some(request),
            PreparedProbeSource::Command(_) | PreparedProbeSource::Function(_) => None,
        };
        request.into_iter().flat_map(HttpHook::credentials)
    }

    /// Reads the number for a player and an SKU, or returns why that failed.
    pub async fn read(&self, client: &Client, player_id: &str, sku: &str) -> Result<i128, String> {
        let number = self.read_unredacted(client, player_id, sku).await;
        number.map_err(|reason| self.redaction.text(&reason).into_owned())
    }

    /// Why its `read` seems to be mistyped, if it does: the path has never matched, and the
    /// responses do not look as if it could.
    pub(crate) fn path_hint(&self) -> Option<String> {
        let reason = self.path_hint.hint()?;
        Some(format!("{reason}; check the probe's `read`"))
    }

    async fn read_unredacted(
        &self,
        client: &Client,
        player_id: &str,
        sku: &str,
    ) -> Result<i128, String> {
        match &self.source {
            PreparedProbeSource::Http { request, read } => {
                let values = [("{player_id}", player_id), ("{sku}", sku)];
                let (name, response) = request.send(client, &values, None, self.timeout).await?;
                self.number_of(&name, &response, read)
            }
            PreparedProbeSource::Command(command) => {
                let values = [("{player_id}", player_id), ("{sku}", sku)];
                let filled = command
                    .iter()
                    .map(|part| fill_in(part, &values, str::to_owned));
                self.read_command(&filled.collect::<Vec<_>>()).await
            }
            PreparedProbeSource::Function(function) => {
                let reading = function(player_id.to_owned(), sku.to_owned());
                let number = tokio::time::timeout(self.timeout, reading).await;
                let timeout = DurationText(self.timeout);
                number.map_err(|_| format!("the probe timed out after {timeout}"))?
            }
        }
    }

    fn number_of(&self, name: &str, response: &Response, read: &JsonPath) -> Result<i128, String> {
        if let (404, Some(missing)) = (response.status, self.missing) {
            return Ok(missing);
        }
        if !(200..300).contains(&response.status) {
            let hint = match response.status {
                404 => {
                    "; check its URL, and add `missing: 0` only if your endpoint returns 404 for an \
                     item that the player does not hold"
                }
                _ => "",
            };
            return Err(format!("{name} returned {}{hint}", response.status));
        }
        let shown = |value: &Value| shortened(&self.redaction.json(value));
        let body: Value = serde_json::from_slice(&response.body)
            .map_err(|error| format!("{name} returned invalid JSON: {error}"))?;
        match (read.query(&body).as_slice(), self.missing) {
            ([value], _) => {
                self.path_hint.record_match();
                number_in(value)
                    .ok_or_else(|| format!("{read} is not a whole number: {}", shown(value)))
            }
            ([], Some(missing)) => {
                let shown = self.redaction.json(&body);
                self.path_hint.record_miss(read, &body, &shown);
                Ok(missing)
            }
            (values, _) => {
                let count = values.len();
                Err(format!(
                    "{read} matches {count} values instead of one in {}",
                    shown(&body)
                ))
            }
        }
    }

    async fn read_command(&self, command: &[String]) -> Result<i128, String> {
        let program = command.first().map_or("", String::as_str);
        let output = tokio::time::timeout(self.timeout, run_command(command)).await;
        let output = output
            .map_err(|_| format!("{program} timed out after {}", DurationText(self.timeout)))??;
        match (output.trim(), self.missing) {
            ("", Some(missing)) => Ok(missing),
            (text, _) => text.parse().map_err(|_| {
                let shown = self.redaction.text(text);
                format!(
                    "{program} did not print a whole number: {:?}",
                    first_line(&shown)
                )
            }),
        }
    }
}

/// Runs a program, which must exit with 0, and returns its output.
pub(crate) async fn run_command(command: &[String]) -> Result<String, String> {
    let [program, arguments @ ..] = command else {
        return Err("the command is empty".into());
    };
    let ran = run(program, arguments).await;
    let (status, output, errors) =
        ran.map_err(|error| format!("failed to run {program}: {error}"))?;
    if status.success() {
        Ok(output)
    } else {
        let last_line = errors.trim().lines().last().unwrap_or_default();
        Err(format!("{program} failed with {status}: {last_line}"))
    }
}

/// Runs a command and returns its status, output and errors. Dropping the future kills the command.
async fn run(
    program: &str,
    arguments: &[String],
) -> std::io::Result<(std::process::ExitStatus, String, String)> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let (output, errors, status) = tokio::join!(read_text(output), read_text(errors), child.wait());
    Ok((status?, output?, errors?))
}

async fn read_text(pipe: Option<impl tokio::io::AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        (&mut pipe)
            .take(OUTPUT_LIMIT)
            .read_to_end(&mut bytes)
            .await?;
        // Drain the rest so that the command does not block.
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
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
        assert_eq!(reason, Err("no such player".to_owned()));
        assert_eq!(format!("{:?}", probe.source), "Function");
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
