//! Flaws in deciding what an event grants.

use aghook::internals::receiver::{BundleHandling, Flaw};
use serde_json::{Value, json};

use super::peer::{PLAYER, Pair, QUANTITY, SKU, bundle, event, event_of, nested, pair, pair_with};

/// What the sound and the flawed receiver grant for an event.
async fn grants(pair: &Pair, event: &Value, skus: &[&str]) -> (Vec<String>, Vec<String>) {
    let (mut sound, mut flawed) = (Vec::new(), Vec::new());
    for (peer, held) in [(pair.sound, &mut sound), (pair.flawed, &mut flawed)] {
        // The second delivery must not change the inventory.
        for _ in 0..2 {
            assert_eq!(peer.deliver(event).await, 200);
        }
        for sku in skus {
            held.push(peer.held(PLAYER, sku).await);
        }
    }
    (sound, flawed)
}

/// A bundle of 3 gems and two pouches, each with 5 coins and a box of 7 dust.
fn deep_bundle() -> Value {
    let dust = nested("box", 1, Some(&json!([nested("dust", 7, None)])));
    let pouch = nested("pouch", 2, Some(&json!([nested("coins", 5, None), dust])));
    bundle(&json!([nested("gems", 3, None), pouch]))
}

const DEEP_SKUS: [&str; 6] = ["chest", "gems", "pouch", "coins", "box", "dust"];

pub(crate) async fn sandbox_granted() {
    let pair = pair(Flaw::SandboxGranted).await;
    let mut sandbox = event();
    sandbox["sandbox"] = json!(true);
    let (sound, flawed) = grants(&pair, &sandbox, &[SKU]).await;
    assert_eq!((&*sound[0], &*flawed[0]), ("0", QUANTITY));
    let mut test = sandbox;
    test["trigger"] = json!("test");
    test["idempotency_key"] = json!("another");
    assert_eq!(pair.flawed.deliver(&test).await, 200);
    assert_eq!(pair.flawed.held(PLAYER, SKU).await, QUANTITY);
}

pub(crate) async fn player_environment_kept() {
    let Pair { sound, flawed } = pair(Flaw::PlayerEnvironmentKept).await;
    for (first_is_sandbox, held_by_flawed) in [(true, "0"), (false, "960000")] {
        let player = format!("sandbox first: {first_is_sandbox}");
        for (peer, held) in [(sound, QUANTITY), (flawed, held_by_flawed)] {
            for sandbox in [first_is_sandbox, !first_is_sandbox] {
                let mut event = event_of(&player);
                event["sandbox"] = json!(sandbox);
                assert_eq!(peer.deliver(&event).await, 200);
            }
            assert_eq!(peer.held(&player, SKU).await, held);
        }
    }
}

pub(crate) async fn test_granted() {
    let pair = pair(Flaw::TestGranted).await;
    let mut test = event();
    test["trigger"] = json!("test");
    let (sound, flawed) = grants(&pair, &test, &[SKU]).await;
    assert_eq!((&*sound[0], &*flawed[0]), ("0", QUANTITY));
    let mut sandbox = test;
    sandbox["sandbox"] = json!(true);
    sandbox["idempotency_key"] = json!("another");
    assert_eq!(pair.flawed.deliver(&sandbox).await, 200);
    assert_eq!(pair.flawed.held(PLAYER, SKU).await, QUANTITY);
}

pub(crate) async fn bundle_granted_twice() {
    let nested_pair = pair(Flaw::BundleGrantedTwice).await;
    let (sound, flawed) = grants(&nested_pair, &deep_bundle(), &DEEP_SKUS).await;
    assert_eq!(sound, ["0", "3", "0", "10", "0", "14"]);
    assert_eq!(flawed, ["1", "3", "2", "10", "2", "14"]);
    let sku_pair = pair_with(Flaw::BundleGrantedTwice, |settings| {
        settings.bundles = BundleHandling::Sku;
    });
    let (sound, flawed) = grants(&sku_pair.await, &deep_bundle(), &DEEP_SKUS).await;
    assert_eq!(sound, ["1", "0", "0", "0", "0", "0"]);
    assert_eq!(flawed, ["1", "3", "2", "10", "2", "14"]);
    let (sound, flawed) = grants(&nested_pair, &event(), &[SKU]).await;
    assert_eq!(sound, flawed);
}

