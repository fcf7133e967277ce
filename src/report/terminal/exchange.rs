//! A request and its response on a terminal.

use std::io;

use super::layout::TextOutput;
use super::style::{DIM, paint};
use crate::report::body_text::BodyText;
use crate::report::sanitize::sanitize;
use crate::run::{AttemptEnded, BodyRecord, ResponseRecord};
use crate::transport::ClosedIdle;

pub(crate) fn write_exchange(out: &mut TextOutput<'_>, attempt: &AttemptEnded) -> io::Result<()> {
    write_whole(out, attempt, BodyText::new)
}

/// Writes an exchange with bodies of a few lines.
pub(super) fn write_brief_exchange(
    out: &mut TextOutput<'_>,
    attempt: &AttemptEnded,
) -> io::Result<()> {
    write_whole(out, attempt, BodyText::brief)
}

type BodyFormat = fn(&BodyRecord) -> BodyText;

fn write_whole(
    out: &mut TextOutput<'_>,
    attempt: &AttemptEnded,
    format: BodyFormat,
) -> io::Result<()> {
    let request = &attempt.request;
    write_facts(out, attempt)?;
    write_part(out, "→", &format!("{} {}", request.method, request.url))?;
    write_headers(out, &request.headers)?;
    write_body(out, &format(&request.body))?;
    write_responses(out, attempt, format)
}

/// Writes an attempt that repeats the last request except for the `new` headers.
pub(crate) fn write_retry(
    out: &mut TextOutput<'_>,
    attempt: &AttemptEnded,
    new: &[(String, String)],
) -> io::Result<()> {
    write_facts(out, attempt)?;
    let what = match new {
        [] => "same request",
        _ => "same request except for",
    };
    write_part(out, "→", what)?;
    write_headers(out, new)?;
    write_responses(out, attempt, BodyText::new)
}

fn write_facts(out: &mut TextOutput<'_>, attempt: &AttemptEnded) -> io::Result<()> {
    out.line(4, &paint(DIM, attempt_facts(attempt)))?;
    let connection = attempt.connection.as_ref();
    let Some(closed) = connection.and_then(|connection| connection.in_place_of_closed.as_deref())
    else {
        return Ok(());
    };
    let twice = if closed == ClosedIdle::AfterRequest.name() {
        " and may have received the request twice"
    } else {
        ""
    };
    let note = format!("new connection: the receiver closed the idle one{twice}");
    out.line(6, &paint(DIM, note))
}

pub(crate) fn attempt_facts(attempt: &AttemptEnded) -> String {
    let took = attempt.took.as_secs_f64() * 1000.0;
    format!("{}, took {took:.1} ms", attempt_name(attempt))
}

/// `attempt 1`, or `attempt 2 at +5.000 s of virtual time`: waits are usually skipped.
pub(crate) fn attempt_name(attempt: &AttemptEnded) -> String {
    let (number, offset) = (attempt.attempt, attempt.virtual_offset.as_secs_f64());
    match number {
        1 => format!("attempt {number}"),
        _ => format!("attempt {number} at +{offset:.3} s of virtual time"),
    }
}

fn write_responses(
    out: &mut TextOutput<'_>,
    attempt: &AttemptEnded,
    format: BodyFormat,
) -> io::Result<()> {
    write_response(out, "←", &attempt.response, format)?;
    match &attempt.discarded_response {
        Some(lost) => write_response(out, "← lost response:", lost, format),
        None => Ok(()),
    }
}

fn write_response(
    out: &mut TextOutput<'_>,
    arrow: &str,
    response: &ResponseRecord,
    format: BodyFormat,
) -> io::Result<()> {
    match response {
        ResponseRecord::Response {
            status,
            headers,
            body,
        } => {
            write_part(out, arrow, &status.to_string())?;
            write_headers(out, headers)?;
            write_body(out, &format(body))
        }
        ResponseRecord::Failure { message, hint, .. } => {
            write_part(out, arrow, message)?;
            match hint.as_ref() {
                "" => Ok(()),
                hint => out.labelled(8, 6, &format!("help  {hint}")),
            }
        }
    }
}

fn write_part(out: &mut TextOutput<'_>, arrow: &str, text: &str) -> io::Result<()> {
    out.line(6, &format!("{arrow} {}", sanitize(text)))
}

fn write_headers(out: &mut TextOutput<'_>, headers: &[(String, String)]) -> io::Result<()> {
    let mut lines = headers.iter();
    lines.try_for_each(|(name, value)| out.line(8, &sanitize(&format!("{name}: {value}"))))
}

fn write_body(out: &mut TextOutput<'_>, body: &BodyText) -> io::Result<()> {
    for line in &body.lines {
        let text = line.trim_start_matches(' ');
        out.line(8 + line.len() - text.len(), text)?;
    }
    match &body.left_out {
        Some(note) => out.line(8, &paint(DIM, note)),
        None => Ok(()),
    }
}
