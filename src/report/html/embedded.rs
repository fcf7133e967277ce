//! The embedded data of a scenario: its run events as in `--report json`, as one JSON array, escaped
//! so that no HTML parser finds markup in it.

use std::io;

use serde::Serialize;

use super::FinishedScenario;
use super::truncate::{self, Limits};
use crate::run::RunEvent;

/// The size limit of the data of all scenarios, in bytes. With the list, a page stays below 20 MB.
const DATA_LIMIT: usize = 15 << 20;

/// If all data would exceed the limit: the limits that apply until the data has reached each size.
const STAGES: [(Limits, usize); 3] = [
    (Limits::ROOMY, 8 << 20),
    (Limits::TIGHT, 11 << 20),
    (Limits::BARE, DATA_LIMIT),
];

/// The data of all scenarios, in order. If there is not enough room, later scenarios are cut more, and
/// the last ones have no data.
pub(super) fn embed(scenarios: &[&FinishedScenario]) -> io::Result<Vec<Option<String>>> {
    let mut whole = Vec::new();
    let mut spent = 0;
    for finished in scenarios {
        let data = embedded(&events(finished, Limits::ROOMY))?;
        spent += data.len();
        if spent > DATA_LIMIT {
            return embed_in_stages(scenarios);
        }
        whole.push(Some(data));
    }
    Ok(whole)
}

fn embed_in_stages(scenarios: &[&FinishedScenario]) -> io::Result<Vec<Option<String>>> {
    let mut spent = 0;
    let mut embed = |finished: &FinishedScenario| {
        for (limits, end) in STAGES {
            if spent >= end {
                continue;
            }
            let data = embedded(&events(finished, limits))?;
            if spent + data.len() <= end {
                spent += data.len();
                return Ok(Some(data));
            }
        }
        Ok(None)
    };
    scenarios.iter().map(|finished| embed(finished)).collect()
}

/// The scenario's events: its start, all attempts, all steps, and the rest.
fn events(finished: &FinishedScenario, limits: Limits) -> Vec<RunEvent> {
    let (record, ended) = (&finished.record, &finished.ended);
    let mut events = vec![RunEvent::ScenarioStarted(record.started.clone())];
    let attempts = truncate::attempts(&record.attempts, limits);
    events.extend(
        attempts
            .into_iter()
            .map(|attempt| RunEvent::AttemptEnded(Box::new(attempt))),
    );
    let steps = record.steps.iter();
    events.extend(steps.map(|step| RunEvent::StepEnded(truncate::step(step, limits))));
    let effects = record.effects.iter();
    events
        .extend(effects.map(|effects| RunEvent::EffectsEnded(truncate::effects(effects, limits))));
    let snapshot = record.snapshot.iter();
    events.extend(
        snapshot.map(|snapshot| RunEvent::SnapshotCompared(truncate::snapshot(snapshot, limits))),
    );
    events.push(RunEvent::ScenarioEnded(ended.clone()));
    events
}

/// `value` as JSON without `<`, `>` and `&`. JSON has these only inside strings, where an escape means
/// the same.
pub(super) fn embedded(value: &impl Serialize) -> io::Result<String> {
    let json = serde_json::to_string(value)?;
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            _ => text.push(character),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    proptest! {
        #[test]
        fn any_text_round_trips_without_markup(text in any::<String>(), tag in "(?i)</?script|<!--|-->|]]>") {
            let value = Value::from(format!("{text}{tag}{text}"));
            let written = embedded(&value).unwrap();
            prop_assert!(!written.contains(['<', '>', '&']));
            prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
        }
    }
}
