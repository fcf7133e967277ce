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
