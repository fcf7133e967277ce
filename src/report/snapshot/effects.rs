//! What came of the effects, and by how much each quantity changed.

use super::checks::check_line;
use super::stable_text::StableText;
use crate::harness::ProbeReading;
use crate::report::scenario_story::ScenarioStory;

/// The section on the effects, if the scenario has any.
pub(super) fn section(story: &ScenarioStory, stable: &StableText<'_>) -> Option<Vec<String>> {
    let effects = story.effects.as_ref()?;
    let mut lines = vec!["## effects".to_owned()];
    let checks = effects.checks.iter();
    lines.extend(checks.map(|check| check_line(check, stable)));
    let readings = effects.readings.iter();
    let mut readings: Vec<String> = readings.map(|reading| changed(reading, stable)).collect();
    // They came in the order of the players' IDs, which are others in each run.
    readings.sort();
    lines.extend(readings);
    Some(lines)
}

/// A change, since what a player held before is up to the runs before.
fn changed(reading: &ProbeReading, stable: &StableText<'_>) -> String {
    let change = match reading.after.checked_sub(reading.before) {
        Some(0) => "unchanged".to_owned(),
        Some(change) => format!("{change:+}"),
        None => "more than can be counted".to_owned(),
    };
    let ProbeReading {
        probe,
        player_id,
        sku,
        ..
    } = reading;
    stable.line(&format!("  {probe} of {sku} for {player_id}: {change}"))
}
