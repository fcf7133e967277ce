//! Reads an answer to its end, and keeps the start of its body.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::content_coding::{Decoded, decoded};
use super::exchange::Response;

/// How much of an answer's body is read at most, in bytes.
pub(super) const READ_AT_MOST: u64 = 16 * 1024 * 1024;

/// What was read of a body.
pub(super) struct Read {
    kept: Bytes,
    length: u64,
    /// How much of it is kept at most.
    keep: usize,
    pub(super) complete: bool,
}

/// Reads a body to its end or to the bound, and keeps its start.
pub(super) async fn read(mut body: Incoming, keep: usize) -> Result<Read, hyper::Error> {
    let mut kept = BytesMut::new();
    let mut length = 0_u64;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len() as u64);
        let room = keep.saturating_sub(kept.len()).min(data.len());
        kept.extend_from_slice(&data[..room]);
        if length > READ_AT_MOST {
            return Ok(Read {
                kept: kept.freeze(),
                length,
                keep,
                complete: false,
            });
        }
    }
    Ok(Read {
        kept: kept.freeze(),
        length,
        keep,
        complete: true,
    })
}

impl Read {
    /// Of a body that nobody looked at.
    pub(super) fn none() -> Self {
        Self {
            kept: Bytes::new(),
            length: 0,
            keep: 0,
            complete: false,
        }
    }
}

pub(super) fn response(head: &http::response::Parts, body: Read) -> Response {
    let headers = head.headers.iter();
    let is_whole = body.complete && body.length == body.kept.len() as u64;
    let body = match decoded(&head.headers, &body.kept, body.keep) {
        Some(Decoded { kept, length }) if is_whole => Read {
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
