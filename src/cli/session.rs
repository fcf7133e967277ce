//! Starts a session for a command: loads the secrets, and starts the built-in receiver if there is no
//! target.

use super::machine_limits;
use super::secret_options::SecretOptions;
use super::target_options::TargetOptions;
use super::{CommandError, Console};
use crate::api::{Receiver, ReceiverStartError};
use crate::protocol::Secret;
use crate::run::{Capabilities, RunContext, Secrets, Session, SessionError};
use crate::scenario::{Profile, SnapshotSettings};

/// A ready context, and the built-in receiver if it is the target.
pub(super) struct StartedSession {
    pub(super) context: RunContext,
    pub(super) built_in: Option<Receiver>,
    /// How snapshot reports show this receiver's responses.
    pub(super) snapshots: SnapshotSettings,
}

impl StartedSession {
    /// Starts a session with the secrets of the options or of the profile.
    pub(super) async fn start(
        session: Session,
        secret: &SecretOptions,
        console: &Console,
    ) -> Result<Self, CommandError> {
        Self::start_with(session, |profile| secret.load_all(profile, console)).await
    }

    /// Starts a session with the secrets from `load`. The built-in receiver uses random secrets
    /// instead.
    pub(super) async fn start_with(
        mut session: Session,
        load: impl FnOnce(&Profile) -> Result<Secrets, CommandError>,
    ) -> Result<Self, CommandError> {
        let (secrets, built_in) = if is_built_in(&session)? {
            let secrets = random_secrets()?;
            let receiver = Receiver::start(&secrets.current).await?;
            session.set_profile(receiver.profile().clone())?;
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
    pub(super) async fn reach(&self, options: &TargetOptions) -> Result<(), CommandError> {
        let RunContext { client, target, .. } = &self.context;
        options.reach(client, target).await
    }

    /// Checks that all jobs can have as many connections as most scenarios need.
    pub(super) fn check_jobs(&self) -> Result<(), CommandError> {
        const EACH: usize = 8;
        const MOST: usize = 96;
        self.check_descriptors(EACH.saturating_mul(self.context.jobs()).min(MOST))
    }

    /// Checks that this many connections can be open at the same time. The built-in receiver has the
    /// other end of each.
    pub(super) fn check_descriptors(&self, connections: usize) -> Result<(), CommandError> {
        let ends = if self.built_in.is_some() { 2 } else { 1 };
        machine_limits::check_descriptors(connections.saturating_mul(ends))
    }

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
    session.set_profile(Receiver::profile_at("127.0.0.1:1", "127.0.0.1:2")?)?;
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

pub(super) fn random_secrets() -> Result<Secrets, CommandError> {
    let random = || {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| {
            CommandError::not_completed(format!("can't generate a random secret: {error}"))
        })?;
        Secret::new(hex::encode(bytes)).map_err(CommandError::not_completed)
    };
    Ok(Secrets {
        current: random()?,
        expired: Some(random()?),
    })
}

impl From<ReceiverStartError> for CommandError {
    fn from(error: ReceiverStartError) -> Self {
        Self::not_completed(&error).maybe_help(error.help().map(str::to_owned))
    }
}
