//! Probes that read several values in one request, and probes that read text.

use std::sync::{Arc, Mutex};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::support::{Folder, Inventories, Peer, PeerRequest, PeerResponse, Transcript};

/// A bundle: its event has several SKUs.
const BUNDLE: &str = "name: a bundle is granted once
events:
  coupon:
    player_id: \"it's \\\"P\\\", 1\"
    item:
      sku: chest
      quantity: 1
      bundle: [{ sku: gems, quantity: 3 }, { sku: \"o'hat\", quantity: 1 }]
steps:
  - deliver: coupon
    expect: { status: 2xx }
effects:
  - granted: coupon
";

/// A game that grants the nested items of a bundle, and answers requests other than deliveries with
/// `read`. Also returns the paths of those requests.
fn game(read: fn(&PeerRequest, &Inventories) -> PeerResponse) -> (Peer, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (paths, inventories) = (Arc::clone(&asked), Mutex::new(Inventories::new()));
    let peer = Peer::answering(move |request| {
        let mut inventories = inventories.lock().expect("a lock");
        if request.path != "/hook" {
            paths.lock().expect("a lock").push(request.path.clone());
            return read(request, &inventories);
        }
        let data = &request.json()["event_data"];
        let player = data["player_id"].as_str().expect("a player");
        for item in data["item"]["nested_items"].as_array().expect("items") {
            let sku = item["sku"].as_str().expect("a SKU").to_owned();
            let held = inventories.entry((player.to_owned(), sku)).or_default();
            *held += item["quantity"].as_i64().expect("a quantity");
        }
        PeerResponse::new(200)
    });
    (peer, asked)
}

fn run(peer: &Peer, scenario: &str, probe: &str) -> Transcript {
    let probe = probe.replace("BASE", &format!("http://{}", peer.address));
    let config = format!(
        "profiles:\n  game:\n    target: {}\n    settle: 0s\n    policy: {{ bundles: nested }}\n    \
         probes:\n      {probe}\n",
        peer.url()
    );
    let folder = Folder::with_scenario(scenario).with("aghook.yaml", config);
    Transcript::of(&mut folder.run(&["--strict"]))
}

/// What one player holds, by SKU.
fn inventory(inventories: &Inventories, player: &str) -> Value {
    let own = inventories.iter().filter(|((owner, _), _)| owner == player);
    let own = own.map(|((_, sku), held)| (sku.clone(), json!(held)));
    Value::Object(own.collect::<Map<_, _>>())
}

fn decoded(text: &str) -> String {
    let decoded = percent_decode_str(text).decode_utf8().expect("UTF-8");
    decoded.into_owned()
}

#[test]
fn one_request_reads_all_skus_of_a_player() {
    let (peer, asked) = game(|request, inventories| {
        let player = decoded(request.path.trim_start_matches("/players/"));
        PeerResponse::new(200).json(&json!({ "items": inventory(inventories, &player) }))
    });
    let probe = "quantity: { http: \"GET BASE/players/{player_id}\", read: \"$.items['{sku}']\", \
                 missing: 0 }";
    run(&peer, BUNDLE, probe).ends_with(0).says(&["1 passed"]);
    let asked = asked.lock().expect("a lock");
    // Once before the steps and once after them.
    assert_eq!(asked.len(), 2, "{asked:?}");
}

#[test]
fn one_request_reads_lists_of_players_and_skus() {
    let (peer, asked) = game(|request, inventories| {
        let list = |name: &str| -> Vec<String> {
            let (_, rest) = request
                .path
                .split_once(&format!("{name}="))
                .expect("a list");
            let value = rest.split('&').next().unwrap_or_default();
            serde_json::from_str(&decoded(value)).expect("a JSON list")
        };
        assert_eq!(list("skus"), ["chest", "gems", "o'hat"]);
        let players = list("players").into_iter();
        let held = players.map(|player| {
            let held = inventory(inventories, &player);
            (player, held)
        });
        PeerResponse::new(200).json(&Value::Object(held.collect()))
    });
    let probe =
        "quantity: { http: \"GET BASE/held?players={player_ids}&skus={skus}\", missing: 0 }";
    run(&peer, BUNDLE, probe).ends_with(0).says(&["1 passed"]);
    assert_eq!(asked.lock().expect("a lock").len(), 2);
}

#[cfg(unix)]
#[test]
fn a_command_prints_a_line_for_each_value() {
    let (peer, _) = game(|_, inventories| {
        let lines = inventories.iter();
        let lines = lines.map(|((player, sku), held)| format!("{player}\t{sku}\t{held}\n"));
        PeerResponse::new(200).body(lines.collect::<String>())
    });
    let probe = "quantity: { command: [curl, --silent, BASE/held, --header, \"x: {player_ids}\"], \
                 missing: 0 }";
    run(&peer, BUNDLE, probe).ends_with(0).says(&["1 passed"]);
}

#[test]
fn a_request_that_fails_is_named_once_for_all_its_values() {
    let (peer, asked) = game(|_, _| PeerResponse::new(500).body("no such table"));
    let probe = "quantity: { http: \"GET BASE/held?players={player_ids}\", missing: 0, \
                 read: \"$['{player_id}']['{sku}']\" }";
    run(&peer, BUNDLE, probe)
        .ends_with(3)
        .says(&["/held?players={player_ids} returned 500 (no such table)"]);
    assert!(asked.lock().expect("a lock").len() <= 2);
}

/// A scenario with the order of a coupon, which the game has only after the delivery.
fn order(effect: &str) -> String {
    format!(
        "name: an order\nevents: {{ coupon: {{}} }}\nsteps: [{{ deliver: coupon }}]\n\
         effects: [{{ probe: order, of: coupon, {effect} }}]\n"
    )
}

fn with_orders(effect: &str) -> Transcript {
    let known = Mutex::new(false);
    let peer = Peer::answering(move |request| {
        let mut known = known.lock().expect("a lock");
        match (&*request.path, *known) {
            ("/hook", _) => {
                *known = true;
                PeerResponse::new(200)
            }
            (_, true) => {
                PeerResponse::new(200).json(&json!({ "state": "paid", "title": "Gold 7" }))
            }
            (_, false) => PeerResponse::new(404),
        }
    });
    let read = if effect.contains("matches") {
        "title"
    } else {
        "state"
    };
    let probe = format!("order: {{ http: \"GET BASE/orders/{{player_id}}\", read: $.{read} }}");
    run(&peer, &order(effect), &probe)
}

#[test]
fn a_text_is_compared_after_the_steps() {
    with_orders("equals: paid").ends_with(0).says(&["1 passed"]);
    with_orders(r"matches: '^Gold \d$'")
        .ends_with(0)
        .says(&["1 passed"]);
    with_orders("equals: refunded").ends_with(1).says(&[
        "probe order of coupon",
        "expected  \"refunded\"",
        "observed  \"paid\"",
    ]);
    with_orders("matches: ^Silver")
        .ends_with(1)
        .says(&["expected  matches /^Silver/", "observed  \"Gold 7\""]);
}

#[test]
fn a_text_is_no_number() {
    with_orders("after: 3")
        .ends_with(3)
        .says(&["probe `order` failed"]);
}

#[test]
fn a_probe_that_can_not_work_is_refused_with_its_place() {
    let (peer, _) = game(|_, _| PeerResponse::new(200));
    for (probe, expected) in [
        (
            "http: \"GET BASE/{player_id}/{player_ids}\"",
            "`{player_id}` and `{player_ids}` can't both be used",
        ),
        (
            "http: \"GET BASE/{skus}\", read: $.n",
            "add `{sku}`, as in `$['{sku}']`",
        ),
        (
            "command: [x, \"{player_ids}\"], read: \"$['{sku}']\"",
            "add `{player_id}`, as in `$['{player_id}']`",
        ),
        (
            "http: \"GET BASE/{player_id}\", read: \"$.{sku}\"",
            "write placeholders in quotation marks",
        ),
        (
            "http: \"GET BASE/{player_id}\", read: \"$['{skus}']\"",
            "unknown placeholder `{skus}`",
        ),
        (
            "http: \"GET BASE/{players}\"",
            "known placeholders: {player_id}, {sku}, {player_ids}, {skus}",
        ),
    ] {
        run(&peer, BUNDLE, &format!("quantity: {{ {probe} }}"))
            .ends_with(2)
            .says(&["aghook.yaml:7:", expected]);
    }
}

#[test]
fn an_effect_has_one_expected_value() {
    let (peer, _) = game(|_, _| PeerResponse::new(200));
    for (effect, expected) in [
        (
            "equals: a, after: 3",
            "exactly one of `change`, `after`, `equals` and `matches`",
        ),
        (
            "of: coupon",
            "exactly one of `change`, `after`, `equals` and `matches`",
        ),
        ("matches: '('", "invalid regular expression `(`"),
        ("equal: paid", "unknown key `equal`"),
    ] {
        let scenario = order(effect).replace("of: coupon, of: coupon", "of: coupon");
        run(&peer, &scenario, "order: { http: GET BASE/x }")
            .ends_with(2)
            .says(&["scenario.yaml:4:", expected]);
    }
}
