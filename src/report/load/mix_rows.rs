//! The rows for a load's mix, shared by all its reports: each entry, and its scenarios with failures.

use crate::load::{LoadReport, MixCounts, MixScenarioReport, mix_option};
use crate::report::sanitize::sanitize;

const LISTED: usize = 10;

pub(super) struct MixRow {
    pub(super) name: String,
    /// `None` for a scenario.
    pub(super) weight: Option<u32>,
    pub(super) counts: MixCounts,
}

impl MixRow {
    pub(super) fn in_words(&self) -> String {
        let MixCounts {
            events,
            deliveries,
            acknowledged,
            allowed_refusals,
            errors,
        } = self.counts;
        let refused = match allowed_refusals {
            0 => String::new(),
            count => format!("{count} refused as allowed, "),
        };
        format!(
            "{events} events, {deliveries} deliveries, {acknowledged} acknowledged, {refused}{errors} errors"
        )
    }
}

/// The entries, each followed by its scenarios with errors or undelivered events, worst first.
pub(super) fn rows(report: &LoadReport) -> Vec<MixRow> {
    let mut rows = Vec::new();
    for entry in &report.event_mix {
        rows.push(MixRow {
            name: sanitize(&entry.from),
            weight: Some(entry.weight),
            counts: entry.counts,
        });
        let missed = |counts: &MixCounts| {
            let ended_well = counts.acknowledged.saturating_add(counts.allowed_refusals);
            (counts.deliveries.saturating_sub(ended_well), counts.errors)
        };
        let scenarios = entry.scenarios.iter();
        let mut failing: Vec<&MixScenarioReport> = scenarios
            .filter(|scenario| missed(&scenario.counts) != (0, 0))
            .collect();
        failing.sort_by_key(|scenario| std::cmp::Reverse(missed(&scenario.counts)));
        rows.extend(failing.into_iter().take(LISTED).map(|scenario| MixRow {
            name: sanitize(&format!("{} ({})", scenario.name, scenario.file)),
            weight: None,
            counts: scenario.counts,
        }));
    }
    rows
}

/// The options that reproduce the mix, quoted for a shell.
pub(super) fn mix_options(report: &LoadReport) -> String {
    let entries = report.event_mix.iter();
    entries
        .map(|entry| mix_option(&entry.from, entry.weight))
        .collect()
}
