//! The result of one request: the request as sent, the response or the failure, and the timings.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Version;

use super::failure::Failure;
use super::request::SentRequest;
use crate::diagnose::{ResponseText, SetupMistake};

#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub request: SentRequest,
    pub result: Result<Response, Failure>,
    /// The result that the sender discarded because of a fault. A response whose body was not read
    /// is not `complete`.
    pub discarded: Option<Result<Response, Failure>>,
    pub timings: Timings,
    pub connection: Option<ConnectionInfo>,
}

impl Exchange {
    /// What the response says about the set-up, if the request was a genuine delivery.
    pub(crate) fn setup_mistake(&self) -> Option<SetupMistake> {
        let mistake = self.result.as_ref().ok()?.setup_mistake()?;
        Some(if self.request.credential_names().is_empty() {
            mistake
        } else {
            mistake.despite_headers()
        })
    }

    /// Whether nothing listened, so that nothing received the request.
    pub(crate) fn is_refused_connection(&self) -> bool {
        matches!(self.result, Err(Failure::Refused { .. }))
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> Option<u16> {
        self.result.as_ref().ok().map(|response| response.status)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionInfo {
    /// Whether an earlier exchange opened it.
    pub reused: bool,
    pub version: Version,
    /// `None` for a Unix socket.
    pub remote: Option<SocketAddr>,
    /// Set if this connection replaces an idle one that the receiver closed.
    pub replaces: Option<ClosedIdle>,
}

/// When the receiver closed the idle connection that the sender chose for a request. A receiver may
/// close an idle connection at any time (RFC 9112, section 9.5), so this is not a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClosedIdle {
    /// Before the request was sent: the receiver gets it once.
    BeforeRequest,
    /// After the request was sent: the receiver may get it twice.
    AfterRequest,
}

impl ClosedIdle {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BeforeRequest => "before_request",
            Self::AfterRequest => "after_request",
        }
    }
}

/// A response; complete, unless a fault kept the sender from reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub status: u16,
    /// The headers in the order received, names in lower case, values unchanged.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The start of the body, up to the limit in the client's settings. A body compressed with gzip
    /// or deflate is decoded. A body with another coding, or a corrupt one, is left as received.
    pub body: Bytes,
    /// Whether the body is left in its content coding, in which nobody sees what it has.
    pub encoded: bool,
    /// The length of the whole body in bytes, decoded like `body`.
    pub body_length: u64,
    pub truncated: bool,
    /// Whether the body was read.
    pub complete: bool,
}

impl Response {
    pub(crate) fn setup_mistake(&self) -> Option<SetupMistake> {
        self.read_by(SetupMistake::in_response)
    }

    /// What to do about a refusal: `secret`, or an access token, if it may be missing or wrong.
    pub(crate) fn refusal_help(&self, secret: &str, own_headers: &[String]) -> String {
        self.read_by(|response| response.refusal_help(secret, own_headers))
    }

    fn read_by<T>(&self, read: impl FnOnce(ResponseText<'_>) -> T) -> T {
        let headers = self.headers.iter();
        let headers: Vec<(String, String)> = headers
            .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned()))
            .collect();
        read(ResponseText {
            status: self.status,
            headers: &headers,
            body: &String::from_utf8_lossy(&self.body),
        })
    }

    /// The body for a report, without what `redact` removes. Of an encoded body it only says how long it is,
    /// since a secret can't be found in it.
    pub(crate) fn shown_body(&self, redact: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
        if !self.encoded {
            return redact(&self.body);
        }
        let coding = self.header("content-encoding").unwrap_or_default();
        let coding = redact(coding);
        let (coding, length) = (String::from_utf8_lossy(&coding), self.body_length);
        format!("({coding}, {length} bytes, not decoded)").into_bytes()
    }

    /// The first value of a header. Names are case-insensitive.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        let mut named = self
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_slice())
    }
}

/// How long the parts of an exchange took, measured from its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Timings {
    pub connect: Option<Duration>,
    pub first_byte: Option<Duration>,
    pub total: Duration,
    /// How long the request waited at a barrier. The other times include this.
    pub barrier_wait: Duration,
}

impl Timings {
    pub(crate) fn without_barrier_wait(&self) -> Duration {
        self.total.saturating_sub(self.barrier_wait)
    }
}
