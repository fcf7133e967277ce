//! The terminal report of failed events that were sent again: one line per event, then a summary.

use std::io::{self, Write};

use super::counts::counted;
use super::replay::response_line;
use super::sanitize::sanitize;
use super::terminal::{DIM, mark, paint};
use crate::load::FailedEvent;
use crate::policy::StatusClass;
use crate::run::ResponseRecord;
use crate::verify::{InventoryCheck, Verdict};

/// An event of a failures file and the result of sending it again.
#[derive(Debug)]
pub struct ResentEvent {
    /// The event as recorded in the file.
    pub event: FailedEvent,
    /// The last response, or why there was none. `None` if the event was not sent.
    pub response: Option<ResponseRecord>,
    /// Whether the player now holds what the event grants. `None` if that was not checked.
    pub inventory: Option<InventoryCheck>,
}

/// How many resent events had which result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResentCounts {
    /// Events that are as expected, as far as checked.
    pub expected: usize,
    /// Events that are not.
    pub unexpected: usize,
    /// Events for which this can't be decided.
    pub undecided: usize,
}

impl ResentEvent {
    /// Whether the last response was 2xx.
    pub fn is_acknowledged(&self) -> bool {
        match &self.response {
            Some(ResponseRecord::Response { status, .. }) => StatusClass::Success.matches(*status),
            _ => false,
        }
    }

    /// Passed if the event was acknowledged (a forgery: refused) and granted as expected.
    pub fn verdict(&self) -> Verdict {
        let is_forged = self.event.forgery.is_some();
        let response = match (&self.response, self.event.forgery) {
            (Some(ResponseRecord::Response { .. }), _) if self.is_acknowledged() == is_forged => {
                Verdict::Failed
            }
            (Some(ResponseRecord::Response { .. }), _) => Verdict::Passed,
            (Some(ResponseRecord::Failure { .. }), None) => Verdict::Failed,
            (Some(ResponseRecord::Failure { .. }), Some(_)) | (None, _) => Verdict::Broken,
        };
        let inventory = match &self.inventory {
            None | Some(InventoryCheck::Passed) => Verdict::Passed,
            Some(InventoryCheck::Failed(_)) => Verdict::Failed,
            Some(InventoryCheck::Undecided(_)) => Verdict::Broken,
        };
        match (response, inventory) {
            (Verdict::Failed, _) | (_, Verdict::Failed) => Verdict::Failed,
            (Verdict::Broken, _) | (_, Verdict::Broken) => Verdict::Broken,
            _ => Verdict::Passed,
        }
    }

    fn line(&self) -> String {
        let event = &self.event;
        let forged = match event.forgery {
            Some(forgery) => format!(" (forged: {forgery})"),
            None => String::new(),
        };
        let response = match &self.response {
            None => "not sent".to_owned(),
            Some(ResponseRecord::Response { status, .. }) if self.is_acknowledged() => {
                status.to_string()
            }
            Some(response) => response_line(response),
        };
        let inventory = match &self.inventory {
            None => String::new(),
            Some(InventoryCheck::Passed) => "; granted as expected".to_owned(),
            Some(InventoryCheck::Failed(problem)) => format!("; {problem}"),
            Some(InventoryCheck::Undecided(reason)) => {
                format!("; the grant is undecided: {reason}")
            }
        };
        format!(
            "event {} of player {}{forged}: {response}{inventory}",
            event.number, event.player_id
        )
    }
}

/// Counts the results.
pub fn count_resent(resent: &[ResentEvent]) -> ResentCounts {
    let mut counts = ResentCounts::default();
    for event in resent {
        match event.verdict() {
            Verdict::Failed => counts.unexpected += 1,
            Verdict::Passed => counts.expected += 1,
            _ => counts.undecided += 1,
        }
    }
    counts
}

/// Writes a line for each event, then a summary.
pub fn write_resent(resent: &[ResentEvent], out: &mut impl Write) -> io::Result<()> {
    for resent_event in resent {
        let line = sanitize(&resent_event.line());
        writeln!(out, "{} {line}", mark(resent_event.verdict()))?;
        let before = format!("    before: {}", sanitize(&resent_event.event.problem));
        writeln!(out, "{}", paint(DIM, before))?;
    }
    let counts = count_resent(resent);
    writeln!(
        out,
        "\n{}: {} as expected, {} unexpected, {} undecided",
        counted(resent.len(), "event"),
        counts.expected,
        counts.unexpected,
        counts.undecided
    )?;
    if resent
        .iter()
        .any(|event| event.response.is_some() && event.inventory.is_none())
    {
        let line = "grants were not checked: the profile has no probe `quantity`";
        writeln!(out, "  {}", paint(DIM, line))?;
    }
    out.flush()
}
