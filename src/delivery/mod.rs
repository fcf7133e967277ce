//! One request out and its answer back, and a delivery made of such attempts.
//!
//! Here is everything that touches the network as a sender: the client, TLS, connections, gates,
//! forged requests and the retry policy at work. What an answer should have been is not known
//! here, and nothing is reported here: callers observe attempts and judge them.

mod allowed_hosts;
mod client;
mod clock;
mod connect;
mod connection;
mod deliver;
mod exchange;
mod failure;
mod forge;
mod gate;
mod outgoing_body;
mod request;
mod schedule;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

pub use allowed_hosts::{AllowedHosts, NotAHost};
pub use client::{Client, ConnectionUse, SendOptions};
pub use clock::Clock;
pub use deliver::{Attempt, Delivery, DeliveryPlan, Outcome, Sender, deliver};
pub use exchange::{ConnectionInfo, Exchange, Response, Timings};
pub use failure::{Failure, FailureClass};
pub use forge::{ForgeInput, SignedRequest, forge, sign};
pub use gate::Gate;
pub use request::{HeaderError, OutgoingRequest, SentRequest};
pub use schedule::schedule;
pub use settings::{ClientError, ClientSettings, HttpVersion};
pub use target::{Target, TargetError};
pub use tls::{CacertError, TlsSettings};
