//! `aghook check`: what is wrong in files, without sending anything.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;

use super::command_error::CommandError;
use super::console::Console;
use super::{ExitCode, files};
use crate::delivery::{AllowedHosts, Target};
use crate::generate::StartTime;
use crate::harness::{Plan, PlanSettings};
use crate::scenario::document::{Diagnostic, Diagnostics, SourceFile};
use crate::scenario::{Case, Config, HttpVersionName, bundled_sources, find};

/// Check scenario files and aghook.yaml without sending anything
///
/// Exits with 2 if anything is wrong, and says what, where and what to do.
#[derive(Debug, Args)]
pub struct Check {
    /// Files, folders or quoted globs [default: the bundled suite, and aghook.yaml if it is here]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The file of target profiles [default: aghook.yaml, if it is in this folder]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let mut problems = Diagnostics::default();
        let configs = self.configs(&mut problems);
        let mut settings = PlanSettings {
            seed: None,
            start: StartTime::from_system_time(SystemTime::now()),
            catalogue: None,
            players: Arc::default(),
            first_player: 0,
            game_id: None,
            probes: Vec::new(),
            strict: false,
            http2_only: false,
        };
        let profiles = || configs.iter().flat_map(|config| config.profiles.values());
        settings.probes = profiles()
            .flat_map(|profile| profile.probes.keys().cloned())
            .collect();
        settings.http2_only =
            !self.paths.is_empty() && !configs.is_empty() && configs.iter().all(speaks_http2_only);
        let mut scenarios = 0;
        let sources = self.sources(&mut problems);
        for source in &sources {
            match Case::from_file(source) {
                Ok(cases) => {
                    scenarios += cases.len();
                    for case in cases {
                        problems.extend(Plan::new(case, &settings).err().unwrap_or_default().0);
                    }
                }
                Err(found) => problems.extend(found.0),
            }
        }
        problems
            .into_result()
            .map_err(|problems| files::wrong(&problems, console))?;
        writeln!(
            console,
            "nothing wrong in {} with {} and {}",
            counted(sources.len() + configs.len(), "file"),
            counted(scenarios, "scenario"),
            counted(profiles().count(), "profile"),
        )?;
        Ok(ExitCode::ChecksHeld)
    }

    /// All config files that are named, or else the usual one if it is here.
    fn configs(&self, problems: &mut Diagnostics) -> Vec<Config> {
        let named = self.paths.iter().filter(|path| is_config(path));
        let mut paths: Vec<&Path> = named.chain(&self.config).map(PathBuf::as_path).collect();
        let usual = Path::new(Config::FILE_NAME);
        if paths.is_empty() && usual.exists() {
            paths.push(usual);
        }
        paths.sort_unstable();
        paths.dedup();
        let read = |path| {
            let read = read_config(path);
            read.map_err(|found| problems.extend(found.0)).ok()
        };
        paths.into_iter().filter_map(read).collect()
    }

    fn sources(&self, problems: &mut Diagnostics) -> Vec<SourceFile> {
        if self.paths.is_empty() {
            return bundled_sources();
        }
        let scenarios: Vec<PathBuf> = self
            .paths
            .iter()
            .filter(|path| !is_config(path))
            .cloned()
            .collect();
        let files = find(&scenarios).unwrap_or_else(|found| {
            problems.extend(found.0);
            Vec::new()
        });
        let mut sources = Vec::new();
        for file in files {
            match SourceFile::read(&file) {
                Ok(source) => sources.push(source),
                Err(found) => problems.extend(found.0),
            }
        }
        sources
    }
}

/// Reads a config whose targets can be sent to.
fn read_config(path: &Path) -> Result<Config, Diagnostics> {
    let source = SourceFile::read(path)?;
    let mut config = Config::parse(&source)?;
    let mut problems = Diagnostics::default();
    problems.extend(config.read_players(path).err().unwrap_or_default().0);
    for (name, profile) in &config.profiles {
        let allowed = match AllowedHosts::new(&profile.allow_hosts) {
            Ok(allowed) => allowed,
            Err(error) => {
                let message = format!("profiles.{name}.allow_hosts: {error}");
                problems.extend([Diagnostic::for_file(source.name.clone(), message, None)]);
                continue;
            }
        };
        if let Some(target) = &profile.target
            && let Err(error) = Target::parse(target, &allowed)
        {
            let message = format!("profiles.{name}.target: {error}");
            problems.extend([Diagnostic::at(&source, target.span, message, None)]);
        }
    }
    problems.into_result().map(|()| config)
}

/// Whether there is no profile that a fault of HTTP/1.1 could be played with.
fn speaks_http2_only(config: &Config) -> bool {
    let mut profiles = config.profiles.values();
    !config.profiles.is_empty()
        && profiles.all(|profile| profile.http_version == HttpVersionName::Http2)
}

fn is_config(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name == Config::FILE_NAME)
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
