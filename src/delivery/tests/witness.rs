//! A server that sees what arrives on each connection to the byte, and how the connection ends.

use std::io::ErrorKind;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::server::{length_of_request, listen};
use super::{Duration, Target};

/// What a witness does on a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    /// Answers each request with this status.
    Answer(u16),
    /// Answers a request once so many requests have come, on whichever connections.
    AnswerOnce { requests: usize, status: u16 },
    /// Answers and closes as soon as so many bytes of the body are there.
    AnswerEarly { bytes: usize, status: u16 },
    /// Closes without an answer.
    Close,
    /// Reads the request and never answers.
    Silence,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// In order.
    Fin,
    /// Broken.
    Reset,
    /// The witness itself closed it.
    Own,
}

/// What was seen on one connection, from its first byte to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) connection: usize,
    pub(super) bytes: Vec<u8>,
    pub(super) end: End,
}

impl Seen {
    /// Everything behind the head of the first request.
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
    ended: mpsc::UnboundedReceiver<Seen>,
}

impl Witness {
    /// One act for each connection in turn; the last repeats.
    pub(super) async fn with(acts: impl IntoIterator<Item = Act>) -> Self {
        let acts: Vec<_> = acts.into_iter().collect();
        let (listener, target) = listen().await;
        let (ending, ended) = mpsc::unbounded_channel();
        let requests = Arc::new(watch::channel(0).0);
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.expect("a connection");
                let act = acts[connection.min(acts.len() - 1)];
                let (ending, requests) = (ending.clone(), Arc::clone(&requests));
                tokio::spawn(async move {
                    let (bytes, end) = watch_connection(stream, act, &requests).await;
                    let seen = Seen {
                        connection,
                        bytes,
                        end,
                    };
                    // A test that has seen enough is over.
                    let _ = ending.send(seen);
                });
            }
        });
        Self { target, ended }
    }

    /// The next connections that end, in the order in which they were opened.
    pub(super) async fn seen<const N: usize>(&mut self) -> [Seen; N] {
        let mut seen = Vec::new();
        for _ in 0..N {
            let next = tokio::time::timeout(Duration::from_secs(20), self.ended.recv());
            seen.push(next.await.expect("in time").expect("the server runs"));
        }
        seen.sort_by_key(|seen: &Seen| seen.connection);
        seen.try_into().expect("as many as asked for")
    }
}

async fn watch_connection(
    mut stream: TcpStream,
    act: Act,
    requests: &watch::Sender<usize>,
) -> (Vec<u8>, End) {
    let mut bytes = Vec::new();
    let mut answered = 0;
    loop {
        match stream.read_buf(&mut bytes).await {
            Ok(0) => return (bytes, End::Fin),
            Ok(_) => {}
            Err(error) => {
                let broken = [ErrorKind::ConnectionReset, ErrorKind::ConnectionAborted];
                assert!(broken.contains(&error.kind()), "{error}");
                return (bytes, End::Reset);
            }
        }
        if let Act::AnswerEarly {
            bytes: part,
            status,
        } = act
            && head_length(&bytes).is_some_and(|head| bytes.len() >= head + part)
        {
            drop(stream.write_all(&answer(status)).await);
            return (bytes, End::Own);
        }
        while let Some(length) = length_of_request(&bytes[answered..])
            && bytes.len() >= answered + length
        {
            answered += length;
            requests.send_modify(|requests| *requests += 1);
            let status = match act {
                Act::Answer(status) => status,
                Act::AnswerOnce {
                    requests: wanted,
                    status,
                } => {
                    let mut watched = requests.subscribe();
                    let enough = watched.wait_for(|requests| *requests >= wanted).await;
                    drop(enough.expect("the server runs"));
                    status
                }
                Act::Close => return (bytes, End::Own),
                Act::AnswerEarly { .. } | Act::Silence => continue,
            };
            // A client that has gone needs no answer.
            drop(stream.write_all(&answer(status)).await);
        }
    }
}

fn head_length(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(end + 4)
}

fn answer(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} Some\r\nContent-Length: 0\r\n\r\n").into_bytes()
}
