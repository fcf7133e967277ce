//! The search: cases one after another, several at the same time, until the budget is used up.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Map, json};
use tokio::sync::RwLock;

use super::case_runner::{CaseRunner, Try};
use super::coverage::Coverage;
use super::failure_class::FailureClass;
use super::found_failure::FoundFailure;
use super::history::History;
use super::history_generator::HistoryGenerator;
use super::kind::Kind;
use super::same_failure::SameFailure;
use super::shrinker::Shrinker;
use crate::generate::Seed;
use crate::run::{Explored, LikelyCause, Plan, PlanSettings, RunContext, RunEvent};
use crate::verify::{Verdict, VerdictCounts};

/// The number of plain deliveries that show whether the set-up works.
const SETUP_CASES: u32 = 3;
/// How often a failing case is tried again before it is shrunk.
const RETRIES: u32 = 3;
/// How often a candidate is tried if the failure does not show every time.
const TRIES_OF_UNSTABLE: u32 = 4;
/// How often the shrunk scenario is tried.
const CONFIRMATIONS: u32 = 5;
/// After this many failures that differ only in size, others of the same kind are not shrunk.
const ENOUGH_ALIKE: u64 = 3;
/// After this many failing cases in a row that are already explained, more would tell nothing new.
const ENOUGH_EXPLAINED: u32 = 40;
/// How long shrinking may go on after the budget is used up.
const SHRINKING_GRACE: Duration = Duration::from_secs(20);
/// How long scenarios of the bundled suite are started to find the cause of the failures.
const DIAGNOSIS: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
pub(crate) struct ExploreSettings {
    pub(crate) seed: Seed,
    pub(crate) kinds: BTreeSet<Kind>,
    /// The game's SKUs; without any, some are made up.
    pub(crate) skus: Vec<String>,
    pub(crate) budget: Duration,
    /// The most cases.
    pub(crate) cases: Option<u64>,
    /// Whether to end at the first failure.
    pub(crate) fail_fast: bool,
}

/// What an exploration found.
#[derive(Debug)]
pub(crate) struct ExploreEnd {
    pub(crate) found: Vec<FoundFailure>,
    /// The events of the first case that could not be decided.
    pub(crate) broken: Vec<RunEvent>,
    pub(crate) likely_causes: Vec<LikelyCause>,
    pub(crate) explored: Explored,
    pub(crate) cases: VerdictCounts,
    pub(crate) checks: VerdictCounts,
    pub(crate) receiver_stopped: bool,
    pub(crate) took: Duration,
}

/// How far an exploration is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub(crate) cases: u64,
    pub(crate) deliveries: u64,
    pub(crate) kinds: usize,
    pub(crate) found: usize,
    pub(crate) is_shrinking: bool,
}

pub(crate) struct Explorer<'run> {
    runner: CaseRunner<'run>,
    settings: ExploreSettings,
    stop: &'run AtomicBool,
    started: Instant,
    /// Cases share the receiver, except those that restart it, and those of shrinking: what fails only
    /// because of other cases would not fail as a scenario.
    crowd: RwLock<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    cases: VerdictCounts,
    checks: VerdictCounts,
    coverage: Coverage,
    found: Vec<FoundFailure>,
    /// The events of the first case that could not be decided.
    broken: Option<Vec<RunEvent>>,
    /// Failures that are like one that was found.
    explained: u64,
    explained_in_a_row: u32,
    is_shrinking: bool,
}

