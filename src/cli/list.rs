//! `aghook list`: lists scenarios, forgeries, faults, flaws and variants.

use std::io::Write as _;

use anstyle::Style;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::scenario_selection::ScenarioSelection;
use super::{CommandError, Console, ExitCode};
use crate::policy::{Fault, Forgery};
use crate::receiver::{Flaw, Variant};
use crate::report::escape;
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

/// An entry as JSON and as text for people.
type Entry = (Value, String);

impl List {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let entries: Vec<Entry> = match self.what {
            ListKind::Scenarios => self.scenarios.read(console)?.iter().map(scenario).collect(),
            ListKind::Forgeries => Forgery::ALL
                .map(|one| named(one.name(), one.about()))
                .into(),
            ListKind::Faults => Fault::ALL.map(|one| named(one.name(), one.about())).into(),
            ListKind::Variants => Variant::ALL
                .map(|one| named(one.name(), one.about()))
                .into(),
            ListKind::Flaws => Flaw::ALL.map(flaw).into(),
        };
        for (json, text) in entries {
            if self.json {
                writeln!(console, "{json}")?;
            } else {
                writeln!(console, "{text}")?;
            }
        }
        Ok(ExitCode::Success)
    }
}

fn named(name: &str, about: &str) -> Entry {
    let json = json!({ "name": name, "about": about });
    (json, format!("{NAME}{name}{NAME:#}\n  {about}"))
}

fn flaw(flaw: Flaw) -> Entry {
    let (name, class) = (flaw.name(), flaw.class());
    let (about, revealed_by, remedy) = (flaw.about(), flaw.revealed_by(), flaw.remedy());
    let json = json!({
        "name": name,
        "class": class,
        "about": about,
        "revealed_by": revealed_by,
        "remedy": remedy,
    });
    let consequence = class.about();
    let text = format!(
        "{NAME}{name}{NAME:#}  {DIM}{consequence}{DIM:#}\n  {about}\n  {DIM}Symptom: \
         {revealed_by}{DIM:#}\n  {DIM}Remedy: {remedy}{DIM:#}"
    );
    (json, text)
}

fn scenario(case: &Case) -> Entry {
    let (title, scenario) = (case.title(), &case.scenario);
    let about = scenario.about.as_deref().unwrap_or_default().trim();
    let (file, line) = (case.source.name.as_ref(), case.line);
    let json = json!({
        "name": title,
        "about": about,
        "tags": scenario.tags,
        "level": scenario.level,
        "source": scenario.source,
        "file": file,
        "line": line,
    });
    let (title, file) = (escape(&title), escape(file));
    let tags = escape(&scenario.tags.join(", "));
    let mut text = format!("{NAME}{title}{NAME:#}\n  {DIM}{file}:{line}  [{tags}]{DIM:#}");
    if !about.is_empty() {
        let lines: Vec<String> = about.lines().map(escape).collect();
        text.push_str("\n  ");
        text.push_str(&lines.join("\n"));
    }
    (json, text)
}