pub(crate) async fn test_by_code() {
    let Pair { sound, flawed } = pair(Flaw::TestByCode).await;
    for (peer, held) in [(sound, QUANTITY), (flawed, "0")] {
        for code in ["Testers", "SANDBOX-1"] {
            let mut event = event_of(code);
            event["event_data"]["coupon"]["code"] = json!(code);
            assert_eq!(peer.deliver(&event).await, 200);
            assert_eq!(peer.held(code, SKU).await, held);
        }
        assert_eq!(peer.deliver(&event()).await, 200);
        assert_eq!(peer.held(PLAYER, SKU).await, QUANTITY);
    }
}

async fn player_changed(flaw: Flaw, changed: &[(&str, &str)], kept: &str) {
    let Pair { sound, flawed } = pair(flaw).await;
    for peer in [sound, flawed] {
        for (player, other) in changed {
            assert_eq!(peer.deliver(&event_of(player)).await, 200);
            let (own, others) = if peer.address == sound.address {
                (QUANTITY, "0")
            } else {
                ("0", QUANTITY)
            };
            assert_eq!(peer.held(player, SKU).await, own);
            assert_eq!(peer.held(other, SKU).await, others);
        }
        assert_eq!(peer.deliver(&event_of(kept)).await, 200);
        assert_eq!(peer.held(kept, SKU).await, QUANTITY);
    }
}

pub(crate) async fn player_id_rounded() {
    let changed = [("76561198012345679", "76561198012345680")];
    player_changed(Flaw::PlayerIdRounded, &changed, "1234").await;
}

pub(crate) async fn player_id_unescaped() {
    let changed = [("ann%41", "annA"), ("bob+1", "bob 1")];
    player_changed(Flaw::PlayerIdUnescaped, &changed, "cas-&").await;
}

pub(crate) async fn balance_32_bit() {
    let Pair { sound, flawed } = pair(Flaw::Balance32Bit).await;
    for (peer, held) in [(sound, "3000000000"), (flawed, "-1294967296")] {
        for held in ["1500000000", held] {
            let mut event = event();
            event["event_data"]["item"]["quantity"] = json!(1_500_000_000);
            assert_eq!(peer.deliver(&event).await, 200);
            assert_eq!(peer.held(PLAYER, SKU).await, held);
        }
    }
}

pub(crate) async fn bundle_not_opened() {
    let pair = pair(Flaw::BundleNotOpened).await;
    let (sound, flawed) = grants(&pair, &deep_bundle(), &DEEP_SKUS).await;
    assert_eq!(sound, ["0", "3", "0", "10", "0", "14"]);
    assert_eq!(flawed, ["1", "0", "0", "0", "0", "0"]);
}

pub(crate) async fn first_level_only() {
    let pair = pair(Flaw::FirstLevelOnly).await;
    let (sound, flawed) = grants(&pair, &deep_bundle(), &DEEP_SKUS).await;
    assert_eq!(sound, ["0", "3", "0", "10", "0", "14"]);
    assert_eq!(flawed, ["0", "3", "2", "0", "0", "0"]);
}

pub(crate) async fn third_level_not_opened() {
    let pair = pair(Flaw::ThirdLevelNotOpened).await;
    let (sound, flawed) = grants(&pair, &deep_bundle(), &DEEP_SKUS).await;
    assert_eq!(sound, ["0", "3", "0", "10", "0", "14"]);
    assert_eq!(flawed, ["0", "3", "0", "10", "2", "0"]);
}

