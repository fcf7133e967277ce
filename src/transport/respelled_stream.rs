//! Spells the header names of an HTTP/1.1 request in another case. The HTTP library knows only title
//! case and lower case.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::policy::HeaderCase;

/// Spells the names in the first request that is written. Later requests are unchanged.
pub(super) struct RespelledStream<S> {
    stream: S,
    head: HeadSpelling,
}

/// Where the next byte belongs.
#[derive(Debug, Clone, Copy)]
enum Place {
    RequestLine,
    /// In a header name, after this many bytes of it.
    Name(usize),
    Value,
    /// After the head.
    Body,
}

struct HeadSpelling {
    case: HeaderCase,
    place: Place,
}

impl HeadSpelling {
    /// The next byte as it is sent.
    fn spell(&mut self, byte: u8) -> u8 {
        let (place, spelled) = match (self.place, byte) {
            // The empty line after the headers.
            (Place::Name(0), b'\n') => (Place::Body, byte),
            (Place::RequestLine | Place::Value, b'\n') | (Place::Name(0), b'\r') => {
                (Place::Name(0), byte)
            }
            (Place::Name(_), b':') => (Place::Value, byte),
            (Place::Name(position), _) => {
                let spelled = self.case.spell_byte(position, byte);
                (Place::Name(position + 1), spelled)
            }
            (place, _) => (place, byte),
        };
        self.place = place;
        spelled
    }
}

impl<S> RespelledStream<S> {
    pub(super) fn new(stream: S, case: HeaderCase) -> Self {
        let place = Place::RequestLine;
        Self {
            stream,
            head: HeadSpelling { case, place },
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for RespelledStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for RespelledStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut head = HeadSpelling { ..self.head };
        let spelled: Vec<u8> = bytes.iter().map(|byte| head.spell(*byte)).collect();
        let count = ready!(Pin::new(&mut self.stream).poll_write(context, &spelled))?;
        for byte in &bytes[..count] {
            self.head.spell(*byte);
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn only_header_names_are_respelled_however_the_bytes_are_written() {
        let sent =
            "POST /Hook HTTP/1.1\r\nHost: Game.example\r\nX-A: B: C\r\n\r\nKey: Value\r\nX: y";
        let expected = sent.replace("Host:", "HOST:");
        for size in [1, 7, 1000] {
            let (mut socket, sender) = tokio::io::duplex(5);
            let mut stream = RespelledStream::new(sender, HeaderCase::Upper);
            let write = async {
                for part in sent.as_bytes().chunks(size) {
                    stream.write_all(part).await.expect("written");
                }
                stream.shutdown().await.expect("shut down");
            };
            let mut received = String::new();
            let ((), read) = tokio::join!(write, socket.read_to_string(&mut received));
            read.expect("text");
            assert_eq!(received, expected, "{size}");
        }
    }
}
