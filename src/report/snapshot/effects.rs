//! The checks of the effects, and the change of each quantity.

use super::checks::check_line;
use super::stable_text::StableText;
use crate::report::scenario_record::ScenarioRecord;
use crate::run::ProbeReading;

/// The section on the effects, if the scenario has any.
pub(super) fn section(record: &ScenarioRecord, stable: &StableText<'_>) -> Option<Vec<String>> {
    let effects = record.effects.as_ref()?;
    let mut lines = vec!["## effects".to_owned()];
    let checks = effects.checks.iter();
    lines.extend(checks.map(|check| check_line(check, stable)));
    let readings = effects.readings.iter();
    let mut readings: Vec<String> = readings.map(|reading| changed(reading, stable)).collect();
    // They are in order of the players' IDs, which change in every run.
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
