//! Sends one request and reads its response within a time limit.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::task::coop::unconstrained;
use tokio::time::Instant;

use super::connect::{self, OpenedStream};
use super::connection::{Connection, Pool};
use super::exchange::{ClosedIdle, ConnectionInfo, Exchange, Response, Timings};
use super::failure::Failure;
use super::io_meter::Unread;
use super::last_byte_barrier::LastByteBarrier;
use super::request::OutgoingRequest;
use super::response_body::{read_response, unread};
use super::route::Route;
use super::send_options::SendOptions;
use super::target::Target;
use super::tls::{Tls, TlsFileError, TlsSettings};
use super::wire_fault::{SenderAbort, WireFault};
use crate::policy::{ConnectionChoice, HeaderCase, HttpVersion, WireForm};

/// Used if a deadline overflows.
const FOREVER: Duration = Duration::from_hours(30 * 365 * 24);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientSettings {
    pub http_version: HttpVersion,
    pub tls: TlsSettings,
    /// Where to connect instead of the target's own host and port.
    pub route: Option<Route>,
    /// How long connecting may take, including the TLS handshake.
    pub connect_timeout: Duration,
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            http_version: HttpVersion::default(),
            tls: TlsSettings::default(),
            route: None,
            connect_timeout: Duration::from_secs(5),
        }
    }
}

/// Sends requests and manages their connections. Clones share the idle connections.
///
/// It never follows redirects, requests no compression and uses no proxy.
#[derive(Debug, Clone)]
pub(crate) struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: ClientSettings,
    tls: Tls,
    pool: Pool,
    /// The scheme, host and port that the route leads to.
    routed_origin: OnceLock<String>,
    /// The local Aghanim that makes deliveries instead.
    relay: OnceLock<Target>,
    /// How long connecting took at its fastest, including the TLS handshake.
    fastest_connect: Mutex<Option<Duration>>,
}

#[derive(Debug, Default)]
struct ExchangeProgress {
    connection: Option<ConnectionInfo>,
    connect: Option<Duration>,
    first_byte: Option<Duration>,
    total: Option<Duration>,
    discarded: Option<Result<Response, Failure>>,
}

/// Releases the other participants of a barrier when the exchange ends or is dropped.
struct LeaveBarrierOnDrop(Option<LastByteBarrier>);

impl Drop for LeaveBarrierOnDrop {
    fn drop(&mut self) {
        if let Some(barrier) = &self.0 {
            barrier.leave();
        }
    }
}

impl Client {
    pub(crate) fn new(settings: ClientSettings) -> Result<Self, TlsFileError> {
        let tls = Tls::new(&settings.tls)?;
        let pool = Pool::default();
        Ok(Self(Arc::new(Inner {
            settings,
            tls,
            pool,
            routed_origin: OnceLock::new(),
            relay: OnceLock::new(),
            fastest_connect: Mutex::default(),
        })))
    }

    pub(crate) fn settings(&self) -> &ClientSettings {
        &self.0.settings
    }

    pub(crate) fn http_version(&self) -> HttpVersion {
        self.0.settings.http_version
    }

    pub(crate) fn tls(&self) -> &Tls {
        &self.0.tls
    }

    /// Like [`Self::probe_connection`], within `limit`. A receiver that closes the connection at once
    /// does not count: the proxy of a container accepts connections before the receiver does.
    pub(crate) async fn probe_open_connection(
        &self,
        target: &Target,
        limit: Duration,
    ) -> Result<(), Failure> {
        const MIN_OPEN: Duration = Duration::from_millis(50);
        let open = async {
            let mut opened = self.open(target, self.version(false)).await?;
            if self.0.tls.client_certificate_is_requested() {
                self.check_client_certificate(&mut opened).await?;
            }
            tokio::time::sleep(MIN_OPEN).await;
            match opened.peek.unread() {
                Unread::End => Err(Failure::ClosedEarly),
                Unread::Nothing | Unread::Bytes => Ok(()),
            }
        };
        let limit = limit.max(MIN_OPEN * 2);
        let opened = tokio::time::timeout(limit, open).await;
        opened.unwrap_or(Err(Failure::ConnectTimeout { after: limit }))
    }

