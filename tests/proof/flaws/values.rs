//! Flaws with unusual values: large bodies and bundles, other types, triggers and keys, texts, and IDs
//! that are similar or long.

use aghook::internals::receiver::Flaw;
use serde_json::{Value, json};

use super::interpretation::{fails_with, with, without};
use super::peer::{PLAYER, Pair, QUANTITY, SKU, bundle, event, event_of, nested, pair};

/// An event with a description of this many bytes.
fn described(length: usize) -> Value {
    with("/event_data/item/description", json!("x".repeat(length)))
}

/// An event that has only `items`.
fn only_items() -> Value {
    let item = event()["event_data"]["item"].clone();
    let mut event = without("/event_data/item");
    event["event_data"]["items"] = json!([item]);
    event
}

/// The flawed receiver acknowledges the event but grants `flawed` of the SKU, the sound one `sound`.
async fn grants(flaw: Flaw, event: &Value, sku: &str, [sound, flawed]: [&str; 2]) {
    let pair = pair(flaw).await;
    for (receiver, held) in [(pair.sound, sound), (pair.flawed, flawed)] {
        assert_eq!(receiver.deliver(event).await, 200);
        assert_eq!(receiver.held(PLAYER, sku).await, held);
    }
    let ordinary = event_of("ordinary");
    assert_eq!(pair.flawed.deliver(&ordinary).await, 200);
    assert_eq!(pair.flawed.held("ordinary", SKU).await, QUANTITY);
}

pub(crate) async fn body_limit_8k() {
    fails_with(Flaw::BodyLimit8k, 403, &[described(8 * 1024)]).await;
}

pub(crate) async fn body_limit_64k() {
    fails_with(Flaw::BodyLimit64k, 403, &[described(64 * 1024)]).await;
    let Pair { flawed, .. } = pair(Flaw::BodyLimit64k).await;
    assert_eq!(flawed.deliver(&described(60_000)).await, 200);
}

pub(crate) async fn body_limit_100k() {
    fails_with(Flaw::BodyLimit100k, 413, &[described(100 * 1024)]).await;
    let Pair { flawed, .. } = pair(Flaw::BodyLimit100k).await;
    assert_eq!(flawed.deliver(&described(99_000)).await, 200);
}

pub(crate) async fn other_triggers_refused() {
    let events = ["hub.purchase", "s2s.x"].map(|trigger| with("/trigger", json!(trigger)));
    fails_with(Flaw::OtherTriggersRefused, 422, &events).await;
    let Pair { flawed, .. } = pair(Flaw::OtherTriggersRefused).await;
    assert_eq!(flawed.deliver(&with("/trigger", Value::Null)).await, 200);
}

pub(crate) async fn other_keys_refused() {
    let key = json!("0d6f5bd4-2f8b-4a2b-9f39-0a9c1e7d5a11");
    let events = [with("/idempotency_key", key)];
    fails_with(Flaw::OtherKeysRefused, 422, &events).await;
}

pub(crate) async fn suspicious_text_refused() {
    let texts = ["<SCRIPT>", "' OR '1'='1", "${jndi:ldap://x}"];
    let events = texts.map(|text| with("/event_data/item/name", json!(text)));
    fails_with(Flaw::SuspiciousTextRefused, 403, &events).await;
}

pub(crate) async fn nul_crashes() {
    let events =
        ["name", "description"].map(|key| with(&format!("/event_data/item/{key}"), json!("a\0b")));
    fails_with(Flaw::NulCrashes, 500, &events).await;
}

pub(crate) async fn long_transaction_id_crashes() {
    let long = json!("whtx_eCacGbJVbvToOgzjXUgOCitkQE");
    let events = [with("/transaction_id", long)];
    fails_with(Flaw::LongTransactionIdCrashes, 500, &events).await;
    let Pair { flawed, .. } = pair(Flaw::LongTransactionIdCrashes).await;
    let short = with("/transaction_id", json!("whtx_eCacGbJVbvT"));
    assert_eq!(flawed.deliver(&short).await, 200);
}

pub(crate) async fn item_required() {
    fails_with(Flaw::ItemRequired, 500, &[only_items()]).await;
}

pub(crate) async fn items_only_first() {
    let mut several = only_items();
    let mut second = several["event_data"]["items"][0].clone();
    second["sku"] = json!("gems");
    second["quantity"] = json!(7);
    several["event_data"]["items"]
        .as_array_mut()
        .expect("a list")
        .push(second);
    grants(Flaw::ItemsOnlyFirst, &several, "gems", ["7", "0"]).await;
}

pub(crate) async fn duplicate_sku_last_wins() {
    let flaw = Flaw::DuplicateSkuLastWins;
    let gems = |quantity| nested("gems", quantity, None);
    let plain = bundle(&json!([gems(2), nested("coins", 1, None), gems(3)]));
    grants(flaw, &plain, "gems", ["5", "3"]).await;
    let deep = bundle(&json!([
        gems(2),
        nested("pouch", 1, Some(&json!([gems(3)])))
    ]));
    grants(flaw, &deep, "gems", ["5", "3"]).await;
}

pub(crate) async fn long_bundle_cut() {
    let parts: Vec<Value> = (0..25).map(|_| nested("gems", 2, None)).collect();
    let long = bundle(&json!(parts));
    grants(Flaw::LongBundleCut, &long, "gems", ["50", "40"]).await;
    let short = bundle(&json!(&parts[..20]));
    grants(Flaw::LongBundleCut, &short, "gems", ["40", "40"]).await;
}

