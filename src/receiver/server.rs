//! Listening, connections and shutdown. `control` handles the requests.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinSet, spawn_blocking};

use super::control;
use super::delivery::Backend;
use super::error::ReceiverError;
use super::flaw::Flaw;
use super::game::Game;
use super::hangup::HangupGuard;
use super::imitation::{ConnectionMemory, Flaws, Variants};
use super::ledger::{Ledger, LedgerError};
use super::outcome::{ReceivedRequest, RequestOutcome};
use super::response::{Body, ReceiverResponse};
use super::routes::check_webhook_path;
use super::scripts::Scripts;
use super::settings::ReceiverSettings;
use super::variant::Variant;

const HEAD_TIMEOUT: Duration = Duration::from_mins(1);
/// How long requests in flight may take after shutdown begins.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);
/// How long to wait after a failed accept, for example if all file handles are in use.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The built-in receiver, bound to its address.
pub struct Receiver {
    listener: TcpListener,
    address: SocketAddr,
    backend: Arc<Backend>,
    ledger_thread: JoinHandle<()>,
}

impl Receiver {
    /// Checks the settings, opens the ledger and binds the address. Requests wait until
    /// [`Self::serve`].
    pub async fn bind(mut settings: ReceiverSettings) -> Result<Self, ReceiverError> {
        if !settings.allow_remote && !settings.listen.ip().is_loopback() {
            return Err(ReceiverError::RemoteAddress(settings.listen));
        }
        check_webhook_path(&settings.path)?;
        let scripts = Scripts::new(&settings.respond)?;
        let flaws = Flaws::new(&mut settings)?;
        let variants = Variants::new(&mut settings)?;
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
                game: Game::new(settings, ledger),
                flaws,
                variants,
                scripts,
            }),
            ledger_thread,
        })
    }

    /// The address that the receiver listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Handles requests until `shutdown` completes. Then finishes the requests in flight and closes
    /// the ledger.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), ReceiverError> {
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(serve_connection(stream, Arc::clone(&self.backend), &graceful));
                    }
                    // Out of resources, or the peer has already disconnected.
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                // Removes closed connections from the set.
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.listener);
        // Connections that do not finish in time are closed.
        let _ = tokio::time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await;
        connections.shutdown().await;
        self.backend.game.ledger.close().await;
        spawn_blocking(|| self.ledger_thread.join())
            .await
            .map_err(|_| LedgerError::Closed)?
            .map_err(|_| LedgerError::Closed)?;
        Ok(())
    }
}

/// Serves one HTTP/1 or HTTP/2 connection. Errors of the connection are ignored.
fn serve_connection(
    stream: TcpStream,
    backend: Arc<Backend>,
    graceful: &GracefulShutdown,
) -> impl Future<Output = ()> + Send + 'static {
    // Sends small responses without delay. A failure here is harmless.
    let _ = stream.set_nodelay(true);
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        // A sender may close its writing side and still wait for the response.
        .half_close(!backend.flaws.has(Flaw::StoppedByHangup))
        .title_case_headers(backend.variants.has(Variant::TitleCaseHeaders));
    server.http2().timer(TokioTimer::new());
    let memory = ConnectionMemory::default();
    let stream = backend.flaws.remember_reads(stream, &memory);
    let service = service_fn(move |mut request: Request<Incoming>| {
        backend.flaws.find_headers(&memory, &mut request);
        request.extensions_mut().insert(memory.clone());
        respond(Arc::clone(&backend), request)
    });
    let connection = server
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    let connection = graceful.watch(connection);
    async move {
        let _ = connection.await;
    }
}

/// Handles a request in a separate task, so that processing finishes even if the sender hangs up.
/// Otherwise the request would be dropped at an unpredictable point.
async fn respond(
    backend: Arc<Backend>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let version = request.version();
    let guard = HangupGuard::default();
    let work = guard.watch(handle_and_observe(Arc::clone(&backend), request));
    let response = tokio::spawn(work).await.unwrap_or_else(|_| {
        ReceiverResponse::error(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
    });
    Ok(backend.variants.http_response(response, version))
}

async fn handle_and_observe(backend: Arc<Backend>, request: Request<Incoming>) -> ReceiverResponse {
    let (mut parts, body) = request.into_parts();
    let RequestOutcome {
        response,
        decision,
        player_id,
    } = control::handle(&backend, &mut parts, body).await;
    if let Some(observer) = &backend.game.settings.observer {
        observer(&ReceivedRequest {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            player_id,
            decision,
            status: response.status,
        });
    }
    response
}
