//! `aghook check`: checks scenario files and aghook.yaml.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::{CommandError, Console, ExitCode, scenario_selection};
use crate::generate::{EventForm, StartTime};
use crate::policy::HttpVersion;
use crate::probe::unusable_hooks;
use crate::protocol::EventKind;
use crate::run::{KnownHook, Plan, PlanSettings, PlannedSizes};
use crate::scenario::document::{Diagnostic, Diagnostics, SourceFile};
use crate::scenario::{Case, Config, Profile, bundled_sources, find};
use crate::transport::{AllowedHosts, Client, ClientSettings, Target, TlsSettings};

/// Check scenario files and aghook.yaml for errors, without sending anything
///
/// Prints the errors with their locations and how to fix them, and exits with 2 if there are any.
#[derive(Debug, Args)]
pub struct CheckCommand {
    /// Files, folders or quoted globs [default: the bundled suite]; aghook.yaml is always checked too,
    /// if present
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// File with the target profiles [default: aghook.yaml in the current folder, if present]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl CheckCommand {
    pub(super) fn run(self, console: &mut Console) -> Result<ExitCode, CommandError> {
        let mut problems = Diagnostics::default();
        let configs = self.configs(&mut problems);
        let mut settings = PlanSettings {
            seed: None,
            start: StartTime::now(),
            catalogue: None,
            players: Arc::default(),
            first_player: 0,
            game_id: None,
            usual_kind: EventKind::CouponRedeemed,
            form: EventForm::default(),
            probes: Vec::new(),
            hooks: Vec::new(),
            strict: false,
            http2_only: false,
        };
        let profiles = || configs.iter().flat_map(|config| config.profiles.values());
        settings.probes = profiles()
            .flat_map(|profile| profile.probes.keys().cloned())
            .collect();
        settings.hooks = profiles()
            .flat_map(Profile::named_hooks)
            .map(|(name, hook)| KnownHook::new(name, hook))
            .collect();
        settings.http2_only =
            !self.paths.is_empty() && !configs.is_empty() && configs.iter().all(speaks_http2_only);
        // Without a profile, it is not known which hosts it allows.
        let hosts = profiles().flat_map(|profile| &profile.allow_hosts);
        let allowed = AllowedHosts::new(hosts)
            .ok()
            .filter(|_| !configs.is_empty());
        let mut scenarios = 0;
        let sources = self.sources(&mut problems);
        let mut sizes = PlannedSizes::default();
        for source in &sources {
            for case in problems.take(Case::from_file(source)).unwrap_or_default() {
                scenarios += 1;
                let Some(plan) = problems.take(Plan::new(case, &settings)) else {
                    continue;
                };
                if let Some(allowed) = &allowed {
                    problems.take(plan.check_requests(allowed));
                }
                problems.take(sizes.add(&plan));
            }
        }
        problems
            .into_result()
            .map_err(|problems| scenario_selection::diagnostics_error(&problems, console))?;
        let files = count_of(sources.len() + configs.len(), "file");
        let scenarios = count_of(scenarios, "scenario");
        let profiles = count_of(profiles().count(), "profile");
        writeln!(
            console,
            "no errors in {files} with {scenarios} and {profiles}"
        )?;
        Ok(ExitCode::Success)
    }

    /// The config files given as arguments, or aghook.yaml in the current folder.
    fn configs(&self, problems: &mut Diagnostics) -> Vec<Config> {
        let given = self.paths.iter().filter(|path| is_config(path));
        let mut paths: Vec<&Path> = given.chain(&self.config).map(PathBuf::as_path).collect();
        let default = Path::new(Config::FILE_NAME);
        if paths.is_empty() && default.exists() {
            paths.push(default);
        }
        paths.sort_unstable();
        paths.dedup();
        let read = |path| problems.take(read_config(path));
        paths.into_iter().filter_map(read).collect()
    }

    fn sources(&self, problems: &mut Diagnostics) -> Vec<SourceFile> {
        if self.paths.is_empty() {
            return bundled_sources();
        }
        let scenarios = self.paths.iter().filter(|path| !is_config(path));
        let files = problems.take(find(&scenarios.cloned().collect::<Vec<_>>()));
        let files = files.unwrap_or_default().into_iter();
        files
            .filter_map(|file| problems.take(SourceFile::read(&file)))
            .collect()
    }
}

/// Reads a config and checks that its targets are usable.
fn read_config(path: &Path) -> Result<Config, Diagnostics> {
    let source = SourceFile::read(path)?;
    let mut config = Config::parse(&source)?;
    let mut problems = Diagnostics::default();
    problems.take(config.read_players(path));
    for (name, profile) in &config.profiles {
        let allowed = match AllowedHosts::new(&profile.allow_hosts) {
            Ok(allowed) => allowed,
            Err(error) => {
                let message = format!("profiles.{name}.allow_hosts: {error}");
                problems.extend([Diagnostic::for_file(source.name.clone(), message)]);
                continue;
            }
        };
        let unusable = unusable_hooks(profile, &allowed).into_iter();
        let unusable = unusable.map(|(hook, error)| format!("profiles.{name}: {hook}: {error}"));
        let settings = ClientSettings {
            tls: TlsSettings {
                cacert: profile.cacert.clone(),
                client_cert: profile.client_cert.clone(),
                client_key: profile.client_key.clone(),
                insecure: profile.insecure,
            },
            ..ClientSettings::default()
        };
        let certificates = Client::new(settings).err();
        let certificates = certificates.map(|error| format!("profiles.{name}: {error}"));
        let file = |message| Diagnostic::for_file(source.name.clone(), message);
        problems.extend(unusable.chain(certificates).map(file));
        let own = profile
            .target
            .iter()
            .map(|target| ("target".to_owned(), target));
        let instances = profile.targets.iter();
        let instances = instances.map(|(key, target)| (format!("targets.{key}"), target));
        for (key, target) in own.chain(instances) {
            if let Err(error) = Target::parse(target, &allowed) {
                let message = format!("profiles.{name}.{key}: {error}");
                problems.extend([Diagnostic::at(&source, target.span, message)]);
            }
        }
    }
    problems.into_result().map(|()| config)
}

/// Whether every profile uses HTTP/2, so that faults of HTTP/1.1 can't be tested.
fn speaks_http2_only(config: &Config) -> bool {
    let mut profiles = config.profiles.values();
    !config.profiles.is_empty()
        && profiles.all(|profile| profile.http_version == HttpVersion::Http2)
}

fn is_config(path: &Path) -> bool {
    path.ends_with(Config::FILE_NAME)
}

fn count_of(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
