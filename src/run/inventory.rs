//! Checks what new players hold after events that were sent without a scenario: those of a load and
//! failed ones that were sent again.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};

use super::run_context::RunContext;
use crate::probe::{HookFailure, PreparedProbe, ProbePair, QUANTITY_PROBE};
use crate::protocol::Event;
use crate::verify::{ExpectedInventory, GrantCount, InventoryCheck};

const CONCURRENCY: usize = 16;

impl RunContext {
    pub(crate) fn can_read_inventories(&self) -> bool {
        self.probes.contains_key(QUANTITY_PROBE)
    }

    pub(crate) fn expected_inventory(&self, event: &Event, times: GrantCount) -> ExpectedInventory {
        ExpectedInventory::new(event, times, self.capabilities.policy)
            .held_as(&self.capabilities.held_items)
            .with_held_once(&self.held_once)
    }

    pub(crate) async fn check_inventories<K>(
        &self,
        expected: impl Iterator<Item = (K, ExpectedInventory)>,
        mut observe: impl FnMut(K, InventoryCheck),
    ) {
        let probe = self.probes.get(QUANTITY_PROBE);
        let size = probe.map_or(1, PreparedProbe::players_per_request);
        let batches = stream::iter(expected).chunks(size);
        let checks = batches.map(async |batch| {
            let (keys, expected): (Vec<K>, Vec<_>) = batch.into_iter().unzip();
            (keys, self.check_batch(&expected).await)
        });
        let mut checks = checks.buffer_unordered(CONCURRENCY);
        while let Some((keys, checks)) = checks.next().await {
            for (key, check) in keys.into_iter().zip(checks) {
                observe(key, check);
            }
        }
    }

    pub(crate) async fn check_inventory(&self, expected: ExpectedInventory) -> InventoryCheck {
        let mut checks = self.check_batch(&[expected]).await;
        let none = || InventoryCheck::Undecided("nothing was checked".to_owned());
        checks.pop().unwrap_or_else(none)
    }

    async fn check_batch(&self, expected: &[ExpectedInventory]) -> Vec<InventoryCheck> {
        let Some(probe) = self.probes.get(QUANTITY_PROBE) else {
            let reason = "the profile has no probe `quantity`";
            let undecided = InventoryCheck::Undecided(reason.to_owned());
            return vec![undecided; expected.len()];
        };
        let pairs: Vec<ProbePair<'_>> = expected
            .iter()
            .flat_map(|one| {
                let skus = one.skus().into_iter();
                skus.map(|sku| (&*one.player_id, sku.as_str()))
            })
            .collect();
        let numbers = probe.read_numbers(&self.client, &pairs).await;
        let mut numbers = pairs.iter().map(|(_, sku)| *sku).zip(numbers);
        let inventories = expected.iter().map(|one| {
            let own = numbers.by_ref().take(one.skus().len());
            // The numbers of the next inventory begin after all of these.
            let own: Vec<_> = own.collect();
            let own = own.into_iter();
            own.map(|(sku, number)| Ok((sku.to_owned(), number?)))
                .collect::<Result<BTreeMap<_, _>, HookFailure>>()
        });
        let both = expected.iter().zip(inventories);
        both.map(|(expected, inventory)| match inventory {
            Ok(inventory) => self.judge(probe, expected, &inventory),
            Err(failure) => InventoryCheck::Undecided(self.shown(&failure)),
        })
        .collect()
    }

    fn judge(
        &self,
        probe: &PreparedProbe,
        expected: &ExpectedInventory,
        inventory: &BTreeMap<String, i128>,
    ) -> InventoryCheck {
        match (expected.check_readings(inventory), probe.problem()) {
            (InventoryCheck::Passed, _) => InventoryCheck::Passed,
            (InventoryCheck::Failed { .. }, Some(problem)) => {
                InventoryCheck::Undecided(self.shown(&format!("it {problem}")))
            }
            (InventoryCheck::Undecided(reason), _) => {
                InventoryCheck::Undecided(self.shown(&reason))
            }
            (InventoryCheck::Failed { problem, is_empty }, None) => InventoryCheck::Failed {
                problem: self.shown(&problem),
                is_empty,
            },
        }
    }
}
