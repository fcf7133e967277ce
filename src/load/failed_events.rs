//! The failures file: the events of a load that failed, as JSON lines.
//!
//! The first line describes the load and says how many events follow, so that an incomplete file is
//! always detected.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use super::event_source::EventOrigin;
use super::report::LoadReport;
use super::treatment_mix::Treatment;
use crate::policy::Forgery;

const FORMAT: &str = "aghook load failures";
const FORMAT_VERSION: u32 = 1;

/// The first line, which describes the load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailedEventsHead {
    format: String,
    format_version: u32,
    pub aghook_version: String,
    pub target: String,
    pub built_in_receiver: bool,
    pub seed: u64,
    pub start_time: String,
    pub events: u64,
    /// How many more failed events were not written because there were too many.
    pub left_out: u64,
}

/// A failed event, with everything needed to send it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailedEvent {
    pub number: u64,
    pub event_id: String,
    pub player_id: String,
    pub treatment: FailedTreatment,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgery: Option<Forgery>,
    pub problem: String,
    /// The scenario event it was built from; `None` if it was generated.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<EventOrigin>,
    /// Whether the load had other events of the same player, so that the player's inventory does
    /// not depend on this event alone.
    pub shares_player: bool,
    /// The exact body. For a forgery, the body of the event that it replaced.
    pub body: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FailedTreatment {
    Plain,
    Duplicate,
    Together,
    /// The response to its first attempt was lost on purpose.
    LostAck,
    Forgery,
}

impl FailedEventsHead {
    pub(super) fn new(report: &LoadReport, events: u64, left_out: u64) -> Self {
        Self {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            aghook_version: report.aghook_version.clone(),
            target: report.target.clone(),
            built_in_receiver: report.built_in_receiver,
            seed: report.seed,
            start_time: report.start_time.clone(),
            events,
            left_out,
        }
    }
}

impl From<Treatment> for FailedTreatment {
    fn from(treatment: Treatment) -> Self {
        match treatment {
            Treatment::Plain => Self::Plain,
            Treatment::Duplicate(_) => Self::Duplicate,
            Treatment::Together => Self::Together,
            Treatment::LostAck => Self::LostAck,
            Treatment::Forged(_) => Self::Forgery,
        }
    }
}

pub(crate) fn begins_failed_events(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Format {
        format: String,
    }
    serde_json::from_slice::<Format>(line).is_ok_and(|first| first.format == FORMAT)
}

pub(crate) fn write_failed_line(line: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Reads a failures file, or says why it is incomplete or invalid. Lines count from 1.
pub(crate) fn read_failed_events(
    mut from: impl BufRead,
) -> Result<(FailedEventsHead, Vec<FailedEvent>), String> {
    #[derive(Deserialize)]
    struct FormatVersion {
        format_version: u32,
        #[serde(default)]
        aghook_version: String,
    }
    let first = next_line(&mut from, 1)?.unwrap_or_default();
    let FormatVersion {
        format_version,
        aghook_version,
    } = parsed(&first, 1)?;
    if format_version != FORMAT_VERSION {
        return Err(format!(
            "it was written by aghook {aghook_version} in format version {format_version}, but this \
             aghook reads version {FORMAT_VERSION}"
        ));
    }
    let head: FailedEventsHead = parsed(&first, 1)?;
    let mut events = Vec::new();
    for line in 2.. {
        let Some(text) = next_line(&mut from, line)? else {
            break;
        };
        let event: FailedEvent = parsed(&text, line)?;
        if (event.treatment == FailedTreatment::Forgery) != event.forgery.is_some() {
            let reason = "`forgery` must be set if and only if `treatment` is `forgery`";
            return Err(unreadable_line(line, reason));
        }
        events.push(event);
    }
    let (expected, found) = (head.events, events.len() as u64);
    if found != expected {
        return Err(format!(
            "its first line says {expected} events, but it contains {found}"
        ));
    }
    Ok((head, events))
}

/// The next line without its newline; `None` at the end of the file.
fn next_line(from: &mut impl BufRead, line: usize) -> Result<Option<Vec<u8>>, String> {
    let mut text = Vec::new();
    let read = from.read_until(b'\n', &mut text);
    if read.map_err(|error| format!("it can't be read: {error}"))? == 0 {
        return Ok(None);
    }
    if text.pop() != Some(b'\n') {
        return Err(format!("line {line} is incomplete"));
    }
    Ok(Some(text))
}

fn parsed<'text, T: Deserialize<'text>>(text: &'text [u8], line: usize) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| {
        // The parser's own position counts within this line, so it would confuse.
        let reason = error.to_string();
        unreadable_line(line, reason.split(" at line ").next().unwrap_or_default())
    })
}

