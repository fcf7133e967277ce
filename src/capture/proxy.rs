//! The proxy: forwards the bytes of each connection unchanged, and shows them to an observer.
//!
//! Bytes are forwarded first and read afterwards, so what is recorded delays nothing.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::connection_observer::{ClosedBy, ConnectionObserver};
use super::exchange::Exchange;
use crate::transport::{Client, Target};

const READ_SIZE: usize = 16 * 1024;
/// How long to wait for the rest of a request that can't be forwarded.
const UNREACHABLE_READ: Duration = Duration::from_secs(5);
/// How long the exchanges under way may wait to be recorded when the proxy stops.
const LAST_EXCHANGES: Duration = Duration::from_secs(2);
/// How long to wait after a failed accept, for example if all file handles are in use.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How many exchanges may wait to be recorded.
const WAITING: usize = 32;
/// How many bytes of messages under way may be kept for all connections together. A connection that would
/// exceed this is no longer observed.
const KEPT_LIMIT: usize = 32 * 1024 * 1024;

/// What the proxy saw.
#[derive(Debug)]
pub(crate) enum Observed {
    Exchange(Box<Exchange>),
    /// A connection was not HTTP/1.1, stopped being it, was ambiguous or sent too much.
    UnreadableConnection,
    /// The receiver could not be reached, for this reason.
    Unreachable(String),
}

/// Forwards each connection to one receiver.
pub(crate) struct Proxy {
    listener: TcpListener,
    forward: Arc<Forward>,
}

struct Forward {
    client: Client,
    target: Target,
    observed: mpsc::Sender<Observed>,
    /// How many bytes the connections keep.
    kept: AtomicUsize,
}

/// A connection as it is observed.
struct Observation<'proxy> {
    observer: Mutex<ConnectionObserver>,
    /// How many bytes it keeps, as counted in `all`.
    own: AtomicUsize,
    all: &'proxy AtomicUsize,
}

impl Proxy {
    /// Binds the address. Connections wait until [`Self::serve`]. What it sees comes out of the
    /// receiving end.
    pub(crate) async fn bind(
        listen: SocketAddr,
        client: Client,
        target: Target,
    ) -> io::Result<(Self, mpsc::Receiver<Observed>)> {
        let listener = TcpListener::bind(listen).await?;
        let (observed, seen) = mpsc::channel(WAITING);
        let forward = Arc::new(Forward {
            client,
            target,
            observed,
            kept: AtomicUsize::new(0),
        });
        Ok((Self { listener, forward }, seen))
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Forwards until `shutdown` completes. Exchanges under way are then broken, and recorded as such.
    pub(crate) async fn serve(self, shutdown: impl Future<Output = ()>) {
        let mut connections = JoinSet::new();
        let (stop, stopped) = tokio::sync::watch::channel(());
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let (forward, mut stopped) = (Arc::clone(&self.forward), stopped.clone());
                        connections.spawn(async move {
                            let stopped = async move {
                                // An error means that the proxy is gone.
                                let _ = stopped.changed().await;
                            };
                            forward.connection(stream, stopped).await;
                        });
                    }
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop(stop);
        let ended = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST_EXCHANGES, ended).await;
    }
}

impl Forward {
    async fn connection(&self, sender: TcpStream, stopped: impl Future<Output = ()>) {
        // A request is sent in few writes, and none should wait for an acknowledgement.
        let _ = sender.set_nodelay(true);
        let observation = Observation::new(&self.kept);
        let closed_by = match self.client.open_stream(&self.target).await {
            Ok(receiver) => {
                let forward = self.both_directions(sender, receiver, &observation);
                tokio::select! {
                    closed_by = forward => closed_by,
                    () = stopped => ClosedBy::Sender,
                }
            }
            Err(failure) => {
                self.report(Observed::Unreachable(failure.to_string()))
                    .await;
                let read = read_request(sender, &observation);
                let _ = tokio::time::timeout(UNREACHABLE_READ, read).await;
                ClosedBy::Unreachable
            }
        };
        let observer = observation.end();
        if observer.is_blind {
            self.report(Observed::UnreadableConnection).await;
        }
        self.report_all(observer.closed(closed_by)).await;
    }

