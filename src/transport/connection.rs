//! HTTP connections, and the pool of idle ones.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::{Request, Version};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::ext::on_informational;
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::connect::{OpenedStream, Stream};
use super::exchange::ConnectionInfo;
use super::failure::Failure;
use super::io_meter::{IoMeter, MeteredStream, SocketPeek, Unread};
use super::outgoing_body::OutgoingBody;
use super::respelled_stream::RespelledStream;
use super::response_limit::HEAD_LIMIT;
use super::target::Target;
use crate::policy::HeaderCase;

const MAX_IDLE: usize = 256;
/// How long to wait at the end of an exchange until its connection is ready for the next. It is
/// usually ready at once, unless the receiver responds early and stops reading. Not part of any
/// measured time.
const READY_TIMEOUT: Duration = Duration::from_millis(250);

/// How many unread bytes of a body a receiver may send over HTTP/2.
const HTTP2_WINDOW: u32 = 256 * 1024;

/// How long an idle connection may be reused. Servers close idle connections after a few seconds. A
/// request sent just then would fail, and the receiver would seem to be at fault.
const MAX_IDLE_TIME: Duration = Duration::from_millis(500);

/// An open connection. It carries one exchange at a time, even on HTTP/2, so that simultaneous
/// deliveries never share a flow-control window.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: RequestSender,
    meter: Arc<IoMeter>,
    peek: SocketPeek,
    info: ConnectionInfo,
    /// They run the connection and own it: it is closed when they end.
    tasks: Tasks,
    /// Whether a request is in progress. If so, dropping the connection closes it at once.
    busy: bool,
    idle_since: Instant,
}

/// The tasks of one connection. On HTTP/2 there are several, and each can start others.
#[derive(Debug, Clone, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    fn release(&self) {
        self.running().detach_all();
    }

    fn abort(&self) {
        self.running().abort_all();
    }

    /// Aborts the tasks, and waits until they have dropped the connection.
    async fn shut_down(&self) {
        let mut running = std::mem::take(&mut *self.running());
        running.shutdown().await;
    }

    fn running(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        let mut running = self.running();
        while running.try_join_next().is_some() {}
        running.spawn(async { drop(task.await) });
    }
}

#[derive(Debug)]
enum RequestSender {
    Http1(http1::SendRequest<OutgoingBody>),
    Http2(http2::SendRequest<OutgoingBody>),
}

impl Connection {
    /// Over HTTP/1.1, the names of the first request's headers are spelled in this case.
    pub(crate) async fn start(opened: OpenedStream, case: HeaderCase) -> Result<Self, Failure> {
        let meter = Arc::new(IoMeter::default());
        let stream: Box<dyn Stream> = match case {
            HeaderCase::AsDocumented => opened.stream,
            _ if opened.http2 => opened.stream,
            case => Box::new(RespelledStream::new(opened.stream, case)),
        };
        let io = TokioIo::new(MeteredStream::new(stream, Arc::clone(&meter), opened.http2));
        let tasks = Tasks::default();
        // Errors that end the connection go to the active exchange; otherwise they are ignored.
        let (sender, version) = if opened.http2 {
            let mut builder = http2::Builder::new(tasks.clone());
            builder
                .initial_stream_window_size(HTTP2_WINDOW)
                .initial_connection_window_size(HTTP2_WINDOW);
            let (sender, driver) = builder.handshake(io).await?;
            tasks.execute(driver);
            (RequestSender::Http2(sender), Version::HTTP_2)
        } else {
            let mut builder = http1::Builder::new();
            builder.title_case_headers(true).max_buf_size(HEAD_LIMIT);
            let (sender, driver) = builder.handshake(io).await?;
            tasks.execute(driver);
            (RequestSender::Http1(sender), Version::HTTP_11)
        };
        Ok(Self {
            sender,
            meter,
            peek: opened.peek,
            info: ConnectionInfo {
                reused: false,
                version,
                remote: opened.remote,
                replaces: None,
            },
            tasks,
            busy: false,
            idle_since: Instant::now(),
        })
    }

    pub(crate) fn info(&self) -> ConnectionInfo {
        self.info
    }

    /// Why an exchange on it failed.
    pub(crate) fn failure(&self, error: hyper::Error) -> Failure {
        match self.meter.limits.exceeded() {
            Some(too_long) => too_long.into(),
            None => Failure::from(error).with_first_byte(self.peek.first_byte()),
        }
    }

    /// Whether anything of the response to the present request has arrived.
    pub(crate) fn response_has_begun(&self) -> bool {
        self.meter.limits.response_has_begun()
    }

    /// Checks at the end of a body that it is the response's. hyper also ends it where the receiver
    /// resets the stream without an error.
    pub(crate) fn check_end(&self) -> Result<(), Failure> {
        if !self.is_http2() || self.meter.limits.response_has_ended() {
            return Ok(());
        }
        Err(Failure::Http2Reset {
            reason: h2::Reason::NO_ERROR,
            of_connection: false,
        })
    }

    pub(crate) fn is_http2(&self) -> bool {
        matches!(self.sender, RequestSender::Http2(_))
    }

