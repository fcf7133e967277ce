//! Runs histories as scenarios, each time with other players and keys.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::failure_class::FailureClass;
use super::history::History;
use crate::run::{Plan, PlanSettings, RunContext, RunEvent, TargetWatch};
use crate::scenario::Case;
use crate::scenario::document::SourceFile;
use crate::verify::{Verdict, VerdictCounts};

/// Wrong effects are read again for this many times as long as the slowest right effect took.
const PATIENCE_FACTOR: u32 = 4;
const LEAST_PATIENCE: Duration = Duration::from_millis(100);
/// The number of cases from which aghook learns how long right effects take. The plain deliveries at the
/// start count.
const LEARNING_CASES: u64 = 3;

pub(super) struct CaseRunner<'run> {
    pub(super) context: &'run RunContext,
    pub(super) plan_settings: PlanSettings,
    pub(super) target: TargetWatch,
    started: Instant,
    plans: AtomicU32,
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
    pub(super) fn new(context: &'run RunContext, plan_settings: PlanSettings) -> Self {
        Self {
            context,
            plan_settings,
            target: TargetWatch::default(),
            started: Instant::now(),
            plans: AtomicU32::default(),
            runs: AtomicUsize::new(1),
            deliveries: AtomicU64::default(),
            learned: Mutex::default(),
        }
    }

    /// The number of attempts to deliver an event.
    pub(super) fn deliveries(&self) -> u64 {
        self.deliveries.load(Ordering::Relaxed)
    }

    /// Runs a history as a scenario, with its own players and keys. Waits for wrong effects to become
    /// right for at most `patience`. `None` if the history is not valid.
    pub(super) async fn attempt(
        &self,
        history: &History,
        patience: Option<Duration>,
    ) -> Option<Try> {
        let mut plan = self.plan(history)?;
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
            classes: FailureClass::of(&events, history),
            events,
        })
    }

    /// Runs a history as `aghook run` would, which has no connections from earlier cases.
    pub(super) async fn attempt_alone(
        &self,
        history: &History,
        patience: Option<Duration>,
    ) -> Option<Try> {
        self.context.client.close_idle();
        self.attempt(history, patience).await
    }

    /// Each plan starts at another time, from which its players and keys follow, and has other codes.
    pub(super) fn plan(&self, history: &History) -> Option<Plan> {
        if !history.is_lawful() {
            return None;
        }
        let earlier_plans = self.plans.fetch_add(1, Ordering::Relaxed);
        let source = SourceFile::new("explore.yaml", history.text_of_try(earlier_plans));
        let case = Case::from_file(&source).ok()?.pop()?;
        let passed = self.started.elapsed() + Duration::from_nanos(earlier_plans.into());
        let settings = PlanSettings {
            start: self.plan_settings.start.later(passed),
            ..self.plan_settings.clone()
        };
        Plan::new(case, &settings).ok()
    }

    /// Learns how long right effects take to show.
    pub(super) fn learn(&self, event: &RunEvent) {
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

    /// How long to read wrong effects again while only this class of failure matters.
    pub(super) fn patience_for(&self, class: FailureClass) -> Option<Duration> {
        Self::full_patience(class).or_else(|| self.patience())
    }

    /// The same, as patient as the profile wants.
    pub(super) fn full_patience(class: FailureClass) -> Option<Duration> {
        class.is_of_responses().then_some(LEAST_PATIENCE)
    }

    /// Tries a history several times. Returns how often it failed, and the events of a failed try.
    pub(super) async fn repeat(
        &self,
        history: &History,
        class: FailureClass,
        times: u32,
        patience: Option<Duration>,
    ) -> (u32, Vec<RunEvent>) {
        let mut count = 0;
        let mut events = Vec::new();
        for _ in 0..times {
            let tried = self.attempt_alone(history, patience).await;
            if let Some(tried) = tried.filter(|tried| tried.classes.contains(&class)) {
                count += 1;
                events = tried.events;
            }
        }
        (count, events)
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
