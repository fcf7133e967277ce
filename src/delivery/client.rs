//! Sends one request and reads its answer, within a time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::connect::{self, Opened};
use super::connection::{Connection, Pool};
use super::exchange::{ConnectionInfo, Exchange, Response, Timings};
use super::failure::Failure;
use super::gate::Gate;
use super::outgoing_body::OutgoingBody;
use super::request::OutgoingRequest;
use super::settings::{ClientError, ClientSettings, HttpVersion};
use super::target::Target;
use super::tls::Tls;

/// How much of an answer's body is read at most, in bytes.
const READ_AT_MOST: u64 = 16 * 1024 * 1024;
/// Stands for a time that can't be counted.
const FOREVER: Duration = Duration::from_hours(30 * 365 * 24);

/// Sends requests over connections of its own. Clones share the idle connections.
///
/// Redirects are never followed, nothing is decompressed, and no proxy is asked.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: ClientSettings,
    tls: Tls,
    pool: Pool,
}

/// Whether an idle connection may be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ConnectionUse {
    /// An idle connection is used where there is one, and kept for the next request.
    #[default]
    Reuse,
    /// A connection is opened for this request alone and closed after it.
    New,
}

/// How one request is sent.
#[derive(Debug)]
pub struct SendOptions {
    /// How long the whole exchange may take, from connecting to the end of the answer. Time at
    /// the gate does not count once the gate has opened.
    pub timeout: Duration,
    /// Whether an idle connection may be used.
    pub connection: ConnectionUse,
    /// A place at a gate that holds the last byte back.
    pub gate: Option<Gate>,
}

impl SendOptions {
    /// Within this time, on any connection, without a gate.
    pub fn within(timeout: Duration) -> Self {
        Self {
            timeout,
            connection: ConnectionUse::Reuse,
            gate: None,
        }
    }
}

/// What is known of an exchange at the moment when its time runs out.
#[derive(Debug, Default)]
struct Progress {
    connection: Option<ConnectionInfo>,
    connect: Option<Duration>,
    first_byte: Option<Duration>,
    total: Option<Duration>,
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

    /// Opens a connection, TLS included, and closes it again: a check before a run.
    pub async fn probe_connection(&self, target: &Target) -> Result<(), Failure> {
        self.open(target).await.map(drop)
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
        let result = {
            let work = self.exchange(
                target,
                request,
                options.connection,
                gate.clone(),
                started,
                &mut progress,
            );
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
            None => self.0.settings.http_version == HttpVersion::Http2,
        };
        Exchange {
            request: request.sent(target, http2),
            result,
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
        connection_use: ConnectionUse,
        gate: Option<Arc<Gate>>,
        started: Instant,
        progress: &mut Progress,
    ) -> Result<Answer, Failure> {
        let idle = match connection_use {
            ConnectionUse::Reuse => self.0.pool.take(target),
            ConnectionUse::New => None,
        };
        let mut connection = match idle {
            Some(idle) => idle,
            None => self.connect(target, started, progress).await?,
        };
        progress.connection = Some(connection.info());
        if request.bytes().is_empty()
            && let Some(gate) = &gate
        {
            std::future::poll_fn(|context| gate.poll_open(context)).await;
        }
        let body = OutgoingBody::new(request.bytes().clone(), gate);
        let mut handed_out = body.handed_out();
        let outgoing = request.to_http(target, connection.is_http2(), body);
        let answer = match connection.send(outgoing).await {
            Ok(answer) => answer,
            Err(mut error) => match error.take_message() {
                // The receiver had closed the idle connection, and not a byte was sent: this is
                // no failure of the receiver, so the request takes a new connection.
                Some(unsent) if connection.info().reused => {
                    progress.connection = None;
                    connection = self.connect(target, started, progress).await?;
                    progress.connection = Some(connection.info());
                    let body = unsent.into_body();
                    handed_out = body.handed_out();
                    let outgoing = request.to_http(target, connection.is_http2(), body);
                    let answer = connection.send(outgoing).await;
                    answer.map_err(|error| Failure::exchanging(error.error()))?
                }
                _ => return Err(Failure::exchanging(error.error())),
            },
        };
        progress.first_byte = Some(started.elapsed());
        let (head, body) = answer.into_parts();
        let limit = self.0.settings.response_body_limit;
        let body = read(body, limit).await;
        progress.total = Some(started.elapsed());
        let body = body.map_err(|error| Failure::exchanging(&error))?;
        let reusable = body.complete && handed_out.load(Ordering::Acquire);
        let headers = head.headers.iter();
        let response = Response {
            status: head.status.as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
                .collect(),
            truncated: body.length > body.kept.len() as u64,
            body: body.kept,
            body_length: body.length,
            complete: body.complete,
        };
        Ok(Answer {
            response,
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
        started: Instant,
        progress: &mut Progress,
    ) -> Result<Connection, Failure> {
        let opened = self.open(target).await?;
        progress.connect = Some(started.elapsed());
        Connection::start(opened).await
    }

    async fn open(&self, target: &Target) -> Result<Opened, Failure> {
        let settings = &self.0.settings;
        let open = connect::open(target, &self.0.tls, settings.http_version);
        let after = settings.connect_timeout;
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

/// What was read of a body.
struct Read {
    kept: Bytes,
    length: u64,
    complete: bool,
}

/// Reads a body to its end or to the bound, and keeps its start.
async fn read(mut body: Incoming, keep: usize) -> Result<Read, hyper::Error> {
    let mut kept = BytesMut::new();
    let mut length = 0_u64;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len() as u64);
        let room = keep.saturating_sub(kept.len()).min(data.len());
        kept.extend_from_slice(&data[..room]);
        if length > READ_AT_MOST {
            return Ok(Read {
                kept: kept.freeze(),
                length,
                complete: false,
            });
        }
    }
    Ok(Read {
        kept: kept.freeze(),
        length,
        complete: true,
    })
}
