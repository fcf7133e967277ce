//! The deliveries of a step: each attempt on the virtual clock, its response, and the checks.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::checks::{check_line, common_check_lines};
use super::events::SnapshotEvents;
use super::request::request_lines;
use super::response::response_lines;
use super::stable_text::StableText;
use crate::policy::DurationText;
use crate::report::counts;
use crate::report::scenario_record::ScenarioRecord;
use crate::run::{AttemptEnded, DeliveryEnded, ResponseRecord, StepEnded, header};
use crate::verify::Check;

pub(super) struct Deliveries<'a> {
    pub(super) record: &'a ScenarioRecord,
    pub(super) events: &'a SnapshotEvents,
    pub(super) stable: &'a StableText<'a>,
}

type TimedAttempts<'a> = Vec<(DueTime, &'a AttemptEnded)>;

impl<'a> Deliveries<'a> {
    pub(super) fn lines(&self, step: &StepEnded) -> Vec<String> {
        match step.deliveries.as_slice() {
            [delivery] => self.delivery(step, delivery),
            deliveries if step.together => self.simultaneous(step, deliveries),
            deliveries => self.sequential(step, deliveries),
        }
    }

    /// Deliveries one after another; identical ones in a row are shown once.
    fn sequential(&self, step: &StepEnded, deliveries: &[DeliveryEnded]) -> Vec<String> {
        let blocks = deliveries
            .iter()
            .map(|delivery| self.delivery(step, delivery));
        let blocks: Vec<_> = blocks.collect();
        let mut lines = Vec::new();
        let mut number = 1;
        for identical in blocks.chunk_by(|block, next| block == next) {
            let last = number + identical.len() - 1;
            lines.push(match identical.len() {
                1 => format!("delivery {number}"),
                2 => format!("deliveries {number} and {last}, each"),
                _ => format!("deliveries {number} to {last}, each"),
            });
            let block = identical.iter().take(1).flatten();
            lines.extend(block.map(|line| format!("  {line}")));
            number = last + 1;
        }
        lines
    }

    fn delivery(&self, step: &StepEnded, delivery: &DeliveryEnded) -> Vec<String> {
        let mut lines = Vec::new();
        for (due, attempt) in self.attempts(step, delivery) {
            lines.extend(self.request(due, attempt));
            lines.extend(indented(response_lines(attempt, self.stable)));
        }
        let checks = delivery.checks.iter();
        lines.extend(checks.map(|check| check_line(check, self.stable)));
        lines.extend(outcome(delivery));
        lines
    }

    /// Simultaneous deliveries: their order depends on chance, so they are sorted and counted.
    fn simultaneous(&self, step: &StepEnded, deliveries: &[DeliveryEnded]) -> Vec<String> {
        let attempts = deliveries
            .iter()
            .map(|delivery| self.attempts(step, delivery));
        let attempts: Vec<TimedAttempts<'_>> = attempts.collect();
        let most = attempts.iter().map(Vec::len).max().unwrap_or(0);
        let mut lines = Vec::new();
        for index in 0..most {
            let nth = || attempts.iter().filter_map(|all| all.get(index));
            lines.extend(counted(
                nth().map(|(due, attempt)| self.request(*due, attempt)),
            ));
            let responses = nth().map(|(_, attempt)| response_lines(attempt, self.stable));
            lines.extend(indented(counted(responses)));
        }
        let checks = deliveries.iter().flat_map(|delivery| &delivery.checks);
        let checks: Vec<&Check> = checks.collect();
        lines.extend(common_check_lines(&checks, self.stable));
        let outcomes = deliveries.iter().filter_map(outcome);
        lines.extend(counted(outcomes.map(|line| vec![line])));
        lines
    }

    fn attempts(&self, step: &StepEnded, delivery: &DeliveryEnded) -> TimedAttempts<'a> {
        let attempts =
            self.record.attempts.iter().filter(|attempt| {
                (attempt.step, attempt.delivery) == (step.step, delivery.delivery)
            });
        let mut attempts: Vec<&AttemptEnded> = attempts.collect();
        attempts.sort_by_key(|attempt| attempt.attempt);
        let mut timed = TimedAttempts::new();
        for attempt in attempts {
            let due = timed
                .last()
                .map_or(DueTime::START, |(due, before)| due.next(before, attempt));
            timed.push((due, attempt));
        }
        timed
    }

    fn request(&self, due: DueTime, attempt: &AttemptEnded) -> Vec<String> {
        let lines = request_lines(attempt, self.events, self.stable);
        let lines = lines.into_iter().enumerate();
        let shown = lines.map(|(index, line)| match index {
            0 => format!("{due} → {line}"),
            _ => format!("      {line}"),
        });
        shown.collect()
    }
}

fn outcome(delivery: &DeliveryEnded) -> Option<String> {
    let attempts = counts::counted(delivery.attempts as usize, "attempt");
    Some(format!("= {}, {attempts}", delivery.outcome?))
}

fn indented(lines: Vec<String>) -> impl Iterator<Item = String> {
    lines.into_iter().map(|line| format!("    {line}"))
}

/// Sorts the blocks and shows identical ones once, with their count.
fn counted(blocks: impl Iterator<Item = Vec<String>>) -> Vec<String> {
    let mut counts: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for block in blocks {
        *counts.entry(block).or_default() += 1;
    }
    let shown = counts.into_iter().flat_map(|(mut block, count)| {
        if let (Some(first), 2..) = (block.first_mut(), count) {
            *first = format!("{first} ({count} times)");
        }
        block
    });
    shown.collect()
}

/// When an attempt was due. `None` after a response with a date in `Retry-After`, which refers to the
/// real clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct DueTime(Option<Duration>);

impl DueTime {
    const START: Self = Self(Some(Duration::ZERO));

    fn next(self, before: &AttemptEnded, attempt: &AttemptEnded) -> Self {
        let due = self.0.filter(|_| !names_a_date(&before.response));
        Self(due.map(|due| due.saturating_add(attempt.delay_before)))
    }
}

impl fmt::Display for DueTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(due) => write!(formatter, "+{}", DurationText(due)),
            None => formatter.write_str("+…"),
        }
    }
}

fn names_a_date(response: &ResponseRecord) -> bool {
    let ResponseRecord::Response { headers, .. } = response else {
        return false;
    };
    let retry_after = header(headers, "retry-after");
    retry_after.is_some_and(|value| value.trim().parse::<u64>().is_err())
}
