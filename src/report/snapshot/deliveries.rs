//! The deliveries of a step: each attempt on the virtual clock, its response, and the checks.

use std::collections::BTreeMap;

use super::checks::{check_line, common_check_lines};
use super::events::SnapshotEvents;
use super::request::request_lines;
use super::response::response_lines;
use super::stable_text::StableText;
use super::virtual_clock::DueTime;
use crate::report::scenario_record::ScenarioRecord;
use crate::run::{AttemptEnded, DeliveryEnded, StepEnded};
use crate::verify::Check;

/// The deliveries of one step.
pub(super) struct Deliveries<'a> {
    step: &'a StepEnded,
    /// The attempts of each delivery in order, with their due times.
    attempts: Vec<Vec<(DueTime, &'a AttemptEnded)>>,
    events: &'a SnapshotEvents,
    stable: &'a StableText<'a>,
}

impl<'a> Deliveries<'a> {
    pub(super) fn of(
        record: &'a ScenarioRecord,
        step: &'a StepEnded,
        events: &'a SnapshotEvents,
        stable: &'a StableText<'a>,
    ) -> Self {
        let attempts = step.deliveries.iter().map(|delivery| {
            let of_delivery = record.attempts.iter().filter(|attempt| {
                (attempt.step, attempt.delivery) == (step.step, delivery.delivery)
            });
            let mut attempts: Vec<&AttemptEnded> = of_delivery.collect();
            attempts.sort_by_key(|attempt| attempt.attempt);
            timed(&attempts)
        });
        Self {
            step,
            attempts: attempts.collect(),
            events,
            stable,
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        match self.step.deliveries.as_slice() {
            [] => Vec::new(),
            [delivery] => self.delivery(delivery, self.attempts.first()),
            deliveries if self.step.together => self.simultaneous(deliveries),
            deliveries => self.sequential(deliveries),
        }
    }

    /// Deliveries one after another; identical ones in a row are shown once.
    fn sequential(&self, deliveries: &[DeliveryEnded]) -> Vec<String> {
        let blocks = deliveries.iter().zip(&self.attempts);
        let blocks = blocks.map(|(delivery, attempts)| self.delivery(delivery, Some(attempts)));
        let blocks: Vec<Vec<String>> = blocks.collect();
        let mut lines = Vec::new();
        let mut number = 1;
        for identical in blocks.chunk_by(|block, next| block == next) {
            let last = number + identical.len() - 1;
            lines.push(match identical.len() {
                1 => format!("delivery {number}"),
                2 => format!("deliveries {number} and {last}, each"),
                _ => format!("deliveries {number} to {last}, each"),
            });
            lines.extend(
                identical
                    .iter()
                    .take(1)
                    .flatten()
                    .map(|line| format!("  {line}")),
            );
            number = last + 1;
        }
        lines
    }

    fn delivery(
        &self,
        delivery: &DeliveryEnded,
        attempts: Option<&Vec<(DueTime, &AttemptEnded)>>,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        for (due, attempt) in attempts.into_iter().flatten() {
            lines.extend(self.request(&due.to_string(), attempt));
            lines.extend(indented(response_lines(attempt, self.stable)));
        }
        let checks = delivery.checks.iter();
        lines.extend(checks.map(|check| check_line(check, self.stable)));
        if let Some(outcome) = delivery.outcome {
            lines.push(format!("= {outcome}, {}", attempt_count(delivery.attempts)));
        }
        lines
    }

    /// Simultaneous deliveries: their order depends on chance, so they are sorted and counted.
    fn simultaneous(&self, deliveries: &[DeliveryEnded]) -> Vec<String> {
        let mut lines = Vec::new();
        let most = self.attempts.iter().map(Vec::len).max().unwrap_or(0);
        for index in 0..most {
            let nth: Vec<_> = self
                .attempts
                .iter()
                .filter_map(|all| all.get(index))
                .collect();
            let requests = nth
                .iter()
                .map(|(due, attempt)| self.request(&due.to_string(), attempt));
            lines.extend(counted(requests));
            let responses = nth
                .iter()
                .map(|(_, attempt)| response_lines(attempt, self.stable));
            lines.extend(indented(counted(responses)));
        }
        let checks: Vec<&Check> = deliveries
            .iter()
            .flat_map(|delivery| &delivery.checks)
            .collect();
        lines.extend(common_check_lines(&checks, self.stable));
        let outcomes = deliveries.iter().filter_map(|delivery| {
            let attempts = attempt_count(delivery.attempts);
            Some(vec![format!("= {}, {attempts}", delivery.outcome?)])
        });
        lines.extend(counted(outcomes));
        lines
    }

    fn request(&self, due: &str, attempt: &AttemptEnded) -> Vec<String> {
        let lines = request_lines(attempt, self.events, self.stable);
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap_or_default();
        let mut shown = vec![format!("{due} → {first}")];
        shown.extend(lines.map(|line| format!("      {line}")));
        shown
    }
}

fn attempt_count(count: u32) -> String {
    match count {
        1 => "1 attempt".to_owned(),
        _ => format!("{count} attempts"),
    }
}

fn indented(lines: Vec<String>) -> impl Iterator<Item = String> {
    lines.into_iter().map(|line| format!("    {line}"))
}

/// Attempts with their due times.
fn timed<'a>(attempts: &[&'a AttemptEnded]) -> Vec<(DueTime, &'a AttemptEnded)> {
    let mut timed: Vec<(DueTime, &AttemptEnded)> = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        let due = match timed.last() {
            Some((due, before)) => due.next(before, attempt),
            None => DueTime::START,
        };
        timed.push((due, attempt));
    }
    timed
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
