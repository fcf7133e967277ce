//! The durable ledger: recorded idempotency keys, their responses, and what each player was
//! granted.
//!
//! A key and its grants are written in one `SQLite` transaction, so either both are recorded or
//! neither: after concurrent deliveries, a killed process or a full disk.

mod error;
mod queries;
mod store;
mod writer;

use std::collections::BTreeMap;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::response::ReceiverResponse;

pub(crate) use error::LedgerError;
pub(super) use writer::{Ledger, LedgerThread};

/// Where to store the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Store {
    /// In memory, lost when the receiver stops.
    #[default]
    Memory,
    /// In this `SQLite` file, created if it does not exist.
    ///
    /// Every delivery that got a success response survives a killed process: its data reaches the
    /// operating system before the response is sent. It is not forced onto the disk
    /// (`synchronous=NORMAL`), so a power loss can lose the last grants *and* their idempotency
    /// keys, but never one without the other.
    File(PathBuf),
}

/// The SHA-256 of a delivery's body. Distinguishes a redelivery from another event with the same
/// key.
pub(super) type BodyDigest = [u8; 32];

/// A quantity of one SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemGrant {
    pub(super) sku: String,
    pub(super) quantity: u64,
}

/// A delivery and its grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LedgerEntry {
    pub(super) idempotency_key: String,
    pub(super) event_id: String,
    pub(super) player_id: String,
    /// `granted`, or why not. For people who inspect the file.
    pub(super) decision: String,
    pub(super) body: BodyDigest,
    pub(super) response: ReceiverResponse,
    /// At most one per SKU.
    pub(super) grants: Vec<ItemGrant>,
}

/// The outcome of recording an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RecordOutcome {
    /// The key is new. The entry was written.
    First,
    /// The key was already recorded. Nothing was written.
    Redelivery(FirstDelivery),
}

/// The first delivery with a key, compared with a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FirstDelivery {
    /// The response that it got.
    pub(super) response: ReceiverResponse,
    /// Whether the later delivery has the same body.
    pub(super) same_body: bool,
}

/// What a player holds of each SKU. The sums are exact: it takes 2^64 grants of the largest quantity
/// to overflow one.
pub(super) type Inventory = BTreeMap<String, u128>;

/// Computes the digest of a body.
pub(super) fn digest(body: &[u8]) -> BodyDigest {
    Sha256::digest(body).into()
}
