//! The kinds of reports of a run: what each needs of the record, and what writes it.

use std::io::{self, Write};

use super::annotations::write_annotations;
use super::escaped_event::escape_start;
use super::har::write_har;
use super::html::page::write_page;
use super::junit::write_junit;
use super::markdown::write_markdown;
use super::run_record::RunRecord;
use super::scenario_record::{KeptAttempts, ScenarioRecord};
use super::terminal::TerminalFormat;
use crate::run::RunEvent;

/// A report of a run. Some are written as the run proceeds, the others at its end.
#[derive(Debug, Clone, Copy)]
pub enum ReportKind {
    /// Readable text.
    Terminal(TerminalFormat),
    /// One JSON object per line for every run event, described in `docs/report-json.md`.
    Json,
    /// For CI systems.
    Junit,
    /// A single page.
    Html,
    /// For the summary page of a CI job.
    Markdown,
    /// For a browser's developer tools.
    Har,
    /// Annotations for GitHub workflows.
    Annotations,
}

impl ReportKind {
    /// What the record must keep for the report.
    pub fn kept_attempts(self) -> KeptAttempts {
        match self {
            Self::Terminal(_) | Self::Json | Self::Markdown | Self::Annotations => {
                KeptAttempts::OfProblems
            }
            Self::Junit => KeptAttempts::Heads,
            Self::Html => KeptAttempts::Shortened,
            Self::Har => KeptAttempts::Whole,
        }
    }

    /// Writes what the report shows of an event as it happens.
    pub fn write_event(self, out: &mut dyn Write, event: &RunEvent) -> io::Result<()> {
        match (self, event) {
            (Self::Json, event) => {
                serde_json::to_writer(&mut *out, event)?;
                out.write_all(b"\n")?;
                // A reader must see what happened even if the run is killed.
                out.flush()
            }
            (Self::Terminal(format), RunEvent::RunStarted(started)) => {
                let mut started = started.clone();
                escape_start(&mut started);
                format.write_start(out, &started)
            }
            _ => Ok(()),
        }
    }

    /// Writes what the report shows of a scenario as it ends.
    pub fn write_scenario(self, out: &mut dyn Write, record: &ScenarioRecord) -> io::Result<()> {
        match self {
            Self::Terminal(format) => format.write_scenario(out, record),
            _ => Ok(()),
        }
    }

    /// Writes the rest of the report when the run has ended.
    pub fn write_end(self, out: &mut dyn Write, run: &RunRecord) -> io::Result<()> {
        match self {
            Self::Terminal(format) => format.write_end(out, run)?,
            Self::Json => {}
            Self::Junit => write_junit(out, run)?,
            Self::Html => write_page(out, run)?,
            Self::Markdown => write_markdown(out, run)?,
            Self::Har => write_har(out, run)?,
            Self::Annotations => write_annotations(out, run)?,
        }
        out.flush()
    }
}
