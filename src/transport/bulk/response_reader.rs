//! Reads HTTP/1.1 responses into a reused buffer, and finds each one's status and end.

use httparse::Status;

use super::{BulkResponse, ResponseExcerpt};
use crate::transport::failure::{Failure, invalid_response};
use crate::transport::response_limit::{BODY_READ_LIMIT, HEAD_LIMIT, MOST_HEADS, TooLong};
use crate::transport::retry_after_header::RetryAfterDelay;

const READ_SIZE: usize = 8 * 1024;
/// More headers than any receiver sends.
const MAX_HEADERS: usize = 100;

#[derive(Debug, Default)]
pub(crate) struct ResponseReader {
    buffer: Vec<u8>,
    /// Where the unread data from the socket begins in the buffer.
    begin: usize,
    /// Where it ends.
    filled: usize,
    interim_responses: u32,
    /// How many bytes of trailers were read.
    trailers: usize,
    head: Option<ResponseHead>,
    /// What is kept of the response, if anything is wanted.
    pub(crate) excerpt: Option<ResponseExcerpt>,
}

#[derive(Debug, Clone, Copy)]
struct ResponseHead {
    response: BulkResponse,
    keep_alive: bool,
    remainder: BodyRemainder,
    body_read: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyRemainder {
    Length(u64),
    ChunkSize,
    /// This many bytes of a chunk, including the line break after it.
    Chunk(u64),
    /// The lines after the last chunk, up to an empty one.
    Trailers,
    UntilClose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadProgress {
    More,
    Done {
        response: BulkResponse,
        reusable: bool,
    },
}

impl ResponseReader {
    pub(crate) fn begin(&mut self, with_excerpt: bool) {
        (self.begin, self.filled) = (0, 0);
        (self.interim_responses, self.trailers) = (0, 0);
        self.head = None;
        self.excerpt = with_excerpt.then(ResponseExcerpt::default);
    }

    pub(crate) fn spare(&mut self) -> &mut [u8] {
        self.buffer.copy_within(self.begin..self.filled, 0);
        self.filled -= self.begin;
        self.begin = 0;
        if self.buffer.len() < self.filled + READ_SIZE {
            self.buffer.resize(self.filled + READ_SIZE, 0);
        }
        &mut self.buffer[self.filled..]
    }

    /// Processes this many bytes that were written to the free space; 0 means that the connection
    /// has ended.
    pub(crate) fn read(&mut self, count: usize) -> Result<ReadProgress, Failure> {
        self.filled += count;
        while self.head.is_none() {
            if count == 0 {
                return Err(Failure::ClosedEarly);
            }
            if !self.read_head()? {
                return Ok(ReadProgress::More);
            }
        }
        self.read_body(count == 0)
    }

    /// Parses the head once it is complete; skips interim responses. Returns whether the buffer may
    /// hold another head or a body.
    fn read_head(&mut self) -> Result<bool, Failure> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        let length = match parsed.parse(&self.buffer[self.begin..self.filled]) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if self.filled - self.begin > HEAD_LIMIT => {
                return Err(invalid_response("its head is too long"));
            }
            Ok(Status::Partial) => return Ok(false),
            Err(error) => {
                let first = self.buffer.get(self.begin).copied();
                return Err(invalid_response(error).with_first_byte(first));
            }
        };
        let status = parsed.code.unwrap_or_default();
        let interim = (100..200).contains(&status) && status != 101;
        if interim {
            self.interim_responses += 1;
            if self.interim_responses > MOST_HEADS {
                return Err(TooLong::InterimResponses.into());
            }
        } else {
            self.head = Some(parse_head(&parsed, status)?);
            if let Some(excerpt) = &mut self.excerpt {
                for header in parsed.headers.iter() {
                    excerpt.add_header(header.name, header.value);
                }
            }
        }
        self.consume(length);
        Ok(!interim || self.filled > self.begin)
    }

