//! Sends one request and reads its answer, within a time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::Request;
use tokio::time::Instant;

use super::answer_reading::{Read, read, response};
use super::connect::{self, Opened};
use super::connection::{Connection, Pool};
use super::exchange::{ClosedIdle, ConnectionInfo, Exchange, Response, Timings};
use super::failure::Failure;
use super::gate::Gate;
use super::outgoing_body::{OutgoingBody, Pace};
use super::request::OutgoingRequest;
use super::send_options::{ConnectionUse, SendOptions};
use super::settings::{ClientError, ClientSettings, HttpVersion};
use super::target::Target;
use super::tls::Tls;
use super::way::{Way, send_and_reset, tell_when_left};
use super::wire_fault::{BreakOff, WireFault};

/// Stands for a time that can't be counted.
const FOREVER: Duration = Duration::from_hours(30 * 365 * 24);

/// Sends requests over connections of its own. Clones share the idle connections.
///
/// Redirects are never followed, no compression is asked for, and no proxy is asked.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: ClientSettings,
    tls: Tls,
    pool: Pool,
}

/// What is known of an exchange at the moment when its time runs out.
#[derive(Debug, Default)]
struct Progress {
    connection: Option<ConnectionInfo>,
    connect: Option<Duration>,
    first_byte: Option<Duration>,
    total: Option<Duration>,
    unheard: Option<Result<Response, Failure>>,
}

/// A whole answer, and its connection where that can carry another request.
struct Answer {
    response: Response,
    reusable: Option<Connection>,
}

/// Frees the other participants of a gate however the exchange ends, even if it is dropped.
struct LeaveAtEnd(Option<Arc<Gate>>);

impl Drop for LeaveAtEnd {
    fn drop(&mut self) {
        if let Some(gate) = &self.0 {
            gate.leave();
        }
    }
}

impl Client {
    /// A client with these settings. Reads the file of `--cacert`.
    pub fn new(settings: ClientSettings) -> Result<Self, ClientError> {
        let tls = Tls::new(&settings.tls, connect::offered(settings.http_version))?;
        let pool = Pool::default();
        Ok(Self(Arc::new(Inner {
            settings,
            tls,
            pool,
        })))
    }

    /// Which HTTP version is asked for.
    pub fn http_version(&self) -> HttpVersion {
        self.0.settings.http_version
    }

    /// How long connecting may take.
    pub(super) fn connect_timeout(&self) -> Duration {
        self.0.settings.connect_timeout
    }

    /// The TLS side of it.
    pub(super) fn tls(&self) -> &Tls {
        &self.0.tls
    }

    /// Opens a connection, TLS included, and closes it again: a check before a run.
    pub async fn probe_connection(&self, target: &Target) -> Result<(), Failure> {
        self.open(target, self.version(None)).await.map(drop)
    }

    /// Sends a request and reads the answer. Whatever comes of it is an [`Exchange`].
    pub async fn send(
        &self,
        target: &Target,
        request: &OutgoingRequest,
        options: SendOptions,
    ) -> Exchange {
        let started = Instant::now();
        let gate = options.gate.map(Arc::new);
        let _leave = LeaveAtEnd(gate.clone());
        let held = || gate.as_ref().map_or(Duration::ZERO, |gate| gate.held());
        let mut progress = Progress::default();
        // What a fault does to a connection is nothing for the exchanges before and after.
        let own = options.fault.is_some_and(WireFault::ends_connection);
        let way = Way {
            connection: if own {
                ConnectionUse::New
            } else {
                options.connection
            },
            gate: gate.clone(),
            fault: options.fault,
            sent: options.sent,
        };
        let result = {
            let work = self.exchange(target, request, way, started, &mut progress);
            tokio::pin!(work);
            let due = |held: Duration| later(started, options.timeout.saturating_add(held));
            let deadline = tokio::time::sleep_until(due(Duration::ZERO));
            tokio::pin!(deadline);
            loop {
                tokio::select! {
                    biased;
                    result = &mut work => break Some(result),
                    () = &mut deadline => {
                        let opened = gate.as_ref().is_some_and(|gate| gate.is_open());
                        let due = due(if opened { held() } else { Duration::ZERO });
                        if due <= Instant::now() {
                            break None;
                        }
                        deadline.as_mut().reset(due);
                    }
                }
            }
        };
        let held = held();
        let result = match result {
            Some(Ok(Answer { response, reusable })) => {
                // Outside of the deadline: the answer is there, and its time is taken.
                if let Some(connection) = reusable {
                    self.finish(target, connection, options.connection).await;
                }
                Ok(response)
            }
            Some(Err(failure)) => Err(failure),
            None => Err(timed_out(&progress, options.timeout)),
        };
        let http2 = match progress.connection {
            Some(connection) => connection.version == http::Version::HTTP_2,
            None => self.http_version() == HttpVersion::Http2,
        };
        Exchange {
            request: request.sent(target, http2),
            result,
            unheard: progress.unheard,
            timings: Timings {
                connect: progress.connect,
                first_byte: progress.first_byte,
                total: progress.total.unwrap_or_else(|| started.elapsed()),
                held,
            },
            connection: progress.connection,
        }
    }

