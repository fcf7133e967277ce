//! The snapshot report of a scenario: a text that a person reviews, the same in each run and on
//! each machine.
//!
//! From run events to text and nothing else; where it is kept and what it is compared with is told
//! in [`crate::snapshots`]. Nothing here may show a time, a port, an ID of one run, or an order
//! that is up to chance.

mod answer;
mod body_lines;
mod checks;
mod deliveries;
mod effects;
mod event_in_words;
mod events;
mod request;
mod stable_text;
mod virtual_clock;

use super::scenario_story::{RunningScenarios, ScenarioStory};
use crate::harness::{AttemptEnded, RunEvent, ScenarioEnded, ScenarioStarted, Verdict};
use crate::scenario::SnapshotSettings;
use checks::check_line;
use deliveries::Deliveries;
use events::Events;
use stable_text::StableText;

/// Makes the report of each scenario as it ends.
#[derive(Debug)]
pub struct SnapshotReports {
    settings: SnapshotSettings,
    target: String,
    running: RunningScenarios,
}

/// A scenario's report.
#[derive(Debug, Clone)]
pub struct SnapshotReport {
    /// Which scenario it is about.
    pub started: ScenarioStarted,
    /// What came of the scenario.
    pub verdict: Verdict,
    /// The report: lines, each with its end.
    pub text: String,
}

impl SnapshotReports {
    /// Shows of answers what `settings` say.
    pub fn new(settings: SnapshotSettings) -> Self {
        Self {
            settings,
            target: String::new(),
            running: RunningScenarios::default(),
        }
    }

    /// Takes an event. The one that ends a scenario gives its report.
    pub fn observe(&mut self, event: &RunEvent) -> Option<SnapshotReport> {
        if let RunEvent::RunStarted(started) = event {
            self.target.clone_from(&started.target);
        }
        let (story, ended) = self.running.observe(event)?;
        let text = report(&story, ended, &self.settings, &self.target);
        Some(SnapshotReport {
            started: story.started,
            verdict: ended.verdict,
            text,
        })
    }
}

fn report(
    story: &ScenarioStory,
    ended: &ScenarioEnded,
    settings: &SnapshotSettings,
    target: &str,
) -> String {
    let stable = StableText::new(story, settings, target);
    let events = Events::of(story, &stable);
    let mut sections = vec![vec![
        stable.line(&story.started.name),
        format!("verdict: {}", ended.verdict),
    ]];
    sections.extend(events.sections());
    for step in &story.steps {
        let mut lines = vec![format!(
            "## step {}: {}",
            step.step,
            stable.line(&step.description)
        )];
        lines.extend(Deliveries::of(story, step, &events, &stable).lines());
        lines.extend(step.not_made.iter().map(|check| check_line(check, &stable)));
        sections.push(lines);
    }
    sections.extend(effects::section(story, &stable));
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
