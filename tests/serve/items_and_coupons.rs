//! Aghanim's API for items and coupons, as far as a free-item coupon needs it.

use serde_json::{Value, json};

use crate::local_aghanim::LocalAghanim;
use crate::support::Folder;

fn item(sku: &str) -> Value {
    json!({
        "name": sku, "sku": sku, "currency": "USD", "type": "item",
        "is_stackable": true, "is_currency": false,
    })
}

fn create(aghanim: &LocalAghanim, path: &str, body: Value) -> Value {
    let created = aghanim.api("POST", path, Some(body));
    assert_eq!(created.status, 201, "{created:?}");
    created.json
}

fn with(mut body: Value, key: &str, value: Value) -> Value {
    body[key] = value;
    body
}

#[test]
fn items_and_bundles_are_created_changed_and_deleted() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let priced = with(
        with(item("gem"), "price", json!(9499)),
        "image_url",
        json!("https://x.test/"),
    );
    let gem = create(&aghanim, "/items", priced);
    assert_eq!(
        (&gem["price_decimal"], &gem["image_url"]),
        (&json!(94.99), &json!("https://x.test/"))
    );
    let parts = json!([{ "sku": "gem", "count": 5 }, { "id": gem["id"] }]);
    let bundle = with(
        with(item("box"), "type", json!("bundle")),
        "nested_items",
        parts,
    );
    let bundle = create(&aghanim, "/items", bundle);
    assert_eq!(
        bundle["nested_items"][0],
        json!({ "id": gem["id"], "count": 5, "sku": "gem" })
    );
    let path = |item: &Value| format!("/items/{}", item["id"].as_str().expect("an ID"));

    let changed = aghanim.api(
        "PUT",
        &path(&gem),
        Some(json!({ "name": "Gem", "description": null })),
    );
    assert_eq!(
        (changed.status, &changed.json["name"]),
        (200, &json!("Gem"))
    );
    let list = aghanim
        .api("GET", "/items?search_string=gem&types=item", None)
        .json;
    assert_eq!(list.as_array().map(Vec::len), Some(1));

    let circle = json!({ "nested_items": [{ "id": bundle["id"] }] });
    assert_eq!(aghanim.api("PUT", &path(&bundle), Some(circle)).status, 422);
    assert_eq!(
        aghanim.api("DELETE", &path(&gem), None).status,
        409,
        "the bundle contains it"
    );
    assert_eq!(aghanim.api("DELETE", &path(&bundle), None).status, 204);
    assert_eq!(aghanim.api("DELETE", &path(&gem), None).status, 204);
    assert_eq!(aghanim.api("GET", &path(&gem), None).status, 404);
}

#[test]
fn items_that_the_local_aghanim_can_not_grant_are_refused() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    create(&aghanim, "/items", item("gem"));
    for (body, status) in [
        (item("gem"), 409),
        (with(item("a"), "type", json!("lootbox")), 400),
        (with(item("a"), "type", json!("chest")), 422),
        (with(item("a"), "type", json!("bundle")), 422),
        (with(item("a"), "currency", json!("dollars")), 422),
        (with(item("a"), "quantity", json!(0)), 422),
        (with(item("a"), "quantity", json!("1")), 422),
        (with(item("a"), "quantity", json!(2.5)), 422),
        (with(item("a"), "position", json!(2.5)), 422),
        (with(item("a"), "is_system", json!(true)), 400),
        (
            with(item("a"), "nested_items", json!([{ "sku": "none" }])),
            422,
        ),
        (with(item("a"), "fallback_item_id", json!("itm_none")), 422),
        (with(item(&"a".repeat(256)), "name", json!("a")), 422),
        (json!({ "sku": "a" }), 422),
        (with(item("a"), "position", json!(1e300)), 422),
        (with(item("a"), "position", json!(u64::MAX)), 422),
    ] {
        let reply = aghanim.api("POST", "/items", Some(body.clone()));
        assert_eq!(reply.status, status, "{body}: {reply:?}");
    }
    let whole = with(item("a"), "quantity", json!(2.0));
    let whole = create(&aghanim, "/items", with(whole, "position", json!(3.0)));
    assert_eq!(whole["quantity"], 2, "in a JSON Schema, 2.0 is an integer");
    assert_eq!(aghanim.api("PATCH", "/items", None).status, 400);
    assert_eq!(aghanim.api("GET", "/items?rarity_id=x", None).status, 400);
    assert_eq!(aghanim.api("GET", "/items?order_by=size", None).status, 422);
}

#[test]
fn coupons_are_created_changed_and_deleted() {
    let folder = Folder::new();
    let aghanim = LocalAghanim::start(&folder, &[]);
    let gem = create(&aghanim, "/items", item("gem"));
    let free = json!({ "items": [{ "item_id": gem["id"], "quantity": 3 }] });
    let coupon = json!({ "name": "n", "code": "GEM", "type": "free_item", "free_items": free });
    let created = create(&aghanim, "/coupons", coupon.clone());
    assert_eq!(created["items"][0]["sku"], "gem");
    let path = format!("/coupons/{}", created["id"].as_str().expect("an ID"));
    let changed = aghanim.api("PUT", &path, Some(json!({ "max_redemptions": 1 })));
    assert_eq!(
        (changed.status, &changed.json["max_redemptions"]),
        (200, &json!(1))
    );
    assert_eq!(changed.json["free_items"], free);
    assert_eq!(aghanim.redeem("p1", "GEM").status, 200);
    assert_eq!(aghanim.redeem("p2", "GEM").status, 410);
    let list = aghanim.api("GET", "/coupons?q=GEM&limit=100", None).json;
    assert!(
        list.as_array()
            .expect("a list")
            .iter()
            .any(|coupon| coupon["code"] == "GEM")
    );

    for (body, status) in [
        (coupon.clone(), 409),
        (with(coupon.clone(), "type", json!("discount")), 400),
        (with(coupon.clone(), "type", json!("gift")), 422),
        (
            with(
                with(coupon.clone(), "code", json!("X")),
                "discount_percent",
                json!(5),
            ),
            400,
        ),
        (with(coupon.clone(), "code", json!("A".repeat(21))), 422),
        (
            with(coupon.clone(), "free_items", json!({ "items": [] })),
            422,
        ),
        (
            with(
                coupon.clone(),
                "free_items",
                json!({ "items": [{ "quantity": 0 }] }),
            ),
            422,
        ),
        (
            json!({ "name": "n", "code": "X", "type": "free_item" }),
            422,
        ),
    ] {
        let reply = aghanim.api("POST", "/coupons", Some(body.clone()));
        assert_eq!(reply.status, status, "{body}: {reply:?}");
    }
    assert_eq!(aghanim.api("DELETE", &path, None).status, 204);
    assert_eq!(aghanim.redeem("p3", "GEM").status, 404);
}