    /// Forwards both directions until one side closes the connection. A sender may close its writing
    /// side and still wait for the response.
    async fn both_directions(
        &self,
        sender: TcpStream,
        receiver: impl AsyncRead + AsyncWrite,
        observation: &Observation<'_>,
    ) -> ClosedBy {
        let (mut from_sender, mut to_sender) = sender.into_split();
        let (mut from_receiver, mut to_receiver) = split(receiver);
        let requests = async {
            let sent = self
                .pump(&mut from_sender, &mut to_receiver, |bytes| {
                    observation.see(|observer| observer.sent(bytes))
                })
                .await;
            match sent {
                Ok(()) if to_receiver.shutdown().await.is_ok() => std::future::pending().await,
                Ok(()) | Err(Broken::Writer) => ClosedBy::Receiver,
                Err(Broken::Reader) => ClosedBy::Sender,
            }
        };
        let responses = async {
            let ended = self
                .pump(&mut from_receiver, &mut to_sender, |bytes| {
                    observation.see(|observer| observer.received(bytes))
                })
                .await;
            match ended {
                Err(Broken::Writer) => ClosedBy::Sender,
                Ok(()) | Err(Broken::Reader) => {
                    let _ = to_sender.shutdown().await;
                    ClosedBy::Receiver
                }
            }
        };
        // Bytes of the receiver may still be on their way if writing to it failed.
        tokio::pin!(requests, responses);
        tokio::select! {
            biased;
            closed_by = &mut responses => closed_by,
            closed_by = &mut requests => match closed_by {
                ClosedBy::Receiver => responses.await,
                closed_by => closed_by,
            },
        }
    }

    /// Forwards one direction to its end.
    async fn pump(
        &self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        observe: impl Fn(&[u8]) -> Vec<Exchange>,
    ) -> Result<(), Broken> {
        let mut buffer = vec![0; READ_SIZE];
        loop {
            let count = from.read(&mut buffer).await.map_err(|_| Broken::Reader)?;
            if count == 0 {
                return Ok(());
            }
            let bytes = &buffer[..count];
            to.write_all(bytes).await.map_err(|_| Broken::Writer)?;
            // A stream that encrypts may keep bytes back.
            to.flush().await.map_err(|_| Broken::Writer)?;
            self.report_all(observe(bytes)).await;
        }
    }

    async fn report_all(&self, exchanges: Vec<Exchange>) {
        for exchange in exchanges {
            self.report(Observed::Exchange(Box::new(exchange))).await;
        }
    }

    async fn report(&self, observed: Observed) {
        // Nobody records any more; the deliveries go on.
        let _ = self.observed.send(observed).await;
    }
}

/// Which side of a direction failed.
enum Broken {
    Reader,
    Writer,
}

/// Reads a request that can't be forwarded.
async fn read_request(mut sender: TcpStream, observation: &Observation<'_>) {
    let mut buffer = vec![0; READ_SIZE];
    while !observation.lock().has_whole_request() {
        match sender.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => drop(observation.see(|observer| observer.sent(&buffer[..count]))),
        }
    }
}

impl<'proxy> Observation<'proxy> {
    fn new(all: &'proxy AtomicUsize) -> Self {
        Self {
            observer: Mutex::default(),
            own: AtomicUsize::new(0),
            all,
        }
    }

    fn lock(&self) -> MutexGuard<'_, ConnectionObserver> {
        self.observer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows bytes to the observer, unless too much is kept already.
    fn see(&self, see: impl FnOnce(&mut ConnectionObserver) -> Vec<Exchange>) -> Vec<Exchange> {
        let mut observer = self.lock();
        let completed = see(&mut observer);
        let kept = observer.kept();
        self.count(kept);
        if kept > 0 && self.all.load(Ordering::Relaxed) > KEPT_LIMIT {
            observer.give_up();
            self.count(0);
        }
        completed
    }

    fn count(&self, kept: usize) {
        let before = self.own.swap(kept, Ordering::Relaxed);
        self.all.fetch_add(kept, Ordering::Relaxed);
        self.all.fetch_sub(before, Ordering::Relaxed);
    }

    fn end(self) -> ConnectionObserver {
        self.count(0);
        let observer = self.observer.into_inner();
        observer.unwrap_or_else(PoisonError::into_inner)
    }
}
