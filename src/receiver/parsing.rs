//! Parses a body as an event. Does not decide whether the event may be granted.

use serde::Deserialize;

use crate::protocol::Event;

use super::refusal::Refusal;

#[derive(Deserialize)]
struct Envelope {
    event_type: String,
}

/// Parses a `coupon.redeemed` event. Undocumented keys are accepted.
pub(super) fn parse_event(body: &[u8]) -> Result<Event, Refusal> {
    let event: Event = serde_json::from_slice(body).map_err(|error| explain(body, &error))?;
    if event.event_type != Event::COUPON_REDEEMED {
        return Err(Refusal::UnknownEventType(event.event_type.into_owned()));
    }
    if event.idempotency_key.is_empty() {
        return Err(Refusal::EmptyIdempotencyKey);
    }
    Ok(event)
}

/// An event of another type has another shape, so blame its type rather than its shape.
fn explain(body: &[u8], error: &serde_json::Error) -> Refusal {
    match serde_json::from_slice::<Envelope>(body) {
        Ok(envelope) if envelope.event_type != Event::COUPON_REDEEMED => {
            Refusal::UnknownEventType(envelope.event_type)
        }
        _ => Refusal::NotAnEvent(error.to_string()),
    }
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
            EXAMPLE.replace("coupon.redeemed", "item.add"),
            r#"{"event_type":"item.add","event_data":7}"#.to_owned(),
        ] {
            assert_eq!(
                parse_event(body.as_bytes()),
                Err(Refusal::UnknownEventType("item.add".to_owned()))
            );
        }
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
