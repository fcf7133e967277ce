//! One connection that speaks HTTP, and the idle ones that wait for another request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::{Request, Version};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;

use super::connect::Opened;
use super::exchange::ConnectionInfo;
use super::failure::Failure;
use super::outgoing_body::OutgoingBody;
use super::target::Target;
use super::wire::{Meter, Metered, Peek, Unread};

/// How many idle connections are kept to one host and port.
const MOST_IDLE: usize = 256;
/// How long the end of an exchange waits for its connection to become ready for the next. In
/// practice it is ready at once; the bound is for a receiver that answers early and reads no
/// further. Not part of any measured time.
const READY_WITHIN: Duration = Duration::from_millis(250);

/// How long an idle connection is kept for another request. Servers close idle connections after
/// seconds; one that is used at just that moment would break, and look like the receiver's fault.
const REST_AT_MOST: Duration = Duration::from_millis(500);

/// An open connection. It carries one exchange at a time, on HTTP/2 too: simultaneous deliveries
/// then never share a flow-control window.
#[derive(Debug)]
pub(super) struct Connection {
    sender: Sender,
    meter: Arc<Meter>,
    peek: Peek,
    info: ConnectionInfo,
    /// Drive the connection, and hold it: it is closed when they end.
    tasks: Tasks,
    /// A request is under way: dropped now, the connection is cut.
    busy: bool,
    /// When the last exchange on it ended.
    idle_since: Instant,
}

