//! The outcome of a request: its response, and the decision behind it.

use http::StatusCode;

use super::ledger::LedgerError;
use super::received_request::Decision;
use super::refusal::Refusal;
use super::response::ReceiverResponse;

/// The response to a request and the decision behind it.
#[derive(Debug)]
pub(super) struct RequestOutcome {
    pub(super) response: ReceiverResponse,
    pub(super) decision: Decision,
    pub(super) player_id: Option<String>,
}

/// Why a request could not be processed.
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
