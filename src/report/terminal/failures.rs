//! The failures of a run: the common causes, each with its most telling scenario, then the scenarios
//! with other problems.

use std::cmp::Reverse;
use std::io;

use super::layout::TextOutput;
use super::problems::write_problems;
use super::style::{DIM, mark, paint, paint_verdict, style_of};
use crate::report::counts::counted;
use crate::report::failure_groups::CommonCause;
use crate::report::run_record::RunRecord;
use crate::report::scenario_record::{PlacedCheck, ScenarioRecord, worst_line};
use crate::verify::Verdict;

const LISTED: usize = 5;
/// The most lines of the problems of one failure.
const PROBLEM_LINES: usize = 40;
/// The fewest lines to which they are cut to make room for likely causes.
const FEWEST_LINES: usize = 20;
/// The number of lines after which failures are no longer shown in full, after which scenarios are only
/// counted, and after which causes are.
const FULL_LINES: usize = 40;
const ALL_LINES: usize = 50;
const CAUSE_LINES: usize = 70;

/// Writes all failures. Unless `list_all`, one takes at most a screen, and many not much more: the first
/// ones are shown in full, the others as a list.
pub(super) fn write_failures(
    out: &mut TextOutput<'_>,
    run: &RunRecord,
    list_all: bool,
) -> io::Result<()> {
    let likely = out.drafted(|draft| write_likely_causes(draft, run))?;
    out.write(&likely)?;
    let mut room = Room {
        list_all,
        used: likely.lines().count(),
        is_first: true,
    };
    let causes = &run.common.causes;
    if !causes.is_empty() {
        out.gap()?;
        out.line(0, "common causes")?;
    }
    let mut more_causes = 0;
    for cause in causes {
        let full = out.drafted(|draft| write_cause(draft, run, cause, room))?;
        if room.takes_in_full(&full) {
            out.gap()?;
            out.write(&full)?;
        } else if room.used < CAUSE_LINES {
            let short = out.drafted(|draft| write_short_cause(draft, cause))?;
            room.used += short.lines().count() + 1;
            out.gap()?;
            out.write(&short)?;
        } else {
            more_causes += 1;
        }
    }
    if more_causes > 0 {
        let more = counted(more_causes, "more cause");
        out.gap()?;
        out.line(
            0,
            &paint(DIM, format!("… and {more}; --verbose shows them all")),
        )?;
    }
    let own = run.scenarios.iter();
    let own = own.map(|record| (record, record.own_problems()));
    let mut own: Vec<_> = own.filter(|(_, problems)| !problems.is_empty()).collect();
    own.sort_by_key(|(record, problems)| {
        let verdicts = problems.iter().map(|placed| placed.check.verdict);
        (Reverse(verdicts.max()), record.steps.len())
    });
    let (mut is_listed, mut left_out) = (false, 0);
    for (record, problems) in own {
        let full = whole_problems(out, record, &problems, room)?;
        if room.takes_in_full(&full) {
            out.gap()?;
            out.write(&full)?;
        } else if room.used < ALL_LINES {
            room.used += 2;
            if !std::mem::replace(&mut is_listed, true) {
                out.gap()?;
            }
            write_short(out, record)?;
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        let others = counted(left_out, "more scenario");
        let more = format!("… and {others} with other problems; --verbose shows them all");
        out.line(0, &paint(DIM, more))?;
    }
    Ok(())
}

/// The problems of a scenario. Unless `list_all`, a long text is cut: a receiver may send many headers.
fn whole_problems(
    out: &TextOutput<'_>,
    record: &ScenarioRecord,
    problems: &[PlacedCheck<'_>],
    room: Room,
) -> io::Result<String> {
    let full = out.drafted(|draft| write_problems(draft, record, problems, !room.list_all))?;
    let limit = if room.is_first {
        PROBLEM_LINES.saturating_sub(room.used).max(FEWEST_LINES)
    } else {
        PROBLEM_LINES
    };
    let left_out = full.lines().count().saturating_sub(limit);
    if room.list_all || left_out == 0 {
        return Ok(full);
    }
    out.drafted(|draft| {
        let mut shown = full.lines().take(limit);
        shown.try_for_each(|line| draft.whole_line(0, line))?;
        let note = format!("… {left_out} more lines; --verbose shows all");
        draft.line(2, &paint(DIM, note))
    })
}

/// The room for failures.
#[derive(Debug, Clone, Copy)]
struct Room {
    list_all: bool,
    used: usize,
    /// Whether no failure was shown yet.
    is_first: bool,
}

impl Room {
    /// Whether a failure of this text is shown in full. The first one always is.
    fn takes_in_full(&mut self, text: &str) -> bool {
        let lines = text.lines().count() + 1;
        let fits = self.list_all || self.is_first || self.used + lines <= FULL_LINES;
        self.is_first = false;
        if fits {
            self.used += lines;
        }
        fits
    }
}

fn write_likely_causes(out: &mut TextOutput<'_>, run: &RunRecord) -> io::Result<()> {
    for cause in &run.ended.likely_causes {
        let label = paint(style_of(Verdict::Failed), cause.label());
        out.gap()?;
        out.prose(0, 2, &format!("{label}: {}", cause.headline()))?;
        cause.advice().try_for_each(|line| out.prose(2, 2, &line))?;
    }
    Ok(())
}

fn write_cause(
    out: &mut TextOutput<'_>,
    run: &RunRecord,
    cause: &CommonCause,
    room: Room,
) -> io::Result<()> {
    write_headline(out, cause)?;
    out.line(2, &cause.check_summary())?;
    if let Some(responses) = &cause.responses {
        out.line(2, responses)?;
    }
    if let Some((record, problems)) = run.example(cause) {
        let text = whole_problems(out, record, &problems, room)?;
        out.write(&text)?;
    }
    // Listing the last scenario takes no more room than the line “and 1 more”.
    let limit = match cause.scenarios.len() - 1 {
        all if room.list_all || all == LISTED + 1 => all,
        _ => LISTED,
    };
    let (others, more) = cause.others(limit);
    if !others.is_empty() {
        out.line(2, "also in")?;
    }
    for scenario in others {
        out.line_with_facts(4, &scenario.name, &paint(DIM, scenario.location()))?;
    }
    match more {
        0 => Ok(()),
        more => {
            let more = format!("and {more} more; --verbose lists them all");
            out.line(4, &paint(DIM, more))
        }
    }
}

fn write_headline(out: &mut TextOutput<'_>, cause: &CommonCause) -> io::Result<()> {
    let (mark, number) = (mark(cause.verdict), cause.number);
    let headline = cause.headline();
    out.line(0, &format!("{mark} cause {number}: {headline}"))?;
    if let Some(help) = &cause.help {
        out.prose(4, 2, &format!("→ {help}"))?;
    }
    match &cause.in_common {
        Some(features) => out.prose(4, 2, features),
        None => Ok(()),
    }
}

fn write_short_cause(out: &mut TextOutput<'_>, cause: &CommonCause) -> io::Result<()> {
    write_headline(out, cause)?;
    let scenario = &cause.example.scenario;
    out.line_with_facts(2, &scenario.name, &paint(DIM, scenario.location()))
}

fn write_short(out: &mut TextOutput<'_>, record: &ScenarioRecord) -> io::Result<()> {
    let (mark, verdict) = (mark(record.ended.verdict), record.ended.verdict);
    let line = format!("{mark} {}: {}", paint_verdict(verdict), record.started.name);
    out.line_with_facts(0, &line, &paint(DIM, record.location()))?;
    match worst_line(&record.own_problems()) {
        Some(problem) => out.line(4, &problem),
        None => Ok(()),
    }
}
