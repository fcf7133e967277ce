//! Exact bytes for a fixed seed and start time. Do not change them by accident: recorded runs and
//! reviewed snapshot reports depend on them.

use sha2::{Digest, Sha256};

use super::{body, generator, shape};

/// One event of each kind, each from a new generator.
const KINDS: [(&str, &str); 8] = [
    ("nothing_given", "{}"),
    (
        "as_in_the_source",
        "
player_id: 2D2R-OP3C
coupon: { code: WELCOME, sku: crystals, redeemed_at: 1725548450 }
item: { id: itm_exTBZQmIlDz, name: Crystals, description: ~, quantity: 480000, price: 9499, currency: USD }
event_time: 1725548450
request_id: true
",
    ),
    (
        "bundle",
        "item: { sku: bundle_starter, bundle: [{ sku: crystals, quantity: 500 }, {}, { name: Нож }] }",
    ),
    (
        "bundle_in_bundle",
        "item: { bundle: [{ bundle: [{ sku: gems }, { bundle: [{}] }] }, { sku: gems, name: Jewels }] }",
    ),
    (
        "fallback",
        "item: { sku: hero_unlock_vesna, fallback: { sku: cards_hero_epic, quantity: 80, fallback: ~ } }",
    ),
    ("context", "context: { player: true, order: true }"),
    (
        "sandbox_test",
        "{ sandbox: true, trigger: test, request_id: ~, event_time: T-1h, coupon: { redeemed_at: T-90s } }",
    ),
    ("items_array", "{ revision: 2026-05-25, item: { price: ~ } }"),
];

#[test]
fn an_event_of_each_kind_keeps_its_bytes() {
    for (kind, written) in KINDS {
        let event = generator(42).event(&shape(written));
        insta::assert_snapshot!(kind, body(&event));
    }
}

#[test]
fn random_events_keep_their_bytes() {
    let mut generator = generator(42);
    let first = body(&generator.random_event());
    insta::assert_snapshot!("first_random", first);

    let mut digest = Sha256::new_with_prefix(first);
    for _ in 1..10_000 {
        digest.update(body(&generator.random_event()));
    }
    insta::assert_snapshot!(hex::encode(digest.finalize()), @"6edbecfbe01e8ad1ed1b7959df5d79762956fdc7454fa1e61bbd9ce966fae46c");
}
