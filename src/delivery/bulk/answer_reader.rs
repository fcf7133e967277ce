//! Reads HTTP/1.1 answers from a buffer that is used again: the status, and where the answer ends.

use httparse::Status;

use super::BulkAnswer;
use crate::delivery::failure::Failure;
use crate::delivery::retry_after::AskedWait;

/// How much is asked of the socket at a time.
const BUFFER: usize = 8 * 1024;
/// The longest head, and the longest line of a chunked body.
const HEAD_LIMIT: usize = 64 * 1024;
/// More headers than any receiver sends.
const MOST_HEADERS: usize = 100;
/// How much of a body is read at most, in bytes; the connection is not used again then.
const BODY_LIMIT: u64 = 16 * 1024 * 1024;

/// Reads one answer after the other.
#[derive(Debug, Default)]
pub(super) struct AnswerReader {
    buffer: Vec<u8>,
    /// How many bytes of the buffer have been read from the socket.
    filled: usize,
    /// What is known of the answer, once its head is there.
    head: Option<Head>,
}

#[derive(Debug, Clone, Copy)]
struct Head {
    answer: BulkAnswer,
    keeps: bool,
    rest: Rest,
    read: u64,
}

/// How much of the body is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// So many bytes.
    Length(u64),
    /// A chunk's size line comes next.
    ChunkSize,
    /// So many bytes of a chunk, with the line break behind them.
    Chunk(u64),
    /// The lines behind the last chunk, up to an empty one.
    Trailers,
    /// All until the connection is closed.
    UntilEnd,
}

/// What came of some more bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// The answer goes on.
    More,
    /// It is whole.
    Done {
        /// What it was.
        answer: BulkAnswer,
        /// Whether another request may follow on the connection.
        reusable: bool,
    },
}

impl AnswerReader {
    /// Forgets the answer before.
    pub(super) fn begin(&mut self) {
        self.filled = 0;
        self.head = None;
    }

    /// Where the next bytes go.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.buffer.len() < self.filled + BUFFER {
            self.buffer.resize(self.filled + BUFFER, 0);
        }
        &mut self.buffer[self.filled..]
    }

    /// Takes so many bytes that were put into the room; none is the end of the connection.
    pub(super) fn read(&mut self, count: usize) -> Result<Progress, Failure> {
        self.filled += count;
        while self.head.is_none() {
            if count == 0 {
                return Err(Failure::ClosedEarly);
            }
            if !self.read_head()? {
                return Ok(Progress::More);
            }
        }
        self.read_body(count == 0)
    }

    /// Reads the head if it is whole. That of an interim answer is skipped.
    fn read_head(&mut self) -> Result<bool, Failure> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        let length = match parsed.parse(&self.buffer[..self.filled]) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if self.filled > HEAD_LIMIT => {
                return Err(invalid("its head has no end"));
            }
            Ok(Status::Partial) => return Ok(false),
            Err(error) => return Err(invalid(&error.to_string())),
        };
        let status = parsed.code.unwrap_or_default();
        let interim = (100..200).contains(&status) && status != 101;
        if !interim {
            self.head = Some(head(&parsed, status)?);
        }
        self.consume(length);
        Ok(!interim || self.filled > 0)
    }

    fn read_body(&mut self, ended: bool) -> Result<Progress, Failure> {
        let Some(mut head) = self.head else {
            return Ok(Progress::More);
        };
        let done = loop {
            let available = self.filled as u64;
            match head.rest {
                Rest::Length(0) => break true,
                Rest::Chunk(0) => head.rest = Rest::ChunkSize,
                Rest::Length(left) | Rest::Chunk(left) => {
                    let taken = left.min(available);
                    head.read += taken;
                    self.consume(usize::try_from(taken).unwrap_or(self.filled));
                    head.rest = match head.rest {
                        Rest::Length(left) => Rest::Length(left - taken),
                        _ => Rest::Chunk(left - taken),
                    };
                    if taken < left {
                        break false;
                    }
                }
                Rest::ChunkSize => match httparse::parse_chunk_size(&self.buffer[..self.filled]) {
                    Ok(Status::Complete((line, 0))) => {
                        self.consume(line);
                        head.rest = Rest::Trailers;
                    }
                    Ok(Status::Complete((line, size))) => {
                        self.consume(line);
                        head.rest = Rest::Chunk(size.saturating_add(2));
                    }
                    Ok(Status::Partial) if self.filled > HEAD_LIMIT => {
                        return Err(invalid("a chunk's size has no end"));
                    }
                    Ok(Status::Partial) => break false,
                    Err(_) => return Err(invalid("a chunk's size is no number")),
                },
                Rest::Trailers => {
                    let unread = &self.buffer[..self.filled];
                    let Some(end) = unread.iter().position(|byte| *byte == b'\n') else {
                        if self.filled > HEAD_LIMIT {
                            return Err(invalid("its trailers have no end"));
                        }
                        break false;
                    };
                    let empty = matches!(&unread[..end], [] | [b'\r']);
                    self.consume(end + 1);
                    if empty {
                        head.rest = Rest::Length(0);
                    }
                }
                Rest::UntilEnd => {
                    head.read += available;
                    self.consume(self.filled);
                    break ended;
                }
            }
        };
        self.head = Some(head);
        let too_long = head.read > BODY_LIMIT;
        if done || too_long {
            // Bytes behind the answer belong to nothing that was asked.
            let reusable = head.keeps && !too_long && self.filled == 0;
            return Ok(Progress::Done {
                answer: head.answer,
                reusable,
            });
        }
        if ended {
            return Err(Failure::ClosedEarly);
        }
        Ok(Progress::More)
    }

    /// Drops bytes from the front.
    fn consume(&mut self, count: usize) {
        self.buffer.copy_within(count..self.filled, 0);
        self.filled -= count;
    }
}

