//! A request and its answer, for a person at a terminal.

use std::io::{self, Write};

use super::style::{DIM, paint};
use crate::harness::{AnswerRecord, AttemptEnded, BodyRecord};
use crate::report::body_text::BodyText;
use crate::report::printable::printable;

/// Writes an attempt: the request, then the answer or why there is none.
pub fn write_attempt(out: &mut impl Write, attempt: &AttemptEnded) -> io::Result<()> {
    let request = &attempt.request;
    let facts = format!(
        "attempt {} at +{:.3} s, took {:.1} ms",
        attempt.attempt,
        attempt.virtual_offset.as_secs_f64(),
        attempt.took.as_secs_f64() * 1000.0
    );
    writeln!(out, "    {}", paint(DIM, facts))?;
    write_part(out, "→", &format!("{} {}", request.method, request.url))?;
    write_headers(out, &request.headers)?;
    write_body(out, &request.body)?;
    write_answer(out, "←", &attempt.answer)?;
    match &attempt.unheard_answer {
        Some(unheard) => write_answer(out, "← unheard:", unheard),
        None => Ok(()),
    }
}

fn write_answer(out: &mut impl Write, arrow: &str, answer: &AnswerRecord) -> io::Result<()> {
    match answer {
        AnswerRecord::Response {
            status,
            headers,
            body,
        } => {
            write_part(out, arrow, &status.to_string())?;
            write_headers(out, headers)?;
            write_body(out, body)
        }
        AnswerRecord::Failure { message, hint, .. } => {
            write_part(out, arrow, message)?;
            match hint.as_ref() {
                "" => Ok(()),
                hint => writeln!(out, "        help  {hint}"),
            }
        }
    }
}

fn write_part(out: &mut impl Write, arrow: &str, text: &str) -> io::Result<()> {
    writeln!(out, "      {arrow} {}", printable(text))
}

fn write_headers(out: &mut impl Write, headers: &[(String, String)]) -> io::Result<()> {
    for (name, value) in headers {
        writeln!(out, "        {}", printable(&format!("{name}: {value}")))?;
    }
    Ok(())
}

fn write_body(out: &mut impl Write, body: &BodyRecord) -> io::Result<()> {
    let body = BodyText::new(body);
    for line in &body.lines {
        writeln!(out, "        {line}")?;
    }
    match body.left_out {
        Some(note) => writeln!(out, "        {}", paint(DIM, note)),
        None => Ok(()),
    }
}
