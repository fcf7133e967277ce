//! The failures of a run: an overview, then the common problems, each with its most telling scenario, then
//! the scenarios with other problems.

use std::cmp::Reverse;
use std::io;

use super::layout::TextOutput;
use super::overview::{Head, HeadOf, Overview, write_headline, write_short};
use super::problems::write_problems;
use super::repeated::{Repeated, repetitions_once};
use super::style::{DIM, paint};
use crate::report::counts::counted;
use crate::report::failure_groups::CommonProblem;
use crate::report::run_record::RunRecord;
use crate::report::scenario_record::{PlacedCheck, ScenarioRecord};

const LISTED: usize = 5;
/// The most lines of the problems of one failure.
const PROBLEM_LINES: usize = 40;
/// The fewest lines to which they are cut to make room for likely problems.
const FEWEST_LINES: usize = 20;
/// The number of lines after which failures are no longer shown in full, after which scenarios are only
/// counted, and after which problems are.
const FULL_LINES: usize = 40;
const ALL_LINES: usize = 50;
const CAUSE_LINES: usize = 70;

/// Writes all failures: first what is wrong and what to do about it, then examples. Unless `list_all`, one
/// takes at most a screen, and many not much more: the first ones are shown in full, the others as a list.
pub(super) fn write_failures(
    out: &mut TextOutput<'_>,
    run: &RunRecord,
    list_all: bool,
) -> io::Result<()> {
    let own = run.scenarios.iter();
    let own = own.map(|record| (record, record.own_problems()));
    let mut own: Vec<_> = own.filter(|(_, problems)| !problems.is_empty()).collect();
    own.sort_by_key(|(record, problems)| {
        let verdicts = problems.iter().map(|placed| placed.check.verdict);
        (Reverse(verdicts.max()), record.steps.len())
    });
    let own = repetitions_once(own);
    let overview = Overview::new(out, run, &own, list_all)?;
    overview.write(out)?;
    let mut room = Room {
        list_all,
        used: overview.lines(),
        is_first: true,
    };
    for cause in overview.heads.iter().filter(|head| head.lacks_advice()) {
        if matches!(cause.of, HeadOf::Cause) {
            room.used += cause.full.lines().count() + 1;
            out.gap()?;
            out.write(&cause.full)?;
        }
    }
    write_problem_details(out, run, &overview, &mut room)?;
    write_own_details(out, run, own, &overview, &mut room)
}

/// An example of each common problem while there is room, then where to find one.
fn write_problem_details(
    out: &mut TextOutput<'_>,
    run: &RunRecord,
    overview: &Overview,
    room: &mut Room,
) -> io::Result<()> {
    let (mut is_listed, mut more_problems) = (false, 0);
    for problem in &run.common.problems {
        let head = overview.of_problem(problem.number);
        let lacks_advice = head.is_none_or(Head::lacks_advice);
        let full = out.drafted(|draft| {
            if lacks_advice {
                write_headline(draft, problem)?;
            } else if !overview.is_single() {
                draft.line(0, &format!("example of problem {}", problem.number))?;
            }
            write_problem(draft, run, problem, *room)
        })?;
        if room.takes_in_full(&full) {
            if !overview.is_single() {
                out.gap()?;
            }
            out.write(&full)?;
        } else if room.used < CAUSE_LINES {
            let short = out.drafted(|draft| write_short_problem(draft, problem, lacks_advice))?;
            room.used += short.lines().count();
            if lacks_advice || !std::mem::replace(&mut is_listed, true) {
                room.used += 1;
                out.gap()?;
            }
            out.write(&short)?;
        } else if lacks_advice {
            more_problems += 1;
        }
    }
    if more_problems > 0 {
        let more = counted(more_problems, "more problem");
        out.gap()?;
        out.line(
            0,
            &paint(DIM, format!("… and {more}; --verbose shows them all")),
        )?;
    }
    Ok(())
}

/// The scenarios with other problems: in full while there is room, then as a list.
fn write_own_details(
    out: &mut TextOutput<'_>,
    run: &RunRecord,
    own: Vec<Repeated<'_>>,
    overview: &Overview,
    room: &mut Room,
) -> io::Result<()> {
    let (mut is_listed, mut left_out) = (false, 0);
    for (record, problems, count) in own {
        let repetitions = run.common.repetitions.text(count);
        let mut full = whole_problems(out, record, &problems, *room)?;
        if let Some(text) = &repetitions {
            full += &out.drafted(|draft| draft.line(2, &paint(DIM, text)))?;
        }
        let head = overview.of_scenario(record.started.scenario);
        if room.takes_in_full(&full) {
            out.gap()?;
            out.write(&full)?;
        } else if head.is_some_and(|head| !head.lacks_advice()) {
            // The overview says all that the list would.
        } else if room.used < ALL_LINES {
            room.used += 2;
            if !std::mem::replace(&mut is_listed, true) {
                out.gap()?;
            }
            write_short(out, record, repetitions.as_deref(), true)?;
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

fn write_problem(
    out: &mut TextOutput<'_>,
    run: &RunRecord,
    problem: &CommonProblem,
    room: Room,
) -> io::Result<()> {
    out.line(2, &problem.check_summary())?;
    if let Some(responses) = &problem.responses {
        out.line(2, responses)?;
    }
    if let Some((record, problems)) = run.example(problem) {
        let text = whole_problems(out, record, &problems, room)?;
        out.write(&text)?;
    }
    // Listing the last scenario takes no more room than the line “and 1 more”.
    let limit = match problem.scenarios.len() - 1 {
        all if room.list_all || all == LISTED + 1 => all,
        _ => LISTED,
    };
    let (others, more) = problem.others(limit);
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

fn write_short_problem(
    out: &mut TextOutput<'_>,
    problem: &CommonProblem,
    with_headline: bool,
) -> io::Result<()> {
    let scenario = &problem.example.scenario;
    let location = paint(DIM, scenario.location());
    if with_headline {
        write_headline(out, problem)?;
        return out.line_with_facts(2, &scenario.name, &location);
    }
    let line = format!("example of problem {}: {}", problem.number, scenario.name);
    out.line_with_facts(0, &line, &location)
}
