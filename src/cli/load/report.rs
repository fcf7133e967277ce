//! The report of a load: what it was asked to be, what came of it, and the verdicts.

use super::super::session::Session;
use super::Load;
use super::verdict::demanded;
use crate::load::{EffectsReport, LoadReport, LoadResult, Mix, Partition, Percentiles, Rate};

/// Makes the report of a load, and judges it.
pub(super) fn of(
    load: &Load,
    prepared: &Session,
    result: &LoadResult,
    mix: Mix,
    effects: Option<EffectsReport>,
) -> LoadReport {
    let harness = &prepared.harness;
    let figures = result.figures.clone();
    let nothing = Percentiles::of(&figures.latencies.latency);
    let partition = load.partition.filter(|partition| !partition.is_whole());
    let latency_from = match load.rate {
        Rate::Max => "sent",
        _ => "due",
    };
    let mut report = LoadReport {
        format_version: LoadReport::FORMAT_VERSION,
        aghook_version: env!("CARGO_PKG_VERSION").to_owned(),
        target: harness.redaction.text(harness.target.as_str()).into_owned(),
        built_in_receiver: prepared.built_in.is_some(),
        seed: load.seed,
        start_time: prepared.start.to_string(),
        rate: load.rate.to_string(),
        length: load.length().to_string(),
        warmup: load.warmup.to_string(),
        mix: mix.shares(),
        event_mix: Vec::new(),
        began: format!("{:.3}", result.began),
        latency_from: latency_from.to_owned(),
        connections: load.connections.get() as u64,
        partitions: partition.iter().map(Partition::to_string).collect(),
        interrupted: result.interrupted,
        events_per_second: None,
        latency: nothing.clone(),
        service: nothing.clone(),
        lateness: nothing,
        over_time: Vec::new(),
        figures,
        expectations: Vec::new(),
        effects,
    };
    let demanded = demanded(&load.expect, &report.figures.counts, result.interrupted);
    report.conclude(&demanded);
    report
}
