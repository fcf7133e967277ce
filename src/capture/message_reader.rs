//! Reads HTTP/1.1 messages from the bytes of a connection as they pass by, and changes none of them.

use httparse::Status;

use super::exchange::{RawBody, RawRequest, RawResponse};

/// The longest head, and the longest line between chunks, in bytes.
const HEAD_LIMIT: usize = 64 * 1024;
const MAX_HEADERS: usize = 200;

/// Bytes that are not HTTP/1.1, such as HTTP/2 or an upgraded connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not HTTP/1.1")]
pub(super) struct NotHttp1;

/// A message that has a head, and a body after it.
pub(super) trait Message: Sized {
    /// Parses a complete head: its length and the message without its body; `None` if the head is
    /// incomplete.
    fn parse(bytes: &[u8]) -> Result<Option<(usize, Self)>, NotHttp1>;
    /// The headers that can say how long the body is.
    fn framing_headers(&self) -> &[(String, String)];
    fn body(&mut self) -> &mut RawBody;
    /// Whether another message follows that has the same purpose, as after `100 Continue`.
    fn is_interim(&self) -> bool;
    /// How long the body is if no header says so.
    fn default_framing(&self) -> Framing;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// This many bytes are left.
    Length(u64),
    ChunkSize,
    /// This many bytes of a chunk are left, including the line break after it.
    Chunk(u64),
    /// The lines after the last chunk, up to an empty one.
    Trailers,
    UntilClose,
}

/// Reads one message after the other.
#[derive(Debug)]
pub(super) struct MessageReader<M> {
    /// A part of a head, or of a line between chunks.
    line: Vec<u8>,
    message: Option<(M, Framing)>,
    /// Whether the next message has no body whatever its headers say, as the response to `HEAD`.
    pub(super) is_bodiless: bool,
}

impl<M> Default for MessageReader<M> {
    fn default() -> Self {
        Self {
            line: Vec::new(),
            message: None,
            is_bodiless: false,
        }
    }
}

impl<M: Message> MessageReader<M> {
    /// Whether a part of a message was read.
    pub(super) fn has_begun(&self) -> bool {
        self.message.is_some() || !self.line.is_empty()
    }

    /// Reads up to the end of a message. Returns how many bytes that took, and the message if it is
    /// complete.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<(usize, Option<M>), NotHttp1> {
        let mut at = 0;
        loop {
            if self.message.is_none() {
                at += self.read_head(&bytes[at..])?;
            }
            let Some((message, framing)) = &mut self.message else {
                return Ok((at, None));
            };
            let (taken, ended) = read_body(message, framing, &mut self.line, &bytes[at..])?;
            at += taken;
            if ended {
                let ended = self.message.take().map(|(message, _)| message);
                return Ok((at, ended));
            }
            if at == bytes.len() {
                return Ok((at, None));
            }
        }
    }

    /// How many bytes are kept of the message that is being read.
    pub(super) fn kept(&mut self) -> usize {
        let body = self
            .message
            .as_mut()
            .map_or(0, |(message, _)| message.body().kept.len());
        body + self.line.len()
    }

    /// The message that the end of the connection completes.
    pub(super) fn end(&mut self) -> Option<M> {
        let ended = self.message.take();
        ended.and_then(|(message, framing)| (framing == Framing::UntilClose).then_some(message))
    }

    /// Reads a head, and skips interim messages. Returns how many bytes that took.
    fn read_head(&mut self, bytes: &[u8]) -> Result<usize, NotHttp1> {
        let mut taken = 0;
        loop {
            let before = self.line.len();
            // No more than a head may have: what follows can be long.
            let room = (HEAD_LIMIT + 1).saturating_sub(before);
            let rest = &bytes[taken..];
            self.line.extend_from_slice(&rest[..rest.len().min(room)]);
            // Empty lines before a request are allowed (RFC 9112, 2.2).
            let Some((length, message)) = M::parse(&self.line)? else {
                if self.line.len() > HEAD_LIMIT {
                    return Err(NotHttp1);
                }
                return Ok(bytes.len());
            };
            taken += length - before;
            self.line.clear();
            if message.is_interim() {
                continue;
            }
            let framing = if self.is_bodiless {
                Framing::Length(0)
            } else {
                framing(&message)?
            };
            self.message = Some((message, framing));
            return Ok(taken);
        }
    }
}

