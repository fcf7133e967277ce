//! Makes a response of its head and its body.
//!
//! The sender requests no content coding, since Aghanim's example does not, and a receiver may then
//! use any (RFC 9110, 12.5.3). Common codings are decoded here, before checks, redaction and reports
//! see the body.

use bytes::Bytes;
use http::response::Parts;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::connection::Connection;
use super::exchange::Response;
use super::failure::Failure;
use super::received_body::ReceivedBody;
use super::response_limit::TooLong;

/// Reads a body to its end, and keeps its first `limit` bytes.
pub(crate) async fn read_response(
    head: &Parts,
    mut body: Incoming,
    limit: usize,
    connection: &Connection,
) -> Result<Response, Failure> {
    let mut received = ReceivedBody::new(&head.headers, limit);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| connection.failure(error))?;
        if let Ok(data) = frame.into_data() {
            received.add(&data)?;
        }
    }
    connection.check_end()?;
    Ok(with_body(head, received)?)
}

/// A response whose body was not read.
pub(crate) fn unread(head: &Parts) -> Response {
    let headers = head.headers.iter();
    Response {
        status: head.status.as_u16(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect(),
        body: Bytes::new(),
        body_length: 0,
        encoded: false,
        truncated: false,
        complete: false,
    }
}

fn with_body(head: &Parts, received: ReceivedBody) -> Result<Response, TooLong> {
    let body = received.whole()?;
    Ok(Response {
        truncated: body.length > body.kept.len() as u64,
        body: body.kept,
        body_length: body.length,
        encoded: body.encoded,
        complete: true,
        ..unread(head)
    })
}

/// The response of a head and a whole body.
#[cfg(any(test, fuzzing))]
pub(crate) fn whole_response(head: &Parts, body: &[u8], limit: usize) -> Result<Response, TooLong> {
    let mut received = ReceivedBody::new(&head.headers, limit);
    received.add(body)?;
    with_body(head, received)
}
