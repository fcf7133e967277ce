//! HTTP/2 for load runs: one request at a time on a connection, driven by the task that waits for the
//! response. No other task is woken for an exchange, and head and body leave in one write.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use h2::client::{Connection, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::header::HOST;
use http::{HeaderValue, Uri};

use super::{BulkRequest, BulkResponse, ResponseExcerpt, ResponseHandling};
use crate::transport::connect::{OpenedStream, Stream};
use crate::transport::failure::{Failure, invalid_response};
use crate::transport::io_meter::{IoMeter, MeteredStream, SocketPeek, Unread};
use crate::transport::last_byte_barrier::LastByteBarrier;
use crate::transport::outgoing_body::HTTP2_FRAME_HEADERS;
use crate::transport::request::with_authority;
use crate::transport::response_limit::{BODY_READ_LIMIT, TooLong};
use crate::transport::retry_after_header::RetryAfterDelay;
use crate::transport::target::Target;
use crate::transport::wire_fault::SenderAbort;

pub(super) struct Http2 {
    sender: SendRequest<Bytes>,
    driver: Driver,
    meter: Arc<IoMeter>,
    peek: SocketPeek,
    /// The URI for the last value of `Host`, which is nearly always the same.
    uri: Option<(HeaderValue, Uri)>,
    body: BytesMut,
}

/// As in hyper. A few bytes can decompress to very long headers.
const HEADER_LIST_LIMIT: u32 = 16 * 1024;

struct Driver(Connection<MeteredStream<Box<dyn Stream>>, Bytes>);

impl Http2 {
    pub(super) async fn start(opened: OpenedStream) -> Result<Self, Failure> {
        let meter = Arc::new(IoMeter::default());
        let stream = MeteredStream::new(opened.stream, Arc::clone(&meter), true);
        let mut builder = h2::client::Builder::new();
        builder.enable_push(false);
        builder.max_header_list_size(HEADER_LIST_LIMIT);
        let handshake = builder.handshake(stream);
        let (sender, connection) = handshake.await?;
        Ok(Self {
            sender,
            driver: Driver(connection),
            meter,
            peek: opened.peek,
            uri: None,
            body: BytesMut::new(),
        })
    }

    /// A better explanation of a failure of this connection.
    pub(super) fn explained(&self, failure: Failure) -> Failure {
        match self.meter.limits.exceeded() {
            Some(too_long) => too_long.into(),
            None => failure.with_first_byte(self.peek.first_byte()),
        }
    }

    /// Whether another request can be sent on it. Handles what the receiver has sent in the meantime.
    pub(super) fn is_usable(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let is_open = match self.peek.unread() {
            Unread::Nothing => true,
            Unread::End => false,
            Unread::Bytes => Pin::new(&mut self.driver.0).poll(&mut context).is_pending(),
        };
        is_open && matches!(self.sender.poll_ready(&mut context), Poll::Ready(Ok(())))
    }

    pub(super) async fn exchange(
        &mut self,
        target: &Target,
        request: &BulkRequest,
        barrier: Option<LastByteBarrier>,
        handling: ResponseHandling,
        mut excerpt: Option<&mut ResponseExcerpt>,
    ) -> Result<BulkResponse, Failure> {
        self.meter.limits.begin_exchange();
        let head = self.head(target, request)?;
        self.body.extend_from_slice(&request.body);
        let body = self.body.split().freeze();

        let sender = &mut self.sender;
        self.driver
            .run(|context| sender.poll_ready(context))
            .await?;
        let (mut response, mut stream) = sender.send_request(head, false)?;
        match barrier {
            None => stream.send_data(body, true)?,
            Some(barrier) => self.send_held(&mut stream, body, barrier).await?,
        }
        let response = self
            .driver
            .run(|context| Pin::new(&mut response).poll(context));
        let response = response.await?;
        if handling == ResponseHandling::Discard {
            return Err(SenderAbort::ResponseLost.into());
        }
        let (head, body) = response.into_parts();
        if let Some(excerpt) = &mut excerpt {
            for (name, value) in &head.headers {
                excerpt.add_header(name.as_str(), value.as_bytes());
            }
        }
        self.read_body(body, excerpt).await?;
        let retry_after = head.headers.get(http::header::RETRY_AFTER);
        Ok(BulkResponse {
            status: head.status.as_u16(),
            retry_after: retry_after.and_then(|value| RetryAfterDelay::parse(value.as_bytes())),
        })
    }

