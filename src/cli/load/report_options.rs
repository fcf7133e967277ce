//! The reports of a load and where to write them.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::super::command_error::CommandError;
use super::super::console::Console;
use super::super::report_options::{PlainText, kind_and_path};
use crate::load::{LoadReport, write_hdr_log};
use crate::report::{
    write_load_annotations, write_load_junit, write_load_markdown, write_load_page,
    write_load_summary,
};

/// The reports to write.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reports")]
pub(in crate::cli) struct LoadReportOptions {
    /// Write a report to standard output or to a file (repeatable): terminal, json, junit, html,
    /// markdown, hdr
    ///
    /// `terminal` is the default on standard output. `json` is one JSON object, which `aghook merge`
    /// joins with those of the other shards. `junit` is for CI systems, with a test case per
    /// expectation. `html` is a single page for a browser, `markdown` is for the summary page of a CI
    /// job. `hdr` is a log of histograms per second for `HdrHistogram` tools. If `GITHUB_ACTIONS` is
    /// `true`, annotations for GitHub follow the terminal report.
    #[arg(long, value_name = "KIND[=PATH]")]
    report: Vec<LoadReportChoice>,
}

#[derive(Debug, Clone)]
struct LoadReportChoice {
    kind: LoadReportKind,
    path: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LoadReportKind {
    Terminal,
    Json,
    Junit,
    Html,
    Markdown,
    Hdr,
}

const NAMED: [(&str, LoadReportKind); 6] = [
    ("terminal", LoadReportKind::Terminal),
    ("json", LoadReportKind::Json),
    ("junit", LoadReportKind::Junit),
    ("html", LoadReportKind::Html),
    ("markdown", LoadReportKind::Markdown),
    ("hdr", LoadReportKind::Hdr),
];

impl std::str::FromStr for LoadReportChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = |kind: &str| format!("`aghook load` has no report `{kind}`");
        let (kind, path) = kind_and_path(text, &NAMED, unknown)?;
        Ok(Self { kind, path })
    }
}

/// The reports of a load, with their open files.
pub(in crate::cli) struct LoadReports {
    on_stdout: LoadReportKind,
    files: Vec<(LoadReportKind, PathBuf, File)>,
}

impl LoadReportOptions {
    /// Refuses two reports to the same file or two on standard output.
    pub(in crate::cli) fn check(&self) -> Result<(), CommandError> {
        for (index, choice) in self.report.iter().enumerate() {
            let earlier = &self.report[..index];
            if earlier.iter().all(|other| other.path != choice.path) {
                continue;
            }
            return Err(match &choice.path {
                None => CommandError::usage(
                    "only one report can be written to standard output",
                    "give the others a path, such as `--report json=load.json`".to_owned(),
                ),
                Some(path) => CommandError::usage(
                    format!("two reports would be written to {}", path.display()),
                    "give each a different path".to_owned(),
                ),
            });
        }
        Ok(())
    }

    /// Whether a report will be written to this file.
    pub(in crate::cli) fn is_written_to(&self, path: &Path) -> bool {
        let mut paths = self
            .report
            .iter()
            .filter_map(|choice| choice.path.as_deref());
        paths.any(|other| other == path)
    }

    /// Whether standard output shows the terminal summary.
    pub(in crate::cli) fn prints_summary(&self) -> bool {
        self.on_stdout() == LoadReportKind::Terminal
    }

    fn on_stdout(&self) -> LoadReportKind {
        let choice = self.report.iter().find(|choice| choice.path.is_none());
        choice.map_or(LoadReportKind::Terminal, |choice| choice.kind)
    }

    /// Opens the files before anything is sent, without changing their content yet.
    pub(in crate::cli) fn open(&self) -> Result<LoadReports, CommandError> {
        let mut files = Vec::new();
        for choice in &self.report {
            let Some(path) = &choice.path else { continue };
            let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            let opened = folder.and_then(|()| {
                let mut options = OpenOptions::new();
                options.write(true).create(true).truncate(false).open(path)
            });
            let file = opened.map_err(|error| {
                let message = format!("can't write the report {}: {error}", path.display());
                CommandError::not_completed(message, None)
            })?;
            files.push((choice.kind, path.clone(), file));
        }
        Ok(LoadReports {
            on_stdout: self.on_stdout(),
            files,
        })
    }
}

impl LoadReports {
    /// Writes all reports, the one on standard output first. If one fails, the others are still
    /// written.
    pub(in crate::cli) fn write(
        self,
        report: &LoadReport,
        console: &mut Console,
    ) -> Result<(), CommandError> {
        match self.on_stdout {
            LoadReportKind::Terminal => write(self.on_stdout, report, console)?,
            _ => write(self.on_stdout, report, &mut console.unstyled())?,
        }
        let mut problem = None;
        for (kind, path, file) in self.files {
            let written = truncated(&file).and_then(|()| {
                let mut out = BufWriter::new(file);
                // No colours in files.
                if kind == LoadReportKind::Terminal {
                    write(kind, report, &mut PlainText(out))
                } else {
                    write(kind, report, &mut out)
                }
            });
            if let Err(error) = written {
                let message = format!("can't write the report {}: {error}", path.display());
                problem.get_or_insert(CommandError::not_completed(message, None));
            }
        }
        if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
            // GitHub reads both streams. Another report needs standard output for itself.
            match self.on_stdout {
                LoadReportKind::Terminal => write_load_annotations(report, console)?,
                _ => write_load_annotations(report, &mut std::io::stderr())?,
            }
        }
        problem.map_or(Ok(()), Err)
    }
}

/// Truncates a regular file; pipes and devices can't be truncated.
fn truncated(file: &File) -> std::io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    Ok(())
}

fn write(kind: LoadReportKind, report: &LoadReport, out: &mut impl Write) -> std::io::Result<()> {
    match kind {
        LoadReportKind::Terminal => write_load_summary(report, out)?,
        LoadReportKind::Json => {
            serde_json::to_writer_pretty(&mut *out, report)?;
            writeln!(out)?;
        }
        LoadReportKind::Junit => write_load_junit(report, out)?,
        LoadReportKind::Html => write_load_page(report, out)?,
        LoadReportKind::Markdown => write_load_markdown(report, out)?,
        LoadReportKind::Hdr => {
            let began = report
                .began
                .parse::<Timestamp>()
                .map_err(std::io::Error::other)?;
            write_hdr_log(&report.measurements.over_time, began.into(), out)?;
        }
    }
    out.flush()
}
