//! Sends a recorded run again and compares the responses.
//!
//! Requests are sent one after another, in the order in which they ended. Requests that were sent
//! at the same time are not, because a race can't be reproduced by sending the same bytes.

mod resend;
mod response_comparison;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use url::Url;

use self::resend::signed_timestamp;
use self::response_comparison::compare;
use super::attempt_record::response_record;
use super::journal::{Journal, JournalError};
use super::run_context::RunContext;
use super::run_event::{
    AttemptEnded, HookRun, ResponseRecord, RunEvent, ScenarioStarted, ScriptedResponses, StepEnded,
};
use crate::scenario::Hook;
use crate::transport::SendOptions;

pub(crate) use self::resend::{Signatures, SkipReason};
pub(crate) use self::response_comparison::{CompareBy, ResponseComparison, recorded_response};

#[derive(Debug)]
pub(crate) struct Replay<'run> {
    pub context: &'run RunContext,
    pub recorded_target: &'run Url,
    pub signatures: Signatures,
    pub compare_by: CompareBy,
}

#[derive(Debug)]
pub(crate) enum ReplayResult {
    Sent {
        /// The response, without secrets.
        now: ResponseRecord,
        comparison: ResponseComparison,
        unreachable: bool,
    },
    Skipped(SkipReason),
}

#[derive(Debug, Default)]
pub(crate) struct ReplayEnded {
    /// The number of selected scenarios.
    pub scenarios: usize,
    pub same: usize,
    pub different: usize,
    /// The number of requests whose recorded response is unknown.
    pub not_recorded: usize,
    pub skipped: BTreeMap<SkipReason, usize>,
    /// The number of deliveries that were accepted when recorded and are refused now.
    pub refused: usize,
    /// The age of the oldest signature of these deliveries, in seconds.
    pub refused_age: u64,
    pub aborted: Option<String>,
    pub interrupted: bool,
}

/// A selected scenario that has started and not ended yet.
#[derive(Default)]
struct ReplayedScenario {
    name: String,
    /// Why the rest of it is skipped, if it is.
    skipped: Option<SkipReason>,
    /// The last attempt of each delivery: its recorded and its present start.
    last: HashMap<(usize, usize), (Duration, Instant)>,
}

