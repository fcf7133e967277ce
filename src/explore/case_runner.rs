//! Runs histories as scenarios, each time with other players and keys.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::failure_class::FailureClass;
use super::history::History;
use crate::generate::Seed;
use crate::run::{Plan, PlanSettings, RunContext, RunEvent, TargetWatch};
use crate::scenario::Case;
use crate::scenario::document::SourceFile;
use crate::verify::{Verdict, VerdictCounts};

/// Wrong effects are read again for this many times as long as the slowest right effect took.
const PATIENCE_FACTOR: u32 = 4;
const LEAST_PATIENCE: Duration = Duration::from_millis(100);
/// The number of cases from which aghook learns how long right effects take.
const LEARNING_CASES: u64 = 10;

pub(super) struct CaseRunner<'run> {
    pub(super) context: &'run RunContext,
    pub(super) plan_settings: PlanSettings,
    pub(super) target: TargetWatch,
    /// The seed of the exploration.
    seed: Seed,
    seeds: AtomicU64,
    /// The number of the next scenario.
    runs: AtomicUsize,
    deliveries: AtomicU64,
    learned: Mutex<Learned>,
}

/// How long right effects took to show.
#[derive(Default)]
struct Learned {
    cases: u64,
    longest_settle: Duration,
}

/// One try of a history.
pub(super) struct Try {
    pub(super) verdict: Verdict,
    pub(super) checks: VerdictCounts,
    pub(super) classes: BTreeSet<FailureClass>,
    pub(super) events: Vec<RunEvent>,
}

impl<'run> CaseRunner<'run> {
    pub(super) fn new(context: &'run RunContext, plan_settings: PlanSettings, seed: Seed) -> Self {
        Self {
            context,
            plan_settings,
            seed,
            target: TargetWatch::default(),
            seeds: AtomicU64::default(),
            runs: AtomicUsize::new(1),
            deliveries: AtomicU64::default(),
            learned: Mutex::default(),
        }
    }

    /// The number of attempts to deliver an event.
    pub(super) fn deliveries(&self) -> u64 {
        self.deliveries.load(Ordering::Relaxed)
    }

    pub(super) fn next_seed(&self) -> Seed {
        let number = self.seeds.fetch_add(1, Ordering::Relaxed);
        self.seed.derive(&format!("try {number}"))
    }

    /// Runs a history as a scenario, with its own players and keys. Waits for wrong effects to become
    /// right for at most `patience`. `None` if the history is not valid.
    pub(super) async fn attempt(
        &self,
        history: &History,
        seed: Seed,
        patience: Option<Duration>,
    ) -> Option<Try> {
        let mut plan = self.plan(history, seed)?;
        plan.patience = patience;
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let events = Mutex::new(Vec::new());
        let observe = |event: RunEvent| {
            self.target.observe(&event);
            self.learn(&event);
            events
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(event);
        };
        let ended = self
            .context
            .run_scenario(number, &plan, &observe, false)
            .await;
        let events = events.into_inner().unwrap_or_else(PoisonError::into_inner);
        Some(Try {
            verdict: ended.verdict,
            checks: ended.checks,
            classes: FailureClass::of(&events),
            events,
        })
    }

    pub(super) fn plan(&self, history: &History, seed: Seed) -> Option<Plan> {
        let text = history.scenario_text("a history", "");
        let source = SourceFile::new("explore.yaml", text);
        let case = Case::from_file(&source).ok()?.pop()?;
        let settings = PlanSettings {
            seed: Some(seed),
            ..self.plan_settings.clone()
        };
        Plan::new(case, &settings).ok()
    }

    /// Learns how long right effects take to show.
    fn learn(&self, event: &RunEvent) {
        match event {
            RunEvent::AttemptEnded(_) => _ = self.deliveries.fetch_add(1, Ordering::Relaxed),
            RunEvent::EffectsEnded(ended) => {
                let mut checks = ended.checks.iter();
                if !checks.all(|check| check.verdict.is_passed_or_not_checked()) {
                    return;
                }
                let mut learned = self.learned();
                learned.cases += 1;
                learned.longest_settle = learned.longest_settle.max(ended.settled_after);
            }
            _ => {}
        }
    }

    /// How long to read wrong effects again; `None` until enough cases have passed.
    pub(super) fn patience(&self) -> Option<Duration> {
        let learned = self.learned();
        let patience = (learned.longest_settle * PATIENCE_FACTOR).max(LEAST_PATIENCE);
        (learned.cases >= LEARNING_CASES).then_some(patience)
    }

    /// Tries a history several times, with the usual patience. Returns how often it failed, and the
    /// events of a failed try.
    pub(super) async fn repeat(
        &self,
        history: &History,
        class: FailureClass,
        times: u32,
    ) -> (u32, Vec<RunEvent>) {
        let mut tries = Vec::new();
        for _ in 0..times {
            tries.push(self.attempt(history, self.next_seed(), None).await);
        }
        let failing = tries
            .into_iter()
            .flatten()
            .filter(|tried| tried.classes.contains(&class));
        let mut failing: Vec<Try> = failing.collect();
        let count = u32::try_from(failing.len()).unwrap_or(u32::MAX);
        (
            count,
            failing.pop().map(|tried| tried.events).unwrap_or_default(),
        )
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
