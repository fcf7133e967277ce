//! The first lines of the failures: everything that is wrong, each with what to do about it while there is
//! room, so that no bug is hidden below the example of another one.

use std::io;

use super::layout::TextOutput;
use super::repeated::Repeated;
use super::style::{DIM, mark, paint, paint_verdict, style_of};
use crate::report::counts::counted;
use crate::report::failure_groups::CommonProblem;
use crate::report::repetition::without_repetition;
use crate::report::run_record::RunRecord;
use crate::report::scenario_record::{ScenarioRecord, worst_line};
use crate::verify::Verdict;

/// Within so many lines, every head is visible.
const LINES: usize = 10;

#[derive(Debug)]
pub(super) struct Overview {
    pub(super) heads: Vec<Head>,
    /// The number of problems that are not among the heads.
    left_out: usize,
}

/// What is wrong, without an example.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) of: HeadOf,
    /// Without advice.
    short: String,
    pub(super) full: String,
    is_short: bool,
    /// Whether nothing has failed.
    is_warning: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeadOf {
    Cause,
    /// A common problem, by its number.
    Problem(usize),
    /// A scenario with other problems, by its number.
    Scenario(usize),
}

impl Head {
    /// Whether the overview leaves out what to do.
    pub(super) fn lacks_advice(&self) -> bool {
        self.is_short && self.short != self.full
    }

    fn shown(&self) -> &str {
        if self.is_short {
            &self.short
        } else {
            &self.full
        }
    }
}

impl Overview {
    pub(super) fn new(
        out: &TextOutput<'_>,
        run: &RunRecord,
        own: &[Repeated<'_>],
        list_all: bool,
    ) -> io::Result<Self> {
        let mut heads = Vec::new();
        for cause in &run.ended.likely_causes {
            let label = paint(style_of(Verdict::Failed), cause.label());
            let line = format!("{label}: {}", cause.headline());
            let short = out.drafted(|draft| draft.prose(0, 2, &line))?;
            let advice =
                out.drafted(|draft| cause.advice().try_for_each(|line| draft.prose(2, 2, &line)))?;
            heads.push(Head::new(HeadOf::Cause, short.clone(), short + &advice));
        }
        for problem in &run.common.problems {
            let short = out.drafted(|draft| draft.line(0, &headline(problem)))?;
            let full = out.drafted(|draft| write_headline(draft, problem))?;
            let of = HeadOf::Problem(problem.number);
            heads.push(Head::new(of, short, full).with_verdict(problem.verdict));
        }
        for (record, _, count) in own {
            let repetitions = run.common.repetitions.text(*count);
            let text = |with_problem| {
                out.drafted(|draft| {
                    write_short(draft, record, repetitions.as_deref(), with_problem)
                })
            };
            let of = HeadOf::Scenario(record.started.scenario);
            let head = Head::new(of, text(false)?, text(true)?);
            heads.push(head.with_verdict(record.ended.verdict));
        }
        heads.sort_by_key(|head| head.is_warning);
        // The scenario itself follows.
        if matches!(heads.as_slice(), [head] if matches!(head.of, HeadOf::Scenario(_))) {
            heads.clear();
        }
        Ok(Self::fitting(heads, list_all))
    }

    /// As much as fits: the likeliest cause with its advice, the headlines of all failures, then their
    /// advice, the first ones first, then warnings.
    fn fitting(mut heads: Vec<Head>, list_all: bool) -> Self {
        if let Some(first) = heads.first_mut()
            && first.of == HeadOf::Cause
        {
            first.short.clone_from(&first.full);
        }
        let short = |heads: &[Head]| heads.iter().map(|head| lines(&head.short)).sum::<usize>();
        let mut left_out = 0;
        let full = |heads: &[Head]| heads.iter().map(|head| lines(&head.full)).sum::<usize>();
        while !list_all
            && let [_, .., last] = &*heads
            && (short(&heads) > LINES || last.is_warning && full(&heads) > LINES)
        {
            heads.pop();
            left_out += 1;
        }
        let mut used = 0;
        for index in 0..heads.len() {
            let after = short(&heads[index + 1..]);
            let head = &mut heads[index];
            let is_single = index == 0 && after == 0 && left_out == 0;
            head.is_short = !list_all && !is_single && used + lines(&head.full) + after > LINES;
            used += lines(head.shown());
        }
        Self { heads, left_out }
    }

    pub(super) fn write(&self, out: &mut TextOutput<'_>) -> io::Result<()> {
        if self.heads.is_empty() {
            return Ok(());
        }
        out.gap()?;
        let mut heads = self.heads.iter();
        heads.try_for_each(|head| out.write(head.shown()))?;
        match self.left_out {
            0 => Ok(()),
            count => {
                let more = format!("… and {}, below", counted(count, "more problem"));
                out.line(0, &paint(DIM, more))
            }
        }
    }

    pub(super) fn lines(&self) -> usize {
        self.heads.iter().map(|head| lines(head.shown())).sum()
    }

    /// Whether it is about one thing, whose example follows directly.
    pub(super) fn is_single(&self) -> bool {
        self.heads.len() == 1 && self.left_out == 0
    }

    pub(super) fn of_problem(&self, number: usize) -> Option<&Head> {
        self.of(&HeadOf::Problem(number))
    }

    pub(super) fn of_scenario(&self, number: usize) -> Option<&Head> {
        self.of(&HeadOf::Scenario(number))
    }

    fn of(&self, of: &HeadOf) -> Option<&Head> {
        self.heads.iter().find(|head| head.of == *of)
    }
}

impl Head {
    fn new(of: HeadOf, short: String, full: String) -> Self {
        Self {
            of,
            short,
            full,
            is_short: false,
            is_warning: false,
        }
    }

