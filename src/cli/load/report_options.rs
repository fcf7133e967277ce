//! The reports of a load and where to write them.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::super::command_error::CommandError;
use super::super::console::Console;
use super::super::report_choice::{
    NamedReport, ReportChoice, annotations_output, check_paths, file_output, is_read_by_github,
    on_output, paths,
};
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
    report: Vec<ReportChoice<LoadReportKind>>,
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

impl NamedReport for LoadReportKind {
    const NAMED: &'static [(&'static str, Self)] = &[
        ("terminal", Self::Terminal),
        ("json", Self::Json),
        ("junit", Self::Junit),
        ("html", Self::Html),
        ("markdown", Self::Markdown),
        ("hdr", Self::Hdr),
    ];

    fn unknown(name: &str) -> String {
        format!("`aghook load` has no report `{name}`")
    }
}

/// The reports of a load, with their open files.
pub(in crate::cli) struct LoadReports {
    on_stdout: LoadReportKind,
    files: Vec<(LoadReportKind, PathBuf, File)>,
}

impl LoadReportOptions {
    /// Checks that no two reports are written to the same file or to standard output.
    pub(in crate::cli) fn check(&self) -> Result<(), CommandError> {
        check_paths(&self.report, "json=load.json")
    }

    /// Whether a report will be written to this file.
    pub(in crate::cli) fn is_written_to(&self, path: &Path) -> bool {
        paths(&self.report).any(|other| other == path)
    }

    /// Whether standard output shows the terminal summary.
    pub(in crate::cli) fn prints_summary(&self) -> bool {
        self.on_stdout() == LoadReportKind::Terminal
    }

    fn on_stdout(&self) -> LoadReportKind {
        on_output(&self.report).unwrap_or(LoadReportKind::Terminal)
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
            let file = opened.map_err(|error| unwritable(path, &error))?;
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
        let is_readable = self.on_stdout == LoadReportKind::Terminal;
        if is_readable {
            self.on_stdout.write(report, console)?;
        } else {
            self.on_stdout.write(report, &mut console.unstyled())?;
        }
        let mut problem = None;
        for (kind, path, file) in self.files {
            let written = truncated(&file).and_then(|()| {
                let mut out = file_output(file, kind == LoadReportKind::Terminal);
                kind.write(report, &mut *out)
            });
            if let Err(error) = written {
                problem.get_or_insert(unwritable(&path, &error));
            }
        }
        if is_read_by_github() {
            let mut out = annotations_output(is_readable, console);
            write_load_annotations(report, &mut *out)?;
        }
        problem.map_or(Ok(()), Err)
    }
}

fn unwritable(path: &Path, error: &io::Error) -> CommandError {
    let message = format!("can't write the report {}: {error}", path.display());
    CommandError::not_completed(message, None)
}

/// Truncates a regular file; pipes and devices can't be truncated.
fn truncated(file: &File) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    Ok(())
}

impl LoadReportKind {
    fn write(self, report: &LoadReport, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Terminal => write_load_summary(report, out)?,
            Self::Json => {
                serde_json::to_writer_pretty(&mut *out, report)?;
                writeln!(out)?;
            }
            Self::Junit => write_load_junit(report, out)?,
            Self::Html => write_load_page(report, out)?,
            Self::Markdown => write_load_markdown(report, out)?,
            Self::Hdr => {
                let began = report.began.parse::<Timestamp>();
                let began = began.map_err(io::Error::other)?;
                write_hdr_log(&report.measurements.over_time, began.into(), &mut &mut *out)?;
            }
        }
        out.flush()
    }
}
