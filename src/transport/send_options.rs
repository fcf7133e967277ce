//! How one request is sent.

use std::time::Duration;

use tokio::sync::oneshot;

use super::last_byte_barrier::LastByteBarrier;
use super::outgoing_body::SendMode;
use super::wire_fault::{SenderAbort, WireFault};
use crate::policy::ConnectionChoice;

#[derive(Debug)]
pub(crate) struct SendOptions {
    /// How long the whole exchange may take, from connecting to the end of the response. Once the
    /// barrier has opened, the wait at it does not count.
    pub timeout: Duration,
    /// Whether an idle connection may be used. If so, it is kept for the next request.
    pub connection: ConnectionChoice,
    /// Holds back the last byte. Ignored if the body is cut or dripped.
    pub barrier: Option<LastByteBarrier>,
    pub fault: Option<WireFault>,
    /// Notified once the whole request has been sent.
    pub sent: Option<oneshot::Sender<()>>,
}

impl SendOptions {
    pub(crate) fn within(timeout: Duration) -> Self {
        Self {
            timeout,
            connection: ConnectionChoice::Reuse,
            barrier: None,
            fault: None,
            sent: None,
        }
    }

    pub(crate) fn send_mode(&self, length: usize) -> SendMode {
        match (self.fault, &self.barrier) {
            (Some(WireFault::CutBody), _) => SendMode::Prefix(half(length)),
            (Some(WireFault::DripBody { per_byte }), _) => SendMode::Drip(per_byte),
            (_, Some(barrier)) => SendMode::HoldLastByte(barrier.clone()),
            (_, None) => SendMode::AtOnce,
        }
    }

    /// How the sender aborts the exchange once the body, or its first half, has been sent. `None`
    /// if it does not abort at that point.
    pub(crate) fn abort_after_send(&self, length: usize) -> Option<SenderAbort> {
        match self.fault? {
            WireFault::CutBody => Some(SenderAbort::BodyCut {
                sent: half(length),
                length,
            }),
            WireFault::ResetAfterRequest => Some(SenderAbort::ResetAfterRequest),
            WireFault::LoseRequest | WireFault::LoseResponse | WireFault::DripBody { .. } => None,
        }
    }
}

fn half(length: usize) -> usize {
    length / 2
}
