//! What is told of an answered request: enough to follow along, and never the secret, a signature
//! or a body.

use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};

use super::grants::Withheld;
use super::ledger::LedgerError;
use super::refusal::Refusal;

/// Is told of every answered request. It is called between requests, so it must be quick.
pub type RequestObserver = Arc<dyn Fn(&RequestRecord) + Send + Sync>;

/// One answered request.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// The method.
    pub method: Method,
    /// The path as it was sent, percent-encoded.
    pub path: String,
    /// The player that the request is about, where it got so far.
    pub player_id: Option<String>,
    /// What was decided.
    pub decision: Decision,
    /// The status of the answer.
    pub status: StatusCode,
}

/// What was decided about a request.
#[derive(Debug, Clone)]
pub enum Decision {
    /// A new delivery, recorded and granted.
    Granted,
    /// A new delivery, recorded but not granted.
    Withheld(Withheld),
    /// A redelivery, answered as the first one.
    Redelivery {
        /// Whether its body is the first one's, byte for byte.
        same_body: bool,
    },
    /// Not processed, since a script says so.
    Scripted,
    /// Answered before it was processed, by a receiver with that flaw.
    AnsweredEarly,
    /// Turned away.
    Refused(Refusal),
    /// The ledger could not be read or written.
    LedgerFailed(LedgerError),
    /// What a player holds was read.
    Read,
    /// A player's next answers were scripted.
    ScriptSet,
    /// What is in memory alone was forgotten.
    Restarted,
    /// The health check.
    Healthy,
}

impl fmt::Display for Decision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Granted => formatter.write_str("granted"),
            Self::Withheld(reason) => write!(formatter, "acknowledged, not granted ({reason})"),
            Self::Redelivery { same_body: true } => formatter.write_str("redelivery"),
            Self::Redelivery { same_body: false } => {
                formatter.write_str("redelivery of this idempotency key with another body")
            }
            Self::Scripted => formatter.write_str("scripted, not processed"),
            Self::Refused(refusal) => write!(formatter, "refused: {refusal}"),
            Self::AnsweredEarly => formatter.write_str("answered, not processed yet"),
            Self::LedgerFailed(error) => error.fmt(formatter),
            Self::Read => formatter.write_str("read"),
            Self::ScriptSet => formatter.write_str("script set"),
            Self::Restarted => formatter.write_str("restarted"),
            Self::Healthy => formatter.write_str("healthy"),
        }
    }
}
