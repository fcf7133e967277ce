//! What several scenarios fail of alike, said once: a list, with the scenarios and an example folded.

use std::io::{self, Write};

use super::escape::{code, text};
use super::{exchange, mark, within};
use crate::report::causes::Cause;
use crate::report::counts::{counted, troubles_in_words};

/// The most scenarios of a cause that are named.
const NAMED: usize = 200;

/// The most that is written of scenarios and examples, in bytes.
const DETAILS_LIMIT: usize = 100 * 1024;

/// Writes the causes that scenarios share.
pub(super) fn write_causes(out: &mut impl Write, causes: &[Cause]) -> io::Result<()> {
    if causes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### What checks fail of alike\n")?;
    for cause in causes {
        let (checks, count) = (troubles_in_words(&cause.checks), cause.scenarios.len());
        let scenarios = counted(count, "scenario");
        let (mark, number, title) = (mark(cause.verdict), cause.number, text(&cause.title));
        let concerned = format!("{checks}, in {scenarios}");
        writeln!(out, "- {mark} **cause {number}**: {title}. {concerned}")?;
        if let Some(hint) = &cause.example.check.hint {
            writeln!(out, "  - help: {}", text(hint))?;
        }
        if let Some(answers) = &cause.answers {
            writeln!(out, "  - {}", text(answers))?;
        }
    }
    let details: Vec<String> = causes.iter().map(details).collect();
    let (details, _) = within(DETAILS_LIMIT, details.iter());
    details
        .into_iter()
        .try_for_each(|text| write!(out, "\n{text}"))
}

/// The scenarios of a cause and an example, folded.
fn details(cause: &Cause) -> String {
    let (number, count) = (cause.number, cause.scenarios.len());
    let scenarios = counted(count, "scenario");
    let summary = format!("cause {number}: {scenarios}, and an example");
    let mut parts = vec![format!("<details><summary>{summary}</summary>\n\n")];
    let named = cause.scenarios.iter().take(NAMED);
    parts.extend(named.map(|scenario| {
        let place = code(&format!("{}:{}", scenario.file, scenario.line));
        format!("- {} {place}\n", text(&scenario.name))
    }));
    if let Some(more @ 1..) = count.checked_sub(NAMED) {
        parts.push(format!("- and {more} more\n"));
    }
    let example = cause.example_in_words();
    parts.extend(example.map(|example| format!("\nFor instance {}\n", text(&example))));
    parts.extend(cause.example.attempt.as_ref().map(exchange));
    parts.push("\n</details>\n".to_owned());
    parts.concat()
}
