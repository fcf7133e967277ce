//! Makes an event of a body. Whether the event may be granted is not asked here.

use serde::Deserialize;

use crate::protocol::Event;

use super::refusal::Refusal;

/// The one key that decides how the rest is to be read.
#[derive(Deserialize)]
struct Envelope {
    event_type: String,
}

/// Reads a `coupon.redeemed` event; keys that the source does not name are accepted.
pub(super) fn interpret(body: &[u8]) -> Result<Event, Refusal> {
    let event: Event = serde_json::from_slice(body).map_err(|flaw| explain(body, &flaw))?;
    if event.event_type != Event::COUPON_REDEEMED {
        return Err(Refusal::UnknownEventType(event.event_type.into_owned()));
    }
    if event.idempotency_key.is_empty() {
        return Err(Refusal::EmptyIdempotencyKey);
    }
    Ok(event)
}

/// An event of another type is of another shape, so that its type is what is wrong with it.
fn explain(body: &[u8], flaw: &serde_json::Error) -> Refusal {
    match serde_json::from_slice::<Envelope>(body) {
        Ok(envelope) if envelope.event_type != Event::COUPON_REDEEMED => {
            Refusal::UnknownEventType(envelope.event_type)
        }
        _ => Refusal::NotAnEvent(flaw.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../protocol/example-event.txt");

    #[test]
    fn the_source_example_is_an_event() {
        let event = interpret(EXAMPLE.as_bytes()).expect("an event");
        assert_eq!(event.event_data.player_id, "2D2R-OP3C");
    }

    #[test]
    fn another_type_is_named_whatever_its_shape() {
        for body in [
            EXAMPLE.replace("coupon.redeemed", "item.add"),
            r#"{"event_type":"item.add","event_data":7}"#.to_owned(),
        ] {
            assert_eq!(
                interpret(body.as_bytes()),
                Err(Refusal::UnknownEventType("item.add".to_owned()))
            );
        }
    }

    #[test]
    fn what_is_no_event_is_refused() {
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
                matches!(interpret(body.as_bytes()), Err(Refusal::NotAnEvent(_))),
                "{}",
                &body[..body.len().min(80)]
            );
        }
        assert!(matches!(
            interpret(b"\xff\xfe"),
            Err(Refusal::NotAnEvent(_))
        ));
    }

    #[test]
    fn an_empty_idempotency_key_is_refused() {
        let body = EXAMPLE.replace("idmpt_aXRlb...JkX2VFS", "");
        assert_eq!(
            interpret(body.as_bytes()),
            Err(Refusal::EmptyIdempotencyKey)
        );
    }
}
