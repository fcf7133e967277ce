//! How one request is sent.

use std::time::Duration;

use tokio::sync::oneshot;

use super::last_byte_barrier::LastByteBarrier;
use super::outgoing_body::SendMode;
use super::request::OutgoingRequest;
use super::wire_fault::{SenderAbort, WireFault};
use crate::policy::ConnectionChoice;

/// The pause after each piece of a body, so that the receiver reads it on its own.
const PIECE_PAUSE: Duration = Duration::from_millis(3);

/// More than a handler has to say. Many responses are kept at the same time.
const BODY_LIMIT: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct SendOptions {
    /// How long the whole exchange may take, from connecting to the end of the response. Once the
    /// barrier has opened, the wait at it does not count.
    pub timeout: Duration,
    /// Whether an idle connection may be used. If so, it is kept for the next request.
    pub connection: ConnectionChoice,
    /// Holds back the last byte. Ignored if the body is cut or dripped, and sends the rest in one
    /// piece.
    pub barrier: Option<LastByteBarrier>,
    pub fault: Option<WireFault>,
    /// How many bytes of the response's body to keep. The rest is read and counted.
    pub body_limit: usize,
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
            body_limit: BODY_LIMIT,
            sent: None,
        }
    }

    pub(crate) fn send_mode(&self, request: &OutgoingRequest) -> SendMode {
        let body = &request.body;
        let pieces = |lengths: Vec<usize>, pause| SendMode::Pieces {
            lengths: lengths.into_iter(),
            pause,
        };
        match (self.fault, &self.barrier, request.wire.pieces) {
            (Some(WireFault::CutBody), ..) => SendMode::Prefix(half(body.len())),
            (Some(WireFault::DripBody { per_byte }), ..) => pieces(vec![1; body.len()], per_byte),
            (_, Some(barrier), _) => SendMode::HoldLastByte(barrier.clone()),
            (_, None, Some(form)) => pieces(form.lengths(body), PIECE_PAUSE),
            (_, None, None) => SendMode::AtOnce,
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
