//! What every scenario of a run shares: the sender, the profile's hooks and its policies.

use std::collections::BTreeSet;
use std::time::Duration;

use indexmap::IndexMap;

use super::http_hook::PreparedScript;
use super::probe_reading::PreparedProbe;
use super::redaction::Redaction;
use super::restart::PreparedRestart;
use crate::delivery::{AllowedHosts, Client, Clock, RateLimit, Sender, Target, TimestampAllocator};
use crate::protocol::Signer;
use crate::scenario::{Policy, RetryPolicy};

/// The sender, the profile's hooks and its policies.
#[derive(Debug)]
pub struct Harness {
    /// Sends everything.
    pub client: Client,
    /// Where deliveries go.
    pub target: Target,
    /// Signs with the webhook's secret.
    pub signer: Signer,
    /// Signs with the secret before the present one, if it is known.
    pub expired: Option<Signer>,
    /// As of which seconds bodies were signed in this run.
    pub timestamps: TimestampAllocator,
    /// Holds deliveries back, where the receiver takes only so many.
    pub rate_limit: Option<RateLimit>,
    /// Where requests other than deliveries may go.
    pub allowed: AllowedHosts,
    /// Keeps the secret out of what is reported.
    pub redaction: Redaction,
    /// Tells the time of headers, and waits for pauses and between attempts.
    pub clock: Clock,
    /// How deliveries are retried where a step does not say.
    pub retry: RetryPolicy,
    /// What is right where Aghanim leaves the choice to the game.
    pub policy: Policy,
    /// The SKUs of which a player can hold one at most.
    pub held_once: BTreeSet<String>,
    /// The profile's probes by name.
    pub probes: IndexMap<String, PreparedProbe>,
    /// How the receiver is told what to answer, if it can be.
    pub script: Option<PreparedScript>,
    /// How the receiver is restarted, if it can be.
    pub restart: Option<PreparedRestart>,
    /// How long effects may take to show, where the profile says.
    pub settle: Option<Duration>,
    /// How many scenarios run at the same time.
    pub jobs: usize,
    /// Whether no scenario is begun after the first that failed.
    pub fail_fast: bool,
}

impl Harness {
    /// What signs and sends.
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
