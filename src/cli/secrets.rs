//! The current and the previous secret of a receiver.

use super::command_error::CommandError;
use super::secret_options::{SecretOptions, from_variable};
use crate::protocol::{Secret, Signer};
use crate::scenario::Profile;

/// The secret of a receiver, and the previous one if it is known.
pub(super) struct Secrets {
    current: Secret,
    expired: Option<Secret>,
}

impl Secrets {
    /// Loads the secrets from the options or from the profile's variables.
    pub(super) fn load(options: &SecretOptions, profile: &Profile) -> Result<Self, CommandError> {
        let current = options.load_or(profile.secret_env.as_deref())?;
        let expired = profile
            .expired_secret_env
            .as_deref()
            .map(from_variable)
            .transpose()?;
        Ok(Self { current, expired })
    }

    /// Generates secrets for the built-in receiver.
    pub(super) fn random() -> Result<Self, CommandError> {
        Ok(Self {
            current: random_secret()?,
            expired: Some(random_secret()?),
        })
    }

    /// The current secret.
    pub(super) fn current(&self) -> &Secret {
        &self.current
    }

    /// Signs with the current secret.
    pub(super) fn signer(&self) -> Signer {
        Signer::new(&self.current)
    }

    /// Signs with the previous secret.
    pub(super) fn expired_signer(&self) -> Option<Signer> {
        self.expired.as_ref().map(Signer::new)
    }

    /// All secrets, to redact them in reports.
    pub(super) fn all(&self) -> impl Iterator<Item = Secret> {
        std::iter::once(&self.current).chain(&self.expired).cloned()
    }
}

fn random_secret() -> Result<Secret, CommandError> {
    let mut bytes = [0; 32];
    let problem = |reason: String| CommandError::not_completed(reason, None);
    getrandom::fill(&mut bytes)
        .map_err(|error| problem(format!("can't generate a random secret: {error}")))?;
    Secret::new(hex::encode(bytes)).map_err(|error| problem(error.to_string()))
}
