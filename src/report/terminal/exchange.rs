//! A request and its answer, for a person at a terminal.

use std::io::{self, Write};

use super::layout::{Columns, Layout};
use super::style::{DIM, paint};
use crate::harness::{AttemptEnded, BodyRecord, ResponseRecord};
use crate::report::body_text::BodyText;
use crate::report::printable::printable;

/// Writes an attempt: the request, then the answer or why there is none. Lines are as long as they
/// are.
pub(in crate::report) fn write_attempt(
    out: &mut impl Write,
    attempt: &AttemptEnded,
) -> io::Result<()> {
    write_exchange(out, Layout::default(), attempt)
}

/// The same, with lines that fit a layout.
pub(super) fn write_exchange(
    out: &mut impl Write,
    layout: Layout,
    attempt: &AttemptEnded,
) -> io::Result<()> {
    let request = &attempt.request;
    write_facts(out, layout, attempt)?;
    let line = format!("{} {}", request.method, request.url);
    write_part(out, layout, "→", &line)?;
    write_headers(out, layout, &request.headers)?;
    write_body(out, layout, &request.body)?;
    write_answers(out, layout, attempt)
}

/// Writes an attempt whose request is known already, but for these headers.
pub(in crate::report) fn write_answered(
    out: &mut impl Write,
    attempt: &AttemptEnded,
    new: &[(String, String)],
) -> io::Result<()> {
    let layout = Layout::default();
    write_facts(out, layout, attempt)?;
    if new.is_empty() {
        write_part(out, layout, "→", "the same request")?;
    } else {
        write_part(out, layout, "→", "the same request, but for")?;
        write_headers(out, layout, new)?;
    }
    write_answers(out, layout, attempt)
}

fn write_facts(out: &mut impl Write, layout: Layout, attempt: &AttemptEnded) -> io::Result<()> {
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
            let may_have_it_twice = match closed {
                "after_request" => ", and may have the request twice",
                _ => "",
            };
            let note =
                format!("on a new connection: the receiver closed the idle one{may_have_it_twice}");
            layout.line(out, Columns::at(6), &paint(DIM, note))
        }
        None => Ok(()),
    }
}

fn write_answers(out: &mut impl Write, layout: Layout, attempt: &AttemptEnded) -> io::Result<()> {
    write_answer(out, layout, "←", &attempt.answer)?;
    match &attempt.unheard_answer {
        Some(unheard) => write_answer(out, layout, "← unheard:", unheard),
        None => Ok(()),
    }
}

fn write_answer(
    out: &mut impl Write,
    layout: Layout,
    arrow: &str,
    answer: &ResponseRecord,
) -> io::Result<()> {
    match answer {
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

fn write_part(out: &mut impl Write, layout: Layout, arrow: &str, text: &str) -> io::Result<()> {
    let line = format!("{arrow} {}", printable(text));
    layout.line(out, Columns::at(6), &line)
}

fn write_headers(
    out: &mut impl Write,
    layout: Layout,
    headers: &[(String, String)],
) -> io::Result<()> {
    for (name, value) in headers {
        let line = printable(&format!("{name}: {value}"));
        layout.line(out, Columns::at(8), &line)?;
    }
    Ok(())
}

fn write_body(out: &mut impl Write, layout: Layout, body: &BodyRecord) -> io::Result<()> {
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
