//! The search: cases one after another, several at the same time, until the budget is used up.

use std::collections::BTreeSet;
use std::iter;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Map, json};
use tokio::sync::RwLock;

use super::case_runner::{CaseRunner, Try};
use super::corpus::CorpusCase;
use super::deadlines::Deadlines;
use super::failure_class::FailureClass;
use super::found_failure::{FoundFailure, Origin};
use super::history::History;
use super::history_generator::HistoryGenerator;
use super::isolation::Isolation;
use super::kind::Kind;
use super::possible_kinds::{possible_forgeries, possible_kinds};
use super::progress::Progress;
use super::restarts::may_undo;
use super::search_state::{SearchState, SeenFailure};
use crate::generate::Seed;
use crate::run::{Explored, LikelyCause, Plan, PlanSettings, RunContext, RunEvent};
use crate::verify::{Verdict, VerdictCounts};

/// The number of plain deliveries that show whether the set-up works.
const SETUP_CASES: u32 = 3;
/// After this many failures that differ only in size, others of the same kind are not shrunk.
const ENOUGH_ALIKE: u64 = 3;
/// After this many failing cases in a row that are already explained, more would tell nothing new.
const ENOUGH_EXPLAINED: u32 = 40;
/// The most warnings that are shrunk, after the search.
const MOST_POSTPONED: usize = 4;
/// Every so many cases, one runs alone: a later delivery can hide that the last one is unfinished.
const ALONE_EVERY: u64 = 10;
/// The kinds that concern every player of the receiver.
const GLOBAL: [Kind; 3] = [Kind::Restart, Kind::RestartInFlight, Kind::Clock];
/// The most cases of a corpus.
const MOST_KEPT: usize = 200;
/// How often a diagnosis looks whether it has to end.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug, Clone)]
pub(crate) struct ExploreSettings {
    pub(crate) seed: Seed,
    pub(crate) kinds: BTreeSet<Kind>,
    /// Whether the receiver may be restarted before a failure is tried again.
    pub(crate) may_restart: bool,
    /// The game's SKUs; without any, some are made up.
    pub(crate) skus: Vec<String>,
    pub(crate) budget: Duration,
    /// The most cases.
    pub(crate) cases: Option<u64>,
    /// Whether to end at the first failure.
    pub(crate) fail_fast: bool,
    /// The cases to begin with.
    pub(crate) corpus: Vec<CorpusCase>,
}

/// What an exploration found.
#[derive(Debug)]
pub(crate) struct ExploreEnd {
    pub(crate) found: Vec<FoundFailure>,
    /// The events of the first case that could not be decided.
    pub(crate) broken: Vec<RunEvent>,
    pub(crate) likely_causes: Vec<LikelyCause>,
    pub(crate) explored: Explored,
    /// Interesting cases that are not in the corpus: the first with a pair of kinds, and failures.
    pub(crate) kept: Vec<CorpusCase>,
    pub(crate) cases: VerdictCounts,
    pub(crate) checks: VerdictCounts,
    pub(crate) receiver_stopped: bool,
    pub(crate) took: Duration,
}

pub(crate) struct Explorer<'run> {
    runner: CaseRunner<'run>,
    settings: ExploreSettings,
    generator: HistoryGenerator,
    stop: &'run AtomicBool,
    started: Instant,
    deadlines: Deadlines,
    /// Cases share the receiver, except those that restart it, and those of shrinking: what fails only
    /// because of other cases would not fail as a scenario.
    crowd: RwLock<()>,
    state: Mutex<SearchState>,
    /// The number of events of the failure that is being shrunk.
    events_left: AtomicUsize,
}

