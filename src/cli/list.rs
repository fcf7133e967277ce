//! `aghook list`: which scenarios there are, and what the words of scenarios and of the built-in
//! receiver mean.

use std::io::Write as _;

use anstyle::Style;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::ExitCode;
use super::command_error::CommandError;
use super::console::Console;
use super::files::ScenarioOptions;
use crate::receiver::{Flaw, Variant};
use crate::scenario::{Case, Fault, Forgery};

/// List scenarios, forgeries, faults, or flaws and variants of the built-in receiver
#[derive(Debug, Args)]
pub struct List {
    /// What to list
    #[arg(long, value_name = "WHAT", default_value = "scenarios")]
    what: Listed,

    /// Print one JSON object a line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    scenarios: ScenarioOptions,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Listed {
    /// Scenarios with their tags and what they are about
    Scenarios,
    /// Forgeries, which a receiver must refuse
    Forgeries,
    /// Flaws that the built-in receiver can show (`aghook receive --flaw`)
    Flaws,
    /// Ways in which the built-in receiver can differ and be sound (`aghook receive --variant`)
    Variants,
    /// Faults, which a receiver must survive
    Faults,
}

const NAME: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

impl List {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        match self.what {
            Listed::Scenarios => {
                for case in self.scenarios.read(console)? {
                    self.scenario(&case, console)?;
                }
            }
            Listed::Forgeries => {
                for forgery in Forgery::ALL {
                    self.word(forgery.name(), forgery.about(), console)?;
                }
            }
            Listed::Faults => {
                for fault in Fault::ALL {
                    self.word(fault.name(), fault.about(), console)?;
                }
            }
            Listed::Variants => {
                for variant in Variant::ALL {
                    self.word(variant.name(), variant.about(), console)?;
                }
            }
            Listed::Flaws => {
                for flaw in Flaw::ALL {
                    self.flaw(flaw, console)?;
                }
            }
        }
        console.flush()?;
        Ok(ExitCode::ChecksHeld)
    }

    fn word(&self, name: &str, about: &str, console: &mut Console) -> Result<(), CommandError> {
        if self.json {
            writeln!(console, "{}", json!({ "name": name, "about": about }))?;
        } else {
            writeln!(console, "{NAME}{name}{NAME:#}\n  {about}")?;
        }
        Ok(())
    }

    fn flaw(&self, flaw: Flaw, console: &mut Console) -> Result<(), CommandError> {
        let (name, class) = (flaw.name(), flaw.class());
        let (about, revealed_by) = (flaw.about(), flaw.revealed_by());
        if self.json {
            let line = json!({
                "name": name,
                "class": class,
                "about": about,
                "revealed_by": revealed_by,
            });
            writeln!(console, "{line}")?;
        } else {
            writeln!(console, "{NAME}{name}{NAME:#}  {DIM}{class}{DIM:#}")?;
            writeln!(console, "  {about}\n  {DIM}{revealed_by}{DIM:#}")?;
        }
        Ok(())
    }

    fn scenario(&self, case: &Case, console: &mut Console) -> Result<(), CommandError> {
        let (title, scenario) = (case.title(), &case.scenario);
        let about = scenario.about.as_deref().unwrap_or_default().trim();
        if self.json {
            let line = json!({
                "name": title,
                "about": about,
                "tags": scenario.tags,
                "level": scenario.level,
                "source": scenario.source,
                "file": case.source.name.as_ref(),
                "line": case.line,
            });
            writeln!(console, "{line}")?;
            return Ok(());
        }
        writeln!(console, "{NAME}{title}{NAME:#}")?;
        let tags = scenario.tags.join(", ");
        let place = format!("{}:{}", case.source.name, case.line);
        writeln!(console, "  {DIM}{place}  [{tags}]{DIM:#}")?;
        if !about.is_empty() {
            writeln!(console, "  {about}")?;
        }
        Ok(())
    }
}
