//! The snapshot report of a scenario: a text for reviewers that is the same in every run and on every
//! machine.
//!
//! This module only turns run events into text; [`crate::snapshots`] stores and compares it. The text
//! must not contain a time, a port, an ID of one run, or an order that depends on chance.

mod body_lines;
mod checks;
mod deliveries;
mod events;
mod request;
mod request_head;
mod response;
mod stable_text;

use super::scenario_record::ScenarioRecord;
use crate::run::{ProbeReading, TextReading};
use crate::scenario::SnapshotSettings;
use crate::scenario::shortened;
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
    sections.extend(effects_section(record, &stable));
    let sections: Vec<String> = sections.iter().map(|lines| lines.join("\n")).collect();
    format!("{}\n", sections.join("\n\n"))
}

fn effects_section(record: &ScenarioRecord, stable: &StableText<'_>) -> Option<Vec<String>> {
    let effects = record.effects.as_ref()?;
    let mut lines = vec!["## effects".to_owned()];
    lines.extend(effects.checks.iter().map(|check| check_line(check, stable)));
    let readings = effects.readings.iter();
    let mut readings: Vec<String> = readings.map(|reading| changed(reading, stable)).collect();
    // They are in order of the players' IDs, which change in every run.
    let texts = effects.texts.iter();
    readings.extend(texts.map(|reading| text(reading, stable)));
    readings.sort();
    lines.extend(readings);
    Some(lines)
}

/// The change of a quantity. The number before the scenario depends on earlier runs.
fn changed(reading: &ProbeReading, stable: &StableText<'_>) -> String {
    let change = match reading.after.checked_sub(reading.before) {
        Some(0) => "unchanged".to_owned(),
        Some(change) => format!("{change:+}"),
        None => "too large to compute".to_owned(),
    };
    let ProbeReading {
        probe,
        player_id,
        sku,
        ..
    } = reading;
    stable.line(&format!("  {probe} of {sku} for {player_id}: {change}"))
}

/// The text after the steps.
fn text(reading: &TextReading, stable: &StableText<'_>) -> String {
    let TextReading {
        probe,
        player_id,
        sku,
        after,
        ..
    } = reading;
    let after = shortened(&after.as_str().into());
    stable.line(&format!("  {probe} of {sku} for {player_id}: {after}"))
}

#[cfg(test)]
mod tests;
