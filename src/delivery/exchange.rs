//! What came of one request: the request as sent, the answer or the failure, and how long it took.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Version;

use super::failure::Failure;
use super::request::SentRequest;

/// One request and what came of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The request as it went over the wire.
    pub request: SentRequest,
    /// The answer, or why there is none.
    pub result: Result<Response, Failure>,
    /// What the receiver answered and the sender did not hear, because of a fault; an answer whose
    /// body was not read either is not `complete`.
    pub unheard: Option<Result<Response, Failure>>,
    /// How long it took.
    pub timings: Timings,
    /// Which connection it took; `None` where none was made.
    pub connection: Option<ConnectionInfo>,
}

impl Exchange {
    /// The status of the answer, if there is one.
    pub fn status(&self) -> Option<u16> {
        self.result.as_ref().ok().map(|response| response.status)
    }
}

/// The connection of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// An earlier exchange had opened it.
    pub reused: bool,
    /// The HTTP version spoken on it.
    pub version: Version,
    /// The address that it leads to.
    pub remote: SocketAddr,
    /// What became of the idle connection that the request was meant for, where this one is in its
    /// place.
    pub in_place_of: Option<ClosedIdle>,
}

/// How an idle connection ended that a request was meant for. A receiver may close one at any time
/// (RFC 9112, section 9.5), so that is no failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedIdle {
    /// It was closed before the request left: the receiver has it once.
    BeforeRequest,
    /// It was closed as the request was on its way: the receiver may have it twice.
    AfterRequest,
}

impl ClosedIdle {
    /// The short word of reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeRequest => "before_request",
            Self::AfterRequest => "after_request",
        }
    }
}

/// An answer; a whole one, unless a fault kept it from being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers in the order received, names in lower case, values as they are.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The start of the body, up to the limit of the client's settings. What came compressed with
    /// gzip or deflate is decoded; a body of another coding, or a broken one, is as it came.
    pub body: Bytes,
    /// How long the body was in bytes, kept or not; decoded as `body` is.
    pub body_length: u64,
    /// The body was longer than what is kept of it.
    pub truncated: bool,
    /// The body was read to its end. Otherwise it was longer than is read of any body, and
    /// `body_length` says how much was read.
    pub complete: bool,
}

impl Response {
    /// The first value of a header. The name's case does not matter.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let mut named = self
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_slice())
    }
}

/// How long the parts of an exchange took. All count from the start of the exchange, and are
/// measured, not computed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Until the connection stood, TLS included. `None` where one was reused or none was made.
    pub connect: Option<Duration>,
    /// Until the head of the answer was there.
    pub first_byte: Option<Duration>,
    /// Until the end of the answer, or the failure.
    pub total: Duration,
    /// How long the request was held at a gate; part of the others.
    pub held: Duration,
}

impl Timings {
    /// How long the receiver had the exchange in its hands: the total without the time at a gate.
    pub fn without_gate(&self) -> Duration {
        self.total.saturating_sub(self.held)
    }
}
