//! The receiver's settings and their defaults.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::StatusCode;

use crate::protocol::Secret;

use super::flaw::Flaw;
use super::ledger::Store;
use super::outcome::RequestObserver;
use super::variant::Variant;

/// Returns the current time in Unix seconds.
pub(crate) type UnixClock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How to grant a bundle. Aghanim leaves this choice to the game. `[S]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BundleHandling {
    /// Grant every plain item in the bundle, at any depth, multiplied by the quantities of the
    /// bundles around it. `[A]`
    #[default]
    Nested,
    /// Grant each part of the bundle by its own SKU, even if it is a bundle itself.
    Parts,
    /// Grant the bundle's own SKU and ignore its contents.
    Sku,
}

/// Which event of a redemption is credited. Aghanim's public documents do not say how to recognize the
/// two events of one redemption, so crediting on one type is the only rule that follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CreditedEvent {
    /// `coupon.redeemed`. An `item.add` is acknowledged without a grant.
    #[default]
    CouponRedeemed,
    /// `item.add`. A `coupon.redeemed` is acknowledged without a grant.
    ItemAdd,
    /// Whichever arrives first: the n-th `item.add` and the n-th `coupon.redeemed` with the same
    /// transaction, player and items are one redemption. `[A]`
    Either,
}

/// The settings of a [`Receiver`](super::Receiver).
#[derive(Clone)]
pub struct ReceiverSettings {
    /// The webhook's secret.
    pub secret: Secret,
    /// The address to listen on. Port 0 picks a free port.
    pub listen: SocketAddr,
    /// How many instances there are. They share the ledger, and nothing that is only in memory. The
    /// further ones listen on the ports after that of `listen`, or on free ones.
    pub instances: u8,
    /// Whether `listen` may be an address that other machines can reach.
    pub allow_remote: bool,
    /// The path that accepts deliveries.
    pub path: String,
    /// Where to store the ledger.
    pub store: Store,
    /// How far a delivery's timestamp may be from `clock`, in the past and in the future.
    ///
    /// This check is good practice, but not part of Aghanim's public template. `[A]`
    pub tolerance: Duration,
    /// How long the whole body of a request may take to arrive.
    pub body_timeout: Duration,
    /// How to grant a bundle.
    pub bundles: BundleHandling,
    /// Which event of a redemption is credited.
    pub credit_on: CreditedEvent,
    /// SKUs that this game can't grant. The fallback of an item with such an SKU is granted
    /// instead.
    pub cannot_grant: BTreeSet<String>,
    /// Whether to grant events from the sandbox environment. `[A]`
    pub grant_sandbox: bool,
    /// Whether to grant test events from the dashboard. `[A]`
    pub grant_test: bool,
    /// The statuses (200 to 599) of the first correctly signed deliveries, in order. Later
    /// deliveries get their usual response.
    ///
    /// With a 2xx status the delivery is processed and gets this status instead of 200. With any
    /// other status the delivery is not processed.
    pub respond: Vec<StatusCode>,
    /// The bugs that the receiver imitates. A sound receiver has none.
    pub flaws: BTreeSet<Flaw>,
    /// Harmless differences from the default behavior.
    pub variants: BTreeSet<Variant>,
    /// The previous secret, which only [`Flaw::ExpiredSecretAccepted`] still accepts.
    pub expired_secret: Option<Secret>,
    /// How long [`Flaw::SlowAnswer`] waits between the grant and the response.
    pub answer_delay: Duration,
    /// Aborts the process while it records the n-th new delivery, before the response: between
    /// the two transactions of [`Flaw::GrantBeforeKey`] or [`Flaw::KeyBeforeGrant`], otherwise
    /// after the only transaction.
    ///
    /// Redeliveries do not count. The count restarts with the process, so unset this before you
    /// restart the receiver.
    pub crash_after: Option<NonZeroU64>,
    /// How long idempotency keys are remembered; forever if not set.
    pub key_lifetime: Option<Duration>,
    /// Returns the current time.
    pub clock: UnixClock,
    /// Called after every request.
    pub observer: Option<RequestObserver>,
}

impl ReceiverSettings {
    /// The default path that accepts deliveries.
    pub const DEFAULT_PATH: &'static str = "/webhooks/aghanim";
    /// How long [`Flaw::SlowAnswer`] waits by default: longer than most senders.
    pub const DEFAULT_ANSWER_DELAY: Duration = Duration::from_secs(15);
    /// The default tolerance for a delivery's timestamp.
    pub const DEFAULT_TOLERANCE: Duration = Duration::from_mins(5);

    /// The defaults: a free port on loopback and a ledger in memory.
    pub fn new(secret: Secret) -> Self {
        Self {
            secret,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            instances: 1,
            allow_remote: false,
            path: Self::DEFAULT_PATH.to_owned(),
            store: Store::Memory,
            tolerance: Self::DEFAULT_TOLERANCE,
            body_timeout: Duration::from_secs(10),
            bundles: BundleHandling::default(),
            credit_on: CreditedEvent::default(),
            cannot_grant: BTreeSet::new(),
            grant_sandbox: false,
            grant_test: false,
            respond: Vec::new(),
            flaws: BTreeSet::new(),
            variants: BTreeSet::new(),
            expired_secret: None,
            answer_delay: Self::DEFAULT_ANSWER_DELAY,
            crash_after: None,
            key_lifetime: None,
            clock: system_clock(),
            observer: None,
        }
    }
}

/// The system clock. Times before 1970 read as 0.
pub fn system_clock() -> UnixClock {
    Arc::new(|| {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    })
}