/// How long the body is, unless the headers leave that open: then nobody knows what the receiver takes for
/// the next message.
fn framing(message: &impl Message) -> Result<Framing, NotHttp1> {
    let values = |wanted: &'static str| {
        let headers = message.framing_headers().iter();
        let headers = headers.filter(move |(name, _)| name.eq_ignore_ascii_case(wanted));
        headers.map(|(_, value)| value.trim())
    };
    let (mut encodings, mut lengths) = (values("transfer-encoding"), values("content-length"));
    match (encodings.next(), lengths.next()) {
        (None, None) => Ok(message.default_framing()),
        (Some(encoding), None) if encoding.to_ascii_lowercase().ends_with("chunked") => {
            Ok(Framing::ChunkSize)
        }
        (None, Some(length)) if lengths.all(|other| other == length) => {
            content_length(length).map(Framing::Length).ok_or(NotHttp1)
        }
        _ => Err(NotHttp1),
    }
}

fn content_length(value: &str) -> Option<u64> {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|_| is_number)
}

/// Reads a part of a body. Returns how many bytes that took, and whether the body has ended.
fn read_body(
    message: &mut impl Message,
    framing: &mut Framing,
    line: &mut Vec<u8>,
    bytes: &[u8],
) -> Result<(usize, bool), NotHttp1> {
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        match *framing {
            Framing::Length(0) => return Ok((at, true)),
            Framing::Chunk(0) => *framing = Framing::ChunkSize,
            _ if rest.is_empty() => return Ok((at, false)),
            Framing::UntilClose => {
                message.body().extend(rest);
                return Ok((bytes.len(), false));
            }
            Framing::Length(left) => {
                let taken = take(left, rest);
                message.body().extend(&rest[..taken]);
                *framing = Framing::Length(left - taken as u64);
                at += taken;
            }
            Framing::Chunk(left) => {
                let taken = take(left, rest);
                // The last two bytes are the line break.
                let content = take(left.saturating_sub(2), rest);
                message.body().extend(&rest[..content]);
                *framing = Framing::Chunk(left - taken as u64);
                at += taken;
            }
            Framing::ChunkSize | Framing::Trailers => {
                let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                    line.extend_from_slice(rest);
                    if line.len() > HEAD_LIMIT {
                        return Err(NotHttp1);
                    }
                    return Ok((bytes.len(), false));
                };
                line.extend_from_slice(&rest[..=end]);
                at += end + 1;
                let whole = std::mem::take(line);
                match *framing {
                    Framing::Trailers if whole.trim_ascii().is_empty() => return Ok((at, true)),
                    Framing::Trailers => {}
                    _ => *framing = after_chunk_size(&whole)?,
                }
            }
        }
    }
}

fn after_chunk_size(line: &[u8]) -> Result<Framing, NotHttp1> {
    match httparse::parse_chunk_size(line) {
        Ok(Status::Complete((_, 0))) => Ok(Framing::Trailers),
        Ok(Status::Complete((_, size))) => Ok(Framing::Chunk(size.saturating_add(2))),
        Ok(Status::Partial) | Err(_) => Err(NotHttp1),
    }
}

fn take(left: u64, bytes: &[u8]) -> usize {
    usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()))
}

fn owned(headers: &[httparse::Header<'_>]) -> Vec<(String, String)> {
    let text = |header: &httparse::Header<'_>| {
        let value = String::from_utf8_lossy(header.value).into_owned();
        (header.name.to_owned(), value)
    };
    headers.iter().map(text).collect()
}

impl Message for RawRequest {
    fn parse(bytes: &[u8]) -> Result<Option<(usize, Self)>, NotHttp1> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let Status::Complete(length) = parsed.parse(bytes).map_err(|_| NotHttp1)? else {
            return Ok(None);
        };
        let headers = owned(parsed.headers);
        let is_chunked = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
        let request = Self {
            method: parsed.method.unwrap_or_default().to_owned(),
            path: parsed.path.unwrap_or_default().to_owned(),
            version: parsed.version.map(|minor| format!("1.{minor}")),
            headers,
            body: RawBody::default(),
            is_chunked,
        };
        Ok(Some((length, request)))
    }

    fn framing_headers(&self) -> &[(String, String)] {
        &self.headers
    }

    fn body(&mut self) -> &mut RawBody {
        &mut self.body
    }

    fn is_interim(&self) -> bool {
        false
    }

    fn default_framing(&self) -> Framing {
        Framing::Length(0)
    }
}

