//! A whole run: scenarios at the same time, each with its steps and effects, told as run events.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use futures_util::stream::{self, StreamExt as _};

use super::effects::WatchedEffects;
use super::harness::Harness;
use super::plan::Plan;
use super::run_event::{EffectsEnded, RunEnded, RunEvent, ScenarioEnded, ScenarioStarted};
use super::steps::{Events, Steps};
use super::verdict::{Check, Counts, Verdict};

impl Harness {
    /// Runs all plans and tells `events` what happens. Once `stop` is set, no scenario is begun.
    ///
    /// The caller tells of the run's beginning, which knows more than the harness does.
    pub async fn run(&self, plans: &[Plan], events: Events<'_>, stop: &AtomicBool) -> RunEnded {
        let started = Instant::now();
        let totals = Mutex::new((Counts::default(), Counts::default()));
        stream::iter(plans.iter().enumerate())
            .for_each_concurrent(self.jobs.max(1), |(index, plan)| {
                let totals = &totals;
                async move {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let ended = self.run_scenario(index + 1, plan, events).await;
                    if self.fail_fast && ended.verdict == Verdict::Failed {
                        stop.store(true, Ordering::Relaxed);
                    }
                    let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
                    totals.0.add(ended.verdict);
                    totals.1 += ended.checks;
                }
            })
            .await;
        let (scenarios, checks) = *totals.lock().unwrap_or_else(PoisonError::into_inner);
        let not_run = plans.len() - scenarios.total();
        let ended = RunEnded {
            scenarios,
            checks,
            not_run,
            took: started.elapsed(),
        };
        events(RunEvent::RunEnded(ended.clone()));
        ended
    }

    async fn run_scenario(&self, number: usize, plan: &Plan, events: Events<'_>) -> ScenarioEnded {
        let started = Instant::now();
        events(RunEvent::ScenarioStarted(introduction(number, plan)));
        let effects = WatchedEffects::begin(self, plan).await;
        let (mut checks, made) = Steps::new(self, plan, number, events).make().await;
        let judged = match made {
            Ok(()) => effects.end().await,
            Err(reason) => effects.not_checked(&reason),
        };
        if !judged.checks.is_empty() {
            events(RunEvent::EffectsEnded(EffectsEnded {
                scenario: number,
                readings: judged.readings,
                checks: judged.checks.clone(),
                settled_after: judged.settled_after,
            }));
        }
        checks.extend(judged.checks);
        let checks: Counts = checks.iter().map(|check: &Check| check.verdict).collect();
        let ended = ScenarioEnded {
            scenario: number,
            verdict: checks.verdict(),
            checks,
            took: started.elapsed(),
        };
        events(RunEvent::ScenarioEnded(ended.clone()));
        ended
    }
}

fn introduction(number: usize, plan: &Plan) -> ScenarioStarted {
    let scenario = &plan.case.scenario;
    ScenarioStarted {
        scenario: number,
        name: plan.case.title(),
        about: scenario.about.clone(),
        tags: scenario.tags.clone(),
        level: scenario.level,
        source: scenario.source.clone(),
        file: plan.case.source.name.to_string(),
        line: plan.case.line,
    }
}
