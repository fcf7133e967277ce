//! What all scenarios of a run share: the client, the profile's hooks and its policies.

use std::collections::BTreeSet;
use std::time::Duration;

use indexmap::IndexMap;

use crate::delivery::{Clock, Sender, TimestampAllocator};
use crate::policy::RetryPolicy;
use crate::probe::PreparedProbe;
use crate::probe::PreparedRestart;
use crate::probe::PreparedScript;
use crate::probe::Redaction;
use crate::protocol::Signer;
use crate::scenario::Policy;
use crate::transport::{AllowedHosts, Client, RateLimit, Target};

/// The client, the profile's hooks and its policies.
#[derive(Debug)]
pub struct RunContext {
    /// Sends all requests.
    pub client: Client,
    /// Where deliveries go.
    pub target: Target,
    /// Signs with the current secret.
    pub signer: Signer,
    /// Signs with the expired secret, if it is known.
    pub expired: Option<Signer>,
    /// The timestamps with which bodies were signed in this run.
    pub timestamps: TimestampAllocator,
    /// Delays deliveries to stay within the profile's `max_rate`.
    pub rate_limit: Option<RateLimit>,
    /// The hosts that requests may go to.
    pub allowed: AllowedHosts,
    /// Removes secrets from everything that is reported.
    pub redaction: Redaction,
    /// Provides timestamps, and waits during pauses and between attempts.
    pub clock: Clock,
    /// The retry policy of steps without their own.
    pub retry: RetryPolicy,
    /// The game's choices where Aghanim leaves one to the game.
    pub policy: Policy,
    /// The SKUs of which a player can hold at most one.
    pub held_once: BTreeSet<String>,
    /// The profile's probes by name.
    pub probes: IndexMap<String, PreparedProbe>,
    /// The hook that sets the receiver's next responses, if there is one.
    pub script: Option<PreparedScript>,
    /// The hook that restarts the receiver, if there is one.
    pub restart: Option<PreparedRestart>,
    /// The profile's grace period for effects, if it sets one.
    pub settle: Option<Duration>,
    /// The maximum number of scenarios that run at the same time.
    pub jobs: usize,
    /// Whether to stop after the first failing scenario.
    pub fail_fast: bool,
}

impl RunContext {
    /// The sender of signed deliveries.
    pub fn sender(&self) -> Sender<'_> {
        Sender {
            client: &self.client,
            clock: &self.clock,
            signer: &self.signer,
            expired: self.expired.as_ref(),
            timestamps: &self.timestamps,
            rate_limit: self.rate_limit.as_ref(),
        }
    }
}