    fn with_verdict(self, verdict: Verdict) -> Self {
        let is_warning = verdict == Verdict::Warned;
        Self { is_warning, ..self }
    }
}

pub(super) fn write_headline(out: &mut TextOutput<'_>, problem: &CommonProblem) -> io::Result<()> {
    out.line(0, &headline(problem))?;
    if let Some(help) = &problem.help {
        out.prose(4, 2, &format!("→ {help}"))?;
    }
    match &problem.in_common {
        Some(features) => out.prose(4, 2, features),
        None => Ok(()),
    }
}

fn headline(problem: &CommonProblem) -> String {
    let (mark, number, headline) = (mark(problem.verdict), problem.number, problem.headline());
    format!("{mark} problem {number}: {headline}")
}

/// A scenario in a list, with its worst problem if `with_problem`.
pub(super) fn write_short(
    out: &mut TextOutput<'_>,
    record: &ScenarioRecord,
    repetitions: Option<&str>,
    with_problem: bool,
) -> io::Result<()> {
    let (mark, verdict) = (mark(record.ended.verdict), record.ended.verdict);
    let name = match repetitions {
        Some(text) => format!("{}, {text}", without_repetition(&record.started.name).0),
        None => record.started.name.clone(),
    };
    let line = format!("{mark} {}: {name}", paint_verdict(verdict));
    out.line_with_facts(0, &line, &paint(DIM, record.location()))?;
    match worst_line(&record.own_problems()).filter(|_| with_problem) {
        Some(problem) => out.line(4, &problem),
        None => Ok(()),
    }
}

fn lines(text: &str) -> usize {
    text.lines().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(number: usize, advice: usize) -> Head {
        let short = format!("problem {number}\n");
        let full = short.clone() + &"  → advice\n".repeat(advice);
        Head::new(HeadOf::Problem(number), short, full)
    }

    #[test]
    fn every_headline_is_visible_before_advice_takes_room() {
        let heads = |count| (1..=count).map(|number| head(number, 2)).collect();
        let shorts = |count, list_all| {
            let overview = Overview::fitting(heads(count), list_all);
            let short = overview.heads.iter().filter(|head| head.is_short).count();
            (overview.heads.len(), short, overview.left_out)
        };
        assert_eq!(shorts(3, false), (3, 0, 0));
        assert_eq!(shorts(5, false), (5, 3, 0));
        assert_eq!(shorts(10, false), (10, 10, 0));
        assert_eq!(shorts(12, false), (10, 10, 2));
        assert_eq!(shorts(12, true), (12, 0, 0));
        let warning = head(3, 9).with_verdict(Verdict::Warned);
        let warned = Overview::fitting(vec![head(1, 2), head(2, 2), warning], false);
        assert_eq!((warned.heads.len(), warned.left_out), (2, 1));
        assert!(warned.heads.iter().all(|head| !head.is_short));
        let long = Overview::fitting(vec![head(1, 30)], false);
        assert!(long.is_single() && !long.heads[0].is_short);
        let mut caused: Vec<Head> = heads(10);
        caused[0].of = HeadOf::Cause;
        let caused = Overview::fitting(caused, false);
        assert_eq!(
            caused.heads[0].shown(),
            "problem 1\n  → advice\n  → advice\n"
        );
        assert!(!caused.heads[0].lacks_advice());
        assert_eq!((caused.heads.len(), caused.left_out), (8, 2));
    }
}
