//! What is delivered, where to, and what goes wrong on the way.

use bytes::Bytes;

use super::gate::Gate;
use super::interlude::Interlude;
use super::send_options::ConnectionUse;
use super::target::Target;
use super::wire_fault::WireFault;
use crate::generate::Generator;
use crate::scenario::{Fault, Forgery, Lost, RetryPolicy};

/// What is delivered, where to, and how.
#[derive(Debug)]
pub struct DeliveryPlan<'a> {
    /// Where to.
    pub target: &'a Target,
    /// The exact bytes of the event.
    pub body: Bytes,
    /// When to try again.
    pub policy: &'a RetryPolicy,
    /// How the delivery is forged, if it is.
    pub forgery: Option<Forgery>,
    /// Whether the first attempt may use an idle connection. For retries the policy says.
    pub connection: ConnectionUse,
    /// A place at a gate, for the first attempt.
    pub gate: Option<Gate>,
    /// What goes wrong on purpose. [`Fault::Duplicate`] and [`Fault::OutOfOrder`] are about several
    /// deliveries: their order is the caller's part.
    pub fault: Option<Fault>,
    /// Draws the event IDs of retries, where the policy gives them fresh ones. Without it they keep
    /// theirs.
    pub event_ids: Option<Generator>,
    /// Lets other deliveries pass between the first attempt and its retry. The first attempt's
    /// answer is lost where the fault is [`Fault::OutOfOrder`].
    pub interlude: Option<Interlude>,
}

impl<'a> DeliveryPlan<'a> {
    /// A genuine delivery on any connection, at which nothing goes wrong.
    pub fn new(target: &'a Target, body: Bytes, policy: &'a RetryPolicy) -> Self {
        Self {
            target,
            body,
            policy,
            forgery: None,
            connection: ConnectionUse::Reuse,
            gate: None,
            fault: None,
            event_ids: None,
            interlude: None,
        }
    }

    /// What goes wrong with an attempt, counted from 1.
    pub(super) fn wire_fault(&self, number: u32) -> Option<WireFault> {
        match self.fault? {
            _ if number > 1 => None,
            Fault::LostAck => Some(WireFault::LoseAnswer),
            Fault::CutBody => Some(WireFault::CutBody),
            Fault::Reset => Some(WireFault::ResetAfterRequest),
            Fault::SlowBody(slow) => Some(WireFault::DripBody {
                per_byte: slow.per_byte.0,
            }),
            Fault::LateRetry(late) => Some(match late.lost {
                Lost::Response => WireFault::LoseAnswer,
                Lost::Request => WireFault::LoseRequest,
            }),
            Fault::OutOfOrder => self.interlude.as_ref().map(|_| WireFault::LoseAnswer),
            Fault::TimeoutOverlap(_) | Fault::Duplicate => None,
        }
    }

    /// The fault, where an attempt has a part in it.
    pub(super) fn fault_of(&self, number: u32) -> Option<Fault> {
        self.fault.filter(|fault| match fault {
            Fault::Duplicate | Fault::OutOfOrder => true,
            Fault::LateRetry(_) => number <= 2,
            _ => number == 1,
        })
    }
}
