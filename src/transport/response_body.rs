//! Reads the body of a response, and keeps its start.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::content_coding::{BODY_READ_LIMIT, DecodedBody, decode};
use super::exchange::Response;

/// A body as far as it was read.
pub(crate) struct ReadBody {
    kept: Bytes,
    length: u64,
    /// The most bytes to keep.
    limit: usize,
    /// Whether the body was read to its end.
    pub(crate) complete: bool,
}

/// Reads a body up to its end or [`BODY_READ_LIMIT`], and keeps the first `limit` bytes.
pub(crate) async fn read_body(mut body: Incoming, limit: usize) -> Result<ReadBody, hyper::Error> {
    let mut kept = BytesMut::new();
    let mut length = 0_u64;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len() as u64);
        let room = limit.saturating_sub(kept.len()).min(data.len());
        kept.extend_from_slice(&data[..room]);
        if length > BODY_READ_LIMIT {
            return Ok(ReadBody {
                kept: kept.freeze(),
                length,
                limit,
                complete: false,
            });
        }
    }
    Ok(ReadBody {
        kept: kept.freeze(),
        length,
        limit,
        complete: true,
    })
}

impl ReadBody {
    /// A body of which nothing was read.
    pub(crate) fn unread() -> Self {
        Self {
            kept: Bytes::new(),
            length: 0,
            limit: 0,
            complete: false,
        }
    }
}

/// Combines a head and a body, which is decoded if it is complete.
pub(crate) fn to_response(head: &http::response::Parts, body: ReadBody) -> Response {
    let headers = head.headers.iter();
    let is_whole = body.complete && body.length == body.kept.len() as u64;
    let body = match decode(&head.headers, &body.kept, body.limit) {
        Some(DecodedBody { kept, length }) if is_whole => ReadBody {
            kept,
            length,
            ..body
        },
        _ => body,
    };
    Response {
        status: head.status.as_u16(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect(),
        truncated: body.length > body.kept.len() as u64,
        body: body.kept,
        body_length: body.length,
        complete: body.complete,
    }
}
