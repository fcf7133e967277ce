//! Runs that could break a page: markup in all texts from receivers and scenarios, and many
//! scenarios with long bodies.

use aghook::internals::run::{
    AttemptEnded, BodyRecord, ResponseRecord, RunEvent, SnapshotCompared, SnapshotOutcome,
    SnapshotsEnded,
};
use aghook::internals::scenario::Level;
use aghook::internals::verify::{Check, Verdict};

use crate::sample_run::{many_failures, sample_run};

/// Text that would run a script if a page interpreted it as markup.
pub(crate) const HOSTILE: &str = "</script></title></details><script>window.taken = 1</script>\
                                  <img src=x onerror=\"window.taken = 2\">\
                                  <svg onload='window.taken = 3'><!--<script>{{ '\u{202e}'";

/// The sample run with snapshots: the second scenario's snapshot has this difference, and one more
/// file in the folder has no scenario.
pub(crate) fn with_snapshots(difference: &str) -> Vec<RunEvent> {
    let compared = |scenario, outcome, difference: Option<&str>| {
        let check = difference.map(|_| Check {
            subject: "snapshot".to_owned(),
            verdict: Verdict::Failed,
            level: Level::Must,
            expected: "the reviewed report".to_owned(),
            observed: "another".to_owned(),
            source: None,
            cause: None,
            hint: Some("accept it with `aghook snapshots accept`".to_owned()),
        });
        RunEvent::SnapshotCompared(SnapshotCompared {
            scenario,
            file: format!("snapshots/{scenario}.snap"),
            outcome,
            check,
            difference: difference.map(str::to_owned),
        })
    };
    let mut events = Vec::new();
    for event in sample_run() {
        match &event {
            RunEvent::ScenarioEnded(ended) if ended.scenario == 1 => {
                events.push(compared(1, SnapshotOutcome::AsReviewed, None));
            }
            RunEvent::ScenarioEnded(ended) if ended.scenario == 2 => {
                events.push(compared(2, SnapshotOutcome::Differs, Some(difference)));
            }
            RunEvent::RunEnded(_) => events.push(RunEvent::SnapshotsEnded(SnapshotsEnded {
                folder: "snapshots".to_owned(),
                as_reviewed: 1,
                different: 1,
                unreferenced: vec!["snapshots/<old>.snap".to_owned()],
                ..SnapshotsEnded::default()
            })),
            _ => {}
        }
        events.push(event);
    }
    events
}

/// The sample run with `text` in every external text, including bodies.
pub(crate) fn run_with(text: &str) -> Vec<RunEvent> {
    let mut events = with_snapshots(text);
    for event in &mut events {
        match event {
            RunEvent::RunStarted(run) => text.clone_into(&mut run.target),
            RunEvent::ScenarioStarted(started) => {
                started.name.push_str(text);
                started.about = Some(text.to_owned());
                started.tags.push(text.to_owned());
                started.source = Some(text.to_owned());
                started.file.push_str(text);
            }
            RunEvent::AttemptEnded(attempt) => fill(attempt, text),
            RunEvent::StepEnded(step) => {
                step.description.push_str(text);
                let checks = step.deliveries.iter_mut().flat_map(|one| &mut one.checks);
                checks.for_each(|check| fill_check(check, text));
            }
            RunEvent::EffectsEnded(effects) => {
                effects
                    .checks
                    .iter_mut()
                    .for_each(|check| fill_check(check, text));
                for reading in &mut effects.readings {
                    text.clone_into(&mut reading.player_id);
                    text.clone_into(&mut reading.sku);
                    reading.after = i128::MAX;
                }
            }
            RunEvent::SnapshotCompared(snapshot) => {
                snapshot.file.push_str(text);
                if let Some(check) = &mut snapshot.check {
                    fill_check(check, text);
                }
            }
            RunEvent::SnapshotsEnded(ended) => {
                ended.folder.push_str(text);
                ended.unreferenced.push(text.to_owned());
            }
            RunEvent::ScenarioEnded(_) | RunEvent::RunEnded(_) => {}
        }
    }
    events
}

fn fill(attempt: &mut AttemptEnded, text: &str) {
    attempt.event_name = Some(text.to_owned());
    let header = (text.to_owned(), text.to_owned());
    attempt.request.headers.push(header.clone());
    let json = serde_json::json!({ text: [text, 1e3, null] }).to_string();
    attempt.request.body = BodyRecord::new(json.as_bytes(), json.len() as u64, false);
    match &mut attempt.response {
        ResponseRecord::Response { headers, body, .. } => {
            headers.push(header);
            *body = BodyRecord::new(text.as_bytes(), text.len() as u64, false);
        }
        ResponseRecord::Failure { message, .. } => text.clone_into(message),
    }
    attempt.discarded_response = Some(Box::new(attempt.response.clone()));
}

fn fill_check(check: &mut Check, text: &str) {
    for place in [&mut check.subject, &mut check.expected, &mut check.observed] {
        place.push_str(text);
    }
    check.hint = Some(text.to_owned());
}

/// A run of many failing scenarios, with responses of `length` bytes that take six times as much
/// space in the page.
pub(crate) fn long_run(scenarios: usize, length: usize) -> impl Iterator<Item = RunEvent> {
    let mut events = sample_run();
    let start = events.swap_remove(0);
    let failures = many_failures(scenarios).map(move |mut event| {
        if let RunEvent::AttemptEnded(attempt) = &mut event
            && let ResponseRecord::Response { body, .. } = &mut attempt.response
        {
            *body = BodyRecord::new("<".repeat(length).as_bytes(), length as u64, false);
        }
        event
    });
    std::iter::once(start).chain(failures)
}
