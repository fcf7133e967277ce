//! Flaws in reading a request that is not written as in the documentation.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use crate::receiver::refusal::Refusal;
use crate::receiver::request_body;

use super::{Flaw, Flaws, caused_by, lock};

/// How many bytes of a body are read. A longer one is cut, or refused.
const BODY_LIMITS: [(Flaw, usize); 3] = [
    (Flaw::BodyLimit8k, 8 * 1024),
    (Flaw::BodyLimit64k, 64 * 1024 - 1),
    (Flaw::BodyLimit100k, 100 * 1024),
];

impl Flaws {
    /// Refuses a request by its headers, before its body is read.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let is_json = |value: &HeaderValue| value == "application/json";
        let refusals = [
            (
                Flaw::ContentLengthRequired,
                StatusCode::LENGTH_REQUIRED,
                !headers.contains_key(CONTENT_LENGTH),
            ),
            (
                Flaw::ContentTypeComparedExactly,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                !headers.get(CONTENT_TYPE).is_some_and(is_json),
            ),
            (
                Flaw::ExpectationRefused,
                StatusCode::EXPECTATION_FAILED,
                headers.contains_key(EXPECT),
            ),
        ];
        for (flaw, status, is_refused) in refusals {
            if is_refused && self.has(flaw) {
                return Err(caused_by(flaw, status));
            }
        }
        Ok(())
    }

    /// Reads a body: the bytes over which the signature is verified, and those that are parsed.
    pub(crate) async fn read(
        &self,
        body: Incoming,
        timeout: Duration,
    ) -> Result<(Bytes, Bytes), Refusal> {
        if self.has(Flaw::LettersDecodedAfterVerification) {
            let read = tokio::time::timeout(timeout, decoded_by_piece(body)).await;
            return read.unwrap_or(Err(Refusal::BodySlow));
        }
        let body = self.read_bytes(body, timeout).await?;
        Ok((body.clone(), body))
    }

    async fn read_bytes(&self, body: Incoming, timeout: Duration) -> Result<Bytes, Refusal> {
        if self.has(Flaw::FirstPieceOnly) {
            let first = tokio::time::timeout(timeout, first_piece(body)).await;
            return first.unwrap_or(Err(Refusal::BodySlow));
        }
        if self.has(Flaw::LettersDecodedByPiece) {
            let text = tokio::time::timeout(timeout, decoded_by_piece(body)).await;
            let text = text.unwrap_or(Err(Refusal::BodySlow));
            return text.map(|(_, text)| text);
        }
        if let Some((flaw, limit)) = BODY_LIMITS.iter().find(|(flaw, _)| self.has(*flaw)) {
            let body = request_body::read(body, timeout).await?;
            return match flaw {
                _ if body.len() <= *limit => Ok(body),
                Flaw::BodyLimit100k => Err(caused_by(*flaw, StatusCode::PAYLOAD_TOO_LARGE)),
                _ => Ok(body.slice(..*limit)),
            };
        }
        let mut arrived = BytesMut::new();
        let read = request_body::read_into(body, timeout, &mut arrived).await;
        if self.has(Flaw::CutBodyLeavesLock)
            && let Some(player_id) = player_in(&arrived)
        {
            let mut locked = lock(&self.locked_players);
            if read == Err(Refusal::BodyCut) {
                locked.insert(player_id);
            } else if locked.contains(&player_id) {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                return Err(caused_by(Flaw::CutBodyLeavesLock, status));
            }
        }
        read.map(|()| arrived.freeze())
    }
}

/// What one `read` call on a socket returns.
async fn first_piece(mut body: Incoming) -> Result<Bytes, Refusal> {
    match body.frame().await {
        Some(Ok(frame)) => Ok(frame.into_data().unwrap_or_default()),
        Some(Err(_)) => Err(Refusal::BodyCut),
        None => Ok(Bytes::new()),
    }
}

/// The body, and as a text to which each piece is added when it arrives.
async fn decoded_by_piece(body: Incoming) -> Result<(Bytes, Bytes), Refusal> {
    let mut body = Limited::new(body, request_body::BODY_LIMIT);
    let (mut bytes, mut text) = (BytesMut::new(), String::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::BodyCut)?;
        let piece = frame.into_data().unwrap_or_default();
        text.push_str(&String::from_utf8_lossy(&piece));
        bytes.extend_from_slice(&piece);
    }
    Ok((bytes.freeze(), text.into()))
}

/// The player ID, as a streaming parser finds it before the end of the body. Escapes are not
/// decoded.
fn player_in(body: &[u8]) -> Option<Vec<u8>> {
    const KEY: &[u8] = b"\"player_id\":\"";
    let start = body.windows(KEY.len()).position(|bytes| bytes == KEY)? + KEY.len();
    let length = body[start..].iter().position(|byte| *byte == b'"')?;
    Some(body[start..start + length].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_player_is_found_before_the_end_of_the_body() {
        let cut = br#"{"event_type":"coupon.redeemed","event_data":{"player_id":"2D2R","cou"#;
        assert_eq!(player_in(cut), Some(b"2D2R".to_vec()));
        assert_eq!(player_in(&cut[..60]), None);
        assert_eq!(player_in(b""), None);
    }
}