fn unreadable_line(line: usize, reason: &str) -> String {
    format!("line {line} can't be read: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u64, forgery: Option<Forgery>) -> FailedEvent {
        FailedEvent {
            number,
            event_id: format!("whevt_{number}"),
            player_id: "P".to_owned(),
            treatment: forgery.map_or(FailedTreatment::Together, |_| FailedTreatment::Forgery),
            forgery,
            problem: "none".to_owned(),
            origin: None,
            shares_player: false,
            body: "{ \"a\" : \"ü\\n\" }".to_owned(),
        }
    }

    fn written(events: &[FailedEvent]) -> Vec<u8> {
        let head = FailedEventsHead {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            aghook_version: "0".to_owned(),
            target: "http://127.0.0.1/".to_owned(),
            built_in_receiver: false,
            seed: 7,
            start_time: "T".to_owned(),
            events: events.len() as u64,
            left_out: 0,
        };
        let mut out = Vec::new();
        write_failed_line(&head, &mut out).expect("written");
        for event in events {
            write_failed_line(event, &mut out).expect("written");
        }
        out
    }

    fn problem(text: &[u8]) -> String {
        read_failed_events(text).expect_err("refused")
    }

    #[test]
    fn a_written_file_reads_back() {
        let events = [event(3, None), event(9, Some(Forgery::WrongSecret))];
        let text = written(&events);
        let first = text.split(|byte| *byte == b'\n').next().expect("a line");
        assert!(begins_failed_events(first));
        let (head, read) = read_failed_events(text.as_slice()).expect("whole");
        assert_eq!((head.events, head.seed), (2, 7));
        assert_eq!(read, events);
    }

    #[test]
    fn an_incomplete_file_is_refused_wherever_it_ends() {
        let text = written(&[event(3, None), event(9, None)]);
        for length in 0..text.len() {
            let problem = problem(&text[..length]);
            let line = text[..length].split(|byte| *byte == b'\n').count();
            let is_at_end_of_line = length > 0 && text[length - 1] == b'\n';
            if is_at_end_of_line {
                assert!(problem.contains("says 2 events"), "{length}: {problem}");
            } else if length > 0 {
                let expected = format!("line {line} is incomplete");
                assert!(problem.contains(&expected), "{length}: {problem}");
            }
        }
    }

    #[test]
    fn an_invalid_line_is_refused_with_its_number() {
        let text = String::from_utf8(written(&[event(3, None), event(9, None)])).expect("text");
        for (from, to, message) in [
            (
                "\"event_id\":\"whevt_9\"",
                "\"id\":\"x\"",
                "line 3 can't be read: missing field `event_id`",
            ),
            (
                "\"treatment\":\"together\"",
                "\"treatment\":\"forgery\"",
                "line 2 can't be read: `forgery`",
            ),
            ("\"format_version\":1", "\"format_version\":2", "version 2"),
            (
                "\"events\":2",
                "\"events\":1",
                "says 1 events, but it contains 2",
            ),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            let problem = problem(changed.as_bytes());
            assert!(problem.contains(message), "{problem}");
        }
        assert!(!begins_failed_events(br#"{"event":"run_started"}"#));
        assert!(!begins_failed_events(b"\xff"));
    }
}
