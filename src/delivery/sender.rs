//! What all deliveries of a run share.

use super::clock::Clock;
use super::timestamp_allocator::TimestampAllocator;
use crate::protocol::Signer;
use crate::transport::{Client, RateLimit};

/// What all deliveries of a run share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sender<'a> {
    /// Sends the requests.
    pub client: &'a Client,
    /// Provides the time for the headers, and waits between attempts.
    pub clock: &'a Clock,
    /// Signs with the current secret.
    pub signer: &'a Signer,
    /// Signs with the previous secret, for `expired_secret`.
    pub expired: Option<&'a Signer>,
    /// Chooses the timestamp of each signature.
    pub timestamps: &'a TimestampAllocator,
    /// Delays deliveries if the receiver limits their rate.
    pub rate_limit: Option<&'a RateLimit>,
}
