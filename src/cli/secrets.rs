//! The secrets of a receiver: the one that signs, and the one before it.

use super::command_error::CommandError;
use super::secret_options::{SecretOptions, from_variable};
use crate::protocol::{Secret, Signer};
use crate::scenario::Profile;

/// The secret of a receiver, and the one before it if that is known.
pub(super) struct Secrets {
    present: Secret,
    expired: Option<Secret>,
}

impl Secrets {
    /// From the options, or the variables that the profile names.
    pub(super) fn load(options: &SecretOptions, profile: &Profile) -> Result<Self, CommandError> {
        let present = options.load_or(profile.secret_env.as_deref())?;
        let expired = profile
            .expired_secret_env
            .as_deref()
            .map(from_variable)
            .transpose()?;
        Ok(Self { present, expired })
    }

    /// Secrets that nobody else knows, for a receiver that only this run uses.
    pub(super) fn random() -> Result<Self, CommandError> {
        Ok(Self {
            present: random_secret()?,
            expired: Some(random_secret()?),
        })
    }

    /// The secret that a receiver is started with.
    pub(super) fn present(&self) -> &Secret {
        &self.present
    }

    /// Signs as Aghanim does now.
    pub(super) fn signer(&self) -> Signer {
        Signer::new(&self.present)
    }

    /// Signs as Aghanim did before.
    pub(super) fn expired_signer(&self) -> Option<Signer> {
        self.expired.as_ref().map(Signer::new)
    }

    /// Both, to keep them out of what is reported.
    pub(super) fn all(&self) -> impl Iterator<Item = Secret> {
        std::iter::once(&self.present).chain(&self.expired).cloned()
    }
}

fn random_secret() -> Result<Secret, CommandError> {
    let mut bytes = [0; 32];
    let problem = |reason: String| CommandError::not_completed(reason, None);
    getrandom::fill(&mut bytes)
        .map_err(|error| problem(format!("the system gives no random numbers: {error}")))?;
    Secret::new(hex::encode(bytes)).map_err(|error| problem(error.to_string()))
}
