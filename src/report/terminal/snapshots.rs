//! What came of the snapshots of a run, below its summary.

use std::io::{self, Write};

use super::layout::{Columns, Layout};
use crate::harness::SnapshotsEnded;
use crate::report::counts::counted;
use crate::report::printable::printable;

/// Writes how many snapshots there are of each kind, and those that nothing refers to.
pub(super) fn write_snapshots(
    out: &mut impl Write,
    layout: Layout,
    ended: &SnapshotsEnded,
) -> io::Result<()> {
    let counts = [
        (ended.as_reviewed, "as reviewed"),
        (ended.written, "written"),
        (ended.different, "different"),
        (ended.missing, "not there yet"),
    ];
    let all: usize = counts.iter().map(|(count, _)| count).sum();
    let told = counts.iter().filter(|(count, _)| *count > 0);
    let told: Vec<String> = told
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let told = match told.as_slice() {
        [] => String::new(),
        told => format!(": {}", told.join(", ")),
    };
    let line = format!("{} in {}{told}", counted(all, "snapshot"), ended.folder);
    layout.line(out, Columns::at(0), &line)?;
    if ended.unreferenced.is_empty() {
        return Ok(());
    }
    let what = if ended.deleted {
        "deleted, since no scenario has them"
    } else {
        "no scenario has these snapshots; --delete-unreferenced deletes them"
    };
    layout.line(out, Columns::at(0), &format!("{what}:"))?;
    ended
        .unreferenced
        .iter()
        .try_for_each(|file| writeln!(out, "  {}", printable(file)))
}