impl Replay<'_> {
    /// Sends the requests of the selected scenarios until the `interruption`, and calls `observe` with each result.
    pub(crate) async fn run(
        &self,
        journal: Journal,
        is_selected: impl Fn(&ScenarioStarted) -> bool,
        interruption: impl Future<Output = ()>,
        mut observe: impl FnMut(&str, &AttemptEnded, &ReplayResult),
    ) -> Result<ReplayEnded, JournalError> {
        let mut interruption = std::pin::pin!(interruption);
        let mut ended = ReplayEnded::default();
        let mut active: HashMap<usize, ReplayedScenario> = HashMap::new();
        for event in journal {
            match event? {
                RunEvent::ScenarioStarted(started) if is_selected(&started) => {
                    ended.scenarios += 1;
                    let scenario = active.entry(started.scenario).or_default();
                    scenario.name = started.name;
                }
                RunEvent::AttemptEnded(attempt) => {
                    let Some(scenario) = active.get_mut(&attempt.scenario) else {
                        continue;
                    };
                    let result = tokio::select! {
                        biased;
                        () = &mut interruption => {
                            ended.interrupted = true;
                            break;
                        }
                        result = self.send(scenario, &attempt) => result,
                    };
                    self.count(&mut ended, &attempt, &result);
                    observe(&scenario.name, &attempt, &result);
                    if ended.aborted.is_some() {
                        break;
                    }
                }
                RunEvent::StepEnded(step) => {
                    if let Some(scenario) = active.get_mut(&step.scenario) {
                        scenario.last.clear();
                        // Later steps depend on earlier ones, so the rest of the scenario is
                        // skipped too.
                        if scenario.skipped.is_none() {
                            scenario.skipped = self.repeat_hooks(&step).await.err();
                        }
                    }
                }
                RunEvent::ScenarioEnded(over) => _ = active.remove(&over.scenario),
                _ => {}
            }
        }
        Ok(ended)
    }

    async fn send(&self, scenario: &mut ReplayedScenario, attempt: &AttemptEnded) -> ReplayResult {
        if let Some(reason) = &scenario.skipped {
            return ReplayResult::Skipped(reason.clone());
        }
        self.wait(scenario, attempt).await;
        let _permit = match &self.context.rate_limit {
            Some(limit) if attempt.event_name.is_some() => Some(limit.acquire(1).await),
            _ => None,
        };
        let (target, request) = match self.rebuild(attempt) {
            Ok(request) => request,
            Err(reason) => return ReplayResult::Skipped(reason),
        };
        let options = SendOptions::within(self.context.retry.timeout.0);
        let exchange = self.context.client.send(&target, &request, options).await;
        let now = response_record(&exchange.result, &self.context.redaction);
        ReplayResult::Sent {
            comparison: compare(attempt, &now, self.compare_by),
            now,
            unreachable: exchange
                .result
                .is_err_and(|failure| failure.is_before_request()),
        }
    }

    /// Waits as long as the policy did between two attempts of a delivery, if the clock is real.
    async fn wait(&self, scenario: &mut ReplayedScenario, attempt: &AttemptEnded) {
        let delivery = (attempt.step, attempt.delivery);
        if let Some((then, started)) = scenario.last.get(&delivery) {
            let apart = attempt.virtual_offset.saturating_sub(*then);
            let wait = apart.saturating_sub(started.elapsed());
            self.context.clock.pause(wait).await;
        }
        let start = (attempt.virtual_offset, Instant::now());
        scenario.last.insert(delivery, start);
    }

    async fn repeat_hooks(&self, step: &StepEnded) -> Result<(), SkipReason> {
        let context = self.context;
        if let Some(ScriptedResponses { player_id, answers }) = &step.script {
            let hook = context.hooks.get(Hook::SCRIPT);
            let hook = hook.ok_or(SkipReason::NoScript)?;
            let set = hook.script(&context.client, player_id, answers);
            set.await
                .map_err(|failure| SkipReason::ScriptFailed(context.shown(&failure)))?;
        }
        if step.restarted {
            let hook = context.hooks.get(Hook::RESTART);
            let hook = hook.ok_or(SkipReason::NoRestart)?;
            let restarted = hook.restart(&context.client, context.instances());
            restarted
                .await
                .map_err(|failure| SkipReason::RestartFailed(context.shown(&failure)))?;
        }
        for HookRun { name, values } in &step.hooks {
            let hook = context.hooks.get(name);
            let hook = hook.ok_or_else(|| SkipReason::NoHook(name.clone()))?;
            let values = values.iter();
            let values = values.map(|(name, value)| (name.as_str(), value.as_str()));
            let run = hook
                .run(&context.client, &values.collect::<Vec<_>>(), None)
                .await;
            run.map_err(|failure| SkipReason::HookFailed(name.clone(), context.shown(&failure)))?;
        }
        Ok(())
    }

    fn count(&self, ended: &mut ReplayEnded, attempt: &AttemptEnded, result: &ReplayResult) {
        let (now, comparison, unreachable) = match result {
            ReplayResult::Sent {
                now,
                comparison,
                unreachable,
            } => (now, comparison, *unreachable),
            ReplayResult::Skipped(reason) => {
                *ended.skipped.entry(reason.clone()).or_default() += 1;
                return;
            }
        };
        // If the target was unreachable in the recorded run too, the response is the same.
        if let ResponseRecord::Failure { message, .. } = now
            && unreachable
            && *comparison != ResponseComparison::Same
            && attempt.event_name.is_some()
        {
            ended.aborted = Some(message.clone());
            return;
        }
        match comparison {
            ResponseComparison::Same => ended.same += 1,
            ResponseComparison::NotRecorded => ended.not_recorded += 1,
            ResponseComparison::StatusDiffers | ResponseComparison::BodyDiffers => {
                ended.different += 1;
            }
        }
        if is_now_refused(attempt, now) {
            ended.refused += 1;
            let now = self.context.clock.unix_seconds();
            let signed = signed_timestamp(&attempt.request).unwrap_or(now);
            ended.refused_age = ended.refused_age.max(now.saturating_sub(signed));
        }
    }
}

/// Whether a delivery was accepted when it was recorded, and is now refused like one with an
/// invalid signature.
fn is_now_refused(attempt: &AttemptEnded, now: &ResponseRecord) -> bool {
    let then = recorded_response(attempt).and_then(ResponseRecord::status);
    attempt.event_name.is_some()
        && matches!(then, Some(200..=299))
        && matches!(now.status(), Some(400 | 401 | 403))
}
