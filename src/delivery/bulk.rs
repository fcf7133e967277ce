//! A connection for very many deliveries: requests come as ready bytes, and of an answer the status
//! is kept.
//!
//! [`Client`] keeps everything of an exchange for whoever judges it, and pays for that with
//! allocations. A load needs neither: here a request leaves in one write, and its answer is read
//! into a buffer that is used again. No policy is followed here and no fault is played, but that
//! an answer can be left unheard.

mod answer_reader;
mod translation;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;

use super::client::Client;
use super::connect::{self, Opened, Stream};
use super::connection::Connection;
use super::failure::Failure;
use super::gate::Gate;
use super::outgoing_body::{OutgoingBody, Pace};
use super::retry_after::AskedWait;
use super::target::Target;
use super::wire::{Peek, Unread, unread};
use super::wire_fault::BreakOff;
use answer_reader::{AnswerReader, Progress};
use translation::{BodyPlace, body_place, to_http2};

/// An open connection, for one exchange at a time.
#[derive(Debug)]
pub struct BulkConnection(Kind);

enum Kind {
    Http1(Box<Http1>),
    Http2(Box<Connection>),
    /// It has ended, or an exchange on it was not finished.
    Closed,
}

struct Http1 {
    wire: Wire,
    reader: AnswerReader,
}

/// The stream below HTTP/1.1. A plain one is not boxed: its reads then cost one system call less.
enum Wire {
    Plain(TcpStream),
    Encrypted(Box<dyn Stream>, Peek),
}

/// What is kept of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkAnswer {
    /// The status.
    pub status: u16,
    /// The wait that the receiver asks for before the next attempt, if it does.
    pub retry_after: Option<AskedWait>,
}

/// Whether the sender listens for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hearing {
    /// The answer is read to its end.
    Whole,
    /// The connection is closed once the answer begins: the receiver has done its work, and the
    /// sender does not know.
    Lost,
}

impl BulkConnection {
    /// Opens a connection with a client's settings, within its time for connecting.
    pub async fn open(client: &Client, target: &Target) -> Result<Self, Failure> {
        let after = client.connect_timeout();
        let opened = tokio::time::timeout(after, Self::open_unbounded(client, target)).await;
        opened.unwrap_or(Err(Failure::ConnectTimeout { after }))
    }

    async fn open_unbounded(client: &Client, target: &Target) -> Result<Self, Failure> {
        let version = client.http_version();
        if connect::is_plain_http1(target, version) {
            let (stream, _) = connect::open_tcp(target).await?;
            return Ok(Self::http1(Wire::Plain(stream)));
        }
        let opened = connect::open(target, client.tls(), version).await?;
        if opened.http2 {
            let connection = Connection::start(opened).await?;
            return Ok(Self(Kind::Http2(Box::new(connection))));
        }
        let Opened { stream, peek, .. } = opened;
        Ok(Self::http1(Wire::Encrypted(stream, peek)))
    }

    fn http1(wire: Wire) -> Self {
        let reader = AnswerReader::default();
        Self(Kind::Http1(Box::new(Http1 { wire, reader })))
    }

    /// Whether another request can be sent on it, as far as can be known.
    pub fn is_open(&mut self) -> bool {
        match &mut self.0 {
            Kind::Http1(http1) => http1.is_quiet(),
            Kind::Http2(connection) => connection.is_usable(),
            Kind::Closed => false,
        }
    }

    /// Whether it certainly carries no other request; asks nobody.
    pub fn is_spent(&self) -> bool {
        matches!(self.0, Kind::Closed)
    }

