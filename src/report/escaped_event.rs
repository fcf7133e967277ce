//! Escapes the texts of run events before any report shows them. A scenario file or a journal can have
//! anything in them. Requests, responses and readings stay: reports escape those when they show them.

use std::borrow::Cow;

use super::sanitize::escape;
use crate::run::{AttemptEnded, ResponseRecord, RunEnded, RunEvent, RunStarted, ScenarioStarted};
use crate::verify::Check;

/// Escapes the texts of an event.
pub(super) fn escape_event(event: &mut RunEvent) {
    match event {
        RunEvent::RunStarted(started) => escape_start(started),
        RunEvent::ScenarioStarted(started) => escape_scenario(started),
        RunEvent::AttemptEnded(attempt) => escape_attempt(attempt),
        RunEvent::StepEnded(step) => {
            one_line(&mut step.description);
            let checks = step
                .deliveries
                .iter_mut()
                .flat_map(|ended| &mut ended.checks);
            checks.chain(&mut step.not_made).for_each(escape_check);
            step.hooks
                .iter_mut()
                .for_each(|hook| one_line(&mut hook.name));
        }
        RunEvent::EffectsEnded(ended) => {
            ended
                .readings
                .iter_mut()
                .for_each(|reading| one_line(&mut reading.probe));
            ended
                .texts
                .iter_mut()
                .for_each(|reading| one_line(&mut reading.probe));
            ended.checks.iter_mut().for_each(escape_check);
        }
        RunEvent::SnapshotCompared(compared) => {
            one_line(&mut compared.file);
            compared.check.iter_mut().for_each(escape_check);
        }
        RunEvent::SnapshotsEnded(ended) => {
            one_line(&mut ended.folder);
            ended.unreferenced.iter_mut().for_each(one_line);
        }
        RunEvent::ScenarioEnded(_) => {}
        RunEvent::RunEnded(ended) => escape_end(ended),
    }
}

pub(super) fn escape_start(started: &mut RunStarted) {
    one_line(started.aghook_version.to_mut());
    one_line(&mut started.target);
    one_line(&mut started.start_time);
}

fn escape_scenario(started: &mut ScenarioStarted) {
    let lines = [&mut started.name, &mut started.file].into_iter();
    let lines = lines.chain(&mut started.tags).chain(&mut started.source);
    lines.chain(&mut started.choice).for_each(one_line);
    started.about.iter_mut().for_each(each_line);
}

fn escape_attempt(attempt: &mut AttemptEnded) {
    let labels = attempt.forgery.iter_mut().chain(&mut attempt.fault);
    labels.for_each(one_line_of);
    if let Some(connection) = &mut attempt.connection {
        one_line_of(&mut connection.http_version);
    }
    let discarded = attempt.discarded_response.as_deref_mut();
    for response in [&mut attempt.response].into_iter().chain(discarded) {
        if let ResponseRecord::Failure { hint, .. } = response {
            one_line_of(hint);
        }
    }
}

fn escape_check(check: &mut Check) {
    one_line(&mut check.subject);
    check.source.iter_mut().for_each(one_line);
    let texts = [&mut check.expected, &mut check.observed].into_iter();
    let texts = texts.chain(&mut check.hint).chain(&mut check.cause);
    texts.for_each(each_line);
}

pub(super) fn escape_end(ended: &mut RunEnded) {
    ended.setup_problem.iter_mut().for_each(each_line);
    if let Some(items) = &mut ended.refused_items {
        items.skus.iter_mut().for_each(one_line);
        each_line(&mut items.reason);
        each_line(&mut items.help);
    }
    for cause in &mut ended.likely_causes {
        let bugs = [&mut cause.bug].into_iter().chain(&mut cause.or);
        for bug in bugs {
            let texts = [&mut bug.flaw, &mut bug.about, &mut bug.remedy];
            texts.into_iter().for_each(one_line);
        }
    }
    if let Some(changes) = &mut ended.since_baseline {
        let names = changes.new.iter_mut().chain(&mut changes.still_failing);
        let names = names.chain(&mut changes.fixed);
        names.chain(&mut changes.undecided).for_each(one_line);
    }
    if let Some(explored) = &mut ended.explored {
        for kind in &mut explored.kinds {
            one_line(&mut kind.kind);
            one_line(&mut kind.about);
        }
        for pair in &mut explored.pairs {
            one_line(&mut pair.first);
            one_line(&mut pair.then);
        }
    }
}

fn one_line(text: &mut String) {
    replace(text, escape(text));
}

fn one_line_of(text: &mut Cow<'static, str>) {
    let escaped = escape(text);
    if escaped != *text {
        *text = escaped.into();
    }
}

/// Keeps the line breaks.
fn each_line(text: &mut String) {
    let lines: Vec<String> = text.split('\n').map(escape).collect();
    replace(text, lines.join("\n"));
}

fn replace(text: &mut String, escaped: String) {
    if *text != escaped {
        *text = escaped;
    }
}
