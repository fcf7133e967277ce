//! Repeats the scenarios of a run with new events, and counts how often each fails.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;

use super::super::{Console, numbers};
use crate::generate::StartTime;
use crate::run::{RunContext, RunEvent, RunOutcome, Session};
use crate::scenario::Case;
use crate::verify::Verdict;

/// The options that repeat a run.
#[derive(Debug, Args)]
pub(super) struct RepeatOptions {
    /// Run the scenarios N times, each time with new events
    #[arg(long, value_name = "N", value_parser = numbers::repetitions)]
    #[arg(conflicts_with_all = ["snapshots", "outline_only"])]
    repeat: Option<NonZeroU32>,

    /// Repeat the run, at most --repeat times, until it does not pass. The reports show the last run
    #[arg(long, conflicts_with_all = ["snapshots", "outline_only", "start_time"])]
    pub(super) until_failure: bool,
}

impl RepeatOptions {
    /// The cases of one run. Without --until-failure it has all repetitions, and their names differ,
    /// so that their seeds do too.
    pub(super) fn of_one_run(&self, cases: Vec<Case>) -> Vec<Case> {
        let repeat = self.repeat.map_or(1, NonZeroU32::get);
        if repeat == 1 || self.until_failure {
            return cases;
        }
        let named = |number: u32| {
            cases.iter().cloned().map(move |mut case| {
                let name = &mut case.scenario.name.value;
                *name = format!("{name} (repetition {number})");
                case
            })
        };
        (1..=repeat).flat_map(named).collect()
    }

    fn is_last(&self, run: u32) -> bool {
        self.repeat.is_some_and(|repeat| run >= repeat.get())
    }
}

/// How often each scenario was run and failed.
pub(super) struct FailureRates {
    names: Vec<String>,
    /// By the scenario's place in `names`.
    counts: Mutex<Vec<(u32, u32)>>,
}

impl FailureRates {
    pub(super) fn new(cases: &[Case]) -> Self {
        Self {
            names: cases.iter().map(Case::title).collect(),
            counts: Mutex::new(vec![(0, 0); cases.len()]),
        }
    }

    pub(super) fn count(&self, event: &RunEvent) {
        if let RunEvent::ScenarioEnded(ended) = event {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let (failed, all) = &mut counts[(ended.scenario - 1) % self.names.len()];
            *failed += u32::from(ended.verdict == Verdict::Failed);
            *all += 1;
        }
    }

    /// The rates of the scenarios that were repeated and failed, or `None`.
    pub(super) fn text(&self) -> Option<String> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let failed: Vec<String> = counts
            .iter()
            .zip(&self.names)
            .filter(|((failed, _), _)| *failed > 0)
            .map(|((failed, all), name)| format!("\n  {failed} of {all}  {name}"))
            .collect();
        let is_repeated = counts.iter().any(|(_, all)| *all > 1);
        (is_repeated && !failed.is_empty()).then(|| format!("failure rates:{}", failed.concat()))
    }
}

/// A run can take a few milliseconds.
const NOTE_INTERVAL: Duration = Duration::from_secs(1);

/// Repeats a run until it does not pass.
pub(super) struct UntilFailure<'run> {
    pub(super) options: &'run RepeatOptions,
    pub(super) cases: &'run [Case],
    /// Plans each run anew with another start time.
    pub(super) session: Session,
    pub(super) rates: &'run FailureRates,
    pub(super) stop: &'run AtomicBool,
    pub(super) fail_fast: bool,
    pub(super) console: &'run Console,
}

impl UntilFailure<'_> {
    /// Runs until a run does not pass or `stop` is set, and passes the events of the last run to
    /// `accept`.
    pub(super) async fn run(
        mut self,
        context: &mut RunContext,
        accept: &(dyn Fn(RunEvent) + Sync),
    ) {
        let mut noted = Instant::now();
        for run in 1.. {
            self.session.options.start = StartTime::now();
            context.start = self.session.options.start;
            // The same cases had a plan for an earlier start time.
            let Ok(plans) = self.session.plans(self.cases.iter().cloned()) else {
                break;
            };
            let events = Mutex::new(Vec::new());
            let keep = |event: RunEvent| {
                self.rates.count(&event);
                if let RunEvent::ScenarioEnded(ended) = &event
                    && self.fail_fast
                    && ended.verdict == Verdict::Failed
                {
                    self.stop.store(true, Ordering::Relaxed);
                }
                let mut events = events.lock().unwrap_or_else(PoisonError::into_inner);
                events.push(event);
            };
            let outcome = context.run(&plans, &keep, self.stop).await.outcome();
            let shown = match outcome {
                RunOutcome::Passed => "passed",
                RunOutcome::Failed => "failed",
                _ => "not completed",
            };
            let is_stopped = self.stop.load(Ordering::Relaxed);
            let is_last = outcome != RunOutcome::Passed || is_stopped || self.options.is_last(run);
            if is_last || noted.elapsed() >= NOTE_INTERVAL {
                noted = Instant::now();
                self.console.note(&format!("run {run}: {shown}"));
            }
            if is_last {
                let events = events.into_inner().unwrap_or_else(PoisonError::into_inner);
                events.into_iter().for_each(accept);
                break;
            }
        }
    }
}
