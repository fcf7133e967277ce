//! What a load is asked to be.

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::event_mix::EventMix;
use super::mix::Mix;
use super::partition::Partition;
use super::rate::Rate;
use crate::generate::{Generator, Seed};
use crate::scenario::{DurationText, Policy, RetryPolicy};

/// Everything that can be chosen about a load.
#[derive(Debug, Clone)]
pub struct LoadSettings {
    /// How many events a second, over all partitions.
    pub rate: Rate,
    /// When the load is over; the warm-up comes before it.
    pub length: Length,
    /// How long events are sent before any figure is taken.
    pub warmup: Duration,
    /// How many connections are kept, all workers together. Simultaneous duplicates take further
    /// ones.
    pub connections: NonZeroUsize,
    /// How many threads send; no more than there are connections.
    pub workers: NonZeroUsize,
    /// Which share of the stream is sent from here.
    pub partition: Partition,
    /// What befalls which share of the events.
    pub mix: Mix,
    /// From what the events are drawn; none where all of them are generated.
    pub event_mix: Option<EventMix>,
    /// What the game has chosen, by which a refusal may be right.
    pub policy: Policy,
    /// When a delivery is tried again, and how long an attempt may take.
    pub retry: RetryPolicy,
    /// How long retries and duplicates may go on after the last new event.
    pub drain: Duration,
    /// What treatments, forgeries and jitter follow from.
    pub seed: Seed,
    /// Makes the events.
    pub generator: Generator,
}

/// When a load is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// After a time.
    Duration(Duration),
    /// After so many events, over all partitions.
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