pub(crate) async fn deep_bundle_skipped() {
    let pair = pair(Flaw::DeepBundleSkipped).await;
    let (sound, flawed) = grants(&pair, &deep_bundle(), &DEEP_SKUS).await;
    assert_eq!(sound, flawed);
    let mut contents = json!([nested("dust", 7, None)]);
    for sku in ["box", "pouch", "crate"] {
        contents = json!([nested("coins", 1, None), nested(sku, 1, Some(&contents))]);
    }
    let mut deeper = bundle(&contents);
    deeper["idempotency_key"] = json!("another");
    deeper["event_data"]["player_id"] = json!("another");
    for (peer, dust) in [(pair.sound, "7"), (pair.flawed, "0")] {
        assert_eq!(peer.deliver(&deeper).await, 200);
        assert_eq!(peer.held("another", "coins").await, "3");
        assert_eq!(peer.held("another", "dust").await, dust);
    }
}

pub(crate) async fn every_second_bundle_closed() {
    let pair = pair(Flaw::EverySecondBundleClosed).await;
    let contents = json!([nested("coins", 7, None)]);
    for (key, closed) in [("one", "0"), ("two", "1"), ("three", "0")] {
        let mut event = bundle(&contents);
        event["idempotency_key"] = json!(key);
        event["event_data"]["player_id"] = json!(key);
        let sku = event["event_data"]["item"]["sku"].as_str().expect("an SKU");
        for (peer, closed) in [(&pair.sound, "0"), (&pair.flawed, closed)] {
            assert_eq!(peer.deliver(&event).await, 200);
            assert_eq!(peer.held(key, sku).await, closed, "{key}");
            let coins = if closed == "0" { "7" } else { "0" };
            assert_eq!(peer.held(key, "coins").await, coins, "{key}");
        }
    }
}

pub(crate) async fn nested_quantity_ignored() {
    let pair = pair(Flaw::NestedQuantityIgnored).await;
    let (sound, flawed) = grants(&pair, &deep_bundle(), &DEEP_SKUS).await;
    assert_eq!(sound, ["0", "3", "0", "10", "0", "14"]);
    assert_eq!(flawed, ["0", "1", "0", "1", "0", "1"]);
    let (sound, flawed) = grants(&pair, &event(), &[SKU]).await;
    assert_eq!(sound, flawed);
}

pub(crate) async fn fallback_granted_too() {
    let pair = pair_with(Flaw::FallbackGrantedToo, |settings| {
        settings.cannot_grant = ["sword".to_owned()].into();
    });
    let pair = pair.await;
    let mut fallback = nested("coins", 7, None);
    fallback["fallback_item"] = Value::Null;
    let mut event = event();
    event["event_data"]["item"]["fallback_item"] = fallback;
    let (sound, flawed) = grants(&pair, &event, &[SKU, "coins"]).await;
    assert_eq!(sound, [QUANTITY, "0"]);
    assert_eq!(flawed, [QUANTITY, "7"]);
    // If the main item can't be granted, a sound receiver grants the fallback once.
    event["event_data"]["item"]["sku"] = json!("sword");
    event["idempotency_key"] = json!("another");
    let (sound, flawed) = grants(&pair, &event, &["sword", "coins"]).await;
    assert_eq!(sound, ["0", "7"]);
    assert_eq!(flawed, ["0", "14"]);
}

pub(crate) async fn only_hub_redeem_granted() {
    let Pair { sound, flawed } = pair(Flaw::OnlyHubRedeemGranted).await;
    let mut null = event();
    null["trigger"] = serde_json::Value::Null;
    assert_eq!(sound.deliver(&null).await, 200);
    assert_eq!(flawed.deliver(&null).await, 200);
    assert_eq!(sound.held(PLAYER, SKU).await, QUANTITY);
    assert_eq!(flawed.held(PLAYER, SKU).await, "0");
    assert_eq!(flawed.deliver(&event()).await, 200);
    assert_eq!(flawed.held(PLAYER, SKU).await, QUANTITY);
}
