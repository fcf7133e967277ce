//! Reading a probe: a request or a command that tells how much a player holds.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use super::http_hook::{self, HttpHook};
use super::json_match::shortened;
use super::path_trail::PathTrail;
use super::placeholders::{VariableNotSet, fill_in, with_environment};
use super::redaction::Redaction;
use crate::delivery::{AllowedHosts, Client, HeaderError, Response, TargetError};
use crate::protocol::Secret;
use crate::scenario::{DurationText, JsonPath, Probe, ProbeSource};

/// A probe that is ready to be read: its environment variables are filled in.
#[derive(Debug, Clone)]
pub struct PreparedProbe {
    source: PreparedSource,
    missing: Option<i128>,
    timeout: Duration,
    /// Whether its path leads anywhere.
    trail: PathTrail,
    /// Hides what came from the environment.
    redaction: Redaction,
}

#[derive(Clone)]
enum PreparedSource {
    Http { request: HttpHook, read: JsonPath },
    Command(Vec<String>),
}

/// Environment variables may hold credentials, so nothing that was made of them is shown.
impl std::fmt::Debug for PreparedSource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http { request, .. } => write!(formatter, "{request:?}"),
            Self::Command(_) => formatter.write_str("Command"),
        }
    }
}

/// Why a probe or another hook can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookProblem {
    /// An environment variable that it names is not set.
    #[error(transparent)]
    Variable(#[from] VariableNotSet),
    /// The method is none.
    #[error("`{0}` is not an HTTP method")]
    Method(String),
    /// The URL can't be asked.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A header can't be sent.
    #[error(transparent)]
    Header(#[from] HeaderError),
}

/// The most output of a command that is read.
const OUTPUT_LIMIT: u64 = 64 * 1024;

impl PreparedProbe {
    /// Fills in the environment variables, and makes sure that the URL may be asked.
    pub fn new(probe: &Probe, allowed: &AllowedHosts) -> Result<Self, HookProblem> {
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
                PreparedSource::Http { request, read }
            }
            ProbeSource::Command(command) => {
                let mut used = Vec::new();
                let filled = command
                    .iter()
                    .map(|part| with_environment(part, &mut used))
                    .collect::<Result<_, _>>()?;
                credentials = http_hook::credentials(used);
                PreparedSource::Command(filled)
            }
        };
        Ok(Self {
            source,
            missing: probe.missing,
            timeout: probe.timeout.0,
            trail: PathTrail::default(),
            redaction: Redaction::new(credentials),
        })
    }

    /// What of the environment stands in the request's headers, which no report may show. What a
    /// command takes of the environment is rather a name or a path than a credential: it is
    /// hidden in what the command says, and nowhere else.
    pub fn credentials(&self) -> impl Iterator<Item = Secret> {
        let request = match &self.source {
            PreparedSource::Http { request, .. } => Some(request),
            PreparedSource::Command(_) => None,
        };
        request.into_iter().flat_map(HttpHook::credentials)
    }

    /// Reads the number for a player and an SKU, or says why there is none.
    pub async fn read(&self, client: &Client, player_id: &str, sku: &str) -> Result<i128, String> {
        let number = self.read_unredacted(client, player_id, sku).await;
        number.map_err(|reason| self.redaction.text(&reason).into_owned())
    }

    /// Why its `read` is rather mistyped than right, if that seems so: the path has selected nothing of
    /// any answer so far, and the answers do not look as if it could.
    pub(super) fn leads_nowhere(&self) -> Option<String> {
        let reason = self.trail.leads_nowhere()?;
        Some(format!("{reason}; is `read` right?"))
    }

    async fn read_unredacted(
        &self,
        client: &Client,
        player_id: &str,
        sku: &str,
    ) -> Result<i128, String> {
        match &self.source {
            PreparedSource::Http { request, read } => {
                let values = [("{player_id}", player_id), ("{sku}", sku)];
                let (name, response) = request.send(client, &values, None, self.timeout).await?;
                self.number_of(&name, &response, read)
            }
            PreparedSource::Command(command) => {
                let values = [("{player_id}", player_id), ("{sku}", sku)];
                let filled = command
                    .iter()
                    .map(|part| fill_in(part, &values, str::to_owned));
                self.read_command(&filled.collect::<Vec<_>>()).await
            }
        }
    }

    fn number_of(&self, name: &str, response: &Response, read: &JsonPath) -> Result<i128, String> {
        if let (404, Some(missing)) = (response.status, self.missing) {
            return Ok(missing);
        }
        if !(200..300).contains(&response.status) {
            let hint = match response.status {
                404 => "; if that means that the player holds none, add `missing: 0` to the probe",
                _ => "",
            };
            return Err(format!("{name} answered {}{hint}", response.status));
        }
        let shown = |value: &Value| shortened(&self.redaction.json(value));
        let body: Value = serde_json::from_slice(&response.body)
            .map_err(|error| format!("{name} answered no JSON: {error}"))?;
        match (read.query(&body).as_slice(), self.missing) {
            ([value], _) => {
                self.trail.found();
                number_in(value)
                    .ok_or_else(|| format!("{read} is no whole number: {}", shown(value)))
            }
            ([], Some(missing)) => {
                let shown = self.redaction.json(&body);
                self.trail.found_nothing(read, &body, &shown);
                Ok(missing)
            }
            (values, _) => {
                let count = values.len();
                Err(format!(
                    "{read} selects {count} values, not one, of {}",
                    shown(&body)
                ))
            }
        }
    }

    async fn read_command(&self, command: &[String]) -> Result<i128, String> {
        let program = command.first().map_or("", String::as_str);
        let output = tokio::time::timeout(self.timeout, run_command(command)).await;
        let output = output.map_err(|_| {
            format!(
                "{program} did not end within {}",
                DurationText(self.timeout)
            )
        })??;
        match (output.trim(), self.missing) {
            ("", Some(missing)) => Ok(missing),
            (text, _) => text.parse().map_err(|_| {
                let shown = self.redaction.text(text);
                format!(
                    "{program} printed no whole number: {:?}",
                    first_line(&shown)
                )
            }),
        }
    }
}

