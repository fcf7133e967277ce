//! A delivery as it was received, before anything is redacted. It never leaves memory.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::protocol::{SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// A request and its response, or why there is none.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// When the first byte of the request arrived, if that is known.
    pub(crate) at: Option<Timestamp>,
    pub(crate) request: RawRequest,
    pub(crate) response: Option<RawResponse>,
    /// Why there is no complete response.
    pub(crate) failure: Option<ExchangeFailure>,
    pub(crate) timings: Option<ExchangeTimings>,
}

#[derive(Debug, Clone)]
pub(crate) struct RawRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The HTTP version, such as `1.1`.
    pub(crate) version: Option<String>,
    /// In the order and spelling in which they were received.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: RawBody,
    pub(crate) is_chunked: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct RawResponse {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: RawBody,
}

/// The start of a body.
#[derive(Debug, Clone, Default)]
pub(crate) struct RawBody {
    pub(crate) kept: Vec<u8>,
    /// The length of the whole body.
    pub(crate) length: u64,
    /// Whether a log had parsed its JSON, so that its layout is lost.
    pub(crate) is_rewritten: bool,
}

/// Since the first byte of the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExchangeTimings {
    pub(crate) request_end: Duration,
    pub(crate) response_begin: Option<Duration>,
    pub(crate) end: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExchangeFailure {
    #[error("the receiver could not be reached")]
    Unreachable,
    #[error("the receiver closed the connection before the response was complete")]
    ReceiverClosed,
    #[error("the sender closed the connection before the response was complete")]
    SenderClosed,
}

impl Exchange {
    /// A request from a log that says nothing else.
    pub(super) fn of_log(request: RawRequest) -> Self {
        Self {
            at: None,
            request,
            response: None,
            failure: None,
            timings: None,
        }
    }
}

impl RawBody {
    /// The most bytes that are kept.
    pub(crate) const LIMIT: usize = 256 * 1024;

    pub(super) fn whole(bytes: impl Into<Vec<u8>>) -> Self {
        let mut body = Self::default();
        body.extend(&bytes.into());
        body
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let room = Self::LIMIT.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(&bytes[..room]);
        self.length += bytes.len() as u64;
    }

    pub(super) fn is_whole(&self) -> bool {
        self.kept.len() as u64 == self.length
    }
}

impl RawRequest {
    /// The value of the first header of this name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let header = headers.find(|(given, _)| given.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    /// Whether this is a webhook: it is signed as one, or its body is an event.
    pub(crate) fn is_delivery(&self) -> bool {
        let is_signed = [SIGNATURE_HEADER, TIMESTAMP_HEADER]
            .iter()
            .any(|name| self.header(name).is_some());
        is_signed
            || self
                .event()
                .is_some_and(|event| event["event_type"].is_string())
    }

    /// The body as JSON.
    pub(super) fn event(&self) -> Option<Value> {
        serde_json::from_slice(&self.body.kept).ok()
    }
}
