//! The durable ledger: recorded idempotency keys, their responses, and what each player was
//! granted.
//!
//! A key and its grants are written in one `SQLite` transaction, so either both are recorded or
//! neither: after concurrent deliveries, a killed process or a full disk.

mod queries;
mod store;
mod writer;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::response::ReceiverResponse;

pub(super) use writer::Ledger;

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

/// The quantity of each SKU that a delivery grants.
pub(super) type Grants = BTreeMap<String, u64>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LedgerEntry {
    pub(super) idempotency_key: String,
    pub(super) event_id: String,
    pub(super) player_id: String,
    /// `granted`, or why not. For people who inspect the file.
    pub(super) decision: String,
    pub(super) body: BodyDigest,
    pub(super) response: ReceiverResponse,
    pub(super) grants: Grants,
    /// What happens to `grants`.
    pub(super) action: LedgerAction,
    /// The redemption that the event belongs to, if another event of it may be granted.
    pub(super) redemption: Option<RedemptionPart>,
}

/// What an entry does with its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LedgerAction {
    Grant,
    /// Take away as much as the player holds.
    Remove,
    /// Change nothing.
    Ignore,
}

/// One event of a redemption, of which only one type is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RedemptionPart {
    /// Identifies the redemption, or several equal ones.
    pub(super) id: String,
    pub(super) event_type: &'static str,
    /// Whether it is granted even if the other event of the redemption was.
    pub(super) always_granted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RecordOutcome {
    /// The key is new. The entry was written.
    First,
    /// The key is new. The entry was written without its grants, because the other event of the
    /// redemption was granted.
    OtherGranted,
    /// The key was already recorded. Nothing was written.
    Redelivery(FirstDelivery),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FirstDelivery {
    pub(super) response: ReceiverResponse,
    pub(super) same_body: bool,
}

/// What a player holds of each SKU. The sums are exact: it takes 2^64 grants of the largest quantity
/// to overflow one.
pub(super) type Inventory = BTreeMap<String, u128>;

pub(super) fn digest(body: &[u8]) -> BodyDigest {
    Sha256::digest(body).into()
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    #[error("{} is not an aghook ledger", .0.display())]
    NotALedger(PathBuf),
    #[error("unsupported version {version} of the ledger {}", path.display())]
    Version { path: PathBuf, version: i64 },
    #[error("can't write to the ledger {}", .0.display())]
    NotWritable(PathBuf),
    #[error("can't open the ledger {}: {source}", path.display())]
    Open {
        path: PathBuf,
        source: Arc<rusqlite::Error>,
    },
    #[error("the ledger failed: {0}")]
    Failed(Arc<rusqlite::Error>),
    #[error("the ledger is closed")]
    Closed,
}

impl LedgerError {
    pub(crate) fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotALedger(_) => "use an existing ledger or the path of a new file",
            Self::Version { .. } => "use the aghook version that created it, or a new file",
            Self::NotWritable(_) => "check the permissions of the file and its folder",
            Self::Open { .. } => "check that its folder exists and is writable",
            Self::Failed(_) => {
                "check that the disk is not full and that no other program locks the file"
            }
            Self::Closed => return None,
        })
    }
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(Arc::new(error))
    }
}
