//! Answers whose bodies are compressed.
//!
//! The sender asks for no content coding, since Aghanim's example does not, and a receiver may then
//! use any (RFC 9110, 12.5.3). What is recorded and judged is what the receiver means, so bodies of
//! the codings of everyday are decoded here, before anybody looks at them or hides secrets in them.

use std::io::Read;

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use super::answer_reading::READ_AT_MOST;

/// A body as it was before it was compressed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    /// The start of it.
    pub(super) kept: Bytes,
    /// How long it is, kept or not, as far as it was looked at.
    pub(super) length: u64,
}

/// Decodes a whole body of which at most `keep` bytes are to be kept. `None` where it is not
/// compressed, or not in a way that is known here: then it is taken as it came.
pub(super) fn decoded(headers: &HeaderMap, body: &[u8], keep: usize) -> Option<Decoded> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    let (Some(coding), None) = (codings.next(), codings.next()) else {
        return None;
    };
    let coding = coding.to_str().ok()?.trim();
    if ["gzip", "x-gzip"]
        .iter()
        .any(|name| coding.eq_ignore_ascii_case(name))
    {
        start(MultiGzDecoder::new(body), keep)
    } else if coding.eq_ignore_ascii_case("deflate") {
        // It is zlib's format; but some send the bare one, and clients take both.
        start(ZlibDecoder::new(body), keep).or_else(|| start(DeflateDecoder::new(body), keep))
    } else {
        None
    }
}

/// Reads to the end, or as far as any body is read: a few bytes can stand for very many.
fn start(decoder: impl Read, keep: usize) -> Option<Decoded> {
    let mut decoder = decoder.take(READ_AT_MOST);
    let mut kept = Vec::new();
    let room = u64::try_from(keep).unwrap_or(u64::MAX);
    decoder.by_ref().take(room).read_to_end(&mut kept).ok()?;
    let more = std::io::copy(&mut decoder, &mut std::io::sink()).ok()?;
    let length = more.saturating_add(kept.len() as u64);
    Some(Decoded {
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
    fn the_codings_of_everyday_are_decoded() {
        let body = br#"{"status":"ok"}"#;
        for (coding, bytes) in [
            ("gzip", gzip(body)),
            ("X-GZIP", gzip(body)),
            ("deflate", zlib(body)),
            ("deflate", deflate(body)),
        ] {
            let decoded = decoded(&headers(&[coding]), &bytes, 100).expect("known");
            assert_eq!((&decoded.kept[..], decoded.length), (&body[..], 15));
        }
    }

    #[test]
    fn what_is_not_known_or_broken_is_taken_as_it_came() {
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
            assert_eq!(decoded(&headers(codings), bytes, 100), None, "{codings:?}");
        }
    }

    #[test]
    fn a_body_that_grows_without_end_is_not_followed() {
        let bomb = gzip(&vec![0; 17 * 1024 * 1024]);
        assert!(bomb.len() < 20_000);
        let decoded = decoded(&headers(&["gzip"]), &bomb, 10).expect("known");
        assert_eq!((decoded.kept.len(), decoded.length), (10, READ_AT_MOST));
    }
}
