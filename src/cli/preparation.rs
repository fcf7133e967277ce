//! From options and a profile to a harness that can run: the secret is read, the probes are made
//! ready, and where no target is named, the built-in receiver is started.

use std::sync::Arc;

use indexmap::IndexMap;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::command_error::CommandError;
use super::secret_options::SecretOptions;
use super::secrets::Secrets;
use super::target_options::ChosenTarget;
use crate::delivery::{AllowedHosts, Clock, RateLimit, SignedSeconds, Target};
use crate::generate::{Catalogue, Seed, StartTime};
use crate::harness::{
    Capabilities, HookError, PlanSettings, PreparedProbe, PreparedRestart, PreparedScript,
    Redaction, RunContext,
};
use crate::protocol::Secret;
use crate::receiver::{Receiver, ReceiverSettings};
use crate::scenario::document::SourceFile;
use crate::scenario::{Config, Profile, SnapshotSettings};

/// What a run is made of before anything is started.
pub(super) struct Preparation<'options> {
    pub(super) target: ChosenTarget,
    pub(super) secret: &'options SecretOptions,
    pub(super) seed: Option<Seed>,
    pub(super) start: StartTime,
    pub(super) strict: bool,
    pub(super) real_time: bool,
    pub(super) fail_fast: bool,
    pub(super) jobs: usize,
}

/// A harness that is ready, and the built-in receiver if that is its target.
pub(super) struct PreparedRun {
    pub(super) harness: RunContext,
    pub(super) seed: Option<Seed>,
    pub(super) start: StartTime,
    pub(super) built_in: Option<BuiltInReceiver>,
    /// What of this receiver's answers is shown in snapshot reports.
    pub(super) snapshots: SnapshotSettings,
}

/// The built-in receiver while it runs.
pub(super) struct BuiltInReceiver {
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl BuiltInReceiver {
    /// Lets it answer what it has begun, and waits for its end.
    pub(super) async fn stop(self) {
        // If it has ended already, there is nobody to tell and nothing to wait for.
        let _ = self.stop.send(());
        let _ = self.served.await;
    }
}

impl Preparation<'_> {
    pub(super) fn plan_settings(&self) -> PlanSettings {
        let profile = &self.target.profile;
        let catalogue = match profile.items.as_slice() {
            [] => None,
            items => Some(Arc::new(Catalogue::of(items.to_vec()))),
        };
        PlanSettings {
            seed: self.seed,
            start: self.start,
            catalogue,
            players: profile.listed_players().into(),
            first_player: 0,
            game_id: profile.game_id.clone(),
            probes: profile.probes.keys().cloned().collect(),
            strict: self.strict,
            // A run goes on without them, and says which checks it could not make.
            http2_only: false,
        }
    }

    /// What decides what can be checked. Nothing is started, and no secret is read.
    pub(super) fn surroundings(&self) -> Result<Capabilities, CommandError> {
        let built_in = self.target.or_built_in()?.is_none();
        let profile = if built_in {
            // Where it would listen decides nothing.
            built_in_profile("http://127.0.0.1")?
        } else {
            self.target.profile.clone()
        };
        Ok(Capabilities {
            probes: profile.probes.keys().cloned().collect(),
            script: profile.script.is_some(),
            restart: profile.restart.is_some(),
            expired_secret: built_in || profile.expired_secret_env.is_some(),
            http_version: self.target.client.http_version(),
            policy: profile.policy,
        })
    }

    pub(super) async fn start(self) -> Result<PreparedRun, CommandError> {
        let secret = self.secret;
        self.start_with(|profile| Secrets::load(secret, profile))
            .await
    }

