//! The report of a replay, for a person at a terminal: what differs, with both answers, then a
//! summary.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use super::counts::counted;
use super::printable::printable;
use super::terminal::{DIM, Detail, mark, paint};
use crate::harness::{AttemptEnded, BodyContent, ResponseRecord, Verdict};
use crate::journal::{
    CompareBy, ReplayEnded, ReplayResult, ReplayedAttempt, ResponseComparison, Signatures,
    recorded_response,
};
use crate::scenario::DurationText;

/// Signatures that are older than this, in seconds, are refused by receivers with a usual tolerance.
const USUALLY_FRESH: u64 = 60;

/// Writes what comes of a replay.
pub struct ReplayReport<W> {
    out: W,
    detail: Detail,
}

impl<W: Write> ReplayReport<W> {
    /// Writes to `out`.
    pub fn new(out: W, detail: Detail) -> Self {
        Self { out, detail }
    }

    /// Tells of one request: always if its answer differs, otherwise if every detail is wanted.
    pub fn replayed(&mut self, replayed: &ReplayedAttempt<'_>) -> io::Result<()> {
        let (verdict, word) = match &replayed.result {
            ReplayResult::Sent { comparison, .. } => match comparison {
                ResponseComparison::StatusDiffers | ResponseComparison::BodyDiffers => {
                    (Verdict::Failed, "differs")
                }
                ResponseComparison::Same => (Verdict::Passed, "the same"),
                ResponseComparison::NotRecorded => (Verdict::NotChecked, "not compared"),
            },
            ReplayResult::Skipped(_) => (Verdict::NotChecked, "left out"),
        };
        if verdict != Verdict::Failed && self.detail != Detail::Verbose {
            return Ok(());
        }
        let place = place(replayed.scenario, replayed.attempt);
        writeln!(self.out, "{} {word} {place}", mark(verdict))?;
        let then = recorded_response(replayed.attempt);
        match &replayed.result {
            ReplayResult::Skipped(reason) => self.fact("not sent", &reason.to_string()),
            ReplayResult::Sent {
                now, comparison, ..
            } if *comparison == ResponseComparison::Same => self.fact("now", &in_words(now)),
            ReplayResult::Sent {
                now, comparison, ..
            } => {
                self.fact("then", &then.map_or("not heard".to_owned(), in_words))?;
                self.fact("now", &in_words(now))?;
                match (comparison, then.and_then(|then| differs_at(then, now))) {
                    (ResponseComparison::BodyDiffers, Some(at)) => {
                        let note = format!("    the bodies are the same up to byte {at}");
                        writeln!(self.out, "{}", paint(DIM, note))
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    fn fact(&mut self, name: &str, text: &str) -> io::Result<()> {
        writeln!(self.out, "    {name:<5} {}", printable(text))
    }

    /// Sums up.
    pub fn ended(
        &mut self,
        ended: &ReplayEnded,
        signatures: Signatures,
        compare_by: CompareBy,
    ) -> io::Result<()> {
        let sent = ended.same + ended.different + ended.not_recorded;
        let left_out: usize = ended.skipped.values().sum();
        let mut parts = vec![
            format!("{} the same", ended.same),
            format!("{} different", ended.different),
        ];
        if ended.not_recorded > 0 {
            let count = ended.not_recorded;
            parts.push(format!(
                "{count} not compared, since a fault kept the answer from being heard"
            ));
        }
        if left_out > 0 {
            parts.push(format!("{left_out} not sent"));
        }
        let scenarios = counted(ended.scenarios, "scenario");
        let requests = counted(sent + left_out, "request");
        writeln!(self.out, "{requests} of {scenarios}: {}", parts.join(", "))?;
        if ended.same + ended.different > 0 {
            writeln!(self.out, "{}", paint(DIM, compared_in_words(compare_by)))?;
        }
        for (reason, count) in &ended.skipped {
            let line = format!("  {count} not sent: {}", printable(&reason.to_string()));
            writeln!(self.out, "{}", paint(DIM, line))?;
        }
        if let Some(reason) = &ended.aborted {
            let reason = printable(reason);
            writeln!(
                self.out,
                "  broken off there, since the target is gone: {reason}"
            )?;
        }
        if ended.refused > 0 {
            writeln!(self.out, "  → {}", advice(ended, signatures))?;
        }
        self.out.flush()
    }
}

/// What was compared, and what was not.
fn compared_in_words(compare_by: CompareBy) -> &'static str {
    match compare_by {
        CompareBy::Status => {
            "the same: the status, or why there was no answer; the bodies, and what players hold, were \
             not looked at"
        }
        CompareBy::Body => {
            "the same: status and body, JSON by what it says; what players hold was not looked at"
        }
    }
}

/// What to do where deliveries that were accepted are refused now.
fn advice(ended: &ReplayEnded, signatures: Signatures) -> String {
    let age = DurationText(Duration::from_secs(ended.refused_age));
    let reason = match signatures {
        Signatures::Fresh => {
            "although they were signed afresh: the receiver may have another secret than the one \
             that was named"
                .to_owned()
        }
        Signatures::AsRecorded if ended.refused_age > USUALLY_FRESH => format!(
            "probably because their signatures are up to {age} old, and the receiver checks the \
             timestamp's age: sign afresh with `--resign`"
        ),
        Signatures::AsRecorded => {
            "although their signatures are not a minute old: the receiver may have another secret; \
             sign with that one with `--resign --secret-env VAR`"
                .to_owned()
        }
    };
    let count = ended.refused;
    format!("deliveries that were accepted then and are refused now: {count}, {reason}")
}

/// Where in the run a request stands.
fn place(scenario: &str, attempt: &AttemptEnded) -> String {
    let what = match &attempt.event_name {
        Some(name) => format!("delivery {} of {name}", attempt.delivery),
        None => format!("{} {}", attempt.request.method, attempt.request.url),
    };
    let kinds = [&attempt.forgery, &attempt.fault];
    let kinds: Vec<&str> = kinds.into_iter().flatten().map(AsRef::as_ref).collect();
    let kinds = match kinds.as_slice() {
        [] => String::new(),
        kinds => format!(" ({})", kinds.join(", ")),
    };
    let text = format!(
        "{scenario}: step {}, {what}{kinds}, attempt {}",
        attempt.step, attempt.attempt
    );
    printable(&text)
}

/// An answer in one line.
pub(super) fn in_words(answer: &ResponseRecord) -> String {
    match answer {
        ResponseRecord::Failure { message, .. } => message.clone(),
        ResponseRecord::Response { status, body, .. } => match &body.content {
            _ if body.length == 0 => format!("{status}, no body"),
            BodyContent::Text(text) => format!("{status} {text}"),
            BodyContent::Base64(text) => format!("{status}, in base64 {text}"),
        },
    }
}

/// How many bytes of two bodies are the same, from their beginning.
fn differs_at(then: &ResponseRecord, now: &ResponseRecord) -> Option<usize> {
    let bytes = |answer: &ResponseRecord| match answer {
        ResponseRecord::Response { body, .. } => body.bytes().map(Cow::into_owned),
        ResponseRecord::Failure { .. } => None,
    };
    let (then, now) = (bytes(then)?, bytes(now)?);
    let same = then.iter().zip(&now).take_while(|(then, now)| then == now);
    Some(same.count())
}
