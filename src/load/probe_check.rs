//! Reads the probe `quantity` once before a load, so that its mistakes are known before the load ends.

use super::event_source::EventSource;
use super::settings::LoadSettings;
use crate::probe::{ProbePair, QUANTITY_PROBE};
use crate::run::{RunContext, SetupProblem};
use crate::verify::GrantCount;

/// What a reading before a load shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ProbeCheck {
    Works,
    /// It failed, but it may work for a player who holds something: a game can answer 404 for a player
    /// whom it does not know yet.
    Unclear(String),
    /// No player would make it work.
    Broken(SetupProblem),
}

/// Reads what the player of the first event holds. Without a probe there is nothing to check.
pub(crate) async fn check_probe(context: &RunContext, settings: &LoadSettings) -> ProbeCheck {
    let Some(probe) = context.probes.get(QUANTITY_PROBE) else {
        return ProbeCheck::Works;
    };
    let mut source = EventSource::of(settings);
    let event = source.derive(settings.shard.number(0)).content.into_event();
    let expected = context.expected_inventory(&event, GrantCount::Once);
    let skus = expected.skus().into_iter();
    let pairs: Vec<ProbePair<'_>> = skus.map(|sku| (&*expected.player_id, &**sku)).collect();
    let numbers = probe.read_numbers(&context.client, &pairs).await;
    let Some(failure) = numbers.into_iter().find_map(Result::err) else {
        return ProbeCheck::Works;
    };
    let reason = context.shown(&format!("probe `{QUANTITY_PROBE}` failed: {failure}"));
    if failure.depends_on_player() {
        return ProbeCheck::Unclear(reason);
    }
    ProbeCheck::Broken(SetupProblem {
        reason,
        help: "check the probe in the profile, or use `--check-effects none`".to_owned(),
    })
}
