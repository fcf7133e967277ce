//! A whole run: scenarios at the same time, each with its steps and effects, told as run events.

use std::collections::BTreeMap;
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
use crate::delivery::RateLimit;

impl Harness {
    /// Runs all plans and tells `events` what happens. Once `stop` is set, no scenario is begun.
    ///
    /// The caller tells of the run's beginning, which knows more than the harness does.
    pub async fn run(&self, plans: &[Plan], events: Events<'_>, stop: &AtomicBool) -> RunEnded {
        let started = Instant::now();
        let totals = Mutex::new((Counts::default(), Counts::default()));
        let shared_players = SharedPlayers::of(plans);
        // A restart cuts off whatever else is under way, so who restarts comes last and runs alone.
        let numbered = plans.iter().enumerate();
        let (alone, side_by_side): (Vec<_>, Vec<_>) =
            numbered.partition(|(_, plan)| plan.restarts());
        for (group, jobs) in [(side_by_side, self.jobs.max(1)), (alone, 1)] {
            stream::iter(group)
                .for_each_concurrent(jobs, |(index, plan)| {
                    let (totals, shared_players) = (&totals, &shared_players);
                    async move {
                        let _in_turn = shared_players.take(plan).await;
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
        }
        let (scenarios, checks) = *totals.lock().unwrap_or_else(PoisonError::into_inner);
        let not_run = plans.len() - scenarios.total();
        let ended = RunEnded {
            scenarios,
            checks,
            not_run,
            took: started.elapsed(),
            held_back: self
                .rate_limit
                .as_ref()
                .map(RateLimit::waited)
                .unwrap_or_default(),
        };
        events(RunEvent::RunEnded(ended.clone()));
        ended
    }

    async fn run_scenario(&self, number: usize, plan: &Plan, events: Events<'_>) -> ScenarioEnded {
        let started = Instant::now();
        events(RunEvent::ScenarioStarted(introduction(number, plan)));
        let effects = WatchedEffects::begin(self, plan).await;
        let mut steps = Steps::new(self, plan, number, events);
        let (mut checks, made) = steps.make().await;
        let whole = made.is_ok();
        let judged = match made {
            Ok(()) => effects.end(steps.answered()).await,
            Err(reason) => effects.not_looked_at(&reason),
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
            // What was cut short has not shown what it is there to show.
            verdict: match checks.verdict() {
                Verdict::Passed if !whole => Verdict::NotChecked,
                verdict => verdict,
            },
            checks,
            took: started.elapsed(),
        };
        events(RunEvent::ScenarioEnded(ended.clone()));
        ended
    }
}

/// Players that several scenarios name themselves: such scenarios take turns, since each would see
/// the grants of the other.
struct SharedPlayers(BTreeMap<String, tokio::sync::Mutex<()>>);

impl SharedPlayers {
    fn of(plans: &[Plan]) -> Self {
        let mut scenarios: BTreeMap<&str, usize> = BTreeMap::new();
        for player in plans.iter().flat_map(Plan::players) {
            *scenarios.entry(player).or_default() += 1;
        }
        let shared = scenarios.into_iter().filter(|(_, count)| *count > 1);
        Self(
            shared
                .map(|(player, _)| (player.to_owned(), tokio::sync::Mutex::default()))
                .collect(),
        )
    }

    /// Waits for the turn of a plan, which ends when the result is dropped. The players are taken
    /// in one order by all plans, so that no two wait for each other.
    async fn take(&self, plan: &Plan) -> Vec<tokio::sync::MutexGuard<'_, ()>> {
        let mut taken = Vec::new();
        for player in plan.players() {
            if let Some(player) = self.0.get(player) {
                taken.push(player.lock().await);
            }
        }
        taken
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
        choice: plan.case.choice.clone(),
        varying: plan.varying.clone(),
    }
}