/// What the head says of the answer and of the connection.
fn head(parsed: &httparse::Response<'_, '_>, status: u16) -> Result<Head, Failure> {
    let mut keeps = parsed.version == Some(1);
    let mut length = None;
    let mut chunked = false;
    let mut retry_after = None;
    for header in parsed.headers.iter() {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            let told =
                number(header.value).ok_or_else(|| invalid("its Content-Length is no number"))?;
            if length.is_some_and(|other| other != told) {
                return Err(invalid("it has two lengths"));
            }
            length = Some(told);
        } else if is("transfer-encoding") {
            chunked = last_word(header.value).eq_ignore_ascii_case(b"chunked");
            if !chunked {
                return Err(invalid("its Transfer-Encoding is not known"));
            }
        } else if is("connection") {
            let words = header.value.split(|byte| *byte == b',');
            for word in words.map(<[u8]>::trim_ascii) {
                if word.eq_ignore_ascii_case(b"close") {
                    keeps = false;
                } else if word.eq_ignore_ascii_case(b"keep-alive") && parsed.version == Some(0) {
                    keeps = true;
                }
            }
        } else if is("retry-after") {
            retry_after = AskedWait::read(header.value);
        }
    }
    let rest = match (status, chunked, length) {
        (101 | 204 | 304, _, _) => Rest::Length(0),
        (_, true, _) => Rest::ChunkSize,
        (_, false, Some(length)) => Rest::Length(length),
        (_, false, None) => Rest::UntilEnd,
    };
    Ok(Head {
        answer: BulkAnswer {
            status,
            retry_after,
        },
        // Two ways of telling the length are one too many to trust what follows.
        keeps: keeps && rest != Rest::UntilEnd && status != 101 && !(chunked && length.is_some()),
        rest,
        read: 0,
    })
}

fn number(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok().filter(|_| all_digits)?;
    text.parse().ok()
}

fn last_word(value: &[u8]) -> &[u8] {
    let mut words = value.rsplit(|byte| *byte == b',');
    words.next().unwrap_or_default().trim_ascii()
}

fn invalid(reason: &str) -> Failure {
    Failure::InvalidResponse {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// Feeds an answer in pieces of so many bytes, and then the end if there is one.
    fn fed(answer: &[u8], piece: usize, ends: bool) -> Result<Progress, Failure> {
        let mut reader = AnswerReader::default();
        reader.begin();
        for bytes in answer.chunks(piece) {
            reader.room()[..bytes.len()].copy_from_slice(bytes);
            match reader.read(bytes.len())? {
                Progress::More => {}
                done @ Progress::Done { .. } => return Ok(done),
            }
        }
        if ends {
            reader.read(0)
        } else {
            Ok(Progress::More)
        }
    }

    fn done(status: u16, reusable: bool) -> Progress {
        let answer = BulkAnswer {
            status,
            retry_after: None,
        };
        Progress::Done { answer, reusable }
    }

    #[test]
    fn an_answer_ends_where_its_head_says() {
        for (answer, status, reusable) in [
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
                let progress = fed(answer.as_bytes(), piece, false);
                assert_eq!(
                    progress,
                    Ok(done(status, reusable)),
                    "{answer:?} by {piece}"
                );
            }
        }
    }

    #[test]
    fn without_a_length_an_answer_ends_with_its_connection() {
        let answer = b"HTTP/1.1 200 OK\r\n\r\nsome text";
        assert_eq!(fed(answer, 5, false), Ok(Progress::More));
        assert_eq!(fed(answer, 5, true), Ok(done(200, false)));
    }

    #[test]
    fn an_answer_that_breaks_off_is_none() {
        for answer in [
            "",
            "HTTP/1.1 200 OK\r\nContent-Le",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfour",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfour",
        ] {
            let progress = fed(answer.as_bytes(), 4096, true);
            assert_eq!(progress, Err(Failure::ClosedEarly), "{answer:?}");
        }
    }

    #[test]
    fn what_is_no_answer_is_said_to_be_none() {
        for answer in [
            "garbage\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ] {
            let progress = fed(answer.as_bytes(), 4096, false);
            assert!(
                matches!(progress, Err(Failure::InvalidResponse { .. })),
                "{answer:?}: {progress:?}"
            );
        }
        let endless = [
            b"HTTP/1.1 200 OK\r\nA: ".to_vec(),
            vec![b'x'; 2 * HEAD_LIMIT],
        ]
        .concat();
        assert!(fed(&endless, 4096, false).is_err());
    }

    #[test]
    fn bytes_behind_an_answer_end_the_connection() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1";
        assert_eq!(fed(answer, 4096, false), Ok(done(200, false)));
    }

    #[test]
    fn a_wait_that_is_asked_for_is_kept() {
        for (value, asked) in [
            ("3", Some(AskedWait::For(Duration::from_secs(3)))),
            (
                "Sun, 06 Nov 1994 08:49:37 GMT",
                Some(AskedWait::Until(784_111_777)),
            ),
            ("soon", None),
        ] {
            let answer =
                format!("HTTP/1.1 503 x\r\nContent-Length: 0\r\nRetry-After: {value}\r\n\r\n");
            let Ok(Progress::Done { answer, .. }) = fed(answer.as_bytes(), 4096, false) else {
                panic!("an answer");
            };
            assert_eq!(answer.retry_after, asked, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, piece in 1..64_usize) {
            let _ = fed(&bytes, piece, true);
            let _ = fed(&[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", bytes.as_slice()].concat(), piece, true);
        }
    }
}
