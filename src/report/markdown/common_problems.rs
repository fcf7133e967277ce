//! What the failures look like, and the list of common problems, each with its most telling scenario folded.

use std::io::{self, Write};

use super::details::{details_tag, sections_text};
use super::escape::{code, text};
use super::{mark, within};
use crate::report::failure_groups::CommonProblem;
use crate::report::run_record::RunRecord;

const LISTED: usize = 200;

const DETAILS_LIMIT: usize = 100 * 1024;

pub(super) fn write_likely_causes(out: &mut dyn Write, run: &RunRecord) -> io::Result<()> {
    for cause in &run.ended.likely_causes {
        let (label, headline) = (cause.label(), text(&cause.headline()));
        writeln!(out, "\n**{label}**: {headline}\n")?;
        let mut advice = cause.advice();
        advice.try_for_each(|line| writeln!(out, "- {}", text(&line)))?;
    }
    Ok(())
}

pub(super) fn write_common_problems(out: &mut dyn Write, run: &RunRecord) -> io::Result<()> {
    let problems = &run.common.problems;
    if problems.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### Common problems\n")?;
    for problem in problems {
        let (mark, number) = (mark(problem.verdict), problem.number);
        let (headline, checks) = (text(&problem.headline()), problem.check_summary());
        writeln!(out, "- {mark} **problem {number}**: {headline}. {checks}")?;
        let lines = [
            problem
                .help
                .as_ref()
                .map(|help| format!("help: {}", text(help))),
            problem.about().map(|about| text(&about)),
            problem.in_common.as_ref().map(|features| text(features)),
            problem.responses.as_ref().map(|responses| text(responses)),
        ];
        for line in lines.into_iter().flatten() {
            writeln!(out, "  - {line}")?;
        }
    }
    // One failure is shown at once; the others are folded.
    let all = problems.iter().enumerate();
    let all = all.map(|(index, problem)| details(run, problem, index == 0));
    let (details, _) = within(DETAILS_LIMIT, all);
    let mut details = details.iter();
    details.try_for_each(|text| write!(out, "\n{text}"))
}

fn details(run: &RunRecord, problem: &CommonProblem, is_open: bool) -> String {
    let scenario = &problem.example.scenario;
    let summary = format!("problem {}: {}", problem.number, text(&scenario.name));
    let tag = details_tag(is_open);
    let mut parts = vec![format!("{tag}<summary>{summary}</summary>\n\n")];
    parts.push(format!("{}\n\n", code(&scenario.location())));
    if let Some((record, problems)) = run.example(problem) {
        parts.push(sections_text(record, &problems));
    }
    let (others, more) = problem.others(LISTED);
    if !others.is_empty() {
        parts.push("\n**also in**\n\n".to_owned());
    }
    parts.extend(others.into_iter().map(|scenario| {
        let (name, location) = (text(&scenario.name), code(&scenario.location()));
        format!("- {name} {location}\n")
    }));
    if more > 0 {
        parts.push(format!("- and {more} more\n"));
    }
    parts.push("\n</details>\n".to_owned());
    parts.concat()
}
