//! The items that the profile lists: bundles that the game knows only by some SKUs, and mistyped SKUs.

use serde_json::{Value, json};

use crate::mistake::SetUp;
use crate::support::{Game, PeerResponse, Transcript};

const CHESTS: [&str; 2] = ["starter_chest", "dragon_chest"];
const PLAIN: [&str; 4] = ["gems", "gold", "sword", "shield"];

/// The plain items in an item, or why it is refused.
fn contents(item: &Value, times: i64) -> Result<Vec<(String, i64)>, String> {
    let sku = item["sku"].as_str().unwrap_or_default();
    let quantity = item["quantity"].as_i64().unwrap_or_default() * times;
    let is_bundle = item["type"] == "bundle";
    if !(if is_bundle { &CHESTS[..] } else { &PLAIN[..] }).contains(&sku) {
        return Err(format!("unknown sku {sku}"));
    }
    if !is_bundle {
        return Ok(vec![(sku.to_owned(), quantity)]);
    }
    let parts = item["nested_items"].as_array().into_iter().flatten();
    let parts: Result<Vec<_>, _> = parts.map(|part| contents(part, quantity)).collect();
    Ok(parts?.concat())
}

/// A correct game that knows only its own SKUs. It grants redeliveries again, which nothing here checks.
fn strict() -> Game {
    Game::new(
        |event, inventories| match contents(&event["event_data"]["item"], 1) {
            Ok(granted) => {
                for (sku, quantity) in granted {
                    Game::grant(inventories, event, &sku, quantity);
                }
                PeerResponse::new(200)
            }
            Err(reason) => PeerResponse::new(422).json(&json!({ "err": reason })),
        },
    )
}

const ITEMS: &str = "    items:\n      - sku: gems\n      - sku: gold\n      - sku: sword\n";
const MARKED: &str = "      - { sku: starter_chest, bundle: true }\n      - { sku: dragon_chest, bundle: \
                      true }\n";

/// Scenarios with plain items and bundles.
fn set_up(game: &Game, items: &str) -> SetUp {
    let mut set_up = SetUp::of_game(game).with_file("aghook.yaml", &game.config(items));
    for (name, item, count) in [
        ("bundle", "{ bundle: [{}, { bundle: [{}] }] }", 4),
        ("plain", "{}", 12),
    ] {
        let events = (1..=count).map(|number| format!("  e{number}: {{ item: {item} }}\n"));
        let deliver = (1..=count).map(|number| format!("e{number}, "));
        let deliver = deliver.collect::<String>();
        let effects = (1..=count).map(|number| format!("  - granted: e{number}\n"));
        let scenario = format!(
            "name: {name}\nevents:\n{}steps:\n  - deliver: [{}]\n    expect: {{ status: 2xx }}\neffects:\n{}",
            events.collect::<String>(),
            deliver.trim_end_matches(", "),
            effects.collect::<String>()
        );
        set_up = set_up.with_file(&format!("suite/{name}.yaml"), &scenario);
    }
    set_up
}

#[test]
fn a_game_that_knows_only_some_skus_as_bundles() {
    let game = strict();
    let marked = set_up(&game, &format!("{ITEMS}{MARKED}"));
    marked.aghook(&["run", "suite"]).ends_with(0);
    marked.aghook(&["doctor"]).says(&[
        "✓ items: all 3 SKUs accepted",
        "✓ bundles: 2 bundles with others inside were accepted and granted as expected",
    ]);
    for _ in 0..5 {
        marked
            .aghook(&["fire", "--bundle", "--fallback"])
            .ends_with(0);
    }
}

#[test]
fn bundles_that_are_refused_lead_to_the_key_for_them() {
    let game = strict();
    let unmarked = set_up(&game, ITEMS);
    let advice = "mark your bundle SKUs in `items` with `bundle: true`";
    says(&unmarked.aghook(&["run", "suite"]).ends_with(1), advice);
    says(&unmarked.aghook(&["fire", "--bundle"]), advice);
    let doctor = unmarked.aghook(&["doctor"]);
    says(&doctor, advice);
    says(&doctor, "? bundles: refused, unlike plain items: ");
}

#[test]
fn bundles_that_are_accepted_but_not_granted_are_named() {
    let game = Game::new(|event, inventories| {
        if event["event_data"]["item"]["type"] != "bundle" {
            Game::grant_item(inventories, event);
        }
        PeerResponse::new(200)
    });
    let doctor = set_up(&game, ITEMS).aghook(&["doctor"]).ends_with(1);
    says(
        &doctor,
        "✗ bundles: 1 bundle with another one inside was accepted, but ",
    );
    says(&doctor, "grant every part of a bundle, with its quantity");
    let text = game.config(ITEMS);
    let (without_probe, _) = text.split_once("    probes:").expect("a probe");
    let without_probe = format!("{without_probe}    settle: 0s\n{ITEMS}");
    let doctor = set_up(&game, ITEMS).with_file("aghook.yaml", &without_probe);
    says(
        &doctor.aghook(&["doctor"]),
        "? bundles: 1 bundle with another one inside was accepted; grants not checked: the profile has no probe `quantity`",
    );
}

#[test]
fn only_bundles_are_a_mistake_in_the_profile() {
    let game = strict();
    set_up(&game, &format!("    items:\n{MARKED}"))
        .aghook(&["run", "suite"])
        .ends_with(2)
        .says(&["`items` lists only bundles: list a plain item, too"]);
}

#[test]
fn a_mistyped_sku_is_named_and_says_nothing_about_the_game() {
    let game = strict();
    let set_up = set_up(&game, &format!("{ITEMS}      - sku: shild\n{MARKED}"));
    set_up.is_named_by_doctor(3, "1 of 4 SKUs refused: `shild` (422: ", "items");
    for _ in 0..5 {
        // A bundle with this SKU is refused, too.
        let doctor = set_up.aghook(&["doctor"]);
        doctor.does_not_say(&["with `bundle: true`"]);
    }
    let run = set_up.aghook(&["run", "suite"]).ends_with(3);
    says(
        &run,
        "✗ problem 1: the receiver refuses `shild`, which `items` lists, in ",
    );
    says(&run, "and accepts other items");
    says(&run, "correct these SKUs under `items` in the profile");
    run.does_not_say(&["problem 2", "key was kept", "likely"]);
}

/// Whatever the line breaks.
#[track_caller]
fn says(transcript: &Transcript, words: &str) {
    let text = transcript.text();
    let words_of = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words_of(&text).contains(&words_of(words)),
        "no `{words}` in {text}"
    );
}
