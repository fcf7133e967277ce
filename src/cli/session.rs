//! Starts a session for a command: loads the secrets, and starts the built-in receiver if there is no
//! target.

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::command_error::CommandError;
use super::secret_options::SecretOptions;
use crate::protocol::Secret;
use crate::receiver::{Receiver, ReceiverSettings};
use crate::run::{Capabilities, RunContext, Secrets, Session, SessionError};
use crate::scenario::document::SourceFile;
use crate::scenario::{Config, Profile, SnapshotSettings};
use crate::transport::{AllowedHosts, Target};

/// A ready context, and the built-in receiver if it is the target.
pub(super) struct StartedSession {
    pub(super) context: RunContext,
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

impl StartedSession {
    /// Starts a session with the secrets of the options or of the profile.
    pub(super) async fn start(
        session: Session,
        secret: &SecretOptions,
    ) -> Result<Self, CommandError> {
        Self::start_with(session, |profile| secret.load_all(profile)).await
    }

    /// Starts a session with the secrets from `load`. The built-in receiver uses random secrets
    /// instead.
    pub(super) async fn start_with(
        mut session: Session,
        load: impl FnOnce(&Profile) -> Result<Secrets, CommandError>,
    ) -> Result<Self, CommandError> {
        let (secrets, built_in) = if is_built_in(&session)? {
            let secrets = random_secrets()?;
            let (base, receiver) = start_built_in(secrets.current.clone()).await?;
            session.profile = built_in_profile(&base)?;
            let url = format!("{base}{}", ReceiverSettings::DEFAULT_PATH);
            let target = Target::parse(&url, &AllowedHosts::loopback_only())
                .map_err(|error| CommandError::not_completed(error.to_string(), None))?;
            session.target = Some(target);
            (secrets, Some(receiver))
        } else {
            (load(&session.profile)?, None)
        };
        let snapshots = session.profile.snapshots.clone();
        let mut context = session.context(&secrets)?;
        context.built_in_receiver = built_in.is_some();
        Ok(Self {
            context,
            built_in,
            snapshots,
        })
    }

    /// Checks that the target accepts connections before anything is sent.
    pub(super) async fn reach(&self) -> Result<(), CommandError> {
        super::target_options::reach(&self.context.client, &self.context.target).await
    }

    /// Stops the built-in receiver, if it is the target.
    pub(super) async fn stop(self) {
        if let Some(built_in) = self.built_in {
            built_in.stop().await;
        }
    }
}

/// The capabilities that decide what can be checked. Starts nothing and reads no secret.
pub(super) fn capabilities(session: &Session) -> Result<Capabilities, CommandError> {
    if !is_built_in(session)? {
        return Ok(session.capabilities(session.profile.expired_secret_env.is_some()));
    }
    let mut session = session.clone();
    // The URL does not matter here.
    session.profile = built_in_profile("http://127.0.0.1")?;
    Ok(session.capabilities(true))
}

/// Whether the target is the built-in receiver: nothing names another. A profile without a target is
/// an error, so that it does not silently test the built-in receiver instead of the user's.
pub(super) fn is_built_in(session: &Session) -> Result<bool, CommandError> {
    match session.target() {
        Ok(_) => Ok(false),
        Err(SessionError::NoTarget) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Random secrets for the built-in receiver.
pub(super) fn random_secrets() -> Result<Secrets, CommandError> {
    let random = || {
        let mut bytes = [0; 32];
        let problem = |reason: String| CommandError::not_completed(reason, None);
        getrandom::fill(&mut bytes)
            .map_err(|error| problem(format!("can't generate a random secret: {error}")))?;
        Secret::new(hex::encode(bytes)).map_err(|error| problem(error.to_string()))
    };
    Ok(Secrets {
        current: random()?,
        expired: Some(random()?),
    })
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
