//! The parameters of faults.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::duration_text::DurationText;

/// How slowly the body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SlowBody {
    /// The wait after each byte of the body. It always takes real time. Default: 1ms.
    pub per_byte: DurationText,
}

/// When the sender times out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TimeoutOverlap {
    /// The real time between the first request and the retry. Default: 0s, so the retry follows as
    /// soon as the first request is sent, and even a fast receiver is still processing it. On the
    /// virtual clock, the time is always the retry policy's timeout and delay.
    pub after: DurationText,
}

/// Which part of the first attempt is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LateRetry {
    /// The lost part. Default: `answer`.
    pub lost: Lost,
}

/// A part of an attempt that is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// The response: the receiver responded, but the sender did not receive it.
    #[default]
    #[serde(rename = "answer")]
    Response,
    /// The request: the receiver saw a connection but no request.
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
    pub(super) const DEFAULT: Self = Self {
        lost: Lost::Response,
    };
}

impl Default for SlowBody {
    fn default() -> Self {
        Self::DEFAULT
    }
}
