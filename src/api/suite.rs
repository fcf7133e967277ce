//! A suite of scenarios, and the receiver to run it against.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::quantity::Quantity;
use super::run_report::RunReport;
use crate::generate::{Seed, StartTime};
use crate::probe::{PreparedProbe, QUANTITY_PROBE};
use crate::protocol::{EmptySecret, Secret};
use crate::run::{ConnectionOptions, RunEvent, RunOptions, Secrets, Session, SessionError};
use crate::scenario::document::{Diagnostics, SourceFile};
use crate::scenario::{Case, Config, Profile, bundled_suite, load};

/// The width of rendered mistakes in files, in columns.
const ERROR_WIDTH: usize = 100;

/// Scenarios, and the receiver to run them against.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = aghook::Secret::new("s3cret")?;
/// let game = std::sync::Arc::new(aghook::Receiver::start(&secret).await?);
/// let inventory = std::sync::Arc::clone(&game);
/// let report = aghook::Suite::bundled()
///     .filter("idempotency/")
///     .target(game.url())
///     .secret("s3cret")
///     .probe(move |player, sku| {
///         let game = std::sync::Arc::clone(&inventory);
///         async move { game.quantity(&player, &sku).await }
///     })
///     .run()
///     .await?;
/// report.assert_passed();
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Suite {
    source: ScenarioSource,
    filters: Vec<String>,
    connection: ConnectionOptions,
    secret: Option<Result<Secret, EmptySecret>>,
    expired_secret: Option<Result<Secret, EmptySecret>>,
    profile: ProfileSource,
    probe: Option<PreparedProbe>,
    seed: Option<u64>,
    start: Option<SystemTime>,
    strict: bool,
}

#[derive(Debug, Clone)]
enum ScenarioSource {
    Bundled,
    Path(PathBuf),
    Text(String),
    /// One case of another suite.
    #[cfg(feature = "libtest-mimic")]
    Case(Box<Case>),
}

#[derive(Debug, Clone)]
enum ProfileSource {
    Empty,
    File { path: PathBuf, name: Option<String> },
    Text(String),
}

/// Why a suite could not run. A failed check is not an error: it is in the report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// A scenario or a profile has mistakes; the text shows all of them with their places.
    #[error("{0}")]
    InvalidFile(String),
    /// No scenario matches the filters.
    #[error("no scenario matches the filters {0:?}")]
    NoScenarios(Vec<String>),
    /// [`Suite::secret`] was not called.
    #[error("the webhook's secret is missing; set it with `Suite::secret`")]
    NoSecret,
    /// The secret is empty.
    #[error(transparent)]
    EmptySecret(#[from] EmptySecret),
    /// The target, an allowed host or a hook of the profile can't be used.
    #[error("{0}")]
    Receiver(String),
}

impl From<SessionError> for SuiteError {
    fn from(error: SessionError) -> Self {
        Self::Receiver(match error {
            SessionError::NoTarget => {
                "the webhook's URL is missing; set it with `Suite::target`".to_owned()
            }
            error => error.to_string(),
        })
    }
}

impl From<Diagnostics> for SuiteError {
    fn from(problems: Diagnostics) -> Self {
        Self::InvalidFile(problems.render(false, ERROR_WIDTH))
    }
}

impl Suite {
    fn new(source: ScenarioSource) -> Self {
        Self {
            source,
            filters: Vec::new(),
            connection: ConnectionOptions::default(),
            secret: None,
            expired_secret: None,
            profile: ProfileSource::Empty,
            probe: None,
            seed: None,
            start: None,
            strict: false,
        }
    }

    /// The bundled suite, as `aghook run` uses it.
    #[must_use]
    pub fn bundled() -> Self {
        Self::new(ScenarioSource::Bundled)
    }

    /// The scenarios of a file, or of all files in a folder.
    #[must_use]
    pub fn from_path(path: impl AsRef<Path>) -> Self {
        Self::new(ScenarioSource::Path(path.as_ref().to_owned()))
    }

    /// The scenario in this text, in the format of scenario files.
    #[must_use]
    pub fn from_text(yaml: impl Into<String>) -> Self {
        Self::new(ScenarioSource::Text(yaml.into()))
    }

    /// Keeps the scenarios whose name or file contains this text. With several calls, any of them.
    #[must_use]
    pub fn filter(mut self, text: impl Into<String>) -> Self {
        self.filters.push(text.into());
        self
    }

    /// The URL of the webhook. It must be on this machine, unless [`Self::allow_host`] allows another.
    #[must_use]
    pub fn target(mut self, url: impl Into<String>) -> Self {
        self.connection.target = Some(url.into());
        self
    }

