//! How a delivery ends.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a delivery ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OutcomeName")]
pub enum Outcome {
    /// Answered 2xx.
    Delivered,
    /// Answered with a status that is not retried.
    Refused,
    /// Every attempt allowed by the retry policy failed.
    Exhausted,
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Exhausted => "exhausted",
        })
    }
}
