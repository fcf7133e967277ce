//! Listening, connections and shutdown. `control` handles the requests.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::select_all;
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
use super::process::Process;
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

/// The built-in receiver, bound to the addresses of its instances.
pub struct Receiver {
    instances: Vec<Instance>,
    game: Arc<Game>,
    ledger_thread: JoinHandle<()>,
}

struct Instance {
    listener: TcpListener,
    address: SocketAddr,
    backend: Arc<Backend>,
}

impl Receiver {
    /// Checks the settings, opens the ledger and binds the addresses. Requests wait until
    /// [`Self::serve`].
    pub async fn bind(mut settings: ReceiverSettings) -> Result<Self, ReceiverError> {
        if !settings.allow_remote && !settings.listen.ip().is_loopback() {
            return Err(ReceiverError::RemoteAddress(settings.listen));
        }
        check_webhook_path(&settings.path)?;
        let scripts = Arc::new(Scripts::new(&settings.respond)?);
        let instances = 0..settings.instances.max(1);
        let flaws: Vec<Flaws> = instances
            .map(|_| Flaws::new(&mut settings))
            .collect::<Result<_, _>>()?;
        let variants = Arc::new(Variants::new(&mut settings)?);
        let mut listeners = Vec::new();
        for number in 0..flaws.len() {
            let mut address = settings.listen;
            if address.port() != 0 {
                let number = u16::try_from(number).unwrap_or(u16::MAX);
                address.set_port(address.port().saturating_add(number));
            }
            let failed = |source| ReceiverError::Listen { address, source };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            listeners.push((listener, address));
        }
        let store = settings.store.clone();
        let (ledger, ledger_thread) = spawn_blocking(move || Ledger::open(&store))
            .await
            .map_err(|_| LedgerError::Closed)??;
        let game = Arc::new(Game::new(settings, ledger));
        let instances = listeners.into_iter().zip(flaws);
        let instances = instances.map(|((listener, address), flaws)| Instance {
            listener,
            address,
            backend: Arc::new(Backend {
                game: Arc::clone(&game),
                variants: Arc::clone(&variants),
                scripts: Arc::clone(&scripts),
                flaws,
                process: Process::default(),
            }),
        });
        Ok(Self {
            instances: instances.collect(),
            game,
            ledger_thread,
        })
    }

    /// The address that its first instance listens on.
    pub fn address(&self) -> SocketAddr {
        self.instances[0].address
    }

    /// The addresses of all instances.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.instances.iter().map(|instance| instance.address)
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
                (instance, accepted) = accept(&self.instances) => match accepted {
                    Ok(stream) => {
                        let backend = Arc::clone(&instance.backend);
                        connections.spawn(serve_connection(stream, backend, &graceful));
                    }
                    // Out of resources, or the peer has already disconnected.
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                // Removes closed connections from the set.
                Some(_) = connections.join_next() => {}
            }
        }
        drop(self.instances);
        // Connections that do not finish in time are closed.
        let _ = tokio::time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await;
        connections.shutdown().await;
        self.game.ledger.close().await;
        spawn_blocking(|| self.ledger_thread.join())
            .await
            .map_err(|_| LedgerError::Closed)?
            .map_err(|_| LedgerError::Closed)?;
        Ok(())
    }
}

/// The next connection to any instance.
async fn accept(instances: &[Instance]) -> (&Instance, io::Result<TcpStream>) {
    let accepted = instances.iter().map(|instance| {
        let accepted = instance.listener.accept();
        Box::pin(async move { (instance, accepted.await.map(|(stream, _)| stream)) })
    });
    select_all(accepted).await.0
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

/// The receiver was restarted before it responded, so the connection is closed.
#[derive(Debug, thiserror::Error)]
#[error("restarted")]
struct Restarted;

/// Handles a request in a separate task, so that processing finishes even if the sender hangs up.
/// Otherwise the request would be dropped at an unpredictable point.
async fn respond(
    backend: Arc<Backend>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Restarted> {
    let version = request.version();
    let guard = HangupGuard::default();
    let is_delivery = request.uri().path() == backend.game.settings.path;
    let worker = Arc::clone(&backend);
    let work = guard.watch(async move {
        let work = Box::pin(handle_and_observe(Arc::clone(&worker), request));
        // A restart is requested by another endpoint.
        if is_delivery {
            worker.process.run(work).await
        } else {
            Some(work.await)
        }
    });
    let response = tokio::spawn(work).await.unwrap_or_else(|_| {
        let message = "internal error";
        Some(ReceiverResponse::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            message,
        ))
    });
    let response = response.ok_or(Restarted)?;
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