    /// Allows requests to this host. Events other than sandbox and test events can grant real items
    /// there.
    #[must_use]
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.connection.allow_hosts.push(host.into());
        self
    }

    /// The webhook's secret.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(Secret::new(secret));
        self
    }

    /// The previous secret, which the receiver must no longer accept.
    #[must_use]
    pub fn expired_secret(mut self, secret: impl Into<String>) -> Self {
        self.expired_secret = Some(Secret::new(secret));
        self
    }

    /// Reads how much of an SKU a player holds. Without it, grants are checked only if the profile has
    /// the probe `quantity`.
    #[must_use]
    pub fn probe<F, R>(mut self, read: F) -> Self
    where
        F: Fn(String, String) -> R + Send + Sync + 'static,
        R: Future<Output: Quantity> + Send + 'static,
    {
        self.probe = Some(PreparedProbe::from_function(move |player_id, sku| {
            let reading = read(player_id, sku);
            async move { reading.await.into_quantity() }
        }));
        self
    }

    /// The profile `name` of a file such as `aghook.yaml`; without a name the only one, or `default`.
    #[must_use]
    pub fn profile_file(mut self, path: impl AsRef<Path>, name: Option<&str>) -> Self {
        self.profile = ProfileSource::File {
            path: path.as_ref().to_owned(),
            name: name.map(str::to_owned),
        };
        self
    }

    /// A profile as text, with the keys of one in `aghook.yaml`, such as `policy: { bundles: nested }`.
    #[must_use]
    pub fn profile(mut self, yaml: impl Into<String>) -> Self {
        self.profile = ProfileSource::Text(yaml.into());
        self
    }

    /// The random seed of the events. By default each scenario has its own.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The start time, from which event times are calculated. Runs with the same seed and start time
    /// send the same bodies. The default is the time of [`Self::run`].
    #[must_use]
    pub fn start_time(mut self, time: SystemTime) -> Self {
        self.start = Some(time);
        self
    }

    /// Makes warnings, and checks that can't be made, failures.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Runs all scenarios.
    pub async fn run(self) -> Result<RunReport, SuiteError> {
        let cases = self.cases()?;
        let secrets = Secrets {
            current: self.secret.clone().ok_or(SuiteError::NoSecret)??,
            expired: self.expired_secret.clone().transpose()?,
        };
        let start = self.start.unwrap_or_else(SystemTime::now);
        let options = RunOptions {
            seed: self.seed.map(Seed::new),
            strict: self.strict,
            ..RunOptions::starting_at(StartTime::from_system_time(start))
        };
        let mut session = Session::new(self.read_profile()?, self.connection, options)?;
        if let Some(probe) = self.probe {
            session.probes.insert(QUANTITY_PROBE.to_owned(), probe);
        }
        let plans = session.plans(cases)?;
        let context = session.context(&secrets)?;
        let events = Mutex::new(Vec::new());
        let collect = |event| {
            events
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(event);
        };
        let stop = AtomicBool::new(false);
        // Large, and callers should not have to care.
        let ended = Box::pin(context.run(&plans, &collect, &stop)).await;
        let mut events = events.into_inner().unwrap_or_else(PoisonError::into_inner);
        events.retain(|event| !matches!(event, RunEvent::RunEnded(_)));
        Ok(RunReport::new(events, ended))
    }

    /// The selected scenarios.
    pub(crate) fn cases(&self) -> Result<Vec<Case>, SuiteError> {
        let mut cases = match &self.source {
            ScenarioSource::Bundled => bundled_suite()?,
            ScenarioSource::Path(path) => load(std::slice::from_ref(path))?,
            ScenarioSource::Text(yaml) => {
                Case::from_file(&SourceFile::new("scenario", yaml.as_str()))?
            }
            #[cfg(feature = "libtest-mimic")]
            ScenarioSource::Case(case) => return Ok(vec![Case::clone(case)]),
        };
        if !self.filters.is_empty() {
            cases.retain(|case| {
                let (title, file) = (case.title(), &case.source.name);
                self.filters
                    .iter()
                    .any(|text| title.contains(text) || file.contains(text.as_str()))
            });
        }
        if cases.is_empty() {
            return Err(SuiteError::NoScenarios(self.filters.clone()));
        }
        Ok(cases)
    }

    /// This suite with nothing but this scenario.
    #[cfg(feature = "libtest-mimic")]
    pub(super) fn of_case(&self, case: Case) -> Self {
        Self {
            source: ScenarioSource::Case(Box::new(case)),
            ..self.clone()
        }
    }

    fn read_profile(&self) -> Result<Profile, SuiteError> {
        let (source, name) = match &self.profile {
            ProfileSource::Empty => return Ok(Profile::default()),
            ProfileSource::File { path, name } => (SourceFile::read(path)?, name.as_deref()),
            ProfileSource::Text(yaml) => {
                let lines = yaml.lines().map(|line| format!("    {line}\n"));
                let text = format!("profiles:\n  default:\n{}", lines.collect::<String>());
                (SourceFile::new("profile", text), None)
            }
        };
        let config = Config::parse(&source)?;
        let (_, profile) = config.pick(name, &source.name)?;
        Ok(profile.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::api::Receiver;
    use crate::run::RunOutcome;

    const ONE: &str = "name: a coupon is granted\nevents: { welcome: { item: { sku: gem, quantity: 5 } } }\n\
                       steps: [{ deliver: welcome, expect: { status: 200 } }]\n\
                       effects: [{ granted: welcome }]\n";

    async fn error_of(suite: Suite) -> String {
        suite.run().await.expect_err("no run").to_string()
    }

    #[tokio::test]
    async fn what_is_missing_or_wrong_is_named() {
        let suite = Suite::from_text(ONE);
        assert!(error_of(suite.clone()).await.contains("`Suite::secret`"));
        let suite = suite.secret("s3cret");
        assert!(error_of(suite.clone()).await.contains("`Suite::target`"));
        assert_eq!(
            error_of(suite.clone().secret("")).await,
            "the secret is empty"
        );
        let remote = suite.clone().target("https://example.com/");
        assert!(error_of(remote).await.contains("example.com"));
        let filtered = suite.clone().filter("nothing like it");
        assert!(error_of(filtered).await.contains("nothing like it"));
        let profile = suite.profile("polcy: {}");
        assert!(error_of(profile).await.contains("polcy"));
        let text = Suite::from_text("name: x\nsteps: [{ delver: y }]");
        let mistake = error_of(text.secret("s3cret")).await;
        assert!(
            mistake.contains("delver") && mistake.contains("2:"),
            "{mistake}"
        );
        assert!(!format!("{:?}", Suite::bundled().secret("s3cret")).contains("s3cret"));
    }

    #[tokio::test]
    async fn a_wrong_quantity_fails_and_the_report_can_be_stored() {
        let secret = Secret::new("s3cret").unwrap();
        let receiver = Receiver::start(&secret).await.unwrap();
        let suite = Suite::from_text(ONE)
            .target(receiver.url())
            .secret("s3cret");
        let unchecked = suite.clone().run().await.unwrap();
        assert!(
            unchecked.passed() && unchecked.text.contains("not checked"),
            "{unchecked}"
        );
        let strict = suite.clone().strict().run().await.unwrap();
        assert_eq!(strict.outcome, RunOutcome::Failed, "{strict}");

        let report = suite.probe(|_, _| async { 7_u8 }).run().await.unwrap();
        assert_eq!(report.outcome, RunOutcome::Failed);
        assert!(
            report.text.contains("gem changed by 0 instead of 5"),
            "{report}"
        );
        let [scenario] = report.scenarios.as_slice() else {
            panic!("{report}")
        };
        assert_eq!(
            (scenario.name.as_str(), scenario.checks.len()),
            ("a coupon is granted", 2)
        );
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<RunReport>(&json).unwrap(), report);
        receiver.stop().await;
    }

    #[tokio::test]
    async fn a_wrong_grant_is_compared_with_the_closest_of_several() {
        let secret = Secret::new("s3cret").unwrap();
        let receiver = Receiver::start(&secret).await.unwrap();
        let with_fallback = ONE.replace(
            "quantity: 5",
            "quantity: 5, fallback: { sku: gold, quantity: 9 }",
        );
        let readings = Arc::new(AtomicUsize::new(0));
        let report = Suite::from_text(with_fallback)
            .target(receiver.url())
            .secret("s3cret")
            .probe(move |_, sku| {
                // Nothing before the delivery, the item and its fallback after it.
                let before = readings.fetch_add(1, Ordering::Relaxed) < 2;
                let held = if sku == "gem" { 5 } else { 9 };
                async move { if before { 0 } else { held } }
            })
            .run()
            .await
            .unwrap();
        let observed = "closest to 5 gem, but gold changed by 9 instead of 0";
        assert!(report.text.contains(observed), "{report}");
    }
}