/// The tasks of one connection. On HTTP/2 there are several, and each can start others.
#[derive(Debug, Clone, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    /// Lets the tasks end by themselves.
    fn release(&self) {
        self.running().detach_all();
    }

    /// Ends the tasks where they are, without waiting for it.
    fn abort(&self) {
        self.running().abort_all();
    }

    /// Ends the tasks where they are, and waits until they have let go of the connection.
    async fn end(&self) {
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

/// Ends a connection while a request is under way on it.
#[derive(Debug)]
pub(super) struct Cut {
    tasks: Tasks,
    peek: Peek,
}

impl Cut {
    /// Resets the connection. To be called before the request is dropped, which would close the
    /// connection in order.
    pub(super) fn reset(&self) {
        self.peek.reset_at_end();
        self.tasks.abort();
    }
}

#[derive(Debug)]
enum Sender {
    Http1(http1::SendRequest<OutgoingBody>),
    Http2(http2::SendRequest<OutgoingBody>),
}

impl Connection {
    /// Speaks HTTP on a stream.
    pub(super) async fn start(opened: Opened) -> Result<Self, Failure> {
        let meter = Arc::new(Meter::default());
        let io = TokioIo::new(Metered::new(opened.stream, Arc::clone(&meter)));
        let failed = |error: hyper::Error| Failure::exchanging(&error);
        let tasks = Tasks::default();
        // What ends a connection is told to the exchange on it; without one it is of no interest.
        let sender = if opened.http2 {
            let builder = http2::Builder::new(tasks.clone());
            let (sender, driver) = builder.handshake(io).await.map_err(failed)?;
            tasks.execute(driver);
            Sender::Http2(sender)
        } else {
            let mut builder = http1::Builder::new();
            builder.title_case_headers(true);
            let (sender, driver) = builder.handshake(io).await.map_err(failed)?;
            tasks.execute(driver);
            Sender::Http1(sender)
        };
        let version = if opened.http2 {
            Version::HTTP_2
        } else {
            Version::HTTP_11
        };
        Ok(Self {
            sender,
            meter,
            peek: opened.peek,
            info: ConnectionInfo {
                reused: false,
                version,
                remote: opened.remote,
                in_place_of: None,
            },
            tasks,
            busy: false,
            idle_since: Instant::now(),
        })
    }

    pub(super) fn info(&self) -> ConnectionInfo {
        self.info
    }

    pub(super) fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    /// Sends a request and waits for the head of the answer. The request comes back with the
    /// error where not a byte of it was sent.
    pub(super) async fn send(
        &mut self,
        mut request: Request<OutgoingBody>,
    ) -> Result<http::Response<Incoming>, TrySendError<Request<OutgoingBody>>> {
        self.busy = true;
        let http2 = self.is_http2();
        request.body_mut().attach(&self.meter, http2);
        match &mut self.sender {
            Sender::Http1(sender) => sender.try_send_request(request).await,
            Sender::Http2(sender) => sender.try_send_request(request).await,
        }
    }

    /// Waits, not for long, until the connection can carry another request.
    pub(super) async fn becomes_ready(&mut self) -> bool {
        let ready = async {
            match &mut self.sender {
                Sender::Http1(sender) => sender.ready().await,
                Sender::Http2(sender) => sender.ready().await,
            }
        };
        let ready = tokio::time::timeout(READY_WITHIN, ready).await;
        matches!(ready, Ok(Ok(())))
    }

    /// The exchange is over, and the connection closes in order when it is dropped.
    pub(super) fn rest(&mut self) {
        self.busy = false;
        self.idle_since = Instant::now();
    }

    /// What can end this connection while a request is under way on it.
    pub(super) fn cut(&self) -> Cut {
        Cut {
            tasks: self.tasks.clone(),
            peek: self.peek.clone(),
        }
    }

    /// Closes the connection where it is, and waits until it is closed.
    pub(super) async fn close(self) {
        self.tasks.end().await;
    }

    /// Whether a request can still be sent on this idle connection.
    fn is_alive(&self) -> bool {
        self.idle_since.elapsed() <= REST_AT_MOST && self.is_usable()
    }

    /// Whether a request can be sent on this idle connection, however long it lay idle.
    pub(super) fn is_usable(&self) -> bool {
        let ready = match &self.sender {
            Sender::Http1(sender) => sender.is_ready(),
            Sender::Http2(sender) => sender.is_ready(),
        };
        // Bytes that nobody asked for are the end of an encrypted connection, or an answer that
        // would be taken for that to the next request.
        ready && self.peek.unread() == Unread::Nothing
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

/// Idle connections by where they lead.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<HashMap<String, Vec<Connection>>>);

impl Pool {
    /// The connection that was used last and still stands.
    pub(super) fn take(&self, target: &Target) -> Option<Connection> {
        let mut idle = self.idle();
        let connections = idle.get_mut(target.origin())?;
        while let Some(mut connection) = connections.pop() {
            if connection.is_alive() {
                connection.info.reused = true;
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for another request.
    pub(super) fn put(&self, target: &Target, connection: Connection) {
        let mut idle = self.idle();
        let connections = idle.entry(target.origin().to_owned()).or_default();
        if connections.len() < MOST_IDLE {
            connections.push(connection);
        }
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<String, Vec<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::settings::HttpVersion;
    use crate::delivery::tls::{Tls, TlsSettings};
    use crate::delivery::{AllowedHosts, connect};

    #[tokio::test]
    async fn a_connection_that_rested_too_long_is_not_used_again() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let target = Target::parse(&url, &AllowedHosts::loopback_only()).expect("a target");
        let tls = Tls::new(
            &TlsSettings::default(),
            connect::offered(HttpVersion::Http1),
        );
        let opened = connect::open(&target, &tls.expect("settings"), HttpVersion::Http1).await;
        let mut connection = Connection::start(opened.expect("open"))
            .await
            .expect("started");
        assert!(connection.becomes_ready().await);

        let pool = Pool::default();
        connection.rest();
        pool.put(&target, connection);
        let mut connection = pool.take(&target).expect("fresh enough");
        connection.idle_since = Instant::now()
            .checked_sub(REST_AT_MOST + Duration::from_millis(1))
            .expect("the machine runs for longer than that");
        pool.put(&target, connection);
        assert!(pool.take(&target).is_none());
    }
}
