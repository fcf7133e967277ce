//! The findings of a check-up on a terminal.

use std::io::{self, Write};

use super::sanitize::sanitize;
use super::terminal::{DIM, mark, paint};
use crate::run::Finding;

/// Writes a finding, and the place of the setting to change, if there is one.
pub(crate) fn write_finding(
    out: &mut impl Write,
    finding: &Finding,
    place: Option<&str>,
) -> io::Result<()> {
    let message = sanitize(&finding.message);
    writeln!(
        out,
        "{} {}: {message}",
        mark(finding.verdict),
        finding.subject
    )?;
    if finding.verdict.is_passed_or_not_checked() && finding.help.is_none() {
        return Ok(());
    }
    if let Some(help) = &finding.help {
        writeln!(out, "  → {}", sanitize(help))?;
    }
    match place {
        Some(place) => writeln!(out, "    {}", paint(DIM, place)),
        None => Ok(()),
    }
}
