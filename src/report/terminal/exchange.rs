//! A request and its answer as text that can be read: JSON is laid out, and what is long is cut.

use std::io::{self, Write};

use serde_json::Value;

use super::printable::printable;
use super::style::{DIM, paint};
use crate::harness::{AnswerRecord, AttemptEnded, BodyContent, BodyRecord};

/// The most lines of a body that are shown.
const LINE_LIMIT: usize = 60;

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
            match *hint {
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
    let text = match &body.content {
        BodyContent::Text(text) if text.is_empty() => return Ok(()),
        BodyContent::Text(text) => laid_out(text),
        BodyContent::Base64(text) => format!("base64: {text}"),
    };
    let lines: Vec<&str> = text.lines().collect();
    for line in lines.iter().take(LINE_LIMIT) {
        writeln!(out, "        {}", printable(line))?;
    }
    if lines.len() > LINE_LIMIT || body.truncated {
        let hidden = lines.len().saturating_sub(LINE_LIMIT);
        let note = format!(
            "… {hidden} more lines; the whole body has {} bytes",
            body.length
        );
        writeln!(out, "        {}", paint(DIM, note))?;
    }
    Ok(())
}

/// JSON on several lines; anything else as it is.
fn laid_out(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(json) => serde_json::to_string_pretty(&json).unwrap_or_else(|_| text.to_owned()),
        Err(_) => text.to_owned(),
    }
}
