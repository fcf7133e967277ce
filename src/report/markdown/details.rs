//! The problems of one scenario, folded: its checks, and the requests with their responses.

use super::escape::{code, fence, text};
use super::{mark, within};
use crate::report::body_text::BodyText;
use crate::report::sanitize::sanitize;
use crate::report::scenario_record::{ScenarioRecord, is_problem};
use crate::run::{AttemptEnded, BodyRecord, ResponseRecord, StepEnded};
use crate::verify::{Check, Verdict};

/// The size limit of the deliveries of one scenario, in bytes.
const DELIVERIES_LIMIT: usize = 48 * 1024;

/// The folded details of a scenario.
pub(super) fn details(record: &ScenarioRecord, verdict: Verdict) -> String {
    let started = &record.started;
    let summary = format!("{} {verdict}: {}", mark(verdict), text(&started.name));
    let mut parts = vec![format!("<details><summary>{summary}</summary>\n")];
    if let Some(about) = &started.about {
        let about: Vec<&str> = about.split_whitespace().collect();
        parts.push(format!("{}\n", text(&about.join(" "))));
    }
    parts.extend(deliveries(record));
    let effects = record.effects.iter().flat_map(|effects| &effects.checks);
    let wrong: Vec<String> = effects
        .filter(|check| is_problem(check))
        .map(item)
        .collect();
    if !wrong.is_empty() {
        let readings = record.problem_readings().into_iter();
        let readings = readings.map(|reading| format!("- {}\n", text(&reading)));
        let readings: String = readings.collect();
        parts.push(format!("**effects**\n\n{}{readings}", wrong.concat()));
    }
    if let Some(check) = record.snapshot_problem() {
        parts.push(format!("**snapshot**\n\n{}", item(check)));
        let difference = record
            .snapshot
            .iter()
            .flat_map(|snapshot| &snapshot.difference);
        parts.extend(difference.map(|difference| {
            let lines: Vec<String> = difference.lines().map(sanitize).collect();
            fence("diff", &lines)
        }));
    }
    parts.push("</details>\n".to_owned());
    parts.join("\n")
}

/// The problems of the steps, up to the size limit.
fn deliveries(record: &ScenarioRecord) -> Vec<String> {
    let sections = record.steps.iter().flat_map(|step| sections(record, step));
    let sections: Vec<String> = sections.collect();
    let (taken, left_out) = within(DELIVERIES_LIMIT, sections.iter());
    let mut taken: Vec<String> = taken.into_iter().map(str::to_owned).collect();
    if left_out > 0 {
        taken.push(format!("… and {left_out} more with problems\n"));
    }
    taken
}

fn sections(record: &ScenarioRecord, step: &StepEnded) -> Vec<String> {
    let title = format!("**step {}: {}", step.step, text(&step.description));
    let mut sections = Vec::new();
    for delivery in &step.deliveries {
        let wrong: Vec<&Check> = delivery
            .checks
            .iter()
            .filter(|check| is_problem(check))
            .collect();
        if wrong.is_empty() {
            continue;
        }
        let which = match step.deliveries.len() {
            1 => String::new(),
            count => format!(", delivery {} of {count}", delivery.delivery),
        };
        let items: String = wrong.into_iter().map(item).collect();
        let attempt = record.last_attempt(step.step, delivery.delivery);
        let exchange = attempt.map(exchange).unwrap_or_default();
        sections.push(format!("{title}{which}**\n\n{items}{exchange}"));
    }
    if let Some(check) = step.not_made.as_ref().filter(|check| is_problem(check)) {
        sections.push(format!("{title}**\n\n{}", item(check)));
    }
    sections
}

/// A check as a list item.
fn item(check: &Check) -> String {
    let (expected, observed) = (code(&check.expected), code(&check.observed));
    let mark = mark(check.verdict);
    let mut lines = vec![format!(
        "- {mark} {}: expected {expected}, observed {observed}\n",
        text(&check.subject)
    )];
    let more = [("source", &check.source), ("help", &check.hint)];
    let more = more
        .into_iter()
        .filter_map(|(word, line)| Some((word, line.as_ref()?)));
    lines.extend(more.map(|(word, line)| format!("  - {word}: {}\n", text(line))));
    lines.concat()
}

/// A request and its response, each in its own block.
pub(super) fn exchange(attempt: &AttemptEnded) -> String {
    let request = &attempt.request;
    let first = format!("{} {}", request.method, request.url);
    let sent = fence("http", &message(&first, &request.headers, &request.body));
    let response = match &attempt.response {
        ResponseRecord::Response {
            status,
            headers,
            body,
        } => fence("http", &message(&status.to_string(), headers, body)),
        ResponseRecord::Failure { message, hint, .. } => {
            let hint = match hint.as_ref() {
                "" => String::new(),
                hint => format!("; {}", text(hint)),
            };
            format!("No response: {}{hint}\n", code(message))
        }
    };
    format!(
        "\nAttempt {} at +{:.3} s, took {:.1} ms:\n\n{sent}\n{response}",
        attempt.attempt,
        attempt.virtual_offset.as_secs_f64(),
        attempt.took.as_secs_f64() * 1000.0
    )
}

fn message(first: &str, headers: &[(String, String)], body: &BodyRecord) -> Vec<String> {
    let mut lines = vec![sanitize(first)];
    let headers = headers.iter();
    lines.extend(headers.map(|(name, value)| sanitize(&format!("{name}: {value}"))));
    let body = BodyText::new(body);
    if !body.lines.is_empty() {
        lines.push(String::new());
        lines.extend(body.lines);
    }
    lines.extend(body.left_out);
    lines
}