impl Message for RawResponse {
    fn parse(bytes: &[u8]) -> Result<Option<(usize, Self)>, NotHttp1> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        let Status::Complete(length) = parsed.parse(bytes).map_err(|_| NotHttp1)? else {
            return Ok(None);
        };
        let status = parsed.code.unwrap_or_default();
        // What follows is another protocol.
        if status == 101 {
            return Err(NotHttp1);
        }
        let response = Self {
            status,
            headers: owned(parsed.headers),
            body: RawBody::default(),
        };
        Ok(Some((length, response)))
    }

    fn framing_headers(&self) -> &[(String, String)] {
        // 204 and 304 have no body, whatever their headers say.
        match self.status {
            204 | 304 => &[],
            _ => &self.headers,
        }
    }

    fn body(&mut self) -> &mut RawBody {
        &mut self.body
    }

    fn is_interim(&self) -> bool {
        self.status < 200
    }

    fn default_framing(&self) -> Framing {
        match self.status {
            204 | 304 => Framing::Length(0),
            _ => Framing::UntilClose,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the bytes in parts of this size.
    fn read<M: Message>(bytes: &[u8], size: usize) -> Vec<M> {
        let mut reader = MessageReader::<M>::default();
        let mut messages = Vec::new();
        for mut part in bytes.chunks(size) {
            while !part.is_empty() {
                let (taken, message) = reader.read(part).expect("HTTP/1.1");
                assert!(taken > 0);
                messages.extend(message);
                part = &part[taken..];
            }
        }
        messages.extend(reader.end());
        messages
    }

    #[test]
    fn a_length_that_is_open_to_interpretation_is_not_read() {
        for headers in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: 3, 3\r\n",
            "Transfer-Encoding: identity\r\n",
        ] {
            let text = format!("POST / HTTP/1.1\r\n{headers}\r\nabc");
            let read = MessageReader::<RawRequest>::default().read(text.as_bytes());
            assert_eq!(read.err(), Some(NotHttp1), "{headers}");
        }
    }

    #[test]
    fn requests_are_read_however_they_arrive() {
        let bytes = b"POST /a HTTP/1.1\r\nhOST: x\r\nContent-Length: 3\r\n\r\nabc\
            GET /b HTTP/1.0\r\n\r\n\
            POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n10;x=y\r\n0123456789abcdef\r\n0\r\nT: 1\r\n\r\n\
            POST /d HTTP/1.1\r\nContent-Length: 1\r\n\r\n!";
        for size in [1, 2, 7, 1000] {
            let requests: Vec<RawRequest> = read(bytes, size);
            let read: Vec<_> = requests
                .iter()
                .map(|request| (request.path.as_str(), request.body.kept.as_slice()))
                .collect();
            let chunked: &[u8] = b"de0123456789abcdef";
            assert_eq!(
                read,
                [
                    ("/a", &b"abc"[..]),
                    ("/b", b""),
                    ("/c", chunked),
                    ("/d", b"!")
                ],
                "{size}"
            );
            assert_eq!(requests[0].headers[0].0, "hOST");
            assert!(requests[2].is_chunked && !requests[0].is_chunked);
        }
    }

    #[test]
    fn responses_are_read_however_they_arrive() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\
            HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n\
            HTTP/1.1 503 Busy\r\n\r\nto the end";
        for size in [1, 3, 1000] {
            let responses: Vec<RawResponse> = read(bytes, size);
            let read: Vec<_> = responses
                .iter()
                .map(|response| (response.status, response.body.kept.as_slice()))
                .collect();
            assert_eq!(
                read,
                [(200, &b"ok"[..]), (204, b""), (503, b"to the end")],
                "{size}"
            );
        }
    }

    #[test]
    fn other_protocols_are_told_apart() {
        let mut requests = MessageReader::<RawRequest>::default();
        let http2 = requests.read(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        assert_eq!(http2.err(), Some(NotHttp1));
        let mut responses = MessageReader::<RawResponse>::default();
        let upgrade = responses.read(b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
        assert_eq!(upgrade.err(), Some(NotHttp1));
    }
}
