//! The data of a scenario as it stands in the page: its run events as in `--report json`, as one
//! JSON array, in text that no HTML parser reads markup in.

use std::io;

use serde::Serialize;

use super::Finished;
use super::shortened::{self, Limits};
use crate::harness::RunEvent;

/// The most that the data of all scenarios takes, in bytes: with the list, a page stays below 20 MB.
const DATA_LIMIT: usize = 15 << 20;

/// From where on bodies are cut more, so that there is room for more scenarios.
const TIGHT_FROM: usize = 9 << 20;

/// The data of scenarios, one after the other, in what room there is.
#[derive(Default)]
pub(super) struct Embedding {
    spent: usize,
}

impl Embedding {
    /// A scenario's data; none where there is no room left.
    pub(super) fn of(&mut self, finished: &Finished) -> io::Result<Option<String>> {
        let limits: &[Limits] = match self.spent {
            0..TIGHT_FROM => &[Limits::ROOMY, Limits::TIGHT, Limits::BARE],
            _ => &[Limits::TIGHT, Limits::BARE],
        };
        for limits in limits {
            let data = embedded(&events(finished, *limits))?;
            if self.spent + data.len() <= DATA_LIMIT {
                self.spent += data.len();
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
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
