//! Sends a recorded run again, one request after the other in the order in which they ended, and
//! compares the answers.
//!
//! What was sent at the same moment then is sent one after the other: a race can't be repeated by
//! repeating bytes.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use url::Url;

use super::comparison::{CompareBy, Comparison, compare, recorded_answer};
use super::resending::{LeftOut, Resending, Signatures, signed_timestamp};
use super::{Journal, JournalError};
use crate::delivery::{Failure, SendOptions};
use crate::harness::{
    AnswerRecord, AttemptEnded, Harness, RunEvent, ScenarioStarted, ScriptTold, StepEnded,
    answer_record,
};

/// How a recorded run is sent again.
#[derive(Debug)]
pub struct Replay<'run> {
    /// Sends, signs, hides secrets, restarts the receiver and tells it how to answer.
    pub harness: &'run Harness,
    /// Where the recorded run's deliveries went.
    pub recorded_target: &'run Url,
    /// How deliveries are signed.
    pub signatures: Signatures,
    /// What is compared.
    pub compare_by: CompareBy,
}

/// One recorded request and what came of it now.
#[derive(Debug)]
pub struct Replayed<'run> {
    /// The scenario's name.
    pub scenario: &'run str,
    /// The recorded attempt.
    pub attempt: &'run AttemptEnded,
    /// What came of sending it again.
    pub result: ReplayResult,
}

/// What came of sending a recorded request again.
#[derive(Debug)]
pub enum ReplayResult {
    /// It was sent.
    Sent {
        /// What came back, without secrets.
        now: AnswerRecord,
        /// How that compares to what came back then.
        comparison: Comparison,
        /// The target could not even be reached.
        unreached: bool,
    },
    /// It was not sent.
    LeftOut(LeftOut),
}

/// What came of a replay.
#[derive(Debug, Default)]
pub struct ReplayEnded {
    /// How many scenarios were meant.
    pub scenarios: usize,
    /// How many answers are the same.
    pub same: usize,
    /// How many differ.
    pub different: usize,
    /// How many requests were sent of whose answer nothing was recorded.
    pub not_heard: usize,
    /// How many requests were not sent, and why.
    pub left_out: BTreeMap<LeftOut, usize>,
    /// How many deliveries were accepted then and are refused now.
    pub refused: usize,
    /// How old the oldest signature among these is, in seconds.
    pub refused_age: u64,
    /// Why the replay was broken off, if it was.
    pub broken_off: Option<String>,
}

/// A scenario that began and did not end yet.
struct UnderWay {
    name: String,
    meant: bool,
    /// Why the rest of it is left out, if it is.
    left_out: Option<LeftOut>,
    /// The last attempt of each delivery: when it began then, and now.
    last: HashMap<(usize, usize), (Duration, Instant)>,
}

