//! Reads a request's body up to a size and within a time. What the bytes mean is not its business.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::refusal::Refusal;

/// The most bytes that a body may have.
pub(super) const BODY_LIMIT: usize = 1024 * 1024;

/// So much of a body that is too large is read and dropped, so that its sender, who writes first
/// and reads later, gets to see the refusal.
const DISCARD_LIMIT: usize = 16 * BODY_LIMIT;

/// The whole body, which must arrive within `timeout`, however it drips.
pub(super) async fn read(body: Incoming, timeout: Duration) -> Result<Bytes, Refusal> {
    let mut arrived = BytesMut::new();
    read_into(body, timeout, &mut arrived).await?;
    Ok(arrived.freeze())
}

/// The same, with what has arrived in `arrived` also where that is not the whole.
pub(super) async fn read_into(
    body: Incoming,
    timeout: Duration,
    arrived: &mut BytesMut,
) -> Result<(), Refusal> {
    tokio::time::timeout(timeout, collect(body, arrived))
        .await
        .unwrap_or(Err(Refusal::BodySlow))
}

async fn collect(mut body: Incoming, collected: &mut BytesMut) -> Result<(), Refusal> {
    let promised = body.size_hint().exact();
    collected.reserve(announced_length(&body).min(BODY_LIMIT));
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::BodyCut)?;
        // Trailers are of no interest.
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len());
        if length > DISCARD_LIMIT {
            break;
        }
        if length <= BODY_LIMIT {
            collected.extend_from_slice(&data);
        }
    }
    if length > BODY_LIMIT {
        return Err(Refusal::BodyTooLarge { limit: BODY_LIMIT });
    }
    // A connection that goes away can look like the end of its body.
    if promised.is_some_and(|promised| promised != length as u64) {
        return Err(Refusal::BodyCut);
    }
    Ok(())
}

/// What `Content-Length` promises; only a hint of how much room to make.
fn announced_length(body: &Incoming) -> usize {
    usize::try_from(body.size_hint().lower()).unwrap_or(BODY_LIMIT)
}
