//! The outcome of a request: its response and the decision behind it, and what an observer sees of
//! both.

use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};

use super::ledger::LedgerError;
use super::refusal::{Refusal, Skipped};
use super::response::ReceiverResponse;

/// Called after every request. It must return quickly, because it delays the response.
pub(crate) type RequestObserver = Arc<dyn Fn(&ReceivedRequest) + Send + Sync>;

/// What an observer sees of a request. Never contains the secret, a signature or a body.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    pub method: Method,
    /// The path as sent, percent-encoded.
    pub path: String,
    /// The player that the request names, if it was read that far.
    pub player_id: Option<String>,
    pub decision: Decision,
    pub status: StatusCode,
}

#[derive(Debug, Clone)]
pub enum Decision {
    Granted,
    /// Items were taken away.
    Removed,
    Skipped(Skipped),
    Redelivery {
        /// The name of the key by which it was recognized.
        key: &'static str,
        /// Whether its body equals the first delivery's, byte for byte.
        same_body: bool,
    },
    Scripted,
    AnsweredEarly,
    Refused(Refusal),
    LedgerFailed(LedgerError),
    Read,
    ScriptSet,
    ClockSet,
    InventorySet,
    Restarted,
    Healthy,
}

impl fmt::Display for Decision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Granted => formatter.write_str("granted"),
            Self::Removed => formatter.write_str("taken away"),
            Self::Skipped(reason) => write!(formatter, "acknowledged, not granted ({reason})"),
            Self::Redelivery {
                same_body: true, ..
            } => formatter.write_str("redelivery"),
            Self::Redelivery { key, .. } => {
                write!(
                    formatter,
                    "redelivery with the same {key} but a different body"
                )
            }
            Self::Scripted => formatter.write_str("scripted response, not processed"),
            Self::Refused(refusal) => write!(formatter, "refused: {refusal}"),
            Self::AnsweredEarly => formatter.write_str("answered before processing"),
            Self::LedgerFailed(error) => error.fmt(formatter),
            Self::Read => formatter.write_str("read"),
            Self::ScriptSet => formatter.write_str("script set"),
            Self::ClockSet => formatter.write_str("clock set"),
            Self::InventorySet => formatter.write_str("inventory limit set"),
            Self::Restarted => formatter.write_str("restarted"),
            Self::Healthy => formatter.write_str("healthy"),
        }
    }
}

#[derive(Debug)]
pub(super) struct RequestOutcome {
    pub(super) response: ReceiverResponse,
    pub(super) decision: Decision,
    pub(super) player_id: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl RequestOutcome {
    pub(super) fn new(response: ReceiverResponse, decision: Decision) -> Self {
        Self {
            response,
            decision,
            player_id: None,
        }
    }

    pub(super) fn ok(decision: Decision) -> Self {
        Self::new(ReceiverResponse::ok(), decision)
    }

    /// Refuses the request, or asks the sender to retry without showing why the ledger failed.
    pub(super) fn failed(failure: impl Into<Failure>) -> Self {
        match failure.into() {
            Failure::Refused(refusal) => Self::new(
                ReceiverResponse::refusal(&refusal),
                Decision::Refused(refusal),
            ),
            Failure::Ledger(error) => {
                let message = "the ledger failed; nothing was granted";
                let response = ReceiverResponse::error(StatusCode::INTERNAL_SERVER_ERROR, message);
                Self::new(response, Decision::LedgerFailed(error))
            }
        }
    }

    pub(super) fn for_player(self, player_id: Option<String>) -> Self {
        Self { player_id, ..self }
    }
}
