//! The options that choose the reports and their files.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use clap::Args;

use super::command_error::CommandError;
use super::console::Console;
use crate::report::{
    Annotations, Detail, HarReport, HtmlReport, JsonLines, JunitReport, MarkdownReport,
    ProgressReport, Report, TerminalReport,
};
use crate::run::{RunEnded, RunEvent};
use crate::scenario::document::nearest;

/// The options that choose the reports.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reports")]
pub(super) struct ReportOptions {
    /// Write a report to standard output or a file (repeatable): terminal, json, junit, html,
    /// markdown, har
    ///
    /// `terminal` is readable text, written to standard output unless another report is written
    /// there. `json` writes one JSON object per line as the run proceeds, such as `attempt_ended`.
    /// The others are written when the run ends: `junit` for CI systems, `html` as a single page,
    /// `markdown` for the summary page of a CI job, and `har` with every request and response, for a
    /// browser's developer tools. If `GITHUB_ACTIONS` is `true`, GitHub annotations are written too.
    #[arg(long, value_name = "KIND[=PATH]")]
    report: Vec<RunReportChoice>,

    /// Show only failures and the summary
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,

    /// Show every request and response
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Debug, Clone)]
struct RunReportChoice {
    kind: RunReportKind,
    path: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunReportKind {
    Terminal,
    Json,
    Junit,
    Html,
    Markdown,
    Har,
}

impl RunReportKind {
    const NAMED: [(&str, Self); 6] = [
        ("terminal", Self::Terminal),
        ("json", Self::Json),
        ("junit", Self::Junit),
        ("html", Self::Html),
        ("markdown", Self::Markdown),
        ("har", Self::Har),
    ];
}

impl std::str::FromStr for RunReportChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = |kind: &str| format!("unknown report `{kind}`");
        let (kind, path) = kind_and_path(text, &RunReportKind::NAMED, unknown)?;
        Ok(Self { kind, path })
    }
}

/// Parses `KIND[=PATH]` with one of the kinds in `named`.
pub(super) fn kind_and_path<K: Copy, const N: usize>(
    text: &str,
    named: &[(&'static str, K); N],
    unknown: impl FnOnce(&str) -> String,
) -> Result<(K, Option<PathBuf>), String> {
    let (kind, path) = match text.split_once('=') {
        Some((_, "")) => return Err("expected a path after `=`".to_owned()),
        Some((kind, path)) => (kind, Some(PathBuf::from(path))),
        None => (text, None),
    };
    if let Some((_, found)) = named.iter().find(|(name, _)| *name == kind) {
        return Ok((*found, path));
    }
    let known = named.map(|(name, _)| name);
    let help = match nearest(kind, known) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known: {}", known.join(", ")),
    };
    Err(format!("{}; {help}", unknown(kind)))
}

/// The reports of a run. A report that fails does not affect the others.
pub(super) struct Reports(Vec<OpenReport>);

struct OpenReport {
    name: String,
    report: Box<dyn Report + Send>,
    /// Whether the report contains the raw events.
    has_raw_events: bool,
    failed: Option<io::Error>,
}

impl OpenReport {
    fn new(name: impl Into<String>, report: impl Report + Send + 'static) -> Self {
        Self {
            name: name.into(),
            report: Box::new(report),
            has_raw_events: false,
            failed: None,
        }
    }
}

impl ReportOptions {
    /// Opens all reports. If a file can't be written, prints a warning now and an error at the end,
    /// and writes the other reports.
    pub(super) fn open(&self, console: &Console) -> Reports {
        let on_output = self.report.iter().find(|choice| choice.path.is_none());
        let on_output = on_output.map_or(RunReportKind::Terminal, |choice| choice.kind);
        let mut reports = vec![self.on_output(on_output, console)];
        for choice in &self.report {
            if let Some(path) = &choice.path {
                reports.push(self.in_file(choice.kind, path, console));
            }
        }
        if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
            reports.push(annotations(on_output, console));
        }
        Reports(reports)
    }

    /// Checks that no two reports are written to the same file or to standard output.
    pub(super) fn check(&self) -> Result<(), CommandError> {
        for (index, choice) in self.report.iter().enumerate() {
            let earlier = &self.report[..index];
            if earlier.iter().all(|other| other.path != choice.path) {
                continue;
            }
            return Err(match &choice.path {
                None => CommandError::usage(
                    "only one report can go to standard output",
                    "give the others a path, such as `--report json=run.jsonl`".to_owned(),
                ),
                Some(path) => CommandError::usage(
                    format!("two reports have the same path {}", path.display()),
                    "give each report a different path".to_owned(),
                ),
            });
        }
        Ok(())
    }

    /// Checks that every file is writable, without changing its content. Called before anything is
    /// sent.
    pub(super) fn check_writable(&self) -> Result<(), CommandError> {
        let paths = self
            .report
            .iter()
            .filter_map(|choice| choice.path.as_deref());
        for path in paths {
            try_to_write(path).map_err(|error| {
                let message = format!("can't write the report {}: {error}", path.display());
                let help = "nothing was sent; choose a writable path";
                CommandError::usage(message, help.to_owned())
            })?;
        }
        Ok(())
    }

    fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        }
    }

    fn on_output(&self, kind: RunReportKind, console: &Console) -> OpenReport {
        let name = "on standard output";
        match kind {
            RunReportKind::Terminal => {
                let report = TerminalReport::new(console.reopened(), self.detail());
                let report = report.with_width(console.width());
                OpenReport::new(name, ProgressReport::around(report))
            }
            _ => self.written(kind, name, console.unstyled()),
        }
    }

    fn in_file(&self, kind: RunReportKind, path: &Path, console: &Console) -> OpenReport {
        let name = path.display().to_string();
        match create(path) {
            Ok(file) => {
                let file = BufWriter::new(file);
                match kind {
                    RunReportKind::Terminal => self.written(kind, &name, PlainText(file)),
                    _ => self.written(kind, &name, file),
                }
            }
            Err(error) => {
                let message = format!(
                    "warning: can't write the report {name}: {error}; the run continues without it"
                );
                console.reopened().note(&message);
                OpenReport {
                    failed: Some(error),
                    ..self.written(kind, &name, io::sink())
                }
            }
        }
    }

    fn written(
        &self,
        kind: RunReportKind,
        name: &str,
        out: impl Write + Send + 'static,
    ) -> OpenReport {
        match kind {
            RunReportKind::Terminal => {
                OpenReport::new(name, TerminalReport::new(out, self.detail()))
            }
            RunReportKind::Json => OpenReport {
                has_raw_events: true,
                ..OpenReport::new(name, JsonLines::new(out))
            },
            RunReportKind::Junit => OpenReport::new(name, JunitReport::new(out)),
            RunReportKind::Html => OpenReport::new(name, HtmlReport::new(out)),
            RunReportKind::Markdown => OpenReport::new(name, MarkdownReport::new(out)),
            RunReportKind::Har => OpenReport::new(name, HarReport::new(out)),
        }
    }
}