impl Replay<'_> {
    /// Sends the requests of the scenarios that are meant, and shows `observe` what comes of each.
    pub async fn run(
        &self,
        journal: Journal,
        is_meant: impl Fn(&ScenarioStarted) -> bool,
        mut observe: impl FnMut(&Replayed<'_>),
    ) -> Result<ReplayEnded, JournalError> {
        let mut ended = ReplayEnded::default();
        let mut under_way: HashMap<usize, UnderWay> = HashMap::new();
        for event in journal {
            match event? {
                RunEvent::ScenarioStarted(started) => {
                    let meant = is_meant(&started);
                    ended.scenarios += usize::from(meant);
                    let scenario = UnderWay {
                        name: started.name,
                        meant,
                        left_out: None,
                        last: HashMap::new(),
                    };
                    under_way.insert(started.scenario, scenario);
                }
                RunEvent::AttemptEnded(attempt) => {
                    let scenario = under_way.get_mut(&attempt.scenario);
                    let Some(scenario) = scenario.filter(|scenario| scenario.meant) else {
                        continue;
                    };
                    let result = self.send(scenario, &attempt).await;
                    self.count(&mut ended, &attempt, &result);
                    observe(&Replayed {
                        scenario: &scenario.name,
                        attempt: &attempt,
                        result,
                    });
                    if ended.broken_off.is_some() {
                        break;
                    }
                }
                RunEvent::StepEnded(step) => {
                    let scenario = under_way.get_mut(&step.scenario);
                    if let Some(scenario) = scenario.filter(|scenario| scenario.meant) {
                        scenario.last.clear();
                        // What follows stands on all before, so what was left out once stays out.
                        if scenario.left_out.is_none() {
                            scenario.left_out = self.steer(&step).await.err();
                        }
                    }
                }
                RunEvent::ScenarioEnded(over) => _ = under_way.remove(&over.scenario),
                RunEvent::RunStarted(_)
                | RunEvent::EffectsEnded(_)
                | RunEvent::SnapshotCompared(_)
                | RunEvent::SnapshotsEnded(_)
                | RunEvent::RunEnded(_) => {}
            }
        }
        Ok(ended)
    }

    async fn send(&self, scenario: &mut UnderWay, attempt: &AttemptEnded) -> ReplayResult {
        if let Some(reason) = &scenario.left_out {
            return ReplayResult::LeftOut(reason.clone());
        }
        self.wait(scenario, attempt).await;
        let resending = Resending {
            harness: self.harness,
            recorded_target: self.recorded_target,
            signatures: self.signatures,
        };
        let _turn = match &self.harness.rate_limit {
            Some(limit) if attempt.event_name.is_some() => Some(limit.acquire(1).await),
            _ => None,
        };
        let (target, request) = match resending.request(attempt) {
            Ok(request) => request,
            Err(reason) => return ReplayResult::LeftOut(reason),
        };
        let options = SendOptions::within(self.harness.retry.timeout.0);
        let exchange = self.harness.client.send(&target, &request, options).await;
        let now = answer_record(&exchange.result, &self.harness.redaction);
        let comparison = compare(attempt, &now, self.compare_by);
        let unreached = exchange.result.as_ref().err();
        ReplayResult::Sent {
            now,
            comparison,
            unreached: unreached.is_some_and(Failure::is_before_request),
        }
    }

    /// Waits as long as the policy waited between two attempts of a delivery, where waits are real.
    async fn wait(&self, scenario: &mut UnderWay, attempt: &AttemptEnded) {
        let delivery = (attempt.step, attempt.delivery);
        if let Some((then, began)) = scenario.last.get(&delivery) {
            let apart = attempt.virtual_offset.saturating_sub(*then);
            let wait = apart.saturating_sub(began.elapsed());
            self.harness.clock.pause(wait).await;
        }
        let began = (attempt.virtual_offset, Instant::now());
        scenario.last.insert(delivery, began);
    }

    /// Does again what a step did to the receiver beside sending to it.
    async fn steer(&self, step: &StepEnded) -> Result<(), LeftOut> {
        if let Some(script) = &step.script {
            self.tell(script).await?;
        }
        if step.restarted {
            self.restart().await?;
        }
        Ok(())
    }

    async fn tell(&self, script: &ScriptTold) -> Result<(), LeftOut> {
        let hook = self.harness.script.as_ref().ok_or(LeftOut::NoScript)?;
        let client = &self.harness.client;
        let told = hook.tell(client, &script.player_id, &script.answers).await;
        told.map_err(|reason| {
            LeftOut::ScriptFailed(self.harness.redaction.text(&reason).into_owned())
        })
    }

    async fn restart(&self) -> Result<(), LeftOut> {
        let hook = self.harness.restart.as_ref().ok_or(LeftOut::NoRestart)?;
        let restarted = hook.restart(&self.harness.client, &self.harness.target);
        restarted.await.map_err(|reason| {
            LeftOut::RestartFailed(self.harness.redaction.text(&reason).into_owned())
        })
    }

    fn count(&self, ended: &mut ReplayEnded, attempt: &AttemptEnded, result: &ReplayResult) {
        let (now, comparison, unreached) = match result {
            ReplayResult::Sent {
                now,
                comparison,
                unreached,
            } => (now, comparison, *unreached),
            ReplayResult::LeftOut(reason) => {
                *ended.left_out.entry(reason.clone()).or_default() += 1;
                return;
            }
        };
        // Then as well, nobody may have been there: that is the same, and no reason to end.
        if let AnswerRecord::Failure { message, .. } = now
            && unreached
            && *comparison != Comparison::Same
            && attempt.event_name.is_some()
        {
            ended.broken_off = Some(message.clone());
            return;
        }
        match comparison {
            Comparison::Same => ended.same += 1,
            Comparison::NotHeard => ended.not_heard += 1,
            Comparison::StatusDiffers | Comparison::BodyDiffers => ended.different += 1,
        }
        if is_now_refused(attempt, now) {
            ended.refused += 1;
            let now = self.harness.clock.unix_seconds();
            let signed = signed_timestamp(&attempt.request).unwrap_or(now);
            ended.refused_age = ended.refused_age.max(now.saturating_sub(signed));
        }
    }
}

/// Whether a delivery was accepted then, and is refused now as one that is not rightly signed.
fn is_now_refused(attempt: &AttemptEnded, now: &AnswerRecord) -> bool {
    let status = |answer: &AnswerRecord| match answer {
        AnswerRecord::Response { status, .. } => Some(*status),
        AnswerRecord::Failure { .. } => None,
    };
    let then = recorded_answer(attempt).and_then(status);
    attempt.event_name.is_some()
        && matches!(then, Some(200..=299))
        && matches!(status(now), Some(400 | 401 | 403))
}
