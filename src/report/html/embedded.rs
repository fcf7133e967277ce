//! The data of a scenario as it stands in the page: its run events as in `--report json`, as one
//! JSON array, in text that no HTML parser reads markup in.

use std::io;

use serde::Serialize;

use super::Finished;
use super::shortened::{self, Limits};
use crate::harness::RunEvent;

/// The most that the data of all scenarios takes, in bytes: with the list, a page stays below 20 MB.
const DATA_LIMIT: usize = 15 << 20;

/// Where all of it would take more: up to where each way of cutting is used.
const STAGES: [(Limits, usize); 3] = [
    (Limits::ROOMY, 8 << 20),
    (Limits::TIGHT, 11 << 20),
    (Limits::BARE, DATA_LIMIT),
];

/// The data of all scenarios, in their order. Where there is not room for all, the later ones are
/// cut more, and the last ones have none.
pub(super) fn embed(scenarios: &[&Finished]) -> io::Result<Vec<Option<String>>> {
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

fn embed_in_stages(scenarios: &[&Finished]) -> io::Result<Vec<Option<String>>> {
    let mut spent = 0;
    let mut embed = |finished: &Finished| {
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

/// The scenario's events: as they came, but attempts first, then steps.
fn events(finished: &Finished, limits: Limits) -> Vec<RunEvent> {
    let (story, ended) = (&finished.story, &finished.ended);
    let mut events = vec![RunEvent::ScenarioStarted(story.started.clone())];
    let attempts = shortened::attempts(&story.attempts, limits);
    events.extend(
        attempts
            .into_iter()
            .map(|attempt| RunEvent::AttemptEnded(Box::new(attempt))),
    );
    let steps = story.steps.iter();
    events.extend(steps.map(|step| RunEvent::StepEnded(shortened::step(step, limits))));
    let effects = story.effects.iter();
    events
        .extend(effects.map(|effects| RunEvent::EffectsEnded(shortened::effects(effects, limits))));
    let snapshot = story.snapshot.iter();
    events.extend(
        snapshot.map(|snapshot| RunEvent::SnapshotCompared(shortened::snapshot(snapshot, limits))),
    );
    events.push(RunEvent::ScenarioEnded(ended.clone()));
    events
}

/// `value` as JSON in which nothing opens a tag, ends one or begins a comment. Outside of texts JSON
/// has none of these characters, and inside it knows them by their numbers as well.
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
        fn any_text_comes_back_and_is_no_markup(text in any::<String>(), tag in "(?i)</?script|<!--|-->|]]>") {
            let value = Value::from(format!("{text}{tag}{text}"));
            let written = embedded(&value).unwrap();
            prop_assert!(!written.contains(['<', '>', '&']));
            prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
        }
    }
}
