//! The settings of a load.

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::event_mix::EventMix;
use super::rate::Rate;
use super::shard::LoadShard;
use super::treatment_mix::TreatmentMix;
use crate::generate::{Generator, Seed};
use crate::policy::{DurationText, RetryPolicy};
use crate::scenario::Policy;

#[derive(Debug, Clone)]
pub(crate) struct LoadSettings {
    pub rate: Rate,
    /// The length of the measured part, which follows the warm-up.
    pub length: Length,
    pub warmup: Duration,
    /// The number of connections of all workers. Simultaneous duplicates use additional ones.
    pub connections: NonZeroUsize,
    /// The number of sending threads, limited by the number of connections.
    pub workers: NonZeroUsize,
    pub shard: LoadShard,
    pub mix: TreatmentMix,
    /// The mix to draw events from; `None` if all are generated.
    pub event_mix: Option<EventMix>,
    /// The game's policy, which can allow refusals.
    pub policy: Policy,
    pub retry: RetryPolicy,
    /// Time allowed for pending retries and duplicates after the last new event.
    pub drain: Duration,
    /// The seed of treatments, forgeries and jitter.
    pub seed: Seed,
    pub generator: Generator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Duration(Duration),
    /// A number of events of all shards together.
    Count(u64),
}

impl fmt::Display for Length {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(duration) => DurationText(*duration).fmt(formatter),
            Self::Count(count) => write!(formatter, "{count} events"),
        }
    }
}