/// GitHub reads annotations from both streams. They go to standard output after the terminal report,
/// or to standard error if another report is written to standard output.
fn annotations(on_output: RunReportKind, console: &Console) -> OpenReport {
    let name = "of annotations";
    match on_output {
        RunReportKind::Terminal => OpenReport::new(name, Annotations::new(console.reopened())),
        _ => OpenReport::new(name, Annotations::new(io::stderr())),
    }
}

/// Creates a file and its parent folders.
fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    File::create(path)
}

/// Opens a file for writing without changing its content. Skips pipes and devices, because opening
/// them can have side effects.
fn try_to_write(path: &Path) -> io::Result<()> {
    let exists = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() || metadata.is_dir() => true,
        Ok(_) => return Ok(()),
        Err(_) => false,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    File::options().append(true).create(true).open(path)?;
    if exists {
        return Ok(());
    }
    std::fs::remove_file(path)
}

/// Strips colors from text that is written to a file.
pub(super) struct PlainText(pub(super) BufWriter<File>);

impl Write for PlainText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .write_all(anstream::adapter::strip_bytes(bytes).into_vec().as_slice())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Reports {
    /// Receives events until the run ends. Fails if a report could not be written.
    pub(super) fn follow(mut self, events: &Receiver<RunEvent>) -> Result<(), CommandError> {
        for event in events {
            self.observe(&event);
        }
        self.finish()
    }

    /// Passes an event to every report that has not failed.
    pub(super) fn observe(&mut self, event: &RunEvent) {
        for open in self.0.iter_mut().filter(|open| open.failed.is_none()) {
            open.failed = open.report.observe(event).err();
        }
    }

    /// Ends the reports of an incomplete run with `ended`. Reports with raw events do not get it,
    /// because it did not happen.
    pub(super) fn cut_short(&mut self, ended: RunEnded) {
        let event = RunEvent::RunEnded(ended);
        for open in &mut self.0 {
            if !open.has_raw_events && open.failed.is_none() {
                open.failed = open.report.observe(&event).err();
            }
        }
    }

    /// Fails if a report could not be written.
    pub(super) fn finish(self) -> Result<(), CommandError> {
        let failed: Vec<String> = self
            .0
            .into_iter()
            .filter_map(|open| Some((open.name, open.failed?)))
            .map(|(name, error)| format!("failed to write the report {name}: {error}"))
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(CommandError::not_completed(failed.join("\n"), None))
    }
}