    fn read_body(&mut self, ended: bool) -> Result<ReadProgress, Failure> {
        let Some(mut head) = self.head else {
            return Ok(ReadProgress::More);
        };
        let done = loop {
            let available = (self.filled - self.begin) as u64;
            match head.remainder {
                BodyRemainder::Length(0) => break true,
                BodyRemainder::Chunk(0) => head.remainder = BodyRemainder::ChunkSize,
                BodyRemainder::Length(left) | BodyRemainder::Chunk(left) => {
                    let taken = left.min(available);
                    head.body_read += taken;
                    self.consume_body(usize::try_from(taken).unwrap_or_default());
                    head.remainder = match head.remainder {
                        BodyRemainder::Length(left) => BodyRemainder::Length(left - taken),
                        _ => BodyRemainder::Chunk(left - taken),
                    };
                    if taken < left {
                        break false;
                    }
                }
                BodyRemainder::ChunkSize => {
                    match httparse::parse_chunk_size(&self.buffer[self.begin..self.filled]) {
                        Ok(Status::Complete((line, size))) => {
                            self.consume(line);
                            head.remainder = match size {
                                0 => BodyRemainder::Trailers,
                                _ => BodyRemainder::Chunk(size.saturating_add(2)),
                            };
                        }
                        Ok(Status::Partial) if self.filled - self.begin > HEAD_LIMIT => {
                            return Err(invalid_response("the size line of a chunk is too long"));
                        }
                        Ok(Status::Partial) => break false,
                        Err(_) => {
                            return Err(invalid_response("the size of a chunk is not a number"));
                        }
                    }
                }
                BodyRemainder::Trailers => {
                    let unread = &self.buffer[self.begin..self.filled];
                    let Some(end) = unread.iter().position(|byte| *byte == b'\n') else {
                        if self.trailers + unread.len() > HEAD_LIMIT {
                            return Err(TooLong::Trailers.into());
                        }
                        break false;
                    };
                    let empty = matches!(&unread[..end], [] | [b'\r']);
                    self.consume(end + 1);
                    self.trailers += end + 1;
                    if self.trailers > HEAD_LIMIT {
                        return Err(TooLong::Trailers.into());
                    }
                    if empty {
                        head.remainder = BodyRemainder::Length(0);
                    }
                }
                BodyRemainder::UntilClose => {
                    head.body_read += available;
                    self.consume_body(self.filled - self.begin);
                    break ended;
                }
            }
        };
        self.head = Some(head);
        if head.body_read > BODY_READ_LIMIT {
            return Err(TooLong::Body.into());
        }
        if done {
            // Bytes after the response answer no request.
            let reusable = head.keep_alive && self.filled == self.begin;
            return Ok(ReadProgress::Done {
                response: head.response,
                reusable,
            });
        }
        if ended {
            return Err(Failure::ClosedEarly);
        }
        Ok(ReadProgress::More)
    }

    fn consume_body(&mut self, count: usize) {
        if let Some(excerpt) = &mut self.excerpt {
            excerpt.add_body(&self.buffer[self.begin..][..count]);
        }
        self.consume(count);
    }

    fn consume(&mut self, count: usize) {
        self.begin += count;
    }
}

