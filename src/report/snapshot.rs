//! The snapshot report of a scenario: a text for reviewers that is the same in every run and on every
//! machine.
//!
//! This module only turns run events into text; [`crate::snapshots`] stores and compares it. The text
//! must not contain a time, a port, an ID of one run, or an order that depends on chance.

mod body_lines;
mod checks;
mod deliveries;
mod effects;
mod event_summary;
mod events;
mod request;
mod response;
mod stable_text;
mod virtual_clock;

use super::scenario_record::{RunningScenarios, ScenarioRecord};
use crate::run::{AttemptEnded, RunEvent, ScenarioEnded, ScenarioStarted};
use crate::scenario::SnapshotSettings;
use crate::verify::Verdict;
use checks::check_line;
use deliveries::Deliveries;
use events::SnapshotEvents;
use stable_text::StableText;

/// Creates the report of each scenario as it ends.
#[derive(Debug)]
pub struct SnapshotReports {
    settings: SnapshotSettings,
    target: String,
    running: RunningScenarios,
}

/// A scenario's report.
#[derive(Debug, Clone)]
pub struct SnapshotReport {
    /// The scenario of the report.
    pub started: ScenarioStarted,
    /// The scenario's verdict.
    pub verdict: Verdict,
    /// The report, with a newline after each line.
    pub text: String,
}

impl SnapshotReports {
    /// `settings` say which parts of responses are shown.
    pub fn new(settings: SnapshotSettings) -> Self {
        Self {
            settings,
            target: String::new(),
            running: RunningScenarios::default(),
        }
    }

    /// Handles an event. The one that ends a scenario returns its report.
    pub fn observe(&mut self, event: &RunEvent) -> Option<SnapshotReport> {
        if let RunEvent::RunStarted(started) = event {
            self.target.clone_from(&started.target);
        }
        let (record, ended) = self.running.observe(event)?;
        let text = report(&record, ended, &self.settings, &self.target);
        Some(SnapshotReport {
            started: record.started,
            verdict: ended.verdict,
            text,
        })
    }
}

fn report(
    record: &ScenarioRecord,
    ended: &ScenarioEnded,
    settings: &SnapshotSettings,
    target: &str,
) -> String {
    let stable = StableText::new(record, settings, target);
    let events = SnapshotEvents::of(record, &stable);
    let mut sections = vec![vec![
        stable.line(&record.started.name),
        format!("verdict: {}", ended.verdict),
    ]];
    sections.extend(events.sections());
    for step in &record.steps {
        let mut lines = vec![format!(
            "## step {}: {}",
            step.step,
            stable.line(&step.description)
        )];
        lines.extend(Deliveries::of(record, step, &events, &stable).lines());
        lines.extend(step.not_made.iter().map(|check| check_line(check, &stable)));
        sections.push(lines);
    }
    sections.extend(effects::section(record, &stable));
    let sections: Vec<String> = sections.iter().map(|lines| lines.join("\n")).collect();
    format!("{}\n", sections.join("\n\n"))
}

fn forgery_of(attempt: &AttemptEnded) -> Option<&str> {
    attempt.forgery.as_ref().map(AsRef::as_ref)
}

fn fault_of(attempt: &AttemptEnded) -> Option<&str> {
    attempt.fault.as_ref().map(AsRef::as_ref)
}

#[cfg(test)]
mod tests;
