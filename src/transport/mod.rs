//! One request out and its response back: clients, TLS, connections, barriers, rate limits, and faults
//! on the wire.
//!
//! Nothing here knows scenarios, signatures or retries.

mod abandoned_attempt;
mod allowed_hosts;
mod body_flush;
mod bulk;
mod client;
mod client_settings;
mod connect;
mod connection;
mod content_coding;
mod exchange;
mod failure;
mod flush_wait;
mod io_meter;
mod last_byte_barrier;
mod outgoing_body;
mod rate_limit;
mod request;
mod response_body;
mod retry_after;
mod send_options;
mod target;
mod tls;
mod wire_fault;

pub use crate::policy::HttpVersion;
pub(crate) use abandoned_attempt::AbandonedAttempt;
pub use allowed_hosts::{AllowedHosts, InvalidHost};
pub use bulk::{BulkConnection, BulkRequest, BulkResponse, ResponseHandling};
pub use client::Client;
pub use client_settings::ClientSettings;
pub use exchange::{ClosedIdle, ConnectionInfo, Exchange, Response, Timings};
pub use failure::{Failure, FailureClass};
pub use last_byte_barrier::LastByteBarrier;
pub use rate_limit::{RateLimit, RateLimitPermits};
pub use request::{HeaderError, OutgoingRequest, SentRequest};
pub use retry_after::RetryAfterDelay;
pub(crate) use retry_after::retry_after;
pub use send_options::SendOptions;
pub use target::{Target, TargetError};
pub use tls::{CacertError, TlsSettings};
pub use wire_fault::{SenderAbort, WireFault};
