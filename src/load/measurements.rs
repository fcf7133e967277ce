//! The measurements of a load. Those of several senders can be joined exactly.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::counts::LoadCounts;
use super::latency_histograms::LatencyHistograms;
use super::shard::LoadShard;
use super::stalls::Stalls;
use super::time_series::TimeSeries;

/// The measurements of a load, without the warm-up unless noted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurements {
    /// The counters.
    pub counts: LoadCounts,
    /// The counters of the warm-up.
    pub warmup: LoadCounts,
    /// The histograms of times.
    pub latencies: LatencyHistograms,
    /// The measurements per interval.
    pub over_time: TimeSeries,
    /// How long new events were sent, in microseconds.
    pub span_us: u64,
    /// How long new events were to be sent according to the timetable, in microseconds; 0 if there is
    /// none.
    #[serde(default)]
    pub planned_us: u64,
    /// The stalls of the sending machine.
    pub stalls: Stalls,
}

/// Why two reports can't be joined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    #[error("its histograms or intervals are incompatible")]
    Histograms,
    #[error("it belongs to a different load: {0} differs")]
    OtherLoad(&'static str),
    #[error("duplicate shard {0}")]
    DuplicateShard(LoadShard),
    /// A load without `--partition`.
    #[error("it is a whole load, run without `--partition`, so there is nothing to join")]
    Whole,
}

impl Measurements {
    pub fn add(&mut self, other: &Self) -> Result<(), MergeError> {
        if !self.latencies.add(&other.latencies) || !self.over_time.add(&other.over_time) {
            return Err(MergeError::Histograms);
        }
        self.counts.add(&other.counts);
        self.warmup.add(&other.warmup);
        self.span_us = self.span_us.max(other.span_us);
        self.planned_us = self.planned_us.max(other.planned_us);
        self.stalls.add(&other.stalls);
        Ok(())
    }

    /// New events per second; `None` if no time passed or there were fewer than two events.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    pub fn events_per_second(&self) -> Option<f64> {
        let seconds = self.span_us as f64 / 1e6;
        (self.span_us > 0 && self.counts.events > 1).then(|| self.counts.events as f64 / seconds)
    }

    /// The new events per second and those that the timetable asked for, if there were notably fewer.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    pub fn fewer_than_asked(&self) -> Option<(f64, f64)> {
        const NOTABLY: f64 = 0.99;
        let all = self.counts.events.saturating_add(self.counts.unsent);
        let asked = (self.planned_us > 0).then(|| all as f64 / (self.planned_us as f64 / 1e6))?;
        let sent = self.events_per_second()?;
        (sent < asked * NOTABLY).then_some((sent, asked))
    }
}
