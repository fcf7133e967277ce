//! The figures of a load, which several senders' can be joined to exactly.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::latencies::Latencies;
use super::over_time::OverTime;
use super::stalls::Stalls;

/// The figures of a load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figures {
    /// What was counted, the warm-up aside.
    pub counts: Counts,
    /// What was counted in the warm-up.
    pub warmup: Counts,
    /// How long things took, the warm-up aside.
    pub latencies: Latencies,
    /// What happened over time, the warm-up aside.
    pub over_time: OverTime,
    /// How long new events were sent, in microseconds, the warm-up aside.
    pub span_us: u64,
    /// The sender's own stalls.
    pub stalls: Stalls,
}

/// Why figures can't be joined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Histograms with other bounds, or intervals of other lengths.
    #[error("its histograms or its intervals are of another kind")]
    Histograms,
    /// Two loads that are about different things.
    #[error("it is of another load: {0} differs")]
    OtherLoad(&'static str),
    /// The same share twice.
    #[error("the share {0} is there already")]
    SameShare(String),
    /// A load that is no share of a larger one.
    #[error("it is the whole of a load, made without `--partition`, so it has nothing to join")]
    Whole,
}

impl Figures {
    /// Joins what another sender measured at the same time.
    pub fn add(&mut self, other: &Self) -> Result<(), MergeError> {
        if !self.latencies.add(&other.latencies) || !self.over_time.add(&other.over_time) {
            return Err(MergeError::Histograms);
        }
        self.counts.add(&other.counts);
        self.warmup.add(&other.warmup);
        self.span_us = self.span_us.max(other.span_us);
        self.stalls.add(&other.stalls);
        Ok(())
    }

    /// How many new events left a second; none where there was no time to measure. One alone has no
    /// rate.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    pub fn events_per_second(&self) -> Option<f64> {
        let seconds = self.span_us as f64 / 1e6;
        (self.span_us > 0 && self.counts.events > 1).then(|| self.counts.events as f64 / seconds)
    }
}
