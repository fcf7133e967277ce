//! What an observer sees of a request. Never contains the secret, a signature or a body.

use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};

use super::ledger::LedgerError;
use super::refusal::{Refusal, Skipped};

/// Called after every request. It must return quickly, because it delays the response.
pub(crate) type RequestObserver = Arc<dyn Fn(&ReceivedRequest) + Send + Sync>;

/// A request that the receiver has handled.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// The method.
    pub method: Method,
    /// The path as sent, percent-encoded.
    pub path: String,
    /// The player that the request names, if it was read that far.
    pub player_id: Option<String>,
    /// What the receiver decided.
    pub decision: Decision,
    /// The status of the response.
    pub status: StatusCode,
}

/// What the receiver decided about a request.
#[derive(Debug, Clone)]
pub enum Decision {
    /// A new delivery, recorded and granted.
    Granted,
    /// A new delivery, recorded but not granted.
    Skipped(Skipped),
    /// A redelivery, answered like the first delivery.
    Redelivery {
        /// Whether its body equals the first delivery's, byte for byte.
        same_body: bool,
    },
    /// Answered with a scripted status and not processed.
    Scripted,
    /// Answered before it was processed, by a receiver with that flaw.
    AnsweredEarly,
    /// Refused.
    Refused(Refusal),
    /// The ledger could not be read or written.
    LedgerFailed(LedgerError),
    /// A player's inventory was read.
    Read,
    /// A player's next responses were scripted.
    ScriptSet,
    /// State that is only in memory was cleared.
    Restarted,
    /// A health check.
    Healthy,
}

impl fmt::Display for Decision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Granted => formatter.write_str("granted"),
            Self::Skipped(reason) => write!(formatter, "acknowledged, not granted ({reason})"),
            Self::Redelivery { same_body: true } => formatter.write_str("redelivery"),
            Self::Redelivery { same_body: false } => {
                formatter.write_str("redelivery with the same idempotency key but a different body")
            }
            Self::Scripted => formatter.write_str("scripted response, not processed"),
            Self::Refused(refusal) => write!(formatter, "refused: {refusal}"),
            Self::AnsweredEarly => formatter.write_str("answered before processing"),
            Self::LedgerFailed(error) => error.fmt(formatter),
            Self::Read => formatter.write_str("read"),
            Self::ScriptSet => formatter.write_str("script set"),
            Self::Restarted => formatter.write_str("restarted"),
            Self::Healthy => formatter.write_str("healthy"),
        }
    }
}
