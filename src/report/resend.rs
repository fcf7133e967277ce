//! The terminal report of failed events that were sent again: one line per event, then a summary.

use std::io::{self, Write};

use super::counts::counted;
use super::replay::response_line;
use super::sanitize::sanitize;
use super::terminal::{DIM, mark, paint};
use crate::load::{ResentCounts, ResentEvent};
use crate::run::ResponseRecord;
use crate::verify::InventoryCheck;

pub(crate) fn write_resent(resent: &[ResentEvent], out: &mut impl Write) -> io::Result<()> {
    for resent_event in resent {
        let line = sanitize(&line(resent_event));
        writeln!(out, "{} {line}", mark(resent_event.verdict()))?;
        let before = format!("    before: {}", sanitize(&resent_event.event.problem));
        writeln!(out, "{}", paint(DIM, before))?;
    }
    let counts = ResentCounts::of(resent);
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

fn line(resent: &ResentEvent) -> String {
    let event = &resent.event;
    let forged = match event.forgery {
        Some(forgery) => format!(" (forged: {forgery})"),
        None => String::new(),
    };
    let response = match &resent.response {
        None => "not sent".to_owned(),
        Some(ResponseRecord::Response { status, .. }) if resent.is_acknowledged() => {
            status.to_string()
        }
        Some(response) => response_line(response),
    };
    let inventory = match &resent.inventory {
        None => String::new(),
        Some(InventoryCheck::Passed) => "; granted as expected".to_owned(),
        Some(InventoryCheck::Failed { problem, .. }) => format!("; {problem}"),
        Some(InventoryCheck::Undecided(reason)) => {
            format!("; the grant is undecided: {reason}")
        }
    };
    format!(
        "event {} of player {}{forged}: {response}{inventory}",
        event.number, event.player_id
    )
}
