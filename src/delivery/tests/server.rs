//! Servers that do what a test needs, and remember what they saw.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::{Target, target};

/// What a server does once it has read a request.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// Writes these bytes and waits for the next request.
    Keep(Vec<u8>),
    /// Writes these bytes and closes the connection.
    Close(Vec<u8>),
    /// Never answers.
    Silence,
    /// Resets the connection.
    Reset,
}

impl Answer {
    /// A whole answer with this status and no body.
    pub(super) fn status(status: u16) -> Self {
        Self::Keep(format!("HTTP/1.1 {status} Some\r\nContent-Length: 0\r\n\r\n").into_bytes())
    }
}

/// Requests, each with the number of its connection.
type Seen = Vec<(usize, Vec<u8>)>;

/// A server that gives its answers in turn, one a request on whichever connection; the last
/// repeats.
pub(super) struct Server {
    pub(super) target: Target,
    seen: Arc<Mutex<Seen>>,
    closed: mpsc::UnboundedReceiver<()>,
}

impl Server {
    pub(super) async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Vec<_> = answers.into_iter().collect();
        let (listener, target) = listen().await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (closing, closed) = mpsc::unbounded_channel();
        let requests = Arc::clone(&seen);
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.expect("a connection");
                let (answers, requests) = (answers.clone(), Arc::clone(&requests));
                let closing = closing.clone();
                tokio::spawn(async move {
                    serve(stream, connection, &answers, &requests).await;
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
    pub(super) fn seen(&self) -> Seen {
        self.seen.lock().expect("not poisoned").clone()
    }

    /// Which connection each request came by.
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
    answers: &[Answer],
    requests: &Mutex<Seen>,
) {
    while let Some(request) = read_request(&mut stream).await {
        let answer = {
            let mut requests = requests.lock().expect("not poisoned");
            requests.push((connection, request));
            answers[(requests.len() - 1).min(answers.len() - 1)].clone()
        };
        match answer {
            // A client that has heard enough may close first.
            Answer::Keep(bytes) => drop(stream.write_all(&bytes).await),
            Answer::Close(bytes) => return drop(stream.write_all(&bytes).await),
            Answer::Silence => std::future::pending().await,
            Answer::Reset => {
                let linger = Some(Duration::ZERO);
                SockRef::from(&stream).set_linger(linger).expect("a socket");
                return;
            }
        }
    }
}

/// A listener on a free port, and the target that leads to it.
pub(super) async fn listen() -> (TcpListener, Target) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    (listener, target(&format!("http://{address}/hook")))
}

/// A target where nothing listens.
pub(super) async fn nowhere() -> Target {
    listen().await.1
}

/// One whole request, or `None` at the end of the connection.
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

/// How long the request is that begins with these bytes, once its head is whole.
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
