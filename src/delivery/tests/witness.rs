//! A server that records the exact bytes of each connection, and how the connection ends.

use std::io::ErrorKind;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::server::{length_of_request, listen};
use super::{Duration, Target};

/// What a witness does on a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum WitnessAction {
    /// Responds to each request with this status.
    Respond(u16),
    /// Responds to a request once this many requests have arrived on all connections.
    RespondAfter { requests: usize, status: u16 },
    /// Responds and closes as soon as this many bytes of the body have arrived.
    RespondEarly { bytes: usize, status: u16 },
    /// Closes without a response.
    Close,
    /// Reads the request and never responds.
    Silence,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionEnd {
    /// The client closed it normally.
    Fin,
    /// The client reset it.
    Reset,
    /// The witness closed it.
    ByWitness,
}

/// What was seen on one connection, from its first byte to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SeenConnection {
    pub(super) connection: usize,
    pub(super) bytes: Vec<u8>,
    pub(super) end: ConnectionEnd,
}

impl SeenConnection {
    /// Everything after the head of the first request.
    pub(super) fn body(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        let parts = text.split_once("\r\n\r\n");
        parts.map_or(String::new(), |(_, body)| body.to_owned())
    }

    /// The value of a header of the first request.
    pub(super) fn header(&self, name: &str) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_default().to_owned()
    }
}

pub(super) struct Witness {
    pub(super) target: Target,
    ended: mpsc::UnboundedReceiver<SeenConnection>,
}

impl Witness {
    /// Takes one action per connection, and repeats the last one.
    pub(super) async fn with(actions: impl IntoIterator<Item = WitnessAction>) -> Self {
        let actions: Vec<_> = actions.into_iter().collect();
        let (listener, target) = listen().await;
        let (ending, ended) = mpsc::unbounded_channel();
        let requests = Arc::new(watch::channel(0).0);
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.expect("a connection");
                let action = actions[connection.min(actions.len() - 1)];
                let (ending, requests) = (ending.clone(), Arc::clone(&requests));
                tokio::spawn(async move {
                    let (bytes, end) = watch_connection(stream, action, &requests).await;
                    let seen = SeenConnection {
                        connection,
                        bytes,
                        end,
                    };
                    // The test may already be over.
                    let _ = ending.send(seen);
                });
            }
        });
        Self { target, ended }
    }

    /// Waits for the next `N` connections to end, and returns them in the order of their opening.
    pub(super) async fn seen<const N: usize>(&mut self) -> [SeenConnection; N] {
        let mut seen = Vec::new();
        for _ in 0..N {
            let next = tokio::time::timeout(Duration::from_secs(20), self.ended.recv());
            seen.push(next.await.expect("in time").expect("the server runs"));
        }
        seen.sort_by_key(|seen: &SeenConnection| seen.connection);
        seen.try_into().expect("N connections")
    }
}

async fn watch_connection(
    mut stream: TcpStream,
    action: WitnessAction,
    requests: &watch::Sender<usize>,
) -> (Vec<u8>, ConnectionEnd) {
    let mut bytes = Vec::new();
    let mut processed = 0;
    loop {
        match stream.read_buf(&mut bytes).await {
            Ok(0) => return (bytes, ConnectionEnd::Fin),
            Ok(_) => {}
            Err(error) => {
                let resets = [ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted];
                assert!(resets.contains(&error.kind()), "{error}");
                return (bytes, ConnectionEnd::Reset);
            }
        }
        if let WitnessAction::RespondEarly {
            bytes: part,
            status,
        } = action
            && head_length(&bytes).is_some_and(|head| bytes.len() >= head + part)
        {
            drop(stream.write_all(&response(status)).await);
            return (bytes, ConnectionEnd::ByWitness);
        }
        while let Some(length) = length_of_request(&bytes[processed..])
            && bytes.len() >= processed + length
        {
            processed += length;
            requests.send_modify(|requests| *requests += 1);
            let status = match action {
                WitnessAction::Respond(status) => status,
                WitnessAction::RespondAfter {
                    requests: wanted,
                    status,
                } => {
                    let mut watched = requests.subscribe();
                    let enough = watched.wait_for(|requests| *requests >= wanted).await;
                    drop(enough.expect("the server runs"));
                    status
                }
                WitnessAction::Close => return (bytes, ConnectionEnd::ByWitness),
                WitnessAction::RespondEarly { .. } | WitnessAction::Silence => continue,
            };
            // The client may have closed the connection.
            drop(stream.write_all(&response(status)).await);
        }
    }
}

fn head_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(end + 4)
}

fn response(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} Some\r\nContent-Length: 0\r\n\r\n").into_bytes()
}
