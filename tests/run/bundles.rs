//! How a game grants bundles is its own choice, but it grants all of them in the same way.

use crate::support::{Folder, Game, PeerResponse, Transcript};

const SCENARIO: &str = "name: deep\nevents:\n  chest: { item: { bundle: [{}, { bundle: [{ bundle: [{}] }] }] } }\n\
                        steps:\n  - deliver: chest\n    expect: { status: 2xx }\neffects:\n  - granted: chest\n";

/// A game that opens bundles down to this depth and grants deeper ones by their SKU.
fn opening(levels: usize) -> Game {
    Game::new(move |event, inventories| {
        let mut unopened = vec![(event["event_data"]["item"].clone(), 0)];
        while let Some((item, depth)) = unopened.pop() {
            match item["nested_items"].as_array() {
                Some(parts) if depth < levels => {
                    unopened.extend(parts.iter().map(|part| (part.clone(), depth + 1)));
                }
                _ => {
                    let sku = item["sku"].as_str().expect("an SKU");
                    let quantity = item["quantity"].as_i64().expect("a quantity");
                    Game::grant(inventories, event, sku, quantity);
                }
            }
        }
        PeerResponse::new(200)
    })
}

fn run(game: &Game, policy: &str) -> Transcript {
    let folder = Folder::new()
        .with("deep.yaml", SCENARIO)
        .with("aghook.yaml", game.config(policy));
    Transcript::of(&mut folder.aghook(&["run", "deep.yaml"]))
}

#[test]
fn bundles_that_are_granted_in_two_ways_are_warned_about() {
    for levels in [0, 1, 9] {
        run(&opening(levels), "").ends_with(0).says(&["1 passed"]);
    }
    run(&opening(2), "").ends_with(0).says(&[
        "! bundles",
        "some bundles were opened, and others were granted by their SKU",
        "set `bundles` in the profile's `policy`",
    ]);
}

#[test]
fn the_policy_says_how_bundles_are_granted() {
    for (levels, way) in [(0, "sku"), (1, "parts"), (9, "nested")] {
        for policy in ["sku", "parts", "nested"] {
            let code = i32::from(policy != way);
            run(
                &opening(levels),
                &format!("    policy: {{ bundles: {policy} }}\n"),
            )
            .ends_with(code);
        }
    }
}

/// A game that grants the plain items of a bundle, and skips the bundles in it.
fn skipping() -> Game {
    Game::new(|event, inventories| {
        let item = &event["event_data"]["item"];
        let parts = item["nested_items"].as_array();
        for part in parts.map_or(std::slice::from_ref(item), Vec::as_slice) {
            if part["type"] != "bundle" {
                let sku = part["sku"].as_str().expect("an SKU");
                let quantity = part["quantity"].as_i64().expect("a quantity");
                Game::grant(inventories, event, sku, quantity);
            }
        }
        PeerResponse::new(200)
    })
}

/// A bundle of which everything is in another one is not granted at all, for the same cause.
#[test]
fn bundles_in_bundles_that_are_skipped_are_one_problem() {
    let game = skipping();
    let mut folder = Folder::new().with(
        "aghook.yaml",
        game.config("    policy: { bundles: nested }\n"),
    );
    std::fs::create_dir(folder.path("suite")).expect("a folder");
    for (name, events) in [
        ("a plain item", "{ coupon: {} }"),
        ("a bundle", "{ coupon: { item: { bundle: [{}, {}] } } }"),
        (
            "an unknown key",
            "{ coupon: { item: { bundle: [{}, { bundle: [{}] }] }, set: { /event_data/item/rarity: epic } } }",
        ),
        (
            "part of it",
            "{ coupon: { item: { bundle: [{}, {}, { bundle: [{}, {}] }] } } }",
        ),
        (
            "all of it",
            "{ coupon: { item: { bundle: [{ bundle: [{}] }] } } }",
        ),
    ] {
        let scenario = format!(
            "name: {name}\nevents: {events}\nsteps: [{{ deliver: coupon, expect: {{ status: 2xx }} }}]\n\
             effects: [{{ granted: coupon }}]\n"
        );
        folder = folder.with(&format!("suite/{name}.yaml"), scenario);
    }
    Transcript::of(&mut folder.aghook(&["run", "suite"]))
        .ends_with(1)
        .says(&[
            "✗ problem 1: some of the items of an event are not granted: 3 scenarios",
            "→ walk `nested_items` recursively",
            "policy: { bundles: sku }",
            "in common: a bundle in a bundle",
            "\n✗ failed: all of it\n",
            "also in\n    an unknown key",
        ])
        .does_not_say(&[
            "problem 2",
            "respond with 2xx only after the grant is stored",
        ]);
}

/// What such a game would have to say is in the advice.
#[test]
fn a_game_that_grants_bundles_by_their_sku_learns_how_to_say_so() {
    run(&opening(0), "    policy: { bundles: nested }\n")
        .ends_with(1)
        .says(&["set `policy: { bundles: sku }` in the profile"]);
}
