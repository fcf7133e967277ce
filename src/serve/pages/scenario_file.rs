//! A delivery as the text of a scenario file that sends an event like it, with what went wrong.

use clap::ValueEnum as _;
use serde::Serialize;
use serde_json::{Map, Value, json};
use serde_saphyr::FoldStr;

use crate::generate::BodyLayout;
use crate::protocol::{Event, EventKind};
use crate::serve::model::DeliveryDetails;

#[derive(Serialize)]
struct ScenarioText<'text> {
    name: String,
    about: FoldStr<'text>,
    tags: [&'static str; 1],
    events: Map<String, Value>,
    steps: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    effects: Vec<Value>,
}

/// The text. `None` if the body is no event. IDs, player and times are left out, because aghook makes
/// them up in every run.
pub(super) fn scenario_text(details: &DeliveryDetails) -> Option<String> {
    let delivery = &details.delivery;
    let body: Value = serde_json::from_slice(&details.body).ok()?;
    let name = "coupon";
    let mut events = Map::new();
    let mut coupon = coupon_event(&body)?;
    let is_credit = delivery.event_type == EventKind::ItemAdd.name();
    let sent = if is_credit { "credit" } else { name };
    let layout = layout(&body, &details.body);
    if is_credit {
        events.insert(name.to_owned(), coupon);
        let mut credit = json!({ "kind": EventKind::ItemAdd.name(), "for": name });
        set_layout(&mut credit, layout);
        events.insert(sent.to_owned(), credit);
    } else {
        set_layout(&mut coupon, layout);
        events.insert(sent.to_owned(), coupon);
    }
    let is_test = body["trigger"] == Event::TRIGGER_TEST;
    let is_granted = delivery.forgery.is_none();
    // Whether a test event or one of the sandbox grants something is the game's choice.
    let is_left_to_the_game = is_test || body["sandbox"] == true;
    let effects = match (is_granted, is_left_to_the_game) {
        (true, true) => Vec::new(),
        (true, false) => vec![json!({ "granted": name })],
        (false, _) => vec![json!({ "not_granted": name })],
    };
    let text = ScenarioText {
        name: scenario_name(details),
        about: FoldStr(
            "Made by aghook serve from a delivery. IDs and players are new in every run.",
        ),
        tags: ["serve"],
        events,
        steps: steps(details, sent, name),
        effects,
    };
    serde_saphyr::to_string(&text).ok()
}

fn scenario_name(details: &DeliveryDetails) -> String {
    let delivery = &details.delivery;
    let what = format!("{} for the code {}", delivery.event_type, delivery.code);
    match delivery.forgery {
        Some(forgery) => format!("{what}, forged ({}), is refused", forgery.name()),
        None => format!("{what} is granted once"),
    }
}

/// The steps: what happened to the delivery, with what a sound receiver does. `coupon` is the event of
/// the coupon.
fn steps(details: &DeliveryDetails, event: &str, coupon: &str) -> Vec<Value> {
    let delivery = &details.delivery;
    if let Some(forgery) = delivery.forgery {
        return vec![json!({
            "deliver": event,
            "forge": forgery.name(),
            "expect": { "status": ["4xx", "5xx"] },
        })];
    }
    // A game credits on one of the two events, and may refuse the other as unknown.
    let is_credit = event != coupon;
    let status = if is_credit {
        json!(["2xx", 400])
    } else {
        json!("2xx")
    };
    let deliver = |event: &str| json!({ "deliver": event, "expect": { "status": status } });
    let mut first = deliver(event);
    if delivery.loses_response {
        first["fault"] = "lost_ack".into();
    }
    let again = delivery.duplicate_of.map(|_| deliver(event));
    let other = is_credit.then(|| deliver(coupon));
    [Some(first), again, other].into_iter().flatten().collect()
}

/// The event of the coupon, without what is new in every run.
fn coupon_event(body: &Value) -> Option<Value> {
    let data = body["event_data"].as_object()?;
    let mut event = Map::new();
    let items = data.get("items").and_then(Value::as_array);
    let item = data.get("item").filter(|item| item.is_object());
    if let Some(coupon) = data.get("coupon").and_then(Value::as_object) {
        event.insert("coupon".to_owned(), json!({ "code": coupon.get("code")? }));
        match (item, items) {
            (Some(item), None) => drop(event.insert("item".to_owned(), item_shape(item))),
            (item, Some(items)) => {
                let revision = if item.is_some() {
                    "2026-05-25"
                } else {
                    "2026-06-16"
                };
                event.insert("revision".to_owned(), revision.into());
                let items = items.iter().map(item_shape).collect();
                event.insert("items".to_owned(), items);
            }
            (None, None) => return None,
        }
    } else {
        match &items?[..] {
            [item] => drop(event.insert("item".to_owned(), item_shape(item))),
            items => {
                event.insert("revision".to_owned(), "2026-05-25".into());
                let items = items.iter().map(item_shape).collect();
                event.insert("items".to_owned(), items);
            }
        }
    }
    if body["sandbox"] == true {
        event.insert("sandbox".to_owned(), true.into());
    }
    if body["trigger"] == Event::TRIGGER_TEST {
        event.insert("trigger".to_owned(), Event::TRIGGER_TEST.into());
    }
    if body["context"].is_object() {
        event.insert("context".to_owned(), json!({ "player": true }));
    }
    Some(Value::Object(event))
}

/// An item of an event, as scenarios write it.
fn item_shape(item: &Value) -> Value {
    let mut shape = Map::new();
    for key in [
        "sku",
        "name",
        "description",
        "quantity",
        "price",
        "currency",
    ] {
        let value = item.get(key).filter(|value| !value.is_null());
        shape.extend(value.map(|value| (key.to_owned(), value.clone())));
    }
    if let Some(nested) = item["nested_items"].as_array() {
        shape.insert("bundle".to_owned(), nested.iter().map(item_shape).collect());
    }
    if item["fallback_item"].is_object() {
        shape.insert("fallback".to_owned(), item_shape(&item["fallback_item"]));
    }
    Value::Object(shape)
}

/// The layout that a body was written in, if it is not the default.
fn layout(body: &Value, bytes: &[u8]) -> Option<BodyLayout> {
    // Reading a body keeps the order of its keys, so that only their order shows this layout.
    if bytes.starts_with(b"{\"game_id\"") {
        return Some(BodyLayout::Reordered);
    }
    let mut layouts = BodyLayout::value_variants().iter().copied();
    let found = layouts.find(|layout| layout.text(body).as_bytes() == bytes);
    found.filter(|layout| *layout != BodyLayout::default())
}

fn set_layout(event: &mut Value, layout: Option<BodyLayout>) {
    if let Some(layout) = layout {
        event["layout"] = json!(layout);
    }
}
