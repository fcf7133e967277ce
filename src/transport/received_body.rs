//! A body as it arrives: keeps its start, and decodes it if it is compressed.
//!
//! It is decoded piece by piece, since a long body is not kept as a whole.

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};
use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use super::response_limit::{BODY_READ_LIMIT, TooLong};

/// The start of a body, and its length so far.
#[derive(Debug)]
struct BodyStart {
    kept: BytesMut,
    length: u64,
    limit: usize,
}

impl BodyStart {
    fn new(limit: usize) -> Self {
        Self {
            kept: BytesMut::new(),
            length: 0,
            limit,
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(&bytes[..room]);
        self.length = self.length.saturating_add(bytes.len() as u64);
    }

    fn is_too_long(&self) -> bool {
        self.length > BODY_READ_LIMIT
    }
}

/// A decoder writes to it, and stops if the body is too long.
impl Write for BodyStart {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes);
        if self.is_too_long() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A body of which more may arrive.
pub(super) struct ReceivedBody {
    received: BodyStart,
    has_coding: bool,
    /// `None` if the body is not compressed, is corrupt or has an unknown coding; it is then used as received.
    decoder: Option<Decoder>,
}

/// A body that arrived as a whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WholeBody {
    pub(super) kept: Bytes,
    pub(super) length: u64,
    /// Whether it is left in its content coding.
    pub(super) encoded: bool,
}

impl ReceivedBody {
    /// A body with these headers, of which the first `limit` bytes are kept.
    pub(super) fn new(headers: &HeaderMap, limit: usize) -> Self {
        let codings: Vec<&str> = headers
            .get_all(CONTENT_ENCODING)
            .iter()
            .map(|coding| coding.to_str().unwrap_or("unknown").trim())
            .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
            .collect();
        let decoder = match codings[..] {
            [coding] => Decoder::of(coding, BodyStart::new(limit)),
            _ => None,
        };
        Self {
            received: BodyStart::new(limit),
            has_coding: !codings.is_empty(),
            decoder,
        }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        self.received.add(bytes);
        if self.received.is_too_long() {
            return Err(TooLong::Body);
        }
        let Some(decoder) = &mut self.decoder else {
            return Ok(());
        };
        let added = decoder.add(bytes);
        if decoder.start().is_too_long() {
            return Err(TooLong::DecodedBody);
        }
        if added.is_err() {
            self.decoder = None;
        }
        Ok(())
    }

    /// The body after its last byte.
    pub(super) fn whole(mut self) -> Result<WholeBody, TooLong> {
        let is_complete = self.decoder.as_mut().is_some_and(Decoder::end);
        let decoded = match self.decoder {
            Some(bomb) if bomb.start().is_too_long() => return Err(TooLong::DecodedBody),
            Some(complete) if is_complete => complete.into_start(),
            _ => None,
        };
        let encoded = decoded.is_none() && self.has_coding && !is_text(&self.received.kept);
        let body = decoded.unwrap_or(self.received);
        Ok(WholeBody {
            kept: body.kept.freeze(),
            length: body.length,
            encoded,
        })
    }
}

/// Whether the bytes are UTF-8, which may be cut within its last character. Some servers name a content coding
/// that the body does not have.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// A decoder of a common coding.
enum Decoder {
    Gzip(MultiGzDecoder<BodyStart>),
    Deflate(DeflateDecoder),
}

impl Decoder {
    fn of(coding: &str, start: BodyStart) -> Option<Self> {
        match coding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip(MultiGzDecoder::new(start))),
            "deflate" => Some(Self::Deflate(DeflateDecoder {
                stream: None,
                start,
                ended: false,
            })),
            _ => None,
        }
    }

    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(decoder) => decoder.write_all(bytes),
            Self::Deflate(decoder) => decoder.add(bytes),
        }
    }

    fn start(&self) -> &BodyStart {
        match self {
            Self::Gzip(decoder) => decoder.get_ref(),
            Self::Deflate(decoder) => &decoder.start,
        }
    }

    /// Decodes what is left. Returns whether nothing is missing.
    fn end(&mut self) -> bool {
        match self {
            Self::Gzip(decoder) => decoder.try_finish().is_ok(),
            Self::Deflate(decoder) => decoder.ended,
        }
    }

    fn into_start(self) -> Option<BodyStart> {
        match self {
            Self::Gzip(decoder) => decoder.finish().ok(),
            Self::Deflate(decoder) => Some(decoder.start),
        }
    }
}