    async fn exchange(
        &self,
        target: &Target,
        request: &OutgoingRequest,
        way: Way,
        started: Instant,
        progress: &mut Progress,
    ) -> Result<Answer, Failure> {
        let idle = match way.connection {
            ConnectionUse::Reuse => self.0.pool.take(target),
            ConnectionUse::New => None,
        };
        let mut connection = match idle {
            Some(idle) => idle,
            None => self.connect(target, way.fault, started, progress).await?,
        };
        progress.connection = Some(connection.info());
        if way.fault == Some(WireFault::LoseRequest) {
            connection.close().await;
            return Err(BreakOff::RequestLost.into());
        }
        if request.bytes().is_empty()
            && let Some(gate) = &way.gate
        {
            std::future::poll_fn(|context| gate.poll_open(context)).await;
        }
        let body = OutgoingBody::new(request.bytes().clone(), way.pace(request.bytes().len()));
        let (mut handed_out, mut departure) = (body.handed_out(), body.departure());
        let outgoing = request.to_http(target, connection.is_http2(), body);
        if let Some(broken_off) = way.breaks_off(request.bytes().len()) {
            let head = send_and_reset(&mut connection, outgoing, &departure).await;
            connection.close().await;
            progress.unheard = head?.map(|head| Ok(response(&head.into_parts().0, Read::none())));
            return Err(broken_off.into());
        }
        // A receiver may close an idle connection at any time, also as a request is on its way to it
        // (RFC 9112, section 9.5). That is no failure of the receiver, so the request takes a new
        // connection. If it does arrive twice, that is a redelivery, which any receiver must take.
        let may_be_sent_again = way.gate.is_none() && way.fault.is_none() && !connection.is_http2();
        let mut news = way.sent;
        let answer = tell_when_left(&mut news, &departure, connection.send(outgoing)).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(mut error) => {
                let unsent = error.take_message();
                let failure = Failure::exchanging(error.error());
                let closed_idle = unsent.is_some() || (may_be_sent_again && failure.is_closed());
                if !connection.info().reused || !closed_idle {
                    return Err(failure);
                }
                let in_place_of = Some(match unsent {
                    Some(_) => ClosedIdle::BeforeRequest,
                    None => ClosedIdle::AfterRequest,
                });
                let bytes = || request.bytes().clone();
                let body = unsent.map_or_else(
                    || OutgoingBody::new(bytes(), Pace::AtOnce),
                    Request::into_body,
                );
                let replaced = self.connect(target, way.fault, started, progress).await;
                // Where there is no new one, the receiver is gone: that is how it went.
                connection = replaced.map_err(|_| failure)?;
                progress.connection = Some(ConnectionInfo {
                    in_place_of,
                    ..connection.info()
                });
                handed_out = body.handed_out();
                departure = body.departure();
                let outgoing = request.to_http(target, connection.is_http2(), body);
                let work = connection.send(outgoing);
                let answer = tell_when_left(&mut news, &departure, work).await;
                answer.map_err(|error| Failure::exchanging(error.error()))?
            }
        };
        progress.first_byte = Some(started.elapsed());
        let (head, body) = answer.into_parts();
        if way.fault == Some(WireFault::LoseAnswer) {
            drop(body);
            connection.close().await;
            progress.unheard = Some(Ok(response(&head, Read::none())));
            return Err(BreakOff::AnswerLost.into());
        }
        let limit = self.0.settings.response_body_limit;
        let body = read(body, limit).await;
        progress.total = Some(started.elapsed());
        let body = body.map_err(|error| Failure::exchanging(&error))?;
        let reusable = body.complete && handed_out.load(Ordering::Acquire);
        Ok(Answer {
            response: response(&head, body),
            reusable: reusable.then_some(connection),
        })
    }

    /// Keeps a connection for the next request, or closes it in order.
    async fn finish(
        &self,
        target: &Target,
        mut connection: Connection,
        connection_use: ConnectionUse,
    ) {
        if connection.becomes_ready().await {
            connection.rest();
            if connection_use == ConnectionUse::Reuse {
                self.0.pool.put(target, connection);
            }
        }
    }

    /// Opens a connection and speaks HTTP on it.
    async fn connect(
        &self,
        target: &Target,
        fault: Option<WireFault>,
        started: Instant,
        progress: &mut Progress,
    ) -> Result<Connection, Failure> {
        let opened = self.open(target, self.version(fault)).await?;
        progress.connect = Some(started.elapsed());
        Connection::start(opened).await
    }

    /// The version to speak. A fault that HTTP/2 can't play asks for HTTP/1.1 where TLS can choose.
    fn version(&self, fault: Option<WireFault>) -> HttpVersion {
        match self.http_version() {
            HttpVersion::Auto if fault.is_some_and(WireFault::needs_http1) => HttpVersion::Http1,
            version => version,
        }
    }

    async fn open(&self, target: &Target, version: HttpVersion) -> Result<Opened, Failure> {
        let open = connect::open(target, &self.0.tls, version);
        let after = self.0.settings.connect_timeout;
        let opened = tokio::time::timeout(after, open).await;
        opened.unwrap_or(Err(Failure::ConnectTimeout { after }))
    }
}

/// What the end of the time means.
fn timed_out(progress: &Progress, after: Duration) -> Failure {
    if progress.connection.is_none() {
        return Failure::ConnectTimeout { after };
    }
    let answer_began = progress.first_byte.is_some();
    Failure::Timeout {
        after,
        answer_began,
    }
}

fn later(instant: Instant, duration: Duration) -> Instant {
    instant
        .checked_add(duration)
        .unwrap_or_else(|| instant + FOREVER)
}
