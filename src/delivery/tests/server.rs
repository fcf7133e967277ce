//! Servers that do what a test needs and record their requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::{Target, target};

/// What a server does after it has read a request.
#[derive(Debug, Clone)]
pub(super) enum ServerAction {
    /// Sends these bytes and waits for the next request.
    Respond(Vec<u8>),
    /// Sends these bytes and closes the connection.
    RespondAndClose(Vec<u8>),
    /// Never responds.
    Silence,
    /// Resets the connection.
    Reset,
}

impl ServerAction {
    /// Sends a complete response with this status and no body.
    pub(super) fn status(status: u16) -> Self {
        Self::Respond(format!("HTTP/1.1 {status} Some\r\nContent-Length: 0\r\n\r\n").into_bytes())
    }
}

/// Requests, each with the number of its connection.
type NumberedRequests = Vec<(usize, Vec<u8>)>;

/// A server that takes one action per request, on whichever connection, and repeats the last one.
pub(super) struct Server {
    pub(super) target: Target,
    seen: Arc<Mutex<NumberedRequests>>,
    closed: mpsc::UnboundedReceiver<()>,
}

impl Server {
    pub(super) async fn with_actions(actions: impl IntoIterator<Item = ServerAction>) -> Self {
        let actions: Vec<_> = actions.into_iter().collect();
        let (listener, target) = listen().await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (closing, closed) = mpsc::unbounded_channel();
        let requests = Arc::clone(&seen);
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.expect("a connection");
                let (actions, requests) = (actions.clone(), Arc::clone(&requests));
                let closing = closing.clone();
                tokio::spawn(async move {
                    serve(stream, connection, &actions, &requests).await;
                    let _ = closing.send(());
                });
            }
        });
        Self {
            target,
            seen,
            closed,
        }
    }

    /// The requests so far, each with the number of its connection.
    pub(super) fn seen(&self) -> NumberedRequests {
        self.seen.lock().expect("not poisoned").clone()
    }

    /// The number of each request's connection.
    pub(super) fn connections(&self) -> Vec<usize> {
        self.seen().into_iter().map(|(number, _)| number).collect()
    }

    /// The requests so far as text.
    pub(super) fn texts(&self) -> Vec<String> {
        let text = |(_, bytes): (usize, Vec<u8>)| String::from_utf8_lossy(&bytes).into_owned();
        self.seen().into_iter().map(text).collect()
    }

    /// Waits until the server has closed a connection.
    pub(super) async fn has_closed(&mut self) {
        self.closed.recv().await.expect("the server runs");
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    actions: &[ServerAction],
    requests: &Mutex<NumberedRequests>,
) {
    while let Some(request) = read_request(&mut stream).await {
        let action = {
            let mut requests = requests.lock().expect("not poisoned");
            requests.push((connection, request));
            actions[(requests.len() - 1).min(actions.len() - 1)].clone()
        };
        match action {
            // The client may close the connection first.
            ServerAction::Respond(bytes) => drop(stream.write_all(&bytes).await),
            ServerAction::RespondAndClose(bytes) => return drop(stream.write_all(&bytes).await),
            ServerAction::Silence => std::future::pending().await,
            ServerAction::Reset => {
                let linger = Some(Duration::ZERO);
                SockRef::from(&stream).set_linger(linger).expect("a socket");
                return;
            }
        }
    }
}

/// A listener on a free port, and its target.
pub(super) async fn listen() -> (TcpListener, Target) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, target(&format!("http://{address}/hook")))
}

/// A target that nothing listens on.
pub(super) async fn unused_target() -> Target {
    listen().await.1
}

/// Reads one whole request, or returns `None` at the end of the connection.
pub(super) async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if length_of_request(&bytes).is_some_and(|length| bytes.len() >= length) {
            return Some(bytes);
        }
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// The length of the first request in these bytes, once its head is complete.
pub(super) fn length_of_request(bytes: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(bytes);
    let head = text.split_once("\r\n\r\n")?.0;
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.parse().expect("a length"));
    Some(head.len() + 4 + length)
}
