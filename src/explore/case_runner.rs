//! Runs histories as scenarios, each time with other players and keys.

use std::collections::BTreeSet;
use std::iter;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::failure_class::FailureClass;
use super::history::History;
use super::restarts::may_undo;
use crate::run::{Patience, Plan, PlanSettings, RunContext, RunEvent, TargetWatch, Turn};
use crate::scenario::document::SourceFile;
use crate::scenario::{Case, Hook};
use crate::verify::{Verdict, VerdictCounts};

/// Wrong effects are read again for this many times as long as the slowest right effect took.
const PATIENCE_FACTOR: u32 = 4;
const LEAST_PATIENCE: Duration = Duration::from_millis(100);
/// A response is waited for this many times as long as one usually took. The slowest may be that to a
/// body that was sent slowly.
const RESPONSE_FACTOR: u32 = 10;
const LEAST_TIMEOUT: Duration = Duration::from_secs(1);
/// The number of responses from which aghook learns how long they take.
const LEARNING_RESPONSES: u32 = 10;
/// The number of cases from which aghook learns how long right effects take. The plain deliveries at the
/// start count.
const LEARNING_CASES: u64 = 3;
/// After a restart that took longer, no more are made that only make the receiver forget.
const LONGEST_RESTART: Duration = Duration::from_secs(3);

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
    /// Whether the receiver may be restarted, and soon is back.
    can_restart: AtomicBool,
}

/// How long responses took, and right effects to show.
#[derive(Default)]
struct Learned {
    cases: u64,
    longest_settle: Duration,
    responses: u32,
    waited: Duration,
}

/// One try of a history.
pub(super) struct Try {
    pub(super) verdict: Verdict,
    pub(super) checks: VerdictCounts,
    pub(super) classes: BTreeSet<FailureClass>,
    pub(super) events: Vec<RunEvent>,
}

/// Several tries of a history.
#[derive(Default)]
pub(super) struct Repeated {
    pub(super) tries: u32,
    pub(super) failed: u32,
    /// What happened in a try that failed.
    pub(super) events: Vec<RunEvent>,
}

impl Repeated {
    pub(super) fn failed_always(&self) -> bool {
        self.tries > 0 && self.failed == self.tries
    }
}

impl<'run> CaseRunner<'run> {
    pub(super) fn new(
        context: &'run RunContext,
        plan_settings: PlanSettings,
        may_restart: bool,
    ) -> Self {
        Self {
            context,
            plan_settings,
            target: TargetWatch::default(),
            started: Instant::now(),
            plans: AtomicU32::default(),
            runs: AtomicUsize::new(1),
            deliveries: AtomicU64::default(),
            learned: Mutex::default(),
            can_restart: AtomicBool::new(may_restart),
        }
    }

    /// The number of attempts to deliver an event.
    pub(super) fn deliveries(&self) -> u64 {
        self.deliveries.load(Ordering::Relaxed)
    }

    /// Runs a history as a scenario, with its own players and keys. `None` if the history is not valid.
    pub(super) async fn attempt(&self, history: &History, patience: Patience) -> Option<Try> {
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
            .run_scenario(number, &plan, &observe, Turn::default(), false)
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
    pub(super) async fn attempt_alone(&self, history: &History, patience: Patience) -> Option<Try> {
        self.context.client.close_idle();
        self.attempt(history, patience).await
    }

    /// Restarts the receiver, so that it forgets what it keeps of earlier cases only in memory: `aghook run`
    /// may find one that has just started. Returns whether it can be sent to.
    pub(super) async fn forget(&self) -> bool {
        let restart = self.context.hooks.get(Hook::RESTART);
        let Some(restart) = restart.filter(|_| self.can_restart.load(Ordering::Relaxed)) else {
            return true;
        };
        let began = Instant::now();
        let instances = self.context.instances();
        let restarted = restart.restart(&self.context.client, instances).await;
        if restarted.is_err() || began.elapsed() > LONGEST_RESTART {
            self.can_restart.store(false, Ordering::Relaxed);
        }
        restarted.is_ok()
    }

    /// Each plan starts at another time, from which its players and keys follow, and has other codes.
    pub(super) fn plan(&self, history: &History) -> Option<Plan> {
        if !history.is_lawful() || may_undo(iter::once(history)) {
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

    /// Learns how long responses take, and right effects to show.
    pub(super) fn learn(&self, event: &RunEvent) {
        match event {
            RunEvent::AttemptEnded(attempt) => {
                self.deliveries.fetch_add(1, Ordering::Relaxed);
                if let Some(took) = attempt.timings.first_byte {
                    let mut learned = self.learned();
                    learned.responses += 1;
                    learned.waited += took;
                }
            }
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

    /// How long to wait for what usually comes sooner, until this time. No limit until enough was seen.
    pub(super) fn patience(&self, until: Instant) -> Patience {
        let learned = self.learned();
        let effects = (learned.longest_settle * PATIENCE_FACTOR).max(LEAST_PATIENCE);
        let usual = learned.waited / learned.responses.max(1);
        let responses = (usual * RESPONSE_FACTOR).max(LEAST_TIMEOUT);
        Patience {
            effects: (learned.cases >= LEARNING_CASES).then_some(effects),
            responses: (learned.responses >= LEARNING_RESPONSES).then_some(responses),
            until: Some(until),
        }
    }

    /// The same while only this class of failure matters.
    pub(super) fn patience_for(&self, class: FailureClass, until: Instant) -> Patience {
        let patience = self.patience(until);
        Patience {
            effects: Self::full_patience(class).effects.or(patience.effects),
            ..patience
        }
    }

    /// The same, as patient as the profile wants.
    pub(super) fn full_patience(class: FailureClass) -> Patience {
        Patience {
            effects: class.is_of_responses().then_some(LEAST_PATIENCE),
            responses: Some(Duration::MAX),
            until: None,
        }
    }

    /// Tries a history several times on a receiver that has forgotten the other cases, unless it
    /// `is_late` after so many tries.
    pub(super) async fn repeat(
        &self,
        history: &History,
        class: FailureClass,
        times: u32,
        patience: Patience,
        is_late: impl Fn(u32) -> bool,
    ) -> Repeated {
        let mut repeated = Repeated::default();
        while repeated.tries < times && !is_late(repeated.tries) {
            // A restart that fails is the last one.
            if !self.forget().await {
                continue;
            }
            repeated.tries += 1;
            let tried = self.attempt_alone(history, patience).await;
            if let Some(tried) = tried.filter(|tried| tried.classes.contains(&class)) {
                repeated.failed += 1;
                repeated.events = tried.events;
            }
        }
        repeated
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
