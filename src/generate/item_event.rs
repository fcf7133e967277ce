//! Writes the event of a coupon as the `item.add` or `item.remove` event of the same items.

use serde_json::{Map, Value, json};

use crate::protocol::EventKind;

/// Turns the JSON of a `coupon.redeemed` event into one of this kind: `items` instead of the coupon
/// and its item. An event of another type stays as it is. The text of `reason` is an assumption.
pub(crate) fn as_kind(mut event: Value, kind: EventKind) -> Value {
    let reason = match kind {
        EventKind::ItemAdd => "Coupon redeemed",
        EventKind::ItemRemove => "Coupon revoked",
        EventKind::CouponRedeemed => return event,
    };
    if event["event_type"] != EventKind::CouponRedeemed.name() {
        return event;
    }
    event["event_type"] = kind.name().into();
    let Some(Value::Object(coupon_data)) = event.get_mut("event_data") else {
        return event;
    };
    let mut data = Map::new();
    let (mut item, mut items, mut code) = (Value::Null, Value::Null, Value::Null);
    for (key, value) in std::mem::take(coupon_data) {
        match key.as_str() {
            "coupon" => code = value["code"].clone(),
            "item" => item = value,
            "items" => items = value,
            _ => {
                data.insert(key, value);
            }
        }
    }
    let items = match items {
        Value::Array(items) if !items.is_empty() => items,
        _ => vec![item],
    };
    let first = &items[0];
    let code = code.as_str().unwrap_or_default();
    let more = json!({
        "reason": format!("{reason} {code}").trim_end(),
        "item_id": first["id"],
        "sku": first["sku"],
    });
    data.insert("items".to_owned(), items.into());
    if let Value::Object(more) = more {
        data.extend(more);
    }
    *coupon_data = data;
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Event, ItemEvent};

    const EXAMPLE: &str = include_str!("../protocol/example-event.txt");

    #[test]
    fn an_item_event_has_the_items_of_the_coupon() {
        let coupon: Value = serde_json::from_str(EXAMPLE).expect("JSON");
        for kind in [EventKind::ItemAdd, EventKind::ItemRemove] {
            let event = as_kind(coupon.clone(), kind);
            assert_eq!(event["event_type"], kind.name());
            let keys: Vec<&String> = event["event_data"]
                .as_object()
                .expect("data")
                .keys()
                .collect();
            assert_eq!(keys, ["player_id", "items", "reason", "item_id", "sku"]);
            assert_eq!(
                event["event_data"]["items"][0],
                coupon["event_data"]["item"]
            );
            let event: ItemEvent = serde_json::from_value(event).expect("an event");
            let restored = event.into_coupon_event().expect("items");
            let original: Event = serde_json::from_str(EXAMPLE).expect("an event");
            assert_eq!(restored.event_data.item, original.event_data.item);
            assert_eq!(restored.event_data.player_id, original.event_data.player_id);
        }
    }

    #[test]
    fn another_event_type_and_any_data_stay() {
        let mut coupon: Value = serde_json::from_str(EXAMPLE).expect("JSON");
        assert_eq!(as_kind(coupon.clone(), EventKind::CouponRedeemed), coupon);
        coupon["event_data"] = json!(7);
        assert_eq!(as_kind(coupon.clone(), EventKind::ItemAdd)["event_data"], 7);
        coupon["event_type"] = json!("order.paid");
        assert_eq!(as_kind(coupon.clone(), EventKind::ItemAdd), coupon);
    }

    #[test]
    fn several_items_and_unknown_keys_are_kept() {
        let mut coupon: Value = serde_json::from_str(EXAMPLE).expect("JSON");
        let item = coupon["event_data"]["item"].clone();
        coupon["event_data"]["items"] = json!([item, item]);
        coupon["event_data"]["added_later"] = json!(true);
        let event = as_kind(coupon, EventKind::ItemAdd);
        assert_eq!(event["event_data"]["items"], json!([item, item]));
        assert_eq!(event["event_data"]["added_later"], true);
        let event: ItemEvent = serde_json::from_value(event).expect("an event");
        let restored = event.into_coupon_event().expect("items");
        assert_eq!(restored.event_data.granted_items().len(), 2);
    }
}
