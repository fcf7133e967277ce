//! The failures file: the events of a load that failed, as JSON lines.
//!
//! The first line describes the load and says how many events follow, so that an incomplete file is
//! always detected.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use super::event_source::EventOrigin;
use super::treatment_mix::Treatment;
use crate::policy::Forgery;

/// The `format` in the first line of a failures file.
const FORMAT: &str = "aghook load failures";

/// The first line, which describes the load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailedEventsHead {
    format: String,
    format_version: u32,
    /// The version of the program that wrote it.
    pub aghook_version: String,
    /// The load's target.
    pub target: String,
    /// Whether that was the built-in receiver, which stopped with the load.
    pub built_in_receiver: bool,
    /// The load's seed.
    pub seed: u64,
    /// The load's start time.
    pub start_time: String,
    /// How many events follow.
    pub events: u64,
    /// How many more failed events were not written because there were too many.
    pub left_out: u64,
}

/// A failed event, with everything needed to send it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FailedEvent {
    /// The event's number in the load's stream.
    pub number: u64,
    /// The event's ID.
    pub event_id: String,
    /// The event's player.
    pub player_id: String,
    /// How it was treated.
    pub treatment: FailedTreatment,
    /// The forgery that was sent instead of it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgery: Option<Forgery>,
    /// What went wrong.
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

/// How an event was treated, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FailedTreatment {
    /// It was delivered.
    Plain,
    /// It was delivered, and once more later.
    Duplicate,
    /// It was delivered twice simultaneously.
    Together,
    /// The response to its first attempt was lost on purpose.
    LostAck,
    /// A forgery was sent instead of it.
    Forgery,
}

/// Why a failures file is incomplete or invalid. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FailedEventsError {
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It has another format version.
    #[error(
        "it was written by aghook {written_by} in format version {version}, but this aghook reads \
         version {}",
        FailedEventsHead::FORMAT_VERSION
    )]
    OtherVersion {
        /// The format version.
        version: u32,
        /// The version of the program.
        written_by: String,
    },
    /// Its last line is incomplete.
    #[error("line {0} is incomplete")]
    Truncated(usize),
    /// A line is invalid.
    #[error("line {line} can't be read: {reason}")]
    Corrupt {
        /// The line.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The number of events differs from its first line.
    #[error("its first line says {expected} events, but it contains {found}")]
    OtherCount {
        /// How many the first line says.
        expected: u64,
        /// How many events the file contains.
        found: u64,
    },
}

impl FailedEventsHead {
    /// The current format version.
    pub(crate) const FORMAT_VERSION: u32 = 1;

    /// The first line of a new file; the counts are still 0.
    pub(crate) fn new(
        target: String,
        built_in_receiver: bool,
        seed: u64,
        start_time: String,
    ) -> Self {
        Self {
            format: FORMAT.to_owned(),
            format_version: Self::FORMAT_VERSION,
            aghook_version: env!("CARGO_PKG_VERSION").to_owned(),
            target,
            built_in_receiver,
            seed,
            start_time,
            events: 0,
            left_out: 0,
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

/// Whether this is the first line of a failures file of any version.
pub(crate) fn begins_failed_events(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Format {
        format: String,
    }
    serde_json::from_slice::<Format>(line).is_ok_and(|first| first.format == FORMAT)
}

/// Writes one line: the head or an event.
pub(crate) fn write_failed_line(line: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Reads a failures file.
pub(crate) fn read_failed_events(
    mut from: impl BufRead,
) -> Result<(FailedEventsHead, Vec<FailedEvent>), FailedEventsError> {
    #[derive(Deserialize)]
    struct FormatVersion {
        format_version: u32,
        #[serde(default)]
        aghook_version: String,
    }
    let first = next_line(&mut from, 1)?.unwrap_or_default();
    let version: FormatVersion = parsed(&first, 1)?;
    if version.format_version != FailedEventsHead::FORMAT_VERSION {
        return Err(FailedEventsError::OtherVersion {
            version: version.format_version,
            written_by: version.aghook_version,
        });
    }
    let head: FailedEventsHead = parsed(&first, 1)?;
    let mut events = Vec::new();
    for line in 2.. {
        let Some(text) = next_line(&mut from, line)? else {
            break;
        };
        let event: FailedEvent = parsed(&text, line)?;
        if (event.treatment == FailedTreatment::Forgery) != event.forgery.is_some() {
            return Err(FailedEventsError::Corrupt {
                line,
                reason: "`forgery` must be set if and only if `treatment` is `forgery`".to_owned(),
            });
        }
        events.push(event);
    }
    let found = events.len() as u64;
    if found != head.events {
        let expected = head.events;
        return Err(FailedEventsError::OtherCount { expected, found });
    }
    Ok((head, events))
}

/// The next line without its newline; `None` at the end of the file.
fn next_line(from: &mut impl BufRead, line: usize) -> Result<Option<Vec<u8>>, FailedEventsError> {
    let mut text = Vec::new();
    if from.read_until(b'\n', &mut text)? == 0 {
        return Ok(None);
    }
    if text.pop() != Some(b'\n') {
        return Err(FailedEventsError::Truncated(line));
    }
    Ok(Some(text))
}

fn parsed<'text, T: Deserialize<'text>>(
    text: &'text [u8],
    line: usize,
) -> Result<T, FailedEventsError> {
    serde_json::from_slice(text).map_err(|error| {
        // The parser's own position counts within this line, so it would confuse.
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default();
        FailedEventsError::Corrupt {
            line,
            reason: reason.to_owned(),
        }
    })
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
        let mut head = FailedEventsHead::new("http://127.0.0.1/".into(), false, 7, "T".into());
        head.events = events.len() as u64;
        let mut out = Vec::new();
        write_failed_line(&head, &mut out).expect("written");
        for event in events {
            write_failed_line(event, &mut out).expect("written");
        }
        out
    }

    fn problem(text: &[u8]) -> String {
        read_failed_events(text).expect_err("refused").to_string()
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
