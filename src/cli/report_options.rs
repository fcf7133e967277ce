//! Which reports are written, and where to.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use clap::Args;

use super::command_error::CommandError;
use super::console::Console;
use crate::harness::{RunEnded, RunEvent};
use crate::report::{
    Annotations, Detail, HarReport, HtmlReport, JsonLines, JunitReport, MarkdownReport,
    ProgressReport, Report, TerminalReport,
};
use crate::scenario::document::nearest;

/// Which reports are written.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reports")]
pub(super) struct ReportOptions {
    /// A report, on standard output or in a file (repeatable): terminal, json, junit, html, markdown, har
    ///
    /// `terminal` is for people, and written to standard output unless another report is. `json`
    /// is one JSON object a line for every event of the run, as it happens. `junit` is for CI
    /// systems, `html` is one page to look into and to pass on, `markdown` is for the summary page of a CI job, and `har` holds every request and
    /// answer for a browser's developer tools; these are written when the run is over. Where
    /// `GITHUB_ACTIONS` is `true`, annotations for GitHub follow the terminal report.
    #[arg(long, value_name = "KIND[=PATH]")]
    report: Vec<ReportChoice>,

    /// Tell only what went wrong, and the summary
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,

    /// Tell every request and answer
    #[arg(short, long)]
    verbose: bool,
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
    Har,
}

impl ReportKind {
    const NAMED: [(&str, Self); 6] = [
        ("terminal", Self::Terminal),
        ("json", Self::Json),
        ("junit", Self::Junit),
        ("html", Self::Html),
        ("markdown", Self::Markdown),
        ("har", Self::Har),
    ];
}

impl std::str::FromStr for ReportChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = |kind: &str| format!("there is no report `{kind}`");
        let (kind, path) = kind_and_path(text, &ReportKind::NAMED, unknown)?;
        Ok(Self { kind, path })
    }
}

