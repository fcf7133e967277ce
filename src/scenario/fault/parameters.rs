//! What some faults can be told.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::DurationText;

/// How slow the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SlowBody {
    /// The wait after each byte of the body, which takes its time whatever the clock; left out, 1ms.
    pub per_byte: DurationText,
}

/// When the sender gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TimeoutOverlap {
    /// How long the receiver really has between the first request and the retry. Left out, 0s: the
    /// retry follows as soon as the first request has left, so that even a quick receiver is still
    /// at work. On the virtual clock it is the policy's timeout and delay in any case.
    pub after: DurationText,
}

/// What got lost of the first attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LateRetry {
    /// Left out, `answer`.
    pub lost: Lost,
}

/// What got lost of an attempt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// The receiver has answered, and nobody heard it.
    #[default]
    Answer,
    /// The receiver has seen a connection and no request.
    Request,
}

impl SlowBody {
    pub(super) const DEFAULT: Self = Self {
        per_byte: DurationText(Duration::from_millis(1)),
    };
}

impl TimeoutOverlap {
    pub(super) const DEFAULT: Self = Self {
        after: DurationText(Duration::ZERO),
    };
}

impl LateRetry {
    pub(super) const DEFAULT: Self = Self { lost: Lost::Answer };
}

impl Default for SlowBody {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Default for TimeoutOverlap {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Default for LateRetry {
    fn default() -> Self {
        Self::DEFAULT
    }
}
