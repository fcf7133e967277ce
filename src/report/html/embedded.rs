//! The embedded data of a scenario: its run events as in `--report json`, as one JSON array, escaped
//! so that no HTML parser finds markup in it.

use std::io;

use serde::Serialize;

use crate::report::json_output::write_line;
use crate::report::limits::Limits;
use crate::report::scenario_record::ScenarioRecord;
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
pub(super) fn embed(scenarios: &[&ScenarioRecord]) -> io::Result<Vec<Option<String>>> {
    let mut whole = Vec::new();
    let mut spent = 0;
    for record in scenarios {
        let data = embedded(&events(record, Limits::ROOMY))?;
        spent += data.len();
        if spent > DATA_LIMIT {
            return embed_in_stages(scenarios);
        }
        whole.push(Some(data));
    }
    Ok(whole)
}

fn embed_in_stages(scenarios: &[&ScenarioRecord]) -> io::Result<Vec<Option<String>>> {
    let mut spent = 0;
    let mut embed = |record: &ScenarioRecord| {
        for (limits, end) in STAGES {
            if spent >= end {
                continue;
            }
            let data = embedded(&events(record, limits))?;
            if spent + data.len() <= end {
                spent += data.len();
                return Ok(Some(data));
            }
        }
        Ok(None)
    };
    scenarios.iter().map(|record| embed(record)).collect()
}

fn events(record: &ScenarioRecord, limits: Limits) -> Vec<RunEvent> {
    let mut started = record.started.clone();
    // Only snapshot reports need these.
    started.varying.clear();
    let attempts = limits.shown_attempts(&record.attempts).cloned();
    let attempts = attempts.map(|attempt| RunEvent::AttemptEnded(Box::new(attempt)));
    let mut events = vec![RunEvent::ScenarioStarted(started)];
    events.extend(attempts);
    events.extend(record.steps.iter().cloned().map(RunEvent::StepEnded));
    events.extend(record.effects.clone().map(RunEvent::EffectsEnded));
    events.extend(record.snapshot.clone().map(RunEvent::SnapshotCompared));
    events.push(RunEvent::ScenarioEnded(record.ended.clone()));
    let mut room = limits.bodies;
    for event in &mut events {
        limits.cut_event(event, &mut room);
    }
    events
}

/// `value` as JSON without `<`, `>` and `&`. JSON has these only inside strings, where an escape means
/// the same.
pub(super) fn embedded(value: &impl Serialize) -> io::Result<String> {
    let escapes = [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026")];
    let mut json = Vec::new();
    write_line(&mut json, value)?;
    let mut json = String::from_utf8(json).map_err(io::Error::other)?;
    json.truncate(json.trim_end().len());
    Ok(escapes.into_iter().fold(json, |json, (character, escape)| {
        json.replace(character, escape)
    }))
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
