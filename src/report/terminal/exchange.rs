//! A request and its response on a terminal.

use std::io::{self, Write};

use super::layout::{Columns, TextLayout};
use super::style::{DIM, paint};
use crate::report::body_text::BodyText;
use crate::report::sanitize::sanitize;
use crate::run::{AttemptEnded, BodyRecord, ResponseRecord};

/// Writes an attempt without breaking lines: the request, then the response or why there is none.
pub(in crate::report) fn write_attempt(
    out: &mut impl Write,
    attempt: &AttemptEnded,
) -> io::Result<()> {
    write_exchange(out, TextLayout::default(), attempt)
}

/// Writes an attempt with lines that fit the layout.
pub(super) fn write_exchange(
    out: &mut impl Write,
    layout: TextLayout,
    attempt: &AttemptEnded,
) -> io::Result<()> {
    let request = &attempt.request;
    write_facts(out, layout, attempt)?;
    let line = format!("{} {}", request.method, request.url);
    write_part(out, layout, "→", &line)?;
    write_headers(out, layout, &request.headers)?;
    write_body(out, layout, &request.body)?;
    write_responses(out, layout, attempt)
}

/// Writes an attempt that repeats the last request except for the `new` headers.
pub(in crate::report) fn write_retry(
    out: &mut impl Write,
    attempt: &AttemptEnded,
    new: &[(String, String)],
) -> io::Result<()> {
    let layout = TextLayout::default();
    write_facts(out, layout, attempt)?;
    if new.is_empty() {
        write_part(out, layout, "→", "same request")?;
    } else {
        write_part(out, layout, "→", "same request except for")?;
        write_headers(out, layout, new)?;
    }
    write_responses(out, layout, attempt)
}

fn write_facts(out: &mut impl Write, layout: TextLayout, attempt: &AttemptEnded) -> io::Result<()> {
    let facts = format!(
        "attempt {} at +{:.3} s, took {:.1} ms",
        attempt.attempt,
        attempt.virtual_offset.as_secs_f64(),
        attempt.took.as_secs_f64() * 1000.0
    );
    layout.line(out, Columns::at(4), &paint(DIM, facts))?;
    let connection = attempt.connection.as_ref();
    match connection.and_then(|connection| connection.in_place_of_closed.as_deref()) {
        Some(closed) => {
            let duplicate_note = match closed {
                "after_request" => " and may have received the request twice",
                _ => "",
            };
            let note = format!("new connection: the receiver closed the idle one{duplicate_note}");
            layout.line(out, Columns::at(6), &paint(DIM, note))
        }
        None => Ok(()),
    }
}

fn write_responses(
    out: &mut impl Write,
    layout: TextLayout,
    attempt: &AttemptEnded,
) -> io::Result<()> {
    write_response(out, layout, "←", &attempt.response)?;
    match &attempt.discarded_response {
        Some(lost) => write_response(out, layout, "← lost response:", lost),
        None => Ok(()),
    }
}

fn write_response(
    out: &mut impl Write,
    layout: TextLayout,
    arrow: &str,
    response: &ResponseRecord,
) -> io::Result<()> {
    match response {
        ResponseRecord::Response {
            status,
            headers,
            body,
        } => {
            write_part(out, layout, arrow, &status.to_string())?;
            write_headers(out, layout, headers)?;
            write_body(out, layout, body)
        }
        ResponseRecord::Failure { message, hint, .. } => {
            write_part(out, layout, arrow, message)?;
            match hint.as_ref() {
                "" => Ok(()),
                hint => {
                    let help = format!("help  {hint}");
                    layout.line(out, Columns::labelled(8, 6), &help)
                }
            }
        }
    }
}

fn write_part(out: &mut impl Write, layout: TextLayout, arrow: &str, text: &str) -> io::Result<()> {
    let line = format!("{arrow} {}", sanitize(text));
    layout.line(out, Columns::at(6), &line)
}

fn write_headers(
    out: &mut impl Write,
    layout: TextLayout,
    headers: &[(String, String)],
) -> io::Result<()> {
    for (name, value) in headers {
        let line = sanitize(&format!("{name}: {value}"));
        layout.line(out, Columns::at(8), &line)?;
    }
    Ok(())
}

fn write_body(out: &mut impl Write, layout: TextLayout, body: &BodyRecord) -> io::Result<()> {
    let body = BodyText::new(body);
    for line in &body.lines {
        let text = line.trim_start_matches(' ');
        let inner = line.len() - text.len();
        layout.line(out, Columns::at(8 + inner), text)?;
    }
    match body.left_out {
        Some(note) => layout.line(out, Columns::at(8), &paint(DIM, note)),
        None => Ok(()),
    }
}
