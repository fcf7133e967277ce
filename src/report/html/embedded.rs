//! The embedded data of a scenario: its run events as in `--report json`, as one JSON array, escaped
//! so that no HTML parser finds markup in it.

use std::io;

use serde::Serialize;

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
    let mut room = limits.bodies;
    let attempts = limits.shown_attempts(&record.attempts).map(|attempt| {
        let mut attempt = attempt.clone();
        limits.cut_attempt(&mut attempt, &mut room);
        RunEvent::AttemptEnded(Box::new(attempt))
    });
    let steps = record.steps.iter().map(|step| {
        let mut step = step.clone();
        limits.cut_step(&mut step);
        RunEvent::StepEnded(step)
    });
    let effects = record.effects.iter().map(|effects| {
        let mut effects = effects.clone();
        limits.cut_checks(&mut effects.checks);
        RunEvent::EffectsEnded(effects)
    });
    let snapshot = record.snapshot.iter().map(|snapshot| {
        let mut snapshot = snapshot.clone();
        limits.cut_snapshot(&mut snapshot);
        RunEvent::SnapshotCompared(snapshot)
    });
    let start = [RunEvent::ScenarioStarted(started)].into_iter();
    let parts = start.chain(attempts).chain(steps).chain(effects);
    let end = [RunEvent::ScenarioEnded(record.ended.clone())];
    parts.chain(snapshot).chain(end).collect()
}

/// `value` as JSON without `<`, `>` and `&`. JSON has these only inside strings, where an escape means
/// the same.
pub(super) fn embedded(value: &impl Serialize) -> io::Result<String> {
    let escapes = [
        ('<', "\\u003c"),
        ('>', "\\u003e"),
        ('&', "\\u0026"),
        ('\u{2028}', "\\u2028"),
        ('\u{2029}', "\\u2029"),
    ];
    let json = serde_json::to_string(value)?;
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
