//! Sends requests, reads their responses, and makes deliveries out of such attempts.
//!
//! This module contains everything that the sender does on the network: the client, TLS,
//! connections, barriers, forged requests and retries. It neither judges responses nor reports
//! them: callers observe the attempts and do both.

mod abandoned_attempt;
mod allowed_hosts;
mod body_flush;
mod bulk;
mod client;
mod client_settings;
mod clock;
mod connect;
mod connection;
mod content_coding;
mod deliver;
mod delivery_plan;
mod exchange;
mod failure;
mod forge;
mod fresh_event_id;
mod io_meter;
mod last_byte_barrier;
mod outgoing_body;
mod rate_limit;
mod request;
mod request_hooks;
mod response_body;
mod retry_after;
mod retry_barrier;
mod schedule;
mod send_options;
mod signing;
mod target;
#[cfg(test)]
mod tests;
mod timestamp_allocator;
mod tls;
mod wire_fault;

pub use allowed_hosts::{AllowedHosts, InvalidHost};
pub use bulk::{BulkConnection, BulkResponse, ResponseHandling};
pub use client::Client;
pub use client_settings::{ClientError, ClientSettings, HttpVersion};
pub use clock::Clock;
pub use deliver::{Attempt, Delivery, Outcome, Sender, deliver};
pub use delivery_plan::DeliveryPlan;
pub use exchange::{ClosedIdle, ConnectionInfo, Exchange, Response, Timings};
pub use failure::{Failure, FailureClass};
pub use forge::{ForgeInput, SignedRequest, forge, sign};
pub use fresh_event_id::with_event_id;
pub use last_byte_barrier::LastByteBarrier;
pub use rate_limit::{RateLimit, RateLimitPermits};
pub use request::{HeaderError, OutgoingRequest, SentRequest};
pub use retry_after::RetryAfterDelay;
pub use retry_barrier::{RetryBarrier, RetryBarrierHandle};
pub use schedule::schedule;
pub use send_options::{ConnectionUse, SendOptions};
pub use target::{Target, TargetError};
pub use timestamp_allocator::TimestampAllocator;
pub use tls::{CacertError, TlsSettings};
pub use wire_fault::{SenderAbort, WireFault};