fn parse_head(parsed: &httparse::Response<'_, '_>, status: u16) -> Result<ResponseHead, Failure> {
    let mut keep_alive = parsed.version == Some(1);
    let mut length = None;
    let mut chunked = false;
    let mut retry_after = None;
    for header in parsed.headers.iter() {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            let value = parse_number(header.value)
                .ok_or_else(|| invalid_response("its Content-Length is not a number"))?;
            if length.is_some_and(|other| other != value) {
                return Err(invalid_response("it has two different lengths"));
            }
            length = Some(value);
        } else if is("transfer-encoding") {
            chunked = last_item(header.value).eq_ignore_ascii_case(b"chunked");
            if !chunked {
                return Err(invalid_response("its Transfer-Encoding is unknown"));
            }
        } else if is("connection") {
            let items = header.value.split(|byte| *byte == b',');
            for item in items.map(<[u8]>::trim_ascii) {
                if item.eq_ignore_ascii_case(b"close") {
                    keep_alive = false;
                } else if item.eq_ignore_ascii_case(b"keep-alive") && parsed.version == Some(0) {
                    keep_alive = true;
                }
            }
        } else if is("retry-after") {
            retry_after = RetryAfterDelay::parse(header.value);
        }
    }
    let remainder = match (status, chunked, length) {
        (101 | 204 | 304, _, _) => BodyRemainder::Length(0),
        (_, true, _) => BodyRemainder::ChunkSize,
        (_, false, Some(length)) => BodyRemainder::Length(length),
        (_, false, None) => BodyRemainder::UntilClose,
    };
    Ok(ResponseHead {
        response: BulkResponse {
            status,
            retry_after,
        },
        // A response that is chunked and has a length is ambiguous: do not trust what follows.
        keep_alive: keep_alive
            && remainder != BodyRemainder::UntilClose
            && status != 101
            && !(chunked && length.is_some()),
        remainder,
        body_read: 0,
    })
}

fn parse_number(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| all_digits)?;
    text.parse().ok()
}