    /// Sends the bytes of a whole HTTP/1.1 request with a body, and reads the answer. HTTP/2 gets
    /// the same request in its own form.
    ///
    /// With a gate, the last byte waits for the other participants. If this is dropped before its
    /// end, or fails, the connection is closed.
    pub async fn exchange(
        &mut self,
        target: &Target,
        request: &[u8],
        gate: Option<Gate>,
        hearing: Hearing,
    ) -> Result<BulkAnswer, Failure> {
        // What is dropped halfway leaves a closed connection behind.
        match std::mem::replace(&mut self.0, Kind::Closed) {
            Kind::Http1(mut http1) => {
                let (answer, reusable) = http1.exchange(request, gate, hearing).await?;
                if reusable {
                    self.0 = Kind::Http1(http1);
                }
                Ok(answer)
            }
            Kind::Http2(mut connection) => {
                let answer = exchange_http2(&mut connection, target, request, gate, hearing).await;
                if answer.is_err() {
                    connection.close().await;
                } else if connection.becomes_ready().await {
                    connection.rest();
                    self.0 = Kind::Http2(connection);
                }
                answer
            }
            Kind::Closed => Err(Failure::ClosedEarly),
        }
    }
}

impl Http1 {
    /// Whether the receiver has sent nothing that was not asked for, least of all the end.
    fn is_quiet(&mut self) -> bool {
        match &mut self.wire {
            Wire::Plain(stream) => unread(stream) == Unread::Nothing,
            Wire::Encrypted(stream, peek) => match peek.unread() {
                Unread::Nothing => true,
                Unread::End => false,
                // Keys for later sessions come unasked, and are no text of the receiver's.
                Unread::Bytes => {
                    let mut byte = [0];
                    let mut context = Context::from_waker(Waker::noop());
                    let read =
                        Pin::new(stream).poll_read(&mut context, &mut ReadBuf::new(&mut byte));
                    read.is_pending()
                }
            },
        }
    }

    async fn exchange(
        &mut self,
        request: &[u8],
        gate: Option<Gate>,
        hearing: Hearing,
    ) -> Result<(BulkAnswer, bool), Failure> {
        match (gate, request.split_last()) {
            (Some(gate), Some((last, rest))) => {
                self.write(rest).await?;
                std::future::poll_fn(|context| gate.poll_open(context)).await;
                self.write(&[*last]).await?;
            }
            _ => self.write(request).await?,
        }
        self.reader.begin();
        loop {
            let count = match &mut self.wire {
                Wire::Plain(stream) => stream.read(self.reader.room()).await,
                Wire::Encrypted(stream, _) => stream.read(self.reader.room()).await,
            };
            let count = count.map_err(|error| Failure::of_stream(&error))?;
            if hearing == Hearing::Lost && count > 0 {
                return Err(BreakOff::AnswerLost.into());
            }
            match self.reader.read(count)? {
                Progress::More => {}
                Progress::Done { answer, reusable } => return Ok((answer, reusable)),
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match &mut self.wire {
            Wire::Plain(stream) => stream.write_all(bytes).await,
            Wire::Encrypted(stream, _) => match stream.write_all(bytes).await {
                Ok(()) => stream.flush().await,
                error => error,
            },
        };
        written.map_err(|error| Failure::of_stream(&error))
    }
}

async fn exchange_http2(
    connection: &mut Connection,
    target: &Target,
    request: &[u8],
    gate: Option<Gate>,
    hearing: Hearing,
) -> Result<BulkAnswer, Failure> {
    let BodyPlace { head, body } = body_place(request);
    let pace = gate.map_or(Pace::AtOnce, |gate| Pace::Held(Arc::new(gate)));
    let body = bytes::Bytes::copy_from_slice(body);
    let request = to_http2(head, target)?.body(body.clone());
    let request = request.to_http(target, true, OutgoingBody::new(body, pace));
    let answer = connection.send(request).await;
    let answer = answer.map_err(|error| Failure::exchanging(error.error()))?;
    if hearing == Hearing::Lost {
        return Err(BreakOff::AnswerLost.into());
    }
    let (head, body) = answer.into_parts();
    super::answer_reading::read(body, 0)
        .await
        .map_err(|error| Failure::exchanging(&error))?;
    let retry_after = head.headers.get(http::header::RETRY_AFTER);
    Ok(BulkAnswer {
        status: head.status.as_u16(),
        retry_after: retry_after.and_then(|value| AskedWait::read(value.as_bytes())),
    })
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Http1(_) => "Http1",
            Self::Http2(_) => "Http2",
            Self::Closed => "Closed",
        })
    }
}

#[cfg(test)]
mod tests;