impl<'run> Explorer<'run> {
    pub(crate) fn new(
        context: &'run RunContext,
        plan_settings: PlanSettings,
        mut settings: ExploreSettings,
        stop: &'run AtomicBool,
    ) -> Self {
        settings.kinds = possible_kinds(&settings.kinds, context, &plan_settings);
        let kinds = &settings.kinds;
        settings
            .corpus
            .retain(|case| case.has_only(kinds) && !may_undo(iter::once(&case.0)));
        let generator = HistoryGenerator {
            kinds: settings.kinds.clone(),
            forgeries: possible_forgeries(context),
            skus: settings.skus.clone(),
        };
        let started = Instant::now();
        Self {
            generator,
            runner: CaseRunner::new(context, plan_settings, settings.may_restart),
            deadlines: Deadlines::after(started, settings.budget),
            settings,
            stop,
            started,
            crowd: RwLock::default(),
            state: Mutex::default(),
            events_left: AtomicUsize::default(),
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        let state = self.state();
        Progress {
            cases: state.cases.total() as u64,
            deliveries: self.runner.deliveries(),
            kinds: state.coverage.tried(),
            found: state.found.len(),
            shrinking: state
                .is_shrinking
                .then(|| self.events_left.load(Ordering::Relaxed)),
            is_diagnosing: state.is_diagnosing,
        }
    }

    /// Delivers a few plain coupons. Returns what happened if this shows that the set-up does not work.
    pub(crate) async fn setup_problem(&self) -> Option<Vec<RunEvent>> {
        let plain = json!({ "deliver": "coupon" });
        let history = History {
            events: Map::from_iter([("coupon".to_owned(), json!({}))]),
            steps: vec![plain],
            ..History::default()
        };
        let plans = (0..SETUP_CASES).filter_map(|_| self.runner.plan(&history));
        let plans: Vec<Plan> = plans.collect();
        let events = Mutex::new(Vec::new());
        let observe = |event: RunEvent| {
            self.runner.learn(&event);
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
    pub(crate) async fn likely_causes(&self, mut suite: Vec<Plan>) -> Vec<LikelyCause> {
        let deadline = self.deadlines.diagnosis(Instant::now());
        let is_over = || self.stop.load(Ordering::Relaxed) || Instant::now() >= deadline;
        if is_over() {
            return Vec::new();
        }
        self.state().is_diagnosing = true;
        for plan in &mut suite {
            plan.patience = self.runner.patience(deadline);
        }
        let stop = AtomicBool::new(false);
        let mut run = pin!(self.runner.context.run(&suite, &|_| {}, &stop));
        let ended = loop {
            tokio::select! {
                ended = &mut run => break ended,
                () = tokio::time::sleep(POLL_INTERVAL) => stop.store(is_over(), Ordering::Relaxed),
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
    pub(crate) async fn explore(&self) {
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
        let postponed = std::mem::take(&mut self.state().postponed);
        for seen in postponed {
            self.shrink(seen).await;
        }
    }

    pub(crate) fn has_found(&self) -> bool {
        self.state().has_found()
    }

    /// What was found so far.
    pub(crate) fn end(&self, likely_causes: Vec<LikelyCause>) -> ExploreEnd {
        let mut state = std::mem::take(&mut *self.state());
        state.add_unconfirmed();
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
            kept: state.kept,
            broken: state.broken.unwrap_or_default(),
            likely_causes,
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
            || (self.settings.fail_fast && state.has_failed())
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
        let (history, origin) = self.draw(number);
        let kinds = history.kinds();
        let runs_alone = number % ALONE_EVERY == ALONE_EVERY - 1
            || GLOBAL.iter().any(|kind| kinds.contains(kind));
        // Cases that wait for others to end must not begin after that.
        let attempt = async {
            if self.is_over() {
                return None;
            }
            let patience = self.runner.patience(self.deadlines.shrinking);
            self.runner.attempt(&history, patience).await
        };
        let (tried, began) = if runs_alone {
            let _alone = self.crowd.write().await;
            let began = Instant::now();
            (attempt.await, began)
        } else {
            let _beside = self.crowd.read().await;
            let began = Instant::now();
            (attempt.await, began)
        };
        let Some(tried) = tried else {
            return;
        };
        let class = tried.classes.first().copied();
        let verdict = tried.verdict;
        {
            let mut state = self.state();
            state.recent.add(&history);
            if state.coverage.add(&history) && number >= self.corpus_size() {
                self.keep(&mut state, &history);
            }
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
            Box::pin(self.failed(class, history, tried, (origin, began))).await;
        }
    }

    fn corpus_size(&self) -> u64 {
        self.settings.corpus.len() as u64
    }

    /// The history of a case: the corpus first, and then what is drawn.
    fn draw(&self, number: u64) -> (History, Origin) {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(CorpusCase(history)) = self.settings.corpus.get(index) {
            return (history.clone(), Origin::Elsewhere);
        }
        let number = number - self.corpus_size();
        let seed = self.case_seed(number);
        let without = self.avoided_kinds(number);
        let generator = HistoryGenerator {
            kinds: &self.generator.kinds - &without,
            ..self.generator.clone()
        };
        (generator.history(seed), Origin::Drawn(seed, without))
    }

    fn keep(&self, state: &mut SearchState, history: &History) {
        if self.settings.corpus.len() + state.kept.len() < MOST_KEPT {
            state.kept.push(CorpusCase(history.clone()));
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
        Kind::meant_by(self.state().found.iter().filter_map(avoided))
    }

    async fn failed(
        &self,
        class: FailureClass,
        history: History,
        tried: Try,
        (origin, began): (Origin, Instant),
    ) {
        if !class.may_be_slow() {
            self.state().seen_once.get_or_insert_with(|| FoundFailure {
                class,
                history: history.clone(),
                seen: (1, 1),
                showed_again: false,
                origin: origin.clone(),
                events: tried.events.clone(),
            });
        }
        let others = self.state().recent.beside(began);
        let seen = SeenFailure {
            class,
            history,
            tried,
            origin,
            others,
        };
        if class == FailureClass::Doubtful {
            let mut state = self.state();
            if state.postponed.len() < MOST_POSTPONED {
                state.postponed.push(seen);
            } else {
                state.add_explained();
            }
        } else {
            self.shrink(seen).await;
        }
    }

    /// Looks for the smallest scenario that fails like a case, unless its failure is explained.
    async fn shrink(&self, seen: SeenFailure) {
        let SeenFailure {
            class,
            history,
            tried,
            origin,
            others,
        } = seen;
        let _alone = self.crowd.write().await;
        if self.is_explained(class, &history) {
            self.state().add_explained();
            return;
        }
        self.events_left
            .store(history.events.len(), Ordering::Relaxed);
        self.state().is_shrinking = true;
        let isolation = Isolation {
            runner: &self.runner,
            class,
            kinds: &self.settings.kinds,
            stop: self.stop,
            deadlines: self.deadlines,
            events_left: &self.events_left,
        };
        let found = Box::pin(isolation.isolate(history, tried, &others, origin)).await;
        let mut state = self.state();
        state.is_shrinking = false;
        state.seen_once = None;
        if let Some(history) = state.add_isolated(found) {
            self.keep(&mut state, &history);
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

    fn state(&self) -> MutexGuard<'_, SearchState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
