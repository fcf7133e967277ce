//! Recorded runs, and the reports of what they say.

use std::path::PathBuf;

use crate::report::{Detail, KeptAttempts, ReportKind, RunRecorder, TerminalFormat, snapshot_text};
use crate::run::{Journal, JournalError, RunEvent, RunTally};
use crate::scenario::SnapshotSettings;
use crate::scenario::document::is_disguising;

/// Reads a recorded run, and writes all reports of it.
pub fn journal(bytes: &[u8]) {
    let (mut journal, started) = match Journal::read(PathBuf::from("run.jsonl"), bytes) {
        Ok(opened) => opened,
        Err(error) => return check_error(&error, bytes),
    };
    let mut events = Vec::new();
    let mut tally = RunTally::default();
    for event in journal.by_ref() {
        match event {
            Ok(event) => {
                check_event(&event);
                tally.observe(&event);
                events.push(event);
            }
            Err(error) => return check_error(&error, bytes),
        }
    }
    if let Some(line) = journal.truncated_line {
        assert_eq!(line.line, lines(bytes));
    }
    let ended = tally.partial_result();
    events.push(RunEvent::RunEnded(tally.run_ended.unwrap_or(ended)));
    for kind in [
        ReportKind::Terminal(TerminalFormat::NORMAL),
        ReportKind::Terminal(TerminalFormat {
            detail: Detail::Verbose,
            width: Some(80),
        }),
        ReportKind::Json,
        ReportKind::Junit,
        ReportKind::Html,
        ReportKind::Markdown,
        ReportKind::Har,
        ReportKind::Annotations,
    ] {
        check_report(kind, &events, &started.target);
    }
}

fn lines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count()
}

/// An error is at a line of the file, and says what to do.
fn check_error(error: &JournalError, bytes: &[u8]) {
    assert!(!error.help().is_empty());
    if let JournalError::Corrupt { line, .. } = error {
        assert!((1..=lines(bytes)).contains(line), "line {line}");
    }
}

/// What was read is written so that it reads and is written the same.
fn check_event(event: &RunEvent) {
    let line = serde_json::to_vec(event).expect("JSON");
    let again = RunEvent::from_json(&line).expect("the same event");
    assert_eq!(serde_json::to_vec(&again).expect("JSON"), line);
}

fn check_report(kind: ReportKind, events: &[RunEvent], target: &str) {
    let mut out = Vec::new();
    let mut record = RunRecorder::new(KeptAttempts::Whole);
    for event in events {
        kind.write_event(&mut out, event).expect("written");
        if let RunEvent::RunEnded(ended) = event {
            let record = std::mem::take(&mut record).finish(ended.clone());
            kind.write_end(&mut out, &record).expect("written");
            break;
        }
        record.observe(event.clone(), |scenario| {
            kind.write_scenario(&mut out, scenario).expect("written");
            if matches!(kind, ReportKind::Json) {
                let text = snapshot_text(scenario, &SnapshotSettings::default(), target);
                assert!(text.ends_with('\n'));
            }
        });
    }
    let text = String::from_utf8(out).expect("UTF-8");
    let shown = anstream::adapter::strip_str(&text).to_string();
    let shown = match kind {
        ReportKind::Terminal(_) => &shown,
        _ => &text,
    };
    let is_unsafe = |character: char| !matches!(character, '\n' | '\t') && is_disguising(character);
    // A JSON report keeps every character.
    if !matches!(kind, ReportKind::Json)
        && let Some(at) = shown.find(is_unsafe)
    {
        let from = shown.floor_char_boundary(at.saturating_sub(200));
        panic!(
            "{kind:?}: {:?}",
            &shown[from..shown.ceil_char_boundary(at + 8)]
        );
    }
    match kind {
        ReportKind::Annotations => {
            assert!(text.lines().all(|line| line.starts_with("::")), "{text:?}");
        }
        // They are not written where a CI system reads commands.
        ReportKind::Html | ReportKind::Junit | ReportKind::Markdown | ReportKind::Har => {}
        ReportKind::Terminal(_) | ReportKind::Json => {
            let mut lines = shown.lines();
            assert!(
                !lines.any(|line| line.trim_start().starts_with("::")),
                "{shown}"
            );
        }
    }
    match kind {
        ReportKind::Junit | ReportKind::Html => {
            assert!(!text.contains(['\u{fffe}', '\u{ffff}']), "{text:?}");
        }
        ReportKind::Har => {
            let har: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            assert!(har["log"]["entries"].is_array());
        }
        _ => {}
    }
}
