//! How the client treats one request: its connection, barrier and fault.

use std::pin::pin;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::oneshot;

use super::body_flush::BodyFlush;
use super::connection::Connection;
use super::failure::Failure;
use super::last_byte_barrier::LastByteBarrier;
use super::outgoing_body::{OutgoingBody, SendMode};
use super::send_options::ConnectionUse;
use super::wire_fault::{SenderAbort, WireFault};

/// The settings of one request that change how the client sends it.
pub(crate) struct RequestHooks {
    pub(crate) connection: ConnectionUse,
    pub(crate) barrier: Option<Arc<LastByteBarrier>>,
    pub(crate) fault: Option<WireFault>,
    pub(crate) sent: Option<oneshot::Sender<()>>,
}

impl RequestHooks {
    /// How to send a body of this length.
    pub(crate) fn send_mode(&self, length: usize) -> SendMode {
        match (self.fault, &self.barrier) {
            (Some(WireFault::CutBody), _) => SendMode::Prefix(Some(half(length))),
            (Some(WireFault::DripBody { per_byte }), _) => SendMode::Drip {
                per_byte,
                next: None,
            },
            (_, Some(barrier)) => SendMode::HoldLastByte(Arc::clone(barrier)),
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

/// How many bytes of a cut body are sent.
fn half(length: usize) -> usize {
    length / 2
}

/// Sends the request, and resets the connection once its bytes have been flushed. Returns the head
/// of the response if it arrived earlier; the connection is reset anyway.
pub(crate) async fn send_and_reset(
    connection: &mut Connection,
    request: Request<OutgoingBody>,
    flush: &BodyFlush,
) -> Result<Option<Response<Incoming>>, Failure> {
    let handle = connection.reset_handle();
    let mut response = pin!(connection.send(request));
    let early = tokio::select! {
        biased;
        () = flush.flushed() => None,
        early = &mut response => Some(early),
    };
    handle.reset();
    match early {
        None => Ok(None),
        Some(Ok(head)) => Ok(Some(head)),
        Some(Err(error)) => Err(Failure::from_hyper_error(error.error())),
    }
}

/// Runs `work`, and notifies `sent` once the request has been sent, even if `work` continues.
pub(crate) async fn notify_when_sent<T>(
    sent: &mut Option<oneshot::Sender<()>>,
    flush: &BodyFlush,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    if sent.is_some() {
        tokio::select! {
            biased;
            () = flush.flushed() => {}
            done = &mut work => return done,
        }
    }
    if let Some(sent) = sent.take() {
        // The receiving end may have been dropped.
        let _ = sent.send(());
    }
    work.await
}