impl<'run> Explorer<'run> {
    pub(crate) fn new(
        context: &'run RunContext,
        plan_settings: PlanSettings,
        settings: ExploreSettings,
        stop: &'run AtomicBool,
    ) -> Self {
        Self {
            runner: CaseRunner::new(context, plan_settings, settings.seed),
            settings,
            stop,
            started: Instant::now(),
            crowd: RwLock::default(),
            state: Mutex::default(),
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        let state = self.state();
        Progress {
            cases: state.cases.total() as u64,
            deliveries: self.runner.deliveries(),
            kinds: state.coverage.tried(),
            found: state.found.len(),
            is_shrinking: state.is_shrinking,
        }
    }

    /// Delivers a few plain coupons. Returns what happened if this shows that the set-up does not work.
    pub(crate) async fn setup_problem(&self) -> Option<Vec<RunEvent>> {
        let plain = json!({ "deliver": "coupon" });
        let history = History {
            events: Map::from_iter([("coupon".to_owned(), json!({}))]),
            steps: vec![plain],
        };
        let plans =
            (0..SETUP_CASES).filter_map(|_| self.runner.plan(&history, self.runner.next_seed()));
        let plans: Vec<Plan> = plans.collect();
        let events = Mutex::new(Vec::new());
        let observe = |event: RunEvent| {
            events
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(event);
        };
        let ended = self.runner.context.run(&plans, &observe, self.stop).await;
        let events = events.into_inner().unwrap_or_else(PoisonError::into_inner);
        ended.setup_problem.map(|_| events)
    }

    /// The known bugs that the failures of the bundled suite look like.
    pub(crate) async fn likely_causes(&self, suite: &[Plan]) -> Vec<LikelyCause> {
        let stop = AtomicBool::new(false);
        let mut run = pin!(self.runner.context.run(suite, &|_| {}, &stop));
        let ended = tokio::select! {
            ended = &mut run => ended,
            () = tokio::time::sleep(DIAGNOSIS) => {
                stop.store(true, Ordering::Relaxed);
                run.await
            }
        };
        let causes = ended.likely_causes.into_iter();
        let causes = causes.map(|cause| LikelyCause {
            scenarios: Vec::new(),
            ..cause
        });
        causes.collect()
    }

    /// Runs cases until the budget, the number of cases or `stop` ends it.
    pub(crate) async fn explore(&self) -> ExploreEnd {
        let cases = self.settings.cases.unwrap_or(u64::MAX);
        // Players of a list are shared by all cases.
        let jobs = if self.runner.plan_settings.players.is_empty() {
            self.runner.context.jobs()
        } else {
            1
        };
        stream::iter(0..cases)
            .take_while(|_| std::future::ready(!self.is_over()))
            .for_each_concurrent(jobs, |number| self.case(number))
            .await;
        let state = std::mem::take(&mut *self.state());
        let (kinds, pairs) = state.coverage.counts(&self.settings.kinds);
        ExploreEnd {
            explored: Explored {
                seed: self.settings.seed.number(),
                cases: state.cases.total() as u64,
                deliveries: self.runner.deliveries(),
                alike: state.explained,
                kinds,
                pairs,
            },
            found: state.found,
            broken: state.broken.unwrap_or_default(),
            likely_causes: Vec::new(),
            cases: state.cases,
            checks: state.checks,
            receiver_stopped: self.runner.target.stopped(),
            took: self.started.elapsed(),
        }
    }

    fn is_over(&self) -> bool {
        if self.stop.load(Ordering::Relaxed) || self.started.elapsed() >= self.settings.budget {
            return true;
        }
        let state = self.state();
        state.explained_in_a_row >= ENOUGH_EXPLAINED
            || (self.settings.fail_fast && !state.found.is_empty())
    }

    /// The first case has the exploration's own seed, so that any case can be drawn again as a first
    /// one.
    fn case_seed(&self, number: u64) -> Seed {
        match number {
            0 => self.settings.seed,
            number => self.settings.seed.derive(&format!("case {number}")),
        }
    }

    async fn case(&self, number: u64) {
        if self.is_over() || self.runner.target.has_stopped(self.runner.context).await {
            return;
        }
        let seed = self.case_seed(number);
        let without = self.avoided_kinds(number);
        let generator = HistoryGenerator {
            kinds: &self.settings.kinds - &without,
            skus: self.settings.skus.clone(),
        };
        let history = generator.history(seed);
        let restarts = [Kind::Restart, Kind::RestartInFlight];
        let runs_alone = history.kinds().iter().any(|kind| restarts.contains(kind));
        let attempt = self.runner.attempt(&history, seed, self.runner.patience());
        let tried = if runs_alone {
            let _alone = self.crowd.write().await;
            attempt.await
        } else {
            let _beside = self.crowd.read().await;
            attempt.await
        };
        let Some(tried) = tried else {
            return;
        };
        let class = tried.classes.first().copied();
        let verdict = tried.verdict;
        {
            let mut state = self.state();
            state.coverage.add(&history);
            state.checks += tried.checks;
            if class.is_none() {
                state.cases.add(verdict);
                state.explained_in_a_row = 0;
                if verdict == Verdict::Broken {
                    state.broken.get_or_insert(tried.events);
                    return;
                }
            }
        }
        if let Some(class) = class {
            Box::pin(self.failed(class, history, tried, (seed, without))).await;
        }
    }

    /// Kinds to leave out, so that a failure that is already found does not hide others: in every
    /// second case, one kind of each.
    fn avoided_kinds(&self, number: u64) -> BTreeSet<Kind> {
        if number.is_multiple_of(2) {
            return BTreeSet::new();
        }
        let avoided = |found: &FoundFailure| {
            let kinds: Vec<Kind> = found.kinds().into_iter().collect();
            let index = usize::try_from(number / 2).unwrap_or_default();
            kinds.get(index % kinds.len().max(1)).copied()
        };
        self.state().found.iter().filter_map(avoided).collect()
    }

    async fn failed(
        &self,
        class: FailureClass,
        history: History,
        tried: Try,
        origin: (Seed, BTreeSet<Kind>),
    ) {
        let _alone = self.crowd.write().await;
        if self.is_explained(class, &history) {
            let mut state = self.state();
            state.explained += 1;
            state.explained_in_a_row += 1;
            return;
        }
        self.state().is_shrinking = true;
        let found = Box::pin(self.shrink(class, history, tried, origin)).await;
        let mut state = self.state();
        state.is_shrinking = false;
        match found {
            Some(found) if !state.found.iter().any(|other| found.is_like(other)) => {
                state.cases.add(Verdict::Failed);
                state.explained_in_a_row = 0;
                state.found.push(found);
            }
            Some(_) => {
                state.explained += 1;
                state.explained_in_a_row += 1;
            }
            None => state.cases.add(Verdict::Passed),
        }
    }

    /// Whether a failure that was found is probably the reason for this one.
    fn is_explained(&self, class: FailureClass, history: &History) -> bool {
        let is_over = self.is_over();
        let kinds = history.kinds();
        let state = self.state();
        if is_over && !state.found.is_empty() {
            return true;
        }
        let mut alike = state.found.iter().filter(|found| found.class == class);
        alike.any(|found| {
            let needed = found.kinds();
            // Without kinds, what it needs is a number of deliveries, of which little is known.
            let is_specific = !needed.is_empty() || found.history.deliveries().count() == 1;
            let is_enough = state.explained >= ENOUGH_ALIKE;
            needed.is_subset(&kinds) && (is_specific || is_enough)
        })
    }

    /// Shrinks a failure. `None` if it only showed because effects took longer than expected.
    async fn shrink(
        &self,
        class: FailureClass,
        history: History,
        first: Try,
        origin: (Seed, BTreeSet<Kind>),
    ) -> Option<FoundFailure> {
        let shown = self.runner.repeat(&history, class, RETRIES).await.0;
        // Each try has other random values, and a failure that shows every time must not become one that
        // needs luck.
        let (tries, needed) = match shown {
            RETRIES => (RETRIES, RETRIES),
            _ => (TRIES_OF_UNSTABLE, 1),
        };
        let trial = SameFailure {
            runner: &self.runner,
            class,
            tries,
            needed,
            stop: self.stop,
            deadline: self.started + self.settings.budget + SHRINKING_GRACE,
        };
        let mut shrunk = history.clone();
        if shown > 0 && !self.runner.target.stopped() {
            let mut shrinker = Shrinker {
                trial: &trial,
                tries: 0,
            };
            shrunk = shrinker.shrink(history.clone()).await;
        }
        let shrunk = shrunk.renamed();
        let (failed, events) = self.runner.repeat(&shrunk, class, CONFIRMATIONS).await;
        if failed > 0 {
            return Some(FoundFailure {
                class,
                history: shrunk,
                seen: (failed, CONFIRMATIONS),
                origin,
                events,
            });
        }
        // What was seen once is reported, too.
        let (failed, events) = self.runner.repeat(&history, class, CONFIRMATIONS).await;
        let was_slow = failed == 0 && class == FailureClass::TooLittle;
        (!was_slow).then(|| FoundFailure {
            class,
            history,
            seen: (failed + shown + 1, CONFIRMATIONS + RETRIES + 1),
            origin,
            events: if events.is_empty() {
                first.events
            } else {
                events
            },
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
