//! `aghook merge`: joins the load reports of several senders.

use std::path::{Path, PathBuf};

use clap::Args;

use super::load::report_options::LoadReportOptions;
use super::{CommandError, Console, ExitCode};
use crate::files;
use crate::load::{LoadExpectation, LoadReport};

const MOST_NAMED: usize = 5;

/// Merge the JSON reports of a load's shards into one, and check it as one load
///
/// Exits like `aghook load`, and with 3 if a shard is missing and all checks of the others passed.
#[derive(Debug, Args)]
pub struct Merge {
    /// JSON reports, one per shard
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Check an expectation such as 'p99 < 200ms' (repeatable), as in `aghook load`
    #[arg(long, value_name = "EXPRESSION")]
    expect: Vec<LoadExpectation>,

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
                    let message = format!("can't join {}: {error}", path.display());
                    CommandError::usage(message)
                })?,
            }
        }
        let Some(mut report) = joined else {
            return Err(CommandError::usage("no reports to join"));
        };
        report.conclude(&self.expect);
        self.reports.check_writable()?;
        self.reports.write(&report, console)?;
        let code = report.verdict().into();
        let missing: Vec<String> = report
            .missing_shards()
            .take(MOST_NAMED + 1)
            .map(|shard| shard.to_string())
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
        console.note(&format!("incomplete load: missing shards {named}{more}"));
        // A missing shard may have failed.
        Ok(match code {
            ExitCode::Success => ExitCode::NotCompleted,
            code => code,
        })
    }
}

/// The maximum size of a report in bytes, which has a line for each second and each failed event.
const FILE_LIMIT: u64 = 512 * 1024 * 1024;

fn read(path: &Path) -> Result<LoadReport, CommandError> {
    let refused = |reason: String| {
        let message = format!("can't read {}: {reason}", path.display());
        let help = "use reports written by `aghook load --report json=FILE`";
        CommandError::usage(message).with_help(help)
    };
    let text = files::read(path, FILE_LIMIT).map_err(|error| refused(error.to_string()))?;
    let report: LoadReport = serde_json::from_slice(&text)
        .map_err(|error| refused(format!("not a JSON report of a load: {error}")))?;
    if report.format_version != LoadReport::FORMAT_VERSION {
        let version = report.format_version;
        return Err(refused(format!(
            "its format version is {version}, but this aghook reads version {}",
            LoadReport::FORMAT_VERSION
        )));
    }
    Ok(report)
}
