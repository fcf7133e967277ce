//! `aghook schema`: the JSON Schemas of the files that people write, and of the report that
//! programs read.

use std::io::Write as _;

use clap::{Args, ValueEnum};

use super::ExitCode;
use super::command_error::CommandError;
use super::console::Console;
use crate::harness::run_event_schema;
use crate::load::load_report_schema;
use crate::scenario::{config_schema, scenario_schema};

/// Print the JSON Schema of scenario files, of aghook.yaml or of the JSON reports
///
/// An editor that knows it completes and explains while one writes. With the YAML language server,
/// save it as scenario.schema.json and begin a scenario file with
/// `# yaml-language-server: $schema=scenario.schema.json`.
#[derive(Debug, Args)]
pub struct Schema {
    /// What is described
    #[arg(value_name = "WHAT", default_value = "scenario")]
    what: Described,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Described {
    /// A scenario file
    Scenario,
    /// aghook.yaml
    Config,
    /// A line of `aghook run --report json`
    Report,
    /// What `aghook load --report json` and `aghook merge` write
    LoadReport,
}

impl Schema {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let schema = match self.what {
            Described::Scenario => scenario_schema(),
            Described::Config => config_schema(),
            Described::Report => run_event_schema(),
            Described::LoadReport => load_report_schema(),
        };
        writeln!(console, "{schema:#}")?;
        console.flush()?;
        Ok(ExitCode::ChecksHeld)
    }
}
