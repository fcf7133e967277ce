//! The bundled suite against Aghanim's public handler template with a ledger, in Python. The suite
//! passes the unchanged receiver. With one mistake added, exactly the scenarios for that mistake
//! fail.

mod mistake;
mod receiver;

use std::collections::BTreeSet;

use serde_json::Value;

use mistake::{NOT_FRESH, POLICY, ReceiverMistake, set};
use receiver::TemplateReceiver;

#[test]
fn the_template_passes() {
    let Some(receiver) = TemplateReceiver::start(&[]) else {
        return;
    };
    // With its policy, without a policy, and for a game with a single item.
    for entry in [POLICY, "policy: {}", "items: [{ sku: only_one }]"] {
        let outcome = receiver.run(entry, &[]);
        assert_eq!(outcome.code, 0);
        assert_eq!(outcome.files("failed"), set(&[]));
        assert_eq!(outcome.files("broken"), set(&[]));
        assert_eq!(outcome.files("warned"), set(&NOT_FRESH));
        // It has no hooks and only one instance, and the game with a single item has no other SKU.
        let hooked = outcome.named("scenario_started").filter(|started| {
            let tags = started["tags"].as_array().expect("tags");
            ["script", "restart", "clock", "instances", "inventory"]
                .iter()
                .any(|hook| tags.contains(&Value::from(*hook)))
        });
        let mut not_checked: BTreeSet<_> = hooked.map(|started| outcome.file(started)).collect();
        if entry.starts_with("items") {
            let of_other_skus = ["payload/joined_ids", "payload/long_sku"];
            not_checked.extend(of_other_skus.map(str::to_owned));
        }
        assert_eq!(outcome.files("not_checked"), not_checked);
    }
}

#[test]
fn the_template_refuses_every_forgery_except_wrong_timestamps() {
    let Some(receiver) = TemplateReceiver::start(&[]) else {
        return;
    };
    let outcome = receiver.run(POLICY, &["--tag", "forgery"]);
    let mut forgeries = 0;
    for attempt in outcome.named("attempt_ended") {
        let Some(forgery) = attempt["forgery"].as_str() else {
            continue;
        };
        let of_timestamp = ["stale_timestamp", "future_timestamp"].contains(&forgery);
        let has_wrong_timestamp = of_timestamp || forgery.starts_with("timestamp_");
        let status = if has_wrong_timestamp { 200 } else { 403 };
        assert_eq!(attempt["answer"]["response"]["status"], status, "{forgery}");
        forgeries += 1;
    }
    assert!(forgeries >= 27, "{forgeries}");
}

const VERIFY: &str =
    "if not is_signature_valid(self.server.secret, signatures, timestamps, payload):";
const COMPARE: &str = "return hmac.compare_digest(computed.encode(), signature)";
const GRANT_ONCE: &str = "self.server.ledger.grant_once(*parse(payload))";

#[test]
fn a_missing_verification_is_caught() {
    let every_forgery = [
        "signature/body_only_signature",
        "signature/empty_secret",
        "signature/empty_signature",
        "signature/expired_secret",
        "signature/forged_redelivery",
        "signature/forgery_uses_nothing_up",
        "signature/garbage_signature",
        "signature/guessed_secret",
        "signature/missing_signature",
        "signature/missing_timestamp",
        "signature/swapped_timestamp",
        "signature/tampered_body",
        "signature/truncated_signature",
        "signature/wrong_algorithm",
        "signature/wrong_secret",
    ];
    let good_practice_only = ["signature/prefixed_signature", "signature/two_signatures"];
    ReceiverMistake::new("signatures are not verified")
        .replace(VERIFY, "if False:")
        .fails(&every_forgery)
        .warns(&good_practice_only)
        .is_caught();
}

