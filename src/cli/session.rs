//! Builds a ready-to-run context from options and a profile: reads the secrets, prepares the probes,
//! and starts the built-in receiver if there is no target.

use std::sync::Arc;

use indexmap::IndexMap;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::command_error::CommandError;
use super::secret_options::SecretOptions;
use super::secrets::Secrets;
use super::target_options::ChosenTarget;
use crate::delivery::{Clock, TimestampAllocator};
use crate::generate::{Catalogue, Seed, StartTime};
use crate::probe::{HookError, PreparedProbe, PreparedRestart, PreparedScript, Redaction};
use crate::protocol::Secret;
use crate::receiver::{Receiver, ReceiverSettings};
use crate::run::{Capabilities, PlanSettings, RunContext};
use crate::scenario::document::SourceFile;
use crate::scenario::{Config, Profile, SnapshotSettings};
use crate::transport::{AllowedHosts, RateLimit, Target};

/// The options and the profile of a session.
pub(super) struct SessionSettings<'options> {
    pub(super) target: ChosenTarget,
    pub(super) secret: &'options SecretOptions,
    pub(super) seed: Option<Seed>,
    pub(super) start: StartTime,
    pub(super) strict: bool,
    pub(super) real_time: bool,
    pub(super) fail_fast: bool,
    pub(super) jobs: usize,
}

/// A ready context, and the built-in receiver if it is the target.
pub(super) struct Session {
    pub(super) context: RunContext,
    pub(super) seed: Option<Seed>,
    pub(super) start: StartTime,
    pub(super) built_in: Option<BuiltInReceiver>,
    /// How snapshot reports show this receiver's responses.
    pub(super) snapshots: SnapshotSettings,
}

/// The running built-in receiver.
pub(super) struct BuiltInReceiver {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl BuiltInReceiver {
    /// Lets it finish the requests in progress, and waits until it has stopped.
    pub(super) async fn stop(self) {
        // Both fail harmlessly if it has already stopped.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

impl SessionSettings<'_> {
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
            // A run continues without faults of HTTP/1.1, and reports them as not checked.
            http2_only: false,
        }
    }

    /// The capabilities that decide what can be checked. Starts nothing and reads no secret.
    pub(super) fn surroundings(&self) -> Result<Capabilities, CommandError> {
        let built_in = self.target.or_built_in()?.is_none();
        let profile = if built_in {
            // The URL does not matter here.
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

    pub(super) async fn start(self) -> Result<Session, CommandError> {
        let secret = self.secret;
        self.start_with(|profile| Secrets::load(secret, profile))
            .await
    }

    /// Starts with the secrets from `load`. The built-in receiver uses random secrets instead.
    pub(super) async fn start_with(
        self,
        load: impl FnOnce(&Profile) -> Result<Secrets, CommandError>,
    ) -> Result<Session, CommandError> {
        let (seed, start) = (self.seed, self.start);
        let (profile, target, secrets, built_in) =
            if let Some(target) = self.target.or_built_in()? {
                let profile = self.target.profile.clone();
                let secrets = load(&profile)?;
                (profile, target.clone(), secrets, None)
            } else {
                let secrets = Secrets::random()?;
                let (base, receiver) = start_built_in(secrets.current().clone()).await?;
                let profile = built_in_profile(&base)?;
                let url = format!("{base}{}", ReceiverSettings::DEFAULT_PATH);
                let target = Target::parse(&url, &AllowedHosts::loopback_only())
                    .map_err(|error| CommandError::not_completed(error.to_string(), None))?;
                (profile, target, secrets, Some(receiver))
            };
        let context = self.context(&profile, target, &secrets)?;
        Ok(Session {
            context,
            seed,
            start,
            built_in,
            snapshots: profile.snapshots,
        })
    }

    fn context(
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
            timestamps: TimestampAllocator::default(),
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
            held_once: profile.unstackable_skus(),
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
            Some("set it in the shell, or write `$$` for a literal `$`".to_owned())
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
    let task = tokio::spawn(async move {
        // Its errors show up as failed deliveries.
        let _ = receiver.serve(async { _ = stopped.await }).await;
    });
    Ok((base, BuiltInReceiver { stop, task }))
}

/// The profile of the built-in receiver.
fn built_in_profile(base: &str) -> Result<Profile, CommandError> {
    let text = include_str!("built-in-profile.yaml").replace("http://BUILT-IN", base);
    let source = SourceFile::new("the built-in profile", text);
    let invalid = |error: String| CommandError::not_completed(error, None);
    let config = Config::parse(&source).map_err(|problems| invalid(problems.to_string()))?;
    let (_, profile) = config
        .pick(None, &source.name)
        .map_err(|problems| invalid(problems.to_string()))?;
    Ok(profile.clone())
}