    /// Sends a request and waits for the head of the response. The error returns the request if no
    /// byte of it was sent.
    pub(crate) async fn send(
        &mut self,
        mut request: Request<OutgoingBody>,
    ) -> Result<http::Response<Incoming>, TrySendError<Request<OutgoingBody>>> {
        self.busy = true;
        let http2 = self.is_http2();
        request.body_mut().attach(&self.meter, http2);
        self.meter.limits.begin_exchange();
        if !http2 {
            let meter = Arc::clone(&self.meter);
            on_informational(&mut request, move |_| meter.limits.add_head());
        }
        match &mut self.sender {
            RequestSender::Http1(sender) => sender.try_send_request(request).await,
            RequestSender::Http2(sender) => sender.try_send_request(request).await,
        }
    }

    /// Sends a request, and notifies `sent` once that is done, even if the response is still missing.
    pub(crate) async fn send_and_notify(
        &mut self,
        request: Request<OutgoingBody>,
        sent: &mut Option<oneshot::Sender<()>>,
    ) -> Result<http::Response<Incoming>, TrySendError<Request<OutgoingBody>>> {
        let flush = request.body().flush();
        let mut response = pin!(self.send(request));
        if sent.is_some() {
            tokio::select! {
                biased;
                () = flush.flushed() => {}
                done = &mut response => return done,
            }
        }
        if let Some(sent) = sent.take() {
            // The receiving end may have been dropped.
            let _ = sent.send(());
        }
        response.await
    }

    /// Sends a request, and resets the connection once its bytes have been flushed. Returns the head
    /// of the response if it arrived earlier; the connection is reset anyway.
    pub(crate) async fn send_and_reset(
        mut self,
        request: Request<OutgoingBody>,
    ) -> Result<Option<http::Response<Incoming>>, Failure> {
        let flush = request.body().flush();
        let (tasks, peek) = (self.tasks.clone(), self.peek.clone());
        let early = {
            let mut response = pin!(self.send(request));
            let early = tokio::select! {
                biased;
                () = flush.flushed() => None,
                early = &mut response => Some(early),
            };
            // Before the request is dropped, since that would close the connection normally.
            peek.reset_on_close();
            tasks.abort();
            early
        };
        self.close().await;
        Ok(early.transpose().map_err(TrySendError::into_error)?)
    }

    /// Waits briefly until the connection can carry another request, and returns whether it can.
    pub(crate) async fn wait_until_ready(&mut self) -> bool {
        let ready = async {
            match &mut self.sender {
                RequestSender::Http1(sender) => sender.ready().await,
                RequestSender::Http2(sender) => sender.ready().await,
            }
        };
        let ready = tokio::time::timeout(READY_TIMEOUT, ready).await;
        matches!(ready, Ok(Ok(())))
    }

    /// Marks the exchange as complete, so that dropping the connection closes it normally.
    pub(crate) fn mark_idle(&mut self) {
        self.busy = false;
        self.idle_since = Instant::now();
    }

    pub(crate) async fn close(self) {
        self.tasks.shut_down().await;
    }

    fn is_reusable(&self) -> bool {
        let ready = match &self.sender {
            RequestSender::Http1(sender) => sender.is_ready(),
            RequestSender::Http2(sender) => sender.is_ready(),
        };
        // Unread bytes announce the end of an encrypted connection, or belong to a response that
        // would be mistaken for the next one.
        self.idle_since.elapsed() <= MAX_IDLE_TIME && ready && self.peek.unread() == Unread::Nothing
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.busy {
            self.tasks.abort();
        } else {
            self.tasks.release();
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<HashMap<String, Vec<Connection>>>);

impl Pool {
    pub(crate) fn take(&self, target: &Target) -> Option<Connection> {
        let mut idle = self.idle();
        let connections = idle.get_mut(target.origin())?;
        while let Some(mut connection) = connections.pop() {
            if connection.is_reusable() {
                connection.info.reused = true;
                return Some(connection);
            }
        }
        None
    }

    pub(crate) fn put(&self, target: &Target, connection: Connection) {
        let mut idle = self.idle();
        let connections = idle.entry(target.origin().to_owned()).or_default();
        // Those that were idle too long would only take up file descriptors.
        connections.retain(|idle| idle.idle_since.elapsed() <= MAX_IDLE_TIME);
        if connections.len() < MAX_IDLE {
            connections.push(connection);
        }
    }

    /// Closes the idle connections.
    pub(crate) fn clear(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<String, Vec<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::HttpVersion;
    use crate::transport::allowed_hosts::AllowedHosts;
    use crate::transport::connect;
    use crate::transport::tls::{Tls, TlsSettings};

    #[tokio::test]
    async fn a_connection_that_was_idle_too_long_is_not_reused() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let target = Target::parse(&url, &AllowedHosts::loopback_only()).expect("a target");
        let tls = Tls::new(&TlsSettings::default());
        let opened =
            connect::open(&target, None, &tls.expect("settings"), HttpVersion::Http1).await;
        let mut connection = Connection::start(opened.expect("open"), HeaderCase::AsDocumented)
            .await
            .expect("started");
        assert!(connection.wait_until_ready().await);

        let pool = Pool::default();
        connection.mark_idle();
        pool.put(&target, connection);
        let mut connection = pool.take(&target).expect("fresh enough");
        connection.idle_since = Instant::now()
            .checked_sub(MAX_IDLE_TIME + Duration::from_millis(1))
            .expect("the machine has been running for longer");
        pool.put(&target, connection);
        assert!(pool.take(&target).is_none());
    }
}
