//! The problems of one scenario, folded: its checks, and the requests with their responses.

use super::escape::{code, fence, text};
use super::{mark, within};
use crate::report::body_text::BodyText;
use crate::report::problem_section::{Evidence, ProblemSection, sections};
use crate::report::sanitize::sanitize;
use crate::report::scenario_record::{PlacedCheck, ScenarioRecord};
use crate::report::terminal::attempt_facts;
use crate::run::{AttemptEnded, BodyRecord, ResponseRecord};
use crate::verify::Check;

const DELIVERIES_LIMIT: usize = 48 * 1024;

pub(super) fn details_tag(is_open: bool) -> &'static str {
    if is_open {
        "<details open>"
    } else {
        "<details>"
    }
}

pub(super) fn details(
    record: &ScenarioRecord,
    problems: &[PlacedCheck<'_>],
    is_open: bool,
) -> String {
    let (started, verdict) = (&record.started, record.ended.verdict);
    let summary = format!("{} {verdict}: {}", mark(verdict), text(&started.name));
    let tag = details_tag(is_open);
    let mut parts = vec![format!("{tag}<summary>{summary}</summary>\n")];
    if let Some(about) = &started.about {
        let about: Vec<&str> = about.split_whitespace().collect();
        parts.push(format!("{}\n", text(&about.join(" "))));
    }
    parts.push(sections_text(record, problems));
    parts.push("</details>\n".to_owned());
    parts.join("\n")
}

/// The problems in sections.
pub(super) fn sections_text(record: &ScenarioRecord, problems: &[PlacedCheck<'_>]) -> String {
    let sections = sections(record, problems);
    let (of_steps, others): (Vec<_>, Vec<_>) =
        sections.iter().partition(|section| section.is_of_step);
    let (mut parts, left_out) = within(DELIVERIES_LIMIT, of_steps.into_iter().map(section));
    if left_out > 0 {
        parts.push(format!("… and {left_out} more with problems\n"));
    }
    parts.extend(others.into_iter().map(section));
    parts.join("\n")
}

fn section(section: &ProblemSection<'_>) -> String {
    let items: String = section.checks.iter().map(|check| item(check)).collect();
    let evidence = match &section.evidence {
        Evidence::Nothing => String::new(),
        Evidence::Exchange(attempt) => exchange(attempt),
        Evidence::Effects(lines) => {
            let lines = lines.iter().map(|line| match line.strip_prefix("  ") {
                Some(line) => format!("  - {}\n", text(line)),
                None => format!("- {}\n", text(line)),
            });
            let lines: Vec<_> = lines.collect();
            lines.concat()
        }
        Evidence::Difference(difference) => {
            let lines: Vec<String> = difference.lines().map(sanitize).collect();
            format!("\n{}", fence("diff", &lines))
        }
    };
    format!("**{}**\n\n{items}{evidence}", text(&section.title))
}

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
fn exchange(attempt: &AttemptEnded) -> String {
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
    let facts = attempt_facts(attempt).replacen('a', "A", 1);
    format!("\n{facts}:\n\n{sent}\n{response}")
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
