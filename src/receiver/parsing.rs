//! Parses a body as an event. Does not decide whether the event may be granted.

use serde::Deserialize;

use crate::protocol::{Event, EventKind, ItemEvent};

use super::refusal::Refusal;

#[derive(Deserialize)]
struct Envelope {
    event_type: String,
}

/// Parses a `coupon.redeemed`, `item.add` or `item.remove` event, the latter two as the event of a
/// coupon with the same items. Undocumented keys are accepted.
pub(crate) fn parse_event(body: &[u8]) -> Result<Event, Refusal> {
    let event = match serde_json::from_slice::<Event>(body) {
        Ok(event) if event.event_type == Event::COUPON_REDEEMED => event,
        Ok(event) => parse_item_event(body, &event.event_type)?,
        Err(error) => match serde_json::from_slice::<Envelope>(body) {
            Ok(Envelope { event_type }) if event_type != Event::COUPON_REDEEMED => {
                parse_item_event(body, &event_type)?
            }
            _ => return Err(Refusal::NotAnEvent(error.to_string())),
        },
    };
    if event.idempotency_key.is_empty() {
        return Err(Refusal::EmptyIdempotencyKey);
    }
    Ok(event)
}

/// An event of another type has another shape, so blame its type rather than its shape.
fn parse_item_event(body: &[u8], event_type: &str) -> Result<Event, Refusal> {
    if EventKind::of_type(event_type).is_none() {
        return Err(Refusal::UnknownEventType(event_type.to_owned()));
    }
    let event: ItemEvent =
        serde_json::from_slice(body).map_err(|error| Refusal::NotAnItemEvent(error.to_string()))?;
    let no_items = || Refusal::NotAnItemEvent("`items` is empty".to_owned());
    event.into_coupon_event().ok_or_else(no_items)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../protocol/example-event.txt");

    #[test]
    fn the_documented_example_is_an_event() {
        let event = parse_event(EXAMPLE.as_bytes()).expect("an event");
        assert_eq!(event.event_data.player_id, "2D2R-OP3C");
    }

    #[test]
    fn an_unknown_event_type_is_reported_whatever_its_shape() {
        for body in [
            EXAMPLE.replace("coupon.redeemed", "order.paid"),
            r#"{"event_type":"order.paid","event_data":7}"#.to_owned(),
        ] {
            assert_eq!(
                parse_event(body.as_bytes()),
                Err(Refusal::UnknownEventType("order.paid".to_owned()))
            );
        }
    }

    #[test]
    fn an_item_event_has_at_least_one_item() {
        let coupon: serde_json::Value = serde_json::from_str(EXAMPLE).expect("JSON");
        let item = &coupon["event_data"]["item"];
        let with_items = |items: serde_json::Value| {
            let mut event = coupon.clone();
            event["event_type"] = "item.add".into();
            event["event_data"] = serde_json::json!({ "player_id": "p", "items": items });
            parse_event(event.to_string().as_bytes())
        };
        let event = with_items(serde_json::json!([item, item])).expect("an event");
        assert_eq!(event.event_data.granted_items().len(), 2);
        assert_eq!(event.kind(), Some(EventKind::ItemAdd));
        for items in [serde_json::json!([]), serde_json::json!(null)] {
            let refused = with_items(items);
            assert!(
                matches!(refused, Err(Refusal::NotAnItemEvent(_))),
                "{refused:?}"
            );
        }
        let coupon_shaped = EXAMPLE.replace("coupon.redeemed", "item.remove");
        let refused = parse_event(coupon_shaped.as_bytes());
        assert!(
            matches!(refused, Err(Refusal::NotAnItemEvent(_))),
            "{refused:?}"
        );
    }

    #[test]
    fn a_body_that_is_not_an_event_is_refused() {
        let nesting = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for body in [
            "",
            "null",
            "[]",
            "{",
            r#"{"event_type":"coupon.redeemed"}"#,
            &EXAMPLE.replace("480000", "-1"),
            &EXAMPLE.replace("480000", "1.5"),
            &EXAMPLE.replace("480000", "18446744073709551616"),
            &EXAMPLE.replace("480000", "\"1\""),
            &nesting,
        ] {
            assert!(
                matches!(parse_event(body.as_bytes()), Err(Refusal::NotAnEvent(_))),
                "{}",
                &body[..body.len().min(80)]
            );
        }
        assert!(matches!(
            parse_event(b"\xff\xfe"),
            Err(Refusal::NotAnEvent(_))
        ));
    }

    #[test]
    fn an_empty_idempotency_key_is_refused() {
        let body = EXAMPLE.replace("idmpt_aXRlb...JkX2VFS", "");
        assert_eq!(
            parse_event(body.as_bytes()),
            Err(Refusal::EmptyIdempotencyKey)
        );
    }
}
