//! Makes deliveries out of attempts: signing, forging, retrying after the policy's delays.
//!
//! `transport` sends each attempt. Nothing here judges responses or reports them: callers observe the
//! attempts and do both.

mod clock;
mod deliver;
mod delivery_plan;
mod forge;
mod fresh_event_id;
mod retry_barrier;
mod retry_decision;
mod sender;
mod signing;
#[cfg(test)]
mod tests;
mod timestamp_allocator;

pub use crate::policy::Outcome;
pub use clock::Clock;
pub use deliver::{Attempt, Delivery, deliver};
pub use delivery_plan::DeliveryPlan;
pub use forge::{ForgeInput, SignedRequest, forge, sign};
pub use fresh_event_id::with_event_id;
pub use retry_barrier::RetryBarrier;
pub(crate) use retry_decision::{AttemptEnd, RetryDecision};
pub use sender::Sender;
pub use timestamp_allocator::{TimestampAllocator, UsedTimestamps};
