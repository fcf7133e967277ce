//! The terminal report of single deliveries: the request once, each response, and a verdict.

use std::io::{self, Write};

use super::sanitize::sanitize;
use super::terminal::{TextOutput, mark, write_exchange, write_retry};
use crate::run::{AttemptEnded, SentRequestRecord};
use crate::verify::Verdict;

pub(crate) struct FireReport<W> {
    out: W,
    shown: Option<SentRequestRecord>,
}

impl<W: Write> FireReport<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, shown: None }
    }

    /// Writes an attempt: its response, and only what is new in the request since the last attempt.
    pub(crate) fn attempt(&mut self, attempt: &AttemptEnded) -> io::Result<()> {
        let request = &attempt.request;
        let mut out = TextOutput::new(&mut self.out, None);
        match self.shown.replace(request.clone()) {
            Some(known) if is_same(&known, request) => {
                let mut new = request.headers.clone();
                new.retain(|header| !known.headers.contains(header));
                write_retry(&mut out, attempt, &new)
            }
            _ => write_exchange(&mut out, attempt),
        }
    }

    /// Writes the verdict on a delivery, and what to do next.
    pub(crate) fn verdict(
        &mut self,
        verdict: Verdict,
        text: &str,
        next: Option<&str>,
    ) -> io::Result<()> {
        writeln!(self.out, "{} {}", mark(verdict), sanitize(text))?;
        match next {
            Some(next) => writeln!(self.out, "  → {next}"),
            None => Ok(()),
        }
    }

    /// Writes how much the player holds, a line for each SKU, or why that is not known.
    pub(crate) fn quantities(&mut self, lines: &Result<Vec<String>, String>) -> io::Result<()> {
        match lines {
            Ok(lines) => lines
                .iter()
                .try_for_each(|line| writeln!(self.out, "  {}", sanitize(line))),
            Err(reason) => writeln!(self.out, "  quantities not read: {}", sanitize(reason)),
        }
    }

    /// Writes a summary if there was more than one delivery.
    pub(crate) fn ended(&mut self, all: usize, expected: usize) -> io::Result<()> {
        if all > 1 {
            let unexpected = all - expected;
            writeln!(
                self.out,
                "{all} responses: {expected} as expected, {unexpected} unexpected; grants are not \
                 checked"
            )?;
        }
        self.out.flush()
    }
}

fn is_same(known: &SentRequestRecord, request: &SentRequestRecord) -> bool {
    (&known.method, &known.url, &known.body) == (&request.method, &request.url, &request.body)
}
