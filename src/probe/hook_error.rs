//! Why a hook of a profile can't be used, or did not work.

use std::path::PathBuf;

use super::placeholders::VariableNotSet;
use super::redaction::Redaction;
use crate::transport::{HeaderError, TargetError};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    #[error(transparent)]
    Variable(#[from] VariableNotSet),
    #[error("the environment variable {0} is empty")]
    EmptyVariable(String),
    /// The file with a header's value can't be used.
    #[error("the file {path} {1}", path = .0.display())]
    File(PathBuf, String),
    #[error("`{0}` is not an HTTP method")]
    Method(String),
    #[error(transparent)]
    Target(#[from] TargetError),
    #[error(transparent)]
    Header(#[from] HeaderError),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct HookFailure {
    reason: String,
    /// Whether it fails for every player and SKU, for example because it needs credentials.
    is_general: bool,
}

impl HookFailure {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_general: false,
        }
    }

    #[must_use]
    pub(super) fn general(self, is_general: bool) -> Self {
        Self { is_general, ..self }
    }

    /// Whether it may work for another player, such as one whom the game knows.
    pub(crate) fn depends_on_player(&self) -> bool {
        !self.is_general
    }

    pub(crate) fn redacted(self, redaction: &Redaction) -> Self {
        let reason = redaction.text(&self.reason).into_owned();
        Self { reason, ..self }
    }
}

impl From<HookError> for HookFailure {
    fn from(error: HookError) -> Self {
        Self::new(error.to_string()).general(true)
    }
}
