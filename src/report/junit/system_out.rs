//! The `system-out` of a test case: one line per attempt and check.

use std::fmt::Write as _;

use crate::report::sanitize::sanitize;
use crate::report::scenario_record::{ScenarioRecord, check_line, reading_lines};
use crate::report::terminal::attempt_name;
use crate::run::{AttemptEnded, EffectsEnded, ResponseRecord};
use crate::verify::Check;

/// Lists the steps with their attempts and checks, then the effects with their readings.
pub(super) fn system_out(record: &ScenarioRecord) -> String {
    let mut lines = Vec::new();
    for step in &record.steps {
        lines.push(format!("step {}: {}", step.step, step.description));
        let of_step = record.attempts.iter();
        let of_step = of_step.filter(|attempt| attempt.step == step.step);
        lines.extend(of_step.map(|attempt| attempt_line(attempt, step.deliveries.len())));
        let checks = step.deliveries.iter().flat_map(|delivery| &delivery.checks);
        lines.extend(checks.chain(&step.not_made).map(check_entry));
    }
    if let Some(effects) = &record.effects {
        effect_lines(effects, &mut lines);
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

fn attempt_line(attempt: &AttemptEnded, deliveries: usize) -> String {
    let mut line = String::from("  ");
    if deliveries > 1 {
        let _ = write!(line, "delivery {}, ", attempt.delivery);
    }
    let response = match &attempt.response {
        ResponseRecord::Response { status, .. } => status.to_string(),
        ResponseRecord::Failure { message, .. } => sanitize(message),
    };
    let _ = write!(
        line,
        "{}: {response}, {:.1} ms",
        attempt_name(attempt),
        attempt.took.as_secs_f64() * 1000.0
    );
    line
}

fn effect_lines(effects: &EffectsEnded, lines: &mut Vec<String>) {
    lines.push("effects".to_owned());
    let readings = reading_lines(effects).into_iter();
    lines.extend(readings.map(|reading| format!("  {reading}")));
    lines.extend(effects.checks.iter().map(check_entry));
}

fn check_entry(check: &Check) -> String {
    format!("  {}: {}", check.verdict, check_line(check))
}
