//! One request out and its answer back, and a delivery made of such attempts.
//!
//! Here is everything that touches the network as a sender: the client, TLS, connections, gates,
//! forged requests and the retry policy at work. What an answer should have been is not known
//! here, and nothing is reported here: callers observe attempts and judge them.

mod allowed_hosts;
mod answer_reading;
mod bulk;
mod client;
mod clock;
mod connect;
mod connection;
mod content_coding;
mod deliver;
mod delivery_plan;
mod departure;
mod exchange;
mod failure;
mod forge;
mod fresh_event_id;
mod gate;
mod given_up;
mod interlude;
mod outgoing_body;
mod rate_limit;
mod request;
mod retry_after;
mod schedule;
mod send_options;
mod settings;
mod signed_seconds;
mod signing;
mod target;
#[cfg(test)]
mod tests;
mod tls;
mod way;
mod wire;
mod wire_fault;

pub use allowed_hosts::{AllowedHosts, NotAHost};
pub use bulk::{BulkAnswer, BulkConnection, Hearing};
pub use client::Client;
pub use clock::Clock;
pub use deliver::{Attempt, Delivery, Outcome, Sender, deliver};
pub use delivery_plan::DeliveryPlan;
pub use exchange::{ClosedIdle, ConnectionInfo, Exchange, Response, Timings};
pub use failure::{Failure, FailureClass};
pub use forge::{ForgeInput, SignedRequest, forge, sign};
pub use fresh_event_id::with_event_id;
pub use gate::Gate;
pub use interlude::{Interlude, InterludeGuide};
pub use rate_limit::{RateLimit, Turns};
pub use request::{HeaderError, OutgoingRequest, SentRequest};
pub use retry_after::AskedWait;
pub use schedule::schedule;
pub use send_options::{ConnectionUse, SendOptions};
pub use settings::{ClientError, ClientSettings, HttpVersion};
pub use signed_seconds::SignedSeconds;
pub use target::{Target, TargetError};
pub use tls::{CacertError, TlsSettings};
pub use wire_fault::{BreakOff, WireFault};
