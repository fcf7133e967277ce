//! `aghook schema`: prints the JSON Schemas of scenario files, aghook.yaml and the JSON reports.

use std::io::Write as _;

use clap::{Args, ValueEnum};

use super::{CommandError, Console, ExitCode};
use crate::load::load_report_schema;
use crate::run::run_event_schema;
use crate::scenario::{config_schema, scenario_schema};

/// Print the JSON Schema of scenario files, aghook.yaml or the JSON reports
///
/// Editors use it for completion and documentation. For the YAML language server, save it as
/// scenario.schema.json and begin a scenario file with
/// `# yaml-language-server: $schema=scenario.schema.json`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Format to describe
    #[arg(value_name = "WHAT", default_value = "scenario")]
    what: SchemaKind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SchemaKind {
    /// A scenario file
    Scenario,
    /// aghook.yaml
    Config,
    /// A line of `aghook run --report json`
    Report,
    /// The JSON report of `aghook load` and `aghook merge`
    LoadReport,
}

impl Schema {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let schema = match self.what {
            SchemaKind::Scenario => scenario_schema(),
            SchemaKind::Config => config_schema(),
            SchemaKind::Report => run_event_schema(),
            SchemaKind::LoadReport => load_report_schema(),
        };
        writeln!(console, "{schema:#}")?;
        Ok(ExitCode::Success)
    }
}