    /// Starts with the secrets that `load` finds; the built-in receiver has some of its own.
    pub(super) async fn start_with(
        self,
        load: impl FnOnce(&Profile) -> Result<Secrets, CommandError>,
    ) -> Result<PreparedRun, CommandError> {
        let (seed, start) = (self.seed, self.start);
        let (profile, target, secrets, built_in) =
            if let Some(target) = self.target.or_built_in()? {
                let profile = self.target.profile.clone();
                let secrets = load(&profile)?;
                (profile, target.clone(), secrets, None)
            } else {
                let secrets = Secrets::random()?;
                let (base, receiver) = start_built_in(secrets.present().clone()).await?;
                let profile = built_in_profile(&base)?;
                let url = format!("{base}{}", ReceiverSettings::DEFAULT_PATH);
                let target = Target::parse(&url, &AllowedHosts::loopback_only())
                    .map_err(|error| CommandError::not_completed(error.to_string(), None))?;
                (profile, target, secrets, Some(receiver))
            };
        let harness = self.harness(&profile, target, &secrets)?;
        Ok(PreparedRun {
            harness,
            seed,
            start,
            built_in,
            snapshots: profile.snapshots,
        })
    }

    fn harness(
        self,
        profile: &Profile,
        target: Target,
        secrets: &Secrets,
    ) -> Result<RunContext, CommandError> {
        let ChosenTarget {
            allowed, client, ..
        } = self.target;
        let mut probes = IndexMap::new();
        for (name, probe) in &profile.probes {
            let prepared = PreparedProbe::new(probe, &allowed)
                .map_err(|problem| unusable(&format!("probe `{name}`"), &problem))?;
            probes.insert(name.clone(), prepared);
        }
        let script = profile
            .script
            .as_ref()
            .map(|hook| PreparedScript::new(hook, &allowed));
        let script = script
            .transpose()
            .map_err(|problem| unusable("`script`", &problem))?;
        let restart = profile
            .restart
            .as_ref()
            .map(|hook| PreparedRestart::new(hook, &allowed));
        let restart = restart
            .transpose()
            .map_err(|problem| unusable("`restart`", &problem))?;
        let credentials = probes.values().flat_map(PreparedProbe::credentials);
        let credentials = credentials.chain(script.iter().flat_map(PreparedScript::credentials));
        let credentials = credentials.chain(restart.iter().flat_map(PreparedRestart::credentials));
        let redaction = Redaction::new(secrets.all().chain(credentials));
        let clock = Clock::system();
        Ok(RunContext {
            client,
            target,
            signer: secrets.signer(),
            expired: secrets.expired_signer(),
            signed_seconds: SignedSeconds::default(),
            rate_limit: profile.max_rate.map(RateLimit::new),
            redaction,
            allowed,
            clock: if self.real_time {
                clock.real_time()
            } else {
                clock
            },
            retry: profile.retry_policy(),
            policy: profile.policy,
            held_once: profile.held_once(),
            probes,
            script,
            restart,
            settle: profile.settle.map(|settle| settle.0),
            jobs: self.jobs,
            fail_fast: self.fail_fast,
        })
    }
}

fn unusable(hook: &str, problem: &HookError) -> CommandError {
    let help = match problem {
        HookError::Variable(_) => {
            Some("set it in the shell, or write `$$` where a plain `$` is meant".to_owned())
        }
        _ => None,
    };
    CommandError::usage(
        format!("the profile's {hook} can't be used: {problem}"),
        help,
    )
}

/// Starts the built-in receiver on a free port of this machine, and returns its base URL.
async fn start_built_in(secret: Secret) -> Result<(String, BuiltInReceiver), CommandError> {
    let receiver = Receiver::bind(ReceiverSettings::new(secret))
        .await
        .map_err(|error| {
            let message = format!("the built-in receiver can't be started: {error}");
            CommandError::not_completed(message, error.help())
        })?;
    let base = format!("http://{}", receiver.address());
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(async move {
        // It ends when it is told to, and its errors show as failed deliveries.
        let _ = receiver.serve(async { _ = stopped.await }).await;
    });
    Ok((base, BuiltInReceiver { stop, served }))
}

/// What is known of the built-in receiver, in the words that any receiver is described with.
fn built_in_profile(base: &str) -> Result<Profile, CommandError> {
    let text = include_str!("built-in-profile.yaml").replace("http://BUILT-IN", base);
    let source = SourceFile::new("the built-in profile", text);
    let wrong = |error: String| CommandError::not_completed(error, None);
    let config = Config::parse(&source).map_err(|problems| wrong(problems.to_string()))?;
    let (_, profile) = config
        .pick(None, &source.name)
        .map_err(|problems| wrong(problems.to_string()))?;
    Ok(profile.clone())
}