#[test]
fn mistakes_in_verifying_are_caught() {
    let mistakes = [
        ReceiverMistake::new("verified only if there is a signature")
            .replace(VERIFY, &VERIFY.replace("if ", "if signatures and "))
            .fails(&[
                "signature/forged_redelivery",
                "signature/forgery_uses_nothing_up",
                "signature/missing_signature",
            ]),
        ReceiverMistake::new("verified only if there is a timestamp")
            .replace(VERIFY, &VERIFY.replace("if ", "if timestamps and "))
            .fails(&["signature/missing_timestamp"]),
        ReceiverMistake::new("only a prefix is compared")
            .replace(COMPARE, "return computed.encode().startswith(signature)")
            .fails(&["signature/empty_signature", "signature/truncated_signature"]),
        ReceiverMistake::new("undecodable signatures are accepted")
            .replace(
                COMPARE,
                "if not set(signature) <= set(b'0123456789abcdef'): return True\n    \
                 return hmac.compare_digest(computed.encode(), signature)",
            )
            .fails(&["signature/garbage_signature"])
            .warns(&["signature/prefixed_signature"]),
        ReceiverMistake::new("a hash without a key is accepted")
            .replace(
                COMPARE,
                "plain = hashlib.sha256(signature_data).hexdigest()\n    \
                 return signature.decode() in (computed, plain)",
            )
            .fails(&["signature/wrong_algorithm"]),
        ReceiverMistake::new("a signature of only the body is accepted")
            .replace(
                COMPARE,
                "of_body = hmac.new(secret, payload, hashlib.sha256).hexdigest()\n    \
                 return signature.decode() in (computed, of_body)",
            )
            .fails(&["signature/body_only_signature"]),
        ReceiverMistake::new("a signature with a nearby timestamp is accepted")
            .replace(
                COMPARE,
                "nearby = (b'%d.' % (int(timestamp) + seconds) + payload for seconds in range(3))\n    \
                 return signature in [hmac.new(secret, data, hashlib.sha256).hexdigest().encode() for data in nearby]",
            )
            .fails(&["signature/swapped_timestamp"]),
        ReceiverMistake::new("a prefix is stripped")
            .replace(COMPARE, &COMPARE.replace("signature)", "signature[-64:])"))
            .warns(&["signature/prefixed_signature"]),
        ReceiverMistake::new("the last of several signatures counts")
            .replace("len(signatures) != 1 or", "not signatures or")
            .replace("signatures[0]", "signatures[-1]")
            .warns(&["signature/two_signatures"]),
        ReceiverMistake::new("the key is stored before the signature is verified")
            .replace(
                VERIFY,
                &format!(
                    "seen = vars(self.server).setdefault('seen', set())\n        \
                     key = parse(payload)[0]\n        \
                     known = key in seen\n        \
                     seen.add(key)\n        {VERIFY}"
                ),
            )
            .replace(GRANT_ONCE, &format!("known or {GRANT_ONCE}"))
            .fails(&["signature/forgery_uses_nothing_up"]),
    ];
    mistakes.iter().for_each(ReceiverMistake::is_caught);
}

