//! `aghook report`: any report of a run that was recorded.

use std::path::PathBuf;

use clap::Args;

use super::ExitCode;
use super::command_error::CommandError;
use super::console::Console;
use super::report_options::ReportOptions;
use crate::journal::{Journal, JournalError, RunTally, TruncatedLine};

/// Make reports of a run that was recorded with `aghook run --record`
///
/// Each is the same as the run itself would have made it, to the byte. Nothing is sent.
///
/// Exits as the run did: with 0 if every check held, with 1 if one failed, and with 3 if the run was
/// not completed, or did not come to its end. Exits with 2 if the recorded run can't be read.
#[derive(Debug, Args)]
pub struct MakeReports {
    /// The folder of the recorded run, or a file of the JSON report
    #[arg(value_name = "RUN")]
    run: PathBuf,

    #[command(flatten)]
    reports: ReportOptions,
}

impl MakeReports {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        self.reports.check()?;
        let whole = read_through(&self.run)?;
        let (journal, _) = Journal::open(&self.run).map_err(|error| unreadable(&error))?;
        self.reports.check_writable()?;
        let mut reports = self.reports.open(console);
        for event in journal {
            reports.observe(&event.map_err(|error| unreadable(&error))?);
        }
        let code = if let Some(ended) = whole.tally.run_ended() {
            ExitCode::of_run(ended)
        } else {
            reports.cut_short(whole.tally.partial_result());
            ExitCode::NotCompleted
        };
        reports.finish()?;
        whole.tell_if_incomplete(console);
        Ok(code)
    }
}

/// A journal that was read to its end, and what came of its run.
pub(super) struct ReadThrough {
    pub(super) tally: RunTally,
    path: PathBuf,
    torn: Option<TruncatedLine>,
}

/// Reads a journal to its end, so that what is wrong with it is known before it is made use of.
pub(super) fn read_through(path: &std::path::Path) -> Result<ReadThrough, CommandError> {
    let (mut journal, _) = Journal::open(path).map_err(|error| unreadable(&error))?;
    let mut tally = RunTally::default();
    for event in journal.by_ref() {
        tally.observe(&event.map_err(|error| unreadable(&error))?);
    }
    Ok(ReadThrough {
        tally,
        path: journal.path().to_owned(),
        torn: journal.truncated_line(),
    })
}

impl ReadThrough {
    /// Says how far the run came, if it did not come to its end.
    pub(super) fn tell_if_incomplete(&self, console: &mut Console) {
        /// The most scenarios that are named.
        const NAMED: usize = 8;
        if self.tally.run_ended().is_some() {
            return;
        }
        let ended = self.tally.partial_result().scenarios.total();
        let meant = self.tally.planned();
        let mut told = vec![format!(
            "incomplete: this run did not come to its end, or still goes on: {ended} of {meant} \
             scenarios ended"
        )];
        let under_way: Vec<_> = self.tally.unfinished().collect();
        told.extend(under_way.iter().take(NAMED).map(|scenario| {
            let (name, attempts) = (&scenario.name, scenario.attempts);
            format!("  under way: {name} (attempts that ended: {attempts})")
        }));
        if let Some(more @ 1..) = under_way.len().checked_sub(NAMED) {
            told.push(format!("  and {more} more"));
        }
        if let Some(TruncatedLine { line, bytes }) = self.torn {
            let path = self.path.display();
            told.push(format!(
                "  {path}:{line}: the last line is torn, and its {bytes} bytes are left out"
            ));
        }
        console.note(&told.join("\n"));
    }
}

/// A journal that can't be read is a wrong file.
pub(super) fn unreadable(error: &JournalError) -> CommandError {
    CommandError::usage(error.to_string(), error.help().to_owned())
}
