//! What all deliveries of a run share, and the plan of one: its target, body, retry policy and fault.

use bytes::Bytes;

use super::clock::Clock;
use super::interruption::Interruption;
use super::retry_barrier::RetryBarrier;
use super::timestamp_allocator::TimestampAllocator;
use crate::generate::Generator;
use crate::policy::{ClockOffset, ConnectionChoice, Fault, Forgery, Lost, RetryPolicy, WireForm};
use crate::protocol::Signer;
use crate::transport::{
    Client, ExtraHeaders, LastByteBarrier, RateLimit, RateLimitPermits, Target, WireFault,
};

/// What all deliveries of a run share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sender<'a> {
    pub client: &'a Client,
    /// Provides the time for the headers, and waits between attempts.
    pub clock: &'a Clock,
    pub signer: &'a Signer,
    /// Signs with the previous secret, for `expired_secret`.
    pub expired: Option<&'a Signer>,
    pub timestamps: &'a TimestampAllocator,
    /// Headers to add to every request, forgeries included.
    pub headers: &'a ExtraHeaders,
    pub rate_limit: Option<&'a RateLimit>,
}

#[derive(Debug)]
pub(crate) struct DeliveryPlan<'a> {
    pub target: &'a Target,
    /// The targets of further attempts; after the last, `target` follows again.
    pub further_targets: Vec<&'a Target>,
    /// The exact bytes of the event.
    pub body: Bytes,
    pub policy: &'a RetryPolicy,
    pub forgery: Option<Forgery>,
    /// How the requests are written.
    pub wire: WireForm,
    /// The offset of the clock that signs.
    pub signed_at: ClockOffset,
    /// Whether the first attempt may reuse an idle connection. The policy decides for retries.
    pub connection: ConnectionChoice,
    /// Holds back the last byte of the first attempt.
    pub barrier: Option<LastByteBarrier>,
    /// The permit for the first attempt, if it was acquired together with those of other deliveries.
    pub permit: Option<RateLimitPermits>,
    /// The fault to inject, if any. [`Fault::Duplicate`] and [`Fault::OutOfOrder`] affect several
    /// deliveries; the caller is responsible for their order.
    pub fault: Option<Fault>,
    /// Generates the event IDs of retries if the policy requires fresh ones. If `None`, retries keep
    /// the event's ID.
    pub event_ids: Option<Generator>,
    /// What interrupts the receiver during the first attempt, with [`Fault::RestartInFlight`].
    pub interruption: Option<Interruption<'a>>,
    /// Delays the retry until other deliveries are done. With [`Fault::OutOfOrder`], the first
    /// attempt's response is lost.
    pub retry_barrier: Option<RetryBarrier>,
}

impl<'a> DeliveryPlan<'a> {
    /// A genuine delivery on any connection, without a fault.
    pub(crate) fn new(target: &'a Target, body: Bytes, policy: &'a RetryPolicy) -> Self {
        Self {
            target,
            further_targets: Vec::new(),
            body,
            policy,
            forgery: None,
            wire: WireForm::default(),
            signed_at: ClockOffset::default(),
            connection: ConnectionChoice::Reuse,
            barrier: None,
            permit: None,
            fault: None,
            event_ids: None,
            interruption: None,
            retry_barrier: None,
        }
    }

    /// The target of an attempt, counted from 1.
    pub(crate) fn target_of(&self, number: u32) -> &'a Target {
        let all = self.further_targets.len() + 1;
        let index = (number.saturating_sub(1) as usize) % all;
        let further = index.checked_sub(1);
        further.map_or(self.target, |index| self.further_targets[index])
    }

    /// The fault to inject on the wire in an attempt, counted from 1.
    pub(crate) fn wire_fault(&self, number: u32) -> Option<WireFault> {
        match self.fault? {
            _ if number > 1 => None,
            Fault::LostAck => Some(WireFault::LoseResponse),
            Fault::CutBody => Some(WireFault::CutBody),
            Fault::Reset => Some(WireFault::ResetAfterRequest),
            Fault::SlowBody(slow) => Some(WireFault::DripBody {
                per_byte: slow.per_byte.0,
            }),
            Fault::LateRetry(late) => Some(match late.lost {
                Lost::Response => WireFault::LoseResponse,
                Lost::Request => WireFault::LoseRequest,
            }),
            Fault::OutOfOrder => self.retry_barrier.as_ref().map(|_| WireFault::LoseResponse),
            Fault::TimeoutOverlap(_) | Fault::RestartInFlight(_) | Fault::Duplicate => None,
        }
    }

    /// The fault, if it affects this attempt.
    pub(crate) fn fault_of_attempt(&self, number: u32) -> Option<Fault> {
        self.fault.filter(|fault| match fault {
            Fault::Duplicate | Fault::OutOfOrder => true,
            Fault::LateRetry(_) => number <= 2,
            _ => number == 1,
        })
    }
}