    /// Checks before a run that a connection, including TLS, can be opened.
    pub(crate) async fn probe_connection(&self, target: &Target) -> Result<(), Failure> {
        let mut opened = self.open(target, self.version(false)).await?;
        if self.0.tls.client_certificate_is_requested() {
            self.check_client_certificate(&mut opened).await?;
        }
        Ok(())
    }

    /// With TLS 1.3, a receiver refuses a client certificate only after the handshake.
    async fn check_client_certificate(&self, opened: &mut OpenedStream) -> Result<(), Failure> {
        /// How long to wait for an alert. A receiver that accepts the certificate sends nothing.
        const ALERT_TIMEOUT: Duration = Duration::from_millis(300);
        let mut byte = [0];
        match tokio::time::timeout(ALERT_TIMEOUT, opened.stream.read(&mut byte)).await {
            Ok(Err(error)) => Err(self.0.tls.explained(Failure::from_handshake_error(&error))),
            Ok(Ok(0)) => {
                let failure = Failure::tls("the connection was closed during the handshake");
                Err(self.0.tls.explained(failure))
            }
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }

    /// A better explanation of a plain connection that was closed without a response.
    pub(crate) async fn explain_closed(
        &self,
        target: &Target,
        failure: &Failure,
    ) -> Option<Failure> {
        // A server that speaks TLS answers at once; another may wait for the rest of a request.
        const ENOUGH: Duration = Duration::from_secs(1);
        if target.is_https() || !failure.is_closed() {
            return None;
        }
        let check = connect::speaks_tls(target, self.route(target), &self.0.tls);
        let limit = self.0.settings.connect_timeout.min(ENOUGH);
        let speaks_tls = tokio::time::timeout(limit, check).await;
        matches!(speaks_tls, Ok(true)).then_some(Failure::SpeaksTls)
    }

    /// Closes the idle connections, so that the next request opens one as in a new process.
    pub(crate) fn close_idle(&self) {
        self.0.pool.clear();
    }

    /// Reaches the server of `target` by the route in the settings.
    pub(crate) fn set_routed_target(&self, target: &Target) {
        _ = self.0.routed_origin.set(target.origin().to_owned());
    }

    /// Lets this relay make deliveries.
    pub(crate) fn set_relay(&self, relay: &Target) {
        _ = self.0.relay.set(relay.clone());
    }

    pub(crate) fn relay(&self) -> Option<&Target> {
        self.0.relay.get()
    }

    /// The route to a target, if it is not direct.
    pub(crate) fn route(&self, target: &Target) -> Option<&Route> {
        let is_routed = self
            .0
            .routed_origin
            .get()
            .is_some_and(|origin| origin == target.origin());
        self.0.settings.route.as_ref().filter(|_| is_routed)
    }

    pub(crate) async fn send(
        &self,
        target: &Target,
        request: &OutgoingRequest,
        mut options: SendOptions,
    ) -> Exchange {
        let started = Instant::now();
        let (timeout, barrier) = (options.timeout, options.barrier.clone());
        let _leave = LeaveBarrierOnDrop(barrier.clone());
        let barrier_wait = || {
            let wait = barrier.as_ref().map(LastByteBarrier::wait_time);
            wait.unwrap_or_default()
        };
        let mut progress = ExchangeProgress::default();
        // A fault that ends its connection must not affect other exchanges, and the spelling of header
        // names belongs to a connection.
        if options.fault.is_some_and(WireFault::ends_connection)
            || request.wire.header_case != HeaderCase::AsDocumented
        {
            options.connection = ConnectionChoice::New;
        }
        let connection_use = options.connection;
        let result = {
            // Boxed because it is large, and part of many other futures.
            let mut work =
                Box::pin(self.exchange(target, request, options, started, &mut progress));
            let due = |barrier_wait: Duration| {
                let due = started.checked_add(timeout.saturating_add(barrier_wait));
                due.unwrap_or_else(|| started + FOREVER)
            };
            let deadline = tokio::time::sleep_until(due(Duration::ZERO));
            tokio::pin!(deadline);
            loop {
                tokio::select! {
                    biased;
                    result = &mut work => break Some(result),
                    // A receiver that always sends more uses up the task's budget, without which a
                    // timer is never due.
                    () = unconstrained(&mut deadline) => {
                        let opened = barrier.as_ref().is_some_and(LastByteBarrier::is_open);
                        let due = due(if opened { barrier_wait() } else { Duration::ZERO });
                        if due <= Instant::now() {
                            break None;
                        }
                        deadline.as_mut().reset(due);
                    }
                }
            }
        };
        let barrier_wait = barrier_wait();
        let result = match result {
            Some(Ok((response, reusable))) => {
                // The deadline no longer applies: the response is complete and measured.
                if let Some(mut connection) = reusable
                    && connection.wait_until_ready().await
                {
                    connection.mark_idle();
                    if connection_use == ConnectionChoice::Reuse {
                        self.0.pool.put(target, connection);
                    }
                }
                Ok(response)
            }
            Some(Err(failure)) => Err(failure),
            None if progress.connection.is_none() => {
                Err(Failure::ConnectTimeout { after: timeout })
            }
            None => Err(Failure::Timeout {
                after: timeout,
                response_began: progress.first_byte.is_some(),
            }),
        };
        let http2 = match progress.connection {
            Some(connection) => connection.version == http::Version::HTTP_2,
            None => self.http_version() == HttpVersion::Http2,
        };
        Exchange {
            request: request.sent(target, http2),
            result,
            discarded: progress.discarded,
            timings: Timings {
                connect: progress.connect,
                first_byte: progress.first_byte,
                total: progress.total.unwrap_or_else(|| started.elapsed()),
                barrier_wait,
            },
            connection: progress.connection,
        }
    }

    /// Returns the response, and its connection if that can carry another request.
    async fn exchange(
        &self,
        target: &Target,
        request: &OutgoingRequest,
        mut options: SendOptions,
        started: Instant,
        progress: &mut ExchangeProgress,
    ) -> Result<(Response, Option<Connection>), Failure> {
        let idle = match options.connection {
            ConnectionChoice::Reuse => self.0.pool.take(target),
            ConnectionChoice::New => None,
        };
        let mut connection = match idle {
            Some(idle) => idle,
            None => {
                self.connect(target, &request.wire, options.fault, started, progress)
                    .await?
            }
        };
        progress.connection = Some(connection.info());
        if options.fault == Some(WireFault::LoseRequest) {
            connection.close().await;
            return Err(SenderAbort::RequestLost.into());
        }
        if request.body.is_empty()
            && let Some(barrier) = &options.barrier
        {
            barrier.open().await;
        }
        let mode = options.send_mode(request);
        let outgoing = request.to_http(target, connection.is_http2(), mode);
        let mut flush = outgoing.body().flush();
        if let Some(abort) = options.abort_after_send(request.body.len()) {
            let head = connection.send_and_reset(outgoing).await?;
            progress.discarded = head.map(|head| Ok(unread(&head.into_parts().0)));
            return Err(abort.into());
        }
        // A receiver may close an idle connection at any time, even while a request is on its way
        // (RFC 9112, section 9.5). That is not a failure, so send the request again on a new
        // connection, unless a response had begun. If it arrives twice, that is a redelivery, which
        // every receiver must handle.
        let may_be_sent_again = options.barrier.is_none() && options.fault.is_none();
        let mut sent = options.sent.take();
        let response = match connection.send_and_notify(outgoing, &mut sent).await {
            Ok(response) => response,
            Err(mut error) => {
                let is_unsent = error.take_message().is_some();
                let failure = connection.failure(error.into_error());
                let is_closed = failure.is_closed()
                    && !connection.is_http2()
                    && !connection.response_has_begun();
                let is_unprocessed = failure.is_unprocessed();
                let closed_idle = is_unsent || may_be_sent_again && (is_closed || is_unprocessed);
                if !connection.info().reused || !closed_idle {
                    return Err(failure);
                }
                let replaces = Some(if is_unsent || is_unprocessed {
                    ClosedIdle::BeforeRequest
                } else {
                    ClosedIdle::AfterRequest
                });
                let new = self
                    .connect(target, &request.wire, options.fault, started, progress)
                    .await;
                // If no new connection can be opened, report the original failure.
                connection = new.map_err(|_| failure)?;
                progress.connection = Some(ConnectionInfo {
                    replaces,
                    ..connection.info()
                });
                let mode = options.send_mode(request);
                let outgoing = request.to_http(target, connection.is_http2(), mode);
                flush = outgoing.body().flush();
                let response = connection.send_and_notify(outgoing, &mut sent).await;
                response.map_err(|error| connection.failure(error.into_error()))?
            }
        };
        progress.first_byte = Some(started.elapsed());
        let (head, body) = response.into_parts();
        if options.fault == Some(WireFault::LoseResponse) {
            drop(body);
            connection.close().await;
            progress.discarded = Some(Ok(unread(&head)));
            return Err(SenderAbort::ResponseLost.into());
        }
        let limit = options.body_limit;
        let response = read_response(&head, body, limit, &connection).await;
        progress.total = Some(started.elapsed());
        let response = response?;
        let reusable = response.complete && flush.is_whole();
        Ok((response, reusable.then_some(connection)))
    }

    async fn connect(
        &self,
        target: &Target,
        wire: &WireForm,
        fault: Option<WireFault>,
        started: Instant,
        progress: &mut ExchangeProgress,
    ) -> Result<Connection, Failure> {
        let needs_http1 = wire.http1_key().is_some() || fault.is_some_and(WireFault::needs_http1);
        let opened = self.open(target, self.version(needs_http1)).await?;
        progress.connect = Some(started.elapsed());
        Connection::start(opened, wire.header_case).await
    }

    /// The HTTP version to use. With `Auto`, a request that requires HTTP/1.1 selects it.
    fn version(&self, needs_http1: bool) -> HttpVersion {
        match self.http_version() {
            HttpVersion::Auto if needs_http1 => HttpVersion::Http1,
            version => version,
        }
    }

    /// Opens a connection for bytes that are HTTP/1.1 already.
    pub(crate) async fn open_stream(
        &self,
        target: &Target,
    ) -> Result<impl AsyncRead + AsyncWrite + Send + use<>, Failure> {
        Ok(self.open(target, HttpVersion::Http1).await?.stream)
    }

    async fn open(&self, target: &Target, version: HttpVersion) -> Result<OpenedStream, Failure> {
        let started = Instant::now();
        let open = connect::open(target, self.route(target), &self.0.tls, version);
        let opened = self.within_connect_timeout(open).await?;
        let took = started.elapsed();
        let mut fastest = self.fastest();
        *fastest = Some(fastest.map_or(took, |fastest| fastest.min(took)));
        Ok(opened)
    }

    /// How long connecting took at its fastest, if a connection was opened: at least a round trip.
    pub(crate) fn fastest_connect(&self) -> Option<Duration> {
        *self.fastest()
    }

    fn fastest(&self) -> MutexGuard<'_, Option<Duration>> {
        let fastest = self.0.fastest_connect.lock();
        fastest.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn within_connect_timeout<T>(
        &self,
        open: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let after = self.0.settings.connect_timeout;
        let opened = tokio::time::timeout(after, open).await;
        opened.unwrap_or(Err(Failure::ConnectTimeout { after }))
    }
}
