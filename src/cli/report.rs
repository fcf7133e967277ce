//! `aghook report`: generates reports of a recorded run.

use std::path::{Path, PathBuf};

use clap::Args;

use super::report_options::ReportOptions;
use super::{CommandError, Console, ExitCode};
use crate::run::{JOURNAL_FILE_NAME, Journal, JournalError, RunTally, TruncatedLine};

/// Generate reports of a recorded run (`aghook run --record`)
///
/// The reports are identical to those of the run itself. Nothing is sent.
///
/// Exits as the run did: with 0 if no `must` check failed, 1 if one failed, and 3 if the run was not
/// completed. Exits with 2 if the command line or the recorded run is invalid.
#[derive(Debug, Args)]
pub struct MakeReports {
    /// Folder of a recorded run, or a JSON report
    #[arg(value_name = "RUN")]
    run: PathBuf,

    #[command(flatten)]
    reports: ReportOptions,
}

impl MakeReports {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        self.reports.check()?;
        let recorded = self.run.join(JOURNAL_FILE_NAME);
        self.reports.check_apart(&[self.run.clone(), recorded])?;
        let summary = summarize_journal(&self.run)?;
        let (journal, _) = Journal::open(&self.run)?;
        self.reports.check_writable()?;
        let mut reports = self.reports.open(console);
        for event in journal {
            reports.observe(event?);
        }
        let code = if let Some(ended) = &summary.tally.run_ended {
            ended.outcome().into()
        } else {
            reports.cut_short(summary.tally.partial_result());
            ExitCode::NotCompleted
        };
        reports.finish()?;
        summary.note_if_incomplete(console);
        Ok(code)
    }
}

pub(super) struct JournalSummary {
    pub(super) tally: RunTally,
    path: PathBuf,
    torn: Option<TruncatedLine>,
}

/// Reads the whole journal, to find errors in it before it is used.
pub(super) fn summarize_journal(path: &Path) -> Result<JournalSummary, CommandError> {
    let (mut journal, _) = Journal::open(path)?;
    let mut tally = RunTally::default();
    for event in journal.by_ref() {
        tally.observe(&event?);
    }
    Ok(JournalSummary {
        tally,
        path: journal.path,
        torn: journal.truncated_line,
    })
}

impl JournalSummary {
    pub(super) fn note_if_incomplete(&self, console: &Console) {
        const MAX_LISTED: usize = 8;
        if self.tally.run_ended.is_some() {
            return;
        }
        let completed = self.tally.partial_result().scenarios.total();
        let planned = self.tally.planned;
        let mut lines = vec![format!(
            "incomplete: this run was interrupted or is still running: {completed} of {planned} \
             scenarios completed"
        )];
        let running: Vec<_> = self.tally.unfinished.values().collect();
        lines.extend(running.iter().take(MAX_LISTED).map(|scenario| {
            let (name, attempts) = (&scenario.name, scenario.attempts);
            format!("  not completed: {name} (completed attempts: {attempts})")
        }));
        if let Some(more @ 1..) = running.len().checked_sub(MAX_LISTED) {
            lines.push(format!("  and {more} more"));
        }
        if let Some(TruncatedLine { line, bytes }) = self.torn {
            let path = self.path.display();
            lines.push(format!(
                "  {path}:{line}: ignored the last {bytes} bytes, which are an incomplete line"
            ));
        }
        console.note(&lines.join("\n"));
    }
}

impl From<JournalError> for CommandError {
    fn from(error: JournalError) -> Self {
        Self::usage(&error).with_help(error.help())
    }
}
