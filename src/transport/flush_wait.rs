//! Sends a request and does something once its bytes have been flushed.

use std::pin::pin;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::oneshot;

use super::body_flush::BodyFlush;
use super::connection::Connection;
use super::failure::Failure;
use super::outgoing_body::OutgoingBody;

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
