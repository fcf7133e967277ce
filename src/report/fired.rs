//! What comes of single deliveries, for a person at a terminal: the request once, each answer, and
//! the verdict in words.

use std::io::{self, Write};

use super::printable::printable;
use super::terminal::{mark, write_answered, write_attempt};
use crate::harness::{AttemptEnded, SentRequestRecord, Verdict};

/// Writes what comes of deliveries.
pub struct FiredReport<W> {
    out: W,
    /// The request that was shown last.
    shown: Option<SentRequestRecord>,
}

impl<W: Write> FiredReport<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, shown: None }
    }

    /// Tells of an attempt: its answer, and of the request what is not known from the one before.
    pub fn attempt(&mut self, attempt: &AttemptEnded) -> io::Result<()> {
        let request = &attempt.request;
        match self.shown.replace(request.clone()) {
            Some(known) if is_same(&known, request) => {
                let headers = request.headers.iter();
                let new: Vec<_> = headers
                    .filter(|header| !known.headers.contains(header))
                    .cloned()
                    .collect();
                write_answered(&mut self.out, attempt, &new)
            }
            _ => write_attempt(&mut self.out, attempt),
        }
    }

    /// Tells the verdict on a delivery, and what to do next.
    pub fn verdict(&mut self, verdict: Verdict, words: &str, next: Option<&str>) -> io::Result<()> {
        writeln!(self.out, "{} {}", mark(verdict), printable(words))?;
        match next {
            Some(next) => writeln!(self.out, "  → {next}"),
            None => Ok(()),
        }
    }

    /// Sums up, after more deliveries than one.
    pub fn ended(&mut self, all: usize, right: usize) -> io::Result<()> {
        if all > 1 {
            let wrong = all - right;
            writeln!(
                self.out,
                "{all} deliveries: {right} as they have to be, {wrong} not"
            )?;
        }
        self.out.flush()
    }
}

/// Whether two requests are the same but for their headers.
fn is_same(known: &SentRequestRecord, request: &SentRequestRecord) -> bool {
    (&known.method, &known.url, &known.body) == (&request.method, &request.url, &request.body)
}
