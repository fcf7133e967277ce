//! `aghook merge`: the reports of several senders as one.

use std::path::{Path, PathBuf};

use clap::Args;

use super::ExitCode;
use super::command_error::CommandError;
use super::console::Console;
use super::load::report_options::LoadReportOptions;
use super::load::verdict::{demanded, exit_code};
use crate::load::{Expectation, LoadReport};

/// How many shares are named that are missing.
const MOST_NAMED: usize = 5;

/// Join the JSON reports of a load's partitions, exactly, and judge them as one
///
/// Exits as `aghook load` does, and with 3 where a share is missing and what is there held.
#[derive(Debug, Args)]
pub struct Merge {
    /// The JSON reports, one of each partition
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// What must hold, as 'p99 < 200ms' (repeatable); beside it 'undelivered = 0', unless it says how
    /// many may fail
    #[arg(long, value_name = "EXPRESSION")]
    expect: Vec<Expectation>,

    #[command(flatten)]
    reports: LoadReportOptions,
}

impl Merge {
    pub(super) fn run(&self, console: &mut Console) -> Result<ExitCode, CommandError> {
        self.reports.check()?;
        let mut joined: Option<LoadReport> = None;
        for path in &self.files {
            let report = read(path)?;
            match &mut joined {
                None => joined = Some(report),
                Some(joined) => joined.add(&report).map_err(|error| {
                    let message = format!("{} can't be joined: {error}", path.display());
                    CommandError::usage(message, None)
                })?,
            }
        }
        let Some(mut report) = joined else {
            return Err(CommandError::usage("there is nothing to join", None));
        };
        let counts = &report.figures.counts;
        let demanded = demanded(&self.expect, counts, report.interrupted);
        report.conclude(&demanded);
        self.reports.open()?.write(&report, console)?;
        let code = exit_code(&report);
        let missing: Vec<String> = report
            .missing_shares()
            .take(MOST_NAMED + 1)
            .map(|share| share.to_string())
            .collect();
        if missing.is_empty() {
            return Ok(code);
        }
        let named = missing[..missing.len().min(MOST_NAMED)].join(", ");
        let more = if missing.len() > MOST_NAMED {
            " and more"
        } else {
            ""
        };
        console.note(&format!(
            "this is not the whole load: {named}{more} missing"
        ));
        // What is not there may have failed.
        Ok(match code {
            ExitCode::Success => ExitCode::NotCompleted,
            code => code,
        })
    }
}

fn read(path: &Path) -> Result<LoadReport, CommandError> {
    let refused = |reason: String| {
        let message = format!("{} can't be read: {reason}", path.display());
        let help = "give reports that `aghook load --report json=FILE` wrote";
        CommandError::usage(message, help.to_owned())
    };
    let text = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    let report: LoadReport =
        serde_json::from_slice(&text).map_err(|error| refused(error.to_string()))?;
    if report.format_version != LoadReport::FORMAT_VERSION {
        let version = report.format_version;
        return Err(refused(format!(
            "its form has the version {version}, which this program does not know"
        )));
    }
    Ok(report)
}
