//! A session: a receiver's profile, the connection to it and the choices of one run, made ready to run.
//!
//! This is what a command line or a program builds a run from. It reads no options, no environment
//! variables but those that the profile's hooks name, and prints nothing; the target is already
//! running.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;

use super::dry_run::Capabilities;
use super::plan::{KnownHook, Plan, PlanSettings, PlannedSizes};
use super::run_context::RunContext;
use crate::delivery::{Clock, TimestampAllocator};
use crate::generate::{Catalogue, Generator, Seed, StartTime};
use crate::policy::{ConnectTo, Forgery};
use crate::probe::{
    DeliveryHeaderFailure, HookError, PreparedHeaders, PreparedHook, PreparedProbe, Redaction,
    unusable_hooks,
};
use crate::protocol::{Secret, Signer};
use crate::scenario::document::{Diagnostics, Spanned};
use crate::scenario::{Case, DeliveryHeader, DeliveryHeaders, Profile};
use crate::transport::{
    AllowedHosts, Client, ClientSettings, HttpVersion, InvalidHost, RateLimit, Route, Target,
    TargetError, TlsFileError, TlsSettings,
};
use crate::verify::HeldItems;

#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub profile: Profile,
    pub profile_name: Option<String>,
    /// Probes in addition to the profile's. One of the same name replaces the profile's.
    pub probes: IndexMap<String, PreparedProbe>,
    /// The players to use in generated events; if there are none, players are invented.
    pub players: Arc<[String]>,
    pub target: Option<Target>,
    /// The instances of the receiver, by name.
    pub targets: IndexMap<String, Target>,
    /// The headers to add to every delivery.
    pub headers: DeliveryHeaders,
    pub allowed: AllowedHosts,
    pub client: Client,
    pub options: RunOptions,
}

/// The connection to the receiver, as far as it differs from the profile's.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConnectionOptions {
    pub target: Option<String>,
    pub allow_hosts: Vec<String>,
    /// They replace the profile's of the same name.
    pub headers: Vec<DeliveryHeader>,
    pub http_version: Option<HttpVersion>,
    /// The certificates. The profile's are used for those that are not given.
    pub tls: TlsSettings,
    /// Where to connect, instead of the target's host and port.
    pub connect_to: Option<ConnectTo>,
    /// The Unix socket to connect to.
    pub unix_socket: Option<PathBuf>,
}

