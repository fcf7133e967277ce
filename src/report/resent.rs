//! What became of the events of a failures file that were sent again, for a person at a terminal: a
//! line for each, then a summary.

use std::io::{self, Write};

use super::counts::counted;
use super::printable::printable;
use super::replay::in_words;
use super::terminal::{DIM, mark, paint};
use crate::harness::{HoldingsCheck, ResponseRecord, Verdict};
use crate::load::FailedEvent;
use crate::scenario::StatusClass;

/// An event of the file, and what came of it.
#[derive(Debug)]
pub struct ResentEvent {
    /// The event.
    pub event: FailedEvent,
    /// The last answer, or why there was none; nothing where it was not sent.
    pub answer: Option<ResponseRecord>,
    /// What its player holds now; nothing where that was not looked at.
    pub holdings: Option<HoldingsCheck>,
}

/// What came of all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResentCounts {
    /// Events that are as they should be, as far as it was looked.
    pub right: usize,
    /// Events that are not.
    pub wrong: usize,
    /// Events of which it can't be told.
    pub undecided: usize,
}

impl ResentEvent {
    /// Whether the last answer was 2xx.
    pub fn is_acknowledged(&self) -> bool {
        match &self.answer {
            Some(ResponseRecord::Response { status, .. }) => StatusClass::Success.matches(*status),
            _ => false,
        }
    }

    /// Whether it was acknowledged, or a forgery refused, and granted as often as it should be.
    pub fn verdict(&self) -> Verdict {
        let is_forged = self.event.forgery.is_some();
        let of_answer = match (&self.answer, self.event.forgery) {
            (Some(ResponseRecord::Response { .. }), _) if self.is_acknowledged() == is_forged => {
                Verdict::Failed
            }
            (Some(ResponseRecord::Response { .. }), _) => Verdict::Passed,
            (Some(ResponseRecord::Failure { .. }), None) => Verdict::Failed,
            (Some(ResponseRecord::Failure { .. }), Some(_)) | (None, _) => Verdict::Broken,
        };
        let of_holdings = match &self.holdings {
            None | Some(HoldingsCheck::Passed) => Verdict::Passed,
            Some(HoldingsCheck::Failed(_)) => Verdict::Failed,
            Some(HoldingsCheck::Undecided(_)) => Verdict::Broken,
        };
        match (of_answer, of_holdings) {
            (Verdict::Failed, _) | (_, Verdict::Failed) => Verdict::Failed,
            (Verdict::Broken, _) | (_, Verdict::Broken) => Verdict::Broken,
            _ => Verdict::Passed,
        }
    }

    fn in_one_line(&self) -> String {
        let event = &self.event;
        let forged = match event.forgery {
            Some(forgery) => format!(" (forged: {forgery})"),
            None => String::new(),
        };
        let answer = match &self.answer {
            None => "not sent".to_owned(),
            Some(ResponseRecord::Response { status, .. }) if self.is_acknowledged() => {
                status.to_string()
            }
            Some(answer) => in_words(answer),
        };
        let holdings = match &self.holdings {
            None => String::new(),
            Some(HoldingsCheck::Passed) => "; granted as often as it should be".to_owned(),
            Some(HoldingsCheck::Failed(problem)) => format!("; {problem}"),
            Some(HoldingsCheck::Undecided(reason)) => {
                format!("; what was granted can't be told: {reason}")
            }
        };
        format!(
            "event {} of player {}{forged}: {answer}{holdings}",
            event.number, event.player_id
        )
    }
}

/// Counts verdicts.
pub fn count_resent(resent: &[ResentEvent]) -> ResentCounts {
    let mut counts = ResentCounts::default();
    for one in resent {
        match one.verdict() {
            Verdict::Failed => counts.wrong += 1,
            Verdict::Passed => counts.right += 1,
            _ => counts.undecided += 1,
        }
    }
    counts
}

/// Writes a line for each event, and a summary.
pub fn write_resent(resent: &[ResentEvent], out: &mut impl Write) -> io::Result<()> {
    for one in resent {
        let line = printable(&one.in_one_line());
        writeln!(out, "{} {line}", mark(one.verdict()))?;
        let then = format!("    then: {}", printable(&one.event.problem));
        writeln!(out, "{}", paint(DIM, then))?;
    }
    let counts = count_resent(resent);
    writeln!(
        out,
        "\n{}: {} right now, {} wrong, {} not told",
        counted(resent.len(), "event"),
        counts.right,
        counts.wrong,
        counts.undecided
    )?;
    if resent
        .iter()
        .any(|one| one.answer.is_some() && one.holdings.is_none())
    {
        let line = "what was granted was not looked at, without the probe `quantity`";
        writeln!(out, "  {}", paint(DIM, line))?;
    }
    out.flush()
}
