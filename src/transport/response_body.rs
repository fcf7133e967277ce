//! Reads the body of a response, keeps its start, and decodes it if it is compressed.
//!
//! The sender requests no content coding, since Aghanim's example does not, and a receiver may then
//! use any (RFC 9110, 12.5.3). Common codings are decoded here, before checks, redaction and reports
//! see the body.

use std::io::Read;

use bytes::{Bytes, BytesMut};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use http::response::Parts;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::connection::Connection;
use super::exchange::Response;
use super::failure::Failure;
use super::response_limit::{BODY_READ_LIMIT, TooLong};

/// Reads a body to its end. Returns its first `limit` bytes and its length.
pub(crate) async fn read_body(
    mut body: Incoming,
    limit: usize,
    connection: &Connection,
) -> Result<(Bytes, u64), Failure> {
    let mut kept = BytesMut::new();
    let mut length = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| connection.failure(error))?;
        if let Ok(data) = frame.into_data() {
            length = length.saturating_add(data.len() as u64);
            if length > BODY_READ_LIMIT {
                return Err(TooLong::Body.into());
            }
            let room = limit.saturating_sub(kept.len()).min(data.len());
            kept.extend_from_slice(&data[..room]);
        }
    }
    connection.check_end()?;
    Ok((kept.freeze(), length))
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
        truncated: false,
        complete: false,
    }
}

/// A response with a body from [`read_body`], which is decoded if it was kept as a whole.
pub(crate) fn with_body(
    head: &Parts,
    (kept, length): (Bytes, u64),
    limit: usize,
) -> Result<Response, TooLong> {
    let is_whole = length == kept.len() as u64;
    let decoded = is_whole.then(|| decode(&head.headers, &kept, limit));
    let (body, body_length) = match decoded.flatten() {
        Some(decoded) if decoded.length > BODY_READ_LIMIT => return Err(TooLong::DecodedBody),
        Some(decoded) => (decoded.kept, decoded.length),
        None => (kept, length),
    };
    Ok(Response {
        truncated: body_length > body.len() as u64,
        body,
        body_length,
        complete: true,
        ..unread(head)
    })
}

#[derive(Debug, PartialEq, Eq)]
struct DecodedBody {
    kept: Bytes,
    /// The length of the whole body, if it is not over [`BODY_READ_LIMIT`].
    length: u64,
}

/// Decodes a complete body, and keeps the first `limit` bytes. `None` if it is not compressed, is
/// corrupt or has an unknown coding; it is then used as received.
fn decode(headers: &HeaderMap, body: &[u8], limit: usize) -> Option<DecodedBody> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    let (Some(coding), None) = (codings.next(), codings.next()) else {
        return None;
    };
    let coding = coding.to_str().ok()?.trim();
    if ["gzip", "x-gzip"]
        .iter()
        .any(|name| coding.eq_ignore_ascii_case(name))
    {
        read_start(MultiGzDecoder::new(body), limit)
    } else if coding.eq_ignore_ascii_case("deflate") {
        // The standard format is zlib, but some servers send raw deflate and clients accept both.
        read_start(ZlibDecoder::new(body), limit)
            .or_else(|| read_start(DeflateDecoder::new(body), limit))
    } else {
        None
    }
}

/// Reads to the end, or to the limit, since a few bytes can decompress to very many.
fn read_start(decoder: impl Read, limit: usize) -> Option<DecodedBody> {
    let mut decoder = decoder.take(BODY_READ_LIMIT + 1);
    let mut kept = Vec::new();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    decoder.by_ref().take(limit).read_to_end(&mut kept).ok()?;
    let rest = std::io::copy(&mut decoder, &mut std::io::sink()).ok()?;
    let length = rest.saturating_add(kept.len() as u64);
    Some(DecodedBody {
        kept: kept.into(),
        length,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::HeaderValue;

    use super::*;

    fn headers(codings: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for coding in codings {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        headers
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("written");
        encoder.finish().expect("compressed")
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("written");
        encoder.finish().expect("compressed")
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("written");
        encoder.finish().expect("compressed")
    }

    #[test]
    fn common_codings_are_decoded() {
        let body = br#"{"status":"ok"}"#;
        for (coding, bytes) in [
            ("gzip", gzip(body)),
            ("X-GZIP", gzip(body)),
            ("deflate", zlib(body)),
            ("deflate", deflate(body)),
        ] {
            let decoded = decode(&headers(&[coding]), &bytes, 100).expect("known");
            assert_eq!((&decoded.kept[..], decoded.length), (&body[..], 15));
        }
    }

    #[test]
    fn an_unknown_coding_or_a_corrupt_body_is_not_decoded() {
        let whole = gzip(b"abc");
        let part = &whole[..whole.len() - 4];
        for (codings, bytes) in [
            (&[][..], &whole[..]),
            (&["br"], &whole),
            (&["identity"], &whole),
            (&["gzip, gzip"], &whole),
            (&["gzip", "gzip"], &whole),
            (&["gzip"], part),
            (&["gzip"], b"abc"),
            (&["deflate"], b"\xff\xff\xff"),
        ] {
            assert_eq!(decode(&headers(codings), bytes, 100), None, "{codings:?}");
        }
    }

    #[test]
    fn a_compression_bomb_is_read_only_up_to_the_limit() {
        let bomb = gzip(&vec![0; 17 * 1024 * 1024]);
        assert!(bomb.len() < 20_000);
        let decoded = decode(&headers(&["gzip"]), &bomb, 10).expect("known");
        assert_eq!(
            (decoded.kept.len(), decoded.length),
            (10, BODY_READ_LIMIT + 1)
        );
    }
}
