//! `aghook schema`: the JSON Schemas of the files that people write.

use std::io::Write as _;

use clap::{Args, ValueEnum};

use super::ExitCode;
use super::command_error::CommandError;
use super::console::Console;
use crate::scenario::{config_schema, scenario_schema};

/// Print the JSON Schema of scenario files, for editors that complete and explain
#[derive(Debug, Args)]
pub struct Schema {
    /// The file that is described
    #[arg(value_name = "FILE", default_value = "scenario")]
    file: Described,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Described {
    /// A scenario file
    Scenario,
    /// aghook.yaml
    Config,
}

impl Schema {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let schema = match self.file {
            Described::Scenario => scenario_schema(),
            Described::Config => config_schema(),
        };
        writeln!(console, "{schema:#}")?;
        console.flush()?;
        Ok(ExitCode::ChecksHeld)
    }
}
