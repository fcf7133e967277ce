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
#[error("{0}")]
pub struct HookFailure(String);

impl HookFailure {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    pub(crate) fn redacted(self, redaction: &Redaction) -> Self {
        Self(redaction.text(&self.0).into_owned())
    }
}

impl From<HookError> for HookFailure {
    fn from(error: HookError) -> Self {
        Self(error.to_string())
    }
}