impl ConnectionOptions {
    /// The route to the target. Options replace the profile's route.
    fn route(
        &self,
        profile: &Profile,
        allowed: &AllowedHosts,
    ) -> Result<Option<Route>, SessionError> {
        let own = (self.connect_to.as_ref(), self.unix_socket.as_ref());
        let (connect_to, unix_socket) = match own {
            (None, None) => (profile.connect_to.as_ref(), profile.unix_socket.as_ref()),
            own => own,
        };
        match (connect_to, unix_socket) {
            (Some(_), Some(_)) => Err(SessionError::TwoRoutes),
            (Some(to), None) => Route::to_address(to, allowed)
                .map(Some)
                .map_err(SessionError::ConnectTo),
            (None, Some(path)) => Ok(Some(Route::UnixSocket(path.clone()))),
            (None, None) => Ok(None),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct RunOptions {
    /// The random seed. Without one, each scenario has its own.
    pub seed: Option<Seed>,
    pub start: StartTime,
    /// Whether warnings and checks that were not checked count as failures.
    pub strict: bool,
    /// Whether to wait for pauses and retry delays instead of skipping them.
    pub real_time: bool,
    /// How many scenarios to run at the same time. Without a number, it depends on the link.
    pub jobs: Option<NonZeroUsize>,
    /// Whether to stop if the first scenarios show that the set-up does not work.
    pub check_setup: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    pub current: Secret,
    /// The secret that the receiver must no longer accept.
    pub expired: Option<Secret>,
}

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Host(#[from] InvalidHost),
    #[error("the target can't be used: {0}")]
    Target(#[from] TargetError),
    #[error("`connect_to` can't be used: {0}")]
    ConnectTo(#[source] TargetError),
    #[error("`connect_to` and `unix_socket` can't both be set")]
    TwoRoutes,
    #[error(transparent)]
    Client(#[from] TlsFileError),
    #[error("the profile `{0}` has no target")]
    ProfileWithoutTarget(String),
    #[error("no target: there is no aghook.yaml in this folder")]
    NoTarget,
    #[error(transparent)]
    Header(#[from] DeliveryHeaderFailure),
    #[error("the profile's {hook} can't be used: {error}")]
    Hook {
        hook: String,
        #[source]
        error: HookError,
    },
}

impl RunOptions {
    pub(crate) fn starting_at(start: StartTime) -> Self {
        Self {
            seed: None,
            start,
            strict: false,
            real_time: false,
            jobs: None,
            check_setup: false,
        }
    }
}

impl Secrets {
    pub(crate) fn signer(&self) -> Signer {
        Signer::new(&self.current)
    }

    pub(crate) fn expired_signer(&self) -> Option<Signer> {
        self.expired.as_ref().map(Signer::new)
    }

    /// The forgery that guesses the current secret.
    pub(crate) fn guessed(&self) -> Option<Forgery> {
        let secret = self.current.expose_text();
        let mut forgeries = Forgery::ALL.into_iter();
        forgeries.find(|forgery| forgery.guessed_secret() == Some(secret))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Secret> {
        std::iter::once(&self.current).chain(&self.expired).cloned()
    }
}

impl Session {
    pub(crate) fn new(
        profile: Profile,
        connection: ConnectionOptions,
        options: RunOptions,
    ) -> Result<Self, SessionError> {
        let allowed = AllowedHosts::new(profile.allow_hosts.iter().chain(&connection.allow_hosts))?;
        let url = connection.target.as_ref();
        // Another target than the profile's is not one of its instances.
        let targets = match url {
            Some(_) => IndexMap::new(),
            None => parse_all(&profile.targets, &allowed)?,
        };
        let url = url.or(profile.first_target().map(|target| &target.value));
        let target = url.map(|url| Target::parse(url, &allowed)).transpose()?;
        let route = connection.route(&profile, &allowed)?;
        let mut tls = connection.tls;
        tls.cacert = tls.cacert.or_else(|| profile.cacert.clone());
        tls.insecure |= profile.insecure;
        // A certificate of the options has another key than the profile's.
        if tls.client_cert.is_none() {
            tls.client_cert.clone_from(&profile.client_cert);
            tls.client_key = tls.client_key.or_else(|| profile.client_key.clone());
        }
        let client = Client::new(ClientSettings {
            http_version: connection.http_version.unwrap_or(profile.http_version),
            tls,
            route,
            ..ClientSettings::default()
        })?;
        if let Some(target) = &target {
            client.set_routed_target(target);
        }
        Ok(Self {
            players: profile.listed_players().into(),
            headers: profile.headers.clone().replaced_by(&connection.headers),
            profile,
            profile_name: None,
            probes: IndexMap::new(),
            target,
            targets,
            allowed,
            client,
            options,
        })
    }

    /// Replaces the profile and its targets, but not the connection.
    pub(crate) fn set_profile(&mut self, profile: Profile) -> Result<(), SessionError> {
        self.targets = parse_all(&profile.targets, &self.allowed)?;
        let target = profile.first_target();
        let target = target.map(|url| Target::parse(url, &self.allowed));
        self.target = target.transpose()?;
        self.profile = profile;
        Ok(())
    }

    pub(crate) fn target(&self) -> Result<&Target, SessionError> {
        let missing = || match &self.profile_name {
            Some(name) => SessionError::ProfileWithoutTarget(name.clone()),
            None => SessionError::NoTarget,
        };
        self.target.as_ref().ok_or_else(missing)
    }

    /// Plans the cases. Each scenario gets different players, if the list is long enough. Reports the
    /// mistakes in all cases together.
    pub(crate) fn plans(
        &self,
        cases: impl IntoIterator<Item = Case>,
    ) -> Result<Vec<Plan>, Diagnostics> {
        let mut settings = self.plan_settings();
        let mut plans = Vec::new();
        let mut problems = Diagnostics::default();
        let mut sizes = PlannedSizes::default();
        for case in cases {
            if let Some(plan) = problems.take(Plan::new(case, &settings)) {
                problems.take(plan.check_requests(&self.allowed));
                sizes.add(&plan)?;
                settings.first_player += plan.listed_players;
                plans.push(plan);
            }
        }
        problems.into_result().map(|()| plans)
    }

    /// What all plans depend on.
    pub(crate) fn plan_settings(&self) -> PlanSettings {
        PlanSettings {
            seed: self.options.seed,
            start: self.options.start,
            catalogue: catalogue(&self.profile),
            players: Arc::clone(&self.players),
            first_player: 0,
            game_id: self.profile.game_id.clone(),
            usual_kind: self.profile.policy.usual_kind(),
            form: self.profile.event_form(),
            probes: self.probe_names(),
            hooks: self
                .profile
                .named_hooks()
                .map(|(name, hook)| KnownHook::new(name, hook))
                .collect(),
            strict: self.options.strict,
            // A run continues without faults of HTTP/1.1, and reports them as not checked.
            http2_only: false,
        }
    }

    /// Fails if a probe or hook can't be used, whatever the environment. Runs nothing.
    pub(crate) fn check_hooks(&self) -> Result<(), SessionError> {
        match unusable_hooks(&self.profile, &self.allowed)
            .into_iter()
            .next()
        {
            Some((hook, error)) => Err(SessionError::Hook { hook, error }),
            None => Ok(()),
        }
    }

    pub(crate) fn capabilities(&self, has_expired_secret: bool) -> Capabilities {
        Capabilities {
            probes: self.probe_names(),
            hooks: self
                .profile
                .named_hooks()
                .map(|(name, _)| name.to_owned())
                .collect(),
            targets: self.targets.keys().cloned().collect(),
            expired_secret: has_expired_secret,
            guessed_secret: None,
            http_version: self.client.http_version(),
            policy: self.profile.policy,
            held_items: HeldItems::of(&self.profile.items),
        }
    }

    fn probe_names(&self) -> Vec<String> {
        let own = self.probes.keys();
        let profile = self.profile.probes.keys();
        let profile = profile.filter(|name| !self.probes.contains_key(*name));
        profile.chain(own).cloned().collect()
    }

    pub(crate) fn context(self, secrets: &Secrets) -> Result<RunContext, SessionError> {
        let target = self.target()?.clone();
        let capabilities = Capabilities {
            guessed_secret: secrets.guessed(),
            ..self.capabilities(secrets.expired.is_some())
        };
        let unusable = |hook: &str| {
            let hook = hook.to_owned();
            |error| SessionError::Hook { hook, error }
        };
        let mut probes = IndexMap::new();
        for (name, probe) in &self.profile.probes {
            if !self.probes.contains_key(name) {
                let prepared = PreparedProbe::new(probe, &self.allowed)
                    .map_err(unusable(&format!("probe `{name}`")))?;
                probes.insert(name.clone(), prepared);
            }
        }
        probes.extend(self.probes);
        let mut hooks = IndexMap::new();
        for (name, hook) in self.profile.named_hooks() {
            let prepared = PreparedHook::new(hook, &self.allowed)
                .map_err(unusable(&format!("hook `{name}`")))?;
            hooks.insert(name.to_owned(), prepared);
        }
        let hidden = probes.values().filter_map(PreparedProbe::redaction);
        let hidden = hidden.chain(hooks.values().filter_map(PreparedHook::redaction));
        let PreparedHeaders { headers, redaction } = PreparedHeaders::new(&self.headers)?;
        let redaction = redaction.and(hidden).and([&Redaction::new(secrets.all())]);
        probes.values_mut().for_each(|probe| probe.hide(&redaction));
        hooks.values_mut().for_each(|hook| hook.hide(&redaction));
        let mut clock = Clock::system();
        if self.options.real_time {
            clock = clock.real_time();
        }
        Ok(RunContext {
            client: self.client,
            target,
            targets: self.targets,
            built_in_receiver: false,
            headers,
            signer: secrets.signer(),
            expired: secrets.expired_signer(),
            timestamps: TimestampAllocator::default(),
            rate_limit: self.profile.max_rate.map(RateLimit::new),
            redaction,
            allowed: self.allowed,
            clock,
            retry: self.profile.retry_policy(),
            capabilities,
            listed_items: self.profile.plain_skus(),
            held_once: self.profile.unstackable_skus(),
            probes,
            hooks,
            settle: self.profile.settle.map(|settle| settle.0),
            seed: self.options.seed,
            start: self.options.start,
            jobs: self.options.jobs,
            check_setup: self.options.check_setup,
        })
    }
}

fn parse_all(
    urls: &IndexMap<String, Spanned<String>>,
    allowed: &AllowedHosts,
) -> Result<IndexMap<String, Target>, TargetError> {
    let targets = urls.iter();
    targets
        .map(|(name, url)| Ok((name.clone(), Target::parse(url, allowed)?)))
        .collect()
}

/// A generator of events with the items, players and game ID of a profile, if it has them.
pub(crate) fn profile_generator(profile: &Profile, seed: Seed, start: StartTime) -> Generator {
    let mut generator = Generator::new(seed, start);
    generator.players = profile.listed_players().into();
    generator.form = profile.event_form();
    if let Some(catalogue) = catalogue(profile) {
        generator.catalogue = catalogue;
    }
    if let Some(game_id) = &profile.game_id {
        generator.game_id = game_id.clone().into();
    }
    generator
}

fn catalogue(profile: &Profile) -> Option<Arc<Catalogue>> {
    let items = &profile.items;
    (!items.is_empty()).then(|| Arc::new(Catalogue::of(items.clone())))
}

impl SessionError {
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Client(error) => Some(error.help().to_owned()),
            Self::ProfileWithoutTarget(name) => Some(format!(
                "add `target: URL` to the profile `{name}`, or use `--target`"
            )),
            Self::NoTarget => Some(
                "change to the folder of your aghook.yaml, create one with `aghook new`, or name the \
                 webhook's URL with `--target`"
                    .to_owned(),
            ),
            Self::Hook {
                error: HookError::Variable(_),
                ..
            }
            | Self::Header(DeliveryHeaderFailure {
                error: HookError::Variable(_),
                ..
            }) => Some("set it in the shell, or write `$$` for a literal `$`".to_owned()),
            Self::TwoRoutes => Some("remove one of them".to_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;
    use crate::receiver::{Receiver, ReceiverSettings};
    use crate::run::RunEvent;
    use crate::scenario::document::SourceFile;

    fn session(target: Option<String>) -> Session {
        let connection = ConnectionOptions {
            target,
            ..ConnectionOptions::default()
        };
        let options = RunOptions::starting_at(StartTime::now());
        Session::new(Profile::default(), connection, options).expect("a session")
    }

    #[tokio::test]
    async fn a_program_runs_scenarios_with_a_function_as_probe() {
        let secrets = Secrets {
            current: Secret::new("s3cret").expect("a secret"),
            expired: None,
        };
        let settings = ReceiverSettings::new(secrets.current.clone());
        let receiver = Receiver::bind(settings).await.expect("a receiver");
        let path = ReceiverSettings::DEFAULT_PATH;
        let url = format!("http://{}{path}", receiver.address());
        tokio::spawn(receiver.serve(std::future::pending::<()>()));

        let mut session = session(Some(url.clone()));
        let readings = AtomicU32::new(0);
        let quantity = PreparedProbe::from_function(move |_, sku| {
            // The first reading is the one before the delivery.
            let held = sku == "gems" && readings.fetch_add(1, Ordering::Relaxed) > 0;
            async move { Ok::<_, Infallible>(if held { 5 } else { 0 }) }
        });
        session.probes.insert("quantity".to_owned(), quantity);
        let text = "name: an effect\nevents:\n  welcome: { item: { sku: gems, quantity: 5 } }\n\
                    steps:\n  - deliver: welcome\neffects:\n  - granted: welcome\n";
        let source = SourceFile::new("effect.yaml", text);
        let cases = Case::from_file(&source).expect("a scenario");
        let plans = session.plans(cases).expect("a plan");
        let context = session.context(&secrets).expect("a context");
        let targets = Mutex::new(Vec::new());
        let observe = |event| {
            if let RunEvent::RunStarted(started) = event {
                targets.lock().expect("a lock").push(started.target);
            }
        };
        let ended = context.run(&plans, &observe, &AtomicBool::new(false)).await;
        assert_eq!(ended.scenarios.passed, 1, "{ended:?}");
        assert_eq!(targets.into_inner().expect("a lock"), [url]);
    }

    #[test]
    fn without_a_target_the_error_says_where_to_set_it() {
        let mut session = session(None);
        let error = session.target().expect_err("no target");
        assert!(matches!(error, SessionError::NoTarget));
        session.profile_name = Some("staging".to_owned());
        let error = session.target().expect_err("no target");
        assert_eq!(error.to_string(), "the profile `staging` has no target");
        let help = error.help().expect("help");
        assert!(help.contains("to the profile `staging`"), "{help}");
    }
}