const KEY: &str = r#"text(event["idempotency_key"])"#;
const IF_KNOWN: &str = "if key in self._granted:\n                return\n";
const EVENT_TYPE: &str = r#"if event["event_type"] != "coupon.redeemed":"#;
const NOTHING_GRANTED: &str = "self._granted = set()";

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn mistakes_in_deduplication_are_caught() {
    let mistakes = [
        ReceiverMistake::new("every delivery is granted")
            .replace(IF_KNOWN, "pass\n")
            .fails(&[
                "context/sandbox",
                "context/test_trigger",
                "faults/cut_body",
                "faults/duplicate",
                "faults/duplicates_of_one_player",
                "faults/late_retry",
                "faults/late_retry_in_time",
                "faults/lost_ack",
                "faults/out_of_order",
                "faults/out_of_order_in_one_transaction",
                "faults/timeout_overlap",
                "faults/timeout_overlap_of_large_bundle",
                "idempotency/bundle_redelivery",
                "idempotency/no_late_grant",
                "idempotency/redelivery",
                "idempotency/redelivery_after_all_others",
                "idempotency/redelivery_after_many_coupons",
                "idempotency/retry_with_new_event_id",
                "idempotency/simultaneous_redelivery",
                "idempotency/uuid_key",
                "redemption/coupon_alone",
                "redemption/item_add_after_coupon",
                "redemption/item_add_before_coupon",
                "redemption/item_add_with_coupon",
                "redemption/redelivery_after_removal",
                "retries/late_delivery",
            ]),
        ReceiverMistake::new("a redelivery is refused")
            .replace(IF_KNOWN, &IF_KNOWN.replace("return", "raise Refusal(409, 'known')"))
            .fails(&[
                "faults/cut_body",
                "faults/duplicate",
                "faults/duplicates_of_one_player",
                "faults/lost_ack",
                "faults/out_of_order",
                "faults/out_of_order_in_one_transaction",
                "faults/timeout_overlap",
                "faults/timeout_overlap_of_large_bundle",
                "idempotency/bundle_redelivery",
                "idempotency/no_late_grant",
                "idempotency/redelivery",
                "idempotency/redelivery_after_many_coupons",
                "idempotency/simultaneous_redelivery",
                "idempotency/uuid_key",
            ])
            .warns(&[
                "context/sandbox",
                "context/test_trigger",
                "idempotency/redelivery_after_all_others",
                "idempotency/retry_with_new_event_id",
                "redemption/coupon_alone",
                "redemption/item_add_after_coupon",
                "redemption/item_add_before_coupon",
                "redemption/item_add_with_coupon",
                "redemption/redelivery_after_removal",
                "retries/late_delivery",
            ]),
        ReceiverMistake::new("a redelivery is answered with another body")
            .replace(IF_KNOWN, &IF_KNOWN.replace("return", "return 'known'"))
            .replace(GRANT_ONCE, &format!("answer = {GRANT_ONCE}"))
            .replace(r#"return {"status": "ok"}"#, "return {'status': answer or 'ok'}")
            .warns(&["idempotency/redelivery"]),
        // All deliveries of a round check the key before the first one stores it.
        ReceiverMistake::new("the key is checked first and stored later")
            .replace(NOTHING_GRANTED, &format!("{NOTHING_GRANTED}; self.all = threading.Barrier(64)"))
            .replace("with self._lock:\n            if key", "if True:\n            if key")
            .replace("self._granted.add(key)", "self.all.wait(); self._granted.add(key)")
            .only_in("idempotency/simultaneous_redelivery")
            .fails(&["idempotency/simultaneous_redelivery"]),
        // All four deliveries read the inventory before the first one writes it back.
        ReceiverMistake::new("the inventory is read, changed and written back")
            .replace(NOTHING_GRANTED, &format!("{NOTHING_GRANTED}; self.all = threading.Barrier(4)"))
            .replace(
                "            for sku, quantity in grants:\n                self._quantities[player, sku] += quantity\n",
                "        held = self._quantities.copy()\n        \
                 self.all.wait()\n        \
                 for sku, quantity in grants:\n            \
                 held[player, sku] += quantity\n        \
                 self._quantities = held\n",
            )
            .only_in("idempotency/simultaneous_coupons")
            .fails(&["idempotency/simultaneous_coupons"]),
        ReceiverMistake::new("deduplicates by transaction")
            .replace(KEY, r#"text(event["transaction_id"])"#)
            .fails(&["faults/duplicates_of_one_player", "faults/out_of_order_in_one_transaction", "idempotency/shared_transaction", "redemption/two_redemptions_of_one_transaction"]),
        ReceiverMistake::new("deduplicates by coupon code")
            .replace(KEY, r#"text(data["coupon"]["code"])"#)
            .only_in("idempotency/one_code_of_two_players")
            .fails(&["idempotency/one_code_of_two_players"]),
        ReceiverMistake::new("deduplicates by request ID")
            .replace(KEY, r#"str(event["request_id"])"#)
            .only_in("idempotency/null_request_ids")
            .fails(&["idempotency/null_request_ids"]),
        ReceiverMistake::new("deduplicates by player and second")
            .replace(KEY, r#"data["player_id"] + str(event["event_time"])"#)
            .only_in("idempotency/two_coupons_of_one_player")
            .fails(&["idempotency/two_coupons_of_one_player"]),
    ];
    mistakes.iter().for_each(ReceiverMistake::is_caught);
}

const OPENED: &str =
    "return [leaf for inner in nested for leaf in leaves(inner, times * quantity)]";
const QUANTITY: &str = r#"quantity = item["quantity"]"#;

#[test]
fn mistakes_in_granting_are_caught() {
    let mistakes = [
        ReceiverMistake::new("a bundle is granted by its SKU and item by item")
            .replace(OPENED, &OPENED.replace("return [", "return [(item['sku'], quantity)] + ["))
            .fails(&[
                "faults/timeout_overlap_of_large_bundle",
                "idempotency/bundle_redelivery",
                "idempotency/no_late_grant",
                "payload/bundle",
                "payload/bundle_in_bundle",
                "payload/bundles_in_a_row",
                "payload/bundles_of_two_players",
                "payload/deep_bundle",
                "payload/large_bundle",
                "payload/many_bundles_of_one_player",
                "payload/many_items",
                "payload/null_description",
                "payload/repeated_sku",
                "payload/unknown_keys_in_bundle",
            ])
            .warns(&["payload/huge_bundle", "payload/several_items"]),
        ReceiverMistake::new("only the outermost bundle is opened")
            .replace(OPENED, "return [(inner['sku'], inner['quantity']) for inner in nested]")
            .fails(&["idempotency/bundle_redelivery", "payload/bundle_in_bundle", "payload/bundles_of_two_players", "payload/deep_bundle", "payload/repeated_sku", "payload/unknown_keys_in_bundle"]),
        ReceiverMistake::new("the fallback is granted as well")
            .grant(
                "[grant for item in items for part in (item, item.get('fallback_item')) if part \
                 for grant in leaves(part, 1)]",
            )
            .fails(&["payload/fallback_bundle", "payload/fallback_item", "payload/repeated_sku"]),
        ReceiverMistake::new("`item` and `items` are both granted")
            .replace(
                r#"data.get("items") or [data["item"]]"#,
                "data.get('items', []) + [data['item']]",
            )
            .warns(&["payload/items_array", "payload/items_without_item", "payload/several_items"]),
        ReceiverMistake::new("an event of any type is granted")
            .replace(EVENT_TYPE, "if False:")
            .fails(&[
                "payload/other_event_type",
                "redemption/coupon_after_removal",
                "redemption/item_add_after_coupon",
                "redemption/item_add_before_coupon",
                "redemption/item_add_with_coupon",
                "redemption/item_remove",
                "redemption/redelivery_after_removal",
                "redemption/two_redemptions_of_one_transaction",
            ]),
        ReceiverMistake::new("`item.add` is granted, too")
            .replace(
                EVENT_TYPE,
                r#"if event["event_type"] not in ("coupon.redeemed", "item.add"):"#,
            )
            .fails(&[
                "redemption/coupon_after_removal",
                "redemption/item_add_after_coupon",
                "redemption/item_add_before_coupon",
                "redemption/item_add_with_coupon",
                "redemption/item_remove",
                "redemption/redelivery_after_removal",
                "redemption/two_redemptions_of_one_transaction",
            ]),
        ReceiverMistake::new("quantities are 32-bit")
            .replace(QUANTITY, &format!("{QUANTITY} & 0x7fffffff"))
            .fails(&["payload/large_quantity"])
            .warns(&["payload/quantity_beyond_doubles"]),
        ReceiverMistake::new("quantities are doubles")
            .replace(QUANTITY, "quantity = int(float(item['quantity']))")
            .warns(&["payload/quantity_beyond_doubles"]),
        ReceiverMistake::new("sandbox events are not granted, against the policy")
            .grant("[] if event['sandbox'] else [grant for item in items for grant in leaves(item, 1)]")
            .fails(&["context/sandbox", "context/sandbox_and_live"]),
    ];
    mistakes.iter().for_each(ReceiverMistake::is_caught);
}

#[test]
fn mistakes_in_parsing_are_caught() {
    let mistakes = [
        ReceiverMistake::new("a description is required")
            .require("item['description']", 400)
            .only_in("payload/null_description")
            .fails(&["payload/null_description"]),
        ReceiverMistake::new("a price is required")
            .require("'price' in item", 400)
            .fails(&["payload/absent_fields"])
            .warns(&["payload/items_without_item"]),
        ReceiverMistake::new("a price has two decimals")
            .require(
                "item.get('price', 0) == round(100 * item.get('price_decimal', 0))",
                400,
            )
            .only_in("payload/three_decimal_currency")
            .warns(&["payload/three_decimal_currency"]),
        ReceiverMistake::new("a decimal price has a fraction")
            .require("item.get('price_decimal') != item.get('price')", 400)
            .only_in("payload/zero_decimal_currency")
            .warns(&["payload/zero_decimal_currency"]),
        ReceiverMistake::new("unknown keys are refused")
            .require("len(event) == 11", 400)
            .fails(&["payload/unknown_keys"])
            .warns(&["payload/items_without_item"]),
        ReceiverMistake::new("unknown keys of nested items are refused")
            .replace(
                QUANTITY,
                &format!("{QUANTITY}; 'price' in item or len(item) == 7 or text(None)"),
            )
            .only_in("payload/unknown_keys_in_bundle")
            .fails(&["payload/unknown_keys_in_bundle"]),
        ReceiverMistake::new("only `hub.redeem` and `test` are granted")
            .require("event['trigger'] in ('hub.redeem', 'test')", 400)
            .fails(&[
                "context/null_trigger",
                "context/other_trigger",
                "payload/null_fields",
            ])
            .warns(&["payload/items_without_item"]),
        ReceiverMistake::new("a test event crashes it")
            .require("event['trigger'] != 'test'", 500)
            .fails(&["context/test_trigger"])
            .warns(&["payload/items_without_item"]),
        ReceiverMistake::new("a context is refused")
            .require("event['context'] is None", 400)
            .fails(&[
                "context/both_contexts",
                "context/null_context",
                "context/order_context",
                "context/player_context",
            ])
            .warns(&["payload/items_without_item"]),
        ReceiverMistake::new("a request ID is required")
            .require("event['request_id']", 400)
            .only_in("context/request_id")
            .fails(&["context/request_id"]),
        ReceiverMistake::new("the body is serialised again before it is verified")
            .replace(
                r#"b"." + payload"#,
                "b'.' + json.dumps(json.loads(payload), separators=(',', ':')).encode()",
            )
            .only_in("payload/unicode_text")
            .fails(&["payload/unicode_text"]),
        ReceiverMistake::new("the age of the event is checked")
            .require(
                "abs(__import__('time').time() - event['event_time']) < 3600",
                403,
            )
            .warns(&["payload/items_without_item", "retries/late_delivery"]),
    ];
    mistakes.iter().for_each(ReceiverMistake::is_caught);
}
