//! Which reports are written, and where to.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use clap::Args;

use super::command_error::CommandError;
use super::console::Console;
use crate::harness::RunEvent;
use crate::report::{Detail, JsonLines, Progress, Report, TerminalReport};

/// Which reports are written.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reports")]
pub(super) struct ReportOptions {
    /// A report, on standard output or in a file (repeatable): terminal, json
    ///
    /// `terminal` is for people, and written to standard output unless another report is. `json`
    /// is one JSON object a line for every event of the run.
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
}

impl std::str::FromStr for ReportChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, path) = match text.split_once('=') {
            Some((_, "")) => return Err("there is no path after `=`".to_owned()),
            Some((kind, path)) => (kind, Some(PathBuf::from(path))),
            None => (text, None),
        };
        let kind = match kind {
            "terminal" => ReportKind::Terminal,
            "json" => ReportKind::Json,
            _ => {
                return Err(format!(
                    "there is no report `{kind}`; known: terminal, json"
                ));
            }
        };
        Ok(Self { kind, path })
    }
}

/// The reports of a run. One that can't be written does not keep the others from it.
pub(super) struct Reports(Vec<OpenReport>);

struct OpenReport {
    name: String,
    report: Box<dyn Report + Send>,
    failed: Option<io::Error>,
}

impl ReportOptions {
    /// Refuses reports that can't be written together.
    pub(super) fn check(&self) -> Result<(), CommandError> {
        if self.on_output_count() > 1 {
            let help = "give the others a path, as in `--report json=run.jsonl`".to_owned();
            return Err(CommandError::usage(
                "only one report can go to standard output",
                help,
            ));
        }
        Ok(())
    }

    fn on_output_count(&self) -> usize {
        let choices = self.report.iter();
        choices.filter(|choice| choice.path.is_none()).count()
    }

    /// Opens all reports, so that a path that can't be written is known before anything is sent.
    /// What the files held is gone.
    pub(super) fn open(&self, console: &Console) -> Result<Reports, CommandError> {
        let mut reports = Vec::new();
        if self.on_output_count() == 0 {
            reports.push(self.on_output(ReportKind::Terminal, console));
        }
        for choice in &self.report {
            reports.push(match &choice.path {
                None => self.on_output(choice.kind, console),
                Some(path) => self.in_file(choice.kind, path)?,
            });
        }
        Ok(Reports(reports))
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
        let report: Box<dyn Report + Send> = match kind {
            ReportKind::Terminal => {
                Box::new(Progress::around(TerminalReport::new(output, self.detail())))
            }
            ReportKind::Json => Box::new(JsonLines::new(output)),
        };
        OpenReport {
            name: "on standard output".to_owned(),
            report,
            failed: None,
        }
    }

    fn in_file(&self, kind: ReportKind, path: &PathBuf) -> Result<OpenReport, CommandError> {
        let name = path.display().to_string();
        let file = File::create(path).map_err(|error| {
            let help = "check that the folder is there and can be written to".to_owned();
            CommandError::usage(format!("can't write the report {name}: {error}"), help)
        })?;
        let file = BufWriter::new(file);
        let report: Box<dyn Report + Send> = match kind {
            ReportKind::Terminal => {
                let plain = PlainText(file);
                Box::new(TerminalReport::new(plain, self.detail()))
            }
            ReportKind::Json => Box::new(JsonLines::new(file)),
        };
        Ok(OpenReport {
            name,
            report,
            failed: None,
        })
    }
}

/// Takes the colours out of what is written to a file.
struct PlainText(BufWriter<File>);

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
            for open in self.0.iter_mut().filter(|open| open.failed.is_none()) {
                open.failed = open.report.observe(&event).err();
            }
        }
        let failed = self
            .0
            .into_iter()
            .find_map(|open| Some((open.name, open.failed?)));
        match failed {
            None => Ok(()),
            Some((name, error)) => {
                let message = format!("the report {name} could not be written: {error}");
                Err(CommandError::not_completed(message, None))
            }
        }
    }
}
