//! Listening, connections and shutdown. What a request is answered with is in `control`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinSet, spawn_blocking};

use crate::protocol::Signer;

use super::answer::Answer;
use super::control::{self, Handled};
use super::error::ReceiverError;
use super::flaws;
use super::ledger::{Ledger, LedgerError, LedgerThread};
use super::request_record::RequestRecord;
use super::routes::check_webhook_path;
use super::scripts::Scripts;
use super::settings::ReceiverSettings;
use super::steps::Steps;
use super::variants;

/// How long a connection may be silent before the head of a request is there.
const HEAD_TIMEOUT: Duration = Duration::from_mins(1);
/// How long requests may go on once the receiver is told to shut down.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be accepted, as when all file handles are in use.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What all requests share.
pub(super) struct Backend {
    pub(super) settings: ReceiverSettings,
    pub(super) signer: Signer,
    pub(super) steps: Steps,
    pub(super) scripts: Scripts,
    pub(super) ledger: Ledger,
}

/// The reference receiver, listening.
pub struct Receiver {
    listener: TcpListener,
    address: SocketAddr,
    backend: Arc<Backend>,
    ledger_thread: LedgerThread,
}

impl Receiver {
    /// Checks the settings, opens the ledger and listens. Requests wait until [`Self::serve`].
    pub async fn bind(mut settings: ReceiverSettings) -> Result<Self, ReceiverError> {
        if !settings.allow_remote && !settings.listen.ip().is_loopback() {
            return Err(ReceiverError::RemoteAddress(settings.listen));
        }
        check_webhook_path(&settings.path)?;
        let scripts = Scripts::new(&settings.respond)?;
        let steps = Steps::new(&settings)?;
        flaws::mistake_settings(&mut settings);
        variants::choose_settings(&mut settings);
        let listen_error = |source| ReceiverError::Listen {
            address: settings.listen,
            source,
        };
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let store = settings.store.clone();
        let (ledger, ledger_thread) = spawn_blocking(move || Ledger::open(&store))
            .await
            .map_err(|_| LedgerError::Closed)??;
        Ok(Self {
            listener,
            address,
            backend: Arc::new(Backend {
                signer: Signer::new(&settings.secret),
                steps,
                scripts,
                ledger,
                settings,
            }),
            ledger_thread,
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `shutdown` completes; then finishes those that are under way, writes
    /// what waits, and closes the ledger.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), ReceiverError> {
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(converse(stream, Arc::clone(&self.backend), &graceful));
                    }
                    // An accept fails for want of resources or since the peer is gone already.
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                // Takes ended connections out of the set.
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        // What does not end in time is cut off.
        let _ = tokio::time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await;
        connections.shutdown().await;
        self.backend.ledger.close().await;
        spawn_blocking(|| self.ledger_thread.join())
            .await
            .map_err(|_| LedgerError::Closed)??;
        Ok(())
    }
}

/// One connection, of either version of HTTP. How it ends is its peer's business.
fn converse(
    stream: TcpStream,
    backend: Arc<Backend>,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + 'static {
    // Without it small answers wait for the peer's acknowledgement; with it or not, they are right.
    let _ = stream.set_nodelay(true);
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        // A sender may say that it has no more to write, and still wait for the answer.
        .half_close(backend.steps.stops_with_the_sender().is_none())
        .title_case_headers(backend.steps.title_case_headers());
    server.http2().timer(TokioTimer::new());
    let service = service_fn(move |request| answer(Arc::clone(&backend), request));
    let connection = server
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    let connection = graceful.watch(connection);
    async move {
        let _ = connection.await;
    }
}

/// Answers in a task of its own: a delivery that has arrived is taken to its end even if its sender
/// hangs up meanwhile, rather than dropped at a moment that depends on timing.
async fn answer(
    backend: Arc<Backend>,
    request: Request<Incoming>,
) -> Result<Response<variants::Body>, Infallible> {
    let version = request.version();
    let sender_waits = backend.steps.stops_with_the_sender();
    let work = handle_and_tell(Arc::clone(&backend), request);
    let working = match &sender_waits {
        None => tokio::spawn(work),
        Some(waits) => tokio::spawn(waits.knowing(work)),
    };
    let answer = working
        .await
        .unwrap_or_else(|_| Answer::error(StatusCode::INTERNAL_SERVER_ERROR, "a bug"));
    Ok(backend.steps.send(answer, version))
}

async fn handle_and_tell(backend: Arc<Backend>, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let Handled {
        answer,
        decision,
        player_id,
    } = control::handle(&backend, &parts, body).await;
    if let Some(observer) = &backend.settings.observer {
        observer(&RequestRecord {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            player_id,
            decision,
            status: answer.status,
        });
    }
    answer
}
