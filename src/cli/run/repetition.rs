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
    /// The events of the latest run, also if that is cut off.
    pub(super) latest: Mutex<Vec<RunEvent>>,
}

impl UntilFailure<'_> {
    /// Runs until a run does not pass or `stop` is set.
    pub(super) async fn run(&mut self, context: &mut RunContext) {
        let mut noted = Instant::now();
        for run in 1.. {
            self.session.options.start = StartTime::now();
            context.start = self.session.options.start;
            // The same cases had a plan for an earlier start time.
            let Ok(plans) = self.session.plans(self.cases.iter().cloned()) else {
                break;
            };
            self.take_latest();
            let keep = |event: RunEvent| {
                self.rates.count(&event);
                if let RunEvent::ScenarioEnded(ended) = &event
                    && self.fail_fast
                    && ended.verdict == Verdict::Failed
                {
                    self.stop.store(true, Ordering::Relaxed);
                }
                let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
                latest.push(event);
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
                break;
            }
        }
    }

    /// The events of the latest run so far.
    pub(super) fn take_latest(&self) -> Vec<RunEvent> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::ScenarioEnded;
    use crate::scenario::document::SourceFile;
    use crate::verify::VerdictCounts;

    fn cases(names: &[&str]) -> Vec<Case> {
        let files = names.iter().map(|name| {
            let text = format!(
                "name: {name}\nevents: {{ a: {{}} }}\n\
                 steps: [{{ deliver: a, expect: {{ status: 2xx }} }}]\n"
            );
            Case::from_file(&SourceFile::new("scenario.yaml", text)).expect("valid")
        });
        files.flatten().collect()
    }

    fn options(repeat: Option<u32>, until_failure: bool) -> RepeatOptions {
        RepeatOptions {
            repeat: repeat.and_then(NonZeroU32::new),
            until_failure,
        }
    }

    fn titles(cases: &[Case]) -> Vec<String> {
        cases.iter().map(Case::title).collect()
    }

    #[test]
    fn repetitions_in_one_run_have_different_names() {
        let cases = cases(&["one", "two"]);
        let repeated = options(Some(2), false).of_one_run(cases.clone());
        let expected = [
            "one (repetition 1)",
            "two (repetition 1)",
            "one (repetition 2)",
            "two (repetition 2)",
        ];
        assert_eq!(titles(&repeated), expected);
        for once in [
            options(None, false),
            options(Some(1), false),
            options(Some(9), true),
        ] {
            assert_eq!(titles(&once.of_one_run(cases.clone())), ["one", "two"]);
        }
    }

    #[test]
    fn the_number_of_runs_is_limited_if_it_is_given() {
        let limited = options(Some(3), true);
        assert!(!limited.is_last(2) && limited.is_last(3));
        assert!(!options(None, true).is_last(u32::MAX));
    }

    fn ended(scenario: usize, verdict: Verdict) -> RunEvent {
        RunEvent::ScenarioEnded(ScenarioEnded {
            scenario,
            verdict,
            checks: VerdictCounts::default(),
            took: Duration::ZERO,
        })
    }

    #[test]
    fn the_rate_of_a_scenario_counts_all_its_repetitions() {
        let rates = FailureRates::new(&cases(&["one", "two"]));
        // In a run with repetitions, the third scenario is the first one again.
        for (scenario, verdict) in [
            (1, Verdict::Passed),
            (2, Verdict::Passed),
            (3, Verdict::Failed),
            (4, Verdict::Broken),
            (5, Verdict::Failed),
        ] {
            rates.count(&ended(scenario, verdict));
        }
        assert_eq!(
            rates.text().as_deref(),
            Some("failure rates:\n  2 of 3  one")
        );
    }

    #[test]
    fn a_scenario_that_ran_once_has_no_rate() {
        let rates = FailureRates::new(&cases(&["one"]));
        rates.count(&ended(1, Verdict::Failed));
        assert_eq!(rates.text(), None);
    }
}
