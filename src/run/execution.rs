//! Runs all scenarios, several at the same time, and reports their steps and effects as run events.

use std::collections::BTreeMap;
use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use futures_util::stream::{self, StreamExt as _};

use super::fault_dictionary::FaultDictionary;
use super::item_responses::ItemResponses;
use super::plan::Plan;
use super::run_context::RunContext;
use super::run_event::{
    FORMAT_VERSION, RunEnded, RunEvent, RunStarted, ScenarioEnded, ScenarioStarted,
};
use super::scenario_effects::ScenarioEffects;
use super::step_runner::{RunEventHandler, StepRunner};
use super::symptoms::Symptoms;
use super::target_watch::TargetWatch;
use super::turn::{Turn, Turns};
use crate::scenario::Hooks;
use crate::transport::RateLimit;
use crate::verify::{Verdict, VerdictCounts};

impl RunContext {
    /// Runs all plans and reports to `events` what happens. Starts no more scenarios once `stop` is
    /// set.
    pub(crate) async fn run(
        &self,
        plans: &[Plan],
        events: RunEventHandler<'_>,
        stop: &AtomicBool,
    ) -> RunEnded {
        let started = Instant::now();
        events(RunEvent::RunStarted(self.run_started(plans.len())));
        let totals = Mutex::new((VerdictCounts::default(), VerdictCounts::default()));
        let count = |ended: &ScenarioEnded| {
            let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
            totals.0.add(ended.verdict);
            totals.1 += ended.checks;
        };
        let shared_players = SharedPlayers::of(plans);
        // A restart aborts all requests, so scenarios that restart the receiver, or move its clock, run
        // last and alone.
        let numbered = plans.iter().enumerate();
        let (exclusive, mut concurrent): (Vec<_>, Vec<_>) =
            numbered.partition(|(_, plan)| plan.runs_alone());
        let target = TargetWatch::default();
        let symptoms = Mutex::new(Symptoms::default());
        let usual_kind = self.capabilities.policy.usual_kind();
        let items = ItemResponses::of(&self.listed_items, plans, usual_kind);
        let items = Mutex::new(items);
        let watched = |event| {
            target.observe(&event);
            items
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .observe(&event);
            symptoms
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .observe(&event);
            events(event);
        };
        let mut problem = self.run_hook(Hooks::BEFORE_RUN).await;
        if problem.is_none() {
            let pilots = self.run_pilots(&mut concurrent, &watched).await;
            problem = pilots
                .problem
                .as_ref()
                .map(|pilot| pilot.problem.reason.clone());
            pilots.release(&watched).iter().for_each(count);
        }
        for (group, jobs) in [(concurrent, self.jobs()), (exclusive, 1)] {
            let (mut waiting, others): (Vec<_>, Vec<_>) = group
                .into_iter()
                .partition(|(_, plan)| plan.waits_for_others());
            // What a receiver forgets when it restarts would look forgotten without a restart to those behind.
            waiting.sort_by_key(|(_, plan)| plan.disturbs_receiver());
            let turns = Turns::new(jobs, waiting.len(), others.len());
            let at_once = jobs.saturating_add(waiting.len());
            let places = (0..waiting.len()).map(Some).chain(iter::repeat(None));
            // What waits for the others begins before them.
            let in_order = places.zip(waiting.into_iter().chain(others));
            stream::iter(in_order)
                .for_each_concurrent(at_once, |(place, (index, plan))| {
                    let (count, shared_players, problem) = (&count, &shared_players, &problem);
                    let (target, watched, turns) = (&target, &watched, &turns);
                    async move {
                        let locks = shared_players.lock(plan).await;
                        let turn = turns.begin(place, !locks.is_empty()).await;
                        let goes_on = problem.is_none() && !stop.load(Ordering::Relaxed);
                        if goes_on && !target.has_stopped(self).await {
                            let number = index + 1;
                            let run = self.run_scenario(number, plan, watched, turn, false);
                            count(&run.await);
                        }
                        turns.end(place);
                    }
                })
                .await;
        }
        let problem = match problem {
            Some(problem) => Some(problem),
            None => self.run_hook(Hooks::AFTER_RUN).await,
        };
        let (scenarios, checks) = *totals.lock().unwrap_or_else(PoisonError::into_inner);
        let not_run = plans.len() - scenarios.total();
        let items = items.into_inner().unwrap_or_else(PoisonError::into_inner);
        let refused_items = items
            .refused()
            .filter(|_| problem.is_none() && self.check_setup);
        let symptoms = symptoms.into_inner();
        let symptoms = symptoms.unwrap_or_else(PoisonError::into_inner);
        // What is wrong in the set-up can look like a bug of the receiver.
        let is_known = problem.is_none() && refused_items.is_none() && !target.stopped();
        let likely_causes = is_known.then(|| FaultDictionary::bundled().likely_causes(&symptoms));
        let ended = RunEnded {
            scenarios,
            checks,
            not_run,
            setup_problem: problem,
            refused_items,
            receiver_stopped: target.stopped(),
            likely_causes: likely_causes.unwrap_or_default(),
            since_baseline: None,
            explored: None,
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

    fn run_started(&self, scenarios: usize) -> RunStarted {
        RunStarted {
            format_version: FORMAT_VERSION,
            aghook_version: env!("CARGO_PKG_VERSION").into(),
            target: self.shown_target().into_owned(),
            built_in_receiver: self.built_in_receiver,
            start_time: self.start.to_string(),
            seed: self.seed.map(|seed| seed.number()),
            scenarios,
        }
    }

    /// Runs a hook that belongs to the whole run, if the profile has it. Returns why it failed.
    async fn run_hook(&self, name: &str) -> Option<String> {
        let hook = self.hooks.get(name)?;
        let failure = hook.run(&self.client, &[], None).await.err()?;
        Some(format!(
            "the hook `{name}` failed: {}",
            self.shown(&failure)
        ))
    }

    pub(crate) async fn run_scenario(
        &self,
        number: usize,
        plan: &Plan,
        events: RunEventHandler<'_>,
        turn: Turn<'_>,
        is_pilot: bool,
    ) -> ScenarioEnded {
        let started = Instant::now();
        events(RunEvent::ScenarioStarted(scenario_started(number, plan)));
        let mut steps = StepRunner::new(self, plan, number, events, turn);
        let (mut checks, prepared) = steps.prepare().await;
        let effects = ScenarioEffects::begin(self, plan, number).await;
        let steps_result = match prepared {
            Ok(()) => {
                let (of_steps, result) = steps.run().await;
                checks += of_steps;
                result
            }
            failed => failed,
        };
        let is_complete = steps_result.is_ok();
        let effects = match steps_result {
            Ok(()) => effects.end(&steps.outcomes, is_pilot).await,
            Err(reason) => effects.not_checked(&reason),
        };
        let verdicts = effects.checks.iter().map(|check| check.verdict);
        checks += verdicts.collect::<VerdictCounts>();
        if !effects.checks.is_empty() {
            events(RunEvent::EffectsEnded(effects));
        }
        let ended = ScenarioEnded {
            scenario: number,
            // A scenario that ended early has not proven anything.
            verdict: match checks.verdict() {
                Verdict::Passed if !is_complete => Verdict::NotChecked,
                verdict => verdict,
            },
            checks,
            took: started.elapsed(),
        };
        events(RunEvent::ScenarioEnded(ended.clone()));
        ended
    }
}

/// Players that several scenarios use. Those scenarios run one at a time, because each would see
/// the other's grants.
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

    /// Locks the shared players of a plan until the result is dropped. All plans lock players in
    /// the same order, which prevents deadlocks.
    async fn lock(&self, plan: &Plan) -> Vec<tokio::sync::MutexGuard<'_, ()>> {
        let mut locks = Vec::new();
        for player in plan.players() {
            if let Some(player) = self.0.get(player) {
                locks.push(player.lock().await);
            }
        }
        locks
    }
}

fn scenario_started(number: usize, plan: &Plan) -> ScenarioStarted {
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
