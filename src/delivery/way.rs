//! The way of one request through the client, where something may go wrong on purpose.

use std::pin::pin;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::oneshot;

use super::connection::Connection;
use super::departure::Departure;
use super::failure::Failure;
use super::gate::Gate;
use super::outgoing_body::{OutgoingBody, Pace};
use super::send_options::ConnectionUse;
use super::wire_fault::{BreakOff, WireFault};

/// The way that one exchange takes.
pub(super) struct Way {
    pub(super) connection: ConnectionUse,
    pub(super) gate: Option<Arc<Gate>>,
    pub(super) fault: Option<WireFault>,
    pub(super) sent: Option<oneshot::Sender<()>>,
}

impl Way {
    /// In which pieces a body of so many bytes leaves.
    pub(super) fn pace(&self, length: usize) -> Pace {
        match (self.fault, &self.gate) {
            (Some(WireFault::CutBody), _) => Pace::Only(Some(half(length))),
            (Some(WireFault::DripBody { per_byte }), _) => Pace::Drip {
                per_byte,
                next: None,
            },
            (_, Some(gate)) => Pace::Held(Arc::clone(gate)),
            (_, None) => Pace::AtOnce,
        }
    }

    /// How the sender breaks off once what is to leave of a body of so many bytes has left, if it
    /// does then.
    pub(super) fn breaks_off(&self, length: usize) -> Option<BreakOff> {
        match self.fault? {
            WireFault::CutBody => Some(BreakOff::BodyCut {
                sent: half(length),
                length,
            }),
            WireFault::ResetAfterRequest => Some(BreakOff::ResetAfterRequest),
            WireFault::LoseRequest | WireFault::LoseAnswer | WireFault::DripBody { .. } => None,
        }
    }
}

/// How much of a body leaves that is cut.
fn half(length: usize) -> usize {
    length / 2
}

/// Sends, and resets the connection once what is to leave has left. Returns the head of an answer
/// that came before that; the connection is reset all the same.
pub(super) async fn send_and_reset(
    connection: &mut Connection,
    request: Request<OutgoingBody>,
    departure: &Departure,
) -> Result<Option<Response<Incoming>>, Failure> {
    let cut = connection.cut();
    let mut answer = pin!(connection.send(request));
    let early = tokio::select! {
        biased;
        () = departure.left() => None,
        early = &mut answer => Some(early),
    };
    cut.reset();
    match early {
        None => Ok(None),
        Some(Ok(head)) => Ok(Some(head)),
        Some(Err(error)) => Err(Failure::exchanging(error.error())),
    }
}

/// Does the work, and tells when the request has left, unless the work is done before.
pub(super) async fn tell_when_left<T>(
    sent: &mut Option<oneshot::Sender<()>>,
    departure: &Departure,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    if sent.is_some() {
        tokio::select! {
            biased;
            () = departure.left() => {}
            done = &mut work => return done,
        }
    }
    if let Some(sent) = sent.take() {
        // Whoever is no longer interested needs no word.
        let _ = sent.send(());
    }
    work.await
}
