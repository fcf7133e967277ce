//! Reads a request's body, with limits on its size and on the time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::refusal::Refusal;

pub(super) const BODY_LIMIT: usize = 1024 * 1024;

/// How much of a too large body is read and discarded. Senders that write the whole body before
/// they read the response then still see the refusal.
const DISCARD_LIMIT: usize = 16 * BODY_LIMIT;

/// Reads the whole body, which must arrive within `timeout` in total.
pub(super) async fn read(body: Incoming, timeout: Duration) -> Result<Bytes, Refusal> {
    let mut arrived = BytesMut::new();
    read_into(body, timeout, &mut arrived).await?;
    Ok(arrived.freeze())
}

/// Like [`read`], but `arrived` also contains the part of an incomplete body that has arrived.
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
    let announced = body.size_hint();
    collected.reserve(
        usize::try_from(announced.lower()).map_or(BODY_LIMIT, |length| length.min(BODY_LIMIT)),
    );
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::BodyCut)?;
        // Ignore trailers.
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
    // A closed connection can look like the end of the body.
    if announced
        .exact()
        .is_some_and(|promised| promised != length as u64)
    {
        return Err(Refusal::BodyCut);
    }
    Ok(())
}
