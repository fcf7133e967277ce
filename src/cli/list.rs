//! `aghook list`: lists scenarios, forgeries, faults, flaws and variants.

use std::io::Write as _;

use anstyle::Style;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::ExitCode;
use super::command_error::CommandError;
use super::console::Console;
use super::scenario_selection::ScenarioSelection;
use crate::policy::{Fault, Forgery};
use crate::receiver::{Flaw, Variant};
use crate::scenario::Case;

/// List scenarios, forgeries, faults, flaws or variants
#[derive(Debug, Args)]
pub struct List {
    /// What to list
    #[arg(long, value_name = "WHAT", default_value = "scenarios")]
    what: ListKind,

    /// Print one JSON object per line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    scenarios: ScenarioSelection,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ListKind {
    /// Scenarios with their tags and descriptions
    Scenarios,
    /// Forgeries that a receiver must refuse
    Forgeries,
    /// Bugs that the built-in receiver can have (`aghook receive --flaw`)
    Flaws,
    /// Sound implementation choices of the built-in receiver (`aghook receive --variant`)
    Variants,
    /// Faults that a receiver must survive
    Faults,
}

const NAME: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

impl List {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        match self.what {
            ListKind::Scenarios => {
                for case in self.scenarios.read(console)? {
                    self.scenario(&case, console)?;
                }
            }
            ListKind::Forgeries => {
                self.entries(Forgery::ALL.map(|one| (one.name(), one.about())), console)?;
            }
            ListKind::Faults => {
                self.entries(Fault::ALL.map(|one| (one.name(), one.about())), console)?;
            }
            ListKind::Variants => {
                self.entries(Variant::ALL.map(|one| (one.name(), one.about())), console)?;
            }
            ListKind::Flaws => {
                for flaw in Flaw::ALL {
                    self.flaw(flaw, console)?;
                }
            }
        }
        console.flush()?;
        Ok(ExitCode::Success)
    }

    fn entries<const N: usize>(
        &self,
        entries: [(&str, &str); N],
        console: &mut Console,
    ) -> Result<(), CommandError> {
        for (name, about) in entries {
            if self.json {
                writeln!(console, "{}", json!({ "name": name, "about": about }))?;
            } else {
                writeln!(console, "{NAME}{name}{NAME:#}\n  {about}")?;
            }
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
            let consequence = class.about();
            writeln!(console, "{NAME}{name}{NAME:#}  {DIM}{consequence}{DIM:#}")?;
            writeln!(console, "  {about}\n  {DIM}Symptom: {revealed_by}{DIM:#}")?;
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
        let location = format!("{}:{}", case.source.name, case.line);
        writeln!(console, "  {DIM}{location}  [{tags}]{DIM:#}")?;
        if !about.is_empty() {
            writeln!(console, "  {about}")?;
        }
        Ok(())
    }
}
