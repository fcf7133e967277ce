//! Creates the report of a load.

use super::Load;
use crate::load::{
    EffectsReport, LatencyFrom, LoadReport, LoadResult, Percentiles, Rate, TreatmentMix,
    effective_expectations,
};
use crate::run::RunContext;

/// Creates the report of a load and checks the expectations.
pub(super) fn create(
    load: &Load,
    context: &RunContext,
    result: &LoadResult,
    mix: TreatmentMix,
    effects: Option<EffectsReport>,
) -> LoadReport {
    let measurements = result.measurements.clone();
    let uncomputed = Percentiles::of(&measurements.latencies.latency);
    let shard = load.partition.filter(|shard| !shard.is_whole());
    let latency_from = match load.rate {
        Rate::Max => LatencyFrom::Sent,
        _ => LatencyFrom::Due,
    };
    let mut report = LoadReport {
        format_version: LoadReport::FORMAT_VERSION,
        aghook_version: env!("CARGO_PKG_VERSION").to_owned(),
        target: context.shown_target().into_owned(),
        built_in_receiver: context.built_in_receiver,
        seed: load.seed,
        start_time: context.start.to_string(),
        rate: load.rate.to_string(),
        length: load.length().to_string(),
        warmup: load.warmup.to_string(),
        mix: mix.percentages(),
        event_mix: Vec::new(),
        began: format!("{:.3}", result.began),
        latency_from,
        connections: load.connections.get() as u64,
        partitions: shard.into_iter().collect(),
        interrupted: result.interrupted,
        events_per_second: None,
        latency: uncomputed.clone(),
        service: uncomputed.clone(),
        lateness: uncomputed,
        over_time: Vec::new(),
        measurements,
        expectations: Vec::new(),
        effects,
    };
    let counts = &report.measurements.counts;
    let expectations = effective_expectations(&load.expect, counts, result.interrupted);
    report.conclude(&expectations);
    report
}