pub(crate) async fn last_batch_lost() {
    let parts: Vec<Value> = (10..50)
        .map(|number| nested(&format!("gem-{number}"), 2, None))
        .collect();
    let many = bundle(&json!(parts));
    grants(Flaw::LastBatchLost, &many, "gem-34", ["2", "2"]).await;
    grants(Flaw::LastBatchLost, &many, "gem-35", ["2", "0"]).await;
    let one_batch = bundle(&json!(&parts[..25]));
    grants(Flaw::LastBatchLost, &one_batch, "gem-34", ["2", "2"]).await;
    let less = bundle(&json!(&parts[..5]));
    grants(Flaw::LastBatchLost, &less, "gem-14", ["2", "2"]).await;
}

pub(crate) async fn other_types_dropped() {
    let currency = with("/event_data/item/type", json!("currency"));
    grants(Flaw::OtherTypesDropped, &currency, SKU, [QUANTITY, "0"]).await;
    let mut inner = nested("gems", 2, None);
    inner["type"] = json!("vc");
    let inner = bundle(&json!([inner]));
    grants(Flaw::OtherTypesDropped, &inner, "gems", ["2", "0"]).await;
}

pub(crate) async fn sku_truncated() {
    let long = "s".repeat(255);
    let event = with("/event_data/item/sku", json!(long));
    grants(Flaw::SkuTruncated, &event, &long, [QUANTITY, "0"]).await;
    let Pair { flawed, .. } = pair(Flaw::SkuTruncated).await;
    assert_eq!(flawed.deliver(&event).await, 200);
    assert_eq!(flawed.held(PLAYER, &long[..100]).await, QUANTITY);
}

/// In the flawed receiver, each of the players holds the items of both.
async fn merges(flaw: Flaw, [one, other]: [&str; 2]) {
    let Pair { sound, flawed } = pair(flaw).await;
    let both: u64 = QUANTITY.parse::<u64>().expect("a number") * 2;
    for player in [one, other] {
        assert_eq!(sound.deliver(&event_of(player)).await, 200);
        assert_eq!(flawed.deliver(&event_of(player)).await, 200);
    }
    for player in [one, other] {
        assert_eq!(sound.held(player, SKU).await, QUANTITY);
        assert_eq!(flawed.held(player, SKU).await, both.to_string());
    }
    assert_eq!(flawed.deliver(&event_of("another")).await, 200);
    assert_eq!(flawed.held("another", SKU).await, QUANTITY);
}

pub(crate) async fn player_case_insensitive() {
    merges(Flaw::PlayerCaseInsensitive, ["Zoë", "zOË"]).await;
}

pub(crate) async fn player_accent_insensitive() {
    merges(Flaw::PlayerAccentInsensitive, ["Zoë", "Zoe"]).await;
}

pub(crate) async fn player_normalised() {
    merges(Flaw::PlayerNormalised, ["Zoë", "Zoe\u{308}"]).await;
}

pub(crate) async fn player_trailing_space() {
    merges(Flaw::PlayerTrailingSpace, ["Zoë", "Zoë "]).await;
}

pub(crate) async fn player_leading_zeros() {
    merges(Flaw::PlayerLeadingZeros, ["1007", "01007"]).await;
}

pub(crate) async fn player_latin1() {
    merges(Flaw::PlayerLatin1, ["Zoë-水晶", "Zoë-火山"]).await;
}

pub(crate) async fn wallet_key_joined() {
    let Pair { sound, flawed } = pair(Flaw::WalletKeyJoined).await;
    let balances = [("P", "a:b", "1"), ("P:a", "b", "2"), ("P:c", "b", "4")];
    for peer in [sound, flawed] {
        for (player, sku, quantity) in balances {
            let mut event = event_of(player);
            event["event_data"]["item"]["sku"] = json!(sku);
            event["event_data"]["item"]["quantity"] = json!(quantity.parse::<u64>().expect("one"));
            assert_eq!(peer.deliver(&event).await, 200);
        }
    }
    for ((player, sku, quantity), shared) in balances.into_iter().zip(["3", "3", "4"]) {
        assert_eq!(sound.held(player, sku).await, quantity);
        assert_eq!(flawed.held(player, sku).await, shared);
    }
}

/// The flawed receiver takes the second event for a retry of the first.
async fn confuses_keys(flaw: Flaw, keys: [&str; 2]) {
    let Pair { sound, flawed } = pair(flaw).await;
    for (number, key) in keys.into_iter().enumerate() {
        let mut event = event_of(&format!("player-{number}"));
        event["idempotency_key"] = json!(key);
        assert_eq!(sound.deliver(&event).await, 200);
        assert_eq!(flawed.deliver(&event).await, 200);
    }
    assert_eq!(sound.held("player-1", SKU).await, QUANTITY);
    assert_eq!(flawed.held("player-0", SKU).await, QUANTITY);
    assert_eq!(flawed.held("player-1", SKU).await, "0");
    // Other keys are still told apart.
    assert_eq!(flawed.deliver(&event_of("player-1")).await, 200);
    assert_eq!(flawed.held("player-1", SKU).await, QUANTITY);
}

pub(crate) async fn key_case_insensitive() {
    confuses_keys(Flaw::KeyCaseInsensitive, ["idmpt_Abc", "idmpt_aBC"]).await;
}

pub(crate) async fn key_truncated() {
    let keys = ["A", "B"].map(|last| format!("idmpt_{}{last}", "x".repeat(193)));
    confuses_keys(Flaw::KeyTruncated, [&keys[0], &keys[1]]).await;
}
