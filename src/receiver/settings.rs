//! What can be chosen about the receiver, and its defaults. Nothing is decided here.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use http::StatusCode;

use crate::protocol::Secret;

use super::clock::{Clock, system_clock};
use super::flaws::Flaw;
use super::request_record::RequestObserver;
use super::variants::Variant;

/// How a bundle is granted: a choice that Aghanim leaves to the game. `[S]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BundleHandling {
    /// Every plain item inside it is granted, at any depth. A bundle's own quantity multiplies
    /// what is in it. `[A]`
    #[default]
    Nested,
    /// The bundle's own SKU is granted, and what is inside is left alone.
    Sku,
}

/// Where the ledger lives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Store {
    /// In memory: gone when the receiver ends.
    #[default]
    Memory,
    /// In this `SQLite` file, which is made if it does not exist.
    ///
    /// What was answered with success survives a killed process. It is handed to the operating
    /// system before the answer but not forced onto the disk (`synchronous=NORMAL`), so a power
    /// loss can take the last grants *and* their idempotency keys, never one without the other.
    File(PathBuf),
}

/// Everything that can be chosen about a [`Receiver`](super::Receiver).
#[derive(Clone)]
pub struct ReceiverSettings {
    /// The webhook's secret.
    pub secret: Secret,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether `listen` may be an address that other machines reach.
    pub allow_remote: bool,
    /// The path that takes deliveries.
    pub path: String,
    /// Where the ledger lives.
    pub store: Store,
    /// How far a delivery's timestamp may be from `clock`, in the past and in the future.
    ///
    /// This check is good practice, not a part of Aghanim's public template. `[A]`
    pub tolerance: Duration,
    /// How long the whole body of a request may take to arrive.
    pub body_timeout: Duration,
    /// How a bundle is granted.
    pub bundles: BundleHandling,
    /// SKUs that this game can't grant: an item with one of them gives way to its fallback.
    pub cannot_grant: BTreeSet<String>,
    /// Whether events of the sandbox environment change what a player holds. `[A]`
    pub grant_sandbox: bool,
    /// Whether test events of the dashboard change what a player holds. `[A]`
    pub grant_test: bool,
    /// The n-th correctly signed delivery gets the n-th of these statuses (200 to 599); later ones
    /// are answered as usual.
    ///
    /// A delivery whose status is not 2xx is not processed. One whose status is 2xx is processed,
    /// and the status stands in place of the usual 200.
    pub respond: Vec<StatusCode>,
    /// The bugs that the receiver has on purpose; none of a sound one.
    pub flaws: BTreeSet<Flaw>,
    /// What is different from the usual, and as right.
    pub variants: BTreeSet<Variant>,
    /// The secret before the present one, which only [`Flaw::ExpiredSecretAccepted`] still takes.
    pub expired_secret: Option<Secret>,
    /// How long [`Flaw::SlowAnswer`] waits between the grant and the answer.
    pub answer_delay: Duration,
    /// Ends the whole process, as a crash would, while the n-th new delivery is written down:
    /// between its two transactions where [`Flaw::GrantBeforeKey`] or [`Flaw::KeyBeforeGrant`]
    /// takes two, after its only one otherwise, and before its answer in any case.
    ///
    /// Redeliveries are not counted. The count begins anew with the process, so whoever starts
    /// the receiver again leaves this out.
    pub crash_after: Option<NonZeroU64>,
    /// Tells the time.
    pub clock: Clock,
    /// Is told of every answered request.
    pub observer: Option<RequestObserver>,
}

impl ReceiverSettings {
    /// The default path that takes deliveries.
    pub const DEFAULT_PATH: &'static str = "/webhooks/aghanim";
    /// How long [`Flaw::SlowAnswer`] waits by default: longer than senders usually do.
    pub const DEFAULT_ANSWER_DELAY: Duration = Duration::from_secs(15);
    /// The default distance between a delivery's timestamp and the clock.
    pub const DEFAULT_TOLERANCE: Duration = Duration::from_mins(5);

    /// The defaults: a free port on loopback, a ledger in memory.
    pub fn new(secret: Secret) -> Self {
        Self {
            secret,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_remote: false,
            path: Self::DEFAULT_PATH.to_owned(),
            store: Store::Memory,
            tolerance: Self::DEFAULT_TOLERANCE,
            body_timeout: Duration::from_secs(10),
            bundles: BundleHandling::default(),
            cannot_grant: BTreeSet::new(),
            grant_sandbox: false,
            grant_test: false,
            respond: Vec::new(),
            flaws: BTreeSet::new(),
            variants: BTreeSet::new(),
            expired_secret: None,
            answer_delay: Self::DEFAULT_ANSWER_DELAY,
            crash_after: None,
            clock: system_clock(),
            observer: None,
        }
    }
}
