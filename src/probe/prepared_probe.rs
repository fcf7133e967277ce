//! Reads a probe: a request, a command or a function that returns how much of an item a player holds, or
//! another value of the game.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};

use super::hook_command::HookCommand;
use super::hook_error::{HookError, HookFailure};
use super::http_hook::HttpHook;
use super::probe_answer::{AnswerReader, ProbeAnswer};
use super::probe_batch::{ProbeBatch, ProbePair, ProbeScope};
use super::probe_history::{ProbeHistory, ProbeProblem};
use super::probe_value::ProbeValue;
use super::redaction::Redaction;
use crate::policy::DurationText;
use crate::scenario::{HookSource, Probe};
use crate::transport::{AllowedHosts, Client};

#[derive(Debug, Clone)]
pub(crate) struct PreparedProbe {
    source: PreparedProbeSource,
    scope: ProbeScope,
    reader: AnswerReader,
    timeout: Duration,
}

#[derive(Debug, Clone)]
enum PreparedProbeSource {
    Http(HttpHook),
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

const REQUESTS_AT_ONCE: usize = 4;

/// How long a function may take.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

impl PreparedProbe {
    pub(crate) fn new(probe: &Probe, allowed: &AllowedHosts) -> Result<Self, HookError> {
        let (source, redaction) = match &probe.source {
            HookSource::Http { request, headers } => {
                let request = HttpHook::new(request, headers, allowed)?;
                let redaction = request.redaction().clone();
                (PreparedProbeSource::Http(request), redaction)
            }
            HookSource::Command(words) => {
                let command = HookCommand::new(words)?;
                let redaction = command.redaction().clone();
                (PreparedProbeSource::Command(command), redaction)
            }
        };
        let scope = ProbeScope::of(&probe.source);
        Ok(Self {
            source,
            scope,
            reader: AnswerReader {
                read: probe.read.clone(),
                has_lines: probe.read.is_none() && scope.has_list(),
                missing: probe.missing,
                history: ProbeHistory::default(),
                redaction,
            },
            timeout: probe.timeout.0,
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
            scope: ProbeScope::PAIR,
            reader: AnswerReader {
                read: None,
                has_lines: false,
                missing: None,
                history: ProbeHistory::default(),
                redaction: Redaction::new([]),
            },
            timeout: DEFAULT_TIMEOUT,
        }
    }

    /// Removes the environment variables in the request's headers, which no report may show. `None`
    /// for other probes.
    pub(crate) fn redaction(&self) -> Option<&Redaction> {
        matches!(self.source, PreparedProbeSource::Http(_)).then_some(&self.reader.redaction)
    }

    /// Hides the run's secrets in its failures, too: they quote only a part of what the game returned, in which
    /// a secret may not be recognised any more.
    pub(crate) fn hide(&mut self, secrets: &Redaction) {
        let redaction = &mut self.reader.redaction;
        *redaction = secrets.clone().and([&*redaction]);
        if let PreparedProbeSource::Command(command) = &mut self.source {
            command.hide(secrets);
        }
    }

    /// Why it is probably wrong: it has never returned a value in this run.
    pub(crate) fn problem(&self) -> Option<ProbeProblem> {
        self.reader.history.problem()
    }

    /// How many players one request asks for.
    pub(crate) fn players_per_request(&self) -> usize {
        self.scope.players()
    }

    pub(crate) async fn read(
        &self,
        client: &Client,
        player_id: &str,
        sku: &str,
    ) -> Result<i128, HookFailure> {
        let mut numbers = self.read_numbers(client, &[(player_id, sku)]).await;
        let none = || Err(HookFailure::new("the probe was not read"));
        numbers.pop().unwrap_or_else(none)
    }

    /// The number of each player and SKU, with as few requests as possible.
    pub(crate) async fn read_numbers(
        &self,
        client: &Client,
        pairs: &[ProbePair<'_>],
    ) -> Vec<Result<i128, HookFailure>> {
        let number = |value: ProbeValue| value.number(&self.reader.redaction);
        self.read_values(client, pairs, number, |missing| missing)
            .await
    }

    /// The text of each player and SKU.
    pub(crate) async fn read_texts(
        &self,
        client: &Client,
        pairs: &[ProbePair<'_>],
    ) -> Vec<Result<String, HookFailure>> {
        let text = |value: ProbeValue| Ok(value.text());
        self.read_values(client, pairs, text, |missing| missing.to_string())
            .await
    }

    async fn read_values<T>(
        &self,
        client: &Client,
        pairs: &[ProbePair<'_>],
        convert: impl Fn(ProbeValue) -> Result<T, HookFailure>,
        missing: impl Fn(i128) -> T,
    ) -> Vec<Result<T, HookFailure>> {
        let mut results: Vec<_> = pairs.iter().map(|_| None).collect();
        let batches = self.scope.batches(pairs).into_iter();
        let answers = batches.map(|batch| async {
            let answer = self.answer(client, &batch).await;
            (answer, batch.places)
        });
        // As a list, because callers may need a future that is `Send`, and the compiler can't see that
        // the closure is.
        let answers: Vec<_> = answers.collect();
        let mut answers = stream::iter(answers).buffered(self.at_once());
        while let Some((answer, places)) = answers.next().await {
            for place in places {
                let value = answer.as_ref().map_err(Clone::clone);
                let value = value.and_then(|answer| self.reader.value(answer, pairs[place]));
                let value = value.and_then(|value| match value {
                    Some(value) => {
                        let value = convert(value)?;
                        self.reader.history.record_value();
                        Ok(value)
                    }
                    // A reading that finds nothing is only accepted if `missing` is set.
                    None => Ok(missing(self.reader.missing.unwrap_or_default())),
                });
                results[place] = Some(value.map_err(|failure| self.failed(failure)));
            }
        }
        // Each pair is in a batch.
        results.into_iter().flatten().collect()
    }

    /// How many requests of one reading are sent at the same time. Commands run one after the other,
    /// because each may open a connection to a database that has few.
    fn at_once(&self) -> usize {
        match self.source {
            PreparedProbeSource::Http(_) => REQUESTS_AT_ONCE,
            PreparedProbeSource::Command(_) | PreparedProbeSource::Function(_) => 1,
        }
    }

    fn failed(&self, failure: HookFailure) -> HookFailure {
        let failure = failure.redacted(&self.reader.redaction);
        let reason = format!("has never returned a value: {failure}");
        let history = &self.reader.history;
        history.record_problem(reason, "check the probe in the profile");
        failure
    }

    async fn answer(
        &self,
        client: &Client,
        batch: &ProbeBatch<'_>,
    ) -> Result<ProbeAnswer, HookFailure> {
        let values = batch.values();
        let values = values.each_ref().map(|(name, value)| (*name, &**value));
        match &self.source {
            PreparedProbeSource::Http(request) => {
                let sent = request.send(client, &values, None, self.timeout).await;
                sent.and_then(|(name, response)| self.reader.response(&name, &response))
            }
            PreparedProbeSource::Command(command) => {
                let program = command.program();
                let late = || self.timed_out(program);
                let output = command.run(&values, self.timeout, late).await;
                output.and_then(|output| self.reader.output(program, output))
            }
            PreparedProbeSource::Function(ProbeFunction(function)) => {
                let [(_, player_id), (_, sku), ..] = batch.values();
                let number = self.in_time("the probe", function(player_id, sku)).await;
                number.map(ProbeAnswer::Number)
            }
        }
    }

    async fn in_time<T>(
        &self,
        name: &str,
        reading: impl Future<Output = Result<T, HookFailure>>,
    ) -> Result<T, HookFailure> {
        let read = tokio::time::timeout(self.timeout, reading).await;
        read.map_err(|_| self.timed_out(name)).flatten()
    }

    fn timed_out(&self, name: &str) -> HookFailure {
        let timeout = DurationText(self.timeout);
        HookFailure::new(format!("{name} timed out after {timeout}"))
    }
}

#[cfg(test)]
mod tests {
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
}
