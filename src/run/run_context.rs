//! What all scenarios of a run share: the client, the profile's hooks and its policies.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use indexmap::IndexMap;

use crate::delivery::{Clock, Sender, TimestampAllocator};
use crate::generate::{Seed, StartTime};
use crate::policy::RetryPolicy;
use crate::probe::{PreparedProbe, PreparedRestart, PreparedScript, Redaction};
use crate::protocol::Signer;
use crate::scenario::Policy;
use crate::transport::{AllowedHosts, Client, RateLimit, Target};

/// The client, the profile's hooks and its policies.
#[derive(Debug)]
pub(crate) struct RunContext {
    /// Sends all requests.
    pub client: Client,
    /// Where deliveries go.
    pub target: Target,
    /// Whether that is the receiver built into aghook.
    pub built_in_receiver: bool,
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
    /// The random seed of the run, if one was given.
    pub seed: Option<Seed>,
    /// The start time of the run.
    pub start: StartTime,
    /// The maximum number of scenarios that run at the same time.
    pub jobs: usize,
    /// Whether to stop after the first failing scenario.
    pub fail_fast: bool,
}

impl RunContext {
    /// The target's URL without secrets.
    pub(crate) fn shown_target(&self) -> Cow<'_, str> {
        self.redaction.text(self.target.as_str())
    }

    /// Why something failed, without secrets.
    pub(crate) fn shown(&self, failure: &impl ToString) -> String {
        self.redaction.text(&failure.to_string()).into_owned()
    }

    /// The sender of signed deliveries.
    pub(crate) fn sender(&self) -> Sender<'_> {
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
