//! `aghook snapshots`: review of the reports that a run has written beside the reviewed ones.

use std::io::Write as _;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use clap::{Args, ValueEnum};

use super::ExitCode;
use super::command_error::CommandError;
use super::console::Console;
use crate::report::{printable, write_difference};
use crate::snapshots::{PendingKind, PendingSnapshot, find_pending};

/// Review snapshot reports: list, accept or reject what differs
///
/// `aghook run --snapshots DIR` writes them beside the reviewed ones, as `.snap.new`. The files are
/// in insta's format, so `cargo insta review` reads them as well.
///
/// `status` exits with 1 where something waits for review, and with 0 where nothing does.
#[derive(Debug, Args)]
pub struct Snapshots {
    /// What to do with what waits for review
    #[arg(value_enum)]
    action: Action,

    /// Folders of snapshots, or single ones
    #[arg(value_name = "PATH", default_value = "snapshots")]
    paths: Vec<PathBuf>,

    /// Show what differs as well
    #[arg(long)]
    diff: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Action {
    /// List what waits for review
    Status,
    /// Put it in the place of the reviewed ones
    Accept,
    /// Delete it
    Reject,
}

impl Snapshots {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let mut waiting = Vec::new();
        for path in &self.paths {
            let found = find_pending(path).map_err(|error| {
                CommandError::usage(
                    format!("{}: {error}", path.display()),
                    "name a folder that `aghook run --snapshots` was given, or a file in it"
                        .to_owned(),
                )
            })?;
            waiting.extend(found);
        }
        if waiting.is_empty() {
            writeln!(console, "nothing waits for review")?;
            return Ok(ExitCode::ChecksHeld);
        }
        for pending in &waiting {
            let done = match self.action {
                Action::Status => Ok(()),
                Action::Accept => pending.accept(),
                Action::Reject => pending.reject(),
            };
            done.map_err(|error| {
                let file = pending.pending_path.display();
                CommandError::not_completed(format!("{file}: {error}"), None)
            })?;
            self.tell(pending, console)?;
        }
        if self.action != Action::Status {
            return Ok(ExitCode::ChecksHeld);
        }
        let (waits, them) = match waiting.len() {
            1 => ("1 waits".to_owned(), "it"),
            count => (format!("{count} wait"), "them"),
        };
        writeln!(
            console,
            "{waits} for review: `aghook snapshots accept` takes {them}, `reject` deletes {them}"
        )?;
        Ok(ExitCode::CheckFailed)
    }

    fn tell(&self, pending: &PendingSnapshot, console: &mut Console) -> Result<(), CommandError> {
        let (what, color) = match (self.action, pending.kind) {
            (Action::Status, PendingKind::New) => ("new", AnsiColor::Green),
            (Action::Status, PendingKind::Changed) => ("changed", AnsiColor::Yellow),
            (Action::Accept, _) => ("accepted", AnsiColor::Green),
            (Action::Reject, _) => ("rejected", AnsiColor::Red),
        };
        let style: Style = color.on_default();
        let file = pending.reviewed_path.display().to_string();
        let length = pending.difference.summary();
        writeln!(
            console,
            "{style}{what:8}{style:#} {}  {length}",
            printable(&file)
        )?;
        if self.diff {
            write_difference(console, &pending.difference.text)?;
        }
        Ok(())
    }
}
