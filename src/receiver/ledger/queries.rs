//! The ledger's SQL queries on one connection. `writer` runs them.

use bytes::Bytes;
use http::StatusCode;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{
    BodyDigest, FirstDelivery, Inventory, LedgerAction, LedgerEntry, LedgerError, RecordOutcome,
    RedemptionPart, Store, store,
};
use crate::receiver::response::ReceiverResponse;

pub(super) struct LedgerQueries {
    connection: Connection,
}

impl LedgerQueries {
    pub(super) fn open(store: &Store) -> Result<Self, LedgerError> {
        store::open(store).map(|connection| Self { connection })
    }

    /// Records all entries in one transaction: either all new entries are written or none.
    pub(super) fn record_all<'a>(
        &mut self,
        entries: impl IntoIterator<Item = &'a LedgerEntry>,
    ) -> rusqlite::Result<Vec<RecordOutcome>> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let recorded = entries
            .into_iter()
            .map(|entry| record(&transaction, entry))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        transaction.commit()?;
        Ok(recorded)
    }

    pub(super) fn recall(
        &self,
        key: &str,
        body: &BodyDigest,
    ) -> rusqlite::Result<Option<FirstDelivery>> {
        recall(&self.connection, key, body)
    }

    /// What a player holds: of this SKU, even if it is nothing, or of every SKU.
    pub(super) fn inventory(
        &self,
        player_id: &str,
        sku: Option<&str>,
    ) -> rusqlite::Result<Inventory> {
        inventory(&self.connection, player_id, sku)
    }
}

fn inventory(
    connection: &Connection,
    player_id: &str,
    sku: Option<&str>,
) -> rusqlite::Result<Inventory> {
    // Separate statements, because SQLite searches by SKU only if every row must have it.
    let [granted, removed] = if sku.is_some() {
        [
            "SELECT sku, quantity FROM grants WHERE player_id = ?1 AND sku = ?2",
            "SELECT sku, quantity FROM removals WHERE player_id = ?1 AND sku = ?2",
        ]
    } else {
        [
            "SELECT sku, quantity FROM grants WHERE player_id = ?1 AND ?2 IS NULL",
            "SELECT sku, quantity FROM removals WHERE player_id = ?1 AND ?2 IS NULL",
        ]
    };
    let sums = |sql: &str| -> rusqlite::Result<Inventory> {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![player_id, sku])?;
        let mut sums = Inventory::new();
        while let Some(row) = rows.next()? {
            let quantity: u64 = row.get_ref(1)?.as_str()?.parse().map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(1, Type::Text, Box::new(error))
            })?;
            *sums.entry(row.get(0)?).or_insert(0) += u128::from(quantity);
        }
        Ok(sums)
    };
    let mut inventory = sums(granted)?;
    if let Some(sku) = sku {
        inventory.entry(sku.to_owned()).or_insert(0);
    }
    for (sku, removed) in sums(removed)? {
        if let Some(held) = inventory.get_mut(&sku) {
            *held = held.saturating_sub(removed);
        }
    }
    Ok(inventory)
}

/// Writes the key, then its grants. The primary key constraint decides which delivery is first.
fn record(connection: &Connection, entry: &LedgerEntry) -> rusqlite::Result<RecordOutcome> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO deliveries (idempotency_key, event_id, player_id, decision, body_sha256,
             answer_status, answer_body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (idempotency_key) DO NOTHING",
    )?;
    let written = statement.execute(params![
        entry.idempotency_key,
        entry.event_id,
        entry.player_id,
        entry.decision,
        entry.body,
        entry.response.status.as_u16(),
        entry.response.body.as_ref(),
    ])?;
    if written == 0 {
        let first = recall(connection, &entry.idempotency_key, &entry.body)?;
        return first
            .map(RecordOutcome::Redelivery)
            .ok_or(rusqlite::Error::QueryReturnedNoRows);
    }
    if let Some(part) = &entry.redemption
        && record_part(connection, part, &entry.idempotency_key)?
    {
        return Ok(RecordOutcome::OtherGranted);
    }
    let held = match entry.action {
        LedgerAction::Remove => Some(inventory(connection, &entry.player_id, None)?),
        LedgerAction::Grant | LedgerAction::Ignore => None,
    };
    let mut statement = connection.prepare_cached(match entry.action {
        LedgerAction::Ignore => return Ok(RecordOutcome::First),
        LedgerAction::Grant => {
            "INSERT INTO grants (player_id, sku, idempotency_key, quantity) VALUES (?1, ?2, ?3, ?4)"
        }
        LedgerAction::Remove => {
            "INSERT INTO removals (player_id, sku, idempotency_key, quantity) VALUES (?1, ?2, ?3, ?4)"
        }
    })?;
    for (sku, quantity) in &entry.grants {
        let quantity = match &held {
            Some(held) => {
                let held = held.get(sku).copied().unwrap_or(0);
                u64::try_from(held).map_or(*quantity, |held| held.min(*quantity))
            }
            None => *quantity,
        };
        statement.execute(params![
            entry.player_id,
            sku,
            entry.idempotency_key,
            itoa::Buffer::new().format(quantity),
        ])?;
    }
    Ok(RecordOutcome::First)
}

