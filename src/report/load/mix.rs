//! The mix of a load, as every report of it tells it: each entry, and the scenarios whose events
//! were not all acknowledged.

use crate::load::{LoadReport, MixCounts, MixScenarioReport};
use crate::report::sanitize::sanitize;

/// How many scenarios of an entry are listed.
const LISTED: usize = 10;

/// An entry of the mix, or one of its scenarios.
pub(super) struct MixRow {
    pub(super) name: String,
    /// None of a scenario.
    pub(super) weight: Option<u32>,
    pub(super) counts: MixCounts,
}

impl MixRow {
    /// What came of its events.
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
            count => format!("{count} refused as they may be, "),
        };
        format!(
            "{events} events, {deliveries} deliveries, {acknowledged} acknowledged, {refused}{errors} errors"
        )
    }
}

/// The entries, each followed by those of its scenarios whose events were not all acknowledged at
/// once, the worst first.
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
        let mut troubled: Vec<&MixScenarioReport> = scenarios
            .filter(|one| missed(&one.counts) != (0, 0))
            .collect();
        troubled.sort_by_key(|one| std::cmp::Reverse(missed(&one.counts)));
        rows.extend(troubled.into_iter().take(LISTED).map(|one| MixRow {
            name: sanitize(&format!("{} ({})", one.name, one.file)),
            weight: None,
            counts: one.counts,
        }));
    }
    rows
}

/// The options that mix the same, as words of a shell.
pub(super) fn options(report: &LoadReport) -> String {
    let words = report.event_mix.iter().map(|entry| {
        let word = format!("{}={}", entry.from, entry.weight);
        let quoted = shlex::try_quote(&word).map(std::borrow::Cow::into_owned);
        format!(" --mix {}", quoted.unwrap_or(word))
    });
    words.collect()
}