    /// The head of a request, with the authority in place of `Host`.
    fn head(
        &mut self,
        target: &Target,
        request: &BulkRequest,
    ) -> Result<http::Request<()>, Failure> {
        let mut head = request.to_http2().map_err(|error| {
            invalid_response(format!(
                "the request for {target} can't be sent over HTTP/2: {error}"
            ))
        })?;
        *head.uri_mut() = match (head.headers_mut().remove(HOST), &self.uri) {
            (None, _) => target.uri.clone(),
            (Some(host), Some((known, uri))) if *known == host => uri.clone(),
            (Some(host), _) => {
                let uri = with_authority(&target.uri, Some(&host));
                self.uri = Some((host, uri.clone()));
                uri
            }
        };
        Ok(head)
    }

    async fn send_held(
        &mut self,
        stream: &mut SendStream<Bytes>,
        mut body: Bytes,
        barrier: LastByteBarrier,
    ) -> Result<(), Failure> {
        let rest = body.split_to(body.len().saturating_sub(1));
        let flushed = self
            .meter
            .bytes_from_now(rest.len() as u64 + HTTP2_FRAME_HEADERS);
        stream.send_data(rest, false)?;
        let meter = &self.meter;
        let mut opened = pin!(async {
            meter.reached(flushed).await;
            barrier.open().await;
        });
        self.driver
            .run(|context| opened.as_mut().poll(context).map(Ok))
            .await?;
        // If the receiver has already responded, it may have reset the stream.
        let _ = stream.send_data(body, true);
        Ok(())
    }

    async fn read_body(
        &mut self,
        mut body: RecvStream,
        mut excerpt: Option<&mut ResponseExcerpt>,
    ) -> Result<(), Failure> {
        let mut length = 0;
        let limits = &self.meter.limits;
        while !body.is_end_stream() {
            let next = self.driver.run(|context| match body.poll_data(context) {
                // A receiver that has responded completely may not want the rest of the request.
                Poll::Ready(Some(Err(error)))
                    if limits.response_has_ended()
                        && matches!(error.reason(), Some(Reason::NO_ERROR | Reason::CANCEL)) =>
                {
                    Poll::Ready(Ok(None))
                }
                Poll::Ready(next) => Poll::Ready(next.transpose()),
                Poll::Pending => Poll::Pending,
            });
            let Some(part) = next.await? else { break };
            length += part.len() as u64;
            if length > BODY_READ_LIMIT {
                return Err(TooLong::Body.into());
            }
            if let Some(excerpt) = &mut excerpt {
                excerpt.add_body(&part);
            }
            // This fails only if the stream has ended.
            let _ = body.flow_control().release_capacity(part.len());
        }
        Ok(())
    }
}

impl Driver {
    /// Runs the connection until the work on it is done.
    ///
    /// The work depends on what the connection reads and writes, so it is polled afterwards and
    /// needs no waker for that. Work that waits for something else gets the task's own.
    async fn run<T>(
        &mut self,
        mut work: impl FnMut(&mut Context<'_>) -> Poll<Result<T, h2::Error>>,
    ) -> Result<T, Failure> {
        std::future::poll_fn(|context| {
            if let Poll::Ready(done) = work(context) {
                return Poll::Ready(done.map_err(Failure::from));
            }
            let ended = Pin::new(&mut self.0).poll(context);
            match (work(context), ended) {
                (Poll::Ready(done), _) => Poll::Ready(done.map_err(Failure::from)),
                (Poll::Pending, Poll::Ready(Err(error))) => Poll::Ready(Err(error.into())),
                (Poll::Pending, Poll::Ready(Ok(()))) => Poll::Ready(Err(Failure::ClosedEarly)),
                (Poll::Pending, Poll::Pending) => Poll::Pending,
            }
        })
        .await
    }
}
