//! The options that choose the reports and their files.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use clap::Args;

use super::command_error::CommandError;
use super::console::Console;
use crate::report::{Detail, KeptAttempts, ProgressLine, ReportKind, RunRecorder, TerminalFormat};
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
    kind: ReportKind,
    path: Option<PathBuf>,
}

/// The kinds by their names. Other options set the format of a terminal report.
const NAMED: [(&str, ReportKind); 6] = [
    ("terminal", ReportKind::Terminal(TerminalFormat::NORMAL)),
    ("json", ReportKind::Json),
    ("junit", ReportKind::Junit),
    ("html", ReportKind::Html),
    ("markdown", ReportKind::Markdown),
    ("har", ReportKind::Har),
];

impl std::str::FromStr for RunReportChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = |kind: &str| format!("unknown report `{kind}`");
        let (kind, path) = kind_and_path(text, &NAMED, unknown)?;
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
pub(super) struct Reports {
    open: Vec<OpenReport>,
    record: RunRecorder,
    /// Below a terminal report on standard output.
    progress: Option<ProgressLine>,
}

struct OpenReport {
    name: String,
    kind: ReportKind,
    out: Box<dyn Write + Send>,
    failed: Option<io::Error>,
}

impl OpenReport {
    fn new(name: &str, kind: ReportKind, out: impl Write + Send + 'static) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            out: Box::new(out),
            failed: None,
        }
    }

    /// Writes to the report unless it has failed.
    fn write(&mut self, write: impl FnOnce(ReportKind, &mut dyn Write) -> io::Result<()>) {
        if self.failed.is_none() {
            self.failed = write(self.kind, &mut *self.out).err();
        }
    }
}

impl ReportOptions {
    /// Opens all reports. If a file can't be written, prints a warning now and an error at the end,
    /// and writes the other reports.
    pub(super) fn open(&self, console: &Console) -> Reports {
        let on_output = self.report.iter().find(|choice| choice.path.is_none());
        let on_output = on_output.map_or(NAMED[0].1, |choice| choice.kind);
        let is_readable = matches!(on_output, ReportKind::Terminal(_));
        // GitHub reads annotations from both streams. They go to standard output after the terminal
        // report, or to standard error if another report is written to standard output.
        let (output, annotations): (_, Box<dyn Write + Send>) = if is_readable {
            (console.reopened(), Box::new(console.reopened()))
        } else {
            (console.unstyled(), Box::new(io::stderr()))
        };
        let kind = self.formatted(on_output, console.width());
        let mut open = vec![OpenReport::new("on standard output", kind, output)];
        for choice in &self.report {
            if let Some(path) = &choice.path {
                open.push(in_file(self.formatted(choice.kind, None), path, console));
            }
        }
        if std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
            open.push(OpenReport::new(
                "of annotations",
                ReportKind::Annotations,
                annotations,
            ));
        }
        let kept = open.iter().map(|open| open.kind.kept_attempts()).max();
        Reports {
            open,
            record: RunRecorder::new(kept.unwrap_or(KeptAttempts::OfProblems)),
            progress: is_readable.then(ProgressLine::default),
        }
    }

    /// The kind with the chosen format of a terminal report.
    fn formatted(&self, kind: ReportKind, width: Option<usize>) -> ReportKind {
        let detail = match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (_, true) => Detail::Verbose,
            _ => Detail::Normal,
        };
        match kind {
            ReportKind::Terminal(_) => ReportKind::Terminal(TerminalFormat { detail, width }),
            other => other,
        }
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
}

fn in_file(kind: ReportKind, path: &Path, console: &Console) -> OpenReport {
    let name = path.display().to_string();
    match (create(path), kind) {
        (Ok(file), ReportKind::Terminal(_)) => {
            OpenReport::new(&name, kind, PlainText(BufWriter::new(file)))
        }
        (Ok(file), _) => OpenReport::new(&name, kind, BufWriter::new(file)),
        (Err(error), _) => {
            let message = format!(
                "warning: can't write the report {name}: {error}; the run continues without it"
            );
            console.reopened().note(&message);
            OpenReport {
                failed: Some(error),
                ..OpenReport::new(&name, kind, io::sink())
            }
        }
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
            self.observe(event);
        }
        self.finish()
    }

    /// Passes an event to every report.
    pub(super) fn observe(&mut self, event: RunEvent) {
        let Self {
            open,
            record,
            progress,
        } = self;
        if let Some(progress) = progress {
            progress.observe(&event);
        }
        let write = || {
            for report in &mut *open {
                report.write(|kind, out| kind.write_event(out, &event));
            }
            match event {
                RunEvent::RunEnded(ended) => write_ends(open, record, ended),
                event => record.observe(event, |scenario| {
                    for report in &mut *open {
                        report.write(|kind, out| kind.write_scenario(out, scenario));
                    }
                }),
            }
        };
        match progress {
            Some(progress) => progress.suspend(write),
            None => write(),
        }
    }

    /// Ends the reports of an incomplete run with `ended`. Reports of single events do not get it,
    /// because it did not happen.
    pub(super) fn cut_short(&mut self, ended: RunEnded) {
        write_ends(&mut self.open, &mut self.record, ended);
    }

    /// Fails if a report could not be written.
    pub(super) fn finish(self) -> Result<(), CommandError> {
        let failed: Vec<String> = self
            .open
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

/// Writes what the reports show at the end of the run.
fn write_ends(open: &mut [OpenReport], record: &mut RunRecorder, ended: RunEnded) {
    let record = std::mem::replace(record, RunRecorder::new(KeptAttempts::OfProblems));
    let record = record.finish(ended);
    for report in open {
        report.write(|kind, out| kind.write_end(out, &record));
    }
}
