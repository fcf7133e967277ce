//! The reports of a load and where to write them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::super::report_choice::{
    NamedReport, ReportChoice, annotations_output, begin, check_apart, check_paths, file_output,
    is_read_by_github, on_output, paths, report_console, try_to_write,
};
use super::super::{CommandError, Console};
use crate::files::{Readers, is_of_system, is_same_file};
use crate::load::{LoadReport, write_hdr_log};
use crate::report::{
    write_indented, write_load_annotations, write_load_junit, write_load_markdown, write_load_page,
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

    const UNKNOWN: &'static str = "`aghook load` has no report";
}

impl LoadReportOptions {
    pub(in crate::cli) fn check(&self) -> Result<(), CommandError> {
        check_paths(&self.report, "json=load.json")
    }

    pub(in crate::cli) fn is_written_to(&self, path: &Path) -> bool {
        paths(&self.report).any(|other| other == path || is_same_file(other, path))
    }

    pub(in crate::cli) fn prints_summary(&self) -> bool {
        self.on_stdout() == LoadReportKind::Terminal
    }

    fn on_stdout(&self) -> LoadReportKind {
        on_output(&self.report).unwrap_or(LoadReportKind::Terminal)
    }

    /// Checks that no report would overwrite one of these files.
    pub(in crate::cli) fn check_apart(&self, files: &[PathBuf]) -> Result<(), CommandError> {
        check_apart(&self.report, files)
    }

    /// Replaces the reports in files by what says that there was no load, and why.
    pub(in crate::cli) fn write_failure(&self, report: &LoadReport) {
        for choice in &self.report {
            if let Some(path) = &choice.path
                && try_to_write(path).is_ok()
            {
                // The command ends with an error anyway.
                let _ = choice.kind.replace(report, path);
            }
        }
    }

    /// Checks that the files are writable, without changing their content. Called before anything is
    /// sent.
    pub(in crate::cli) fn check_writable(&self) -> Result<(), CommandError> {
        let mut paths = paths(&self.report);
        paths.try_for_each(|path| try_to_write(path).map_err(|error| unwritable(path, &error)))
    }

    /// Removes the reports of an earlier load, which a CI system would otherwise show if this one fails
    /// to start.
    pub(in crate::cli) fn remove_earlier(&self) {
        for path in paths(&self.report) {
            let is_file = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
            if is_file && !is_of_system(path) {
                let _ = std::fs::remove_file(path);
            }
        }
    }

    /// Writes all reports, the one on standard output first. If one fails, the others are still
    /// written.
    pub(in crate::cli) fn write(
        &self,
        report: &LoadReport,
        console: &Console,
    ) -> Result<(), CommandError> {
        let is_readable = self.prints_summary();
        self.on_stdout()
            .write(report, &mut report_console(console, is_readable))?;
        let mut problem = None;
        for choice in &self.report {
            let (kind, Some(path)) = (choice.kind, &choice.path) else {
                continue;
            };
            if let Err(error) = kind.replace(report, path) {
                problem.get_or_insert(unwritable(path, &error));
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
    CommandError::not_completed(message)
}

impl LoadReportKind {
    fn replace(self, report: &LoadReport, path: &Path) -> io::Result<()> {
        let (file, replacement) = begin(path, Readers::Usual)?;
        let mut out = file_output(file, self == Self::Terminal);
        self.write(report, &mut *out)?;
        replacement.commit()
    }

    fn write(self, report: &LoadReport, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Terminal => write_load_summary(report, out)?,
            Self::Json => write_indented(out, report)?,
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
