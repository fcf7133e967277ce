//! The snapshot counts of a run, below its summary.

use std::io::{self, Write};

use super::layout::{Columns, TextLayout};
use crate::report::counts::{snapshot_summary, unreferenced_label};
use crate::report::sanitize::sanitize;
use crate::run::SnapshotsEnded;

/// Writes the snapshot counts and the snapshots without a scenario.
pub(super) fn write_snapshots(
    out: &mut impl Write,
    layout: TextLayout,
    ended: &SnapshotsEnded,
) -> io::Result<()> {
    layout.line(out, Columns::at(0), &snapshot_summary(ended))?;
    if ended.unreferenced.is_empty() {
        return Ok(());
    }
    let what = unreferenced_label(ended);
    layout.line(out, Columns::at(0), &format!("{what}:"))?;
    ended
        .unreferenced
        .iter()
        .try_for_each(|file| writeln!(out, "  {}", sanitize(file)))
}
