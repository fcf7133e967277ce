//! The options that choose the reports and their files.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::mpsc::Receiver;

use clap::Args;

use super::report_choice::{
    NamedReport, ReportChoice, annotations_output, begin, check_apart, check_paths, create,
    file_output, is_read_by_github, on_output, paths, report_console, try_to_write,
};
use super::{CommandError, Console, ExitCode};
use crate::files::{Readers, Replacement};
use crate::report::{Detail, KeptAttempts, ProgressLine, ReportKind, RunRecorder, TerminalFormat};
use crate::run::{RunEnded, RunEvent, RunTally};

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
    report: Vec<ReportChoice<ReportKind>>,

    /// Show only failures and the summary
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,

    /// Show every request and response
    #[arg(short, long)]
    verbose: bool,

    /// Set when the reports are opened.
    #[arg(skip)]
    opened: OnceLock<()>,
}

/// Other options set the format of a terminal report.
impl NamedReport for ReportKind {
    const NAMED: &'static [(&'static str, Self)] = &[
        ("terminal", Self::Terminal(TerminalFormat::NORMAL)),
        ("json", Self::Json),
        ("junit", Self::Junit),
        ("html", Self::Html),
        ("markdown", Self::Markdown),
        ("har", Self::Har),
    ];

    const UNKNOWN: &'static str = "unknown report";
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
    /// The file that the complete report replaces.
    replacement: Option<Replacement>,
    failed: Option<io::Error>,
}

impl OpenReport {
    fn new(name: &str, kind: ReportKind, out: Box<dyn Write + Send>) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            out,
            replacement: None,
            failed: None,
        }
    }

    fn write(&mut self, write: impl FnOnce(ReportKind, &mut dyn Write) -> io::Result<()>) {
        if self.failed.is_none() {
            self.failed = write(self.kind, &mut *self.out).err();
        }
    }

    /// Puts the report in its place, unless it could not be written.
    fn commit(&mut self) {
        let flushed = self.out.flush();
        if self.failed.is_none() {
            let replaced =
                flushed.and_then(|()| self.replacement.take().map_or(Ok(()), Replacement::commit));
            self.failed = replaced.err();
        }
    }
}

impl ReportOptions {
    /// Opens all reports. If a file can't be written, prints a warning now and an error at the end,
    /// and writes the other reports.
    pub(super) fn open(&self, console: &Console) -> Reports {
        let _ = self.opened.set(());
        let terminal = ReportKind::Terminal(TerminalFormat::NORMAL);
        let on_output = on_output(&self.report).unwrap_or(terminal);
        let is_readable = is_terminal_report(on_output);
        let output = report_console(console, is_readable);
        let kind = self.formatted(on_output, Console::width());
        let on_stdout = OpenReport::new("on standard output", kind, Box::new(output));
        let mut open = vec![on_stdout];
        for choice in &self.report {
            if let Some(path) = &choice.path {
                open.push(in_file(self.formatted(choice.kind, None), path, console));
            }
        }
        if is_read_by_github() {
            let out = annotations_output(is_readable, console);
            let report = OpenReport::new("of annotations", ReportKind::Annotations, out);
            open.push(report);
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

    pub(super) fn check(&self) -> Result<(), CommandError> {
        check_paths(&self.report, "json=run.jsonl")
    }

    /// Checks that no report would overwrite one of these files.
    pub(super) fn check_apart(&self, files: &[PathBuf]) -> Result<(), CommandError> {
        check_apart(&self.report, files)
    }

    /// Replaces the reports in files by what says that there was no run, and why. Otherwise, a CI system would
    /// show those of an earlier run.
    pub(super) fn write_failure(&self, reason: &str, scenarios: usize, console: &Console) {
        for choice in &self.report {
            let Some(path) = &choice.path else { continue };
            if try_to_write(path).is_err() {
                continue;
            }
            let mut tally = RunTally::default();
            tally.planned = scenarios.max(1);
            let ended = RunEnded {
                setup_problem: Some(reason.to_owned()),
                ..tally.partial_result()
            };
            let mut record = RunRecorder::new(KeptAttempts::OfProblems);
            let mut open = [in_file(self.formatted(choice.kind, None), path, console)];
            write_ends(&mut open, &mut record, ended);
            open.iter_mut().for_each(OpenReport::commit);
        }
    }

    /// Like [`Self::write_failure`], if a command failed before it opened its reports.
    pub(super) fn replace_unopened(
        &self,
        ended: &Result<ExitCode, CommandError>,
        console: &Console,
    ) {
        if let (Err(error), None) = (ended, self.opened.get()) {
            self.write_failure(error.message(), 1, console);
        }
    }

    /// Checks that every file is writable, without changing its content. Called before anything is
    /// sent.
    pub(super) fn check_writable(&self) -> Result<(), CommandError> {
        for path in paths(&self.report) {
            try_to_write(path).map_err(|error| {
                let message = format!("can't write the report {}: {error}", path.display());
                let help = "nothing was sent; choose a writable path";
                CommandError::usage(message).with_help(help)
            })?;
        }
        Ok(())
    }
}

fn in_file(kind: ReportKind, path: &Path, console: &Console) -> OpenReport {
    let name = path.display().to_string();
    let readers = match kind {
        // They have whole requests and responses.
        ReportKind::Json | ReportKind::Har | ReportKind::Html => Readers::Owner,
        _ => Readers::Usual,
    };
    let is_terminal = is_terminal_report(kind);
    let opened = if is_terminal || matches!(kind, ReportKind::Json) {
        create(path, readers).map(|file| (file, None))
    } else {
        begin(path, readers).map(|(file, replacement)| (file, Some(replacement)))
    };
    match opened {
        Ok((file, replacement)) => OpenReport {
            replacement,
            ..OpenReport::new(&name, kind, file_output(file, is_terminal))
        },
        Err(error) => {
            console.note(&format!(
                "warning: can't write the report {name}: {error}; the run continues without it"
            ));
            OpenReport {
                failed: Some(error),
                ..OpenReport::new(&name, kind, Box::new(io::sink()))
            }
        }
    }
}

fn is_terminal_report(kind: ReportKind) -> bool {
    matches!(kind, ReportKind::Terminal(_))
}

impl Reports {
    /// Receives events until the run ends. Fails if a report could not be written.
    pub(super) fn follow(mut self, events: &Receiver<RunEvent>) -> Result<(), CommandError> {
        let mut tally = RunTally::default();
        for event in events {
            tally.observe(&event);
            self.observe(event);
        }
        if tally.run_ended.is_none() && tally.planned > 0 {
            self.cut_short(tally.partial_result());
        }
        self.finish()
    }

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
        self.progress = None;
        write_ends(&mut self.open, &mut self.record, ended);
    }

    pub(super) fn finish(mut self) -> Result<(), CommandError> {
        self.open.iter_mut().for_each(OpenReport::commit);
        let failed: Vec<String> = self
            .open
            .into_iter()
            .filter_map(|open| Some((open.name, open.failed?)))
            .map(|(name, error)| format!("failed to write the report {name}: {error}"))
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(CommandError::not_completed(failed.join("\n")))
    }
}

fn write_ends(open: &mut [OpenReport], record: &mut RunRecorder, ended: RunEnded) {
    let record = std::mem::replace(record, RunRecorder::new(KeptAttempts::OfProblems));
    let record = record.finish(ended);
    for report in open {
        report.write(|kind, out| kind.write_end(out, &record));
    }
}