/// Reads `KIND[=PATH]`, where the kind is one of `named`.
pub(super) fn kind_and_path<K: Copy, const N: usize>(
    text: &str,
    named: &[(&'static str, K); N],
    unknown: impl FnOnce(&str) -> String,
) -> Result<(K, Option<PathBuf>), String> {
    let (kind, path) = match text.split_once('=') {
        Some((_, "")) => return Err("there is no path after `=`".to_owned()),
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

/// The reports of a run. One that can't be written does not keep the others from it.
pub(super) struct Reports(Vec<OpenReport>);

struct OpenReport {
    name: String,
    report: Box<dyn Report + Send>,
    /// Whether it shows the events as they are, and nothing that is made of them.
    shows_events: bool,
    failed: Option<io::Error>,
}

impl OpenReport {
    fn new(name: impl Into<String>, report: impl Report + Send + 'static) -> Self {
        Self {
            name: name.into(),
            report: Box::new(report),
            shows_events: false,
            failed: None,
        }
    }
}

impl ReportOptions {
    /// Opens all reports. One whose file can't be written keeps no other from being written, and is
    /// told of at once as well as at the end.
    pub(super) fn open(&self, console: &Console) -> Reports {
        let on_output = self.report.iter().find(|choice| choice.path.is_none());
        let on_output = on_output.map_or(ReportKind::Terminal, |choice| choice.kind);
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

    /// Reports that are written to the same place would make each other unreadable.
    pub(super) fn check(&self) -> Result<(), CommandError> {
        for (index, choice) in self.report.iter().enumerate() {
            let earlier = &self.report[..index];
            if earlier.iter().all(|other| other.path != choice.path) {
                continue;
            }
            return Err(match &choice.path {
                None => CommandError::usage(
                    "only one report can go to standard output",
                    "give the others a path, as in `--report json=run.jsonl`".to_owned(),
                ),
                Some(path) => CommandError::usage(
                    format!("two reports are to be written to {}", path.display()),
                    "give each a path of its own".to_owned(),
                ),
            });
        }
        Ok(())
    }

    /// Makes sure that every file can be written before anything is sent, and leaves what is in one
    /// as it is.
    pub(super) fn check_writable(&self) -> Result<(), CommandError> {
        let paths = self
            .report
            .iter()
            .filter_map(|choice| choice.path.as_deref());
        for path in paths {
            try_to_write(path).map_err(|error| {
                let message = format!("the report {} can't be written: {error}", path.display());
                let help = "nothing was sent; name a file in a folder that can be written to";
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

    fn on_output(&self, kind: ReportKind, console: &Console) -> OpenReport {
        let output = console.reopened();
        let name = "on standard output";
        match kind {
            ReportKind::Terminal => {
                let report = TerminalReport::new(output, self.detail()).with_width(console.width());
                OpenReport::new(name, ProgressReport::around(report))
            }
            _ => self.written(kind, name, output),
        }
    }

    fn in_file(&self, kind: ReportKind, path: &Path, console: &Console) -> OpenReport {
        let name = path.display().to_string();
        match create(path) {
            Ok(file) => {
                let file = BufWriter::new(file);
                match kind {
                    ReportKind::Terminal => self.written(kind, &name, PlainText(file)),
                    _ => self.written(kind, &name, file),
                }
            }
            Err(error) => {
                let message = format!(
                    "warning: the report {name} can't be written: {error}; the run goes on without \
                     it"
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
        kind: ReportKind,
        name: &str,
        out: impl Write + Send + 'static,
    ) -> OpenReport {
        match kind {
            ReportKind::Terminal => OpenReport::new(name, TerminalReport::new(out, self.detail())),
            ReportKind::Json => OpenReport {
                shows_events: true,
                ..OpenReport::new(name, JsonLines::new(out))
            },
            ReportKind::Junit => OpenReport::new(name, JunitReport::new(out)),
            ReportKind::Html => OpenReport::new(name, HtmlReport::new(out)),
            ReportKind::Markdown => OpenReport::new(name, MarkdownReport::new(out)),
            ReportKind::Har => OpenReport::new(name, HarReport::new(out)),
        }
    }
}

/// GitHub reads annotations from either stream. They follow the terminal report; where another
/// report has standard output for itself, they would spoil it.
fn annotations(on_output: ReportKind, console: &Console) -> OpenReport {
    let name = "of annotations";
    match on_output {
        ReportKind::Terminal => OpenReport::new(name, Annotations::new(console.reopened())),
        _ => OpenReport::new(name, Annotations::new(io::stderr())),
    }
}

/// Creates a file, and the folders on the way to it.
fn create(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    File::create(path)
}

/// Opens a file as a report does, but for what is in it. A pipe or a device is left alone: it may
/// notice.
fn try_to_write(path: &Path) -> io::Result<()> {
    let there = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() || metadata.is_dir() => true,
        Ok(_) => return Ok(()),
        Err(_) => false,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    File::options().append(true).create(true).open(path)?;
    if there {
        return Ok(());
    }
    std::fs::remove_file(path)
}

/// Takes the colours out of what is written to a file.
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
    /// Takes events until the run is over, and says which reports could not be written.
    pub(super) fn follow(mut self, events: &Receiver<RunEvent>) -> Result<(), CommandError> {
        for event in events {
            self.observe(&event);
        }
        self.finish()
    }

    /// Shows one event to every report that can still be written.
    pub(super) fn observe(&mut self, event: &RunEvent) {
        for open in self.0.iter_mut().filter(|open| open.failed.is_none()) {
            open.failed = open.report.observe(event).err();
        }
    }

    /// Ends the reports of a run that did not come to its end, as if it had been stopped there. Those
    /// that show the events themselves are shown none that did not happen.
    pub(super) fn cut_short(&mut self, ended: RunEnded) {
        let event = RunEvent::RunEnded(ended);
        for open in &mut self.0 {
            if !open.shows_events && open.failed.is_none() {
                open.failed = open.report.observe(&event).err();
            }
        }
    }

    /// Says which reports could not be written.
    pub(super) fn finish(self) -> Result<(), CommandError> {
        let failed: Vec<String> = self
            .0
            .into_iter()
            .filter_map(|open| Some((open.name, open.failed?)))
            .map(|(name, error)| format!("the report {name} could not be written: {error}"))
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(CommandError::not_completed(failed.join("\n"), None))
    }
}