struct DeflateDecoder {
    /// `None` before the first byte.
    stream: Option<Decompress>,
    start: BodyStart,
    ended: bool,
}

impl DeflateDecoder {
    fn add(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let Some(first) = bytes.first() else {
            return Ok(());
        };
        // The standard format is zlib, but some servers send raw deflate and clients accept both.
        let is_zlib = first & 0x0f == 8;
        let stream = self.stream.get_or_insert_with(|| Decompress::new(is_zlib));
        let mut piece = [0; 8192];
        while !self.ended {
            let before = (stream.total_in(), stream.total_out());
            let status = stream.decompress(bytes, &mut piece, FlushDecompress::None)?;
            let read = usize::try_from(stream.total_in() - before.0).unwrap_or(bytes.len());
            let written = usize::try_from(stream.total_out() - before.1).unwrap_or(piece.len());
            self.start.write_all(&piece[..written])?;
            self.ended = status == Status::StreamEnd;
            bytes = &bytes[read..];
            if (read, written) == (0, 0) {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
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

    /// The body after it arrived in pieces of this size.
    fn received(
        codings: &[&'static str],
        bytes: &[u8],
        piece: usize,
    ) -> Result<WholeBody, TooLong> {
        const LIMIT: usize = 100;
        let mut body = ReceivedBody::new(&headers(codings), LIMIT);
        bytes.chunks(piece).try_for_each(|piece| body.add(piece))?;
        body.whole()
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
            ("gzip", [gzip(&body[..5]), gzip(&body[5..])].concat()),
            ("deflate", zlib(body)),
            ("deflate", deflate(body)),
        ] {
            for piece in [1, 7, 1000] {
                let decoded = received(&[coding], &bytes, piece).expect("not too long");
                assert_eq!(
                    (&decoded.kept[..], decoded.length),
                    (&body[..], 15),
                    "{coding}"
                );
                assert!(!decoded.encoded);
            }
        }
    }

    #[test]
    fn an_unknown_coding_or_a_corrupt_body_is_not_decoded() {
        let whole = gzip(b"abc");
        let part = &whole[..whole.len() - 4];
        let deflated = zlib(&[b'x'; 500]);
        for (codings, bytes, encoded) in [
            (&[][..], &whole[..], false),
            (&["br"], &whole, true),
            (&["identity"], &whole, false),
            (&["gzip, gzip"], &whole, true),
            (&["gzip", "gzip"], &whole, true),
            (&["gzip"], part, true),
            (&["gzip"], b"abc", false),
            (&["gzip"], b"", false),
            (&["utf-8"], "é".as_bytes(), false),
            (&["deflate"], b"\xff\xff\xff", true),
            (&["deflate"], &deflated[..deflated.len() - 5], true),
        ] {
            let expected = WholeBody {
                kept: bytes.to_vec().into(),
                length: bytes.len() as u64,
                encoded,
            };
            assert_eq!(received(codings, bytes, 9), Ok(expected), "{codings:?}");
        }
    }

    /// The compressed body is longer than what is kept of it.
    #[test]
    fn the_start_of_a_long_compressed_body_is_decoded() {
        let numbers: String = (0..20_000).map(|number| number.to_string()).collect();
        for (coding, bytes) in [
            ("gzip", gzip(numbers.as_bytes())),
            ("deflate", zlib(numbers.as_bytes())),
        ] {
            assert!(bytes.len() > 10_000);
            let body = received(&[coding], &bytes, 4096).expect("not too long");
            assert_eq!(&body.kept[..], &numbers.as_bytes()[..100]);
            assert_eq!((body.length, body.encoded), (numbers.len() as u64, false));
        }
    }

    #[test]
    fn a_compression_bomb_is_refused() {
        let zeros = vec![0; 17 * 1024 * 1024];
        for (coding, bytes) in [("gzip", gzip(&zeros)), ("deflate", zlib(&zeros))] {
            assert!(bytes.len() < 90_000);
            assert_eq!(
                received(&[coding], &bytes, 50_000),
                Err(TooLong::DecodedBody)
            );
        }
    }
}
