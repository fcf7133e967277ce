//! The terminal report of a replay: each request whose response differs, with both responses, then
//! a summary.

use std::io::{self, Write};
use std::time::Duration;

use super::counts::counted;
use super::sanitize::sanitize;
use super::terminal::{DIM, Detail, mark, paint};
use crate::policy::DurationText;
use crate::run::{
    AttemptEnded, BodyContent, CompareBy, ReplayEnded, ReplayResult, ResponseComparison,
    ResponseRecord, Signatures, recorded_response,
};
use crate::verify::Verdict;

/// A common tolerance of receivers, in seconds: older signatures are refused.
const COMMON_TOLERANCE: u64 = 60;

pub(crate) struct ReplayReport<W> {
    out: W,
    detail: Detail,
}

impl<W: Write> ReplayReport<W> {
    pub(crate) fn new(out: W, detail: Detail) -> Self {
        Self { out, detail }
    }

    /// Writes one request if its response differs, or if the output is verbose.
    pub(crate) fn replayed(
        &mut self,
        scenario: &str,
        attempt: &AttemptEnded,
        result: &ReplayResult,
    ) -> io::Result<()> {
        let recorded = recorded_response(attempt);
        let (verdict, what, facts) = match result {
            ReplayResult::Skipped(reason) => {
                let facts = vec![("reason", reason.to_string())];
                (Verdict::NotChecked, "not sent", facts)
            }
            ReplayResult::Sent {
                now, comparison, ..
            } => {
                let before = recorded.map_or("not received".to_owned(), response_line);
                let now = ("now", response_line(now));
                let both = |now| vec![("recorded", before), now];
                match comparison {
                    ResponseComparison::Same => (Verdict::Passed, "same", vec![now]),
                    ResponseComparison::NotRecorded => {
                        (Verdict::NotChecked, "not compared", both(now))
                    }
                    ResponseComparison::StatusDiffers | ResponseComparison::BodyDiffers => {
                        (Verdict::Failed, "differs", both(now))
                    }
                }
            }
        };
        if verdict != Verdict::Failed && self.detail != Detail::Verbose {
            return Ok(());
        }
        let location = location(scenario, attempt);
        writeln!(self.out, "{} {what}: {location}", mark(verdict))?;
        for (name, text) in facts {
            writeln!(self.out, "    {name:<8} {}", sanitize(&text))?;
        }
        if let ReplayResult::Sent {
            now,
            comparison: ResponseComparison::BodyDiffers,
            ..
        } = result
            && let Some(at) = recorded.and_then(|recorded| equal_bytes(recorded, now))
        {
            let note = format!("    the bodies are equal up to byte {at}");
            writeln!(self.out, "{}", paint(DIM, note))?;
        }
        Ok(())
    }

    pub(crate) fn ended(
        &mut self,
        ended: &ReplayEnded,
        signatures: Signatures,
        compare_by: CompareBy,
    ) -> io::Result<()> {
        let sent = ended.same + ended.different + ended.not_recorded;
        let left_out: usize = ended.skipped.values().sum();
        let mut parts = vec![
            format!("{} same", ended.same),
            format!("{} different", ended.different),
        ];
        if let count @ 1.. = ended.not_recorded {
            let reason = "because the fault drops the response";
            parts.push(format!("{count} not compared, {reason}"));
        }
        if left_out > 0 {
            parts.push(format!("{left_out} not sent"));
        }
        let scenarios = counted(ended.scenarios, "scenario");
        let requests = counted(sent + left_out, "request");
        writeln!(self.out, "{requests} of {scenarios}: {}", parts.join(", "))?;
        if ended.same + ended.different > 0 {
            writeln!(self.out, "{}", paint(DIM, comparison_note(compare_by)))?;
        }
        for (reason, count) in &ended.skipped {
            let line = format!("  {count} not sent: {}", sanitize(&reason.to_string()));
            writeln!(self.out, "{}", paint(DIM, line))?;
        }
        if let Some(reason) = &ended.aborted {
            let reason = sanitize(reason);
            writeln!(
                self.out,
                "  stopped there, because the target is unreachable: {reason}"
            )?;
        }
        if ended.interrupted {
            writeln!(self.out, "  interrupted there: what follows was not sent")?;
        }
        if ended.refused > 0 {
            writeln!(self.out, "  → {}", advice(ended, signatures))?;
        }
        self.out.flush()
    }
}

fn comparison_note(compare_by: CompareBy) -> &'static str {
    match compare_by {
        CompareBy::Status => {
            "compared: the status, or why there was no response; bodies are not compared, and grants \
             are not checked"
        }
        CompareBy::Body => "compared: status and body (JSON by value); grants are not checked",
    }
}

/// What to do if deliveries that were accepted are now refused.
fn advice(ended: &ReplayEnded, signatures: Signatures) -> String {
    let age = DurationText(Duration::from_secs(ended.refused_age));
    let reason = match signatures {
        Signatures::Fresh => {
            "although they were signed afresh; the receiver may have another secret".to_owned()
        }
        Signatures::AsRecorded if ended.refused_age > COMMON_TOLERANCE => format!(
            "probably because their signatures are up to {age} old and the receiver checks the \
             timestamp's age; sign afresh with `--resign`"
        ),
        Signatures::AsRecorded => {
            "although their signatures are less than a minute old; the receiver may have another \
             secret: sign with it, using `--resign --secret-env VAR`"
                .to_owned()
        }
    };
    let count = ended.refused;
    format!("deliveries accepted in the recording but refused now: {count}, {reason}")
}

fn location(scenario: &str, attempt: &AttemptEnded) -> String {
    let what = match &attempt.event_name {
        Some(name) => format!("delivery {} of {name}", attempt.delivery),
        None => format!("{} {}", attempt.request.method, attempt.request.url),
    };
    let kinds = match (&attempt.forgery, &attempt.fault) {
        (Some(forgery), Some(fault)) => format!(" ({forgery}, {fault})"),
        (Some(kind), None) | (None, Some(kind)) => format!(" ({kind})"),
        (None, None) => String::new(),
    };
    let (step, number) = (attempt.step, attempt.attempt);
    sanitize(&format!(
        "{scenario}: step {step}, {what}{kinds}, attempt {number}"
    ))
}

pub(super) fn response_line(response: &ResponseRecord) -> String {
    match response {
        ResponseRecord::Failure { message, .. } => message.clone(),
        ResponseRecord::Response { status, body, .. } => match &body.content {
            _ if body.length == 0 => format!("{status}, no body"),
            BodyContent::Text(text) => format!("{status} {text}"),
            BodyContent::Base64(text) => format!("{status}, in base64 {text}"),
        },
    }
}

/// The number of equal bytes at the beginning of two bodies.
fn equal_bytes(recorded: &ResponseRecord, now: &ResponseRecord) -> Option<usize> {
    let (recorded, now) = (recorded.body()?.bytes()?, now.body()?.bytes()?);
    let pairs = recorded.iter().zip(now.iter());
    Some(pairs.take_while(|(recorded, now)| recorded == now).count())
}
