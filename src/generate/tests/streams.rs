//! The two random streams: content depends on the seed alone, identity on the start time too.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::{START, body, generator, generator_at, shape};
use crate::generate::{Catalogue, CatalogueItem, Generator};
use crate::protocol::Event;

const LATER: &str = "1763889831.12345679";

const IDENTITY: [&str; 6] = [
    "/event_data/player_id",
    "/event_id",
    "/idempotency_key",
    "/request_id",
    "/transaction_id",
    "/context/order/id",
];

fn random_events(generator: &mut Generator, count: usize) -> Vec<Event> {
    (0..count).map(|_| generator.random_event()).collect()
}

fn json(event: &Event) -> Value {
    serde_json::to_value(event).expect("serialises")
}

#[test]
fn runs_at_different_times_share_content_but_no_identity() {
    let first = random_events(&mut generator_at(7, START), 500);
    let later = random_events(&mut generator_at(7, LATER), 500);
    let mut identities = HashSet::new();
    for (first, later) in first.iter().zip(&later) {
        let (mut first, mut later) = (json(first), json(later));
        let player_id = |event: &Value| event["event_data"]["player_id"].clone();
        for event in [&first, &later] {
            if let Some(player) = event.pointer("/context/player/id") {
                assert_eq!(*player, player_id(event));
            }
        }
        for event in [&mut first, &mut later] {
            for pointer in IDENTITY.iter().chain(&["/context/player/id"]) {
                let Some(value) = event.pointer_mut(pointer) else {
                    continue;
                };
                if let Value::String(id) = value.take()
                    && *pointer != "/context/player/id"
                {
                    assert!(identities.insert(id.clone()), "duplicate {pointer}: {id}");
                }
            }
        }
        assert_eq!(first, later);
    }
    assert!(identities.len() > 4_000);
}

#[test]
fn the_same_seed_and_start_give_the_same_bytes() {
    let bodies = |seed| -> Vec<String> {
        let mut generator = generator(seed);
        let events = random_events(&mut generator, 50);
        events.iter().map(body).collect()
    };
    assert_eq!(bodies(7), bodies(7));
    assert_ne!(bodies(7), bodies(8));
}

#[test]
fn an_events_bytes_do_not_depend_on_earlier_shapes() {
    let second_after = |first: &str| {
        let mut generator = generator(7);
        generator.event(&shape(first));
        body(&generator.event(&shape("{}")))
    };
    let plain = second_after("{}");
    assert_eq!(
        plain,
        second_after("item: { bundle: [{}, {}], fallback: {} }")
    );
    assert_eq!(
        plain,
        second_after("{ player_id: P1, context: { order: true } }")
    );
}

#[test]
fn a_given_id_does_not_change_other_ids() {
    let mut generated = json(&generator(7).event(&shape("request_id: true")));
    let given = "{ player_id: P1, transaction_id: T1, request_id: R1 }";
    let given = json(&generator(7).event(&shape(given)));
    generated["event_data"]["player_id"] = "P1".into();
    generated["transaction_id"] = "T1".into();
    generated["request_id"] = "R1".into();
    assert_eq!(generated, given);
}

#[test]
fn ids_never_repeat() {
    let mut generator = generator(7);
    let mut ids = HashSet::new();
    for _ in 0..200 {
        let event = generator.random_event();
        for id in [
            event.event_data.player_id.into_owned(),
            event.event_id.into_owned(),
            event.idempotency_key.into_owned(),
            event.transaction_id.into_owned(),
            generator.player_id(None),
            generator.event_id(),
            generator.transaction_id(None),
        ] {
            assert!(ids.insert(id.clone()), "duplicate ID: {id}");
        }
    }
}

#[test]
fn the_game_id_is_the_default_unless_another_is_set() {
    let game = |generator: &mut Generator| generator.random_event().game_id.into_owned();
    assert_eq!(game(&mut generator(1)), Generator::DEFAULT_GAME_ID);
    assert_eq!(
        game(&mut generator_at(2, LATER)),
        Generator::DEFAULT_GAME_ID
    );
    let mut named = generator(1);
    named.game_id = "gm_1".into();
    assert_eq!(game(&mut named), "gm_1");
}

#[test]
fn events_use_only_items_of_the_games_own_catalogue() {
    for count in 1..8 {
        let items: Vec<CatalogueItem> = (0..count)
            .map(|number| CatalogueItem::named(&format!("own_{number}")))
            .collect();
        let mut generator = generator(7);
        generator.catalogue = Arc::new(Catalogue::of(items));
        let mut skus = HashSet::new();
        let mut deepest = 0;
        for _ in 0..300 {
            let event = generator.random_event();
            for (depth, item) in super::items_of(&event) {
                deepest = deepest.max(depth);
                skus.insert(item["sku"].as_str().expect("an SKU").to_owned());
            }
        }
        assert!(skus.iter().all(|sku| sku.starts_with("own_")), "{skus:?}");
        assert_eq!(skus.len(), count);
        let expected = match count {
            1 => 0,
            2..=4 => 1,
            _ => 2,
        };
        assert_eq!(deepest, expected, "{count} items");
    }
}

#[test]
fn marked_items_are_the_skus_of_bundles_and_of_nothing_else() {
    for (plain, bundles) in [(1, 1), (3, 1), (7, 2)] {
        let items = (0..plain + bundles).map(|number| CatalogueItem {
            bundle: number < bundles,
            ..CatalogueItem::named(&format!(
                "{}_{number}",
                if number < bundles { "chest" } else { "own" }
            ))
        });
        let mut generator = generator(7);
        generator.catalogue = Arc::new(Catalogue::of(items.collect()));
        let mut seen = 0;
        for _ in 0..300 {
            for (_, item) in super::items_of(&generator.random_event()) {
                let is_chest = item["sku"].as_str().expect("an SKU").starts_with("chest");
                assert_eq!(item["type"] == "bundle", is_chest, "{item}");
                seen += usize::from(is_chest);
            }
        }
        assert!(seen > 0);
    }
}
