//! A game that holds another SKU and another quantity than Aghanim sells: `held_as` and `times`.

use std::collections::HashSet;
use std::sync::Mutex;

use serde_json::Value;

use crate::support::{Folder, Game, Inventories, PeerResponse, Transcript, with_effect};

const ITEMS: &str =
    "    items: [{ sku: gems, held_as: gold, times: 1000 }]\n    policy: { bundles: sku }\n";

/// A receiver that grants each coupon once, with `grant`.
fn game(grant: fn(&mut Inventories, &Value, &str, i64)) -> Game {
    let seen = Mutex::new(HashSet::new());
    Game::new(move |event, inventories| {
        let key = event["idempotency_key"].to_string();
        if seen.lock().expect("a lock").insert(key) {
            let item = &event["event_data"]["item"];
            let sku = item["sku"].as_str().unwrap_or_default();
            grant(
                inventories,
                event,
                sku,
                item["quantity"].as_i64().unwrap_or(0),
            );
        }
        PeerResponse::new(200)
    })
}

fn sound(inventories: &mut Inventories, event: &Value, sku: &str, quantity: i64) {
    match sku {
        "gems" => Game::grant(inventories, event, "gold", quantity * 1000),
        other => Game::grant(inventories, event, other, quantity),
    }
}

fn without_times(inventories: &mut Inventories, event: &Value, sku: &str, quantity: i64) {
    let sku = if sku == "gems" { "gold" } else { sku };
    Game::grant(inventories, event, sku, quantity);
}

fn same_sku(inventories: &mut Inventories, event: &Value, sku: &str, quantity: i64) {
    Game::grant(inventories, event, sku, quantity * 1000);
}

fn run(game: &Game, effect: &str, arguments: &[&str]) -> Transcript {
    let folder =
        Folder::with_scenario(&with_effect(effect)).with("aghook.yaml", game.config(ITEMS));
    Transcript::of(&mut folder.run(arguments))
}

#[test]
fn a_scenario_expects_what_the_game_holds() {
    for effect in [
        "granted: welcome",
        "{ probe: quantity, of: welcome, change: 5 }",
        "{ probe: quantity, of: welcome, sku: gold, change: 5000 }",
    ] {
        run(&game(sound), effect, &[]).ends_with(0);
        run(&game(without_times), effect, &[]).ends_with(1);
        run(&game(same_sku), effect, &[]).ends_with(1);
    }
    run(&game(without_times), "granted: welcome", &[]).says(&["gold changed by 5 instead of 5000"]);
    run(&game(same_sku), "granted: welcome", &[]).says(&["gold changed by 0 instead of 5000"]);
    run(&game(sound), "not_granted: welcome", &[])
        .ends_with(1)
        .says(&["gold changed by 5000 instead of 0"]);
    run(&game(sound), "granted: welcome", &["--dry-run"]).says(&["5000 gold"]);
}

#[test]
fn a_load_and_its_replay_expect_what_the_game_holds() {
    let load = "load --rate max --count 20 --check-effects all --drain 2s";
    let load: Vec<&str> = load.split(' ').collect();
    let folder = Folder::new().with("aghook.yaml", game(sound).config(ITEMS));
    Transcript::of(&mut folder.aghook(&load)).ends_with(0);
    let flawed = game(without_times);
    let folder = Folder::new().with("aghook.yaml", flawed.config(ITEMS));
    Transcript::of(&mut folder.aghook(&load)).ends_with(1);
    Transcript::of(&mut folder.aghook(&["replay", "aghook-failures.jsonl"]))
        .ends_with(1)
        .says(&["gold changed by"]);
    // No probe shows any change, so the profile may be wrong.
    let other_sku = game(same_sku);
    let folder = Folder::new().with("aghook.yaml", other_sku.config(ITEMS));
    Transcript::of(&mut folder.aghook(&load))
        .ends_with(3)
        .says(&["holds the item under another SKU"]);
}

/// Two SKUs become gold, in a bundle and in a fallback.
#[test]
fn bundles_and_fallbacks_are_granted_as_the_game_holds_them() {
    let items = "    items:\n      - { sku: gems, held_as: gold, times: 1000 }\n      - { sku: coins, held_as: gold, times: \
                 10 }\n      - { sku: hat, held_as: cap }\n    policy: { bundles: nested }\n";
    let scenario = "name: an effect\nevents:\n  chest:\n    item:\n      sku: chest\n      quantity: 2\n      bundle: [{ \
                    sku: gems, quantity: 3 }, { sku: coins, quantity: 4 }, { sku: x, quantity: 1 }]\n  either:\n    \
                    item: { sku: hat, quantity: 1, fallback: { sku: coins, quantity: 7 } }\nsteps:\n  - deliver: \
                    [chest, either]\neffects:\n  - granted: chest\n  - granted: either\n";
    // 2 × (3 × 1000 + 4 × 10) gold for the chest; a cap, or 70 gold.
    for (gold, x, either, code) in [
        (6080, 2, ("cap", 1), 0),
        (6080, 2, ("gold", 70), 0),
        (6080, 2, ("gold", 7), 1),
        (6080, 2, ("hat", 1), 1),
        (6014, 2, ("cap", 1), 1),
        (3040, 1, ("cap", 1), 1),
    ] {
        let game = Game::new(move |event, inventories| {
            if event["event_data"]["item"]["sku"] == "chest" {
                Game::grant(inventories, event, "gold", gold);
                Game::grant(inventories, event, "x", x);
            } else {
                Game::grant(inventories, event, either.0, either.1);
            }
            PeerResponse::new(200)
        });
        let folder = Folder::with_scenario(scenario).with("aghook.yaml", game.config(items));
        Transcript::of(&mut folder.run(&[])).ends_with(code);
    }
}
