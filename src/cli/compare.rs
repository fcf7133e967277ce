//! `aghook compare`: where recorded deliveries differ from what aghook generates.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde_json::json;

use super::scenario_selection::diagnostics_error;
use super::{CommandError, Console, ExitCode};
use crate::capture::{
    Captured, Comparison, Difference, Expectation, RecordedDelivery, compare, profile_fragment,
    read_capture,
};
use crate::generate::{Seed, StartTime};
use crate::report::{sanitize, write_indented};
use crate::run::profile_generator;
use crate::scenario::{Config, Profile};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Yellow.on_default().bold();

/// Compare recorded deliveries with what aghook generates
///
/// Names every difference, how often it was seen, and an example: keys, types and order of the event, form
/// of IDs, layout, headers, and which responses were retried, when, and how. The profile says what aghook
/// generates: its layout, idempotency keys, contexts and retry policy. With --write-profile, writes a profile with which aghook
/// sends what was recorded.
///
/// Exits with 0 if there is no difference, 1 if there is one, 2 if the command line or a file is invalid,
/// and 3 if there is nothing to compare.
#[derive(Debug, Args)]
pub struct Compare {
    /// Capture of `aghook capture` or `aghook import`
    #[arg(value_name = "CAPTURE")]
    capture: PathBuf,

    /// File with the profile to compare with [default: aghook.yaml in the current folder, if present]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Profile to compare with [default: the only profile, otherwise `default`]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Write a profile with the recorded layout, idempotency keys, contexts and retries to this file
    #[arg(long, value_name = "FILE")]
    write_profile: Option<PathBuf>,

    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let profile = self.load_profile(console)?;
        let Captured { deliveries, note } = read_capture(&self.capture).map_err(|error| {
            CommandError::usage(error)
                .with_help("pass a file that `aghook capture` or `aghook import` wrote")
        })?;
        if let Some(note) = note {
            console.note(&note);
        }
        if deliveries.is_empty() {
            let message = format!("{} has no deliveries", self.capture.display());
            return Err(CommandError::not_completed(message));
        }
        let start = StartTime::now();
        let generator = profile_generator(&profile, Seed::of_text("compare"), start);
        let headers = profile.headers.iter().map(|(name, _)| name.to_owned());
        let policy = profile.retry_policy();
        let expected = Expectation::new(&generator, policy, headers.collect());
        let comparison = compare(&deliveries, &expected);
        if self.json {
            write_indented(console, &to_json(&comparison))?;
        } else {
            print(&comparison, console)?;
        }
        if let Some(path) = &self.write_profile {
            self.write_fragment(path, &deliveries, &comparison, &profile, console)?;
        }
        Ok(if comparison.differences.is_empty() {
            ExitCode::Success
        } else {
            ExitCode::CheckFailed
        })
    }

    /// The profile, or an empty one without a config file.
    fn load_profile(&self, console: &Console) -> Result<Profile, CommandError> {
        let default = Path::new(Config::FILE_NAME);
        let path = match &self.config {
            Some(path) => path.as_path(),
            None if self.profile.is_some() || default.exists() => default,
            None => return Ok(Profile::default()),
        };
        let rendered = |problems| diagnostics_error(&problems, console);
        let config = Config::read(path).map_err(rendered)?;
        let file = path.display().to_string();
        let (_, profile) = config
            .pick(self.profile.as_deref(), &file)
            .map_err(rendered)?;
        Ok(profile.clone())
    }

    fn write_fragment(
        &self,
        path: &Path,
        deliveries: &[RecordedDelivery],
        comparison: &Comparison,
        profile: &Profile,
        console: &mut Console,
    ) -> Result<(), CommandError> {
        let source = self
            .capture
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let source = sanitize(&source);
        let text = profile_fragment(deliveries, comparison, &profile.retry_policy(), &source);
        let shown = path.display();
        std::fs::write(path, text).map_err(|error| {
            CommandError::not_completed(format!("can't write {shown}: {error}"))
        })?;
        if !self.json {
            writeln!(console, "profile `captured` written to {shown}")?;
        }
        Ok(())
    }
}

fn print(comparison: &Comparison, console: &mut Console) -> Result<(), CommandError> {
    for difference in &comparison.differences {
        print_difference(difference, console)?;
    }
    if !comparison.differences.is_empty() {
        writeln!(console)?;
    }
    let Comparison {
        deliveries,
        signed,
        retries,
        ..
    } = comparison;
    writeln!(
        console,
        "{deliveries} deliveries compared: {signed} with a signature that matches, {} retries, {} \
         redeliveries after a success",
        retries.count, retries.duplicates,
    )?;
    match comparison.differences.len() {
        0 => writeln!(
            console,
            "{GOOD}no difference{GOOD:#} from what aghook generates"
        )?,
        1 => writeln!(
            console,
            "{BAD}1 difference{BAD:#} from what aghook generates"
        )?,
        count => writeln!(
            console,
            "{BAD}{count} differences{BAD:#} from what aghook generates"
        )?,
    }
    Ok(())
}

fn print_difference(difference: &Difference, console: &mut Console) -> Result<(), CommandError> {
    let Difference {
        name,
        place,
        sentence,
        seen,
        of,
        unit,
        example,
    } = difference;
    let name = name.text();
    let place = match place.as_str() {
        "" => String::new(),
        place => format!(" {}", sanitize(place)),
    };
    writeln!(console, "{BAD}{name}{BAD:#}{place}: {}", sanitize(sentence))?;
    write!(console, "  seen in {seen} of {of} {unit}")?;
    if let Some(example) = example {
        write!(console, "; example: {}", sanitize(example))?;
    }
    writeln!(console)?;
    Ok(())
}

fn to_json(comparison: &Comparison) -> serde_json::Value {
    let retries = &comparison.retries;
    let delays: Vec<f64> = retries
        .delays
        .iter()
        .map(std::time::Duration::as_secs_f64)
        .collect();
    json!({
        "deliveries": comparison.deliveries,
        "matching_signatures": comparison.signed,
        "retries": retries.count,
        "redeliveries_after_success": retries.duplicates,
        "median_retry_delays_seconds": delays,
        "differences": comparison.differences,
    })
}
