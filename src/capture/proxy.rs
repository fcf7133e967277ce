//! The proxy: forwards the bytes of each connection unchanged, and shows them to an observer.
//!
//! Bytes are forwarded first and read afterwards, so what is recorded delays nothing.

use std::io;
use std::net::SocketAddr;
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
/// How long to wait after a failed accept, for example if all file handles are in use.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How many exchanges may wait to be recorded.
const WAITING: usize = 1024;

/// What the proxy saw.
#[derive(Debug)]
pub(crate) enum Observed {
    Exchange(Box<Exchange>),
    /// A connection was not HTTP/1.1, or stopped being it.
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
        while connections.join_next().await.is_some() {}
    }
}

impl Forward {
    async fn connection(&self, sender: TcpStream, stopped: impl Future<Output = ()>) {
        // A request is sent in few writes, and none should wait for an acknowledgement.
        let _ = sender.set_nodelay(true);
        let observer = Mutex::new(ConnectionObserver::default());
        let closed_by = match self.client.open_stream(&self.target).await {
            Ok(receiver) => {
                let forward = self.both_directions(sender, receiver, &observer);
                tokio::select! {
                    closed_by = forward => closed_by,
                    () = stopped => ClosedBy::Sender,
                }
            }
            Err(failure) => {
                self.report(Observed::Unreachable(failure.to_string()))
                    .await;
                let read = read_request(sender, &observer);
                let _ = tokio::time::timeout(UNREACHABLE_READ, read).await;
                ClosedBy::Unreachable
            }
        };
        let observer = observer
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
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
        observer: &Mutex<ConnectionObserver>,
    ) -> ClosedBy {
        let (mut from_sender, mut to_sender) = sender.into_split();
        let (mut from_receiver, mut to_receiver) = split(receiver);
        let requests = async {
            let sent = self
                .pump(&mut from_sender, &mut to_receiver, |bytes| {
                    lock(observer).sent(bytes)
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
                    lock(observer).received(bytes)
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
async fn read_request(mut sender: TcpStream, observer: &Mutex<ConnectionObserver>) {
    let mut buffer = vec![0; READ_SIZE];
    while !lock(observer).has_whole_request() {
        match sender.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => drop(lock(observer).sent(&buffer[..count])),
        }
    }
}

fn lock(observer: &Mutex<ConnectionObserver>) -> MutexGuard<'_, ConnectionObserver> {
    observer.lock().unwrap_or_else(PoisonError::into_inner)
}
