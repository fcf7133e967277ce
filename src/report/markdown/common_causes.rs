//! The list of common causes, each with its scenarios and an example folded.

use std::io::{self, Write};

use super::escape::{code, text};
use super::{exchange, mark, within};
use crate::report::counts::{counted, first_of};
use crate::report::failure_groups::CommonCause;

const LISTED: usize = 200;

const DETAILS_LIMIT: usize = 100 * 1024;

pub(super) fn write_causes(out: &mut dyn Write, causes: &[CommonCause]) -> io::Result<()> {
    if causes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### Common causes\n")?;
    for cause in causes {
        let (mark, number, title) = (mark(cause.verdict), cause.number, text(&cause.title));
        writeln!(
            out,
            "- {mark} **cause {number}**: {title}. {}",
            cause.scope()
        )?;
        if let Some(hint) = &cause.example.check.hint {
            writeln!(out, "  - help: {}", text(hint))?;
        }
        if let Some(responses) = &cause.responses {
            writeln!(out, "  - {}", text(responses))?;
        }
    }
    let (details, _) = within(DETAILS_LIMIT, causes.iter().map(details));
    let mut details = details.iter();
    details.try_for_each(|text| write!(out, "\n{text}"))
}

fn details(cause: &CommonCause) -> String {
    let scenarios = counted(cause.scenarios.len(), "scenario");
    let summary = format!("cause {}: {scenarios} and an example", cause.number);
    let mut parts = vec![format!("<details><summary>{summary}</summary>\n\n")];
    let listed = cause.scenarios.iter().map(|scenario| {
        let (name, location) = (text(&scenario.name), code(&scenario.location()));
        format!("{name} {location}")
    });
    parts.extend(first_of(listed, LISTED).map(|line| format!("- {line}\n")));
    let example = cause.example_line();
    parts.extend(example.map(|example| format!("\nExample: {}\n", text(&example))));
    parts.extend(cause.example.attempt.as_ref().map(exchange));
    parts.push("\n</details>\n".to_owned());
    parts.concat()
}
