//! Makes deliveries out of attempts: signing, forging, retrying after the policy's delays.
//!
//! `transport` sends each attempt. Nothing here judges responses or reports them: callers observe the
//! attempts and do both.

mod clock;
mod deliver;
mod delivery_plan;
mod forge;
mod fresh_event_id;
mod interruption;
mod retry_barrier;
mod retry_decision;
mod signing;
#[cfg(test)]
mod tests;
mod timestamp_allocator;

pub(crate) use crate::policy::Outcome;
pub(crate) use clock::Clock;
pub(crate) use deliver::{Attempt, Delivery, MadeAttempts, deliver, deliver_next};
pub(crate) use delivery_plan::{DeliveryPlan, Sender};
pub use forge::{ForgeInput, SignedRequest, forge, sign};
pub(crate) use fresh_event_id::with_event_id;
pub(crate) use interruption::{Interrupt, Interruption};
pub(crate) use retry_barrier::RetryBarrier;
pub(crate) use retry_decision::{AttemptEnd, RetryDecision};
pub(crate) use signing::to_outgoing;
pub(crate) use timestamp_allocator::{TimestampAllocator, UsedTimestamps};
