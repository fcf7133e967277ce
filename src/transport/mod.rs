//! One request out and its response back: clients, TLS, connections, barriers, rate limits, and faults
//! on the wire.
//!
//! Nothing here knows scenarios, signatures or retries.

mod abandoned_attempt;
mod allowed_hosts;
mod bulk;
mod client;
mod connect;
mod connection;
mod exchange;
mod extra_headers;
mod failure;
mod frame_counter;
mod header_line;
mod io_meter;
mod last_byte_barrier;
mod outgoing_body;
mod rate_limit;
mod received_body;
mod relay;
mod request;
mod respelled_stream;
mod response_body;
mod response_limit;
mod retry_after_header;
mod route;
mod send_options;
mod target;
mod tls;
mod wire_fault;

pub(crate) use crate::policy::HttpVersion;
pub(crate) use abandoned_attempt::AbandonedAttempt;
pub(crate) use allowed_hosts::{AllowedHosts, InvalidHost};
pub(crate) use bulk::{
    BulkConnection, BulkRequest, BulkResponse, ResponseExcerpt, ResponseHandling,
};
#[cfg(any(test, fuzzing))]
pub(crate) use bulk::{ReadProgress, ResponseReader};
pub(crate) use client::{Client, ClientSettings};
#[cfg(test)]
pub(crate) use exchange::Timings;
pub(crate) use exchange::{ClosedIdle, ConnectionInfo, Exchange, Response};
pub(crate) use extra_headers::ExtraHeaders;
pub(crate) use failure::{Failure, FailureClass};
pub(crate) use header_line::HeaderError;
pub(crate) use last_byte_barrier::LastByteBarrier;
pub(crate) use rate_limit::{RateLimit, RateLimitPermits};
pub(crate) use relay::{RelayReply, RelayRequest, RelayResult};
pub(crate) use request::{OutgoingRequest, SentRequest};
#[cfg(any(test, fuzzing))]
pub(crate) use response_body::whole_response;
#[cfg(test)]
pub(crate) use response_limit::TooLong;
pub(crate) use retry_after_header::retry_after;
pub(crate) use route::Route;
pub(crate) use send_options::SendOptions;
pub(crate) use target::{Target, TargetError};
pub(crate) use tls::{TlsFileError, TlsSettings};
pub(crate) use wire_fault::{SenderAbort, WireFault};