/// Records an event of a redemption, and returns whether the other event was granted for it. The n-th
/// events of each type with the same redemption belong together.
fn record_part(
    connection: &Connection,
    part: &RedemptionPart,
    idempotency_key: &str,
) -> rusqlite::Result<bool> {
    let count = |sql: &str| -> rusqlite::Result<i64> {
        connection
            .prepare_cached(sql)?
            .query_row(params![part.id, part.event_type], |row| row.get(0))
    };
    let own = count("SELECT count(*) FROM redemptions WHERE redemption = ?1 AND event_type = ?2")?;
    let others =
        count("SELECT count(*) FROM redemptions WHERE redemption = ?1 AND event_type <> ?2")?;
    connection
        .prepare_cached(
            "INSERT INTO redemptions (redemption, event_type, idempotency_key) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![part.id, part.event_type, idempotency_key])?;
    Ok(others > own && !part.always_granted)
}

fn recall(
    connection: &Connection,
    key: &str,
    body: &BodyDigest,
) -> rusqlite::Result<Option<FirstDelivery>> {
    connection
        .prepare_cached(
            "SELECT answer_status, answer_body, body_sha256 FROM deliveries
             WHERE idempotency_key = ?1",
        )?
        .query_row(params![key], |row| {
            let status = StatusCode::from_u16(row.get(0)?).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(0, Type::Integer, Box::new(error))
            })?;
            let answer_body = Bytes::from(row.get::<_, Vec<u8>>(1)?);
            Ok(FirstDelivery {
                response: ReceiverResponse::new(status, answer_body),
                same_body: row.get::<_, Vec<u8>>(2)? == body,
            })
        })
        .optional()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use crate::receiver::ledger::digest;

    use super::*;

    impl LedgerQueries {
        fn quantity(&self, player_id: &str, sku: &str) -> rusqlite::Result<u128> {
            let inventory = self.inventory(player_id, Some(sku))?;
            assert_eq!(inventory.len(), 1);
            Ok(inventory[sku])
        }
    }

    fn queries() -> LedgerQueries {
        LedgerQueries::open(&Store::Memory).expect("opens")
    }

    fn entry(key: &str, player_id: &str, grants: &[(&str, u64)]) -> LedgerEntry {
        LedgerEntry {
            idempotency_key: key.to_owned(),
            event_id: format!("whevt_{key}"),
            player_id: player_id.to_owned(),
            decision: "granted".to_owned(),
            body: digest(key.as_bytes()),
            response: ReceiverResponse::ok(),
            grants: grants
                .iter()
                .map(|(sku, quantity)| ((*sku).to_owned(), *quantity))
                .collect(),
            action: LedgerAction::Grant,
            redemption: None,
        }
    }

    #[test]
    fn a_removal_takes_away_no_more_than_is_held() {
        let mut queries = queries();
        let removal = |key: &str, quantity| LedgerEntry {
            action: LedgerAction::Remove,
            ..entry(key, "p", &[("gem", quantity)])
        };
        queries
            .record_all([
                &entry("a", "p", &[("gem", 5)]),
                &removal("b", 3),
                &removal("b", 3),
            ])
            .expect("recorded");
        assert_eq!(queries.quantity("p", "gem").expect("read"), 2);
        queries
            .record_all([&removal("c", 9), &entry("d", "p", &[("gem", 4)])])
            .expect("recorded");
        assert_eq!(queries.quantity("p", "gem").expect("read"), 4);
    }

    #[test]
    fn the_events_of_a_redemption_are_paired() {
        let mut queries = queries();
        let part = |key: &str, event_type| LedgerEntry {
            redemption: Some(RedemptionPart {
                id: "r".to_owned(),
                event_type,
                always_granted: false,
            }),
            ..entry(key, "p", &[("gem", 5)])
        };
        let mut recorded = Vec::new();
        for (key, event_type) in [
            ("a", "item.add"),
            ("b", "coupon.redeemed"),
            ("c", "coupon.redeemed"),
            ("d", "coupon.redeemed"),
            ("e", "item.add"),
            ("f", "item.add"),
            ("g", "item.add"),
        ] {
            let outcome = queries.record_all([&part(key, event_type)]);
            recorded.extend(outcome.expect("recorded"));
        }
        let (first, paired) = (RecordOutcome::First, RecordOutcome::OtherGranted);
        let expected = [&first, &paired, &first, &first, &paired, &paired, &first];
        assert_eq!(recorded.iter().collect::<Vec<_>>(), expected);
        assert_eq!(queries.quantity("p", "gem").expect("read"), 20);
    }

    #[test]
    fn a_key_counts_once_and_keeps_its_first_response() {
        let mut queries = queries();
        let mut first = entry("k", "p", &[("gem", 5)]);
        first.response = ReceiverResponse::success(StatusCode::ACCEPTED);
        let mut other = entry("k", "q", &[("gem", 7)]);
        other.body = digest(b"another body");
        let earlier = |same_body| {
            RecordOutcome::Redelivery(FirstDelivery {
                response: first.response.clone(),
                same_body,
            })
        };
        let recorded = queries
            .record_all([&first, &first, &other])
            .expect("recorded");
        assert_eq!(
            recorded,
            [RecordOutcome::First, earlier(true), earlier(false)]
        );
        assert_eq!(
            queries.record_all([&other]).expect("recorded"),
            [earlier(false)]
        );
        assert_eq!(queries.quantity("p", "gem").expect("read"), 5);
        assert_eq!(queries.quantity("q", "gem").expect("read"), 0);
        let recalled = queries.recall("k", &first.body).expect("read");
        assert_eq!(recalled.map(RecordOutcome::Redelivery), Some(earlier(true)));
        assert_eq!(queries.recall("l", &first.body).expect("read"), None);
    }

    #[test]
    fn sums_are_exact_beyond_64_bits() {
        let mut queries = queries();
        for key in ["a", "b", "c"] {
            queries
                .record_all([&entry(key, "p", &[("gem", u64::MAX), ("dust", 0)])])
                .expect("recorded");
        }
        let expected = 3 * u128::from(u64::MAX);
        assert_eq!(queries.quantity("p", "gem").expect("read"), expected);
        let inventory = queries.inventory("p", None).expect("read");
        assert_eq!(
            inventory,
            [("dust".to_owned(), 0), ("gem".to_owned(), expected)].into()
        );
    }

    #[test]
    fn names_are_compared_byte_by_byte() {
        let mut queries = queries();
        // Case, a zero byte, and two spellings of one accented letter.
        let names = [
            "a", "A", "a\0", "a\0b", "\u{e9}", "e\u{301}", "💎", "", "'; --",
        ];
        for (position, name) in names.iter().enumerate() {
            let quantity = 1 << position;
            queries
                .record_all([&entry(name, name, &[(name, quantity)])])
                .expect("recorded");
        }
        for (position, name) in names.iter().enumerate() {
            assert_eq!(
                queries.quantity(name, name).expect("read"),
                1 << position,
                "{name:?}"
            );
        }
    }

    #[test]
    fn an_aborted_transaction_writes_nothing() {
        let mut queries = queries();
        queries
            .record_all([&entry("before", "p", &[("gem", 1)])])
            .expect("recorded");
        queries
            .connection
            .execute_batch(
                "CREATE TEMP TRIGGER full_disk BEFORE INSERT ON grants WHEN NEW.sku = 'coin'
                 BEGIN SELECT RAISE(ABORT, 'disk full'); END",
            )
            .expect("trigger created");
        let good = entry("good", "p", &[("gem", 2)]);
        let bad = entry("bad", "p", &[("gem", 4), ("coin", 1)]);
        assert!(queries.record_all([&good, &bad]).is_err());
        for entry in [&good, &bad] {
            let recalled = queries.recall(&entry.idempotency_key, &entry.body);
            assert_eq!(recalled.expect("read"), None);
        }
        assert_eq!(queries.quantity("p", "gem").expect("read"), 1);
        // The ledger still works.
        assert_eq!(
            queries.record_all([&good]).expect("recorded"),
            [RecordOutcome::First]
        );
        assert_eq!(queries.quantity("p", "gem").expect("read"), 3);
    }

    proptest! {
        #[test]
        fn any_sequence_of_redeliveries_grants_each_key_once(
            batches in prop::collection::vec(
                prop::collection::vec((0_u8..12, 0_u8..3, any::<u64>()), 0..6),
                0..12,
            ),
        ) {
            let mut queries = queries();
            let mut first_by_key: HashMap<u8, (u8, u64)> = HashMap::new();
            for batch in batches {
                let entries: Vec<_> = batch
                    .iter()
                    .map(|(key, player, quantity)| {
                        let grants = [("gem", *quantity), ("coin", 1)];
                        entry(&key.to_string(), &player.to_string(), &grants)
                    })
                    .collect();
                let recorded = queries.record_all(&entries).expect("recorded");
                for ((key, player, quantity), recorded) in batch.into_iter().zip(recorded) {
                    let is_new = !first_by_key.contains_key(&key);
                    prop_assert_eq!(recorded == RecordOutcome::First, is_new);
                    first_by_key.entry(key).or_insert((player, quantity));
                }
            }
            for player in 0..3 {
                let granted = first_by_key.values().filter(|(to, _)| *to == player);
                let gems: u128 = granted.clone().map(|(_, quantity)| u128::from(*quantity)).sum();
                let player_id = player.to_string();
                prop_assert_eq!(queries.quantity(&player_id, "gem").expect("read"), gems);
                let coins = queries.quantity(&player_id, "coin").expect("read");
                prop_assert_eq!(coins, granted.count() as u128);
            }
        }
    }
}
