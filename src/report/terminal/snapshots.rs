//! What came of the snapshots of a run, below its summary.

use std::io::{self, Write};

use super::layout::{Columns, Layout};
use crate::harness::SnapshotsEnded;
use crate::report::counts::{snapshots_in_words, unreferenced_in_words};
use crate::report::printable::printable;

/// Writes how many snapshots there are of each kind, and those that nothing refers to.
pub(super) fn write_snapshots(
    out: &mut impl Write,
    layout: Layout,
    ended: &SnapshotsEnded,
) -> io::Result<()> {
    layout.line(out, Columns::at(0), &snapshots_in_words(ended))?;
    if ended.unreferenced.is_empty() {
        return Ok(());
    }
    let what = unreferenced_in_words(ended);
    layout.line(out, Columns::at(0), &format!("{what}:"))?;
    ended
        .unreferenced
        .iter()
        .try_for_each(|file| writeln!(out, "  {}", printable(file)))
}
