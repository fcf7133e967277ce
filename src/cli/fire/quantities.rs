//! How much of an event's SKUs its player holds, before and after its deliveries.

use std::collections::BTreeSet;

use crate::probe::{PreparedProbe, QUANTITY_PROBE, Redaction};
use crate::protocol::Event;
use crate::run::{PlannedEvent, RunContext, Session};
use crate::verify::{EffectWatch, ExpectedInventory, GrantCount, Verdict};

use super::contents::{Contents, ContentsVerdict};

/// Why quantities were not read.
#[derive(Debug, Clone)]
pub(super) struct NotRead {
    pub(super) reason: String,
    /// Whether there is a probe, and it does not work.
    pub(super) is_broken: bool,
}

impl NotRead {
    fn broken(reason: String) -> Self {
        Self {
            reason,
            is_broken: true,
        }
    }

    fn not_possible(reason: String) -> Self {
        Self {
            reason,
            is_broken: false,
        }
    }
}

/// Prepares the profile's probe `quantity`, or says why that is not possible.
pub(super) fn prepare(session: &Session) -> Result<PreparedProbe, NotRead> {
    let probe = session.profile.probes.get(QUANTITY_PROBE);
    let missing = || format!("the profile has no probe `{QUANTITY_PROBE}`");
    let probe = probe.ok_or_else(|| NotRead::not_possible(missing()))?;
    PreparedProbe::new(probe, &session.allowed).map_err(|error| {
        NotRead::broken(format!("probe `{QUANTITY_PROBE}` can't be used: {error}"))
    })
}

/// Reads how much the players of events hold.
pub(super) struct QuantityReader<'run> {
    context: &'run RunContext,
    probe: Result<PreparedProbe, NotRead>,
    redaction: Redaction,
}

/// The SKUs of an event and how much of each its player holds.
pub(super) struct Quantities {
    player_id: String,
    held: Vec<(String, i128)>,
    contents: Contents,
}

/// How the quantities changed.
pub(super) struct QuantityChanges {
    /// A line for each SKU.
    pub(super) lines: Vec<String>,
    /// The verdict on an event with several items.
    pub(super) contents: Option<ContentsVerdict>,
}

impl<'run> QuantityReader<'run> {
    pub(super) fn new(
        context: &'run RunContext,
        mut probe: Result<PreparedProbe, NotRead>,
    ) -> Self {
        if let Ok(probe) = &mut probe {
            probe.hide(&context.redaction);
        }
        let hook = probe.as_ref().ok().and_then(PreparedProbe::redaction);
        let redaction = context.redaction.clone().and(hook);
        Self {
            context,
            probe,
            redaction,
        }
    }

    /// Reads the quantities of the event's SKUs, or says why that is not possible.
    pub(super) async fn before(&self, event: &PlannedEvent) -> Result<Quantities, NotRead> {
        let event = event
            .event
            .as_ref()
            .ok_or_else(|| NotRead::not_possible("the body is not a valid event".to_owned()))?;
        let player_id = event.event_data.player_id.to_string();
        let skus = self.skus(event);
        let held = self.read(&player_id, &skus).await?;
        Ok(Quantities {
            contents: Contents::of(event, self.context),
            player_id,
            held,
        })
    }

    /// Why the probe is probably wrong, although `missing` allows what it read: an accepted event, and
    /// never a value.
    pub(super) fn problem(&self) -> Option<String> {
        let problem = self.probe.as_ref().ok()?.problem()?;
        let text = format!("probe `{QUANTITY_PROBE}` {problem}");
        Some(self.redaction.text(&text).into_owned())
    }

    /// Reads the quantities again until they are as expected or the grace period is over; once if no
    /// change is expected.
    pub(super) async fn changes(
        &self,
        before: &Quantities,
        is_expected: bool,
    ) -> Result<QuantityChanges, NotRead> {
        let mut watch = EffectWatch::new([self.context.settle]);
        loop {
            let skus = before.held.iter().map(|(sku, _)| sku.clone()).collect();
            let after = self.read(&before.player_id, &skus).await?;

            let contents = Some(&before.contents).filter(|_| is_expected);
            let contents = contents.and_then(|contents| contents.check(&before.held, &after));
            let is_final = match &contents {
                _ if !is_expected => true,
                Some(contents) => contents.verdict != Verdict::Failed,
                None => after != before.held,
            };
            if is_final || !watch.look_again(false).await {
                let both = before.held.iter().zip(&after);
                let lines =
                    both.map(|((sku, before), (_, after))| format!("{sku} {before} → {after}"));
                return Ok(QuantityChanges {
                    lines: lines.collect(),
                    contents,
                });
            }
        }
    }

    fn skus(&self, event: &Event) -> BTreeSet<String> {
        let game = &self.context.capabilities;
        let inventory = ExpectedInventory::new(event, GrantCount::Once, game.policy);
        let inventory = inventory.held_as(&game.held_items);
        inventory.skus().into_iter().cloned().collect()
    }

    async fn read(
        &self,
        player_id: &str,
        skus: &BTreeSet<String>,
    ) -> Result<Vec<(String, i128)>, NotRead> {
        let probe = self.probe.as_ref().map_err(Clone::clone)?;
        let pairs: Vec<_> = skus.iter().map(|sku| (player_id, sku.as_str())).collect();
        let numbers = probe.read_numbers(&self.context.client, &pairs).await;
        let held = skus.iter().zip(numbers).map(|(sku, number)| {
            let number = number.map_err(|failure| {
                let reason = format!("probe `{QUANTITY_PROBE}` failed: {failure}");
                NotRead::broken(self.redaction.text(&reason).into_owned())
            })?;
            Ok((sku.clone(), number))
        });
        held.collect()
    }
}
