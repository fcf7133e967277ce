//! Checks what new players hold after events that were sent without a scenario: those of a load and
//! failed ones that were sent again.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};

use super::run_context::RunContext;
use crate::probe::QUANTITY_PROBE;
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
        let checks =
            expected.map(async |(key, expected)| (key, self.check_inventory(&expected).await));
        let mut checks = stream::iter(checks).buffer_unordered(CONCURRENCY);
        while let Some((key, check)) = checks.next().await {
            observe(key, check);
        }
    }

    pub(crate) async fn check_inventory(&self, expected: &ExpectedInventory) -> InventoryCheck {
        let Some(probe) = self.probes.get(QUANTITY_PROBE) else {
            return InventoryCheck::Undecided("the profile has no probe `quantity`".to_owned());
        };
        let mut inventory = BTreeMap::new();
        for sku in expected.skus() {
            match probe.read(&self.client, &expected.player_id, sku).await {
                Ok(quantity) => inventory.insert(sku.clone(), quantity),
                Err(failure) => return InventoryCheck::Undecided(self.shown(&failure)),
            };
        }
        match (expected.check_readings(&inventory), probe.problem()) {
            (InventoryCheck::Passed, _) => InventoryCheck::Passed,
            (InventoryCheck::Failed(_), Some(problem)) => {
                InventoryCheck::Undecided(self.shown(&format!("it {problem}")))
            }
            (InventoryCheck::Undecided(reason), _) => {
                InventoryCheck::Undecided(self.shown(&reason))
            }
            (InventoryCheck::Failed(problem), None) => InventoryCheck::Failed(self.shown(&problem)),
        }
    }
}
