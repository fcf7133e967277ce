//! A fast connection for load runs: only a response's status and `Retry-After` are kept, and an excerpt if
//! wanted.
//!
//! [`Client`] allocates to keep the whole exchange for later checks. A load run does not need that:
//! here a request is sent in one write, and both it and its response have reused buffers. This module
//! does not retry, and the only fault it can inject is to discard a response.

mod http2;
mod request;
mod response_excerpt;
mod response_reader;

use std::pin::Pin;
use std::task::{Context, Waker};

use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;

use super::client::Client;
use super::connect::{self, OpenedStream, Stream};
use super::failure::Failure;
use super::io_meter::{SocketPeek, Unread, unread};
use super::last_byte_barrier::LastByteBarrier;
use super::retry_after_header::RetryAfterDelay;
use super::target::Target;
use super::wire_fault::SenderAbort;
use http2::Http2;
pub(crate) use request::BulkRequest;
pub(crate) use response_excerpt::ResponseExcerpt;
pub(crate) use response_reader::{ReadProgress, ResponseReader};

pub(crate) struct BulkConnection(BulkState);

enum BulkState {
    Http1(Box<Http1>),
    Http2(Box<Http2>),
    /// The connection has ended, or its last exchange did not complete.
    Closed,
}

struct Http1 {
    stream: BulkStream,
    request: Vec<u8>,
    reader: ResponseReader,
}

/// The stream that carries HTTP/1.1. A plain one is not boxed, which saves a system call per read.
enum BulkStream {
    Plain(TcpStream),
    Encrypted(Box<dyn Stream>, SocketPeek),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BulkResponse {
    pub status: u16,
    pub retry_after: Option<RetryAfterDelay>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseHandling {
    Read,
    /// Close the connection once the response begins: the receiver has processed the request, but
    /// the sender does not learn the result.
    Discard,
}

impl BulkConnection {
    pub(crate) async fn open(client: &Client, target: &Target) -> Result<Self, Failure> {
        let open = Self::open_unbounded(client, target);
        client.within_connect_timeout(open).await
    }

    async fn open_unbounded(client: &Client, target: &Target) -> Result<Self, Failure> {
        let version = client.http_version();
        if connect::is_plain_http1(target, version) {
            let (stream, _) = connect::open_socket(target, client.route(target)).await?;
            return Ok(Self::http1(BulkStream::Plain(stream)));
        }
        let opened = connect::open(target, client.route(target), client.tls(), version).await?;
        if opened.http2 {
            let connection = Http2::start(opened).await?;
            return Ok(Self(BulkState::Http2(Box::new(connection))));
        }
        let OpenedStream { stream, peek, .. } = opened;
        Ok(Self::http1(BulkStream::Encrypted(stream, peek)))
    }

    fn http1(stream: BulkStream) -> Self {
        Self(BulkState::Http1(Box::new(Http1 {
            stream,
            request: Vec::new(),
            reader: ResponseReader::default(),
        })))
    }

    /// Whether another request can be sent on it, as far as the sender knows.
    pub(crate) fn is_open(&mut self) -> bool {
        match &mut self.0 {
            BulkState::Http1(http1) => http1.has_no_unread_bytes(),
            BulkState::Http2(connection) => connection.is_usable(),
            BulkState::Closed => false,
        }
    }

    /// Whether it is already known to be closed. Makes no system call.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.0, BulkState::Closed)
    }

    /// Sends a request with a body, and reads the response.
    ///
    /// With a barrier, the last byte waits for the other participants. With an excerpt, that is filled.
    /// The connection is closed if the exchange fails or this future is dropped early.
    pub(crate) async fn exchange(
        &mut self,
        target: &Target,
        request: &BulkRequest,
        barrier: Option<LastByteBarrier>,
        handling: ResponseHandling,
        excerpt: Option<&mut ResponseExcerpt>,
    ) -> Result<BulkResponse, Failure> {
        // If this future is dropped early, the connection remains closed.
        match std::mem::replace(&mut self.0, BulkState::Closed) {
            BulkState::Http1(mut http1) => {
                request.write_http1(target, &mut http1.request);
                let (response, reusable) = http1.exchange(barrier, handling, excerpt).await?;
                if reusable {
                    self.0 = BulkState::Http1(http1);
                }
                Ok(response)
            }
            BulkState::Http2(mut connection) => {
                let response = connection
                    .exchange(target, request, barrier, handling, excerpt)
                    .await;
                let response = response.map_err(|failure| connection.explained(failure))?;
                self.0 = BulkState::Http2(connection);
                Ok(response)
            }
            BulkState::Closed => Err(Failure::ClosedEarly),
        }
    }
}

impl Http1 {
    /// Whether the connection is open and the receiver has sent nothing unexpected.
    fn has_no_unread_bytes(&mut self) -> bool {
        match &mut self.stream {
            BulkStream::Plain(stream) => unread(stream) == Unread::Nothing,
            BulkStream::Encrypted(stream, peek) => match peek.unread() {
                Unread::Nothing => true,
                Unread::End => false,
                // These may be TLS session tickets, which contain no application data.
                Unread::Bytes => {
                    let mut byte = [0];
                    let mut context = Context::from_waker(Waker::noop());
                    let read =
                        Pin::new(stream).poll_read(&mut context, &mut ReadBuf::new(&mut byte));
                    read.is_pending()
                }
            },
        }
    }

    async fn exchange(
        &mut self,
        barrier: Option<LastByteBarrier>,
        handling: ResponseHandling,
        excerpt: Option<&mut ResponseExcerpt>,
    ) -> Result<(BulkResponse, bool), Failure> {
        match (barrier, self.request.split_last()) {
            (Some(barrier), Some((last, rest))) => {
                self.stream.write(rest).await?;
                barrier.open().await;
                self.stream.write(&[*last]).await?;
            }
            _ => self.stream.write(&self.request).await?,
        }
        self.reader.begin(excerpt.is_some());
        loop {
            let count = match &mut self.stream {
                BulkStream::Plain(stream) => stream.read(self.reader.spare()).await,
                BulkStream::Encrypted(stream, _) => stream.read(self.reader.spare()).await,
            };
            let count = count.map_err(|error| Failure::from_stream_error(&error))?;
            if handling == ResponseHandling::Discard && count > 0 {
                return Err(SenderAbort::ResponseLost.into());
            }
            match self.reader.read(count)? {
                ReadProgress::More => {}
                ReadProgress::Done { response, reusable } => {
                    if let (Some(excerpt), Some(read)) = (excerpt, self.reader.excerpt.take()) {
                        *excerpt = read;
                    }
                    return Ok((response, reusable));
                }
            }
        }
    }
}

impl BulkStream {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Encrypted(stream, _) => match stream.write_all(bytes).await {
                Ok(()) => stream.flush().await,
                error => error,
            },
        };
        written.map_err(|error| Failure::from_stream_error(&error))
    }
}

#[cfg(test)]
mod tests;
