//! Which reports of a load are written, and where to.

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

/// Which reports are written.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reports")]
pub(in crate::cli) struct LoadReportOptions {
    /// A report, on standard output or in a file (repeatable): terminal, json, junit, html,
    /// markdown, hdr
    ///
    /// `terminal` is for people, and written to standard output unless another report is. `json`
    /// is one JSON object, which `aghook merge` joins with those of other senders. `junit` is for
    /// CI systems, with a test case for each expectation. `html` is one page for a browser,
    /// `markdown` is for the summary page of a CI job. `hdr` is a log of histograms, second by
    /// second, that other tools of `HdrHistogram` read. Where `GITHUB_ACTIONS` is `true`,
    /// annotations for GitHub follow the terminal report.
    #[arg(long, value_name = "KIND[=PATH]")]
    report: Vec<ReportChoice>,
}

#[derive(Debug, Clone)]
struct ReportChoice {
    kind: ReportKind,
    path: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReportKind {
    Terminal,
    Json,
    Junit,
    Html,
    Markdown,
    Hdr,
}

const NAMED: [(&str, ReportKind); 6] = [
    ("terminal", ReportKind::Terminal),
    ("json", ReportKind::Json),
    ("junit", ReportKind::Junit),
    ("html", ReportKind::Html),
    ("markdown", ReportKind::Markdown),
    ("hdr", ReportKind::Hdr),
];

impl std::str::FromStr for ReportChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = |kind: &str| format!("a load has no report `{kind}`");
        let (kind, path) = kind_and_path(text, &NAMED, unknown)?;
        Ok(Self { kind, path })
    }
}

/// The reports of a load, whose files can be written.
pub(in crate::cli) struct LoadReports {
    on_output: ReportKind,
    files: Vec<(ReportKind, PathBuf, File)>,
}

impl LoadReportOptions {
    /// Reports that are written to the same place would make each other unreadable.
    pub(in crate::cli) fn check(&self) -> Result<(), CommandError> {
        for (index, choice) in self.report.iter().enumerate() {
            let earlier = &self.report[..index];
            if earlier.iter().all(|other| other.path != choice.path) {
                continue;
            }
            return Err(match &choice.path {
                None => CommandError::usage(
                    "only one report can go to standard output",
                    "give the others a path, as in `--report json=load.json`".to_owned(),
                ),
                Some(path) => CommandError::usage(
                    format!("two reports are to be written to {}", path.display()),
                    "give each a path of its own".to_owned(),
                ),
            });
        }
        Ok(())
    }

    /// Whether a report is to be written to this file.
    pub(in crate::cli) fn is_written_to(&self, path: &Path) -> bool {
        let mut paths = self
            .report
            .iter()
            .filter_map(|choice| choice.path.as_deref());
        paths.any(|of_report| of_report == path)
    }

    /// Whether standard output is for people.
    pub(in crate::cli) fn tells_people(&self) -> bool {
        self.on_output() == ReportKind::Terminal
    }

    fn on_output(&self) -> ReportKind {
        let choice = self.report.iter().find(|choice| choice.path.is_none());
        choice.map_or(ReportKind::Terminal, |choice| choice.kind)
    }

    /// Opens the files, before anything is sent. What is in them stays until they are written.
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
                let message = format!("the report {} can't be written: {error}", path.display());
                CommandError::not_completed(message, None)
            })?;
            files.push((choice.kind, path.clone(), file));
        }
        Ok(LoadReports {
            on_output: self.on_output(),
            files,
        })
    }
}

impl LoadReports {
    /// Writes all reports, the one on standard output first. One that can't be written keeps the
    /// others from nothing.
    pub(in crate::cli) fn write(
        self,
        report: &LoadReport,
        console: &mut Console,
    ) -> Result<(), CommandError> {
        write(self.on_output, report, console)?;
        let mut problem = None;
        for (kind, path, file) in self.files {
            let written = emptied(&file).and_then(|()| {
                let mut out = BufWriter::new(file);
                // A file gets no colours.
                if kind == ReportKind::Terminal {
                    write(kind, report, &mut PlainText(out))
                } else {
                    write(kind, report, &mut out)
                }
            });
            if let Err(error) = written {
                let message = format!("the report {} can't be written: {error}", path.display());
                problem.get_or_insert(CommandError::not_completed(message, None));
            }
        }
        if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
            // GitHub reads either stream; another report has standard output for itself.
            match self.on_output {
                ReportKind::Terminal => write_load_annotations(report, console)?,
                _ => write_load_annotations(report, &mut std::io::stderr())?,
            }
        }
        problem.map_or(Ok(()), Err)
    }
}

/// Empties a file; a pipe or a device has nothing to be emptied of.
fn emptied(file: &File) -> std::io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    Ok(())
}

fn write(kind: ReportKind, report: &LoadReport, out: &mut impl Write) -> std::io::Result<()> {
    match kind {
        ReportKind::Terminal => write_load_summary(report, out)?,
        ReportKind::Json => {
            serde_json::to_writer_pretty(&mut *out, report)?;
            writeln!(out)?;
        }
        ReportKind::Junit => write_load_junit(report, out)?,
        ReportKind::Html => write_load_page(report, out)?,
        ReportKind::Markdown => write_load_markdown(report, out)?,
        ReportKind::Hdr => {
            let began = report
                .began
                .parse::<Timestamp>()
                .map_err(std::io::Error::other)?;
            write_hdr_log(&report.figures.over_time, began.into(), out)?;
        }
    }
    out.flush()
}
