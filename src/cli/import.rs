//! `aghook import`: deliveries from logs, as a capture or as scenarios.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::capture::{create_capture, new_recorder};
use super::secret_options::{self, SecretOptions};
use super::{CommandError, Console, ExitCode};
use crate::capture::{
    RecordedDelivery, Recorder, ScenarioScope, is_capture, read_capture, read_log, scenarios,
};
use crate::files;
use crate::report::sanitize;

/// The maximum size of a log in bytes.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;

/// Import deliveries from logs
///
/// Reads raw HTTP requests, HAR files, JSON with headers (one object, a list, or one object a line) and
/// curl commands, and recognises the format by the content. Writes a capture as `aghook capture` does,
/// with players, names, addresses and secrets replaced, or scenarios that deliver the same again with new
/// identities. A capture can be imported, too, to make scenarios of it.
#[derive(Debug, Args)]
#[command(after_long_help = secret_options::SECRET_HELP)]
pub struct Import {
    /// Logs or captures
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Capture to write, with one delivery a line [default: captured.jsonl, unless --scenarios is given]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Folder to write scenarios to, which is created if missing
    #[arg(long, value_name = "DIR")]
    scenarios: Option<PathBuf>,

    /// What a scenario is made for
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Per::Transaction, requires = "scenarios")]
    per: Per,

    #[command(flatten)]
    secret: SecretOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Per {
    /// An event with its retries
    Event,
    /// All events of a transaction
    Transaction,
}

impl Import {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let secret = self.secret.load_if_any()?;
        let mut recorder = new_recorder(secret.as_ref())?;
        let (mut deliveries, mut others) = (Vec::new(), 0);
        for path in &self.files {
            others += read(path, &mut recorder, &mut deliveries, console)?;
        }
        if deliveries.is_empty() {
            let message = format!("no deliveries in these files; {others} other requests");
            let help = "a delivery has the header X-Aghanim-Signature, or a body with `event_type`";
            return Err(CommandError::not_completed(message).with_help(help));
        }
        if let Some(path) = self.capture_path() {
            let mut writer = create_capture(path)?;
            for delivery in &deliveries {
                writer
                    .write(delivery)
                    .map_err(|error| not_written(path, &error))?;
            }
            let (count, path) = (deliveries.len(), path.display());
            writeln!(
                console,
                "{count} deliveries written to {path}; {others} other requests"
            )?;
        }
        if let Some(folder) = &self.scenarios {
            self.write_scenarios(folder, &deliveries, console)?;
        }
        Ok(ExitCode::Success)
    }

    fn capture_path(&self) -> Option<&Path> {
        let default = Path::new("captured.jsonl");
        let output = self.output.as_deref();
        output.or(self.scenarios.is_none().then_some(default))
    }

    fn write_scenarios(
        &self,
        folder: &Path,
        deliveries: &[RecordedDelivery],
        console: &mut Console,
    ) -> Result<(), CommandError> {
        let scope = match self.per {
            Per::Event => ScenarioScope::Event,
            Per::Transaction => ScenarioScope::Transaction,
        };
        let scenarios = scenarios(deliveries, scope).map_err(CommandError::not_completed)?;
        if scenarios.is_empty() {
            let message = "no scenarios: none of the deliveries is a coupon.redeemed, item.add or \
                           item.remove";
            return Err(CommandError::not_completed(message));
        }
        std::fs::create_dir_all(folder).map_err(|error| not_written(folder, &error))?;
        for scenario in &scenarios {
            let path = folder.join(&scenario.name);
            if path.exists() {
                let message = format!("{} exists", path.display());
                let help = "choose another folder with `--scenarios DIR`";
                return Err(CommandError::usage(message).with_help(help));
            }
            std::fs::write(&path, &scenario.yaml).map_err(|error| not_written(&path, &error))?;
        }
        let (count, shown) = (scenarios.len(), folder.display());
        let covered: usize = scenarios.iter().map(|scenario| scenario.deliveries).sum();
        writeln!(
            console,
            "{count} scenarios with {covered} deliveries written to {shown}"
        )?;
        Ok(())
    }
}

fn not_written(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::not_completed(format!("can't write {}: {error}", path.display()))
}

/// Adds the deliveries of a file, and returns the number of other requests.
fn read(
    path: &Path,
    recorder: &mut Recorder,
    deliveries: &mut Vec<RecordedDelivery>,
    console: &Console,
) -> Result<usize, CommandError> {
    let shown = path.display();
    let text = files::read(path, FILE_LIMIT)
        .map_err(|error| CommandError::usage(format!("can't read {shown}: {error}")))?;
    let text = String::from_utf8_lossy(&text);
    if is_capture(&text) {
        let captured = read_capture(path).map_err(CommandError::usage)?;
        if let Some(note) = captured.note {
            console.note(&note);
        }
        deliveries.extend(captured.deliveries);
        return Ok(0);
    }
    let exchanges = read_log(&text).map_err(|error| {
        CommandError::usage(sanitize(&format!("{shown}: {error}"))).with_help(
            "pass raw HTTP requests, a HAR file, JSON with `headers` and `body`, or a curl command",
        )
    })?;
    let all = exchanges.len();
    let before = deliveries.len();
    let events = exchanges
        .iter()
        .filter(|exchange| exchange.request.is_delivery());
    deliveries.extend(events.map(|exchange| recorder.record(exchange)));
    Ok(all - (deliveries.len() - before))
}