fn last_item(value: &[u8]) -> &[u8] {
    let mut items = value.rsplit(|byte| *byte == b',');
    items.next().unwrap_or_default().trim_ascii()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// Reads a response in pieces of `piece` bytes, and ends the connection afterwards if `ends`.
    fn read_in_pieces(response: &[u8], piece: usize, ends: bool) -> Result<ReadProgress, Failure> {
        let mut reader = ResponseReader::default();
        reader.begin(false);
        for bytes in response.chunks(piece) {
            reader.spare()[..bytes.len()].copy_from_slice(bytes);
            match reader.read(bytes.len())? {
                ReadProgress::More => {}
                done @ ReadProgress::Done { .. } => return Ok(done),
            }
        }
        if ends {
            reader.read(0)
        } else {
            Ok(ReadProgress::More)
        }
    }

    fn done(status: u16, reusable: bool) -> ReadProgress {
        let response = BulkResponse {
            status,
            retry_after: None,
        };
        ReadProgress::Done { response, reusable }
    }

    #[test]
    fn a_response_ends_where_its_head_says() {
        for (response, status, reusable) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, true),
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, true),
            ("HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n", 500, true),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                200,
                false,
            ),
            ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, false),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 F\r\nContent-Length: 0\r\n\r\n",
                403,
                true,
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nA: b\r\n\r\n",
                200,
                true,
            ),
        ] {
            for piece in [1, 2, 7, 4096] {
                let progress = read_in_pieces(response.as_bytes(), piece, false);
                assert_eq!(
                    progress,
                    Ok(done(status, reusable)),
                    "{response:?} by {piece}"
                );
            }
        }
    }

    #[test]
    fn a_response_without_a_length_ends_with_its_connection() {
        let response = b"HTTP/1.1 200 OK\r\n\r\nsome text";
        assert_eq!(read_in_pieces(response, 5, false), Ok(ReadProgress::More));
        assert_eq!(read_in_pieces(response, 5, true), Ok(done(200, false)));
    }

    #[test]
    fn an_incomplete_response_is_a_failure() {
        for response in [
            "",
            "HTTP/1.1 200 OK\r\nContent-Le",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfour",
        ] {
            let progress = read_in_pieces(response.as_bytes(), 4096, true);
            assert_eq!(progress, Err(Failure::ClosedEarly), "{response:?}");
        }
    }

    #[test]
    fn an_invalid_response_is_a_failure() {
        for response in [
            "garbage\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ] {
            let progress = read_in_pieces(response.as_bytes(), 4096, false);
            assert!(
                matches!(progress, Err(Failure::InvalidResponse { .. })),
                "{response:?}: {progress:?}"
            );
        }
        let endless = [
            b"HTTP/1.1 200 OK\r\nA: ".to_vec(),
            vec![b'x'; 2 * HEAD_LIMIT],
        ]
        .concat();
        assert!(read_in_pieces(&endless, 4096, false).is_err());
    }

    #[test]
    fn a_response_without_an_end_is_a_failure() {
        const OK: &[u8] = b"HTTP/1.1 200 OK\r\n";
        let chunked = [OK, b"Transfer-Encoding: chunked\r\n\r\n"].concat();
        for (start, again, too_long) in [
            (
                &[][..],
                &b"HTTP/1.1 100 Continue\r\n\r\n"[..],
                TooLong::InterimResponses,
            ),
            (
                &[&chunked[..], b"0\r\n"].concat(),
                b"a\n",
                TooLong::Trailers,
            ),
            (
                &[&chunked[..], b"0\r\n"].concat(),
                &[b'a'; 99],
                TooLong::Trailers,
            ),
            (&[OK, b"\r\n"].concat(), &[b' '; 4096], TooLong::Body),
            (
                &chunked,
                &[&b"1000\r\n"[..], &[b' '; 4096], b"\r\n"].concat(),
                TooLong::Body,
            ),
        ] {
            let times = 17 * 1024 * 1024 / 4096;
            let response = [
                start,
                &again.repeat(times.max(HEAD_LIMIT / again.len() + 1)),
            ]
            .concat();
            let read = read_in_pieces(&response, 8000, false);
            assert_eq!(read, Err(Failure::TooLong(too_long)));
        }
    }

    #[test]
    fn a_connection_with_bytes_after_the_response_is_not_reused() {
        let response = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1";
        assert_eq!(read_in_pieces(response, 4096, false), Ok(done(200, false)));
    }

    #[test]
    fn a_retry_after_is_kept() {
        for (value, expected) in [
            ("3", Some(RetryAfterDelay::For(Duration::from_secs(3)))),
            (
                "Sun, 06 Nov 1994 08:49:37 GMT",
                Some(RetryAfterDelay::Until(784_111_777)),
            ),
            ("soon", None),
        ] {
            let response =
                format!("HTTP/1.1 503 x\r\nContent-Length: 0\r\nRetry-After: {value}\r\n\r\n");
            let Ok(ReadProgress::Done { response, .. }) =
                read_in_pieces(response.as_bytes(), 4096, false)
            else {
                panic!("a response");
            };
            assert_eq!(response.retry_after, expected, "{value}");
        }
    }

    #[test]
    fn an_excerpt_has_the_headers_and_the_body() {
        let long = "x".repeat(9000);
        for (response, body) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nA: b\r\n\r\nsome text",
                "some text",
            ),
            (
                "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsome \r\n4\r\ntext\r\n0\r\n\r\n",
                "some \r\ntext\r\n",
            ),
            (
                &format!("HTTP/1.1 200 OK\r\nA: b\r\n\r\n{long}"),
                &long[..4096],
            ),
        ] {
            let mut reader = ResponseReader::default();
            reader.begin(true);
            for bytes in response.as_bytes().chunks(7) {
                reader.spare()[..bytes.len()].copy_from_slice(bytes);
                reader.read(bytes.len()).expect("a response");
            }
            let excerpt = reader.excerpt.expect("an excerpt");
            assert_eq!(String::from_utf8_lossy(&excerpt.body), body);
            let header = ("A".to_owned(), "b".to_owned());
            assert!(excerpt.headers.contains(&header), "{excerpt:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic(bytes: Vec<u8>, piece in 1..64_usize) {
            let _ = read_in_pieces(&bytes, piece, true);
            let _ = read_in_pieces(&[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", bytes.as_slice()].concat(), piece, true);
        }
    }
}
