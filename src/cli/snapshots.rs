//! `aghook snapshots`: reviews the snapshot reports that a run has written.

use std::io::Write as _;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use clap::{Args, ValueEnum};

use super::{CommandError, Console, ExitCode};
use crate::report::{sanitize, write_difference};
use crate::snapshots::{PendingSnapshot, find_pending};

/// Review new and changed snapshots
///
/// `aghook run --snapshots DIR` writes them as `.snap.new`, unless `CI` is set; pass the same folder
/// here. The files are in the format of insta, a Rust library, so `cargo insta review` works too.
///
/// `status` exits with 1 if snapshots are pending, and with 0 otherwise.
#[derive(Debug, Args)]
pub struct Snapshots {
    /// What to do with the pending snapshots
    #[arg(value_enum)]
    action: Action,

    /// Snapshot folders or files
    #[arg(value_name = "PATH", default_value = "snapshots")]
    paths: Vec<PathBuf>,

    /// Show the differences
    #[arg(long)]
    diff: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Action {
    /// List pending snapshots
    Status,
    /// Replace the reviewed snapshots with the pending ones
    Accept,
    /// Delete the pending snapshots
    Reject,
}

impl Snapshots {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let mut pending_snapshots = Vec::new();
        for path in &self.paths {
            let found = find_pending(path).map_err(|error| {
                CommandError::usage(format!("{}: {error}", path.display()))
                    .with_help("pass the folder of `aghook run --snapshots`, or a file in it")
            })?;
            pending_snapshots.extend(found);
        }
        if pending_snapshots.is_empty() {
            writeln!(console, "no pending snapshots")?;
            return Ok(ExitCode::Success);
        }
        for pending in &pending_snapshots {
            let result = match self.action {
                Action::Status => Ok(()),
                Action::Accept => pending.accept(),
                Action::Reject => pending.reject(),
            };
            result.map_err(|error| {
                let file = pending.pending_path.display();
                CommandError::not_completed(format!("{file}: {error}"))
            })?;
            self.print(pending, console)?;
        }
        if self.action != Action::Status {
            return Ok(ExitCode::Success);
        }
        let (count, them) = match pending_snapshots.len() {
            1 => ("1 pending snapshot".to_owned(), "it"),
            count => (format!("{count} pending snapshots"), "them"),
        };
        let paths: Vec<String> = self
            .paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let paths = paths.join(" ");
        writeln!(
            console,
            "{count}: accept {them} with `aghook snapshots accept {paths}`, or delete {them} with \
             `aghook snapshots reject {paths}`"
        )?;
        Ok(ExitCode::CheckFailed)
    }

    fn print(&self, pending: &PendingSnapshot, console: &mut Console) -> Result<(), CommandError> {
        let (status, color) = match (self.action, pending.is_new) {
            (Action::Status, true) => ("new", AnsiColor::Green),
            (Action::Status, false) => ("changed", AnsiColor::Yellow),
            (Action::Accept, _) => ("accepted", AnsiColor::Green),
            (Action::Reject, _) => ("rejected", AnsiColor::Red),
        };
        let style: Style = color.on_default();
        let file = sanitize(&pending.reviewed_path.display().to_string());
        let length = pending.difference.summary();
        writeln!(console, "{style}{status:8}{style:#} {file}  {length}")?;
        if self.diff {
            write_difference(console, &pending.difference.text)?;
        }
        Ok(())
    }
}
