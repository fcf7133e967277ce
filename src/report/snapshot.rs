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
mod request_head;
mod response;
mod stable_text;
mod virtual_clock;

use super::scenario_record::ScenarioRecord;
use crate::scenario::SnapshotSettings;
use checks::check_line;
use deliveries::Deliveries;
use events::SnapshotEvents;
use stable_text::StableText;

/// The report of a scenario, with a newline after each line. `settings` say which parts of responses
/// are shown; `target` is the run's target.
pub(crate) fn snapshot_text(
    record: &ScenarioRecord,
    settings: &SnapshotSettings,
    target: &str,
) -> String {
    let stable = StableText::new(record, settings, target);
    let events = SnapshotEvents::of(record, &stable);
    let mut sections = vec![vec![
        stable.line(&record.started.name),
        format!("verdict: {}", record.ended.verdict),
    ]];
    sections.extend(events.sections());
    let deliveries = Deliveries {
        record,
        events: &events,
        stable: &stable,
    };
    for step in &record.steps {
        let mut lines = vec![format!(
            "## step {}: {}",
            step.step,
            stable.line(&step.description)
        )];
        lines.extend(deliveries.lines(step));
        lines.extend(step.not_made.iter().map(|check| check_line(check, &stable)));
        sections.push(lines);
    }
    sections.extend(effects::section(record, &stable));
    let sections: Vec<String> = sections.iter().map(|lines| lines.join("\n")).collect();
    format!("{}\n", sections.join("\n\n"))
}

#[cfg(test)]
mod tests;
