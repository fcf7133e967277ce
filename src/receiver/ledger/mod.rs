//! The durable ledger: which idempotency keys were used up, what was answered, and who was
//! granted what.
//!
//! A key and its grants are written in one `SQLite` transaction, so that one is there if and only if
//! the other is: after simultaneous deliveries, after a killed process, after a full disk. What to
//! grant and what to answer is decided elsewhere.

mod book;
mod error;
mod store;
mod writer;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::answer::Answer;
use super::grants::Grant;

pub use error::LedgerError;
pub(super) use writer::{Ledger, LedgerThread};

/// The SHA-256 of a delivery's body, to tell a redelivery from another event with the same key.
pub(super) type BodyDigest = [u8; 32];

/// A new delivery and all that it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) idempotency_key: String,
    pub(super) event_id: String,
    pub(super) player_id: String,
    /// `granted`, or why not: for people who look into the file.
    pub(super) decision: String,
    pub(super) body: BodyDigest,
    pub(super) answer: Answer,
    /// At most one an SKU.
    pub(super) grants: Vec<Grant>,
}

/// What came of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Recorded {
    /// The key was new: the entry is in the ledger.
    First,
    /// The key was used up before: nothing was written.
    Earlier(Earlier),
}

/// The delivery that used up a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Earlier {
    /// How it was answered.
    pub(super) answer: Answer,
    /// Whether it had the same body.
    pub(super) same_body: bool,
}

/// All that a player holds. The sums are wider than any quantity on the wire, so they are exact:
/// it would take 2^64 grants to overflow one.
pub(super) type Holdings = BTreeMap<String, u128>;

/// The digest of a body.
pub(super) fn digest(body: &[u8]) -> BodyDigest {
    Sha256::digest(body).into()
}
