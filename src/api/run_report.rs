//! The result of a run, for programs and for people.

use serde::{Deserialize, Serialize};

use crate::report::{ReportKind, RunRecorder, ScenarioRecord, TerminalFormat};
use crate::run::{RunEnded, RunEvent, RunOutcome};
use crate::verify::{Check, Verdict};

/// The result of [`Suite::run`](super::Suite::run). `Display` shows the terminal report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunReport {
    /// The result of the run as a whole.
    pub outcome: RunOutcome,
    /// The scenarios, in the order in which they ended.
    pub scenarios: Vec<ScenarioReport>,
    /// The terminal report, without colors.
    pub text: String,
}

/// The result of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScenarioReport {
    /// What is true if the scenario passes.
    pub name: String,
    /// The file; a file of the bundled suite starts with `scenarios/`.
    pub file: String,
    /// The line of the name in the file, from 1.
    pub line: usize,
    /// The worst verdict of its checks.
    pub verdict: Verdict,
    /// All checks: of each step, then of the effects.
    pub checks: Vec<Check>,
}

impl RunReport {
    /// The report of a run that ended with `ended`, from its other events.
    pub(super) fn new(events: Vec<RunEvent>, ended: RunEnded) -> Self {
        const TERMINAL: ReportKind = ReportKind::Terminal(TerminalFormat::NORMAL);
        let mut recorder = RunRecorder::new(TERMINAL.kept_attempts());
        let mut scenarios = Vec::new();
        let mut terminal = Vec::new();
        let outcome = ended.outcome();
        // Writing to memory does not fail.
        for event in events {
            let _ = TERMINAL.write_event(&mut terminal, &event);
            recorder.observe(event, |scenario| {
                let _ = TERMINAL.write_scenario(&mut terminal, scenario);
                scenarios.push(ScenarioReport::of(scenario));
            });
        }
        let _ = TERMINAL.write_end(&mut terminal, &recorder.finish(ended));
        let text = String::from_utf8_lossy(&terminal);
        Self {
            outcome,
            scenarios,
            text: anstream::adapter::strip_str(&text).to_string(),
        }
    }

    /// Whether every `must` check passed, and something was checked.
    pub fn passed(&self) -> bool {
        self.outcome == RunOutcome::Passed
    }

    /// Panics with the terminal report unless the run [passed](Self::passed).
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.passed(), "{self}");
    }
}

impl ScenarioReport {
    fn of(scenario: &ScenarioRecord) -> Self {
        Self {
            name: scenario.started.name.clone(),
            file: scenario.started.file.clone(),
            line: scenario.started.line,
            verdict: scenario.ended.verdict,
            checks: scenario
                .checks()
                .map(|placed| placed.check.clone())
                .collect(),
        }
    }
}

impl std::fmt::Display for RunReport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text)
    }
}
