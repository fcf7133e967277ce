//! From options and a profile to a harness that can run: the secret is read, the probes are made
//! ready, and where no target is named, the built-in receiver is started.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::command_error::CommandError;
use super::secret_options::{SecretOptions, from_variable};
use super::target_options::ChosenTarget;
use crate::delivery::{AllowedHosts, Clock, Target};
use crate::generate::{Catalogue, Seed, StartTime};
use crate::harness::{Harness, PlanSettings, PreparedProbe, PreparedScript, Redaction};
use crate::protocol::{Secret, Signer};
use crate::receiver::{Receiver, ReceiverSettings};
use crate::scenario::document::SourceFile;
use crate::scenario::{Config, Profile, RetryPolicy};

/// How long effects may take to show where neither a scenario nor the profile says.
const DEFAULT_SETTLE: Duration = Duration::from_secs(2);

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
    pub(super) harness: Harness,
    pub(super) seed: Option<Seed>,
    pub(super) start: StartTime,
    pub(super) built_in: Option<BuiltInReceiver>,
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
            game_id: profile.game_id.clone(),
            probes: profile.probes.keys().cloned().collect(),
            strict: self.strict,
            // A run goes on without them, and says which checks it could not make.
            http2_only: false,
        }
    }

    pub(super) async fn start(self) -> Result<PreparedRun, CommandError> {
        let (seed, start) = (self.seed, self.start);
        let (profile, target, secret, built_in) = if let Some(target) = &self.target.target {
            let profile = self.target.profile.clone();
            let secret = self.secret.load_or(profile.secret_env.as_deref())?;
            (profile, target.clone(), secret, None)
        } else {
            let secret = random_secret()?;
            let (base, receiver) = start_built_in(secret.clone()).await?;
            let profile = built_in_profile(&base)?;
            let url = format!("{base}{}", ReceiverSettings::DEFAULT_PATH);
            let target = Target::parse(&url, &AllowedHosts::loopback_only())
                .map_err(|error| CommandError::not_completed(error.to_string(), None))?;
            (profile, target, secret, Some(receiver))
        };
        let harness = self.harness(&profile, target, secret)?;
        Ok(PreparedRun {
            harness,
            seed,
            start,
            built_in,
        })
    }

    fn harness(
        self,
        profile: &Profile,
        target: Target,
        secret: Secret,
    ) -> Result<Harness, CommandError> {
        let ChosenTarget {
            allowed, client, ..
        } = self.target;
        let mut probes = IndexMap::new();
        for (name, probe) in &profile.probes {
            let prepared = PreparedProbe::new(probe, &allowed).map_err(|problem| {
                CommandError::usage(format!("the probe `{name}` can't be used: {problem}"), None)
            })?;
            probes.insert(name.clone(), prepared);
        }
        let script = profile
            .script
            .as_ref()
            .map(|hook| PreparedScript::new(hook, &allowed));
        let script = script.transpose().map_err(|problem| {
            CommandError::usage(format!("the `script` can't be used: {problem}"), None)
        })?;
        let expired = profile
            .expired_secret_env
            .as_deref()
            .map(from_variable)
            .transpose()?;
        let clock = Clock::system();
        let standard = RetryPolicy::default();
        Ok(Harness {
            client,
            target,
            signer: Signer::new(&secret),
            expired: expired.as_ref().map(Signer::new),
            redaction: Redaction::new(std::iter::once(secret).chain(expired)),
            allowed,
            clock: if self.real_time {
                clock.real_time()
            } else {
                clock
            },
            retry: profile
                .retry
                .as_ref()
                .map_or(standard.clone(), |own| own.over(&standard)),
            policy: profile.policy,
            probes,
            script,
            settle: profile.settle.map_or(DEFAULT_SETTLE, |settle| settle.0),
            jobs: self.jobs,
            fail_fast: self.fail_fast,
        })
    }
}

/// A secret that nobody else knows, for a receiver that only this run uses.
fn random_secret() -> Result<Secret, CommandError> {
    let mut bytes = [0; 32];
    let problem = |reason: String| CommandError::not_completed(reason, None);
    getrandom::fill(&mut bytes)
        .map_err(|error| problem(format!("the system gives no random numbers: {error}")))?;
    Secret::new(hex::encode(bytes)).map_err(|error| problem(error.to_string()))
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