/// Runs a program with its arguments to its end, which must be 0, and returns what it printed.
pub(super) async fn run_command(command: &[String]) -> Result<String, String> {
    let [program, arguments @ ..] = command else {
        return Err("the command is empty".into());
    };
    let ran = run(program, arguments).await;
    let (status, output, complaint) =
        ran.map_err(|error| format!("{program} could not be run: {error}"))?;
    if status.success() {
        Ok(output)
    } else {
        let complaint = complaint.trim().lines().last().unwrap_or_default();
        Err(format!("{program} ended with {status}: {complaint}"))
    }
}

/// Runs a command to its end and returns its status, output and complaints. If this is dropped,
/// the command is ended.
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
    let (output, complaint) = (child.stdout.take(), child.stderr.take());
    let (output, complaint, status) =
        tokio::join!(read_text(output), read_text(complaint), child.wait());
    Ok((status?, output?, complaint?))
}

async fn read_text(pipe: Option<impl tokio::io::AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        (&mut pipe)
            .take(OUTPUT_LIMIT)
            .read_to_end(&mut bytes)
            .await?;
        // The rest is read and dropped, so that the command can end.
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

/// A whole number as JSON may hold it: a number, a number without a fraction, or its text.
fn number_in(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number.as_i128().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A float that is certainly a whole number: beyond 2^53 neighbouring numbers look the same.
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

    #[test]
    fn whole_numbers_are_read_in_every_form() {
        assert_eq!(number_in(&json!(u64::MAX)), Some(i128::from(u64::MAX)));
        assert_eq!(number_in(&json!(-3)), Some(-3));
        assert_eq!(number_in(&json!(4.8e5)), Some(480_000));
        assert_eq!(number_in(&json!("12 ")), Some(12));
        for no_number in [
            json!(1.5),
            json!(1e300),
            json!("x"),
            json!(null),
            json!([1]),
        ] {
            assert_eq!(number_in(&no_number), None, "{no_number}");
        }
    }
}
