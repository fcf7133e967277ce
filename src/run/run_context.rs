//! What all scenarios of a run share: the client, the profile's hooks and its policies.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use indexmap::IndexMap;

use super::dry_run::Capabilities;
use crate::delivery::{Clock, Sender, TimestampAllocator};
use crate::generate::{Seed, StartTime};
use crate::policy::RetryPolicy;
use crate::probe::{PreparedHook, PreparedProbe, Redaction};
use crate::protocol::Signer;
use crate::transport::{AllowedHosts, Client, ExtraHeaders, OutgoingRequest, RateLimit, Target};

#[derive(Debug)]
pub(crate) struct RunContext {
    pub client: Client,
    pub target: Target,
    /// The instances of the receiver, by name; empty if there is only the target.
    pub targets: IndexMap<String, Target>,
    pub built_in_receiver: bool,
    /// Headers to add to deliveries, and to other requests to the target's server.
    pub headers: ExtraHeaders,
    pub signer: Signer,
    pub expired: Option<Signer>,
    pub timestamps: TimestampAllocator,
    pub rate_limit: Option<RateLimit>,
    pub allowed: AllowedHosts,
    pub redaction: Redaction,
    pub clock: Clock,
    /// The retry policy of steps without their own.
    pub retry: RetryPolicy,
    pub capabilities: Capabilities,
    /// The SKUs of the plain items that the profile lists.
    pub listed_items: Vec<String>,
    /// The SKUs of which a player can hold at most one.
    pub held_once: BTreeSet<String>,
    pub probes: IndexMap<String, PreparedProbe>,
    /// The hooks that steps run, by name: `script`, `restart` and the profile's `hooks`.
    pub hooks: IndexMap<String, PreparedHook>,
    /// The profile's grace period for effects, if it sets one.
    pub settle: Option<Duration>,
    pub seed: Option<Seed>,
    pub start: StartTime,
    /// How many scenarios run at the same time, if the user says so.
    pub jobs: Option<NonZeroUsize>,
    /// Whether the first scenarios decide whether the set-up works.
    pub check_setup: bool,
}

impl RunContext {
    pub(crate) fn shown_target(&self) -> Cow<'_, str> {
        self.redaction.text(self.target.as_str())
    }

    /// Every instance of the receiver.
    pub(crate) fn instances(&self) -> impl Iterator<Item = &Target> {
        let is_other = |target: &&Target| **target != self.target;
        let others = self.targets.values().filter(is_other);
        std::iter::once(&self.target).chain(others)
    }

    /// Why something failed, without secrets.
    pub(crate) fn shown(&self, failure: &impl ToString) -> String {
        self.redaction.text(&failure.to_string()).into_owned()
    }

    /// How many scenarios run at the same time.
    pub(crate) fn jobs(&self) -> usize {
        let connect = self.client.fastest_connect().unwrap_or_default();
        self.jobs
            .map_or_else(|| default_jobs(connect), NonZeroUsize::get)
    }

    /// Adds the extra headers to a request that is not a delivery, if it goes to the target's server.
    pub(crate) fn with_headers(
        &self,
        request: OutgoingRequest,
        target: &Target,
    ) -> OutgoingRequest {
        if target.origin() == self.target.origin() {
            request.with_extra(&self.headers)
        } else {
            request
        }
    }

    pub(crate) fn sender(&self) -> Sender<'_> {
        Sender {
            client: &self.client,
            clock: &self.clock,
            signer: &self.signer,
            expired: self.expired.as_ref(),
            headers: &self.headers,
            timestamps: &self.timestamps,
            rate_limit: self.rate_limit.as_ref(),
        }
    }
}

/// How many scenarios to run at the same time if connecting takes this long. They mostly wait for
/// the receiver, so this does not depend on the number of cores. Over a slow link they mostly wait
/// for the link, so that more of them are no more work for the receiver at once.
fn default_jobs(connect: Duration) -> usize {
    const NEAR: usize = 8;
    match connect.as_millis() {
        0..20 => NEAR,
        20..40 => 2 * NEAR,
        _ => 4 * NEAR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_scenarios_run_at_the_same_time_over_a_slow_link() {
        let jobs = |millis| default_jobs(Duration::from_millis(millis));
        assert_eq!(
            [0, 1, 19, 20, 40, 80, 5000].map(jobs),
            [8, 8, 8, 16, 32, 32, 32]
        );
    }
}
